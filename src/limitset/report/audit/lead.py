"""Which sentences does a reader of an audit see first?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from limitset.charts.shown import percent, visible, with_interval
from limitset.core.agreements import Source, groups_of, unanimous
from limitset.core.results import Measurement, MeasurementTable
from limitset.report import sentences
from limitset.report.analysis import Analysis, Truth
from limitset.report.audit.grades import BEGINS
from limitset.report.audit.noun import counted, in_words
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import points
from limitset.report.audit.section import Section
from limitset.report.traps_table import share_held

PANEL: Final = 3
"""From so many systems on a set of replies is read as a panel; below, as runs."""
FIRST_ADVICE: Final = ("copies", "labels", "members", "voting", "outside")
"""Topics whose first advice comes before the questions to check."""
MORE_ADVICE: Final = ("ordinal", "comparison", "calibration", "reliability", "stale")
"""Topics whose first advice follows."""


ONE: Final = 1.05
"""Below this an effective number is that of one."""
MANY_RUNS: Final = 8
"""From so many runs a question on, half of them say what checking the first questions removes."""
FEW: Final = 20
"""A bound on what agreement is worth rests on at least so many questions."""
POINT: Final = 0.01
"""Independent voters are named where they would do better by more than this."""
OPEN: Final = ("an't tell", "cannot be told")
"""Words of sentences that leave a question open."""


def headline(analysis: Analysis, panel: Panel, topics: Mapping[str, Section]) -> tuple[str, ...]:
    """Say what the panel is worth, what its agreement is worth, and what its vote leaves.

    Parameters
    ----------
    analysis
        What was measured on the runs.
    panel
        The runs.
    topics
        What every topic found.

    Returns
    -------
    tuple of str
        Empty where the sentences of a first look say more: below three systems, and without an anchor.
    """
    truth = analysis.truth
    if truth is None:
        return ()
    if len(panel.systems) < PANEL:
        return _of_two(truth, panel, topics) if len(panel.systems) > 1 and _runs(truth) < PANEL else ()
    graded = _graded(panel, topics)
    found = graded or (_worth(truth, panel, topics), _agreed(truth, panel), _vote(panel, topics))
    return tuple(one for one in found if one) if found[0] or found[1] else ()


def decisions(analysis: Analysis, panel: Panel, topics: Mapping[str, Section]) -> tuple[str, ...]:
    """Say what to do, each sentence with its number; the most useful first.

    Parameters
    ----------
    analysis, panel, topics
        As for `headline`.
    """
    truth = analysis.truth
    left_out = {"voting", "comparison"} if _beaten(topics) else set()
    first = [
        one
        for name in FIRST_ADVICE
        if name in topics and name not in left_out
        for one in topics[name].advice[:1]
    ]
    more = [
        one
        for name in MORE_ADVICE
        if name in topics and name not in left_out
        for one in topics[name].advice[:1]
    ]
    graded = [one for one in more if one.startswith(BEGINS)]
    more = [one for one in more if one not in graded]
    if truth is None:
        return tuple(graded + first + more)
    if found_in(topics, "score_errors.panel") is not None:
        # how far off a grade is says more than whether it is the key's
        again = topics["reliability"].advice[:1] if "reliability" in topics else ()
        return (*topics["ordinal"].advice, *again)
    if _runs(truth) < PANEL:  # no vote is taken of two
        return (*graded, *more)
    if len(panel.systems) < PANEL:
        first = [one for one in (sentences.voting_advice(truth.surviving), *first) if one]
    agreed = [
        _with_bar(one) for one in sentences.agreement_advice(sentences.trust_in_agreement(truth.agreed))
    ]
    traps = _traps(truth)
    told = [*first, *([traps] if traps else []), *agreed[:1], *more, *agreed[1:]]
    # what can be done comes before what cannot be told
    return (*graded, *sorted(told, key=lambda one: any(words in one for words in OPEN)))


def found_in(topics: Mapping[str, Section], instrument: str) -> MeasurementTable | None:
    """Return the table of an instrument, None where no topic measured it."""
    tables = (table for section in topics.values() for table in section.measured)
    return next((table for table in tables if table.instrument == instrument and len(table)), None)


def _beaten(topics: Mapping[str, Section]) -> bool:
    """Say whether some systems do better without the others: then it does not matter how many are enough."""
    gains = found_in(topics, "best_subset.gain")
    return gains is not None and bool((np.asarray(gains.where(against="all").low) > 0).any())


def _worth(truth: Truth, panel: Panel, topics: Mapping[str, Section]) -> str | None:
    """Say what one run of each is worth, and what is left once the chance of a single run is taken out."""
    each = found_in(topics, "effective_number.one_run_each")
    models = truth.votes.values.one(unit="models")
    worth = models if each is None else each.one(unit="one run each")
    if worth.blank:
        return None
    yours = f"Your {counted(len(panel.systems), panel.noun)} are worth"
    if worth.bounded and worth.high < ONE:
        return f"{yours} one: they err together."
    if _runs(truth) <= len(panel.systems) or models.blank:
        return f"{yours} {with_interval(worth)} independent ones."
    apart = "one" if models.bounded and models.high < ONE else with_interval(models)
    return (
        f"{yours} {with_interval(worth)} independent ones, one run each, and {apart} once the chance of a "
        "single run is taken out."
    )


def _agreed(truth: Truth, panel: Panel) -> str | None:
    """Say how often one run of each system agree, and how often they are wrong then."""
    systems = len(panel.systems)
    rows = list(truth.unanimity.curve.where(source=Source.MODEL.value, k=systems).rows())
    if not rows or (rows[0].blank and not rows[0].bounded):
        return None
    tallies = truth.tallies
    (units,) = groups_of(tallies, Source.MODEL)
    chance, known = unanimous(
        tallies, tallies.counts, tallies.class_item, units=units, source=Source.MODEL, k_max=systems
    )
    share = float(tallies.by_question(chance[-1]).sum() / max(int(known[-1].sum()), 1))
    if rows[0].blank and share * tallies.items.size < FEW:
        return None
    who = "one run of each" if _runs(truth) > systems else "both" if systems == 2 else "all"
    verb, they = ("agrees", "it is") if who == "one run of each" else ("agree", "they are")
    often = f"{100 * share:.0f} % of the questions"
    return f"When {who} {verb} ({often}), {they} wrong {percent(rows[0])} of the time."


def _of_two(truth: Truth, panel: Panel, topics: Mapping[str, Section]) -> tuple[str, ...]:
    """Compare two systems that answered once: a mean of both is about neither."""
    pairs = found_in(topics, "paired_comparison")
    row = next((one for one in pairs.rows() if not one.blank), None) if pairs is not None else None
    if row is None:
        return ()
    first, second = str(row.parameters["system"]), str(row.parameters["against"])
    if row.value < 0:
        first, second = second, first
        row = replace(row, value=-row.value, low=-row.high, high=-row.low)
    asked = f"on the same {int(row.n):,} questions."
    if row.low > 0:
        told = f"{visible(first)} is right {points(row)} more often than {visible(second)}, {asked}"
    else:
        both = f"{visible(first)} or {visible(second)}"
        told = f"Whether {both} is right more often cannot be told: {points(row)} {asked}"
    return tuple(one for one in (told, _agreed(truth, panel)) if one)


def _runs(truth: Truth) -> int:
    return int(truth.tallies.runs.sum(axis=0).max(initial=0))


def _with_bar(advice: str) -> str:
    """Say what is asked of agreement where it is not to be trusted."""
    told = advice.removesuffix(" of the time.")
    is_bad = advice.startswith(("Do not trust", "Nor on")) and told != advice
    return f"{told} of the time, where 5 % or less is asked for." if is_bad else advice


def _graded(panel: Panel, topics: Mapping[str, Section]) -> tuple[str | None, ...]:
    """Say of judges that give grades what they are worth and how far off their mean is; () for classes."""
    worth, off = found_in(topics, "score_errors.worth"), found_in(topics, "score_errors.panel")
    if worth is None or off is None:
        return ()
    judges = worth.one(quantity="effective judges")
    means = [row for row in off.where(statistic="mean").rows() if not row.blank]
    systems = counted(len(panel.systems), panel.noun)
    first = (
        f"Your {systems} are worth {with_interval(judges)} independent ones, by the errors of their grades."
    )
    if not means:
        return (None if judges.blank else first,)
    one, last = means[0], means[-1]
    second = (
        f"The mean grade of {counted(int(last.parameters['judges']), panel.noun)} is {with_interval(last)} "
        f"points off the key, one alone {with_interval(one)}."
    )
    return (None if judges.blank else first, second)


def _vote(panel: Panel, topics: Mapping[str, Section]) -> str | None:
    table = found_in(topics, "voting_gain")
    if table is None:
        return None
    told = table.where(unit="systems", system="all", null_kind="").rows()
    rows = [row for row in told if not row.blank or row.bounded]
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: int(row.parameters["votes"]))
    one, all_of_them = rows[0], rows[-1]
    voters = counted(int(all_of_them.parameters["votes"]), panel.noun)
    each = "" if all(np.asarray(panel.tallies.by_system().runs).max(axis=1) <= 1) else ", one run each,"
    first = f"A vote of {voters}{each} is wrong {percent(all_of_them)} of the time"
    return f"{first}, one alone {percent(one)}{_alike(table, all_of_them)}."


def _alike(table: MeasurementTable, observed: Measurement) -> str:
    votes = int(observed.parameters["votes"])
    null = [row for row in table.where(null_kind="independent", unit="systems").rows() if not row.blank]
    null = [row for row in null if votes - 1 <= int(row.parameters["votes"]) <= votes]
    if not null or observed.blank:
        return ""
    last = max(null, key=lambda row: int(row.parameters["votes"]))
    if last.value > observed.value - POINT:
        return ""
    count = in_words(int(last.parameters["votes"]))
    return f"; {count} independent ones as accurate would be wrong {percent(last)}"


def _traps(truth: Truth) -> str | None:
    count, held = share_held(truth.traps)
    last = sentences.last_of(truth.surviving.curve.where(system="all", stratum="all"))
    wrong = 0.0 if last.blank else last.value * truth.tallies.items.size
    votes = int(last.parameters["votes"])
    if wrong and votes < MANY_RUNS:  # halves of few runs rank too badly to say what the first ones hold
        return (
            f"The vote of all {votes} runs is wrong on about {wrong:.0f} questions: check those first on "
            "which most runs agree on a wrong answer; they are listed."
        )
    told = sentences.traps_advice(count, held, wrong=wrong) if wrong else None
    return told.replace("The vote is", f"The vote of all {votes} runs is", 1) if told else None
