"""What is wrong with the files of a library, file by file?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from limitset.core.errors import InputError
from limitset.library.holdings.library import Library
from limitset.library.holdings.reading import read_claim, read_note, read_sources, read_verdicts
from limitset.library.holdings.records import Claim, Note, Source, Verdict
from limitset.library.holdings.shelf import Shelf

One = TypeVar("One")

MOST_SENTENCES: Final = 2
"""A gist is read in one breath."""
_ENDS: Final = re.compile(r"(?<!\b[A-Z])(?<!et al)(?<!e\.g)(?<!i\.e)(?<!vs)[.!?](?=\s+[^\W\d_]|\s*$)")


@dataclass(frozen=True)
class Problem:
    """One line: which file, what is wrong, and whether answers can still be given."""

    file: str
    what: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.file}: {self.what}" if self.file not in self.what else self.what


@dataclass(frozen=True)
class _Read:
    """What could be read, with the file it stands in."""

    sources: Mapping[str, tuple[Source, str]]
    notes: Mapping[str, tuple[Note, str]]
    claims: Mapping[str, tuple[Claim, str]]

    @property
    def atoms(self) -> set[str]:
        """Names under which atoms are cited."""
        return {note.cited(atom) for note, _ in self.notes.values() for atom in note.atoms}


def check(library: Library, *, protocols: Iterable[str]) -> tuple[Problem, ...]:
    """Read every file and follow every reference.

    Parameters
    ----------
    library
        The shelves.
    protocols
        Ids of the protocols that can be run.

    Returns
    -------
    tuple
        Every problem, unreadable files first; empty for a sound library.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check(Library.opened(Path(folder), builtin=False), protocols=())
    ()
    """
    problems: list[Problem] = []
    read = _read(library.shelves, problems)
    problems += _dangling(read)
    problems += _opposed_atoms(read)
    problems += _unrunnable(read, frozenset(protocols))
    problems += _circles(read)
    problems += _twins(library.shelves, read)
    return tuple(problems)


def _read(shelves: Iterable[Shelf], problems: list[Problem]) -> _Read:
    sources: dict[str, tuple[Source, str]] = {}
    notes: dict[str, tuple[Note, str]] = {}
    claims: dict[str, tuple[Claim, str]] = {}
    for shelf in shelves:
        file = shelf.root / "sources.toml"
        for source in _tried(read_sources, file, problems) or () if _there(file) else ():
            _put(sources, source.id, source, str(file), problems)
        for path in shelf.note_files():
            note = _tried(read_note, path, problems)
            if note is not None:
                _put(notes, note.id, note, str(path), problems)
        for path in shelf.claim_files():
            claim = _tried(read_claim, path, problems)
            if claim is not None:
                _put(claims, claim.id, claim, str(path), problems)
        for name in shelf.judged():
            path = shelf.verdict_file(name)
            history = _tried(read_verdicts, path, problems) or ()
            problems += _misplaced(name, history, str(path))
    return _Read(sources, notes, claims)


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _tried(read: Callable[[Path], One], path: Path, problems: list[Problem]) -> One | None:
    try:
        return read(path)
    except InputError as error:
        problems.append(Problem(str(path), str(error)))
        return None


def _put(held: dict[str, tuple[One, str]], name: str, one: One, file: str, problems: list[Problem]) -> None:
    if name in held:
        problems.append(Problem(file, f"{name} is held already in {held[name][1]}; rename it"))
    held[name] = (one, file)


def _misplaced(name: str, history: Iterable[Verdict], file: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for verdict in history:
        if verdict.claim != name:
            yield Problem(file, f"holds {verdict.id}, a verdict on {verdict.claim}; move that line")
        if verdict.id in seen:
            yield Problem(file, f"holds {verdict.id} twice; remove one line")
        seen.add(verdict.id)


def _opposed_atoms(read: _Read) -> Iterator[Problem]:
    atoms = read.atoms
    for note, file in read.notes.values():
        for atom in note.atoms:
            if note.cited(atom) in atom.contradicts:
                yield Problem(file, f"atom {atom.id} contradicts itself; remove that")
            for name in sorted(set(atom.contradicts) - atoms):
                what = f"atom {atom.id} contradicts the atom {name}, which is not held; correct or remove it"
                yield Problem(file, what)


def _dangling(read: _Read) -> Iterator[Problem]:
    atoms = read.atoms
    for note, file in read.notes.values():
        for name in sorted({atom.source for atom in note.atoms} - set(read.sources)):
            yield Problem(file, f"names the source {name}, which is not held; add it to sources.toml")
        for name in sorted({*note.contradicts, *note.supersedes} - set(read.notes)):
            yield Problem(file, f"names the note {name}, which is not held; correct or remove it")
        if len(_ENDS.findall(note.gist)) > MOST_SENTENCES:
            yield Problem(
                file, f"has a gist of more than {MOST_SENTENCES} sentences; shorten it", fatal=False
            )
        for atom in note.atoms:
            source = read.sources.get(atom.source)
            if source and source[0].unread and not atom.locator.startswith("inventory row"):
                yield Problem(
                    file, f"atom {atom.id} gives a place in {atom.source}, which was not opened", fatal=False
                )
    for claim, file in read.claims.values():
        for name in sorted(set(claim.atoms) - atoms):
            yield Problem(file, f"names the atom {name}, which is not held; correct or remove it")
        for name in sorted(set(claim.rivals) - set(read.claims)):
            yield Problem(file, f"names the rival {name}, which is not held; correct or remove it")
        if claim.stated_by and claim.stated_by not in read.sources:
            yield Problem(file, f"is stated by {claim.stated_by}, which is not held; add it to sources.toml")


def _unrunnable(read: _Read, protocols: frozenset[str]) -> Iterator[Problem]:
    # a protocol may serve some claims of its number before it serves the others
    served = {claim.protocol for claim, _ in read.claims.values() if claim.runnable}
    for claim, file in read.claims.values():
        if claim.runnable and claim.protocol not in protocols:
            yield Problem(
                file, f"has neither a protocol {claim.protocol} that can be run nor a plan; write one"
            )
        if not claim.runnable and claim.protocol in protocols - served:
            what = f"has a plan though {claim.protocol} can be run; remove the plan if it measures this claim"
            yield Problem(file, what, fatal=False)


def _twins(shelves: Iterable[Shelf], read: _Read) -> Iterator[Problem]:
    """Name what two claims, or verdicts of two shelves, are both called."""
    slugs: dict[str, str] = {}
    for claim, file in read.claims.values():
        if claim.slug in slugs:
            yield Problem(
                file, f"has the slug {claim.slug}, which is that of {slugs[claim.slug]}; rename one"
            )
        slugs.setdefault(claim.slug, claim.id)
    homes: dict[str, Path] = {}
    for shelf in shelves:
        here = {one for name in shelf.judged() for one in _ids(shelf, name)}
        for name in sorted(here & set(homes)):
            what = f"holds {name}, which {homes[name]} holds too: an answer cannot tell them apart"
            yield Problem(str(shelf.root / "verdicts"), what, fatal=False)
        homes |= dict.fromkeys(here, shelf.root / "verdicts")


def _ids(shelf: Shelf, claim: str) -> list[str]:
    try:
        return [one.id for one in shelf.verdicts(claim)]
    except InputError:  # told already
        return []


def _circles(read: _Read) -> Iterator[Problem]:
    above = {
        name: [one for one in note.supersedes if one in read.notes] for name, (note, _) in read.notes.items()
    }
    for name, (note, file) in read.notes.items():
        if name in note.contradicts:
            yield Problem(file, "contradicts itself; remove that")
        circle = _circle(name, above)
        if circle and name == min(circle):
            yield Problem(file, f"is superseded in a circle: {' > '.join([*circle, name])}; break it")
    opposed: dict[str, set[str]] = {name: set() for name in read.notes}
    for name, (note, _) in read.notes.items():
        for other in set(note.contradicts) & set(opposed) - {name}:
            opposed[name].add(other)
            opposed[other].add(name)
    for name, (_, file) in read.notes.items():
        for second in sorted(opposed[name]):
            for third in sorted(opposed[second] & opposed[name]):
                if name < second < third:
                    yield Problem(
                        file,
                        f"contradicts in a circle with {second} and {third}: no two of the three agree; "
                        "say in their notes how they differ, or remove one",
                        fatal=False,
                    )


def _circle(start: str, above: Mapping[str, list[str]]) -> list[str]:
    """Return the way from a note back to itself, empty where there is none."""
    waiting = [[start]]
    seen = set()
    while waiting:
        way = waiting.pop()
        for other in above.get(way[-1], ()):
            if other == start:
                return way
            if other not in seen:
                seen.add(other)
                waiting.append([*way, other])
    return []
