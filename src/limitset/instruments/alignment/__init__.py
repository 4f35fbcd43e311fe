"""Measurements on activations: do models represent the same items alike?"""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "Alignment": "limitset.instruments.alignment.cka",
    "biased_linear_cka": "limitset.instruments.alignment.cka",
    "linear_cka": "limitset.instruments.alignment.cka",
}
__all__ = ["Alignment", "biased_linear_cka", "linear_cka"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
