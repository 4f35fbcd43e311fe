"""Does a greedy answer come back in another setting, and how often does a fresh draw differ from it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.errors import InputError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.provenance import sha256_of
from limitset.core.results import Measurement, Scalar
from limitset.datasets.questions import QuestionSet
from limitset.logs.replies import read_replies
from limitset.models.opening import resolve
from limitset.studies.first_look import chosen_questions
from limitset.studies.fresh_draws import (
    Setting,
    flip_share,
    flipped,
    fresh_differs,
    greedy_replies,
    logged,
    said,
)
from limitset.studies.small_looks import look_spec, looked

SEED: Final = 2000
"""Added to the seed of a trial, so that no counted run repeats the draws of a pilot."""
MODEL: Final = "smollm2-135m-instruct"
DRAWS: Final = 8
NOISY: Final = 80
"""Questions of the control with noise on the logits."""
NOISE: Final = 0.5
PLANTED: Final = 2000
STEADY, FLIPS = Bar("below", (0.01,)), Bar("above", (0.05,))
DIFFERS, AGREES = Bar("above", (0.05,)), Bar("below", (0.05,))
QUARTER: Final = Bar("within", (0.23, 0.27))
"""Of answer shares uniform on (0, 1) a quarter of fresh draws differ from the likelier answer."""


@dataclass(frozen=True, kw_only=True)
class _Size:
    drawn: int
    greedy: int
    settings: tuple[Setting, ...]


_FIRST: Final = Setting()
_SHUFFLED: Final = Setting(batch=8, order=1)
SIZES: Final = {
    Tier.QUICK: _Size(drawn=160, greedy=40, settings=(_FIRST, _SHUFFLED)),
    Tier.NORMAL: _Size(
        drawn=356,
        greedy=356,
        settings=(_FIRST, Setting(threads=2), _SHUFFLED, Setting(precision="bfloat16")),
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Replies:
    by_setting: np.ndarray
    draws: np.ndarray
    greedy: np.ndarray
    again: np.ndarray
    """One setting twice: what the greedy replies say, (2, q)."""
    noisy: np.ndarray
    """One setting without and with noise."""
    right: Mapping[str, np.ndarray]
    system: str
    rows: tuple[dict[str, Scalar], ...]
    notes: tuple[str, ...]
    deviations: tuple[str, ...]


def run(trial: Trial) -> Evidence:
    """Ask greedily in several settings and draw afresh, or read a file that holds both."""
    got = _read(trial) if trial.logs is not None else _measured(trial)
    level = trial.confidence
    return Evidence(
        estimates={
            "flip_share": flip_share(got.by_setting, confidence=level),
            "fresh_differs": fresh_differs(got.greedy, got.draws, confidence=level),
            **{name: _mean(name, values, confidence=level) for name, values in got.right.items()},
        },
        controls=_controls(got, trial),
        scope=Scope.REAL,
        system=got.system,
        rows=got.rows,
        notes=got.notes,
        deviations=got.deviations,
    )


def _mean(name: str, values: np.ndarray, *, confidence: float) -> Measurement:
    """Share of what is, by question: the chance that a draw differs from what is not."""
    nothing = np.zeros(values.shape[0], dtype=object)
    return fresh_differs(nothing, values.astype(object), confidence=confidence, name=name)


def _measured(trial: Trial) -> _Replies:
    size = SIZES[PROTOCOL.tier_or_next(trial.tier)]
    name = trial.model or MODEL
    resolve(name)  # refuses before anything is asked
    spec = look_spec([name], questions=size.drawn, seeds=DRAWS, seed=SEED + trial.seed)
    trial.say(f"drawing from {name}")
    look = looked(spec, trial.folder, date=trial.date, say=trial.say)
    chosen = chosen_questions(spec)
    questions = chosen if size.greedy >= len(chosen) else chosen.take(size.greedy, seed=SEED + trial.seed)
    by_setting: dict[str, Any] = {}
    for setting in size.settings:
        trial.say(f"greedy answers: {setting.words}")
        by_setting[setting.words] = greedy_replies(name, questions, setting)
    few = questions.take(NOISY, seed=SEED + trial.seed)
    trial.say("controls: one setting again, and with noise on the logits")
    again = greedy_replies(name, questions, _FIRST)
    noisy = greedy_replies(name, few, Setting(noise=NOISE), seed=SEED + trial.seed)
    first = by_setting[_FIRST.words]
    greedy, draws, right = _by_question(look.answers, chosen)
    words = "; ".join(by_setting)
    return _Replies(
        by_setting=np.array([_told(one, questions) for one in by_setting.values()]),
        draws=draws,
        greedy=greedy,
        again=np.array([_told(first, questions), _told(again, questions)]),
        noisy=np.array([_told(first, few), _told(noisy, few)]),
        right=right,
        system=look.system,
        rows=flipped(by_setting, questions),
        notes=(
            f"greedy in {len(by_setting)} settings on {len(questions)} questions: {words}",
            f"{DRAWS} draws at temperature 0.7 on {len(chosen)} questions, first wording",
            *look.attributions,
        ),
        deviations=(
            "one model and one wording; draws at temperature 0.7 only",
            "one setting was repeated once, not twenty times",
        ),
    )


def _told(replies: Mapping[str, Any], questions: QuestionSet) -> np.ndarray:
    kept = [replies[item] for item in questions.questions]
    return said([one[0].text for one in kept], [one[1] for one in kept])


def _by_question(ends: Any, questions: QuestionSet) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return what the greedy reply and the draws of each question say, and which are right or silent."""
    items = {item: row for row, item in enumerate(questions.questions)}
    row = np.array([items[str(item)] for item in ends.texts("item")])
    silent = np.array([one is None for one in ends.texts("end")])
    told = said([one or "" for one in ends.texts("text")], [one or None for one in ends.texts("end")])
    still = ends.numbers("greedy") == 1
    right = np.where(silent, 0.0, ends.numbers("right"))
    seed = ends.numbers("seed").astype(np.int64)

    def table(values: np.ndarray) -> np.ndarray:
        out = np.full((len(items), DRAWS), None, dtype=object)
        out[row[~still], seed[~still]] = values[~still]
        return out

    def column(values: np.ndarray) -> np.ndarray:
        out = np.full(len(items), None, dtype=object)
        out[row[still]] = values[still]
        return out

    return (
        column(told),
        table(told),
        {
            "greedy_right": column(right)[:, None],
            "draw_right": table(right),
            "draw_silent": table(silent.astype(np.float64)),
        },
    )


