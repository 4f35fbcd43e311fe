"""Which distinct limit sets do many runs end in, judged by recurrence, exponents and spectrum together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.clouds import comes_back, same_cloud
from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import wilson
from limitset.core.levels import Status
from limitset.core.limit_sets import Certificate, LimitKind, LimitSets
from limitset.core.protocols import SelfMap
from limitset.core.settling import MOVES
from limitset.core.streams import Streams
from limitset.core.tensor_runs import TensorRuns
from limitset.core.undefined import NEVER, UNDEFINED, UNMATCHED
from limitset.numerics.points.merging import merge
from limitset.numerics.running.iteration import iterated
from limitset.numerics.running.row_norms import units_of
from limitset.numerics.running.run_search import within_scale
from limitset.numerics.stability.exponents import Sign, sign_of_exponent, stretches
from limitset.numerics.vector_map import VectorMap

MERGE: Final = 10.0
"""Ends within this many tolerances are one end."""
NEUTRAL: Final = 1e-3
"""An exponent of a fixed point or cycle nearer to 0 than this is neutral: a multiplier of size 1."""
SETTLED_STEPS: Final = 128
"""Steps over which the exponent of a fixed point or cycle is read."""
MOST_PROBES: Final = 256
"""Distinct ends whose exponent is measured."""
MOST_POINTS: Final = 64
"""States that are kept of a set that has no phases."""
CLOUD: Final = 128


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How exponents are read."""

    steps: int
    """of runs that do not settle"""
    confidence: float
    rng: Streams


@dataclass
class EndSet:
    """One limit set while it is collected."""

    kind: LimitKind
    period: int
    starts: list[int]
    points: tuple[np.ndarray, ...] = ()
    exponent: tuple[float, float, float] = (UNDEFINED, UNDEFINED, UNDEFINED)
    note: str = ""
    certificates: dict[str, Certificate] = field(default_factory=dict)


def end_sets(
    map: SelfMap[Any],
    starts: Tensor,
    *,
    steps: int,
    exponent_steps: int,
    rng: Streams,
    rows: Sequence[int] | np.ndarray | None,
    tolerance: float | None,
    bound: float,
    confidence: float,
    memory: int | None,
    counted: int | None = None,
) -> tuple[LimitSets, TensorRuns]:
    """Find limit sets; the parameters are those of `limitset.instruments.dynamics.limit_sets`.

    Only the first `counted` starts count for shares and get labels; the others may find sets of share 0.
    """
    if exponent_steps < 20 or not 0 < confidence < 1:
        raise InputError.of(
            expected="exponent_steps must be 20 or more and confidence in (0, 1)",
            got=f"{exponent_steps} and {confidence}",
            fix="Change these.",
        )
    runs = iterated(
        map, starts, steps=steps, rng=rng, rows=rows, tolerance=tolerance, bound=bound, memory=memory
    )
    f = VectorMap(map=map, shape=tuple(starts.shape[1:]), rng=rng.child("ends"))
    lasts = f.flat(torch.as_tensor(np.array(runs.lasts)).to(starts))
    reading = Reading(steps=exponent_steps, confidence=confidence, rng=rng)
    periodic = _periodic(f, runs, lasts, reading)
    moving = _moving(f, runs, lasts, reading)
    sets = _by_share([*periodic, *moving]) + _by_share(_nowhere(runs, periodic, moving))
    return _limit_sets(map, sets, runs, len(runs) if counted is None else counted, confidence), runs


def _periodic(f: VectorMap, runs: TensorRuns, lasts: Tensor, reading: Reading) -> list[EndSet]:
    found: list[EndSet] = []
    for period in np.unique(runs.periods[runs.periods > 0]).tolist():
        here = np.flatnonzero(runs.periods == period)
        phases = _phases(f, lasts, runs, here, period)
        ends = phases.reshape(-1, phases.shape[2]).astype(np.float64)
        unit = units_of(np.abs(ends).max())
        groups = merge(ends / unit, distance=_merge_distance(runs, here) / float(unit))
        keys = groups.reshape(period, here.size).min(axis=0)
        for key in dict.fromkeys(keys.tolist()):
            members = here[keys == key].tolist()
            points = phases[:, int(np.flatnonzero(keys == key)[0])]
            kind = LimitKind.FIXED if period == 1 else LimitKind.CYCLE
            found.append(EndSet(kind, period, members, tuple(frozen(one.reshape(f.shape)) for one in points)))
    found.sort(key=lambda one: -len(one.starts))
    _measure_periodic(f, runs, found, lasts, reading)
    return _continua(found)


