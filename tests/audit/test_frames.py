"""Does a data frame give what the same rows in a file give?"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars
import pytest

import limitset
from limitset.core.columns import plain
from limitset.core.errors import InputError
from limitset.logs.frame_replies import FrameTable, content_digest
from limitset.logs.replies import read_replies, replies_of

PANEL = Path(__file__).parents[2] / "examples" / "panel.csv"


def frame():
    return polars.read_csv(PANEL)


def of_kind(kind):
    """Return the sample panel as another library holds it."""
    if kind == "polars":
        return frame()
    if kind == "pandas":
        import pandas

        return pandas.read_csv(PANEL)
    from pyarrow import csv

    return csv.read_csv(PANEL)


KINDS = [
    pytest.param(kind, marks=pytest.mark.skipif(not find_spec(kind), reason=f"{kind} is no dependency"))
    for kind in ("polars", "pandas", "pyarrow")
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_is_read_like_its_file(kind):
    got, want = replies_of(FrameTable(of_kind(kind))), read_replies(PANEL)
    assert got.columns == want.columns
    for name, column in want.ends.columns.items():
        if name == "source":
            continue
        have, wanted = plain(got.ends.columns[name]), plain(column)
        same = (
            (have == wanted).all() if wanted.dtype == object else np.array_equal(have, wanted, equal_nan=True)
        )
        assert same, name
    for name in set(want.items.columns) - {"anchor"}:
        assert plain(got.items.columns[name]).tolist() == plain(
            want.items.columns[name]
        ).tolist() or name in ("anchor_error",)


def test_an_audit_of_a_frame_gives_the_numbers_of_its_file(tmp_path):
    first = frame().filter(polars.col("question").is_in(frame()["question"].unique(maintain_order=True)[:12]))
    first.write_csv(tmp_path / "r.csv")
    got = limitset.audit(first, out=tmp_path / "a")
    want = limitset.audit(tmp_path / "r.csv", out=tmp_path / "b")
    assert repr(got.summary()["numbers"]) == repr(want.summary()["numbers"])
    assert got.page.headline == want.page.headline
    rates = got.tables["outcomes"]
    assert rates.one(system="all", stratum="all", outcome="right").n == 12
    assert "encoding" in rates.plot().to_dict() or "layer" in rates.plot().to_dict()


def test_lists_numbers_and_nothing_come_through():
    rows = polars.DataFrame(
        {
            "question": ["Q?", "Q?", "R?"],
            "model": [1, 2, 1],
            "answer": ["one", None, "two"],
            "key": [["1", "one"], ["1", "one"], ["2", "two"]],
            "confidence": [0.5, None, float("nan")],
        }
    )
    got = replies_of(FrameTable(rows))
    assert got.ends.texts("system").tolist() == ["1", "2", "1"]
    assert got.items.accepted(got.items.texts("item")[1]) == ("2", "two")
    np.testing.assert_array_equal(got.ends.numbers("confidence"), [0.5, np.nan, np.nan])
    assert got.ends.texts("status").tolist()[1] != "answered"


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (
            polars.DataFrame({"question": ["Q?"], "model": ["a"]}),
            "the frame must have the columns .* no answer",
        ),
        (
            polars.DataFrame({"question": ["Q?", None], "model": "a", "answer": "x"}),
            "every row of the frame needs its question; got none at row 2",
        ),
        (polars.DataFrame({"question": [], "model": [], "answer": []}), "at least one row"),
        (polars.LazyFrame({"question": ["Q?"]}), "got LazyFrame. Collect a lazy frame first"),
        ({"question": ["Q?"]}, "pandas, polars or Arrow table; got dict"),
    ],
)
def test_bad_frames_are_refused(rows, match, tmp_path):
    with pytest.raises(InputError, match=match):
        limitset.audit(rows, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_columns_of_a_frame_may_be_mapped(tmp_path):
    rows = polars.DataFrame({"frage": ["1+1?"] * 4, "wer": list("abab"), "was": list("2322")})
    names = {"question": "frage", "model": "wer", "answer": "was"}
    done = limitset.audit(rows, names=names, out=tmp_path / "out")
    assert done.page.headline


def test_the_hash_is_that_of_the_content():
    one, same = (content_digest(replies_of(FrameTable(frame()))) for _ in range(2))
    other = content_digest(replies_of(FrameTable(frame().head(900))))
    assert one == same
    assert one != other
