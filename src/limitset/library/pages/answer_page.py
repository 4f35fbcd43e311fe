"""What does a reader see first: what is known, how sure that is, and what changed?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from limitset.charts.facet_coverage import facet_coverage_chart
from limitset.core.errors import InputError
from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Answer, Label, Relation, Sentence
from limitset.library.pages.answer_sources import against, next_lines, run_numbers, search_record, sources
from limitset.library.pages.answer_wording import (
    Change,
    coverage_title,
    coverage_words,
    facet_words,
    lacking,
    percent,
    standing,
)
from limitset.library.pages.citing import Citations, claim_of
from limitset.library.pages.claim_history import curve_figure
from limitset.library.pages.numbers import short_hashes
from limitset.library.pages.told import drawn, known, label_word
from limitset.library.pages.wording import MARK_WORDS, counted, listed, readable
from limitset.report.page import Definition, Figure, Page, Table
from limitset.report.passages import Block, Copyable, Link, Passage, Said, Standing

SEARCH: Final = "search"
"""The place of the record of the search, to which every sentence of absence leads."""


def answer_page(
    answer: Answer, *, before: Answer | None = None, library: Library | None = None, pages: str = ""
) -> Page:
    """Build the page of an answer, or of what an answer became.

    Parameters
    ----------
    answer
        What the holdings say now.
    before
        What they said to the same question earlier: labels and coverage stand side by side, and what is new
        is marked.
    library
        For the statements behind notes, claims and runs; without it their ids stand alone.
    pages
        Where the claim pages lie, seen from this page ("claims/"); "" for no links to them.

    Returns
    -------
    Page
        Question and label first, then what is known beside the curve of the nearest run (or the coverage),
        then all that is held, and what stands behind it.

    Raises
    ------
    InputError
        When the two answers are to different questions.
    """
    if before is not None and before.question != answer.question:
        raise InputError.of(
            expected="before and after must answer one question",
            got=f"{before.question!r} and {answer.question!r}",
            fix="Ask the same question twice.",
        )
    cited = Citations(answer, library)
    change = None if before is None else Change(before, answer, library)
    curve = curve_figure(drawn(answer, cited))
    coverage = _coverage(answer, change)
    return Page(
        title="limitset answer",
        scope=f"{counted(answer.search.statements, 'statement')} searched · "
        f"{counted(len(answer.sources), 'source')} used",
        date=_when(answer),
        headline=(answer.question,),
        standings=(_standing(answer, cited),)
        if before is None
        else (
            _standing(before, Citations(before, library), when="Before"),
            _standing(answer, cited, when="Now"),
        ),
        lead=tuple(_lead(answer, cited, change)),
        figures=(coverage,) if curve is None else (curve, coverage),
        blocks=_blocks(answer, cited, change, pages),
        definitions=_DEFINITIONS,
        provenance={
            "asked": answer.question,
            "holdings": short_hashes(answer.holdings),
            **(
                {"holdings before": short_hashes(before.holdings), "asked before on": before.date}
                if before
                else {}
            ),
            "searched by": listed(answer.search.ways),
        },
        limits=_LIMITS,
    )


def said(one: Sentence, cited: Citations, *, new: Sequence[Sentence] = ()) -> Said:
    """Return a sentence with its marks and its links; absence leads to the record of the search."""
    links = [cited.link(cite) for cite in one.cites]
    if one.relation is Relation.ABSENCE:
        links.append(Link(words="search", to=f"#{SEARCH}", about="the record of the search"))
    return Said(
        text=one.text,
        links=tuple({(link.words, link.to): link for link in reversed(links)}.values())[::-1],
        marks=_marks(one),
        news="new" if one in new else "",
    )


def _marks(one: Sentence) -> tuple[str, ...]:
    marks = [MARK_WORDS.get(mark, mark) for mark in one.marks]
    if one.relation is Relation.COMBINES and "inference" not in one.marks:
        marks.insert(0, MARK_WORDS["inference"])
    if one.relation is Relation.CONTRASTS:
        marks.insert(0, "contradiction")
    return tuple(marks)


def _standing(answer: Answer, cited: Citations, *, when: str = "") -> Standing:
    """Return the label with its reach; what is missing, not the coverage, stands beside it."""
    return Standing(
        word=label_word(answer, cited), text=lacking(answer), tone=standing(answer).tone, when=when
    )


def _lead(answer: Answer, cited: Citations, change: Change | None) -> list[Block]:
    new = () if change is None else change.new
    lead: list[Block] = []
    first = known(answer, cited)
    if first:
        lead.append(
            Passage(name="known", title="What is known", said=first, foot=coverage_words(answer, change))
        )
    if change is not None:
        news = (Said(text=change.words),)
        lead.append(Passage(name="changed", title="What changed", said=news, tone="right"))
    # a sentence that leads is not said again
    leads = tuple(one.text for one in first)
    rest = [one for one in answer.sentences if not (leads and one.text.startswith(leads))]
    if rest:
        told = tuple(said(one, cited, new=new) for one in rest)
        title = "What is held" if answer.label is not Label.NONE else "Why it is not answered"
        title = "What else is held" if len(rest) < len(answer.sentences) else title
        foot = "" if first else coverage_words(answer, change)
        lead.append(Passage(name="answer", title=title, said=told, foot=foot))
    if answer.missing:
        lacks = tuple(Said(text=facet_words(name)) for name in answer.missing)
        lead.append(Passage(name="missing", title="What is missing", said=lacks, tone="wrong"))
    if answer.surprise is not None:
        surprise = (said(answer.surprise, cited),)
        lead.append(
            Passage(name="surprise", title="What the question did not ask for", said=surprise, tone="open")
        )
    return lead


def _coverage(answer: Answer, change: Change | None) -> Figure:
    def records(one: Answer) -> list[dict[str, object]]:
        return [
            {**asdict(facet), "facet": facet_words(facet.name), "by": _by(facet.by)} for facet in one.facets
        ]

    before = () if change is None else records(change.before)
    was = {} if change is None else {facet.name: facet for facet in change.before.facets}
    rows = tuple(
        (
            facet_words(facet.name),
            *(() if change is None else (was[facet.name].covered if facet.name in was else 0.0,)),
            facet.covered,
            facet.weight,
            _by(facet.by) or "nothing",
            facet.held,
        )
        for facet in answer.facets
    )
    earlier = () if change is None else ("coverage before",)
    hollow = (
        ""
        if change is None
        else f" Hollow: {_day(change.before.date)}, {change.before.label.value}; filled: "
        f"{_day(answer.date)}, {answer.label.value}."
    )
    return Figure(
        name="coverage",
        title=coverage_title(answer, change),
        chart=facet_coverage_chart(records(answer), before=before),
        caption=f"Coverage of each thing the question asks about, by the best statement held. "
        f"{counted(answer.search.statements, 'statement')} searched; "
        f"{counted(answer.independent, 'independent source')} used; all together "
        f"{percent(answer.coverage)}.{hollow}",
        table=Table(
            title="Data of this figure",
            columns=("asked about", *earlier, "coverage", "weight", "best held", "statements"),
            rows=rows,
        ),
    )


def _by(cite: str) -> str:
    claim = claim_of(cite)
    return f"run {claim}" if claim else cite


def _blocks(answer: Answer, cited: Citations, change: Change | None, pages: str) -> tuple[Block | Table, ...]:
    numbers = run_numbers(cited.verdicts)
    found: list[Block | Table] = [] if numbers is None else [numbers]
    found += against(answer, cited.library, pages)
    found += sources(answer, cited, pages)
    found += next_lines(answer, cited.library)
    if answer.prompt:
        found.append(
            Copyable(
                name="prompt",
                title="Research prompt for your own model",
                text=answer.prompt,
                intro=("What is held, what is missing and what to verify, ready to paste.",),
            )
        )
    if change is not None and change.gone:
        gone = tuple(
            Said(text=one.text, marks=(*_marks(one), *one.cites), news="gone") for one in change.gone
        )
        found.append(Passage(name="gone", title="What was said before", said=gone, fold="closed"))
    if answer.stale:
        stale = tuple(Said(text=one) for one in answer.stale)
        found.append(Passage(name="stale", title="Used though its time has passed", said=stale))
    if answer.withheld:
        withheld = tuple(Said(text=f"{name}: {why}.") for name, why in answer.withheld)
        found.append(Passage(name="withheld", title="Found and not used", said=withheld))
    found.append(search_record(answer, SEARCH))
    return tuple(found)


def _when(answer: Answer) -> str:
    return _day(answer.date)


def _day(date: str) -> str:
    try:
        return readable(dt.date.fromisoformat(date[:10]))
    except ValueError:
        return date


_DEFINITIONS: Final = (
    Definition(
        term="solid, partial, thin, none",
        plain="How well the holdings answer. Solid: covered, by two independent sources or more. Partial: in "
        "part, or only by statements whose source was not opened. Thin: only what lies beside the question. "
        "None: refused.",
    ),
    Definition(
        term="coverage",
        plain="For each thing asked about, the best statement held: how near it is, how well its source was "
        "read, and how much of its half-life is left; then the weighted sum.",
        formula="c_{f} = max_{a} relevance · quality · 2^{−age/half-life},   C = Σ_{f} w_{f} c_{f}",
    ),
    Definition(
        term="independent sources",
        plain="Papers of one study, lab or data set count once, however many notes they have here.",
    ),
    Definition(
        term="marks",
        plain="Opinion: asserted, not found. Source not opened: known through somebody else's note. Stale: "
        "its time has passed. Inference of this library: two statements put together here. No mark: a "
        "finding, from a source that was opened or a run made here.",
    ),
)
_LIMITS: Final = (
    "Every sentence comes from the holdings or from a run; what was never added is not known here.",
    "A run speaks of its scope: what holds on toy models is untested on large ones.",
)
