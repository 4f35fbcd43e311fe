"""Measurements on activations: do models represent the same items alike?"""

from importlib import import_module
from typing import Any

_LAZY = {
    "Alignment": "cka",
    "biased_linear_cka": "cka",
    "linear_cka": "cka",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.instruments.alignment' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
