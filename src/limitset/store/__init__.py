"""Study folders: ledger, tables, resume, queries and sharing."""

from importlib import import_module
from typing import Any

_LAZY = {
    "StudyFolder": "limitset.store.study_folder",
    "TablePart": "limitset.store.tables",
    "pack": "limitset.store.sharing",
    "query": "limitset.store.querying",
    "unpack": "limitset.store.sharing",
    "verify": "limitset.store.sharing",
}

__all__ = ["StudyFolder", "TablePart", "pack", "query", "unpack", "verify"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.store' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
