"""When does each of many runs end, judged from scalars and sketches a step?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from limitset.core.settling import NOISY, arrival_of, distance_left, half_window, note_of, settled_lag
from limitset.core.tensor_runs import TensorRuns
from limitset.core.undefined import NEVER, UNDEFINED
from limitset.numerics.running.row_norms import array_norms, units_of

CONFIRM: Final = 4
"""Steps for which the distance left must stay below the tolerance."""
FLOOR_STEPS: Final = 16
"""Steps for which a residual must stay at the rounding floor."""
STAY_STEPS: Final = 32
"""Steps for which a run must go to and fro within the tolerance."""
FLOOR: Final = 2.0
"""The rounding floor of a step, in units of the dtype."""


@dataclass
class Search:
    """Where the search for the ends of all runs stands (time runs along the first axis)."""

    lengths: np.ndarray
    norms: np.ndarray
    sketches: np.ndarray
    path: np.ndarray
    """(b,) way gone since the checkpoint"""
    farthest: np.ndarray
    """(b,) largest distance from the checkpoint"""
    candidate: np.ndarray
    """(b,) period under test, 0 for none"""
    look: np.ndarray
    """(b,) step at which to test it"""
    near: np.ndarray
    """(b,) steps for which the distance left was below the tolerance"""
    left: np.ndarray
    """(b,) estimated distance from the limit"""
    end: np.ndarray
    """(b,) 0 open, 1 settled, 2 diverged"""
    periods: np.ndarray
    ran: np.ndarray

    @classmethod
    def new(cls, starts: int, steps: int, width: int) -> Search:
        """Begin with nothing known."""
        columns = {name: np.zeros(starts) for name in ("path", "farthest", "left")}
        counts = ("candidate", "look", "near", "end", "periods", "ran")
        return cls(
            lengths=np.full((steps + 1, starts), UNDEFINED),
            norms=np.full((steps + 1, starts), UNDEFINED),
            sketches=np.full((steps + 1, starts, width), UNDEFINED),
            **columns,
            **{name: np.zeros(starts, dtype=np.int64) for name in counts},
        )

    @classmethod
    def of(cls, runs: TensorRuns, steps: int) -> Search:
        """Go on where earlier runs stopped."""
        search = cls.new(len(runs), steps, runs.sketches.shape[2])
        search.lengths[: runs.steps + 1] = runs.search["lengths"].T
        search.norms[: runs.steps + 1] = runs.norms.T
        search.sketches[: runs.steps + 1] = runs.sketches.transpose(1, 0, 2)
        for name in ("path", "farthest", "candidate", "look", "near", "left", "end"):
            setattr(search, name, runs.search[name].copy())
        search.periods, search.ran = runs.periods.copy(), runs.ran.copy()
        return search


@dataclass(frozen=True, kw_only=True)
class Rules:
    """By what a run is judged."""

    tolerance: float
    bound: float
    unit: float
    """rounding unit of the dtype"""
    deterministic: bool


def find_fixed(search: Search, step: int, active: np.ndarray, rules: Rules) -> None:
    """End the runs that have settled on a fixed point."""
    lengths, norms = search.lengths[step, active], search.norms[step, active]
    scale = within_scale(search.norms[: step + 1, active], rules.tolerance)
    within = rules.tolerance * scale
    stopped = lengths == 0
    half = half_window(step)
    left, longest = np.full(active.size, NEVER), lengths
    if step >= 2 * half:
        left = distance_left(search.lengths[step - 2 * half + 1 : step + 1, active])
        longest = search.lengths[step - half + 1 : step + 1, active].max(axis=0)
    left[stopped] = 0.0
    search.near[active] = np.where(left <= within, search.near[active] + 1, 0)
    done = stopped | (search.near[active] >= CONFIRM)
    if step >= FLOOR_STEPS:
        recent = search.lengths[step - FLOOR_STEPS + 1 : step + 1, active]
        floor = (recent <= FLOOR * rules.unit * norms).all(axis=0) & ~done
        done, left[floor] = done | floor, 0.0
    if step - checkpoint_before(step) >= STAY_STEPS:
        stay = _to_and_fro(search, step, active, within) & ~done
        done, left[stay] = done | stay, 0.0
    done &= search.end[active] == 0
    # the longest step decides, to be on the safe side; the last one says how far it is from the last state
    search.left[active[done]] = left[done] * (lengths / np.where(longest > 0, longest, 1.0))[done]
    search.periods[active[done]], search.end[active[done]] = 1, 1


def _to_and_fro(search: Search, step: int, active: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Has the run stayed within the tolerance of its checkpoint without getting anywhere?"""
    mark = checkpoint_before(step)
    early = search.lengths[mark + 1 : mark + 9, active].max(axis=0)
    late = search.lengths[step - 7 : step + 1, active].max(axis=0)
    net = array_norms(search.sketches[step, active] - search.sketches[mark, active])
    inside = (search.farthest[active] <= within) & (4 * net <= search.path[active])
    return np.asarray(inside & (late <= 2 * early))


