"""How far apart are the accuracies of all pairs of systems on their common questions, and how surely?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.clusters import numbered, summed
from limitset.core.intervals import LEAST_CARRIERS
from limitset.core.undefined import UNDEFINED

AT_MOST = 4e10
"""Multiplications that drawing signs for pairs on different questions may take; beyond it Bonferroni."""
LEAST_MASS = 2.0
"""Questions added to a pair, half for each side, before its interval is made."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairDifferences:
    """Sums over the common questions of every pair; entry (a, b) is a less b.

    Parameters
    ----------
    questions : (m, m)
        Common questions.
    units : (m, m)
        Effective number of common clusters.
    total, square, weighted, sizes : (m, m)
        Sums over clusters of D, D^2, n D and n^2, with D the difference of the two systems summed over the
        common questions of a cluster and n their number.
    carriers : (m, m)
        Effective number of clusters on which the two differ.
    """

    questions: Float[np.ndarray, "m m"]
    units: Float[np.ndarray, "m m"]
    total: Float[np.ndarray, "m m"]
    square: Float[np.ndarray, "m m"]
    weighted: Float[np.ndarray, "m m"]
    sizes: Float[np.ndarray, "m m"]
    carriers: Float[np.ndarray, "m m"]

    @property
    def value(self) -> Float[np.ndarray, "m m"]:
        """Mean difference, in [-1, 1]; NaN without a common question."""
        known = self.questions > 0
        return np.where(known, self.total / np.where(known, self.questions, 1.0), UNDEFINED)

    def error(self) -> Float[np.ndarray, "m m"]:
        """Return the clustered standard error; NaN with fewer than two clusters."""
        known = self.units > 1 + 1e-9
        mean = np.where(known, self.value, 0.0)
        spread = np.maximum(self.square - 2 * mean * self.weighted + mean**2 * self.sizes, 0.0)
        few = np.where(known, self.units, 2.0)
        squared = spread * few / (few - 1) / np.where(known, self.questions, 1.0) ** 2
        return np.where(known, np.sqrt(squared), UNDEFINED)


def pair_differences(shares: Float[np.ndarray, "m q"], clusters: Int[np.ndarray, " q"]) -> PairDifferences:
    """Sum the differences of all pairs of systems over their common questions.

    Parameters
    ----------
    shares : (m, q)
        Share right of each system on each question; NaN where it has no run.
    clusters : (q,)
        Number of the cluster of each question.

    Returns
    -------
    PairDifferences
        Matrix products over clusters that each system has whole or not at all; the others one at a time.

    References
    ----------
    Miller (2024), Adding error bars to evals, arXiv:2411.00640 (paired differences).

    Examples
    --------
    >>> shares = np.array([[1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, np.nan]])
    >>> got = pair_differences(shares, np.arange(4))
    >>> float(got.questions[0, 1]), round(float(got.value[0, 1]), 4)
    (3.0, 0.3333)
    """
    present = ~np.isnan(shares)
    right, held = np.where(present, shares, 0.0), present.astype(np.float64)
    count = summed(held, clusters)
    size = summed(present.any(axis=0, keepdims=True) * 1.0, clusters)[0]
    whole = ((count == 0) | (count == size)).all(axis=0)
    sums = _by_product(summed(right, clusters)[:, whole], count[:, whole] > 0, size[whole])
    if not whole.all():
        sums += _by_cluster(right, held, numbered(clusters)[0], np.flatnonzero(~whole))
    questions, total, square, weighted, sizes, fourth = sums
    base = np.where(sizes > 0, sizes, 1.0)
    return PairDifferences(
        questions=questions,
        units=questions**2 / base,
        total=total,
        square=square,
        weighted=weighted,
        sizes=sizes,
        carriers=square**2 / np.where(fourth > 1e-9, fourth, np.inf),
    )


