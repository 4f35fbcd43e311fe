"""What do all instruments of truth say about one set of runs?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies, tallied
from limitset.instruments.dynamics.loop_ends import LoopEnds, loop_ends
from limitset.instruments.truth.agreed import WrongWhenAgreed, wrong_when_agreed
from limitset.instruments.truth.collision import FalseCollision, false_collision
from limitset.instruments.truth.condorcet import Condorcet, condorcet
from limitset.instruments.truth.nulls import UnanimityNulls, unanimity_nulls
from limitset.instruments.truth.outcomes import Outcomes, outcomes
from limitset.instruments.truth.same_wrong import SameWrong, same_wrong
from limitset.instruments.truth.surviving import SurvivingError, surviving_error
from limitset.instruments.truth.traps import Traps, find_traps
from limitset.instruments.truth.unanimity import Unanimity, wrong_when_unanimous
from limitset.instruments.truth.variance import VarianceShares, variance_shares
from limitset.instruments.truth.votes import EffectiveNumber, effective_number
from limitset.report.agreement import agreement_coverage

THRESHOLDS = tuple(eighth / 8 for eighth in range(1, 9))
"""From one run in eight to all of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Everything that needs an anchor."""

    tallies: Tallies
    """The questions that something outside the models checks."""
    outcomes: Outcomes
    surviving: SurvivingError
    agreed: WrongWhenAgreed
    unanimity: Unanimity
    nulls: UnanimityNulls
    collision: FalseCollision
    votes: EffectiveNumber
    condorcet: Condorcet
    same: SameWrong
    traps: Traps


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """What was measured, and on what.

    Parameters
    ----------
    ends, items
        The runs and the questions.
    tallies
        Counts of all answer runs, anchored or not; None when there are none.
    truth
        What needs an anchor; None where nothing checks any question.
    agreement
        Share of questions on which at least so many runs agree: axes stratum, threshold.
    variance
        What the answers vary with; None where the design cannot say.
    greedy
        Shares of right and wrong of the greedy runs, which enter nothing else; None where there are none.
    loops, orbits
        How text loops end, and their texts; None where there are none.
    blank
        Measurement to the reason why it is missing.
    """

    ends: Ends
    items: Items
    tallies: Tallies
    truth: Truth | None
    agreement: MeasurementTable
    variance: VarianceShares | None
    greedy: Outcomes | None
    loops: LoopEnds | None
    orbits: Mapping[str, Any] | None
    blank: Mapping[str, str]

    @property
    def unanchored(self) -> int:
        """How many questions nothing outside the models checks."""
        checked = 0 if self.truth is None else self.truth.tallies.items.size
        return int(self.tallies.items.size - checked)

    def tables(self) -> list[MeasurementTable]:
        """Return every table, in the order of the page."""
        found: list[MeasurementTable] = []
        for result in (self.truth, self.variance, self.loops):
            found.extend(_tables(result))
        return [*found, self.agreement]


def analyse(
    ends: Ends, items: Items, orbits: Mapping[str, Any] | None = None, *, rng_seed: int = 0
) -> Analysis:
    """Measure everything that the runs allow.

    Parameters
    ----------
    ends
        Runs of the level "answer", and of the level "text" where there are loops.
    items
        The questions; accepted answers make the anchor.
    orbits
        The texts of the loops, one row a step; see `core.loops.ORBIT_KINDS`.
    rng_seed
        Seed of the resampling.

    Returns
    -------
    Analysis
        Without an anchor: what agreement and variance can show.
    """
    tallies = tallied(ends.having(level=Level.ANSWER.value), items)
    blank: dict[str, str] = {}
    anchored = anchored_of(tallies, items)
    truth = _truth(anchored, items, rng_seed) if anchored.items.size else None
    return Analysis(
        ends=ends,
        items=items,
        tallies=tallies,
        truth=truth,
        agreement=agreement_coverage(tallies),
        variance=_variance(tallies, blank),
        greedy=_greedy(ends, items) if truth is not None else None,
        loops=_loops(ends, orbits),
        orbits=orbits,
        blank=blank,
    )


def _truth(tallies: Tallies, items: Items, seed: int) -> Truth:
    def rng(branch: int) -> np.random.Generator:
        # a stream of its own for each instrument: adding one moves no other number
        return np.random.default_rng([seed, branch])

    return Truth(
        tallies=tallies,
        outcomes=outcomes(tallies),
        surviving=surviving_error(tallies, rng=rng(1)),
        agreed=wrong_when_agreed(tallies, thresholds=THRESHOLDS),
        unanimity=wrong_when_unanimous(tallies),
        nulls=unanimity_nulls(tallies, rng=rng(2)),
        collision=false_collision(tallies),
        votes=effective_number(tallies),
        condorcet=condorcet(tallies, rng=rng(3)),
        same=same_wrong(tallies, rng=rng(4)),
        traps=find_traps(tallies, items, share=_shared_by(tallies), rng=rng(5)),
    )


def _shared_by(tallies: Tallies) -> float:
    """Return the share of runs that a trap takes: half of them, and never one run alone."""
    return 1.0 if int(tallies.runs.sum(axis=0).max(initial=0)) <= 2 else 0.5


def anchored_of(tallies: Tallies, items: Items) -> Tallies:
    """Keep the questions whose every answer was judged, and those with a key that nobody answered."""
    keyed = dict(zip(items.texts("item"), items.has_anchor(), strict=True))
    judged = np.array([bool(keyed.get(name, False)) for name in tallies.items], dtype=bool)
    unknown = np.isnan(tallies.class_right)
    judged[tallies.class_item[~unknown]] = True
    judged[tallies.class_item[unknown]] = False
    return tallies.of_questions(judged)


def _variance(tallies: Tallies, blank: dict[str, str]) -> VarianceShares | None:
    if tallies.pooled().runs.max() < 2:
        blank["variance shares"] = "one run a question"
        return None
    return variance_shares(tallies)


def _greedy(ends: Ends, items: Items) -> Outcomes | None:
    answers = ends.having(level=Level.ANSWER.value)
    greedy = answers.where(answers.numbers("greedy") == 1)
    if len(greedy) == 0:
        return None
    found = anchored_of(tallied(greedy.with_columns(greedy=0.0), items), items)
    return outcomes(found) if found.items.size else None


def _loops(ends: Ends, orbits: Mapping[str, Any] | None) -> LoopEnds | None:
    if orbits is None or len(ends.having(level=Level.TEXT.value)) == 0:
        return None
    return loop_ends(ends, orbits)


def _tables(result: object) -> list[MeasurementTable]:
    fields = vars(result).values() if result is not None else ()
    found: list[MeasurementTable] = []
    for value in fields:
        if isinstance(value, MeasurementTable):
            found.append(value)
        elif not isinstance(value, Tallies) and hasattr(value, "__dataclass_fields__"):
            found.extend(_tables(value))
    return found
