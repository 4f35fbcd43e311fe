"""Questions with anchors, and planted data whose truth is known."""

from importlib import import_module
from typing import Any

_LAZY = {
    "Question": "limitset.datasets.questions",
    "QuestionSet": "limitset.datasets.questions",
    "anchored": "limitset.datasets.anchored",
    "read_questions": "limitset.datasets.user_questions",
    "planted": "limitset.datasets.planted",
}
__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.datasets' has no attribute {name!r}")
    module = import_module(_LAZY[name])
    return module if name == "planted" else getattr(module, name)


def __dir__() -> list[str]:
    return __all__
