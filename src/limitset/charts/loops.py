"""Where do texts end that a model rewrites again and again?"""

from __future__ import annotations

from typing import Any

from limitset.charts.outcomes import stacked_bars
from limitset.charts.shown import rows_of
from limitset.charts.theme import ABSTAINED, RIGHT, UNPARSED, WRONG
from limitset.core.results import MeasurementTable

COLOURS = {
    "settled, right": RIGHT,
    "settled, wrong": WRONG,
    "settled, no answer": ABSTAINED,
    "not settled": UNPARSED,
}


def loops_chart(shares: MeasurementTable) -> Any:
    """Draw how text loops end, for each system and instruction.

    Parameters
    ----------
    shares
        Axes system, loop, outcome; outcome is one of "settled, right", "settled, wrong",
        "settled, no answer", "not settled".

    Returns
    -------
    altair.LayerChart
        One stacked bar a system and instruction.
    """
    rows = [
        {**row, "bar": f"{row['system']}: {row['loop']}", "part": row["outcome"]}
        for row in rows_of(shares)
        if row["value"] is not None
    ]
    return stacked_bars(rows, COLOURS, x_title="share of texts")
