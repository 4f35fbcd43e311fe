"""What may an answer be made of: the statements found, what each is worth, and what had to be left out?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from limitset.library.inquiry.coverage import (
    GENERIC_WEIGHT,
    HELD,
    UNKNOWN_WEIGHT,
    Coverage,
    covered,
    focus,
    is_stale,
    relevance,
    weights,
    worth,
)
from limitset.library.inquiry.facets import Facet, Plan
from limitset.library.inquiry.index import Index
from limitset.library.inquiry.retrieval import Retrieved, joint_name
from limitset.library.inquiry.statements import OWN_LINEAGE, USER_LINEAGE, SourceCard, Statement

MOST_WITHHELD: Final = 20


@dataclass(frozen=True)
class Material:
    """What may be said to a question on a day.

    Parameters
    ----------
    plan, today, retrieved, cards
        What was asked, when, what was found, and the sources behind it.
    statements
        What may be used, best rank first.
    matches, relevances, scores
        By key, for each facet: match, relevance, relevance times worth; the last two also for joining them.
    names, weights
        Of the facets, the joint one last.
    coverage
        Of the whole question.
    withheld
        What was found and may not be used, with the reason.
    """

    plan: Plan
    today: dt.date
    retrieved: Retrieved
    cards: Mapping[str, SourceCard]
    statements: Mapping[str, Statement]
    matches: Mapping[str, tuple[float, ...]]
    relevances: Mapping[str, tuple[float, ...]]
    scores: Mapping[str, tuple[float, ...]]
    names: tuple[str, ...]
    weights: tuple[float, ...]
    coverage: Coverage
    withheld: tuple[tuple[str, str], ...]

    def gain(self, name: str, seen: Mapping[int, int]) -> float:
        """Return what one more statement adds: a facet counts half for each time it was spoken of."""
        return sum(
            weight * score * 0.5 ** seen.get(place, 0)
            for place, (weight, score) in enumerate(zip(self.weights, self.scores[name], strict=True))
        )

    def focus(self, name: str) -> float:
        """Return the share of the question that a statement speaks of."""
        return focus(self.matches[name], self.weights)

    def card(self, statement: Statement) -> SourceCard | None:
        """Return the source of a statement, None for a run and for a source that is not held."""
        return self.cards.get(statement.source)

    def lineage(self, statement: Statement) -> str:
        """Return the group of independence of a statement."""
        if statement.is_verdict:
            return OWN_LINEAGE if statement.own else USER_LINEAGE
        card = self.card(statement)
        return card.lineage if card else statement.source

    def unread(self, statement: Statement) -> bool:
        """Whether the source of a statement was not opened."""
        card = self.card(statement)
        return not statement.is_verdict and (card is None or card.access == "secondary")

    def unspoken(self, used: Sequence[Statement]) -> tuple[str, ...]:
        """Return the proper names asked for that no statement used speaks of."""
        bearing = [self.matches[one.key] for one in used if one.own]
        return tuple(
            facet.name
            for place, facet in enumerate(self.plan.facets)
            if facet.named and not any(match[place] >= HELD for match in bearing)
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """The facets of which nothing is held; joining them only where each is held."""
        alone = tuple(one.name for one in self.coverage.facets if not one.held)
        parts = tuple(name for name in alone if " + " not in name)
        return parts or alone

    def stale(self, statement: Statement) -> bool:
        """Whether the time of a statement has passed."""
        return is_stale(statement, self.today)


def gathered(index: Index, asked: Plan, found: Retrieved, today: dt.date) -> Material:
    """Weigh what was found, and leave out what may not be used."""
    cards = index.cards({one.source for one in found.statements.values()})
    left_out = _withheld(index, found, cards, today)
    factors = [_factor(one) for one in asked.facets]
    weighted = weights(found.held[: len(factors)], factors, found.search.statements)
    sourced = [place for place, one in enumerate(asked.facets) if one.sources]  # asked of these sources alone
    statements, matches, relevances, scores = {}, {}, {}, {}
    for row, one in found.statements.items():
        match = found.matches[row]
        if (
            one.key in left_out
            or not any(match)
            or (sourced and max(match[place] for place in sourced) < HELD)
        ):
            continue
        value = worth(one, cards.get(one.source), today)
        statements[one.key] = one
        matches[one.key] = match
        relevances[one.key] = relevance(match, weighted)
        scores[one.key] = tuple(value * part for part in relevances[one.key])
    names = tuple(one.name for one in asked.facets)
    names += (joint_name(asked.facets),) if len(names) > 1 else ()
    ours = [name for name, one in statements.items() if one.own]  # a system of the user's settles no question
    coverage = covered(
        names=names,
        weighted=weighted,
        held=found.held,
        scores={name: scores[name] for name in ours},
        matches={name: matches[name] for name in ours},
    )
    files = index.problems()
    shown = [*((name.partition("@")[0], why) for name, why in left_out.items()), *files[:MOST_WITHHELD]]
    if len(files) > MOST_WITHHELD:
        shown.append(
            (f"{len(files) - MOST_WITHHELD} more files", "can not be read; limitset library check lists them")
        )
    return Material(
        asked,
        today,
        found,
        cards,
        statements,
        matches,
        relevances,
        scores,
        names,
        tuple(weighted),
        coverage,
        tuple(shown),
    )


def _factor(one: Facet) -> float:
    if one.generic:
        return GENERIC_WEIGHT
    return 1.0 if one.known else UNKNOWN_WEIGHT


def _withheld(
    index: Index, found: Retrieved, cards: Mapping[str, SourceCard], today: dt.date
) -> dict[str, str]:
    """Return what was found and may not be used: instructions, retractions, what was superseded."""
    homes = {one.home for one in found.statements.values()}
    edges = index.edges("supersedes", homes)
    newer = {one.home: one for one in index.of_homes({one for one, _ in edges}).values() if not one.withheld}
    superseded = {other: one for one, other in edges if one in newer}
    reasons: dict[str, str] = {}
    for row, one in found.statements.items():
        if not any(found.matches[row]):
            continue
        card = cards.get(one.source)
        if one.withheld:
            reasons[one.key] = f"reads as an instruction: {one.withheld}"
        elif card and card.retracted_on and card.retracted_on <= today.isoformat():
            reasons[one.key] = f"its source was retracted on {card.retracted_on}"
        elif one.home in superseded:
            reasons[one.key] = f"superseded by {superseded[one.home]}"
    return reasons
