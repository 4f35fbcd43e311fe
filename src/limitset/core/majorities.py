"""How often would a majority be right if voters were independent, or all equally correlated?"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float, Num
from scipy import special

from limitset.core.intervals import Interval, jackknife_interval, logit_jackknife, wilson
from limitset.core.undefined import NEVER, UNDEFINED

MOST_VOTES: Final = 1e6
"""An equivalent number beyond this is not told from a plurality that never errs."""
_DUST: Final = 1e-12
"""Rounding left over from sums of shares."""


def majority_accuracy(
    size: Num[np.ndarray, "*n"] | float, chance: Float[np.ndarray, "*n"] | float
) -> Float[np.ndarray, "*n"]:
    """Chance that more than half of `size` independent voters are right, each with `chance`.

    Parameters
    ----------
    size : (...)
        Voters, 1 or more. Between odd numbers the majority is continued by the incomplete beta function.
    chance : (...)
        In [0, 1].

    Returns
    -------
    (...) float
        In [0, 1].

    References
    ----------
    Grofman, Owen and Feld (1983), doi:10.1007/BF00125672 (the jury theorem).

    Examples
    --------
    >>> majority_accuracy(np.array([3, 5, 9]), 0.7).round(5).tolist()
    [0.784, 0.83692, 0.90119]
    """
    half = (np.asarray(size, dtype=np.float64) + 1.0) / 2.0
    return np.asarray(special.betainc(half, half, chance))


def correlated_majority(
    size: int, chance: Float[np.ndarray, "*n"] | float, correlation: Float[np.ndarray, "*n"] | float
) -> Float[np.ndarray, "*n"]:
    """Chance that more than half of `size` exchangeable voters are right: the beta-binomial majority.

    Parameters
    ----------
    size
        Voters, 1 or more.
    chance : (...)
        Chance that one of them is right, in [0, 1].
    correlation : (...)
        Correlation of two of them.

    Returns
    -------
    (...) float
        In [0, 1]; NaN where `correlation` is outside [0, 1], which no beta-binomial reaches.

    References
    ----------
    Griffiths (1973), doi:10.2307/2529131, with ``a = p (1 - r) / r`` and ``b = (1 - p) (1 - r) / r``.

    Examples
    --------
    >>> correlated_majority(9, 0.7, np.array([0.2, 0.4375])).round(5).tolist()
    [0.78365, 0.73013]
    """
    chance, correlation = np.broadcast_arrays(np.asarray(chance, float), np.asarray(correlation, float))
    inside = (correlation > 0) & (correlation < 1) & (chance > 0) & (chance < 1)
    r, p = np.where(inside, correlation, 0.5), np.where(inside, chance, 0.5)
    a, b = p * (1 - r) / r, (1 - p) * (1 - r) / r
    right = np.arange(size // 2 + 1, size + 1.0).reshape(-1, *np.ones(p.ndim, dtype=int))
    ways = -np.log(size + 1.0) - special.betaln(size - right + 1.0, right + 1.0)
    total = np.exp(ways + special.betaln(right + a, size - right + b) - special.betaln(a, b)).sum(axis=0)
    # uncorrelated voters are independent; fully correlated ones, and those that cannot differ, are one voter
    plain = np.where(correlation == 0, majority_accuracy(size, chance), chance)
    known = (correlation >= 0) & (correlation <= 1)
    return np.asarray(np.where(inside, np.minimum(total, 1.0), np.where(known, plain, UNDEFINED)))


def equivalent_votes(
    observed: Float[np.ndarray, "*n"] | float, chance: Float[np.ndarray, "*n"] | float
) -> Float[np.ndarray, "*n"]:
    """How many independent voters of this chance have this accuracy together.

    Parameters
    ----------
    observed : (...)
        Accuracy of the panel, in [0, 1].
    chance : (...)
        Chance that one voter is right, in [0, 1].

    Returns
    -------
    (...) float
        1 or more; NaN below one vote (``chance <= 1/2`` or ``observed < chance``), infinite where no number
        up to a million suffices.

    References
    ----------
    Grofman, Owen and Feld (1983), doi:10.1007/BF00125672 (the jury theorem), solved for the number of voters.

    Examples
    --------
    >>> equivalent_votes(np.array([0.7, 0.83692, 0.69, 1.0]), 0.7).round(2).tolist()
    [1.0, 5.0, nan, inf]
    """
    observed, chance = np.broadcast_arrays(np.asarray(observed, np.float64), np.asarray(chance, np.float64))
    low, high = np.zeros(observed.shape), np.full(observed.shape, np.log(MOST_VOTES))
    for _ in range(60):  # halvings: 14 / 2^60 is below rounding
        middle = (low + high) / 2
        enough = majority_accuracy(np.exp(middle), chance) >= observed
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    reached = majority_accuracy(MOST_VOTES, chance) >= observed
    defined = (chance > 0.5) & (observed >= chance - _DUST)
    return np.asarray(np.where(defined, np.where(reached & (observed < 1), np.exp(high), NEVER), UNDEFINED))


def kish_number(
    count: Float[np.ndarray, "*b"] | float, correlation: Float[np.ndarray, "*b"] | float
) -> Float[np.ndarray, "*b"]:
    """Return ``M / (1 + (M - 1) r)``: how many independent voters carry as much as M correlated ones.

    Parameters
    ----------
    count : (...)
        Voters M, 1 or more.
    correlation : (...)
        Mean correlation r of the errors of two of them, at most 1.

    Returns
    -------
    (...) float
        Above 0; NaN at or below the floor ``r = -1 / (M - 1)``.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (effective sample size, design effect).

    Examples
    --------
    >>> round(float(kish_number(6, 0.42)), 4), float(kish_number(9, 0.4375))
    (1.9355, 2.0)
    """
    load = 1.0 + (count - 1.0) * np.asarray(correlation, dtype=np.float64)
    return np.asarray(count / np.where(load > 0, load, UNDEFINED), dtype=np.float64)


def predicted_majorities(
    right: Float[np.ndarray, " q"],
    pair: Float[np.ndarray, " other"],
    size: int,
    *,
    confidence: float = 0.95,
) -> tuple[Interval, Interval]:
    """How often would a majority be right if voters were independent, and if all were equally correlated?

    Parameters
    ----------
    right, pair : (q,)
        Chance on each question that one voter is right, and that two different ones are.
    size
        Voters.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    The binomial majority at the mean accuracy, and the beta-binomial one at the mean correlation, blank where
    no beta-binomial is so correlated; each with its interval over questions.

    References
    ----------
    Grofman, Owen and Feld (1983), doi:10.1007/BF00125672; Griffiths (1973), doi:10.2307/2529131.

    Examples
    --------
    >>> right = np.array([1.0, 1.0, 1.0, 0.0])
    >>> [round(one.value, 4) for one in predicted_majorities(right, right, 3)]
    [0.8438, 0.75]
    """
    single = mean_of_shares(right, confidence=confidence)
    low, value, high = majority_accuracy(size, np.array([single.low, single.value, single.high]))
    independent = Interval(value=float(value), low=float(low), high=float(high), n=single.n)
    left_out = correlated_majority(size, *_exchangeable(_without(right), _without(pair)))
    whole = float(
        correlated_majority(size, *_exchangeable(np.asarray(right.mean()), np.asarray(pair.mean())))
    )
    got = jackknife_interval(whole, left_out, confidence=confidence)
    reason = "errors are not correlated as a beta-binomial's" if np.isnan(whole) else ""
    low, high = np.maximum(got.low, 0.0), np.minimum(got.high, 1.0)
    return independent, Interval(
        value=whole, low=float(low), high=float(high), n=single.n, blank_reason=reason
    )


def mean_of_shares(share: Float[np.ndarray, " q"], *, confidence: float = 0.95) -> Interval:
    """Return the mean of shares with its interval, by Wilson's where too few questions carry a side.

    Examples
    --------
    >>> mean_of_shares(np.array([1.0, 1.0, 1.0, 1.0])).value
    1.0
    """
    share = np.where(share < _DUST, 0.0, np.where(share > 1 - _DUST, 1.0, share))
    got = logit_jackknife(share, 1.0 - share, confidence=confidence)
    if np.isnan(got.low):
        got = wilson(float(share.sum()), share.size, confidence=confidence)
    value = float(share.mean())
    # the closed forms miss the ends by rounding
    low, high = min(max(got.low, 0.0), value), max(min(got.high, 1.0), value)
    return Interval(value=value, low=low, high=high, n=float(share.size))


def _exchangeable(
    chance: Float[np.ndarray, "*n"], both: Float[np.ndarray, "*n"]
) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Chance and correlation of two voters that are both right with chance `both`."""
    spread = np.asarray(chance * (1 - chance))
    varies = spread > _DUST
    return chance, np.where(varies, (both - chance**2) / np.where(varies, spread, 1.0), UNDEFINED)


def _without(values: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    return np.asarray((values.sum() - values) / max(values.size - 1, 1))
