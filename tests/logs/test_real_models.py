"""Are logs of real models read as the tools themselves scored them?"""

import json

import pytest

from limitset.core.levels import Status
from limitset.logs.inspect_log import read_inspect
from limitset.logs.lm_eval import read_lm_eval
from limitset.logs.reading import read_panel
from logs.real_logs import FIXTURES, members, records

MODELS = FIXTURES / "models"
NAMES = {"gemma-3-270m", "smollm2-135m-instruct"}


def harness(task):
    """Return the logs and records of one task, model by model."""
    files = sorted((MODELS / "lm_eval").rglob(f"samples_{task}_2*.jsonl"))
    assert {file.parent.name for file in files} == NAMES
    return [(read_lm_eval(file), records(file)) for file in files]


def published(log, metric):
    """Return what the results file of the harness says of a task."""
    (file,) = log.path.parent.glob("results_*.json")
    return json.loads(file.read_text(encoding="utf-8"))["results"][log.task][metric]


@pytest.mark.parametrize("filter_name", ["last-word", "whole"])
def test_generated_answers_are_right_as_the_harness_scored_them(filter_name):
    for logs, rows in harness("capitals"):
        (log,) = (one for one in logs if one.filter == filter_name)
        scored = [row["exact_match"] == 1 for row in rows if row["filter"] == filter_name]
        assert [reply.right for reply in log.replies] == scored
        assert sum(scored) / 6 == pytest.approx(published(log, f"exact_match,{filter_name}"))


def test_the_choice_is_the_one_that_the_harness_scored():
    for (log,), rows in harness("capitals_choice"):
        assert [reply.right for reply in log.replies] == [row["acc"] == 1 for row in rows]
        assert published(log, "acc,none") == 0.5 == sum(reply.right for reply in log.replies) / 6
        other = sum(row["acc"] != row["acc_norm"] for row in rows)
        (told,) = (count for what, count in log.counts.items() if what.startswith("acc_norm"))
        assert told == other > 0


def test_every_repeat_is_a_run_with_its_own_text():
    for (log,), rows in harness("capitals_repeated"):
        assert [reply.text for reply in log.replies] == [text for row in rows for text in row["resps"][0]]
        assert {reply.temperature for reply in log.replies} == {0.7}


def test_answers_of_inspect_are_those_of_its_scorers():
    files = sorted((MODELS / "inspect").glob("*_capitals_*.eval"))
    logs = [log for file in files for log in read_inspect(file)]
    assert {log.model for log in logs} == {f"hf/{name}" for name in NAMES}
    for log in logs:
        summaries = json.loads(members(log.path)["summaries.json"])
        values = [one["scores"][log.filter]["value"] for one in summaries]
        assert [reply.right for reply in log.replies] == [value == "C" for value in values]
        header = json.loads(members(log.path)["header.json"])
        (told,) = (
            one["metrics"]["accuracy"]["value"]
            for one in header["results"]["scores"]
            if one["name"] == log.filter
        )
        assert sum(value == "C" for value in values) / 12 == pytest.approx(told)


def test_a_reply_without_a_letter_has_no_answer():
    for file in sorted((MODELS / "inspect").glob("*_capitals-choice_*.eval")):
        (log,) = read_inspect(file)
        summaries = json.loads(members(file)["summaries.json"])
        for reply, one in zip(log.replies, summaries, strict=True):
            found = one["scores"]["choice"]
            letter = found["answer"]
            question = log.questions[reply.identity]
            assert reply.end == (question.choices["ABC".index(letter)] if letter else None)
            assert reply.status is (Status.ANSWERED if letter else Status.UNPARSED)
            assert not letter or "reason" not in found


def test_both_models_through_both_tools_are_one_panel():
    panel, found = read_panel([MODELS])
    assert len(found.lm_eval) == 6
    assert len(found.inspect) == 4
    assert set(panel.ends.texts("system")) == NAMES | {f"hf/{name}" for name in NAMES}
    # the free questions are worded otherwise in the two tools, the choices are the same six
    assert len(panel.items) == 6
    assert any("2 different prompts" in note for note in panel.notes)


def test_the_terms_of_the_models_stand_beside_their_replies():
    from limitset.datasets.sample_panel import ATTRIBUTIONS

    told = " ".join((FIXTURES / "README.md").read_text(encoding="utf-8").split())
    for line in ATTRIBUTIONS:
        assert line in told
