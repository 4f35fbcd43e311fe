"""Does the model end in the same place when it comes another way?"""

from __future__ import annotations

from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, NULL, RIGHT, data_of, finished, nothing
from limitset.core.results import MeasurementTable

SAME = "same place"
RIGHT_THERE = "right by this way"
ROW: Final = 23
"""Pixels a line: one for the name of the way, one a share."""
LEAST: Final = 140
_COLOURS: Final = {SAME: INK, RIGHT_THERE: RIGHT}
_SHAPES: Final = {SAME: "circle", RIGHT_THERE: "square"}


def same_place_chart(shares: MeasurementTable) -> Any:
    """Draw, for every other way, how many inputs end in the same place and how many are right there.

    Parameters
    ----------
    shares
        Axes arm, share; share is "same place" or "right there"; values are shares of inputs.

    Returns
    -------
    altair.LayerChart
        Two points with intervals for each way, their numbers in a column at the right.
    """
    import altair as alt

    rows = [row for row in rows_of(shares) if row["value"] is not None]
    if not rows:
        return nothing("No other way could be tried.")
    order = list(dict.fromkeys(row["arm"] for row in rows))
    names = [name for name in (SAME, RIGHT_THERE) if any(row["share"] == name for row in rows)]
    # the name stands above its points: beside them, a third of a narrow screen would be names
    offset = alt.YOffset("share:N", scale=alt.Scale(domain=["", *names]))
    y = alt.Y("arm:N", sort=order, title=None, axis=None)
    across = alt.X(
        "value:Q",
        title="share of inputs",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    colours = alt.Scale(domain=names, range=[_COLOURS[name] for name in names])
    shapes = alt.Scale(domain=names, range=[_SHAPES[name] for name in names])
    legend = alt.Legend(title=None) if len(names) > 1 else None
    base = alt.Chart(data_of(rows)).encode(
        y=y, yOffset=offset, color=alt.Color("share:N", scale=colours, legend=legend)
    )
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="share of inputs"), x2="high:Q")
    points = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=across,
        shape=alt.Shape("share:N", scale=shapes, legend=legend),
        tooltip=[
            alt.Tooltip("arm:N", title="way"),
            alt.Tooltip("share:N", title="what"),
            alt.Tooltip("shown:N", title="share"),
            alt.Tooltip("n:Q", title="n", format=".0f"),
        ],
    )
    # the numbers stand in one column right of 100 %, where nothing is drawn
    words = base.mark_text(align="left", dx=10).encode(x=alt.datum(1.0), text="shown:N")
    heads = (
        alt.Chart(data_of([{"arm": arm, "share": ""} for arm in order]))
        .mark_text(align="left", color=INK, dy=4)
        .encode(y=y, yOffset=offset, x=alt.value(0), text="arm:N")
    )
    edge = alt.Chart(data_of([{"x": 1.0}])).mark_rule(color=NULL, strokeDash=[4, 3]).encode(x="x:Q")
    return finished(
        edge + bars + points + words + heads, height=max(LEAST, ROW * (1 + len(names)) * len(order))
    )
