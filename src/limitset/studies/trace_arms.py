"""Which ways lead to an end, and what is kept of each?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.levels import Status
from limitset.core.limit_sets import LimitKind
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
from limitset.maps.latent.tensor_map import TensorMap
from limitset.maps.user_loop import UserLoop

DAMPING: Final = 0.5
"""Part of each step that the damped arm takes."""
LONGEST_CYCLE: Final = 64
"""Phases of a cycle that are read at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm:
    """Where some inputs end along one way.

    Parameters
    ----------
    name
        One of `core.traces.ARMS`.
    ends : (b, *shape)
        The last finite states.
    kinds, notes, arrival, periods, steps, residuals_last : (b,)
        As in the traces table.
    growth : (b,)
        Last norm over that after the usual steps.
    residuals
        One array a row, or none.
    right : (b,)
        Right at the end, on a cycle in all its phases; NaN without an anchor.
    reach : (b,)
        Largest norm along the run.
    rights
        Right after each step, one array a row; None without an anchor.
    held
        Row to states, of the orbits that are drawn.
    """

    name: str
    ends: Tensor
    kinds: list[str]
    notes: list[str]
    arrival: np.ndarray
    periods: np.ndarray
    steps: np.ndarray
    residual: np.ndarray
    growth: np.ndarray
    residuals: list[np.ndarray]
    right: np.ndarray
    reach: np.ndarray
    rights: np.ndarray | None
    held: dict[int, np.ndarray]


def damped(map: TensorMap, *, part: float = DAMPING) -> TensorMap:
    """Return x -> x + part (f(x) - x): another path with the same fixed points.

    Examples
    --------
    >>> slow = damped(TensorMap(step=lambda x: 0 * x), part=0.25)
    >>> slow.step(torch.ones(1, 1), rows=[0], rng=Streams(0)).tolist()
    [[0.75]]
    """

    def step(states: Tensor, rows: Tensor, rng: Streams) -> Tensor:
        return states + part * (map.step(states, rows=rows.tolist(), rng=rng) - states)

    return TensorMap(step=step, deterministic=map.deterministic, level=map.level)


def kind_of(runs: TensorRuns, index: int) -> str:
    """Return what kind of end one run came to."""
    if runs.status[index] is Status.DIVERGED:
        return LimitKind.DIVERGED.value
    if runs.status[index] is Status.UNDECIDED:
        return LimitKind.UNDECIDED.value
    return (LimitKind.FIXED if runs.periods[index] == 1 else LimitKind.CYCLE).value


def carried(rights: np.ndarray, ran: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Fill the steps after a run has ended: with its last answer, on a cycle with those of its phases.

    Examples
    --------
    >>> carried(np.array([[1.0, 0, 1, np.nan, np.nan]]), np.array([2]), np.array([2])).tolist()
    [[1.0, 0.0, 1.0, 0.0, 1.0]]
    """
    steps = np.arange(rights.shape[1])[None, :]
    last, period = ran[:, None], np.maximum(periods, 1)[:, None]
    source = np.where(steps <= last, steps, last - (last - steps) % period)
    return np.take_along_axis(rights, np.maximum(source, 0), axis=1)


def right_at_end(
    loop: UserLoop, map: TensorMap, ends: Tensor, rows: np.ndarray, periods: np.ndarray
) -> np.ndarray:
    """Say whether each end is right: a cycle is where all its phases are."""
    if loop.key is None:
        return np.full(len(rows), np.nan)
    right, states = loop.right(ends, rows), ends
    for phase in range(1, min(int(periods.max(initial=0)), LONGEST_CYCLE)):
        turning = np.flatnonzero(periods > phase)
        with torch.no_grad():
            states = map.step(states, rows=rows.tolist(), rng=Streams(0))
        here = torch.as_tensor(turning)
        right[turning] &= loop.right(states[here], rows[turning])
    return right.astype(np.float64)


def growth_of(runs: TensorRuns, usual: int) -> np.ndarray:
    """Return the last norm of each run over its norm after the usual steps, or after one."""
    first = np.minimum(max(usual, 1), runs.ran)
    index = np.arange(len(runs))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(runs.norms[index, runs.ran] / runs.norms[index, first])
