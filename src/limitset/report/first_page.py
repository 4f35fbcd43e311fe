"""Which figures, in which order, make the page of a first look or an audit?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as calendar
from typing import Any

from limitset.charts.agreed import agreed_chart
from limitset.charts.outcomes import outcomes_chart
from limitset.charts.sharing import MANY, sharing_chart, variance_chart
from limitset.charts.shown import percent, with_interval
from limitset.charts.survival import survival_chart
from limitset.charts.unanimity import unanimity_chart
from limitset.core.results import MeasurementTable
from limitset.report import loops_figure, sentences, titles
from limitset.report.analysis import Analysis, Truth
from limitset.report.page import Figure, Page, Table
from limitset.report.traps_table import check_table, share_held, traps_table
from limitset.report.words import definitions


def build_page(
    analysis: Analysis,
    *,
    title: str,
    scope: str,
    date: str,
    provenance: Mapping[str, str] | None = None,
    attributions: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    noun: str = "model",
) -> Page:
    """Build the page, with an anchor or without.

    Parameters
    ----------
    analysis
        What was measured.
    title, scope
        "first look", and which systems and questions it is about.
    date
        Of the study; given.
    provenance, attributions
        What made the numbers, and whose data they use.
    notes
        What a reader must know of the data: what was left out, kept apart, scored otherwise.
    noun
        What one system is called.

    Returns
    -------
    Page
        Ready for `render` and `show`.
    """
    truth = analysis.truth
    n = _n(analysis, truth, noun)
    figures = _anchored_figures(analysis, truth, n) if truth is not None else _agreement_figures(analysis, n)
    figures += _loop_figures(analysis)
    lead, decisions = _said(analysis, truth)
    return Page(
        title=title if title.startswith("limitset") else f"limitset {title}",
        scope=scope,
        date=_readable(date),
        headline=lead,
        decisions=decisions,
        figures=tuple(figures),
        tables=() if truth is None else _tables(analysis, truth),
        definitions=definitions(
            anchored=truth is not None,
            loops=analysis.loops is not None,
            strata=analysis.tallies.stratum_names(),
        ),
        provenance=dict(provenance or {}),
        numbers=tuple(record for table in analysis.tables() for record in table.records()),
        measured=tuple(analysis.tables()),
        attributions=attributions,
        limits=(*_limits(analysis), *(_noted(notes))),
    )


def _said(analysis: Analysis, truth: Truth | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if truth is None:
        agreed = analysis.agreement.one(stratum="all", threshold=sentences.STRICT)
        return (
            f"At least 7 of 8 runs agree on {percent(agreed)} of the questions.",
            "No anchor: nothing here checks an answer, so how often they are wrong cannot be told.",
        ), (
            "Have some of these questions checked by something outside the models, then run this again "
            "with a "
            "key: agreement alone cannot say what is right.",
        )
    trusts = sentences.trust_in_agreement(truth.agreed)
    count, held = share_held(truth.traps)
    questions = truth.tallies.items.size
    models = len(set(truth.tallies.systems))
    last = sentences.last_of(truth.surviving.curve.where(system="all", stratum="all"))
    wrong = 0.0 if last.blank else last.value * questions
    advice = (
        sentences.voting_advice(truth.surviving),
        sentences.across_models(truth.surviving),
        sentences.traps_advice(count, held, wrong=wrong) if wrong else None,
        *sentences.agreement_advice(trusts),
    )
    lead = (
        *sentences.headline(truth.surviving, questions=questions, models=models),
        sentences.greedy_line(analysis.greedy),
    )
    return tuple(one for one in lead if one), tuple(one for one in advice if one)


def _anchored_figures(analysis: Analysis, truth: Truth, n: str) -> list[Figure]:
    figures = [
        _figure(
            "survival",
            titles.survival_title(truth.surviving),
            survival_chart(truth.surviving.curve),
            f"{n} Plurality of runs drawn from the whole design; ties are split evenly. Bands: 95 % "
            f"intervals over questions. A line ends where fewer than five questions are wrong, or fewer than "
            f"five right.",
            truth.surviving.curve,
        ),
        _figure(
            "agreed",
            titles.agreed_title(sentences.trust_in_agreement(truth.agreed)),
            agreed_chart(truth.agreed.rates, truth.agreed.coverage),
            f"{n} The commonest answer, where at least so many runs give it. The area of a mark is the "
            "share of questions it covers. A line ends where fewer than five questions are wrong, or right: "
            "the table below has the bounds.",
            truth.agreed.rates,
        ),
        _figure(
            "unanimity",
            titles.unanimity_title(truth.unanimity, truth.nulls),
            unanimity_chart(truth.unanimity.curve, truth.nulls.curve),
            f"{n} Bars: 95 % intervals over questions. Grey boxes: how often k unanimous runs would be wrong "
            f"if they shared nothing but how hard each question is (lower and upper estimate)."
            f"{_blanks(truth.unanimity.curve)}",
            truth.unanimity.curve,
        ),
    ]
    if len(truth.same.pairs):
        figures.append(_sharing(truth, n))
    if analysis.variance is not None:
        figures.append(_variance(analysis.variance.shares, n))
    figures.append(
        _figure(
            "outcomes",
            titles.outcomes_title(truth.outcomes.rates),
            outcomes_chart(truth.outcomes.rates),
            f"{n} Runs without an answer stay in the denominator.{_greedy(analysis)}",
            truth.outcomes.rates,
        )
    )
    return figures


def _greedy(analysis: Analysis) -> str:
    if analysis.greedy is None:
        return ""
    rows = analysis.greedy.rates.where(stratum="all", outcome="right").rows()
    told = [f"{row.parameters['system']} {percent(row)}" for row in rows if row.parameters["system"] != "all"]
    return f" Greedy runs, which enter nothing else on this page, are right: {', '.join(told)}."


def _agreement_figures(analysis: Analysis, n: str) -> list[Figure]:
    figures = [
        _figure(
            "agreement",
            titles.agreement_title(analysis.agreement),
            agreed_chart(analysis.agreement, words="questions on which so many agree"),
            f"{n} Bands: 95 % intervals over questions.",
            analysis.agreement,
        )
    ]
    if analysis.variance is not None:
        figures.append(_variance(analysis.variance.shares, n))
    return figures


def _sharing(truth: Truth, n: str) -> Figure:
    effective = []
    for unit, word in (("models", "models"), ("votes", "runs")):
        row = next(iter(truth.votes.values.where(unit=unit).rows()), None)
        if row is not None and not row.blank:
            effective.append(f"all {word} together are worth {with_interval(row)} independent ones")
    partial = next(iter(truth.votes.partial.where(unit="votes").rows()), None)
    hard = (
        ""
        if partial is None or partial.blank
        else f", {with_interval(partial)} once shared difficulty is taken out"
    )
    worth = f" By their errors, {', and '.join(effective)}{hard}." if effective else ""
    systems = len(set(truth.tallies.systems))
    grey = (
        "Vermilion: a pair shares more than the other systems do on the same questions; blue: less."
        if systems >= MANY
        else "Grey: what the popularity of wrong answers alone would give, between two estimates, and what "
        "answers to other questions give."
    )
    return _figure(
        "sharing",
        titles.sharing_title(truth.same),
        sharing_chart(truth.same.pairs, truth.same.panel),
        f"{n} {grey}{worth}",
        truth.same.pairs,
    )


def _variance(shares: MeasurementTable, n: str) -> Figure:
    return _figure(
        "variance",
        titles.variance_title(shares),
        variance_chart(shares),
        f"{n} Shares of the variance of answers; they sum to 100 %, and an unbiased share may fall slightly "
        f"below 0.",
        shares,
    )


def _loop_figures(analysis: Analysis) -> list[Figure]:
    if analysis.loops is None or analysis.orbits is None:
        return []
    values = analysis.loops.values
    texts = dict(zip(analysis.items.texts("item"), analysis.items.texts("text"), strict=True))
    stories = loops_figure.stories_table(analysis.orbits, texts)
    return [
        Figure(
            name="loops",
            title=loops_figure.loops_title(values, analysis.loops.outcomes),
            chart=loops_figure.chart(analysis.loops),
            caption=loops_figure.loops_caption(values),
            table=data_table(values),
            shown=tuple(one for one in (loops_figure.ends_table(values), stories) if one is not None),
        )
    ]


def _tables(analysis: Analysis, truth: Truth) -> tuple[Table, ...]:
    found = (
        traps_table(truth.traps, analysis.ends, analysis.items),
        check_table(truth.traps, analysis.items),
    )
    return tuple(table for table in found if table is not None)


def _figure(name: str, title: str, chart: Any, caption: str, measured: MeasurementTable) -> Figure:
    return Figure(name=name, title=title, chart=chart, caption=caption.strip(), table=data_table(measured))


def data_table(measured: MeasurementTable) -> Table:
    """Return the rows of a measurement as a table of the page."""
    rows = tuple(
        (
            *(row.parameters[name] for name in measured.axes),
            row.value,
            row.low,
            row.high,
            row.n,
            row.null_kind.replace("_", " "),
            row.blank_reason,
        )
        for row in measured.rows()
    )
    columns = (*measured.axes, "value", "low", "high", "n", "null", "blank because")
    return Table(title="Data of this figure", columns=columns, rows=rows)


def _n(analysis: Analysis, truth: Truth | None, noun: str) -> str:
    tallies = analysis.tallies if truth is None else truth.tallies
    runs = tallies.pooled().runs[0]
    each = f"{runs.min()}" if runs.min() == runs.max() else f"{runs.min()} to {runs.max()}"
    systems = len(set(tallies.systems))
    return (
        f"{tallies.items.size} question{'s' * (tallies.items.size != 1)}, "
        f"{systems} {noun}{'s' * (systems != 1)}, {each} run{'s' * (each != '1')} a question."
    )


def _blanks(curve: MeasurementTable) -> str:
    blank = sum(row.blank for row in curve.rows())
    if blank == 0:
        return ""
    points = f"{blank} point{'s' * (blank != 1)}"
    return f" {points} blank: triangles that point down are upper bounds, up lower ones."


def _limits(analysis: Analysis) -> tuple[str, ...]:
    found = [
        "These numbers are about these systems, wordings, temperatures and questions, and about no others."
    ]
    if analysis.truth is None:
        found.append(
            "No anchor: any score of agreement takes the same value on a true consensus and on a false "
            "one, so "
            "nothing on this page says how often the answers are right."
        )
    else:
        found.append(
            "Votes are drawn from the runs that were made: nothing is said about more runs than these."
        )
        found.append(
            "Numbers over all questions depend on the mix of questions; read them by kind. Keys can be "
            "wrong; where that chance is known, the intervals are widened by it."
        )
        if analysis.unanchored:
            found.append(
                f"{analysis.unanchored} question{'s' * (analysis.unanchored != 1)} without an anchor left "
                f"out of "
                "every number about right and wrong."
            )
    found.extend(f"No {name}: {reason}." for name, reason in analysis.blank.items())
    return tuple(found)


MOST_NOTES = 30
"""So many notes stand on the page; the folder of the study holds the rest."""


def _noted(notes: tuple[str, ...]) -> tuple[str, ...]:
    more = len(notes) - MOST_NOTES
    told = tuple(f"About the data: {note}." for note in notes[:MOST_NOTES])
    return told if more <= 0 else (*told, f"About the data: {more:,} more notes are in study.lock.json.")


def _readable(text: str) -> str:
    try:
        day = calendar.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{day.day} {day:%b %Y}"
