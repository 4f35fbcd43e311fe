"""Language models: packaged, from a folder or the hub, scripted; and a cache of their replies."""

from importlib import import_module
from typing import Any

_LAZY = {
    "CachedModel": "limitset.models.response_cache",
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
    "ModelSource",
    "ResponseCache",
    "ScriptedModel",
    "TorchModel",
    "get",
    "open_model",
    "resolve",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import limitset.models` loads no torch."""
    if name not in _LAZY:
        raise AttributeError(f"module 'limitset.models' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
