"""How does something proposed become part of a note?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.library.holdings.alone import alone
from limitset.library.holdings.library import Library
from limitset.library.holdings.reading import note_of
from limitset.library.holdings.records import Note
from limitset.library.ingest.writing import held_text, keep_sources, with_links


def accept(
    name: str,
    *,
    library: Library,
    contradicts: Sequence[str] = (),
    supersedes: Sequence[str] = (),
    same_group: str = "",
) -> Path:
    """Write into a note of the user's what was proposed for it.

    Parameters
    ----------
    name
        The note; for `same_group` also a source.
    library
        The shelves; the last is written.
    contradicts, supersedes
        Held notes.
    same_group
        A held source: the sources of the note then count as one with it.

    Returns
    -------
    pathlib.Path
        The file that was changed.

    Raises
    ------
    InputError
        When the note is not the user's, a name is not held, or nothing is named.
    """
    require_own(library)
    for other in (*contradicts, *supersedes):
        if other not in library.notes or other == name:
            raise InputError.of(
                expected="a note contradicts or supersedes another held note", got=other, fix="Check its id."
            )
    if not (contradicts or supersedes or same_group):
        raise InputError.of(
            expected="--contradicts, --supersedes or --same-group must name what is accepted",
            got="nothing",
            fix="limitset library add proposes them.",
        )
    shelf = library.own
    with alone(shelf.root):
        path = shelf.root / "notes" / f"{name}.md"
        if contradicts or supersedes:
            if not path.is_file():
                raise InputError.of(
                    expected=f"{name} must be a note of yours in {shelf.root / 'notes'}",
                    got="none",
                    fix="Built-in notes are only read; name your own.",
                )
            text = with_links(held_text(path), path, contradicts=contradicts, supersedes=supersedes)
            require_no_circle(note_of(text, path), library)
            parquet.write_text(path, text)
        if same_group:
            path = _joined(name, same_group, library)
    return path


def require_own(library: Library) -> None:
    """Refuse to write the built-in shelf."""
    if library.own.builtin:
        raise InputError.of(
            expected="notes are kept in a library folder of yours",
            got=f"the built-in {library.own.root}",
            fix="Name one with --library, or set LIMITSET_LIBRARY.",
        )


def require_no_circle(note: Note, library: Library) -> None:
    """Refuse a note that would supersede itself by way of others."""
    waiting, seen = list(note.supersedes), set()
    while waiting:
        name = waiting.pop()
        if name == note.id:
            raise InputError.of(
                expected="supersession must not go in a circle",
                got=f"{note.id} above itself",
                fix="Break it.",
            )
        if name not in seen and name in library.notes:
            seen.add(name)
            waiting.extend(library.notes[name].supersedes)


def _joined(name: str, group: str, library: Library) -> Path:
    shelf = library.own
    other = library.sources.get(group)
    note = library.notes.get(name)
    wanted = {atom.source for atom in note.atoms} if note else {name}
    own = [shelf.sources[one] for one in sorted(wanted) if one in shelf.sources]
    if other is None or not own:
        raise InputError.of(
            expected=f"a source of yours behind {name}, and a held source {group}",
            got="none" if other else f"no source {group}",
            fix="Check both ids.",
        )
    keep_sources([one.model_copy(update={"lineage": other.lineage}) for one in own], shelf)
    return shelf.root / "sources.toml"
