"""What stands behind an answer, against it, and after it?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Verdict
from limitset.library.inquiry.answer import Answer, UsedSource
from limitset.library.pages.citing import Citations, claim_of
from limitset.library.pages.numbers import bar_words, in_order, kind_of, measured, without_hashes
from limitset.library.pages.told import found_or_measured, title_of
from limitset.library.pages.wording import (
    ACCESS_WORDS,
    CURRENT,
    NEVER_RUN,
    NOT_RUNNABLE,
    again,
    counted,
    listed,
    readable,
    verdict_standing,
)
from limitset.report.page import Table
from limitset.report.passages import Block, Entries, Entry, Passage, Said, Sides, followable

BORN_WORDS: Final = {
    "gap": "nothing is held on it",
    "contradiction": "two notes contradict each other",
    "stale": "what is held on it has passed its time",
    "unrun": "its protocol was not run",
    "bridge": "nothing held connects the two",
}


def sources(answer: Answer, cited: Citations, pages: str) -> list[Block]:
    """Return the sources of an answer, each with how it was read and what it is cited for."""
    groups = Counter(one.lineage for one in cited.sources if one.lineage)
    entries = tuple(_source(one, cited, pages, groups) for one in cited.sources)
    title = f"{counted(len(entries), 'source')}, {answer.independent} independent"
    return [Entries(name="sources", title=title, entries=entries)] if entries else []


def run_numbers(verdicts: Sequence[Verdict]) -> Table | None:
    """Return the numbers of the runs that an answer cites, each against its bars; None without runs."""
    rows = tuple(
        (
            effect.words,
            measured(effect),
            effect.n,
            bar_words(effect.holds_if, kind_of(effect)),
            f"{verdict.claim} {effect.verdict}",
        )
        for verdict in verdicts
        for effect in in_order(verdict)
    )
    if not rows:
        return None
    systems: dict[str, list[str]] = {}
    for one in verdicts:
        systems.setdefault(f"{without_hashes(one.system)}, {readable(one.date)}", []).append(one.claim)
    runs = "; ".join(f"{listed(claims)}: {system}" for system, claims in systems.items())
    return Table(
        title="Numbers of the run" if len(verdicts) == 1 else "Numbers of the runs",
        columns=("measured", "value", "n", "holds if", "claim"),
        rows=rows,
        note=f"{runs}. Intervals leave 5 % of error to all statistics of a claim together.",
    )


def against(answer: Answer, library: Library | None, pages: str) -> list[Block]:
    """Return what contradicts what, and which claims are rivals, side by side."""
    found: list[Block] = []
    if answer.contradictions:
        rows = tuple(
            tuple(_note(name, f"contradiction-{row}-{side}", library) for side, name in enumerate(pair, 1))
            for row, pair in enumerate(answer.contradictions, 1)
        )
        found.append(Sides(name="contradictions", title="What contradicts what", rows=rows))
    if answer.rivals:
        rows = tuple(
            tuple(rival(name, f"rival-{row}-{side}", library, pages) for side, name in enumerate(pair, 1))
            for row, pair in enumerate(answer.rivals, 1)
        )
        found.append(Sides(name="rivals", title="Rival claims", rows=rows))
    return found


def access_words(one: UsedSource) -> str:
    """Say how a source was read, or that it is a run."""
    ran = bool(one.notes) and all(re.fullmatch(r"\d{2}[a-z]?", name) for name in one.notes)
    return ACCESS_WORDS["run"] if ran else ACCESS_WORDS.get(one.access, one.access)


def next_lines(answer: Answer, library: Library | None = None) -> list[Block]:
    """Return the next questions, why each is asked, and the command that goes there."""
    if not answer.next_lines:
        return []
    entries = tuple(
        Entry(
            name=f"next-{place}",
            title=one.question,
            facts=(
                BORN_WORDS.get(one.born_of, one.born_of),
                *(title_of(library, name) for name in one.about),
            ),
            command=one.command,
        )
        for place, one in enumerate(answer.next_lines, 1)
    )
    return [Entries(name="next", title="Next inquiring lines", entries=entries)]


def search_record(answer: Answer, name: str) -> Passage:
    """Return the record of the search, which licenses every sentence that says that nothing is held."""
    search = answer.search
    ways = f", by {listed(search.ways)}" if search.ways else ""
    told = [Said(text=one) for one in (answer.explores, answer.reads_as) if one]
    told.append(Said(text=f"{counted(search.statements, 'statement')} searched{ways}."))
    if search.terms:
        told.append(Said(text=f"Terms: {', '.join(search.terms)}."))
    told += [
        Said(text=f"{facet}: {counted(count, 'statement')} found.") for facet, count in search.found.items()
    ]
    return Passage(name=name, title="The search", said=tuple(told), fold="closed")


def _source(one: UsedSource, cited: Citations, pages: str, groups: Counter[str]) -> Entry:
    verdicts = [found for found in map(cited.verdict, cited.cited_as(one)) if found is not None]
    verdict = verdicts[-1] if len(verdicts) == 1 else None
    link = one.link if followable(one.link) else ""
    cites = cited.cited_as(one)
    facts = [str(one.year)] if one.year else []
    facts += [access_words(one)] if one.access else []
    if groups[one.lineage] > 1:
        facts.append(f"one group with {groups[one.lineage] - 1} more here ({one.lineage})")
    others = [name for name in cites if name != one.id]
    if others or not cites:
        facts.append(f"cited as {', '.join(others)}" if others else "found, not cited")
    run = verdict.claim if verdict else next((claim_of(name) for name in cites), "")
    command = verdict.run.command if verdict else f"limitset claims test {run}" if run else ""
    if not link and pages and run and cited.library is not None and run in cited.library.claims:
        link = f"{pages}{run}.html"
    return Entry(
        name=cited.place(one),
        title=one.title,
        to=link,
        text=f"“{title_of(cited.library, run)}”" if verdict else one.gist,
        facts=tuple(facts),
        marks=("not opened",) if one.access == "secondary" else (),
        standing=verdict_standing(verdict, CURRENT, brief=True) if verdict else None,
        command=command,
    )


def _note(name: str, place: str, library: Library | None) -> Entry:
    note = None if library is None else library.notes.get(name)
    if note is None:
        return Entry(name=place, title=name)
    read = {atom.source for atom in note.atoms}
    return Entry(
        name=place,
        title=note.title,
        text=note.gist,
        facts=(note.id, f"reviewed {readable(note.reviewed_on)}", f"from {', '.join(sorted(read))}"),
        marks=() if note.status == "current" else (note.status,),
    )


def rival(name: str, place: str, library: Library | None, pages: str) -> Entry:
    """Return a claim as one side of a rivalry, with how it stands."""
    claim = None if library is None else library.claims.get(name)
    if claim is None or library is None:
        return Entry(name=place, title=f"Claim {name}")
    verdict = library.verdict(name)
    state = CURRENT if verdict else NEVER_RUN if claim.runnable else NOT_RUNNABLE
    stood = verdict_standing(verdict, state)
    if verdict is not None and verdict.decisive:
        stood = replace(stood, text=found_or_measured(claim, verdict))
    return Entry(
        name=place,
        title=claim.statement,
        to=f"{pages}{name}.html" if pages else "",
        facts=(f"claim {name}", f"on {claim.scope.words}"),
        standing=stood,
        command=again(claim) if claim.runnable else "",
    )
