"""When runs agree, are they right more often than chance agreement would make them?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.items import Items
from limitset.core.provenance import sha256_of
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies, tallied
from limitset.datasets.planted.panels import World, independent_world, mixture_world, planted_tallies
from limitset.logs.replies import read_replies
from limitset.models.opening import resolve
from limitset.studies.agreed_panels import AgreedPanel, agreed_falsehoods, agreed_panel
from limitset.studies.small_looks import look_spec, looked

K: Final = 4
"""Runs that agree: a vote of this size is what practice calls self-consistency at its cheapest."""
SEED: Final = 3900
"""Added to the seed of a trial, so that no counted run repeats the draws of a pilot."""


@dataclass(frozen=True, kw_only=True)
class _Size:
    models: tuple[str, ...]
    questions: int
    wordings: int
    seeds: int


SIZES: Final = {
    Tier.QUICK: _Size(models=("smollm2-135m-instruct",), questions=150, wordings=1, seeds=8),
    Tier.NORMAL: _Size(models=("smollm2-135m-instruct", "gemma-3-270m"), questions=356, wordings=2, seeds=8),
}
EXCESS_BAR: Final = Bar("above", (0.02,))
SURVIVES, REMOVED = Bar("above", (0.5,)), Bar("below", (0.5,))
COMPARED: Final = 2
"""A gap between models is one between two."""
TRUER, UNLIKE = Bar("above", (0.05,)), Bar("outside", (-0.05, 0.05))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Replies:
    ends: Ends
    items: Items
    system: str
    notes: tuple[str, ...]


def run(trial: Trial) -> Evidence:
    """Ask (or read) many runs of keyed questions, and judge what their agreement is worth."""
    asked = _read(trial) if trial.logs is not None else _asked(trial)
    tallies = tallied(asked.ends, asked.items)
    trial.say("what agreement is worth, against its nulls")
    found = agreed_panel(
        tallies, k=K, confidence=trial.confidence, rng=np.random.default_rng([SEED, trial.seed])
    )
    trial.say("planted panels of the same size")
    return Evidence(
        estimates=found.estimates,
        controls=_controls(tallies, found, trial),
        scope=Scope.REAL,
        system=asked.system,
        curve=found.curve,
        rows=agreed_falsehoods(asked.ends, asked.items, tallies),
        notes=(
            f"agreement of {found.k} runs that differ by {found.source}",
            *asked.notes,
        ),
        deviations=() if found.k == K else (f"{found.k} runs agree at most, not {K}",),
    )


def _asked(trial: Trial) -> _Replies:
    size = SIZES[PROTOCOL.tier_or_next(trial.tier)]
    models = (trial.model,) if trial.model else size.models
    for model in models:
        resolve(model)  # refuses before anything is asked
    trial.say(f"asking {' and '.join(models)}")
    look = looked(
        look_spec(
            models,
            questions=size.questions,
            wordings=size.wordings,
            seeds=size.seeds,
            seed=SEED + trial.seed,
        ),
        trial.folder,
        date=trial.date,
        say=trial.say,
    )
    return _Replies(ends=look.answers, items=look.items, system=look.system, notes=look.attributions)


def _read(trial: Trial) -> _Replies:
    if trial.logs is None:
        raise InputError.of(expected="a file of replies", got="none", fix="Name one.")
    got = read_replies(trial.logs)
    keyed = int(got.items.has_anchor().sum())
    if keyed < len(got.items):
        raise InputError.of(
            expected=f"every question of {trial.logs} must have a key: agreement alone cannot tell a true "
            "consensus from a false one",
            got=f"{keyed} keys for {len(got.items)} questions",
            fix="Add a column key with the right answer of each question.",
        )
    questions = len(got.items)
    return _Replies(
        ends=got.ends,
        items=got.items,
        system=f"{trial.logs.name} sha256 {sha256_of(trial.logs)}; {questions} questions",
        notes=got.notes,
    )


def _controls(tallies: Tallies, found: AgreedPanel, trial: Trial) -> tuple[Control, ...]:
    """Planted panels with as many questions, systems, wordings and runs as were measured.

    Each guards one statistic: a table too small for one of them may still show another.
    """
    systems = list(dict.fromkeys(str(name) for name in tallies.systems))
    shape = {"models": len(systems), "paraphrases": max(tallies.systems.size // len(systems), 1)}
    seeds = max(int(np.median(tallies.runs[tallies.runs > 0])), 1)

    def panel(world: World, number: int) -> AgreedPanel:
        rng = np.random.default_rng([SEED, trial.seed, number])
        planted = planted_tallies(world, questions=tallies.items.size, seeds=seeds, rng=rng)
        return agreed_panel(planted, k=found.k, confidence=trial.confidence, rng=rng)

    def control(name: str, kind: str, measured: Measurement, wanted: Bar, *, holds: bool = True) -> Control:
        beyond = wanted.holds(measured.low, measured.high)
        return Control(
            name=name,
            kind=kind,
            passed=beyond is holds,
            measured=measured,
            wanted=f"{wanted}" if holds else f"not wholly {wanted}",
        )

    traps = panel(mixture_world(weights=(0.2, 0.5, 0.3), dispersed=20, trap=(0.05, 0.9), **shape), 1)
    alone = panel(independent_world(accuracy=0.6, wrong_classes=4, **shape), 2)
    alike = panel(independent_world(accuracy=0.25, wrong_classes=3, **shape), 3)
    groups: dict[tuple[str, ...], tuple[Control, ...]] = {
        ("excess", "wrong_when_unanimous", "null"): (
            control(
                "a popular falsehood in 3 of 10 questions", "positive", traps.estimates["excess"], EXCESS_BAR
            ),
            control(
                "runs that share nothing", "negative", alone.estimates["excess"], EXCESS_BAR, holds=False
            ),
        ),
        ("surviving_share",): (
            control(
                "a vote where most share a falsehood or scatter removes nothing",
                "negative",
                traps.estimates["surviving_share"],
                SURVIVES,
            ),
            control("a vote among independent runs", "positive", alone.estimates["surviving_share"], REMOVED),
        ),
        ("truth_gap",): (
            control("larger ends that are truer", "positive", alone.estimates["truth_gap"], TRUER),
            control(
                "ends that are all as true", "negative", alike.estimates["truth_gap"], UNLIKE, holds=False
            ),
        ),
    }
    if len(systems) == COMPARED:
        apart = panel(_unequal(**shape), 4)
        groups["model_gap",] = (
            control(
                "two systems, right in .7 and .5 of runs", "positive", apart.estimates["model_gap"], TRUER
            ),
            control("two systems alike", "negative", alone.estimates["model_gap"], UNLIKE, holds=False),
        )
    return tuple(replace(one, guards=guarded) for guarded, group in groups.items() for one in group)


def _unequal(*, models: int, paraphrases: int) -> World:
    shares = np.zeros((1, models, paraphrases, 4))
    shares[0, 0], shares[0, 1:] = [0.7, 0.1, 0.1, 0.1], [0.5, 0.2, 0.2, 0.1]
    return World(weights=np.ones(1), shares=shares, kinds=("all",))


PROTOCOL: Final = Protocol(
    id="p39",
    title="When runs agree, are they right more often than chance agreement would make them?",
    run=run,
    statistics={
        "excess": f"share wrong of {K} unanimous runs, less the chance level at each question's difficulty",
        "wrong_when_unanimous": f"share wrong of {K} unanimous runs",
        "null": "chance level at each question's difficulty, the higher of its two estimates",
        "surviving_share": "error of the vote of all runs over the error of one run",
        "truth_gap": "share of questions whose commonest end is right, less that of their other ends",
        "model_gap": "accuracy of the first model less that of the second",
    },
    instruments=(
        "wrong_when_unanimous@1",
        "unanimity_nulls@1",
        "surviving_error@1",
        "traps@1",
        "agreed_panels@1",
        "canonicaliser@2",
        "sampling@1",
    ),
    data=(
        "anchored questions sha256 e7d49e0386bc",
        "smollm2-135m-instruct sha256 b179c9523d0e",
        "gemma-3-270m sha256 a5fd3b62230a",
    ),
    seconds={Tier.QUICK: 40, Tier.NORMAL: 600},
    scope=Scope.REAL,
    accepts=("model", "logs"),
    confounds=(
        "about a third of the questions were chosen because a popular wrong answer exists",
        "two small models; larger ones may share fewer or other falsehoods",
    ),
)
