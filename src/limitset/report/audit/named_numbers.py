"""Which numbers can a gate name, and how is each one measured on a panel?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from limitset.core.agreements import reached_by_most
from limitset.core.coincidence import wrong_pairs
from limitset.core.gates import EVERYTHING, Signature, Term
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voting import after_votes, modal
from limitset.instruments.truth.agreed import wrong_when_agreed
from limitset.instruments.truth.outcomes import outcomes
from limitset.instruments.truth.same_wrong import same_wrong
from limitset.instruments.truth.surviving import surviving_error
from limitset.instruments.truth.votes import effective_number
from limitset.report.audit.panel import Panel

Masses = tuple[np.ndarray, np.ndarray]
"""Two numbers a question: what counts, and out of what. The named number is the ratio of their sums."""

TOPIC: Final = 91
"""Stream of the draws behind gates."""
DRAWS: Final = 400
_ROUNDING: Final = 1e-9

NO_KEY: Final = "nothing outside the models checks these answers: the audit has no key"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A named number of one panel: its questions, its systems, the confidence wanted."""

    panel: Panel
    tallies: Tallies
    term: Term
    confidence: float = 0.95

    @property
    def systems(self) -> tuple[str, ...]:
        """Systems that the term names."""
        return tuple(one for one in self.term.arguments if isinstance(one, str))

    @property
    def pooled(self) -> Tallies:
        """Runs of the named system, or of all, as one cell."""
        return (self.tallies.of_system(self.systems[0]) if self.systems else self.tallies).pooled()

    @property
    def share(self) -> float:
        """The threshold that the term names."""
        return next(one for one in self.term.arguments if isinstance(one, float))

    @property
    def rng(self) -> np.random.Generator:
        """The same stream at every call: two runs on one input give one verdict."""
        return self.panel.rng(TOPIC)


@dataclass(frozen=True, kw_only=True)
class Named:
    """A number that gates may name.

    Parameters
    ----------
    words
        What it is, in one clause.
    signature
        What it takes.
    measured
        Measures it, with its interval.
    masses
        Part and whole of each question, where the number is their ratio; differences are then taken within
        questions.
    mean
        Whether it is a mean over the questions that were run: then a difference leaves out questions that
        only one side ran. False for ratios, whose questions weigh as much as they hold.
    keyed
        Whether it needs to know what is right.
    share
        Whether it is shown in per cent.
    counted
        What its n counts.
    """

    words: str
    signature: Signature
    measured: Callable[[Asked], Measurement]
    masses: Callable[[Asked], Masses] | None = None
    mean: bool = False
    keyed: bool = True
    share: bool = True
    counted: str = "questions"


def asked_of(panel: Panel, term: Term, *, confidence: float = 0.95) -> Asked | None:
    """Return the questions that a term is about; None where they need a key and there is none."""
    named = NAMED[term.name]
    if named.keyed:
        found = panel.anchored
        if found is None:
            return None
    else:
        found = _as_if_keyed(panel.tallies)
    if term.stratum != EVERYTHING:
        found = found.of_stratum(term.stratum)
    return Asked(panel=panel, tallies=found, term=term, confidence=confidence)


def measured(panel: Panel, term: Term, *, confidence: float = 0.95) -> Measurement:
    """Measure one named number on a panel.

    Parameters
    ----------
    panel
        The runs.
    term
        Which number, of which systems, on which stratum; its names are known to exist.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Measurement
        Blank, with the reason, where this audit cannot give it.
    """
    asked = asked_of(panel, term, confidence=confidence)
    if asked is None:
        return blank(term, NO_KEY, confidence=confidence)
    absent = [name for name in asked.systems if not _ran(asked.tallies, name)]
    if asked.tallies.items.size == 0 or absent:
        who = f"{absent[0]} has" if absent else "there is"
        return blank(term, f"{who} no checked run on these questions", confidence=confidence)
    return NAMED[term.name].measured(asked)


def blank(term: Term, reason: str, *, confidence: float = 0.95) -> Measurement:
    """Return a named number that could not be measured, and why."""
    return Measurement(
        instrument=term.name,
        version=1,
        level=Level.ANSWER,
        value=UNDEFINED,
        confidence=confidence,
        blank_reason=reason,
        parameters={"of": str(term)},
    )


