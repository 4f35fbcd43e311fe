"""Which chart belongs to which table?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.core.results import MeasurementTable

_BY_AXES: Final = {
    ("system", "stratum", "votes"): ("survival", "survival_chart"),
    ("level",): ("labels", "labels_chart"),
    ("stratum", "threshold"): ("agreed", "agreed_chart"),
    ("source", "k"): ("unanimity", "unanimity_chart"),
    ("first", "second"): ("sharing", "sharing_chart"),
    ("measure", "first", "second"): ("pairs", "pairs_chart"),
    ("component",): ("sharing", "variance_chart"),
    ("system", "stratum"): ("accuracy", "accuracy_chart"),
    ("system", "k", "measure"): ("pass_at_k", "pass_at_k_chart"),
    ("system", "stratum", "outcome"): ("outcomes", "outcomes_chart"),
    ("system", "loop", "outcome"): ("loops", "loops_chart"),
    ("measure", "layer"): ("layers", "path_chart"),
    ("loop", "step"): ("layers", "looped_chart"),
    ("epoch", "measure"): ("watching", "watching_chart"),
    ("period", "measure"): ("stack", "stack_chart"),
    ("system", "draws"): ("reliability", "draws_chart"),
    ("system", "stratum", "part"): ("reliability", "self_agreement_chart"),
    ("statistic", "judges"): ("score_errors", "panel_error_chart"),
}


def axes_among(names: Collection[str], varying: Collection[str]) -> tuple[str, ...] | None:
    """Return the axes of a chart that draws all that varies among these columns; None where there is none.

    Examples
    --------
    >>> axes_among(["period", "measure", "seed"], ["period", "measure"])
    ('period', 'measure')
    """
    fitting = (axes for axes in _BY_AXES if set(varying) <= set(axes) <= set(names))
    return next(fitting, None)


def chart_of(table: MeasurementTable) -> Any:
    """Return the chart that belongs to a table, known by its axes.

    Raises
    ------
    InputError
        When no chart draws tables with these axes.
    """
    found = _BY_AXES.get(tuple(table.axes))
    if found is None:
        known = "; ".join(", ".join(axes) for axes in _BY_AXES)
        raise InputError.of(
            expected=f"charts exist for tables with the axes {known}",
            got=", ".join(table.axes),
            fix="Use to_frame() and draw it yourself.",
        )
    module, name = found
    draw: Callable[[MeasurementTable], Any] = getattr(import_module(f"limitset.charts.{module}"), name)
    return draw(table)
