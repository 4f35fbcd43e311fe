"""What can an answer say: one atom of a note, the newest verdict on a claim, or a claim not yet run?"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from limitset.core.evidence import Scope
from limitset.library.holdings.findings import finding_of
from limitset.library.holdings.records import Claim, Effect, Note, Source, Verdict
from limitset.library.inquiry.instructions import instruction_in

OWN_LINEAGE: Final = "limitset-own"
"""All runs of limitset's own protocols are one group of independence."""
USER_LINEAGE: Final = "your-systems"
"""So are all runs on the user's systems."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One thing that can be said and cited, with all that an answer needs to know of it.

    `id` is what is cited ("note#1", "v-06a-..."), or the id of a claim (`kind` "claim": found for next lines,
    never cited as evidence). `home` is the note or the claim. `since` is the day from which its age counts.
    `literal` says whether the claim is what its source says, or our reading of it.
    """

    id: str
    kind: str
    text: str
    home: str
    title: str
    gist: str
    level: str
    tags: tuple[str, ...]
    source: str
    modality: str
    created: str
    since: str
    half_life_days: int
    status: str
    withheld: str = ""
    value: str = ""
    scope: str = ""
    system: str = ""
    own: bool = True
    controls_passed: bool = True
    expires_on: str = ""
    stated_by: str = ""
    states: str = ""
    atoms: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    runnable: bool = False
    literal: bool = False
    shelf: int = 0

    def stored(self) -> str:
        """Return it as one line of JSON, without what is at its default."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return json.dumps({name: value for name, value in given.items() if value != _DEFAULTS.get(name)})

    @classmethod
    def restored(cls, line: str) -> Statement:
        """Return the statement behind a line of `stored`."""
        given: dict[str, Any] = json.loads(line)
        given.update({name: tuple(value) for name, value in given.items() if isinstance(value, list)})
        return cls(**given)

    @property
    def key(self) -> str:
        """What tells it from all others: runs of two shelves may bear one id."""
        return f"{self.id}@{self.shelf}" if self.is_verdict and self.shelf else self.id

    @property
    def context(self) -> str:
        """What is said around it: title, gist and tags."""
        return " . ".join((self.title, self.gist, " . ".join(self.tags).replace("-", " ")))

    @property
    def searched(self) -> str:
        """What a question is held against: its text, of a run also the claim it tested."""
        return f"{self.text} {self.states}" if self.is_verdict else self.text

    @property
    def is_verdict(self) -> bool:
        """Whether it reports a run."""
        return self.kind == "verdict"


_DEFAULTS: Final = {
    one.name: one.default for one in fields(Statement) if one.name not in ("id", "kind", "text", "home")
}


@dataclass(frozen=True, kw_only=True)
class SourceCard:
    """What an answer needs to know of a source."""

    id: str
    title: str
    authors: tuple[str, ...]
    year: int
    link: str
    kind: str
    access: str
    lineage: str
    retracted_on: str = ""

    @classmethod
    def of(cls, source: Source) -> SourceCard:
        """Return the card of a source; a title that reads as an instruction is not repeated."""
        return cls(
            id=source.id,
            title=source.id if instruction_in(source.title) else source.title,
            authors=source.authors,
            year=source.year,
            link=_link(source),
            kind=source.kind,
            access=source.access,
            lineage=source.lineage,
            retracted_on=source.retracted_on.isoformat() if source.retracted_on else "",
        )

    @property
    def named_by(self) -> tuple[str, ...]:
        """By what a question may name it: its id, its number, the surnames of its authors; small letters."""
        numbers = [self.link.partition(part)[2] for part in ("/abs/", "doi.org/") if part in self.link]
        people = [one.removesuffix("and others").split() for one in self.authors]
        surnames = [one[-1] for one in people if one and one[-1][0].isupper()]
        return tuple(dict.fromkeys(one.lower() for one in (self.id, *numbers, *surnames)))

    def stored(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def restored(cls, line: str) -> SourceCard:
        """Return the card behind a line of `stored`."""
        given: dict[str, Any] = json.loads(line)
        return cls(**{**given, "authors": tuple(given["authors"])})


def _link(source: Source) -> str:
    if source.arxiv:
        return f"https://arxiv.org/abs/{source.arxiv}"
    return f"https://doi.org/{source.doi}" if source.doi else source.url


def of_note(note: Note) -> Iterator[Statement]:
    """Yield one statement for each atom of a note.

    An instruction in an atom withholds that atom, one in the title or the gist the whole note.
    """
    around = instruction_in(f"{note.title}\n{note.gist}")
    for atom in note.atoms:
        yield Statement(
            id=note.cited(atom),
            kind="atom",
            text=atom.text,
            home=note.id,
            title=note.title,
            gist=note.gist,
            level=note.level.value,
            tags=note.tags,
            source=atom.source,
            modality=atom.modality,
            created=note.created.isoformat(),
            since=note.reviewed_on.isoformat(),
            half_life_days=note.half_life_days,
            status=note.status,
            withheld=instruction_in(atom.text) or around,
        )


def of_claim(claim: Claim) -> Statement:
    """Return a claim as what it is: a statement to be tested, no evidence."""
    return Statement(
        id=claim.id,
        kind="claim",
        text=claim.statement,
        home=claim.id,
        title=claim.durable_question,
        gist=claim.estimand,
        level=claim.level.value,
        tags=claim.tags,
        source="",
        modality="",
        created="",
        since="",
        half_life_days=claim.half_life_days,
        status="",
        withheld=instruction_in(f"{claim.statement}\n{claim.durable_question}\n{claim.estimand}"),
        scope=claim.scope.value,
        stated_by=claim.stated_by,
        states=claim.statement,
        atoms=claim.atoms,
        rivals=claim.rivals,
        rows=claim.rows,
        runnable=claim.runnable,
        literal=claim.contradicts_its_source,
    )


def of_verdict(verdict: Verdict, claim: Claim) -> Statement:
    """Return a verdict as a statement; its wording is composed from its numbers alone."""
    text = verdict_words(verdict, claim)
    return Statement(
        id=verdict.id,
        kind="verdict",
        text=text,
        home=claim.id,
        title=claim.durable_question,
        gist=verdict.reason,
        level=claim.level.value,
        tags=claim.tags,
        source="",
        modality="finding",
        created=verdict.date.isoformat(),
        since=verdict.date.isoformat(),
        half_life_days=claim.half_life_days,
        status="current",
        withheld=instruction_in(f"{text}\n{verdict.reason}\n{claim.durable_question}"),
        value=verdict.value,
        scope=verdict.scope.value,
        system=verdict.system,
        own=verdict.own,
        controls_passed=all(bool(one.get("passed")) for one in verdict.controls),
        expires_on=verdict.expires_on.isoformat(),
        stated_by=claim.stated_by,
        states=claim.statement,
        atoms=claim.atoms,
        rivals=claim.rivals,
        rows=claim.rows,
        runnable=claim.runnable,
        literal=claim.contradicts_its_source,
    )


def verdict_words(verdict: Verdict, claim: Claim) -> str:
    """Say what a run said of a claim: what it found in plain words, the claim, its numbers, intervals and n.

    Where the claim holds, all of its statistics are named, since all were needed; else the one that decided,
    with its bar. A run on a system of the user's says so first.
    """
    said = {"holds": "holds", "fails": "fails", "can't tell": "can not be decided"}[verdict.value]
    finding = finding_of(claim, verdict)
    where = f" on {Scope(verdict.scope).words}" if verdict.own else ""
    whose = "" if verdict.own else f"On your {verdict.system}: "
    tested = f"tested {verdict.date.isoformat()}"
    if finding:  # it says the numbers itself
        return f"{whose}{finding} Claim {claim.id} {said}{where}, {tested}."
    shown = verdict.effects if verdict.value == "holds" else (verdict.effect,)
    bars = len(shown) == 1
    numbers = "; ".join(_number(one, _bars(one) if bars else "") for one in shown)
    counts = {f"n = {one.n:g}" for one in shown if one.n is not None}
    counted = f"; {counts.pop()}" if len(counts) == 1 else ""
    return f"{whose}“{claim.statement.rstrip('. ')}” {said}{where}: {numbers}{counted}, {tested}."


def _bars(effect: Effect) -> str:
    return {"holds": f"holds if {effect.holds_if}", "fails": f"fails if {effect.fails_if}"}.get(
        effect.verdict, f"holds if {effect.holds_if}, fails if {effect.fails_if}"
    )


def _number(effect: Effect, bars: str) -> str:
    """Say one statistic; its bars where they are given."""
    if effect.value is None:
        behind = f"; {bars}" if bars else ""
        return f"{effect.words} is blank ({effect.blank_reason or 'no reason given'}{behind})"
    known = effect.low is not None and effect.high is not None
    interval = f" [{effect.low:.3g}, {effect.high:.3g}]" if known else ""
    return f"{effect.words} {effect.value:.3g}{interval}" + (f" ({bars})" if bars else "")


def day(text: str) -> dt.date:
    """Return the date of an ISO string.

    Examples
    --------
    >>> day("2026-11-22").day
    22
    """
    return dt.date.fromisoformat(text)
