"""Do two runs that never settle fill the same set, and does a run come back to where it was?"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import cdist

SAME_CLOUD: Final = 0.02
"""Clouds that differ by less than this share of their distance are one set."""
NEAR_RETURN: Final = 0.1
"""A return nearer than this share of the diameter counts."""
STEADY: Final = 0.95
"""A run whose extent falls below this share of what it was is still shrinking."""


def cloud_difference(first: Float[np.ndarray, "n k"], second: Float[np.ndarray, "m k"]) -> float:
    r"""Return how different two clouds of points are: 0 for one distribution, 1 for two far-away points.

    .. math:: R = 1 - \frac{E\|a - a'\| + E\|b - b'\|}{2\, E\|a - b\|}

    the energy distance as a share of its largest value; pairs of a point with itself are left out, so that it
    may come out below 0.

    References
    ----------
    Szekely and Rizzo (2013), Energy statistics, doi:10.1016/j.jspi.2013.03.018.

    Examples
    --------
    >>> cloud_difference(np.array([[0.0], [1.0]]), np.array([[10.0], [11.0]]))
    0.9
    """
    across = float(cdist(first, second).mean())
    return 1.0 - (_within(first) + _within(second)) / (2 * across) if across > 0 else 0.0


def same_cloud(first: Float[np.ndarray, "n k"], second: Float[np.ndarray, "m k"]) -> bool:
    """Say whether clouds differ no more than `SAME_CLOUD`, or than twice what halves of one differ by.

    Parameters
    ----------
    first, second : (n, k), (m, k)
        Points in the order of time: the halves of a run that has not yet gone everywhere differ.
    """
    own = [cloud_difference(cloud[: len(cloud) // 2], cloud[len(cloud) // 2 :]) for cloud in (first, second)]
    return cloud_difference(first, second) <= max(SAME_CLOUD, min(2 * max(own), 0.5))


def comes_back(path: Float[np.ndarray, "t k"]) -> bool:
    """Say whether a run came near most places where it was, after it had gone a quarter of its diameter away.

    A run whose diameter still shrinks is on its way to something smaller and has not come back.

    Examples
    --------
    >>> turn = 2 * np.pi * 0.3819 * np.arange(200)
    >>> comes_back(np.stack([np.cos(turn), np.sin(turn)], axis=1))
    True
    >>> comes_back(np.arange(200.0)[:, None])
    False
    """
    halves = [np.ptp(part, axis=0).max(initial=0.0) for part in np.array_split(path, 2)]
    if halves[1] < STEADY * halves[0]:
        return False
    probes = range(0, len(path) // 2, max(1, len(path) // 40))
    apart = np.linalg.norm(path[None] - path[list(probes)][:, None], axis=2)
    diameter = float(apart.max())
    back = []
    for row, start in zip(apart, probes, strict=True):
        away = np.flatnonzero(row[start:] > diameter / 4)
        back.append(away.size > 0 and bool(row[start + away[0] :].min() <= NEAR_RETURN * diameter))
    return diameter > 0 and 2 * sum(back) > len(back)


def _within(cloud: np.ndarray) -> float:
    n = len(cloud)
    return float(cdist(cloud, cloud).sum()) / (n * (n - 1)) if n > 1 else 0.0
