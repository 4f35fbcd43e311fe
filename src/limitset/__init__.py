"""limitset: where models end up when you run them again and again, and how often that place is wrong."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = {
    "Ends": "limitset.core.ends",
    "Items": "limitset.core.items",
    "Level": "limitset.core.levels",
    "Measurement": "limitset.core.results",
    "MeasurementTable": "limitset.core.results",
    "SelfMap": "limitset.core.protocols",
    "Streams": "limitset.core.streams",
    "Verdict": "limitset.core.verdicts",
    "audit": "limitset.studies.panel_audit",
    "truth": "limitset.instruments.truth",
    "dynamics": "limitset.instruments.dynamics",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import limitset` stays light."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset' has no attribute {name!r}")
    module = import_module(_LAZY[name])
    return module if module.__name__.endswith(f".{name}") else getattr(module, name)


def __dir__() -> list[str]:
    return __all__
