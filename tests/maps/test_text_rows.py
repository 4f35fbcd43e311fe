"""Do the rows of a text loop say what happened, and fit the tables they are for?"""

import math
from types import SimpleNamespace

import pytest

from limitset.core.columns import as_column
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.loops import ORBIT_KINDS, loops_of
from limitset.core.streams import Streams
from limitset.instruments.dynamics import iterate
from limitset.maps import FiniteMap, WordCycles, loop_rows

RNG = Streams(0)
SWAP = WordCycles(cycles=(("Sydney", "Canberra"), ("a", "b", "c", "d", "e")))


def classified(text, item):
    """Canberra is right for "au", nothing checks "open", "x" is no answer."""
    if item == "open":
        return SimpleNamespace(end=text, right=None)
    return SimpleNamespace(end=None if text == "x" else text, right=text == "Canberra")


def rows_of(starts, items, **more):
    orbits = iterate(SWAP, starts, steps=3, rng=RNG)
    return loop_rows(orbits, items, system="m", loop="again", classify=classified, **more)


def test_ends_worked_by_hand():
    got = Ends.of_rows(rows_of(["Sydney", "x", "a", "z"], ["au", "mute", "long", "open"]).ends)
    assert got.texts("end").tolist() == ["Sydney", None, "d", "z"]
    assert got.texts("start").tolist() == ["Sydney", None, "a", "z"]
    assert got.texts("status").tolist() == ["settled", "settled", "undecided", "settled"]
    assert got.numbers("steps").tolist() == [0, 0, math.inf, 0]
    assert got.numbers("right").tolist()[:3] == [0, 0, 0]
    assert math.isnan(got.numbers("right")[3])
    assert got.texts("text").tolist() == ["Sydney", "x", "d", "z"]
    assert set(got.texts("level")) == {"text"}
    assert set(got.texts("loop")) == {"again"}
    assert (got.numbers("greedy") == 1).all()
    assert (got.numbers("temperature") == 0).all()


def test_orbits_hold_every_state():
    got = rows_of(["Sydney", "a"], ["au", "long"]).orbits
    assert [(row["item"], row["step"], row["period"], row["text"]) for row in got] == [
        ("au", 0, 2, "Sydney"),
        ("au", 1, 2, "Canberra"),
        ("au", 2, 2, "Sydney"),
        ("long", 0, 0, "a"),
        ("long", 1, 0, "b"),
        ("long", 2, 0, "c"),
        ("long", 3, 0, "d"),
    ]
    assert [row["right"] for row in got[:3]] == [0, 1, 0]
    assert set(got[0]) == set(ORBIT_KINDS)


def test_both_tables_join_again():
    rows = rows_of(["Sydney", "a", "x"], ["au", "long", "mute"])
    table = {
        name: as_column([row[name] for row in rows.orbits], kind, name=name, length=len(rows.orbits))
        for name, kind in ORBIT_KINDS.items()
    }
    loops = loops_of(Ends.of_rows(rows.ends), table)
    assert [loop.cycle for loop in loops] == [("Sydney", "Canberra"), (), ("x",)]
    assert [loop.right_start for loop in loops] == [0, 0, 0]


def test_what_is_known_of_the_system_goes_into_the_ends():
    row = rows_of(["a"], ["long"], family="f", runtime="torch", source="study").ends[0]
    assert (row["family"], row["runtime"], row["source"]) == ("f", "torch", "study")


def test_each_text_of_an_item_is_classified_once():
    seen = []

    def counting(text, item):
        seen.append((text, item))
        return classified(text, item)

    orbits = iterate(SWAP, ["Sydney", "Sydney"], steps=3, rng=RNG)
    loop_rows(orbits, ["au", "nz"], system="m", loop="again", classify=counting)
    assert sorted(seen) == [("Canberra", "au"), ("Canberra", "nz"), ("Sydney", "au"), ("Sydney", "nz")]


def test_orbits_of_numbers_are_refused():
    orbits = iterate(FiniteMap(images=(0,)), [0], steps=3, rng=RNG)
    with pytest.raises(InputError, match="must be of a text map and held; got level hidden"):
        loop_rows(orbits, ["q"], system="m", loop="again", classify=classified)


def test_orbits_that_were_not_held_are_refused():
    orbits = iterate(SWAP, ["a"], steps=3, rng=RNG, hold=False)
    with pytest.raises(InputError, match="got level text, not held"):
        loop_rows(orbits, ["q"], system="m", loop="again", classify=classified)


@pytest.mark.parametrize("items", [["q"], ["q", "q"]])
def test_items_must_fit_the_orbits(items):
    with pytest.raises(InputError, match="one orbit an item and each item once"):
        rows_of(["a", "b"], items)
