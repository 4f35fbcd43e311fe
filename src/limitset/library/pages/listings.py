"""What does a reader without a browser see of many claims, many notes, a history, or of something added?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from limitset.charts.shown import visible
from limitset.core.levels import Level
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Note, Verdict
from limitset.library.ingest.drafted import Added
from limitset.library.pages.wording import (
    ACCESS_WORDS,
    CURRENT,
    TONES,
    age,
    counted,
    effect_words,
    readable,
    system_words,
)
from limitset.report.passages import SIGNS

if TYPE_CHECKING:
    from rich.console import Console


def show_claims(
    claims: Sequence[Claim],
    console: Console,
    *,
    library: Library,
    states: Mapping[str, str],
    takes: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Print claims, level by level: how each stands, its id, its statement, and what is needed to run it.

    Parameters
    ----------
    claims
        What to list.
    console
        Where.
    library, states
        Where the verdicts stand, and how each stands today.
    takes
        Claim to which of a user's systems it can be tested on: "logs", "map", "model".
    """
    systems = takes or {}
    levels = list(Level)
    ordered = sorted(claims, key=lambda claim: (levels.index(claim.level), claim.id))
    for level, group in groupby(ordered, key=lambda claim: claim.level):
        _line(console, f"\n{level.value}", "bold")
        for claim in group:
            verdict = library.verdict(claim.id)
            word = verdict.value if verdict is not None else states[claim.id]
            sign = SIGNS[TONES[verdict.value]] if verdict is not None else SIGNS["unrun"]
            stale = "" if verdict is None or states[claim.id] == CURRENT else f" ({states[claim.id]})"
            yours = library.users_verdict(claim.id)
            more = [f"yours: {yours.value} ({system_words(yours)})"] if yours is not None else []
            more += [f"takes --{' or --'.join(systems[claim.id])}"] if systems.get(claim.id) else []
            said = f"{claim.statement}{' ' if more else ''}{' '.join(f'[{one}]' for one in more)}"
            _line(console, f"  {claim.id:4} {sign} {word + stale:17} {said}")
    told = [library.verdict(claim.id) for claim in claims]
    decided = sum(verdict is not None and verdict.decisive for verdict in told)
    runnable = sum(claim.runnable for claim in claims)
    _line(
        console,
        f"\n{counted(len(claims), 'claim')}, {runnable} can be run, {decided} decided. "
        "One of them: limitset claims show ID; again: limitset claims test ID.",
        "dim",
    )


def show_history(claim: Claim, verdicts: Sequence[Verdict], console: Console) -> None:
    """Print every verdict on a claim, oldest first: ours and the user's."""
    _line(console, f"{claim.id}  {claim.statement}", "bold")
    for verdict in verdicts:
        whose = "" if verdict.own else "yours: "
        _line(
            console,
            f"  {readable(verdict.date):12} {SIGNS[TONES[verdict.value]]} {verdict.value:10} "
            f"{whose}{effect_words(verdict.effect)}; {verdict.run.tier}, {system_words(verdict)}",
        )
    if not verdicts:
        _line(console, f"  never run: limitset claims test {claim.id}" if claim.runnable else "  a plan only")


def show_notes(notes: Sequence[Note], console: Console, *, library: Library, today: dt.date) -> None:
    """Print notes: id, question, how their sources were read, and how old they are."""
    for note in notes:
        read = {library.sources[atom.source].access for atom in note.atoms if atom.source in library.sources}
        how = ", ".join(ACCESS_WORDS[one] for one in ("full", "abstract", "secondary") if one in read)
        _line(console, f"{note.id}  {note.title}", "bold")
        _line(
            console,
            f"  {note.level.value}; {counted(len(note.atoms), 'statement')}; {how}; {note.status}, looked at "
            f"{age(note.reviewed_on, today)}; {', '.join(note.tags)}",
            "dim",
        )
    _line(console, counted(len(notes), "note"), "dim")


def show_added(added: Added, console: Console) -> None:
    """Print what was added, the statements taken from it, and what it would change."""
    for entry in added.entries:
        _line(console, f"{entry.name}  {entry.source.title}", "bold")
        for atom in entry.note.atoms if entry.note else ():
            _line(console, f"  {entry.name}#{atom.id} ({atom.modality})  {atom.text}")
        for remark in entry.remarks:
            _line(console, f"  note: {remark}", "yellow")
        for proposal in entry.proposals:
            _line(console, f"  {proposal}")
            _line(console, f"    {proposal.command}", "cyan")
        _line(console, f"  kept: {entry.path}" if entry.path else "  not kept", "dim")
    for name, why in added.refused:
        _line(console, f"refused {name}: {why}", "red")


def _line(console: Console, words: str, style: str = "") -> None:
    from rich.text import Text

    for line in words.split("\n"):
        console.print(Text(visible(line), style=style), soft_wrap=True)
