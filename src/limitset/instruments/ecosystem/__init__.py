"""Measurements on a field: do published designs become alike, and what goes with what?"""

import sys
from typing import Any

from limitset.core.lazy_names import InstrumentPackage, loaded

_HOMES = {
    "GroupDeparture": "limitset.instruments.ecosystem.group_departure",
    "LayerDependence": "limitset.instruments.ecosystem.layer_dependence",
    "SimilarityChange": "limitset.instruments.ecosystem.stack_similarity",
    "group_departure": "limitset.instruments.ecosystem.group_departure",
    "layer_dependence": "limitset.instruments.ecosystem.layer_dependence",
    "share_change": "limitset.instruments.ecosystem.stack_diversity",
    "similarity_change": "limitset.instruments.ecosystem.stack_similarity",
    "stack_diversity": "limitset.instruments.ecosystem.stack_diversity",
    "stack_share": "limitset.instruments.ecosystem.stack_diversity",
    "stack_similarity": "limitset.instruments.ecosystem.stack_similarity",
}
__all__ = [
    "GroupDeparture",
    "LayerDependence",
    "SimilarityChange",
    "group_departure",
    "layer_dependence",
    "share_change",
    "similarity_change",
    "stack_diversity",
    "stack_share",
    "stack_similarity",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__


sys.modules[__name__].__class__ = InstrumentPackage
