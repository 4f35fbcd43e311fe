"""What does the page show of texts that a model rewrites again and again?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from limitset.charts.loops import loops_chart
from limitset.charts.shown import percent
from limitset.core.columns import Kind, as_column, plain
from limitset.core.loops import ORBIT_KINDS
from limitset.core.results import Measurement, MeasurementTable
from limitset.instruments.dynamics.loop_ends import LoopEnds
from limitset.report.page import Table

EXAMPLES = 6
"""Loops told step by step: one of each kind of story and model where there are so many."""
STEPS_SHOWN = 8


def loops_title(values: MeasurementTable, outcomes: MeasurementTable) -> str:
    """State how many loops settle, and how many of those on a wrong answer."""
    settled = list(values.where(quantity="settled").rows())
    loops = sum(round(row.n) for row in settled)
    came_back = sum(round(row.value * row.n) for row in settled if not row.blank)
    start = f"{came_back} of {loops} text loops settle"
    judged = [row for row in outcomes.where(outcome="settled, wrong").rows() if not row.blank]
    if not judged:
        return f"{start}: nothing here checks where"
    return f"{start}, {sum(round(row.value * row.n) for row in judged)} of them on a wrong answer"


def loops_caption(values: MeasurementTable) -> str:
    """Say what was looped and what settled means."""
    counted = sorted({round(row.n) for row in values.where(quantity="settled").rows()})
    n = f"{counted[0]}" if len(counted) == 1 else f"{counted[0]} to {counted[-1]}"
    return (
        f"{n} questions a model and instruction. Greedy: the model gets its own last text with the same "
        "instruction, until a text comes back (from there it repeats for ever) or the steps run out. A turn "
        "of two texts is judged by the one it enters first. “rewrite” starts from a sentence that answers "
        "the question, “again” from a short answer. Settled does not mean right."
    )


def chart(loops: LoopEnds) -> Any:
    """Return the chart of the four ways in which a loop ends."""
    return loops_chart(loops.outcomes)


def ends_table(values: MeasurementTable) -> Table:
    """Return one row a model and instruction: settled, periods, distinct ends, right before and after."""
    groups = dict.fromkeys((row.parameters["system"], row.parameters["loop"]) for row in values.rows())
    rows = []
    for system, loop in groups:
        found = {
            str(row.parameters["quantity"]): row for row in values.where(system=system, loop=loop).rows()
        }
        rows.append(
            (
                system,
                loop,
                _share(found["settled"]),
                _share(found["period_1"]),
                _share(found["period_2"]),
                _share(found["period_3_up"]),
                _number(found["median_arrival"]),
                _number(found["distinct_ends"]),
                _share(found["right_start"]),
                _share(found["right_end"]),
            )
        )
    return Table(
        title="Where the loops end",
        columns=(
            "model",
            "told to",
            "settle",
            "one text",
            "two in turn",
            "three or more",
            "steps (median)",
            "distinct ends",
            "right at first",
            "right at the end",
        ),
        rows=tuple(rows),
        note="95 % intervals over questions. Few distinct ends would mean that the question was forgotten.",
    )


def stories_table(orbits: Mapping[str, Any], texts: Mapping[str, str]) -> Table | None:
    """Return a few loops step by step: answers lost, answers mended, turns between two texts, long ways.

    Parameters
    ----------
    orbits
        Columns `core.loops.ORBIT_KINDS`.
    texts
        Item to question.
    """
    loops = _by_loop(orbits)
    chosen: dict[tuple[str, str, str], str] = {}
    for what, fits in _KINDS_OF_STORY.items():
        seen: set[str] = set()
        for key, steps in loops.items():
            if key not in chosen and key[1] not in seen and fits(steps):
                chosen[key] = what
                seen.add(key[1])
    if not chosen:
        return None
    rows = tuple(
        (what, key[1], key[2], texts.get(key[0], key[0]), _told(loops[key]))
        for key, what in list(chosen.items())[:EXAMPLES]
    )
    return Table(
        title="Some loops, step by step",
        columns=("what happens", "model", "told to", "question", "texts"),
        rows=rows,
    )


_Step = tuple[str, float, float]
"""Text, right (1, 0 or NaN), period of its loop."""

_KINDS_OF_STORY: Final[Mapping[str, Callable[[list[_Step]], bool]]] = {
    "a right answer is lost": lambda steps: steps[-1][2] == 1 and steps[0][1] > steps[-1][1],
    "a wrong answer is mended": lambda steps: steps[-1][2] == 1 and steps[0][1] < steps[-1][1],
    "texts take turns": lambda steps: steps[-1][2] >= 2,
    "it does not settle": lambda steps: steps[-1][2] == 0,
    "a long way": lambda steps: len(steps) > 5,
}


def _by_loop(orbits: Mapping[str, Any]) -> dict[tuple[str, str, str], list[_Step]]:
    length = len(orbits["item"])
    columns = {
        name: plain(as_column(orbits.get(name, [None] * length), kind, name=name, length=length))
        for name, kind in ORBIT_KINDS.items()
        if kind in (Kind.TEXT, Kind.NUMBER)
    }
    loops: dict[tuple[str, str, str], list[_Step]] = {}
    for row in np.argsort(columns["step"], kind="stable"):
        key = (columns["item"][row], columns["system"][row], columns["loop"][row])
        step = (columns["text"][row] or "", float(columns["right"][row]), float(columns["period"][row]))
        loops.setdefault(key, []).append(step)
    return loops


def _told(steps: list[_Step]) -> str:
    texts = [text or "(nothing)" for text, _, _ in steps]
    if len(texts) > STEPS_SHOWN:
        texts = [*texts[: STEPS_SHOWN - 2], "…", texts[-1]]
    return "  →  ".join(texts)


def _share(row: Measurement) -> str:
    return "" if row.blank else percent(row)


def _number(row: Measurement) -> str:
    if row.blank or math.isinf(row.value):
        return "never" if not row.blank else ""
    return f"{row.value:g}"
