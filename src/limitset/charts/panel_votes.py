"""How does the error of a vote fall with the number of voters, and with the items that are sent outside?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, MUTED, NULL, PAPER, WRONG, data_of, finished, nothing, spread, top_of
from limitset.core.results import MeasurementTable

HEIGHT: Final = 320
LINEAR: Final = 20
"""Up to so many voters every one has a place of its own; beyond, each doubling has."""
OBSERVED: Final = "observed"
STYLES: Final[Mapping[str, tuple[str, list[int], str]]] = {
    OBSERVED: (WRONG, [1, 0], "observed"),
    "correlated": (NULL, [6, 3], "equally correlated"),
    "independent": (NULL, [2, 3], "independent"),
}
"""Colour, dashes and words of each line."""


def worth_chart(errors: MeasurementTable) -> Any:
    """Draw the error of the vote by the number of voters, beside what independent voters would reach.

    Parameters
    ----------
    errors
        `VotingGain.errors` of one unit and system: axis votes; null kinds "independent" and "correlated".

    Returns
    -------
    altair.LayerChart
        The observed line with its interval as a band; predictions dashed and grey; each named at its end.
    """
    import altair as alt

    rows = [
        {**row, "line": row["null_kind"] or OBSERVED}
        for row in rows_of(errors)
        if row["value"] is not None and (row["null_kind"] or OBSERVED) in STYLES
    ]
    lines = [name for name in STYLES if any(row["line"] == name for row in rows)]
    if OBSERVED not in lines:
        return nothing()
    top = top_of(rows)
    most = max(row["votes"] for row in rows)
    across = _votes_axis(most)
    up = alt.Y(
        "value:Q",
        title="vote is wrong",
        scale=alt.Scale(domain=[0, top]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color(
        "line:N", scale=alt.Scale(domain=lines, range=[STYLES[name][0] for name in lines]), legend=None
    )
    banded = [row for row in rows if row["line"] == OBSERVED and row["low"] is not None]
    layers = (
        alt.Chart(data_of(banded))
        .mark_area(opacity=0.15, color=WRONG)
        .encode(x=across, y=alt.Y("low:Q", title="vote is wrong"), y2="high:Q")
    )
    tips = [
        alt.Tooltip("line:N", title="line"),
        alt.Tooltip("votes:Q", title="voters"),
        alt.Tooltip("shown:N", title="vote is wrong"),
    ]
    for name in lines:
        own = alt.Chart(data_of([row for row in rows if row["line"] == name]))
        width = 3 if name == OBSERVED else 1.8
        layers += own.mark_line(strokeDash=STYLES[name][1], strokeWidth=width).encode(
            x=across, y=up, color=colour
        )
        layers += own.mark_point(filled=True, size=46 if name == OBSERVED else 24, opacity=1).encode(
            x=across, y=up, color=colour, tooltip=tips
        )
    text = (
        alt.Chart(data_of(_labels(rows, lines, top)))
        .mark_text(align="left", dx=9, fontWeight="bold")
        .encode(x=across, y=alt.Y("place:Q"), text="label:N", color=colour)
    )
    return finished(layers + text, height=HEIGHT)


def _votes_axis(most: int, *, room: float = 0.0) -> Any:
    import altair as alt

    if most <= LINEAR:
        scale = alt.Scale(domain=[1 - room, max(most, 2) + room], nice=False)
        ticks = list(range(1, most + 1, 1 if most <= 10 else 2))
    else:
        scale = alt.Scale(type="log", base=2, domain=[1 / (1 + room), most * (1 + room)], nice=False)
        ticks = [2**power for power in range(12) if 2**power <= most / 1.3] + [most]
    return alt.X(
        "votes:Q",
        title="voters",
        scale=scale,
        axis=alt.Axis(values=ticks, grid=False, format="d"),
    )


def _labels(rows: Sequence[dict[str, Any]], lines: Sequence[str], top: float) -> list[dict[str, Any]]:
    last = {name: [row for row in rows if row["line"] == name][-1] for name in lines}
    places = spread([last[name]["value"] for name in lines], gap=17 * top / HEIGHT)
    return [
        {
            "line": name,
            "votes": max(row["votes"] for row in last.values()),
            "place": place,
            "label": f"{STYLES[name][2]} {last[name]['shown'].split(' [')[0]}",
        }
        for name, place in zip(lines, places, strict=True)
    ]


def change_chart(changes: MeasurementTable, *, margin: float) -> Any:
    """Draw how much more often fewer voters are wrong than all of them.

    Parameters
    ----------
    changes
        `VotingGain.changes` of one unit and system: axis votes; differences in [-1, 1].
    margin
        What counts as no change, drawn as a dashed line.

    Returns
    -------
    altair.LayerChart
        A point with its interval for each number of voters, in points of a per cent.
    """
    import altair as alt

    rows = [{**row, "told": _points(row)} for row in rows_of(changes) if row["value"] is not None]
    if not rows:
        return nothing()
    across = _votes_axis(max(row["votes"] for row in rows), room=0.3)
    lowest = min(0.0, *(row["low"] for row in rows))
    highest = max(2 * margin, *(row["high"] for row in rows))
    up = alt.Y(
        "value:Q",
        title="wrong more often than with all",
        scale=alt.Scale(domain=[lowest, highest], nice=True),
        axis=alt.Axis(format="+.0%", tickCount=6, domain=False, ticks=False),
    )
    base = alt.Chart(data_of(rows)).encode(x=across)
    bars = base.mark_rule(strokeWidth=5, opacity=0.35, color=WRONG).encode(
        y=alt.Y("low:Q", title="wrong more often than with all"), y2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1, color=WRONG).encode(
        y=up, tooltip=[alt.Tooltip("votes:Q", title="voters"), alt.Tooltip("told:N", title="more often")]
    )
    flat = alt.Chart(data_of([{"at": 0.0}])).mark_rule(color=NULL).encode(y="at:Q")
    limit = alt.Chart(data_of([{"at": margin}])).mark_rule(color=NULL, strokeDash=[6, 3]).encode(y="at:Q")
    words = (
        alt.Chart(data_of([{"at": margin, "words": f"{100 * margin:.0f} point"}]))
        .mark_text(align="right", baseline="bottom", dx=-2, dy=-2, color=MUTED)
        .encode(y="at:Q", x=alt.value("width"), text="words:N")
    )
    return finished(flat + limit + bars + points + words, height=260)


def _points(row: Mapping[str, Any]) -> str:
    return f"{100 * row['value']:.1f} points [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def outside_chart(values: MeasurementTable, words: Mapping[float, str]) -> Any:
    """Draw the share of the vote's error that is removed against the share of items sent outside.

    Parameters
    ----------
    values
        `Escalation.values`: axes quantity, threshold; shares in [0, 1].
    words
        Threshold to its words, beside its point.

    Returns
    -------
    altair.LayerChart
        A point with its interval for each threshold; the dashed line is sending items at random.
    """
    import altair as alt

    sent = {row["threshold"]: row for row in rows_of(values.where(quantity="sent"))}
    rows = [
        {
            **row,
            "sent": sent[row["threshold"]]["value"],
            "told": sent[row["threshold"]]["shown"],
            "words": words.get(row["threshold"], ""),
        }
        for row in rows_of(values.where(quantity="removed"))
        if sent[row["threshold"]]["value"] is not None and (row["value"] is not None or row["high"] == 1)
    ]
    if not rows:
        return nothing("Too few wrong votes: no point can be given.")
    across = alt.X(
        "sent:Q",
        title="items sent outside",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", grid=False, tickCount=5),
    )
    up = alt.Y(
        "value:Q",
        title="of the vote's error removed",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    chance = (
        alt.Chart(data_of([{"sent": 0.0, "value": 0.0}, {"sent": 1.0, "value": 1.0}]))
        .mark_line(color=NULL, strokeDash=[6, 3])
        .encode(x=across, y=up)
    )
    base = alt.Chart(data_of(rows)).encode(x=across)
    bars = base.mark_rule(strokeWidth=5, opacity=0.3, color=INK).encode(
        y=alt.Y("low:Q", title="of the vote's error removed"), y2="high:Q"
    )
    points = base.mark_point(filled=True, size=64, opacity=1, color=INK).encode(
        y=up,
        opacity=alt.condition("isValid(datum.value)", alt.value(1), alt.value(0)),
        tooltip=[
            alt.Tooltip("words:N", title="sent where"),
            alt.Tooltip("told:N", title="items sent"),
            alt.Tooltip("shown:N", title="error removed"),
        ],
    )
    named = [
        {**row, "value": row["low"] if row["value"] is None else row["value"]} for row in rows if row["words"]
    ]
    # a label of a point in the right half stands left of it, so that a narrow page does not cut it off
    for align, away, side in (
        ("left", 9, [row for row in named if row["sent"] <= 0.5]),
        ("right", -9, [row for row in named if row["sent"] > 0.5]),
    ):
        if side:
            chart = alt.Chart(data_of(side)).encode(x=across, y=up, text="words:N")
            chance += haloed(chart, align=align, dx=away, dy=9, color=INK)
    random = alt.Chart(data_of([{"sent": 0.6, "value": 0.56, "words": "items at random"}]))
    chance += haloed(
        random.encode(x=across, y=up, text="words:N"), align="left", baseline="top", dx=8, color=MUTED
    )
    return finished(chance + bars + points, height=HEIGHT)


def haloed(chart: Any, **look: Any) -> Any:
    """Draw words on a rim of the colour of the page, so that a line behind them does not cross them."""
    return chart.mark_text(**{**look, "color": PAPER, "stroke": PAPER, "strokeWidth": 5}) + chart.mark_text(
        **look
    )
