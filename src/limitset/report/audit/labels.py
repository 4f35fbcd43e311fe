"""What does a page without keys say, before anybody labelled anything and after?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from limitset.charts.labels import labels_chart
from limitset.charts.shown import percent, visible
from limitset.core.intervals import wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.strata_sampling import AgreementLevels, agreement_levels
from limitset.core.tallies import Tallies
from limitset.instruments.truth.label_plan import ASSUMED_ERROR, LabelPlan, label_plan
from limitset.instruments.truth.labelled import LIMIT, Labelled, labelled
from limitset.logs.labels import Labels
from limitset.report.audit.grades import BEGINS
from limitset.report.audit.label_state import EMPTY, scope_with_labels, slips_likely, unknown_labels
from limitset.report.audit.panel import Panel
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Page, Table

TOPIC: Final = "labels"
STREAM: Final = 71
MOST_ADVICE: Final = 7
_GENERAL: Final = "Have some of these questions checked"
AGREEMENT: Final = "agreement"
"""Figure of how many agree, on a page without keys."""
MOST_RUNS: Final = 20
"""Up to here agreement is told as so many of so many runs, above in percent."""
MOST_SYSTEMS: Final = 20
"""Systems whose accuracy stands on the page; of more, the best and the worst."""
_NEXT: Final = "--labels plan.csv --label-plan next.csv"


def labels_section(panel: Panel, labels: Labels | None = None) -> Section:
    """Measure what the labels of a panel without keys tell, or plan them.

    Parameters
    ----------
    panel
        The runs; nothing checks them.
    labels
        What somebody labelled; None before.

    Returns
    -------
    Section
        Without labels: how many to label, of which level. With labels: how often agreement is wrong.
    """
    if panel.anchored is not None:
        return Section(topic=TOPIC)
    if labels is None or not labels.labelled.any():
        plan = label_plan(panel.tallies, rng=panel.rng(STREAM))
        section = _planned(plan, single=_single(panel.tallies))
        # a list that came back as it was written must not look as if none had come
        return section if labels is None else replace(section, advice=(EMPTY, *section.advice))
    found = labelled(labels.on(panel.tallies), cuts=labels.plan.cuts, threshold=labels.plan.threshold)
    return _told(panel, labels, found)


def with_labels(page: Page, panel: Panel, labels: Labels | None = None) -> Page:
    """Put what labels tell on the page of a panel without keys; a page with keys stays as it is.

    Parameters
    ----------
    page
        The page of an audit.
    panel, labels
        As for `labels_section`.
    """
    if panel.anchored is not None:
        return page
    section = labels_section(panel, labels)
    measured = tuple(record for table in section.measured for record in table.records())
    graded = tuple(one for one in page.decisions if one.startswith(BEGINS))
    others = tuple(one for one in page.decisions if one not in graded)
    return replace(
        page,
        scope=scope_with_labels(page.scope, labels),
        headline=labels_lead(panel, labels, section),
        decisions=(*graded, *section.advice, *_more(others))[:MOST_ADVICE],
        figures=(*section.figures, *_others(page, panel, labelled_already=bool(section.figures))),
        tables=(*section.tables, *page.tables),
        definitions=(*section.definitions, *page.definitions),
        numbers=(*measured, *page.numbers),
        limits=(*section.limits, *(page.limits if not section.figures else _still(page.limits))),
    )


def _others(page: Page, panel: Panel, *, labelled_already: bool) -> tuple[Figure, ...]:
    """Return the other figures; that of agreement says how often all agree, and goes once labels say more."""
    levels = agreement_levels(panel.tallies, (1.0,))
    share = wilson(float(levels.sizes[-1]), float(panel.tallies.items.size))
    told = percent(
        Measurement(
            instrument="agreement_coverage",
            version=1,
            level=Level.ANSWER,
            value=share.value,
            low=share.low,
            high=share.high,
        )
    )
    title = (
        f"{_capital(_runs(panel.tallies, 1.0))} agree on {told} of the questions: nothing here says that "
        "they are right"
    )
    return tuple(
        replace(figure, title=title) if figure.name == AGREEMENT else figure
        for figure in page.figures
        if not (labelled_already and figure.name == AGREEMENT)
    )


def labels_lead(panel: Panel, labels: Labels | None, section: Section) -> tuple[str, ...]:
    """Return the first sentences of a page without keys."""
    plan = labels.plan if labels is not None else None
    threshold = plan.threshold if plan is not None else None
    rates = next((table for table in section.measured if table.instrument == "labelled"), None)
    if rates is None or threshold is None:
        return _without(panel, 0.8)
    rate = rates.one(threshold=threshold)
    coverage = section.measured[1].one(threshold=threshold)
    vote = section.measured[3].one(quantity="vote wrong", system="all")
    count = int(rate.parameters["labels"])
    so_many = f"{count:,} label{'s' * (count != 1)}"
    if _single(panel.tallies) and not vote.blank:
        return (f"There is one run a question: it is wrong {percent(vote)} of the time, by {so_many}.",)
    if coverage.value == 0:
        first = f"On no question do {_runs(panel.tallies, threshold)} agree."
    elif rate.blank:
        first = (
            f"{_capital(_runs(panel.tallies, threshold))} agree on {_whole(coverage.value)} of the "
            f"questions; how often they are wrong there cannot be told yet: {rate.blank_reason} ({so_many} "
            "so far)."
        )
    else:
        first = (
            f"When {_runs(panel.tallies, threshold)} agree ({_whole(coverage.value)} of the questions), they "
            f"are wrong {percent(rate)} of the time, by {so_many}."
        )
    second = "" if vote.blank else f"The vote of all runs is wrong on {percent(vote)} of these questions."
    return tuple(one for one in (first, second) if one)


def _without(panel: Panel, threshold: float) -> tuple[str, ...]:
    levels = agreement_levels(panel.tallies, (threshold,))
    asked = panel.tallies.items.size
    if _single(panel.tallies):
        return (
            "There is one run a question: agreement cannot be seen.",
            "Nothing here checks an answer: how often it is wrong cannot be told.",
        )
    share = wilson(float(levels.sizes[-1]), float(asked)).value
    return (
        f"{_capital(_runs(panel.tallies, threshold))} agree on {_whole(share)} of these {asked:,} question"
        f"{'s' * (asked != 1)}.",
        "Nothing here checks an answer: agreement cannot say how often it is wrong. It looks the same where "
        "all are right and where all share one error.",
    )


def _planned(plan: LabelPlan, *, single: bool) -> Section:
    count, asked = plan.question.size, int(plan.levels.sizes.sum())
    rate = plan.expected.one(quantity="wrong when agreed")
    what, whose = ("one run", "answers") if single else ("agreement", "agreed answers")
    if rate.blank:
        gives = "On no question do so many runs agree; they tell how often the vote is wrong"
    elif count == asked:
        gives = f"These are all: they tell how often {what} is wrong, and leave nothing to estimate"
    else:
        gives = (
            f"They tell how often {what} is wrong to within {_points(rate.value)} if no more than "
            f"{_whole(ASSUMED_ERROR)} of the {whose} are, and to within {_points(rate.high)} whatever "
            "comes out"
        )
    advice = (
        f"Label {count:,} of these {asked:,} questions: limitset audit … --label-plan plan.csv writes the "
        f"list. {gives}.",
        "Labels can be added in any number from the top of the list: limitset audit … --labels plan.csv "
        "says what they tell so far.",
    )
    names, sizes, planned = plan.levels.named(), plan.levels.sizes, plan.planned
    rows = tuple(
        (_level(names[place]), int(sizes[place]), int(planned[place]))
        for place in reversed(range(sizes.size))
        if sizes[place]
    )
    return Section(
        topic=TOPIC,
        advice=advice,
        tables=(
            Table(
                title="Questions to label", columns=("runs that agree", "questions", "to label"), rows=rows
            ),
        ),
        measured=(plan.inclusion, plan.expected),
        definitions=_definitions(),
        limits=(
            "No score of agreement can stand in for labels: for every set of answers there is a world in "
            "which another answer is right on each question, with the same agreement.",
        ),
    )


def _told(panel: Panel, labels: Labels, found: Labelled) -> Section:
    threshold = labels.plan.threshold
    rate = found.rates.one(threshold=threshold)
    levels = agreement_levels(panel.tallies, labels.plan.cuts)
    shares = dict(zip(levels.named(), (levels.sizes / panel.tallies.items.size).tolist(), strict=True))
    count = int(labels.labelled.sum())
    unknown = unknown_labels(labels)
    advice = _advice(found, rate, levels, count, single=_single(panel.tallies))
    figure = Figure(
        name="labels",
        title=_title(found, single=_single(panel.tallies)),
        chart=labels_chart(found.by_level, shares),
        caption=f"{count:,} labels of {panel.tallies.items.size:,} questions, drawn at random within each "
        "level of agreement. Bars: 95 % intervals. The area of a mark is the share of questions there.",
        table=data_table(found.by_level),
    )
    return Section(
        topic=TOPIC,
        figures=(figure,),
        advice=(*unknown, *advice) if slips_likely(labels) else (*advice, *unknown),
        tables=_systems(found),
        measured=(found.rates, found.coverage, found.by_level, found.values, found.after),
        definitions=_definitions(),
        limits=_limits(labels, count),
    )


def _advice(
    found: Labelled, rate: Measurement, levels: AgreementLevels, count: int, *, single: bool
) -> tuple[str, ...]:
    left = int(levels.sizes.sum()) - count
    what = "one run" if single else "agreement"
    advice = []
    if rate.bounded and rate.low > LIMIT:
        advice.append(
            f"Do not act on {what} alone: it is wrong more often than {_whole(LIMIT)} of the time, by its "
            "whole interval."
        )
    elif rate.bounded and rate.high <= LIMIT:
        advice.append(
            f"{_capital(what)} may be acted on: it is wrong at most {_whole(LIMIT)} of the time, by its "
            "whole interval."
        )
    elif rate.bounded:
        settle = int(found.to_settle)
        advice.append(
            f"Can't tell whether {what} is wrong more or less often than {_whole(LIMIT)} of the time: at "
            f"this rate about {settle:,} more label{'s' * (settle != 1)} would tell."
        )
    then = list(found.after.rows())[-1]
    more = int(then.parameters["labels"])
    if more and then.bounded and left and then.low == then.high:
        advice.append(
            f"{more:,} more label{'s' * (more != 1)} and every agreed question is labelled: no sampling "
            f"error is left. limitset audit … {_NEXT} lists them."
        )
    elif more and then.bounded and left:
        advice.append(
            f"{more:,} more label{'s' * (more != 1)} would narrow that to about {_range(then)}: "
            f"limitset audit … {_NEXT} lists them."
        )
    elif not left:
        advice.append(
            "Every question is labelled: give the labels as a key column, and the whole page opens."
        )
    return tuple(advice)


def _title(found: Labelled, *, single: bool) -> str:
    rows = [row for row in found.by_level.rows() if not row.blank]
    if single and rows:
        return f"One run is wrong {percent(rows[-1])}"
    if not rows:
        return "No level of agreement has labels yet"
    told = [
        f"{_level(str(row.parameters['level']))}: wrong {percent(row)}"
        for row in ((rows[-1], rows[0]) if len(rows) > 1 else rows)
    ]
    return _capital("; ".join(told))


def _systems(found: Labelled) -> tuple[Table, ...]:
    rows = list(found.values.where(quantity="accuracy").rows())
    told = sorted((row for row in rows if not row.blank), key=lambda row: -row.value)
    if len(rows) < 2 or not told:
        return ()
    few = len(told) <= MOST_SYSTEMS
    shown = told if few else [*told[: MOST_SYSTEMS // 2], *told[-MOST_SYSTEMS // 2 :]]
    left = len(rows) - len(told)
    notes = [
        "" if few else f"The best and the worst of {len(told):,}; the file of numbers has all.",
        "" if not left else f"{left:,} cannot be judged: their labels do not say which answer is right.",
        "Intervals overlap where labels are few: a difference between two systems is not told by them.",
    ]
    return (
        Table(
            title="How often each system is right, by the labels",
            columns=("system", "right", "labels"),
            rows=tuple((visible(str(row.parameters["system"])), percent(row), int(row.n)) for row in shown),
            note=" ".join(note for note in notes if note),
        ),
    )


def _limits(labels: Labels, count: int) -> tuple[str, ...]:
    found = [
        "Labels speak of these questions and of no others. An error of the labeller is in no interval.",
        "The intervals hold for a number of labels fixed beforehand: looking after every batch and stopping "
        "when the answer pleases makes them too narrow.",
    ]
    if labels.passed_over:
        over = labels.passed_over
        found.append(
            f"{over:,} question{'s' * (over != 1)} before the last label "
            f"{'was' if over == 1 else 'were'} left empty. Where those are the hard ones, what is left is no "
            "random draw, and the error is larger than told: label them, with none where no answer is right."
        )
    if labels.verdicts:
        found.append(
            f"{labels.verdicts:,} of {count:,} labels call the commonest answer wrong and do not say what is "
            "right: systems that gave other answers there cannot be judged."
        )
    return tuple(found)


def _more(decisions: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the general advice to have something checked: the plan says what."""
    return tuple(one for one in decisions if not one.startswith(_GENERAL))


