"""Questions whose answers are known from outside every model: looked up in tables or computed."""

from importlib import import_module
from typing import Any

_LAZY = {"anchored": "limitset.datasets.anchored.assembly"}

__all__ = ["anchored"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.datasets.anchored' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
