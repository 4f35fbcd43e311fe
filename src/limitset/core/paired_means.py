"""How sure is the mean of a difference on the same questions, when most questions do not differ?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.intervals import LEAST_CARRIERS, Interval, effective_number, share_or_bound
from limitset.core.undefined import UNDEFINED


def mean_difference(
    differences: Float[np.ndarray, " q"],
    clusters: Int[np.ndarray, " q"],
    *,
    confidence: float = 0.95,
    comparisons: int = 1,
) -> Interval:
    r"""Interval of the mean of differences in [-1, 1], one a question.

    ``mean +- t sqrt(G / (G - 1) sum_g (D_g - n_g mean)^2) / n``; D_g sums the differences of cluster g.

    Parameters
    ----------
    differences : (q,)
        Difference of each question.
    clusters : (q,)
        Number of the cluster of each question; clusters are the units.
    confidence
        Coverage aimed at, in (0, 1).
    comparisons
        So many intervals are to hold together (Bonferroni).

    Returns
    -------
    Interval
        In [-1, 1]. The t quantile has as many degrees of freedom as units that differ (effective number),
        less one. When fewer than five units differ, the ends are exact bounds on what could have been gained
        and lost, each with half of the error: an interval that has a width also when nothing differs.

    References
    ----------
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (the bounds);
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (the jackknife of a ratio).

    Examples
    --------
    >>> got = mean_difference(np.zeros(100), np.arange(100))
    >>> got.value, round(got.high, 4)  # nothing among 100: 1 - 0.025 ** (1 / 100)
    (0.0, 0.0362)
    >>> got = mean_difference(np.array([1.0, 0.0, -1.0, 1.0] * 25), np.arange(100))
    >>> round(got.value, 2), round(got.low, 3), round(got.high, 3)
    (0.25, 0.084, 0.416)
    """
    if not differences.size:
        return Interval.blank("no question")
    if comparisons < 1:
        raise InputError.of(expected="comparisons must be 1 or more", got=comparisons, fix="Count them.")
    miss = (1.0 - confidence) / comparisons
    sums, sizes = np.bincount(clusters, weights=differences), np.bincount(clusters)
    sums, sizes = sums[sizes > 0], sizes[sizes > 0]
    units, total = float(sizes.size), float(sizes.sum())
    value = float(sums.sum()) / total
    differ = effective_number(np.abs(sums))
    if differ < LEAST_CARRIERS or units < 2:
        gained, lost = (
            _bound(float(np.maximum(side, 0).sum()) / total * units, units, miss) for side in (sums, -sums)
        )
        return Interval(value=value, low=-lost, high=gained, n=units)
    spread = float(np.sqrt(units / (units - 1) * np.square(sums - sizes * value).sum())) / total
    reach = float(stats.t.ppf(1 - miss / 2, max(min(differ, units) - 1.0, 1.0))) * spread
    return Interval(value=value, low=max(value - reach, -1.0), high=min(value + reach, 1.0), n=units)


def mean_share(
    shares: Float[np.ndarray, " q"],
    clusters: Int[np.ndarray, " q"],
    *,
    confidence: float = 0.95,
    anchor_error: float = 0.0,
) -> Interval:
    """Interval of the mean of shares, one a question, with clusters as the units.

    References
    ----------
    As `intervals.share_or_bound`.

    Examples
    --------
    >>> got = mean_share(np.array([0.0, 0.5, 0.0, 1.0] * 10), np.arange(40))
    >>> round(got.value, 3), got.low < got.value < got.high
    (0.375, True)
    """
    return ratio_of_sums(
        shares, np.ones(shares.size), clusters, confidence=confidence, anchor_error=anchor_error
    )


def ratio_of_sums(
    part: Float[np.ndarray, " q"],
    whole: Float[np.ndarray, " other"],
    clusters: Int[np.ndarray, " q"],
    *,
    confidence: float = 0.95,
    anchor_error: float = 0.0,
) -> Interval:
    """Interval of ``sum(part) / sum(whole)``, a share, with clusters as the units.

    References
    ----------
    As `intervals.share_or_bound`.

    Examples
    --------
    >>> ratio_of_sums(np.array([0.5, 0.0] * 9), np.array([1.0, 0.0] * 9), np.arange(18)).value
    0.5
    """
    if not part.size:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason="no question")
    inside, rest = (
        np.bincount(clusters, weights=weights) for weights in (part, np.maximum(whole - part, 0.0))
    )
    return share_or_bound(inside, rest, confidence=confidence, anchor_error=anchor_error)


def _bound(events: float, units: float, miss: float) -> float:
    return 1.0 if units - events < 1e-9 else float(stats.beta.ppf(1 - miss / 2, events + 1, units - events))
