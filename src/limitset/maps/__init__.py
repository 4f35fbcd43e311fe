"""What is iterated: classic maps with known limit sets, and language models rewriting text."""

from importlib import import_module
from typing import Any

_LAZY = {
    "CircleRotation": "classic",
    "Collatz": "classic",
    "FiniteMap": "classic",
    "LogisticMap": "classic",
    "ModularSquare": "classic",
    "RingWalk": "classic",
    "WordCycles": "classic",
    "INSTRUCTIONS": "text",
    "TEXT_MAP_VERSION": "text",
    "Instruction": "text",
    "TextMap": "text",
    "text_starts": "text",
    "LoopRows": "text_rows",
    "StateClass": "text_rows",
    "loop_rows": "text_rows",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
