"""How are many runs of a map of tensors iterated, and when does each of them end?

Whatever is decided is decided from scalars and sketches a step (`core.settling`); of the states themselves a
run holds three: the last, its image, and a checkpoint renewed at powers of two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.core.protocols import SelfMap
from limitset.core.settling import grows_geometrically
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
from limitset.core.undefined import NEVER, UNDEFINED
from limitset.numerics.memory_plan import require_room
from limitset.numerics.running.map_checks import check_map_keeps_its_word, stepped
from limitset.numerics.running.row_norms import row_norms
from limitset.numerics.running.run_checks import (
    check_hold,
    check_resume,
    check_starts,
    checked_rows,
    checked_tolerance,
)
from limitset.numerics.running.run_search import (
    Rules,
    Search,
    arrival_step,
    find_cycles,
    find_fixed,
    note,
    propose,
)

OnTensorStep = Callable[[int, np.ndarray, Tensor], None]  # step, rows of the batch, new states

SKETCH: Final = 16
STATUS: Final = (Status.UNDECIDED, Status.SETTLED, Status.DIVERGED)


def iterated(
    map: SelfMap[Any],
    starts: Tensor,
    *,
    steps: int,
    rng: Streams,
    rows: Sequence[int] | np.ndarray | None = None,
    tolerance: float | None = None,
    bound: float = 1e6,
    hold: Sequence[int] = (),
    on_step: OnTensorStep | None = None,
    resume_from: TensorRuns | None = None,
    memory: int | None = None,
) -> TensorRuns:
    """Iterate a map; the parameters are those of `limitset.instruments.dynamics.run_tensors`."""
    check_starts(starts)
    if steps < 1 or bound <= 1:
        raise InputError.of(
            expected="steps must be 1 or more and bound above 1",
            got=f"{steps} steps, bound {bound}",
            fix="Change these.",
        )
    batch, starts = starts.shape[0], starts.detach()
    rows, tolerance = checked_rows(rows, batch), checked_tolerance(tolerance, starts.dtype)
    check_hold(hold, rows)
    require_room(
        planned_bytes(starts, steps=steps, held=len(hold)),
        limit=memory,
        what=f"{batch} runs of {starts[0].numel()} numbers and {steps} steps",
        device=starts.device,
    )
    rules = Rules(
        tolerance=tolerance,
        bound=bound,
        unit=float(torch.finfo(starts.dtype).eps),
        deterministic=map.deterministic,
    )
    signs = _signs(starts, rng)
    sketch = _sketch(starts, signs)
    if resume_from is None:
        search = Search.new(batch, steps, sketch.shape[1])
        search.norms[0], search.sketches[0] = _norms(starts), sketch
        lasts, marks, checks = starts.clone(), starts.clone(), 0
    else:
        check_resume(resume_from, rows=rows, sketch=sketch, steps=steps, tolerance=tolerance, hold=hold)
        search = Search.of(resume_from, steps)
        lasts, marks = (_tensor(part, starts) for part in (resume_from.lasts, resume_from.search["marks"]))
        checks = int(resume_from.search["checks"][0])
    runs = _Runs(map=map, rows=rows, steps=steps, rng=rng, rules=rules, search=search, signs=signs)
    runs.lasts, runs.marks, runs.checks = lasts, marks, checks
    runs.held = _held(starts, rows, steps, hold, resume_from)
    runs.go_on(1 if resume_from is None else resume_from.steps + 1, on_step)
    return runs.collected()


@dataclass
class _Runs:
    """Runs under way."""

    map: SelfMap[Any]
    rows: np.ndarray
    steps: int
    rng: Streams
    rules: Rules
    search: Search
    signs: Tensor | None

    lasts: Tensor = field(init=False)
    marks: Tensor = field(init=False)
    """Checkpoints: of open runs those of the batch are newer while it runs."""
    held: dict[int, np.ndarray] = field(init=False)
    checks: int = field(init=False)

    def go_on(self, first: int, on_step: OnTensorStep | None) -> None:
        search, lasts = self.search, self.lasts
        active = np.flatnonzero(search.end == 0)
        states, marks = (part[_index(active, lasts)] for part in (lasts, self.marks))
        for step in range(first, self.steps + 1):
            if not active.size:
                break
            images = self._stepped(step, active, states)
            self._record(step, active, states=states, images=images, away=_distances(images, marks))
            if on_step is not None:
                on_step(step, self.rows[active], images.clone())
            if self.rules.deterministic:
                find_fixed(search, step, active, self.rules)
                find_cycles(search, step, active, self.rules)
            stays = search.end[active] == 0
            if not stays.all():
                self._put_away(active, ~stays, states=states, images=images, marks=marks)
                keep = _index(np.flatnonzero(stays), lasts)
                images, marks, active = images[keep], marks[keep], active[stays]
            states = images
            if step & (step - 1) == 0:
                marks = states.clone()
                search.path[active], search.farthest[active] = 0.0, 0.0
        self.lasts[_index(active, lasts)] = states
        self.marks[_index(active, lasts)] = marks

    def _stepped(self, step: int, active: np.ndarray, states: Tensor) -> Tensor:
        streams = self.rng.child("step", step)
        images = stepped(self.map, states, rows=self.rows[active], rng=streams)
        if step == 1:
            self.checks = check_map_keeps_its_word(self.map, states, images, rows=self.rows, rng=streams)
        self.search.ran[active] = step
        for spot in np.flatnonzero(np.isin(active, list(self.held))):
            self.held[int(active[spot])][step] = _numpy(images[spot])
        return images

    def _record(
        self, step: int, active: np.ndarray, *, states: Tensor, images: Tensor, away: np.ndarray
    ) -> None:
        """Write down the scalars of a step, and which runs diverged in it."""
        search, norms = self.search, _norms(images)
        blown = ~np.isfinite(norms)
        if blown.any():
            self._refuse_nan(step, active, images, blown)
        search.norms[step, active] = np.where(blown, NEVER, norms)
        search.lengths[step, active] = lengths = np.where(blown, UNDEFINED, _distances(images, states))
        search.sketches[step, active] = np.where(blown[:, None], UNDEFINED, _sketch(images, self.signs))
        search.path[active] += lengths
        propose(search, step, active, away=away, rules=self.rules)
        with np.errstate(over="ignore"):
            beyond = norms > self.rules.bound * np.maximum(1.0, search.norms[0, active])
        if beyond.any():
            beyond[beyond] = grows_geometrically(search.norms[: step + 1, active[beyond]])
        search.end[active[blown | beyond]] = 2

    def _refuse_nan(self, step: int, active: np.ndarray, images: Tensor, blown: np.ndarray) -> None:
        """NaN from a state of ordinary size is a fault of the map; from one that grew it is an overflow."""
        search = self.search
        with np.errstate(over="ignore"):
            bound = self.rules.bound * np.maximum(1, search.norms[0, active])
        ordinary = search.norms[step - 1, active] <= bound
        suspects = np.flatnonzero(blown & ordinary)
        holes = [spot for spot in suspects if bool(torch.isnan(images[spot]).any())]
        if holes:
            raise InputError.of(
                expected="a map must turn finite states into numbers",
                got=f"NaN from start {int(self.rows[active[holes[0]]])} at step {step}",
                fix="Look for 0/0, log of a negative number, or masked-out rows of attention.",
            )

    def _put_away(
        self, active: np.ndarray, ended: np.ndarray, *, states: Tensor, images: Tensor, marks: Tensor
    ) -> None:
        """Keep the last finite state of runs that ended."""
        spots, places = np.flatnonzero(ended), active[ended]
        blown = ~np.isfinite(self.search.norms[self.search.ran[places], places])
        for part, source in ((~blown, images), (blown, states)):
            self.lasts[_index(places[part], states)] = source[_index(spots[part], states)]
        self.marks[_index(places, states)] = marks[_index(spots, states)]

    def collected(self) -> TensorRuns:
        search, rules, starts = self.search, self.rules, range(len(self.rows))
        norms, lengths = search.norms.T.copy(), search.lengths.T.copy()
        with np.errstate(divide="ignore", invalid="ignore"):
            residuals = lengths[:, 1:] / norms[:, 1:]
        residuals[lengths[:, 1:] == 0] = 0.0
        names = ("path", "farthest", "candidate", "look", "near", "left", "end")
        more = {"lengths": lengths, "marks": _numpy(self.marks), "checks": np.array([self.checks])}
        return TensorRuns(
            level=self.map.level,
            deterministic=rules.deterministic,
            steps=self.steps,
            tolerance=rules.tolerance,
            rows=self.rows,
            residuals=residuals,
            norms=norms,
            status=tuple(STATUS[end] for end in search.end),
            notes=tuple(note(search, place, rules) for place in starts),
            arrival=np.array([arrival_step(search, place, rules.tolerance) for place in starts]),
            periods=search.periods,
            ran=search.ran,
            lasts=_numpy(self.lasts),
            held={int(self.rows[place]): path[: search.ran[place] + 1] for place, path in self.held.items()},
            applications=search.ran + self.checks,
            sketches=search.sketches.transpose(1, 0, 2).copy(),
            search={**{name: getattr(search, name) for name in names}, **more},
        )


def planned_bytes(starts: Tensor, *, steps: int, held: int) -> int:
    """Return how many bytes a run needs at its peak: seven batches, the held orbits, and the scalars."""
    state = starts[0].numel() * starts.element_size()
    scalars = 8 * (3 + min(SKETCH, starts[0].numel()))
    return 7 * starts.shape[0] * state + held * (steps + 1) * state + scalars * starts.shape[0] * (steps + 1)


def _signs(starts: Tensor, rng: Streams) -> Tensor | None:
    size = starts[0].numel()
    if size <= SKETCH:
        return None
    drawn = rng.child("sketch").generator().integers(0, 2, size, dtype=np.int8) * 2 - 1
    return torch.as_tensor(drawn).to(starts)


def _sketch(states: Tensor, signs: Tensor | None) -> np.ndarray:
    """Sixteen sums of the numbers of a state under random signs; of few numbers the numbers themselves."""
    flat = states.reshape(states.shape[0], -1)
    if signs is not None:
        flat = torch.nn.functional.pad(flat * signs, (0, -flat.shape[1] % SKETCH))
        flat = flat.reshape(flat.shape[0], SKETCH, -1).sum(dim=2, dtype=torch.float64)
    return np.asarray(flat.to("cpu", torch.float64).numpy())


def _norms(states: Tensor) -> np.ndarray:
    return np.asarray(row_norms(states).cpu().numpy())


def _distances(one: Tensor, other: Tensor) -> np.ndarray:
    found = _norms(one - other)
    over = np.isinf(found)
    if over.any():  # the difference of two numbers may overflow where half of it does not
        part = _index(np.flatnonzero(over), one)
        with np.errstate(over="ignore"):
            found[over] = 2 * _norms(one[part] / 2 - other[part] / 2)
    return found


def _wide(states: Tensor) -> torch.dtype:
    return torch.float32 if states.element_size() < 4 else states.dtype


def _numpy(states: Tensor) -> np.ndarray:
    return np.asarray(states.to(_wide(states)).cpu().numpy())


def _held(
    starts: Tensor, rows: np.ndarray, steps: int, hold: Sequence[int], earlier: TensorRuns | None
) -> dict[int, np.ndarray]:
    """Make room for the orbits that are kept, by the place of their start."""
    held = {}
    for row in hold:
        place = int(np.flatnonzero(rows == row)[0])
        known = _numpy(starts[place])[None] if earlier is None else earlier.held[row]
        held[place] = np.full((steps + 1, *known.shape[1:]), UNDEFINED, dtype=known.dtype)
        held[place][: len(known)] = known
    return held


def _tensor(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(np.array(array)).to(like)


def _index(places: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(places, dtype=torch.long, device=like.device)
