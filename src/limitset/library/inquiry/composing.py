"""Which sentences make the answer, and what licenses each?

Extractive: a sentence is the text of an atom or the wording of a verdict, or a fixed form filled with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from limitset.core.evidence import Scope
from limitset.library.inquiry.answer import Label, Relation, Search, Sentence
from limitset.library.inquiry.coverage import HELD
from limitset.library.inquiry.grounding import numbers_of
from limitset.library.inquiry.material import Material
from limitset.library.inquiry.statements import Statement
from limitset.library.inquiry.stemming import stems_of, words_of
from limitset.library.inquiry.word_lists import listed_words
from limitset.library.inquiry.wording import ended, listed, marks, stated

MOST_STATED: Final = 5
MOST_SIBLINGS: Final = 4
"""What else a run that is cited found, failures first."""
MOST_OPINIONS: Final = 2
MOST_CONTRASTS: Final = 2
MOST_YOURS: Final = 2
LEAST_GAIN: Final = 0.03
NEW_LINEAGE: Final = 1.25
LEAST_FOCUS: Final = 0.3
"""Share of the question that a statement must speak of to be said."""
ADJACENT: Final = 0.6
"""Share under which a statement is marked as lying beside the question."""
ALIKE_IN_LINEAGE: Final = 0.7
ALIKE: Final = 0.85
FEW_STEMS: Final = 5
"""Share of the shorter statement's stems from which two say the same."""


def chosen(material: Material) -> tuple[Statement, ...]:
    """Choose greedily what adds most to coverage; no two that say the same, runs and findings first."""
    used: list[Statement] = []
    seen: dict[int, int] = {}
    waiting = {
        name for name, one in material.statements.items() if one.own and material.focus(name) >= LEAST_FOCUS
    }
    fused = {
        one.key: material.retrieved.fused.get(row, 0.0) for row, one in material.retrieved.statements.items()
    }
    while waiting and len(used) < MOST_STATED:
        lineages = {material.lineage(other) for other in used}
        best = max(
            waiting, key=lambda name: (_worth_saying(material, name, seen, lineages) + fused[name], name)
        )
        waiting.remove(best)
        if material.gain(best, seen) < LEAST_GAIN:
            break
        one = material.statements[best]
        named = {place for place, match in enumerate(material.matches[best]) if match >= HELD}
        beside = material.focus(best) < ADJACENT and named <= set(seen)
        opinions = sum(other.modality == "opinion" for other in used)
        too_many = one.modality == "opinion" and opinions >= MOST_OPINIONS
        if beside or too_many or _said_already(material, one, used):
            continue
        used.append(one)
        seen.update({place: seen.get(place, 0) + 1 for place in named})
    return tuple(sorted([*used, *_siblings(material, used)], key=_order))


def _siblings(material: Material, used: Sequence[Statement]) -> list[Statement]:
    """Return what else the runs that are cited found on the question: a run is told with its failures."""
    protocols = {one.home[:2] for one in used if one.is_verdict and one.own}
    said = {one.id for one in used}
    found = [
        one
        for one in material.statements.values()
        if one.is_verdict
        and one.own
        and one.controls_passed
        and one.value in ("holds", "fails")
        and one.home[:2] in protocols
        and one.id not in said
        and material.focus(one.id) >= LEAST_FOCUS
    ]
    found.sort(key=lambda one: (one.value == "holds", -material.focus(one.id), one.id))
    return found[:MOST_SIBLINGS]


def on_yours(material: Material) -> tuple[Statement, ...]:
    """Return the runs on the user's systems that bear on the question: said last, and never evidence."""
    found = [
        one
        for name, one in material.statements.items()
        if not one.own and material.focus(name) >= ADJACENT and material.gain(name, {}) >= LEAST_GAIN
    ]
    found.sort(key=lambda one: (-material.gain(one.key, {}), one.key))
    return tuple(found[:MOST_YOURS])


def _worth_saying(material: Material, name: str, seen: Mapping[int, int], lineages: set[str]) -> float:
    """Return the gain of a statement, a quarter more where its source is a new one."""
    new = material.lineage(material.statements[name]) not in lineages
    return material.gain(name, seen) * (NEW_LINEAGE if new else 1.0)


def _order(one: Statement) -> int:
    if one.is_verdict:
        return 0
    return {"finding": 1, "definition": 1, "inference": 2}.get(one.modality, 3)


def _said_already(material: Material, one: Statement, used: Iterable[Statement]) -> bool:
    """Whether a statement says what another said; two runs never do: their numbers are their own."""
    for other in used:
        if one.is_verdict and other.is_verdict:
            continue
        same = material.lineage(one) == material.lineage(other)
        if alike(one.text, other.text) >= (ALIKE_IN_LINEAGE if same else ALIKE):
            return True
    return False


