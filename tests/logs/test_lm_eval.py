"""Are logs of lm-evaluation-harness read as the tool meant them, in old forms too?"""

import json
import math
import shutil

import pytest

from limitset.core.errors import InputError
from limitset.logs.lm_eval import read_lm_eval
from logs.real_logs import LM_EVAL, records, samples


def rewritten(tmp_path, rows, name="samples_t_2024-01-01T00-00-00.jsonl"):
    file = tmp_path / name
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


def only(logs):
    (log,) = logs
    return log


def test_each_filter_is_a_log_of_its_own_and_documents_count_once():
    last_word, whole = read_lm_eval(samples("a", "capitals"))
    assert (last_word.filter, whole.filter) == ("last-word", "whole")
    assert len(last_word.replies) == len(whole.replies) == 6
    assert (last_word.model, last_word.task, last_word.version) == ("planted-a", "capitals", "1.0")
    assert last_word.settings == "pretrained=planted-a,right=0.7"


def test_right_is_what_the_log_scored():
    last_word, whole = read_lm_eval(samples("a", "capitals"))
    scored = [row["exact_match"] for row in records(samples("a", "capitals")) if row["filter"] == "last-word"]
    assert [float(reply.right) for reply in last_word.replies] == scored
    # " The answer is Oslo." reads like the key, but the filter kept the sentence and the log calls it wrong
    assert not any(reply.right for reply in whole.replies)
    assert {reply.end for reply in whole.replies if reply.end.endswith("(scored wrong)")}
    assert any("log's score counts" in what for what in whole.counts)


def test_choices_are_answered_by_the_largest_likelihood():
    file = samples("a", "capitals_choice")
    log = only(read_lm_eval(file))
    first, row = log.replies[0], records(file)[0]
    likely = [float(pair[0]) for pair in row["filtered_resps"]]
    offered = [one["arg_1"].strip() for one in row["arguments"].values()]
    assert first.end == offered[likely.index(max(likely))]
    assert log.questions[first.identity].accepted == (row["doc"]["answer"],)
    assert [float(reply.right) for reply in log.replies] == [one["acc"] for one in records(file)]
    # softmax of three log-likelihoods, by hand
    weights = [math.exp(one) for one in likely]
    assert first.choice_probabilities == pytest.approx([one / sum(weights) for one in weights])
    assert first.logprob == max(likely)


def test_repeats_are_runs_of_one_question():
    log = only(read_lm_eval(samples("b", "capitals_repeated")))
    assert len(log.questions) == 6
    assert [reply.repeat for reply in log.replies[:5]] == [0, 1, 2, 3, 0]
    assert log.replies[0].temperature == 0.7
    # the harness scores only the first repeat; the others are read by the canonicaliser
    assert all(
        reply.right == (reply.end == log.questions[reply.identity].accepted[0]) for reply in log.replies
    )
    assert log.counts["reply that the log does not score by itself: the canonicaliser reads it"] == 24


def test_the_name_of_the_model_comes_from_the_results(tmp_path):
    source = samples("a", "capitals")
    file = tmp_path / source.name
    shutil.copy(source, file)
    alone = read_lm_eval(file)[0]
    assert alone.model == tmp_path.name
    assert "no results file" in alone.notes[0]
    results = json.loads(next(source.parent.glob("results_*")).read_text(encoding="utf-8"))
    stamp = source.name.removeprefix("samples_capitals_").removesuffix(".jsonl")
    (tmp_path / f"results_{stamp}.json").write_text(
        json.dumps(results | {"model_name": "m7"}), encoding="utf-8"
    )
    assert read_lm_eval(file)[0].model == "m7"


def test_early_logs_were_one_list_without_filters_and_hashes(tmp_path):
    new = ("filter", "doc_hash", "prompt_hash", "target_hash", "metrics")
    rows = [
        {k: v for k, v in row.items() if k not in new} for row in records(samples("b", "capitals_choice"))
    ]
    for row in rows:
        row["target"] = int(row["target"])
        row["arguments"] = [list(one.values()) for one in row["arguments"].values()]
        row["filtered_resps"] = [[float(pair[0]), pair[1] == "True"] for pair in row["filtered_resps"]]
    file = tmp_path / "planted-b_capitals_choice.jsonl"
    file.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    (tmp_path / "results.json").write_text(
        json.dumps(
            {"results": {"capitals_choice": {}}, "config": {"model_args": "pretrained=planted-b,x=1"}}
        ),
        encoding="utf-8",
    )
    old, new_log = only(read_lm_eval(file)), only(read_lm_eval(samples("b", "capitals_choice")))
    assert (old.model, old.task, old.filter) == ("planted-b", "capitals_choice", "none")
    assert [reply.end for reply in old.replies] == [reply.end for reply in new_log.replies]
    assert [one.content for one in old.questions.values()] == [
        one.content for one in new_log.questions.values()
    ]


