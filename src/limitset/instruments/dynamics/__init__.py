"""Where do runs of a map go: orbits, cycles, and the ends of text loops."""

from importlib import import_module
from typing import Any

_LAZY = {
    "LoopEnds": "loop_ends",
    "brent": "cycles",
    "find_cycle": "cycles",
    "iterate": "orbits",
    "loop_ends": "loop_ends",
    "text_limit_sets": "loop_ends",
}

__all__ = sorted([*_LAZY])


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
