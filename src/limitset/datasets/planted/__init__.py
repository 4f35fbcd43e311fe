"""Data whose truth is known exactly, for tests, studies and protocols."""

from importlib import import_module
from typing import Any

_LAZY = {
    "World": "panels",
    "planted_panel": "panels",
    "planted_tallies": "panels",
    "beta_world": "panels",
    "clones_world": "panels",
    "independent_world": "panels",
    "mixture_world": "panels",
    "shared_difficulty_world": "panels",
    "stratified_world": "panels",
    "population_agreed": "panels",
    "population_collision": "panels",
    "population_error": "panels",
    "population_phi": "panels",
}

__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.datasets.planted' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
