"""How well do the holdings answer a question, as a number with its formula written down?

c_f = max over statements of relevance(s, f) · quality(s) · 2^(-age / half-life),    C = Σ_f w_f c_f

relevance = match · focus. match: 1 where a phrase of the facet stands in the statement, 0.5 where only in its
title, gist or tags, times 0.7 for a phrase that only comes close. focus: the share of the question that the
statement speaks of, min(1, Σ_f w_f match / Σ of the three largest w_f): what names one facet of three lies
beside the question. The last facet "A + B" asks for one statement that joins the others in its own words:
relevance (Σ_f match - 1) / (K - 1), for K = 2, 3 or 4 facets. Quality and weights stand below.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from limitset.library.holdings.dated import freshness
from limitset.library.inquiry.answer import FacetCoverage, Label
from limitset.library.inquiry.statements import SourceCard, Statement, day

ACCESS: Final = {"full": 0.95, "abstract": 0.85, "secondary": 0.45}
"""What a statement is worth by what was opened of its source."""
MODALITY: Final = {"finding": 1.0, "definition": 0.9, "inference": 0.55, "opinion": 0.5}
CARRYING: Final = ("finding", "definition")
"""What counts as evidence; an inference or an opinion is said, and carries no answer to solid."""
STATUS: Final = {"stale": 0.5, "superseded": 0.3}
VERDICT: Final = {"holds": 1.0, "fails": 1.0, "can't tell": 0.5}
NO_CONTROL: Final = 0.3
"""A run whose controls did not pass."""
IN_CONTEXT: Final = 0.5
NEAR: Final = 0.7
RELATION_WEIGHT: Final = 0.3
GENERIC_WEIGHT: Final = 0.15
UNKNOWN_WEIGHT: Final = 0.5
"""Of a word that is no name of the field: often only a way of speaking."""
JOINED_AT_MOST: Final = 4
FOCUS_AT_MOST: Final = 3
HELD: Final = 0.5
"""Relevance from which a statement counts as speaking of a facet."""


def source_quality(access: str) -> float:
    """Return what a statement is worth by what was opened of its source."""
    return ACCESS.get(access, ACCESS["secondary"])


def base_quality(statement: Statement) -> float:
    """Return what a statement is worth apart from its source and its age."""
    if statement.is_verdict:
        return VERDICT[statement.value] if statement.controls_passed else NO_CONTROL
    return MODALITY.get(statement.modality, 0.0) * STATUS.get(statement.status, 1.0)


def worth(statement: Statement, card: SourceCard | None, today: dt.date) -> float:
    """Return quality · 2^(-age / half-life) of a statement; the source of a verdict is its own run."""
    read = 1.0 if statement.is_verdict else source_quality(card.access if card else "secondary")
    return base_quality(statement) * read * freshness(day(statement.since), today, statement.half_life_days)


def is_stale(statement: Statement, today: dt.date) -> bool:
    """Whether its time has passed: past its expiry, marked so, or older than its half-life."""
    if statement.is_verdict:
        return today > day(statement.expires_on)
    aged = (today - day(statement.since)).days > statement.half_life_days
    return aged or statement.status in STATUS


def relevance(matches: Sequence[float], weighted: Sequence[float]) -> tuple[float, ...]:
    """Return the relevance of a statement to each facet, and last to joining them where there are several.

    Examples
    --------
    >>> relevance([1.0, 0.0], [0.35, 0.35, 0.3])
    (0.5, 0.0, 0.0)
    >>> relevance([1.0, 1.0], [0.35, 0.35, 0.3])
    (1.0, 1.0, 1.0)
    """
    share = focus(matches, weighted)
    alone = tuple(match * share for match in matches)
    return alone if len(matches) == 1 else (*alone, joined(matches))


def focus(matches: Sequence[float], weighted: Sequence[float]) -> float:
    """Return the share of a question that a statement speaks of, in [0, 1]; three facets are enough."""
    wanted = sum(sorted(weighted[: len(matches)], reverse=True)[:FOCUS_AT_MOST])
    spoken = sum(weight * match for weight, match in zip(weighted, matches, strict=False))
    return min(1.0, spoken / wanted) if wanted else 0.0


def joined(matches: Sequence[float]) -> float:
    """Return how far one statement joins facets in its own words, in [0, 1].

    Examples
    --------
    >>> joined([1, 1, 0]), joined([1, 0.7]), joined([1, 0.5])
    (0.5, 0.7, 0.0)
    """
    best = sorted((one if one > IN_CONTEXT else 0.0 for one in matches), reverse=True)[:JOINED_AT_MOST]
    return max(sum(best) - 1, 0.0) / (len(best) - 1) if len(best) > 1 else 0.0


def weights(counts: Sequence[int], factors: Sequence[float], statements: int) -> list[float]:
    """Return the weight of each facet, and last that of joining several; they sum to 1.

    A facet that few statements speak of says more: its factor (1 for one of the vocabulary, 1/2 for another
    word) times 1/2 + 1/2 · log((N + 1)/(n + 1)) / log(N + 2).

    Examples
    --------
    >>> weights([0], [1.0], 100)
    [1.0]
    >>> [round(one, 3) for one in weights([0, 100], [1.0, 1.0], 100)]
    [0.467, 0.233, 0.3]
    """
    if not counts:
        return []
    raw = [
        factor * (0.5 + 0.5 * math.log((statements + 1) / (count + 1)) / math.log(statements + 2))
        for count, factor in zip(counts, factors, strict=True)
    ]
    share = 1.0 if len(raw) == 1 else 1 - RELATION_WEIGHT
    found = [share * one / sum(raw) for one in raw]
    return found if len(raw) == 1 else [*found, RELATION_WEIGHT]


@dataclass(frozen=True)
class Coverage:
    """Coverage by facet, in all, and how much of the question is spoken of at all, whatever its worth.

    `reach` is the mean of two shares of the question, each facet by its weight and closest match: what all
    statements together speak of, and what the one statement that speaks of most does.
    """

    facets: tuple[FacetCoverage, ...]
    total: float
    reach: float


def covered(
    *,
    names: Sequence[str],
    weighted: Sequence[float],
    held: Sequence[int],
    scores: Mapping[str, Sequence[float]],
    matches: Mapping[str, Sequence[float]],
) -> Coverage:
    """Return the coverage of a question.

    Parameters
    ----------
    names, weighted, held
        One each a facet; joining them last, where asked.
    scores, matches
        Statement to relevance · worth, and to its match alone, by facet.
    """
    facets = []
    for place, (name, weight) in enumerate(zip(names, weighted, strict=True)):
        by, best = max(
            ((one, score[place]) for one, score in scores.items()),
            key=lambda pair: (pair[1], pair[0]),
            default=("", 0.0),
        )
        facets.append(
            FacetCoverage(name=name, weight=weight, covered=best, by=by if best > 0 else "", held=held[place])
        )
    subjects = len(names) - (len(names) > 1)
    together = sum(
        weighted[place] * max((one[place] for one in matches.values()), default=0.0)
        for place in range(subjects)
    )
    together /= sum(weighted[:subjects]) if subjects else 1.0
    alone = max((focus(one, weighted) for one in matches.values()), default=0.0)
    return Coverage(
        tuple(facets),
        sum(one.weight * one.covered for one in facets),
        (together + alone) / 2,
    )


@dataclass(frozen=True)
class Thresholds:
    """Where the labels change: `none` on reach, `partial` and `solid` on C; groups that solid needs."""

    none: float
    partial: float
    solid: float
    independent: int
    fitted_on: str = ""


@cache
def thresholds() -> Thresholds:
    """Return the thresholds of `thresholds.toml`."""
    table: dict[str, Any] = tomllib.loads(
        (Path(__file__).parent / "thresholds.toml").read_text(encoding="utf-8")
    )
    return Thresholds(**table)


def labelled(
    *,
    total: float,
    reach: float,
    independent: int,
    read: bool,
    ran: bool,
    joined: bool,
    bars: Thresholds,
    named: bool = True,
) -> Label:
    """Return the label; where nothing that carries it was read or measured, it is partial at most.

    So it is where several things are asked about and no one statement speaks of them all. A decisive run
    with its controls passed can be done again by the reader: it needs no second source. Where a proper name
    asked for is not `named` by what is said, it is thin at most.
    """
    if reach < bars.none or total <= 0:
        return Label.NONE
    if total < bars.partial or not named:
        return Label.THIN
    enough = independent >= bars.independent or ran
    return Label.SOLID if total >= bars.solid and enough and read and joined else Label.PARTIAL