def _merge_distance(runs: TensorRuns, here: np.ndarray) -> float:
    scales = [
        float(within_scale(runs.norms[place, : runs.ran[place] + 1, None], runs.tolerance)[0])
        for place in here
    ]
    return MERGE * runs.tolerance * float(np.median(scales))


def _phases(f: VectorMap, lasts: Tensor, runs: TensorRuns, here: np.ndarray, period: int) -> np.ndarray:
    """Return all states of the cycles, (period, starts, d)."""
    states, rows = lasts[torch.as_tensor(here)], runs.rows[here].tolist()
    path = []
    for _ in range(period):
        path.append(states.cpu().numpy() if states.element_size() > 2 else states.float().cpu().numpy())
        states = f(states, rows)
    return np.stack(path)


def _measure_periodic(
    f: VectorMap, runs: TensorRuns, found: list[EndSet], lasts: Tensor, reading: Reading
) -> None:
    """Measure exponents: at fixed points with the state held, along cycles as they go round."""
    for fixed in (True, False):
        group = [one for one in found if (one.period == 1) is fixed][:MOST_PROBES]
        if not group:
            continue
        places = [one.starts[0] for one in group]
        rows = runs.rows[places].tolist()
        along = VectorMap(map=_Held(f.map), shape=f.shape, rng=f.rng) if fixed else f
        longest = max(one.period for one in group)
        steps = -(-SETTLED_STEPS // longest) * longest if longest < SETTLED_STEPS else 2 * longest
        measured = _exponents(along, lasts[torch.as_tensor(places)], rows, steps, reading)
        for one, exponent in zip(group, measured, strict=True):
            one.exponent = exponent
            value = exponent[0]
            if np.isnan(value):
                one.note = "no derivatives"
            elif abs(value) > NEUTRAL:
                one.certificates["attracting"] = Certificate.EMPIRICAL if value < 0 else Certificate.REFUTED
                one.note = "" if value < 0 else "unstable: reached, not attracting"
            else:
                one.note = "neutral: a multiplier of size 1"
            one.certificates["periodic"] = Certificate.EMPIRICAL


def _continua(found: list[EndSet]) -> list[EndSet]:
    """Gather neutral ends of one period that are more than one into a set that is not isolated."""
    rest: list[EndSet] = []
    neutral: dict[int, list[EndSet]] = {}
    for one in found:
        untested = not one.certificates
        if abs(one.exponent[0]) <= NEUTRAL or (untested and one.period in neutral):
            neutral.setdefault(one.period, []).append(one)
        else:
            rest.append(one)
    for period, ends in neutral.items():
        if len(ends) == 1:
            rest.append(ends[0])
            continue
        rest.append(
            EndSet(
                LimitKind.CONTINUUM,
                period,
                sorted(start for one in ends for start in one.starts),
                tuple(point for one in ends for point in one.points)[: MOST_POINTS * period],
                ends[0].exponent,
                f"not isolated: {len(ends)} distinct ends with a multiplier of size 1",
                {"periodic": Certificate.EMPIRICAL},
            )
        )
    return rest


def _moving(f: VectorMap, runs: TensorRuns, lasts: Tensor, reading: Reading) -> list[EndSet]:
    """Tell tori from chaos among bounded runs that have not come back."""
    here = np.array([place for place, note in enumerate(runs.notes) if note == MOVES], dtype=np.int64)
    if not here.size or runs.steps < 16:
        return []
    rows = runs.rows[here].tolist()
    measured = _exponents(f, lasts[torch.as_tensor(here)], rows, reading.steps, reading)
    picks, unit = _picks(runs.steps, reading.rng), units_of(np.abs(runs.sketches[here]).max())
    found: list[tuple[EndSet, np.ndarray]] = []
    for place, exponent in zip(here.tolist(), measured, strict=True):
        path = runs.sketches[place, runs.steps // 2 :] / unit
        kind = _kind_of(exponent, path, reading.steps)
        if kind is LimitKind.UNDECIDED:
            continue
        cloud = path[picks]
        for known, other in found:
            if known.kind is kind and same_cloud(cloud, other):
                known.starts.append(place)
                break
        else:
            found.append((EndSet(kind, 0, [place], exponent=exponent), cloud))
    for one, _ in found:
        part = lasts[torch.as_tensor(one.starts[:MOST_POINTS])]
        states = part.cpu().double().numpy().reshape(-1, *f.shape)
        one.points = tuple(frozen(state) for state in states)
        together = [measured[int(np.flatnonzero(here == start)[0])] for start in one.starts]
        one.exponent = tuple(float(np.median(column)) for column in zip(*together, strict=True))  # type: ignore[assignment]
    return [one for one, _ in found]


def _kind_of(exponent: tuple[float, float, float], path: np.ndarray, steps: int) -> LimitKind:
    if np.isnan(exponent).any():
        return LimitKind.UNDECIDED
    sign = sign_of_exponent(*exponent, steps=steps)
    if sign is Sign.POSITIVE:
        return LimitKind.CHAOS
    return LimitKind.TORUS if sign is Sign.ZERO and comes_back(path) else LimitKind.UNDECIDED


def _picks(steps: int, rng: Streams) -> np.ndarray:
    """Return which states of the second half of a run stand for it, the same of every run."""
    length = steps + 1 - steps // 2
    return np.sort(rng.child("cloud").generator().permutation(length)[:CLOUD])


def _exponents(
    f: VectorMap, states: Tensor, rows: list[int], steps: int, reading: Reading
) -> list[tuple[float, float, float]]:
    """Return the largest exponent of every state with its interval; NaN where there are no derivatives."""
    try:
        got = stretches(
            [f],
            states,
            rows=rows,
            steps=steps,
            burn_in=steps // 2,
            count=1,
            rng=reading.rng.child("tangent").generator(),
        )
    except (InputError, RuntimeError):  # numbers taken out of torch
        return [(UNDEFINED, UNDEFINED, UNDEFINED)] * len(rows)
    values = got.exponents[:, 0]
    half = got.half_widths(got.blocks.sum(axis=1), confidence=reading.confidence)[:, 0]
    return [
        (float(value), float(value - width), float(value + width))
        for value, width in zip(values, half, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Held:
    """A map that leaves every state where it is and has the derivatives of another."""

    map: SelfMap[Any]

    @property
    def level(self) -> Any:
        return self.map.level

    @property
    def deterministic(self) -> bool:
        return self.map.deterministic

    def step(self, states: Tensor, *, rows: Sequence[int], rng: Streams) -> Tensor:
        images = self.map.step(states, rows=rows, rng=rng)
        return images + (states - images).detach()  # type: ignore[no-any-return]


def _nowhere(runs: TensorRuns, *groups: list[EndSet]) -> list[EndSet]:
    """Gather the starts that have no limit set: those that diverged, and the undecided by how they move."""
    placed = {start for sets in groups for one in sets for start in one.starts}
    found: dict[tuple[LimitKind, str], EndSet] = {}
    for place, status in enumerate(runs.status):
        if place in placed:
            continue
        kind = LimitKind.DIVERGED if status is Status.DIVERGED else LimitKind.UNDECIDED
        key = (kind, runs.notes[place])
        found.setdefault(key, EndSet(kind, 0, [], note=runs.notes[place])).starts.append(place)
    return list(found.values())


def _by_share(sets: list[EndSet]) -> list[EndSet]:
    return sorted(sets, key=lambda one: (-len(one.starts), one.starts[0]))


def _limit_sets(
    map: SelfMap[Any], sets: list[EndSet], runs: TensorRuns, counted: int, confidence: float
) -> LimitSets:
    labels = np.full(len(runs), UNMATCHED, dtype=np.int64)
    arrival = np.full(len(runs), NEVER)
    for label, one in enumerate(sets):
        labels[one.starts] = label
        if one.period:
            arrival[one.starts] = runs.arrival[one.starts]
        elif one.kind in {LimitKind.TORUS, LimitKind.CHAOS}:
            arrival[one.starts] = UNDEFINED
    counts = np.bincount(labels[:counted], minlength=len(sets))
    shares = [wilson(count, counted, confidence=confidence) for count in counts.tolist()]
    exponents = np.array([one.exponent for one in sets], dtype=np.float64).reshape(-1, 3)
    return LimitSets(
        level=map.level,
        kinds=tuple(one.kind for one in sets),
        periods=np.array([one.period for one in sets], dtype=np.int64),
        points=tuple(one.points for one in sets),
        shares=np.array([one.value for one in shares]),
        share_low=np.array([one.low for one in shares]),
        share_high=np.array([one.high for one in shares]),
        stability=np.full(len(sets), UNDEFINED),
        labels=labels[:counted],
        arrival=arrival[:counted],
        certificates=tuple(one.certificates for one in sets),
        exponents=exponents[:, 0],
        exponent_low=exponents[:, 1],
        exponent_high=exponents[:, 2],
        notes=tuple(one.note for one in sets),
    )
