"""Run the tasks of a study in process, on all cores, or on a Ray cluster."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "ProgressDisplay": "limitset.engine.progress",
    "RunSummary": "limitset.engine.running",
    "run_tasks": "limitset.engine.running",
}
__all__ = ["ProgressDisplay", "RunSummary", "run_tasks"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
