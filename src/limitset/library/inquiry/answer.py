"""Of what does an answer consist, and what licenses each of its sentences?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Label(StrEnum):
    """How well the holdings answer a question; the thresholds and their measured error stand in the docs."""

    SOLID = "solid"
    """Answered, by what was measured or read, from two independent sources or more."""
    PARTIAL = "partial"
    """Answered in part, or only by statements whose source was not opened."""
    THIN = "thin"
    """Only what lies beside the question is held."""
    NONE = "none"
    """Nothing is held: refused."""


class Relation(StrEnum):
    """What a sentence does with what it cites."""

    STATES = "states"
    """Says what one atom or verdict says."""
    COMBINES = "combines"
    """Puts two together: an inference of the library, marked as such."""
    CONTRASTS = "contrasts"
    """Shows that two contradict each other."""
    LIMITS = "limits"
    """Says how far the above reaches."""
    ABSENCE = "absence"
    """Says that nothing is held, licensed by the record of the search."""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of an answer.

    Parameters
    ----------
    text
        What is said.
    cites
        Atoms ("note#1") and verdicts ("v-06a-...") that carry it; empty only for absence.
    relation
        What it does with them.
    marks
        What a reader must see beside it: "opinion", "unread", "stale", "inference", "rephrased"; "adjacent"
        where it lies beside the question.
    """

    text: str
    cites: tuple[str, ...]
    relation: Relation
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FacetCoverage:
    """One thing the question asks about, and how well it is held.

    `covered` in [0, 1]; `by` is the atom or verdict that covers it best ("" where none does); `held` counts
    the statements that speak of it at all.
    """

    name: str
    weight: float
    covered: float
    by: str
    held: int


@dataclass(frozen=True, kw_only=True)
class Search:
    """The record of a search: it licenses every sentence that says that nothing is held.

    `statements` is how many atoms and verdicts were searched, `found` how many matched each facet.
    """

    terms: tuple[str, ...]
    statements: int
    found: Mapping[str, int]
    ways: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UsedSource:
    """A source behind an answer: what it is, in two sentences at most, and how it was read."""

    id: str
    title: str
    year: int
    link: str
    access: str
    lineage: str
    gist: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NextLine:
    """A question worth asking next, and why: gap, contradiction, stale, unrun, bridge."""

    question: str
    born_of: str
    about: tuple[str, ...]
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the holdings say to a question on a day.

    Parameters
    ----------
    question, date, holdings
        What was asked, when, and the hash of what was held.
    label, coverage
        How well it is answered; coverage in [0, 1].
    facets, independent
        Coverage by facet, and how many independent sources carry the answer.
    explores, reads_as
        "This explores ...", "This reads the question as ...".
    sentences, surprise
        The answer, and the one thing in it that the question did not ask for (None where there is none).
    missing
        Facets of which nothing is held.
    contradictions, rivals
        Pairs of notes that contradict each other, and rival claims, among what was used.
    stale
        What was used though its time has passed.
    sources, next_lines, prompt
        What stands behind it, what to ask next, and a prompt for the reader's own model.
    search
        The record of the search.
    withheld
        Statements that were found and not used, with the reason (an instruction inside a note, a retraction).
    """

    question: str
    date: str
    holdings: str
    label: Label
    coverage: float
    facets: tuple[FacetCoverage, ...]
    independent: int
    explores: str
    reads_as: str
    sentences: tuple[Sentence, ...]
    surprise: Sentence | None
    missing: tuple[str, ...]
    contradictions: tuple[tuple[str, str], ...]
    rivals: tuple[tuple[str, str], ...]
    stale: tuple[str, ...]
    sources: tuple[UsedSource, ...]
    next_lines: tuple[NextLine, ...]
    prompt: str
    search: Search
    withheld: tuple[tuple[str, str], ...] = ()

    def record(self) -> dict[str, Any]:
        """Return a plain record, ready for JSON."""
        return asdict(self)
