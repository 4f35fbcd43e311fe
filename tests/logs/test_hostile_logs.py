"""Is everything hostile refused by name, or read right, within bounds and without running anything?"""

import contextlib
import json
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.core.tallies import tallied
from limitset.logs import lm_eval, lm_eval_results
from limitset.logs import zipped as zips
from limitset.logs.evaluation_log import LONGEST_REPLY
from limitset.logs.inspect_log import read_inspect
from limitset.logs.json_text import decoded, parsed
from limitset.logs.lm_eval import read_lm_eval
from limitset.logs.reading import read_panel
from limitset.logs.replies import read_replies
from logs.real_logs import eval_logs, members, records, samples, zipped

NAME = "samples_t_2024-01-01T00-00-00.jsonl"


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_zip_is_refused_by_name(tmp_path, kept):
    whole = eval_logs("capitals")[0].read_bytes()
    file = tmp_path / "cut.eval"
    file.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputError, match=r"cut\.eval must be a whole zip"):
        read_inspect(file)


def test_a_member_overwritten_with_other_bytes_is_refused_by_name(tmp_path):
    whole = bytearray(eval_logs("capitals")[0].read_bytes())
    with zipfile.ZipFile(eval_logs("capitals")[0]) as archive:
        at = archive.getinfo("summaries.json").header_offset + 60
    whole[at : at + 40] = bytes(40)
    file = tmp_path / "x.eval"
    file.write_bytes(bytes(whole))
    with pytest.raises(InputError, match=r"summaries\.json of .*x\.eval must be a whole zip"):
        read_inspect(file)


@pytest.fixture
def small_members(monkeypatch):
    monkeypatch.setattr(zips, "LARGEST_MEMBER", 1 << 20)


def bomb(path, size):
    """Write a log whose summaries are so many blanks: a thousandth of it on disk."""
    header = members(eval_logs("capitals")[0])["header.json"]
    return zipped(path, {"header.json": header, "summaries.json": b" " * size})


def test_a_zip_bomb_is_refused_within_bounded_memory(tmp_path, small_members):
    file = bomb(tmp_path / "bomb.eval", 64 << 20)
    assert file.stat().st_size < 1 << 17
    tracemalloc.start()
    with pytest.raises(
        InputError, match=r"summaries\.json in .*bomb\.eval must have at most 1,048,576 bytes"
    ):
        read_inspect(file)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_bomb_that_declares_little_is_refused_too(tmp_path, small_members):
    file = bomb(tmp_path / "liar.eval", 64 << 20)
    raw = bytearray(file.read_bytes())
    real, told = struct.pack("<I", 64 << 20), struct.pack("<I", 1_000)
    assert raw.count(real) == 2
    file.write_bytes(bytes(raw.replace(real, told)))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"summaries\.json"):
        read_inspect(file)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_huge_declared_size_is_refused(tmp_path):
    file = bomb(tmp_path / "huge.eval", 1_000)
    raw = file.read_bytes()
    file.write_bytes(raw.replace(struct.pack("<I", 1_000), struct.pack("<I", 0xFFFFFFF0)))
    with pytest.raises(InputError, match="got 4,294,967,280 declared"):
        read_inspect(file)


def test_names_that_climb_are_only_names(tmp_path):
    contents = members(eval_logs("capitals")[0])
    summaries = json.loads(contents["summaries.json"])[:1]
    summaries[0] |= {"id": "../../../escaped", "scores": {"strict": {"value": "I"}}}
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    whole = json.dumps(summaries[0] | {"output": {"completion": "Perth"}}).encode()
    file = zipped(
        inside / "x.eval",
        {
            "header.json": contents["header.json"],
            "summaries.json": summaries,
            "../../../escaped": b"x",
            f"samples/../../../escaped_epoch_{summaries[0]['epoch']}.json": whole,
        },
    )
    before = sorted(tmp_path.rglob("*"))
    assert read_inspect(file)[0].replies[0].end == "Perth"
    assert sorted(tmp_path.rglob("*")) == before


