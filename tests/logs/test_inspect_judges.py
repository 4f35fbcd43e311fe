"""Scorers of an Inspect log as judges, one of them the key."""

from pathlib import Path

import pytest

from limitset.core.errors import InputError
from limitset.logs.inspect_judges import judges_of, verdict_of
from limitset.logs.inspect_log import InspectLog, open_inspect
from limitset.logs.reading import read_panel
from logs.real_logs import eval_logs


def judged(*scores, model="m"):
    samples = [
        {"id": n, "epoch": 1, "input": f"question {n}", "scores": {k: {"value": v} for k, v in one.items()}}
        for n, one in enumerate(scores)
    ]
    header = {"version": 2, "status": "success", "eval": {"model": model, "task": "t"}}
    return InspectLog(path=Path("a.eval"), header=header, samples=samples)


def test_verdicts_are_right_where_the_key_says_the_same():
    log = judged(
        {"human": "C", "one": "C", "two": "I"},
        {"human": "I", "one": "C", "two": "N"},
    )
    one, two = judges_of(log, key="human")
    assert (one.model, two.model) == ("one", "two")
    assert [reply.right for reply in one.replies] == [True, False]
    assert [reply.end for reply in one.replies] == ["correct", "correct"]
    assert [reply.status.value for reply in two.replies] == ["answered", "abstained"]
    assert [question.accepted for question in one.questions.values()] == [("correct",), ("incorrect",)]


def test_marks_are_scores_and_letters_are_not():
    one, _ = judges_of(judged({"human": 4, "one": 5.0, "two": "C"}), key="human")
    reply = one.replies[0]
    assert (reply.end, reply.score, reply.right) == ("5", 5.0, False)
    assert judges_of(judged({"a": "C", "b": "I"}), key="none")[0].replies[0].score is None


def test_without_a_key_nothing_is_right_or_wrong():
    logs = judges_of(judged({"one": "C", "two": "I"}), key="none")
    assert [reply.right for log in logs for reply in log.replies] == [None, None]


def test_a_sample_that_the_key_did_not_score_is_left_out_and_counted():
    (one,) = judges_of(judged({"human": "C", "one": "C"}, {"one": "C"}), key="human")
    assert len(one.replies) == 1
    assert one.counts == {"sample that human does not score: left out": 1}


def test_a_log_of_the_real_tool():
    path = eval_logs("capitals")[0]
    (strict,) = judges_of(open_inspect(path), key="match")
    by_scorer = open_inspect(path)
    values = [
        (one["scores"]["strict"]["value"], one["scores"]["match"]["value"]) for one in by_scorer.samples
    ]
    assert [reply.right for reply in strict.replies] == [
        False if ours == "N" else ours == theirs for ours, theirs in values
    ]
    panel, _ = read_panel([path], judges="match")
    assert set(panel.ends.texts("system")) == {"strict"}
    assert len(panel.ends) == len(values)


@pytest.mark.parametrize("key", ["nobody", "strict"])
def test_an_unknown_key_and_no_judge_left_are_refused(key):
    log = judged({"strict": "C"})
    with pytest.raises(InputError, match="--judges must name the scorer"):
        judges_of(log, key=key)


def test_judges_are_for_inspect_alone(tmp_path):
    file = tmp_path / "r.csv"
    file.write_text("question,model,answer\nq,m,a\n", encoding="utf-8")
    with pytest.raises(InputError, match="for logs of Inspect alone"):
        read_panel([file], judges="none")


@pytest.mark.parametrize(
    ("value", "said"),
    [("C", "correct"), ("P", "partly correct"), (True, "correct"), (3, "3"), (" B ", "B"), ("", None)],
)
def test_verdicts_in_words(value, said):
    assert verdict_of(value) == said
