"""How sure is the difference of two numbers that were measured on the same questions?

Questions are hard or easy for both sides, so the difference is taken within each question first: two
separate intervals would be too wide, or, where the sides trade questions, too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.intervals import LEAST_CARRIERS, Interval, effective_number, jackknife_error, wilson
from limitset.core.paired import change_between
from limitset.core.undefined import UNDEFINED

GROUPS: Final = 40
"""So many groups of questions are left out in turn where a number is costly to measure anew."""


def share_difference(
    first: Float[np.ndarray, " q"],
    second: Float[np.ndarray, " q"],
    *,
    clusters: Int[np.ndarray, " q"] | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Interval of ``mean(first - second)``, two shares of each of the same questions.

    Parameters
    ----------
    first, second : (q,)
        Share of each question, in [0, 1].
    clusters : (q,)
        Number of the passage or document of each question; default: each question its own.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        In [-1, 1]; `n` is the number of questions. All NaN without a question.

    Notes
    -----
    One run a question and side: Newcombe's method 10 for paired shares. Several runs: the jackknife over
    clusters of the difference, with as many degrees of freedom as clusters that differ (by their effective
    number) less one. Where fewer than five differ it would shrink to nothing; there the two directions of
    change get Wilson's interval each, joined as independent (MOVER), which has a width also where nothing
    changed.

    References
    ----------
    Newcombe (1998), doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C, method 10.
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> got = share_difference(np.array([1.0] * 48 + [0.0] * 2), np.array([1.0] * 36 + [0.0] * 14))
    >>> round(got.value, 2), round(got.low, 2), round(got.high, 2)
    (0.24, 0.11, 0.37)
    """
    n = first.size
    if n == 0:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0)
    groups = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1].reshape(-1)
    alone = int(groups.max()) + 1 == n
    if alone and bool(np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all()):
        return change_between(second == 1, first == 1, confidence=confidence)
    gap = np.bincount(groups, weights=first - second)
    held = np.bincount(groups).astype(np.float64)
    value = float(gap.sum()) / n
    differing = effective_number(np.abs(gap))
    if differing < LEAST_CARRIERS or gap.size < 3:
        up, down = (
            wilson(float(np.maximum(sign * gap / held, 0).sum()), gap.size, confidence=confidence)
            for sign in (1, -1)
        )
        less = float(np.hypot(up.value - up.low, down.high - down.value))
        more = float(np.hypot(up.high - up.value, down.value - down.low))
        return Interval(value=value, low=max(value - less, -1.0), high=min(value + more, 1.0), n=float(n))
    left_out = (gap.sum() - gap) / (n - held)
    half = float(stats.t.ppf(0.5 + confidence / 2, differing - 1)) * jackknife_error(left_out)
    return Interval(value=value, low=max(value - half, -1.0), high=min(value + half, 1.0), n=float(n))


def left_out_difference(
    difference: Callable[[np.ndarray], float],
    clusters: Int[np.ndarray, " q"],
    *,
    rng: np.random.Generator,
    groups: int = GROUPS,
    confidence: float = 0.95,
) -> Interval:
    """Interval of any difference by measuring both sides anew without one group of questions at a time.

    Parameters
    ----------
    difference
        Mask of kept questions, bool of shape (q,), to the difference on them; NaN where there is none.
    clusters : (q,)
        Number of the passage or document of each question; a cluster is left out whole.
    rng
        Deals clusters into groups.
    groups
        Groups, at most one a cluster.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        Symmetric about the value; NaN value, with the reason, where a side has none on all questions, and
        NaN ends where it has none without some group.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife, groups left out).

    Examples
    --------
    >>> x = np.arange(8.0)
    >>> rng = np.random.default_rng(0)
    >>> got = left_out_difference(lambda kept: float(x[kept].mean()), np.arange(8), rng=rng)
    >>> got.value, round(got.high - got.value, 4)  # t s / sqrt(n): 2.3646 * 2.4495 / 2.8284
    (3.5, 2.0478)
    """
    everyone = np.ones(clusters.size, dtype=bool)
    n = float(clusters.size)
    value = difference(everyone) if clusters.size else UNDEFINED
    if np.isnan(value):
        return Interval.blank("one side has no value on the common questions")
    names, of = np.unique(clusters, return_inverse=True)
    dealt = rng.permutation(names.size) % min(groups, names.size)
    parts = dealt[of.reshape(-1)]
    left_out = np.array([difference(parts != part) for part in range(int(dealt.max()) + 1)])
    if left_out.size < 3 or np.isnan(left_out).any():
        return Interval(value=value, low=UNDEFINED, high=UNDEFINED, n=n)
    half = float(stats.t.ppf(0.5 + confidence / 2, left_out.size - 1)) * jackknife_error(left_out)
    return Interval(value=value, low=value - half, high=value + half, n=n)
