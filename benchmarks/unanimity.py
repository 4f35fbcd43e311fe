"""How much faster is the wrong-when-unanimous curve than its formula written as a loop?

    python benchmarks/unanimity.py --questions 2000

runs both in one process on the same planted panel, checks that they agree, and prints the times, their
ratio and the peak memory of each (measured in a separate pass, because tracing slows both).
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from limitset.core.tallies import Tallies
from limitset.datasets.planted import planted_tallies, stratified_world
from limitset.instruments.truth import wrong_when_unanimous


def by_loop(tallies: Tallies, k_max: int) -> list[float]:
    """Evaluate the formula by seed as it is written: a loop over k, questions, cells and answers."""
    # plain lists: indexing arrays one number at a time would make the loop look slower than it is
    counts, runs_of = tallies.counts.tolist(), tallies.runs.tolist()
    false = (tallies.class_right == 0).tolist()
    edges = np.searchsorted(tallies.class_item, np.arange(tallies.items.size + 1)).tolist()
    curve = []
    for k in range(1, k_max + 1):
        wrong = total = 0.0
        for question in range(tallies.items.size):
            for cell in range(tallies.systems.size):
                runs = runs_of[cell][question]
                for answer in range(edges[question], edges[question + 1]):
                    chance = 1.0
                    for step in range(k):
                        chance *= max(counts[cell][answer] - step, 0) / (runs - step)
                    total += chance
                    wrong += chance * false[answer]
        curve.append(wrong / total)
    return curve


def by_instrument(tallies: Tallies, k_max: int) -> list[float]:
    """Ask the instrument, with its intervals and all sources."""
    return wrong_when_unanimous(tallies, k_max=k_max).curve.where(source="seed").value.tolist()


def timed(
    work: Callable[[Tallies, int], list[float]], tallies: Tallies, k_max: int
) -> tuple[float, int, list[float]]:
    """Return the best of three times in seconds, the peak memory in bytes, and the curve."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        curve = work(tallies, k_max)
        times.append(time.perf_counter() - started)
    tracemalloc.start()
    work(tallies, k_max)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return min(times), peak, curve


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--k-max", type=int, default=4)
    options = parser.parse_args()
    tallies = planted_tallies(
        stratified_world(), questions=options.questions, seeds=options.seeds, rng=np.random.default_rng(1)
    )
    slow, slow_peak, expected = timed(by_loop, tallies, options.k_max)
    fast, fast_peak, got = timed(by_instrument, tallies, options.k_max)
    if not np.allclose(got, expected, rtol=1e-12, atol=0):
        raise SystemExit(f"the curves differ: {expected} and {got}")
    print(
        f"{options.questions} questions, 4 cells of {options.seeds} runs, k <= {options.k_max}: values equal"
    )
    print(f"loop        {slow * 1e3:9.1f} ms   peak {slow_peak / 2**20:7.2f} MiB")
    print(
        f"instrument  {fast * 1e3:9.1f} ms   peak {fast_peak / 2**20:7.2f} MiB  (all sources, with intervals)"
    )
    print(f"ratio       {slow / fast:9.1f}")


if __name__ == "__main__":
    main()
