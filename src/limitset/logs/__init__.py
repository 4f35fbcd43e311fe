"""Ends from what people already have: files of replies."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "Replies": "limitset.logs.replies",
    "read_replies": "limitset.logs.replies",
}
__all__ = ["Replies", "read_replies"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
