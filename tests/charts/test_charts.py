import importlib.util
import itertools
import json
import math
import sys
from pathlib import Path

import altair as alt
import numpy as np
import pytest

from limitset import charts
from limitset.charts import theme
from limitset.charts.shown import percent, rows_of
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.report.export import save_chart

_spec = importlib.util.spec_from_file_location(
    "planted_tables", Path(__file__).parents[1] / "report" / "conftest.py"
)
planted = importlib.util.module_from_spec(_spec)
sys.modules["planted_tables"] = planted
_spec.loader.exec_module(planted)


def _rows(chart, key):
    """Every row of data that has this key, whichever layer it belongs to."""

    def of(spec):
        found = list(spec.get("datasets", {}).values())
        found += [spec["data"]["values"]] if "values" in spec.get("data", {}) else []
        for layer in spec.get("layer", []):
            found.extend(of(layer))
        return found

    return [row for rows in of(chart.to_dict()) for row in rows if key in row]


def _layers(spec):
    return [one for layer in spec["layer"] for one in _layers(layer)] if "layer" in spec else [spec]


ALL = {
    "survival": planted.curve_table,
    "agreed": lambda: planted.agreed_tables()[0],
    "unanimity": lambda: planted.unanimity_tables()[0],
    "pairs": planted.pairs_table,
    "matrix": lambda: planted.pairs_table(("a", "bb", "ccc", "dddd", "eeeee")),
    "outcomes": planted.outcomes_table,
}


@pytest.mark.parametrize("name", ALL)
def test_every_table_has_its_chart_and_it_is_valid(name, tmp_path):
    chart = charts.chart_of(ALL[name]())
    spec = chart.to_dict()  # altair validates against the schema
    assert spec["width"] == "container"
    assert "NaN" not in json.dumps(spec)
    save_chart(chart, tmp_path / "chart.svg")
    svg = (tmp_path / "chart.svg").read_text()
    assert svg.startswith("<svg")
    assert "NaN" not in svg


def test_tables_without_a_chart_say_which_have_one():
    table = MeasurementTable(
        instrument="x", version=1, level=Level.ANSWER, axes={"odd": np.array([1])}, value=np.array([1.0])
    )
    with pytest.raises(InputError, match=r"charts exist for tables with the axes .* got odd"):
        charts.chart_of(table)


def test_table_plots_itself():
    assert isinstance(planted.curve_table().plot(), alt.LayerChart)


def test_share_axes_start_at_zero_and_hold_all_intervals():
    chart = charts.survival_chart(planted.curve_table()).to_dict()
    domains = [
        layer["encoding"]["y"]["scale"]["domain"]
        for layer in chart["layer"]
        if "scale" in layer.get("encoding", {}).get("y", {})
    ]
    assert domains
    for low, high in domains:
        assert low == 0
        assert 0.78 <= high <= 1


def test_survival_draws_the_wanted_system_only():
    table = planted.curve_table()
    assert {row["system"] for row in _rows(charts.survival_chart(table), "system")} == {"all"}
    assert "no point can be given" in json.dumps(charts.survival_chart(table, system="nobody").to_dict())


def test_blank_points_are_drawn_as_bounds_never_as_zero():
    rows = _rows(charts.unanimity_chart(*planted.unanimity_tables()), "source")
    blank = [row for row in rows if row["source"] == "seed" and row["k"] == 8]
    assert blank
    assert {row["value"] for row in blank} == {None}
    assert {row["high"] for row in blank} == {0.4}


def _one_stratum(*bounds):
    rows = [
        ("lure", threshold, math.nan, low, high, 9.0, "", "fewer than 5")
        for threshold, (low, high) in zip((0.25, 0.5, 0.75, 1.0), bounds, strict=False)
    ]
    return planted.table("wrong_when_agreed", ("stratum", "threshold"), rows)


