"""Which scores tell nets that learned the truth from nets that learned a falsehood?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from limitset.core.errors import UndefinedError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.datasets.planted import sums, twins
from limitset.datasets.planted.sums import Drawings
from limitset.datasets.planted.twin_control import VERSION as TWINS
from limitset.datasets.planted.twin_control import Band, TwinControl, false_twin_control
from limitset.datasets.planted.twins import TwinNet, TwinPanel, one_thread, twin_nets, twin_panel
from limitset.instruments.alignment.cka import VERSION as CKA
from limitset.instruments.dynamics.perturbation import VERSION as PERTURBATION
from limitset.instruments.dynamics.perturbation import perturbation_stability
from limitset.instruments.weights.flatness import VERSION as FLATNESS
from limitset.studies.beside_the_path import BESIDE_VERSION, also_beside, beside_ratios
from limitset.studies.demo import BANDS, NOISE, SHAKE, controls_of

SEED: Final = 20_100
"""The bars were fixed on seeds 901 to 905, which no counted run uses."""
NETS: Final = {Tier.QUICK: 10, Tier.NORMAL: 24}
HELD_OUT: Final = 2000
STEPS: Final = 800
EARLY: Final = 400
"""Steps of the nets whose flatness is compared at one loss. In the pilot the ratio was 1.08 there; at 200
steps .86 and at 100 steps, where the loss is 1.3 nats, .49: what has hardly been trained is flatter."""
BARELY: Final = 40
"""Steps of the nets planted for the stability: a tenth of their answers changed with the input in the pilot,
of trained nets 1.5 %, of untrained nets 4 %."""
FLATTER: Final = 0.8
"""Two flatnesses within a fifth of each other count as equal."""
NULL_BAND: Final = 0.05
"""Two batches of true nets may differ by as much in accuracy."""

GAPS: Final = {
    "flatness_ratio": "flatness",
    "stability_gap": "stability",
    "agreement_gap": "agreement",
    "confidence_gap": "confidence",
    "alignment_gap": "alignment",
    "accuracy_gap": "accuracy",
}


def run(trial: Trial) -> Evidence:
    """Train true, false and untrained nets, and put every score to them."""
    nets = NETS[PROTOCOL.tier_or_next(trial.tier)]
    seed = SEED + trial.seed
    with one_thread():
        panel = twin_panel(seed=seed, nets=nets, held_out=HELD_OUT, steps=STEPS, progress=trial.say)
        trial.say(f"training {nets} nets for {EARLY} steps only, and {nets} true nets once more")
        early = twin_nets(kind="true", seed=seed, nets=nets, steps=EARLY)
        others = twin_nets(kind="true", seed=seed + 50_000, nets=nets, steps=STEPS)
        barely = twin_nets(kind="true", seed=seed, nets=nets, steps=BARELY)
        return evidence_of(panel, early, others=others, barely=barely, confidence=trial.confidence)


def evidence_of(
    panel: TwinPanel,
    early: tuple[TwinNet, ...],
    *,
    others: tuple[TwinNet, ...],
    barely: tuple[TwinNet, ...],
    confidence: float,
) -> Evidence:
    """Measure nets that are at hand.

    Parameters
    ----------
    panel
        True, false and untrained nets.
    early
        The true nets of the panel, stopped before their end.
    others
        True nets of other draws, for the null.
    barely
        Nets that training has hardly touched, less stable than trained ones.
    confidence
        Coverage of every interval.
    """
    scores = controls_of(panel, confidence=confidence)
    planted = controls_of(posing(panel, panel.of("untrained")), confidence=confidence)
    planted["stability"] = false_twin_control(
        _stability, posing(panel, barely), name="stability", band=BANDS["stability"], confidence=confidence
    )
    null = false_twin_control(
        TwinNet.accuracy,
        posing(panel, others),
        name="accuracy",
        band=Band(low=-NULL_BAND, high=NULL_BAND, least=0.0, most=1.0),
        confidence=confidence,
    )
    return Evidence(
        estimates={
            **{name: _plain(scores[score].gap) for name, score in GAPS.items()},
            "beside_ratio": _beside(panel, early, confidence),
        },
        controls=(*_planted(planted), _null(null), *_beside_controls(panel, early, barely, confidence)),
        scope=Scope.TOY,
        system=f"true and false twins, {len(early)} nets of each kind (14-128-128-10; sums of drawn digits)",
        rows=tuple(_row(kind, scores) for kind in ("true", "false", "untrained")),
        notes=(
            "intervals are over nets; false nets learn a renaming of the ten answers that leaves none right",
        ),
    )


def posing(panel: TwinPanel, nets: tuple[TwinNet, ...]) -> TwinPanel:
    """Return the panel with other nets in the place of the false ones."""
    posed = tuple(replace(net, kind="false") for net in nets)
    return TwinPanel(
        nets=(*panel.of("true"), *posed, *panel.of("untrained")), held_out=panel.held_out, seed=panel.seed
    )


def _beside(panel: TwinPanel, early: tuple[TwinNet, ...], confidence: float) -> Measurement:
    ratios = beside_ratios(
        early, panel.of("true"), panel.held_out, noise=NOISE, streams=Streams(panel.seed).child("beside")
    )
    logs = np.log(ratios)
    n = logs.size
    got = jackknife_interval(float(logs.mean()), (logs.sum() - logs) / (n - 1), confidence=confidence)
    return Measurement(
        instrument="beside the path",
        version=BESIDE_VERSION,
        level=Level.WEIGHTS,
        value=float(np.exp(got.value)),
        low=float(np.exp(got.low)),
        high=float(np.exp(got.high)),
        n=float(n),
        interval_method="t over nets, log scale",
        confidence=confidence,
        parameters={"noise": NOISE, "early": EARLY, "steps": STEPS},
    )


def _stability(net: TwinNet, drawings: Drawings) -> float:
    rng = Streams(SEED).child("planted stability").generator(net.number)
    return perturbation_stability(net.predict, drawings.inputs, size=SHAKE, rng=rng).share.value


def _planted(scores: Mapping[str, TwinControl]) -> tuple[Control, ...]:
    """Name the differences that the scores have to see."""
    bars = {"flatness": 1 / 1.25, "stability": -0.03, "agreement": -0.03, "alignment": -0.03}
    return tuple(
        Control(
            name=f"{'barely trained' if score == 'stability' else 'untrained'} nets in the place of the "
            f"false ones differ in {score}",
            kind="positive",
            passed=bool(scores[score].gap.high < bar),
            measured=_plain(scores[score].gap),
            wanted=f"below {bar:g}",
            guards=tuple(GAPS),
        )
        for score, bar in bars.items()
    )


def _null(found: TwinControl) -> Control:
    return Control(
        name="true nets of other draws in the place of the false ones: equal accuracy",
        kind="negative",
        passed=bool(found.gap.low > -NULL_BAND and found.gap.high < NULL_BAND),
        measured=_plain(found.gap),
        wanted=f"between {-NULL_BAND:g} and {NULL_BAND:g}",
        guards=tuple(GAPS),
    )


def _beside_controls(
    panel: TwinPanel, early: tuple[TwinNet, ...], barely: tuple[TwinNet, ...], confidence: float
) -> tuple[Control, ...]:
    """Plant nets that are flatter than their partners, and nets that are none the flatter."""
    try:
        flat = _beside(panel, barely, confidence)
    except UndefinedError as reason:  # no hardly trained nets: nothing was planted
        flat = Measurement(
            instrument="beside the path",
            version=BESIDE_VERSION,
            level=Level.WEIGHTS,
            value=UNDEFINED,
            blank_reason=f"{reason}",
        )
    streams = Streams(panel.seed).child("planted beside")
    alike = _beside(
        panel,
        tuple(
            also_beside(net, later, panel.held_out, rng=streams.generator(net.number))
            for net, later in zip(early, panel.of("true"), strict=True)
        ),
        confidence,
    )
    return (
        Control(
            name="barely trained nets, flatter in the pilot, are flatter than nets beside their path",
            kind="positive",
            passed=bool(flat.high < FLATTER),
            measured=flat,
            wanted=f"below {FLATTER:g}",
            guards=("beside_ratio",),
        ),
        Control(
            name="nets pushed beside the path in the place of those that training reached",
            kind="negative",
            passed=bool(alike.low > FLATTER),
            measured=alike,
            wanted=f"above {FLATTER:g}",
            guards=("beside_ratio",),
        ),
    )


def _plain(gap: Measurement) -> Measurement:
    """Return the gap with numbers of Python, as files and bars take them."""
    return replace(gap, value=float(gap.value), low=float(gap.low), high=float(gap.high))


def _row(kind: str, scores: Mapping[str, TwinControl]) -> dict[str, str | float]:
    names = [*GAPS.values(), "as taught"]
    return {"nets": kind, **{name: scores[name].values.one(kind=kind, score=name).value for name in names}}


PROTOCOL: Final = Protocol(
    id="p01",
    title="Which scores tell nets that learned the truth from nets that learned a falsehood?",
    run=run,
    statistics={
        "flatness_ratio": "flatness of false nets over that of true nets, noise relative to the weights",
        "stability_gap": "share of answers that survive a shaken input, false less true nets",
        "agreement_gap": "share of answers on which two nets of one kind agree, false less true nets",
        "confidence_gap": "mean chance given to the preferred answer, false less true nets",
        "alignment_gap": "alignment with true nets (linear CKA), false less true nets",
        "accuracy_gap": "share of answers right by the anchor, false less true nets",
        "beside_ratio": "flatness of trained nets over that of nets of the same loss beside their path",
    },
    instruments=(
        f"twins@{TWINS}",
        f"flatness@{FLATNESS} noise {NOISE:g}",
        f"perturbation@{PERTURBATION} size {SHAKE:g}",
        f"linear_cka@{CKA}",
        f"beside the path@{BESIDE_VERSION}",
    ),
    data=(
        f"sums of two drawn digits, blur {sums.BLUR:g}",
        f"nets of width {twins.WIDTH}, {twins.LESSONS} drawings, batches of {twins.BATCH}, "
        f"rate {twins.PEAK_RATE:g}, decay {twins.DECAY:g}",
    ),
    seconds={Tier.QUICK: 40, Tier.NORMAL: 125},
    scope=Scope.TOY,
    confounds=(
        "one architecture, one task of ten answers, one falsehood a run",
        "the falsehood renames answers one by one: falsehoods that are harder to learn than the truth would "
        "be told apart by every score",
    ),
)
