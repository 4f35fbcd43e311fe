"""Does a bar judge the whole interval, and nothing less?"""

import math

import pytest

from limitset.core.bars import Bar, decided
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.verdicts import Verdict

NAN = math.nan


def measured(value, low=NAN, high=NAN):
    return Measurement(
        instrument="x", version=1, level=Level.WEIGHTS, value=value, low=low, high=high, n=9,
        blank_reason="none" if math.isnan(value) else "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bar", "inside", "astride", "outside"),
    [
        (Bar("above", (0.5,)), (0.51, 0.9), (0.49, 0.9), (0.1, 0.5)),
        (Bar("below", (0.5,)), (0.1, 0.49), (0.1, 0.51), (0.5, 0.9)),
        (Bar("within", (0.2, 0.8)), (0.3, 0.7), (0.1, 0.7), (0.9, 1.0)),
        (Bar("outside", (0.2, 0.8)), (0.81, 1.0), (0.7, 1.0), (0.3, 0.7)),
        (Bar("outside", (0.2, 0.8)), (0.0, 0.19), (0.1, 0.9), (0.2, 0.8)),
    ],
)
def test_a_whole_interval_lies_on_a_side_or_it_does_not(bar, inside, astride, outside):
    assert bar.holds(*inside)
    assert not bar.holds(*astride)
    assert not bar.holds(*outside)


def test_the_end_itself_is_not_passed():
    assert not Bar("above", (0.5,)).holds(0.5, 0.9)
    assert not Bar("below", (0.5,)).holds(0.1, 0.5)
    assert not Bar("within", (0.2, 0.8)).holds(0.2, 0.7)
    assert not Bar("within", (0.2, 0.8)).holds(0.3, 0.8)
    assert not Bar("outside", (0.2, 0.8)).holds(0.8, 0.9)
    assert not Bar("outside", (0.2, 0.8)).holds(0.1, 0.2)


def test_without_an_interval_nothing_holds():
    for kind, ends in (("above", (0.0,)), ("outside", (0.0, 1.0))):
        assert not Bar(kind, ends).holds(NAN, NAN)
        assert not Bar(kind, ends).holds(5, NAN)


@pytest.mark.parametrize(
    ("kind", "ends", "says"),
    [
        ("over", (1.0,), "a bar is above"),
        ("above", (1.0, 2.0), "a bar is above"),
        ("within", (1.0,), "a bar is above"),
        ("above", (NAN,), "a bar is above"),
        ("within", (2.0, 1.0), "low < high"),
        ("within", (1.0, 1.0), "low < high"),
    ],
)
def test_what_is_no_bar_is_refused(kind, ends, says):
    with pytest.raises(InputError, match=says):
        Bar(kind, ends)


def test_the_distance_is_to_the_nearest_end():
    assert Bar("within", (0.25, 1.0)).distance(0.5) == 0.25
    assert Bar("above", (0.5,)).distance(2.0) == 1.5


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        (("above", (0.5,)), ("below", (0.5,)), False),
        (("above", (0.5,)), ("below", (0.6,)), True),
        (("above", (0.5,)), ("below", (0.4,)), False),
        (("above", (0.5,)), ("above", (0.9,)), True),
        (("within", (0.0, 1.0)), ("outside", (0.0, 1.0)), False),
        (("within", (0.0, 1.0)), ("outside", (0.0, 0.9)), True),
        (("within", (0.0, 1.0)), ("within", (1.0, 2.0)), False),
        (("within", (0.0, 1.0)), ("within", (0.5, 2.0)), True),
        (("within", (0.0, 1.0)), ("above", (1.0,)), False),
        (("outside", (0.0, 1.0)), ("below", (0.0,)), True),
    ],
)
def test_bars_overlap_when_an_interval_can_lie_on_both_sides(first, second, overlap):
    assert Bar(*first).overlaps(Bar(*second)) is overlap
    assert Bar(*second).overlaps(Bar(*first)) is overlap


def test_a_bar_in_words():
    assert [str(Bar("above", (0.5,))), str(Bar("outside", (0.75, 1.25)))] == [
        "above 0.5",
        "not between 0.75 and 1.25",
    ]


BARS = {"holds_if": Bar("above", (0.5,)), "fails_if": Bar("below", (0.4,))}


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ((0.7, 0.6, 0.8), Verdict.HOLDS),
        ((0.2, 0.1, 0.3), Verdict.FAILS),
        ((0.55, 0.45, 0.65), Verdict.CANT_TELL),
        ((0.45, 0.41, 0.49), Verdict.CANT_TELL),  # between the bars
        ((0.7,), Verdict.CANT_TELL),  # no interval, whatever the value
        ((NAN,), Verdict.CANT_TELL),
    ],
)
def test_a_number_is_judged_by_its_interval(numbers, verdict):
    assert decided(measured(*numbers), **BARS) is verdict


def test_bars_on_both_sides_of_an_interval_are_refused():
    with pytest.raises(InputError, match="must not overlap"):
        decided(measured(0.7, 0.6, 0.8), holds_if=Bar("above", (0.5,)), fails_if=Bar("below", (0.9,)))
