"""Which claims are held, how does each stand, and which contradict a founding text?"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from limitset.core.levels import Level
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim
from limitset.library.pages.numbers import clause
from limitset.library.pages.told import found, scope_words
from limitset.library.pages.wording import (
    CURRENT,
    NEVER_RUN,
    NOT_RUNNABLE,
    VERDICTS,
    again,
    age,
    counted,
    founding,
    listed,
    readable,
    verdict_standing,
)
from limitset.report.page import Definition, Page
from limitset.report.passages import Block, Entries, Entry, Filters, Link, Passage, Said, Standing, slug

FOLDER: Final = "claims/"
"""Where the claim pages lie, seen from the index."""
LEVEL_WORDS: Final = {
    Level.HIDDEN: "Hidden state, under depth",
    Level.TEXT: "Text, under re-prompting",
    Level.ANSWER: "Answers",
    Level.WEIGHTS: "Weights, under training",
    Level.REPRESENTATION: "Representations",
    Level.ECOSYSTEM: "The ecosystem, under adoption",
}
"""Of which map a claim speaks."""
MOST_TAGS: Final = 24
"""Tags that have a button: those of most claims."""


def index_page(library: Library, states: Mapping[str, str], *, today: dt.date) -> Page:
    """Build the index of all claims.

    Parameters
    ----------
    library
        What is held.
    states
        Claim to how its newest verdict stands today; one that is left out is told by `state_of`.
    today
        Given; ages are counted to it.

    Returns
    -------
    Page
        Counts; what contradicts a founding text; then the claims by level, with ways to them by tag and by
        age. It needs no script: a script adds filters.
    """
    claims = list(library.claims.values())
    told = {one.id: states.get(one.id) or state_of(library, one, today) for one in claims}
    levels = [level for level in Level if any(one.level is level for one in claims)]
    blocks: list[Block] = [
        *_founding(library, claims, told, today),
        *([_filters(library, claims, told)] if len(claims) > 1 else []),
        *(_level(level, library, claims, told, today) for level in levels),
        *_by_tag(claims),
        *_by_age(library, claims, today),
    ]
    notes = counted(len(library.notes), "note")
    return Page(
        title="limitset claims",
        scope=f"{counted(len(claims), 'claim')} · {notes} · {counted(len(library.sources), 'source')}",
        date=readable(today),
        headline=(_headline(library, claims, told),),
        standings=_standings(library, claims, told),
        lead=tuple(one for one in blocks if one.name == "contradicted"),
        blocks=tuple(one for one in blocks if one.name != "contradicted"),
        definitions=_DEFINITIONS,
    )


def state_of(library: Library, claim: Claim, today: dt.date) -> str:
    """Return how a claim stands by what the files alone tell: dates, and whether it can be run."""
    verdict = library.verdict(claim.id)
    if verdict is None:
        return NEVER_RUN if claim.runnable else NOT_RUNNABLE
    return "expired" if today > verdict.expires_on else CURRENT


def _headline(library: Library, claims: Sequence[Claim], told: Mapping[str, str]) -> str:
    if not claims:
        return "No claim is held."
    values = _values(library, [one for one in claims if told[one.id] == CURRENT])
    decided = values["holds"] + values["fails"]
    parts = [
        f"{values[name]} {name if values[name] == 1 else name[:-1]}"
        for name in ("holds", "fails")
        if values[name]
    ]
    said = f"{counted(len(claims), 'claim')}: {decided} decided here ({listed(parts)})" if decided else ""
    return f"{said or counted(len(claims), 'claim') + ', none decided here yet'}."


def _standings(library: Library, claims: Sequence[Claim], told: Mapping[str, str]) -> tuple[Standing, ...]:
    against = [one for one in claims if _contradicts(library, one, told)]
    stood = []
    if against:
        essays = all(founding(library.sources.get(one.stated_by)) for one in against)
        where = "of the essays this project started from" if essays else "of the sources held"
        word = f"{counted(len(against), 'sentence')} {where} did not survive a test"
        unread = any(_unread(library, one) for one in against)
        said = "The essays were not opened: their sentences are known from notes on them." if unread else ""
        stood.append(Standing(word=word, text=said, tone="wrong"))
    values = _values(library, claims)
    waiting = [
        f"{values[name]} {words}"
        for name, words in (
            ("can't tell", "can't be told yet"),
            (NEVER_RUN, "ready and not run"),
            (NOT_RUNNABLE, "cannot be run yet"),
        )
        if values[name]
    ]
    stale = sum(one not in (CURRENT, NEVER_RUN, NOT_RUNNABLE) for one in told.values())
    waiting += [f"{stale} stale"] if stale else []
    if waiting:
        stood.append(Standing(word="Open", text=f"{', '.join(waiting)}.", tone="open"))
    return tuple(stood)


def _founding(
    library: Library, claims: Sequence[Claim], told: Mapping[str, str], today: dt.date
) -> list[Block]:
    """Return the claims whose verdict contradicts what their source says, and our readings that failed."""
    literal = [one for one in claims if _contradicts(library, one, told)]
    ours = [one for one in claims if _reading_failed(library, one, told)]
    blocks: list[Block] = []
    for name, title, held in (
        ("contradicted", "What did not survive a test", literal),
        ("readings", "Our readings that failed", ours),
    ):
        if held:
            entries = tuple(_entry(one, library, told, today, place=f"{name}-") for one in held)
            said = ("Sentences in our words, of what a source says; the source may say it otherwise.",)
            intro = said if name == "readings" else ()
            blocks.append(Entries(name=name, title=title, entries=entries, intro=intro))
    return blocks


def _filters(library: Library, claims: Sequence[Claim], told: Mapping[str, str]) -> Filters:
    values = _values(library, claims)
    levels = Counter(one.level.value for one in claims)
    tags = Counter(tag for one in claims for tag in one.tags)
    states = Counter(_age_kind(state) for state in told.values())
    groups = (
        ("verdict", [(name, values[name]) for name in VERDICTS if values[name]]),
        ("level", [(level.value, levels[level.value]) for level in Level if levels[level.value]]),
        ("stands", [(name, states[name]) for name in (CURRENT, "stale") if states[name]]),
        ("tag", sorted(tags.most_common(MOST_TAGS))),
    )
    return Filters(
        name="filters",
        title="Show only",
        groups=tuple(
            (title, tuple((_kind(title, name), f"{name} {count}") for name, count in kinds))
            for title, kinds in groups
            if kinds
        ),
    )


def _level(
    level: Level, library: Library, claims: Sequence[Claim], told: Mapping[str, str], today: dt.date
) -> Entries:
    own = [one for one in claims if one.level is level]
    order = {name: place for place, name in enumerate(VERDICTS)}
    own.sort(key=lambda one: (order[_value(library, one)], one.id))
    values = _values(library, own)
    parts = [f"{values[name]} {name}" for name in VERDICTS if values[name]]
    return Entries(
        name=f"level-{slug(level.value)}",
        title=f"{LEVEL_WORDS[level]}: {counted(len(own), 'claim')} ({', '.join(parts)})",
        entries=tuple(_entry(one, library, told, today) for one in own),
        # what fails stands open, here or above
        fold="open" if any(_failed(library, one, told) and not one.stated_by for one in own) else "closed",
    )


def _by_tag(claims: Sequence[Claim]) -> list[Block]:
    tags = sorted({tag for one in claims for tag in one.tags})
    said = tuple(Said(text=tag, links=tuple(_link(one) for one in claims if tag in one.tags)) for tag in tags)
    return [Passage(name="tags", title="By tag", said=said, fold="closed")] if said else []


def _by_age(library: Library, claims: Sequence[Claim], today: dt.date) -> list[Block]:
    dated = [(verdict.date, one) for one in claims if (verdict := library.verdict(one.id)) is not None]
    days = sorted({day for day, _ in dated})
    said = tuple(
        Said(
            text=f"{readable(day)}, {age(day, today)}",
            links=tuple(_link(one) for then, one in dated if then == day),
        )
        for day in days
    )
    return [Passage(name="ages", title="By age, oldest first", said=said, fold="closed")] if said else []


def _entry(
    claim: Claim, library: Library, told: Mapping[str, str], today: dt.date, *, place: str = "c-"
) -> Entry:
    verdict, state = library.verdict(claim.id), told[claim.id]
    value = _value(library, claim)
    facts = [f"claim {claim.id}"]
    if verdict is not None:
        facts += [f"on {scope_words(verdict)}", f"run {age(verdict.date, today)}"]
        facts += [f"until {readable(verdict.expires_on)}"] if state == CURRENT else []
    else:
        facts.append(f"on {claim.scope.words}")
    facts += [", ".join(claim.tags)] if claim.tags else []
    against = place != "c-"
    sentence = found(claim, verdict)
    number = f"{_first(clause(verdict.effect))}." if verdict is not None else ""
    stood = verdict_standing(verdict, state, brief=True)
    stale = state not in (CURRENT, NEVER_RUN, NOT_RUNNABLE)
    if stale:
        stood = Standing(word=f"Stale; it said: {value}", text="", tone="open")
    return Entry(
        name=f"{place}{slug(claim.id)}",
        title=sentence or claim.statement,
        to=f"{FOLDER}{claim.id}.html",
        text=f"{_CLAIMED[value]}: “{claim.statement}”" if sentence else number,
        facts=tuple(facts),
        marks=(state,) if stale else (),
        standing=stood,
        command=again(claim) if against else "",
        kinds=(
            _kind("verdict", value),
            _kind("level", claim.level.value),
            _kind("stands", _age_kind(state)),
            *(_kind("tag", tag) for tag in claim.tags),
        ),
    )


_CLAIMED: Final = {"holds": "Holds", "fails": "Fails"}


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _failed(library: Library, claim: Claim, told: Mapping[str, str]) -> bool:
    verdict = library.verdict(claim.id)
    return verdict is not None and verdict.value == "fails" and told[claim.id] == CURRENT


def _contradicts(library: Library, claim: Claim, told: Mapping[str, str]) -> bool:
    return claim.contradicts_its_source and _failed(library, claim, told)


def _reading_failed(library: Library, claim: Claim, told: Mapping[str, str]) -> bool:
    return bool(claim.stated_by) and not claim.contradicts_its_source and _failed(library, claim, told)


def _unread(library: Library, claim: Claim) -> bool:
    source = library.sources.get(claim.stated_by)
    return source is not None and source.unread


def _value(library: Library, claim: Claim) -> str:
    verdict = library.verdict(claim.id)
    return verdict.value if verdict is not None else NEVER_RUN if claim.runnable else NOT_RUNNABLE


def _values(library: Library, claims: Sequence[Claim]) -> Counter[str]:
    return Counter(_value(library, one) for one in claims)


def _link(claim: Claim) -> Link:
    return Link(words=claim.id, to=f"{FOLDER}{claim.id}.html", about=claim.statement)


def _kind(group: str, name: str) -> str:
    return f"{group}-{slug(name)}"


def _age_kind(state: str) -> str:
    return state if state in (CURRENT, NEVER_RUN, NOT_RUNNABLE) else "stale"


_DEFINITIONS: Final = (
    Definition(
        term="holds, fails, can't tell",
        plain="Holds: the whole interval lies where the claim needs it. Fails: it lies wholly where the "
        "claim is refuted. Can't tell: anything else, or a control that was missed.",
    ),
    Definition(
        term="level",
        plain="Of which map a claim speaks: weights under training, hidden state under depth, text under "
        "re-prompting, answers, representations, the ecosystem under adoption. A fixed point of one is none "
        "of another.",
    ),
    Definition(
        term="stale",
        plain="A verdict expires, and no longer stands when its protocol, an instrument, the data or the "
        "claim itself changed after it.",
    ),
)
