"""What becomes of limit sets, and of the last states of orbits, along a parameter?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from limitset.core.columns import frozen
from limitset.core.frames import to_frame
from limitset.core.limit_sets import LimitSets
from limitset.core.results import MeasurementTable
from limitset.core.undefined import UNMATCHED

_FAR: Final = 1e300


@dataclass(frozen=True, kw_only=True, eq=False)
class Continued:
    """Limit sets along a parameter, each with a name that it keeps.

    Parameters
    ----------
    parameters : (p,)
        Values of the parameter, in the order they were gone through.
    sets : (p,)
        The limit sets at each value.
    ids : (p,) of (m,)
        Name of every set, from 1 up; -1 for the starts that have none (diverged, undecided).
    shares
        Axes parameter, id, kind, period: share of the starts.
    """

    parameters: Float[np.ndarray, " p"]
    sets: tuple[LimitSets, ...]
    ids: tuple[np.ndarray, ...]
    shares: MeasurementTable

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", frozen(self.parameters))
        object.__setattr__(self, "ids", tuple(frozen(one) for one in self.ids))

    def __len__(self) -> int:
        return len(self.sets)


@dataclass(frozen=True, kw_only=True, eq=False)
class OrbitDiagram:
    """Last states of many orbits against a parameter (a bifurcation diagram).

    Parameters
    ----------
    parameters : (p,)
        Values of the parameter.
    values : (p, n)
        One number of the last states of all orbits, NaN where an orbit is no longer finite.
    coordinate
        Which number of the state.
    steps
        Steps before the first state shown.
    """

    parameters: Float[np.ndarray, " p"]
    values: Float[np.ndarray, "p n"]
    coordinate: int
    steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", frozen(self.parameters))
        object.__setattr__(self, "values", frozen(self.values))

    def to_frame(self) -> Any:
        """Return a frame with the columns parameter and value."""
        repeated = np.repeat(self.parameters, self.values.shape[1])
        return to_frame({"parameter": repeated, "value": self.values.reshape(-1)})

    def plot(self, *, most: int = 5000) -> Any:
        """Return the altair chart, of at most so many points."""
        from importlib import import_module

        return import_module("limitset.charts.orbit_diagram").orbit_diagram_chart(self, most=most)


def set_distance(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Return how far two sets of states are apart: the mean distance to the nearest state of the other.

    Both ways, the larger of the two counts: a cycle that has lost or gained states is as far away as these.

    Examples
    --------
    >>> set_distance([np.array([0.0])], [np.array([1.0]), np.array([-1.0])])
    1.0
    """
    a, b = (np.stack([np.ravel(point) for point in points]).astype(np.float64) for points in (first, second))
    apart = cdist(a, b)
    return float(max(apart.min(axis=1).mean(), apart.min(axis=0).mean()))


def matched(
    before: Sequence[Sequence[np.ndarray]],
    now: Sequence[Sequence[np.ndarray]],
    *,
    names: Sequence[int],
    reach: float,
    next_name: int,
) -> list[int]:
    """Hand the names of earlier sets on to the nearest sets now, each once, and new names to the rest.

    Parameters
    ----------
    before, now
        The states of each set.
    names
        Names of the sets before.
    reach
        Farthest distance of two sets of one name.
    next_name
        The first new name.

    Examples
    --------
    >>> old, new = [[np.zeros(1)], [np.ones(1)]], [[np.full(1, 1.1)], [np.full(1, 9.0)], [np.full(1, 0.1)]]
    >>> matched(old, new, names=[1, 2], reach=0.5, next_name=3)
    [2, 3, 1]
    """
    cost = np.array([[set_distance(one, other) for other in now] for one in before])
    found = [UNMATCHED] * len(now)
    if cost.size:
        pairs = np.stack(linear_sum_assignment(np.where(cost <= reach, cost, _FAR)), axis=1)
        for row, column in pairs.tolist():
            if cost[row, column] <= reach:
                found[column] = names[row]
    for place, name in enumerate(found):
        if name == UNMATCHED:
            found[place], next_name = next_name, next_name + 1
    return found
