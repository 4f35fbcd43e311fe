"""How do normalization and input injection decide whether a loop settles, where, and whether it is right?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch

from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import Interval, logit_jackknife
from limitset.core.levels import Level
from limitset.core.pooled_shares import pooled_intervals
from limitset.core.results import Measurement
from limitset.core.streams import Streams
from limitset.datasets.recurrent import training
from limitset.datasets.recurrent.design import EPSILON
from limitset.datasets.recurrent.looped_net import WIDTH
from limitset.instruments.dynamics.path_independence import VERSION as PATHS
from limitset.instruments.dynamics.tensor_orbits import VERSION as ORBITS
from limitset.maps.user_loop import UserLoop, load_loop
from limitset.report.trace_findings import TraceFindings
from limitset.studies.loop_cells import (
    BOUNDED,
    CELLS_VERSION,
    NEAR,
    block_task,
    bounded,
    cells_of,
    found_in,
    held_loop,
    net_task,
    own_place,
    per_seed,
)
from limitset.studies.loop_numbers import difference_of, over_inputs, over_seeds, residual_curve
from limitset.studies.recurrence_nets import LAB_VERSION
from limitset.studies.trace_rows import TRACE_VERSION

SEED: Final = 6_500
"""Bars and sizes were fixed on seeds 9010 to 9013 and 6100 to 6123, which no counted run uses."""
GAINS: Final = (0.5, 1.0, 2.0)
GENTLE: Final = (0.5, 1.0)
"""Gains up to that of the usual start of a net, whose layers keep the size of what they are given."""
INPUTS: Final = 8
FAR: Final = 400
SEEDS: Final = {
    Tier.QUICK: {"post": 10, "none": 10, "pre": 3},
    Tier.NORMAL: {"post": 24, "none": 24, "pre": 8},
}
NETS: Final = {("post", "start"): 6, ("post", "additive"): 4, ("none", "additive"): 4}
"""Trained nets of a cell. Where a loop that settles can be wrong, more of them."""
PROBLEMS: Final = 128
SIZE: Final = 48.0
NET_FAR: Final = 100
SEEDWISE: Final = "t over seeds"
NETWISE: Final = "t over nets, arcsine scale, spread pooled; squared lengths added"
INPUTWISE: Final = "Wilson, inputs of one loop"
LATER: Final = "trained nets need the normal tier"
ONE_LOOP: Final = "one loop has no other cell to be compared with"


def run(trial: Trial) -> Evidence:
    """Trace loops of every cell, or the user's own."""
    controls = _controls(trial)
    if trial.map:
        return _of_user(trial, controls)
    tier = PROTOCOL.tier_or_next(trial.tier)
    tasks = [
        block_task(norm=norm, injection=injection, gain=gain, seed=_seed(trial, seed), inputs=INPUTS, far=FAR)
        for norm, seeds in SEEDS[tier].items()
        for seed in range(seeds)
        for injection in ("start", "additive")
        for gain in GAINS
    ]
    trial.say(f"running {len(tasks)} untrained blocks")
    cells = cells_of(tasks, trial.folder / "blocks")
    nets = None
    if tier is not Tier.QUICK:
        wanted = [
            net_task(
                task="prefix sums",
                norm=norm,
                injection=injection,
                net_seed=seed,
                seed=_seed(trial, 0),
                problems=PROBLEMS,
                far=NET_FAR,
            )
            for (norm, injection), seeds in NETS.items()
            for seed in range(seeds)
        ]
        trial.say(f"training {len(wanted)} looped nets")
        nets = cells_of(wanted, trial.folder / "nets")
    return evidence_of(cells, nets, controls=controls, confidence=trial.confidence)


