"""Is the weighted share of labelled questions that of a survey package, how fast, and which interval holds?

Run: python benchmarks/labelled.py [draws]; needs samplics (pip install samplics).
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
import warnings

import numpy as np

from limitset.core.weighted_shares import stratified_share

SIZES = np.array([300, 200, 600, 900])
DRAWN = np.array([5, 8, 40, 50])
RATES = np.array([0.5, 0.4, 0.1, 0.02])
REPEATS = 7


def labels(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Draw a list, and how many of the labels of each level say "wrong"; and the share of all."""
    wrong = rng.binomial(SIZES, RATES)
    return rng.hypergeometric(wrong, SIZES - wrong, DRAWN), wrong.sum() / SIZES.sum()


def surveyed(events: np.ndarray) -> tuple[float, float, float]:
    """Ask samplics for the same share: strata, weights, finite population correction."""
    from samplics.estimation import TaylorEstimator
    from samplics.utils.types import PopParam

    level = np.repeat(np.arange(SIZES.size), DRAWN)
    y = np.concatenate([np.arange(n) < x for n, x in zip(DRAWN, events, strict=True)]).astype(int)
    found = TaylorEstimator(PopParam.prop)
    fpc = {h: 1 - n / size for h, (n, size) in enumerate(zip(DRAWN, SIZES, strict=True))}
    found.estimate(y=y, samp_weight=(SIZES / DRAWN)[level], stratum=level, fpc=fpc)
    return tuple(float(part[1]) for part in (found.point_est, found.lower_ci, found.upper_ci))


def ours(events: np.ndarray) -> tuple[float, float, float]:
    got = stratified_share(SIZES, DRAWN, events.astype(float))
    return got.value, got.low, got.high


def timed(ask: object, events: np.ndarray) -> tuple[float, float]:
    """Return the median of the processor time, and the peak of memory in MiB."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        ask(events)  # type: ignore[operator]
        times.append(time.process_time() - start)
    tracemalloc.start()
    ask(events)  # type: ignore[operator]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return statistics.median(times), peak / 2**20


def main(draws: int = 300) -> None:
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    held = {"limitset": 0, "samplics": 0}
    for _ in range(draws):
        events, truth = labels(rng)
        if not 0 < events.sum() < DRAWN.sum():
            continue
        mine, theirs = ours(events), surveyed(events)
        if abs(mine[0] - theirs[0]) > 1e-12:
            raise SystemExit(f"the shares differ: {mine[0]} and {theirs[0]}")
        for name, (_, low, high) in (("limitset", mine), ("samplics", theirs)):
            held[name] += low <= truth <= high
    events = labels(rng)[0]
    (first, small), (second, large) = timed(ours, events), timed(surveyed, events)
    print(f"{draws} draws of {DRAWN.sum()} labels from {SIZES.sum():,}: the shares are equal to 1e-12")
    print(
        f"95 % intervals that hold: limitset {held['limitset'] / draws:.1%}, "
        f"samplics {held['samplics'] / draws:.1%}"
    )
    print(f"limitset {1e3 * first:.2f} ms, samplics {1e3 * second:.2f} ms: {second / first:.1f} times")
    print(f"peak memory {small:.1f} MiB and {large:.1f} MiB")


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
