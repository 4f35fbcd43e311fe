"""How are values against layers, steps or epochs drawn: lines with bands, each named where it ends?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import number
from limitset.charts.theme import data_of, finished, nothing, spread

HEIGHT: Final = 320


def line_chart(
    rows: Sequence[dict[str, Any]],
    colours: Mapping[str, str],
    *,
    x: str,
    x_title: str,
    y_title: str,
    dashed: tuple[str, ...],
    log_y: bool = False,
    log_x: bool = False,
    empty: str = "No text was long enough: no point can be given.",
) -> Any:
    """Draw rows with line, value, low, high and n; points without a value are left out.

    Parameters
    ----------
    rows
        As `limitset.charts.shown.rows_of` gives them, with `line` added.
    colours
        Line to its colour; lines are drawn in this order.
    x, x_title, y_title
        What stands across, and what the axes are called.
    dashed
        Lines drawn dashed: nulls and controls.
    log_y, log_x
        Which axes are logarithmic; an upright axis that is not goes from 0 to 1 in per cent.
    empty
        What stands there when no row has a value.
    """
    import altair as alt

    rows = [row for row in rows if row["value"] is not None and (row["value"] > 0 or not log_y)]
    if not rows:
        return nothing(empty)
    names = [name for name in colours if any(row["line"] == name for row in rows)]
    for row in rows:
        row["shown"] = number(row["value"])
        if log_y and row["low"] is not None:
            row["low"] = max(row["low"], min(other["value"] for other in rows) / 2)
    first, last = min(row[x] for row in rows), max(row[x] for row in rows)
    scale = (
        alt.Scale(type="log", base=2, nice=False, domain=[first, last])
        if log_x
        else alt.Scale(domain=[first, last], nice=False)
    )
    across = alt.X(f"{x}:Q", title=x_title, scale=scale, axis=alt.Axis(grid=False, format="d"))
    up = alt.Y(
        "value:Q",
        title=y_title,
        scale=alt.Scale(type="log") if log_y else alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="~g" if log_y else "%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color(
        "line:N", scale=alt.Scale(domain=names, range=[colours[name] for name in names]), legend=None
    )
    dash = alt.StrokeDash(
        "line:N",
        scale=alt.Scale(domain=names, range=[[5, 3] if name in dashed else [1, 0] for name in names]),
        legend=None,
    )
    base = alt.Chart(data_of(rows)).encode(x=across, color=colour, detail="line:N")
    banded = [row for row in rows if row["low"] is not None and row["high"] is not None]
    band = (
        alt.Chart(data_of(banded))
        .mark_area(opacity=0.13)
        .encode(x=across, y=alt.Y("low:Q", title=y_title), y2="high:Q", color=colour, detail="line:N")
    )
    line = base.mark_line(strokeWidth=2.2).encode(y=up, strokeDash=dash)
    tips = [
        alt.Tooltip("line:N", title="of"),
        alt.Tooltip(f"{x}:Q", title=x_title),
        alt.Tooltip("shown:N", title=y_title),
        alt.Tooltip("n:Q", title="n", format=".0f"),
    ]
    points = base.mark_point(filled=True, opacity=0, size=90).encode(y=up, tooltip=tips)
    words = _end_words(rows, names, x=x, last=last, log_y=log_y)
    text = (
        alt.Chart(data_of(words))
        .mark_text(align="left", dx=9, fontWeight="bold")
        .encode(x=across, y=alt.Y("place:Q"), text="label:N", color=colour)
    )
    return finished(band + line + points + text, height=HEIGHT)


def _end_words(
    rows: Sequence[dict[str, Any]], names: Sequence[str], *, x: str, last: float, log_y: bool
) -> list[dict[str, Any]]:
    """Name each line where it ends; those that end together are moved apart."""
    ends = {name: max((row for row in rows if row["line"] == name), key=lambda row: row[x]) for name in names}
    at_last = [name for name in names if ends[name][x] == last]
    words = [{"line": name, x: ends[name][x], "place": ends[name]["value"], "label": name} for name in names]
    if not at_last:
        return words
    values = [math.log(row["value"]) if log_y else row["value"] for row in rows]
    gap = (18 / HEIGHT) * ((max(values) - min(values)) or 1.0 if log_y else 1.0)
    heights = [math.log(ends[name]["value"]) if log_y else ends[name]["value"] for name in at_last]
    floor = min(heights)
    # `spread` keeps labels above zero, so logarithms are measured from the lowest
    places = [place + floor for place in spread([height - floor for height in heights], gap=gap)]
    moved = dict(zip(at_last, places, strict=True))
    for word in words:
        if word["line"] in moved:
            place = moved[word["line"]]
            word["place"] = math.exp(place) if log_y else place
    return words