def evidence_of(
    cells: Mapping[str, np.ndarray],
    nets: Mapping[str, np.ndarray] | None,
    *,
    controls: tuple[Control, ...],
    confidence: float,
) -> Evidence:
    """Measure the rows of loops.

    Parameters
    ----------
    cells
        Rows of untrained blocks (`studies.loop_cells.CELL_KINDS`).
    nets
        Rows of trained nets; None where none was trained.
    controls
        Of the trace itself.
    confidence
        Coverage of every interval.
    """

    def share(name: str, values: np.ndarray, averaged: int, sides: int = 1) -> Measurement:
        least = float(np.sqrt(sides / averaged / (4 * INPUTS)))
        ends = (0.0, 1.0) if sides == 1 else (-1.0, 1.0)
        return _measured(name, over_seeds(values, confidence, least=least, ends=ends), confidence, SEEDWISE)

    def effect(norm: str) -> np.ndarray:
        sides = [per_seed(cells, "own_place", norm=norm, injection=one) for one in ("additive", "start")]
        return np.asarray(sides[0] - sides[1])

    anchored = [per_seed(cells, "own_place", norm="post", injection="additive", gain=gain) for gain in GAINS]
    growth = np.log10(per_seed(cells, "growth", norm="pre"))
    estimates = {
        "injection_effect": share("injection_effect", effect("post"), len(GAINS), 2),
        "injection_effect_plain": share("injection_effect_plain", effect("none"), len(GAINS), 2),
        "settled_effect": share(
            "settled_effect",
            per_seed(cells, "settled", norm="post") - per_seed(cells, "settled", norm="none"),
            2 * len(GAINS),
            2,
        ),
        "bounded_share": share("bounded_share", per_seed(cells, "bounded", norm="post"), 2 * len(GAINS)),
        "own_place_share": share("own_place_share", np.mean(anchored[:2], axis=0), len(GENTLE)),
        "own_place_share_high_gain": share("own_place_share_high_gain", anchored[2], 1),
        "pre_settled": share("pre_settled", per_seed(cells, "settled", norm="pre"), 2 * len(GAINS)),
        "pre_growth": _measured("pre_growth", over_seeds(growth, confidence), confidence, SEEDWISE),
        **_trained(nets, confidence),
    }
    made = (
        ""
        if nets is None
        else f", {len(set(zip(nets['norm'], nets['injection'], nets['seed'], strict=True)))} trained nets"
    )
    return Evidence(
        estimates=estimates,
        controls=controls,
        scope=Scope.TOY,
        system=f"{len(cells['seed'])} looped blocks with random weights{made}",
        curve=residual_curve(cells, gain=GAINS[0]),
        rows=(*_rows(cells), *(() if nets is None else _rows(nets))),
        notes=(
            "intervals are over seeds; a seed gives the mean over its gains",
            "an end shared by two inputs is a place of its own for neither: the loop has forgotten them",
        ),
    )


def _trained(nets: Mapping[str, np.ndarray] | None, confidence: float) -> dict[str, Measurement]:
    names = ("recall_effect", "norm_effect", "right_when_settled")
    if nets is None:
        return {name: _measured(name, Interval.blank(LATER), confidence) for name in names}
    far = {name: column[nets["size"] == SIZE] for name, column in nets.items()}
    labels = list(zip(far["norm"], far["injection"], strict=True))
    shares = pooled_intervals(
        far["right_far"], labels, inputs=float(far["inputs"].min()), confidence=confidence
    )
    both = shares["post", "additive"]
    # at the trained length: far beyond it next to nothing settles in this cell
    near = (nets["size"] == nets["size"].min()) & (nets["norm"] == "post") & (nets["injection"] == "start")
    wrong = nets["settled_wrong"][near]
    right = np.maximum(nets["settled"][near] - wrong, 0.0)  # a difference of shares leaves rounding dust
    settled = logit_jackknife(right, wrong, confidence=confidence, degrees=max(wrong.size - 1.0, 1.0))
    told = _named(settled, wrong.size, "no net settled")
    found = {
        "recall_effect": (difference_of(both, shares["post", "start"]), NETWISE),
        "norm_effect": (difference_of(both, shares["none", "additive"]), NETWISE),
        "right_when_settled": (told, "jackknife over nets, logit scale"),
    }
    return {name: _measured(name, one, confidence, method) for name, (one, method) in found.items()}