def difference_ends(
    pairs: PairDifferences, *, critical: float | Float[np.ndarray, "m m"]
) -> tuple[Float[np.ndarray, "m m"], Float[np.ndarray, "m m"]]:
    r"""Return the ends of the intervals of all pairs for a critical value c.

    Before its mean and error are taken, each pair is given ``k = max(2, c^2 / 2)`` more questions, half of
    them won by each side, so that a pair that hardly differs has an interval too:

    .. math:: \tilde d = \frac{\sum_g D_g}{n + k}, \qquad
        \tilde d \pm c \frac{\sqrt{\sum_g (D_g - n_g \tilde d)^2 + k (1 + \tilde d^2)}}{n + k}

    Parameters
    ----------
    pairs
        Sums of the pairs.
    critical
        Quantile of the studentised difference, one for all or one a pair; inf gives [-1, 1].

    Returns
    -------
    low, high : (m, m)
        In [-1, 1], the mean difference always inside; [-1, 1] with fewer than two clusters.

    Notes
    -----
    At c = 1.96 this is Bonett and Price's interval but for the factor ``G / (G - 1)`` of the first sum. Where
    fewer than five clusters differ, what is added are clusters of average size.

    References
    ----------
    Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data, doi:10.3102/1076998611411915.
    """
    c = np.broadcast_to(np.asarray(critical, dtype=np.float64), pairs.questions.shape)
    known = (pairs.units > 1 + 1e-9) & np.isfinite(c)
    c = np.where(known, c, 1.0)
    units = np.where(known, pairs.units, 2.0)
    width = np.where(pairs.carriers < LEAST_CARRIERS, np.where(known, pairs.questions, 2.0) / units, 1.0)
    added = np.maximum(LEAST_MASS, c**2 / 2)
    base = pairs.questions + added * width
    centre = pairs.total / base
    spread = np.maximum(pairs.square - 2 * centre * pairs.weighted + centre**2 * pairs.sizes, 0.0)
    spread = spread * units / (units - 1) + added * width**2 * (1 + centre**2)
    half = c * np.sqrt(spread) / base
    value = np.nan_to_num(pairs.value)
    low = np.where(known, np.maximum(np.minimum(centre - half, value), -1.0), -1.0)
    high = np.where(known, np.minimum(np.maximum(centre + half, value), 1.0), 1.0)
    return low, high


def t_quantile(
    pairs: PairDifferences, *, confidence: float, comparisons: int = 1
) -> Float[np.ndarray, "m m"]:
    """Return the t quantile of each pair, shared among comparisons by Bonferroni's inequality.

    References
    ----------
    Degrees of freedom, the number of clusters less one: Cameron, Gelbach and Miller (2008),
    doi:10.1162/rest.90.3.414, section 2.

    Examples
    --------
    >>> pairs = pair_differences(np.array([[1.0, 0.0] * 5, [0.0, 0.0] * 5]), np.arange(10))
    >>> float(t_quantile(pairs, confidence=0.95)[0, 1].round(3))  # 9 degrees of freedom
    2.262
    """
    degrees = np.maximum(pairs.units - 1, 1.0)
    return np.asarray(stats.t.ppf(1 - (1 - confidence) / (2 * max(comparisons, 1)), degrees))


def simultaneous_quantile(
    shares: Float[np.ndarray, "m q"],
    clusters: Int[np.ndarray, " q"],
    pairs: PairDifferences,
    *,
    rng: np.random.Generator,
    draws: int,
    confidence: float,
) -> tuple[float | Float[np.ndarray, "m m"], str]:
    r"""Return the critical value that holds for all pairs at once, and how it was found.

    .. math:: T^* = \max_{a < b} \frac{|\sum_g \xi_g (D_g - n_g \bar d)|}{\sqrt{\sum_g (D_g - n_g \bar d)^2}},
        \qquad \xi_g = \pm 1, \qquad c = u \sqrt{\frac{G - 1}{G - u^2}}

    with u the quantile of T* over draws of signs, one sign a cluster and the same for all pairs.

    Parameters
    ----------
    shares, clusters
        As in `pair_differences`.
    pairs
        Its result.
    rng, draws
        Draws of signs.
    confidence
        Chance aimed at that all intervals hold, in (0, 1).

    Returns
    -------
    critical, method
        One number, or the t quantiles of Bonferroni where pairs have too many different sets of questions to
        draw signs for; inf where clusters are too few to say anything.

    Notes
    -----
    Pairs that differ on fewer than five clusters take no part in the maximum: their signs hardly vary.

    References
    ----------
    Chernozhukov, Chetverikov and Kato (2013), doi:10.1214/13-AOS1161 (maxima of means by multipliers);
    Cameron, Gelbach and Miller (2008), doi:10.1162/rest.90.3.414 (signs of whole clusters).
    """
    systems = shares.shape[0]
    count = systems * (systems - 1) // 2
    above = np.triu_indices(systems, 1)
    spread = (pairs.error() * pairs.questions)[above] * np.sqrt(
        1 - 1 / np.maximum(pairs.units[above], 1 + 1e-9)
    )
    fit = (pairs.carriers[above] >= LEAST_CARRIERS) & (spread > 1e-9)
    complete = not np.isnan(shares).any()
    work = 4.0 * systems**2 * shares.shape[1] * draws
    if count > 1 and (not fit.any() or not (complete or work <= AT_MOST)):
        return t_quantile(pairs, confidence=confidence, comparisons=count), "Bonferroni over pairs"
    if count <= 1:
        return t_quantile(pairs, confidence=confidence), "one pair"
    scale = np.zeros((systems, systems))
    scale[above] = np.where(fit, 1 / np.where(fit, spread, 1.0), 0.0)
    place, units = numbered(clusters)
    signs = 2.0 * rng.integers(0, 2, size=(draws, units)) - 1
    largest = (
        _drawn_complete(shares, place, scale, signs)
        if complete
        else _drawn_common(shares, place, scale, signs, mean=np.nan_to_num(pairs.value))
    )
    quantile = float(np.quantile(largest, confidence, method="higher"))
    clusters_left = float(pairs.units[above][fit].min()) - quantile**2
    if clusters_left <= 1e-9:
        return float("inf"), "signs of clusters drawn, largest over pairs"
    studentised = quantile * np.sqrt((quantile**2 + clusters_left - 1) / clusters_left)
    return float(studentised), "signs of clusters drawn, largest over pairs"


