"""How sure is a median, also where some values never came?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from limitset.core.intervals import Interval
from limitset.core.undefined import UNDEFINED


def median_interval(values: Sequence[float] | np.ndarray, *, confidence: float = 0.95) -> Interval:
    """Return the median with the order statistics whose ranks enclose it with at least this coverage.

    Parameters
    ----------
    values : (n,)
        Numbers, inf among them; NaN ends where n is too small for the coverage.
    confidence
        Coverage, in (0, 1).

    References
    ----------
    Conover (1999), Practical Nonparametric Statistics, section 3.2.

    Examples
    --------
    >>> got = median_interval([1.0, 2.0, 3.0, 4.0, 5.0, float("inf")])
    >>> got.value, got.low, got.high  # 2 / 2^6 = .031 lie beyond the least and the largest
    (3.5, 1.0, inf)
    """
    n = len(values)
    if n == 0:
        return Interval.blank("there is no value")
    rank = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))  # P(X < rank) <= (1 - confidence) / 2
    ordered = sorted(float(value) for value in values)
    low, high = (ordered[rank - 1], ordered[n - rank]) if rank else (UNDEFINED, UNDEFINED)
    return Interval(value=float(np.median(ordered)), low=low, high=high, n=float(n))
