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
    "population_agreed": "populations",
    "population_collision": "populations",
    "population_error": "populations",
    "population_gap": "populations",
    "population_phi": "populations",
}

__all__ = [
    "World",
    "beta_world",
    "clones_world",
    "independent_world",
    "mixture_world",
    "planted_panel",
    "planted_tallies",
    "population_agreed",
    "population_collision",
    "population_error",
    "population_gap",
    "population_phi",
    "shared_difficulty_world",
    "stratified_world",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.datasets.planted' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
