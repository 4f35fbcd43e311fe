"""What moved between two audits of the same questions, and by how much?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing

ROW: Final = 46
"""Pixels of one number: its words, and its interval under them."""
COLOURS: Final = {"better": RIGHT, "worse": WRONG, "moved": MUTED, "unchanged": MUTED, "cannot be told": NULL}
MARKS: Final = {
    "better": "circle",
    "worse": "square",
    "moved": "triangle-right",
    "unchanged": "circle",
    "cannot be told": "diamond",
}
LEAST: Final = 0.05
"""The axis reaches at least so far to both sides."""


def differences_chart(changes: Sequence[Mapping[str, Any]]) -> Any:
    """Draw the change of each share with its interval, about the line of no change.

    Parameters
    ----------
    changes
        Records with words (which number), value, low, high (a difference of shares, in [-1, 1]; low and high
        None where there is none), shown (the change in words), told (before and now, in words), n, and turn:
        "better", "worse", "moved" (neither is better), "unchanged" or "cannot be told".

    Returns
    -------
    altair.LayerChart
        One row a number, all on one scale that has zero in its middle.
    """
    import altair as alt

    if not changes:
        return nothing("No number was measured in both audits.")
    rows = [
        {**change, **{name: visible(str(change[name])) for name in ("words", "shown", "told")}, "row": place}
        for place, change in enumerate(changes)
    ]
    reach = max([LEAST, *(abs(row[name]) for row in rows for name in ("value", "low", "high") if row[name])])
    reach = min(1.0, reach * 1.05)
    across_scale = alt.Scale(domain=[-reach, reach], nice=False)
    down_scale = alt.Scale(domain=[0, len(rows)], reverse=True, nice=False)
    axis = alt.Axis(format="+%", tickCount=5, grid=False, domain=False)

    def across(field: str) -> Any:
        return alt.X(
            f"{field}:Q", scale=across_scale, title="change since the baseline, in points", axis=axis
        )

    def placed(offset: float) -> Any:
        return alt.Chart(data_of([{**row, "line": row["row"] + offset} for row in rows]))

    up = alt.Y("line:Q", scale=down_scale, axis=None)
    colour = alt.Color(
        "turn:N", scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), legend=None
    )
    shape = alt.Shape("turn:N", scale=alt.Scale(domain=list(MARKS), range=list(MARKS.values())), legend=None)
    tips = [
        alt.Tooltip(f"{name}:N", title=title)
        for name, title in (
            ("words", "number"),
            ("told", "before → now"),
            ("shown", "change"),
            ("turn", "is"),
            ("n", "n"),
        )
    ]
    zero = alt.Chart(data_of([{"zero": 0}])).mark_rule(color=NULL, strokeDash=[4, 4])
    layers = zero.encode(x=across("zero"))
    words = placed(0.3).mark_text(align="left", fontSize=12, limit=alt.expr("width - 130"))
    layers += words.encode(x=alt.value(0), y=up, text="words:N")
    said = placed(0.3).mark_text(align="right", fontWeight="bold", fontSize=12)
    layers += said.encode(x=alt.value(alt.expr("width")), y=up, text="shown:N", color=colour)
    bar = placed(0.68).transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers += bar.mark_rule(strokeWidth=3, opacity=0.75).encode(
        x=across("low"), x2="high:Q", y=up, color=colour, tooltip=tips
    )
    layers += (
        placed(0.68)
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=across("value"), y=up, color=colour, shape=shape, tooltip=tips)
    )
    return finished(layers, height=ROW * len(rows) + 30)
