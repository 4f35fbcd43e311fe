"""Where does a citation of an answer lead?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Verdict
from limitset.library.inquiry.answer import Answer, UsedSource
from limitset.library.pages.wording import source_address
from limitset.report.passages import Link, slug

LONGEST_ID: Final = 40
"""Characters of an id in a link; the whole id is said on hover."""


@dataclass(frozen=True)
class Citations:
    """What the sentences of an answer cite, and the sources that stand for it.

    `library` may be left out: then an atom is known by the note that its source lists.
    """

    answer: Answer
    library: Library | None = None

    @cached_property
    def sources(self) -> tuple[UsedSource, ...]:
        """The sources of the answer, each once; then an entry for what none of them stands for."""
        held = {source.id: source for source in self.answer.sources}
        for cite in self.cites:
            if _standing_for(cite, held.values(), self._source_of(cite)) is None:
                one = self._known(cite) or _bare(cite, self.verdict(cite))
                held.setdefault(one.id, one)
        return tuple(held.values())

    @cached_property
    def cites(self) -> tuple[str, ...]:
        """Everything cited, in the order in which it is read."""
        said = [*self.answer.sentences, *([self.answer.surprise] if self.answer.surprise else [])]
        return tuple(dict.fromkeys(cite for one in said for cite in one.cites))

    def link(self, cite: str) -> Link:
        """Return the short id of a citation, which leads to its source below."""
        source = _standing_for(cite, self.sources, self._source_of(cite)) or self.sources[0]
        return Link(words=_short(cite, source), to=f"#{self.place(source)}", about=cite)

    def place(self, source: UsedSource) -> str:
        """Return the name of the place on the page where a source stands."""
        same = [one.id for one in self.sources if slug(one.id) == slug(source.id)]
        number = same.index(source.id)
        return f"s-{slug(source.id)}" + (f"-{number + 1}" if number else "")

    def cited_as(self, source: UsedSource) -> tuple[str, ...]:
        """Return the atoms and verdicts by which a source is cited."""
        found = ((cite, _standing_for(cite, self.sources, self._source_of(cite))) for cite in self.cites)
        return tuple(cite for cite, one in found if one is not None and one.id == source.id)

    def verdict(self, cite: str) -> Verdict | None:
        """Return the verdict that a citation names, where the library holds it."""
        if self.library is None or not cite.startswith("v-"):
            return None
        history = self.library.histories.get(claim_of(cite), ())
        return next((one for one in history if one.id == cite), None)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that are cited, each once."""
        return tuple(one for one in map(self.verdict, self.cites) if one is not None)

    def _known(self, cite: str) -> UsedSource | None:
        source = self.library.sources.get(self._source_of(cite)) if self.library else None
        if source is None:
            return None
        return UsedSource(
            id=source.id,
            title=source.title,
            year=source.year,
            link=source_address(source),
            access=source.access,
            lineage=source.lineage,
            gist="",
            notes=(cite,),
        )

    def _source_of(self, cite: str) -> str:
        note, _, atom = cite.partition("#")
        if self.library is None or note not in self.library.notes:
            return ""
        return next((one.source for one in self.library.notes[note].atoms if one.id == atom), "")


def claim_of(cite: str) -> str:
    """Return the claim that the id of a verdict names.

    Examples
    --------
    >>> claim_of("v-06a-20261122-1"), claim_of("a1-note#2")
    ('06a', '')
    """
    found = re.match(r"v-(\d{2}[a-z]?)-", cite)
    return found[1] if found else ""


def _standing_for(cite: str, sources: Iterable[UsedSource], source: str) -> UsedSource | None:
    held = list(sources)
    named = [one for one in held if cite == one.id or cite in one.notes]
    named += [one for one in held if source and one.id == source]
    homes = {cite.partition("#")[0], claim_of(cite)} - {""}
    named += [one for one in held if homes & set(one.notes)]
    return named[0] if named else None


def _short(cite: str, source: UsedSource) -> str:
    claim = claim_of(cite)
    words = f"run {claim}" if claim else source.id
    return words if len(words) <= LONGEST_ID else f"{words[: LONGEST_ID - 1]}…"


def _bare(cite: str, verdict: Verdict | None) -> UsedSource:
    claim = claim_of(cite)
    title = f"Run of claim {claim}" if claim else cite
    return UsedSource(
        id=cite,
        title=title,
        year=verdict.date.year if verdict else 0,
        link="",
        access="run" if claim else "",
        lineage="",
        gist=f"{verdict.system[:1].upper()}{verdict.system[1:]}: {verdict.value}." if verdict else "",
        notes=(cite,),
    )
