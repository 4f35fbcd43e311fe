"""Where do texts, or states, end that a model maps again and again?"""

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


def loops_chart(shares: MeasurementTable, *, x_title: str = "share of texts") -> Any:
    """Draw how loops end, for each system and instruction (or way of running).

    Parameters
    ----------
    shares
        Axes system, loop, outcome; outcome is one of "settled, right", "settled, wrong",
        "settled, no answer", "not settled".
    x_title
        What the shares are shares of.

    Returns
    -------
    altair.LayerChart
        One stacked bar a system and instruction, named by the instruction alone where one system has several.
    """
    known = [row for row in rows_of(shares) if row["value"] is not None]
    # one name before every bar would say the same thing again
    repeated = len({row["system"] for row in known}) == 1 and len({row["loop"] for row in known}) > 1
    rows = [
        {
            **row,
            "bar": str(row["loop"]) if repeated else f"{row['system']}: {row['loop']}",
            "part": row["outcome"],
        }
        for row in known
    ]
    chart = stacked_bars(rows, COLOURS, x_title=x_title)
    if len({row["part"] for row in rows}) == len(COLOURS):
        # four names in one line are wider than a narrow screen
        chart.config.legend.columns = {"expr": "width < 420 ? 2 : 4"}
    return chart
