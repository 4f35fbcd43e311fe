"""Does voting over more runs remove the error, or does it survive?"""

from __future__ import annotations

from typing import Any

from limitset.charts.shown import rows_of
from limitset.charts.theme import (
    FIELDS_OF_ALL,
    colour_of,
    data_of,
    finished,
    nothing,
    scale_of,
    spread,
    top_of,
)
from limitset.core.results import MeasurementTable

HEIGHT = 320


def survival_chart(curve: MeasurementTable, *, system: str = "all") -> Any:
    """Draw the error of the plurality against the number of votes.

    Parameters
    ----------
    curve
        `SurvivingError.curve`: axes system, stratum, votes; values are shares in [0, 1].
    system
        Whose runs vote; "all" is the whole design.

    Returns
    -------
    altair.LayerChart
        One line a stratum with its interval as a band, labelled at its end.
    """
    table = curve.where(system=system)
    rows = [row for row in rows_of(table) if row["value"] is not None]
    if not rows:
        return nothing()
    names = list(dict.fromkeys(row["stratum"] for row in rows))
    return lines(
        rows,
        names,
        x="votes",
        x_title="runs that vote",
        y_title="plurality is wrong",
        ends=_ends(rows, names),
    )


def _ends(rows: list[dict[str, Any]], names: list[str]) -> dict[str, str]:
    last = {row["stratum"]: row for row in rows}
    return {name: last[name]["shown"].split(" [")[0] for name in names}


def lines(
    rows: list[dict[str, Any]],
    names: list[str],
    *,
    x: str,
    x_title: str,
    y_title: str,
    ends: dict[str, str],
) -> Any:
    """Draw lines over a logarithmic count axis with bands and end labels."""
    import altair as alt

    top = top_of(rows)
    counts = sorted({row[x] for row in rows})
    ticks = [count for count in counts if count in _round_counts(counts)]
    colours = colour_of(names)
    across = alt.X(
        f"{x}:Q",
        title=x_title,
        scale=alt.Scale(type="log", base=2, domain=[counts[0], counts[-1]], nice=False)
        if len(counts) > 1
        else alt.Undefined,
        axis=alt.Axis(values=ticks, grid=False, format="d"),
    )
    up = alt.Y(
        "value:Q",
        title=y_title,
        scale=alt.Scale(domain=[0, top]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color("stratum:N", scale=scale_of(colours), legend=None)
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour)
    banded = [row for row in rows if row["low"] is not None and row["high"] is not None]
    band = (
        alt.Chart(data_of(banded))
        .mark_area(opacity=0.13)
        .encode(x=across, y=alt.Y("low:Q", title=y_title), y2="high:Q", color=colour, detail="stratum:N")
    )
    heavy = alt.condition(f"datum.stratum == '{FIELDS_OF_ALL}'", alt.value(3), alt.value(1.8))
    line = base.mark_line(interpolate="monotone").encode(y=up, strokeWidth=heavy)
    tips = [
        alt.Tooltip("stratum:N", title="questions"),
        alt.Tooltip(f"{x}:Q", title=x_title),
        alt.Tooltip("shown:N", title=y_title),
        alt.Tooltip("n:Q", title="n", format=".0f"),
    ]
    points = base.mark_point(filled=True, size=46, opacity=1).encode(y=up, shape=_shape(names), tooltip=tips)
    labels = end_labels(rows, names, x=x, ends=ends, top=top, height=HEIGHT)
    text = (
        alt.Chart(data_of(labels))
        .mark_text(align="left", dx=9, fontWeight="bold")
        .encode(x=across, y=alt.Y("place:Q"), text="label:N", color=colour)
    )
    return finished(band + line + points + text, height=HEIGHT)


def end_labels(
    rows: list[dict[str, Any]], names: list[str], *, x: str, ends: dict[str, str], top: float, height: int
) -> list[dict[str, Any]]:
    """Return the labels at the right ends of lines, moved apart."""
    last = {name: [row for row in rows if row["stratum"] == name][-1] for name in names}
    places = spread([last[name]["value"] for name in names], gap=17 * top / height)
    return [
        {"stratum": name, x: last[name][x], "place": place, "label": f"{_short(name)} {ends[name]}"}
        for name, place in zip(names, places, strict=True)
    ]


def _short(name: str) -> str:
    name = "all questions" if name == FIELDS_OF_ALL else name
    return name if len(name) <= 18 else name[:17] + "…"


def _shape(names: list[str]) -> Any:
    import altair as alt

    from limitset.charts.theme import SHAPES

    shapes = [SHAPES[place % len(SHAPES)] for place in range(len(names))]
    return alt.Shape("stratum:N", scale=alt.Scale(domain=names, range=shapes), legend=None)


def _round_counts(counts: list[float]) -> set[float]:
    powers = {float(2**power) for power in range(12)}
    return powers | {counts[0], counts[-1]} - {
        count
        for count in (counts[-1],)
        if any(1 < count / power < 1.3 for power in powers if power in counts)
    }
