"""Which voters help the vote, which could go, and would fewer do as well?"""

from __future__ import annotations

from typing import Final

from limitset.charts.members import MOST, members_chart
from limitset.charts.shown import percent, visible
from limitset.core.results import Measurement
from limitset.instruments.truth.best_subset import BestSubset, best_subset
from limitset.instruments.truth.member_value import (
    CANT_TELL,
    HARMS,
    HELPS,
    NOTHING,
    POINT,
    MemberValue,
    member_value,
)
from limitset.report.audit.accuracy import guessing_advice
from limitset.report.audit.copies import copies_of, names_of
from limitset.report.audit.noun import counted, in_words
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on, listed, more_often, points
from limitset.report.audit.section import Section
from limitset.report.audit.voting import questions_for
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

TOPIC: Final = 22
"""Stream of the draws."""
MANY: Final = 8
"""From more systems on, a subset is told by its number first."""
NAMED: Final = 15
"""Systems of a subset that are named in the table."""

DEFINITIONS: Final = (
    Definition(
        term="what a voter adds",
        plain="How much more often the vote of all others is wrong without it, on the same questions. It "
        "adds nothing where the whole interval lies within one point of 0. The intervals of all voters hold "
        "together.",
        formula="v_{i} = e(all but i) − e(all)",
    ),
    Definition(
        term="chosen and judged apart (cross-fitted)",
        plain="The best subset is chosen on four fifths of the questions and judged on the other fifth, five "
        "times over. Judged where it was chosen (naive), the best of many looks too good.",
        formula="e = mean_{q} e_{q}(S_{f(q)}),   S_{f} chosen without fold f",
    ),
)


def members_section(panel: Panel) -> Section:
    """Say what each system adds to the vote, which could leave, and how good the best subset is.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or there are fewer than three systems.
    """
    if panel.anchored is None:
        return Section(topic="members", limits=("Without a key nobody can say what a voter adds.",))
    if len(panel.systems) < 3:
        return Section(
            topic="members", limits=(f"What one {panel.noun} adds to a vote takes three {panel.noun}s.",)
        )
    members = member_value(panel.anchored, rng=panel.rng(TOPIC))
    if not any(not row.blank for row in members.values.rows()):
        reason = next((row.blank_reason for row in members.values.rows()), "no system has enough questions")
        return Section(topic="members", limits=(f"What each {panel.noun} adds: {reason}.",))
    best = best_subset(panel.anchored, rng=panel.rng(TOPIC + 1))
    verdicts = members.verdicts()
    count = len(members.values)
    cut = f" {MOST} of {count} shown: those that add most and least." if count > MOST else ""
    figure = Figure(
        name="members",
        title=members_title(panel, members),
        chart=members_chart(members.values, verdicts, margin=POINT),
        caption=f"{counted_on(panel.anchored, panel.noun)} Bars: intervals over questions that hold for all "
        f"{count} together with 95 %. Dashed: one point either way.{cut}",
        table=data_table(members.values),
    )
    table = subsets_table(best, panel)
    return Section(
        topic="members",
        figures=(figure,),
        advice=_advice(panel, members, best),
        tables=() if table is None else (table,),
        measured=(members.values, members.together, best.errors, best.gains),
        definitions=DEFINITIONS,
        limits=_limits(members, best),
    )


def members_title(panel: Panel, members: MemberValue) -> str:
    """State who helps, who harms and who adds nothing."""
    told, same = members.verdicts(), copies_of(panel)
    by = {
        verdict: [name for name, one in told.items() if one == verdict] for verdict in (HELPS, HARMS, NOTHING)
    }
    parts = []
    if by[HARMS]:
        parts.append(f"{names_of(by[HARMS], same, most=3)} harm{'s' * (len(by[HARMS]) == 1)} the vote")
    if by[HELPS]:
        what = "" if by[HARMS] else " the vote"
        parts.append(f"{names_of(by[HELPS], same, most=3)} help{'s' * (len(by[HELPS]) == 1)}{what}")
    if by[NOTHING]:
        parts.append(f"{names_of(by[NOTHING], same, most=3)} add{'s' * (len(by[NOTHING]) == 1)} nothing")
    if not parts:
        return f"What any of {counted(len(told), panel.noun)} adds to the vote cannot be told yet"
    if len(by[NOTHING]) == len(told):
        return f"Any one of {counted(len(told), panel.noun)} could go: none changes the error by a point"
    return "; ".join(parts)


def _advice(panel: Panel, members: MemberValue, best: BestSubset) -> tuple[str, ...]:
    told = members.verdicts()
    values = {str(row.parameters["system"]): row for row in members.values.rows()}
    harms = sorted((name for name in told if told[name] == HARMS), key=lambda name: values[name].value)
    subset, better = subset_advice(panel, best)
    # a part that does better than all comes before what any single one changes
    found = [" ".join((subset, *guessing_advice(panel)))] if subset and better else []
    if harms:
        worst = values[harms[0]]
        others = f"; the same holds for {listed(harms[1:], most=3)}" if harms[1:] else ""
        found.append(
            f"Take {visible(harms[0])} out of the vote: without it the vote is wrong "
            f"{more_often(worst)}{others}."
        )
    dropped = [name for name in members.dropped if name not in harms]
    if dropped and len(members.together):
        change = next(iter(members.together.rows()))
        found.append(
            f"Drop {listed(members.dropped, most=6)}: without {'them' if len(members.dropped) > 1 else 'it'} "
            f"the vote's error changes by {points(change)}."
        )
    elif (
        not better and len(told) > MOST and all(verdict in (NOTHING, CANT_TELL) for verdict in told.values())
    ):
        found.append(
            f"No single {panel.noun} of {len(told)} is shown to change the vote's error; see the best "
            "subsets for how many are enough."
        )
    if subset and not better:
        found.append(subset)
    if not found:
        found.append(_open(panel, members))
    return tuple(found)


