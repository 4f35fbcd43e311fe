"""Is flatness a property of what a net computes, or of how its weights are written?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.streams import Streams
from limitset.datasets.planted import sums, twins
from limitset.datasets.planted.sums import Drawings, draw_sums
from limitset.datasets.planted.twins import TwinNet, one_thread, twin_nets
from limitset.instruments.weights.flatness import VERSION as FLATNESS
from limitset.instruments.weights.reparametrisation import VERSION as REPARAMETRISATION
from limitset.studies.rewritten_nets import (
    REWRITTEN_VERSION,
    absolute_ratio,
    change_slopes,
    flatness_ratio,
    layer_ratios,
    reordered_units,
    rescaled_units,
    weights_of,
)

SEED: Final = 20_200
"""Noises were chosen on seed 907, which no counted run uses."""
NETS: Final = {Tier.QUICK: 8, Tier.NORMAL: 24}
HELD_OUT: Final = 500
STEPS: Final = 800
FACTOR: Final = 10.0
ABSOLUTE: Final = 0.05
RELATIVE: Final = 0.1
SMALL: Final = (0.001, 0.003, 0.01, 0.03)
"""Noises of the slope, relative to the norm of each tensor: up to a third of that of the flatness."""
DRAWS: Final = 16
NULL: Final = (0.8, 1.25)
PLANTED: Final = 2.0
QUADRATIC: Final = 1.5


def run(trial: Trial) -> Evidence:
    """Train nets, write them anew, and shake them."""
    nets = NETS[PROTOCOL.tier_or_next(trial.tier)]
    seed = SEED + trial.seed
    trial.say(f"training {nets} nets")
    made = twin_nets(kind="true", seed=seed, nets=nets, steps=STEPS)
    streams = Streams(seed).child("rewritten")
    drawings = draw_sums(HELD_OUT, rng=streams.generator("held out"))
    trial.say("shaking their weights")
    with one_thread():
        return evidence_of(made, drawings, confidence=trial.confidence, streams=streams)


def evidence_of(
    nets: Sequence[TwinNet], drawings: Drawings, *, confidence: float, streams: Streams
) -> Evidence:
    """Measure nets that are at hand.

    Parameters
    ----------
    nets
        Trained nets.
    drawings
        Unseen drawings.
    confidence
        Coverage of every interval.
    streams
        Draws noise, factors and orders.
    """
    layers = np.array([_layers(net, drawings, streams) for net in nets])
    slopes = np.array(
        [change_slopes(net, drawings, noises=SMALL, draws=DRAWS, streams=streams) for net in nets]
    )
    units, doubled, reordered = (
        np.array([one(net, drawings, streams) for net in nets]) for one in (_units, _doubled, _reordered)
    )

    def ratio(name: str, values: np.ndarray) -> Measurement:
        return _over_nets(name, np.log(values), confidence, scale="log")

    null, planted = ratio("reordered", reordered), ratio("doubled", doubled)
    quadratic = _over_nets("loss slope", slopes[:, 1], confidence)
    return Evidence(
        estimates={
            "absolute_ratio": ratio("absolute_ratio", layers[:, 0]),
            "relative_ratio": ratio("relative_ratio", layers[:, 1]),
            "unit_ratio": ratio("unit_ratio", units),
            "change_slope": _over_nets("change_slope", slopes[:, 0], confidence),
        },
        controls=(
            Control(
                name="relative flatness sees noise of twice the size",
                kind="positive",
                passed=planted.low > PLANTED,
                measured=planted,
                wanted=f"above {PLANTED:g}",
            ),
            Control(
                name="the rise of the loss about a minimum grows faster than the noise",
                kind="positive",
                passed=quadratic.low > QUADRATIC,
                measured=quadratic,
                wanted=f"slope above {QUADRATIC:g}",
            ),
            Control(
                name="the units in another order: absolute flatness stays",
                kind="negative",
                passed=NULL[0] < null.low and null.high < NULL[1],
                measured=null,
                wanted=f"between {NULL[0]:g} and {NULL[1]:g}",
            ),
        ),
        scope=Scope.TOY,
        system=f"{len(nets)} small nets (14-128-128-10, sums of drawn digits), layers rescaled by {FACTOR:g}",
        rows=tuple(
            {"net": net.number, "absolute": float(one[0]), "relative": float(one[1]), "by unit": float(unit)}
            for net, one, unit in zip(nets[:4], layers, units, strict=False)
        ),
        notes=(
            "intervals are over nets; ratios are of the expected rise of the loss, rewritten net over net",
        ),
    )


def _layers(net: TwinNet, drawings: Drawings, streams: Streams) -> tuple[float, float]:
    return layer_ratios(
        net, drawings, factor=FACTOR, absolute=ABSOLUTE, relative=RELATIVE, draws=DRAWS, streams=streams
    )


def _units(net: TwinNet, drawings: Drawings, streams: Streams) -> float:
    rng = streams.child("factors").generator(net.number)
    factors = FACTOR ** rng.uniform(-1, 1, twins.WIDTH)
    rewritten = rescaled_units(weights_of(net), factors)
    return flatness_ratio(
        net, drawings, rewritten, noise=RELATIVE, other_noise=RELATIVE, draws=DRAWS, streams=streams
    )


def _doubled(net: TwinNet, drawings: Drawings, streams: Streams) -> float:
    return flatness_ratio(
        net, drawings, weights_of(net), noise=RELATIVE, other_noise=2 * RELATIVE, draws=DRAWS, streams=streams
    )


def _reordered(net: TwinNet, drawings: Drawings, streams: Streams) -> float:
    order = streams.child("order").generator(net.number).permutation(twins.WIDTH)
    rewritten = reordered_units(weights_of(net), order)
    return absolute_ratio(net, drawings, rewritten, noise=ABSOLUTE, draws=DRAWS, streams=streams)


def _over_nets(name: str, values: np.ndarray, confidence: float, *, scale: str = "") -> Measurement:
    n = values.size
    got = jackknife_interval(float(values.mean()), (values.sum() - values) / (n - 1), confidence=confidence)
    ends = np.array([got.value, got.low, got.high])
    value, low, high = (float(one) for one in (np.exp(ends) if scale == "log" else ends))
    return Measurement(
        instrument=f"rewritten nets.{name}",
        version=REWRITTEN_VERSION,
        level=Level.WEIGHTS,
        value=value,
        low=low,
        high=high,
        n=float(n),
        interval_method=f"t over nets{', log scale' if scale else ''}",
        confidence=confidence,
        parameters={"factor": FACTOR, "absolute": ABSOLUTE, "relative": RELATIVE, "draws": DRAWS},
    )


PROTOCOL: Final = Protocol(
    id="p02",
    title="Is flatness a property of what a net computes, or of how its weights are written?",
    run=run,
    statistics={
        "absolute_ratio": "rise of the loss under noise of one size, rescaled layers over the net itself",
        "relative_ratio": "the same under noise relative to the norm of each tensor",
        "unit_ratio": "relative noise, every unit of a layer on its own scale",
        "change_slope": "slope of log(change of the outputs) on log(noise on the weights), small noise",
    },
    instruments=(
        f"reparametrisation@{REPARAMETRISATION}",
        f"flatness@{FLATNESS}",
        f"rewritten nets@{REWRITTEN_VERSION}",
    ),
    data=(
        f"sums of two drawn digits, blur {sums.BLUR:g}",
        f"nets of width {twins.WIDTH}, {twins.LESSONS} drawings, batches of {twins.BATCH}, "
        f"rate {twins.PEAK_RATE:g}, decay {twins.DECAY:g}",
    ),
    seconds={Tier.QUICK: 12, Tier.NORMAL: 35},
    scope=Scope.TOY,
    confounds=("one factor of 10; nets with rectifiers, which can be rescaled without a change",),
)
