"""How sure is the difference of two numbers that were measured on the same questions, but are no means?

Questions are hard or easy for both sides, so both sides are measured anew without the same questions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.intervals import LEAST_CARRIERS, Interval, effective_number, jackknife_error
from limitset.core.undefined import UNDEFINED

GROUPS: Final = 40
"""So many groups of questions are left out in turn: each costs one measurement of both sides."""


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
        NaN ends where it has none without some group. `n` is the number of questions.

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
    if math.isnan(value):
        return Interval.blank("one side has no value on the common questions")
    names, of = np.unique(clusters, return_inverse=True)
    dealt = rng.permutation(names.size) % min(groups, names.size)
    parts = dealt[of.reshape(-1)]
    left_out = np.array([difference(parts != part) for part in range(int(dealt.max()) + 1)])
    if left_out.size < 3 or np.isnan(left_out).any():
        return Interval(value=value, low=UNDEFINED, high=UNDEFINED, n=n)
    half = float(stats.t.ppf(0.5 + confidence / 2, left_out.size - 1)) * jackknife_error(left_out)
    return Interval(value=value, low=value - half, high=value + half, n=n)


def ratio_difference(
    first: Float[np.ndarray, "2 q"],
    second: Float[np.ndarray, "2 q"],
    clusters: Int[np.ndarray, " q"],
    *,
    confidence: float = 0.95,
) -> Interval:
    """Interval of ``sum(part) / sum(whole)`` of one side less that of another, on the same questions.

    Parameters
    ----------
    first, second : (2, q)
        Part and whole of each question, 0 or more.
    clusters : (q,)
        Number of the passage or document of each question; clusters are left out in turn.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        Symmetric about the value. Blank where fewer than five clusters (effective number) carry a part, a
        whole, or what is left of a whole: below that the jackknife promises too much.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> part, whole = np.array([1.0, 0.0] * 10), np.ones(20)
    >>> got = ratio_difference(np.stack([part, whole]), np.stack([1 - part, whole]), np.arange(20))
    >>> got.value, got.low < 0 < got.high
    (0.0, True)
    """
    groups = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    sums = [np.bincount(groups, weights=mass) for mass in (*first, *second)]
    rests = [whole - part for part, whole in (sums[:2], sums[2:]) if (whole >= part).all()]
    few = min((effective_number(mass) for mass in (*sums, *rests)), default=0.0)
    if few < LEAST_CARRIERS:
        return Interval.blank(f"fewer than {LEAST_CARRIERS:.0f} questions carry a side of the difference")
    totals = [mass.sum() for mass in sums]
    a, b, c, d = (total - mass for total, mass in zip(totals, sums, strict=True))
    value = float(totals[0] / totals[1] - totals[2] / totals[3])
    half = float(stats.t.ppf(0.5 + confidence / 2, few - 1)) * jackknife_error(a / b - c / d)
    return Interval(value=value, low=value - half, high=value + half, n=float(clusters.size))


def independent_difference(first: Interval, second: Interval) -> Interval:
    """Interval of the difference of two numbers measured on different questions.

    Parameters
    ----------
    first, second
        The numbers, each with its interval.

    Returns
    -------
    Interval
        Each end as far from the difference as the root of the summed squares of the two nearer halves; NaN
        ends where a side has none. `n` is the smaller n.

    References
    ----------
    Newcombe (1998), doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C (method 10
    without correlation).

    Examples
    --------
    >>> one = Interval(value=0.5, low=0.2, high=0.8, n=9)
    >>> got = independent_difference(one, Interval(value=0.4, low=0.0, high=0.8, n=7))
    >>> round(got.value, 2), round(got.low, 2), round(got.high, 2), got.n
    (0.1, -0.4, 0.6, 7)
    """
    value = first.value - second.value
    if math.isnan(value):
        return Interval.blank("one side has no value")
    less = math.hypot(first.value - first.low, second.high - second.value)
    more = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value=value, low=value - less, high=value + more, n=min(first.n, second.n))
