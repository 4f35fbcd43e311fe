"""Do language models compute, or match the template of a like question with one element more?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.results import Measurement
from limitset.models.opening import open_model, resolve
from limitset.models.response_cache import CachedModel, ResponseCache
from limitset.studies.fewer_items import (
    ARMS,
    Item,
    arms_table,
    asked,
    draw_items,
    fewer_items,
    telling_items,
)

SEED: Final = 2950
"""Added to the seed of a trial, so that no counted run repeats the lists of a pilot, nor those of the first
run (seed 2900), after which the statistics were chosen anew."""
DROP: Final = 0.2
"""Twenty points: less is what a harder or easier list of the same length does."""
FLOOR: Final = 0.25
"""One element in four, named blindly: what cannot do more has nothing to lose."""
FLOOR_FEWER: Final = 1 / 3
"""One element in three."""
HARM: Final = ("twin_harm", "stale_excess", "stale_beyond_copying")
STALE: Final = 0.1
"""One wrong reply in ten beyond chance is the answer of the template."""


@dataclass(frozen=True, kw_only=True)
class _Size:
    models: tuple[str, ...]
    items: int


SIZES: Final = {
    Tier.QUICK: _Size(models=("smollm2-135m-instruct",), items=12),
    Tier.NORMAL: _Size(models=("smollm2-135m-instruct", "gemma-3-270m"), items=50),
}


def run(trial: Trial) -> Evidence:
    """Ask lists of N and of N - 1 elements, with the twin among the worked examples and without."""
    size = SIZES[PROTOCOL.tier_or_next(trial.tier)]
    models = (trial.model,) if trial.model else size.models
    sources = [resolve(model) for model in models]
    items: list[Item] = []
    replies: dict[str, list[str]] = {arm: [] for arm in ARMS}
    for place, (model, source) in enumerate(zip(models, sources, strict=True)):
        trial.say(f"asking {source.name}")
        own = draw_items(size.items, rng=np.random.default_rng([SEED, trial.seed, place]))
        with ResponseCache(trial.folder / "replies.sqlite") as cache:
            got = asked(CachedModel(open_model(model), cache), own, style=source.style, seed=trial.seed)
        items += own
        for arm in ARMS:
            replies[arm] += got[arm]
    estimates = fewer_items(items, replies, confidence=trial.confidence)
    return Evidence(
        estimates=estimates,
        controls=(*_floors(estimates), *_controls(items, trial)),
        scope=Scope.REAL,
        system=f"{' and '.join(source.identity for source in sources)}; {len(items)} lists",
        curve=arms_table(items, replies, confidence=trial.confidence),
        rows=telling_items(items, replies),
        notes=(
            "lists of four and of three elements, greedy replies, a list of four shown before its twin",
            *(source.attribution for source in sources if source.attribution),
        ),
    )


def _floors(found: Mapping[str, Measurement]) -> tuple[Control, ...]:
    """Ask of the models what the claims presuppose: that they do the task better than blind choice does."""
    return (
        _control(
            "the models do lists of N, not seen, better than by naming an element blindly",
            "positive",
            found["right_unseen"],
            Bar("above", (FLOOR,)),
            guards=(*HARM, "form_drop"),
        ),
        _control(
            "the models do lists of N - 1, twin not seen, better than by naming an element blindly",
            "positive",
            found["right_fewer_unseen"],
            Bar("above", (FLOOR_FEWER,)),
            guards=HARM,
        ),
    )


def _controls(items: list[Item], trial: Trial) -> tuple[Control, ...]:
    """Plant repliers on the same lists: some repeat templates, one computes, one copies, one guesses."""
    rng = np.random.default_rng([SEED, trial.seed, 99])
    template = {arm: [item.answer for item in items] for arm in ARMS}
    exact = {
        arm: [item.answer if arm in (ARMS[0], ARMS[3]) else item.twin_answer for item in items]
        for arm in ARMS
    }
    matcher = exact | {ARMS[1]: template[ARMS[1]]}  # computes, unless the twin of the list was shown
    copier = {
        arm: [item.answer if arm in ARMS[:2] else item.kind.answer(item.other) for item in items]
        for arm in ARMS
    }
    able = rng.random(len(items)) < 0.6
    # wrong replies of the guesser are answers of other lists of its kind: what the null describes
    guess = {
        arm: [exact[arm][at] if able[at] else _another(items, at, rng) for at in range(len(items))]
        for arm in ARMS
    }
    planted = {"template": template, "exact": exact, "matcher": matcher, "copier": copier, "guess": guess}
    found = {
        name: fewer_items(items, replies, confidence=trial.confidence) for name, replies in planted.items()
    }

    def seen(said: str, name: str, statistic: str, wanted: Bar) -> Control:
        return _control(said, "positive", found[name][statistic], wanted, guards=(statistic,))

    def unseen(said: str, name: str, statistic: str, wanted: Bar) -> Control:
        return _control(said, "negative", found[name][statistic], wanted, holds=False, guards=(statistic,))

    some, stale, fall = Bar("above", (0.0,)), Bar("above", (STALE,)), Bar("above", (DROP,))
    said = "computes, but gives the answer of N where the twin was shown"
    others = "wrong replies are answers of other lists"
    return (
        seen(said, "matcher", "twin_harm", some),
        seen(f"{said}: stale", "matcher", "stale_excess", stale),
        seen(f"{said}: not by copying", "matcher", "stale_beyond_copying", some),
        seen("always the answer of N", "template", "form_drop", fall),
        unseen("computes 6 of 10 answers", "guess", "twin_harm", some),
        unseen(others, "guess", "stale_excess", stale),
        unseen("always the answer of the list shown last", "copier", "stale_beyond_copying", some),
        unseen("computes every answer", "exact", "form_drop", fall),
    )


def _another(items: list[Item], at: int, rng: np.random.Generator) -> str:
    same = [one for one in items if one.kind.name == items[at].kind.name and one is not items[at]]
    return same[int(rng.integers(len(same)))].answer


def _control(
    name: str,
    kind: str,
    measured: Measurement,
    wanted: Bar,
    *,
    holds: bool = True,
    guards: tuple[str, ...],
) -> Control:
    return Control(
        name=name,
        kind=kind,
        passed=wanted.holds(measured.low, measured.high) is holds,
        measured=measured,
        wanted=f"{wanted}" if holds else f"not wholly {wanted}",
        guards=guards,
    )


PROTOCOL: Final = Protocol(
    id="p29",
    title="Do language models compute, or match the template of a like question with one element more?",
    run=run,
    statistics={
        "drop": "accuracy on lists of N that were seen less accuracy on their twins of N - 1",
        "form_drop": "accuracy on lists of N less on lists of N - 1, neither seen",
        "twin_harm": "accuracy on N - 1 with the list of N unseen less with it seen",
        "stale_share": "share of the wrong replies on N - 1 that give the answer of N",
        "stale_excess": "the same, less the share that gives the answer of another list of N",
        "stale_beyond_copying": "share of replies on N - 1 that give the answer of the list shown last, "
        "its own list of N shown less another list shown",
        "right_seen": "accuracy on lists of N that stand among the worked examples",
        "right_fewer_seen": "accuracy on N - 1 with the list of N among the worked examples",
        "right_fewer_unseen": "accuracy on N - 1 with another list of N there",
        "right_unseen": "accuracy on lists of N that do not stand there",
    },
    instruments=("fewer_items@2", "canonicaliser@2", "sampling@1"),
    data=(
        "lists drawn by fewer_items",
        "smollm2-135m-instruct sha256 b179c9523d0e",
        "gemma-3-270m sha256 a5fd3b62230a",
    ),
    seconds={Tier.QUICK: 60, Tier.NORMAL: 600},
    scope=Scope.REAL,
    accepts=("model",),
    confounds=(
        "a shorter list may be easier: a drop is then understated",
        "the template stands in the prompt; templates of the training data are not tested",
    ),
)
