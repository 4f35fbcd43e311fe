"""How does a paper, a bibliography or a note enter a user's library?

A draft is written, never an assertion about what is held: contradictions, supersessions and groups are
proposed, and stand in the note only once accepted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from limitset.core.errors import InputError
from limitset.library.holdings.alone import alone
from limitset.library.holdings.library import Library
from limitset.library.holdings.reading import note_of
from limitset.library.holdings.records import Note, Source
from limitset.library.holdings.shelf import Shelf
from limitset.library.ingest.accepting import require_no_circle, require_own
from limitset.library.ingest.drafted import Added, Entry, Kind, Proposal
from limitset.library.ingest.drafting import note_of_source, source_of
from limitset.library.ingest.incoming import Given, Incoming, OwnNote, incoming
from limitset.library.ingest.overlap import Holdings, telling
from limitset.library.ingest.proposing import proposals
from limitset.library.ingest.vocabulary import Vocabulary
from limitset.library.ingest.writing import keep_note, keep_sources, note_text, with_links
from limitset.library.inquiry.instructions import instruction_in


def add(
    source: str,
    *,
    library: Library,
    today: dt.date,
    abstract: str = "",
    title: str = "",
    authors: Sequence[str] = (),
    level: str = "",
    keep: bool = True,
    accept: bool = False,
) -> Added:
    """Draft notes of what is given, propose what they change, and keep them in the user's library.

    Parameters
    ----------
    source
        An arXiv number, a BibTeX file, or a note in Markdown.
    library
        The shelves; the last is written.
    today
        The day of the notes.
    abstract, title, authors
        For an arXiv number: its pasted abstract, its title, who wrote it.
    level
        Which map it speaks of; proposed from the held notes where left out.
    keep
        Whether files are written; otherwise the drafts are only returned.
    accept
        Whether what is proposed is written into the notes; what became stale never is.

    Returns
    -------
    Added
        One entry a paper, with its proposals; and what was refused.

    Raises
    ------
    InputError
        When nothing could be added: the input cannot be read, lacks a title or an abstract, is held
        already, or the library cannot be written.
    """
    require_own(library)
    given, refused = incoming(source, abstract=abstract, title=title, authors=authors, year=today.year)
    with alone(library.own.root) if keep else nullcontext():
        # read under the lock: what another process added just now is held
        library = Library(tuple(Shelf(shelf.root, shelf.builtin) for shelf in library.shelves))
        adding = _Adding(library, today=today, level=level, accept=accept)
        added = _each(source, given, refused, adding)
        return replace(added, entries=_kept(added.entries, library), kept=True) if keep else added


def _each(source: str, given: Sequence[Given], refused: Sequence[tuple[str, str]], adding: _Adding) -> Added:
    entries: list[Entry] = []
    turned_away = list(refused)
    for one in given:
        name = one.name if isinstance(one, Incoming) else one.id
        try:
            entries.append(adding.entered(one))
        except InputError as error:
            if len(given) + len(refused) == 1:
                raise
            turned_away.append((name, str(error)))
    if not entries:
        raise InputError.of(
            expected=f"{source} must hold something to add",
            got="; ".join(f"{name}: {why}" for name, why in turned_away[:3]),
            fix="Nothing was written.",
        )
    return Added(entries=tuple(entries), refused=tuple(turned_away), kept=False)


def _kept(entries: Sequence[Entry], library: Library) -> tuple[Entry, ...]:
    """Write the sources, then the notes: a run that is killed leaves sources without notes at worst."""
    shelf = library.own
    try:
        keep_sources(
            [
                entry.source
                for entry in entries
                if entry.source.id not in library.sources or entry.source.id in shelf.sources
            ],
            shelf,
        )
        return tuple(
            replace(entry, path=keep_note(entry.text, entry.note.id, shelf)) if entry.note else entry
            for entry in entries
        )
    except OSError as error:
        raise InputError.of(
            expected=f"{shelf.root} must be a folder that you can write",
            got=error.strerror or "an error",
            fix="Name another with --library, or set LIMITSET_LIBRARY.",
        ) from error


class _Adding:
    """What stays the same from one entry of a file to the next, and what is held after each."""

    def __init__(self, library: Library, *, today: dt.date, level: str, accept: bool) -> None:
        self.library, self.today, self.level, self.accept = library, today, level, accept
        self.notes: dict[str, Note] = dict(library.notes)
        self.sources: dict[str, Source] = dict(library.sources)
        self.vocabulary = Vocabulary(self.notes.values())
        self.holdings = Holdings(self.notes.values())

    def entered(self, given: Given) -> Entry:
        """Draft one; it is held from then on."""
        entry = self._own(given) if isinstance(given, OwnNote) else self._drafted(given)
        self.sources[entry.source.id] = entry.source
        if entry.note is not None:
            self.notes[entry.note.id] = entry.note
        return entry

    def _own(self, given: OwnNote) -> Entry:
        path = self.library.own.root / "notes" / f"{given.id}.md"
        note = note_of(given.text, path)
        if note.id in self.notes:
            raise InputError.of(
                expected="a new note needs an id of its own",
                got=f"{note.id}, which is held",
                fix="Rename it.",
            )
        missing = sorted({atom.source for atom in note.atoms} - set(self.sources))
        if missing:
            raise InputError.of(
                expected=f"the sources of {note.id} must be held",
                got=", ".join(missing),
                fix=f"Add them to {self.library.own.root / 'sources.toml'} first.",
            )
        for other in (*note.contradicts, *note.supersedes):
            if other not in self.notes:
                raise InputError.of(
                    expected=f"the notes that {note.id} names must be held", got=other, fix="Correct its id."
                )
        require_no_circle(note, self.library)
        source = self.sources[note.atoms[0].source]
        return self._proposed(note, source, given.text, _suspicious(note))

    def _drafted(self, given: Incoming) -> Entry:
        twin = self._twin(given)
        remarks: tuple[str, ...] = given.remarks
        reused = twin is not None and twin.id in self.library.own.sources and not self._cited(twin)
        if twin is not None and not reused:
            self._refuse_held(given, twin)
            remarks += (f"the same paper is held as {twin.id}: together they count once",)
        source = source_of(
            given,
            taken=self.sources,
            today=self.today,
            lineage=twin.lineage if twin else "",
            named=twin.id if twin and reused else "",
        )
        if given.origin == "nothing":
            if reused:
                raise InputError.of(
                    expected="an entry without an abstract must be new",
                    got=f"{given.name}, held as {source.id}",
                    fix="Add its abstract.",
                )
            return self._proposed(None, source, "", remarks)
        note, more = note_of_source(
            given, source, vocabulary=self.vocabulary, level=self.level, taken=self.notes, today=self.today
        )
        return self._proposed(note, source, "", remarks + more + _suspicious(note))

    def _proposed(self, note: Note | None, source: Source, text: str, remarks: tuple[str, ...]) -> Entry:
        found = proposals(note, source, library=self.library, today=self.today, holdings=self.holdings)
        if self.accept and note is not None:
            links = {
                kind: tuple(one.held for one in found if one.kind is kind)
                for kind in (Kind.CONTRADICTS, Kind.SUPERSEDES)
            }
            group = next((one.held for one in found if one.kind is Kind.SAME_GROUP), "")
            if group and not text:
                source = source.model_copy(update={"lineage": self.sources[group].lineage})
            note = note.model_copy(
                update={
                    "contradicts": tuple(dict.fromkeys((*note.contradicts, *links[Kind.CONTRADICTS]))),
                    "supersedes": tuple(dict.fromkeys((*note.supersedes, *links[Kind.SUPERSEDES]))),
                }
            )
            require_no_circle(note, self.library)
            if text:
                path = self.library.own.root / "notes" / f"{note.id}.md"
                text = with_links(text, path, contradicts=note.contradicts, supersedes=note.supersedes)
        if note is not None and not text:
            text = note_text(note, comments=() if self.accept else _comments(found))
        return Entry(
            source=source,
            note=note,
            text=text,
            path=None,
            proposals=found,
            accepted=self.accept and bool(found),
            remarks=remarks,
        )

    def _twin(self, given: Incoming) -> Source | None:
        """Return a held source that is the same paper, one that was read before one that was not."""
        long = len(telling(given.title)) >= 3
        same = [
            held
            for held in self.sources.values()
            if (given.arxiv and given.arxiv == held.arxiv)
            or (given.doi and given.doi.lower() == held.doi.lower())
            or (given.title.casefold() == held.title.casefold() and long and given.year == held.year)
        ]
        return min(same, key=lambda held: (held.unread, -_version(held.version_read), held.id), default=None)

    def _refuse_held(self, given: Incoming, twin: Source) -> None:
        newer = bool(given.version) and _version(given.version) > _version(twin.version_read)
        if (twin.unread and given.origin != "nothing") or newer:
            return
        notes = [
            note.id for note in self.notes.values() if any(atom.source == twin.id for atom in note.atoms)
        ]
        raise InputError.of(
            expected=f"{given.name} must not be held yet",
            got=f"{twin.id}{f' (notes {chr(44).join(notes)})' if notes else ''}",
            fix=f"For a later version name it: {given.arxiv}v{max(_version(twin.version_read), 1) + 1}."
            if given.arxiv
            else "Edit the held note.",
        )

    def _cited(self, source: Source) -> bool:
        return any(atom.source == source.id for note in self.notes.values() for atom in note.atoms)


def _comments(found: Sequence[Proposal]) -> list[str]:
    return [f"proposed: {one.kind} {one.held}: {one.reason}" for one in found]


def _suspicious(note: Note) -> tuple[str, ...]:
    """Say which statements read as an order; they are kept as data and left out of answers."""
    why = {
        name: instruction_in(text)
        for name, text in (("title", note.title), *((a.id, a.text) for a in note.atoms))
    }
    return tuple(
        f"{'the title' if name == 'title' else f'statement {name}'} {reason}: kept as data, never obeyed, "
        "left out of answers"
        for name, reason in why.items()
        if reason
    )


def _version(text: str) -> int:
    return int("".join(letter for letter in text if letter.isdigit()) or 0)
