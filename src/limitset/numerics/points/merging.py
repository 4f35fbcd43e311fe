"""Which of many points are the same point within a distance?"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import cdist

from limitset.core.errors import InputError

_QUIET: Final = 3
"""Projections in a row that split nothing, after which the groups are compared point by point."""
_BLOCK: Final = 256
"""Points whose distances to the rest are held at a time."""


def merge(points: Float[np.ndarray, "m d"], *, distance: float) -> Int[np.ndarray, " m"]:
    """Group points that a chain of steps of at most `distance` connects.

    Two points within a distance are within it along every direction: the points are sorted along random
    directions and cut where the gap is too wide, O(m log m) each, until nothing is cut any more; what is left
    together is compared point by point.

    Parameters
    ----------
    points : (m, d)
        Finite points.
    distance
        Longest step (Euclidean), 0 or more.

    Returns
    -------
    (m,)
        Group of every point, numbered from 0 in the order of first appearance.

    Raises
    ------
    InputError
        When a point is not finite or the distance is negative.

    Notes
    -----
    A chain may be longer than the distance: points of a line are one group when they lie dense enough.

    References
    ----------
    Sibson (1973), SLINK, doi:10.1093/comjnl/16.1.30 (single linkage, here cut at one height).

    Examples
    --------
    >>> merge(np.array([[0.0], [5.0], [0.1], [0.2]]), distance=0.11).tolist()
    [0, 1, 0, 0]
    """
    points = np.asarray(points, dtype=np.float64)
    if not np.isfinite(points).all() or not distance >= 0:
        raise InputError.of(
            expected="points must be finite and the distance 0 or more",
            got=f"distance {distance}" if np.isfinite(points).all() else "a point that is not finite",
            fix="Leave out rows that diverged.",
        )
    groups = np.zeros(len(points), dtype=np.int64)
    rng, quiet, count = np.random.default_rng(0), 0, min(1, len(points))
    while quiet < _QUIET and count < len(points):
        groups = _cut(groups, points @ _direction(points.shape[1], rng), distance)
        quiet, count = (quiet + 1, count) if groups.max() + 1 == count else (0, int(groups.max()) + 1)
    return _by_appearance(_compared(points, groups, distance))


def _direction(dimension: int, rng: np.random.Generator) -> Float[np.ndarray, " d"]:
    drawn = rng.standard_normal(dimension)
    return np.asarray(drawn / np.linalg.norm(drawn))


def _cut(
    groups: Int[np.ndarray, " m"], places: Float[np.ndarray, " m"], distance: float
) -> Int[np.ndarray, " m"]:
    """Cut every group where neighbours along one direction are further apart than the distance."""
    order = np.lexsort((places, groups))
    rounding = 8 * np.finfo(np.float64).eps * np.abs(places).max(initial=0.0)
    apart = (np.diff(places[order]) > distance + rounding) | (np.diff(groups[order]) != 0)
    cut = np.empty_like(groups)
    cut[order] = np.concatenate([[0], np.cumsum(apart)])
    return cut


def _compared(
    points: Float[np.ndarray, "m d"], groups: Int[np.ndarray, " m"], distance: float
) -> Int[np.ndarray, " m"]:
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    final, count = np.empty_like(groups), 0
    for group in members:
        left = group
        while left.size:
            connected, left = _component(points, left, distance)
            final[connected] = count
            count += 1
    return final


def _component(
    points: Float[np.ndarray, "m d"], group: Int[np.ndarray, " g"], distance: float
) -> tuple[Int[np.ndarray, " c"], Int[np.ndarray, " l"]]:
    """Take out everything that is connected with the first point of the group."""
    found, front, left = [group[:1]], group[:1], group[1:]
    while front.size and left.size:
        near = np.zeros(left.size, dtype=bool)
        for place in range(0, front.size, _BLOCK):
            near |= (cdist(points[front[place : place + _BLOCK]], points[left]) <= distance).any(axis=0)
        front, left = left[near], left[~near]
        found.append(front)
    return np.concatenate(found), left


def _by_appearance(groups: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)] if len(groups) else groups
