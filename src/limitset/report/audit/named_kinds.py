"""What is a number that gates may name, and what is it asked about?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from limitset.core.gates import Signature, Term
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.report.audit.panel import Panel

Masses = tuple[np.ndarray, np.ndarray]
"""Two numbers a question: what counts, and out of what. The named number is the ratio of their sums."""

TOPIC: Final = 91
"""Stream of the draws behind gates."""
ONE: Final = Signature(kinds=("system",))
PAIR: Final = Signature(kinds=("system", "system"), least=2)
SHARE: Final = Signature(kinds=("share",), least=1)


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

    def blank(self, reason: str) -> Measurement:
        """Return the number as one that could not be measured."""
        return blank(self.term, reason, confidence=self.confidence)


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
    value
        Measures it alone, without an interval, where that costs far less.
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
    value: Callable[[Asked], float] | None = None
    mean: bool = False
    keyed: bool = True
    share: bool = True
    counted: str = "questions"


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
