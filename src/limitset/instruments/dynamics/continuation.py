"""What becomes of the limit sets of a map when a parameter moves?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.continued import Continued, matched
from limitset.core.errors import InputError
from limitset.core.intervals import columns_of, wilson
from limitset.core.limit_sets import LimitSets
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.core.undefined import UNMATCHED
from limitset.numerics.running.end_sets import end_sets

INSTRUMENT: Final = "continuation"
VERSION: Final = 1

MOST_SEEDS: Final = 8
"""States of each set that start runs at the next value."""


def continuation(
    make_map: Callable[[float], SelfMap[Any]],
    parameters: Sequence[float] | np.ndarray,
    starts: Tensor,
    *,
    rng: Streams,
    reach: float = 0.5,
    steps: int = 1000,
    exponent_steps: int = 500,
    tolerance: float | None = None,
    bound: float = 1e6,
    confidence: float = 0.95,
    memory: int | None = None,
) -> Continued:
    """Find the limit sets at every value of a parameter, and name alike those that go over into each other.

    At each value the starts are run, and with them a few states of every set found at the value before: a set
    that has lost its starts is still found as long as it attracts. Sets of neighbouring values are matched
    one to one so that the sum of their distances (`core.continued.set_distance`) is least.

    Parameters
    ----------
    make_map
        Gives the map at one value.
    parameters : (p,)
        Values in the order they are gone through: down and up differ where there is hysteresis.
    starts : (b, *shape)
        Starting states, the same at every value.
    rng
        Random streams, the same at every value.
    reach
        Farthest distance of two sets of one name at neighbouring values, in the unit of the states,
        above 0; inf matches whatever is nearest.
    steps, exponent_steps, tolerance, bound, confidence, memory
        As in `limit_sets`.

    Returns
    -------
    Continued
        The sets at each value, their names from 1 up (-1 for starts that diverged or are undecided), and the
        table of shares with Wilson intervals. A set that only seeds found has share 0.

    Raises
    ------
    InputError
        When there is no value, or as `limit_sets`.

    Notes
    -----
    A name says that sets lie near each other at neighbouring values, not that they are one branch: take
    smaller steps to be sure. A cycle keeps its name through a doubling of its period. A set that vanished and
    comes back gets a new name.

    References
    ----------
    Datseris, Rossi, Wagemakers (2023), Framework for global stability analysis of dynamical systems,
    doi:10.1063/5.0159675 (seeding from the sets before, matching by distance).

    Examples
    --------
    >>> from limitset.maps import known
    >>> starts = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)[:, None]
    >>> got = continuation(known.logistic, [2.9, 3.2, 3.5], starts, rng=Streams(0))
    >>> [ids.tolist() for ids in got.ids], [sets.periods.tolist() for sets in got.sets]
    ([[1], [1], [1]], [[1], [2], [4]])
    """
    values = np.asarray(parameters, dtype=np.float64)
    if values.ndim != 1 or not values.size or not reach > 0:
        raise InputError.of(
            expected="continuation needs one value of the parameter at least and a reach above 0",
            got=f"values of shape {values.shape}, reach {reach}",
            fix="Give a list of numbers.",
        )
    found: list[LimitSets] = []
    names: list[np.ndarray] = []
    for value in values.tolist():
        seeds = _seeds(found[-1], starts) if found else starts[:0]
        sets, _ = end_sets(
            make_map(value),
            torch.cat([starts, seeds]),
            steps=steps,
            exponent_steps=exponent_steps,
            rng=rng,
            rows=None,
            tolerance=tolerance,
            bound=bound,
            confidence=confidence,
            memory=memory,
            counted=starts.shape[0],
        )
        names.append(_named(found, names, sets, reach))
        found.append(sets)
    table = _table(values, found, names, confidence)
    return Continued(parameters=values, sets=tuple(found), ids=tuple(names), shares=table)


def _seeds(sets: LimitSets, starts: Tensor) -> Tensor:
    states = [point for points in sets.points for point in points[:MOST_SEEDS]]
    if not states:
        return starts[:0]
    return torch.as_tensor(np.stack([np.asarray(state) for state in states])).to(starts)


def _named(found: list[LimitSets], names: list[np.ndarray], sets: LimitSets, reach: float) -> np.ndarray:
    real = [place for place, points in enumerate(sets.points) if points]
    highest = max((int(one.max(initial=0)) for one in names), default=0)
    before: list[Any] = []
    known: list[int] = []
    if found:
        places = [place for place, points in enumerate(found[-1].points) if points]
        before = [found[-1].points[place] for place in places]
        known = [int(names[-1][place]) for place in places]
    now: list[Any] = [sets.points[place] for place in real]
    given = np.full(len(sets), UNMATCHED, dtype=np.int64)
    given[real] = matched(before, now, names=known, reach=reach, next_name=max(highest, 0) + 1)
    return given


def _table(
    values: np.ndarray, found: list[LimitSets], names: list[np.ndarray], confidence: float
) -> MeasurementTable:
    rows = [
        (value, int(name), str(sets.kinds[place]), int(sets.periods[place]), sets, place)
        for value, sets, ids in zip(values.tolist(), found, names, strict=True)
        for place, name in enumerate(ids)
    ]
    counted = found[0].labels.size
    intervals = [
        wilson(round(float(sets.shares[place]) * counted), counted, confidence=confidence)
        for *_, sets, place in rows
    ]
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=found[0].level,
        axes={
            "parameter": np.array([row[0] for row in rows]),
            "id": np.array([row[1] for row in rows]),
            "kind": np.array([row[2] for row in rows], dtype=object),
            "period": np.array([row[3] for row in rows]),
        },
        interval_method="Wilson",
        confidence=confidence,
        notes=("n counts starts; the same starts at every value", "a set of share 0 was found from seeds"),
        **columns_of(intervals),
    )
