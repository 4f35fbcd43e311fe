"""Where are the parts of a run kept, so that a killed one goes on and a new one begins anew?"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
from pathlib import Path
from typing import Final

from limitset.core.errors import InputError
from limitset.core.evidence import Tier
from limitset.core.provenance import package_versions, sha256_of
from limitset.library.holdings.dated import day_of
from limitset.library.judge.fingerprint import Fingerprint

FINISHED: Final = "finished"
"""Written when the verdicts of a run are kept; holds the day."""


def folder_of(runs: Path, request: str, *, today: dt.date, again: bool) -> Path:
    """Return the folder of a run.

    Parameters
    ----------
    runs
        Where all runs are kept.
    request
        What was asked for, from `request_of`.
    today
        The day: a run that was finished on it is gone on with, so that another claim of the same protocol
        costs nothing; one of an earlier day is not.
    again
        Begin anew also what was finished today.

    Returns
    -------
    pathlib.Path
        A folder that is there.
    """
    for number in itertools.count(1):
        folder = runs / (request if number == 1 else f"{request}-{number}")
        mark = folder / FINISHED
        if not mark.is_file() or (not again and day_of(mark.read_text("ascii").strip()) == today):
            break
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError.of(
            expected=f"{runs} must be a folder that you can write",
            got=error.strerror or "an error",
            fix="Name another library with --library, or set LIMITSET_LIBRARY.",
        ) from error
    return folder


def finish(folder: Path, today: dt.date) -> None:
    """Say that the verdicts of a run are kept."""
    (folder / FINISHED).write_text(f"{today.isoformat()}\n", "ascii")


def request_of(
    protocol: str,
    *,
    tier: Tier,
    seed: int,
    mark: Fingerprint,
    model: str = "",
    map_: str = "",
    logs: Path | None = None,
) -> str:
    """Name a request: what could move its numbers moves the name, the user's files and the packages too."""
    parts = [
        mark.file,
        list(mark.instruments),
        list(mark.data),
        package_versions(),
        [model, _state(Path(model).expanduser()) if model else ""],
        [map_, _state(Path(map_.rpartition(":")[0] or map_).expanduser()) if map_ else ""],
        sha256_of(logs) if logs else "",
    ]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{protocol}-{tier}-{seed}-{digest[:12]}"


def _state(path: Path) -> list[list[str | int]]:
    """Return name, size and time of change of a file or of a folder's files; nothing for a mere name."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [(one.name, one.stat()) for one in files if one.is_file()]
    return [[name, about.st_size, about.st_mtime_ns] for name, about in found]
