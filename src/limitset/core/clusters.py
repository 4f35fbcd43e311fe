"""How sure is a share over questions that come in clusters?

Questions of one passage, document or conversation are right or wrong together. What is left out, summed or
drawn is then the cluster; where each question stands alone, it is its own cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.intervals import EITHER_SIDE, LEAST_CARRIERS, Interval
from limitset.core.undefined import UNDEFINED

DUST = 1e-12
"""Rounding left over from sums of shares."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusteredShares:
    """Mean shares of several rows, each with its interval; NaN where a row has no question.

    Parameters
    ----------
    value, low, high : (m,)
        Share in [0, 1] and the ends of its interval.
    units : (m,)
        Effective number of clusters, the number of questions where each is its own cluster.
    questions : (m,)
        Number of questions.
    """

    value: Float[np.ndarray, " m"]
    low: Float[np.ndarray, " m"]
    high: Float[np.ndarray, " m"]
    units: Float[np.ndarray, " m"]
    questions: Int[np.ndarray, " m"]

    def intervals(self, reason: str) -> list[Interval]:
        """Return one `Interval` a row; `reason` says why a row without questions is blank."""
        rows = zip(
            *(column.tolist() for column in (self.value, self.low, self.high, self.units)), strict=True
        )
        return [
            Interval(value=value, low=low, high=high, n=n, blank_reason=reason if np.isnan(value) else "")
            for value, low, high, n in rows
        ]


def numbered(clusters: Int[np.ndarray, " q"]) -> tuple[Int[np.ndarray, " q"], int]:
    """Return the clusters numbered from 0, and how many there are.

    Examples
    --------
    >>> [part if isinstance(part, int) else part.tolist() for part in numbered(np.array([7, 2, 7]))]
    [[1, 0, 1], 2]
    """
    names, place = np.unique(clusters, return_inverse=True)
    return place.reshape(-1), int(names.size)


def summed(values: Float[np.ndarray, "m q"], clusters: Int[np.ndarray, " q"]) -> Float[np.ndarray, "m g"]:
    """Sum the columns of each cluster; the columns themselves where each is its own cluster.

    Examples
    --------
    >>> summed(np.array([[1.0, 2.0, 3.0]]), np.array([0, 1, 0])).tolist()
    [[4.0, 2.0]]
    """
    place, count = numbered(clusters)
    if count == place.size:
        return values
    order = np.argsort(place, kind="stable")
    return np.asarray(
        np.add.reduceat(values[:, order], np.searchsorted(place[order], np.arange(count)), axis=1)
    )


def clustered_shares(
    shares: Float[np.ndarray, "m q"],
    clusters: Int[np.ndarray, " q"],
    *,
    confidence: float = 0.95,
    anchor_error: float = 0.0,
) -> ClusteredShares:
    r"""Mean of each row with an interval that leaves out one cluster at a time.

    .. math:: \bar s = \frac{\sum_g S_g}{\sum_g n_g}, \qquad
        \mathrm{logit}\,\bar s \pm t_{\nu} \sqrt{\tfrac{G - 1}{G} \sum_g (\ell_{-g} - \bar \ell)^2}

    with S_g the sum and n_g the number of questions of cluster g, and l_{-g} the logit without it.

    Parameters
    ----------
    shares : (m, q)
        Share of each question in [0, 1]; NaN where the row does not have it.
    clusters : (q,)
        Number of the cluster of each question.
    confidence
        Coverage aimed at, in (0, 1).
    anchor_error
        Share of questions whose key may be wrong, in [0, 1]: the ends move by it.

    Returns
    -------
    ClusteredShares
        The interval of `core.intervals.share_or_bound` with clusters as units; its degrees of freedom come
        from the side of the share that fewer clusters carry. Where fewer than five carry one side, the value
        stays and the interval runs from it to that end (0 or 1) with a bound on the other.

    Notes
    -----
    Leaving out clusters is a little wider than the sandwich formula and holds with few or unequal clusters.

    References
    ----------
    Miller (2024), Adding error bars to evals, arXiv:2411.00640 (clustered standard errors).
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (few carriers).

    Examples
    --------
    >>> shares = np.array([[1.0, 1.0, 0.0, 0.0] * 20])
    >>> alone = clustered_shares(shares, np.arange(80))
    >>> pairs = clustered_shares(shares, np.arange(80) // 2)
    >>> [round(float((one.high - one.low)[0]), 2) for one in (alone, pairs)]
    [0.22, 0.32]
    """
    present = ~np.isnan(shares)
    part = summed(np.where(present, shares, 0.0), clusters)
    size = summed(present.astype(np.float64), clusters)
    part = np.where(part < DUST, 0.0, np.where(size - part < DUST, size, part))
    rest = size - part
    total, other = part.sum(axis=1), rest.sum(axis=1)
    units, carriers, others = (_effective(mass) for mass in (size, part, rest))
    known = units > 0
    value = np.where(known, total / np.where(known, total + other, 1.0), UNDEFINED)
    few = np.minimum(carriers, others) < LEAST_CARRIERS
    low, high = np.full((2, value.size), UNDEFINED)
    inside = known & ~few
    low[inside], high[inside] = _logit_ends(
        part[inside], rest[inside], size[inside] > 0, np.minimum(carriers, others)[inside] - 1, confidence
    )
    at = known & few
    low[at], high[at] = _bounds(value[at], units[at], (carriers <= others)[at], confidence)
    return ClusteredShares(
        value=value,
        low=np.maximum(np.minimum(low, value) - anchor_error, 0.0),
        high=np.minimum(np.maximum(high, value) + anchor_error, 1.0),
        units=units,
        questions=present.sum(axis=1),
    )