def changed(**values):
    return records(samples("a", "capitals"))[0] | values


def test_a_worked_answer_ends_in_its_key(tmp_path):
    row = changed(target="6 + 12 = 18\n#### 18", filtered_resps=["18"], exact_match=1.0)
    log = only(read_lm_eval(rewritten(tmp_path, [row])))
    assert next(iter(log.questions.values())).accepted == ("18",)
    assert log.replies[0].end == "18"


def test_several_targets_were_written_as_a_python_list(tmp_path):
    log = only(read_lm_eval(rewritten(tmp_path, [changed(target="['Kyiv', 'Kiev']")])))
    assert next(iter(log.questions.values())).accepted == ("Kyiv", "Kiev")


def test_digits_name_the_place_of_a_choice_also_where_a_choice_is_digits(tmp_path):
    row = records(samples("a", "capitals_choice"))[0]
    for argument, text in zip(row["arguments"].values(), (" 2", " 3", " 1"), strict=True):
        argument["arg_1"] = text
    log = only(read_lm_eval(rewritten(tmp_path, [row | {"target": "1"}])))
    assert next(iter(log.questions.values())).accepted == ("3",)


def test_likelihoods_without_the_prompt_are_no_choices(tmp_path):
    row = records(samples("a", "capitals_choice"))[0]
    again = {
        f"gen_args_{n + 3}": {"arg_0": "", "arg_1": one["arg_1"]}
        for n, one in enumerate(row["arguments"].values())
    }
    row["arguments"] |= again
    row["filtered_resps"] += [["9.0", "False"]] * 3
    log = only(read_lm_eval(rewritten(tmp_path, [row])))
    assert next(iter(log.questions.values())).choices == ("Sydney", "Canberra", "Melbourne")
    assert log.replies[0].end != "choice 4"


def test_a_likelihood_that_is_nan_is_an_error_and_not_an_answer(tmp_path):
    row = records(samples("a", "capitals_choice"))[0]
    row["filtered_resps"][1][0] = "nan"
    (reply,) = only(read_lm_eval(rewritten(tmp_path, [row]))).replies
    assert (reply.status.value, reply.end, reply.right) == ("error", None, None)


def test_a_text_that_is_only_scored_has_no_answer(tmp_path):
    log = only(read_lm_eval(rewritten(tmp_path, [changed(filtered_resps=[["-3.2", "False"]])])))
    assert not log.replies
    assert log.counts == {"one text scored: no answer to compare": 1}


def test_a_question_twice_in_one_log_counts_once(tmp_path):
    row = changed()
    log = only(read_lm_eval(rewritten(tmp_path, [row, row])))
    assert len(log.replies) == 1
    assert log.counts["question that stands twice in its log: the first kept"] == 1


def test_a_graded_score_is_neither_right_nor_wrong(tmp_path):
    log = only(read_lm_eval(rewritten(tmp_path, [changed(exact_match=0.25)])))
    assert (log.replies[0].right, log.replies[0].score) == (None, 0.25)


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ([1], "line 2 of .* must be a sample; got list"),
        ({"doc_id": 0}, "line 2 of .* got one without doc, target, arguments, resps"),
        (changed(arguments=True), "arguments at line 2 of .* must hold what was sent"),
        (changed(arguments={}), "arguments at line 2 of .* must hold what was sent"),
        (changed(resps="x"), "replies at line 2 of .* must be a list"),
    ],
)
def test_broken_records_are_named_by_line(tmp_path, row, match):
    with pytest.raises(InputError, match=match):
        read_lm_eval(rewritten(tmp_path, [changed(), row]))


def test_the_fixtures_are_those_of_four_runs():
    assert sorted(path.name for path in LM_EVAL.iterdir()) == ["a", "b", "b-two-shot", "dummy"]
