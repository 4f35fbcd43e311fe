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
    "Band": "twin_control",
    "TwinControl": "twin_control",
    "TwinNet": "twins",
    "TwinPanel": "twins",
    "draw_sums": "sums",
    "false_twin_control": "twin_control",
    "false_twin_control_of_pairs": "twin_control",
    "falsehood": "twins",
    "twin_nets": "twins",
    "twin_panel": "twins",
}

__all__ = [
    "Band",
    "TwinControl",
    "TwinNet",
    "TwinPanel",
    "World",
    "beta_world",
    "clones_world",
    "draw_sums",
    "false_twin_control",
    "false_twin_control_of_pairs",
    "falsehood",
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
    "twin_nets",
    "twin_panel",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.datasets.planted' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
