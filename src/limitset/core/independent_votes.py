"""How often would the plurality be right if voters shared nothing, not even what is hard?"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import special, stats
from scipy.interpolate import PchipInterpolator

from limitset.core.errors import InputError
from limitset.core.intervals import Interval
from limitset.core.majorities import mean_of_shares
from limitset.core.undefined import UNDEFINED

EXACT_UP_TO: Final = 24
"""Votes counted exactly; beyond, the plurality is drawn."""
DRAWS: Final = 20_000
"""Drawn pluralities: their share is known to within .7 points."""
_SEED: Final = 0
_GRID: Final = np.linspace(0.0, 1.0, 41)
"""Accuracies at which a plurality is computed; between them its curve is smooth."""
_NODES: Final = 400
_ALONE: Final = 1e-4
"""Voters less correlated than this are independent."""


def independent_plurality(
    votes: int, right: float, wrong: Float[np.ndarray, " r"], *, silent: float = 0.0
) -> float:
    r"""Chance that the plurality of independent voters is right; ties are split evenly.

    ``P = sum_c P(c right votes) E[1 / (1 + T)]`` over draws in which no wrong answer has more than c votes
    and T of them have c. The chances are coefficients of a product of truncated exponential series.

    Parameters
    ----------
    votes
        Voters, 1 or more.
    right
        Chance that one of them is right, in [0, 1].
    wrong : (r,)
        Shares of the wrong answers among wrong votes; they sum to 1.
    silent
        Chance that one of them gives no answer, in [0, 1 - right].

    Returns
    -------
    float
        In [0, 1]. A vote in which nobody answers is not right.

    Raises
    ------
    InputError
        When the chances do not lie in [0, 1] or the shares do not sum to 1.

    Notes
    -----
    With one wrong answer it is the majority of the jury theorem; with more, fewer votes suffice. Beyond 24
    votes it is drawn 20,000 times with a fixed seed.

    References
    ----------
    List and Goodin (2001), Epistemic democracy: generalizing the Condorcet jury theorem,
    doi:10.1111/1467-9760.00128 (plurality among many options).

    Examples
    --------
    >>> round(independent_plurality(3, 0.7, np.array([1.0])), 4)  # the majority of three
    0.784
    >>> independent_plurality(3, 0.5, np.array([0.5, 0.5]))  # 1/2, and a third of the 3/16 three-way ties
    0.5625
    """
    total = float(wrong.sum())
    if votes < 1 or not (0 <= right <= 1 and 0 <= silent <= 1 - right + 1e-12) or abs(total - 1) > 1e-9:
        raise InputError.of(
            expected="votes must be 1 or more, chances in [0, 1], and shares of wrong answers sum to 1",
            got=f"{votes} votes, {right:g} right, {silent:g} silent, shares that sum to {total:g}",
            fix="Mend them.",
        )
    chances = np.concatenate([[right], max(1.0 - right - silent, 0.0) * wrong, [silent]])
    return _counted(votes, chances) if votes <= EXACT_UP_TO else _drawn(votes, chances)


def predicted_pluralities(
    right: Float[np.ndarray, " q"],
    pair: Float[np.ndarray, " other"],
    wrong: Float[np.ndarray, " r"],
    *,
    size: int,
    silent: float = 0.0,
    confidence: float = 0.95,
) -> tuple[Interval, Interval]:
    """How often would a plurality be right if voters were independent, and if all were equally correlated?

    Equally correlated voters share one chance to be right on each question, drawn from a beta distribution,
    and nothing else.

    Parameters
    ----------
    right, pair : (q,)
        Chance on each question that one voter is right, and that two different ones are.
    wrong : (r,)
        Shares of the wrong answers among wrong votes.
    size
        Voters.
    silent
        Share of the votes that are not right which give no answer, in [0, 1].
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    The plurality at the mean accuracy, and at the mean correlation, blank where no beta distribution is so
    correlated; each with its interval over questions, the shares of wrong answers taken as known.

    References
    ----------
    List and Goodin (2001), doi:10.1111/1467-9760.00128; Griffiths (1973), doi:10.2307/2529131.

    Examples
    --------
    >>> right = np.array([1.0, 1.0, 1.0, 0.0])
    >>> [round(one.value, 3) for one in predicted_pluralities(right, right, np.array([1.0]), size=3)]
    [0.844, 0.75]
    """
    of = PchipInterpolator(
        _GRID, [independent_plurality(size, p, wrong, silent=silent * (1 - p)) for p in _GRID]
    )
    single = mean_of_shares(right, confidence=confidence)
    low, value, high = (float(of(p)) for p in (single.low, single.value, single.high))
    alone = Interval(value=value, low=min(low, value), high=max(high, value), n=single.n)
    both = float(pair.mean())
    whole = _correlated(of, single.value, both)
    if np.isnan(whole):
        reason = "errors are not correlated as a beta distribution gives"
        return alone, Interval(
            value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=single.n, blank_reason=reason
        )
    slopes = np.array(
        [_slope(of, single.value, both, along) for along in ((1.0, 2 * single.value), (0.0, 1.0))]
    )
    # moving the mean alone moves the correlation too: the second slope takes that out
    slopes[0] -= 2 * single.value * slopes[1]
    moved = slopes[0] * (right - right.mean()) + slopes[1] * (pair - both)
    n = right.size
    half = 0.0 if n < 2 else float(stats.t.ppf(0.5 + confidence / 2, n - 1) * moved.std(ddof=1) / np.sqrt(n))
    return alone, Interval(value=whole, low=max(whole - half, 0.0), high=min(whole + half, 1.0), n=single.n)


def _slope(of: PchipInterpolator, chance: float, both: float, along: tuple[float, float]) -> float:
    """Return the slope along a direction, from the side on which the curve exists."""
    whole = _correlated(of, chance, both)
    for step in (1e-3, -1e-3):
        there = _correlated(of, chance + along[0] * step, both + along[1] * step)
        if not np.isnan(there):
            return (there - whole) / step
    return 0.0


def _correlated(of: PchipInterpolator, chance: float, both: float) -> float:
    """Return the mean of a curve over the beta distribution with this mean and second moment."""
    spread = chance * (1 - chance)
    if spread <= 0:
        return float(of(min(max(chance, 0.0), 1.0)))
    correlation = (both - chance**2) / spread
    if correlation < -_ALONE or correlation > 1 + _ALONE:
        return UNDEFINED
    if correlation < _ALONE:
        return float(of(chance))
    if correlation > 1 - _ALONE:
        return float(chance * of(1.0) + (1 - chance) * of(0.0))
    load = (1 - correlation) / correlation
    # by parts, f(1) less all rises below p: as smooth in its arguments as the distribution is
    places = np.linspace(0.0, 1.0, _NODES + 1)
    below = special.betainc(chance * load, (1 - chance) * load, (places[1:] + places[:-1]) / 2)
    return float(of(1.0) - np.diff(of(places)) @ below)


def _counted(votes: int, chances: Float[np.ndarray, " k"]) -> float:
    right, wrong, silent = chances[0], chances[1:-1], chances[-1]
    # the mean of 1 / (1 + T) is the integral of s ** T over [0, 1]
    nodes, weights = special.roots_legendre(min(wrong.size, votes) // 2 + 1)
    nodes, weights = (nodes + 1) / 2, weights / 2
    terms = np.arange(votes + 1)
    scale = np.exp(-special.gammaln(terms + 1))
    total = 0.0
    for count in range(1, votes + 1):
        rest = votes - count
        below = np.where(terms < count, 1.0, 0.0) * scale
        each = silent ** terms[: rest + 1] * scale[: rest + 1] * np.ones((nodes.size, 1))
        for share in wrong:
            series = (share**terms * below)[None, : rest + 1] * np.ones((nodes.size, 1))
            if count <= rest:
                series[:, count] += nodes * share**count * scale[count]
            each = np.stack(
                [np.convolve(one, other)[: rest + 1] for one, other in zip(each, series, strict=True)]
            )
        ways = np.exp(special.gammaln(votes + 1)) * right**count * scale[count]
        total += float(ways * (weights @ each[:, rest]))
    return min(max(total, 0.0), 1.0)


def _drawn(votes: int, chances: Float[np.ndarray, " k"]) -> float:
    counts = np.random.default_rng(_SEED).multinomial(votes, chances / chances.sum(), size=DRAWS)[:, :-1]
    most = counts.max(axis=1)
    leads = (counts == most[:, None]) & (most > 0)[:, None]
    return float((leads[:, 0] / np.maximum(leads.sum(axis=1), 1)).mean())
