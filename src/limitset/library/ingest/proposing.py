"""What would a new note change in what is held?

Everything here is proposed with its reason; nothing is asserted before somebody accepts it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from limitset.library.holdings.dated import freshness
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Note, Source
from limitset.library.ingest.drafted import Kind, Proposal
from limitset.library.ingest.overlap import LEAST, Holdings, Near, opposition, subject

MOST: Final = 8
"""Contradictions proposed for one note; the nearest subjects first."""
SAME_TITLE: Final = 0.8
_REEXAMINES: Final = re.compile(
    r"\b(?:supersed\w+|revisit\w*|re-?examin\w+|re-?assess\w*|re-?analy[sz]\w+|replicat\w+|reproduc\w+|retract\w+|"
    r"errat\w+|correct(?:s|ion|ed)? (?:to|of|the)|overturn\w*|refut\w+|updat(?:es?|ed|ing) (?:of|the|our))\b",
    re.IGNORECASE,
)


def proposals(
    note: Note | None, source: Source, *, library: Library, today: dt.date, holdings: Holdings | None = None
) -> tuple[Proposal, ...]:
    """Propose contradictions, supersessions, one group of independence, and what became stale.

    Parameters
    ----------
    note, source
        What is new; the note may be None.
    library
        What is held, without it.
    today
        The day.
    holdings
        The index of `library.notes`, where it was made already.

    Returns
    -------
    tuple
        Supersessions, contradictions, groups, claims that test it, then what is stale; the nearest first.
    """
    found: list[Proposal] = []
    named = note.id if note else source.id
    replaced = list(_superseded(note, source, library)) if note else []
    found += replaced
    near: list[tuple[str, str, Near]] = []
    if note is not None:
        index = holdings or Holdings(library.notes.values())
        near = [
            (note.cited(atom), atom.modality, one)
            for atom in note.atoms
            for one in index.near(atom.text)
            if one.note.id != note.id
        ]
        found += _reexamined(note, source, near, skip={one.held for one in replaced})
        found += _contradictions(note, near, skip={one.held for one in replaced})
    found += _same_group(named, source, library)
    if note is not None:
        opposed = {one.held for one in found if one.kind is Kind.CONTRADICTS}
        stale = list(_stale_claims(note, library, near, opposed))
        found += _testing_claims(note, library, index, skip={one.held for one in stale})
        found += stale
        found += _stale_notes(note, near, today, skip={one.held for one in found})
    return tuple(found)


def _contradictions(note: Note, near: Iterable[tuple[str, str, Near]], *, skip: set[str]) -> list[Proposal]:
    texts = {note.cited(atom): atom.text for atom in note.atoms}
    best = contradictions(near, skip=skip)
    return [
        Proposal(
            kind=Kind.CONTRADICTS,
            new=cited,
            held=name,
            reason=f"{why} (overlap {overlap:.2f}): “{texts[cited]}” / “{one.atom.text}” "
            f"[{one.note.cited(one.atom)}]",
            command=f"limitset library accept {note.id} --contradicts {name}",
        )
        for name, (overlap, cited, one, why) in sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    ][:MOST]


def contradictions(
    near: Iterable[tuple[str, str, Near]], *, skip: set[str]
) -> dict[str, tuple[float, str, Near, str]]:
    """Choose for each held note the nearest statement that says otherwise.

    Parameters
    ----------
    near
        New atom, its modality, and a held statement of its subject.
    skip
        Notes that are not looked at.

    Returns
    -------
    dict
        Note to overlap, new atom, held statement, and why.
    """
    best: dict[str, tuple[float, str, Near, str]] = {}
    for cited, modality, one in near:
        why = one.why or _other_standing(modality, one.atom.modality)
        if (
            why
            and one.note.id not in skip
            and (one.note.id not in best or one.overlap > best[one.note.id][0])
        ):
            best[one.note.id] = (one.overlap, cited, one, why)
    return best


def _other_standing(new: str, held: str) -> str:
    return (
        f"{_article(new)} on what is held as {_article(held)}"
        if (new == "opinion") != (held == "opinion")
        else ""
    )


def _article(modality: str) -> str:
    return f"{'an' if modality[0] in 'aeiou' else 'a'} {modality}"


def _superseded(note: Note, source: Source, library: Library) -> Iterator[Proposal]:
    for held in library.notes.values():
        if held.id == note.id:
            continue
        rests_on = {atom.source for atom in held.atoms}
        for other in (library.sources[name] for name in sorted(rests_on) if name in library.sources):
            why = _later(source, other) if other.id != source.id else ""
            if why:
                yield Proposal(
                    kind=Kind.SUPERSEDES,
                    new=note.id,
                    held=held.id,
                    reason=f"{why} [{other.id}]",
                    command=f"limitset library accept {note.id} --supersedes {held.id}",
                )
                break


def _later(new: Source, held: Source) -> str:
    """Say why a source replaces another, "" where it does not."""
    if new.arxiv and new.arxiv == held.arxiv:
        if new.version_read and _number(new.version_read) > _number(held.version_read):
            return (
                f"{new.version_read} of arXiv {new.arxiv}, held as {held.version_read or 'no known version'}"
            )
        return ""
    if new.doi and new.doi.lower() == held.doi.lower():
        return ""
    if new.year < held.year or not _people(new) & _people(held):
        return ""
    first, second = subject(new.title), subject(held.title)
    alike = len(first & second) / max(len(first | second), 1)
    return "the same authors, the same title but for a word, not earlier" if alike >= SAME_TITLE else ""


def _reexamined(
    note: Note, source: Source, near: Iterable[tuple[str, str, Near]], *, skip: set[str]
) -> list[Proposal]:
    """Propose to supersede what a text says it looks at again, where it also shares its subject."""
    said = _REEXAMINES.search(" ".join([source.title, *(atom.text for atom in note.atoms)]))
    if said is None:
        return []
    best: dict[str, tuple[float, Near]] = {}
    for _, _, one in near:
        if one.note.id not in skip and one.overlap > best.get(one.note.id, (0.0,))[0]:
            best[one.note.id] = (one.overlap, one)
    return [
        Proposal(
            kind=Kind.SUPERSEDES,
            new=note.id,
            held=name,
            reason=f"says “{said[0]}”, and shares its subject (overlap {overlap:.2f}): “{one.atom.text}”",
            command=f"limitset library accept {note.id} --supersedes {name}",
        )
        for name, (overlap, one) in sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    ][:2]


def _same_group(named: str, source: Source, library: Library) -> list[Proposal]:
    people = _people(source)
    first = next(iter(source.authors), "")
    groups: dict[str, Source] = {}
    for held in library.sources.values():
        if held.id == source.id or held.lineage == source.lineage or not people:
            continue
        shared = people & _people(held)
        if len(shared) >= 2 or (shared and _person(first) == _person(next(iter(held.authors), ""))):
            groups.setdefault(held.lineage, held)
    return [
        Proposal(
            kind=Kind.SAME_GROUP,
            new=source.id,
            held=held.id,
            reason=f"also by {', '.join(sorted(people & _people(held)))}: “{held.title}” (they count once)",
            command=f"limitset library accept {named} --same-group {held.id}",
        )
        for held in groups.values()
    ]


def _testing_claims(note: Note, library: Library, index: Holdings, *, skip: set[str]) -> list[Proposal]:
    """Propose the claims that say otherwise than the note, the nearest first: their runs bear on it."""
    best: dict[str, tuple[float, str, str]] = {}
    for claim in library.claims.values():
        if claim.id in skip:
            continue
        said = subject(claim.statement)
        for atom in note.atoms:
            near = index.overlap(subject(atom.text), said)
            why = opposition(atom.text, claim.statement) if near >= LEAST else ""
            if why and near > best.get(claim.id, (0.0,))[0]:
                best[claim.id] = (near, note.cited(atom), f"{why} (overlap {near:.2f}): “{claim.statement}”")
    return [
        Proposal(
            kind=Kind.TESTS,
            new=cited,
            held=name,
            reason=why,
            command=f"limitset claims {'test' if library.claims[name].runnable else 'show'} {name}",
        )
        for name, (_, cited, why) in sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    ][:MOST]


def _stale_claims(
    note: Note, library: Library, near: Iterable[tuple[str, str, Near]], opposed: set[str]
) -> Iterator[Proposal]:
    hit = {one.note.cited(one.atom): cited for cited, _, one in near if one.note.id in opposed and one.why}
    for claim in library.claims.values():
        rests = next((name for name in claim.atoms if name in hit), None)
        if rests:
            yield Proposal(
                kind=Kind.STALE,
                new=note.id,
                held=claim.id,
                reason=f"rests on {rests}, which {hit[rests]} may contradict",
                command=f"limitset claims test {claim.id} --again"
                if claim.runnable
                else f"limitset claims show {claim.id}",
            )


def _stale_notes(
    note: Note, near: Iterable[tuple[str, str, Near]], today: dt.date, *, skip: set[str]
) -> Iterator[Proposal]:
    seen: set[str] = set()
    for cited, _, one in near:
        held = one.note
        left = freshness(held.reviewed_on, today, held.half_life_days)
        old = held.status in ("perishable", "stale") and held.reviewed_on < today
        if held.id in skip | seen or not (old or left < 0.5):
            continue
        seen.add(held.id)
        yield Proposal(
            kind=Kind.STALE,
            new=cited,
            held=held.id,
            reason=f"{held.status if old else 'past its half-life'}, last looked at {held.reviewed_on}, of "
            f"the same subject (overlap {one.overlap:.2f}): “{one.atom.text}”",
            command=f"limitset library accept {note.id} --supersedes {held.id}",
        )


def _people(source: Source) -> set[str]:
    return {_person(name) for name in source.authors} - {""}


@lru_cache(maxsize=1 << 16)
def _person(name: str) -> str:
    """Return initial and surname, "" for what is no person: "and others", "unnamed"."""
    words = [word.strip(".,") for word in name.replace(" and others", "").split()]
    words = [word for word in words if word]
    if not words or name.lower() in ("and others", "unnamed", "unknown", "not given"):
        return ""
    return f"{words[0][0].upper()}. {words[-1]}" if len(words) > 1 else words[0]


def _number(version: str) -> int:
    return int(re.sub(r"\D", "", version) or 0)
