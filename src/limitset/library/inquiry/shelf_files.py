"""Which files do the shelves of a library hold, and when did they change?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from limitset.library.holdings.library import Library


@dataclass(frozen=True)
class HeldFile:
    """A file of a shelf, as far as its folder tells."""

    path: str
    shelf: int
    kind: str
    modified: int
    size: int


_FOLDERS: Final = {"notes": ".md", "claims": ".toml", "verdicts": ".jsonl"}
ORDER: Final = ("sources", "claims", "notes", "verdicts")


def held_files(library: Library) -> Iterator[HeldFile]:
    """Yield the files of all shelves."""
    for place, shelf in enumerate(library.shelves):
        root = shelf.root.resolve()
        sources = root / "sources.toml"
        if sources.is_file():
            status = sources.stat()
            yield HeldFile(str(sources), place, "sources", status.st_mtime_ns, status.st_size)
        for kind, suffix in _FOLDERS.items():
            if not (root / kind).is_dir():
                continue
            with os.scandir(root / kind) as entries:  # a Path for each of 50,000 notes costs seconds
                for entry in entries:
                    if entry.name.endswith(suffix) and entry.is_file():
                        status = entry.stat()
                        yield HeldFile(entry.path, place, kind, status.st_mtime_ns, status.st_size)
