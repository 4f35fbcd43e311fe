"""What came of something that was added, and what does it propose?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from limitset.library.holdings.records import Note, Source


class Kind(StrEnum):
    """What a proposal says of something held."""

    CONTRADICTS = "contradicts"
    """A statement of the new note and a held one speak of the same and say otherwise."""
    SUPERSEDES = "supersedes"
    """The new note is a later version of a held one, or says that it re-examines it."""
    SAME_GROUP = "same group"
    """The new source and a held one come from the same people: together they count once."""
    TESTS = "tests it"
    """A held claim says otherwise: its run bears on the new statement."""
    STALE = "stale"
    """A held note or a verdict should be looked at again in the light of the new note."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One thing that the new note would change, asserted only when it is accepted.

    Parameters
    ----------
    kind
        What is proposed.
    new
        The new atom ("labovich-2026-loops#2") or note.
    held
        The held note, claim or source it is about.
    reason
        Why, with both statements where two are set against each other.
    command
        What to type to accept it, or to look again.
    """

    kind: Kind
    new: str
    held: str
    reason: str
    command: str

    def __str__(self) -> str:
        return f"{self.kind} {self.held}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that was added.

    Parameters
    ----------
    source
        Where it comes from.
    note
        The draft; None where there was no text to take a statement from.
    text
        The note's file, ready to be edited; "" without a note.
    path
        Where the note was written; None for a draft that was only shown, or without a note.
    proposals
        What it would change; `accepted` says whether that was written into the note.
    remarks
        What a reader must know: a sentence that reads as an instruction, an abstract that is missing.
    """

    source: Source
    note: Note | None
    text: str
    path: Path | None
    proposals: tuple[Proposal, ...]
    accepted: bool
    remarks: tuple[str, ...]

    @property
    def name(self) -> str:
        """The id of the note, or of the source where there is no note."""
        return self.note.id if self.note else self.source.id

    def record(self) -> dict[str, Any]:
        """Return a plain record, ready for JSON."""
        return {
            "source": self.source.model_dump(mode="json"),
            "note": self.note.model_dump(mode="json") if self.note else None,
            "path": str(self.path) if self.path else None,
            "proposals": [asdict(one) for one in self.proposals],
            "accepted": self.accepted,
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, kw_only=True)
class Added:
    """Everything that one `limitset library add` brought.

    Parameters
    ----------
    entries
        What was added, in the order of the file.
    refused
        What was not: its name in the file, and why.
    kept
        Whether files were written; False for a draft that is only shown.
    """

    entries: tuple[Entry, ...]
    refused: tuple[tuple[str, str], ...]
    kept: bool

    def record(self) -> dict[str, Any]:
        """Return a plain record, ready for JSON."""
        return {
            "entries": [entry.record() for entry in self.entries],
            "refused": [{"name": name, "why": why} for name, why in self.refused],
            "kept": self.kept,
        }
