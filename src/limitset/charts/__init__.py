"""Which chart belongs to which result?

Every chart function takes results and returns an altair chart; the same object serves the notebook, the
page and the export.
"""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "panel_error_chart": "limitset.charts.score_errors",
    "level_chart": "limitset.charts.score_errors",
    "self_agreement_chart": "limitset.charts.reliability",
    "draws_chart": "limitset.charts.reliability",
    "chart_of": "limitset.charts.dispatch",
    "agreed_chart": "limitset.charts.agreed",
    "loops_chart": "limitset.charts.loops",
    "orbit_diagram_chart": "limitset.charts.orbit_diagram",
    "outcomes_chart": "limitset.charts.outcomes",
    "sharing_chart": "limitset.charts.sharing",
    "stack_chart": "limitset.charts.stack",
    "survival_chart": "limitset.charts.survival",
    "twins_chart": "limitset.charts.twins",
    "unanimity_chart": "limitset.charts.unanimity",
    "variance_chart": "limitset.charts.sharing",
    "lens_chart": "limitset.charts.layers",
    "looped_chart": "limitset.charts.layers",
    "path_chart": "limitset.charts.layers",
    "watching_chart": "limitset.charts.watching",
}
__all__ = [
    "agreed_chart",
    "chart_of",
    "draws_chart",
    "lens_chart",
    "level_chart",
    "looped_chart",
    "loops_chart",
    "orbit_diagram_chart",
    "outcomes_chart",
    "panel_error_chart",
    "path_chart",
    "self_agreement_chart",
    "sharing_chart",
    "stack_chart",
    "survival_chart",
    "twins_chart",
    "unanimity_chart",
    "variance_chart",
    "watching_chart",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