def of_systems(tallies: Tallies, names: Sequence[str]) -> Tallies:
    """Keep the cells of some systems."""
    kept = np.flatnonzero(np.isin(tallies.systems.astype(str), list(names)))
    return replace(
        tallies,
        systems=tallies.systems[kept],
        paraphrases=tallies.paraphrases[kept],
        counts=tallies.counts[kept],
        runs=tallies.runs[kept],
        abstained=tallies.abstained[kept],
        unparsed=tallies.unparsed[kept],
    )


def _ran(tallies: Tallies, name: str) -> bool:
    return bool(tallies.runs[tallies.systems.astype(str) == name].any())


def _as_if_keyed(tallies: Tallies) -> Tallies:
    """Call every answer wrong: for numbers that do not ask what is right."""
    return replace(tallies, class_right=np.zeros(tallies.class_item.size))


def _outcome(outcome: str) -> tuple[Callable[[Asked], Measurement], Callable[[Asked], Masses]]:
    def measure(asked: Asked) -> Measurement:
        # pooled tallies hold the one system "all", beside the row of that name
        rates = outcomes(asked.pooled, confidence=asked.confidence).rates
        return next(rates.where(system="all", stratum="all", outcome=outcome).rows())

    def masses(asked: Asked) -> Masses:
        pooled = asked.pooled
        runs = pooled.runs[0]
        right = pooled.by_question(pooled.counts[0] * pooled.right)
        told = {
            "right": right,
            "wrong": pooled.by_question(pooled.counts[0].astype(float)) - right,
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


def _same_wrong(asked: Asked) -> Measurement:
    pairs = same_wrong(
        of_systems(asked.tallies, asked.systems), rng=asked.rng, draws=1, confidence=asked.confidence
    ).pairs
    return next(pairs.where(null_kind="").rows())


def _same_wrong_masses(asked: Asked) -> Masses:
    sums = wrong_pairs(of_systems(asked.tallies, asked.systems))
    return sums.same_by_question, sums.both_by_question


def _effective(unit: str) -> Callable[[Asked], Measurement]:
    def measure(asked: Asked) -> Measurement:
        return effective_number(asked.tallies, confidence=asked.confidence).values.one(unit=unit)

    return measure


_ONE: Final = Signature(kinds=("system",))
_PAIR: Final = Signature(kinds=("system", "system"), least=2)
_SHARE: Final = Signature(kinds=("share",), least=1)


def _outcome_named(outcome: str, words: str, *, keyed: bool) -> Named:
    measure, masses = _outcome(outcome)
    return Named(words=words, signature=_ONE, measured=measure, masses=masses, mean=True, keyed=keyed)


NAMED: Final[Mapping[str, Named]] = {
    "accuracy": _outcome_named("right", "share of runs that are right", keyed=True),
    "wrong": _outcome_named("wrong", "share of runs that are wrong", keyed=True),
    "abstained": _outcome_named("abstained", "share of runs that decline to answer", keyed=False),
    "unparsed": _outcome_named("unparsed", "share of runs from which no answer could be read", keyed=False),
    "n_eff": Named(
        words="how many independent models these models are worth (effective number)",
        signature=Signature(),
        measured=_effective("models"),
        share=False,
    ),
    "n_eff_votes": Named(
        words="how many independent votes all these runs are worth (effective number)",
        signature=Signature(),
        measured=_effective("votes"),
        share=False,
    ),
    "error_after_voting": Named(
        words="how often a vote over all runs is wrong",
        signature=_ONE,
        measured=_after_voting,
        masses=lambda asked: _wrong_after(asked, share=False),
        mean=True,
    ),
    "surviving_share": Named(
        words="the part of the error of one run that a vote over all runs leaves",
        signature=_ONE,
        measured=_surviving,
        masses=lambda asked: _wrong_after(asked, share=True),
    ),
    "wrong_when_agreed": Named(
        words="how often the answer is wrong where at least this share of the runs agrees",
        signature=_SHARE,
        measured=_when_agreed,
        masses=_when_agreed_masses,
        counted="questions on which so many runs agree",
    ),
    "agreed": Named(
        words="share of questions on which at least this share of the runs agrees",
        signature=_SHARE,
        measured=_agreed,
        masses=_coverage_masses,
        mean=True,
        keyed=False,
    ),
    "same_wrong": Named(
        words="how often two systems give the same wrong answer when both are wrong",
        signature=_PAIR,
        measured=_same_wrong,
        masses=_same_wrong_masses,
        counted="questions that both get wrong",
    ),
}
"""Every name that a gate knows."""

KNOWN: Final[Mapping[str, Signature]] = {name: named.signature for name, named in NAMED.items()}
