"""Are logs joined by what was asked, and is everything that differs said or refused?"""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.logs.inspect_log import read_inspect
from limitset.logs.joining import join_logs
from limitset.logs.lm_eval import read_lm_eval
from limitset.logs.reading import read_panel
from logs.real_logs import INSPECT, LM_EVAL, eval_logs, records, samples


def joined(*files, **options):
    return join_logs([read_lm_eval(file) for file in files], **options)


def said(panel):
    return " | ".join(panel.notes)


def test_two_models_on_one_task_are_one_panel():
    panel = joined(samples("a", "capitals"), samples("b", "capitals"))
    assert len(panel.items) == 6
    assert sorted(set(panel.ends.texts("system"))) == ["planted-a", "planted-b"]
    assert len(panel.ends) == 12
    assert set(panel.ends.texts("paraphrase")) == {None}
    assert set(panel.ends.texts("filter")) == {"last-word"}
    assert len(set(panel.ends.texts("prompt_hash"))) == 6


def test_one_filter_is_used_and_named_and_can_be_chosen():
    files = samples("a", "capitals"), samples("b", "capitals")
    first = joined(*files)
    assert "capitals is read with last-word (it has last-word, whole" in said(first)
    other = joined(*files, wanted="whole")
    assert set(other.ends.texts("filter")) == {"whole"}
    assert first.ends.numbers("right").sum() > other.ends.numbers("right").sum() == 0
    with pytest.raises(InputError, match="got strict-match, where there are last-word, whole"):
        joined(*files, wanted="strict-match")


def test_logs_without_a_common_filter_are_refused():
    (_, whole), (last_word, _) = (
        read_lm_eval(samples("a", "capitals")),
        read_lm_eval(samples("b", "capitals")),
    )
    with pytest.raises(
        InputError, match=r"one filter or scorer in common; got .* has whole; .* has last-word"
    ):
        join_logs([[whole], [last_word]])


def test_another_prompt_of_another_model_is_named():
    panel = joined(samples("a", "capitals"), next((LM_EVAL / "b-two-shot").rglob("samples_*")))
    assert "with 2 different prompts" in said(panel)
    assert "prompt 1: planted-a; prompt 2: planted-b" in said(panel)


def test_two_prompts_of_one_model_are_kept_apart():
    two_shot = next((LM_EVAL / "b-two-shot").rglob("samples_*"))
    panel = joined(samples("a", "capitals"), samples("b", "capitals"), two_shot)
    own = panel.ends.having(system="planted-b")
    assert sorted(set(own.texts("paraphrase"))) == ["capitals, prompt 1", "capitals, prompt 2"]
    assert "planted-b got questions under several conditions" in said(panel)


def test_another_version_of_a_task_is_named():
    (one, _), (other, _) = read_lm_eval(samples("a", "capitals")), read_lm_eval(samples("b", "capitals"))
    panel = join_logs([[one], [replace(other, version="2.0")]])
    assert "task capitals has 2 versions (1.0: planted-a; 2.0: planted-b)" in said(panel)
    assert "with 2 different prompts, examples or versions" in said(panel)


def test_questions_that_a_model_lacks_are_named_and_left_out(tmp_path):
    short = tmp_path / samples("b", "capitals").name
    rows = [row for row in records(samples("b", "capitals")) if row["doc_id"] != 0]
    short.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    panel = joined(samples("a", "capitals"), short)
    assert len(panel.items) == 5
    assert "lacks 1 of 6 questions (What is the capital of Australia?)" in said(panel)
    assert "kept: the 5 of 6 questions" in said(panel)


def test_another_target_of_one_question_is_named(tmp_path):
    rows = records(samples("b", "capitals"))
    for row in rows:
        row["target"] = "Sydney" if row["doc_id"] == 0 else row["target"]
    other = tmp_path / samples("b", "capitals").name
    other.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    panel = joined(samples("a", "capitals"), other)
    assert "1 question has another target in another log" in said(panel)
    assert len(panel.items) == 5


def test_models_of_one_name_with_other_arguments_are_two():
    (one, _), (other, _) = read_lm_eval(samples("a", "capitals")), read_lm_eval(samples("b", "capitals"))
    panel = join_logs([[one], [replace(other, model=one.model, settings="dtype=float16")]])
    assert sorted(set(panel.ends.texts("system"))) == [
        "planted-a (dtype=float16)",
        "planted-a (pretrained=planted-a,right=0.7)",
    ]


def test_logs_of_one_model_alike_are_repeated_runs_and_copies_count_once(tmp_path):
    file = samples("a", "capitals_choice")
    again = read_lm_eval(file)[0]
    later = replace(again, path=again.path.with_name("samples_capitals_choice_2030.jsonl"))
    panel = join_logs([[again], [later]])
    assert sorted(set(panel.ends.numbers("seed"))) == [0, 1]
    assert "planted-a has 2 logs of capitals_choice: they count as repeated runs" in said(panel)
    (tmp_path / "copy").mkdir()
    for one in file.parent.iterdir():
        shutil.copy(one, tmp_path / "copy")
    copied = joined(file, tmp_path / "copy" / file.name)
    assert len(copied.ends) == 6
    assert "is a copy of one read before" in said(copied)


