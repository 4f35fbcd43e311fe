"""What stands against the statements an answer uses: contradicting notes, refuting runs, rival claims?"""

from __future__ import annotations

from collections.abc import Sequence

from limitset.library.inquiry.composing import Opposed, alike
from limitset.library.inquiry.index import Index
from limitset.library.inquiry.material import Material
from limitset.library.inquiry.statements import Statement


def opposed_to(index: Index, material: Material, used: Sequence[Statement]) -> tuple[Opposed, ...]:
    """Return a pair for each note that contradicts a used one, and each run that refutes a used atom.

    The statement shown of the other note is the one that bears most on the question; what reads as an
    instruction or was withheld is not shown.
    """
    homes = {one.home for one in used if not one.is_verdict}
    pairs = index.edges("contradicts", homes)
    held: dict[str, list[Statement]] = {}
    left_out = dict(material.withheld)
    for one in index.of_homes({name for pair in pairs for name in pair}).values():
        if not one.withheld and one.id not in left_out:
            held.setdefault(one.home, []).append(one)
    said = {one.id for one in used}
    found: dict[tuple[str, str], Opposed] = {}
    for left, right in pairs:
        key = (min(left, right), max(left, right))
        near, far = (left, right) if left in homes else (right, left)
        if near in held and far in held and key not in found:
            found[key] = max(
                (Opposed(one, other) for one in held[near] for other in held[far]),
                key=lambda pair: _opposition(material, pair, said),
            )
    refuting = [one for one in material.statements.values() if one.is_verdict and one.value == "fails"]
    for run in refuting:
        for one in used:
            # a claim also names the findings that speak for or against it: only what asserts it is refuted
            asserts = one.modality == "opinion" or one.source == run.stated_by
            if one.id in run.atoms and asserts:
                found.setdefault((run.home, one.id), Opposed(one, run))
    return tuple(sorted(found.values(), key=lambda pair: _bearing(material, pair.against), reverse=True))


def _opposition(material: Material, pair: Opposed, said: set[str]) -> tuple[float, str, str]:
    """Return how well two statements of contradicting notes show the contradiction.

    Notes contradict each other as wholes. Of their statements an opinion and a finding in nearly the same
    words show it best, two findings in nearly the same words not at all; what was said already needs not be
    said again.
    """
    unlike = (pair.used.modality == "opinion") != (pair.against.modality == "opinion")
    shared = alike(pair.used.text, pair.against.text)
    score = 2.0 + 3.0 * shared if unlike else -3.0 * shared
    score += 0.3 * (pair.used.id in said) + 0.2 * (pair.against.id in said)
    score += 0.25 * (_bearing(material, pair.used)[0] + _bearing(material, pair.against)[0])
    return score, pair.used.id, pair.against.id


def _bearing(material: Material, one: Statement) -> tuple[float, float, str]:
    return (
        sum(material.scores.get(one.id, ())),
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
    behind = {one.home for one in used if one.is_verdict}
    behind |= {one.id for one in claims.values() if cited & set(one.atoms)}
    pairs = {
        (min(one, rival), max(one, rival))
        for one in claims
        for rival in claims[one].rivals
        if rival in claims and (one in behind or rival in behind)
    }
    return tuple(sorted(pairs))
