"""Are columns beyond the old ones read, are mistakes named in order, and is a row no Python value?"""

import json
import tracemalloc

import duckdb
import numpy as np
import pytest

from limitset.core.columns import is_constant
from limitset.core.errors import InputError
from limitset.core.tallies import tallied
from limitset.logs import verdicts
from limitset.logs.columnar import open_table
from limitset.logs.replies import read_replies


def written(tmp_path, text, name="r.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_verdict_of_the_log_needs_no_key(tmp_path):
    rows = "Q?,a,Lima,1\nQ?,b,Cusco,0\nQ?,c,Lima,true\nQ?,d,cusco!,FALSE\nQ?,e,Quito,\n"
    got = read_replies(written(tmp_path, "question,model,answer,right\n" + rows))
    assert got.ends.texts("end").tolist() == ["Lima", "Cusco", "Lima", "Cusco", "Quito"]
    np.testing.assert_array_equal(got.ends.numbers("right"), [1, 0, 1, 0, np.nan])
    assert got.items.rows()[0]["anchor"] == "verdicts of r.csv"
    assert got.items.has_anchor().tolist() == [True]


def test_a_verdict_decides_where_there_is_a_key(tmp_path):
    rows = "Q?,a,It is Lima.,Lima,0\nQ?,b,the big one,Lima,1\nQ?,c,Cusco,Lima,0\nQ?,d,Lima,Lima,\n"
    got = read_replies(written(tmp_path, "question,model,answer,key,right\n" + rows))
    assert got.ends.texts("end").tolist() == ["Lima (scored wrong)", "Lima", "Cusco", "Lima"]
    assert got.ends.numbers("right").tolist() == [0, 1, 0, 1]
    assert "1 × answer that the log calls wrong" in got.notes[-1]
    tallied(got.ends, got.items).require_anchor()  # no class is right in one run and wrong in another


def test_an_answer_called_both_right_and_wrong_is_two_classes(tmp_path):
    rows = "Q?,a,Lima,1\nQ?,b,Lima,0\nQ?,c,Lima,0\nP?,a,Lima,0\n"
    got = read_replies(written(tmp_path, "question,model,answer,right\n" + rows))
    wrong = f"Lima{verdicts.SCORED_WRONG}"
    assert got.ends.texts("end").tolist() == ["Lima", wrong, wrong, "Lima"]
    assert got.notes[-1].startswith("2 × answer")


def test_scores_alone_are_answers_and_keys_are_numbers(tmp_path):
    rows = "Q?,a,7,7.0\nQ?,b,6.5,7.0\nQ?,c,,7.0\n"
    got = read_replies(written(tmp_path, "question,judge,rating,key\n" + rows))
    assert got.ends.texts("end").tolist() == ["7", "6.5", None]
    np.testing.assert_array_equal(got.ends.numbers("score"), [7, 6.5, np.nan])
    assert got.ends.numbers("right").tolist() == [1, 0, 0]
    assert got.ends.texts("status").tolist() == ["answered", "answered", "abstained"]


def test_a_score_beside_an_answer_is_kept(tmp_path):
    got = read_replies(written(tmp_path, "question,model,answer,score\nQ?,a,yes,4\nQ?,b,no,\n"))
    assert got.ends.texts("end").tolist() == ["Yes", "No"]
    np.testing.assert_array_equal(got.ends.numbers("score"), [4, np.nan])


def test_the_key_of_a_score_is_a_number(tmp_path):
    with pytest.raises(InputError, match="key of a score must be a number; got 'good'"):
        read_replies(written(tmp_path, "question,judge,score,key\nQ?,a,7,good\n"))


def test_clusters_twins_and_log_probabilities_go_along(tmp_path):
    rows = "1,Q?,a,x,p1,,-0.5\n2,Q now?,a,x,p1,1,-2\n"
    got = read_replies(written(tmp_path, "id,question,model,answer,passage,original,logprob\n" + rows))
    assert got.items.texts("cluster").tolist() == ["p1", "p1"]
    assert got.items.texts("twin").tolist() == [None, "1"]
    assert got.ends.numbers("logprob").tolist() == [-0.5, -2]
    assert tallied(got.ends, got.items).clusters.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        # the mistake that comes first is told, whatever its kind
        ("Q?,,x,y,1\nQ?,a,x,,1\n", "needs its model; got none at line 2"),
        ("Q?,a,x,,1\nQ?,,x,y,1\n", "needs its key.* got none at line 2"),
        ("Q?,a,x,y,1\n,a,x,y,1\nQ?,a,x,y,z\n", "needs its question; got none at line 3"),
        ("Q?,a,x,y,1\nQ?,a,x,y,z\n,a,x,y,1\n", "seed in .* must be a number; got 'z' at line 3"),
        ('"Q\n?",a,x,y,1\nR?,a,x,y,one\n', "got 'one' at line 4"),
    ],
)
def test_the_first_mistake_is_named_with_its_line(tmp_path, rows, match):
    with pytest.raises(InputError, match=match):
        read_replies(written(tmp_path, "question,model,answer,key,seed\n" + rows))