def test_two_questions_of_one_text_stay_two(tmp_path):
    rows = [row for row in records(samples("a", "capitals")) if row["filter"] == "whole"][:2]
    rows[1]["doc"] = rows[0]["doc"] | {"passage": "another"}
    rows[1]["target"] = rows[0]["target"]
    file = tmp_path / "samples_t_2024-01-01T00-00-00.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert len(joined(file).items) == 2


def test_tools_are_joined_by_question_and_target():
    lm_eval, inspect = samples("a", "capitals"), eval_logs("capitals")[0]
    panel = join_logs([read_lm_eval(lm_eval), read_inspect(inspect)])
    assert len(panel.items) == 4
    assert sorted(set(panel.ends.texts("source"))) == ["inspect", "lm-eval"]
    assert "planted-a lacks" not in said(panel)
    assert "lacks 2 of 6 questions" in said(panel)


def test_a_file_of_replies_joins_logs(tmp_path):
    table = tmp_path / "people.csv"
    table.write_text(
        "question,model,answer,key\nWhat is the capital of Kenya?,reader,Mombasa,Nairobi\n", encoding="utf-8"
    )
    got, found = read_panel([table, *eval_logs("capitals")])
    assert len(got.items) == 1
    assert sorted(set(got.ends.texts("system"))) == ["mockllm/a", "mockllm/b", "reader"]
    assert got.ends.having(system="reader").texts("end").tolist() == ["Mombasa"]
    assert [len(found.lm_eval), len(found.inspect), len(found.tables)] == [0, 2, 1]


def test_what_shares_no_question_is_refused_in_one_line():
    with pytest.raises(
        InputError,
        match=r"must share questions .* planted-a has 6 of capitals; planted-b has 6 of capitals_choice",
    ) as error:
        joined(samples("a", "capitals"), samples("b", "capitals_choice"))
    assert "\n" not in str(error.value)


def test_logs_without_answers_are_refused():
    empty = [replace(log, replies=()) for log in read_lm_eval(samples("a", "capitals"))]
    with pytest.raises(InputError, match="answers that can be compared"):
        join_logs([empty])


def test_a_filter_is_for_logs(tmp_path):
    table = tmp_path / "r.csv"
    table.write_text("question,model,answer\nQ?,a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="--filter is for logs"):
        read_panel([table], filter_name="whole")


def test_all_fixtures_of_inspect_are_one_panel():
    got, _ = read_panel([INSPECT])
    # the third model got three of the questions of one task, once
    assert len(got.items) == 3
    assert len(got.ends) == 3 * (2 + 2 + 1)


def test_marks_that_a_judge_gave_are_scores_and_marks_that_a_model_got_are_not():
    (path,) = eval_logs("capitals")[:1]
    got = join_logs([read_inspect(path)[:1]])
    assert np.isnan(got.ends.numbers("score")).all()
    judged = [replace(read_inspect(path)[0], marks=True)]
    gave = join_logs([judged])
    assert not np.isnan(gave.ends.numbers("score")).all()


def test_a_file_of_replies_keeps_what_it_says_of_questions_beside_logs(tmp_path):
    log = read_inspect(eval_logs("capitals")[0])[0]
    asked = next(iter(log.questions.values()))
    file = tmp_path / "r.csv"
    file.write_text(
        "question,model,answer,key,lure,stratum,logprob\n"
        f'"{asked.text}",m,Sydney,{asked.accepted[0]},Sydney,places,-1.5\n',
        encoding="utf-8",
    )
    panel, _ = read_panel([file, eval_logs("capitals")[0]])
    rows = panel.items.rows()
    assert [(row["lure"], row["stratum"]) for row in rows] == [("Sydney", "places")]
    mine = panel.ends.having(system="m")
    assert mine.numbers("logprob").tolist() == [-1.5]


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ((1, 0, 0.25, 0.5, 1, 0), "2 of 6 questions have replies that the log scores partly right: left out"),
        ((0.1, 0.2, 0.3, 0.4, 0.5, 0.6), "all 6 questions have replies that the log scores partly right"),
        ((1, 0, 1, 0, 1, 0), None),
    ],
)
def test_questions_scored_partly_right_are_counted_in_plain_words(tmp_path, scores, told):
    rows = [row for row in records(samples("a", "capitals")) if row["filter"] == "whole"]
    graded = [row | {"metrics": ["f1"], "f1": score} for row, score in zip(rows, scores, strict=True)]
    file = tmp_path / "samples_t_2024-01-01T00-00-00.jsonl"
    file.write_text("\n".join(map(json.dumps, graded)), encoding="utf-8")
    notes = [note for note in read_panel([file])[0].notes if "scores partly right" in note]
    assert notes == [] if told is None else [note.startswith(told) for note in notes] == [True]
