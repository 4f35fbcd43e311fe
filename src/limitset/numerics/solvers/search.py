"""Which rows of a batch are still searched, what was the best state of each, and how did the others end?

Every solver of x = f(x) keeps its books here, so that an outcome means the same whichever solver gave it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.solvers.solution import Outcome, Solution
from limitset.numerics.vector_map import Rows, VectorMap

PATIENCE: Final = 30
"""Steps without a new least (or largest: it may be diverging) residual after which a row has stalled."""
LEAST_FALL: Final = 1e-6
"""Share by which a residual must be smaller (larger) to count as new: rounding noise makes no records."""

ENDED: Final = (Outcome.OUT_OF_STEPS, Outcome.CONVERGED, Outcome.DIVERGED, Outcome.STALLED)
GOES_ON, CONVERGED, DIVERGED, STALLED = range(4)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """When is a row too slow for the solver that has it?

    Parameters
    ----------
    span
        Steps over which the pace is measured: the geometric mean by which the residual has fallen.
    steps
        Most steps that may still be needed at that pace.
    """

    span: int
    steps: float

    def too_far(self, trail: deque[np.ndarray], least: np.ndarray, limit: np.ndarray) -> np.ndarray:
        """Tell which rows need more steps than that."""
        if len(trail) <= self.span:
            return np.zeros(len(least), dtype=bool)
        with np.errstate(all="ignore"):  # a residual of 0 has converged, whatever its pace
            pace = np.log(trail[0] / least) / self.span
            return np.asarray(np.log(least / limit) > self.steps * np.maximum(pace, 0.0))


class Search:
    """The books of one search: rows leave as soon as they have ended.

    A solver asks for images (`search(states)`), hands back states and gaps f(x) − x (`seen`), and goes on
    with the rows that `seen` keeps. It must not write into a state that it has handed back.

    Parameters
    ----------
    f
        The map.
    starts : (b, d)
        Never written to.
    rows
        Which starts of the map the batch holds; all, in order, when None.
    tolerance
        Residual ‖f(x) − x‖ at which a row has converged: one number, or one a row.
    solver
        The name that the solution carries.
    patience
        Steps without a new least or largest residual after which a row has stalled.
    outlook
        When given, rows that will need too many steps at their pace are called stalled as well.
    refuses
        Whether a tolerance that no row can reach in this type is an error (else its rows stall).
    """

    def __init__(
        self,
        f: VectorMap,
        starts: Tensor,
        *,
        rows: Rows | None,
        tolerance: float | Tensor,
        solver: str,
        patience: int = PATIENCE,
        outlook: Outlook | None = None,
        refuses: bool = True,
    ) -> None:
        checked_starts(f, starts)
        size = starts.shape[0]
        self.f = f
        self.solver = solver
        self.patience = patience
        self.refuses = refuses
        self.outlook = outlook
        self.all_rows = checked_rows(rows, size)
        self.tolerance = checked_tolerance(tolerance, size)
        self.unit = torch.finfo(starts.dtype).eps / 2
        self.active = np.arange(size)
        self.live_rows: list[int] = self.all_rows.tolist()
        self.states = starts.detach().clone()
        self.residual = np.full(size, math.inf)
        self.evaluations = np.zeros(size, dtype=np.int64)
        self.outcomes = [Outcome.OUT_OF_STEPS] * size
        self.steps = 0
        self._trail: deque[np.ndarray] = deque(maxlen=1 + (outlook.span if outlook else 1))
        self._best = starts.detach()
        self._least = np.full(size, math.inf)
        self._most = np.zeros(size)
        self._bound = np.full(size, math.inf)
        self._limit = self.tolerance
        self._record = np.zeros(size, dtype=np.int64)

    def __call__(self, states: Tensor) -> Tensor:
        """Apply the map to the rows that are left."""
        self.spend(1)
        return self.f(states, self.live_rows)

    def spend(self, count: int) -> None:
        """Count `count` applications of f, or products with its Jacobian, for every row that is left."""
        self.evaluations[self.active] += count

    def seen(self, states: Tensor, gaps: Tensor) -> Left | None:
        """Note residuals, end rows, and return the places that go on (None: all of them)."""
        residual = torch.linalg.vector_norm(gaps, dim=1).to("cpu", torch.float64).numpy()
        if self.steps == 0:
            self._start(states + gaps, residual)
        self.steps += 1
        converged = residual <= self._limit
        if converged.any():
            # a state so large that rounding alone exceeds the tolerance has run away, whatever its residual
            norm = torch.linalg.vector_norm(states, dim=1).to("cpu", torch.float64).numpy()
            residual = np.where(converged & (self.unit * norm > self._limit), np.nan, residual)
            converged = residual <= self._limit
        self._trail.append(residual)
        if self._all_fell(states, residual):
            ended = converged.astype(np.int64)
        else:
            self._remember(states, residual)
            ended = np.zeros(len(residual), dtype=np.int64)
            ended[self.steps - self._record >= self.patience] = STALLED
            ended[converged] = CONVERGED
            ended[~(residual <= self._bound)] = DIVERGED
        if self.outlook:
            far = self.outlook.too_far(self._trail, self._least, self._limit)
            ended[far & (ended == GOES_ON)] = STALLED
        return self._end(ended) if ended.any() else None

    def _end(self, ended: np.ndarray) -> Left:
        gone = np.flatnonzero(ended)
        left, keep = Left.after(ended == GOES_ON, self.states)
        self._write(gone)
        for place in gone:
            self.outcomes[self.active[place]] = ENDED[int(ended[place])]
        self.active = self.active[left]
        self.live_rows = self.all_rows[self.active].tolist()
        (self._best,) = keep.of(self._best)
        self._least, self._most, self._bound = self._least[left], self._most[left], self._bound[left]
        self._limit, self._record = self._limit[left], self._record[left]
        self._trail = deque((residual[left] for residual in self._trail), maxlen=self._trail.maxlen)
        return keep

    def steps_left(self) -> float:
        """Return how many steps the slowest row still needs at the pace of the last step (0 at first)."""
        if len(self._trail) < 2 or not self.active.size:
            return 0.0
        pace = np.log(self._trail[-2] / self._trail[-1])
        if not (pace > 0).all():
            return math.inf
        return float((np.log(self._trail[-1] / self._limit) / pace).max())

    def going(self, max_steps: int) -> bool:
        """Whether rows and steps are left."""
        return self.active.size > 0 and self.steps < max_steps

    def solution(self) -> Solution:
        """Close the books; rows that are left have run out of steps."""
        self._write(np.arange(self.active.size))
        residual = torch.as_tensor(self.residual).to(self.states)
        return Solution(
            states=self.states,
            residual=residual,
            outcomes=tuple(self.outcomes),
            evaluations=torch.as_tensor(self.evaluations),
            solvers=(self.solver,) * len(self.outcomes),
        )

    def _write(self, places: np.ndarray) -> None:
        if places.size:
            index = torch.as_tensor(places, device=self.states.device)
            self.states[torch.as_tensor(self.active[places], device=self.states.device)] = self._best[index]
            self.residual[self.active[places]] = self._least[places]

    def _start(self, images: Tensor, residual: np.ndarray) -> None:
        if self.refuses:
            size = torch.linalg.vector_norm(images, dim=1).to("cpu", torch.float64).numpy()
            refuse_unreachable(self._limit, self.unit * size)
        # once the residual has grown by 1/eps, nothing of the start is left in the digits of the state
        self._bound = np.minimum(np.maximum(residual, self._limit) / (2 * self.unit), np.finfo(float).max)

    def _all_fell(self, states: Tensor, residual: np.ndarray) -> bool:
        """Take the usual way: every row has a new least residual, so nothing has to be copied."""
        if not (residual < self._least * (1 - LEAST_FALL)).all():
            return False
        self._best, self._least = states, residual
        if self.steps == 1:
            self._most = residual
        self._record.fill(self.steps)
        return bool((residual <= self._bound).all())

    def _remember(self, states: Tensor, residual: np.ndarray) -> None:
        record = (residual < self._least * (1 - LEAST_FALL)) | (residual > self._most * (1 + LEAST_FALL))
        self._record[record] = self.steps
        self._most = np.fmax(self._most, residual)
        better = residual < self._least
        if better.any():
            mask = torch.as_tensor(better, device=states.device)
            self._best = torch.where(mask[:, None], states, self._best)
            self._least = np.where(better, residual, self._least)


@dataclass(frozen=True, kw_only=True, eq=False)
class Left:
    """Which rows go on: the first `count` places, with the last rows moved into the gaps of those that ended.

    So a solver that keeps long memories moves a few rows of them and never copies the rest.
    """

    index: Tensor
    holes: Tensor
    fillers: Tensor

    @classmethod
    def after(cls, going: np.ndarray, like: Tensor) -> tuple[np.ndarray, Left]:
        """Return the order of the rows that go on, for the host and for the device."""
        count = int(going.sum())
        order = np.arange(count)
        holes = np.flatnonzero(~going[:count])
        order[holes] = count + np.flatnonzero(going[count:])
        places = (torch.as_tensor(one, device=like.device) for one in (order, holes, order[holes]))
        index, at, of = places
        return order, cls(index=index, holes=at, fillers=of)

    def of(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Copy the rows that go on out of tensors `(b, ...)`."""
        return tuple(one.index_select(0, self.index) for one in tensors)

    def within(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Move the rows that go on to the front of tensors that the caller owns; return views of these."""
        if len(self.holes):
            for one in tensors:
                one[self.holes] = one[self.fillers]
        return tuple(one[: len(self.index)] for one in tensors)


def kept(left: Left | None, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Select the rows that go on from every tensor `(b, ...)`."""
    return tensors if left is None else left.of(*tensors)


def capped(steps: Tensor, cap: float) -> Tensor:
    """Shorten every step `(b, d)` that is longer than `cap`."""
    if math.isinf(cap):
        return steps
    shrink: Tensor = cap / steps.norm(dim=1, keepdim=True).clamp_min(cap)
    return steps * shrink


def checked_starts(f: VectorMap, starts: Tensor) -> None:
    """Raise unless the starts are vectors of real numbers that the map can take, one at least."""
    if starts.ndim != 2 or starts.shape[1] != f.dimension or not starts.is_floating_point():
        raise InputError.of(
            expected=f"starts must be a tensor of real numbers (b, {f.dimension})",
            got=f"{starts.dtype} {tuple(starts.shape)}",
            fix="Flatten the states first: f.flat(states).",
        )
    if not starts.shape[0]:
        raise InputError.of(expected="one start at least", got="none", fix="Give some starts.")
    if not bool(torch.isfinite(starts.sum())) and bool((bad := ~torch.isfinite(starts).all(dim=1)).any()):
        raise InputError.of(
            expected="starts must be finite",
            got=f"NaN or infinity in start {int(torch.nonzero(bad)[0])}",
            fix="Leave that start out.",
        )


def checked_rows(rows: Rows | None, size: int) -> np.ndarray:
    """Return which starts the batch holds, as whole numbers."""
    if rows is None:
        return np.arange(size)
    found = np.asarray(rows, dtype=np.int64)
    if found.shape != (size,):
        raise InputError.of(
            expected=f"rows must name the start of each of the {size} states",
            got=f"{found.size} of them",
            fix="Give one whole number a state.",
        )
    return found


def checked_tolerance(tolerance: float | Tensor, size: int) -> np.ndarray:
    """Return the tolerance of every row."""
    given = torch.as_tensor(tolerance).detach().to("cpu", torch.float64).numpy()
    if given.shape not in {(), (size,)} or not (given > 0).all() or not np.isfinite(given).all():
        raise InputError.of(
            expected=f"tolerance must be one number above 0, or one for each of the {size} rows",
            got=np.array2string(given, threshold=4),
            fix="Use 1e-6 for float32 and down to 1e-12 for float64.",
        )
    return np.broadcast_to(given, (size,)).copy()


def refuse_unreachable(tolerance: np.ndarray, floor: np.ndarray) -> None:
    """Raise when rounding alone moves every image further than its tolerance."""
    if (tolerance < floor).all():
        place = int(np.argmin(floor / tolerance))
        raise InputError.of(
            expected="tolerance below the dtype: it must be at least half eps times the norm of the states, "
            f"{floor[place]:.2g}",
            got=f"{tolerance[place]:.2g}",
            fix="Raise the tolerance or use float64.",
        )


def checked_count(name: str, value: int, *, least: int = 1) -> int:
    """Return a whole number that is large enough."""
    if value < least:
        raise InputError.of(expected=f"{name} must be {least} or more", got=value, fix=f"Use {least}.")
    return value


def checked_share(name: str, value: float) -> float:
    """Return a number above 0 and at most 1."""
    if not 0 < value <= 1:
        raise InputError.of(expected=f"{name} must be above 0 and at most 1", got=value, fix="Use 1.")
    return value
