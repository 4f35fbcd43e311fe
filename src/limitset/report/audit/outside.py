"""Which items should something outside the panel decide?"""

from __future__ import annotations

from typing import Final

import numpy as np

from limitset.charts.panel_votes import outside_chart
from limitset.charts.shown import percent, visible
from limitset.core.errors import InputError
from limitset.core.escalation import agreement_of
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth.escalation import escalation
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

LISTED: Final = 12
"""Items on which agreement is wrong that the page names."""
MOST_COUNTED: Final = 40
"""Up to so many votes a threshold is told as a count."""

DEFINITIONS: Final = (
    Definition(
        term="sent outside",
        plain="Items on which fewer than so many votes agree go to something outside the panel, which is "
        "taken to be right. Removed is the share of the vote's error that these items carry; left is "
        "the error of the vote on the items kept.",
        formula="sent = P(b < t),   left = E[e | b ≥ t],   removed = E[e 1{b < t}] / E[e]",
    ),
)


def outside_section(panel: Panel) -> Section:
    """Say which items to send outside, what that removes, and what agreement cannot see.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or there is one vote a question.
    """
    if panel.anchored is None:
        return Section(
            topic="outside", limits=("Without a key nobody can say what sending items outside removes.",)
        )
    found = escalation(panel.anchored)
    thresholds = [float(one) for one in dict.fromkeys(found.values.axes["threshold"].tolist())]
    if not thresholds:
        return Section(topic="outside", limits=("One run a question: agreement cannot choose items.",))
    words = {one: threshold_words(panel.anchored, one) for one in thresholds}
    chosen = _chosen(found.values, thresholds)
    # the threshold was picked by its result: its intervals hold for all thresholds together
    sure = found if chosen is None else escalation(panel.anchored, comparisons=len(thresholds))
    figure = Figure(
        name="outside",
        title=outside_title(sure.values, chosen, words),
        chart=outside_chart(found.values, _named(thresholds, chosen, words)),
        caption=f"{counted_on(panel.anchored, panel.noun)} Bars: 95 % intervals over questions. Dashed: "
        "items sent at random. What is sent is taken to be answered right.",
        table=data_table(found.values),
    )
    table = unseen_table(panel, 1.0 if chosen is None else chosen)
    return Section(
        topic="outside",
        figures=(figure,),
        advice=_advice(sure.values, chosen, words, thresholds),
        tables=() if table is None else (table,),
        measured=(found.values,),
        definitions=DEFINITIONS,
    )


def threshold_words(tallies: Tallies, threshold: float) -> str:
    """Say in words where items are sent: a count where all questions have the same number of votes."""
    runs = tallies.runs.sum(axis=0)
    runs = runs[runs > 0]
    if runs.size and runs.min() == runs.max() and runs[0] <= MOST_COUNTED:
        most = int(runs[0])
        votes = round(threshold * most)
        return f"not all {most}" if votes == most else f"fewer than {votes} of {most}"
    return f"less than {100 * threshold:.0f} % of the votes" if threshold < 1 else "not all votes"


def _chosen(values: MeasurementTable, thresholds: list[float]) -> float | None:
    """Pick the threshold that removes most beyond what sending as many at random would."""
    gains = []
    for threshold in thresholds:
        sent, removed = (values.one(quantity=name, threshold=threshold) for name in ("sent", "removed"))
        # where nearly all of the error is removed there is a lower bound instead of a rate
        share = removed.low if removed.blank and removed.high >= 1 else removed.value
        if not sent.blank and removed.bounded and removed.low > sent.value:
            gains.append((share - sent.value, threshold))
    return max(gains)[1] if gains else None


def _named(thresholds: list[float], chosen: float | None, words: dict[float, str]) -> dict[float, str]:
    """Name few points, so that words do not run into each other."""
    if len(thresholds) <= 4:
        return words
    kept = {chosen, thresholds[-1], thresholds[0]}
    return {one: words[one] for one in thresholds if one in kept}


