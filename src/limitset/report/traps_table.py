"""On which questions do most runs give the same wrong answer, and in which words?"""

from __future__ import annotations

from limitset.charts.shown import percent
from limitset.core.answers import normalised
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.instruments.truth.traps import Traps
from limitset.report.page import Table

SHOWN = 5
REPLIES = 3
WANTED = 0.6
"""Questions are named until they hold this much of the surviving error ..."""
MOST_CHECKED = 20
"""... or until there are this many."""


def traps_table(traps: Traps, ends: Ends, items: Items) -> Table | None:
    """Return the first traps with the replies of the models, or None where there is no trap."""
    rows = list(traps.table.rows())
    if not rows:
        return None
    answers = ends.having(level=Level.ANSWER.value)
    shown = tuple(_row(row, answers, items) for row in rows[:SHOWN])
    count = "One trap" if len(rows) == 1 else f"{_spelled(min(len(rows), SHOWN))} traps"
    more = f" of {len(rows)}" if len(rows) > SHOWN else ""
    columns: tuple[str, ...] = ("question", "key", "runs say", "share", "replies")
    if all(_told_already(row) for row in shown):
        columns, shown = columns[:-1], tuple(row[:-1] for row in shown)
    return Table(
        title=f"{count}{more}: {_who(traps)} give the same wrong answer",
        columns=columns,
        rows=shown,
        note="A lure is a wrong answer that was expected beforehand." if _lures(rows) else "",
    )


def _row(row: Measurement, ends: Ends, items: Items) -> tuple[object, ...]:
    item, end = str(row.parameters["item"]), str(row.parameters["end"])
    said = ends.having(item=item, end=end).texts("text")
    replies = list(dict.fromkeys(str(text).strip() for text in said if text))[:REPLIES]
    question = items.texts("text")[items.position(item)] or item
    lured = " (lure)" if _is_lure(row) else ""
    return (
        question,
        " / ".join(items.accepted(item)[:2]),
        f"{end}{lured}",
        percent(row).split(" [")[0],
        " · ".join(replies),
    )


def _who(traps: Traps) -> str:
    return "both runs" if traps.table.parameters.get("share") == 1.0 else "at least half of the runs"


def _told_already(row: tuple[object, ...]) -> bool:
    """Say whether the replies say nothing beside the answer: a choice, a verdict, a mark."""
    said, replies = str(row[2]).removesuffix(" (lure)"), str(row[-1])
    return normalised(said) == normalised(replies)


def check_table(traps: Traps, items: Items) -> Table | None:
    """Return the questions to check outside first, or None where no error survives."""
    count, held = share_held(traps)
    if count == 0:
        return None
    rows = []
    for row in list(traps.check_first.rows())[:count]:
        item = str(row.parameters["item"])
        question = items.texts("text")[items.position(item)] or item
        rows.append((question, str(row.parameters["stratum"]), percent(row).split(" [")[0]))
    note = (
        ""
        if held is None
        else f"Ranked on half of the runs and valued on the other half, so many questions hold "
        f"{percent(held)} of it."
    )
    return Table(
        title="Questions to check outside first",
        columns=("question", "stratum", "share of the surviving error"),
        rows=tuple(rows),
        note=note,
    )


def share_held(traps: Traps) -> tuple[int, Measurement | None]:
    """Return how many questions to check first, and what they may be expected to hold.

    The expectation is the split-half one: ranked on one half of the runs, valued on the other.
    """
    found: tuple[int, Measurement | None] = (0, None)
    for row in traps.concentration_split.rows():
        count = int(row.parameters["items"])
        if row.blank or count > MOST_CHECKED or count > len(traps.check_first):
            break
        found = (count, row)
        if row.value >= WANTED:
            break
    return found


def _is_lure(row: Measurement) -> bool:
    return row.parameters["lure"] == "yes"


def _lures(rows: list[Measurement]) -> bool:
    return any(_is_lure(row) for row in rows[:SHOWN])


def _spelled(count: int) -> str:
    return ("No", "One", "Two", "Three", "Four", "Five")[count]
