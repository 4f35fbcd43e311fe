import json

import pytest

from limitset.charts.claim_curve import CurveAxes, claim_curve_chart
from limitset.charts.verdict_history import MOST, ROW, verdict_history_chart
from limitset.core.bars import Bar


def run(**changes):
    """One run of a slope, here."""
    given = {
        "words": "slope",
        "when": "22 Nov 2026",
        "system": "10 seeds",
        "whose": "here",
        "value": 1.4,
        "low": 1.2,
        "high": 1.6,
        "shown": "1.4 [1.2, 1.6]",
        "verdict": "fails",
        "holds": Bar("below", (0.1,)),
        "fails": Bar("above", (0.5,)),
    }
    return given | changes


def _data(chart, key):
    found = []

    def of(spec):
        for rows in spec.get("datasets", {}).values():
            found.extend(rows)
        found.extend(spec.get("data", {}).get("values", []))
        for layer in spec.get("layer", []):
            of(layer)

    of(chart.to_dict())
    return list({json.dumps(row, sort_keys=True): row for row in found if key in row}.values())


def test_newest_on_top_with_its_words():
    chart = verdict_history_chart(
        [run(), run(when="1 May 2026", whose="yours", system="a\u202eb", verdict="holds")]
    )
    first, second = _data(chart, "label")
    assert first["label"] == "22 Nov 2026 · fails · here: 10 seeds"
    assert second["label"] == "1 May 2026 · holds · yours: a\\u202eb"
    assert first["line"] < second["title"] < second["line"] < 2


def test_sides_are_those_of_the_newest_run():
    chart = verdict_history_chart([run(), run(holds=Bar("below", (0.3,)), value=0.0, low=-0.4, high=0.2)])
    sides = {side["verdict"]: (side["start"], side["end"]) for side in _data(chart, "all")}
    # numbers -.4 to 1.6: .4 of room
    assert sides["holds"] == pytest.approx((-0.8, 0.1))
    assert sides["fails"] == pytest.approx((0.5, 2.0))


def test_only_the_newest_are_drawn():
    chart = verdict_history_chart([run()] * (MOST + 3))
    assert chart.to_dict()["height"] == ROW * MOST


def test_never_run():
    assert "Never run." in json.dumps(verdict_history_chart([]).to_dict())


def test_curve_over_numbers_has_bands_and_labels_at_the_ends():
    rows = [
        {"across": x, "line": line, "value": x / 10, "low": 0.0, "high": 1.0, "n": 5}
        for line in "ab"
        for x in (1, 2)
    ]
    axes = CurveAxes(across="gain", lines=("kind",), numeric=True)
    chart = claim_curve_chart(rows, axes, measured="share")
    assert [row["label"] for row in _data(chart, "label")] == ["a", "b"]
    assert "area" in json.dumps(chart.to_dict())
    alone = claim_curve_chart(rows[:2], axes, measured="share")
    assert _data(alone, "label") == []


def test_curve_over_names_has_rules_and_no_lines():
    rows = [
        {"across": x, "line": "", "value": 0.5, "low": 0.4, "high": None, "n": None} for x in ("a", "\u202eb")
    ]
    chart = claim_curve_chart(rows, CurveAxes(across="way", lines=(), numeric=False), measured="share")
    marks = {layer["mark"]["type"] for layer in chart.to_dict()["layer"]}
    assert marks == {"rule", "point"}
    assert {row["across"] for row in _data(chart, "across")} == {"a", "\\u202eb"}


def test_many_lines_are_drawn_alike():
    rows = [
        {"across": x, "line": str(i), "value": i, "low": None, "high": None, "n": 1}
        for i in range(9)
        for x in (1, 2)
    ]
    chart = claim_curve_chart(rows, CurveAxes(across="step", lines=("seed",), numeric=True), measured="loss")
    assert _data(chart, "label") == []


def test_blank_curve_says_so():
    blank = [{"across": 1, "line": "", "value": None, "low": None, "high": None, "n": 0}]
    axes = CurveAxes(across="k", lines=(), numeric=True)
    assert "blank" in json.dumps(claim_curve_chart(blank, axes, measured="x").to_dict())
