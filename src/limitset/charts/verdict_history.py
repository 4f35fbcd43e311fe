"""What did each run of a claim say, when, and on whose system?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.claim_effect import COLOURS, MARKS, span_of, zones_of
from limitset.charts.shown import visible
from limitset.charts.theme import GRID, INK, MUTED, PAPER, data_of, finished, nothing

ROW: Final = 54
"""Pixels of one run."""
MOST: Final = 24
"""Runs that are drawn, the newest; the table has all."""


def verdict_history_chart(runs: Sequence[Mapping[str, Any]]) -> Any:
    """Draw one interval a run, newest on top, over the sides on which the claim holds and fails.

    Parameters
    ----------
    runs
        Records, newest first, with when (a date in words), system, whose ("here" or "yours"), value, low,
        high (None where there is none), shown, verdict, holds and fails (`Bar`): one statistic throughout.
        The sides drawn are those of the newest run.

    Returns
    -------
    altair.LayerChart
        The user's own systems are hollow; holds is a circle, fails a square, can't tell a diamond.
    """
    import altair as alt

    if not runs:
        return nothing("Never run.")
    drawn = runs[:MOST]
    low, high = span_of(drawn)
    rows = [_row(place, run) for place, run in enumerate(drawn)]
    sides = [
        {
            "verdict": verdict,
            "start": start,
            "end": end,
            "middle": (start + end) / 2,
            "top": 0,
            "all": len(rows),
        }
        for verdict in ("holds", "fails")
        for start, end in zones_of(drawn[0][verdict], low, high)
    ]
    x = alt.Scale(domain=[low, high], nice=False, zero=False)
    y = alt.Scale(domain=[len(rows), 0], nice=False)

    def across(field: str) -> Any:
        axis = alt.Axis(grid=False, tickCount=6)
        return alt.X(f"{field}:Q", scale=x, axis=axis, title=None)

    def down(field: str) -> Any:
        return alt.Y(f"{field}:Q", scale=y, axis=None)

    colour = alt.Color(
        "verdict:N", scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), legend=None
    )
    shape = alt.Shape(
        "verdict:N", scale=alt.Scale(domain=list(MARKS), range=list(MARKS.values())), legend=None
    )
    tips = [
        alt.Tooltip(f"{name}:N", title=title)
        for name, title in (("when", "run on"), ("system", "system"), ("shown", "value"), ("verdict", "says"))
    ]
    zones = alt.Chart(data_of(sides))
    ground = zones.mark_rect(opacity=0.12).encode(
        x=across("start"), x2="end:Q", y=down("top"), y2="all:Q", color=colour
    )
    ground += zones.mark_text(baseline="bottom", dy=-4, color=INK).encode(
        x=across("middle"), y=down("top"), text="verdict:N"
    )
    base = alt.Chart(data_of(rows))
    lines = base.transform_filter("datum.place > 0").mark_rule(color=GRID).encode(y=down("place"))
    words = base.mark_text(align="left", baseline="middle", color=MUTED, limit=alt.expr("width - 8"), dx=4)
    marks = (
        base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_rule(strokeWidth=2.5)
        .encode(x=across("low"), x2="high:Q", y=down("line"), color=colour, tooltip=tips)
    )
    points = base.transform_filter("isValid(datum.value)")
    own = points.transform_filter("datum.whose === 'here'").mark_point(filled=True, size=110, opacity=1)
    user = points.transform_filter("datum.whose !== 'here'").mark_point(
        fill=PAPER, size=110, opacity=1, strokeWidth=2
    )
    marks += own.encode(x=across("value"), y=down("line"), color=colour, shape=shape, tooltip=tips)
    marks += user.encode(x=across("value"), y=down("line"), stroke=colour, shape=shape, tooltip=tips)
    return finished(
        ground + lines + words.encode(x=alt.value(0), y=down("title"), text="label:N") + marks,
        height=ROW * len(rows),
    )


def _row(place: int, run: Mapping[str, Any]) -> dict[str, Any]:
    names = ("when", "system", "whose", "verdict", "shown")
    texts = {name: visible(str(run[name])) for name in names}
    return {
        **texts,
        "label": f"{texts['when']} · {texts['verdict']} · {texts['whose']}: {texts['system']}",
        **{name: run[name] for name in ("value", "low", "high")},
        "place": place,
        "title": place + 0.28,
        "line": place + 0.68,
    }
