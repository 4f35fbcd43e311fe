"""Maps of tensors: any torch module, a cell, a block of a model, an equilibrium layer."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "BlockMap": "limitset.maps.latent.block",
    "CellMap": "limitset.maps.latent.cells",
    "EquilibriumMap": "limitset.maps.latent.equilibrium",
    "ModuleMap": "limitset.maps.latent.module",
    "RecurrentDepthMap": "limitset.maps.latent.recurrent_depth",
    "RecurrentDepthNet": "limitset.maps.latent.recurrent_depth",
    "TensorMap": "limitset.maps.latent.tensor_map",
}
__all__ = [
    "BlockMap",
    "CellMap",
    "EquilibriumMap",
    "ModuleMap",
    "RecurrentDepthMap",
    "RecurrentDepthNet",
    "TensorMap",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
