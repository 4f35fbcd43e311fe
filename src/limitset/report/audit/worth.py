"""What are these voters worth together?"""

from __future__ import annotations

from typing import Final

from limitset.charts.panel_votes import worth_chart
from limitset.charts.shown import percent, visible, with_interval
from limitset.core.results import Measurement, MeasurementTable
from limitset.instruments.truth.votes import EffectiveNumber, effective_number, one_run_each
from limitset.instruments.truth.voting_gain import ALL, VotingGain
from limitset.report.audit.noun import counted
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on
from limitset.report.audit.section import Section
from limitset.report.audit.voting import curves_of, error_of_all, gain_of
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure

DEFINITIONS: Final = (
    Definition(
        term="a vote is wrong",
        plain="The commonest answer is wrong, or nobody answers; answers that tie share the error. One run "
        "of each voter, drawn at random where it has several; sets of fewer voters are random, too.",
        formula="e_{m} = P(the vote of m random voters is wrong)",
    ),
    Definition(
        term="equally correlated voters",
        plain="How often a vote would be wrong if voters of the same accuracy shared, on each question, one "
        "chance to be right and nothing else, so that two of them err together as often as two of these; "
        "beside independent ones, who do not even share what is hard. Wrong answers are as spread as here.",
        formula="p_{q} ~ Beta with mean p and correlation r;   independent: p_{q} = p",
    ),
    Definition(
        term="worth so many independent ones (Kish's effective number)",
        plain="Each of M voters is taken by its chance to be wrong on each question, over all of its runs; r "
        "is how far these chances go together over the questions, on average over two voters. Voters that "
        "err on the same questions are worth one, independent ones M. Where every single run votes, runs "
        "differ by chance as well, and the number of independent votes is larger.",
        formula="M / (1 + (M − 1) r)",
    ),
)


def worth_section(panel: Panel) -> Section:
    """Say how many independent voters these are worth, and draw what voting removes.

    Parameters
    ----------
    panel
        The runs.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or there is one run a question.
    """
    if panel.anchored is None:
        return Section(
            topic="worth",
            limits=("Without a key nobody can say whether voters err together: agreement is not error.",),
        )
    gain = gain_of(panel)
    curves = curves_of(gain.errors)
    if not curves:
        return Section(topic="worth", limits=("One run a question: there is no vote.",))
    effective = effective_number(panel.anchored)
    each = one_run_each(panel.anchored) if len(panel.systems) > 1 else None
    unit, system = curves[0]
    drawn = gain.errors.where(unit=unit, system=system)
    figure = Figure(
        name="worth",
        title=worth_title(panel, effective, gain, each),
        chart=worth_chart(drawn),
        caption=f"{counted_on(panel.anchored, panel.noun)} Error of the vote of so many "
        f"{panel.noun + 's' if unit == 'systems' else 'runs'}, with its 95 % interval over questions. Grey: "
        f"voters of the same accuracy that share nothing, or only what is hard.{_worth(panel, effective)}",
        table=data_table(drawn),
    )
    return Section(
        topic="worth",
        figures=(figure,),
        measured=(
            *((each,) if each is not None else ()),
            effective.values,
            effective.correlation,
            effective.partial,
            gain.errors,
        ),
        definitions=DEFINITIONS,
        limits=_limits(panel, gain),
    )


def worth_title(
    panel: Panel, effective: EffectiveNumber, gain: VotingGain, each: MeasurementTable | None = None
) -> str:
    """State how many independent votes the voters are worth, or how often their vote is wrong.

    A system with one run casts one vote; where systems have several runs, models and votes are told apart.
    """
    unit, system = curves_of(gain.errors)[0]
    systems = counted(len(panel.systems), panel.noun).capitalize()
    votes, models = (effective.values.one(unit=name) for name in ("votes", "models"))
    if system != ALL:
        runs = _most(gain, unit, system)
        if votes.blank:
            wrong = error_of_all(gain, unit, system)
            return f"A vote of {runs} runs of {visible(system)} is wrong {wrong} of the time"
        return f"{runs} runs of {visible(system)} vote like {_as_many(votes)}"
    if _once(panel) and not votes.blank:
        return f"{systems} vote like {_as_many(votes)}"
    if each is not None and not each.one(unit="one run each").blank:
        return f"{systems} vote like {_as_many(each.one(unit='one run each'))}, one run each"
    if not models.blank:
        return f"{systems} are worth {_as_many(models)}"
    return f"A vote of {systems.lower()} is wrong {error_of_all(gain, unit, system)} of the time"


def _as_many(number: Measurement) -> str:
    if number.bounded and number.high < 1.05:
        return "one"
    return f"{with_interval(number)} independent ones"


def _most(gain: VotingGain, unit: str, system: str) -> int:
    return int(gain.errors.where(unit=unit, system=system, null_kind="").axes["votes"].max())


def _worth(panel: Panel, effective: EffectiveNumber) -> str:
    """Write what the votes are worth; not where models with several runs stand in the title instead."""
    votes = effective.values.one(unit="votes")
    correlation = effective.correlation.one(unit="votes")
    if votes.blank:
        return f" No effective number: {votes.blank_reason}."
    if len(panel.systems) > 1 and not _once(panel):
        return ""
    what = "voters" if len(panel.systems) > 1 else "runs"
    return (
        f" Errors of two {what} correlate by {with_interval(correlation)}; all {what} together are worth "
        f"{with_interval(votes)} independent ones (Kish)."
    )


def _once(panel: Panel) -> bool:
    """Say whether every system has at most one run a question."""
    return panel.anchored is not None and all(
        int(panel.anchored.runs[panel.anchored.systems == name].sum(axis=0).max(initial=0)) <= 1
        for name in dict.fromkeys(panel.anchored.systems)
    )


def _limits(panel: Panel, gain: VotingGain) -> tuple[str, ...]:
    left = [note for note in gain.errors.notes if "left out" in note]
    told = [f"Votes: {note}." for note in left[:2]]
    if len(panel.systems) == 1:
        told.append("One system: its runs vote, and nothing is said about other systems.")
    return tuple(told)


def one_alone(gain: VotingGain) -> str:
    """Write the error of one voter."""
    unit, system = curves_of(gain.errors)[0]
    return percent(gain.errors.one(unit=unit, system=system, votes=1, null_kind=""))
