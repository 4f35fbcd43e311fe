"""Do compactness, continuity, bounded weights or bounded text guarantee a fixed point?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate
from limitset.core.results import Measurement, Scalar
from limitset.instruments.dynamics.certify import certify
from limitset.maps.known import cosine, linear, rotation
from limitset.maps.latent.tensor_map import TensorMap
from limitset.numerics.enclosing.certifications import Certification
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray
from limitset.numerics.enclosing.regions import Ball, Box, Region, Sphere
from limitset.studies.finite_orbits import all_maps, all_writers, drawn_maps, fixed_share

SEED: Final = 400
TURN: Final = 0.1
"""Part of a full turn; every point of the circle then moves by 2 sin(pi / 10) = .618."""
FEATURES: Final = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0], [2.0, 1.0]])
TARGETS: Final = np.array([0.2, -0.1, 0.1, 0.3, 0.0])
"""Finite data: X^T X = [[7, 2], [2, 4]] with eigenvalues 3 and 8, X^T y = (.6, -.3)."""
LARGE_STEP, SMALL_STEP = 0.75, 0.05
"""At .75 the step overshoots in every direction: .75 * 3 > 1, and nothing on the circle is fixed."""
SAMPLES: Final = ((1.0, 0.0), (1.0, 1.0))
"""Two examples (x, y) that contradict each other, for training on one example at a time."""
RATE: Final = 0.2
BOUND: Final = 5.0
STATES: Final = 6
"""All 46,656 maps of six states are followed from all starts."""
MANY: Final = 200
"""States of the random maps that are drawn."""
DRAWN: Final = 2000
PIECES: Final = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    """One map on one set."""

    name: str
    map: Any
    region: Region
    step: Any
    image_radius: float = np.inf


def run(trial: Trial) -> Evidence:
    """Exhibit maps without a fixed point, with the proofs, and count orbits on finite sets."""
    trial.say("maps of compact sets")
    rng = np.random.default_rng([SEED, trial.seed])
    cases = {case.name: case for case in _cases()}
    found = {name: _certified(case, rng) for name, case in cases.items()}
    trial.say("orbits on finite sets")
    every, writers = all_maps(STATES), all_writers(tokens=2, window=3)
    drawn = drawn_maps(MANY, maps=DRAWN, rng=rng)
    least = {name: float(got.gap.low) for name, got in found.items()}
    return Evidence(
        estimates={
            "least_move": _proved("certify", least["circle, turned"], Level.HIDDEN),
            "least_move_antipode": _proved("certify", least["sphere, antipodes"], Level.HIDDEN),
            "least_update": _proved("certify", least["weights on a circle, large step"], Level.WEIGHTS),
            "least_update_single": _proved("certify", single_example_gap(), Level.WEIGHTS),
            "cycle_share": _proved(
                "cycles",
                float(min(every.cycle_share, writers.cycle_share)),
                Level.TEXT,
                n=every.orbits + writers.orbits,
            ),
            "fixed_share": _proved(
                "cycles", float(every.fixed_share), Level.TEXT, n=every.orbits, states=STATES
            ),
            "fixed_share_writers": _proved(
                "cycles", float(writers.fixed_share), Level.TEXT, n=writers.orbits
            ),
            "fixed_share_many": _proved("finite_orbits", float(fixed_share(MANY)), Level.TEXT, states=MANY),
        },
        controls=(
            _existence("cosine on [0, 1]: its fixed point is proved", found["interval, cosine"]),
            _moved("interval, shifted by 1: every point moves by 1", found["interval, shifted"], 1.0),
            _existence("the same training projected to a box", found["weights in a box, projected"]),
            _no_refutation("disc, turned: its centre is fixed", found["disc, turned"]),
            _no_refutation(
                "the same training with a small step: a point is fixed",
                found["weights on a circle, small step"],
            ),
            _share("planted: all orbits counted against the formula", every.fixed_share, fixed_share(STATES)),
            Control(
                name=f"{DRAWN} random maps of {MANY} states against the formula",
                kind="negative",
                passed=abs(float(drawn.fixed_share - fixed_share(MANY))) < 0.025,
                measured=_counted(float(drawn.fixed_share - fixed_share(MANY)), drawn.orbits),
                wanted="between -0.025 and 0.025",
            ),
        ),
        scope=Scope.TOY,
        system="exact maps of the plane and of space, least squares on 5 examples, all maps of 6 states",
        rows=tuple(_row(cases[name], found[name]) for name in cases),
        notes=("Proved by interval arithmetic or by going through all cases; nothing is estimated.",),
    )


def single_example_gap() -> float:
    """Return a proved lower bound on the larger of the two single-example updates, over all bounded weights.

    ``min_w max_i rate |w - y_i|`` = rate / 2 = .1, at w = 1/2.
    """
    least = np.inf
    for piece in Box(np.array([-BOUND]), np.array([BOUND])).cover(8 * PIECES):
        moves = [RATE * x * (x * piece - y) for x, y in SAMPLES]
        least = min(least, max(_away(move) for move in moves))
    return float(least)


def _away(move: IntervalArray) -> float:
    low, high = float(move.low[0]), float(move.high[0])
    return 0.0 if low <= 0 <= high else min(abs(low), abs(high))


def _cases() -> tuple[_Case, ...]:
    cos, sin = np.cos(2 * np.pi * TURN), np.sin(2 * np.pi * TURN)

    def turned(x: Any) -> Any:
        return np.stack([cos * x[0] - sin * x[1], sin * x[0] + cos * x[1]])

    circle = Sphere(np.zeros(2), 1.0)
    return (
        _Case(name="circle, turned", map=rotation(TURN), region=circle, step=turned),
        _Case(
            name="sphere, antipodes",
            map=linear(-np.eye(3)),
            region=Sphere(np.zeros(3), 1.0),
            step=lambda x: -1.0 * x,
        ),
        _Case(
            name="disc, turned",
            map=rotation(TURN),
            region=Ball(np.zeros(2), 1.0),
            step=turned,
            image_radius=1.0,
        ),
        _Case(
            name="interval, shifted",
            map=TensorMap(step=lambda states: states + 1),
            region=Box(np.zeros(1), np.ones(1)),
            step=lambda x: x + 1.0,
        ),
        _Case(name="interval, cosine", map=cosine(), region=Box(np.zeros(1), np.ones(1)), step=np.cos),
        _training("weights on a circle, large step", LARGE_STEP),
        _training("weights on a circle, small step", SMALL_STEP),
        _projected("weights in a box, projected", SMALL_STEP),
    )


def _gradient_step(rate: float) -> tuple[np.ndarray, np.ndarray]:
    """One step of gradient descent on the squared error: w -> keep w + push."""
    keep = np.eye(2) - rate * FEATURES.T @ FEATURES
    return keep, rate * FEATURES.T @ TARGETS


def _training(name: str, rate: float) -> _Case:
    """Gradient descent whose weights are scaled back to length 1 after each step (weight normalization)."""
    keep, push = _gradient_step(rate)

    def step(w: Any) -> Any:
        moved = keep @ w + push
        return moved / (moved**2).sum() ** 0.5

    def torch_step(states: torch.Tensor) -> torch.Tensor:
        moved = states @ torch.as_tensor(keep.T) + torch.as_tensor(push)
        return torch.nn.functional.normalize(moved, dim=1)

    return _Case(name=name, map=TensorMap(step=torch_step), region=Sphere(np.zeros(2), 1.0), step=step)


def _projected(name: str, rate: float) -> _Case:
    """Gradient descent whose weights are moved back into the box [-1, 1]^2 after each step."""
    keep, push = _gradient_step(rate)

    def step(w: Any) -> Any:
        return -np.maximum(-np.maximum(keep @ w + push, -np.ones(2)), -np.ones(2))

    def torch_step(states: torch.Tensor) -> torch.Tensor:
        return torch.clamp(states @ torch.as_tensor(keep.T) + torch.as_tensor(push), -1, 1)

    return _Case(name=name, map=TensorMap(step=torch_step), region=Box(-np.ones(2), np.ones(2)), step=step)


def _certified(case: _Case, rng: np.random.Generator) -> Certification:
    return certify(
        case.map,
        region=case.region,
        interval_step=case.step,
        image_radius=case.image_radius,
        pieces=PIECES,
        samples=256,
        rng=rng,
    )


def _proved(instrument: str, value: float, level: Level, *, n: float = 1.0, **how: Scalar) -> Measurement:
    return Measurement(
        instrument=instrument,
        version=1,
        level=level,
        value=value,
        low=value,
        high=value,
        n=n,
        interval_method="proved",
        parameters=how,
    )


def _counted(value: float, n: int) -> Measurement:
    return Measurement(instrument="finite_orbits", version=1, level=Level.TEXT, value=value, n=n)


def _existence(name: str, found: Certification) -> Control:
    """Demand the proof of a fixed point that is there."""
    passed = found.conclusions.get("existence") is Certificate.PROVED
    return Control(name=name, kind="positive", passed=passed, measured=found.gap, wanted="existence proved")


def _moved(name: str, found: Certification, by: float) -> Control:
    """Demand a proved bound near the planted move."""
    low = float(found.gap.low)
    return Control(
        name=name,
        kind="positive",
        passed=0.99 * by < low <= by,
        measured=found.gap,
        wanted=f"proved above {0.99 * by:g}",
    )


def _no_refutation(name: str, found: Certification) -> Control:
    """Refuse a proof against a fixed point that is there."""
    refuted = found.conclusions.get("existence") is Certificate.REFUTED or float(found.gap.low) > 0
    return Control(
        name=name, kind="negative", passed=not refuted, measured=found.gap, wanted="no proof against it"
    )


def _share(name: str, counted: object, exact: object) -> Control:
    measured = _proved("finite_orbits", float(counted), Level.TEXT, states=STATES)  # type: ignore[arg-type]
    return Control(
        name=name,
        kind="positive",
        passed=counted == exact,
        measured=measured,
        wanted=f"exactly {exact}",
    )


def _row(case: _Case, found: Certification) -> dict[str, Scalar]:
    standing = {
        name: str(found.hypotheses.get(name, "open")) for name in ("continuous", "convex", "self_map")
    }
    return {
        "map": case.name,
        "compact": "yes" if case.region.closed and case.region.bounded else "no",
        **standing,
        "fixed point": str(found.conclusions.get("existence", "open")),
        "moves at least": round(max(float(found.gap.low), 0.0), 4),
    }


PROTOCOL: Final = Protocol(
    id="p04",
    title="Do compactness, continuity, bounded weights or bounded text guarantee a fixed point?",
    run=run,
    statistics={
        "least_move": "proved lower bound on how far any point of the circle is moved by a tenth of a turn",
        "least_move_antipode": "the same for the map of the sphere to the opposite point",
        "least_update": "proved lower bound on how far one step of training moves any bounded weights",
        "least_update_single": "the same for training on one example at a time, the larger of two updates",
        "cycle_share": "share of orbits on finitely many states that end in a cycle, all cases",
        "fixed_share": f"share of them that end in a fixed point, all maps of {STATES} states",
        "fixed_share_writers": "the same for all greedy writers with two tokens and a window of three",
        "fixed_share_many": f"the same for random maps of {MANY} states, by the formula",
    },
    instruments=("certify@1", "cycles@1", "finite_orbits@1"),
    data=(),
    seconds={Tier.QUICK: 10},
    scope=Scope.TOY,
    confounds=("one counter-example refutes a universal claim; it says nothing of the usual case",),
)
