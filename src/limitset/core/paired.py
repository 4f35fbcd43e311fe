"""How sure is a change that was seen on the same questions before and after?"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool

from limitset.core.intervals import Interval, wilson
from limitset.core.undefined import UNDEFINED


def paired_change(both: int, gained: int, lost: int, neither: int, *, confidence: float = 0.95) -> Interval:
    """Interval of the difference of two shares of the same units, after minus before.

    Parameters
    ----------
    both, gained, lost, neither
        Units that hold before and after, only after, only before, never.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        ``(gained - lost) / n`` in [-1, 1], all NaN when n is 0. It has a width also when nothing changed.

    References
    ----------
    Newcombe (1998), Improved confidence intervals for the difference between binomial proportions based on
    paired data, method 10, doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.

    Examples
    --------
    >>> got = paired_change(36, 12, 2, 0)
    >>> round(got.value, 4), round(got.low, 4), round(got.high, 4)
    (0.2, 0.0569, 0.3404)
    """
    n = both + gained + lost + neither
    if n == 0:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0)
    after = wilson(both + gained, n, confidence=confidence)
    before = wilson(both + lost, n, confidence=confidence)
    phi = _correlation(both, gained, lost, neither)
    value = (gained - lost) / n
    down = _length(after.value - after.low, before.high - before.value, phi)
    up = _length(after.high - after.value, before.value - before.low, phi)
    return Interval(value=value, low=max(value - down, -1.0), high=min(value + up, 1.0), n=float(n))


def change_between(
    before: Bool[np.ndarray, " n"], after: Bool[np.ndarray, " n"], *, confidence: float = 0.95
) -> Interval:
    """Interval of the change of a share from what holds for each unit before and after.

    References
    ----------
    As `paired_change`.

    Examples
    --------
    >>> change_between(np.array([True, True]), np.array([True, False])).value
    -0.5
    """
    both, n = int((before & after).sum()), before.size
    lost, gained = int(before.sum()) - both, int(after.sum()) - both
    return paired_change(both, gained, lost, n - both - lost - gained, confidence=confidence)


def _correlation(both: int, gained: int, lost: int, neither: int) -> float:
    n = both + gained + lost + neither
    product = float(both * neither - gained * lost)
    if product > 0:
        product = max(product - n / 2, 0.0)  # the continuity correction of method 10
    margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    return product / math.sqrt(margins) if margins else 0.0


def _length(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(first * first - 2 * phi * first * second + second * second, 0.0))
