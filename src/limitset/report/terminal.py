"""What does a reader without a browser see?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from limitset.charts.shown import visible
from limitset.report.page import Page, Table, cell

if TYPE_CHECKING:
    from rich.console import Console

BARS = "▁▂▃▄▅▆▇█"
WIDEST = 44


def show(page: Page, console: Console) -> None:
    """Print the first screen: scope, sentences, decisions, a small plot, the traps.

    Parameters
    ----------
    page
        What to show.
    console
        Where; text of models is printed as text, never as markup.
    """
    from rich.rule import Rule
    from rich.text import Text

    console.print(
        Text.assemble(
            (visible(page.title), "bold"),
            "   ",
            (visible(page.scope), "dim"),
            "   ",
            (visible(page.date), "dim"),
        )
    )
    console.print(Rule(style="dim"))
    for one in page.headline:
        console.print(Text(visible(one), style="bold"))
    if page.decisions:
        console.print()
        console.print(Text("What to do", style="bold blue"))
        for one in page.decisions:
            console.print(Text(f"  {visible(one)}"))
    for line in curve_lines(page):
        console.print(Text(line, overflow="ellipsis", no_wrap=True))
    if page.tables:
        console.print()
        _print_table(page.tables[0], console)


GRADES = "score_errors.panel"
"""What judges that give grades are measured by: a vote of classes says little of them."""
TALLEST = 12
"""Kinds of question that a terminal shows; the page has all."""


def curve_lines(page: Page) -> list[str]:
    """Return figure 1 as one row of bars a stratum, or nothing where the page has no such curve.

    Nothing either for grades that are measured as numbers.
    The bars of a row run from one vote to all; their height is the error, from 0 to the largest.
    """
    if any(row["instrument"] == GRADES for row in page.numbers):
        return []
    curve = [
        row for row in page.numbers if row["instrument"] == "surviving_error" and row.get("system") == "all"
    ]
    strata = list(dict.fromkeys(str(row["stratum"]) for row in curve))
    top = max((row["value"] for row in curve if not math.isnan(row["value"])), default=0.0)
    if not strata or top <= 0:
        return []
    votes = sorted({int(row["votes"]) for row in curve})
    if votes[-1] < 3:  # two votes with ties split are wrong as often as one
        return []
    lines = ["", f"  error of the vote, 1 to {votes[-1]} runs (highest bar: {100 * top:.0f} %)"]
    width = max(len(visible(name)) for name in strata)
    for name in strata[:TALLEST]:
        rows = sorted((row for row in curve if row["stratum"] == name), key=lambda row: int(row["votes"]))
        values = [row["value"] for row in rows][:WIDEST]
        known = [row for row in rows if not math.isnan(row["value"])]
        ends = _bound_of(rows)
        if known:
            first, last = known[0], known[-1]
            at = "" if int(last["votes"]) == votes[-1] else f" at {int(last['votes'])}"
            ends = f"{100 * first['value']:.0f} % → {100 * last['value']:.0f} %{at}"
        lines.append(f"  {visible(name):<{width}}  {''.join(_bar(value, top) for value in values)}  {ends}")
    return lines


def _bound_of(rows: list[dict[str, Any]]) -> str:
    """Say what is known of a stratum without any rate: (nearly) all of its votes are wrong, or none."""
    low, high = (float(rows[-1].get(name, math.nan)) for name in ("low", "high"))
    if low > 0 and high >= 1:
        return f"wrong: at least {math.floor(100 * low + 1e-9)} %"
    if low <= 0 and high < 1:
        return f"wrong: at most {math.ceil(100 * high - 1e-9)} %"
    return "blank"


def _bar(value: float, top: float) -> str:
    if math.isnan(value):
        return "·"
    return BARS[min(len(BARS) - 1, int(value / top * len(BARS)))]


def _print_table(table: Table, console: Console) -> None:
    from rich.table import Table as RichTable
    from rich.text import Text

    shown: Any = RichTable(
        title=Text(visible(table.title), style="bold"), title_justify="left", box=None, pad_edge=False
    )
    for column in table.columns:
        shown.add_column(Text(visible(column), style="dim"), overflow="ellipsis", max_width=40)
    for row in table.rows:
        shown.add_row(*(Text(cell(value)[:80]) for value in row))
    console.print(shown)