def find_cycles(search: Search, step: int, active: np.ndarray, rules: Rules) -> None:
    """End the runs whose candidate period has proved right, and drop candidates that have not."""
    due = active[(search.candidate[active] > 1) & (search.look[active] <= step) & (search.end[active] == 0)]
    for place in due:
        period, norm = int(search.candidate[place]), search.norms[step, place]
        unit = float(units_of(search.norms[: step + 1, place].max()))
        sketches, norm = search.sketches[: step + 1, place] / unit, norm / unit
        within, floor = rules.tolerance * norm, 2 * FLOOR * period * rules.unit * norm
        lag = float(np.linalg.norm(sketches[step] - sketches[step - period]))
        found = settled_lag(sketches, period=period, within=within, floor=floor)
        if found is not None:
            search.periods[place], search.left[place] = found[0], found[1] * unit
            search.end[place] = 1
        elif lag > within:
            search.candidate[place] = 0
        # a run that is slow to settle is looked at ever more rarely
        search.look[place] = step + 1 + period // 8 + step // 32


def propose(search: Search, step: int, active: np.ndarray, *, away: np.ndarray, rules: Rules) -> None:
    """Take the period of a run that left its checkpoint and is back as a candidate."""
    mark = checkpoint_before(step)
    within = rules.tolerance * search.norms[step, active]
    new = (away <= within) & (search.farthest[active] > within) & (search.candidate[active] == 0)
    search.candidate[active[new]] = step - mark
    search.look[active[new]] = step + (step - mark)
    search.farthest[active] = np.fmax(search.farthest[active], away)


def within_scale(norms: np.ndarray, tolerance: float) -> np.ndarray:
    """Return what the tolerance is relative to: the norm, or the largest norm of a run that fell to zero."""
    largest = norms.max(axis=0)
    return np.asarray(np.where(norms[-1] <= tolerance * largest, largest, norms[-1]))


def arrival_step(search: Search, place: int, tolerance: float) -> float:
    """Return the arrival of one run, inf for never."""
    if search.end[place] != 1:
        return NEVER
    end = slice(0, int(search.ran[place]) + 1)
    norms = search.norms[end, place]
    unit = float(units_of(norms.max()))
    return arrival_of(
        search.sketches[end, place] / unit,
        search.lengths[end, place] / unit,
        period=int(search.periods[place]),
        left=float(search.left[place]) / unit,
        within=tolerance * float(within_scale(norms[:, None], tolerance)[0]) / unit,
    )


def note(search: Search, place: int, rules: Rules) -> str:
    """Say how one undecided run moves."""
    if search.end[place]:
        return ""
    if not rules.deterministic:
        return NOISY
    end = slice(0, int(search.ran[place]) + 1)
    lengths, norms, sketches = (part[end, place] for part in (search.lengths, search.norms, search.sketches))
    unit = float(units_of(norms.max()))
    return note_of(lengths / unit, norms / unit, sketches / unit)


def checkpoint_before(step: int) -> int:
    """Return the step of the checkpoint that a step is compared with: the last power of two, or the start.

    Examples
    --------
    >>> [checkpoint_before(step) for step in (1, 2, 3, 4, 5, 9)]
    [0, 1, 2, 2, 4, 8]
    """
    return 1 << ((step - 1).bit_length() - 1) if step > 1 else 0