def test_an_encrypted_or_unknown_member_is_refused(tmp_path):
    file = bomb(tmp_path / "x.eval", 1_000)
    raw = bytearray(file.read_bytes())
    central = raw.index(b"PK\x01\x02")
    for method, at in ((8, central + 10),):
        assert raw[at] == method
        raw[at] = 99
    file.write_bytes(bytes(raw))
    with pytest.raises(InputError, match=r"header\.json of .*must be a whole zip"):
        read_inspect(file)


def test_a_json_log_too_large_is_refused_before_it_is_read(tmp_path, small_members):
    file = tmp_path / "x.json"
    file.write_bytes(b'{"version": 2,' + b" " * (2 << 20))
    with pytest.raises(InputError, match="must have at most 1,048,576 bytes"):
        read_inspect(file)


def sample(**values):
    return records(samples("a", "capitals"))[0] | values


def lines(tmp_path, *rows):
    file = tmp_path / NAME
    file.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows))
    return file


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (b'{"doc_id": 0, "doc": ', r"line 2 of .* must be whole JSON"),
        (b'{"doc_id": 0, "doc_id": 1}', r"line 2 of .* got the key 'doc_id' twice"),
        (b'{"doc": "\xff"}', r"line 2 of .* must be UTF-8; got byte 0xff at position 9"),
        (b'{"doc": "\\ud800"}', r"line 2 of .* must be Unicode"),
        (b"[" * 100_000, r"line 2 of .* must be whole JSON"),
        (b'{"doc_id": ' + b"9" * 5_000 + b"}", r"line 2 of .* must be whole JSON"),
        (b'"only a text"', r"line 2 of .* must be a sample"),
    ],
)
def test_hostile_lines_are_named(tmp_path, row, match):
    with pytest.raises(InputError, match=match):
        read_lm_eval(lines(tmp_path, sample(), row))


def test_a_line_without_end_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(lm_eval, "LONGEST_LINE", 10_000)
    with pytest.raises(InputError, match="at most 10,000 bytes; got a longer one at line 2"):
        read_lm_eval(lines(tmp_path, sample(), sample(target="x" * 20_000)))


def test_lists_and_results_have_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(lm_eval, "LARGEST_LIST", 100)
    with pytest.raises(InputError, match="one JSON list, must be at most 100 bytes"):
        read_lm_eval(lines(tmp_path, [sample()]))
    (tmp_path / "results.json").write_text("{}" + " " * 100, encoding="utf-8")
    monkeypatch.setattr(lm_eval_results, "LARGEST_RESULTS", 100)
    with pytest.raises(InputError, match=r"results\.json must be at most 100 bytes"):
        read_lm_eval(lines(tmp_path, sample()))


@pytest.mark.parametrize("results", ["[1]", "{"])
def test_broken_results_are_named(tmp_path, results):
    (tmp_path / "results.json").write_text(results, encoding="utf-8")
    with pytest.raises(InputError, match=r"results\.json must be"):
        read_lm_eval(lines(tmp_path, sample()))


def test_a_reply_of_a_million_characters_is_clipped_with_a_note(tmp_path):
    long = "Sydney " + "x" * 1_000_000
    got, _ = read_panel([lines(tmp_path, sample(resps=[[long]], filtered_resps=[long]))])
    assert len(got.ends.texts("text")[0]) == LONGEST_REPLY
    assert any("1 × reply longer than 20,000 characters" in note for note in got.notes)
    table = tmp_path / "r.csv"
    table.write_text(f"question,model,answer,key\nQ?,m,{long},Perth\n", encoding="utf-8")
    replies = read_replies(table)
    assert len(replies.ends.texts("text")[0]) == LONGEST_REPLY
    assert "1 × reply longer than 20,000 characters" in replies.notes[0]


