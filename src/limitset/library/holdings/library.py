"""What is held, on all shelves together, on a given day?"""

from __future__ import annotations

import datetime as dt
import os
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from platformdirs import user_data_path

from limitset.core.errors import InputError
from limitset.library.holdings.records import Claim, Note, Source, Verdict
from limitset.library.holdings.shelf import Shelf

BUILTIN = Path(__file__).parents[1]
"""The folder that ships with limitset; it is only read."""


def user_folder() -> Path:
    """Return the user's library folder: $LIMITSET_LIBRARY, or the user's data folder."""
    chosen = os.environ.get("LIMITSET_LIBRARY")
    return Path(chosen) if chosen else user_data_path("limitset") / "library"


@dataclass(frozen=True)
class Library:
    """The built-in shelf and the user's, read as one.

    Parameters
    ----------
    shelves
        The built-in shelf first; what a later one holds under the same id is refused by `check`, and read in
        place of the earlier one.
    as_of
        Notes and verdicts of later days are not seen; None sees all.

    Examples
    --------
    >>> library = Library((Shelf(BUILTIN, builtin=True),), as_of=dt.date(2026, 11, 21))
    >>> any(note.created > dt.date(2026, 11, 21) for note in library.notes.values())
    False
    """

    shelves: tuple[Shelf, ...]
    as_of: dt.date | None = None

    @classmethod
    def opened(
        cls, folder: Path | None = None, *, as_of: dt.date | None = None, builtin: bool = True
    ) -> Library:
        """Open the built-in shelf and a user's folder (by default `user_folder()`; it need not be there).

        Raises
        ------
        InputError
            When that is a file, or the built-in folder itself.
        """
        own = Shelf(folder if folder is not None else user_folder())
        if own.root.exists() and not own.root.is_dir():
            raise InputError.of(
                expected=f"{own.root} must be a library folder",
                got="a file",
                fix="Name a folder with --library, or set LIMITSET_LIBRARY.",
            )
        if builtin and own.root.resolve() == BUILTIN.resolve():
            raise InputError.of(
                expected="a library folder of yours stands beside the one that ships",
                got=f"the built-in {BUILTIN}",
                fix="Name another with --library, or set LIMITSET_LIBRARY; the built-in one is always read.",
            )
        return cls(((Shelf(BUILTIN, builtin=True), own) if builtin else (own,)), as_of=as_of)

    def on(self, day: dt.date) -> Library:
        """Return the library as it was on a day."""
        return Library(tuple(Shelf(shelf.root, shelf.builtin) for shelf in self.shelves), as_of=day)

    @property
    def own(self) -> Shelf:
        """The shelf that may be written: the last."""
        return self.shelves[-1]

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Id to source."""
        return ChainMap(*(shelf.sources for shelf in reversed(self.shelves)))

    @cached_property
    def notes(self) -> dict[str, Note]:
        """Id to note, in order of id."""
        every = ChainMap(*(shelf.notes for shelf in reversed(self.shelves)))
        return {name: every[name] for name in sorted(every) if self._seen(every[name].created)}

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Id to claim, in order of id."""
        every = ChainMap(*(shelf.claims for shelf in reversed(self.shelves)))
        return {name: every[name] for name in sorted(every)}

    @cached_property
    def histories(self) -> dict[str, tuple[Verdict, ...]]:
        """Claim to its verdicts on all shelves, oldest first; only claims that have any."""
        judged = sorted({claim for shelf in self.shelves for claim in shelf.judged()})
        found = {}
        for claim in judged:
            verdicts = [
                one for shelf in self.shelves for one in shelf.verdicts(claim) if self._seen(one.date)
            ]
            if verdicts:
                found[claim] = tuple(sorted(verdicts, key=lambda one: one.date))
        return found

    def verdict(self, claim: str) -> Verdict | None:
        """Return the newest verdict on a claim's own systems, None where there is none.

        Verdicts on a user's models, maps or logs never replace it: see `histories`.
        """
        own = [one for one in self.histories.get(claim, ()) if one.own]
        return own[-1] if own else None

    def users_verdict(self, claim: str) -> Verdict | None:
        """Return the newest verdict on the user's own models, maps or logs, None where there is none."""
        theirs = [one for one in self.histories.get(claim, ()) if not one.own]
        return theirs[-1] if theirs else None

    def claim(self, named: str) -> Claim:
        """Return the one claim of that id, slug or id-slug.

        Raises
        ------
        InputError
            When there is none, or a number names several: they are listed.
        """
        found = self.claims_of(named)
        if len(found) > 1:
            raise InputError.of(
                expected=f"{named} must name one claim",
                got=", ".join(f"{one.id} ({one.slug})" for one in found),
                fix=f"Name one, for example {found[0].id}.",
            )
        return found[0]

    def claims_of(self, named: str) -> Sequence[Claim]:
        """Return the claims that an id, a slug, or the number of a protocol names.

        Raises
        ------
        InputError
            When it names none.
        """
        wanted = named.strip().lower()
        if wanted.isdigit():
            wanted = wanted.zfill(2)
        exact = [
            one
            for one in self.claims.values()
            if wanted in (one.id, one.slug, f"{one.id}-{one.slug}", one.id.lstrip("0"))
        ]
        found = exact or [one for one in self.claims.values() if wanted in (one.protocol, one.protocol[1:])]
        if not found:
            raise InputError.of(
                expected="a claim is named by its id, its slug or the number of its protocol",
                got=named,
                fix="limitset claims list shows them.",
            )
        return found

    def _seen(self, day: dt.date) -> bool:
        return self.as_of is None or day <= self.as_of
