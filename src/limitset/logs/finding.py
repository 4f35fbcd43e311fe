"""Which of the files under some paths are logs, and of which tool?

A folder is searched for logs of evaluations; a file of replies (CSV, JSON lines, Parquet) is read only where
it is named itself, since a folder may hold any tables. Unrelated files cost one look at their names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from limitset.core.errors import InputError
from limitset.logs.records import READERS

HEAD: Final = 4_096
"""Bytes looked at to tell one JSON file from another."""

MOST_FILES: Final = 1_000_000
INSPECT_HEAD: Final = re.compile(rb'^\s*\{\s*"version"\s*:\s*\d+\s*,.*"eval"\s*:', re.DOTALL)
SAMPLE_HEAD: Final = re.compile(
    rb'^(?:\xef\xbb\xbf)?\s*\[?\s*\{.*"(?:doc_id|doc|resps|arguments)"\s*:', re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Files to read, each kind in order of its path."""

    lm_eval: tuple[Path, ...] = ()
    inspect: tuple[Path, ...] = ()
    tables: tuple[Path, ...] = ()
    unrelated: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every file that is read."""
        return (*self.lm_eval, *self.inspect, *self.tables)


def find_logs(paths: Sequence[Path]) -> Found:
    """Say which files are to be read, and by which reader.

    Parameters
    ----------
    paths
        Files and folders; folders are searched to any depth, links to folders are not followed.

    Raises
    ------
    InputError
        When a path is absent, a named file is no log and no table, or nothing is found.

    Examples
    --------
    >>> find_logs([Path("none")])
    Traceback (most recent call last):
    limitset.core.errors.InputError: none must be a file or a folder; got none there. Check the path.
    """
    kinds: dict[str, dict[Path, None]] = {"lm_eval": {}, "inspect": {}, "tables": {}}
    unrelated: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in _files(path):
                kind = _kind(file)
                if kind is None:
                    unrelated.append(file)
                else:
                    kinds[kind][file] = None
        else:
            kinds[_named(path)][path] = None
    if not any(kinds.values()):
        raise InputError.of(
            expected=f"{', '.join(map(str, paths))} must hold logs of lm-evaluation-harness or Inspect",
            got=_told(unrelated),
            fix="Name a file of replies itself; write samples with --log_samples.",
        )
    return Found(
        lm_eval=tuple(kinds["lm_eval"]),
        inspect=tuple(kinds["inspect"]),
        tables=tuple(kinds["tables"]),
        unrelated=len(unrelated),
    )


def _files(folder: Path) -> Iterator[Path]:
    seen = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            seen += 1
            if seen > MOST_FILES:
                raise InputError.of(
                    expected=f"{folder} must hold at most {MOST_FILES:,} files",
                    got="more",
                    fix="Name the folder of the logs itself.",
                )
            yield Path(parent) / name


def _kind(file: Path) -> str | None:
    """Return the reader of a file found in a folder, None where it is no log."""
    kind = file.suffix.lower()
    if kind not in (".eval", ".json", ".jsonl") or not file.is_file():
        return None
    if kind == ".eval":
        return "inspect"
    if file.name.startswith("samples_"):
        return "lm_eval"
    head = _head(file)
    if kind == ".json" and INSPECT_HEAD.search(head):
        return "inspect"
    # resps or arguments tell a sample of the harness from any other list of documents
    return "lm_eval" if SAMPLE_HEAD.search(head) and b'"doc_id"' in head else None


def _named(path: Path) -> str:
    if not path.is_file():
        raise InputError.of(
            expected=f"{path} must be a file or a folder", got="none there", fix="Check the path."
        )
    kind = _kind(path)
    if kind is None and path.suffix.lower() in READERS:
        return "tables"
    if kind is None:
        raise InputError.of(
            expected=f"a log must be .eval, .json, a file of samples, or one of {', '.join(READERS)}",
            got=path.name,
            fix="Export to one of these.",
        )
    return kind


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(HEAD)
    except OSError as error:
        raise InputError.of(
            expected=f"{file} must be readable", got=error, fix="Check its rights."
        ) from error


def _told(unrelated: Sequence[Path]) -> str:
    tables = [file.name for file in unrelated if file.suffix.lower() in READERS]
    others = f"{len(unrelated):,} other files" if unrelated else "no file"
    return f"{others}, among them {', '.join(tables[:3])}" if tables else others
