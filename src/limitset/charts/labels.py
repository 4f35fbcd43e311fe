"""On which level of agreement are the commonest answers wrong, as far as labels tell?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, MUTED, WRONG, data_of, finished, nothing, top_of
from limitset.core.results import MeasurementTable

ROW: Final = 66
"""Height of one level: two lines of words and a mark."""


def labels_chart(by_level: MeasurementTable, shares: Mapping[str, float] | None = None) -> Any:
    """Draw how often the commonest answer is wrong on each level of agreement.

    Parameters
    ----------
    by_level
        `Labelled.by_level`: axis level; values are shares in [0, 1]. A level without labels is blank.
    shares
        Level to its share of the questions, in [0, 1]: the area of its mark.

    Returns
    -------
    altair.LayerChart
        One row a level, the most agreed first, with its interval and the number of its labels.
    """
    import altair as alt

    weights = shares or {}
    rows = [
        {
            **row,
            "share": weights.get(row["level"], 0.3),
            "words": _words(row),
            "counts": _counts(row, weights),
        }
        for row in reversed(rows_of(by_level))
    ]
    if not rows:
        return nothing("Nobody answered: no level can be shown.")
    known = [row for row in rows if row["value"] is not None]
    order = [row["level"] for row in rows]
    down = alt.Y("level:N", sort=order, title=None, axis=None)
    across = alt.X(
        "value:Q",
        title="the commonest answer is wrong",
        scale=alt.Scale(domain=[0, top_of(known, least=0.2)]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    base = alt.Chart(data_of(known)).encode(y=down)
    bars = base.mark_rule(strokeWidth=5, opacity=0.35, color=WRONG).encode(
        x=alt.X("low:Q", title="the commonest answer is wrong"), x2="high:Q"
    )
    points = base.mark_point(filled=True, color=WRONG, opacity=1, shape="diamond").encode(
        x=across,
        size=alt.Size("share:Q", scale=alt.Scale(domain=[0, 1], range=[40, 420]), legend=None),
        tooltip=[
            alt.Tooltip("level:N", title="runs that agree"),
            alt.Tooltip("shown:N", title="wrong"),
            alt.Tooltip("n:Q", title="labels", format=".0f"),
            alt.Tooltip("share:Q", title="share of the questions", format=".0%"),
        ],
    )
    # the words stand above their mark: beside it, half of a narrow screen would be words
    base = alt.Chart(data_of(rows)).encode(y=down, x=alt.value(0))
    first = base.mark_text(align="left", baseline="bottom", dy=-24, color=INK).encode(text="words:N")
    second = base.mark_text(align="left", baseline="bottom", dy=-10, color=MUTED, fontSize=11)
    texts = first + second.encode(text="counts:N")
    blank = [row for row in rows if row["value"] is None]
    layers = bars + points + texts
    if blank:
        layers += (
            alt.Chart(data_of(blank))
            .mark_text(align="left", color=MUTED)
            .encode(y=down, x=alt.value(0), text="blank_reason:N")
        )
    return finished(layers, height=ROW * len(rows) + 10)


def _words(row: Mapping[str, Any]) -> str:
    level = "All runs agree" if row["level"] == "all" else f"{str(row['level']).capitalize()} agree"
    return level if row["value"] is None else f"{level}: wrong {row['shown']}"


def _counts(row: Mapping[str, Any], shares: Mapping[str, float]) -> str:
    n = row["n"] or 0
    part = f"{100 * shares[row['level']]:.0f} % of the questions, " if row["level"] in shares else ""
    return f"{part}{n:.0f} label{'s' * (n != 1)}"
