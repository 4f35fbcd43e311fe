"""Do the charts of the laboratory say what their rows say, at every width?"""

import json
import re

import pytest

from limitset.charts import theme
from limitset.charts.lab_curves import curves_chart, end_labels
from limitset.charts.phase import NARROW, phase_chart
from limitset.report.export import save_chart

GOOD, BAD, NEITHER = "settles and is right", "settles and is wrong", "neither settles nor is right"


def half_cells(**more):
    """Two rows by two columns; the last cell has no anchor."""
    shares = {("none", "added"): (0.0, 0.031), ("none", "start"): (0.21, 1.0), ("post", "added"): (1.0, 0.04)}
    shares["post", "start"] = (0.995, None)
    return [
        {
            "row": f"{row}, gain 1",
            "column": column,
            "settled": settled,
            "settled_shown": f"{100 * settled:.1f} % [0, 100]",
            "right": right,
            "right_shown": "blank" if right is None else f"{100 * right:.1f} % [0, 100]",
            "decision": "so",
            **more,
        }
        for (row, column), (settled, right) in shares.items()
    ]


def layers_of(chart):
    return chart.to_dict()["layer"]


def rows_of(chart, key="half"):
    """Every row of data that has this key, whichever layer it belongs to."""

    def of(spec):
        named = [row for rows in spec.get("datasets", {}).values() for row in rows]
        own = spec.get("data", {}).get("values", [])
        return named + own + [row for layer in spec.get("layer", []) for row in of(layer)]

    return [row for row in of(chart.to_dict()) if key in row]


def drawn(chart, width, tmp_path):
    """Texts of the chart as drawn at this width."""
    path = tmp_path / "chart.svg"
    save_chart(chart, path, width=width)
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_each_cell_has_its_two_halves_in_order():
    rows = rows_of(phase_chart(half_cells()))
    assert [row["half"] for row in rows] == ["settled", "right"] * 4
    assert [row["label"] for row in rows] == [
        "0 %",
        "3 %",
        "21 %",
        "100 %",
        "100 %",
        "4 %",
        "100 %",
        "no anchor",
    ]
    # the interval is in the words that hovering shows
    assert all("[" in row["shown"] for row in rows if row["value"] is not None)


def test_wide_cells_have_words_and_narrow_ones_numbers_only(tmp_path):
    cells = half_cells()
    wide = drawn(phase_chart(cells), 760, tmp_path)
    assert wide.count("settled") == 4
    assert wide.count("100 %") == 3
    # four half cells of fewer than NARROW pixels each
    narrow = drawn(phase_chart(cells), 2 * NARROW + 90, tmp_path)
    assert "settled" not in narrow
    assert "100 %" not in narrow
    assert narrow.count("100") == 3
    assert "left half: settled, right half: right (%)" in narrow


def test_the_right_half_can_show_something_else():
    rows = rows_of(phase_chart(half_cells(), right_word="one place"))
    assert {row["half"] for row in rows} == {"settled", "one place"}


def test_hostile_names_are_shown_and_not_obeyed():
    rows = rows_of(phase_chart(half_cells(decision="a\u202eb")))
    assert {row["decision"] for row in rows} == {r"a\u202eb"}


def curve(cell, end, verdict, *, interval=True):
    return [
        {
            "cell": cell,
            "short": cell[:3],
            "step": step,
            "right": end * step / 20,
            "low": max(0.0, end * step / 20 - 0.1) if interval else None,
            "high": min(1.0, end * step / 20 + 0.1) if interval else None,
            "shown": "x",
            "verdict": verdict,
        }
        for step in range(21)
    ]


def curves(*told, **more):
    return [row for one in told for row in curve(*one, **more)]


FIVE = (
    ("one", 1.0, GOOD),
    ("two", 0.99, GOOD),
    ("three", 0.98, GOOD),
    ("four", 0.2, BAD),
    ("five", 0.97, NEITHER),
)


def test_cells_that_end_together_share_a_label_and_others_are_named():
    last = [{**row, "place": 1 + row["step"]} for row in curves(*FIVE)]
    labels = {one["label"]: one for one in end_labels(last)}
    assert set(labels) == {"3 cells: settle and are right", "four", "five"}
    assert labels["3 cells: settle and are right"]["ink"] == theme.RIGHT
    assert labels["four"]["ink"] == theme.WRONG
    # a cell of another verdict at the same height has its own label, 13 pixels of 360 away
    heights = sorted(one["height"] for one in labels.values())
    assert heights[2] - heights[1] == pytest.approx(13 / 360, abs=1e-3)


def test_two_cells_are_named_even_where_they_end_together():
    last = [{**row, "place": 1 + row["step"]} for row in curves(*FIVE[:2])]
    assert [one["label"] for one in end_labels(last)] == ["one", "two"]


def test_curves_have_bands_names_and_the_trained_steps(tmp_path):
    chart = curves_chart(curves(*FIVE), usual=15)
    kinds = [layer["mark"]["type"] for layer in layers_of(chart)]
    assert kinds == ["area", "line", "point", "rule", "text", "text"]
    told = drawn(chart, 760, tmp_path)
    assert {"trained with 15", "3 cells: settle and are right", "four"} <= set(told)
    moved = rows_of(curves_chart(curves(*FIVE), usual=7), "y")
    assert {(row["place"], row["label"]) for row in moved} == {(8, "trained with 7")}


def test_many_bands_are_fainter_than_few():
    def shade(*cells):
        return layers_of(curves_chart(curves(*cells), usual=15))[0]["mark"]["opacity"]

    many = [(f"cell {place}", place / 20, NEITHER) for place in range(16)]
    assert shade(*many) < shade(*FIVE[:2])


def test_without_intervals_and_without_rows_there_is_still_a_chart():
    assert "NaN" not in json.dumps(curves_chart(curves(*FIVE, interval=False), usual=15).to_dict())
    assert "No net was trained." in json.dumps(curves_chart([], usual=15).to_dict())
    assert "No cell is finished." in json.dumps(phase_chart([]).to_dict())
