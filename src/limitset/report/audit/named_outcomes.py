"""Which numbers of gates tell how runs end, and how votes over them do?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from limitset.core.agreements import falling_shares, reached_by_most
from limitset.core.gates import Signature
from limitset.core.majorities import kish_number
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voters import correlations, models_of, votes_of
from limitset.core.voting import after_votes, modal
from limitset.instruments.truth.accuracy import accuracy
from limitset.instruments.truth.agreed import wrong_when_agreed
from limitset.instruments.truth.outcomes import outcomes
from limitset.instruments.truth.self_agreement import self_agreement
from limitset.instruments.truth.surviving import surviving_error
from limitset.instruments.truth.votes import effective_number, one_run_each
from limitset.instruments.truth.voting_gain import voting_gain
from limitset.report.audit.named_kinds import ONE, SHARE, Asked, Masses, Named

DRAWS: Final = 400
_ROUNDING: Final = 1e-9


def _outcome(outcome: str) -> tuple[Callable[[Asked], Measurement], Callable[[Asked], Masses]]:
    def measure(asked: Asked) -> Measurement:
        # pooled tallies hold the one system "all", beside the row of that name
        rates = outcomes(asked.pooled, confidence=asked.confidence).rates
        return next(rates.where(system="all", stratum="all", outcome=outcome).rows())

    def masses(asked: Asked) -> Masses:
        pooled = asked.pooled
        runs = pooled.runs[0]
        counts = pooled.counts[0].astype(np.float64)
        right = pooled.by_question(counts * pooled.right)
        told = {
            "right": right,
            "wrong": pooled.by_question(counts) - right,
            "abstained": pooled.abstained[0],
            "unparsed": pooled.unparsed[0],
        }[outcome]
        return told / np.maximum(runs, 1), (runs > 0).astype(float)

    return measure, masses


def _votes(asked: Asked) -> tuple[Tallies, int]:
    pooled = asked.pooled
    pooled = pooled.of_questions(pooled.runs[0] > 0)
    return pooled, max(1, reached_by_most(pooled.runs[0]))


def _after_voting(asked: Asked) -> Measurement:
    pooled, most = _votes(asked)
    got = surviving_error(pooled, votes=[most], draws=DRAWS, rng=asked.rng, confidence=asked.confidence)
    return got.curve.one(system="all", stratum="all", votes=most)


def _surviving(asked: Asked) -> Measurement:
    pooled, most = _votes(asked)
    got = surviving_error(pooled, votes=[most], draws=DRAWS, rng=asked.rng, confidence=asked.confidence)
    return got.share.one(system="all", stratum="all")


def _wrong_after(asked: Asked, *, share: bool) -> Masses:
    pooled, most = asked.pooled, _votes(asked)[1]
    reached = pooled.runs[0] >= most
    wrong, _ = after_votes(pooled.of_questions(reached), [1, most], draws=DRAWS, rng=asked.rng)
    part, whole = np.zeros((2, pooled.items.size))
    part[reached], whole[reached] = wrong[1], wrong[0] if share else 1.0
    return part, whole


def _when_agreed(asked: Asked) -> Measurement:
    got = wrong_when_agreed(asked.tallies, thresholds=[asked.share], confidence=asked.confidence)
    return got.rates.one(stratum="all", threshold=asked.share)


def _agreed(asked: Asked) -> Measurement:
    got = wrong_when_agreed(asked.tallies, thresholds=[asked.share], confidence=asked.confidence)
    return got.coverage.one(stratum="all", threshold=asked.share)


def _agreed_masses(asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    share, wrong = modal(asked.tallies.pooled())
    return (share >= asked.share - _ROUNDING).astype(float), wrong


def _when_agreed_masses(asked: Asked) -> Masses:
    agreed, wrong = _agreed_masses(asked)
    return agreed * wrong, agreed


def _coverage_masses(asked: Asked) -> Masses:
    agreed, _ = _agreed_masses(asked)
    return agreed, np.ones(agreed.size)


def _effective(unit: str) -> Callable[[Asked], Measurement]:
    def measure(asked: Asked) -> Measurement:
        return effective_number(asked.tallies, confidence=asked.confidence).values.one(unit=unit)

    return measure


def _one_run_each(asked: Asked) -> Measurement:
    return one_run_each(asked.tallies, confidence=asked.confidence).one(unit="one run each")


def _kish(unit: str) -> Callable[[Asked], float]:
    def value(asked: Asked) -> float:
        kept = asked.tallies.of_questions(np.asarray((asked.tallies.runs > 0).all(axis=0)))
        if kept.items.size < 2:
            return UNDEFINED
        voters = models_of(kept) if unit == "models" else votes_of(kept)
        if unit == "one run each":
            voters = votes_of(kept.by_system())
            voters = replace(voters, count=np.ones_like(voters.count))
        count, mean, _ = (float(part[0]) for part in correlations(voters, np.zeros((1, 0), dtype=int)))
        return float(kish_number(count, min(mean, 1.0))) if count >= 2 else UNDEFINED

    return value


def _accuracy(asked: Asked) -> Measurement:
    own = asked.tallies.of_system(asked.systems[0]) if asked.systems else asked.pooled
    system = asked.systems[0] if asked.systems else "all"
    return accuracy(own, confidence=asked.confidence).right.one(system=system, stratum="all")


def _agrees_with_itself(asked: Asked) -> Measurement:
    own = asked.tallies.of_system(asked.systems[0]) if asked.systems else asked.tallies
    rows = self_agreement(own, confidence=asked.confidence).values.where(stratum="all", part="agree")
    found = list(rows.rows())
    if found:
        return found[-1]  # "all" comes last; a panel of one system has its row alone
    return asked.blank("no question was asked twice")


def _own_agreement(asked: Asked) -> Masses:
    """Mean over systems of the chance that two runs of one cell agree, and whether a question has any."""
    sums, known = np.zeros((2, asked.tallies.items.size))
    for name in asked.systems or dict.fromkeys(asked.tallies.systems.astype(str)):
        own = asked.tallies.of_system(str(name))
        repeated = own.runs >= 2
        if not repeated.any():
            continue
        twice = falling_shares(own.counts, own.runs[:, own.class_item], 2)[1] * repeated[:, own.class_item]
        cells = repeated.sum(axis=0)
        sums += own.by_question(twice.sum(axis=0)) / np.maximum(cells, 1)
        known += cells > 0
    return sums / np.maximum(known, 1), (known > 0).astype(float)


def _gain(asked: Asked) -> Measurement:
    unit, system = ("runs", asked.systems[0]) if asked.systems else ("systems", "all")
    own = asked.tallies.of_system(system) if asked.systems else asked.tallies
    rows = voting_gain(own, rng=asked.rng, confidence=asked.confidence).changes
    found = list(rows.where(unit=unit, system=system, votes=1).rows())
    return found[0] if found else asked.blank(f"there are no two {unit} to vote")


def _outcome_named(outcome: str, words: str, *, keyed: bool) -> Named:
    measure, masses = _outcome(outcome)
    return Named(words=words, signature=ONE, measured=measure, masses=masses, mean=True, keyed=keyed)


OUTCOMES: Final[Mapping[str, Named]] = {
    "accuracy": Named(
        words="share of runs that are right",
        signature=ONE,
        measured=_accuracy,
        masses=_outcome("right")[1],
        mean=True,
    ),
    "wrong": _outcome_named("wrong", "share of runs that are wrong", keyed=True),
    "abstained": _outcome_named("abstained", "share of runs that decline to answer", keyed=False),
    "unparsed": _outcome_named("unparsed", "share of runs from which no answer could be read", keyed=False),
    "n_eff": Named(
        words="how many independent ones these are worth, one run each (effective number)",
        signature=Signature(),
        measured=_one_run_each,
        value=_kish("one run each"),
        share=False,
    ),
    "n_eff_models": Named(
        words="how many independent models these are worth, the chance of single runs taken out",
        signature=Signature(),
        measured=_effective("models"),
        value=_kish("models"),
        share=False,
    ),
    "n_eff_votes": Named(
        words="how many independent votes all these runs are worth (effective number)",
        signature=Signature(),
        measured=_effective("votes"),
        value=_kish("votes"),
        share=False,
    ),
    "error_after_voting": Named(
        words="how often a vote over all runs is wrong",
        signature=ONE,
        measured=_after_voting,
        masses=lambda asked: _wrong_after(asked, share=False),
        mean=True,
    ),
    "surviving_share": Named(
        words="the part of the error of one run that a vote over all runs leaves",
        signature=ONE,
        measured=_surviving,
        masses=lambda asked: _wrong_after(asked, share=True),
    ),
    "wrong_when_agreed": Named(
        words="how often the answer is wrong where at least this share of the runs agrees",
        signature=SHARE,
        measured=_when_agreed,
        masses=_when_agreed_masses,
        counted="questions on which so many runs agree",
    ),
    "agreed": Named(
        words="share of questions on which at least this share of the runs agrees",
        signature=SHARE,
        measured=_agreed,
        masses=_coverage_masses,
        mean=True,
        keyed=False,
    ),
    "self_agreement": Named(
        words="how often two runs of one system on one question give the same answer",
        signature=ONE,
        measured=_agrees_with_itself,
        masses=_own_agreement,
        mean=True,
        keyed=False,
    ),
    "voting_gain": Named(
        words="error of one vote less the error of all votes: of the systems, or of the runs of one",
        signature=ONE,
        measured=_gain,
    ),
}
"""Name to number."""
