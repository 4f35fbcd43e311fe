"""Is a file of replies read right, or refused by name and line?"""

import json

import pytest

from limitset.core import parquet
from limitset.core.columns import Kind, coded
from limitset.core.errors import InputError
from limitset.logs.replies import read_replies

HEADER = "question,model,answer,key\n"


def written(tmp_path, text, name="r.csv"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_reply_is_judged_by_its_key(tmp_path):
    got = read_replies(
        written(tmp_path, HEADER + "Capital of Peru?,a,Lima,Lima\nCapital of Peru?,b,Cusco,Lima\n")
    )
    assert got.ends.numbers("right").tolist() == [1, 0]
    assert len(got.items) == 1


def test_several_accepted_answers_stand_apart_by_a_bar(tmp_path):
    got = read_replies(written(tmp_path, HEADER + "Capital of Ukraine?,a,Kiev,Kyiv|Kiev\n"))
    assert got.ends.texts("end").tolist() == ["Kyiv"]


def test_repeated_rows_are_runs(tmp_path):
    row = "Capital of Peru?,a,Lima,Lima\n"
    got = read_replies(written(tmp_path, HEADER + row * 3))
    assert got.ends.numbers("seed").tolist() == [0, 1, 2]
    assert "separate runs" in got.notes[0]


def test_without_keys_nothing_is_right_or_wrong(tmp_path):
    got = read_replies(written(tmp_path, "prompt,judge,response\nGood?,a,yes\n"))
    assert got.ends.numbers("right").tolist() != [0.0]
    assert not got.items.has_anchor().any()


def test_columns_may_be_mapped(tmp_path):
    file = written(tmp_path, "frage,wer,was\n1+1?,m,2\n")
    got = read_replies(file, names={"question": "frage", "model": "wer", "answer": "was"})
    assert got.ends.texts("end").tolist() == ["2"]


def test_json_lines_and_parquet_give_the_same(tmp_path):
    rows = [{"question": "1+1?", "model": m, "answer": a, "key": "2"} for m, a in (("a", "2"), ("b", "3"))]
    lines = written(tmp_path, "\n".join(json.dumps(row) for row in rows), "r.jsonl")
    table = tmp_path / "r.parquet"
    names = list(rows[0])
    parquet.write({n: coded([r[n] for r in rows]) for n in names}, dict.fromkeys(names, Kind.TEXT), table)
    first, second = read_replies(lines), read_replies(table)
    assert first.ends.texts("end").tolist() == second.ends.texts("end").tolist()
    assert first.ends.numbers("right").tolist() == second.ends.numbers("right").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "name", "match"),
    [
        ("model,answer\na,b\n", "r.csv", "no question among model, answer"),
        (HEADER + "Q,a,b\n", "r.csv", "3 at line 2"),
        (HEADER + "Q,a,b,\n", "r.csv", "none at line 2"),
        (HEADER + "Q,a,b,c\nQ,a,b,d\n", "r.csv", "one key; got another for .* at line 3"),
        (HEADER + 'Q,a,"b,c\n', "r.csv", "well-formed CSV; got .* at line 2"),
        (HEADER.encode() + b"Q,a,\xff,c\n", "r.csv", "must be UTF-8; got byte 0xff at line 2"),
        ('{"question": "Q", "mod', "r.jsonl", "line 1 of .* must be whole JSON"),
        ("[1]\n", "r.jsonl", "must be a JSON object; got line 1: list"),
        ("", "r.csv", "at least one record"),
        ("x", "r.docx", "replies must be one of"),
        (b"PAR1 cut off", "r.parquet", "whole Parquet file"),
        (
            HEADER.replace("key", "key,seed") + "Q,a,b,c,one\n",
            "r.csv",
            "seed in .* must be a number; got 'one' at line 2",
        ),
        ("question,question,model,answer\n", "r.csv", "different names; got question"),
    ],
)
def test_bad_files_are_refused_by_name_and_line(tmp_path, text, name, match):
    with pytest.raises(InputError, match=match):
        read_replies(written(tmp_path, text, name))


def test_numbers_are_compared_as_numbers_where_every_key_is_one(tmp_path):
    got = read_replies(written(tmp_path, HEADER + '"How many?",a,"1,200",1200\n"How many?",b,42.0,1200\n'))
    assert got.ends.numbers("right").tolist() == [1, 0]


def test_columns_are_those_of_all_records_not_of_the_first(tmp_path):
    rows = [
        {"question": "1+1?", "model": "a", "answer": "2", "key": "2"},
        {"question": "1+1?", "model": "b", "answer": "2", "key": "2", "stratum": "sums"},
    ]
    lines = written(tmp_path, "\n".join(json.dumps(row) for row in rows[::-1]), "r.jsonl")
    assert "stratum" in read_replies(lines).columns


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (
            '{"question": "Q", "model": "a", "answer": "x"}\n{"question": "Q", "model": "b", "answer": "x", "key": "x"}',
            "needs its key.*line 1",
        ),
        (
            '{"question": "Q", "model": "a", "answer": "x"}\n{"question": "Q", "model": "b", "reply": "x"}',
            "needs answer; got none at line 2",
        ),
        (
            '{"question": "Q", "model": "a", "answer": "\\ud800"}',
            "line 1 of .* must be Unicode; got half of a surrogate pair",
        ),
    ],
)
def test_records_that_differ_from_the_first_are_refused_by_line(tmp_path, rows, match):
    with pytest.raises(InputError, match=match):
        read_replies(written(tmp_path, rows, "r.jsonl"))


def test_the_chance_that_a_key_is_wrong_goes_along(tmp_path):
    head = HEADER.replace("key", "key,anchor_error")
    got = read_replies(written(tmp_path, head + "Q?,a,b,c,0.02\n"))
    assert got.items.numbers("anchor_error").tolist() == [0.02]
