"""Where on the page of an audit stands what changed since an earlier one?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

from limitset.charts.differences import differences_chart
from limitset.charts.shown import visible
from limitset.report.audit.differences import Change, Differences, held_in_both, surprise
from limitset.report.page import Definition, Figure, Page

MOST_DRAWN: Final = 20


def with_differences(page: Page, found: Differences) -> Page:
    """Put what changed on a page: a figure, its tables, and the sentences among what to do.

    Parameters
    ----------
    page
        The page of this audit.
    found
        What changed.
    """
    drawn = [one for one in found.changes if one.share and not one.change.blank]
    first = sorted(drawn, key=surprise, reverse=True)[:MOST_DRAWN]
    shown = [one for one in drawn if any(one is other for other in first)]
    tables = found.tables
    if not tables:
        return replace(page, limits=(*page.limits, *found.sentences))
    figure = Figure(
        name="changes",
        title=_title(found),
        chart=differences_chart([_drawn(one) for one in shown]),
        caption=" ".join((*held_in_both(found), *found.notes, _how(len(shown), len(drawn)))),
        table=tables[0],
        shown=tables[1:],
    )
    numbers = tuple({**one.change.record(), "turn": one.turn} for one in found.changes)
    return replace(
        page,
        figures=(*page.figures[:1], figure, *page.figures[1:]),
        numbers=(*page.numbers, *numbers),
        definitions=(*page.definitions, _DEFINITION),
        decisions=(*page.decisions, *_warned(found)),
    )


_DEFINITION: Final = Definition(
    term="Change since the baseline",
    plain="Now less before, on the questions that stand in both audits with the same text and key. The "
    "difference is taken within each question, so that hard questions do not widen its interval.",
)


def _how(shown: int, drawn: int) -> str:
    left = f" The {shown} of {drawn} that changed most beside their intervals." if shown < drawn else ""
    return f"Bars: 95 % intervals of the change over questions; grey: no change lies within.{left}"


def _title(found: Differences) -> str:
    worse, better = (
        [one for one in found.changes if one.turn == turn and one.share] for turn in ("worse", "better")
    )
    if found.changes and all(one.turn == "unchanged" for one in found.changes):
        return "Since the baseline, nothing changed"
    if not worse and not better:
        return "Since the baseline, no number got better or worse by more than chance could"
    top = max(worse or better, key=surprise)
    also = f"; {len(worse) + len(better) - 1} more changed" if len(worse) + len(better) > 1 else ""
    return f"Since the baseline, {visible(top.words)} got {top.turn}: {top.told}, {top.shown}{also}"


def _warned(found: Differences) -> tuple[str, ...]:
    worse = [one for one in found.changes if one.turn == "worse"]
    if not worse:
        return ()
    top = max(worse, key=surprise)
    return (f"Since the baseline {visible(top.words)} got worse: {top.told}, {top.shown}.",)


def _drawn(one: Change) -> dict[str, Any]:
    got = one.change
    return {
        "words": one.words,
        "value": round(got.value, 5),
        "low": None if math.isnan(got.low) else round(max(got.low, -1.0), 5),
        "high": None if math.isnan(got.high) else round(min(got.high, 1.0), 5),
        "shown": one.shown if one.turn == "unchanged" else one.shown.split(" points")[0] + " points",
        "told": one.told,
        "n": None if math.isnan(got.n) else round(got.n),
        "turn": one.turn,
    }


def show_differences(found: Differences, console: Any) -> None:
    """Print what changed as lines of a terminal; names are printed as text, never as markup."""
    from rich.text import Text

    console.print(Text("\nSince the baseline", style="bold"))
    for one in found.sentences:
        console.print(Text(f"  {visible(one)}"))
