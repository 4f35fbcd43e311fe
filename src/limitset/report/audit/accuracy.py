"""What does the page say of how often each system is right?"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from limitset.charts.accuracy import MOST, accuracy_chart
from limitset.charts.shown import percent, visible, with_interval
from limitset.core.errors import InputError
from limitset.core.results import Measurement, MeasurementTable
from limitset.instruments.truth.accuracy import Accuracy, accuracy
from limitset.report.audit.noun import counted
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on, listed
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

MANY_SILENT: Final = 0.02
"""From this share of runs without a readable answer on, they are worth a look before systems are compared."""
WIDER: Final = 1.5
"""A design effect from here on is told first."""
MOST_CHOICES: Final = 12
"""Up to so many different answers in the whole panel they are the choices of every question."""
ENOUGH: Final = 20
"""Questions from which on an answer that nobody gave is taken to be none of the choices."""
MOST_ROWS: Final = 2_000
"""Rows of a table on the page."""
DEFINITIONS: Final = (
    Definition(
        term="accuracy",
        plain="The share of runs that are right, averaged over questions; a run without an answer is not "
        "right.",
        formula="p = mean_{q}(right runs of q / runs of q)",
    ),
    Definition(
        term="design effect",
        plain="How many times larger the variance is because questions come in passages, documents or "
        "conversations (clusters) that are right or wrong together.",
        formula="variance with clusters / variance of as many independent questions",
    ),
)


def accuracy_section(panel: Panel) -> Section:
    """Say how often each system is right, with clusters of questions as units.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers.
    """
    if panel.anchored is None:
        return Section(
            topic="accuracy", limits=("Without a key nobody can say how often a system is right.",)
        )
    found = accuracy(panel.anchored)
    right = on_page(found.right)
    clusters, questions = np.unique(panel.anchored.clusters).size, panel.anchored.items.size
    figure = Figure(
        name="accuracy",
        title=accuracy_title(found.right, panel.noun),
        chart=accuracy_chart(right),
        caption=" ".join(_caption(panel, right, clusters)),
        table=data_table(right),
    )
    return Section(
        topic="accuracy",
        figures=(figure,),
        advice=_advice(found, clusters, questions),
        tables=_silent_table(found),
        measured=(right, on_page(found.silent), *([found.design_effect] if clusters < questions else [])),
        definitions=DEFINITIONS if clusters < questions else DEFINITIONS[:1],
        limits=_limits(found, right),
    )


def on_page(table: MeasurementTable) -> MeasurementTable:
    """Return the rows that the page has room for: all, or those of all questions together."""
    if len(table) <= MOST_ROWS or "stratum" not in table.axes:
        return table
    return table.where(stratum="all")


def accuracy_title(right: MeasurementTable, noun: str) -> str:
    """State how often the systems are right, from the worst to the best."""
    rows = [row for row in right.where(stratum="all").rows() if not math.isnan(row.value)]
    if not rows:
        return "How often is each system right?"
    best, worst = max(rows, key=lambda row: row.value), min(rows, key=lambda row: row.value)
    if len(rows) == 1:
        return f"{_name(best)} is right in {percent(best)} of its runs"
    if f"{best.value:.2f}" == f"{worst.value:.2f}":
        return f"Each of {counted(len(rows), noun)} is right in {100 * best.value:.0f} % of its runs"
    return (
        f"{counted(len(rows), noun).capitalize()} are right in {100 * worst.value:.0f} to "
        f"{100 * best.value:.0f} % of their runs: {_name(best)} most often"
    )


def _caption(panel: Panel, right: MeasurementTable, clusters: int) -> list[str]:
    tallies = panel.anchored if panel.anchored is not None else panel.tallies
    told = [counted_on(tallies, panel.noun)]
    if clusters < tallies.items.size:
        told.append(
            f"The questions come in {clusters:,} clusters, which are the units of the 95 % intervals."
        )
    else:
        told.append("95 % intervals over questions.")
    systems = len(set(right.axes["system"].tolist()))
    if systems > MOST:
        told.append(f"The {MOST} of {systems} that are right most often; the table has the others.")
    told.append("Whether one is better than another is not seen from overlap: see the comparison.")
    return told if systems > 1 else told[:-1]


def _advice(found: Accuracy, clusters: int, questions: int) -> tuple[str, ...]:
    told = []
    silent = [row for row in found.silent.where(outcome="unparsed").rows() if not row.blank]
    worst = max(silent, key=lambda row: row.value, default=None)
    if worst is not None and worst.value >= MANY_SILENT:
        name = str(worst.parameters["system"])
        share = found.right.one(system=name, stratum="all")
        told.append(
            f"Read some replies of {visible(name)} before you compare it: {percent(worst)} of its runs gave "
            f"no readable answer and count as not right. If all of these were right, its accuracy would be "
            f"{100 * (share.value + worst.value):.0f} % instead of {100 * share.value:.0f} %."
        )
    effects = [row for row in found.design_effect.rows() if not row.blank]
    if clusters < questions and effects:
        middle = sorted(effects, key=lambda row: row.value)[len(effects) // 2]
        if middle.value >= WIDER:
            told.append(
                f"Count passages, not questions: {questions:,} questions in {clusters:,} clusters tell as "
                f"much as about {questions / middle.value:,.0f} independent ones (design effect "
                f"{with_interval(middle)}). New clusters narrow the intervals more than new "
                "questions in old ones."
            )
    return tuple(told)


def choices_of(panel: Panel) -> int | None:
    """Count the answers that a guess would be made among; None where the answers are no choices.

    Answers that nobody gave and no key has are not counted, so that guessing is not made to look too bad.
    """
    if panel.anchored is None or panel.anchored.items.size < ENOUGH:
        return None
    given = {str(name) for name in panel.anchored.class_name}
    keys = {panel.items.accepted(str(one))[0] for one in panel.anchored.items if _keyed(panel, str(one))}
    count = len(given | keys) if len(given) <= MOST_CHOICES else 0
    return count if 2 <= count <= MOST_CHOICES else None


def guessing_advice(panel: Panel) -> tuple[str, ...]:
    """Name the systems that are surely no better than guessing among the answers; the worst first."""
    choices = choices_of(panel)
    if panel.anchored is None or choices is None:
        return ()
    rows = [row for row in accuracy(panel.anchored).right.where(stratum="all").rows() if not row.blank]
    low = sorted((row for row in rows if row.high <= 1 / choices), key=lambda row: row.value)
    if not low or len(rows) < 2:
        return ()
    guess = f"guessing among {choices} answers gives {100 / choices:.0f} %"
    if len(low) == len(rows):
        return (
            f"Check the keys and how answers were read: each of {counted(len(rows), panel.noun)} is right "
            f"no more often than by guessing ({guess}).",
        )
    others = ""
    if len(low) > 1:
        names = listed([str(row.parameters["system"]) for row in low[1:]], most=3)
        others = f" The same holds for {names}."
    return (f"{_name(low[0])} is right {percent(low[0])} of the time, {guess}: drop it.{others}",)


def _keyed(panel: Panel, item: str) -> bool:
    try:
        return len(panel.items.accepted(item)) == 1
    except InputError:
        return False  # a question that nobody described


def _silent_table(found: Accuracy) -> tuple[Table, ...]:
    rows = [row for row in found.silent.rows() if row.value > 0]
    if not rows:
        return ()
    rows = sorted(rows, key=lambda row: -row.value)[:MOST]
    return (
        Table(
            title="Runs without an answer",
            columns=("system", "ended", "share of runs"),
            rows=tuple((_name(row), str(row.parameters["outcome"]), f"{percent(row)}") for row in rows),
            note="They count as not right.",
        ),
    )


def _limits(found: Accuracy, right: MeasurementTable) -> tuple[str, ...]:
    told = []
    if len(right) < len(found.right):
        told.append("Accuracy by kind of question is not on the page: there are too many rows.")
    if not any(not row.blank for row in found.design_effect.rows()):
        told.append(
            "Every question is taken to stand alone. If several belong to one passage or conversation, give "
            "that as `cluster`: intervals get wider, and true."
        )
    return tuple(told)


def _name(row: Measurement) -> str:
    return visible(str(row.parameters["system"]))
