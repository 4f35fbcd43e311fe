"""By which step has a looped model settled, and how often is it right there?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from limitset.charts.shown import rows_of, visible
from limitset.charts.theme import INK, MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing, spread
from limitset.core.results import MeasurementTable

COLOURS: Final = {"settled": INK, "right": RIGHT, "settled and wrong": WRONG}
WORDS: Final = {"settled and wrong": "settled and\nwrong"}
"""Names written on two lines: on one they would take half of a narrow screen."""
TICKS: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
HEIGHT: Final = 320


def settled_chart(curves: MeasurementTable, *, rules: Mapping[str, int] | None = None) -> Any:
    """Draw the share settled and the share right against the number of steps.

    Parameters
    ----------
    curves
        Axes step, curve; curve is "settled", "right" or "settled and wrong"; values are shares of inputs.
    rules
        Words to the step at which they stand as a vertical line ("stop here": 14).

    Returns
    -------
    altair.LayerChart
        One line a curve with its interval as a band, labelled at its end.
    """
    import altair as alt

    rows = [{**row, "place": 1 + row["step"]} for row in rows_of(curves) if row["value"] is not None]
    if not rows:
        return nothing("No step was taken: no point can be given.")
    names = [name for name in COLOURS if any(row["curve"] == name for row in rows)]
    scale = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    last = max(row["step"] for row in rows)
    # a log axis of step + 1, so that the start (step 0) has a place
    ticks = [step for step in TICKS if step <= last]
    across = alt.X(
        "place:Q",
        title="steps taken",
        scale=alt.Scale(type="log", base=2, domain=[1, 1 + last], nice=False),
        axis=alt.Axis(
            values=[1 + step for step in ticks],
            labelExpr="datum.value - 1",
            labelOverlap="greedy",
            labelSeparation=4,
            labelFlush=False,
            grid=False,
        ),
    )
    up = alt.Y(
        "value:Q",
        title="share of inputs",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color("curve:N", scale=scale, legend=None)
    dash = alt.StrokeDash(
        "curve:N",
        scale=alt.Scale(domain=list(COLOURS), range=[[1, 0], [1, 0], [5, 3]]),
        legend=None,
    )
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour)
    band = base.mark_area(opacity=0.13).encode(y=alt.Y("low:Q", title="share of inputs"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.4).encode(y=up, strokeDash=dash)
    tips = [
        alt.Tooltip("curve:N", title="inputs"),
        alt.Tooltip("step:Q", title="by step"),
        alt.Tooltip("shown:N", title="share"),
        alt.Tooltip("n:Q", title="n", format=".0f"),
    ]
    points = base.mark_point(filled=True, opacity=0, size=90).encode(y=up, tooltip=tips)
    ends = {name: [row for row in rows if row["curve"] == name][-1] for name in names}
    places = spread([ends[name]["value"] for name in names], gap=26 / HEIGHT)
    labels = [
        {
            "curve": name,
            "place": 1 + last,
            "y": place,
            "label": f"{WORDS.get(name, name)} {ends[name]['shown'].split(' [')[0]}",
        }
        for name, place in zip(names, places, strict=True)
    ]
    words = (
        alt.Chart(data_of(labels))
        .mark_text(align="left", dx=8, fontWeight="bold", lineBreak="\n", lineHeight=14)
        .encode(x=across, y=alt.Y("y:Q"), text="label:N", color=colour)
    )
    layers = band + line + points + words
    ordered = sorted((rules or {}).items(), key=lambda rule: rule[1])
    sides = _sides([math.log(1 + step) / math.log(1 + max(1, last)) for _, step in ordered])
    crowded = len(set(sides)) < len(sides)
    for row, ((label, step), side) in enumerate(zip(ordered, sides, strict=True)):
        mark = alt.Chart(data_of([{"place": 1 + step, "rule": f"{visible(label)} {step}", "y": 1.0}]))
        layers += mark.mark_rule(color=NULL, strokeDash=[4, 3]).encode(x=across)
        # above the plot, where no line runs
        layers += mark.mark_text(
            color=MUTED,
            align=side,
            baseline="bottom",
            dx=3 if side == "right" else -3,
            dy=-5 - 14 * (len(ordered) - 1 - row) * crowded,
        ).encode(x=across, y=alt.Y("y:Q"), text="rule:N")
    return finished(layers, height=HEIGHT)


def _sides(shares: Sequence[float]) -> list[Literal["left", "right"]]:
    """Say how the words of rules are aligned: towards room, and two away from each other."""
    if len(shares) == 1:
        return ["right" if shares[0] > 0.6 else "left"]
    first: list[Literal["left", "right"]] = ["left" if share < 0.25 else "right" for share in shares[:1]]
    return first + ["right" if share > 0.7 else "left" for share in shares[1:]]
