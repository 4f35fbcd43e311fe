"""In which words does a page say how a claim, or a statement of an answer, stands?"""

from __future__ import annotations

import datetime as dt
import math
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from limitset.charts.shown import number
from limitset.core.bars import Bar
from limitset.core.evidence import Scope
from limitset.library.holdings.records import Claim, Effect, Source, Verdict
from limitset.report.passages import Standing, Tone

CURRENT: Final = "current"
NEVER_RUN: Final = "never run"
NOT_RUNNABLE: Final = "not yet runnable"

TONES: Final[dict[str, Tone]] = {"holds": "right", "fails": "wrong", "can't tell": "open"}
"""Verdict to the tone it is told in."""
VERDICTS: Final = ("fails", "holds", "can't tell", NEVER_RUN, NOT_RUNNABLE)
"""In which order claims are listed."""
ACCESS_WORDS: Final = {
    "full": "read in full",
    "abstract": "abstract read",
    "secondary": "not opened; known through another's note",
    "run": "measured here",
    "own-run": "measured here",
}
MARK_WORDS: Final = {
    "unread": "source not opened",
    "inference": "inference of this library",
    "stale": "stale",
}
"""Marks of an answer's sentence as a reader sees them; others are shown as they are."""

SYSTEM_OPTIONS: Final = {"--logs": "--logs", "--map": "--map", "--model": "--model", "-m": "--model"}
"""Options of `limitset claims test` that name the user's own system."""
MOST_DIGITS: Final = 4
"""Digits that a bar may add to a number."""
_NUMBER: Final = r"-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf)"


def readable(day: dt.date) -> str:
    """Write a date.

    Examples
    --------
    >>> readable(dt.date(2026, 11, 2))
    '2 Nov 2026'
    """
    return f"{day.day} {day:%b %Y}"


def listed(names: Sequence[str], *, last: str = "and") -> str:
    """Join names.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"], last="or")
    ('a', 'a, b or c')
    """
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def counted(count: int, word: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "claim"), counted(2, "claim"), counted(2, "taxon")
    ('1 claim', '2 claims', '2 taxons')
    """
    return f"{count:,} {word}{'s' * (count != 1)}"


def age(then: dt.date, today: dt.date) -> str:
    """Say how long ago a day was.

    Examples
    --------
    >>> day = dt.date(2026, 11, 22)
    >>> age(day, day), age(dt.date(2026, 11, 21), day), age(dt.date(2026, 8, 1), day)
    ('today', '1 day ago', '4 months ago')
    """
    days = (today - then).days
    if days <= 0:
        return "today"
    if days < 60:
        return f"{counted(days, 'day')} ago"
    return f"{counted(round(days / 30.44), 'month')} ago" if days < 700 else f"{days / 365.25:.0f} years ago"


def duration(seconds: float) -> str:
    """Write a duration.

    Examples
    --------
    >>> duration(13.2), duration(150)
    ('13 s', '2 min 30 s')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    return f"{whole // 60} min{f' {whole % 60} s' if whole % 60 else ''}"


def bar_of(words: str) -> Bar:
    """Read a bar as a verdict keeps it.

    Examples
    --------
    >>> bar_of("below 0.1").kind, bar_of("between 0.8 and 1.25").ends, bar_of("not between -1 and 1").kind
    ('below', (0.8, 1.25), 'outside')
    """
    ends = tuple(float(one) for one in re.findall(_NUMBER, words))
    kind = words.split(" ", 1)[0]
    return Bar({"between": "within", "not": "outside"}.get(kind, kind), ends)


def value_words(effect: Effect) -> str:
    """Write what was measured with its interval, or that it is blank."""
    if effect.value is None:
        if effect.high is not None and effect.low is None:
            return f"at most {number(effect.high)}"
        return "blank"
    if effect.low is None or effect.high is None:
        return number(effect.value)
    exact = (effect.value, effect.low, effect.high)
    ends = {*bar_of(effect.holds_if).ends, *bar_of(effect.fails_if).ends}
    return "{} [{}, {}]".format(*rounded(exact, ends))


def rounded(exact: tuple[float, float, float], ends: Iterable[float]) -> tuple[str, ...]:
    """Write a value and its interval by the interval's width, with more digits where a bar asks for them.

    A number that lies beyond a bar is never shown on it or on its other side.

    Examples
    --------
    >>> rounded((-0.003, -0.04, 0.034), (0.5,)), rounded((-0.003, -0.04, 0.034), (-0.03, 0.03))
    (('0.00', '-0.04', '0.03'), ('-0.003', '-0.040', '0.034'))
    """
    bars = list(ends)
    width, shown = exact[2] - exact[1], tuple[str, ...]()
    for digits in range(MOST_DIGITS):
        shown = tuple(_unsigned(number(one, width / 10**digits)) for one in exact)
        same = (
            _side(float(words), bar) == _side(one, bar)
            for one, words in zip(exact, shown, strict=True)
            for bar in bars
        )
        if all(same):
            break
    return shown


