"""Which chart belongs to which result?

Every chart function takes results and returns an altair chart; the same object serves the notebook, the
page and the export.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from limitset.core.errors import InputError
from limitset.core.results import MeasurementTable

_LAZY = {
    "agreed_chart": "limitset.charts.agreed",
    "loops_chart": "limitset.charts.loops",
    "outcomes_chart": "limitset.charts.outcomes",
    "sharing_chart": "limitset.charts.sharing",
    "survival_chart": "limitset.charts.survival",
    "twins_chart": "limitset.charts.twins",
    "unanimity_chart": "limitset.charts.unanimity",
    "variance_chart": "limitset.charts.sharing",
}

_BY_AXES = {
    ("system", "stratum", "votes"): "survival_chart",
    ("stratum", "threshold"): "agreed_chart",
    ("source", "k"): "unanimity_chart",
    ("first", "second"): "sharing_chart",
    ("component",): "variance_chart",
    ("system", "stratum", "outcome"): "outcomes_chart",
    ("system", "loop", "outcome"): "loops_chart",
}

__all__ = [
    "agreed_chart",
    "chart_of",
    "loops_chart",
    "outcomes_chart",
    "sharing_chart",
    "survival_chart",
    "twins_chart",
    "unanimity_chart",
    "variance_chart",
]


def chart_of(table: MeasurementTable) -> Any:
    """Return the chart that belongs to a table, known by its axes.

    Raises
    ------
    InputError
        When no chart draws tables with these axes.
    """
    name = _BY_AXES.get(tuple(table.axes))
    if name is None:
        known = "; ".join(", ".join(axes) for axes in _BY_AXES)
        raise InputError.of(
            expected=f"charts exist for tables with the axes {known}",
            got=", ".join(table.axes),
            fix="Use to_frame() and draw it yourself.",
        )
    draw: Callable[[MeasurementTable], Any] = getattr(import_module(_LAZY[name]), name)
    return draw(table)


def __getattr__(name: str) -> Any:
    """Load a chart function when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.charts' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
