"""limitset: where models end up when you run them again and again, and how often that place is wrong."""

from typing import Any

from limitset.core.lazy_names import loaded

__version__ = "0.1.0"

_HOMES = {
    "Ends": "limitset.core.ends",
    "Items": "limitset.core.items",
    "Level": "limitset.core.levels",
    "Measurement": "limitset.core.results",
    "MeasurementTable": "limitset.core.results",
    "SelfMap": "limitset.core.protocols",
    "Streams": "limitset.core.streams",
    "Verdict": "limitset.core.verdicts",
    "audit": "limitset.studies.panel_audit",
    "dynamics": "limitset.instruments.dynamics",
    "trace": "limitset.studies.tracing",
    "truth": "limitset.instruments.truth",
    "weights": "limitset.instruments.weights",
}
__all__ = [
    "Ends",
    "Items",
    "Level",
    "Measurement",
    "MeasurementTable",
    "SelfMap",
    "Streams",
    "Verdict",
    "audit",
    "dynamics",
    "trace",
    "truth",
    "weights",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
