"""What is known, in at most three plain sentences, and how far does it reach?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from limitset.core.evidence import Scope
from limitset.library.holdings.findings import finding_of
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Verdict
from limitset.library.inquiry.answer import Answer, Label, Relation, Sentence, UsedSource
from limitset.library.pages.citing import Citations, claim_of
from limitset.library.pages.numbers import clause, proved
from limitset.library.pages.wording import MARK_WORDS, counted, listed
from limitset.report.passages import Said

MOST_SENTENCES: Final = 3
"""Sentences that say what is known; all the rest stands under them."""


def found(claim: Claim, verdict: Verdict | None) -> str:
    """Return the plain sentence of a decisive run; "" where there is none."""
    if verdict is None or not verdict.decisive:
        return ""
    return finding_of(claim, verdict)


def found_or_measured(claim: Claim, verdict: Verdict) -> str:
    """Return the plain sentence of a run, or the number that decided it."""
    return found(claim, verdict) or f"{_first(clause(verdict.effect))}."


def scope_words(verdict: Verdict) -> str:
    """Say of what a verdict speaks."""
    if verdict.effects and all(map(proved, verdict.effects)):
        return "mathematics"
    return Scope(verdict.scope).words if verdict.own else "your system"


def where_words(verdict: Verdict) -> str:
    """Say in or on what a verdict was found."""
    words = scope_words(verdict)
    return f"{'on' if words == 'your system' else 'in'} {words}"


def known(answer: Answer, cited: Citations) -> tuple[Said, ...]:
    """Return what is known: the findings of the runs cited, nearest first, else the first statements."""
    if answer.label in (Label.THIN, Label.NONE):
        return ()
    lead: dict[str, Said] = {}
    for sentence in _nearest(answer.sentences):
        for cite in sentence.cites:
            verdict = cited.verdict(cite)
            claim = cited.library.claims.get(verdict.claim) if verdict and cited.library else None
            if verdict is None or claim is None or not verdict.decisive:
                continue
            text = found_or_measured(claim, verdict)
            lead.setdefault(text, Said(text=text, links=(cited.link(cite),), marks=(scope_words(verdict),)))
    if not lead:
        for sentence in _nearest(answer.sentences):
            links = tuple(cited.link(cite) for cite in sentence.cites)
            lead.setdefault(sentence.text, Said(text=sentence.text, links=links, marks=_caution(sentence)))
    return tuple(lead.values())[:MOST_SENTENCES]


def drawn(answer: Answer, cited: Citations) -> Verdict | None:
    """Return the first cited verdict that has a curve: its picture stands beside what is known."""
    if answer.label in (Label.THIN, Label.NONE):
        return None
    for sentence in _nearest(answer.sentences):
        for verdict in map(cited.verdict, sentence.cites):
            if verdict is not None and verdict.decisive and len(verdict.curve) > 1:
                return verdict
    return None


def label_word(answer: Answer, cited: Citations) -> str:
    """Return the label with its reach: "Solid, in toy models", "Solid in toy models; one abstract read"."""
    word = answer.label.value.capitalize()
    if answer.label in (Label.THIN, Label.NONE):
        return word
    verdicts = cited.verdicts
    if not verdicts:
        return word
    reach = listed(list(dict.fromkeys(map(where_words, verdicts))))
    papers = [one for one in cited.sources if one.access in ("abstract", "full") and _read(one, cited)]
    if not papers:
        return f"{word}, {reach}"
    read = [
        f"{_count(sum(one.access == access for one in papers), noun)}"
        for access, noun in (("full", "paper"), ("abstract", "abstract"))
        if any(one.access == access for one in papers)
    ]
    return f"{word} {reach}; {listed(read)} read beside"


def title_of(library: Library | None, name: str) -> str:
    """Return what an id stands for: the statement of a claim, the question of a note; else the id."""
    if library is None:
        return name
    bare = claim_of(name) or name.partition("#")[0]
    if bare in library.claims:
        return library.claims[bare].statement
    return library.notes[bare].title if bare in library.notes else name


def _nearest(sentences: Sequence[Sentence]) -> list[Sentence]:
    told = [one for one in sentences if one.relation is Relation.STATES]
    return sorted(told, key=lambda one: "adjacent" in one.marks)


def _caution(one: Sentence) -> tuple[str, ...]:
    return tuple(MARK_WORDS.get(mark, mark) for mark in one.marks if mark != "adjacent")


def _read(one: UsedSource, cited: Citations) -> bool:
    cites = cited.cited_as(one)
    return bool(cites) and not any(name.startswith("v-") for name in cites)


def _count(count: int, noun: str) -> str:
    return f"one {noun}" if count == 1 else counted(count, noun)


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
