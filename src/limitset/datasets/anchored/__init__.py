"""Questions whose answers are known from outside every model: looked up in tables or computed."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "anchored": "limitset.datasets.anchored.assembly",
}
__all__ = ["anchored"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
