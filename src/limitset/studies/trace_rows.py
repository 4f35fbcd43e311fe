"""What rows does a chunk of inputs of one looped model leave?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level, Status
from limitset.core.limit_sets import LimitKind
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START
from limitset.core.streams import Streams
from limitset.core.traces import (
    ARMS,
    DAMPED,
    EIGENVALUE_KINDS,
    OWN,
    TRACE_KINDS,
)
from limitset.core.undefined import NEVER, UNDEFINED
from limitset.instruments.dynamics.tensor_orbits import run_tensors
from limitset.maps.latent.tensor_map import TensorMap
from limitset.maps.user_loop import UserLoop
from limitset.numerics.solvers.broyden import broyden
from limitset.numerics.solvers.solution import Outcome
from limitset.numerics.stability.arnoldi import leading_eigenvalues
from limitset.numerics.stability.exponents import Sign, sign_of_exponent, stretches
from limitset.numerics.vector_map import VectorMap
from limitset.store.tables import TablePart
from limitset.studies.trace_arms import DAMPING, Arm, carried, damped, growth_of, kind_of, right_at_end
from limitset.studies.trace_paths import drawn_paths

SOURCE: Final = "trace"
TRACE_VERSION: Final = 1
_FINER: Final = 0.1
"""The swapped solver must come this much nearer than the tolerance."""
_HELD_BYTES: Final = 200_000_000
"""Most memory that kept orbits may take."""
EXPONENT_STEPS: Final = 120
"""Steps along which an orbit that did not settle is asked for chaos."""
_GOES_AWAY: Final = ("drift", "growing", "noisy map")
"""Notes of runs that are not bounded, or draw random numbers: no exponent tells what they end in."""
NOT_TRIED: Final = "not tried: the own way did not settle on a point"
_SOLVED: Final = {Outcome.CONVERGED: LimitKind.FIXED, Outcome.DIVERGED: LimitKind.DIVERGED}
_LONGEST_ANSWER: Final = 60
"""Characters of an answer that its row keeps."""


@dataclass(frozen=True, kw_only=True)
class TraceOptions:
    """How inputs are traced: see `limitset.studies.spec.Trace`."""

    steps: int
    tolerance: float
    spectra: int = 32
    exponents: int = 128
    drawn: int = 16
    arms: tuple[str, ...] = ARMS


def traced(
    loop: UserLoop, rows: Sequence[int], *, options: TraceOptions, rng: Streams
) -> dict[str, TablePart]:
    """Run some inputs of a loop from their own starts and along every other way.

    Parameters
    ----------
    loop
        The looped model.
    rows
        Which of its inputs.
    options
        How far, how near, and which ways.
    rng
        Random streams.

    Returns
    -------
    dict
        The parts of the tables ``ends``, ``traces`` and ``eigenvalues``.
    """
    chunk = _Chunk(loop, np.asarray(rows, dtype=np.int64), options, rng)
    own = chunk.iterated(OWN, chunk.starts, loop.map, steps=options.steps)
    arms = [own]
    if SWAPPED_START in options.arms and loop.holds_inputs and len(rows) > 1:
        swapped = own.ends[torch.as_tensor(chunk.partners())]
        arms.append(chunk.iterated(SWAPPED_START, swapped, loop.map, steps=options.steps))
    if DAMPED in options.arms:
        steps = int(options.steps / DAMPING)
        arms.append(chunk.iterated(DAMPED, chunk.starts, damped(loop.map), steps=steps))
    if SWAPPED_SOLVER in options.arms:
        arms.append(chunk.solved(own))
    try:
        spectra, exponents = chunk.spectra(own), chunk.exponents(own)
    except InputError:  # torch cannot follow the step: the orbits are known all the same
        spectra, exponents = {}, {}
    _leave_unstable(own, spectra)
    records = [record for arm in arms for record in chunk.records(arm, own, spectra, exponents)]
    return {
        "ends": TablePart.of_ends(Ends.of_rows([chunk.end_of(record) for record in records])),
        "traces": TablePart.of_rows(
            [{name: record[name] for name in TRACE_KINDS} for record in records], TRACE_KINDS
        ),
        "eigenvalues": TablePart.of_rows(chunk.eigenvalues(spectra), EIGENVALUE_KINDS),
    }


def _leave_unstable(own: Arm, spectra: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    """Take back that a run has settled where its point surely repels: it only passes there."""
    for index, (values, errors) in spectra.items():
        largest = int(np.abs(values).argmax())
        if np.abs(values[largest]) - errors[largest] > 1:
            own.kinds[index], own.notes[index] = LimitKind.UNDECIDED.value, "unstable"
            own.arrival[index] = NEVER


@dataclass(frozen=True)
class _Chunk:
    """The inputs of one task."""

    loop: UserLoop
    rows: np.ndarray
    options: TraceOptions
    rng: Streams

    @property
    def starts(self) -> Tensor:
        return self.loop.starts[torch.as_tensor(self.rows)]

    def partners(self) -> np.ndarray:
        """Pair every input with another: a shuffled ring has no fixed place."""
        ring = self.rng.child("swap").generator().permutation(len(self.rows))
        partner = np.empty_like(ring)
        partner[ring] = np.roll(ring, 1)
        return partner

    def iterated(self, name: str, starts: Tensor, map: TensorMap, *, steps: int) -> Arm:
        """Run the inputs through a map, reading the answer after every step."""
        anchored = self.loop.key is not None and name == OWN
        rights = np.full((len(self.rows), steps + 1), UNDEFINED) if anchored else None
        place = {int(row): index for index, row in enumerate(self.rows)}

        def read(step: int, rows: np.ndarray, states: Tensor) -> None:
            if rights is not None:
                rights[[place[int(row)] for row in rows], step] = self.loop.right(states, rows)

        read(0, self.rows, starts)
        runs = run_tensors(
            map,
            starts,
            rows=self.rows.tolist(),
            steps=steps,
            tolerance=self.options.tolerance,
            hold=self.rows[: self._held(name, starts, steps)].tolist(),
            on_step=read,
            rng=self.rng.child("run"),
        )
        ends = torch.from_numpy(np.array(runs.lasts)).to(starts)
        if rights is not None:
            rights = carried(rights, np.asarray(runs.ran), np.asarray(runs.periods))
        return Arm(
            name=name,
            ends=ends,
            kinds=[kind_of(runs, index) for index in range(len(runs))],
            notes=list(runs.notes),
            arrival=np.array(runs.arrival),
            periods=np.array(runs.periods),
            steps=np.array(runs.ran),
            residual=self._residual(map, ends),
            growth=growth_of(runs, self.loop.usual_steps),
            residuals=[runs.residuals[index, : int(runs.ran[index])] for index in range(len(runs))],
            right=right_at_end(self.loop, map, ends, self.rows, np.asarray(runs.periods)),
            reach=np.nanmax(np.where(np.isinf(runs.norms), np.nan, runs.norms), axis=1),
            rights=rights,
            held={place[int(row)]: states for row, states in runs.held.items()},
        )

    def solved(self, own: Arm) -> Arm:
        """Solve by Broyden's method from the same starts, where the own way has settled on a point."""
        f = VectorMap.of(self.loop.map, self.starts)
        starts, ends = f.flat(self.starts), f.flat(own.ends).clone()
        fixed = np.array([kind == LimitKind.FIXED for kind in own.kinds])
        kinds = np.full(len(self.rows), LimitKind.UNDECIDED.value, dtype=object)
        notes = np.full(len(self.rows), NOT_TRIED, dtype=object)
        evaluations = np.zeros(len(self.rows))
        if fixed.any():
            chosen = torch.from_numpy(np.flatnonzero(fixed))
            # near in units of the state: the ends of the own way say how large states are
            size = torch.linalg.vector_norm(ends[chosen], dim=1).clamp_min(torch.finfo(starts.dtype).tiny)
            reachable = 64 * torch.finfo(starts.dtype).eps
            found = broyden(
                f,
                starts[chosen],
                rows=self.rows[fixed],
                tolerance=max(_FINER * self.options.tolerance, reachable) * size,
                max_steps=self.options.steps,
            )
            ends[chosen] = found.states
            kinds[fixed] = [_SOLVED.get(outcome, LimitKind.UNDECIDED).value for outcome in found.outcomes]
            notes[fixed] = ["" if one is Outcome.CONVERGED else str(one) for one in found.outcomes]
            evaluations[fixed] = found.evaluations.numpy()
        came = kinds == LimitKind.FIXED.value
        return Arm(
            name=SWAPPED_SOLVER,
            ends=f.shaped(ends),
            kinds=[str(kind) for kind in kinds],
            notes=[str(note) for note in notes],
            arrival=np.where(came, evaluations, NEVER),
            periods=came.astype(np.int64),
            steps=evaluations,
            residual=self._residual(self.loop.map, f.shaped(ends)),
            growth=np.full(len(self.rows), UNDEFINED),
            residuals=[np.empty(0)] * len(self.rows),
            right=right_at_end(self.loop, self.loop.map, f.shaped(ends), self.rows, came.astype(np.int64)),
            reach=torch.linalg.vector_norm(ends.double(), dim=1).numpy(),
            rights=None,
            held={},
        )

    def spectra(self, own: Arm) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Return leading eigenvalues and their errors at the ends of some inputs that settled on a point."""
        settled = [index for index, kind in enumerate(own.kinds) if kind == LimitKind.FIXED]
        chosen = settled[: self.options.spectra]
        if not chosen:
            return {}
        f = VectorMap.of(self.loop.map, self.starts)
        states = f.flat(own.ends)[torch.as_tensor(chosen)]
        count = min(6, f.dimension)
        ritz = leading_eigenvalues(
            f,
            states,
            rows=self.rows[chosen].tolist(),
            count=count,
            rng=self.rng.child("spectrum").generator(),
        )
        values, errors = ritz.values.numpy(), ritz.errors.numpy()
        return {index: (values[place], errors[place]) for place, index in enumerate(chosen)}

    def exponents(self, own: Arm) -> dict[int, tuple[float, Sign]]:
        """Return the largest exponent, and its sign, of some inputs that did not settle and stay bounded."""
        open_rows = [
            index
            for index, kind in enumerate(own.kinds)
            if kind == LimitKind.UNDECIDED and own.notes[index] not in _GOES_AWAY
        ][: self.options.exponents]
        if not open_rows:
            return {}
        f = VectorMap.of(self.loop.map, self.starts)
        pushed = stretches(
            [f],
            f.flat(own.ends)[torch.as_tensor(open_rows)],
            rows=self.rows[open_rows].tolist(),
            steps=EXPONENT_STEPS,
            burn_in=EXPONENT_STEPS // 4,
            count=1,
            rng=self.rng.child("exponent").generator(),
        )
        values = pushed.exponents[:, 0]
        reach = pushed.half_widths(pushed.blocks.sum(axis=1))[:, 0]
        return {
            index: (
                float(value),
                sign_of_exponent(
                    float(value), float(value - half), float(value + half), steps=EXPONENT_STEPS
                ),
            )
            for index, value, half in zip(open_rows, values, reach, strict=True)
        }

    def records(
        self,
        arm: Arm,
        own: Arm,
        spectra: dict[int, tuple[np.ndarray, np.ndarray]],
        exponents: dict[int, tuple[float, Sign]],
    ) -> list[dict[str, Any]]:
        """Return one record an input."""
        distance, cosine, norm = _compared(arm.ends, own.ends)
        _, across, _ = _compared(arm.ends, arm.ends[torch.as_tensor(self.partners())])
        paths = drawn_paths(arm.held, own.ends)
        records = []
        for index, row in enumerate(self.rows):
            if arm.notes[index] == NOT_TRIED:
                continue
            values, errors = spectra.get(index, (np.empty(0), np.empty(0))) if arm.name == OWN else ((), ())
            path = paths.get(index, (None, None))
            exponent, sign = exponents.get(index, (UNDEFINED, None)) if arm.name == OWN else (UNDEFINED, None)
            records.append(
                {
                    "item": self.loop.items[row],
                    "system": self.loop.name,
                    "arm": arm.name,
                    "kind": LimitKind.CHAOS.value if sign is Sign.POSITIVE else arm.kinds[index],
                    "note": arm.notes[index] or None,
                    "period": float(arm.periods[index]),
                    "steps": float(arm.steps[index]),
                    "arrival": float(arm.arrival[index]),
                    "residual": float(arm.residual[index]),
                    "norm": float(norm[index]),
                    "reach": float(arm.reach[index]),
                    "distance": float(distance[index]),
                    "cosine": float(cosine[index]),
                    "right": float(arm.right[index]),
                    "radius": float(np.abs(values).max()) if len(values) else UNDEFINED,
                    "radius_error": float(errors[np.abs(values).argmax()]) if len(values) else UNDEFINED,
                    "exponent": exponent,
                    "growth": float(arm.growth[index]),
                    "across": float(across[index]) if len(self.rows) > 1 else UNDEFINED,
                    "residuals": _rounded(arm.residuals[index]),
                    "rights": None if arm.rights is None else arm.rights[index].tolist(),
                    "path_x": path[0],
                    "path_y": path[1],
                    "row": int(row),
                    "index": index,
                    "end": None,
                }
            )
        return self._with_answers(records, arm) if records else []

    def eigenvalues(self, spectra: dict[int, tuple[np.ndarray, np.ndarray]]) -> list[dict[str, Any]]:
        """Return the rows of the eigenvalues table."""
        return [
            {
                "item": self.loop.items[self.rows[index]],
                "system": self.loop.name,
                "real": float(value.real),
                "imaginary": float(value.imag),
                "error": float(error),
            }
            for index, (values, errors) in spectra.items()
            for value, error in zip(values, errors, strict=True)
        ]

    def end_of(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the row of the ends table that a record stands for."""
        settled = record["kind"] in (LimitKind.FIXED, LimitKind.CYCLE)
        lost = record["kind"] == LimitKind.DIVERGED
        return {
            "source": SOURCE,
            "level": Level.HIDDEN.value,
            "item": record["item"],
            "system": record["system"],
            "loop": record["arm"],
            "status": (Status.SETTLED if settled else Status.DIVERGED if lost else Status.UNDECIDED).value,
            "steps": record["arrival"],
            "end": record["end"],
            "right": record["right"],
            "runtime": self.loop.identity,
        }

    def _with_answers(self, records: list[dict[str, Any]], arm: Arm) -> list[dict[str, Any]]:
        if self.loop.readout is not None:
            answers = self.loop.answers(arm.ends, self.rows)
            for record in records:
                record["end"] = in_words(answers[record["index"]])
        return records

    def _residual(self, map: TensorMap, ends: Tensor) -> np.ndarray:
        """Return ‖f(x) − x‖ / ‖x‖ at the ends: one more step of the model itself."""
        with torch.no_grad():
            images = map.step(ends, rows=self.rows.tolist(), rng=self.rng.child("run"))
        moved = torch.linalg.vector_norm((images - ends).flatten(1).double(), dim=1).numpy()
        size = torch.linalg.vector_norm(ends.flatten(1).double(), dim=1).numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(moved == 0, 0.0, moved / size)

    def _held(self, name: str, starts: Tensor, steps: int) -> int:
        bytes_a_row = starts[0].numel() * starts.element_size() * (steps + 1)
        fits = _HELD_BYTES // max(1, bytes_a_row)
        return int(min(self.options.drawn, fits, len(self.rows))) if name in (OWN, SWAPPED_START) else 0


def _compared(ends: Tensor, own: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return relative distance, cosine and norm of the ends of one way against those of the own one."""
    one, other = ends.flatten(1).double(), own.flatten(1).double()
    norm, size = torch.linalg.vector_norm(one, dim=1), torch.linalg.vector_norm(other, dim=1)
    apart = torch.linalg.vector_norm(one - other, dim=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(apart.numpy() == 0, 0.0, apart.numpy() / size.numpy())
        cosine = ((one * other).sum(dim=1) / (norm * size)).numpy()
    return distance, cosine, norm.numpy()


def _rounded(values: np.ndarray) -> list[float] | None:
    return [float(f"{value:.4g}") for value in values] if len(values) else None


def in_words(answer: Any) -> str:
    """Write an answer of many places in one short line: 0 and 1 for bits, no spaces between single signs."""
    flat = np.asarray(answer).reshape(-1)  # one answer of many may be a plain number
    flat = flat.astype(np.int64) if flat.dtype == bool else flat
    words = [str(one) for one in flat.tolist()]
    text = ("" if all(len(word) == 1 for word in words) else " ").join(words)
    return text if len(text) <= _LONGEST_ANSWER else text[: _LONGEST_ANSWER - 1] + "…"
