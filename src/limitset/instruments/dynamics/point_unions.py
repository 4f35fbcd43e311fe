"""Which fixed points do two searches of one map know together?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from jaxtyping import Int

from limitset.core.errors import InputError
from limitset.core.fixed_points import FixedPoints, PointKind
from limitset.core.intervals import wilson
from limitset.core.undefined import UNMATCHED
from limitset.numerics.points.merging import merge

INSTRUMENT: Final = "fixed_points_union"
VERSION: Final = 1

_ORDER: Final = tuple(PointKind)


def union_of(first: FixedPoints, second: FixedPoints, *, confidence: float = 0.95) -> FixedPoints:
    """Join the lists of two searches of the same map, e.g. from starts of two sizes.

    Isolated points are one when they lie within the larger merge distance, slow points within ten of these,
    continua when one's state lies within the extent of the other; all drifts are one.

    Parameters
    ----------
    first, second
        Searches of one map (level, shape of states and required index sum must be the same).
    confidence
        Coverage of the intervals of shares, in (0, 1).

    Returns
    -------
    FixedPoints
        Of entries that are one, the one of smaller residual. Labels, outcomes and shares are those of all
        runs, the first search's before the second's; the tolerance is the larger one.

    Raises
    ------
    InputError
        When the searches cannot be of one map.

    Notes
    -----
    Shares mix two ways of starting: they say how often these runs found a point, and nothing about its basin.

    References
    ----------
    Sibson (1973), doi:10.1093/comjnl/16.1.30 (single linkage, here cut at one height).

    Examples
    --------
    >>> import torch
    >>> from limitset.core.streams import Streams
    >>> from limitset.instruments.dynamics import find_fixed_points
    >>> from limitset.maps.known import logistic
    >>> low, high = (
    ...     find_fixed_points(logistic(3.2), torch.full((4, 1), at, dtype=torch.float64), rng=Streams(0))
    ...     for at in (0.05, 0.8)
    ... )
    >>> both = union_of(low, high)
    >>> low.fixed_count, both.fixed_count, sorted(both.states.ravel().round(6).tolist())
    (1, 2, [0.0, 0.6875])
    """
    _require_one_map(first, second)
    groups = _same(first, second)
    residual = np.concatenate([first.residual, second.residual])
    ranks = np.array([_ORDER.index(kind) for kind in (*first.kinds, *second.kinds)], dtype=np.int64)
    labels = np.concatenate(
        [first.labels, np.where(second.labels == UNMATCHED, UNMATCHED, second.labels + len(first))]
    )
    labels = np.where(labels == UNMATCHED, UNMATCHED, groups[labels] if groups.size else labels)
    runs = np.bincount(labels[labels != UNMATCHED], minlength=int(groups.max(initial=-1)) + 1)
    by_group = np.lexsort((residual, groups))
    best = by_group[np.unique(groups[by_group], return_index=True)[1]]
    order = np.lexsort((-runs, ranks[best]))
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    chosen = best[order]
    shares = [wilson(float(one), float(labels.size), confidence=confidence) for one in runs[order]]
    width = max(first.eigenvalues.shape[1], second.eigenvalues.shape[1])
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])[chosen] for name in _BY_ENTRY
    }
    certificates, kinds = (*first.certificates, *second.certificates), (*first.kinds, *second.kinds)
    return replace(
        first,
        **joined,
        kinds=tuple(kinds[at] for at in chosen),
        certificates=tuple(certificates[at] for at in chosen),
        eigenvalues=np.concatenate([_padded(one.eigenvalues, width) for one in (first, second)])[chosen],
        shares=np.array([one.value for one in shares], dtype=np.float64),
        share_low=np.array([one.low for one in shares], dtype=np.float64),
        share_high=np.array([one.high for one in shares], dtype=np.float64),
        labels=np.where(labels == UNMATCHED, UNMATCHED, place[labels] if place.size else labels),
        outcomes=first.outcomes + second.outcomes,
        solvers=first.solvers + second.solvers,
        evaluations=np.concatenate([first.evaluations, second.evaluations]),
        tolerance=max(first.tolerance, second.tolerance),
        merge_distance=max(first.merge_distance, second.merge_distance),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes, "union of two searches"))),
    )


_BY_ENTRY: Final = (
    "states",
    "residual",
    "scaled_residual",
    "index",
    "unstable",
    "radius",
    "isolated",
    "ends",
    "extent",
    "existence_radius",
    "uniqueness_radius",
)


def _same(first: FixedPoints, second: FixedPoints) -> Int[np.ndarray, " m"]:
    """Give the entries of both lists numbers, equal ones the same."""
    kinds = np.array([*first.kinds, *second.kinds], dtype=object)
    flat = np.concatenate(
        [one.states.reshape(len(one), math.prod(one.states.shape[1:])) for one in (first, second)]
    )
    extent = np.concatenate([first.extent, second.extent])
    close = max(first.merge_distance, second.merge_distance)
    groups, count = np.full(len(kinds), UNMATCHED), 0
    for kind in PointKind:
        held = np.flatnonzero(kinds == kind)
        if kind is PointKind.DRIFT:
            found = np.zeros(held.size, dtype=np.int64)
        elif kind is PointKind.CONTINUUM:
            found = _overlapping(flat[held], extent[held], of_first=int((held < len(first)).sum()))
        else:
            found = merge(flat[held], distance=close if kind is PointKind.FIXED else 10 * close)
        groups[held] = found + count
        count += int(found.max(initial=-1)) + 1
    return groups


def _overlapping(points: np.ndarray, extent: np.ndarray, *, of_first: int) -> Int[np.ndarray, " m"]:
    """Give every continuum of the second list the number of one of the first that it overlaps."""
    groups = np.arange(len(points))
    for late in range(of_first, len(points)):
        distance = np.linalg.norm(points[:of_first] - points[late], axis=1)
        over = np.flatnonzero(distance <= np.maximum(extent[:of_first], extent[late]))
        groups[late] = over[0] if over.size else late
    return np.unique(groups, return_inverse=True)[1].reshape(-1)


def _padded(values: np.ndarray, width: int) -> np.ndarray:
    padded = np.full((len(values), width), complex(np.nan, np.nan))
    padded[:, : values.shape[1]] = values
    return padded


def _require_one_map(first: FixedPoints, second: FixedPoints) -> None:
    facts = [(one.level, one.states.shape[1:], one.required_index_sum) for one in (first, second)]
    if facts[0] != facts[1]:
        raise InputError.of(
            expected="both searches must be of one map: level, shape of states and required index sum",
            got=" and ".join(f"{level} {shape} {required}" for level, shape, required in facts),
            fix="Search the same map twice.",
        )
