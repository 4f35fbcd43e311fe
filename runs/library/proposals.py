"""How well are contradictions, levels and tags proposed for a note that the library does not hold yet?

Usage: python runs/library/proposals.py

Each built-in note is taken out in turn and proposed to the rest. What its author wrote down is taken as
right: contradictions in either direction, the level, the tags. The least overlap is chosen on the notes
whose id hashes to an even number, by the best F2, and reported on the others, too. A pair that is proposed
and was not written down counts as wrong, though it may be a contradiction that nobody noted.
"""

import hashlib
from typing import Final

import numpy as np

from limitset.core.intervals import wilson
from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.holdings.records import Note
from limitset.library.holdings.shelf import Shelf
from limitset.library.ingest.overlap import LEAST, Holdings
from limitset.library.ingest.proposing import contradictions
from limitset.library.ingest.vocabulary import ABOUT_THE_LIBRARY, Vocabulary

GRID: Final = np.round(np.arange(0.15, 0.61, 0.05), 2)


def measured() -> None:
    """Print recall and precision."""
    notes = Library((Shelf(BUILTIN, builtin=True),)).notes
    opposed = {
        name: {
            one.partition("#")[0]
            for one in (*note.contradicts, *(o for a in note.atoms for o in a.contradicts))
        }
        & (set(notes) - {name})
        for name, note in notes.items()
    }
    for name, others in list(opposed.items()):
        for other in others:
            opposed[other] = opposed[other] | {name}
    proposed = {name: found(note, notes) for name, note in notes.items()}
    even = {name for name in notes if int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 0}
    least = max(GRID, key=lambda one: f2(*counts(proposed, opposed, even, one)))
    print(f"{len(notes)} notes, {sum(map(len, opposed.values()))} directed contradictions")
    print(f"best least overlap on the even notes {least}, used {LEAST}")
    for words, chosen in (("even", even), ("odd", set(notes) - even), ("all", set(notes))):
        hit, said, there = counts(proposed, opposed, chosen, LEAST)
        recall, precision = wilson(hit, there, confidence=0.95), wilson(hit, said, confidence=0.95)
        print(
            f"{words}: recall {hit}/{there} = {hit / there:.2f} [{recall.low:.2f}, {recall.high:.2f}], "
            f"precision {hit}/{said} = {hit / said:.2f} [{precision.low:.2f}, {precision.high:.2f}], "
            f"{said / len(chosen):.1f} proposals a note"
        )
    levels(notes)


def found(note: Note, notes: dict[str, Note]) -> dict[str, float]:
    """Return note to overlap of every contradiction proposed down to the least of the grid."""
    rest = Holdings(one for one in notes.values() if one.id != note.id)
    near = [
        (note.cited(a), a.modality, one)
        for a in note.atoms
        for one in rest.near(a.text, least=float(GRID[0]))
    ]
    return {held: overlap for held, (overlap, *_) in contradictions(near, skip=set()).items()}


def counts(
    proposed: dict[str, dict[str, float]], opposed: dict[str, set[str]], chosen: set[str], least: float
) -> tuple[int, int, int]:
    """Return how many were proposed rightly, proposed at all, and written down."""
    said = {(name, held) for name in chosen for held, overlap in proposed[name].items() if overlap >= least}
    there = {(name, held) for name in chosen for held in opposed[name]}
    return len(said & there), len(said), len(there)


def f2(hit: int, said: int, there: int) -> float:
    """Return F2: a contradiction that is missed weighs more than a proposal that somebody turns down."""
    return 5 * hit / (said + 4 * there)


def levels(notes: dict[str, Note]) -> None:
    """Print how often the level is right, and recall and precision of tags."""
    right = both = said = there = 0
    for note in notes.values():
        vocabulary = Vocabulary(one for one in notes.values() if one.id != note.id)
        text = " ".join([note.title, *(atom.text for atom in note.atoms)])
        right += vocabulary.level(text) == note.level
        tags, wanted = set(vocabulary.tags(text)), set(note.tags) - ABOUT_THE_LIBRARY
        both, said, there = both + len(tags & wanted), said + len(tags), there + len(wanted)
    share = wilson(right, len(notes), confidence=0.95)
    print(f"level: {right}/{len(notes)} = {right / len(notes):.2f} [{share.low:.2f}, {share.high:.2f}]")
    print(f"tags: recall {both}/{there} = {both / there:.2f}, precision {both}/{said} = {both / said:.2f}")


if __name__ == "__main__":
    measured()
