"""Can a judge repeat itself almost perfectly and still be right no more often than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.results import Measurement, Scalar
from limitset.datasets.anchored import anchored
from limitset.models.opening import open_model, resolve
from limitset.studies.judge_draws import (
    GRADES,
    RUBRICS,
    drawn_grades,
    factor_scores,
    grade_laws,
    graded_answers,
    judged,
)

SEED: Final = 1900
"""Added to the seed of a trial, so that no counted run repeats the draws of a pilot."""
MODEL: Final = "smollm2-135m-instruct"
ITEMS: Final = 300
DRAWS: Final = 100
TEMPERATURES: Final = (1.0, 0.7)
"""The first decides, with the first rubric."""
PLANTED: Final = 2000
LOADINGS: Final = (0.5, 0.6, 0.7, 0.8)
KNOWN: Final = 6.76 / 9.02
"""Omega of these loadings: (sum l)^2 / ((sum l)^2 + sum (1 - l^2))."""
RELIABLE, UNRELIABLE = Bar("above", (0.9,)), Bar("within", (-0.1, 0.1))
AT_CHANCE, OFF_CHANCE = Bar("within", (-0.1, 0.1)), Bar("outside", (-0.1, 0.1))


@dataclass(frozen=True, kw_only=True)
class _Size:
    rubrics: int


SIZES: Final = {Tier.QUICK: _Size(rubrics=1), Tier.NORMAL: _Size(rubrics=2)}


def run(trial: Trial) -> Evidence:
    """Let a model grade right and wrong answers many times, and say how reliable and how right it is."""
    size = SIZES[PROTOCOL.tier_or_next(trial.tier)]
    name = trial.model or MODEL
    source = resolve(name)
    model = open_model(name)
    questions = anchored().take(ITEMS, seed=SEED + trial.seed)
    graded = graded_answers(questions)
    found: dict[tuple[int, float], Mapping[str, Measurement]] = {}
    mass = []
    for rubric in range(size.rubrics):
        trial.say(f"{name} grades {len(graded.answers)} answers, rubric {rubric + 1}")
        laws, held = grade_laws(model, graded, rubric=rubric, style=source.style)
        mass.append(float(held.mean()))
        for warm in TEMPERATURES:
            rng = np.random.default_rng([SEED, trial.seed, rubric, round(10 * warm)])
            grades = drawn_grades(laws, draws=DRAWS, temperature=warm, rng=rng)
            found[rubric, warm] = judged(grades, graded.right, confidence=trial.confidence, rng=rng)
    trial.say("synthetic judges")
    return Evidence(
        estimates=found[0, TEMPERATURES[0]],
        controls=_controls(trial),
        scope=Scope.REAL,
        system=f"{source.identity} as judge; {len(graded.answers)} answers, {int(graded.right.sum())} right",
        rows=tuple(_row(rubric, warm, got) for (rubric, warm), got in found.items()),
        notes=(
            f"{DRAWS} grades an answer, drawn from the law of the next token over {' '.join(GRADES)}",
            f"the grades hold {mass[0]:.0%} of the mass of the next token on average; the rest is left out",
            "the first rubric at temperature 1 decides; the others stand in the rows",
            *questions.attributions(),
            *([source.attribution] if source.attribution else []),
        ),
        deviations=("accuracy has Wilson's interval over answers, not the jackknife",),
    )


def _row(rubric: int, warm: float, got: Mapping[str, Measurement]) -> dict[str, Scalar]:
    return {
        "rubric": RUBRICS[rubric],
        "temperature": warm,
        **{name: round(one.value, 4) for name, one in got.items()},
    }


def _controls(trial: Trial) -> tuple[Control, ...]:
    """Judges whose law of grades is known, on 2,000 answers."""
    rng = np.random.default_rng([SEED, trial.seed])
    right = np.arange(PLANTED) % 2 == 0
    steps = np.linspace(-2.0, 2.0, len(GRADES))

    def judge(leaning: np.ndarray) -> Mapping[str, Measurement]:
        grades = drawn_grades(leaning[:, None] * steps, draws=DRAWS, temperature=1.0, rng=rng)
        return judged(grades, right, confidence=trial.confidence, rng=rng)

    planted = factor_scores(LOADINGS, items=PLANTED, rng=rng, confidence=trial.confidence)
    blind = judge(rng.normal(size=PLANTED))
    coins = judge(np.zeros(PLANTED))
    knows = judge(np.where(right, 1.0, -1.0) + 0.5 * rng.normal(size=PLANTED))
    tossed = coins["omega"]
    return (
        Control(
            name="raters with loadings .5, .6, .7, .8, whose omega is .749",
            kind="positive",
            passed=abs(planted.value - KNOWN) <= 0.02,
            measured=planted,
            wanted="omega within 0.02 of 0.749",
            guards=("omega",),
        ),
        Control(
            name="a judge that grades by what has nothing to do with truth",
            kind="positive",
            passed=RELIABLE.holds(blind["omega"].low, blind["omega"].high),
            measured=blind["omega"],
            wanted=f"omega {RELIABLE}",
            guards=("omega",),
        ),
        Control(
            name="a judge that tosses coins",
            kind="negative",
            passed=bool(UNRELIABLE.holds(tossed.value, tossed.value)) or tossed.blank,
            measured=tossed,
            wanted=f"omega {UNRELIABLE}, or none",
            guards=("omega",),
        ),
        Control(
            name="a judge that grades by what has nothing to do with truth",
            kind="positive",
            passed=AT_CHANCE.holds(blind["above_chance"].low, blind["above_chance"].high),
            measured=blind["above_chance"],
            wanted=f"above_chance {AT_CHANCE}",
            guards=("above_chance",),
        ),
        Control(
            name="a judge that knows the answers",
            kind="negative",
            passed=OFF_CHANCE.holds(knows["above_chance"].low, knows["above_chance"].high),
            measured=knows["above_chance"],
            wanted=f"above_chance {OFF_CHANCE}",
            guards=("above_chance",),
        ),
    )


PROTOCOL: Final = Protocol(
    id="p19",
    title="Can a judge repeat itself almost perfectly and still be right no more often than chance?",
    run=run,
    statistics={
        "omega": "reliability of the mean of 100 grades (McDonald's omega over 10 parcels of 10)",
        "one_draw": "reliability of one grade",
        "above_chance": "share of answers that the mean grade, cut at its median, tells apart, less .5",
    },
    instruments=("omega_total@1", "reliability@1", "judge_draws@1"),
    data=("anchored questions sha256 e7d49e0386bc", "smollm2-135m-instruct sha256 b179c9523d0e"),
    seconds={Tier.QUICK: 60, Tier.NORMAL: 120},
    scope=Scope.REAL,
    accepts=("model",),
    confounds=(
        "grades are drawn from the law of the next token: a judge that writes its reasons first is another",
        "half of the wrong answers are popular ones, which a weak judge may take for right",
    ),
)
