"""Which ways lead to an end, and what is kept of each?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from limitset.core.levels import Status
from limitset.core.limit_sets import LimitKind
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
from limitset.maps.latent.tensor_map import TensorMap

DAMPING: Final = 0.5
"""Part of each step that the damped arm takes."""


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
    rights
        Right after each step, one array a row; () without an anchor.
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


def carried(rights: np.ndarray) -> np.ndarray:
    """Fill the steps after a run has ended with its last answer."""
    last = np.where(np.isnan(rights), 0, np.arange(rights.shape[1]))
    return np.take_along_axis(rights, np.maximum.accumulate(last, axis=1), axis=1)


def growth_of(runs: TensorRuns, usual: int) -> np.ndarray:
    """Return the last norm of each run over its norm after the usual steps, or after one."""
    first = np.minimum(max(usual, 1), runs.ran)
    index = np.arange(len(runs))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(runs.norms[index, runs.ran] / runs.norms[index, first])
