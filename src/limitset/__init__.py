"""limitset: where models end up when you run them again and again, and how often that place is wrong."""

from typing import Any

from limitset.core.lazy_names import loaded

__version__ = "0.1.0"

_HOMES = {
    "Ends": "limitset.core.ends",
    "Items": "limitset.core.items",
    "Level": "limitset.core.levels",
    "Library": "limitset.library.holdings.library",
    "Measurement": "limitset.core.results",
    "MeasurementTable": "limitset.core.results",
    "SelfMap": "limitset.core.protocols",
    "Streams": "limitset.core.streams",
    "Verdict": "limitset.core.verdicts",
    "ask": "limitset.library.inquiry.asking",
    "audit": "limitset.studies.panel_audit",
    "dynamics": "limitset.instruments.dynamics",
    "ecosystem": "limitset.instruments.ecosystem",
    "trace": "limitset.studies.tracing",
    "truth": "limitset.instruments.truth",
    "weights": "limitset.instruments.weights",
}
__all__ = [
    "Ends",
    "Items",
    "Level",
    "Library",
    "Measurement",
    "MeasurementTable",
    "SelfMap",
    "Streams",
    "Verdict",
    "ask",
    "audit",
    "dynamics",
    "ecosystem",
    "trace",
    "truth",
    "weights",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
