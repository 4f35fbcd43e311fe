"""Run the tasks of a study in process, on all cores, or on a Ray cluster."""

from importlib import import_module
from typing import Any

_LAZY = {
    "ProgressDisplay": "limitset.engine.progress",
    "RunSummary": "limitset.engine.running",
    "run_tasks": "limitset.engine.running",
}

__all__ = ["ProgressDisplay", "RunSummary", "run_tasks"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.engine' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
