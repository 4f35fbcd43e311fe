"""Does a map or an instrument, ours or yours, keep the rules that all of them keep?"""

from importlib import import_module
from typing import Any

_LAZY = {
    "DYNAMICS_LAWS": "map_laws",
    "DYNAMICS_LEDGER": "ledger",
    "LawBrokenError": "conformance",
    "OrbitSummary": "map_laws",
    "Tabled": "ledger",
    "TRUTH_LAWS": "laws",
    "TRUTH_LEDGER": "ledger",
    "check_instrument": "conformance",
    "check_map": "conformance",
}

__all__ = [
    "DYNAMICS_LAWS",
    "DYNAMICS_LEDGER",
    "TRUTH_LAWS",
    "TRUTH_LEDGER",
    "LawBrokenError",
    "OrbitSummary",
    "Tabled",
    "check_instrument",
    "check_map",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
