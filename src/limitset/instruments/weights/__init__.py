"""Measurements on weights: what happens to a net when its weights move?"""

import sys
from typing import Any

from limitset.core.lazy_names import InstrumentPackage, loaded

_HOMES = {
    "Flatness": "limitset.instruments.weights.flatness",
    "Forgetting": "limitset.instruments.weights.forgetting",
    "LossBarrier": "limitset.instruments.weights.loss_barrier",
    "Manner": "limitset.instruments.weights.forgetting",
    "MatchedBarrier": "limitset.instruments.weights.loss_barrier",
    "Reparametrisation": "limitset.instruments.weights.reparametrisation",
    "forgetting": "limitset.instruments.weights.forgetting",
    "loss_barrier": "limitset.instruments.weights.loss_barrier",
    "matched_barrier": "limitset.instruments.weights.loss_barrier",
    "relative_flatness": "limitset.instruments.weights.flatness",
    "reparametrisation": "limitset.instruments.weights.reparametrisation",
}
__all__ = [
    "Flatness",
    "Forgetting",
    "LossBarrier",
    "Manner",
    "MatchedBarrier",
    "Reparametrisation",
    "forgetting",
    "loss_barrier",
    "matched_barrier",
    "relative_flatness",
    "reparametrisation",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__


sys.modules[__name__].__class__ = InstrumentPackage
