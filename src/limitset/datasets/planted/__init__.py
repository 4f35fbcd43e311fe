"""Data whose truth is known exactly, for tests, studies and protocols."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "Band": "limitset.datasets.planted.twin_control",
    "TwinControl": "limitset.datasets.planted.twin_control",
    "TwinNet": "limitset.datasets.planted.twins",
    "TwinPanel": "limitset.datasets.planted.twins",
    "World": "limitset.datasets.planted.panels",
    "beta_world": "limitset.datasets.planted.panels",
    "clones_world": "limitset.datasets.planted.panels",
    "draw_sums": "limitset.datasets.planted.sums",
    "false_twin_control": "limitset.datasets.planted.twin_control",
    "false_twin_control_of_pairs": "limitset.datasets.planted.twin_control",
    "falsehood": "limitset.datasets.planted.twins",
    "independent_world": "limitset.datasets.planted.panels",
    "judges_world": "limitset.datasets.planted.panels",
    "mixture_world": "limitset.datasets.planted.panels",
    "planted_panel": "limitset.datasets.planted.panels",
    "planted_tallies": "limitset.datasets.planted.panels",
    "population_agreed": "limitset.datasets.planted.populations",
    "population_collision": "limitset.datasets.planted.populations",
    "population_correlation": "limitset.datasets.planted.votes",
    "population_error": "limitset.datasets.planted.populations",
    "population_gap": "limitset.datasets.planted.populations",
    "population_phi": "limitset.datasets.planted.populations",
    "population_sent": "limitset.datasets.planted.votes",
    "population_vote": "limitset.datasets.planted.votes",
    "population_vote_of_size": "limitset.datasets.planted.votes",
    "shared_difficulty_world": "limitset.datasets.planted.panels",
    "stratified_world": "limitset.datasets.planted.panels",
    "twin_nets": "limitset.datasets.planted.twins",
    "twin_panel": "limitset.datasets.planted.twins",
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
    "judges_world",
    "mixture_world",
    "planted_panel",
    "planted_tallies",
    "population_agreed",
    "population_collision",
    "population_correlation",
    "population_error",
    "population_gap",
    "population_phi",
    "population_sent",
    "population_vote",
    "population_vote_of_size",
    "shared_difficulty_world",
    "stratified_world",
    "twin_nets",
    "twin_panel",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