def _side(value: float, bar: float) -> int:
    return (value > bar) - (value < bar)


def _unsigned(zero: str) -> str:
    return zero.removeprefix("-") if float(zero) == 0 else zero


def effect_words(effect: Effect) -> str:
    """Say in a clause what was measured and what the bar was."""
    blank = f", {effect.blank_reason}" if effect.value is None and effect.blank_reason else ""
    told = f"{effect.words} is {value_words(effect)}{blank}"
    if effect.verdict == "can't tell":
        return f"{told} (holds if {effect.holds_if}, fails if {effect.fails_if})"
    return f"{told}, {effect.holds_if if effect.verdict == 'holds' else effect.fails_if}"


def missed(verdict: Verdict) -> list[str]:
    """Names of the controls that did not come out as they must."""
    return [str(one.get("name", "a control")) for one in verdict.controls if not one.get("passed")]


def verdict_standing(verdict: Verdict | None, state: str, *, brief: bool = False, when: str = "") -> Standing:
    """Say how a claim stands: "Fails on toy models: the slope is 1.4 [1.2, 1.6], above 0.5".

    Parameters
    ----------
    verdict, state
        The newest verdict, if any, and how it stands today.
    brief
        Without the numbers, for lists.
    when
        Said before it.
    """
    if verdict is None:
        word = "Not yet runnable" if state == NOT_RUNNABLE else "Never run"
        why = "its protocol is written out below" if state == NOT_RUNNABLE else "its protocol stands ready"
        return Standing(word=word, text="" if brief else f"{why}.", tone="unrun", when=when)
    where = f"on {Scope(verdict.scope).words}" if verdict.own else "on your system"
    head = {"holds": "Holds", "fails": "Fails", "can't tell": "Can't tell"}[verdict.value]
    text = f"{reason_words(verdict)}."
    return Standing(
        word=head if brief else f"{head} {where}",
        text="" if brief else text,
        tone=TONES[verdict.value],
        when=when,
    )


def reason_words(verdict: Verdict) -> str:
    """Say in a clause why a verdict is what it is, with the deciding number."""
    if missed(verdict):
        return verdict.reason.rstrip(".")
    others = len(verdict.effects) - 1
    if verdict.value == "holds" and others:
        return f"all {others + 1} statistics lie where they must; {effect_words(verdict.effect)}"
    return effect_words(verdict.effect)


def state_words(verdict: Verdict, state: str, today: dt.date) -> str:
    """Say until when a verdict stands, or why it no longer does."""
    if state == CURRENT:
        until = f"stands until {readable(verdict.expires_on)}"
        return f"Run {age(verdict.date, today)}, on {readable(verdict.date)}; {until}."
    if state == "expired":
        return (
            f"Expired on {readable(verdict.expires_on)}: it was run {age(verdict.date, today)}. Run it again."
        )
    return f"No longer stands: {state} since it was run on {readable(verdict.date)}. Run it again."


def founding(source: Source | None) -> bool:
    """Whether a source is one of the founding essays."""
    return source is not None and source.kind == "essay"


def source_address(source: Source) -> str:
    """Return where a source is read: arXiv, then its DOI, then its address; "" for none."""
    if source.arxiv:
        return f"https://arxiv.org/abs/{source.arxiv}"
    return f"https://doi.org/{source.doi}" if source.doi else source.url


def system_words(verdict: Verdict) -> str:
    """Name what was measured; of a long hash the first twelve letters tell it apart."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b", r"\1", verdict.system)


def again(claim: Claim, verdict: Verdict | None = None) -> str:
    """Return the one line that runs a claim, on the user's system where the verdict is on one."""
    line = f"limitset claims test {claim.id}"
    return line if verdict is None or verdict.own else f"{line}{_system_options(verdict.run.command)}"


def _system_options(command: str) -> str:
    """Return the options of a command that name the user's system."""
    try:
        words = shlex.split(command)
    except ValueError:  # a command that no shell would take
        return ""
    found = []
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in SYSTEM_OPTIONS and (equals or place + 1 < len(words)):
            found += [SYSTEM_OPTIONS[name], shlex.quote(value if equals else words[place + 1])]
    return "".join(f" {one}" for one in found)


def finite(value: object) -> float | None:
    """Return a number for a chart, None where there is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
