"""What do the holdings say to a question?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from limitset.core.levels import Level
from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import Answer, Label, Search, Sentence, UsedSource
from limitset.library.inquiry.composing import ADJACENT, Opposed, chosen, composed, on_yours, surprising
from limitset.library.inquiry.coverage import CARRYING, Thresholds, labelled, thresholds
from limitset.library.inquiry.facets import Facet, Plan, plan
from limitset.library.inquiry.index import Index, opened
from limitset.library.inquiry.material import Material, gathered
from limitset.library.inquiry.next_lines import gaps, next_lines
from limitset.library.inquiry.opposing import opposed_notes, opposed_to, rivals_of
from limitset.library.inquiry.prompt import research_prompt
from limitset.library.inquiry.rephrasing import Rephrase, rephrased
from limitset.library.inquiry.retrieval import Embedder, phrased, retrieve
from limitset.library.inquiry.statements import Statement
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.wording import listed

MOST_OF_IT: Final = 0.8
"""Share of a question that one statement must speak of, where none speaks of all."""


def ask(
    question: str,
    *,
    library: Library,
    today: dt.date,
    embedder: Embedder | None = None,
    rephrase: Rephrase | None = None,
    cache: Path | None = None,
) -> Answer:
    """Answer a question from what a library holds, and from nothing else.

    Parameters
    ----------
    question
        In words; 2,000 letters at most.
    library
        The shelves; its `as_of` hides what came later.
    today
        The day of the question: freshness and expiry count from it.
    embedder
        Texts to vectors, (n, d); its ranks are fused with those of the words. None: words only.
    rephrase
        One sentence to the same in other words; each result is checked or falls back.
    cache
        Where the index lies; None for the cache folder of limitset.

    Returns
    -------
    Answer
        Its label is "none" where the question is refused.

    Raises
    ------
    InputError
        When the question is empty or too long.

    Notes
    -----
    The same question on the same holdings and day gives the same answer, unless an embedder or a rephrasing
    model brings chance. A note that can not be read is left out and named in `withheld`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     empty = Library.opened(Path(folder), builtin=False)
    ...     day = dt.date(2026, 11, 22)
    ...     answer = ask("Is agreement truth?", library=empty, today=day, cache=Path(folder))
    >>> answer.label.value
    'none'
    """
    asked = plan(question)
    with opened(library, folder=cache) as index:
        asked = phrased(index, asked)
        found = retrieve(index, asked, embedder=embedder)
        material = gathered(index, asked, found, today)
        return _answered(index, material, rephrase)


@dataclass(frozen=True)
class Compared:
    """One question, asked of what was held on an earlier day and of what is held now."""

    before: Answer
    now: Answer


def compared(
    question: str, library: Library, before: dt.date, today: dt.date, *, cache: Path | None = None
) -> Compared:
    """Answer a question as it would have been answered on an earlier day, and today."""
    return Compared(
        ask(question, library=library.on(before), today=before, cache=cache),
        ask(question, library=library, today=today, cache=cache),
    )


@dataclass(frozen=True)
class Standing:
    """What the label of a question is decided by.

    `independent` counts the groups of independence behind the findings that bear on the question; `read` says
    whether one of them was read or measured, `ran` whether one is a decisive run of limitset's own,
    `joined` whether one statement speaks of all that is asked about, or nearly, `named` whether what is said
    speaks of every proper name asked for.
    """

    total: float
    reach: float
    independent: int
    read: bool
    ran: bool
    joined: bool
    named: bool
    used: tuple[Statement, ...]

    def label(self, bars: Thresholds) -> Label:
        """Return the label under some bars."""
        return labelled(
            total=self.total,
            reach=self.reach,
            independent=self.independent,
            read=self.read,
            ran=self.ran,
            joined=self.joined,
            named=self.named,
            bars=bars,
        )


def standing(question: str, *, library: Library, today: dt.date, cache: Path | None = None) -> Standing:
    """Return what the label of a question is decided by, without composing an answer."""
    asked = plan(question)
    with opened(library, folder=cache) as index:
        asked = phrased(index, asked)
        return _standing(gathered(index, asked, retrieve(index, asked), today))


def _standing(material: Material) -> Standing:
    used = chosen(material)
    bearing = [one for one in used if material.focus(one.key) >= ADJACENT and one.modality in CARRYING]
    carrying = bearing or list(used)
    return Standing(
        total=material.coverage.total,
        reach=material.coverage.reach,
        independent=len({material.lineage(one) for one in carrying}),
        read=any(not material.unread(one) for one in bearing),
        ran=any(
            one.is_verdict and one.own and one.value != "can't tell" and one.controls_passed
            for one in bearing
        ),
        joined=not material.retrieved.held
        or material.retrieved.held[-1] > 0
        or any(material.focus(one.id) >= MOST_OF_IT for one in used if one.modality != "opinion"),
        named=not material.unspoken(used),
        used=used,
    )


def _answered(index: Index, material: Material, rephrase: Rephrase | None) -> Answer:
    asked, search = material.plan, material.retrieved.search
    stands = _standing(material)
    label = stands.label(thresholds())
    used, independent = (stands.used, stands.independent) if label is not Label.NONE else ((), 0)
    opposed, yours = opposed_to(index, material, used), on_yours(material)
    notes = opposed_notes(index, material, used)
    sentences = composed(
        material,
        label=label,
        used=used,
        yours=yours,
        opposed=opposed,
        capped=label is Label.PARTIAL and not stands.read,
    )
    if rephrase is not None:
        sentences = tuple(rephrased(one, rephrase) for one in sentences)
    titles = {name: card.title for name, card in index.cards({one.stated_by for one in used}).items()}
    surprise = surprising(material, used=used, titles=titles) if used else None
    said = _said(material, sentences, surprise, (*used, *yours), opposed)
    sources = _sources(material, index, said)
    lines = (
        next_lines(index, material, used=used, opposed=notes)
        if used
        else tuple(gaps(asked, material.missing or material.names[:1]))
    )
    date = material.today.isoformat()
    return Answer(
        question=asked.question,
        date=date,
        holdings=index.holdings(),
        label=label,
        coverage=material.coverage.total,
        facets=material.coverage.facets,
        independent=independent,
        explores=_explores(asked),
        reads_as=_reads_as(asked, used, search),
        sentences=sentences,
        surprise=surprise,
        missing=material.missing,
        contradictions=tuple(
            dict.fromkeys(
                (pair.used.home, pair.against.home)
                for pair in (*notes, *(one for one in opposed if one.against.is_verdict))
            )
        ),
        rivals=rivals_of(index, used),
        stale=tuple(one.id for one in said if material.stale(one)),
        sources=sources,
        next_lines=lines,
        prompt=research_prompt(
            question=asked.question,
            date=date,
            label=label,
            durable=tuple(dict.fromkeys(one.title for one in used if one.is_verdict))
            or tuple(dict.fromkeys(one.title for one in used))[:2],
            findings=[(one, _when(one, said)) for one in sentences if one.cites],
            sources=sources,
            missing=material.missing,
        ),
        search=search,
        withheld=material.withheld,
    )


def _said(
    material: Material,
    sentences: Sequence[Sentence],
    surprise: Sentence | None,
    used: Sequence[Statement],
    opposed: Sequence[Opposed],
) -> list[Statement]:
    """Return every statement that a sentence cites, in order."""
    cited = [name for one in (*sentences, *([surprise] if surprise else [])) for name in one.cites]
    known: dict[str, dict[str, Statement]] = {}
    others = [one for one in material.statements.values() if one.own]
    for one in (*used, *(pair.against for pair in opposed), *others):
        known.setdefault(one.id, {}).setdefault(one.key, one)
    shown = {one.key for one in used}
    return [
        one
        for name in dict.fromkeys(cited)
        for one in known.get(name, {}).values()
        if len(known[name]) == 1 or one.key in shown
    ]


def _sources(material: Material, index: Index, said: Sequence[Statement]) -> tuple[UsedSource, ...]:
    """Return what stands behind the sentences, each source once."""
    cards = index.cards({one.source for one in said})
    found: dict[str, UsedSource] = {}
    for one in said:
        name = one.source
        if one.is_verdict:
            name = f"run-{one.home}" if one.own else f"your-run-{one.home}"
        if name in found:
            continue
        homes = tuple(
            dict.fromkeys(
                other.home
                for other in said
                if other.is_verdict == one.is_verdict
                and other.own == one.own
                and (other.home == one.home if one.is_verdict else other.source == one.source)
            )
        )
        card = cards.get(one.source)
        if one.is_verdict:
            title = f"Run of claim {one.home}" + ("" if one.own else f" on your {one.system}")
        else:
            title = card.title if card else one.source
        found[name] = UsedSource(
            id=name,
            title=title,
            year=int(one.since[:4]) if card is None else card.year,
            link=card.link if card else "",
            access="full" if one.is_verdict else card.access if card else "secondary",
            lineage=material.lineage(one),
            gist=one.gist,
            notes=homes,
        )
    return tuple(found.values())


def _when(sentence: Sentence, said: Sequence[Statement]) -> str:
    """Return the day and the scope of what a sentence cites."""
    cited = [one for one in said if one.id in sentence.cites]
    days = sorted({one.since for one in cited})
    scopes = sorted({f"scope {one.scope}, {one.value}" for one in cited if one.is_verdict})
    return "; ".join([*days, *scopes])


def _explores(asked: Plan) -> str:
    names = [one.name for one in asked.facets]
    if not names:
        return "This explores nothing that could be looked up."
    how = (
        " and how they bear on each other"
        if asked.relation
        else " and what joins them"
        if len(names) > 1
        else ""
    )
    return f"This explores {listed(names)}{',' if len(names) > 2 and how else ''}{how}."


_LEVELS = {
    Level.HIDDEN: "a map of hidden states",
    Level.TEXT: "a map of texts",
    Level.ANSWER: "repeated answers",
    Level.WEIGHTS: "training",
    Level.REPRESENTATION: "representations of many models",
    Level.ECOSYSTEM: "the field as a whole",
}


def _reads_as(asked: Plan, used: Sequence[Statement], search: Search) -> str:
    if not asked.facets:
        return "This reads the question as made of words that every question has."
    levels = [one.level for one in used]
    level = max(levels, key=levels.count) if levels else ""
    about = f" about {_LEVELS[Level(level)]}" if level else ""
    joins = ", and looks for one statement that names them together" if len(asked.facets) > 1 else ""
    taken = [f"“{one.asked}” as {one.name}" for one in asked.facets if _renamed(one)]
    renamed = f"; it takes {listed(taken)}" if taken else ""
    unread = f"; of its words {listed(asked.left_out)} were left out" if asked.left_out else ""
    searched = f"searched under {len(search.terms)} terms"
    return f"This reads the question as one{about}, {searched}{joins}{renamed}{unread}."


def _renamed(facet: Facet) -> bool:
    """Whether a facet bears another name than the question gave it, endings aside."""
    return stems_of(words_of(facet.asked)) != stems_of(words_of(facet.name))
