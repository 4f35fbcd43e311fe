"""What does a reader without a browser see of an answer and of a claim?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from limitset.charts.shown import visible
from limitset.library.holdings.records import Claim, Verdict
from limitset.library.inquiry.answer import Answer, Sentence
from limitset.library.pages.answer_sources import BORN_WORDS, access_words
from limitset.library.pages.answer_wording import Change, facet_words, percent, standing
from limitset.library.pages.wording import (
    CURRENT,
    MARK_WORDS,
    TONES,
    again,
    effect_words,
    missed,
    readable,
    state_words,
    system_words,
    verdict_standing,
)
from limitset.report.passages import SIGNS, Standing, Tone

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final[dict[Tone, str]] = {
    "": "bold",
    "right": "bold blue",
    "part": "bold blue",
    "wrong": "bold red",
    "open": "bold",
    "unrun": "bold",
}
BAR: Final = 16
"""Characters of a full bar of coverage."""
NAME: Final = 32
"""Characters of the name of what is asked about; with its bar and its numbers it fits on a line."""
MOST_LINES: Final = 3
"""Next lines that a terminal shows; the page has all."""


def show_answer(
    answer: Answer,
    console: Console,
    *,
    before: Answer | None = None,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Print an answer: label, sentences with their ids, what is missing, sources, next lines.

    Parameters
    ----------
    answer
        What the holdings say.
    console
        Where; every text is printed as text, never as markup.
    before
        What they said earlier: its label is printed first, new sentences are marked.
    titles
        What each note, statement or claim says that stands against another, by its id.
    """
    named = titles or {}
    change = None if before is None else Change(before, answer)
    _line(console, answer.question, "bold")
    if before is not None:
        _standing(console, standing(before, when="before"))
    _standing(console, standing(answer, when="now" if before is not None else ""))
    if change is not None:
        _line(console, change.words)
    console.print()
    for one in answer.sentences:
        _sentence(console, one, new=change is not None and one in change.new)
    if answer.surprise is not None:
        _title(console, "What the question did not ask for")
        _sentence(console, answer.surprise, new=False)
    _facets(console, answer, before)
    if answer.contradictions or answer.rivals:
        _title(console, "Against each other")
        for pair in (*answer.contradictions, *answer.rivals):
            first, second = (f"“{named[one]}” [{one}]" if one in named else one for one in pair)
            _line(console, f"  {first} against {second}")
    if answer.sources:
        _title(console, f"Sources ({answer.independent} independent)")
    for source in answer.sources:
        facts = ", ".join(str(one) for one in (source.year, access_words(source)) if one)
        _line(console, f"  {source.id}  {source.title} ({facts})")
    if answer.next_lines:
        _title(console, "Ask next")
    for line in answer.next_lines[:MOST_LINES]:
        _line(console, f"  {line.question} ({BORN_WORDS.get(line.born_of, line.born_of)})")
        if line.command:
            _line(console, f"    {line.command}", "cyan")
    if not answer.sentences and answer.search.statements:
        _line(console, f"{answer.search.statements} statements were searched.", "dim")


def show_claim(
    claim: Claim,
    verdict: Verdict | None,
    console: Console,
    *,
    state: str,
    today: dt.date,
    yours: Verdict | None = None,
) -> None:
    """Print a claim: statement, verdict, numbers against their bars, controls, what would settle it.

    Parameters
    ----------
    claim, verdict
        What is claimed, and what the newest run said of it, if any.
    console
        Where.
    state, today
        How that verdict stands today.
    yours
        The newest verdict on the user's own system, printed beside ours.
    """
    _line(console, f"{claim.id}  {claim.statement}", "bold")
    _standing(console, verdict_standing(verdict, state))
    if verdict is None:
        for test in claim.tests:
            _line(console, f"  {test.words}: holds if {test.holds}, fails if {test.fails}")
        if claim.plan:
            _title(console, "The protocol, written out")
            for line in claim.plan.splitlines():
                _line(console, f"  {line}")
            return
    else:
        _verdict(console, verdict, state, today)
    if yours is not None:
        told = verdict_standing(yours, CURRENT)
        _standing(console, replace(told, when=f"yours, {readable(yours.date)}"))
        _numbers(console, yours)
        _line(console, f"  {again(claim, yours)}", "cyan")
    _line(console, f"  {again(claim, verdict)}", "cyan")


def _verdict(console: Console, verdict: Verdict, state: str, today: dt.date) -> None:
    _numbers(console, verdict)
    _line(console, f"  {state_words(verdict, state, today)}", "dim" if state == CURRENT else "red")


def _numbers(console: Console, verdict: Verdict) -> None:
    for effect in verdict.effects:
        _line(console, f"  {SIGNS[TONES[effect.verdict]]} {effect_words(effect)}")
    gone = missed(verdict)
    count = len(verdict.controls)
    passed = (
        f"all {count} controls passed"
        if not gone
        else f"{count - len(gone)} of {count} passed; controls missed: {', '.join(gone)}"
    )
    _line(console, f"  On {system_words(verdict)}; {passed}.", "dim" if not gone else "red")
    if verdict.would_settle:
        _line(console, f"  What would settle it: {verdict.would_settle}")


def _sentence(console: Console, one: Sentence, *, new: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    text = Text("new  ", style="bold blue") if new else Text()
    text.append(visible(one.text))
    for mark in one.marks:
        text.append(f" ({visible(MARK_WORDS.get(mark, mark))})", style="dim")
    for cite in one.cites:
        text.append(f" [{visible(cite)}]", style="blue")
    console.print(Padding(text, (0, 0, 0, 2)))


def _facets(console: Console, answer: Answer, before: Answer | None) -> None:
    if not answer.facets:
        return
    _title(console, f"Coverage {percent(answer.coverage)}")
    was = {} if before is None else {one.name: one.covered for one in before.facets}
    names = [visible(facet_words(one.name)) for one in answer.facets]
    names = [name if len(name) <= NAME else f"{name[: NAME - 1]}…" for name in names]
    width = max(map(len, names))
    for name, one in zip(names, answer.facets, strict=True):
        filled = round(BAR * min(max(one.covered, 0.0), 1.0))
        bar = "█" * filled + "·" * (BAR - filled)
        earlier = f"   before {percent(was.get(one.name, 0.0))}" if before is not None else ""
        told = percent(one.covered) if one.covered > 0 else "nothing held"
        _line(console, f"  {name:<{width}}  {bar}  {told}{earlier}")


def _standing(console: Console, one: Standing) -> None:
    from rich.text import Text

    text = Text(f"{one.when}: " if one.when else "")
    text.append(f"{SIGNS[one.tone]} {visible(one.word)}".strip(), style=STYLES[one.tone])
    text.append(f": {visible(one.text)}" if one.text else "")
    console.print(text)


def _title(console: Console, words: str) -> None:
    console.print()
    _line(console, words, "bold")


def _line(console: Console, words: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(visible(words), style=style))
