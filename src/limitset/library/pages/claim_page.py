"""Does a claim hold, by how much, on what, until when, and how is it run again?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from limitset.charts.claim_effect import claim_effect_chart
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Effect, Verdict
from limitset.library.pages.claim_grounds import doubts, grounds, meaning, plan, rivals, shown_rows
from limitset.library.pages.claim_history import curve_figure, history_figure, history_table
from limitset.library.pages.wording import (
    CURRENT,
    again,
    bar_of,
    counted,
    duration,
    finite,
    founding,
    listed,
    missed,
    readable,
    state_words,
    value_words,
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
        Statement and verdict first, then the effect against its bars; without a verdict, the rule and the
        plan.
    """
    verdict = library.verdict(claim.id)
    history = library.histories.get(claim.id, ())
    figures = [] if verdict is None else [effect_figure(verdict)]
    figures += [one for one in (history_figure(history, verdict), curve_figure(verdict)) if one]
    return Page(
        title=f"limitset claim {claim.id}",
        scope=f"{claim.type} · {claim.level.value} · {claim.scope.words}",
        date=readable(today),
        headline=(claim.statement,),
        standings=_standings(verdict, state, today),
        lead=tuple(_lead(library, claim, verdict, state, today)),
        figures=tuple(figures),
        tables=() if verdict is None else (controls_table(verdict),),
        blocks=_blocks(library, claim, verdict, history),
        definitions=_DEFINITIONS,
        provenance={} if verdict is None else provenance(verdict),
        limits=() if verdict is None else _limits(verdict),
        back=INDEX,
    )


def effect_figure(verdict: Verdict) -> Figure:
    """Return the figure of every statistic of a verdict against its bars."""
    title = {
        "holds": "Every interval lies where the claim needs it",
        "fails": f"{_first(verdict.effect.words)} lies on the side where the claim fails",
        "can't tell": "No side is reached by a whole interval",
    }[verdict.value]
    if verdict.value == "can't tell" and missed(verdict):
        title = "A control was missed: these numbers decide nothing"
    elif verdict.value == "can't tell" and any(one.verdict == "holds" for one in verdict.effects):
        title = f"{_first(verdict.effect.words)} is not told apart from its bars"
    return Figure(
        name="effect",
        title=title,
        chart=claim_effect_chart([effect_record(one) for one in verdict.effects]),
        caption=f"{_first(verdict.system)}. {_how(verdict)} Numbers under the strip are the bars, fixed "
        "before the first counted run; between them it can't tell.",
        table=effects_table(verdict),
    )


def effect_record(effect: Effect) -> dict[str, Any]:
    """Return a measured statistic as the charts draw it."""
    reason = f": {effect.blank_reason}" if effect.value is None and effect.blank_reason else ""
    return {
        "words": effect.words,
        "value": finite(effect.value),
        "low": finite(effect.low),
        "high": finite(effect.high),
        "n": finite(effect.n),
        "shown": f"{value_words(effect)}{reason}",
        "verdict": effect.verdict,
        "holds": bar_of(effect.holds_if),
        "fails": bar_of(effect.fails_if),
    }


def effects_table(verdict: Verdict) -> Table:
    """Return the numbers of a verdict."""
    rows = tuple(
        (
            one.words,
            one.value,
            one.low,
            one.high,
            one.n,
            f"{100 * one.confidence:.4g} %",
            one.holds_if,
            one.fails_if,
            one.verdict,
            one.interval_method,
            one.instrument,
            one.blank_reason,
        )
        for one in verdict.effects
    )
    columns = ("measured", "value", "low", "high", "n", "coverage", "holds if", "fails if", "says")
    return Table(
        title="Data of this figure",
        columns=(*columns, "interval", "instrument", "blank because"),
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
    return Table(title=title, columns=("control", "kind", "had to be", "was", ""), rows=rows)


def provenance(verdict: Verdict) -> dict[str, str]:
    """Return what it takes to do a run again."""
    run = verdict.run
    known: Mapping[str, object] = run.model_dump(mode="json", exclude={"packages", "machine", "command"})
    told = {
        name.replace("_", " "): _joined(value)
        for name, value in known.items()
        if value not in ("", [], None) and name != "seconds"
    }
    return {
        "verdict": verdict.id,
        "command": run.command,
        "took": duration(run.seconds),
        **told,
        **{name: str(value) for name, value in {**run.packages, **run.machine}.items()},
    }


def rule_passage(claim: Claim) -> Passage:
    """Return the decision rule in words."""
    said = [
        Said(text=f"{_first(one.words)}: holds if {one.holds}, fails if {one.fails}.") for one in claim.tests
    ]
    several = (
        f"With {len(claim.tests)} statistics, all must lie where the claim holds, one is enough to fail, and "
        f"each interval covers {100 * claim.confidence:.4g} %."
        if len(claim.tests) > 1
        else "The whole 95 % interval must lie on one side; else it can't tell."
    )
    return Passage(name="rule", title="The rule, fixed beforehand", said=(*said, Said(text=several)))


def _standings(verdict: Verdict | None, state: str, today: dt.date) -> tuple[Standing, ...]:
    first = verdict_standing(verdict, state)
    if verdict is None or state == CURRENT:
        return (first,)
    return (first, Standing(word="Stale", text=state_words(verdict, state, today), tone="open"))


def _lead(library: Library, claim: Claim, verdict: Verdict | None, state: str, today: dt.date) -> list[Block]:
    found: list[Block] = []
    if verdict is not None and verdict.value == "fails" and claim.stated_by:
        found.append(_contradicted(library, claim))
    if verdict is not None and verdict.would_settle:
        settle = Said(text=verdict.would_settle)
        found.append(Passage(name="settle", title="What would settle it", said=(settle,), tone="open"))
    if claim.runnable:
        text = "" if verdict is None else state_words(verdict, state, today)
        run = Said(text=text or "Not run here yet.", command=again(claim))
        found.append(Passage(name="again", title="Run it again" if verdict else "Run it", said=(run,)))
    else:
        found.append(plan(claim))
    found.append(rule_passage(claim))
    if verdict is not None and verdict.notes:
        notes = tuple(Said(text=one) for one in verdict.notes)
        found.append(Passage(name="notes", title="To be read with the numbers", said=notes))
    return found


def _contradicted(library: Library, claim: Claim) -> Passage:
    source = library.sources.get(claim.stated_by)
    title = source.title if source else claim.stated_by
    rows = (
        f", inventory {'row' if len(claim.rows) == 1 else 'rows'} {listed(claim.rows)}" if claim.rows else ""
    )
    links = (Link(words=claim.stated_by, to="#grounds", about=title),) if claim.atoms else ()
    said = Said(text=f"{title}{rows}, asserts this.", links=links)
    kind = "a founding text" if founding(source) else "the source that states it"
    return Passage(name="contradicted", title=f"Contradicts {kind}", said=(said,), tone="wrong")


def _blocks(
    library: Library, claim: Claim, verdict: Verdict | None, history: tuple[Verdict, ...]
) -> tuple[Block | Table, ...]:
    found = [
        shown_rows(verdict),
        meaning(claim),
        grounds(library, claim),
        rivals(library, claim),
        doubts(claim, verdict),
        history_table(history),
    ]
    return tuple(one for one in found if one is not None)


def _limits(verdict: Verdict) -> tuple[str, ...]:
    return (
        f"It speaks of {verdict.scope.words}, on this system: {verdict.system}. It says nothing of others.",
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