def test_bounds_point_the_way_that_the_value_may_lie():
    rates = _one_stratum((0.0, 0.3), (0.72, 1.0), (0.0, 0.6), (0.05, 1.0))
    chart = charts.agreed_chart(rates)
    drawn = {(row["points"], row["bound"]) for row in _rows(chart, "points")}
    assert drawn == {("down", 0.3), ("up", 0.72)}  # the other two say too little
    heads = [layer for layer in _layers(chart.to_dict()) if "triangle" in str(layer["mark"].get("shape"))]
    assert [layer["mark"]["shape"] for layer in heads] == ["triangle-down", "triangle-up"]
    assert not any("shape" in layer["encoding"] for layer in heads)  # it would share the strata's scale
    assert {(row["points"], row["end"]) for row in _rows(chart, "end")} == {("down", 0), ("up", 1)}
    # a stratum of bounds alone is named at its last bound, which the axis holds
    assert "lure at least 72 %" in {row["label"] for row in _rows(chart, "label")}
    only_up = _layers(charts.agreed_chart(_one_stratum((0.72, 1.0))).to_dict())
    assert "triangle-down" not in {layer["mark"].get("shape") for layer in only_up}


def test_unanimity_draws_lower_bounds_too():
    rows = [("seed", k, math.nan, 0.6, 1.0, 9.0, "", "fewer than 5") for k in (1, 2)]
    chart = charts.unanimity_chart(planted.table("u", ("source", "k"), rows))
    assert {(row["points"], row["bound"]) for row in _rows(chart, "points")} == {("up", 0.6)}
    assert "triangle-up" in json.dumps(chart.to_dict())


def test_null_boxes_keep_difficulty_and_bracket_both_estimates():
    boxes = _rows(charts.unanimity_chart(*planted.unanimity_tables()), "upper")
    two = next(box for box in boxes if box["place"] == "seed|2")
    # planted: cross fitted 0.03 + 0.43 / 4, plug in 0.08 + 0.43 / 2
    assert (two["lower"], two["upper"]) == (pytest.approx(0.1375), pytest.approx(0.295))


def test_coverage_sets_the_area_of_the_marks():
    rates, coverage = planted.agreed_tables()
    rows = _rows(charts.agreed_chart(rates, coverage), "coverage")
    assert {round(row["coverage"], 2) for row in rows} >= {1.0, 0.28}
    alone = _rows(charts.agreed_chart(rates), "coverage")
    assert {row["coverage"] for row in alone} == {0.2}


def test_agreed_axis_words_are_the_callers():
    text = json.dumps(charts.agreed_chart(planted.agreed_tables()[1], words="so many agree").to_dict())
    assert "so many agree" in text


def test_few_systems_are_rows_many_a_matrix():
    few = charts.sharing_chart(planted.pairs_table()).to_dict()
    many = charts.sharing_chart(ALL["matrix"]()).to_dict()
    marks = [[layer["mark"]["type"] for layer in spec["layer"]] for spec in (few, many)]
    assert "rect" not in marks[0]
    assert "rect" in marks[1]


def test_matrix_is_symmetric_and_ordered_by_likeness():
    cells = _rows(charts.sharing_chart(ALL["matrix"]()), "across")
    value = {(cell["across"], cell["down"]): cell["value"] for cell in cells}
    assert len(value) == 20
    assert all(value[(a, b)] == value[(b, a)] for a, b in value)


def test_panel_null_is_a_box_beside_each_pair():
    panel = planted.table(
        "same_wrong.panel",
        ("statistic",),
        [
            ("same_wrong", 0.1, 0.05, 0.15, 60.0, "popularity", ""),
            ("same_wrong", 0.2, 0.1, 0.3, 60.0, "popularity_plug_in", ""),
        ],
    )
    boxes = _rows(charts.sharing_chart(planted.pairs_table(), panel), "lower")
    popular = [box for box in boxes if box["what"] == "popular wrong answers"]
    assert popular
    assert popular[0]["lower"] <= 0.1
    assert popular[0]["upper"] >= 0.2


def test_stacked_parts_fill_the_bar_in_order():
    bars = _rows(charts.outcomes_chart(planted.outcomes_table()), "from")
    first = [row for row in bars if row["bar"] == bars[0]["bar"]][:4]
    assert [row["part"] for row in first] == ["right", "wrong", "abstained", "unparsed"]
    assert first[0]["from"] == 0
    assert first[-1]["to"] == pytest.approx(1)
    assert all(a["to"] == b["from"] for a, b in itertools.pairwise(first))


