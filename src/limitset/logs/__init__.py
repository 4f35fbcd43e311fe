"""Ends from what people already have: files of replies."""

from importlib import import_module
from typing import Any

_LAZY = {"read_replies": "limitset.logs.replies", "Replies": "limitset.logs.replies"}
__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.logs' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
