"""Which ranks of each system can be excluded?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, MUTED, RIGHT, data_of, finished, nothing
from limitset.core.results import MeasurementTable

ROW: Final = 38
MOST: Final = 20
"""Systems drawn; of more, those that are right most often."""


def standings_chart(standings: MeasurementTable, shares: Mapping[str, str] | None = None) -> Any:
    """Draw the rank of each system and the ranks that cannot be excluded.

    Parameters
    ----------
    standings
        `PairedComparison.standings`: axis system; value is the rank, 1 the best, low and high the ranks that
        no surely decided pair excludes.
    shares
        Share right of each system, in words.

    Returns
    -------
    altair.LayerChart
        One row a system, the best first: a bar over the ranks left and a dot at the rank seen. A system whose
        rank is certain has a dot alone. Of more than 20 systems the first 20.
    """
    import altair as alt

    rows = sorted(rows_of(standings), key=lambda row: (row["value"], row["low"], row["high"]))[:MOST]
    if not rows:
        return nothing("No system to compare.")
    shares = shares or {}
    rows = [{**row, "words": _words(row, shares), "shown": _ranks(row)} for row in rows]
    last = max(row["high"] for row in rows)
    down = alt.Y("system:N", sort=[row["system"] for row in rows], title=None, axis=None)
    across = alt.X(
        "value:Q",
        title="rank (1 is right most often)",
        scale=alt.Scale(domain=[0.8, last + 0.2], nice=False),
        axis=alt.Axis(values=_ticks(int(last)), format="d", grid=True),
    )
    base = alt.Chart(data_of(rows)).encode(y=down)
    bars = base.mark_rule(strokeWidth=9, color=RIGHT, opacity=0.3, strokeCap="round").encode(
        x=alt.X("low:Q"), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=75, color=RIGHT, opacity=1).encode(
        x=across,
        tooltip=[
            alt.Tooltip("system:N", title="system"),
            alt.Tooltip("value:Q", title="rank seen", format="d"),
            alt.Tooltip("shown:N", title="ranks left"),
            alt.Tooltip("n:Q", title="questions", format=".0f"),
        ],
    )
    words = base.mark_text(align="left", baseline="bottom", dy=-8, color=INK).encode(
        x=alt.value(0), text="words:N"
    )
    left = base.mark_text(align="right", baseline="bottom", dy=-8, color=MUTED).encode(
        x=alt.value("width"), text="shown:N"
    )
    return finished(bars + dots + words + left, height=ROW * len(rows) + 12)


def _words(row: Mapping[str, Any], shares: Mapping[str, str]) -> str:
    share = shares.get(row["system"], "")
    return f"{row['system']}: {share}" if share else str(row["system"])


def _ranks(row: Mapping[str, Any]) -> str:
    low, high = int(row["low"]), int(row["high"])
    return f"rank {low}" if low == high else f"ranks {low} to {high}"


def _ticks(last: int) -> list[int]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, last) if last / step <= 10)
    return [1, *(tick for tick in range(step, last + 1, step) if tick > 1)]
