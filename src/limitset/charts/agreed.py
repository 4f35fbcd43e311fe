"""How often is the answer wrong when this many runs agree on it?"""

from __future__ import annotations

from typing import Any

from limitset.charts.shown import rows_of
from limitset.charts.survival import end_labels
from limitset.charts.theme import (
    FIELDS_OF_ALL,
    SHAPES,
    colour_of,
    data_of,
    finished,
    nothing,
    scale_of,
    top_of,
)
from limitset.core.results import MeasurementTable

HEIGHT = 320
MOST = 6
"""Strata up to which the number stands under the name."""
LETTER = 7.2
"""Width of a bold letter, in pixels."""
TELLING = 0.5
"""An upper bound from here on says too little to be drawn."""
TELLING_LOW = 0.1
"""A lower bound up to here says too little to be drawn."""


def agreed_chart(
    rates: MeasurementTable,
    coverage: MeasurementTable | None = None,
    *,
    words: str = "the agreed answer is wrong",
) -> Any:
    """Draw wrong-when-agreed against the share of runs that must agree.

    Parameters
    ----------
    rates, coverage
        `WrongWhenAgreed.rates` and `.coverage`: axes stratum, threshold; values are shares in [0, 1]. The
        area of a mark is its coverage: the share of questions on which so many runs agree.
    words
        What the values are, beside the axis.

    Returns
    -------
    altair.LayerChart
        One line a stratum, as far as a rate can be given. Strata without any rate, and all questions past
        their last rate, show their bounds: a hollow mark with a stem, pointing down from an upper one and up
        from a lower one.
    """
    import altair as alt

    rows = _rows(rates, coverage)
    drawn = [row for row in rows if row["value"] is not None]
    told = {row["stratum"]: row["threshold"] for row in drawn}
    bounds = [
        row
        for row in bounds_of(rows)
        if row["stratum"] not in told
        # what the title says of all questions may be a bound
        or (row["stratum"] == FIELDS_OF_ALL and row["threshold"] > told[FIELDS_OF_ALL])
    ]
    if not drawn and not bounds:
        return nothing()
    names = list(dict.fromkeys(row["stratum"] for row in rows))
    top = top_of(rows, least=0.2)
    colour = alt.Color("stratum:N", scale=scale_of(colour_of(names)), legend=None)
    lowest = min((row["threshold"] for row in rows), default=0.0)
    across = alt.X(
        "threshold:Q",
        title="share of runs that agree, at least",
        scale=alt.Scale(
            domainMin=lowest, domainMax=alt.ExprRef(_room([*drawn, *bounds], lowest)), nice=False
        ),
        axis=alt.Axis(format="%", grid=False, values=[eighth / 8 for eighth in range(0, 9, 2)]),
    )
    up = alt.Y(
        "value:Q",
        title=words,
        scale=alt.Scale(domain=[0, top]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    base = alt.Chart(data_of(drawn)).encode(x=across, color=colour)
    whole = [row for row in drawn if row["low"] is not None and row["high"] is not None]
    band = (
        alt.Chart(data_of(whole))
        .mark_area(opacity=0.12)
        .encode(x=across, y=alt.Y("low:Q"), y2="high:Q", color=colour, detail="stratum:N")
    )
    line = base.mark_line().encode(
        y=up, strokeWidth=alt.condition("datum.stratum == 'all'", alt.value(3), alt.value(1.8))
    )
    shape = alt.Shape(
        "stratum:N",
        scale=alt.Scale(domain=names, range=[SHAPES[i % len(SHAPES)] for i in range(len(names))]),
        legend=None,
    )
    size = alt.Size("coverage:Q", scale=alt.Scale(domain=[0, 1], range=[12, 260]), legend=None)
    tips = [
        alt.Tooltip("stratum:N", title="questions"),
        alt.Tooltip("threshold:Q", title="runs that agree, at least", format=".0%"),
        alt.Tooltip("shown:N", title=words),
        alt.Tooltip("covered:N", title="questions covered"),
        alt.Tooltip("n:Q", title="n", format=".0f"),
        alt.Tooltip("blank_reason:N", title="blank because"),
    ]
    points = base.mark_point(filled=True, opacity=0.95).encode(y=up, shape=shape, size=size, tooltip=tips)
    layers = band + line + points
    if bounds:
        layers = layers + bound_marks(bounds, across, colour, tips)
    ends = {row["stratum"]: row["shown"].split(" [")[0] for row in drawn}
    # strata that end in bounds are named at their last bound
    last = {row["stratum"]: {**row, "value": row["bound"]} for row in bounds}
    ends |= {name: row["shown"] for name, row in last.items()}
    # half as high, so that two lines of words have room; not where there are many strata
    high = HEIGHT // 2 if len(ends) <= MOST else HEIGHT
    labels = end_labels([*drawn, *last.values()], list(ends), x="threshold", ends=ends, top=top, height=high)
    broken = [
        {**row, "words": _broken(row["label"], ends[row["stratum"]]) if high < HEIGHT else row["label"]}
        for row in labels
    ]
    text = (
        alt.Chart(data_of(broken))
        .mark_text(
            align="left", baseline="middle", lineBreak="\n", dx=12, dy=-7 * (high < HEIGHT), fontWeight="bold"
        )
        .encode(x=across, y="place:Q", text="words:N", color=colour)
    )
    return finished(layers + text, height=HEIGHT)


def _room(rows: list[dict[str, Any]], lowest: float) -> str:
    """Return the end of the axis, as an expression: past 1, so far that every label has room."""
    last = {row["stratum"]: row["threshold"] for row in rows}
    ends = ["1.03"]
    for name, threshold in last.items():
        wide = 22 + LETTER * max(min(len(name), 18), len("at least 99 %"))
        ends.append(f"{lowest} + {threshold - lowest + 1e-6:.6g} / max(0.3, 1 - {wide:.0f} / width)")
    return f"max({', '.join(ends)})"


def _broken(label: str, end: str) -> str:
    """Put the number of a label under its name."""
    return f"{label.removesuffix(end).rstrip()}\n{end}"


def bounds_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the blank rows whose bound says something, with the bound and the way that its mark points."""
    blank = [row for row in rows if row["value"] is None and row["high"] is not None]
    upper = [{**row, "bound": row["high"], "points": "down"} for row in blank if row["high"] < TELLING]
    lower = [
        {**row, "bound": row["low"], "points": "up"}
        for row in blank
        if row["high"] >= 1 and (row["low"] or 0) > TELLING_LOW
    ]
    return [*upper, *lower]


def by_way(bounds: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the shape and the rows of upper and of lower bounds: triangles point where the value may lie.

    One layer each, because a scale of shapes would be shared with the shapes of the strata.
    """
    return [
        (f"triangle-{way}", rows)
        for way in ("down", "up")
        if (rows := [row for row in bounds if row["points"] == way])
    ]


def bound_marks(rows: list[dict[str, Any]], across: Any, colour: Any, tips: list[Any]) -> Any:
    """Draw the bounds of blank values: a dotted stem over what the value may be, and a hollow mark."""
    import altair as alt

    rows = [{**row, "end": 0 if row["points"] == "down" else 1} for row in rows]
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour)
    layers = base.mark_rule(strokeDash=[1, 4], strokeWidth=1.2).encode(y=alt.Y("end:Q"), y2="bound:Q")
    for shape, some in by_way(rows):
        head = alt.Chart(data_of(some)).mark_point(shape=shape, filled=False, size=46, opacity=1)
        layers = layers + head.encode(x=across, color=colour, y=alt.Y("bound:Q"), tooltip=tips)
    return layers


def _rows(rates: MeasurementTable, coverage: MeasurementTable | None) -> list[dict[str, Any]]:
    covered = {} if coverage is None else {_place(row): row for row in rows_of(coverage)}
    rows = []
    for row in rows_of(rates):
        beside = covered.get(_place(row), {})
        share = beside.get("value")
        rows.append({**row, "coverage": 0.2 if share is None else share, "covered": beside.get("shown", "")})
    return rows


def _place(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["stratum"], row["threshold"]
