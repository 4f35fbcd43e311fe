"""Published architectures, frameworks and interfaces, read from the files of released packages."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "Architectures": "limitset.datasets.architectures.table",
    "CORE": "limitset.datasets.architectures.features",
    "FEATURES": "limitset.datasets.architectures.features",
    "FRONTIER": "limitset.datasets.architectures.features",
    "PERIODS": "limitset.datasets.architectures.table",
    "architectures": "limitset.datasets.architectures.table",
    "frameworks": "limitset.datasets.architectures.table",
    "gold": "limitset.datasets.architectures.table",
    "interfaces": "limitset.datasets.architectures.table",
    "templates": "limitset.datasets.architectures.table",
}
__all__ = [
    "CORE",
    "FEATURES",
    "FRONTIER",
    "PERIODS",
    "Architectures",
    "architectures",
    "frameworks",
    "gold",
    "interfaces",
    "templates",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
