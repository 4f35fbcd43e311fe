"""How is an answer summed up in one plain sentence, and what changed since an earlier one?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from limitset.library.inquiry.answer import Answer, FacetCoverage, Label, Relation, Sentence
from limitset.library.pages.wording import counted, listed
from limitset.report.passages import Standing, Tone

TONES: Final[dict[Label, Tone]] = {
    Label.SOLID: "right",
    Label.PARTIAL: "part",
    Label.THIN: "wrong",
    Label.NONE: "unrun",
}


MOST_NAMED: Final = 3
"""Things asked about together that are named; more are counted."""


@dataclass(frozen=True)
class Change:
    """What an answer says that an earlier one did not, and the other way round."""

    before: Answer
    after: Answer

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
        """The change in one sentence: coverage, new sentences, and what carries them."""
        was, now = percent(self.before.coverage), percent(self.after.coverage)
        told = [f"Coverage stays at {now}" if was == now else f"Coverage went from {was} to {now}"]
        cites = {cite for one in self.new for cite in one.cites}
        if self.new:
            runs = sum(cite.startswith("v-") for cite in cites)
            parts = [counted(runs, "run")] if runs else []
            notes = len(cites) - runs
            parts += [counted(notes, "note sentence")] if notes else []
            by = f", carried by {listed(parts)}" if parts else ""
            told.append(f"{counted(len(self.new), 'sentence')} {_is(len(self.new))} new{by}")
        if self.gone:
            told.append(f"{counted(len(self.gone), 'sentence')} {_is(len(self.gone))} no longer said")
        return "; ".join(told) + "."


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
    >>> facet_words("normalization"), facet_words("norm + injection + limit")
    ('normalization', 'norm, injection and limit together')
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
    if len(held) < 2:
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


def _key(one: Sentence) -> str:
    # how many statements were searched changes with every note: that alone is no news
    text = re.sub(r"[\d,]+", "", one.text) if one.relation is Relation.ABSENCE else one.text
    return " ".join(text.split())


def _keys(answer: Answer) -> set[str]:
    return {_key(one) for one in answer.sentences}