def alike(one: str, other: str) -> float:
    """Return how much of the shorter of two texts stands in the other, by stem and stop words aside.

    Texts with other numbers say other things, and few words in common prove little.

    Examples
    --------
    >>> text = "Loops of small nets settle with injection"
    >>> alike(f"{text}.", f"{text} at last."), alike(f"{text} in 4 of 9.", f"{text} in 5 of 8.")
    (1.0, 0.5)
    """
    left, right = _said_stems(one), _said_stems(other)
    shared = len(left & right) / max(min(len(left), len(right)), FEW_STEMS)
    first, second = numbers_of(one), numbers_of(other)
    return shared / 2 if first and second and not first & second else shared


def _said_stems(text: str) -> set[str]:
    return set(
        stems_of(word for word in words_of(text) if word not in listed_words("stop") and not word.isdigit())
    )


@dataclass(frozen=True)
class Opposed:
    """Two statements that contradict each other: the one used, and the one against it."""

    used: Statement
    against: Statement


def composed(
    material: Material,
    *,
    label: Label,
    used: Sequence[Statement],
    yours: Sequence[Statement],
    opposed: Sequence[Opposed],
    capped: bool,
) -> tuple[Sentence, ...]:
    """Return the sentences of an answer, in order; runs on the user's systems last."""
    own = [stated(material, one) for one in yours]
    if label is Label.NONE:
        return (refusal(material.names, material.retrieved.search), *own)
    thin = label is Label.THIN
    sentences = [_opening(material, used)] if thin else []
    sentences += [stated(material, one, adjacent=material.focus(one.key) < ADJACENT) for one in used]
    said = {one.id for one in used}
    shown = [pair for pair in opposed if _bears(material, pair, said)]
    sentences += [contrasted(material, pair, said=said) for pair in shown[:MOST_CONTRASTS]]
    sentences += _combined(material, used)
    sentences += _limits(material, used, capped=capped)
    sentences += _absences(material, said_joint=thin)
    return (*sentences, *own)


def refusal(names: Sequence[str], search: Search) -> Sentence:
    """Refuse in one sentence, with the counts that license it."""
    if not search.statements:
        text = "Nothing is held here: this library has no statements; limitset library add brings the first."
    elif not names:
        text = "Nothing was looked up: the question names nothing that a search could look for."
    else:
        parts = sorted((one for one in names if " + " not in one), key=lambda one: search.found[one] > 0)
        counts = listed([f"{search.found[name]} speak of {name}" for name in parts][:6])
        text = f"Not answered: too little is held on this (of {search.statements} statements, {counts})."
    return Sentence(text=text, cites=(), relation=Relation.ABSENCE)


def _opening(material: Material, used: Sequence[Statement]) -> Sentence:
    """Say first what makes the answer thin: a name nothing speaks of, or that nothing joins it all."""
    search = material.retrieved.search
    unspoken = material.unspoken(used)
    absent = [name for name in unspoken if not search.found[name]]
    if unspoken:
        names = listed(absent or unspoken, last="or")
        text = (
            f"Thin: nothing here speaks of {names} (0 of {search.statements} statements)."
            if absent
            else f"Thin: nothing held on this question speaks of {names}."
        )
        return Sentence(text=text, cites=(), relation=Relation.ABSENCE)
    name = material.names[-1]
    joint = len(material.names) > 1
    subject = f"name {listed(name.split(' + '))} together" if joint else f"speak of {name}"
    text = f"Thin: {search.found[name]} of {search.statements} statements here {subject}"
    best = _best(material)
    if search.found[name] and best is not None:
        text += f", and the best of what is held {best}"
    return Sentence(text=f"{text}.", cites=(), relation=Relation.ABSENCE)


def _best(material: Material) -> str | None:
    """Say of the statement that covers the question best why it is worth little."""
    one = material.statements.get(material.coverage.facets[-1].by)
    if one is None:
        return None
    if one.modality == "opinion":
        return "is an opinion"
    if material.unread(one):
        return "comes from a source that was not opened"
    return "is past its time" if material.stale(one) else None


def _bears(material: Material, pair: Opposed, said: Collection[str]) -> bool:
    """Whether a contradiction is about what was asked: a side was said, or speaks of most of the question."""
    return any(
        one.id in said or (one.key in material.matches and material.focus(one.key) >= ADJACENT)
        for one in (pair.used, pair.against)
    )


