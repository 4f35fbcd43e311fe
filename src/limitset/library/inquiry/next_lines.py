"""What is worth asking next: gaps, contradictions, what is stale, what was never run, bridges?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from limitset.library.inquiry.answer import NextLine
from limitset.library.inquiry.composing import Opposed
from limitset.library.inquiry.facets import Plan
from limitset.library.inquiry.index import Index
from limitset.library.inquiry.material import Material
from limitset.library.inquiry.retrieval import quoted
from limitset.library.inquiry.statements import Statement
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.wording import listed

MOST: Final = 6
RARE: Final = 6
"""Notes that share a tag, at most, for it to be a bridge."""


def next_lines(
    index: Index, material: Material, *, used: Sequence[Statement], opposed: Sequence[Opposed]
) -> tuple[NextLine, ...]:
    """Return the lines worth following, one of each kind before a second of any."""
    kinds = [
        gaps(material.plan, material.missing),
        _contradictions(opposed),
        _unrun(index, material),
        _stale(material, used),
        _bridges(index, used),
    ]
    found: list[NextLine] = []
    while any(kinds) and len(found) < MOST:
        for kind in kinds:
            if kind and len(found) < MOST:
                found.append(kind.pop(0))
    return tuple(found)


def gaps(asked: Plan, missing: Sequence[str]) -> list[NextLine]:
    """Return a line for each thing of which nothing is held; a word of no field is not asked back."""
    vague = {one.name for one in asked.facets if one.generic or (not one.known and not one.named)}
    subjects = [one for one in missing if one not in vague]
    found = []
    for name in subjects[:3]:
        parts = name.split(" + ")
        question = (
            f"Is there a study that joins {listed(parts)}?" if len(parts) > 1 else f"What is known of {name}?"
        )
        found.append(
            NextLine(question=question, born_of="gap", about=tuple(parts), command="limitset library add")
        )
    return found if asked.facets else []


def _contradictions(opposed: Sequence[Opposed]) -> list[NextLine]:
    return [
        NextLine(
            question=f"“{pair.used.title}” against “{pair.against.title}”: when does each hold?",
            born_of="contradiction",
            about=(pair.used.home, pair.against.home),
        )
        for pair in opposed[:2]
        if not pair.against.is_verdict
    ]


def _unrun(index: Index, material: Material) -> list[NextLine]:
    judged = {
        home
        for (home,) in index.connection.execute(
            f"SELECT s.home FROM statements s WHERE s.kind = 'verdict' AND s.own AND {index.seen}",
            (index.as_of, index.as_of),
        )
    }
    return [
        NextLine(
            question=one.title,
            born_of="unrun",
            about=(one.id,),
            command=f"limitset claims test {one.id}" if one.runnable else f"limitset claims show {one.id}",
        )
        for one in _bearing(material)
        if one.id not in judged and not one.withheld
    ][:2]


def _bearing(material: Material) -> list[Statement]:
    """Return the claims that speak of half of what is asked about, at least, those of most first."""
    facets = material.plan.facets
    asked = [[stems_of(words_of(term)) for term in (*one.same, *one.near)] for one in facets]

    def named(one: Statement) -> int:
        held = set(stems_of(words_of(f"{one.states} {one.title} {one.gist}")))
        return sum(any(set(term) <= held for term in terms) for terms in asked)

    counts = {one.id: named(one) for one in material.retrieved.claims}
    least = max((len(facets) + 1) // 2, 1)
    bearing = [one for one in material.retrieved.claims if counts[one.id] >= least]
    return sorted(bearing, key=lambda one: -counts[one.id])


def _stale(material: Material, used: Sequence[Statement]) -> list[NextLine]:
    return [
        NextLine(
            question=f"Does it still hold: {one.title}",
            born_of="stale",
            about=(one.id,),
            command=f"limitset claims test {one.home}" if one.is_verdict else "",
        )
        for one in used
        if material.stale(one)
    ][:2]


def _bridges(index: Index, used: Sequence[Statement]) -> list[NextLine]:
    """Return lines along rare tags that a used note shares with a note on another level."""
    query = (
        "SELECT DISTINCT s.home, s.row FROM words JOIN statements s ON s.row = words.rowid "
        f"WHERE words MATCH ? AND s.kind = 'atom' AND {index.seen} ORDER BY s.home, s.row LIMIT 60"
    )
    found: list[NextLine] = []
    asked: set[str] = set()
    for one in used:
        for tag in one.tags:
            if tag in asked:
                continue
            asked.add(tag)
            terms = f"context : {quoted([tag.replace('-', ' ')])}"
            rows = [row for _, row in index.connection.execute(query, (terms, index.as_of, index.as_of))]
            tagged = [
                other for other in index.statements(rows).values() if tag in other.tags and not other.withheld
            ]
            homes = {other.home: other for other in reversed(tagged)}
            far = [
                other
                for _, other in sorted(homes.items())
                if other.level != one.level and other.home != one.home
            ]
            if far and len(homes) <= RARE:
                words = tag.replace("-", " ")
                found.append(
                    NextLine(
                        question=f"Does what is held of {words} on the level of {one.level} hold on "
                        f"the level of {far[0].level}?",
                        born_of="bridge",
                        about=(one.home, far[0].home),
                    )
                )
    return found[:2]