def test_nothing_that_a_target_says_is_run(tmp_path):
    target = "[__import__('os').mkdir('run')]"
    (log,) = read_lm_eval(lines(tmp_path, sample(target=target)))
    assert next(iter(log.questions.values())).accepted == (target,)
    assert not (tmp_path / "run").exists()


def test_a_model_named_like_all_of_them_is_refused_where_it_is_counted(tmp_path):
    table = tmp_path / "r.csv"
    table.write_text("question,model,answer,key\nQ?,all,x,y\n", encoding="utf-8")
    got = read_replies(table)
    with pytest.raises(InputError, match="no model may be called 'all'"):
        tallied(got.ends, got.items)


def test_texts_of_json_are_read_once_and_whole():
    assert parsed('{"a": [NaN, 1]}', place="x")["a"][1] == 1
    assert decoded(b"\xef\xbb\xbf{}", place="x") == "{}"


# ---- fuzz: only the named error may come, and what is read must be counted

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["C", "I", "P", "N", "A", "Canberra", "1", "nan", "[0]", "True"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FUZZ = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_or_refused(path):
    """Read and count; any error but the named one ends the test."""
    with contextlib.suppress(InputError):
        got, _ = read_panel([path])
        tallied(got.ends, got.items)


@FUZZ
@given(field=st.sampled_from(sorted(sample())), value=JSON)
def test_fuzzed_samples(tmp_path, field, value):
    text = json.dumps(sample(**{field: value}))
    (tmp_path / NAME).write_text(text + "\n" + json.dumps(sample()), encoding="utf-8")
    read_or_refused(tmp_path / NAME)


@FUZZ
@given(field=st.sampled_from(sorted(records(samples("a", "capitals_choice"))[0])), value=JSON)
def test_fuzzed_choices(tmp_path, field, value):
    row = records(samples("a", "capitals_choice"))[0] | {field: value}
    (tmp_path / NAME).write_text(json.dumps(row), encoding="utf-8")
    read_or_refused(tmp_path / NAME)


SUMMARY = json.loads(members(eval_logs("capitals-choice")[0])["summaries.json"])[0]
HEADER = json.loads(members(eval_logs("capitals-choice")[0])["header.json"])
PLACES = [*((name, None) for name in SUMMARY), *(("scores", name) for name in ("choice", "value", "answer"))]


@FUZZ
@given(place=st.sampled_from(PLACES), value=JSON, about=st.sampled_from([*HEADER, "none"]), other=JSON)
def test_fuzzed_summaries(tmp_path, place, value, about, other):
    field, inner = place
    entry = {"value": "I", "answer": "B"} | ({inner: value} if inner in ("value", "answer") else {})
    scores = {"choice": value if inner == "choice" else entry}
    summary = SUMMARY | ({field: value} if inner is None else {"scores": scores})
    header = HEADER | ({about: other} if about != "none" else {})
    file = zipped(tmp_path / "x.eval", {"header.json": header, "summaries.json": [summary, SUMMARY]})
    read_or_refused(file)


@FUZZ
@given(at=st.integers(0, 40_000), change=st.binary(min_size=1, max_size=8))
def test_fuzzed_bytes_of_a_zip(tmp_path, at, change):
    raw = bytearray(eval_logs("capitals-choice")[0].read_bytes())
    at %= len(raw)
    raw[at : at + len(change)] = change
    (tmp_path / "x.eval").write_bytes(bytes(raw))
    read_or_refused(tmp_path / "x.eval")


@FUZZ
@given(st.lists(st.dictionaries(st.sampled_from(["question", "model", "answer", "key", "seed", "x"]), JSON)))
def test_fuzzed_json_lines(tmp_path, rows):
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read_or_refused(tmp_path / "r.jsonl")


@FUZZ
@given(st.binary(max_size=80))
def test_fuzzed_tables(tmp_path, raw):
    for name, head in (("r.csv", b"question,model,answer,key\n"), ("r.jsonl", b""), ("r.parquet", b"PAR1")):
        (tmp_path / name).write_bytes(head + raw)
        read_or_refused(tmp_path / name)
