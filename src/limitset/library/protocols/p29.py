"""Do language models compute, or match the template of a like question with one element more?"""

from __future__ import annotations

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

SEED: Final = 2900
"""Added to the seed of a trial, so that no counted run repeats the lists of a pilot."""
DROP: Final = 0.2
"""Twenty points: less is what a harder or easier list of the same length does."""
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
    return Evidence(
        estimates=fewer_items(items, replies, confidence=trial.confidence),
        controls=_controls(items, trial),
        scope=Scope.REAL,
        system=f"{' and '.join(source.identity for source in sources)}; {len(items)} lists",
        curve=arms_table(items, replies, confidence=trial.confidence),
        rows=telling_items(items, replies),
        notes=(
            "lists of four and of three elements, greedy replies, a list of four shown before its twin",
            *(source.attribution for source in sources if source.attribution),
        ),
    )


def _controls(items: list[Item], trial: Trial) -> tuple[Control, ...]:
    """Plant repliers on the same lists: one repeats templates, one computes, one guesses."""
    rng = np.random.default_rng([SEED, trial.seed, 99])
    template = {arm: [item.answer for item in items] for arm in ARMS}
    exact = {
        arm: [item.answer if arm in (ARMS[0], ARMS[3]) else item.twin_answer for item in items]
        for arm in ARMS
    }
    able = rng.random(len(items)) < 0.6
    # wrong replies of the guesser are answers of other lists of its kind: what the null describes
    guess = {
        arm: [exact[arm][at] if able[at] else _another(items, at, rng) for at in range(len(items))]
        for arm in ARMS
    }
    found = {
        name: fewer_items(items, replies, confidence=trial.confidence)
        for name, replies in (("template", template), ("exact", exact), ("guess", guess))
    }
    return (
        _control("always the answer of N", "positive", found["template"]["drop"], Bar("above", (DROP,))),
        _control(
            "always the answer of N: stale",
            "positive",
            found["template"]["stale_excess"],
            Bar("above", (STALE,)),
        ),
        _control("computes every answer", "negative", found["exact"]["drop"], Bar("below", (DROP,))),
        _control("computes 6 of 10 answers", "negative", found["guess"]["drop"], Bar("below", (DROP,))),
        _control(
            "wrong replies are answers of other lists",
            "negative",
            found["guess"]["stale_excess"],
            Bar("above", (STALE,)),
            holds=False,
        ),
    )


def _another(items: list[Item], at: int, rng: np.random.Generator) -> str:
    same = [one for one in items if one.kind.name == items[at].kind.name and one is not items[at]]
    return same[int(rng.integers(len(same)))].answer


def _control(name: str, kind: str, measured: Measurement, wanted: Bar, *, holds: bool = True) -> Control:
    return Control(
        name=name,
        kind=kind,
        passed=wanted.holds(measured.low, measured.high) is holds,
        measured=measured,
        wanted=f"{wanted}" if holds else f"not wholly {wanted}",
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
        "right_seen": "accuracy on lists of N that stand among the worked examples",
        "right_fewer_seen": "accuracy on N - 1 with the list of N among the worked examples",
        "right_fewer_unseen": "accuracy on N - 1 with another list of N there",
        "right_unseen": "accuracy on lists of N that do not stand there",
    },
    instruments=("fewer_items@1", "canonicaliser@2", "sampling@1"),
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
