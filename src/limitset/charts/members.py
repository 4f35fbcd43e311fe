"""Which voters help the vote of the others, which harm it, and which change nothing?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.panel_votes import haloed
from limitset.charts.shown import rows_of, visible
from limitset.charts.theme import INK, MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing
from limitset.core.results import MeasurementTable

ROW: Final = 44
MOST: Final = 16
"""Voters drawn; of more, those that help and those that harm most."""
COLOURS: Final = {"helps": RIGHT, "harms": WRONG, "adds nothing": NULL, "can't tell": MUTED}
SHAPES: Final = {"helps": "circle", "harms": "diamond", "adds nothing": "square", "can't tell": "cross"}


def members_chart(values: MeasurementTable, verdicts: Mapping[str, str], *, margin: float) -> Any:
    """Draw what each voter adds to the vote of the others.

    Parameters
    ----------
    values
        `MemberValue.values`: axis system; differences in [-1, 1], above 0 where the voter helps.
    verdicts
        What is concluded of each system.
    margin
        What counts as no change, drawn as a dashed line on either side of zero.

    Returns
    -------
    altair.LayerChart
        One row a voter, the most helpful first, with its interval, in points of a per cent.
    """
    import altair as alt

    rows = [row for row in rows_of(values) if row["value"] is not None]
    if not rows:
        return nothing("Too few voters or questions: nothing can be said of single ones.")
    rows = shown_rows(rows)
    verdicts = {visible(name): verdict for name, verdict in verdicts.items()}
    rows = [{**row, "verdict": verdicts[row["system"]], "words": _words(row, verdicts)} for row in rows]
    order = [row["system"] for row in rows]
    down = alt.Y("system:N", sort=order, title=None, axis=None)
    ends = [end for row in rows for end in (row["low"], row["high"])]
    domain = [min(-2 * margin, *ends), max(2 * margin, *ends)]
    across = alt.X(
        "value:Q",
        title="without it, the vote is wrong more often by",
        scale=alt.Scale(domain=domain, nice=True),
        axis=alt.Axis(format="+.0%", tickCount=5, grid=False),
    )
    colour = alt.Color(
        "verdict:N", scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), legend=None
    )
    shape = alt.Shape(
        "verdict:N", scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values())), legend=None
    )
    base = alt.Chart(data_of(rows)).encode(y=down, color=colour)
    bars = base.mark_rule(strokeWidth=5, opacity=0.35).encode(
        x=alt.X("low:Q", title="without it, the vote is wrong more often by"), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=across,
        shape=shape,
        tooltip=[alt.Tooltip("system:N", title="voter"), alt.Tooltip("words:N", title="adds")],
    )
    zero = alt.Chart(data_of([{"at": 0.0}])).mark_rule(color=NULL).encode(x="at:Q")
    limits = (
        alt.Chart(data_of([{"at": -margin}, {"at": margin}]))
        .mark_rule(color=NULL, strokeDash=[3, 4])
        .encode(x="at:Q")
    )
    words = haloed(
        alt.Chart(data_of(rows)).encode(y=down, x=alt.value(0), text="words:N"),
        align="left",
        baseline="bottom",
        dy=-8,
        color=INK,
    )
    return finished(zero + limits + words + bars + points, height=ROW * len(rows) + 10)


def shown_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort voters by what they add; of many, keep those at both ends."""
    ranked = sorted(rows, key=lambda row: -row["value"])
    return ranked if len(ranked) <= MOST else [*ranked[: MOST // 2], *ranked[-MOST // 2 :]]


def _words(row: Mapping[str, Any], verdicts: Mapping[str, str]) -> str:
    name = row["system"] if len(row["system"]) <= 28 else row["system"][:27] + "…"
    told = f"{100 * row['value']:+.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
    return f"{name}: {verdicts[row['system']]}, {told}"
