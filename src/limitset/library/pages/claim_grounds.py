"""On what does a claim rest, against what does it stand, and what may be wrong with it?"""

from __future__ import annotations

import re
from typing import Final

from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Source, Verdict
from limitset.library.pages.answer_sources import rival
from limitset.library.pages.curve_words import column_words, row_cell
from limitset.library.pages.wording import ACCESS_WORDS, founding, readable, source_address
from limitset.report.page import Table
from limitset.report.passages import Entries, Entry, Link, Passage, Said, Sides, followable, slug


def plan(claim: Claim) -> Passage:
    """Return the protocol of a claim that cannot be run yet, written out; its cost stands in the headline."""
    told = [one for one in paragraphs(claim.plan) if not one.startswith(_COST)]
    return Passage(
        name="plan", title="The protocol, written out", said=tuple(map(_headed, told)), tone="open"
    )


def cost(claim: Claim) -> str:
    """Return what a plan says that it would take; "" where it does not say."""
    told = next((one for one in paragraphs(claim.plan) if one.startswith(_COST)), "")
    return told.removeprefix(_COST).strip().removeprefix("estimate:").strip().rstrip(".")


def _headed(paragraph: str) -> Said:
    label, colon, text = paragraph.partition(": ")
    if colon and _HEADED.match(paragraph) and label[:1].isupper():
        return Said(text=text, label=f"{label}:")
    return Said(text=paragraph)


def paragraphs(text: str) -> list[str]:
    """Join lines that were broken to fit; a blank line or a new "Word:" begins a paragraph.

    Examples
    --------
    >>> paragraphs("Data: a long" + chr(10) + "line" + chr(10) + "Rule: b")
    ['Data: a long line', 'Rule: b']
    """
    found: list[list[str]] = []
    fresh = True
    for line in text.splitlines():
        words = line.strip()
        if words and (fresh or _HEADED.match(words)):
            found.append([words])
        elif words:
            found[-1].append(words)
        fresh = not words
    return [" ".join(lines) for lines in found]


_COST: Final = "Cost:"
_HEADED: Final = re.compile(r"[A-Z][A-Za-z ,-]{1,30}: |\d+[.)] |[-*] ")


def shown_rows(verdict: Verdict | None) -> Table | None:
    """Return the rows that a run shows: what was asked, what came."""
    if verdict is None or not verdict.rows:
        return None
    columns = tuple(dict.fromkeys(str(name) for row in verdict.rows for name in row))
    rows = tuple(tuple(row_cell(name, row.get(name)) for name in columns) for row in verdict.rows)
    words = tuple(map(column_words, columns))
    return Table(title="What was asked, and what came", columns=words, rows=rows)


def meaning(claim: Claim) -> Passage:
    """Return what exactly is claimed: what is estimated, on what unit, what would refute it, what lasts."""
    told = [
        f"Estimated: {claim.estimand}; n counts: {claim.unit}.",
        f"Refuted if: {claim.falsifier}.",
        f"The question that lasts: {claim.durable_question}",
    ]
    if claim.perishable_part:
        told.append(f"What perishes: {claim.perishable_part}.")
    told.append(f"Worth half after {claim.half_life_days:,} days.")
    if claim.tags:
        told.append(f"Tags: {', '.join(claim.tags)}.")
    said = tuple(Said(text=one.replace("..", ".")) for one in told)
    return Passage(name="meaning", title="What exactly is claimed", said=said)


def grounds(library: Library, claim: Claim) -> Entries | None:
    """Return the sentences a claim rests on, each with its source and how that was read."""
    entries = []
    for place, cite in enumerate(claim.atoms, 1):
        name, _, number = cite.partition("#")
        note = library.notes.get(name)
        atom = next((one for one in note.atoms if one.id == number), None) if note else None
        if note is None or atom is None:
            entries.append(Entry(name=f"ground-{place}", title=cite, facts=("not held on this day",)))
            continue
        source = library.sources.get(atom.source)
        marks = ["opinion"] if atom.modality == "opinion" else []
        marks += ["source not opened"] if source is not None and source.unread else []
        marks += [note.status] if note.status in ("stale", "superseded") else []
        entries.append(
            Entry(
                name=f"ground-{place}",
                title=atom.text,
                text=source_words(source) if source else atom.source,
                facts=(cite, atom.locator, f"reviewed {readable(note.reviewed_on)}"),
                marks=tuple(marks),
                links=source_links(source),
            )
        )
    if not entries:
        return None
    return Entries(name="grounds", title="What it rests on", entries=tuple(entries))


def rivals(library: Library, claim: Claim) -> Sides | None:
    """Return the claims that compete with this one."""
    if not claim.rivals:
        return None
    row = tuple(rival(name, f"rival-{slug(name)}", library, "./") for name in dict.fromkeys(claim.rivals))
    return Sides(name="rivals", title="Rival claims", rows=(row,))


def doubts(claim: Claim, verdict: Verdict | None) -> Passage | None:
    """Return what may confound a claim, and what a run did otherwise than its protocol says."""
    told = [Said(text=f"{one.rstrip('.')}.") for one in claim.confounds]
    if verdict is not None:
        told += [
            Said(text=f"{one.rstrip('.')}.", marks=("done otherwise",)) for one in verdict.run.deviations
        ]
    return Passage(name="doubts", title="What may be wrong with it", said=tuple(told)) if told else None


def source_words(source: Source) -> str:
    """Name a source in one line, with how it was read."""
    who = source.authors[0] if len(source.authors) == 1 else f"{source.authors[0]} and others"
    by = f"{who}, " if source.authors and not founding(source) else ""
    return f"{source.title}. {by}{source.year}; {ACCESS_WORDS[source.access]}."


def source_links(source: Source | None) -> tuple[Link, ...]:
    """Return the way to a source, where there is one that may be followed."""
    if source is None:
        return ()
    to = source_address(source)
    return (Link(words=source.id, to=to, about=source.title),) if followable(to) else ()
