"""How many steps after a small shock is a state back on its limit set?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.medians import median_interval
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.core.undefined import NEVER
from limitset.numerics.running.run_checks import check_starts, checked_rows, checked_tolerance
from limitset.numerics.stability.shocks import homes_of, random_directions
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "return_time"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class ReturnTime:
    """How soon, and how often, shocked states come back.

    Parameters
    ----------
    median
        Axis state: median over shocks in steps, inf when half of them or more never come back.
    returned
        Axis state: share of shocks that come back, in [0, 1].
    times : (m, shocks)
        Steps of every shock, inf for never.
    """

    median: MeasurementTable
    returned: MeasurementTable
    times: Float[np.ndarray, "m shocks"]


def return_time(
    map: SelfMap[Any],
    states: Tensor,
    *,
    size: float,
    rng: Streams,
    shocks: int = 64,
    steps: int = 200,
    tolerance: float | None = None,
    rows: Sequence[int] | np.ndarray | None = None,
    confidence: float = 0.95,
) -> ReturnTime:
    r"""Push states off their limit sets and count the steps until they are back for good.

    .. math:: T = \min \{t : \operatorname{dist}(f^s(x + \delta), L) \le \epsilon \|x\|
        \text{ for all } t \le s \le \text{steps}\}, \quad \|\delta\| = \text{size} \cdot \|x\|

    Parameters
    ----------
    map
        The map.
    states : (m, *shape)
        States on fixed points or on cycles of at most 64 phases: `LimitSets.points`.
    size
        Length of the shock relative to the norm of the state (absolute for the state 0), above `tolerance`.
    rng
        Source of the directions, which are drawn evenly; the map gets ``rng.child("map")``.
    shocks
        Shocks of each state, 6 or more.
    steps
        How long to wait, 1 or more.
    tolerance
        How near is back, relative to the norm; default a hundredth of `size`.
    rows
        Row of the held input of each state; default 0 ... m - 1.
    confidence
        Coverage of the intervals over shocks, in (0, 1).

    Returns
    -------
    ReturnTime
        Median with the order statistics that enclose it, share that comes back with its Wilson interval.

    Raises
    ------
    InputError
        When a state lies on no fixed point or cycle, or a number is out of its range.

    Notes
    -----
    Coming back to another phase of the cycle counts as coming back. The interval is over directions at one
    state, not over states. A long return time means slow, not fragile: `smallest_shock` asks that.

    References
    ----------
    Pimm (1984), The complexity and stability of ecosystems, doi:10.1038/307321a0 (return time as resilience);
    Conover (1999), Practical Nonparametric Statistics, section 3.2 (interval of a median).

    Examples
    --------
    >>> from limitset.maps.latent import TensorMap
    >>> tenth = TensorMap(step=lambda x: 1 + (x - 1) / 10)
    >>> got = return_time(tenth, torch.ones(1, 1, dtype=torch.float64), size=0.5, tolerance=1e-3,
    ...                   rng=Streams(0))
    >>> got.median.one(state=0).value, got.returned.one(state=0).value  # .5, .05, .005, .0005
    (3.0, 1.0)
    """
    check_starts(states)
    tolerance = size / 100 if tolerance is None else tolerance
    tolerance = checked_tolerance(tolerance, states.dtype)
    if not size > tolerance or shocks < 6 or steps < 1 or not 0 < confidence < 1:
        raise InputError.of(
            expected="size must be above the tolerance, with 6 shocks, 1 step and a confidence in (0, 1)",
            got=f"size {size}, tolerance {tolerance}, {shocks} shocks, {steps} steps, {confidence}",
            fix="Change these.",
        )
    m = states.shape[0]
    f = VectorMap(map=map, shape=tuple(states.shape[1:]), rng=rng.child("map"))
    homes = homes_of(f, f.flat(states), rows=checked_rows(rows, m), tolerance=tolerance)
    places = np.repeat(np.arange(m), shocks)
    index = torch.as_tensor(places)
    directions = torch.cat(
        [random_directions(shocks, homes.phases[0], rng.generator(state)) for state in range(m)]
    )
    here = homes.phases[0][index] + size * homes.scale[index, None] * directions
    times = np.zeros(places.size)
    near = tolerance * homes.scale[index]
    for step in range(1, steps + 1):
        here = homes.stepped(here, places)
        outside = (homes.distance(here, places) > near).cpu().numpy()
        times[outside] = step + 1
    times[times > steps] = NEVER
    table = np.where(times == 0, 1.0, times).reshape(m, shocks)
    settings = {"size": size, "tolerance": tolerance, "shocks": shocks, "steps": steps}
    returns = [int(np.isfinite(row).sum()) for row in table]
    return ReturnTime(
        median=_table(
            map,
            "return_time",
            [median_interval(row, confidence=confidence) for row in table],
            settings=settings,
            method="order statistics",
            confidence=confidence,
        ),
        returned=_table(
            map,
            "return_share",
            [wilson(back, shocks, confidence=confidence) for back in returns],
            settings=settings,
            method="Wilson",
            confidence=confidence,
        ),
        times=frozen(table),
    )


def _table(
    map: SelfMap[Any],
    name: str,
    intervals: list[Interval],
    *,
    settings: Mapping[str, float],
    method: str,
    confidence: float,
) -> MeasurementTable:
    return MeasurementTable(
        instrument=name,
        version=VERSION,
        level=map.level,
        axes={"state": np.arange(len(intervals))},
        interval_method=method,
        confidence=confidence,
        parameters=settings,
        notes=("n counts directions of the shock at one state",),
        **columns_of(intervals),
    )