def disputable(shares: Float[np.ndarray, "m q"]) -> Float[np.ndarray, "m m"]:
    """Return how far one wrong key in every question could move each difference, in [0, 2].

    A wrong key on a question that only one of the two has right may turn the difference round (2); one that
    both have wrong may give it to either (1); where both are right it moves nothing.

    References
    ----------
    Northcutt, Athalye and Mueller (2021), Pervasive label errors in test sets, arXiv:2103.14749 (order of
    systems under wrong keys).

    Examples
    --------
    >>> float(disputable(np.array([[1.0, 1.0], [1.0, 0.0]]))[0, 1])
    1.0
    """
    present = ~np.isnan(shares)
    right, held = np.where(present, shares, 0.0), present.astype(np.float64)
    common, both = held @ held.T, right @ right.T
    one = right @ held.T
    one = one + one.T - 2 * both
    neither = common - one - both
    return np.where(common > 0, (2 * one + neither) / np.where(common > 0, common, 1.0), 0.0)


def _by_product(part: np.ndarray, held: np.ndarray, size: np.ndarray) -> Float[np.ndarray, "6 m m"]:
    def over(table: np.ndarray) -> np.ndarray:
        """Sum each row over the clusters that each other row has, too."""
        if held.all():
            return np.broadcast_to(table.sum(axis=1)[:, None], (held.shape[0], held.shape[0]))
        return np.asarray(table @ held.T.astype(np.float64))

    squared = np.square(part)
    total, weighted, squares, fourths = (over(one) for one in (part, part * size, squared, squared**2))
    cubes = (squared * part) @ part.T
    return np.stack(
        [
            over(held * size),
            total - total.T,
            np.maximum(squares + squares.T - 2 * (part @ part.T), 0.0),
            weighted - weighted.T,
            over(held * np.square(size)),
            np.maximum(fourths + fourths.T - 4 * (cubes + cubes.T) + 6 * (squared @ squared.T), 0.0),
        ]
    )


def _by_cluster(
    right: np.ndarray, held: np.ndarray, place: np.ndarray, wanted: np.ndarray
) -> Float[np.ndarray, "6 m m"]:
    """Take one cluster at a time, for clusters of which some systems have only a part."""
    order = np.argsort(place, kind="stable")
    edges = np.searchsorted(place[order], np.stack([wanted, wanted + 1], axis=1))
    out = np.zeros((6, right.shape[0], right.shape[0]))
    for start, stop in edges:
        columns = order[start:stop]
        one = right[:, columns] @ held[:, columns].T
        difference, questions = one - one.T, held[:, columns] @ held[:, columns].T
        squared = difference**2
        for row, table in enumerate(
            (questions, difference, squared, questions * difference, questions**2, squared**2)
        ):
            out[row] += table
    return out


def _drawn_complete(
    shares: np.ndarray, place: np.ndarray, scale: np.ndarray, signs: np.ndarray
) -> Float[np.ndarray, " d"]:
    """Return the largest statistic of each draw; with all questions common, a pair's is a difference."""
    moved = signs @ summed(shares - shares.mean(axis=1, keepdims=True), place).T
    return np.array([(np.abs(row[:, None] - row[None, :]) * scale).max() for row in moved])


def _drawn_common(
    shares: np.ndarray, place: np.ndarray, scale: np.ndarray, signs: np.ndarray, *, mean: np.ndarray
) -> Float[np.ndarray, " d"]:
    """Return the largest statistic of each draw where pairs have different questions in common."""
    present = ~np.isnan(shares)
    right, held = np.where(present, shares, 0.0), present.astype(np.float64)
    largest = np.empty(signs.shape[0])
    for draw, row in enumerate(signs):
        signed = held * row[place]
        one = (right * signed) @ held.T
        largest[draw] = (np.abs(one - one.T - mean * (signed @ held.T)) * scale).max()
    return largest