def contrasted(material: Material, pair: Opposed, *, said: Collection[str]) -> Sentence:
    """Show two statements that can not both be true; what was said already is not said again.

    A run that failed our reading of a text is said to have failed that reading, not the text.
    """
    one, other = pair.used, pair.against
    if one.id not in said and other.id in said:
        one, other = other, one
    against = stated(material, other)
    runs = [run for run in (one, other) if run.is_verdict]
    shown = against.marks
    if runs and not runs[0].literal:
        against_it = f"A run failed a reading of {pair.used.id}"
    elif runs:
        against_it = f"A run contradicts {pair.used.id}"
    else:
        against_it = f"Against {one.id} stands {other.id}"
    if one.id in said and other.id in said:
        text, shown = f"{one.id} and {other.id}, both said already, contradict each other.", ()
        if runs and not runs[0].literal:
            text = f"{runs[0].id}, said already, failed a reading of {pair.used.id}."
    else:
        text = f"{against_it}: {against.text}"
    return Sentence(
        text=text,
        cites=(one.id, other.id),
        relation=Relation.CONTRASTS,
        marks=tuple(dict.fromkeys(shown)),
    )


def _combined(material: Material, used: Sequence[Statement]) -> list[Sentence]:
    """Put two statements together where no single one joins what was asked: marked as an inference."""
    if len(material.names) < 3 or material.retrieved.held[-1]:
        return []
    parts = len(material.names) - 1
    speaks = {one.id: {p for p in range(parts) if material.matches[one.key][p] >= HELD} for one in used}
    for place, one in enumerate(used):
        for other in used[place + 1 :]:
            left, right = speaks[one.id], speaks[other.id]
            if left - right and right - left and material.lineage(one) != material.lineage(other):
                first = listed([material.names[p] for p in sorted(left)])
                second = listed([material.names[p] for p in sorted(right)])
                return [
                    Sentence(
                        text="Put together by this library, not found by anyone: one statement speaks "
                        f"of {first}, another of {second}, and none of both.",
                        cites=(one.id, other.id),
                        relation=Relation.COMBINES,
                        marks=("inference",),
                    )
                ]
    return []


def _limits(material: Material, used: Sequence[Statement], *, capped: bool) -> list[Sentence]:
    found = []
    unread = tuple(one.id for one in used if material.unread(one))
    if unread:
        count = len(unread)
        text = (
            "The source of 1 of these statements was not opened"
            if count == 1
            else f"The sources of {count} of these statements were not opened"
        )
        text += ", so that the answer is partial at most." if capped else "."
        found.append(Sentence(text=text, cites=unread, relation=Relation.LIMITS, marks=("unread",)))
    runs = [one for one in used if one.is_verdict and one.own]
    scopes = {one.scope for one in runs}
    if len(scopes) == 1:
        where = Scope(runs[0].scope).words
        found.append(
            Sentence(
                text=f"What was run here was run in {where}; beyond them it is untested here.",
                cites=tuple(one.id for one in runs),
                relation=Relation.LIMITS,
            )
        )
    return found


def _absences(material: Material, *, said_joint: bool) -> list[Sentence]:
    search = material.retrieved.search
    parts = material.names[:-1] if len(material.names) > 1 else material.names
    nothing = [name for name in parts if not search.found[name]]
    found: list[Sentence] = []
    if nothing and said_joint and set(nothing) <= {one.name for one in material.plan.facets if one.named}:
        return found  # said first
    if nothing:
        text = f"Nothing here speaks of {listed(nothing, last='or')} (0 of {search.statements} statements)."
        found.append(Sentence(text=text, cites=(), relation=Relation.ABSENCE))
    elif len(material.names) > 1 and not search.found[material.names[-1]] and not said_joint:
        text = f"No statement here names {listed(parts)} together (0 of {search.statements})."
        found.append(Sentence(text=text, cites=(), relation=Relation.ABSENCE))
    return found


def surprising(
    material: Material, *, used: Sequence[Statement], titles: Mapping[str, str]
) -> Sentence | None:
    """Return the one thing that the question did not ask for.

    A run that contradicts what a founding text says in so many words; else a correction that was found and
    not used.
    """
    cited = {one.id for one in used}
    near = [one for one in material.statements.values() if one.own and material.focus(one.key) >= ADJACENT]
    near.sort(key=lambda one: (-material.gain(one.key, {}), one.key))
    for one in sorted(near, key=lambda one: one.id not in cited):
        if one.is_verdict and one.value == "fails" and one.literal:
            title = titles.get(one.stated_by, one.stated_by)
            statement = one.states.rstrip(". ")
            return Sentence(
                text=f"“{statement}” stands in “{title}”; the run contradicts it.",
                cites=(one.id, *one.atoms[:1]),
                relation=Relation.CONTRASTS,
            )
    for one in near:
        if one.id not in cited and one.status == "erratum" and one.modality != "opinion":
            if any(alike(one.text, other.text) >= ALIKE_IN_LINEAGE for other in used):
                continue
            return Sentence(
                text=ended(one.text), cites=(one.id,), relation=Relation.STATES, marks=marks(material, one)
            )
    return None
