"""What is iterated: classic maps with known limit sets, and language models rewriting text."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "CircleRotation": "limitset.maps.classic",
    "Collatz": "limitset.maps.classic",
    "FiniteMap": "limitset.maps.classic",
    "INSTRUCTIONS": "limitset.maps.text",
    "Instruction": "limitset.maps.text",
    "LogisticMap": "limitset.maps.classic",
    "LoopRows": "limitset.maps.text_rows",
    "ModularSquare": "limitset.maps.classic",
    "RingWalk": "limitset.maps.classic",
    "StateClass": "limitset.maps.text_rows",
    "TEXT_MAP_VERSION": "limitset.maps.text",
    "TextMap": "limitset.maps.text",
    "WordCycles": "limitset.maps.classic",
    "loop_rows": "limitset.maps.text_rows",
    "text_starts": "limitset.maps.text",
}
__all__ = [
    "INSTRUCTIONS",
    "TEXT_MAP_VERSION",
    "CircleRotation",
    "Collatz",
    "FiniteMap",
    "Instruction",
    "LogisticMap",
    "LoopRows",
    "ModularSquare",
    "RingWalk",
    "StateClass",
    "TextMap",
    "WordCycles",
    "loop_rows",
    "text_starts",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
