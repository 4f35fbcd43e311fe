"""Is the answer that runs agree on right?"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_LAZY = {
    "condorcet": "condorcet",
    "effective_number": "votes",
    "false_collision": "collision",
    "find_traps": "traps",
    "outcomes": "outcomes",
    "same_wrong": "same_wrong",
    "surviving_error": "surviving",
    "unanimity_nulls": "nulls",
    "variance_shares": "variance",
    "wrong_when_agreed": "agreed",
    "wrong_when_unanimous": "unanimity",
}
__all__ = [
    "condorcet",
    "effective_number",
    "false_collision",
    "find_traps",
    "outcomes",
    "same_wrong",
    "surviving_error",
    "unanimity_nulls",
    "variance_shares",
    "wrong_when_agreed",
    "wrong_when_unanimous",
]


def __getattr__(name: str) -> Any:
    """Load an instrument when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.instruments.truth' has no attribute {name!r}")
    module = import_module(f"{__name__}.{_LAZY[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__


class _Instruments(ModuleType):
    """A package in which `truth.outcomes` is the function, also after its file was imported by name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # the import system binds a loaded file to its package; three files bear the name of their function
        named_alike = isinstance(value, ModuleType) and _LAZY.get(name) == name
        super().__setattr__(name, getattr(value, name) if named_alike else value)


sys.modules[__name__].__class__ = _Instruments