def test_a_verdict_is_one_or_nothing(tmp_path):
    with pytest.raises(InputError, match=r"right in .* must be 1, 0, true or false; got '0\.5' at line 3"):
        read_replies(written(tmp_path, "question,model,answer,right\nQ?,a,x,1\nQ?,b,x,0.5\n"))


def test_two_rows_of_one_run_without_seeds_are_two_runs(tmp_path):
    got = read_replies(written(tmp_path, "question,model,answer\nQ?,a,x\nQ?,b,x\nQ?,a,y\n"))
    assert got.ends.numbers("seed").tolist() == [0, 0, 1]
    assert "separate runs" in got.notes[0]


def test_json_cells_keep_their_kind(tmp_path):
    rows = [
        {"question": "Q?", "model": 1, "answer": 1, "key": ["1", "one"]},
        {"question": "Q?", "model": "1", "answer": True, "key": ["1", "one"]},
        {"question": "Q?", "model": "b", "answer": 1.0, "key": ["1", "one"], "seed": 3},
    ]
    got = read_replies(written(tmp_path, "\n".join(map(json.dumps, rows)), "r.jsonl"))
    assert got.ends.texts("system").tolist() == ["1", "1", "b"]
    assert got.ends.texts("text").tolist() == ["1", "True", "1.0"]
    assert got.ends.numbers("seed").tolist() == [0, 1, 3]
    assert got.items.accepted(got.items.texts("item")[0]) == ("1", "one")


def parquet_log(path, rows):
    duckdb.connect().execute(
        f"COPY (SELECT 'q' || (i // 40) AS question_id, 'm' || (i // 4 % 10) AS model, i % 4 AS seed, "
        f"chr((65 + (i * 7919) % 3)::INTEGER) AS answer, 'A' AS key, DATE '2026-01-01' AS day, "
        f"NULL AS temperature FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)"
    )
    return path


def test_parquet_is_read_like_the_same_rows_in_csv(tmp_path):
    table = parquet_log(tmp_path / "r.parquet", 4_000)
    duckdb.connect().execute(f"COPY (FROM '{table}') TO '{tmp_path / 'r.csv'}'")
    one, other = read_replies(table), read_replies(tmp_path / "r.csv")
    assert one.columns == other.columns
    for name in ("item", "system", "end", "text", "status"):
        assert one.ends.texts(name).tolist() == other.ends.texts(name).tolist(), name
    for name in ("seed", "right", "temperature"):
        np.testing.assert_array_equal(one.ends.numbers(name), other.ends.numbers(name))


def test_cells_of_other_types_are_texts(tmp_path):
    cells = open_table(parquet_log(tmp_path / "r.parquet", 40)).cells("day")
    assert [str(value) for value in cells.values] == ["2026-01-01"]
    assert cells.codes.tolist() == [0] * 40


def test_a_row_of_parquet_is_no_python_value(tmp_path):
    table = parquet_log(tmp_path / "r.parquet", 400_000)
    tracemalloc.start()
    got = read_replies(table)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(got.ends) == 400_000
    # 400,000 dictionaries of seven cells would be some 200 MB
    assert most < 60e6
    for name in ("paraphrase", "anchor", "runtime"):
        assert is_constant(got.ends.coded(name).codes)
    assert is_constant(got.ends.numbers("temperature"))
