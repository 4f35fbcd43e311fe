"""Measurements on weights: what happens to a net when its weights move?"""

from importlib import import_module
from typing import Any

_LAZY = {
    "Flatness": "flatness",
    "relative_flatness": "flatness",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.instruments.weights' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
