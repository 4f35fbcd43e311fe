"""The figures of a trace: what they draw, what they write, and that nothing hostile gets in raw."""

import itertools
import json
import math

import numpy as np
import pytest

from limitset.charts.loops import loops_chart
from limitset.charts.plane import MOST, SIDE, chosen_orbits, eigenvalues_chart, orbits_chart
from limitset.charts.same_place import RIGHT_THERE, SAME, same_place_chart
from limitset.charts.settled import settled_chart
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable

HOSTILE = "\u202egnorw\u202c \x07<script>alert(1)</script>\nend"
SHOWN = r"\u202egnorw\u202c \x07<script>alert(1)</script> ⏎ end"


def table(axes, rows):
    """rows: values of the axes, then value, low, high, n."""
    columns = list(zip(*rows, strict=True))
    return MeasurementTable(
        instrument="planted",
        version=1,
        level=Level.ANSWER,
        axes={name: np.array(columns[place]) for place, name in enumerate(axes)},
        value=np.array(columns[-4], dtype=float),
        low=columns[-3],
        high=columns[-2],
        n=columns[-1],
    )


def curves(*names, last=240):
    levels = {"settled": 0.62, "right": 0.86, "settled and wrong": 0.007}
    steps = sorted({0, 1, 3, 10, last})
    return table(
        ("step", "curve"),
        [
            (step, name, levels[name] * step / last, 0.0, min(1.0, levels[name] + 0.04), 300.0)
            for name in names or levels
            for step in steps
        ],
    )


def same(*arms, shares=(SAME, RIGHT_THERE)):
    return table(
        ("arm", "share"),
        [(arm, share, 0.89, 0.85, 0.93, 300.0) for arm in arms for share in shares],
    )


def outcomes(*systems, loops=("own start", "swapped start")):
    parts = {"settled, right": 0.6, "settled, wrong": 0.1, "settled, no answer": 0.1, "not settled": 0.2}
    return table(
        ("system", "loop", "outcome"),
        [
            (system, loop, part, share, share - 0.05, share + 0.05, 300.0)
            for system in systems
            for loop in loops
            for part, share in parts.items()
        ],
    )


def orbits(verdicts, *, arms=("own start",), name="input {}"):
    return [
        {
            "item": name.format(place),
            "arm": arm,
            "verdict": verdict,
            "x": [0.1 * place, 1.0, 2.0 + place],
            "y": [0.0, 1.0 - place, 3.0],
        }
        for place, verdict in enumerate(verdicts)
        for arm in arms
    ]


def eigenvalues(*values, name="input"):
    return [{"item": name, "real": value.real, "imaginary": value.imag} for value in values]


CHARTS = {
    "settled": lambda: settled_chart(curves(), rules={"usual": 30, "stop": 14}),
    "same-place": lambda: same_place_chart(same("swapped start", "damped steps", "swapped solver")),
    "ends": lambda: loops_chart(outcomes("Layer"), x_title="share of inputs"),
    "eigenvalues": lambda: eigenvalues_chart(eigenvalues(0.5 + 0.5j, 0.5 - 0.5j, -0.9)),
    "orbits": lambda: orbits_chart(orbits(["right"] * 9 + ["wrong"] * 7)),
}


def layers(spec):
    return [one for layer in spec["layer"] for one in layers(layer)] if "layer" in spec else [spec]


def rows_with(chart, key):
    spec = chart.to_dict()
    found = [layer["data"]["values"] for layer in layers(spec) if "values" in layer.get("data", {})]
    found += [*spec.get("datasets", {}).values(), spec.get("data", {}).get("values", [])]
    return [row for rows in found for row in rows if key in row]


def encodings(chart, channel):
    spec = chart.to_dict()
    own = [layer["encoding"][channel] for layer in layers(spec) if channel in layer.get("encoding", {})]
    return [*own, spec["encoding"][channel]] if channel in spec.get("encoding", {}) else own


def marks(chart, kind):
    return [layer for layer in layers(chart.to_dict()) if layer["mark"]["type"] == kind]


@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_valid_and_hold_no_nan(name):
    spec = CHARTS[name]().to_dict()  # altair validates against the schema
    json.dumps(spec, allow_nan=False)


# settled


def test_settled_has_one_short_label_an_end_and_ticks_up_to_the_last_step():
    chart = settled_chart(curves())
    labels = {row["curve"]: row["label"] for row in rows_with(chart, "label")}
    # the band of "settled and wrong" is 4.7 points wide, so its number has no decimal: 0.7 % reads 1 %
    assert labels == {
        "settled": "settled 62 %",
        "right": "right 86 %",
        "settled and wrong": "settled and\nwrong 1 %",
    }
    assert max(len(line) for label in labels.values() for line in label.split("\n")) <= 12
    axis = next(one["axis"] for one in encodings(chart, "x") if one.get("axis"))
    # a log axis of step + 1; 500 lies beyond the last step
    assert axis["values"] == [1, 2, 3, 6, 11, 21, 51, 101, 201]
    assert next(one["scale"]["domain"] for one in encodings(chart, "x") if "scale" in one) == [1, 241]


