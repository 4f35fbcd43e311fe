"""How far does each layer move the states, when is the answer there, and where does a looped block go?"""

from __future__ import annotations

from typing import Any, Final

from limitset.charts.line_charts import line_chart
from limitset.charts.shown import rows_of
from limitset.charts.theme import INK, NULL, RIGHT, STRATA
from limitset.core.results import MeasurementTable

REST: Final = "all other positions"
WHOLE: Final = "with position 0"
_LOOPS: Final = ("plain", "norm", "injection", "norm + injection")


def path_chart(paths: MeasurementTable) -> Any:
    """Draw how far each layer moves the state, with and without position 0.

    Parameters
    ----------
    paths
        Axes measure, layer, as `limitset.studies.layers.LayerPaths.table` gives them.

    Returns
    -------
    altair.LayerChart
        Relative step against layer on a logarithmic axis; position 0 in grey, dashed.
    """
    names = {"step": REST, "step with sink": WHOLE}
    rows = [{**row, "line": names[row["measure"]]} for row in rows_of(paths) if row["measure"] in names]
    colours = {REST: INK, WHOLE: NULL}
    return line_chart(
        rows, colours, x="layer", x_title="layer", y_title="step / state", dashed=(WHOLE,), log_y=True
    )


def lens_chart(paths: MeasurementTable) -> Any:
    """Draw at which layer the final token is on top already, and how often that token is right.

    Parameters
    ----------
    paths
        As for `path_chart`.

    Returns
    -------
    altair.LayerChart
        Shares of texts against layer; right in blue.
    """
    names = {"already final": "already final", "right": "right"}
    rows = [{**row, "line": names[row["measure"]]} for row in rows_of(paths) if row["measure"] in names]
    colours = {"already final": INK, "right": RIGHT}
    return line_chart(rows, colours, x="layer", x_title="read at layer", y_title="share of texts", dashed=())


def looped_chart(residuals: MeasurementTable) -> Any:
    """Draw how far each application of a looped block still moves the state.

    Parameters
    ----------
    residuals
        Axes loop, step, as `limitset.studies.layers.residuals_table` gives them.

    Returns
    -------
    altair.LayerChart
        One line a recipe, both axes logarithmic: a line that falls without end settles, a slope of -1 drifts.
    """
    rows = [{**row, "line": row["loop"]} for row in rows_of(residuals)]
    colours = dict(zip(_LOOPS, STRATA, strict=False))
    return line_chart(
        rows,
        colours,
        x="step",
        x_title="times applied",
        y_title="last step, relative to the state",
        dashed=(),
        log_y=True,
        log_x=True,
    )
