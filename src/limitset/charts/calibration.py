"""When systems say how sure they are, how often are they right, and does being sure put answers in order?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.pairs import clipped
from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, NULL, SHAPES, WRONG, colour_of, data_of, finished, nothing, scale_of
from limitset.core.results import MeasurementTable

MOST: Final = 3
"""Systems drawn in one figure."""


def calibration_chart(bins: Mapping[str, MeasurementTable]) -> Any:
    """Draw the share right against the confidence stated, one line a system (a reliability diagram).

    Parameters
    ----------
    bins
        System to `Calibration.bins` (axes bin, stated); the first three are drawn.

    Returns
    -------
    altair.LayerChart
        Points with intervals; a perfectly calibrated system lies on the dashed line.
    """
    import altair as alt

    rows = [
        {**row, "system": clipped(name), "said": f"{100 * row['stated']:.0f} %"}
        for name, table in list(bins.items())[:MOST]
        for row in rows_of(table)
        if row["value"] is not None
    ]
    if not rows:
        return nothing("No system states how sure it is.")
    names = list(dict.fromkeys(row["system"] for row in rows))
    legend = alt.Legend(title=None, symbolOpacity=1, columns=1) if len(names) > 1 else None
    shapes = alt.Scale(domain=names, range=list(SHAPES[: len(names)]))
    colour = alt.Color("system:N", scale=scale_of(colour_of(names)), legend=legend)
    shape = alt.Shape("system:N", scale=shapes, legend=legend)
    percent = alt.Axis(format="%", tickCount=5)
    across = alt.X("stated:Q", title="confidence", scale=alt.Scale(domain=[0, 1]), axis=percent)
    up = alt.Y("value:Q", title="share right", scale=alt.Scale(domain=[0, 1]), axis=percent)
    perfect = (
        alt.Chart(data_of([{"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 1.0}]))
        .mark_line(color=NULL, strokeDash=[4, 3])
        .encode(x="a:Q", y="b:Q")
    )
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour)
    bars = base.mark_rule(strokeWidth=2 if len(names) == 1 else 1, opacity=0.5).encode(y="low:Q", y2="high:Q")
    lines = base.mark_line(strokeWidth=1.5, opacity=0.7).encode(y=up)
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        y=up,
        shape=shape,
        tooltip=[
            alt.Tooltip("system:N", title="of"),
            alt.Tooltip("said:N", title="says"),
            alt.Tooltip("shown:N", title="right"),
            alt.Tooltip("n:Q", title="questions", format=".0f"),
        ],
    )
    return finished(perfect + bars + lines + points, height=360)


def risk_chart(curves: Mapping[str, MeasurementTable]) -> Any:
    """Draw the share wrong among the surest answers, against how many of them are taken.

    Parameters
    ----------
    curves
        System to `Ranking.curve` (axis coverage); the first three are drawn.

    Returns
    -------
    altair.LayerChart
        One line a system with its band; a score that says nothing gives a flat line.
    """
    import altair as alt

    rows = [
        {**row, "system": clipped(name)}
        for name, table in list(curves.items())[:MOST]
        for row in rows_of(table)
        if row["value"] is not None
    ]
    if not rows:
        return nothing("Too few answers are right, or wrong, to put them in order.")
    names = list(dict.fromkeys(row["system"] for row in rows))
    scale = scale_of(colour_of(names)) if len(names) > 1 else alt.Scale(domain=names, range=[WRONG])
    colour = alt.Color(
        "system:N",
        scale=scale,
        legend=alt.Legend(title=None, symbolOpacity=1, columns=1) if len(names) > 1 else None,
    )
    percent = alt.Axis(format="%", tickCount=5)
    top = max(row["high"] for row in rows)
    base = alt.Chart(data_of(rows)).encode(
        x=alt.X("coverage:Q", title="share of answers taken, the surest first", axis=percent), color=colour
    )
    up = alt.Y(
        "value:Q",
        title="share of them wrong",
        scale=alt.Scale(domain=[0, min(1.0, top)]),
        axis=percent,
    )
    band = base.mark_area(opacity=0.15 if len(names) == 1 else 0.09).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=up)
    points = base.mark_point(filled=True, size=40, opacity=1).encode(
        y=up,
        tooltip=[
            alt.Tooltip("system:N", title="of"),
            alt.Tooltip("coverage:Q", title="taken", format=".0%"),
            alt.Tooltip("shown:N", title="wrong"),
        ],
    )
    layers = alt.layer(band, line, points)
    if len(names) == 1:
        last = max(rows, key=lambda row: row["coverage"])
        word = alt.Chart(data_of([last])).mark_text(align="right", baseline="bottom", dy=-8, color=INK)
        layers = alt.layer(layers, word.encode(x="coverage:Q", y="value:Q", text="shown:N"))
    return finished(layers, height=320)
