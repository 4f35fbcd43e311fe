"""How does accuracy go on beyond the steps of the training, cell by cell?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.charts.theme import MUTED, NULL, RIGHT, WRONG, data_of, finished, nothing

HEIGHT: Final = 320
_GOOD: Final = "settles and is right"


def curves_chart(rows: Sequence[Mapping[str, Any]], *, usual: int) -> Any:
    """Draw accuracy against steps, one line a cell.

    Parameters
    ----------
    rows
        Records with cell, step, right, verdict.
    usual
        Steps of the training: a vertical line.

    Returns
    -------
    altair.LayerChart
        Cells that settle and are right in blue, those that settle and are wrong in vermilion, others grey.
    """
    import altair as alt

    if not rows:
        return nothing("No net was trained.")
    shown = [{**row, "place": 1 + row["step"], "right": round(row["right"], 4)} for row in rows]
    last = max(row["step"] for row in shown)
    x = alt.X(
        "place:Q",
        title="steps taken",
        scale=alt.Scale(type="log", base=2, domain=[1, 1 + last], nice=False),
        axis=alt.Axis(
            values=[1 + step for step in (0, 1, 3, 7, 15, 31, 63, 127, 255) if step <= last],
            labelExpr="datum.value - 1",
            grid=False,
        ),
    )
    verdicts = list(dict.fromkeys(row["verdict"] for row in shown))
    colours = {_GOOD: RIGHT, "settles and is wrong": WRONG}
    base = alt.Chart(data_of(shown)).encode(
        x=x,
        y=alt.Y(
            "right:Q",
            title="wholly right",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", tickCount=5, domain=False, ticks=False),
        ),
        detail="cell:N",
        color=alt.Color(
            "verdict:N",
            scale=alt.Scale(domain=verdicts, range=[colours.get(one, NULL) for one in verdicts]),
            legend=alt.Legend(title=None),
        ),
    )
    tips = [
        alt.Tooltip("cell:N"),
        alt.Tooltip("step:Q"),
        alt.Tooltip("right:Q", format=".0%"),
        alt.Tooltip("verdict:N"),
    ]
    lines = base.mark_line(strokeWidth=2)
    points = base.mark_point(opacity=0, size=70).encode(tooltip=tips)
    mark = alt.Chart(data_of([{"place": 1 + usual, "y": 1.0, "label": f"trained with {usual}"}]))
    rule = mark.mark_rule(color=NULL, strokeDash=[4, 3]).encode(x=x)
    words = mark.mark_text(color=MUTED, align="left", dx=5, baseline="top").encode(
        x=x, y=alt.Y("y:Q"), text="label:N"
    )
    return finished(lines + points + rule + words, height=HEIGHT)