def test_end_labels_keep_their_distance_when_lines_end_together():
    rows = [("settled", 0.5), ("right", 0.5), ("settled and wrong", 0.5)]
    chart = settled_chart(
        table(("step", "curve"), [(step, c, v, v, v, 9.0) for c, v in rows for step in (0, 9)])
    )
    heights = sorted(row["y"] for row in rows_with(chart, "label"))
    # two lines of 14 px beside one: 21 px from middle to middle at least, of 320
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 21 / 320


def test_without_an_anchor_settled_stands_alone():
    chart = settled_chart(curves("settled"))
    assert {row["curve"] for row in rows_with(chart, "label")} == {"settled"}


@pytest.mark.parametrize(("step", "align"), [(5, "left"), (200, "right")])
def test_a_rule_is_named_above_the_plot_towards_the_middle(step, align):
    chart = settled_chart(curves(), rules={"usual": step})
    (word,) = [layer for layer in marks(chart, "text") if layer["encoding"]["text"]["field"] == "rule"]
    assert word["mark"]["align"] == align
    assert word["mark"]["baseline"] == "bottom"
    assert word["mark"]["dy"] < 0
    assert [row["rule"] for row in rows_with(chart, "rule")] == [f"usual {step}"]


@pytest.mark.parametrize(
    ("steps", "aligns", "lines"),
    [
        # log(15)/log(241) = 0.49 and log(31)/log(241) = 0.63: words away from each other, on one line
        ((14, 30), ["right", "left"], 1),
        # 0.13 and 0.20: no room at the left
        ((1, 2), ["left", "left"], 2),
        # 0.84 and 0.97: none at the right
        ((100, 200), ["right", "right"], 2),
    ],
)
def test_the_words_of_two_rules_do_not_meet(steps, aligns, lines):
    chart = settled_chart(curves(), rules={"usual": steps[1], HOSTILE: steps[0]})
    words = [layer for layer in marks(chart, "text") if layer["encoding"]["text"]["field"] == "rule"]
    assert [layer["mark"]["align"] for layer in words] == aligns
    assert len({layer["mark"]["dy"] for layer in words}) == lines
    assert [row["rule"] for row in rows_with(chart, "rule")] == [f"{SHOWN} {steps[0]}", f"usual {steps[1]}"]


# same place


def test_numbers_stand_in_a_column_and_names_above_their_points():
    chart = same_place_chart(same("swapped start", "swapped solver"))
    (numbers,) = [layer for layer in marks(chart, "text") if layer["encoding"]["text"]["field"] == "shown"]
    # at 100 % and right of it, so neither over the rule nor beside a point of any height
    assert numbers["encoding"]["x"]["datum"] == 1.0
    assert numbers["mark"]["dx"] > 0
    (heads,) = [layer for layer in marks(chart, "text") if layer["encoding"]["text"]["field"] == "arm"]
    assert heads["encoding"]["x"] == {"value": 0}
    assert all(one["axis"] is None for one in encodings(chart, "y"))
    assert {tuple(one["scale"]["domain"]) for one in encodings(chart, "yOffset")} == {("", SAME, RIGHT_THERE)}
    assert {row["shown"] for row in rows_with(chart, "shown")} == {"89 % [85, 93]"}


def test_one_share_needs_no_legend_and_less_room():
    one = same_place_chart(same("a", "b", "c", shares=(SAME,)))
    two = same_place_chart(same("a", "b", "c"))
    assert one.to_dict()["height"] < two.to_dict()["height"]
    assert all(colour["legend"] is None for colour in encodings(one, "color") if "legend" in colour)
    assert any(colour.get("legend") for colour in encodings(two, "color"))


def test_hostile_names_of_ways_are_escaped():
    text = json.dumps(same_place_chart(same(HOSTILE)).to_dict(), ensure_ascii=False)
    assert json.dumps(SHOWN, ensure_ascii=False)[1:-1] in text
    assert "\u202e" not in text


# ends


def test_bars_name_the_system_only_where_there_are_several():
    bars = {row["bar"] for row in rows_with(loops_chart(outcomes("Layer")), "part")}
    assert bars == {"own start", "swapped start"}
    # a single bar repeats nothing, and keeps its system
    bars = {row["bar"] for row in rows_with(loops_chart(outcomes("Layer", loops=("own start",))), "part")}
    assert bars == {"Layer: own start"}
    bars = {row["bar"] for row in rows_with(loops_chart(outcomes("Layer", "Net")), "part")}
    assert bars == {
        f"{system}: {loop}" for system in ("Layer", "Net") for loop in ("own start", "swapped start")
    }


def test_the_axis_of_ends_is_called_as_asked():
    titles = [
        {one["title"] for one in encodings(chart, "x") if "title" in one}
        for chart in (
            loops_chart(outcomes("Layer")),
            loops_chart(outcomes("Layer"), x_title="share of inputs"),
        )
    ]
    assert titles == [{"share of texts"}, {"share of inputs"}]