def test_many_bars_keep_the_whole_only():
    rows = [
        (f"m{m}", s, o, 0.5, 0.4, 0.6, 9.0)
        for m in range(7)
        for s in ("x", "y", "all")
        for o in ("right", "wrong")
    ]
    bars = _rows(
        charts.outcomes_chart(planted.table("outcomes", ("system", "stratum", "outcome"), rows)), "from"
    )
    assert {row["stratum"] for row in bars} == {"all"}


def test_loops_chart_names_system_and_instruction():
    rows = [
        ("m", "again", part, share, 0.0, 1.0, 20.0)
        for part, share in (("settled, right", 0.3), ("settled, wrong", 0.5), ("not settled", 0.2))
    ]
    bars = _rows(
        charts.chart_of(planted.table("loop_outcomes", ("system", "loop", "outcome"), rows)), "from"
    )[:3]
    assert {row["bar"] for row in bars} == {"m: again"}
    assert [row["label"] for row in bars] == ["30 %", "50 %", "20 %"]


def test_twins_are_relative_to_the_largest_and_labelled_with_the_value(tmp_path):
    scores = [
        {"score": "flatness", "group": "true labels", "value": 0.0126},
        {"score": "flatness", "group": "false twin", "value": 0.0131, "low": 0.012, "high": 0.014},
        {"score": "accuracy", "group": "true labels", "value": 0.93},
        {"score": "accuracy", "group": "false twin", "value": 0.003},
    ]
    chart = charts.twins_chart(scores)
    rows = _rows(chart, "relative")[:4]
    assert [row["relative"] for row in rows] == pytest.approx([0.0126 / 0.0131, 1, 1, 0.003 / 0.93])
    assert rows[1]["label"] == "0.0131 [0.0120, 0.0140]"
    save_chart(chart, tmp_path / "twins.png")
    assert (tmp_path / "twins.png").read_bytes().startswith(b"\x89PNG")


def test_export_width_and_scale_move_the_file(tmp_path):
    chart = charts.survival_chart(planted.curve_table())
    save_chart(chart, tmp_path / "a.svg", width=400)
    save_chart(chart, tmp_path / "b.svg", width=800)
    assert 'width="400"' in (tmp_path / "a.svg").read_text()
    assert 'width="800"' in (tmp_path / "b.svg").read_text()
    save_chart(chart, tmp_path / "a.png", scale=1)
    save_chart(chart, tmp_path / "b.png", scale=2)
    assert (tmp_path / "b.png").stat().st_size > (tmp_path / "a.png").stat().st_size
    with pytest.raises(InputError, match=r"must end in .png or .svg; got a.gif"):
        save_chart(chart, tmp_path / "a.gif")


