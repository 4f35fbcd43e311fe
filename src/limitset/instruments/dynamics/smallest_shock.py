"""How small a shock drives a state off its limit set for good?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.numerics.running.run_checks import check_starts, checked_rows, checked_tolerance
from limitset.numerics.stability.shocks import Homes, homes_of, random_directions, slowest_direction
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "smallest_shock"
VERSION: Final = 1

MOST_AXES: Final = 16
"""States of so many numbers are also pushed along every axis."""
BATCH_BYTES: Final = 2**24
"""Shocks that are followed together."""
LOOK: Final = 10
"""Steps between looks at whether all are back."""
REFINEMENTS: Final = 4
"""Rounds of search around the best direction, each in a cone half as wide."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallestShock:
    """The smallest shocks found that states do not come back from.

    Parameters
    ----------
    size
        Axis state: length of the shock in the unit of the states, an upper bound of the smallest; blank where
        none was found. No interval: the search gives a bound from one side.
    shocks : (m, *shape)
        The shocks themselves, NaN where none was found.
    returned_below : (m,)
        Up to this length every shock that was tried came back; evidence from those tried, no bound.
    """

    size: MeasurementTable
    shocks: Shaped[np.ndarray, "m ..."]
    returned_below: Float[np.ndarray, " m"]


def smallest_shock(
    map: SelfMap[Any],
    states: Tensor,
    *,
    rng: Streams,
    others: Tensor | None = None,
    largest: float | None = None,
    directions: int = 64,
    sizes: int = 32,
    precision: float = 1e-3,
    steps: int = 200,
    tolerance: float = 1e-3,
    rows: Sequence[int] | np.ndarray | None = None,
) -> SmallestShock:
    r"""Search for the smallest push after which a state does not come back to its limit set.

    .. math:: s = \min_{\|v\| = 1} \min \{r : \operatorname{dist}(f^{\text{steps}}(x + r v), L) >
        \epsilon \|x\|\}

    Along every direction the first of `sizes` even lengths that escapes is found and halved down against the
    one before it. Directions: drawn evenly, both ways along the tangent in which shocks fade most slowly,
    along every axis of states of at most 16 numbers, towards `others`; then four rounds around the best.

    Parameters
    ----------
    map
        The map.
    states : (m, *shape)
        States on fixed points or on cycles of at most 64 phases.
    rng
        Source of directions; the map gets ``rng.child("map")``.
    others : (k, *shape)
        States of other limit sets, as directions.
    largest
        Longest shock tried; default twice the norm of the state (2 for the state 0).
    directions
        Random directions, and as many in each round of refinement, 1 or more.
    sizes
        Lengths tried along a direction, 2 or more: a gap narrower than largest / sizes may be stepped over.
    precision
        Width of the last bracket relative to `largest`, in (0, 1).
    steps
        How long to wait for a return, 1 or more.
    tolerance
        How near is back, relative to the norm of the state.
    rows
        Row of the held input of each state; default 0 ... m - 1.

    Returns
    -------
    SmallestShock
        Length and shock of each state.

    Raises
    ------
    InputError
        When a state lies on no fixed point or cycle, or a number is out of its range.

    Notes
    -----
    An upper bound: in many dimensions directions that were not tried may escape sooner, and more directions
    only lower it. In one dimension both directions are tried and it is exact to `precision`, unless a gap is
    stepped over. A run that is slow to come back counts as escaped: raise `steps` and look whether it moves.

    References
    ----------
    Klinshov, Nekorkin, Kurths (2016), Stability threshold approach for complex dynamical systems,
    doi:10.1088/1367-2630/18/1/013004 (the least shock that leaves the basin as a measure of stability).

    Examples
    --------
    >>> from limitset.maps.latent import TensorMap
    >>> cubic = TensorMap(step=lambda x: x**3 / 2 + x / 2)  # 0 attracts (-1, 1)
    >>> got = smallest_shock(cubic, torch.zeros(1, 1, dtype=torch.float64), rng=Streams(0))
    >>> round(got.size.one(state=0).value, 2)
    1.0
    """
    check_starts(states)
    checked_tolerance(tolerance, states.dtype)
    known = [largest is None or largest > 0, directions >= 1, sizes >= 2, 0 < precision < 1, steps >= 1]
    if not all(known):
        raise InputError.of(
            expected="largest above 0, directions of 1 or more, sizes of 2 or more, precision in (0, 1), "
            "steps of 1 or more",
            got=f"{largest}, {directions}, {sizes}, {precision}, {steps}",
            fix="Change these.",
        )
    m = states.shape[0]
    f = VectorMap(map=map, shape=tuple(states.shape[1:]), rng=rng.child("map"))
    labels = checked_rows(rows, m)
    homes = homes_of(f, f.flat(states), rows=labels, tolerance=tolerance)
    plan = _Plan(homes=homes, sizes=sizes, precision=precision, steps=steps, tolerance=tolerance)
    found, shocks, below = [], np.full(tuple(states.shape), UNDEFINED), np.zeros(m)
    for place in range(m):
        draw = rng.generator(place)
        longest = float(2 * homes.scale[place]) if largest is None else largest
        ways = [random_directions(directions, homes.phases[0], draw), *_led(homes, place, others, draw)]
        best, best_way, below[place] = plan.search(place, torch.cat(ways), longest)
        for turn in range(REFINEMENTS if np.isfinite(best) else 0):
            spread = random_directions(directions, homes.phases[0], draw) * 0.5 ** (turn + 1)
            around = best_way + spread
            around = around / torch.linalg.vector_norm(around, dim=1, keepdim=True)
            size, way, lower = plan.search(place, around, best)
            below[place] = min(below[place], lower)
            if size < best:
                best, best_way = size, way
        if np.isfinite(best):
            shocks[place] = f.shaped((best * best_way)[None])[0].double().cpu().numpy()
            found.append(Interval(value=best, low=UNDEFINED, high=UNDEFINED, n=float(directions)))
        else:
            found.append(Interval.blank(f"no shock up to {longest:g} stayed away"))
    table = MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=map.level,
        axes={"state": np.arange(m)},
        interval_method="none: an upper bound",
        parameters={"directions": directions, "sizes": sizes, "steps": steps, "tolerance": tolerance},
        notes=("an upper bound: directions that were not tried may escape sooner",),
        **columns_of(found),
    )
    return SmallestShock(size=table, shocks=frozen(shocks), returned_below=frozen(below))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    homes: Homes
    sizes: int
    precision: float
    steps: int
    tolerance: float

    def search(self, place: int, ways: Tensor, longest: float) -> tuple[float, Tensor, float]:
        """Return the least escape along some directions, its direction, and the length below that."""
        grid = longest * torch.arange(1, self.sizes + 1, dtype=ways.dtype, device=ways.device) / self.sizes
        together = max(1, BATCH_BYTES // (ways.numel() * ways.element_size()))
        parts = [grid[first : first + together] for first in range(0, len(grid), together)]
        away = torch.cat(
            [
                self._escapes(place, (part[:, None, None] * ways).flatten(0, 1)).view(len(part), len(ways))
                for part in parts
            ]
        )
        first = torch.where(away.any(dim=0), away.int().argmax(dim=0), self.sizes)
        reached = int(first.min())
        if reached == self.sizes:
            return float("inf"), ways[0], longest
        ways = ways[first == reached]  # others escape later than these
        high = torch.full((ways.shape[0],), float(grid[reached]), dtype=ways.dtype, device=ways.device)
        low = high - longest / self.sizes
        lowest = float(low[0])
        for _ in range(int(np.ceil(np.log2(1 / (self.precision * self.sizes))))):
            middle = (low + high) / 2
            gone = self._escapes(place, ways * middle[:, None])
            high, low = torch.where(gone, middle, high), torch.where(gone, low, middle)
        best = int(high.argmin())
        return float(high[best]), ways[best], lowest

    def _escapes(self, place: int, shocks: Tensor) -> Tensor:
        homes, places = self.homes, np.full(shocks.shape[0], place)
        here = homes.phases[0][place] + shocks
        away = torch.ones(shocks.shape[0], dtype=torch.bool, device=shocks.device)
        for step in range(1, self.steps + 1):
            here = homes.stepped(here, places)
            if step % LOOK == 0 or step == self.steps:
                away = homes.distance(here, places) > self.tolerance * homes.scale[place]
                if not bool(away.any()):
                    break
        return away


def _led(homes: Homes, place: int, others: Tensor | None, draw: np.random.Generator) -> list[Tensor]:
    """Return the directions that are not drawn evenly."""
    state, ways = homes.phases[0][place], []
    slow = slowest_direction(homes.f, state, int(homes.rows[place]), draw)
    if slow is not None:
        ways += [slow[None], -slow[None]]
    if state.numel() <= MOST_AXES:
        axes = torch.eye(state.numel(), dtype=state.dtype, device=state.device)
        ways += [axes, -axes]
    if others is not None:
        towards = homes.f.flat(others).to(state) - state
        lengths = torch.linalg.vector_norm(towards, dim=1, keepdim=True)
        ways.append(towards[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0])
    return ways
