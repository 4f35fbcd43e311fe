"""Are samples that Inspect cuts into chunks read like whole ones?"""

import json

from limitset.logs.inspect_log import open_inspect, read_inspect
from logs.real_logs import FIXTURES, INSPECT, eval_logs, members, zipped


def test_a_chunked_log_of_the_real_tool_reads_like_its_source():
    (chunked,), (whole,) = (FIXTURES / "chunked").glob("*.eval"), INSPECT.glob("*.json")
    assert any(name.endswith("_epoch_1/sample.json") for name in members(chunked))
    for mine, theirs in zip(read_inspect(chunked), read_inspect(whole), strict=True):
        assert [(one.identity, one.text, one.end, one.right) for one in mine.replies] == [
            (one.identity, one.text, one.end, one.right) for one in theirs.replies
        ]


def test_every_sample_of_it_can_be_opened():
    (file,) = (FIXTURES / "chunked").glob("*.eval")
    log = open_inspect(file)
    with log.whole_samples() as whole:
        completions = [whole(one)["output"]["completion"] for one in log.samples]
    assert completions == [
        json.loads(raw)["output"]["completion"]
        for name, raw in members(file).items()
        if name.endswith("/sample.json")
    ]


def test_long_texts_are_found_by_number_among_the_chunks(tmp_path):
    found = {name: json.loads(raw) for name, raw in members(eval_logs("capitals")[0]).items()}
    summary = found["summaries.json"][0] | {"scores": {"strict": {"value": "I"}}}
    stem = f"samples/{summary['id']}_epoch_{summary['epoch']}"
    sample = summary | {"output": {"completion": "attachment://2"}}
    logs = {
        "header.json": found["header.json"],
        "summaries.json": [summary],
        f"{stem}/sample.json": sample,
        f"{stem}/attachments/0.json": ["Sydney", "Hobart"],
        f"{stem}/attachments/2.json": ["Perth\nindeed"],
        f"{stem}/attachments/x.json": ["Darwin"],
    }
    assert read_inspect(zipped(tmp_path / "a.eval", logs))[0].replies[0].end == "Perth"


def test_a_log_can_be_read_again_after_it_was_closed():
    log = open_inspect(eval_logs("capitals")[0])
    first, again = log.scored("match"), log.scored("match")
    assert [one.text for one in first.replies] == [one.text for one in again.replies]
