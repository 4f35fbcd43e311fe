"""What curve lies behind a verdict?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import INK, SHAPES, STRATA, data_of, finished, nothing, spread

HEIGHT: Final = 320
MANY: Final = 8
"""Lines that have a colour and a label of their own; more are drawn alike, and told on hover."""


@dataclass(frozen=True, kw_only=True)
class CurveAxes:
    """What runs across, what makes one line, and whether what runs across is a number."""

    across: str
    lines: tuple[str, ...]
    numeric: bool
    words: str = ""
    """Title of what runs across; its name where it is empty."""


def claim_curve_chart(rows: Sequence[Mapping[str, Any]], axes: CurveAxes, *, measured: str) -> Any:
    """Draw numbers with their intervals, one line for each combination of the other axes.

    Parameters
    ----------
    rows
        Records with across, line (its name), value, low, high (None where there is none), n.
    axes
        What the records are about.
    measured
        Title of the values.

    Returns
    -------
    altair.LayerChart
        Lines with bands over numbers, points with intervals over names; up to eight lines are named at
        their ends.
    """
    import altair as alt

    drawn = [
        {**row, "line": visible(str(row["line"])), "across": _plain(row["across"])}
        for row in rows
        if row["value"] is not None and row["across"] is not None
    ]
    if not drawn:
        return nothing("Every number of this curve is blank.")
    names = list(dict.fromkeys(row["line"] for row in drawn))
    kind, across_words = ("Q", "N"), visible(axes.words or axes.across.replace("_", " "))
    x = alt.X(
        f"across:{kind[not axes.numeric]}",
        title=across_words,
        sort=None,
        scale=alt.Scale(zero=False) if axes.numeric else alt.Undefined,
        axis=alt.Axis(grid=False, labelAngle=0),
    )
    y = alt.Y("value:Q", title=visible(measured), scale=alt.Scale(zero=False))
    few = len(names) <= MANY
    ranges = [STRATA[place % len(STRATA)] for place in range(len(names))] if len(names) > 1 else [INK]
    colour = (
        alt.Color("line:N", scale=alt.Scale(domain=names, range=ranges), legend=None)
        if few
        else alt.value(INK)
    )
    shape = alt.Shape(
        "line:N",
        scale=alt.Scale(domain=names, range=[SHAPES[place % len(SHAPES)] for place in range(len(names))]),
        legend=None,
    )
    tips = [alt.Tooltip("line:N"), alt.Tooltip("across:N", title=across_words)]
    tips += [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("value", "low", "high", "n")]
    base = alt.Chart(data_of(drawn)).encode(x=x, color=colour, detail="line:N")
    known = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    if axes.numeric:
        layers = known.mark_area(opacity=0.13 if few else 0.04).encode(
            y=alt.Y("low:Q", title=visible(measured)), y2="high:Q"
        )
        layers += base.mark_line(strokeWidth=2).encode(y=y)
    else:
        layers = known.mark_rule(strokeWidth=2, opacity=0.7).encode(
            y=alt.Y("low:Q", title=visible(measured)), y2="high:Q"
        )
    layers += base.mark_point(filled=True, size=50, opacity=1).encode(y=y, shape=shape, tooltip=tips)
    if few and len(names) > 1 and axes.numeric:
        layers += _ends(drawn, names, x, colour)
    elif few and len(names) > 1:
        labels = base.encode(color=alt.Color("line:N", legend=alt.Legend(title=None, columns=2)))
        layers += labels.mark_point(opacity=0).encode(y=y)
    return finished(layers, height=HEIGHT)


def _ends(rows: Sequence[Mapping[str, Any]], names: Sequence[str], x: Any, colour: Any) -> Any:
    import altair as alt

    ends = {name: [row for row in rows if row["line"] == name][-1] for name in names}
    values = [row[name] for row in rows for name in ("value", "low", "high") if row[name] is not None]
    low, reach = min(values), (max(values) - min(values)) or 1.0
    heights = spread([(ends[name]["value"] - low) / reach for name in names], gap=15 / HEIGHT)
    labels = [
        {"line": name, "across": ends[name]["across"], "y": low + reach * height, "label": name}
        for name, height in zip(names, heights, strict=True)
    ]
    words = alt.Chart(data_of(labels)).mark_text(align="left", dx=8, fontSize=11, limit=150)
    return words.encode(x=x, y=alt.Y("y:Q"), text="label:N", color=colour)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else visible(str(value))
