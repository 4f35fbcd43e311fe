"""Study folders: ledger, tables, resume, queries and sharing."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "StudyFolder": "limitset.store.study_folder",
    "TablePart": "limitset.store.tables",
    "pack": "limitset.store.sharing",
    "query": "limitset.store.querying",
    "unpack": "limitset.store.sharing",
    "verify": "limitset.store.sharing",
}
__all__ = ["StudyFolder", "TablePart", "pack", "query", "unpack", "verify"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
