"""The laboratory: tasks with exact keys, and small looped nets that solve them by running a step again."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "GAINS": "limitset.datasets.recurrent.looped_block",
    "INJECTIONS": "limitset.datasets.recurrent.design",
    "LoopedNet": "limitset.datasets.recurrent.looped_net",
    "NORMS": "limitset.datasets.recurrent.design",
    "NOT_ASKED": "limitset.datasets.recurrent.tasks",
    "PARITY": "limitset.datasets.recurrent.tasks",
    "PREFIX_SUMS": "limitset.datasets.recurrent.tasks",
    "Problems": "limitset.datasets.recurrent.tasks",
    "RandomBlock": "limitset.datasets.recurrent.looped_block",
    "SUDOKU": "limitset.datasets.recurrent.tasks",
    "TASKS": "limitset.datasets.recurrent.tasks",
    "Task": "limitset.datasets.recurrent.tasks",
    "Training": "limitset.datasets.recurrent.training",
    "net_for": "limitset.datasets.recurrent.looped_net",
    "net_from_bytes": "limitset.datasets.recurrent.checkpoint",
    "net_to_bytes": "limitset.datasets.recurrent.checkpoint",
    "parity": "limitset.datasets.recurrent.tasks",
    "prefix_sums": "limitset.datasets.recurrent.tasks",
    "sudoku4": "limitset.datasets.recurrent.tasks",
    "train": "limitset.datasets.recurrent.training",
}
__all__ = [
    "GAINS",
    "INJECTIONS",
    "NORMS",
    "NOT_ASKED",
    "PARITY",
    "PREFIX_SUMS",
    "SUDOKU",
    "TASKS",
    "LoopedNet",
    "Problems",
    "RandomBlock",
    "Task",
    "Training",
    "net_for",
    "net_from_bytes",
    "net_to_bytes",
    "parity",
    "prefix_sums",
    "sudoku4",
    "train",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