def _still(limits: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what is not so any more once there are labels."""
    return tuple(one for one in limits if not one.startswith("No anchor"))


def _definitions() -> tuple[Definition, ...]:
    return (
        Definition(
            term="labels of a random draw (stratified sample)",
            plain="Questions are drawn at random within each level of agreement, and somebody says what is "
            "right. A level counts by its number of questions, not of labels.",
            formula="FCR(τ) = Σ_{h≥τ} N_{h} w_{h} / Σ_{h≥τ} N_{h},   w_{h} = wrong / labelled on level h",
        ),
        Definition(
            term="level of agreement",
            plain="Questions on which about the same share of the runs give the commonest answer.",
            formula="h: c_{h} ≤ b_{q} < c_{h+1}",
        ),
    )


def _runs(tallies: Tallies, threshold: float) -> str:
    """Say how many runs agree, as so many of so many where all questions have the same number."""
    runs = tallies.runs.sum(axis=0)
    if runs.size and runs.min() == runs.max() and 1 < runs[0] <= MOST_RUNS:
        least = math.ceil(threshold * int(runs[0]) - 1e-9)
        whole = least == int(runs[0])
        return f"all {least} runs" if whole else f"at least {least} of {int(runs[0])} runs"
    return "all runs" if threshold >= 1 else f"at least {_whole(threshold)} of the runs"


def _single(tallies: Tallies) -> bool:
    """Say whether every question has one run: it agrees with itself."""
    return int(tallies.runs.sum(axis=0).max(initial=0)) == 1


def _level(name: str) -> str:
    return "all runs agree" if name == "all" else f"{name} agree"


def _range(row: Measurement) -> str:
    return percent(replace(row, value=(row.low + row.high) / 2, blank_reason="")).split(" % ", 1)[1]


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(share: float) -> str:
    points = math.ceil(100 * share - 0.05)
    return f"{points} point{'s' * (points != 1)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
