"""Questions with anchors, and planted data whose truth is known."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "Question": "limitset.datasets.questions",
    "QuestionSet": "limitset.datasets.questions",
    "anchored": "limitset.datasets.anchored",
    "architectures": "limitset.datasets.architectures",
    "planted": "limitset.datasets.planted",
    "read_questions": "limitset.datasets.user_questions",
}
__all__ = ["Question", "QuestionSet", "anchored", "architectures", "planted", "read_questions"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