def _open(panel: Panel, members: MemberValue) -> str:
    rows = list(members.values.rows())
    helps = [name for name, verdict in members.verdicts().items() if verdict == HELPS]
    widest = max(rows, key=lambda row: row.high - row.low)
    if len(helps) == len(rows):
        least = min(rows, key=lambda row: row.value)
        keep = "" if copies_of(panel).groups else f"Keep all {counted(len(rows), panel.noun)}: "
        return (
            f"{keep}{'without' if keep else 'Without'} "
            f"{visible(str(least.parameters['system']))} the vote is wrong {more_often(least)}."
        )
    needed = questions_for(widest, POINT)
    about = f" About {needed:,} questions would settle it." if needed else ""
    return (
        f"Can't tell from {int(widest.n):,} questions which {panel.noun}s could go: leaving out "
        f"{visible(str(widest.parameters['system']))} changes the error by {points(widest)}.{about}"
    )


def subset_advice(panel: Panel, best: BestSubset) -> tuple[str | None, bool]:
    """Name a subset that does better than all, or the smallest that does as well; say if it does better.

    Returns
    -------
    tuple
        The sentence, None without such a subset, and whether the subset does better than all.
    """
    rows = [(size, best.gains.one(size=size, against="all")) for size in best.chosen if best.folds]
    better = [(size, row) for size, row in rows if row.low > 0]
    if better:
        return _better(panel, best, *max(better, key=lambda pair: pair[1].low)), True
    # from the largest down, as far as each does as well: one false step at most
    enough = None
    for size, row in sorted(rows, reverse=True):
        if not row.low > -POINT:
            break
        enough = (size, row)
    if enough is None:
        return None, False
    size, row = enough
    return f"{listed(best.chosen[size], most=5)} alone would do: {_judged(panel, best, size, row)}.", False


def _better(panel: Panel, best: BestSubset, size: int, row: Measurement) -> str:
    names = best.chosen[size]
    apart = best.errors.one(size=size, estimate="cross_fitted")
    of_all = f"{100 * (apart.value + row.value):.0f} %"
    less = f"{more_often(row, sign=-1)}{_paid(best, size)}"
    if size == 1:
        return (
            f"Use {visible(names[0])} alone: wrong {percent(apart)} instead of {of_all}, chosen and judged "
            f"on different questions: {less}."
        )
    everybody = len(panel.systems)
    who = f"{listed(names, most=5)} alone"
    if everybody > MANY:
        who = f"{in_words(size)} of the {everybody} ({listed(names, most=3)})"
    return (
        f"Vote with {who}: chosen and judged on different questions they are wrong {percent(apart)} instead "
        f"of {of_all} with all {in_words(everybody)}: {less}."
    )


def _judged(panel: Panel, best: BestSubset, size: int, row: Measurement) -> str:
    return (
        f"so chosen, and judged on other questions, {counted(size, panel.noun)} "
        f"{'is' if size == 1 else 'are'} wrong {more_often(row, sign=-1)} than all "
        f"{len(panel.systems)}{_paid(best, size)}"
    )


def _paid(best: BestSubset, size: int) -> str:
    """Say how much better the subset looks on the questions that chose it."""
    apart, naive = (best.errors.one(size=size, estimate=name) for name in ("cross_fitted", "naive"))
    if apart.blank or naive.blank or apart.value - naive.value < 0.001:
        return ""
    return f" (judged where they were chosen, {100 * (apart.value - naive.value):.1f} points better)"


def subsets_table(best: BestSubset, panel: Panel) -> Table | None:
    """Return the best subset of each size with its error judged apart, and the naive one."""
    if not best.chosen or not best.folds:
        return None
    rows = []
    for size, names in best.chosen.items():
        apart, naive = (best.errors.one(size=size, estimate=name) for name in ("cross_fitted", "naive"))
        against = best.gains.one(size=size, against="all")
        rows.append(
            (
                size,
                listed([f"{name}{_folds(best, size, name)}" for name in names], most=NAMED),
                percent(apart),
                _plain(naive),
                _random(best, size),
                points(against, sign=-1),
            )
        )
    return Table(
        title=f"The best {panel.noun}s of each number",
        columns=(
            "number",
            f"{panel.noun}s",
            "wrong, judged apart",
            "judged where chosen",
            "random ones",
            "more often than all",
        ),
        rows=tuple(rows),
        note=f"In brackets: how often a {panel.noun} is chosen on parts of the questions, where not always.",
    )


def _folds(best: BestSubset, size: int, name: str) -> str:
    steady = best.steady[size][name]
    return "" if steady > 0.995 else f" ({100 * steady:.0f} %)"


def _plain(row: Measurement) -> str:
    return "" if row.blank else f"{100 * row.value:.1f} %"


def _random(best: BestSubset, size: int) -> str:
    rows = list(best.errors.where(size=size, estimate="random").rows())
    return _plain(rows[0]) if rows else ""


def _limits(members: MemberValue, best: BestSubset) -> tuple[str, ...]:
    told = [f"Voters: {note}." for note in members.values.notes if "left out" in note]
    if not best.folds:
        told.append("No best subset: too few questions to choose on some and judge on others.")
    return tuple(told)
