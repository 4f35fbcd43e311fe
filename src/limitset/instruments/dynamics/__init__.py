"""Where do runs of a map go: orbits, cycles, and the ends of text loops."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_LAZY = {
    "LoopEnds": "loop_ends",
    "brent": "cycles",
    "find_cycle": "cycles",
    "iterate": "orbits",
    "loop_ends": "loop_ends",
    "perturbation_stability": "perturbation",
    "text_limit_sets": "text_sets",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__


class _Instruments(ModuleType):
    """A package in which `dynamics.loop_ends` is the function, also after its file was imported by name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # the import system binds a loaded file to its package; one file bears the name of its function
        named_alike = isinstance(value, ModuleType) and _LAZY.get(name) == name
        super().__setattr__(name, getattr(value, name) if named_alike else value)


sys.modules[__name__].__class__ = _Instruments