def outside_title(values: MeasurementTable, chosen: float | None, words: dict[float, str]) -> str:
    """State what the chosen items carry of the error, or what stays where all agree."""
    if chosen is None:
        left = values.one(quantity="left", threshold=1.0)
        if left.blank and not left.bounded:
            return "Whether disagreement points at wrong votes cannot be told yet"
        return f"Where all agree, the vote is wrong {percent(left)} of the time"
    sent, removed = (values.one(quantity=name, threshold=chosen) for name in ("sent", "removed"))
    return (
        f"{percent(sent)} of the items carry {percent(removed)} of the vote's error: those on which "
        f"{words[chosen]} agree"
    )


def _advice(
    values: MeasurementTable, chosen: float | None, words: dict[float, str], thresholds: list[float]
) -> tuple[str, ...]:
    if chosen is None:
        unseen = _unseen(values.one(quantity="left", threshold=thresholds[-1]))
        sent, removed = (values.one(quantity=name, threshold=thresholds[-1]) for name in ("sent", "removed"))
        if sent.blank or (removed.blank and not removed.bounded):
            return ()
        return (
            f"Can't tell whether disagreement points at wrong votes: {percent(sent)} of the items on which "
            f"{words[thresholds[-1]]} agree carry {percent(removed)} of the error{unseen}.",
        )
    sent, removed = (values.one(quantity=name, threshold=chosen) for name in ("sent", "removed"))
    left = values.one(quantity="left", threshold=chosen)
    rest = (
        ""
        if left.blank and not left.bounded
        else f"; on the rest the vote is wrong {percent(left)} of the time"
    )
    return (
        f"Send the {percent(sent)} of items on which {words[chosen]} agree outside: that removes "
        f"{percent(removed)} of the vote's error{rest}.",
    )


def _unseen(left: Measurement) -> str:
    if left.blank and not left.bounded:
        return ""
    return f"; what agreement cannot see is {percent(left)} wrong where all agree"


def unseen_table(panel: Panel, threshold: float) -> Table | None:
    """Return the items kept at a threshold on which the vote is wrong, those that most agree on first."""
    tallies = panel.anchored
    if tallies is None:
        return None
    agreement = agreement_of(tallies)
    share = agreement.votes / np.maximum(agreement.runs, 1)
    wrong = np.flatnonzero((agreement.error > 0.5) & ~agreement.below(threshold) & (agreement.votes > 0))
    if not wrong.size:
        return None
    ranked = wrong[np.argsort(-share[wrong], kind="stable")]
    total = float(agreement.error.sum())
    held = float(agreement.error[ranked[:LISTED]].sum()) / total
    counts = tallies.counts.sum(axis=0)
    rows = [_row(panel, tallies, counts, int(question)) for question in ranked[:LISTED]]
    all_agree = int((share[ranked] == 1).sum())
    many = f"{min(LISTED, ranked.size)} of {ranked.size}" if ranked.size > LISTED else f"{ranked.size}"
    return Table(
        title=f"Agreed and wrong: {many} item{'s' * (ranked.size != 1)}",
        columns=("question", "key", "the vote", "agree"),
        rows=tuple(rows),
        note=f"All agree on {all_agree} of them. Those listed hold {100 * held:.0f} % of the vote's error on "
        "these questions; no disagreement points at them. Keys can be wrong: check these first.",
    )


def _row(panel: Panel, tallies: Tallies, counts: np.ndarray, question: int) -> tuple[object, ...]:
    own = np.flatnonzero(tallies.class_item == question)
    best = own[counts[own].argmax()]
    item = str(tallies.items[question])
    text, key = item, ""
    try:
        text = panel.items.texts("text")[panel.items.position(item)] or item
        key = " / ".join(panel.items.accepted(item)[:2])
    except InputError:
        pass  # a question that nobody described is named by its id
    runs = int(tallies.runs.sum(axis=0)[question])
    return text, key, visible(str(tallies.class_name[best])), f"{int(counts[best])} of {runs}"
