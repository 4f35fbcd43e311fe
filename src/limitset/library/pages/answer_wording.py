"""How is an answer summed up in one plain sentence, and what changed since an earlier one?"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from limitset.library.holdings.library import Library
from limitset.library.inquiry.answer import (
    Answer,
    FacetCoverage,
    Label,
    Relation,
    Sentence,
    UsedSource,
)
from limitset.library.pages.wording import counted, listed
from limitset.report.passages import Standing, Tone

TONES: Final[dict[Label, Tone]] = {
    Label.SOLID: "right",
    Label.PARTIAL: "part",
    Label.THIN: "wrong",
    Label.NONE: "unrun",
}


MOST_NAMED: Final = 2
"""Things asked about together that are named; more are counted."""


@dataclass(frozen=True)
class Change:
    """What an answer says that an earlier one did not, and the other way round."""

    before: Answer
    after: Answer
    library: Library | None = None
    """Says when a source was published and read, where it is given."""

    @property
    def new(self) -> tuple[Sentence, ...]:
        """Sentences that were not said before."""
        return tuple(one for one in self.after.sentences if _key(one) not in _keys(self.before))

    @property
    def gone(self) -> tuple[Sentence, ...]:
        """Sentences that are no longer said."""
        return tuple(one for one in self.before.sentences if _key(one) not in _keys(self.after))

    @property
    def gained(self) -> tuple[str, ...]:
        """Facets that are covered now and were not."""
        had = {one.name for one in covered(self.before)}
        return tuple(one.name for one in covered(self.after) if one.name not in had)

    @property
    def lost(self) -> tuple[str, ...]:
        """Facets that were covered and are no longer."""
        has = {one.name for one in covered(self.after)}
        return tuple(one.name for one in covered(self.before) if one.name not in has)

    @property
    def words(self) -> str:
        """The change in one sentence: which runs and papers are new here, and when they were published."""
        runs = [one for one in self._fresh if one.startswith("v-")]
        papers, notes = self._papers()
        parts = [counted(len(runs), "run")] if runs else []
        if papers:
            about = "; ".join(map(self._published, papers))
            parts.append(f"{counted(len(papers), 'paper')} ({about})")
        elif notes:
            parts.append(counted(notes, "statement of what was held already"))
        since = _since(self.before.date, self.after.date)
        told = [f"New here {since}: {listed(parts)}" if parts else f"Nothing new here {since}"]
        gone = [one for one in self.gone if _news(one)]
        if gone:
            told.append(f"{counted(len(gone), 'sentence')} {_is(len(gone))} no longer said")
        return "; ".join(told) + "."

    @property
    def _fresh(self) -> tuple[str, ...]:
        """What is cited by sentences that are new; limits and absence are no news."""
        return tuple(dict.fromkeys(cite for one in self.new if _news(one) for cite in one.cites))

    def _papers(self) -> tuple[list[UsedSource], int]:
        """Return the sources read that were not used before, and how many other statements are new."""
        had = {one.id for one in self.before.sources}
        cites = [one for one in self._fresh if not one.startswith("v-")]
        homes = {one.partition("#")[0] for one in cites}
        found = [
            one
            for one in self.after.sources
            if one.id not in had and (homes & set(one.notes) or set(cites) & set(one.notes))
        ]
        return found, len(cites)

    def _published(self, one: UsedSource) -> str:
        source = None if self.library is None else self.library.sources.get(one.id)
        month = re.fullmatch(r"(\d{2})(\d{2})\.\d{4,5}(v\d+)?", source.arxiv) if source else None
        when = str(one.year)
        if month and 1 <= int(month[2]) <= 12 and 2000 + int(month[1]) == one.year:
            when = f"{dt.date(one.year, int(month[2]), 1):%B %Y}"
        read = f", read {_short(source.verified_on)}" if source and not source.unread else ""
        return f"published {when}{read}"


def percent(share: float) -> str:
    """Write a coverage.

    Examples
    --------
    >>> percent(0.684)
    '68 %'
    """
    return f"{100 * share:.0f} %"


def facet_words(name: str) -> str:
    """Name what a question asks about; several joined by " + " are asked about together.

    Examples
    --------
    >>> facet_words("normalization"), facet_words("norm + injection"), facet_words("norm + injection + limit")
    ('normalization', 'norm and injection together', 'all 3 together')
    """
    parts = name.split(" + ")
    if len(parts) > MOST_NAMED:
        return f"all {len(parts)} together"
    return f"{listed(parts)} together" if len(parts) > 1 else name


def covered(answer: Answer) -> tuple[FacetCoverage, ...]:
    """Return the facets of which something is held."""
    return tuple(one for one in answer.facets if one.covered > 0 and one.name not in answer.missing)


def standing(answer: Answer, *, when: str = "") -> Standing:
    """Say in one sentence how well a question is answered: "Thin: nothing is held on ..."."""
    return Standing(
        word=answer.label.value.capitalize(), text=label_words(answer), tone=TONES[answer.label], when=when
    )


def label_words(answer: Answer) -> str:
    """Say why an answer is solid, partial, thin or none.

    A missing facet is named; coverage and the number of independent sources are given.
    """
    asked, held = len(answer.facets), len(covered(answer))
    missing = listed([facet_words(one) for one in answer.missing], last="or")
    sources = counted(answer.independent, "independent source")
    share = f"coverage {percent(answer.coverage)}"
    if answer.label is Label.NONE:
        return "nothing held bears on this question, so it is not answered."
    if answer.label is Label.THIN:
        if missing:
            return f"nothing is held on {missing}; what follows lies beside the question ({share})."
        return f"what is held only touches the question ({share}, {sources}){_weakest(answer)}."
    every = f"{held} of {asked} things asked about are covered" if held < asked else _all(asked)
    solid = answer.label is Label.SOLID
    tail = f"; nothing is held on {missing}" if missing else "" if solid else _weakest(answer)
    return f"{every}, by {sources} ({share}){tail}."


def lacking(answer: Answer) -> str:
    """Say what an answer lacks; "" where nothing asked about is missing."""
    missing = listed([facet_words(one) for one in answer.missing], last="or")
    if answer.label is Label.NONE:
        return "nothing held bears on this question, so it is not answered."
    if answer.label is Label.THIN:
        lies = "what follows lies beside the question."
        return (
            f"nothing is held on {missing}; {lies}" if missing else "what is held only touches the question."
        )
    return f"nothing is held on {missing}." if missing else ""


def coverage_words(answer: Answer, change: Change | None) -> str:
    """Say in one small line how much of the question is covered, by how many independent sources."""
    was = f" (before: {percent(change.before.coverage)})" if change is not None else ""
    sources = counted(answer.independent, "independent source")
    asked = f"{len(covered(answer))} of {counted(len(answer.facets), 'thing')} asked about"
    return f"Coverage {percent(answer.coverage)}{was}: {asked}, by {sources}."


def coverage_title(answer: Answer, change: Change | None) -> str:
    """Say what the figure of coverage shows."""
    names = [facet_words(one) for one in answer.missing]
    missing = f"nothing on {listed(names, last='or')}" if names else ""
    if change is not None and change.gained:
        still = f"; still {missing}" if missing else ""
        return f"Newly held: {listed([facet_words(one) for one in change.gained])}{still}"
    if change is not None and change.before.coverage != answer.coverage:
        way = f"from {percent(change.before.coverage)} to {percent(answer.coverage)}"
        was, now = change.before.label.value, answer.label.value
        labels = f"{was.capitalize()} before, {now} now: coverage" if was != now else "Coverage"
        return f"{labels} went {way}{f'; {missing}' if missing else ''}"
    held = [facet_words(one.name) for one in covered(answer)]
    if not held:
        return "Nothing asked about is held"
    return f"Held: {listed(held)}{f'; {missing}' if missing else ''}"


def _weakest(answer: Answer) -> str:
    held = sorted(answer.facets, key=lambda one: one.covered)
    if len(held) < 2 or percent(held[0].covered) == percent(held[-1].covered):
        return ""
    return f"; weakest: {facet_words(held[0].name)} ({percent(held[0].covered)})"


def _all(asked: int) -> str:
    return (
        "the one thing asked about is covered"
        if asked == 1
        else f"all {asked} things asked about are covered"
    )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _news(one: Sentence) -> bool:
    return one.relation not in (Relation.ABSENCE, Relation.LIMITS)


def _since(before: str, after: str) -> str:
    try:
        then, now = (dt.date.fromisoformat(day[:10]) for day in (before, after))
    except ValueError:
        return f"since {before}"
    return "by this run" if then == now else f"since {_short(then)}"


def _short(day: dt.date) -> str:
    return f"{day.day} {day:%b}"


def _key(one: Sentence) -> str:
    # how many statements were searched changes with every note: that alone is no news
    text = re.sub(r"[\d,]+", "", one.text) if one.relation is Relation.ABSENCE else one.text
    return " ".join(text.split())


def _keys(answer: Answer) -> set[str]:
    return {_key(one) for one in answer.sentences}