# eigenvalues


@pytest.mark.parametrize(("largest", "reach"), [(0.3 + 0j, 1.1), (0.6 + 0.8j, 1.1), (3 - 4j, 5.5)])
def test_the_unit_circle_is_round(largest, reach):
    chart = eigenvalues_chart(eigenvalues(0.1 + 0j, largest))
    spec = chart.to_dict()
    # one side, one span, and a size of the plot itself: no width of the page can stretch it
    assert spec["width"] == spec["height"] == SIDE
    assert spec["autosize"]["type"] == "pad"
    for axis in ("x", "y"):
        for one in encodings(chart, axis):
            assert one["scale"]["domain"] == pytest.approx([-reach, reach])
            assert one["scale"]["nice"] is False
    circle = rows_with(chart, "order")
    assert [math.hypot(row["x"], row["y"]) for row in circle] == pytest.approx([1.0] * len(circle))


def test_eigenvalues_that_are_no_numbers_are_left_out():
    chart = eigenvalues_chart(eigenvalues(0.5 + 0j, complex(math.nan, 0), complex(math.inf, 1)))
    assert [row["size"] for row in rows_with(chart, "size")] == [0.5]
    empty = eigenvalues_chart(eigenvalues(complex(math.nan, 0)))
    assert "No end has settled" in json.dumps(empty.to_dict())


def test_hostile_items_of_eigenvalues_are_escaped():
    chart = eigenvalues_chart(eigenvalues(0.5 + 0j, name=HOSTILE))
    assert [row["item"] for row in rows_with(chart, "size")] == [SHOWN]


# orbits


@pytest.mark.parametrize(
    ("verdicts", "kept"),
    [
        (["right"] * 9 + ["wrong"] * 7, [0, 1, 2, 9, 10, 11]),
        (["right"] * 9 + ["wrong"], [0, 1, 2, 9]),
        (["no anchor"] * 16, [0, 1, 2, 3, 4, 5]),
        (["wrong", "right"], [0, 1]),
        ([], []),
    ],
)
def test_at_most_six_orbits_are_chosen_in_their_order(verdicts, kept):
    chosen = chosen_orbits(orbits(verdicts))
    assert [one["item"] for one in chosen] == [f"input {place}" for place in kept]
    assert len(chosen) <= MOST
    if kept:
        assert {row["item"] for row in rows_with(orbits_chart(orbits(verdicts)), "orbit")} == {
            one["item"] for one in chosen
        }


def test_a_chosen_input_keeps_every_arm():
    chosen = chosen_orbits(orbits(["right"] * 8, arms=("own start", "swapped start")))
    assert len(chosen) == 2 * MOST
    assert {one["arm"] for one in chosen} == {"own start", "swapped start"}


def test_every_orbit_has_a_start_and_an_end_and_start_is_written_once():
    chart = orbits_chart(orbits(["right", "wrong"]))
    places = [row["place"] for row in rows_with(chart, "place") if row["step"] >= 0]
    ends = [layer for layer in marks(chart, "point") if layer.get("transform")]
    assert [layer["transform"] for layer in ends] == [[{"filter": "datum.place == 'end'"}]]
    (starts,) = [layer for layer in marks(chart, "point") if not layer.get("transform")]
    hollow = starts["data"].get("values") or chart.to_dict()["datasets"][starts["data"]["name"]]
    assert {(row["item"], row["step"], row["x"]) for row in hollow} == {
        ("input 0", 0, 0.0),
        ("input 1", 0, 0.1),
    }
    assert places.count("end") >= 2
    # the word once, on a ground of paper
    words = marks(chart, "text")
    assert len(words) == 2
    # the starts lie left of the middle of the orbits, so the word stands left of its mark
    assert {layer["mark"]["align"] for layer in words} == {"right"}


def test_states_that_ran_away_are_left_out():
    one = orbits(["right"])[0] | {"x": [0.0, math.nan, math.inf, 2.0], "y": [0.0, 1.0, 2.0, 3.0]}
    steps = sorted({row["step"] for row in rows_with(orbits_chart([one]), "orbit")})
    assert steps == [0, 3]
    lost = one | {"x": [math.nan] * 4}
    assert "No orbit was held" in json.dumps(orbits_chart([lost]).to_dict())


def test_an_orbit_without_its_start_has_no_start_word():
    one = orbits(["right"])[0] | {"x": [math.nan, 1.0, 2.0], "y": [0.0, 1.0, 2.0]}
    assert marks(orbits_chart([one]), "text") == []


def test_hostile_items_and_arms_of_orbits_are_escaped():
    text = json.dumps(
        orbits_chart(orbits(["right"], name=HOSTILE, arms=(HOSTILE,))).to_dict(), ensure_ascii=False
    )
    assert "\u202e" not in text
    assert rows_with(orbits_chart(orbits(["right"], name=HOSTILE)), "orbit")[0]["item"] == SHOWN