def design_effect(
    shares: Float[np.ndarray, " q"], clusters: Int[np.ndarray, " q"], *, confidence: float = 0.95
) -> Interval:
    r"""How many times larger is the variance of a mean because questions come in clusters?

    .. math:: \frac{\frac{G_*}{G_* - 1} \sum_g (S_g - n_g \bar s)^2}{\frac{Q}{Q - 1} \sum_q (s_q - \bar s)^2},
        \qquad G_* = \frac{(\sum_g n_g)^2}{\sum_g n_g^2}

    Parameters
    ----------
    shares : (q,)
        Share of each question in [0, 1]; NaN where there is none.
    clusters : (q,)
        Number of the cluster of each question.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        About 1: clusters do not matter; 4: the interval is twice as wide as that of independent questions.
        Its own interval leaves out one cluster at a time, on the log scale; n is the number of clusters.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (design effect).
    Miller (2024), Adding error bars to evals, arXiv:2411.00640 (clustered standard errors).

    Examples
    --------
    >>> got = design_effect(np.array([1.0, 1.0, 0.0, 0.0] * 20), np.arange(80) // 2)
    >>> round(got.value, 2)  # two questions that always agree: 79 / 39
    2.03
    """
    known = ~np.isnan(shares)
    shares, clusters = shares[known], clusters[known]
    place, count = numbered(clusters) if shares.size else (clusters, 0)
    if count == shares.size:
        return Interval.blank("each question stands alone")
    if count < LEAST_CARRIERS:
        return Interval.blank(f"fewer than {LEAST_CARRIERS:.0f} clusters")
    tables = np.array([np.bincount(place, weights=w, minlength=count) for w in (shares, shares**2, None)])
    whole = tables.sum(axis=1)
    squares = np.array([tables[0] ** 2, tables[0] * tables[2], tables[2] ** 2])
    value = float(_ratio(whole, squares.sum(axis=1)))
    without = _ratio(whole[:, None] - tables, squares.sum(axis=1)[:, None] - squares)
    if not value > 0 or not (without > 0).all():
        return Interval.blank("all questions alike")
    logs = np.log(without)
    error = np.sqrt((count - 1) / count * np.square(logs - logs.mean()).sum())
    half = float(stats.t.ppf(0.5 + confidence / 2, count - 1) * error)
    return Interval(value=value, low=value * np.exp(-half), high=value * np.exp(half), n=float(count))


def _ratio(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Variance with clusters over variance without, from sums over clusters (columns may leave one out)."""
    total, square, questions = sums
    mean = total / questions
    units = questions**2 / squares[2]
    clustered = np.maximum(squares[0] - 2 * mean * squares[1] + mean**2 * squares[2], 0.0)
    alone = np.maximum(square - questions * mean**2, 0.0)
    alone = np.where(alone > DUST, alone, np.nan)
    return np.asarray(clustered * units / (units - 1) / (alone * questions / (questions - 1)))


def _effective(mass: Float[np.ndarray, "m g"]) -> Float[np.ndarray, " m"]:
    squares = np.square(mass).sum(axis=1)
    return np.asarray(mass.sum(axis=1) ** 2 / np.where(squares > 0, squares, 1.0))


def _logit_ends(
    part: np.ndarray, rest: np.ndarray, present: np.ndarray, degrees: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    total, other = part.sum(axis=1, keepdims=True), rest.sum(axis=1, keepdims=True)
    logits = np.log((total - part) / (other - rest))
    count = present.sum(axis=1)
    centre = np.where(present, logits, 0.0).sum(axis=1) / count
    spread = np.square(np.where(present, logits - centre[:, None], 0.0)).sum(axis=1)
    half = stats.t.ppf(0.5 + confidence / 2, np.maximum(degrees, 1.0)) * np.sqrt((count - 1) / count * spread)
    middle = np.log(total / other)[:, 0]
    return 1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))


def _bounds(
    value: np.ndarray, units: np.ndarray, upper: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """One-sided bounds: upper where few clusters carry the share, lower where few carry the rest."""
    sure = np.where(units >= EITHER_SIDE, confidence, (1 + confidence) / 2)
    events = units * np.where(upper, value, 1.0 - value)
    room = np.maximum(units - events, 1e-9)
    bound = np.where(units - events < 1e-9, 1.0, stats.beta.ppf(sure, events + 1, room))
    return np.where(upper, 0.0, 1.0 - bound), np.where(upper, bound, 1.0)
