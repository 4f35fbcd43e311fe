"""What does the page say of right answers that the vote does not find?"""

from __future__ import annotations

from typing import Final

from limitset.charts.pass_at_k import GAP, SOME, VOTE, pass_at_k_chart
from limitset.charts.shown import percent, visible
from limitset.core.results import Measurement, MeasurementTable
from limitset.instruments.truth.pass_at_k import pass_at_k
from limitset.report.audit.accuracy import MOST_ROWS
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure

TOPIC: Final = 33
WORTH: Final = 0.02
"""A gap that is surely above this is worth a checker; one surely below is not."""
VOTES: Final = 3
"""Fewer runs than these are no vote."""
DEFINITIONS: Final = (
    Definition(
        term="some right",
        plain="The chance that at least one of k runs is right (pass@k).",
        formula="1 - C(n - c, k) / C(n, k), averaged over questions",
    ),
    Definition(
        term="right and outvoted",
        plain="Some of the k runs is right, but the answer that most of them give is not (pass@k less "
        "majority@k).",
    ),
)


def pass_at_k_section(panel: Panel) -> Section:
    """Say how often some run is right although the vote is not.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or no system has two runs a question.
    """
    if panel.anchored is None:
        return Section(
            topic="pass_at_k", limits=("Without a key nobody can say whether some run of several is right.",)
        )
    if int(panel.anchored.by_system().runs.max(initial=0)) < 2:
        return Section(
            topic="pass_at_k", limits=("One run a question: whether another run would be right is unknown.",)
        )
    curve = _several_runs(pass_at_k(panel.anchored, rng=panel.rng(TOPIC)).curve)
    last = largest(curve)
    if not last:
        return Section(
            topic="pass_at_k",
            limits=("Too few questions have two runs of a system to say what another run would add.",),
        )
    figure = Figure(
        name="pass-at-k",
        title=pass_title(last),
        chart=pass_at_k_chart(curve),
        caption=f"{counted_on(panel.anchored, panel.noun)} Filled: the answer of most of the k runs is "
        "right; hollow or dashed: some run is. The distance is for whoever can tell which run is right.",
        table=data_table(curve),
    )
    return Section(
        topic="pass_at_k",
        figures=(figure,),
        advice=pass_advice(last),
        measured=(curve,),
        definitions=DEFINITIONS,
        limits=(
            "That some of many runs is right needs no knowledge where answers are few: guesses do it, too.",
        ),
    )


def largest(curve: MeasurementTable) -> dict[str, dict[str, Measurement]]:
    """Return the three shares of each system at its largest k."""
    found: dict[str, dict[str, Measurement]] = {}
    for row in curve.rows():
        system, measure = str(row.parameters["system"]), str(row.parameters["measure"])
        own = found.setdefault(system, {})
        if measure not in own or int(row.parameters["k"]) > int(own[measure].parameters["k"]):
            own[measure] = row
    return {
        system: own
        for system, own in found.items()
        if int(own[GAP].parameters["k"]) > 1 and not own[GAP].blank
    }


def pass_title(last: dict[str, dict[str, Measurement]]) -> str:
    """State the widest distance between some run and the vote."""
    system, own = max(last.items(), key=lambda one: one[1][GAP].value)
    k = own[GAP].parameters["k"]
    who = visible(system)
    if len(last) == 1:
        return (
            f"Some of {k} runs is right on {percent(own[SOME])} of the questions, their vote on "
            f"{percent(own[VOTE])}"
        )
    return (
        f"The widest gap: some of {k} runs of {who} is right on {percent(own[SOME])} of the questions, their "
        f"vote on {percent(own[VOTE])}"
    )


def pass_advice(last: dict[str, dict[str, Measurement]]) -> tuple[str, ...]:
    """Say whether a checker of answers would pay."""
    system, own = max(last.items(), key=lambda one: one[1][GAP].value)
    gap = own[GAP]
    k = gap.parameters["k"]
    if int(k) >= VOTES and gap.bounded and gap.low > WORTH:
        return (
            f"Check answers instead of counting votes: on {percent(gap)} of the questions some of {k} runs "
            f"of {visible(system)} is right and outvoted. Who can tell which gains at most that.",
        )
    if gap.bounded and max(one[GAP].high for one in last.values()) < WORTH:
        return (
            f"A checker of answers would gain little: on {percent(gap)} of the questions, or less, some run "
            "is right and outvoted.",
        )
    return ()


def _several_runs(curve: MeasurementTable) -> MeasurementTable:
    if len(curve) <= MOST_ROWS:
        return curve
    last = {}
    for row in curve.rows():
        last[str(row.parameters["system"])] = int(row.parameters["k"])
    common = max(set(last.values()), key=list(last.values()).count)
    return curve.where(k=common)
