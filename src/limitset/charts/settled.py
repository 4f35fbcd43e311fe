"""By which step has a looped model settled, and how often is it right there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing, spread
from limitset.core.results import MeasurementTable

COLOURS: Final = {"settled": INK, "right": RIGHT, "settled and wrong": WRONG}
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
    ticks = [step for step in (0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023) if step <= last]
    across = alt.X(
        "place:Q",
        title="steps taken",
        scale=alt.Scale(type="log", base=2, domain=[1, 1 + last], nice=False),
        axis=alt.Axis(values=[1 + step for step in ticks], labelExpr="datum.value - 1", grid=False),
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
    places = spread([ends[name]["value"] for name in names], gap=18 / HEIGHT)
    labels = [
        {
            "curve": name,
            "place": 1 + last,
            "y": place,
            "label": f"{name} {ends[name]['shown'].split(' [')[0]}",
        }
        for name, place in zip(names, places, strict=True)
    ]
    words = (
        alt.Chart(data_of(labels))
        .mark_text(align="left", dx=9, fontWeight="bold")
        .encode(x=across, y=alt.Y("y:Q"), text="label:N", color=colour)
    )
    layers = band + line + points + words
    for row, (label, step) in enumerate(sorted((rules or {}).items(), key=lambda rule: rule[1])):
        mark = alt.Chart(data_of([{"place": 1 + step, "label": f"{label} {step}", "y": 1.0}]))
        layers += mark.mark_rule(color=NULL, strokeDash=[4, 3]).encode(x=across)
        layers += mark.mark_text(color=MUTED, align="left", dx=5, dy=-6 + 15 * row, baseline="top").encode(
            x=across, y=alt.Y("y:Q"), text="label:N"
        )
    return finished(layers, height=HEIGHT)
