"""How often is each system right?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, RIGHT, data_of, finished, nothing
from limitset.core.results import MeasurementTable

ROW: Final = 40
MOST: Final = 20
"""Bars drawn; of more systems, those that are right most often."""


def accuracy_chart(right: MeasurementTable) -> Any:
    """Draw the share right of each system, or of each stratum where there is one system.

    Parameters
    ----------
    right
        `Accuracy.right`: axes system, stratum; shares in [0, 1].

    Returns
    -------
    altair.LayerChart
        One bar a system from zero, the highest first, with its interval; of more than 20 the first 20.
    """
    import altair as alt

    rows = drawn_rows(right)
    if not rows:
        return nothing("No run was checked.")
    rows = [{**row, "words": f"{row['name']}: {row['shown']}"} for row in rows]
    down = alt.Y("name:N", sort=[row["name"] for row in rows], title=None, axis=None)
    across = alt.X(
        "value:Q",
        title="share of runs that are right",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, grid=True),
    )
    base = alt.Chart(data_of(rows)).encode(y=down)
    bars = base.mark_bar(height=12, color=RIGHT, opacity=0.85).encode(
        x=across,
        tooltip=[
            alt.Tooltip("name:N", title="of"),
            alt.Tooltip("shown:N", title="right"),
            alt.Tooltip("n:Q", title="n", format=".0f"),
        ],
    )
    whole = alt.Chart(data_of([row for row in rows if row["low"] is not None])).encode(y=down)
    ends = whole.mark_rule(strokeWidth=2, color=INK).encode(x="low:Q", x2="high:Q")
    caps = [whole.mark_tick(thickness=2, size=9, color=INK).encode(x=f"{end}:Q") for end in ("low", "high")]
    words = base.mark_text(align="left", baseline="bottom", dy=-9, color=INK).encode(
        x=alt.value(0), text="words:N"
    )
    return finished(bars + ends + caps[0] + caps[1] + words, height=ROW * len(rows) + 12)


def drawn_rows(right: MeasurementTable) -> Sequence[dict[str, Any]]:
    """Return the rows that are drawn, with what each is called.

    Examples
    --------
    >>> import numpy as np
    >>> from limitset.core.levels import Level
    >>> table = MeasurementTable(instrument="x", version=1, level=Level.ANSWER, value=np.array([0.2, 0.4]),
    ...     axes={"system": np.array(["a", "b"]), "stratum": np.array(["all", "all"])})
    >>> [row["name"] for row in drawn_rows(table)]
    ['b', 'a']
    """
    systems = list(dict.fromkeys(right.axes["system"].tolist()))
    if len(systems) > 1:
        right = right.where(stratum="all")
    rows = [
        {**row, "name": row["system"] if len(systems) > 1 else _questions(row["stratum"])}
        for row in rows_of(right)
        if row["value"] is not None
    ]
    return sorted(rows, key=lambda row: -row["value"])[:MOST]


def _questions(stratum: str) -> str:
    return "all questions" if stratum == "all" else str(stratum)
