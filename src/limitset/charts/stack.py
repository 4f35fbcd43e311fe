"""Do designs share a default stack, and how alike are two of them, period by period?"""

from __future__ import annotations

from typing import Any, Final

from limitset.charts.shown import number
from limitset.charts.theme import INK, RIGHT, STRATA, WRONG, data_of, finished, nothing, spread
from limitset.core.results import MeasurementTable

HEIGHT: Final = 320
LABEL: Final = 28
"""Pixels from one label of two lines to the next."""
_COLOURS: Final = {
    "have the default stack": INK,
    "core features in common": RIGHT,
    "frontier features in common": WRONG,
}
_SHORT: Final = {
    name: name.split(" ")[0] if name != "have the default stack" else "default" for name in _COLOURS
}
NARROW: Final = 520
"""Pages of fewer pixels have short names at the ends."""


def stack_chart(table: MeasurementTable) -> Any:
    """Draw shares over periods, one line a measure with its band and its name at the end.

    Parameters
    ----------
    table
        Axes period and measure, values in [0, 1], periods in order.

    Returns
    -------
    altair.LayerChart
        The rows under the figure are those of `stack_rows`.
    """
    import altair as alt

    rows = stack_rows(table)
    if not rows:
        return nothing("Too few designs: no point can be given.")
    periods = list(dict.fromkeys(row["period"] for row in rows))
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    rest = iter(STRATA)
    colours = {name: _COLOURS[name] if name in _COLOURS else next(rest) for name in measures}
    x = alt.X(
        "period:O",
        sort=periods,
        title=None,
        axis=alt.Axis(labelAngle=0, grid=False),
        # room for the names at the ends of the lines
        scale=alt.Scale(paddingOuter=0.2),
    )
    y = alt.Y(
        "value:Q",
        title="share",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
    )
    colour = alt.Color(
        "measure:N", scale=alt.Scale(domain=measures, range=list(colours.values())), legend=None
    )
    base = alt.Chart(data_of(rows)).encode(x=x, color=colour, detail="measure:N")
    banded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    band = banded.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", title="share"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y)
    tips = [alt.Tooltip(f"{name}:N") for name in ("measure", "period", "shown")]
    points = base.mark_point(filled=True, size=45, opacity=1).encode(
        y=y,
        shape=alt.Shape("measure:N", legend=None),
        tooltip=[*tips, alt.Tooltip("n:Q", title="designs", format=".0f")],
    )
    words = (
        alt.Chart(data_of(_end_words(rows, measures, periods)))
        .transform_calculate(said=f"containerSize()[0] < {NARROW} ? datum.short : datum.long")
        .mark_text(align="left", dx=9, fontWeight="bold", lineBreak="\n", lineHeight=12)
        .encode(x=x, y=alt.Y("height:Q"), text="said:N", color=colour)
    )
    return finished(band + line + points + words, height=HEIGHT)


def stack_rows(table: MeasurementTable) -> list[dict[str, Any]]:
    """Return the figure's data: measure, period, value, low, high, n; points without a value are left out."""
    found = []
    for row in table.rows():
        if not row.blank:
            width = row.high - row.low
            ends = f" [{number(row.low, width)}, {number(row.high, width)}]" if row.bounded else ""
            found.append(
                {
                    "measure": row.parameters["measure"],
                    "period": row.parameters["period"],
                    "value": round(row.value, 4),
                    "low": round(row.low, 4) if row.bounded else None,
                    "high": round(row.high, 4) if row.bounded else None,
                    "n": row.n,
                    "shown": f"{number(row.value, width)}{ends}",
                }
            )
    return found


def _end_words(rows: list[dict[str, Any]], measures: list[str], periods: list[str]) -> list[dict[str, Any]]:
    of_measure = {name: [row for row in rows if row["measure"] == name] for name in measures}
    ends = [max(of_measure[name], key=lambda row: periods.index(row["period"])) for name in measures]
    heights = spread([row["value"] for row in ends], gap=LABEL / HEIGHT)
    return [
        {
            "measure": row["measure"],
            # two lines: one would leave the picture
            "long": str(row["measure"])
            .replace(" in common", "\nin common")
            .replace("the default", "the\ndefault"),
            "short": _SHORT.get(row["measure"], row["measure"]),
            "period": row["period"],
            "height": round(height, 4),
        }
        for row, height in zip(ends, heights, strict=True)
    ]
