"""Which model and which version of a task wrote a file of samples? The results file beside it says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError
from limitset.logs.json_text import decoded, parsed

NAME: Final = re.compile(
    r"^samples_(?P<task>.+?)_(?P<stamp>\d{4}-\d{2}-\d{2}T\d{2}[-:]\d{2}[-:]\d{2}(?:\.\d+)?)\.jsonl?$"
)
LARGEST_RESULTS: Final = 1 << 26
"""Bytes; results of all tasks of the harness have less than ten million."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who wrote the samples."""

    task: str
    model: str
    settings: str = ""
    version: str = ""
    notes: tuple[str, ...] = ()


def origin_of(path: Path) -> Origin:
    """Say which model on which task a file of samples is of."""
    named = NAME.match(path.name)
    stamp = named["stamp"] if named else None
    file = _results_file(path, stamp)
    if file is None:
        task = named["task"] if named else path.stem.removeprefix("samples_")
        note = f"{path.name} has no results file beside it: its folder {path.parent.name!r} names the model"
        return Origin(task=task, model=path.resolve().parent.name or "model", notes=(note,))
    results = _read(file)
    task = named["task"] if named else _task_of(path.stem, results)
    config = _mapping(results.get("config"))
    settings = config.get("model_args")
    told = settings if isinstance(settings, str) else _listed(_mapping(settings))
    model = results.get("model_name") or _pretrained(told) or config.get("model") or path.parent.name
    return Origin(
        task=task,
        model=str(model)[:200],
        settings=told[:300],
        version=str(_mapping(results.get("versions")).get(task, "")),
    )


def _results_file(path: Path, stamp: str | None) -> Path | None:
    exact = [path.with_name(f"results_{stamp}.json")] if stamp else []
    for file in (*exact, path.with_name("results.json")):
        if file.is_file():
            return file
    others = sorted(path.parent.glob("results_*.json"))
    return others[0] if len(others) == 1 else None


def _read(file: Path) -> Mapping[str, Any]:
    size = file.stat().st_size
    if size > LARGEST_RESULTS:
        raise InputError.of(
            expected=f"{file} must be at most {LARGEST_RESULTS:,} bytes", got=f"{size:,}", fix="Check it."
        )
    found = parsed(decoded(file.read_bytes(), place=str(file)), place=str(file))
    if not isinstance(found, dict):
        raise InputError.of(
            expected=f"{file} must be the results of an evaluation",
            got=type(found).__name__,
            fix="Restore it, or move it away.",
        )
    return found


def _task_of(stem: str, results: Mapping[str, Any]) -> str:
    """Return the longest known task that ends the name: early files were MODEL_TASK.jsonl."""
    known = [str(name) for name in _mapping(results.get("results"))]
    return max((name for name in known if stem.endswith(name)), key=len, default=stem)


def _pretrained(settings: str) -> str | None:
    found = re.search(r"(?:^|,)\s*(?:pretrained|model)=([^,]+)", settings)
    return found[1] if found else None


def _listed(values: Mapping[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
