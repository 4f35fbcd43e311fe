"""Where do many runs of a map go, which of them come back to a state, and when?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from limitset.core.errors import InputError
from limitset.core.orbits import Orbits
from limitset.core.protocols import SelfMap
from limitset.core.recurrence import BrentSearch, Cycle, first_phase_limit
from limitset.core.streams import Streams

INSTRUMENT: Final = "orbits"
VERSION: Final = 1

OnStep = Callable[[int, Sequence[int], Sequence[Hashable]], None]  # step, rows of the batch, new states


def iterate(
    map: SelfMap[Any],
    starts: Any,
    *,
    steps: int,
    rng: Streams,
    on_step: OnStep | None = None,
    hold: bool = True,
    resume_from: Orbits | None = None,
) -> Orbits:
    """Apply a map again and again to many starts, and stop each run when it comes back to a state.

    x_{t+1} = f(x_t); a run of a deterministic map has settled at the first t with x_t = x_mu, mu < t.

    Parameters
    ----------
    map
        The map; it gets `rows`, the places in `starts` that the batch stands for, and at step t (from 1) the
        streams ``rng.child("step", t)``.
    starts : (b,)
        Hashable states: texts, whole numbers, tuples.
    steps
        How many steps each run gets, counted from its start, 1 or more.
    rng
        Random streams, for maps that draw.
    on_step
        Called after every application with the step, the rows and their new states (progress, saving).
    hold
        Keep every state (the default), or three states a run: the answer is the same, the map is applied 2
        to 4 times as often.
    resume_from
        Go on from orbits of the same map, starts and streams, up to `steps` in all.

    Returns
    -------
    Orbits
        `arrival` (steps, inf for never) and `periods` (0 for never) of each run, and its states.

    Raises
    ------
    InputError
        For numeric arrays, states that cannot be hashed, `steps` below 1, or orbits that are not of these
        starts.

    Notes
    -----
    A map that is not deterministic is never called cyclic: all its runs are undecided, whatever they repeat.
    "Never" means: not within `steps`. States are compared exactly; numbers that only come close do not count.

    References
    ----------
    Brent (1980), doi:10.1007/BF01933190 (`hold=False`). Datseris and Wagemakers (2022),
    Effortless estimation of basins of attraction, doi:10.1063/5.0076568 (words, inf for never).

    Examples
    --------
    >>> from limitset.maps.classic import FiniteMap
    >>> got = iterate(FiniteMap(images=(1, 2, 1, 3)), [0, 1, 3], steps=9, rng=Streams(0))
    >>> got.arrival.tolist(), got.periods.tolist(), got.lasts
    ([1.0, 0.0, 0.0], [2, 2, 1], (1, 1, 3))
    """
    _check(starts, steps, hold, resume_from)
    runs = _Runs(map, tuple(starts), steps, rng, on_step, resume_from)
    if hold:
        return _recorded(runs)
    return _searched(runs) if map.deterministic else _walked(runs)


@dataclass
class _Runs:
    """What is iterated, and how often the map was applied for each run."""

    map: SelfMap[Any]
    starts: tuple[Hashable, ...]
    steps: int
    rng: Streams
    on_step: OnStep | None
    earlier: Orbits | None

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.starts), dtype=np.int64)
        self.cycles: list[Cycle | None] = [None] * len(self.starts)
        self.lasts = list(self.starts)
        if self.earlier is not None:
            self.counts += self.earlier.applications
            self.cycles, self.lasts = self.earlier.cycles(), list(self.earlier.lasts)

    def step(self, states: list[Hashable], rows: list[int], step: int) -> list[Hashable]:
        images = list(self.map.step(states, rows=tuple(rows), rng=self.rng.child("step", step)))
        if len(images) != len(states):
            raise InputError.of(
                expected=f"a map must give one image a state, {len(states)} here",
                got=len(images),
                fix="Return them in the order of the batch.",
            )
        np.add.at(self.counts, rows, 1)
        if self.on_step is not None:
            self.on_step(step, tuple(rows), tuple(images))
        return images

    def orbits(self, paths: Sequence[Sequence[Hashable]] = ()) -> Orbits:
        return Orbits.of_cycles(
            self.cycles,
            level=self.map.level,
            deterministic=self.map.deterministic,
            steps=self.steps,
            starts=self.starts,
            lasts=tuple(self.lasts),
            states=tuple(tuple(path) for path in paths),
            applications=self.counts,
        )


def _recorded(runs: _Runs) -> Orbits:
    """Keep every state and look each new one up."""
    paths = [[start] for start in runs.starts] if runs.earlier is None else [*map(list, runs.earlier.states)]
    seen = [dict(zip(reversed(path), reversed(range(len(path))), strict=True)) for path in paths]
    for step in range(1, runs.steps + 1):
        rows = [row for row, path in enumerate(paths) if runs.cycles[row] is None and len(path) == step]
        images = runs.step([paths[row][-1] for row in rows], rows, step) if rows else []
        for row, image in zip(rows, images, strict=True):
            paths[row].append(image)
            before = seen[row].setdefault(image, step)
            if before < step and runs.map.deterministic:
                runs.cycles[row] = Cycle(transient=before, period=step - before)
    runs.lasts = [path[-1] for path in paths]
    return runs.orbits(paths)


def _searched(runs: _Runs) -> Orbits:
    """Hold three states a run; runs that had not settled earlier are searched anew."""
    open_rows = [row for row, cycle in enumerate(runs.cycles) if cycle is None]
    searches = {row: BrentSearch.of(runs.starts[row]) for row in open_rows}
    tick = 0
    while searches:
        tick += 1
        wanted = [(row, state) for row, search in searches.items() for state in search.pending]
        images = iter(runs.step([state for _, state in wanted], [row for row, _ in wanted], tick))
        for row, search in list(searches.items()):
            searches[row] = now = search.advanced([next(images) for _ in search.pending])
            if tick == runs.steps:  # kept in case the run does not settle
                runs.lasts[row] = now.fast
            found = now.found
            if found is not None and found.transient + found.period <= runs.steps:
                runs.cycles[row], runs.lasts[row] = found, now.fast
            if found is not None or (now.phase == "period" and now.steps >= first_phase_limit(runs.steps)):
                del searches[row]
    return runs.orbits()


def _walked(runs: _Runs) -> Orbits:
    """Hold the last state of a map that draws random numbers."""
    rows = list(range(len(runs.starts)))
    for step in range(1 if runs.earlier is None else runs.earlier.steps + 1, runs.steps + 1):
        runs.lasts = runs.step(runs.lasts, rows, step)
    return runs.orbits()


def _check(starts: Any, steps: int, hold: bool, earlier: Orbits | None) -> None:
    if steps < 1:
        raise InputError.of(expected="steps must be 1 or more", got=steps, fix="Take one step.")
    if isinstance(starts, str) or hasattr(starts, "dtype"):
        raise InputError.of(
            expected="starts must be a list of states", got=type(starts).__name__, fix="Make it a list."
        )
    odd = [type(s).__name__ for s in starts if hasattr(s, "shape") or not isinstance(s, Hashable)]
    if odd:
        raise InputError.of(
            expected="states must be hashable and compared exactly", got=odd[0], fix="Use tuples or texts."
        )
    if earlier is None:
        return
    if earlier.starts != tuple(starts) or earlier.steps > steps or (hold and not earlier.held):
        raise InputError.of(
            expected=f"resume_from must be orbits of these starts, of {steps} steps or fewer, held as asked",
            got=f"{len(earlier)} orbits of {earlier.steps} steps" + ("" if earlier.held else ", not held"),
            fix="Iterate from the starts instead.",
        )
