"""How do settling, stability and rightness change while a model is trained?"""

from __future__ import annotations

from typing import Any, Final

from limitset.charts.line_charts import line_chart
from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, RIGHT, WRONG
from limitset.core.results import MeasurementTable

COLOURS: Final = {"settled": INK, "right": RIGHT, "settled and wrong": WRONG}


def watching_chart(epochs: MeasurementTable) -> Any:
    """Draw the share settled and the share right against the epoch.

    Parameters
    ----------
    epochs
        Axes epoch, measure, as `limitset.studies.watching.Watch.table` gives them.

    Returns
    -------
    altair.LayerChart
        One line a measure with its interval as a band; the spectral radius, which is no share, is left out.
    """
    rows = [{**row, "line": row["measure"]} for row in rows_of(epochs) if row["measure"] in COLOURS]
    return line_chart(
        rows,
        COLOURS,
        x="epoch",
        x_title="epoch",
        y_title="share of starts",
        dashed=("settled and wrong",),
        empty="No epoch was watched.",
    )
