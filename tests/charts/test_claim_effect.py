import json

import pytest

from limitset.charts.claim_effect import (
    COLOURS,
    LINE,
    MARKS,
    ROW,
    WIDEST,
    claim_effect_chart,
    span_of,
    zones_of,
)
from limitset.charts.theme import DARK, NULL, RIGHT, WRONG
from limitset.core.bars import Bar


def effect(**changes):
    """A slope of 1.4 [1.2, 1.6] against bars at .1 and .5."""
    given = {
        "words": "slope",
        "value": 1.4,
        "low": 1.2,
        "high": 1.6,
        "n": 4,
        "shown": "1.4 [1.2, 1.6]",
        "verdict": "fails",
        "holds": Bar("below", (0.1,)),
        "fails": Bar("above", (0.5,)),
    }
    return given | changes


def _data(chart, key):
    text, found = chart.to_dict(), []

    def of(spec):
        for rows in spec.get("datasets", {}).values():
            found.extend(rows)
        found.extend(spec.get("data", {}).get("values", []))
        for layer in spec.get("layer", []):
            of(layer)

    of(text)
    unique = {json.dumps(row, sort_keys=True): row for row in found if key in row}
    return list(unique.values())


def test_axis_holds_every_number_and_every_bar_with_room():
    # numbers .1 to 1.6: a fifth of 1.5 on both sides
    assert span_of([effect()]) == pytest.approx((-0.2, 1.9))
    flat = effect(value=2.0, low=2.0, high=2.0, holds=Bar("above", (2.0,)), fails=Bar("below", (2.0,)))
    assert span_of([flat]) == (0.0, 4.0)


@pytest.mark.parametrize(
    ("bar", "zones"),
    [
        (Bar("above", (0.5,)), [(0.5, 2.0)]),
        (Bar("below", (0.5,)), [(-1.0, 0.5)]),
        (Bar("within", (-2.0, 0.5)), [(-1.0, 0.5)]),
        (Bar("outside", (0.0, 1.0)), [(-1.0, 0.0), (1.0, 2.0)]),
        (Bar("above", (3.0,)), []),
    ],
)
def test_zones(bar, zones):
    assert zones_of(bar, -1.0, 2.0) == zones


def test_interval_and_zones_share_one_scale():
    chart = claim_effect_chart([effect()])
    (row,) = _data(chart, "at")
    # (1.4 + .2) / 2.1, and the bars (.1 + .2) / 2.1 and (.5 + .2) / 2.1
    assert row["at"] == pytest.approx(1.6 / 2.1, abs=1e-4)
    zones = {zone["verdict"]: (zone["start"], zone["end"]) for zone in _data(chart, "centre")}
    assert zones["holds"] == pytest.approx((0, 0.3 / 2.1), abs=1e-4)
    assert zones["fails"] == pytest.approx((0.7 / 2.1, 1), abs=1e-4)
    assert row["side"] == "right"
    assert row["rule"] == "holds below 0.1, fails above 0.5"


def test_numbers_of_close_bars_lean_away_from_each_other():
    close = effect(holds=Bar("below", (0.45,)), low=-3.0)
    assert [
        (one["number"], one["side"])
        for one in _data(claim_effect_chart([close]), "number")
        if "label" in one and "under" in one
    ] == [
        ("0.45", "right"),
        ("0.5", "left"),
    ]


def test_ends_of_the_axis_are_told_in_the_unit_of_the_statistic():
    def told(**given):
        rows = _data(claim_effect_chart([effect(**given)]), "number")
        bars = [one["number"] for one in rows if "under" in one]
        return bars, [one["number"] for one in rows if "label" in one and "under" not in one]

    half = {
        "holds": Bar("above", (0.5,)),
        "fails": Bar("below", (0.5,)),
        "value": 0.91,
        "low": 0.85,
        "high": 0.97,
    }
    assert told(**half, unit="share") == (["50 %"], ["0 %", "100 %"])
    # from the bar at .5 to .97, a fifth of that free on both sides: .406 and 1.064; differences end at 100
    assert told(**half, unit="number") == (["0.5"], ["1.1"])
    assert told(**half, unit="points") == (["50"], ["100"])


def test_blank_value_has_no_mark_and_its_words():
    chart = claim_effect_chart([effect(value=None, low=None, high=None, shown="blank: too few")])
    (row,) = _data(chart, "at")
    assert (row["at"], row["from"], row["to"]) == (None, None, None)
    assert row["shown"] == "blank: too few"
    assert "NaN" not in json.dumps(chart.to_dict())


def test_verdicts_are_told_apart_by_colour_and_by_shape():
    assert COLOURS == {"holds": RIGHT, "fails": WRONG, "can't tell": NULL}
    assert len(set(MARKS.values())) == 3
    assert set(COLOURS.values()) <= set(DARK)


def test_one_row_a_statistic_and_hostile_words_are_shown():
    chart = claim_effect_chart([effect(), effect(words="a\u202eb")])
    assert chart.to_dict()["height"] == 2 * ROW
    assert [row["words"] for row in _data(chart, "at")] == [["slope"], ["a\\u202eb"]]


def test_long_words_take_more_lines_and_more_room():
    chart = claim_effect_chart([effect(words="word " * 60), effect()])
    first, second = _data(chart, "at")
    assert len(first["words"]) == 3
    assert first["words"][2].endswith("…")
    assert all(len(line) <= WIDEST for line in first["words"])
    assert chart.to_dict()["height"] == 2 * ROW + 2 * LINE
    # words of the next statistic begin below the bars of this one
    assert (
        max(end["label"] for end in _data(chart, "under") if end["label"] < second["title"]) + 14
        < second["title"]
    )


def test_nothing_measured():
    assert "Nothing was measured" in json.dumps(claim_effect_chart([]).to_dict())
