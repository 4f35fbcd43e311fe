"""Which scores tell a net trained on truth from one trained on consistent falsehoods?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limitset.charts.shown import number, visible
from limitset.charts.theme import INK, NULL, PAPER, RIGHT, WRONG, data_of, finished

GROUPS = ("true labels", "false twin", "untrained")


def twins_chart(scores: Sequence[Mapping[str, Any]]) -> Any:
    """Draw scores of true nets, false twins and untrained nets side by side.

    Parameters
    ----------
    scores
        Records with score (its name), group ("true labels", "false twin", "untrained"), value, and low and
        high where known. Each score is drawn relative to its largest value and labelled with the value.

    Returns
    -------
    altair.LayerChart
        Three bars a score; the false twin is hollow.
    """
    import altair as alt

    rows = _relative(scores)
    order = list(dict.fromkeys(row["score"] for row in rows))
    y = alt.Y(
        "score:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelFontWeight="bold")
    )
    offset = alt.YOffset("group:N", sort=list(GROUPS), scale=alt.Scale(domain=list(GROUPS)))
    across = alt.X("relative:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=None)
    fill = alt.Scale(domain=list(GROUPS), range=[RIGHT, PAPER, NULL])
    edge = alt.Scale(domain=list(GROUPS), range=[RIGHT, WRONG, NULL])
    base = alt.Chart(data_of(rows)).encode(y=y, yOffset=offset)
    bars = base.mark_bar(strokeWidth=2, height={"band": 0.78}).encode(
        x=across,
        fill=alt.Fill("group:N", scale=fill, legend=alt.Legend(title=None, symbolType="square")),
        stroke=alt.Stroke("group:N", scale=edge, legend=alt.Legend(title=None, symbolType="square")),
        strokeDash=alt.StrokeDash(
            "group:N",
            scale=alt.Scale(domain=list(GROUPS), range=[[1, 0], [4, 2], [1, 0]]),
            legend=alt.Legend(title=None, symbolType="square"),
        ),
        tooltip=[
            alt.Tooltip("score:N"),
            alt.Tooltip("group:N", title="trained on"),
            alt.Tooltip("label:N", title="value"),
        ],
    )
    words = base.mark_text(align="left", dx=7, color=INK).encode(x=across, text="label:N")
    return finished(bars + words, height=78 * max(len(order), 1))


def _relative(scores: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    largest: dict[str, float] = {}
    for row in scores:
        largest[row["score"]] = max(largest.get(row["score"], 0.0), abs(float(row["value"])))
    return [
        {
            "score": visible(str(row["score"])),
            "group": str(row["group"]),
            "value": float(row["value"]),
            "relative": abs(float(row["value"])) / (largest[row["score"]] or 1.0),
            "label": _label(row),
        }
        for row in scores
    ]


def _label(row: Mapping[str, Any]) -> str:
    low, high = row.get("low"), row.get("high")
    if low is None or high is None:
        return number(float(row["value"]))
    width = float(high) - float(low)
    return f"{number(float(row['value']), width)} [{number(float(low), width)}, {number(float(high), width)}]"
