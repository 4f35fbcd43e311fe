"""How is a verdict added to a history so that nothing is ever lost or half written?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.library.holdings.records import Verdict
from limitset.library.holdings.shelf import Shelf

PATIENCE: Final = 10.0
"""Seconds to wait for another process that writes the same history."""
ABANDONED: Final = 60.0
"""Seconds after which a lock was left by a killed process: writing takes a fraction of one."""


def append(verdict: Verdict, shelf: Shelf) -> Path:
    """Add a verdict to the history of its claim.

    The whole history is written anew beside the old one and takes its place in one move; two processes wait
    for each other.

    Parameters
    ----------
    verdict
        What to add.
    shelf
        Where; the built-in shelf is refused.

    Returns
    -------
    pathlib.Path
        The file of the history.

    Raises
    ------
    InputError
        When the shelf is built in, the history is broken, or another process does not let go of it.
    """
    if shelf.builtin:
        raise InputError.of(
            expected="verdicts are kept in a library folder of yours",
            got=f"the built-in {shelf.root}",
            fix="Name one with --library, or set LIMITSET_LIBRARY.",
        )
    path = shelf.verdict_file(verdict.claim)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".lock")):
        shelf.verdicts(verdict.claim)  # a broken history is refused, never appended to
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if old and not old.endswith("\n"):
            old += "\n"
        line = json.dumps(verdict.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
        parquet.write_text(path, f"{old}{line}\n")
    return path


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError as error:
            if _age(lock) > ABANDONED:
                lock.rmdir()
                continue
            if time.monotonic() > deadline:
                raise InputError.of(
                    expected=f"only one process may write {lock.with_suffix('.jsonl')}",
                    got=f"another one for {PATIENCE:.0f} s",
                    fix=f"If none is running, remove {lock}.",
                ) from error
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.rmdir()


def _age(lock: Path) -> float:
    try:
        return time.time() - lock.stat().st_mtime
    except FileNotFoundError:  # let go of just now
        return 0.0
