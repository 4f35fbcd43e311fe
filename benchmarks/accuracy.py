"""How long do accuracy and the comparison of all pairs of systems take, against a loop over pairs?

Run: python benchmarks/accuracy.py [systems] [questions]; the leaderboard size is 349 12032.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from limitset.core.comparisons import pair_differences
from limitset.core.tallies import Tallies
from limitset.instruments.truth import accuracy, paired_comparison

PAIRS_LOOPED = 40
CALLS = 3


def panel(systems: int, questions: int, rng: np.random.Generator) -> tuple[Tallies, np.ndarray]:
    """One run of each system on each question; skill and difficulty differ; two classes a question."""
    skill, hard = rng.normal(size=(systems, 1)), rng.normal(size=questions)
    right = rng.random((systems, questions)) < 1 / (1 + np.exp(hard - skill / 2))
    counts = np.zeros((systems, 2 * questions), dtype=np.int64)
    counts[:, 0::2], counts[:, 1::2] = right, ~right
    runs = np.ones((systems, questions), dtype=np.int64)
    tallies = Tallies(
        items=np.arange(questions).astype(str).astype(object),
        strata=np.full(questions, "all", dtype=object),
        anchor_error=np.zeros(questions),
        systems=np.array([f"m{m}" for m in range(systems)], dtype=object),
        paraphrases=np.full(systems, "", dtype=object),
        class_item=np.repeat(np.arange(questions), 2),
        class_name=np.tile(np.array(["x", "y"], dtype=object), questions),
        class_right=np.tile([1.0, 0.0], questions),
        counts=counts,
        runs=runs,
        abstained=np.zeros_like(runs),
        unparsed=np.zeros_like(runs),
    )
    return tallies, right.astype(np.float64)


def looped(right: np.ndarray, pairs: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Test each pair by scipy's paired t test: the difference and its standard error."""
    out = []
    for a, b in pairs:
        found = stats.ttest_rel(right[a], right[b])
        mean = float((right[a] - right[b]).mean())
        same = found.statistic == 0
        out.append((mean, float(stats.sem(right[a] - right[b])) if same else mean / float(found.statistic)))
    return out


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the median processor time of some calls in seconds, and the peak of one in MiB."""
    times = []
    for _ in range(CALLS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return float(np.median(times)), peak


def main(systems: int = 100, questions: int = 2000) -> None:
    tallies, right = panel(systems, questions, np.random.default_rng(0))
    first, second = np.triu_indices(systems, 1)
    chosen = np.linspace(0, first.size - 1, min(PAIRS_LOOPED, first.size)).astype(int)
    pairs = [(int(first[row]), int(second[row])) for row in chosen]
    start = time.process_time()
    naive = np.array(looped(right, pairs))
    loop = (time.process_time() - start) / len(pairs) * first.size
    sums = pair_differences(right, tallies.clusters)
    at = tuple(np.array(pairs).T)
    worst = max(np.abs(sums.value[at] - naive[:, 0]).max(), np.abs(sums.error()[at] - naive[:, 1]).max())
    if worst > 1e-9:
        raise SystemExit(f"differences and errors are not those of scipy's paired t test: {worst:.1e}")
    print(f"{systems} systems, {questions} questions, {first.size} pairs; values equal to {worst:.0e}")
    moments = timed(lambda: pair_differences(right, tallies.clusters).error())
    print(f"differences and errors of all pairs: {moments[0]:.2f} s, peak {moments[1]:.0f} MiB")
    print(f"scipy's paired t test in a loop (extrapolated): {loop:.1f} s; ratio {loop / moments[0]:.0f}")
    whole = timed(lambda: paired_comparison(tallies, rng=np.random.default_rng(0)))
    print(f"with simultaneous intervals, standings, needed: {whole[0]:.2f} s, peak {whole[1]:.0f} MiB")
    single = timed(lambda: accuracy(tallies))
    print(f"accuracy of all systems: {single[0]:.2f} s, peak {single[1]:.0f} MiB")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
