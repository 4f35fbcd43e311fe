"""Which statements bear on a question, how closely, and what was searched to know that?"""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from limitset.library.inquiry.answer import Search
from limitset.library.inquiry.coverage import IN_CONTEXT, NEAR
from limitset.library.inquiry.facets import Facet, Plan
from limitset.library.inquiry.index import Index
from limitset.library.inquiry.statements import Statement
from limitset.library.inquiry.stemming import kept_apart
from limitset.library.inquiry.visibility import WITHHELD

Embedder = Callable[[list[str]], Any]
"""Texts to one row of numbers each (an array (n, d)); an attribute `name` tells models apart."""

RANK_CONSTANT: Final = 60
"""Of reciprocal rank fusion."""
RANKED: Final = 300
BEST_OF_FACET: Final = 60


@dataclass(frozen=True)
class Retrieved:
    """What was found.

    Parameters
    ----------
    statements
        Candidates by their row, best rank first.
    matches
        Row to how closely it names each facet of the plan.
    fused
        Row to its reciprocal-rank score.
    held
        For each facet, how many statements speak of it; last, where there are several, how many name all.
    claims
        Claims that match, best first.
    search
        The record.
    """

    statements: dict[int, Statement]
    matches: dict[int, tuple[float, ...]]
    fused: dict[int, float]
    held: tuple[int, ...]
    claims: tuple[Statement, ...]
    search: Search


def joint_name(facets: Iterable[Facet]) -> str:
    """Return the name under which joining some facets is recorded."""
    return " + ".join(one.name for one in facets)


def retrieve(index: Index, asked: Plan, *, embedder: Embedder | None = None) -> Retrieved:
    """Find the statements that bear on a question.

    Lexical: any phrase of any facet, ranked by BM25; besides, the best of each facet and of each pair
    of facets by quality. With an embedder also by cosine; the two ranks are fused by 1/(60 + rank).
    """
    worth, yours = index.evidence(), index.yours()
    visible = set(worth)
    levels = [_levels(index.connection, facet, visible | yours) for facet in asked.facets]
    spoken = [set().union(*(rows for value, rows in level if value >= IN_CONTEXT)) for level in levels]
    everything = [rows & visible for rows in spoken]
    named = [set().union(*(rows for value, rows in level if value >= NEAR)) & visible for level in levels]
    ranked = [row for row in _ranked(index, asked.facets, everything) if row in visible]
    near = _nearest(index, asked.question, embedder, visible) if embedder else []
    on_yours = sorted(yours.intersection(set().union(*spoken)))
    candidates = list(dict.fromkeys([*ranked, *near, *_best(everything, named, worth), *on_yours]))
    matches = {
        row: tuple(max((value for value, rows in level if row in rows), default=0.0) for level in levels)
        for row in candidates
    }
    fused: dict[int, float] = {}
    for way in (ranked, near):
        for place, row in enumerate(way):
            fused[row] = fused.get(row, 0.0) + 1 / (RANK_CONSTANT + place + 1)
    order = sorted(candidates, key=lambda row: (-fused.get(row, 0.0), row))
    joint = set.intersection(*named) if len(named) > 1 else set()
    held = [len(rows) for rows in everything] + ([len(joint)] if len(named) > 1 else [])
    names = [one.name for one in asked.facets] + ([joint_name(asked.facets)] if len(named) > 1 else [])
    apart = _withheld(index, asked.facets)
    statements = index.statements([*order, *apart])
    matches.update(dict.fromkeys(apart, (1.0,) * len(levels)))
    search = Search(
        terms=tuple(dict.fromkeys(term for one in asked.facets for term in (*one.same, *one.near))),
        statements=len(visible),
        found=dict(zip(names, held, strict=True)),
        ways=(
            f"words: FTS5, Porter stems, phrases joined by OR, BM25; {len(set().union(*everything))} found",
            f"vectors: cosine, {getattr(embedder, 'name', 'an embedder')}; {len(near)} ranked, 1/(60 + rank)"
            if embedder
            else "vectors: no embedder was given",
        ),
    )
    return Retrieved(
        {row: statements[row] for row in (*order, *apart) if row in statements},
        matches,
        fused,
        tuple(held),
        _claims(index, asked.facets),
        search,
    )


def phrased(index: Index, asked: Plan) -> Plan:
    """Return the plan as the holdings read it.

    A number or surname of a source that is held names the source. Two unknown neighbours are one facet where
    a statement has them as a phrase.
    """
    query = (
        "SELECT 1 FROM words JOIN statements s ON s.row = words.rowid WHERE words MATCH ? "
        f"AND s.kind != 'claim' AND {index.seen} LIMIT 1"
    )
    facets: list[Facet] = []
    small = asked.question.islower()
    for one in (_of_source(index, one, small=small) for one in asked.facets):
        phrase = f"{facets[-1].name} {one.name}" if facets and one.follows else ""
        terms = (quoted([phrase]), index.as_of, index.as_of)
        if phrase.count(" ") == 1 and index.connection.execute(query, terms).fetchone():
            facets[-1] = Facet(phrase, (phrase,), known=False, asked=phrase)
        else:
            facets.append(one)
    return replace(asked, facets=tuple(facets), relation=asked.relation and len(facets) > 1)


def _of_source(index: Index, one: Facet, *, small: bool) -> Facet:
    """Return a facet with the sources that it names; a surname has its capital, unless nothing asked has."""
    if one.generic or not (one.named or (small and not one.known)):
        return one
    sources = index.sources_named(one.asked)
    return replace(one, sources=sources, named=True) if sources else one


