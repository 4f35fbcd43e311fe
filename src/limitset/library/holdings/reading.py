"""What does one plain file of a library say, or why can it not be read?

Every refusal names the file, the line where it can, and what to do.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from limitset.core.errors import InputError
from limitset.library.holdings.records import Claim, Note, Source, Verdict

FENCE: Final = "+++"
LARGEST: Final = 1_000_000
"""Bytes of one note or claim; a note is a page, not a book."""
LARGEST_LIST: Final = 100_000_000
"""Bytes of the sources of a library, or of one history: they grow by a line for every run."""

Record = TypeVar("Record", bound=BaseModel)


def read_sources(path: Path) -> tuple[Source, ...]:
    """Read a `sources.toml`.

    Raises
    ------
    InputError
        When the file cannot be read, an entry is not a source, or an id comes twice.
    """
    return sources_of(read_text(path, most=LARGEST_LIST, within=path.parent), path)


def sources_of(text: str, path: Path) -> tuple[Source, ...]:
    """Read sources from their text; `path` is for the messages."""
    table = _toml(text, path)
    wrong = set(table) - {"source"}
    if wrong:
        raise InputError.of(
            expected=f"{path} holds [[source]] tables only",
            got=", ".join(sorted(wrong)),
            fix="Remove it.",
        )
    sources = tuple(
        _record(Source, one, path, named=f"source {one.get('id', place + 1)}")
        for place, one in enumerate(table.get("source", []))
    )
    _refuse_twins([source.id for source in sources], path)
    return sources


def read_note(path: Path) -> Note:
    """Read one note: TOML between two `+++` lines, then prose.

    Raises
    ------
    InputError
        When the front matter is broken, or is not that of a note.
    """
    return note_of(read_text(path, within=path.parents[1]), path)


def note_of(text: str, path: Path) -> Note:
    """Read a note from its text; `path` is for the messages, and its stem must be the id.

    Examples
    --------
    >>> note_of("no front matter", Path("x.md"))
    Traceback (most recent call last):
    limitset.core.errors.InputError: x.md must begin with a line of +++; got 'no front matter'. ...
    """
    # not splitlines: it would also cut at letters that a TOML string may hold, such as U+2028
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    if not lines or lines[0].strip() != FENCE:
        raise InputError.of(
            expected=f"{path} must begin with a line of {FENCE}",
            got=repr(lines[0][:40]) if lines else "an empty file",
            fix=f"Begin with TOML between two {FENCE} lines.",
        )
    ends = [place for place, line in enumerate(lines[1:], start=1) if line.strip() == FENCE]
    if not ends:
        raise InputError.of(
            expected=f"the front matter of {path} must end with a line of {FENCE}",
            got=f"none in {len(lines)} lines",
            fix="Close it.",
        )
    # an empty first line keeps the line numbers of the file
    table = _toml("\n".join(["", *lines[1 : ends[0]]]), path)
    if "body" in table:
        raise InputError.of(
            expected=f"the prose of {path} stands below the front matter", got="body in it", fix="Move it."
        )
    note = _record(Note, {**table, "body": "\n".join(lines[ends[0] + 1 :]).strip()}, path)
    if note.id != path.stem:
        raise InputError.of(
            expected=f"{path} must hold the note {path.stem}", got=note.id, fix="Rename one of them."
        )
    return note


def read_claim(path: Path) -> Claim:
    """Read one claim file; its name is the id and the slug.

    Raises
    ------
    InputError
        When it is broken, is no claim, or names no protocol.
    """
    claim = _record(Claim, _toml(read_text(path, within=path.parents[1]), path), path)
    if path.stem != f"{claim.id}-{claim.slug}":
        raise InputError.of(
            expected=f"{path} must hold the claim {path.stem}",
            got=f"{claim.id}-{claim.slug}",
            fix="Rename one of them.",
        )
    return claim


def read_verdicts(path: Path) -> tuple[Verdict, ...]:
    """Read the history of one claim, oldest first; one JSON object a line.

    Raises
    ------
    InputError
        When a line is broken; its number is given.
    """
    found = []
    text = read_text(path, most=LARGEST_LIST, within=path.parents[1])
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError.of(
                expected=f"{path}:{number} must be one JSON object",
                got=str(error),
                fix="Remove that line: verdicts are only ever appended whole.",
            ) from error
        if not isinstance(value, dict):
            raise InputError.of(
                expected=f"{path}:{number} must be a verdict", got=type(value).__name__, fix="Remove it."
            )
        found.append(_record(Verdict, value, path, named=f"line {number}"))
    return tuple(found)


def read_text(path: Path, *, most: int = LARGEST, within: Path | None = None) -> str:
    """Read a plain text file: a regular file, of at most so many bytes, not linked from elsewhere.

    Parameters
    ----------
    path
        The file.
    most
        Bytes that are read at most.
    within
        The folder that a link may not leave; None for a file that a user names.

    Raises
    ------
    InputError
        When it is no regular file, too large, no UTF-8, or a link out of its folder.
    """
    try:
        if within is not None and (path.is_symlink() or path.parent.is_symlink()):
            _require_inside(path, within)
        # a pipe that nobody writes would be waited for
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise InputError.of(
                    expected=f"{path} must be a regular file", got=_kind(about.st_mode), fix="Remove it."
                )
            content = file.read(most + 1)
        if len(content) > most:
            raise InputError.of(
                expected=f"{path} must be at most {most // 1000} kB",
                got=f"{max(about.st_size, len(content)) // 1000} kB",
                fix="Split it.",
            )
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InputError.of(
            expected=f"{path} must be UTF-8 text",
            got=f"byte {error.start} that is not",
            fix="Save it as UTF-8.",
        ) from error
    except OSError as error:
        raise InputError.of(
            expected=f"{path} must be a readable file",
            got=error.strerror or "an error",
            fix="Check the path.",
        ) from error


def _require_inside(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError.of(
            expected=f"{path} must stand in {folder}",
            got="a link to a file elsewhere",
            fix="Copy the file there.",
        )


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise InputError.of(
            expected=f"{path}{':' + line[1] if line else ''} must be TOML",
            got=re.sub(r" \(at .*\)", "", str(error)),
            fix="Mend that line.",
        ) from error


def _record(kind: type[Record], value: Mapping[str, Any], path: Path, *, named: str = "") -> Record:
    try:
        return kind.model_validate(dict(value))
    except ValidationError as error:
        wrong = error.errors()
        place = ".".join(str(part) for part in wrong[0]["loc"])
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        where = f"{path}{f', {named}' if named else ''}"
        raise InputError.of(
            expected=f"{where} must be a {kind.__name__.lower()}",
            got=f"{f'{place}: ' if place else ''}{wrong[0]['msg'].lower()}{more}",
            fix="Mend that field.",
        ) from error


def _refuse_twins(names: list[str], path: Path) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError.of(
            expected=f"the ids in {path} must be distinct", got=f"{twice} twice", fix="Rename or merge them."
        )
