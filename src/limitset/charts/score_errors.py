"""How far off, and in which direction, are the scores of judges and of their panel?"""

from __future__ import annotations

from typing import Any

from limitset.charts.reliability import at_both_ends
from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, NULL, RIGHT, STRATA, data_of, finished, nothing
from limitset.core.results import MeasurementTable

HEIGHT = 300


def level_chart(values: MeasurementTable, *, words: str) -> Any:
    """Draw the level of each judge in points, with its interval, about a line at 0.

    Parameters
    ----------
    values
        Axis system: `Severity.values`, or the rows "bias" of `ScoreErrors.judges`.
    words
        What the values are, under the axis.

    Returns
    -------
    altair.LayerChart
        One mark a judge, the most severe first.
    """
    import altair as alt

    rows = [row for row in rows_of(values) if row["value"] is not None and row["null_kind"] == ""]
    rows = at_both_ends(sorted(rows, key=lambda row: row["value"]))
    if not rows:
        return nothing("Too few questions: no level can be given.")
    order = [row["system"] for row in rows]
    for row in rows:
        row["words"] = f"{row['system']}: {row['value']:+.2f}"
    up = alt.Y("system:N", sort=order, title=None, axis=None)
    across = alt.X("value:Q", title=words, axis=alt.Axis(tickCount=5))
    base = alt.Chart(data_of(rows)).encode(y=up)
    zero = (
        alt.Chart(data_of([{"at": 0}]))
        .mark_rule(color=NULL, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(x="at:Q")
    )
    lines = base.mark_rule(color=INK, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(filled=True, size=80, color=INK, opacity=1).encode(
        x=across,
        tooltip=[
            alt.Tooltip("system:N", title="judge"),
            alt.Tooltip("value:Q", title="points", format="+.3f"),
            alt.Tooltip("n:Q", title="questions", format=".0f"),
        ],
    )
    text = base.mark_text(align="left", baseline="bottom", dy=-9, color=INK).encode(
        x=alt.value(0), text="words:N"
    )
    return finished(zero + lines + points + text, height=42 * len(order) + 20)


def panel_error_chart(panel: MeasurementTable) -> Any:
    """Draw the error of the panel's score against the number of judges.

    Parameters
    ----------
    panel
        `ScoreErrors.panel`: axes statistic, judges; values in points.

    Returns
    -------
    altair.LayerChart
        One line a statistic; the band is the 95 % interval of the mean.
    """
    import altair as alt

    rows = [row for row in rows_of(panel) if row["value"] is not None]
    if not rows:
        return nothing("Too few questions: no error of a panel can be given.")
    names = list(dict.fromkeys(row["statistic"] for row in rows))
    colours = {"mean": INK, "median": STRATA[0], "mean, bias removed": RIGHT}
    dashes = {"mean": [1, 0], "median": [6, 3], "mean, bias removed": [2, 2]}
    across = alt.X("judges:Q", title="judges on the panel", axis=alt.Axis(tickMinStep=1, grid=False))
    up = alt.Y("value:Q", title="points off the key", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5))
    domain = alt.Scale(domain=names, range=[colours[name] for name in names])
    colour = alt.Color("statistic:N", scale=domain, legend=alt.Legend(title=None))
    band = (
        alt.Chart(data_of([row for row in rows if row["statistic"] == "mean" and row["low"] is not None]))
        .mark_area(opacity=0.12, color=INK)
        .encode(x=across, y=alt.Y("low:Q"), y2="high:Q")
    )
    base = alt.Chart(data_of(rows)).encode(x=across, y=up, color=colour)
    line = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash(
            "statistic:N",
            scale=alt.Scale(domain=names, range=[dashes[name] for name in names]),
            legend=alt.Legend(title=None),
        )
    )
    points = base.mark_point(filled=True, size=50, opacity=1).encode(
        tooltip=[
            alt.Tooltip("statistic:N", title="the panel's"),
            alt.Tooltip("judges:Q", title="judges"),
            alt.Tooltip("value:Q", title="points off", format=".3f"),
            alt.Tooltip("n:Q", title="questions", format=".0f"),
        ]
    )
    return finished(band + line + points, height=HEIGHT)