def quoted(terms: Iterable[str]) -> str:
    """Return a query for any of some phrases; nothing in them is read as an operator.

    Examples
    --------
    >>> quoted(['fixed point', 'a "b" OR NOT'])
    '("fixed point" OR "a ""b"" OR NOT")'
    """
    return "(" + " OR ".join('"' + kept_apart(term).replace('"', '""') + '"' for term in terms) + ")"


def _levels(connection: sqlite3.Connection, facet: Facet, visible: set[int]) -> list[tuple[float, set[int]]]:
    """Return the rows that speak of a facet, by how closely."""
    asked = [(1.0, f"text : {quoted(facet.same)}"), (IN_CONTEXT, f"context : {quoted(facet.same)}")]
    if facet.near:
        asked += [
            (NEAR, f"text : {quoted(facet.near)}"),
            (NEAR * IN_CONTEXT, f"context : {quoted(facet.near)}"),
        ]
    levels = [(value, _rows(connection, query) & visible) for value, query in asked]
    if facet.sources:
        marks = ",".join("?" * len(facet.sources))
        query = f"SELECT row FROM statements WHERE source IN ({marks})"
        levels.append((1.0, {row for (row,) in connection.execute(query, facet.sources)} & visible))
    return levels


def _rows(connection: sqlite3.Connection, query: str) -> set[int]:
    return {row for (row,) in connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (query,))}


def _ranked(index: Index, facets: tuple[Facet, ...], everything: list[set[int]]) -> list[int]:
    """Return rows by BM25; where enough statements speak of two facets or more, only these are ranked."""
    if not facets:
        return []
    query = (
        "SELECT s.row FROM words JOIN statements s ON s.row = words.rowid WHERE words MATCH ? "
        f"AND s.kind != 'claim' AND {index.seen} ORDER BY bm25(words, 1.0, 0.4), s.row LIMIT ?"
    )
    every = [quoted((*one.same, *one.near)) for one in facets]
    both = [one & other for one, other in itertools.combinations(everything, 2)]
    if len(set().union(*both)) >= RANKED:
        terms = " OR ".join(f"({one} AND {other})" for one, other in itertools.combinations(every, 2))
    else:
        terms = " OR ".join(every)
    return [row for (row,) in index.connection.execute(query, (terms, index.as_of, index.as_of, RANKED))]


def _withheld(index: Index, facets: tuple[Facet, ...]) -> list[int]:
    """Return rows that read as an instruction and speak of the question: to be named, never weighed."""
    if not facets:
        return []
    query = (
        "SELECT s.row FROM withheld JOIN statements s ON s.row = withheld.rowid WHERE withheld MATCH ? "
        f"AND s.kind != 'claim' AND {index.seen.replace('hidden = 0', f'hidden = {WITHHELD}')} "
        "ORDER BY s.row LIMIT ?"
    )
    terms = " OR ".join(quoted((*one.same, *one.near)) for one in facets)
    return [row for (row,) in index.connection.execute(query, (terms, index.as_of, index.as_of, RANKED))]


def _best(everything: list[set[int]], named: list[set[int]], worth: Mapping[int, float]) -> list[int]:
    """Return the best statements of each facet, of each pair, and of all together, by worth."""
    groups = [*named, *(one & other for one, other in itertools.combinations(everything[:5], 2))]
    groups += [set.intersection(*everything)] if len(everything) > 2 else []
    return [
        row
        for group in groups
        for row in heapq.nsmallest(BEST_OF_FACET, group, key=lambda row: (-worth[row], row))
    ]


def _claims(index: Index, facets: tuple[Facet, ...]) -> tuple[Statement, ...]:
    if not facets:
        return ()
    query = (
        "SELECT s.data FROM words JOIN statements s ON s.row = words.rowid WHERE words MATCH ? "
        "AND s.kind = 'claim' AND s.hidden = 0 ORDER BY bm25(words, 1.0, 0.4), s.row LIMIT 12"
    )
    terms = quoted(term for one in facets for term in one.same)
    return tuple(Statement.restored(data) for (data,) in index.connection.execute(query, (terms,)))


def _nearest(index: Index, question: str, embedder: Embedder, visible: set[int]) -> list[int]:
    """Return rows by cosine with the question; vectors that are missing are made and kept."""
    import numpy as np

    model = str(getattr(embedder, "name", "embedder"))
    kept = {row for (row,) in index.connection.execute("SELECT row FROM vectors WHERE model = ?", (model,))}
    missing = sorted(visible - kept)
    for start in range(0, len(missing), 256):
        rows = missing[start : start + 256]
        held = index.statements(rows)
        made = np.asarray(embedder([f"{held[row].title} {held[row].text}" for row in rows]), dtype=np.float32)
        index.connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            [(row, model, one.tobytes()) for row, one in zip(rows, made, strict=True)],
        )
    index.connection.commit()
    pairs = [
        (row, blob)
        for row, blob in index.connection.execute(
            "SELECT row, vector FROM vectors WHERE model = ? ORDER BY row", (model,)
        )
        if row in visible
    ]
    if not pairs:
        return []
    matrix = np.frombuffer(b"".join(blob for _, blob in pairs), dtype=np.float32).reshape(len(pairs), -1)
    wanted = np.asarray(embedder([question]), dtype=np.float32).reshape(-1)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(wanted)
    cosine = np.divide(matrix @ wanted, lengths, out=np.full(len(pairs), -1.0, np.float32), where=lengths > 0)
    return [pairs[place][0] for place in np.argsort(-cosine, kind="stable")[:RANKED]]
