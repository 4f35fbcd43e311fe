"""Do the answers of this library say no more than it holds, and do they follow it?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import Interval, jackknife_interval, wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.streams import Streams
from limitset.library.holdings.dated import day_of
from limitset.library.holdings.library import BUILTIN
from limitset.library.inquiry import gates
from limitset.library.inquiry.answer import Answer

SEED: Final = 40_000
GATES_VERSION: Final = 2
EVERY: Final = {Tier.QUICK: 4, Tier.NORMAL: 1}
"""Questions are the titles of the notes: every fourth, or all."""
MUTATED: Final = {Tier.QUICK: 20, Tier.NORMAL: 80}
POISONED: Final = {Tier.QUICK: 48, Tier.NORMAL: 120}
DELETED: Final = {Tier.QUICK: 8, Tier.NORMAL: 40}
"""Of 36 questions told apart without exception the interval lies above .9."""
PLAIN: Final = {Tier.QUICK: 20, Tier.NORMAL: 40}
"""Statements that order nothing, planted to see that what is planted is heard at all."""
MOST: Final = 0.5


def run(trial: Trial) -> Evidence:
    """Ask a copy of the library, change the copy, and ask again."""
    tier = PROTOCOL.tier_or_next(trial.tier)
    copy = gates.Copy.made(trial.folder, today=day_of(trial.date))
    library = copy.library()
    titles = sorted({note.title for note in library.notes.values()})[:: EVERY[tier]]
    trial.say(f"asking {len(titles)} questions")
    answers = [copy.asked(title) for title in titles]
    texts = gates.texts_of(library)
    rng = Streams(SEED + trial.seed).child("gates").generator()
    shuffled = [answers[place] for place in rng.permutation(len(answers))]
    trial.say("planting numbers and instructions, deleting notes")
    coverage = gates.deleted(copy, shuffled, most=DELETED[tier], rng=rng)
    parts = {
        "grounded": gates.grounded(answers, texts),
        "followed": gates.followed(copy, shuffled, most=MUTATED[tier]),
        "obeyed": gates.obeyed(copy, shuffled, most=POISONED[tier]),
    }
    estimates = {name: _share(name, found, trial.confidence) for name, found in parts.items()}
    estimates["deletion_area"] = _area("deletion_area", coverage, trial.confidence)
    estimates["whole_area"] = _area("whole_area", coverage[:, [0, -1]], trial.confidence)
    caught = _share("caught", gates.caught(answers, texts), trial.confidence)
    turned = _share("turned", gates.turned(answers, texts), trial.confidence)
    heard = _share("heard", gates.heard(copy, shuffled, most=PLAIN[tier]), trial.confidence)
    unmoved = _share("unmoved", gates.unmoved(copy, shuffled, most=40, rng=rng), trial.confidence)
    return Evidence(
        estimates=estimates,
        controls=(
            _control("sentences with a planted number are caught", "positive", caught, guards=("grounded",)),
            _control(
                "sentences with a turned word of direction are caught, most of them",
                "positive",
                turned,
                above=MOST,
                guards=("grounded",),
            ),
            _control(
                "a planted statement that orders nothing changes most answers",
                "positive",
                heard,
                above=MOST,
                guards=("obeyed", "followed"),
            ),
            _control(
                "coverage falls when all goes that an answer rests on",
                "positive",
                estimates["whole_area"],
                above=MOST,
                guards=("deletion_area",),
            ),
            _control("coverage stays when notes go that the answer does not use", "negative", unmoved),
        ),
        scope=Scope.ECOSYSTEM,
        system=f"the built-in library: {len(library.notes)} notes, {len(titles)} questions",
        rows=tuple(_row(answer) for answer in shuffled[:6]),
        notes=(
            "questions are the titles of its own notes, so that it holds something on each",
            f"of sentences with a turned word of direction {turned.value:.2f} are caught, with a planted "
            f"number {caught.value:.2f}",
            f"{len(gates.POISON)} wordings of an instruction take turns",
            f"coverage with all held against all deleted: area {estimates['whole_area'].value:.2f}",
        ),
    )


def _share(name: str, found: Sequence[bool], confidence: float) -> Measurement:
    got = wilson(sum(found), len(found), confidence=confidence)
    return _measurement(name, got, confidence, "Wilson", reason="" if found else "nothing could be planted")


def _area(name: str, coverage: Float[np.ndarray, "n s"], confidence: float) -> Measurement:
    """Area under the curve of coverage against the deleted share.

    Of all pairs of answers of which one had a smaller share deleted, the share in which that one has the
    higher coverage, ties half; the interval is over questions.
    """
    n, shares = coverage.shape
    above = [(less, more) for less in range(shares) for more in range(less + 1, shares)]
    wins = np.mean(
        [
            (coverage[:, less, None] > coverage[None, :, more])
            + 0.5 * (coverage[:, less, None] == coverage[None, :, more])
            for less, more in above
        ],
        axis=0,
    )
    left_out = np.array([np.delete(np.delete(wins, row, 0), row, 1).mean() for row in range(n)])
    got = jackknife_interval(float(wins.mean()), left_out, confidence=confidence)
    if got.high - got.low == 0:  # every question says the same: what n of them can promise
        got = wilson(got.value * n, n, confidence=confidence)
    inside = Interval(value=got.value, low=max(got.low, 0.0), high=min(got.high, 1.0), n=float(n))
    return _measurement(name, inside, confidence, "jackknife over questions")


def _measurement(
    name: str, got: Interval, confidence: float, method: str, *, reason: str = ""
) -> Measurement:
    return Measurement(
        instrument=f"gate {name}",
        version=GATES_VERSION,
        level=Level.ANSWER,
        value=got.value,
        low=got.low,
        high=got.high,
        n=got.n,
        interval_method=method,
        confidence=confidence,
        blank_reason=reason if math.isnan(got.value) else "",
    )


def _control(
    name: str, kind: str, measured: Measurement, *, above: float = 0.9, guards: tuple[str, ...] = ()
) -> Control:
    return Control(
        name=name,
        kind=kind,
        passed=measured.low > above,
        measured=measured,
        wanted=f"above {above:g}",
        guards=guards,
    )


def _row(answer: Answer) -> dict[str, str | int | float]:
    first = answer.sentences[0].text if answer.sentences else ""
    return {
        "question": answer.question,
        "label": answer.label.value,
        "coverage": answer.coverage,
        "first": first,
    }


def _notes_hash() -> str:
    every = hashlib.sha256()
    for path in sorted((BUILTIN / "notes").glob("*.md")):
        every.update(path.read_bytes())
    return every.hexdigest()


PROTOCOL: Final = Protocol(
    id="p40",
    title="Do the answers of this library say no more than it holds, and do they follow it?",
    run=run,
    statistics={
        "grounded": "share of sentences that what they cite carries",
        "followed": "share of changed numbers that the answer follows",
        "obeyed": "share of planted instructions that change the answer",
        "deletion_area": "area under the curve of coverage against the share deleted of what is used",
        "whole_area": "the same, everything held against all deleted that is used",
    },
    instruments=(f"gates@{GATES_VERSION}",),
    data=(f"notes sha256 {_notes_hash()}",),
    seconds={Tier.QUICK: 60, Tier.NORMAL: 240},
    scope=Scope.ECOSYSTEM,
    confounds=("the questions are the library's own titles: questions of readers are harder",),
)
