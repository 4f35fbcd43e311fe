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
_DEEP: Final = 0.55
"""Shares from here on stand on a ground so dark that words must be light."""


def phase_chart(cells: Sequence[Mapping[str, Any]], *, right_word: str = CORRECT) -> Any:
    """Draw rows by columns of nets, the left half of a cell *settled*, the right half *right*.

    Parameters
    ----------
    cells
        Records with row, column, settled, right (shares in [0, 1] or None), settled_shown, right_shown (with
        their intervals) and decision.
    right_word
        What the right half shows, where it is not rightness.

    Returns
    -------
    altair.LayerChart
        A cell that settles and is wrong is dark on the left and pale on the right.
    """
    import altair as alt

    if not cells:
        return nothing("No cell is finished.")
    rows = [half for cell in cells for half in _halves(cell, right_word)]
    words = [SETTLED, right_word]
    lines = list(dict.fromkeys(row["row"] for row in rows))
    x = alt.X(
        "column:N",
        sort=list(dict.fromkeys(row["column"] for row in rows)),
        title=None,
        scale=alt.Scale(paddingInner=0.08, paddingOuter=0.02),
        axis=alt.Axis(labelAngle=0, ticks=False, domain=False, orient="top", labelLimit=160),
    )
    offset = alt.XOffset("half:N", sort=words, scale=alt.Scale(domain=words))
    y = alt.Y(
        "row:N",
        sort=lines,
        title=None,
        scale=alt.Scale(paddingInner=0.08),
        axis=alt.Axis(ticks=False, domain=False, labelLimit=160),
    )
    base = alt.Chart(data_of(rows)).encode(x=x, xOffset=offset, y=y)
    ground = base.mark_rect(stroke=NULL, strokeWidth=0.7).encode(
        fill=alt.Fill("half:N", scale=alt.Scale(domain=words, range=[INK, RIGHT]), legend=None),
        fillOpacity=alt.FillOpacity(
            "value:Q", scale=alt.Scale(domain=[0, 1], range=[0.02, 0.95]), legend=None
        ),
        tooltip=[
            alt.Tooltip("row:N", title="normalization"),
            alt.Tooltip("column:N", title="injection"),
            alt.Tooltip("half:N", title="share"),
            alt.Tooltip("shown:N", title="value"),
            alt.Tooltip("decision:N", title="so"),
        ],
    )
    ink = alt.condition(f"datum.value >= {_DEEP}", alt.value(ON_COLOUR), alt.value(INK))
    shares = base.mark_text(fontSize=14, fontWeight="bold", dy=6).encode(text="label:N", color=ink)
    heads = base.mark_text(fontSize=10, dy=-12).encode(text="half:N", color=ink)
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
        }
        for word, name in ((SETTLED, "settled"), (right_word, "right"))
    ]
