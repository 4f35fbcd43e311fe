"""Maps of tensors: any torch module, a cell, a block of a model, an equilibrium layer."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "TensorMap": "limitset.maps.latent.tensor_map",
}
__all__ = ["TensorMap"]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