def _contrast(first, second):
    def light(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        return float(
            np.dot(
                [0.2126, 0.7152, 0.0722],
                [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts],
            )
        )

    pair = sorted((light(first), light(second)), reverse=True)
    return (pair[0] + 0.05) / (pair[1] + 0.05)


def test_colours_keep_their_contrast_on_both_papers():
    quiet = {theme.GRID, theme.PAPER, theme.ON_COLOUR, theme.UNPARSED}
    for light, dark in theme.DARK.items():
        if light in quiet:
            continue
        # words need 4.5, marks 3 (WCAG 1.4.3 and 1.4.11)
        least = 3 if light in {theme.ABSTAINED, theme.NULL} else 4.5
        assert _contrast(light, "#ffffff") >= least, light
        assert _contrast(dark, "#15181c") >= least, dark
    for part in (theme.RIGHT, theme.WRONG):
        assert _contrast(theme.ON_COLOUR, part) >= 4.4
        assert _contrast(theme.DARK[theme.ON_COLOUR], theme.DARK[part]) >= 4.5


def test_every_colour_of_every_chart_has_a_dark_partner():
    import re

    for make in ALL.values():
        used = set(re.findall(r"#[0-9a-fA-F]{6}", json.dumps(charts.chart_of(make()).to_dict())))
        assert used <= set(theme.DARK), used - set(theme.DARK)


def test_reserved_colours_are_not_given_to_strata():
    colours = theme.colour_of([f"s{i}" for i in range(9)])
    assert not {theme.RIGHT, theme.WRONG} & set(colours.values())
    assert theme.colour_of(["x", "all"])["all"] == theme.INK


def test_spread_keeps_order_gap_and_the_floor():
    placed = theme.spread([0.0, 0.01, 0.5], gap=0.1)
    assert placed == sorted(placed)
    assert placed[1] - placed[0] >= 0.0999
    assert placed[0] >= 0.0499
    assert placed[2] == pytest.approx(0.5, abs=0.06)


def test_rows_of_hold_no_nan_and_no_hidden_characters():
    table = planted.table(
        "x", ("name",), [("a\u202eb", float("nan"), float("nan"), float("nan"), 3.0, "", "too few")]
    )
    assert rows_of(table)[0] == {
        "name": "a\\u202eb",
        "value": None,
        "low": None,
        "high": None,
        "n": 3.0,
        "shown": "blank",
        "null_kind": "",
        "blank_reason": "too few",
    }


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.4583, 0.412, 0.508, "46 % [41, 51]"),
        (0.005, 0.001, 0.02, "0.5 % [0.1, 2.0]"),
        (1.0, 0.9, 1.0, "100 % [90, 100]"),
    ],
)
def test_rounding_follows_the_interval(value, low, high, words):
    assert (
        percent(Measurement(instrument="x", version=1, level=Level.ANSWER, value=value, low=low, high=high))
        == words
    )


def test_bounds_stay_in_the_table_where_a_stratum_has_a_rate():
    rows = [
        ("lure", 0.5, 0.4, 0.2, 0.6, 40.0, "", ""),
        ("lure", 0.75, math.nan, 0.0, 0.3, 9.0, "", "fewer than 5"),
    ]
    chart = charts.agreed_chart(planted.table("wrong_when_agreed", ("stratum", "threshold"), rows))
    assert not _rows(chart, "points")


def test_bounds_of_all_questions_are_drawn_past_the_last_rate():
    rows = [
        ("all", 0.25, math.nan, 0.0, 0.4, 9.0, "", "fewer than 5"),
        ("all", 0.5, 0.4, 0.2, 0.6, 40.0, "", ""),
        ("all", 0.75, math.nan, 0.0, 0.03, 9.0, "", "fewer than 5"),
    ]
    chart = charts.agreed_chart(planted.table("wrong_when_agreed", ("stratum", "threshold"), rows))
    assert [(row["threshold"], row["points"], row["bound"]) for row in _rows(chart, "points")] == [
        (0.75, "down", 0.03)
    ]
    assert {row["words"] for row in _rows(chart, "words")} == {"all questions\nat most 3 %"}


def test_unanimity_draws_one_bound_past_the_last_rate():
    rows = [("seed", 1, 0.3, 0.2, 0.4, 90.0, "", ""), ("seed", 2, 0.1, 0.05, 0.2, 30.0, "", "")]
    rows += [("seed", k, math.nan, 0.0, k / 20, 9.0, "", "fewer than 5") for k in (3, 4, 5)]
    chart = charts.unanimity_chart(planted.table("u", ("source", "k"), rows))
    assert [row["k"] for row in _rows(chart, "points")] == [3]
    assert "seed|4" not in json.dumps(chart.to_dict())


def test_names_of_sources_that_stand_close_go_on_two_lines():
    rows = [("seed", 1, 0.3, 0.2, 0.4, 90.0, "", "")]
    rows += [("model", k, 0.3, 0.2, 0.4, 90.0, "", "") for k in range(1, 6)]
    chart = charts.unanimity_chart(planted.table("u", ("source", "k"), rows))
    names = [layer for layer in _layers(chart.to_dict()) if layer["mark"].get("fontWeight") == "bold"]
    assert [layer["mark"]["dy"] for layer in names] == [-18, -52]  # the last one low, the first above it
