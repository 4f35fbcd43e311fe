"""How many of the chat providers that one router serves speak the interface of the first of them?

Run: python -m limitset.datasets.architectures.routers FOLDER_OF_WHEELS FILE_FOR_TABLE
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from limitset.datasets.architectures.extraction import write_rows
from limitset.datasets.architectures.wheels import Wheel, wheels_in

PACKAGE: Final = "litellm"
FIRST: Final = "openai"
"""Its own interface is what the others are compatible with."""
COLUMNS: Final = (
    "release",
    "chat_models",
    "chat_providers",
    "compatible_providers",
    "function_calling_models",
)
_LIST: Final = "openai_compatible_providers"
_PRICES: Final = re.compile(r"^litellm/model_prices_and_context_window\w*\.json$")


def interfaces_in(wheels: Sequence[Wheel]) -> list[dict[str, str]]:
    """Return one row a release that names its compatible providers and lists models by provider."""
    found = [_row(wheel) for wheel in wheels]
    return [row for row in found if row]


def company(provider: str) -> str:
    """Return the provider behind an entry: one that stands under several names counts once.

    Examples
    --------
    >>> company("vertex_ai-language-models"), company("bedrock_converse"), company("deepseek")
    ('vertex_ai', 'bedrock', 'deepseek')
    """
    several = ("vertex_ai", "bedrock", "azure", "cohere", "fireworks_ai", "volcengine")
    return next((name for name in several if re.match(rf"{name}([-_]|$)", provider)), provider)


def _row(wheel: Wheel) -> dict[str, str]:
    compatible = _compatible(wheel)
    models = _chat_models(wheel)
    if not compatible or not models:
        return {}
    providers = {company(str(model["litellm_provider"])) for model in models}
    speaking = {company(name) for name in compatible} | {FIRST}
    return {
        "release": wheel.version,
        "chat_models": str(len(models)),
        "chat_providers": str(len(providers)),
        "compatible_providers": str(len(providers & speaking)),
        "function_calling_models": str(sum(bool(one.get("supports_function_calling")) for one in models)),
    }


def _compatible(wheel: Wheel) -> set[str]:
    """Return the providers that the router reaches through the interface of the first."""
    found: set[str] = set()
    for path in ("litellm/constants.py", "litellm/__init__.py"):
        for node in ast.parse(wheel.text(path)).body if path in wheel.names else ():
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if (
                isinstance(target, ast.Name)
                and target.id == _LIST
                and isinstance(node, ast.Assign | ast.AnnAssign)
            ):
                texts = ast.walk(node.value) if node.value is not None else ()
                found |= {
                    one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    for path in wheel.names:
        if path.endswith("openai_like/providers.json"):
            found |= set(json.loads(wheel.text(path)))
    return found


def _chat_models(wheel: Wheel) -> list[Mapping[str, Any]]:
    path = next((name for name in wheel.names if _PRICES.match(name)), "")
    table = json.loads(wheel.text(path)) if path else {}
    return [
        model
        for model in table.values()
        if isinstance(model, dict) and model.get("mode") == "chat" and "litellm_provider" in model
    ]


def main(folder: str, out: str) -> None:
    """Write the table."""
    write_rows(interfaces_in(wheels_in(Path(folder), PACKAGE)), COLUMNS, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