def _of_user(trial: Trial, controls: tuple[Control, ...]) -> Evidence:
    """Measure one looped model: of it every number is over inputs, and no cell can be compared."""
    loop = load_loop(trial.map)
    usual = loop.usual_steps or FAR // 10
    trial.say(f"tracing {loop.name}")
    found = found_in(loop, far=max(8 * usual, FAR // 4), usual=usual, seed=SEED + trial.seed)
    estimates = {name: Interval.blank(ONE_LOOP) for name in PROTOCOL.statistics}
    estimates["bounded_share"] = over_inputs(bounded(found), trial.confidence)
    estimates["own_place_share"] = _own_place(found, loop, trial.confidence)
    estimates["right_when_settled"] = _right_when_settled(found, trial.confidence)
    digest = hashlib.sha256(loop.identity.encode()).hexdigest()[:12]
    return Evidence(
        estimates={
            name: _measured(name, one, trial.confidence, INPUTWISE) for name, one in estimates.items()
        },
        controls=controls,
        scope=Scope.TOY,
        system=f"{loop.name} ({digest}), {found.inputs} inputs, {found.steps} steps",
        rows=(
            {
                "loop": loop.name,
                "inputs": found.inputs,
                "settled": float(found.own.settled.mean()),
                "bounded": float(bounded(found).mean()),
            },
        ),
        notes=("intervals are over inputs of one loop",),
    )


def _own_place(found: TraceFindings, loop: UserLoop, confidence: float) -> Interval:
    if not loop.holds_inputs or found.inputs < 2:
        return Interval.blank("the step is not told which input it works on: starts cannot be swapped")
    return over_inputs(own_place(found), confidence)


def _right_when_settled(found: TraceFindings, confidence: float) -> Interval:
    settled = found.own.settled
    if not found.anchored:
        return Interval.blank("no key says what is right")
    if not settled.any():
        return Interval.blank("no input settled")
    return over_inputs(found.own.numbers("right")[settled] == 1, confidence)


def _controls(trial: Trial) -> tuple[Control, ...]:
    """Trace loops whose ends are known: at the input, at one point for all, and at the start."""
    rng = Streams(SEED + trial.seed).child("controls").generator()
    inputs, starts = (torch.from_numpy(rng.standard_normal((32, 8))) for _ in range(2))
    key = (inputs > 0).numpy()
    readout = lambda states, _: states > 0  # noqa: E731 - one line of a loop
    dealt = key[np.roll(np.arange(32), 1)]

    def traced(step: object, answers: np.ndarray | None = None) -> TraceFindings:
        loop = held_loop(step, inputs, starts, readout=None if answers is None else readout, key=answers)
        return found_in(loop, far=FAR // 4, usual=FAR // 40, seed=SEED)

    to_input, to_one = (lambda x, e: (x + e) / 2), (lambda x, _: (x + 1) / 2)
    known = [
        (
            "half of the way to its input at every step: one place for each",
            "positive",
            "place",
            traced(to_input),
        ),
        ("half of the way to one point: its input is forgotten", "negative", "place", traced(to_one)),
        ("no step at all: it ends where it starts", "negative", "place", traced(lambda x, _: x.clone())),
        ("settles at its input, read against the key", "positive", "right", traced(to_input, key)),
        ("the same, read against the keys of other inputs", "negative", "right", traced(to_input, dealt)),
    ]
    made = []
    for name, kind, asked, found in known:
        got = (
            over_inputs(own_place(found), trial.confidence)
            if asked == "place"
            else _right_when_settled(found, trial.confidence)
        )
        positive = kind == "positive"
        made.append(
            Control(
                name=name,
                kind=kind,
                passed=bool(got.value > 0.9 if positive else got.value < 0.1),
                measured=_measured(f"{asked} control", got, trial.confidence, INPUTWISE),
                wanted="above 0.9" if positive else "below 0.1",
            )
        )
    return tuple(made)


def _named(got: Interval, n: int, reason: str) -> Interval:
    return (
        Interval.blank(reason)
        if np.isnan(got.value)
        else Interval(value=got.value, low=got.low, high=got.high, n=float(n))
    )


def _measured(name: str, got: Interval, confidence: float, method: str = "") -> Measurement:
    return Measurement(
        instrument=f"loop cells.{name}",
        version=CELLS_VERSION,
        level=Level.HIDDEN,
        value=got.value,
        low=got.low,
        high=got.high,
        n=got.n,
        blank_reason=got.blank_reason,
        interval_method="" if got.blank_reason else method,
        confidence=confidence,
        parameters={"near": NEAR, "bounded": BOUNDED, "far": FAR},
    )


def _rows(cells: Mapping[str, np.ndarray]) -> tuple[dict[str, str | float], ...]:
    """One row a cell, at the largest size and all gains."""
    largest = cells["size"].max()
    names = [*zip(cells["norm"], cells["injection"], strict=True)]
    shown: Sequence[str] = ("settled", "own_place", "bounded" if largest == 1 else "right_far")
    return tuple(
        {
            "loops": "untrained blocks" if largest == 1 else f"trained, {largest:g} bits",
            "norm": str(norm),
            "input": "at the start" if injection == "start" else "added at every step",
            **{
                name: float(per_seed(cells, name, norm=norm, injection=injection, size=largest).mean())
                for name in shown
            },
        }
        for norm, injection in dict.fromkeys(names)
    )


def _seed(trial: Trial, number: int) -> int:
    return SEED + 100 * trial.seed + number


PROTOCOL: Final = Protocol(
    id="p06",
    title="How do normalization and input injection decide whether a loop settles, and where?",
    run=run,
    statistics={
        "injection_effect": "share of inputs with one place of their own, input added at every step less "
        "input at the start only, post-norm",
        "injection_effect_plain": "the same without a norm",
        "settled_effect": "share of inputs that settle, post-norm less no norm",
        "bounded_share": "share of inputs whose state stays bounded, post-norm",
        "own_place_share": "share of inputs with one place of their own, post-norm, input added, gains to 1",
        "own_place_share_high_gain": "the same at gain 2",
        "pre_settled": "share of inputs that settle, pre-norm",
        "pre_growth": "tenfolds by which the norm grows from step 40 to 400, pre-norm",
        "recall_effect": "share right at four times the trained size, input added less input at the start, "
        "post-norm, trained",
        "norm_effect": "the same, post-norm less no norm, input added, trained",
        "right_when_settled": "share right among inputs that settle, post-norm, start only, trained size",
    },
    instruments=(
        f"loop cells@{CELLS_VERSION} near {NEAR:g} bounded {BOUNDED:g}",
        f"trace@{TRACE_VERSION}",
        f"laboratory@{LAB_VERSION}",
        f"path_independence@{PATHS}",
        f"tensor_orbits@{ORBITS}",
    ),
    data=(
        "random blocks of 16 tokens, width 64, 4 heads",
        f"prefix sums of 12, 32 and 48 bits; looped nets of width {WIDTH}, {training.STEPS} updates, "
        f"rate {training.PEAK_RATE:g}, epsilon {EPSILON:g}",
    ),
    seconds={Tier.QUICK: 45, Tier.NORMAL: 280},
    scope=Scope.TOY,
    accepts=("map",),
    confounds=(
        "residual transformer blocks: without a norm every step adds to the state, so that none settles; "
        "loops without the residual path may",
        "blocks are run for 400 steps: what settles later counts as unsettled",
    ),
)
