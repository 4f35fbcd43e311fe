"""Does the table of runs keep what it is given, and refuse what it cannot mean?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.columns import coded, first_duplicate
from limitset.core.ends import KINDS, Ends
from limitset.core.errors import InputError
from limitset.core.items import Items


def test_nothing_survives_the_file(tmp_path):
    ends = Ends.of(
        item=["q", "q", "r"],
        system="m",
        seed=[0, 1, 2],
        end=["a", None, "c"],
        right=[1, None, 0],
        steps=[np.inf, 2, np.nan],
        choice_probabilities=[[0.1, 0.9], None, []],
    )
    file = tmp_path / "ends.parquet"
    ends.write(file)
    back = Ends.read(file)
    assert back.texts("end").tolist() == ["a", None, "c"]
    assert np.isnan(back.numbers("right")[1])
    assert np.isinf(back.numbers("steps")[0])
    assert np.isnan(back.numbers("steps")[2])
    assert back.columns["choice_probabilities"].tolist() == [(0.1, 0.9), None, ()]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_half_a_file_is_refused_by_name(tmp_path):
    file = tmp_path / "ends.parquet"
    Ends.of(item=["q"], system="m", end=["a"]).write(file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"ends\.parquet must be a whole Parquet file"):
        Ends.read(file)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"item": ["q"], "system": "m"}, "got no end"),
        ({"item": ["q"], "system": "m", "end": ["a"], "typo": [1]}, "unknown column typo"),
        ({"item": ["q", "r"], "system": ["m"], "end": ["a", "b"]}, "item 2, system 1"),
        (
            {"item": ["q"], "system": "m", "end": ["a"], "right": [0.5]},
            r"right must be 1, 0 or nothing; got 0\.5",
        ),
        (
            {"item": ["q"], "system": "m", "end": ["a"], "status": ["fine"]},
            "status must be one of .* got fine",
        ),
        ({"item": ["q"], "system": "m", "end": ["a"], "level": ["deep"]}, "level must be one of .* got deep"),
        ({"item": ["q", "q"], "system": "m", "end": ["a", "b"]}, "rows 1 and 2"),
        ({"item": [None], "system": "m", "end": ["a"]}, "every run needs its item; got none in row 1"),
        ({"item": ["q"], "system": "m", "end": ["a"], "seed": ["x"]}, "column seed must hold numbers"),
    ],
)
def test_bad_columns_are_refused(columns, match):
    with pytest.raises(InputError, match=match):
        Ends.of(**columns)


def test_an_end_is_an_answer_unless_said_otherwise():
    ends = Ends.of(
        item=["q"] * 3, system="m", seed=[0, 1, 2], end=["a", None, None], status=[None, None, "unparsed"]
    )
    assert ends.texts("status").tolist() == ["answered", "abstained", "unparsed"]


def test_joined_parts_equal_the_whole():
    rows = [{"item": f"q{n % 5}", "system": f"m{n % 2}", "seed": n, "end": f"e{n % 3}"} for n in range(20)]
    whole = Ends.of_rows(rows)
    parts = Ends.joined([Ends.of_rows(rows[:7]), Ends.of_rows(rows[7:])])
    for name in ("item", "system", "end"):
        assert parts.texts(name).tolist() == whole.texts(name).tolist()
    assert parts.numbers("seed").tolist() == whole.numbers("seed").tolist()


def test_having_selects_and_an_unknown_value_selects_nothing():
    ends = Ends.of(item=["q", "r"], system=["m", "n"], end=["a", "b"])
    assert ends.having(system="n").texts("item").tolist() == ["r"]
    assert len(ends.having(system="nobody")) == 0


def test_columns_are_read_only():
    ends = Ends.of(item=["q"], system="m", end=["a"], seed=[1])
    with pytest.raises(ValueError, match="read-only"):
        ends.numbers("seed")[0] = 2


def test_frame_has_every_column():
    assert set(Ends.of(item=["q"], system="m", end=["a"]).to_frame().columns) == set(KINDS)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=30))
def test_coding_texts_loses_nothing(texts):
    assert coded(texts).decoded().tolist() == texts


def test_duplicates_count_nothing_as_equal():
    columns = {"a": coded(["x", None, None]), "b": np.array([1.0, np.nan, np.nan])}
    assert first_duplicate(columns) == (1, 2)


def test_items_know_what_checks_them(tmp_path):
    items = Items.of(item=["a", "b"], text=["?", "!"], accepted=[["x", "y"], None], anchor_error=[0.01, None])
    items.write(tmp_path / "i.parquet")
    back = Items.read(tmp_path / "i.parquet")
    assert back.accepted("a") == ("x", "y")
    assert back.accepted("b") == ()
    assert back.has_anchor().tolist() == [True, False]


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"item": ["a"]}, "Items needs item and text"),
        ({"item": ["a", "a"], "text": ["?", "?"]}, "a in rows 1 and 2"),
        ({"item": ["a"], "text": ["?"], "anchor_error": [1.5]}, r"a share in \[0, 1\]; got 1\.5"),
    ],
)
def test_bad_items_are_refused(columns, match):
    with pytest.raises(InputError, match=match):
        Items.of(**columns)


def test_unknown_item_is_refused():
    with pytest.raises(InputError, match="the item must be in the table; got z"):
        Items.of(item=["a"], text=["?"]).accepted("z")
