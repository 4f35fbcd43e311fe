"""Which kind of looped model settles, and which is right: every cell in two halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.shown import visible
from limitset.charts.theme import INK, NULL, ON_COLOUR, RIGHT, data_of, finished, nothing

SETTLED: Final = "settled"
CORRECT: Final = "right"
CELL: Final = 62
"""Height of a cell in pixels."""
NARROW: Final = 45
"""Half cells of fewer pixels hold a number only: no word, no sign of percent."""
_DEEP: Final = 0.55
"""Shares from here on stand on a ground so dark that words must be light."""
_INNER: Final = 0.92
"""Part of a column that its cell fills."""
_LETTER: Final = 6
"""Pixels of a letter of the words in a cell."""


def phase_chart(cells: Sequence[Mapping[str, Any]], *, right_word: str = CORRECT) -> Any:
    """Draw rows by columns of nets, the left half of a cell *settled*, the right half *right*.

    Parameters
    ----------
    cells
        Records with row, column, settled, right (shares in [0, 1] or None), settled_shown, right_shown (with
        their intervals) and decision. Row names break at ", ".
    right_word
        What the right half shows, where it is not rightness.

    Returns
    -------
    altair.LayerChart
        A cell that settles and is wrong is full on the left and empty on the right. Where halves are narrower
        than `NARROW` pixels, they hold whole percents without words.
    """
    import altair as alt

    if not cells:
        return nothing("No cell is finished.")
    rows = [half for cell in cells for half in _halves(cell, right_word)]
    words = [SETTLED, right_word]
    lines = list(dict.fromkeys(row["row"] for row in rows))
    columns = list(dict.fromkeys(row["column"] for row in rows))
    half = f"(width * {_INNER} / {2 * len(columns)})"
    narrow = f"{half} < {NARROW}"
    room = _LETTER * max(len(word) for word in words) + 4
    worded = f"{half} >= {max(room, NARROW)}"
    x = alt.X(
        "column:N",
        sort=columns,
        title=f"left half: {SETTLED}, right half: {right_word} (%)",
        scale=alt.Scale(paddingInner=1 - _INNER, paddingOuter=0.02),
        axis=alt.Axis(
            labelAngle=0,
            ticks=False,
            domain=False,
            orient="top",
            labelLimit=160,
            labelFontSize=alt.ExprRef(f"{narrow} ? 10 : 12"),
            # where the words stand in the cells nothing needs to say them again
            titleFontSize=alt.ExprRef(f"{worded} ? 1 : 11"),
            titleOpacity=alt.ExprRef(f"{worded} ? 0 : 1"),
        ),
    )
    offset = alt.XOffset("half:N", sort=words, scale=alt.Scale(domain=words))
    y = alt.Y(
        "row:N",
        sort=lines,
        title=None,
        scale=alt.Scale(paddingInner=0.08),
        axis=alt.Axis(
            ticks=False,
            domain=False,
            labelLimit=160,
            labelExpr="split(datum.label, ', ')",
        ),
    )
    base = alt.Chart(data_of(rows)).encode(x=x, xOffset=offset, y=y)
    ground = base.mark_rect(stroke=NULL, strokeWidth=0.7).encode(
        fill=alt.Fill("half:N", scale=alt.Scale(domain=words, range=[INK, RIGHT]), legend=None),
        fillOpacity=alt.FillOpacity(
            "value:Q", scale=alt.Scale(domain=[0, 1], range=[0.02, 0.95]), legend=None
        ),
        tooltip=[
            alt.Tooltip("row:N", title="normalization"),
            alt.Tooltip("column:N", title="input"),
            alt.Tooltip("half:N", title="share"),
            alt.Tooltip("shown:N", title="value"),
            alt.Tooltip("decision:N", title="so"),
        ],
    )
    ink = alt.condition(f"datum.value >= {_DEEP}", alt.value(ON_COLOUR), alt.value(INK))
    written = base.transform_calculate(
        said=f"{narrow} ? datum.short : datum.label", head=f"{worded} ? datum.half : ''"
    )
    shares = written.mark_text(
        fontSize=alt.ExprRef(f"{narrow} ? 11 : 13"),
        fontWeight="bold",
        dy=alt.ExprRef(f"{worded} ? 6 : 0"),
    ).encode(text="said:N", color=ink)
    heads = written.mark_text(fontSize=10, dy=-12).encode(text="head:N", color=ink)
    return finished(ground + shares + heads, height=CELL * len(lines) + 30)


def _halves(cell: Mapping[str, Any], right_word: str) -> list[dict[str, Any]]:
    shared = {name: visible(str(cell.get(name, ""))) for name in ("row", "column", "decision")}
    return [
        {
            **shared,
            "half": word,
            "value": cell[name],
            "shown": cell[f"{name}_shown"],
            "label": "no anchor" if cell[name] is None else f"{100 * cell[name]:.0f} %",
            "short": "–" if cell[name] is None else f"{100 * cell[name]:.0f}",
        }
        for word, name in ((SETTLED, "settled"), (right_word, "right"))
    ]
