"""Measurements on weights: what happens to a net when its weights move?"""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "Flatness": "limitset.instruments.weights.flatness",
    "relative_flatness": "limitset.instruments.weights.flatness",
}
__all__ = ["Flatness", "relative_flatness"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
