"""What rows does a chunk of inputs of one looped model leave?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.ends import Ends
from limitset.core.levels import Level, Status
from limitset.core.limit_sets import LimitKind
from limitset.core.other_ways import SWAPPED_SOLVER, SWAPPED_START
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
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
from limitset.numerics.anderson import anderson
from limitset.numerics.arnoldi import leading_eigenvalues
from limitset.numerics.solution import Outcome
from limitset.numerics.vector_map import VectorMap
from limitset.store.tables import TablePart
from limitset.studies.trace_paths import drawn_paths

SOURCE: Final = "trace"
TRACE_VERSION: Final = 1
DAMPING: Final = 0.5
"""Part of each step that the damped arm takes."""
_FINER: Final = 0.1
"""The swapped solver must come this much nearer than the tolerance."""
_LONGEST_ANSWER: Final = 60
"""Characters of an answer that its row keeps."""


@dataclass(frozen=True, kw_only=True)
class TraceOptions:
    """How inputs are traced: see `limitset.studies.spec.Trace`."""

    steps: int
    tolerance: float
    spectra: int = 32
    drawn: int = 16
    arms: tuple[str, ...] = ARMS


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
    residuals: list[np.ndarray]
    rights: np.ndarray | None
    held: dict[int, np.ndarray]


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
    spectra = chunk.spectra(own)
    records = [record for arm in arms for record in chunk.records(arm, own, spectra)]
    return {
        "ends": TablePart.of_ends(Ends.of_rows([chunk.end_of(record) for record in records])),
        "traces": TablePart.of_rows(
            [{name: record[name] for name in TRACE_KINDS} for record in records], TRACE_KINDS
        ),
        "eigenvalues": TablePart.of_rows(chunk.eigenvalues(spectra), EIGENVALUE_KINDS),
    }


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
        return Arm(
            name=name,
            ends=ends,
            kinds=[_kind(runs, index) for index in range(len(runs))],
            notes=list(runs.notes),
            arrival=np.array(runs.arrival),
            periods=np.array(runs.periods),
            steps=np.array(runs.ran),
            residual=self._residual(map, ends),
            residuals=[runs.residuals[index, : int(runs.ran[index])] for index in range(len(runs))],
            rights=None if rights is None else _carried(rights),
            held={place[int(row)]: states for row, states in runs.held.items()},
        )

    def solved(self, own: Arm) -> Arm:
        """Find fixed points by Anderson's method, from the same starts."""
        f = VectorMap.of(self.loop.map, self.starts)
        starts = f.flat(self.starts)
        # near in units of the state: the ends of the own way say how large states are
        size = torch.linalg.vector_norm(f.flat(own.ends), dim=1).clamp_min(torch.finfo(starts.dtype).tiny)
        reachable = 64 * torch.finfo(starts.dtype).eps
        tolerance = max(_FINER * self.options.tolerance, reachable) * size
        found = anderson(
            f, starts, rows=self.rows.tolist(), tolerance=tolerance, max_steps=self.options.steps
        )
        came = np.array([outcome is Outcome.CONVERGED for outcome in found.outcomes])
        lost = np.array([outcome is Outcome.DIVERGED for outcome in found.outcomes])
        kinds = np.where(came, LimitKind.FIXED, np.where(lost, LimitKind.DIVERGED, LimitKind.UNDECIDED))
        evaluations = found.evaluations.numpy().astype(np.float64)
        ends = f.shaped(found.states)
        return Arm(
            name=SWAPPED_SOLVER,
            ends=ends,
            kinds=[str(kind) for kind in kinds],
            notes=["" if good else str(outcome) for good, outcome in zip(came, found.outcomes, strict=True)],
            arrival=np.where(came, evaluations, NEVER),
            periods=came.astype(np.int64),
            steps=evaluations,
            residual=self._residual(self.loop.map, ends),
            residuals=[np.empty(0)] * len(self.rows),
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

    def records(
        self, arm: Arm, own: Arm, spectra: dict[int, tuple[np.ndarray, np.ndarray]]
    ) -> list[dict[str, Any]]:
        """Return one record an input."""
        distance, cosine, norm = _compared(arm.ends, own.ends)
        right = self._right(arm)
        paths = drawn_paths(arm.held, own.ends)
        records = []
        for index, row in enumerate(self.rows):
            values, errors = spectra.get(index, (np.empty(0), np.empty(0))) if arm.name == OWN else ((), ())
            path = paths.get(index, (None, None))
            records.append(
                {
                    "item": self.loop.items[row],
                    "system": self.loop.name,
                    "arm": arm.name,
                    "kind": arm.kinds[index],
                    "note": arm.notes[index] or None,
                    "period": float(arm.periods[index]),
                    "steps": float(arm.steps[index]),
                    "arrival": float(arm.arrival[index]),
                    "residual": float(arm.residual[index]),
                    "norm": float(norm[index]),
                    "distance": float(distance[index]),
                    "cosine": float(cosine[index]),
                    "right": float(right[index]),
                    "radius": float(np.abs(values).max()) if len(values) else UNDEFINED,
                    "radius_error": float(errors[np.abs(values).argmax()]) if len(values) else UNDEFINED,
                    "exponent": UNDEFINED,
                    "residuals": _rounded(arm.residuals[index]),
                    "rights": None if arm.rights is None else arm.rights[index].tolist(),
                    "path_x": path[0],
                    "path_y": path[1],
                    "row": int(row),
                    "index": index,
                    "end": None,
                }
            )
        return self._with_answers(records, arm)

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
            for record, answer in zip(records, answers, strict=True):
                record["end"] = _in_words(answer)
        return records

    def _right(self, arm: Arm) -> np.ndarray:
        if self.loop.key is None:
            return np.full(len(self.rows), UNDEFINED)
        return self.loop.right(arm.ends, self.rows).astype(np.float64)

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


_HELD_BYTES: Final = 200_000_000
"""Most memory that kept orbits may take."""


def _kind(runs: TensorRuns, index: int) -> str:
    if runs.status[index] is Status.DIVERGED:
        return LimitKind.DIVERGED.value
    if runs.status[index] is Status.UNDECIDED:
        return LimitKind.UNDECIDED.value
    return (LimitKind.FIXED if runs.periods[index] == 1 else LimitKind.CYCLE).value


def _carried(rights: np.ndarray) -> np.ndarray:
    """Fill the steps after a run has ended with its last answer."""
    last = np.where(np.isnan(rights), 0, np.arange(rights.shape[1]))
    return np.take_along_axis(rights, np.maximum.accumulate(last, axis=1), axis=1)


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


def _in_words(answer: np.ndarray) -> str:
    text = " ".join(str(one) for one in np.atleast_1d(answer).reshape(-1).tolist())
    return text if len(text) <= _LONGEST_ANSWER else text[: _LONGEST_ANSWER - 1] + "…"
