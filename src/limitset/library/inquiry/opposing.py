"""What stands against the statements an answer uses: opposed statements, refuting runs, rival claims?

A sentence opposes two statements only where these two are recorded as opposed, or a run failed what one
asserts. That two notes contradict each other as wholes is listed, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from limitset.library.inquiry.composing import Opposed
from limitset.library.inquiry.index import Index
from limitset.library.inquiry.material import Material
from limitset.library.inquiry.statements import Statement


def opposed_notes(index: Index, material: Material, used: Sequence[Statement]) -> tuple[Opposed, ...]:
    """Return a pair for each note that contradicts a used one, what bears most on the question first.

    Each note is stood for by one of its statements; what reads as an instruction or was withheld stands for
    none.
    """
    homes = {one.home for one in used if not one.is_verdict}
    atoms = {one.id for one in used if not one.is_verdict}
    pairs = index.edges("contradicts", homes)
    pairs += [(_home(one), _home(other)) for one, other in index.edges("opposes", atoms)]
    held = _held(index, material, {name for pair in pairs for name in pair})
    found: dict[tuple[str, str], Opposed] = {}
    for left, right in pairs:
        near, far = (left, right) if left in homes else (right, left)
        if near != far and near in held and far in held:
            found.setdefault((min(near, far), max(near, far)), Opposed(held[near][0], held[far][0]))
    return tuple(
        sorted(
            found.values(),
            key=lambda pair: max(_bearing(material, one) for one in held[pair.against.home]),
            reverse=True,
        )
    )


def opposed_to(index: Index, material: Material, used: Sequence[Statement]) -> tuple[Opposed, ...]:
    """Return a pair for each statement opposed to a used one, as recorded, and each run against it."""
    atoms = {one.id: one for one in used if not one.is_verdict}
    pairs = index.edges("opposes", set(atoms))
    held = {
        one.id: one
        for some in _held(index, material, {_home(one) for pair in pairs for one in pair}).values()
        for one in some
    }
    found: dict[tuple[str, str], Opposed] = {}
    for left, right in pairs:
        near, far = (left, right) if left in atoms else (right, left)
        if near in held and far in held:
            found.setdefault((min(near, far), max(near, far)), Opposed(held[near], held[far]))
    for run in material.statements.values():
        if not (run.is_verdict and run.own and run.value == "fails"):
            continue
        for one in used:
            # a claim also names the findings that speak for or against it: only what asserts it is refuted
            asserts = one.modality == "opinion" or one.source == run.stated_by
            if one.id in run.atoms and asserts:
                found.setdefault((run.home, one.id), Opposed(one, run))
    return tuple(sorted(found.values(), key=lambda pair: _bearing(material, pair.against), reverse=True))


def _home(atom: str) -> str:
    return atom.partition("#")[0]


def _held(index: Index, material: Material, homes: set[str]) -> dict[str, list[Statement]]:
    """Return the statements of some notes that may be shown."""
    left_out = dict(material.withheld)
    held: dict[str, list[Statement]] = {}
    for one in index.of_homes(homes).values():
        if not one.withheld and not one.is_verdict and one.id not in left_out:
            held.setdefault(one.home, []).append(one)
    return held


def _bearing(material: Material, one: Statement) -> tuple[float, float, str]:
    return (
        sum(material.scores.get(one.key, ())),
        {"finding": 1.0, "definition": 0.9, "inference": 0.8}.get(one.modality, 0.5),
        one.id,
    )


def rivals_of(index: Index, used: Sequence[Statement]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of rival claims of which one stands behind a used statement."""
    from_store = index.connection.execute(
        "SELECT data FROM statements WHERE kind = 'claim' AND hidden = 0 ORDER BY id"
    )
    claims = {one.id: one for one in (Statement.restored(data) for (data,) in from_store)}
    cited = {one.id for one in used}
    behind = {one.home for one in used if one.is_verdict and one.own}
    behind |= {one.id for one in claims.values() if cited & set(one.atoms)}
    pairs = {
        (min(one, rival), max(one, rival))
        for one in claims
        for rival in claims[one].rivals
        if rival in claims and (one in behind or rival in behind)
    }
    return tuple(sorted(pairs))
