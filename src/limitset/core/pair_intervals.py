"""How sure are the shares and statistics of thousands of pairs, all at once?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import stats

from limitset.core.intervals import LEAST_CARRIERS
from limitset.core.undefined import UNDEFINED


def jackknife_errors(left_out: Float[np.ndarray, "g ..."]) -> Float[np.ndarray, ...]:
    """Return the jackknife standard errors of values without one group each.

    References
    ----------
    Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> bool(np.isclose(jackknife_errors((x.sum() - x) / 3), x.std(ddof=1) / 2))
    True
    """
    groups = left_out.shape[0]
    return np.asarray(
        np.sqrt((groups - 1) / groups * np.square(left_out - left_out.mean(axis=0)).sum(axis=0))
    )


def wilson_ends(
    share: Float[np.ndarray, " p"], n: Float[np.ndarray, " p"], *, confidence: float = 0.95
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Return both ends of the interval of many shares at once; NaN where n is 0.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson_ends(np.array([0.5]), np.array([20.0]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.2993, 0.7007)
    """
    z = stats.norm.ppf(0.5 + confidence / 2)
    size = np.where(n > 0, n, UNDEFINED)
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z * np.sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return np.maximum(np.minimum(centre - half, share), 0.0), np.minimum(
        np.maximum(centre + half, share), 1.0
    )


def few_on_a_side(share: Float[np.ndarray, " p"], n: Float[np.ndarray, " p"]) -> np.ndarray:
    """Say where fewer than five questions carry a share or its rest, so that no jackknife can be trusted."""
    return np.asarray(np.minimum(share, 1 - share) * n < LEAST_CARRIERS)
