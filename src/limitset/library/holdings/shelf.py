"""Which plain files stand in one library folder?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from limitset.core.errors import InputError
from limitset.library.holdings.reading import read_claim, read_note, read_sources, read_verdicts
from limitset.library.holdings.records import Claim, Note, Source, Verdict


@dataclass(frozen=True)
class Shelf:
    """One library folder: the built-in one, which is only read, or a user's.

    Parameters
    ----------
    root
        The folder; one that does not exist is an empty shelf.
    builtin
        Whether it ships with limitset and may not be written.
    """

    root: Path
    builtin: bool = False

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Return id to source."""
        path = self.root / "sources.toml"
        return {source.id: source for source in read_sources(path)} if path.exists() else {}

    @cached_property
    def notes(self) -> dict[str, Note]:
        """Return id to note, in order of file name."""
        return {note.id: note for note in map(read_note, self.note_files())}

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Return id to claim, in order of file name.

        Raises
        ------
        InputError
            When two files hold one id.
        """
        found: dict[str, Claim] = {}
        for path in self.claim_files():
            claim = read_claim(path)
            if claim.id in found:
                raise InputError.of(
                    expected=f"each claim of {self.root} must have an id of its own",
                    got=f"{claim.id} again in {path.name}",
                    fix="Rename one.",
                )
            found[claim.id] = claim
        return found

    def note_files(self) -> list[Path]:
        """Return the files of the notes, sorted."""
        return sorted(self._files("notes", ".md"))

    def claim_files(self) -> list[Path]:
        """Return the files of the claims, sorted."""
        return sorted(self._files("claims", ".toml"))

    def verdicts(self, claim: str) -> tuple[Verdict, ...]:
        """Return the history of a claim on this shelf, oldest first."""
        path = self.verdict_file(claim)
        return read_verdicts(path) if path.exists() else ()

    def verdict_file(self, claim: str) -> Path:
        """Return where the history of a claim stands, or would."""
        return self.root / "verdicts" / f"{claim}.jsonl"

    def judged(self) -> list[str]:
        """Return the ids of claims that have a history here."""
        return sorted(path.stem for path in self._files("verdicts", ".jsonl"))

    def _files(self, folder: str, suffix: str) -> Iterator[Path]:
        place = self.root / folder
        if place.is_dir():
            yield from (path for path in place.iterdir() if path.suffix == suffix)
