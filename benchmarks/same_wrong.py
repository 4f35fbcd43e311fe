"""How much faster and smaller is the same-wrong rate of all pairs than a loop over pairs?

Run: python benchmarks/same_wrong.py [systems] [questions]; the leaderboard size is 349 12032.
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np

from limitset.core.coincidence import wrong_pairs
from limitset.core.tallies import Tallies

CLASSES = 10
PAIRS_LOOPED = 40


def panel(systems: int, questions: int, rng: np.random.Generator) -> tuple[Tallies, np.ndarray]:
    """One run of each system on each question; class 0 of ten is right, difficulty is shared."""
    hard = rng.random(questions)
    wrong = rng.random((systems, questions)) < hard
    answer = np.where(wrong, rng.integers(1, CLASSES, size=(systems, questions)), 0)
    counts = np.zeros((systems, questions * CLASSES), dtype=np.int64)
    rows = np.repeat(np.arange(systems), questions)
    counts[rows, (answer + CLASSES * np.arange(questions)).ravel()] = 1
    runs = np.ones((systems, questions), dtype=np.int64)
    tallies = Tallies(
        items=np.arange(questions).astype(str).astype(object),
        strata=np.full(questions, "all", dtype=object),
        anchor_error=np.zeros(questions),
        systems=np.array([f"m{m}" for m in range(systems)], dtype=object),
        paraphrases=np.full(systems, "", dtype=object),
        class_item=np.repeat(np.arange(questions), CLASSES),
        class_name=np.tile(np.arange(CLASSES).astype(str).astype(object), questions),
        class_right=np.tile(np.arange(CLASSES) == 0, questions).astype(float),
        counts=counts,
        runs=runs,
        abstained=np.zeros_like(runs),
        unparsed=np.zeros_like(runs),
    )
    return tallies, answer


def looped(answer: np.ndarray, pairs: list[tuple[int, int]]) -> list[float]:
    """Go through the questions of each pair in Python, as the published scripts do."""
    out = []
    for a, b in pairs:
        same = both = 0
        for x, y in zip(answer[a].tolist(), answer[b].tolist(), strict=True):
            if x and y:
                both += 1
                same += x == y
        out.append(same / both)
    return out


def main(systems: int = 100, questions: int = 2000) -> None:
    tallies, answer = panel(systems, questions, np.random.default_rng(0))
    start = time.perf_counter()
    sums = wrong_pairs(tallies)
    ours = time.perf_counter() - start
    tracemalloc.start()
    wrong_pairs(tallies)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    first, second = np.triu_indices(systems, 1)
    chosen = np.linspace(0, first.size - 1, min(PAIRS_LOOPED, first.size)).astype(int)
    pairs = [(int(first[row]), int(second[row])) for row in chosen]
    start = time.perf_counter()
    naive = looped(answer, pairs)
    loop = (time.perf_counter() - start) / len(pairs) * first.size
    rates = np.array([sums.same[pair] / sums.both[pair] for pair in pairs])
    print(f"{systems} systems, {questions} questions, {first.size} pairs")
    print(f"largest difference on {len(pairs)} pairs: {np.abs(rates - naive).max():.1e}")
    print(f"all pairs, with squares and item-conditional null: {ours:.2f} s, peak {peak / 2**20:.0f} MiB")
    print(f"loop over pairs, rate alone (extrapolated): {loop:.1f} s; ratio {loop / ours:.0f}")
    print(f"table of counts itself: {tallies.counts.nbytes / 2**20:.0f} MiB")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
