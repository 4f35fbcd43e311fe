"""How is a measured number written so that it is read at once: shares in per cent, proofs alone?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from limitset.charts.shown import number
from limitset.core.bars import Bar
from limitset.library.holdings.records import Effect, Verdict
from limitset.library.pages.wording import bar_of, finite, rounded

Kind = Literal["share", "points", "number"]
PROVED: Final = "proved"
"""The way of an interval that is none: the number was proved."""
_OF_SHARES: Final = re.compile(r"(right )?(share|accuracy|effect of .* on that share)\b")
_DIFFERENCE: Final = re.compile(r"\bless\b|^effect of|beyond chance")
_DIGITS: Final = re.compile(r"\b[0-9a-f]{16,}\b")
MOST_DIGITS: Final = 3
"""Decimals that a per cent may have where fewer would hide on which side of a bar it lies."""


def kind_of(effect: Effect) -> Kind:
    """Tell a share, a difference of shares (in points) and any other number apart, by words and values.

    A share lies in [0, 1] with its interval and its bars, a difference in [-1, 1].
    """
    ends = [*bar_of(effect.holds_if).ends, *bar_of(effect.fails_if).ends]
    known = [one for one in (effect.value, effect.low, effect.high, *ends) if one is not None]
    if not _OF_SHARES.match(effect.words) or any(abs(one) > 1 for one in known):
        return "number"
    if _DIFFERENCE.search(effect.words):
        return "points"
    return "share" if min(known) >= 0 else "number"


def proved(effect: Effect) -> bool:
    """Whether a number was proved, not estimated."""
    return effect.interval_method == PROVED


def measured(effect: Effect) -> str:
    """Write what was measured with its interval: "91 % [85, 97]", "+60 points [53, 67]", "0.609, proved"."""
    if effect.value is None:
        if effect.high is not None and effect.low is None:
            return f"at most {_single(effect.high, kind_of(effect))}"
        return "blank"
    kind = kind_of(effect)
    if proved(effect):
        return f"{_single(effect.value, kind)}, proved"
    if effect.low is None or effect.high is None:
        return _single(effect.value, kind)
    ends = {*bar_of(effect.holds_if).ends, *bar_of(effect.fails_if).ends}
    exact = (effect.value, effect.low, effect.high)
    value, low, high = _told(exact, ends, kind)
    unit = {"share": " %", "points": " points", "number": ""}[kind]
    return f"{_signed(value, kind)}{unit} [{low}, {high}]"


def bar_words(words: str, kind: Kind) -> str:
    """Write a bar in the unit of its statistic.

    Examples
    --------
    >>> bar_words("above 0.5", "share"), bar_words("between -0.03 and 0.03", "points")
    ('above 50 %', 'between -3 and 3 points')
    """
    if kind == "number":
        return words
    bar = bar_of(words)
    told = str(Bar(bar.kind, tuple(round(100 * end, 6) for end in bar.ends)))
    return f"{told} {'%' if kind == 'share' else 'points'}"


def clause(effect: Effect) -> str:
    """Say what was measured, and against which bar, in a clause."""
    kind = kind_of(effect)
    blank = f" ({effect.blank_reason})" if effect.value is None and effect.blank_reason else ""
    told = f"{effect.words}: {measured(effect)}{blank}"
    if effect.verdict == "can't tell":
        bars = (bar_words(words, kind) for words in (effect.holds_if, effect.fails_if))
        return "{}; holds if {}, fails if {}".format(told, *bars)
    needed = effect.holds_if if effect.verdict == "holds" else effect.fails_if
    return f"{told}; {effect.verdict} {bar_words(needed, kind)}"


def in_order(verdict: Verdict) -> tuple[Effect, ...]:
    """Return the statistics of a verdict, those that decided first."""
    return tuple(sorted(verdict.effects, key=lambda one: one.verdict != verdict.value))


def level_words(verdict: Verdict) -> str:
    """Say how much the intervals of a verdict cover, or that its numbers are proved."""
    if all(map(proved, verdict.effects)):
        return "Proved: there is no interval"
    levels = {f"{100 * one.confidence:.4g} %" for one in verdict.effects if not proved(one)}
    return f"Bars: {' and '.join(sorted(levels))} intervals"


def short_hashes(text: str) -> str:
    """Keep 12 digits of every hash.

    Examples
    --------
    >>> short_hashes("sha256:a672150fb4f99d7c8f4168cecdd46406")
    'sha256:a672150fb4f9'
    """
    return _DIGITS.sub(lambda found: found[0][:12], text)


def without_hashes(text: str) -> str:
    """Name systems without their hashes, which stand at the end of a page.

    Examples
    --------
    >>> without_hashes("smollm2@sha256:a672150fb4f99d7c8f4168cecdd46406+1f8260e826d9 and one more")
    'smollm2 and one more'
    """
    return re.sub(r"@sha256:[0-9a-f]{8,}(\+[0-9a-f]+)?", "", text)


def cell_of(value: Any) -> Any:
    """Return what stands in a cell of a table; a dash where nothing was measured."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return value


def of_effect(effect: Effect) -> dict[str, Any]:
    """Return a measured statistic as the charts draw it."""
    reason = f": {effect.blank_reason}" if effect.value is None and effect.blank_reason else ""
    sure = proved(effect)
    return {
        "words": effect.words,
        "value": finite(effect.value),
        "low": None if sure else finite(effect.low),
        "high": None if sure else finite(effect.high),
        "n": finite(effect.n),
        "shown": f"{measured(effect)}{reason}",
        "verdict": effect.verdict,
        "holds": bar_of(effect.holds_if),
        "fails": bar_of(effect.fails_if),
        "unit": kind_of(effect),
    }


def _told(exact: tuple[float, float, float], ends: Iterable[float], kind: Kind) -> tuple[str, ...]:
    """Round by the interval, with more digits where the value would else be shown at its own end."""
    bars, scale = list(ends), 1 if kind == "number" else 100
    if kind == "number":
        shown = rounded(exact, bars)
        if _apart(exact, shown):
            return shown
        width = exact[2] - exact[1]
        for digits in range(1, MOST_DIGITS):
            shown = tuple(number(one, width / 10**digits) for one in exact)
            if _apart(exact, shown):
                break
        return shown
    shown = ()
    for digits in range(MOST_DIGITS + 1):
        shown = tuple(f"{round(scale * one, digits) + 0.0:.{digits}f}" for one in exact)
        beyond = all(
            _side(float(words), scale * bar) == _side(scale * one, scale * bar)
            for one, words in zip(exact, shown, strict=True)
            for bar in bars
        )
        if beyond and _apart(exact, shown):
            break
    return shown


def _apart(exact: tuple[float, float, float], shown: tuple[str, ...]) -> bool:
    """Whether a value that is not its own end is not shown as such."""
    return all(exact[0] == exact[place] or shown[0] != shown[place] for place in (1, 2))


def _side(value: float, bar: float) -> int:
    return 0 if math.isclose(value, bar, abs_tol=1e-12) else 1 if value > bar else -1


def _single(value: float, kind: Kind) -> str:
    if kind == "number":
        return number(value)
    return f"{_signed(f'{100 * value:.3g}', kind)} {'%' if kind == 'share' else 'points'}"


def _signed(words: str, kind: Kind) -> str:
    return f"+{words}" if kind == "points" and float(words) > 0 else words