def _read(trial: Trial) -> _Replies:
    if trial.logs is None:
        raise InputError.of(expected="a file of replies", got="none", fix="Name one.")
    got = read_replies(trial.logs)
    repeats, draws = logged(got.ends)
    rng = np.random.default_rng([SEED, trial.seed])
    kinds = rng.normal(size=(PLANTED, 4)) * 2
    noisy = [(kinds + NOISE * rng.normal(size=kinds.shape)).argmax(axis=1).astype(str) for _ in range(2)]
    return _Replies(
        by_setting=repeats,
        draws=draws,
        greedy=repeats[0],
        again=np.array([repeats[0], repeats[0]]),
        noisy=np.array(noisy, dtype=object),
        right={},
        system=f"{trial.logs.name} sha256 {sha256_of(trial.logs)}; {repeats.shape[1]} greedy answers",
        rows=(),
        notes=(*got.notes, f"{repeats.shape[0]} greedy replies a question, model and wording"),
        deviations=("what a file calls greedy may have been computed in one setting or in several",),
    )


def _controls(got: _Replies, trial: Trial) -> tuple[Control, ...]:
    rng = np.random.default_rng([SEED, trial.seed, 1])
    chance = rng.random(PLANTED)
    likelier = np.where(chance > 0.5, "a", "b").astype(object)
    drawn = np.where(rng.random((PLANTED, DRAWS)) < chance[:, None], "a", "b").astype(object)
    planted = fresh_differs(likelier, drawn, confidence=trial.confidence)
    itself = fresh_differs(likelier, likelier[:, None], confidence=trial.confidence)
    noisy = flip_share(got.noisy, confidence=trial.confidence)
    again = flip_share(got.again, confidence=trial.confidence)
    flips = int((got.again[0] != got.again[1]).sum())
    return (
        Control(
            name=f"noise of {NOISE} on the logits",
            kind="positive",
            passed=FLIPS.holds(noisy.low, noisy.high),
            measured=noisy,
            wanted=f"flip_share {FLIPS}",
            guards=("flip_share",),
        ),
        Control(
            name="one setting against itself",
            kind="negative",
            passed=flips == 0,
            measured=again,
            wanted="no flip at all",
            guards=("flip_share",),
        ),
        Control(
            name="planted answer shares, uniform on (0, 1)",
            kind="positive",
            passed=DIFFERS.holds(planted.low, planted.high) and QUARTER.holds(planted.value, planted.value),
            measured=planted,
            wanted=f"fresh_differs {QUARTER}",
            guards=("fresh_differs",),
        ),
        Control(
            name="greedy answers against themselves",
            kind="negative",
            passed=AGREES.holds(itself.low, itself.high),
            measured=itself,
            wanted=f"fresh_differs {AGREES}",
            guards=("fresh_differs",),
        ),
    )


PROTOCOL: Final = Protocol(
    id="p20",
    title="Does a greedy answer come back in another setting, and how often do fresh draws differ from it?",
    run=run,
    statistics={
        "flip_share": "chance that two settings of the machine give different greedy answers to a question",
        "fresh_differs": "chance that a draw at temperature 0.7 gives another answer than the greedy one",
        "greedy_right": "share of greedy answers that are right",
        "draw_right": "share of draws that are right",
        "draw_silent": "share of draws that give no answer",
    },
    instruments=("fresh_draws@1", "canonicaliser@2", "sampling@1"),
    data=("anchored questions sha256 e7d49e0386bc", "smollm2-135m-instruct sha256 b179c9523d0e"),
    seconds={Tier.QUICK: 60, Tier.NORMAL: 600},
    scope=Scope.REAL,
    accepts=("model", "logs"),
    confounds=(
        "replies without an answer are the same only where their texts are",
        "settings of one machine: kernels of a GPU and servers under load are others",
    ),
)
