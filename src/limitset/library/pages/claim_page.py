"""Does a claim hold, by how much, on what, until when, and how is it run again?"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.claim_effect import claim_effect_chart
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Verdict
from limitset.library.pages.claim_grounds import cost, doubts, grounds, meaning, plan, rivals, shown_rows
from limitset.library.pages.claim_history import curve_figure, history_figure, history_table
from limitset.library.pages.numbers import (
    bar_words,
    cell_of,
    clause,
    in_order,
    kind_of,
    level_words,
    of_effect,
    proved,
    short_hashes,
    without_hashes,
)
from limitset.library.pages.told import found_or_measured, scope_words
from limitset.library.pages.wording import (
    CURRENT,
    NOT_RUNNABLE,
    again,
    counted,
    duration,
    finite,
    founding,
    listed,
    missed,
    readable,
    state_words,
    verdict_standing,
)
from limitset.report.page import Definition, Figure, Page, Table
from limitset.report.passages import Block, Link, Passage, Said, Standing

INDEX: Final = "../index.html"


def claim_page(library: Library, claim: Claim, *, state: str, today: dt.date) -> Page:
    """Build the page of a claim.

    Parameters
    ----------
    library
        Holds its history, its rivals, and what it rests on.
    claim
        Which.
    state
        How its newest verdict stands: "current", "expired", "protocol changed" (or the claim, an instrument,
        the data), "not yet runnable", "never run".
    today
        Given; ages are counted to it.

    Returns
    -------
    Page
        What was found first, then the claim and how it stands, and the numbers against their bars; without a
        verdict, the claim, the rule and the plan.
    """
    verdict = library.verdict(claim.id)
    history = library.histories.get(claim.id, ())
    figures = [] if verdict is None else [effect_figure(verdict)]
    figures += [one for one in (history_figure(history, verdict), curve_figure(verdict)) if one]
    return Page(
        title=f"limitset claim {claim.id}",
        scope=f"{claim.type} · {claim.level.value} · "
        f"{scope_words(verdict) if verdict else claim.scope.words}",
        date=readable(today),
        headline=(_headline(claim, verdict),),
        standings=_standings(claim, verdict, state, today),
        lead=tuple(_lead(library, claim, verdict, state, today)),
        figures=tuple(figures),
        tables=() if verdict is None else (controls_table(verdict),),
        blocks=_blocks(library, claim, verdict, history),
        definitions=_DEFINITIONS,
        attributions=licences(verdict),
        provenance={} if verdict is None else provenance(verdict),
        limits=() if verdict is None else _limits(verdict),
        back=INDEX,
    )


def effect_figure(verdict: Verdict) -> Figure:
    """Return the figure of every statistic of a verdict against its bars, the deciding one first."""
    several = len(verdict.effects) > 1
    title = {
        "holds": "Every number lies where the claim needs it"
        if several
        else "It lies where the claim needs it",
        "fails": "The first number lies where the claim fails"
        if several
        else "It lies where the claim fails",
        "can't tell": "No whole interval lies on one side",
    }[verdict.value]
    if verdict.value == "can't tell" and missed(verdict):
        title = "A control was missed: these numbers decide nothing"
    return Figure(
        name="effect",
        title=title,
        chart=claim_effect_chart([of_effect(one) for one in in_order(verdict)]),
        caption=f"{_first(without_hashes(verdict.system))}. {_how(verdict)} {level_words(verdict)}. Under "
        "the strip: the limits of holding and failing, fixed before the first counted run, between the ends "
        "of the axis.",
        table=effects_table(verdict),
    )


def effects_table(verdict: Verdict) -> Table:
    """Return the numbers of a verdict, the deciding ones first."""
    rows = tuple(
        (
            one.words,
            cell_of(one.value),
            *(("–", "–") if proved(one) else (cell_of(one.low), cell_of(one.high))),
            cell_of(one.n),
            "proved" if proved(one) else f"{100 * one.confidence:.4g} %",
            one.holds_if,
            one.fails_if,
            one.verdict,
            one.interval_method,
            one.instrument,
            one.blank_reason,
        )
        for one in in_order(verdict)
    )
    columns = ("measured", "value", "low", "high", "n", "interval covers", "holds if", "fails if", "says")
    return Table(
        title="Data of this figure",
        columns=(*columns, "interval by", "instrument", "blank because"),
        rows=rows,
    )


def controls_table(verdict: Verdict) -> Table:
    """Return the controls of a run: what was planted or broken, and what came."""
    rows = tuple(
        (
            str(one.get("name", "")),
            str(one.get("kind", "")),
            str(one.get("wanted", "")),
            _between(one),
            "passed" if one.get("passed") else "missed",
        )
        for one in verdict.controls
    )
    gone = missed(verdict)
    title = f"{counted(len(gone), 'control')} missed: the run is void" if gone else "All controls passed"
    return Table(title=title, columns=("control", "kind", "had to be", "was", "result"), rows=rows)


def provenance(verdict: Verdict) -> dict[str, str]:
    """Return what it takes to do a run again."""
    run = verdict.run
    known: Mapping[str, object] = run.model_dump(mode="json", exclude={"packages", "machine", "command"})
    told = {
        name.replace("_", " "): _joined(value)
        for name, value in known.items()
        if value not in ("", [], None) and name != "seconds"
    }
    facts = {
        "verdict": verdict.id,
        "measured on": verdict.system,
        "command": run.command,
        "took": duration(run.seconds),
        **told,
        **{name: str(value) for name, value in {**run.packages, **run.machine}.items()},
    }
    return {name: short_hashes(value) for name, value in facts.items()}


def rule_passage(claim: Claim, verdict: Verdict | None = None) -> Passage:
    """Return the decision rule in words."""
    kinds = {} if verdict is None else {one.statistic: kind_of(one) for one in verdict.effects}
    said = []
    for one in claim.tests:
        bars = (bar_words(str(bar), kinds.get(one.statistic, "number")) for bar in (one.holds, one.fails))
        said.append(Said(text="{}: holds if {}, fails if {}.".format(_first(one.words), *bars)))
    several = (
        f"With {len(claim.tests)} statistics, all must lie where the claim holds, one is enough to fail, and "
        f"each interval covers {100 * claim.confidence:.4g} %."
        if len(claim.tests) > 1
        else "The whole 95 % interval must lie on one side; else it can't tell."
    )
    return Passage(name="rule", title="The rule, fixed beforehand", said=(*said, Said(text=several)))


def _headline(claim: Claim, verdict: Verdict | None) -> str:
    """Return what was found; the claim itself where nothing was."""
    if verdict is None or not verdict.decisive or missed(verdict):
        return claim.statement
    return found_or_measured(claim, verdict)


def _standings(claim: Claim, verdict: Verdict | None, state: str, today: dt.date) -> tuple[Standing, ...]:
    if verdict is None:
        if state != NOT_RUNNABLE:
            return (verdict_standing(None, state),)
        takes = cost(claim)
        return (Standing(word="Not built yet", text=f"Would take {takes}." if takes else "", tone="unrun"),)
    first = verdict_standing(verdict, state, brief=True)
    text = f"“{claim.statement}”" if verdict.decisive else f"{_first(clause(verdict.effect))}."
    if missed(verdict):
        text = f"{verdict.reason.rstrip('.')}."
    stood = Standing(word=f"{first.word} {_where(verdict)}", text=text, tone=first.tone)
    if state == CURRENT:
        return (stood,)
    return (Standing(word="Stale", text=state_words(verdict, state, today), tone="open"), stood)


def _where(verdict: Verdict) -> str:
    words = scope_words(verdict)
    return "in mathematics" if words == "mathematics" else f"on {words}"


def _lead(library: Library, claim: Claim, verdict: Verdict | None, state: str, today: dt.date) -> list[Block]:
    lead: list[Block] = []
    notes = () if verdict is None else tuple(Said(text=_sentence(one)) for one in cautions(verdict))
    if notes:
        lead.append(Passage(name="notes", title="Read this with the numbers", said=notes, tone="open"))
    if verdict is not None and verdict.value == "fails" and claim.stated_by:
        lead.append(_contradicted(library, claim))
    if verdict is not None and verdict.would_settle:
        settle = Said(text=f"{verdict.would_settle.rstrip('.')}.")
        lead.append(Passage(name="settle", title="What would settle it", said=(settle,), tone="open"))
    if claim.runnable:
        text = "" if verdict is None else state_words(verdict, state, today)
        run = Said(text=text or "Not run here yet.", command=again(claim))
        lead.append(Passage(name="again", title="Run it again" if verdict else "Run it", said=(run,)))
    else:
        lead.append(plan(claim))
    if verdict is None:
        lead.append(rule_passage(claim))
    return lead


def cautions(verdict: Verdict) -> tuple[str, ...]:
    """Return the notes of a run that a reader needs beside its numbers; licences are none."""
    return tuple(one for one in verdict.notes if not _LICENCE.search(one))


def licences(verdict: Verdict | None) -> tuple[str, ...]:
    """Return whose data and models a run used, and on what terms."""
    return () if verdict is None else tuple(one for one in verdict.notes if _LICENCE.search(one))


_LICENCE: Final = re.compile(r"\bCC[ -](BY|0)|Apache-2|\bMIT\b|Terms of Use|\b[Ll]icen[cs]e")


def _sentence(text: str) -> str:
    return f"{_first(text).rstrip('.')}."


def _contradicted(library: Library, claim: Claim) -> Passage:
    """Say whom a failing claim contradicts: its source, or only our reading of it."""
    source = library.sources.get(claim.stated_by)
    title = source.title if source else claim.stated_by
    rows = (
        f", inventory {'row' if len(claim.rows) == 1 else 'rows'} {listed(claim.rows)}" if claim.rows else ""
    )
    links = (Link(words=claim.stated_by, to="#grounds", about=title),) if claim.atoms else ()
    said = [Said(text=f"{title}{rows}.", links=links)]
    kind = "an essay this project started from" if founding(source) else "the source that states it"
    if not claim.contradicts_its_source:
        said.append(Said(text="The sentence that failed is our reading of it, in our words."))
    if source is not None and source.unread:
        said.append(Said(text="It was not opened: its sentences are known from notes on it."))
    return Passage(
        name="contradicted",
        title=f"Contradicts {kind}" if claim.contradicts_its_source else f"Our reading of {kind} failed",
        said=tuple(said),
        tone="wrong" if claim.contradicts_its_source else "open",
    )


def _blocks(
    library: Library, claim: Claim, verdict: Verdict | None, history: tuple[Verdict, ...]
) -> tuple[Block | Table, ...]:
    told = [
        shown_rows(verdict),
        None if verdict is None else rule_passage(claim, verdict),
        meaning(claim),
        grounds(library, claim),
        rivals(library, claim),
        doubts(claim, verdict),
        history_table(history),
    ]
    return tuple(one for one in told if one is not None)


def _limits(verdict: Verdict) -> tuple[str, ...]:
    return (
        f"It speaks of {scope_words(verdict)}, on this system: {without_hashes(verdict.system)}. It "
        "says nothing of others.",
        "One rule, one protocol: another operationalisation of the same sentence may come out otherwise.",
    )


def _how(verdict: Verdict) -> str:
    n = verdict.effect.n
    count = f"n = {n:g}. " if n is not None else ""
    return (
        f"{count}{_first(verdict.run.tier)} run of {duration(verdict.run.seconds)}, {readable(verdict.date)}."
    )


def _between(control: Mapping[str, Any]) -> str:
    value, low, high = (finite(control.get(name)) for name in ("value", "low", "high"))
    if value is None:
        return "blank"
    return f"{value:.3g}" if low is None or high is None else f"{value:.3g} [{low:.3g}, {high:.3g}]"


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


_DEFINITIONS: Final = (
    Definition(
        term="holds, fails, can't tell",
        plain="Holds: the whole interval lies where the claim needs it. Fails: it lies wholly where the "
        "claim is refuted. Can't tell: anything else, or a control that was missed.",
    ),
    Definition(
        term="control",
        plain="An effect planted to be found (positive), or a null that must show none (negative). One that "
        "is missed voids the run.",
    ),
    Definition(
        term="scope",
        plain="Of what a verdict speaks: toy models trained on the spot, small real models, published "
        "architectures and tools, large models. It never leaves its scope.",
    ),
    Definition(
        term="stale",
        plain="A verdict expires, and no longer stands when its protocol, an instrument, the data or the "
        "claim itself changed after it.",
    ),
)
