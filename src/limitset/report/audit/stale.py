"""What does the page say of old answers to changed questions?"""

from __future__ import annotations

from typing import Any, Final

from limitset.charts.outcomes import MOST_BARS, stacked_bars
from limitset.charts.shown import percent, visible
from limitset.charts.theme import NULL, UNPARSED, WRONG
from limitset.core.results import Measurement, MeasurementTable
from limitset.instruments.truth.stale_answers import StaleAnswers, stale_answers
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import points
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure

PARTS: Final = {"stale": "the old answer", "other_wrong": "another wrong answer"}
REST: Final = "right, or no answer"
COLOURS: Final = {PARTS["stale"]: WRONG, PARTS["other_wrong"]: NULL, REST: UNPARSED}
RARE: Final = 0.05
"""Share by chance below which other pairs hardly share their answers."""
DEFINITIONS: Final = (
    Definition(
        term="drop",
        plain="Share right on the original questions less share right on their changed twins, pair by pair.",
    ),
    Definition(
        term="old answer",
        plain="A reply to a changed question that gives the key of the original, where that is wrong now "
        "(stale answer). By chance: the share of wrong answers that would be the key of another "
        "original of the same kind, one that is wrong there too. Intervals hold for all systems together.",
    ),
)


def stale_section(panel: Panel) -> Section:
    """Say what is lost where a question was changed, and whether the old answer comes back.

    Parameters
    ----------
    panel
        The runs; `items` names the twin of each changed question.

    Returns
    -------
    Section
        Empty where no question has a twin; a limit where twins are not checked.
    """
    if not any(name is not None for name in panel.items.texts("twin")):
        return Section(topic="stale")
    if panel.anchored is None:
        return Section(
            topic="stale", limits=("Without a key nobody can say whether an old answer is wrong now.",)
        )
    found = stale_answers(panel.anchored, panel.items)
    if not _told(found, "drop"):
        return Section(topic="stale", limits=("No changed question and its original are both checked.",))
    table = found.table
    figure = Figure(
        name="stale",
        title=stale_title(found),
        chart=_chart(table),
        caption=f"{found.pairs:,} pairs of a question and its changed twin. Replies to changed questions "
        f"whose old answer is wrong now. {_by_chance(table)}",
        table=data_table(table),
    )
    return Section(
        topic="stale",
        figures=(figure,),
        advice=stale_advice(found),
        measured=(table,),
        definitions=DEFINITIONS,
        limits=(
            "A drop alone does not show memory: a changed question may also be harder.",
            "An old answer does not show memory by itself: it may be the slip that lies nearest.",
        ),
    )


def stale_title(found: StaleAnswers) -> str:
    """State who gives the old answer most often, or who loses most."""
    stale = _told(found, "stale")
    if stale:
        worst = max(stale, key=lambda row: row.value)
        if worst.value == 0:
            most = max(row.high for row in stale)
            return f"No changed question got its old answer: at most {100 * most:.0f} % would"
        return f"{_name(worst)} gives the old answer to {percent(worst)} of the changed questions"
    worst = max(_told(found, "drop"), key=lambda row: row.value)
    if not worst.low > 0:
        return f"Nobody is surely right less often where the question was changed: at most by {points(worst)}"
    return f"{_name(worst)} is right less often where the question was changed: by {points(worst)}"


def stale_advice(found: StaleAnswers) -> tuple[str, ...]:
    """Say whether wrong answers to changed questions are remembered: both drop and old answers are sure."""
    excess = {str(row.parameters["system"]): row for row in _told(found, "stale_excess") if row.bounded}
    lost = {str(row.parameters["system"]): row for row in _told(found, "drop") if row.low > 0}
    often = {name: row for name, row in excess.items() if row.low > 0}
    if both := [name for name in often if name in lost]:
        name = max(both, key=lambda one: often[one].value)
        return (
            f"Do not read the accuracy of {visible(name)} on the original questions as skill: on their "
            f"changed twins it loses {points(lost[name])}, and {_old(found, name)}."
            f"{_nearest(found, name)}",
        )
    told = []
    if often:
        name = max(often, key=lambda one: often[one].value)
        told.append(
            f"{visible(name)} on changed questions: {_old(found, name)}, but no loss is shown "
            f"({points(found.table.one(system=name, measure='drop'))}); this alone is no sign of memory."
        )
    if lost:
        name = max(lost, key=lambda one: lost[one].value)
        none = name in excess and excess[name].value <= 0
        why = "not by giving the old answer" if none else "no more old answers than by chance are shown"
        told.append(
            f"{visible(name)} loses {points(lost[name])} on changed questions, and {why}: they may be harder."
        )
    return tuple(told)


def _nearest(found: StaleAnswers, name: str) -> str:
    """Say what keys of other pairs cannot show, where they hardly ever are an answer to this one."""
    if found.table.one(system=name, measure="stale_by_chance").value >= RARE:
        return ""
    return " Check first that the old answer is not just the slip that lies nearest."


def _old(found: StaleAnswers, name: str) -> str:
    share, chance = (
        found.table.one(system=name, measure=measure) for measure in ("stale_share", "stale_by_chance")
    )
    return (
        f"{percent(share)} of its wrong answers there are the old one ({100 * chance.value:.0f} % by chance)"
    )


def _chart(table: MeasurementTable) -> Any:
    rows = []
    names = list(dict.fromkeys(str(name) for name in table.axes["system"]))
    found = {name: {m: table.one(system=name, measure=m) for m in PARTS} for name in names}
    known = [name for name in names if not any(row.blank for row in found[name].values())]
    for name in sorted(known, key=lambda one: -found[one]["stale"].value)[:MOST_BARS]:
        parts = {PARTS[measure]: (row.value, percent(row), row.n) for measure, row in found[name].items()}
        rest = 1.0 - sum(value for value, _, _ in parts.values())
        parts[REST] = (max(rest, 0.0), f"{100 * rest:.0f} %", found[name]["stale"].n)
        rows += [
            {"bar": visible(name), "part": part, "value": value, "shown": shown, "n": n}
            for part, (value, shown, n) in parts.items()
        ]
    return stacked_bars(rows, COLOURS, x_title="share of runs on changed questions")


def _by_chance(table: MeasurementTable) -> str:
    rows = [row for row in table.where(measure="stale_by_chance").rows() if not row.blank]
    if not rows:
        return ""
    low, high = (100 * end(row.value for row in rows) for end in (min, max))
    share = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    return f"By chance {share} % of wrong answers would be the old one."


def _told(found: StaleAnswers, measure: str) -> list[Measurement]:
    return [row for row in found.table.where(measure=measure).rows() if not row.blank]


def _name(row: Measurement) -> str:
    return visible(str(row.parameters["system"]))
