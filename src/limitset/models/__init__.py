"""Language models (packaged, folder, hub id, OpenAI-compatible endpoint, scripted), embedders, the cache."""

from typing import Any

from limitset.core.lazy_names import loaded

_HOMES = {
    "CachedModel": "limitset.models.response_cache",
    "Endpoint": "limitset.models.endpoints",
    "HttpModel": "limitset.models.http_model",
    "ModelSource": "limitset.models.opening",
    "ResponseCache": "limitset.models.response_cache",
    "ScriptedModel": "limitset.models.scripted",
    "TorchModel": "limitset.models.torch_model",
    "get": "limitset.models.getting",
    "open_model": "limitset.models.opening",
    "resolve": "limitset.models.opening",
}
__all__ = [
    "CachedModel",
    "Endpoint",
    "HttpModel",
    "ModelSource",
    "ResponseCache",
    "ScriptedModel",
    "TorchModel",
    "get",
    "open_model",
    "resolve",
]


def __getattr__(name: str) -> Any:
    return loaded(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
