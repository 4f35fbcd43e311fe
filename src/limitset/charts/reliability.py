"""How often does a system agree with itself, and how far can one draw of it, and k, be trusted?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing
from limitset.core.results import MeasurementTable

MOST_SYSTEMS = 16
"""More bars than this cannot be read; the systems at both ends are drawn."""
ACROSS = "two runs of a question give the same answer"
_PART = {"agree right": "same answer, right", "agree wrong": "same answer, wrong", "agree": "same answer"}


def self_agreement_chart(values: MeasurementTable) -> Any:
    """Draw how often each system agrees with itself, split into right and wrong where that is known.

    Parameters
    ----------
    values
        `SelfAgreement.values`: axes system, stratum, part; the rows of all questions are drawn.

    Returns
    -------
    altair.LayerChart
        One bar a system, the least steady first; the line is the 95 % interval of agreeing at all. A system
        for which only a bound is known has no bar, but a dashed line over what is possible.
    """
    import altair as alt

    rows = [row for row in rows_of(values.where(stratum="all")) if row["system"] != "all"]
    whole = [row for row in rows if row["part"] == "agree" and row["high"] is not None]
    whole = at_both_ends(sorted(whole, key=_steadiness))
    if not whole:
        return nothing("No question was asked twice.")
    order = [row["system"] for row in whole]
    parts = _parts(rows, order)
    domain = [name for name in _PART.values() if any(part["part"] == name for part in parts)]
    colours = {_PART["agree right"]: RIGHT, _PART["agree wrong"]: WRONG, _PART["agree"]: MUTED}
    up = alt.Y("system:N", sort=order, title=None, axis=None)
    across = alt.X(
        "from:Q",
        title=ACROSS,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    tips = [
        alt.Tooltip("system:N", title="runs of"),
        alt.Tooltip("part:N", title="they give the"),
        alt.Tooltip("shown:N", title="share"),
        alt.Tooltip("n:Q", title="questions", format=".0f"),
    ]
    bars = (
        alt.Chart(data_of(parts))
        .mark_bar(height=18)
        .encode(
            y=up,
            x=across,
            x2="to:Q",
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=domain, range=[colours[name] for name in domain]),
                legend=alt.Legend(title=None, symbolType="square"),
            ),
            tooltip=tips,
        )
    )
    known = [row for row in whole if row["value"] is not None]
    bound = [row for row in whole if row["value"] is None]
    layers = bars if parts else None
    for some, colour, dash in ((known, INK, [1, 0]), (bound, MUTED, [4, 3])):
        if some:
            rule = _rule(some, order, colour, dash)
            layers = rule if layers is None else layers + rule
    names = [{"system": row["system"], "words": f"{row['system']}: {row['shown']}"} for row in whole]
    text = (
        alt.Chart(data_of(names))
        .mark_text(align="left", baseline="bottom", dy=-11, color=INK)
        .encode(y=up, x=alt.value(0), text="words:N")
    )
    return finished(layers + text, height=44 * len(order) + 20)


def draws_chart(own: MeasurementTable) -> Any:
    """Draw the reliability of one draw and of the mean of k, system by system.

    Parameters
    ----------
    own
        `Reliability.own`: axes system, draws; rows of the null "no_reliability" give the grey range.

    Returns
    -------
    altair.LayerChart
        Two marks a system with their 95 % intervals; grey and dashed: where one draw of a coin would fall.
    """
    import altair as alt

    rows = [row for row in rows_of(own) if row["value"] is not None]
    measured = [row for row in rows if row["null_kind"] == ""]
    first = {row["system"]: row["value"] for row in measured if row["draws"] == 1}
    order = [
        row["system"]
        for row in at_both_ends([{"system": name} for name in sorted(first, key=first.__getitem__)])
    ]
    if not order:
        return nothing("No reliability can be given.")
    shown = [
        {**row, "place": "one draw" if row["draws"] == 1 else "the mean of all draws"}
        for row in measured
        if row["system"] in order
    ]
    nulls = [row for row in rows if row["null_kind"] and row["draws"] == 1 and row["system"] in order]
    lows = [row["low"] for row in (*shown, *nulls) if row["low"] is not None]
    least = max(-1.0, min([0.0, *lows]))
    up = alt.Y("system:N", sort=order, title=None, axis=None)
    scale = alt.Scale(domain=[least, 1], clamp=True)
    across = alt.X("value:Q", title="reliability", scale=scale, axis=alt.Axis(tickCount=5))
    kinds = ["one draw", "the mean of all draws"]
    colour = alt.Color(
        "place:N",
        scale=alt.Scale(domain=kinds, range=[MUTED, INK]),
        legend=alt.Legend(title=None),
    )
    grey = (
        alt.Chart(data_of(nulls))
        .mark_rule(color=NULL, strokeDash=[4, 3], strokeWidth=1.5)
        .encode(y=up, x=alt.X("low:Q", scale=scale), x2="high:Q")
    )
    base = alt.Chart(data_of(shown)).encode(y=up, color=colour)
    lines = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    tips = [
        alt.Tooltip("system:N", title="draws of"),
        alt.Tooltip("draws:Q", title="draws"),
        alt.Tooltip("value:Q", title="reliability", format=".3f"),
        alt.Tooltip("n:Q", title="questions", format=".0f"),
    ]
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=across,
        shape=alt.Shape(
            "place:N",
            scale=alt.Scale(domain=kinds, range=["circle", "diamond"]),
            legend=alt.Legend(title=None),
        ),
        tooltip=tips,
    )
    text = (
        alt.Chart(data_of([{"system": name} for name in order]))
        .mark_text(align="left", baseline="bottom", dy=-9, color=INK)
        .encode(y=up, x=alt.value(0), text="system:N")
    )
    layers = lines + points + text
    return finished(grey + layers if nulls else layers, height=44 * len(order) + 20)


def at_both_ends(rows: Sequence[dict[str, Any]], most: int = MOST_SYSTEMS) -> list[dict[str, Any]]:
    """Keep the first and the last half of a list that is too long to draw.

    Examples
    --------
    >>> [row["n"] for row in at_both_ends([{"n": n} for n in range(40)], 4)]
    [0, 1, 38, 39]
    """
    if len(rows) <= most:
        return list(rows)
    return [*rows[: most // 2], *rows[len(rows) - most // 2 :]]


def _steadiness(row: dict[str, Any]) -> float:
    return float(row["low"] if row["value"] is None else row["value"])


def _parts(rows: Sequence[dict[str, Any]], order: Sequence[str]) -> list[dict[str, Any]]:
    placed = []
    for system in order:
        own = {row["part"]: row for row in rows if row["system"] == system and row["value"] is not None}
        if "agree" not in own:
            continue
        end = own["agree"]["value"]
        if "agree right" not in own and "agree wrong" not in own:
            placed.append({**own["agree"], "part": _PART["agree"], "from": 0.0, "to": end})
            continue
        # the two parts sum to the whole, so that a part with nothing but a bound has a place all the same
        middle = own["agree right"]["value"] if "agree right" in own else end - own["agree wrong"]["value"]
        for outcome, start, stop in (("agree right", 0.0, middle), ("agree wrong", middle, end)):
            row = own.get(outcome, {**own["agree"], "shown": "too few questions for a rate"})
            placed.append({**row, "part": _PART[outcome], "from": start, "to": stop})
    return placed


def _rule(rows: Sequence[dict[str, Any]], order: Sequence[str], colour: str, dash: list[int]) -> Any:
    import altair as alt

    # title and axis are those of the bars: layers that differ in them cannot be merged
    return (
        alt.Chart(data_of(rows))
        .mark_rule(color=colour, strokeWidth=2, strokeDash=dash)
        .encode(
            y=alt.Y("system:N", sort=list(order), title=None, axis=None),
            x=alt.X("low:Q", title=ACROSS),
            x2="high:Q",
        )
    )
