"""How does a draft become plain files, so that no file is ever half written?

A note is read back before it is kept; its source goes first, so that a killed run leaves a source without a
note at worst, which the next run takes up.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.library.holdings.reading import FENCE, note_of, read_note, sources_of
from limitset.library.holdings.records import Note, Source
from limitset.library.holdings.shelf import Shelf


def note_text(note: Note, *, comments: Iterable[str] = ()) -> str:
    """Return the file of a note; comments stand in its front matter and assert nothing."""
    lines = [FENCE]
    fields = note.model_dump(exclude={"atoms", "body"})
    lines += [f"{name} = {_value(value)}" for name, value in fields.items()]
    lines += [f"# {' '.join(comment.split())}" for comment in comments]
    for atom in note.atoms:
        lines += [
            "",
            "[[atoms]]",
            *(f"{name} = {_value(value)}" for name, value in atom.model_dump().items() if value != ()),
        ]
    lines += [FENCE, *([note.body] if note.body else [])]
    return "\n".join(lines) + "\n"


def source_text(source: Source) -> str:
    """Return the table of a source; what is not known is left out."""
    fields = {name: value for name, value in source.model_dump().items() if value not in ("", None)}
    return "\n".join(["[[source]]", *(f"{name} = {_value(value)}" for name, value in fields.items())]) + "\n"


def keep_sources(sources: Sequence[Source], shelf: Shelf) -> None:
    """Append sources to the shelf, each in the place of the one of its id where there is one.

    Raises
    ------
    InputError
        When the file would not be sound afterwards; it stays as it was.
    """
    path = shelf.root / "sources.toml"
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    held = {source.id: source for source in sources_of(old, path)}
    new = old
    for source in sources:
        if source.id in held and source != held[source.id]:
            new = _replaced(new, source)
    fresh = [source_text(source) for source in sources if source.id not in held]
    if fresh:
        gap = "" if not new else "\n" if new.endswith("\n") else "\n\n"
        new += gap + "\n".join(fresh)
    if new != old:
        sources_of(new, path)
        parquet.write_text(path, new)


def keep_note(text: str, name: str, shelf: Shelf) -> Path:
    """Write the file of a new note.

    Raises
    ------
    InputError
        When the text is not that note, or a note of that name stands there.
    """
    path = shelf.root / "notes" / f"{name}.md"
    note_of(text, path)
    if path.exists():
        raise InputError.of(
            expected=f"{path} must be a new note",
            got="one of that name",
            fix="Remove it first, or edit it by hand.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_text(path, text)
    return path


def with_links(
    text: str, path: Path, *, contradicts: Iterable[str] = (), supersedes: Iterable[str] = ()
) -> str:
    """Return the file of a note with more contradictions and supersessions, everything else as it stands.

    Raises
    ------
    InputError
        When its front matter is written in a way that cannot be edited line by line.
    """
    note = note_of(text, path)
    wanted = {
        "contradicts": tuple(dict.fromkeys((*note.contradicts, *contradicts))),
        "supersedes": tuple(dict.fromkeys((*note.supersedes, *supersedes))),
    }
    head, fence, rest = text.partition("\n[[atoms]]")
    for name, value in wanted.items():
        line = f"{name} = {_value(value)}"
        plain = re.compile(rf"^{name}\s*=\s*\[[^\]]*\]", re.MULTILINE)
        count = len(plain.findall(head))
        head = plain.sub(line.replace("\\", r"\\"), head, count=1)
        if not count and value:
            head = f"{head.rstrip()}\n{line}\n"
        for other in value:
            head = re.sub(
                rf"^# proposed: {name} {re.escape(other)}:.*\n", "", head + "\n", flags=re.MULTILINE
            )[:-1]
    edited = head + fence + rest
    after = note_of(edited, path)
    if (after.contradicts, after.supersedes) != (wanted["contradicts"], wanted["supersedes"]):
        raise InputError.of(
            expected=f"{path} must have plain lines for contradicts and supersedes",
            got="something else",
            fix="Edit them by hand.",
        )
    return edited


def held_text(path: Path) -> str:
    """Return the text of a note that is held and sound."""
    read_note(path)
    return path.read_text(encoding="utf-8")


def _replaced(old: str, source: Source) -> str:
    """Put a source in the place of the one of its id; comments between sources stay."""
    blocks = re.split(r"(?m)^(?=\[\[source\]\])", old)
    for place, block in enumerate(blocks):
        if block.startswith("[[source]]") and tomllib.loads(block)["source"][0].get("id") == source.id:
            trailing = re.search(r"\n(?:[ \t]*(?:#[^\n]*)?\n)*\Z", block)
            blocks[place] = source_text(source).rstrip("\n") + (trailing[0] if trailing else "\n")
    return "".join(blocks)


def _value(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    # a JSON string is a basic string of TOML, but for the one control character that JSON lets pass
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")
