"""Are logs of Inspect read as the tool meant them, from summaries alone where they suffice?"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.logs import inspect_log
from limitset.logs.inspect_log import read_inspect
from logs.real_logs import INSPECT, eval_logs, members, zipped

TOOLS = os.environ.get("LIMITSET_LOG_TOOLS")
"""The python of an environment with inspect-ai; see runs/logs/README.md."""


def contents(task="capitals"):
    return {name: json.loads(raw) for name, raw in members(eval_logs(task)[0]).items()}


def test_every_scorer_is_a_log_and_every_epoch_a_run():
    strict, match = read_inspect(eval_logs("capitals")[0])
    assert (strict.filter, match.filter) == ("strict", "match")
    assert len(strict.questions) == 4
    assert len(strict.replies) == len(match.replies) == 8
    assert {reply.repeat for reply in strict.replies} == {0, 1}
    assert {reply.temperature for reply in strict.replies} == {0.7}


def test_choices_are_named_by_their_text():
    (log,) = read_inspect(eval_logs("capitals-choice")[0])
    first = next(iter(log.questions.values()))
    assert first.choices == ("Sydney", "Canberra", "Melbourne")
    assert first.accepted == ("Canberra",)
    for reply in log.replies:
        assert reply.right == (reply.end in log.questions[reply.identity].accepted)


def scored(tmp_path, value, answer="Sydney.", **more):
    """Return the one reply of a log whose first sample has this score."""
    found = contents()
    summary = found["summaries.json"][0] | {"scores": {"strict": {"value": value, "answer": answer}}} | more
    file = zipped(tmp_path / "x.eval", {"header.json": found["header.json"], "summaries.json": [summary]})
    (log,) = read_inspect(file)
    return log.replies[0]


@pytest.mark.parametrize(
    ("value", "right", "score", "status"),
    [
        ("C", True, 1.0, Status.ANSWERED),
        ("I", False, 0.0, Status.ANSWERED),
        ("P", None, 0.5, Status.ANSWERED),
        ("N", False, 0.0, Status.ABSTAINED),
        (1, True, 1.0, Status.ANSWERED),
        (0.0, False, 0.0, Status.ANSWERED),
        (True, True, 1.0, Status.ANSWERED),
        (0.7, None, 0.7, Status.ANSWERED),
        ({"a": 1}, None, None, Status.ANSWERED),
        (float("nan"), None, None, Status.ANSWERED),
    ],
)
def test_values_of_scores(tmp_path, value, right, score, status):
    reply = scored(tmp_path, value)
    assert (reply.right, reply.score, reply.status) == (right, score, status)


def test_no_answer_and_a_wrong_one_are_kept_apart(tmp_path):
    assert scored(tmp_path, "N").end is None
    assert scored(tmp_path, "I").end == "Sydney"
    assert scored(tmp_path, "C").end == "Canberra"
    assert scored(tmp_path, "I", answer="Canberra").end == "Canberra (scored wrong)"


def test_a_failed_sample_is_an_error(tmp_path):
    assert scored(tmp_path, "C", error="timeout").status is Status.ERROR


def test_the_whole_sample_is_opened_where_the_summary_lost_line_breaks(tmp_path):
    found = contents()
    summary = found["summaries.json"][0] | {"scores": {"strict": {"value": "I", "answer": "Sydney or so"}}}
    sample = {"id": summary["id"], "epoch": summary["epoch"], "output": {"completion": "?"}}
    sample["scores"] = {"strict": {"value": "I", "answer": "Sydney\nor so"}}
    logs = {"header.json": found["header.json"], "summaries.json": [summary]}
    short = read_inspect(zipped(tmp_path / "a.eval", logs))[0].replies[0]
    name = f"samples/{summary['id']}_epoch_{summary['epoch']}"
    one_file = read_inspect(zipped(tmp_path / "b.eval", logs | {f"{name}.json": sample}))[0].replies[0]
    folder = read_inspect(zipped(tmp_path / "c.eval", logs | {f"{name}/sample.json": sample}))[0].replies[0]
    assert one_file.text == folder.text == "Sydney\nor so" != short.text
    del sample["scores"]["strict"]["answer"], summary["scores"]["strict"]["answer"]
    raw = read_inspect(zipped(tmp_path / "d.eval", logs | {f"{name}.json": sample}))[0].replies[0]
    assert raw.text == "?"


def test_long_texts_stand_among_the_attachments(tmp_path):
    found = contents()
    summary = found["summaries.json"][0] | {"scores": {"strict": {"value": "I"}}}
    sample = summary | {"output": {"completion": "attachment://ab"}, "attachments": {"ab": "Perth\nindeed"}}
    name = f"samples/{summary['id']}_epoch_{summary['epoch']}.json"
    logs = {"header.json": found["header.json"], "summaries.json": [summary], name: sample}
    assert read_inspect(zipped(tmp_path / "a.eval", logs))[0].replies[0].end == "Perth"


def test_json_logs_hold_the_same():
    (file,) = INSPECT.glob("*.json")
    strict, _ = read_inspect(file)
    assert strict.model == "mockllm/c"
    assert len(strict.replies) == 3
    other = read_inspect(eval_logs("capitals")[0])[0]
    assert {one.content for one in strict.questions.values()} <= {
        one.content for one in other.questions.values()
    }


def test_an_evaluation_cut_short_is_read_from_its_journal(tmp_path):
    found = contents()
    kept = {name: one for name, one in found.items() if name not in ("header.json", "summaries.json")}
    log = read_inspect(zipped(tmp_path / "x.eval", kept))[0]
    assert len(log.replies) == 8
    assert "did not finish" in log.notes[0]


def test_several_targets_of_a_choice_are_one_answer(tmp_path):
    found = contents("capitals-choice")
    summary = found["summaries.json"][0] | {"target": ["C", "A"]}
    summary["scores"] = {"choice": {"value": "C", "answer": "A, C"}}
    logs = {"header.json": found["header.json"], "summaries.json": [summary]}
    (log,) = read_inspect(zipped(tmp_path / "x.eval", logs))
    assert log.replies[0].end == "Sydney, Melbourne"
    summary["scores"] = {"choice": {"value": "I", "answer": "B, A"}}
    (log,) = read_inspect(zipped(tmp_path / "y.eval", logs))
    assert log.replies[0].end == "Sydney, Canberra"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": 3}, "log of version 1 or 2; got 3"),
        ({"eval": None}, "eval of .* must be an object; got NoneType"),
    ],
)
def test_unknown_logs_are_refused(tmp_path, change, match):
    found = contents()
    logs = {"header.json": found["header.json"] | change, "summaries.json": found["summaries.json"]}
    with pytest.raises(InputError, match=match):
        read_inspect(zipped(tmp_path / "x.eval", logs))


@pytest.mark.parametrize(
    ("summaries", "match"),
    [([], "must hold samples"), ({"a": 1}, "must be a list"), ([1], "sample 1 of .* must be an object")],
)
def test_logs_without_samples_are_refused(tmp_path, summaries, match):
    logs = {"header.json": contents()["header.json"], "summaries.json": summaries}
    with pytest.raises(InputError, match=match):
        read_inspect(zipped(tmp_path / "x.eval", logs))


BY_INSPECT = """
import json, sys
from inspect_ai.log import read_eval_log
print(json.dumps({path: [
    [s.epoch, {n: [v.value, v.answer] for n, v in s.scores.items()}, s.output.completion]
    for s in read_eval_log(path).samples
] for path in sys.argv[1:]}))
"""


@pytest.mark.skipif(not TOOLS, reason="inspect-ai is not a dependency: runs/logs/README.md")
def test_answers_are_those_of_inspects_own_reader():
    files = sorted(str(path) for path in INSPECT.iterdir())
    out = subprocess.run([TOOLS, "-c", BY_INSPECT, *files], capture_output=True, text=True, check=True)
    for path, theirs in json.loads(out.stdout).items():
        for log in read_inspect(Path(path)):
            compare(log, theirs)


def compare(log, theirs):
    # samples are in the order of the log in both
    assert len(log.replies) == len(theirs)
    for reply, (epoch, scores, completion) in zip(log.replies, theirs, strict=True):
        value, answer = scores[log.filter]
        assert reply.repeat == epoch - 1
        assert reply.score == inspect_log.VALUES[value]
        assert reply.status is Status.ABSTAINED or reply.text == (answer or completion)
