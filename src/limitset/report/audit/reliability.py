"""What does a panel say about asking again: one draw, k draws, and other systems as raters?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np

from limitset.charts.reliability import MOST_SYSTEMS, draws_chart, self_agreement_chart
from limitset.charts.shown import percent, visible, with_interval
from limitset.core.mean_squares import draws_for
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.scores import ScoreTable, scored
from limitset.core.tallies import Tallies
from limitset.instruments.truth.fleiss import fleiss_kappa
from limitset.instruments.truth.krippendorff import krippendorff_alpha
from limitset.instruments.truth.omega import omega_total
from limitset.instruments.truth.reliability import Reliability, reliability
from limitset.instruments.truth.self_agreement import SelfAgreement, self_agreement
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import counted_on
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

TOPIC: Final = 51
TARGET: Final = 0.9
"""Reliability that advice asks for: a tenth of the variance is chance."""
UNSTEADY: Final = 0.05
"""A system that changes its answer more often than this, by its whole interval, is worth a sentence."""
MOST_ADVICE: Final = 3
SHUFFLES, FEW_SHUFFLES, MANY = 39, 5, 100
"""Each shuffle is a fit of all correlations; of so many systems the null hardly varies."""
MOST_ROWS: Final = 300
MOST_DRAWS: Final = 1_000
"""Advice to draw more often than this is none."""
MISS: Final = 0.05
"""How often intervals may miss: that of a lone system, or all of those a system is picked from together."""

DEFINITIONS: Final = (
    Definition(
        term="agrees with itself",
        plain="Two different runs of one system on one question give the same answer; mean over questions. "
        "Greedy runs, which repeat themselves, are left out.",
        formula="mean_{i} Σ_{y} n_{iy}(n_{iy} − 1) / (n_{i}(n_{i} − 1))",
    ),
    Definition(
        term="reliability of one draw",
        plain="The share of the variance of a score (right 1, not right 0, or the grade) that is the "
        "question's and would be there in another draw. 0: coin tosses; 1: every draw says the same.",
        formula="ρ = (MS_{b} − MS_{w}) / (MS_{b} + (k − 1) MS_{w})",
    ),
    Definition(
        term="reliability of k draws",
        plain="The same for the mean of k draws. It rises with k whatever one draw is worth.",
        formula="kρ / (1 + (k − 1)ρ)",
    ),
)
_AMONG: Final = Definition(
    term="alpha and kappa",
    plain="Agreement of different systems beyond chance: 1, they always agree; 0, as often as answers to "
    "different questions. Krippendorff's alpha and Fleiss' kappa differ in small samples only.",
    formula="1 − D_{o} / D_{e}",
)


def reliability_section(panel: Panel) -> Section:
    """Say how often asking again changes an answer, what one draw and k are worth, and how systems agree.

    Parameters
    ----------
    panel
        The runs. Scores are used where the panel is ordinal, rightness where answers are checked.

    Returns
    -------
    Section
        Without the figures on asking again where every question was asked once.
    """
    tallies = panel.anchored if panel.anchored is not None else panel.tallies
    table = scored(panel.ends, panel.items)
    agreement, sure = agreement_with_named(tallies)
    rated: Tallies | ScoreTable | None = table if table is not None else panel.anchored
    measured = [agreement.values, agreement.corrected, agreement.chance]
    found, sure_found = (None, None) if rated is None else reliability_with_named(rated)
    if found is not None:
        measured += [found.own, found.raters, found.by_f]
    figures = _figures(panel, tallies, (agreement, sure), (found, sure_found), graded=table is not None)
    among, more = _among(panel, tallies, rated, found)
    definitions = (
        *(DEFINITIONS[:1] if figures else ()),
        *(DEFINITIONS[1:] if found is not None and len(found.own) else ()),
        *((_AMONG,) if among else ()),
    )
    return Section(
        topic="reliability",
        figures=figures,
        advice=_advice(panel, agreement, sure, sure_found),
        tables=among,
        measured=tuple(one for one in (*measured, *more) if len(one)),
        definitions=definitions,
        limits=(*_limits(panel, agreement, found), *_clustered(tallies)),
    )


def agreement_with_named(tallies: Tallies) -> tuple[SelfAgreement, SelfAgreement]:
    """Return the agreement of each system, and again with intervals that hold for all systems together.

    A system that is named was picked by its result: it takes the second (Bonferroni over the systems).
    """
    own = self_agreement(tallies)
    count = len(_changing(own))
    return own, own if count < 2 else self_agreement(tallies, confidence=1 - MISS / count)


def reliability_with_named(rated: Tallies | ScoreTable) -> tuple[Reliability, Reliability]:
    """Return the reliability of each system, and again with intervals that hold for all together."""
    own = reliability(rated)
    count = len(_one_draw(own))
    return own, own if count < 2 else reliability(rated, confidence=1 - MISS / count)


def changes_of(agree: Measurement) -> Measurement:
    """Turn how often two runs agree into how often asking again changes the answer.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> row = Measurement(instrument="x", version=1, level=Level.ANSWER, value=0.62, low=0.57, high=0.67)
    >>> percent(changes_of(row))
    '38 % [33, 43]'
    """
    return replace(agree, value=1 - agree.value, low=1 - agree.high, high=1 - agree.low)


def _figures(
    panel: Panel,
    tallies: Tallies,
    agreements: tuple[SelfAgreement, SelfAgreement],
    reliabilities: tuple[Reliability | None, Reliability | None],
    *,
    graded: bool,
) -> tuple[Figure, ...]:
    """Draw each system with its own interval; titles take those that hold for all systems together."""
    (agreement, sure), (found, sure_found) = agreements, reliabilities
    rows = _changing(agreement)
    if not rows:
        return ()
    n = counted_on(tallies, panel.noun)
    ends = _picked(len(rows), panel.noun) + _ends_only(len(rows))
    checked = bool((agreement.values.axes["part"] == "agree wrong").any())
    split = " Blue and vermilion: both runs are right, or both give the same wrong answer." if checked else ""
    figures = [
        Figure(
            name="self-agreement",
            title=changes_title(_changing(agreement, told=sure)),
            chart=self_agreement_chart(agreement.values),
            caption=f"{n} Two runs of one {panel.noun} on one question, with the same wording.{split} Lines: "
            f"95 % intervals over questions; dashed where only a bound is known.{ends}",
            table=_short(data_table(agreement.values.where(stratum="all")), _drawn(rows)),
        )
    ]
    ones = [] if found is None else _one_draw(found)
    if found is not None and sure_found is not None and ones:
        scale = "grades" if graded else "answers scored 1 where right and 0 where not"
        figures.append(
            Figure(
                name="draws",
                title=draws_title(sure_found),
                chart=draws_chart(found.own),
                caption=f"{n} Reliability of {scale}: the share of the variance that another draw would "
                f"repeat. Lines: 95 % intervals over questions. Grey, dashed: where one draw of a coin falls "
                f"95 % of the time.{_picked(len(ones), panel.noun)}{_ends_only(len(ones))}",
                table=_short(data_table(found.own), _drawn(ones)),
            )
        )
    return tuple(figures)


def changes_title(rows: list[Measurement]) -> str:
    """State how often the least steady system changes its answer, and the steadiest."""
    worst, best = rows[0], rows[-1]
    stated = f"Asked again, {_name(worst)} gives another answer {percent(worst)} of the time"
    return stated if len(rows) == 1 else f"{stated}, {_name(best)} {percent(best)}"


def draws_title(found: Reliability) -> str:
    """State the reliability of one draw and of all, for the system whose draw is worth least."""
    one = _one_draw(found)[0]
    name = _name(one)
    many = [
        row
        for row in found.own.where(system=str(one.parameters["system"]), null_kind="").rows()
        if int(row.parameters["draws"]) > 1
    ]
    stated = f"One draw of {name} has a reliability of {with_interval(one)}"
    if not many or many[0].blank:
        return stated
    return f"{stated}, the mean of {many[0].parameters['draws']} draws {with_interval(many[0])}"


def _changing(agreement: SelfAgreement, *, told: SelfAgreement | None = None) -> list[Measurement]:
    """How often each system changes its answer, the least steady first; with the intervals of `told`."""
    rows = [
        changes_of(row)
        for row in agreement.values.where(stratum="all", part="agree").rows()
        if row.parameters["system"] != "all" and (row.bounded or not row.blank)
    ]
    rows = sorted(rows, key=lambda row: -(row.high if row.blank else row.value))
    if told is None:
        return rows
    wide = {name_of(row): row for row in told.values.where(stratum="all", part="agree").rows()}
    return [changes_of(wide[name_of(row)]) for row in rows]


def _picked(count: int, noun: str) -> str:
    """Say that intervals of systems named pay for the picking."""
    if count < 2:
        return ""
    return f" Intervals in title and advice allow for picking out of {count} {noun}s."


def _one_draw(found: Reliability) -> list[Measurement]:
    rows = [row for row in found.own.where(draws=1, null_kind="").rows() if not row.blank]
    return sorted(rows, key=lambda row: row.value)


def _advice(
    panel: Panel, agreement: SelfAgreement, sure: SelfAgreement, found: Reliability | None
) -> tuple[str, ...]:
    rows = _changing(agreement, told=sure)
    unsteady = [row for row in rows if not row.blank and row.low > UNSTEADY]
    told = [_one_system(row, found) for row in unsteady[:MOST_ADVICE]]
    if len(unsteady) > MOST_ADVICE:
        last = unsteady[-1]
        told.append(
            f"Nor one draw of {len(unsteady) - MOST_ADVICE} more {panel.noun}s, of which the steadiest "
            f"changes its answer {percent(last)} of the time."
        )
    stubborn = [
        row
        for row in sure.values.where(stratum="all", part="agree wrong").rows()
        if row.parameters["system"] != "all" and not row.blank and row.low > UNSTEADY
    ]
    if stubborn:
        worst = max(stubborn, key=lambda row: row.value)
        told.append(
            f"Do not ask {_name(worst)} again to find its errors: {percent(worst)} of the time two runs give "
            "the same wrong answer."
        )
    steady = [row for row in rows if row.high <= UNSTEADY]
    if steady and len(told) < MOST_ADVICE:
        worst = steady[0]
        told.append(
            f"One draw of {_name(worst)} may stand for others: asked again it changes its answer "
            f"{percent(worst)} of the time."
        )
    return tuple(told)


def _one_system(change: Measurement, found: Reliability | None) -> str:
    name = _name(change)
    stated = (
        f"Do not read one draw of {name}: asked again it gives another answer {percent(change)} of the time"
    )
    ones = (
        [] if found is None else list(found.own.where(system=name_of(change), draws=1, null_kind="").rows())
    )
    if not ones or ones[0].blank:
        return f"{stated}."
    one = ones[0]
    draws = draws_for(one.value, target=TARGET)
    if not draws <= MOST_DRAWS:
        return (
            f"{stated}; its reliability is {with_interval(one)}, and {MOST_DRAWS:,} draws do not lift it to "
            f"{TARGET:g}."
        )
    if draws <= 1:
        return f"{stated}, though one draw has a reliability of {with_interval(one)}."
    least = draws_for(one.high, target=TARGET)
    most = draws_for(one.low, target=TARGET)
    up = "more" if not most <= MOST_DRAWS else f"{most:.0f}"
    between = "" if not one.bounded else f" (between {least:.0f} and {up}, by the interval)"
    return (
        f"{stated}; one draw has a reliability of {with_interval(one)}, and {draws:.0f} draws bring their "
        f"mean to {TARGET:g}{between}."
    )


def _among(
    panel: Panel, tallies: Tallies, rated: Tallies | ScoreTable | None, found: Reliability | None
) -> tuple[tuple[Table, ...], list[MeasurementTable]]:
    """How systems agree as raters of one another: they need no repeats."""
    if len(panel.systems) < 2:
        return (), []
    alpha, kappa = krippendorff_alpha(tallies), fleiss_kappa(tallies)
    rows = [
        ("two of them give the same answer", percent(kappa.agreement.one(raters="systems"))),
        ("the same beyond chance: Fleiss' kappa", _told(kappa.values.one(raters="systems"))),
        ("the same beyond chance: Krippendorff's alpha", _told(alpha.values.one(raters="systems"))),
    ]
    measured = [kappa.values, kappa.agreement, alpha.values]
    what = "grade" if isinstance(rated, ScoreTable) else "rightness"
    if found is not None:
        rows += [
            (f"reliability of the {what} of one {panel.noun}: ICC(2,1)", _told(_form(found, "2,1"))),
            (f"reliability of the mean {what} of all: ICC(2,k)", _told(_form(found, "2,k"))),
        ]
    if rated is not None and len(panel.systems) > 2:
        few = len(panel.systems) > MANY
        omega = omega_total(rated, rng=panel.rng(TOPIC), shuffles=FEW_SHUFFLES if few else SHUFFLES)
        row = omega.values.one(coefficient="omega_total", null_kind="")
        nulls = list(omega.values.where(null_kind="shuffled").rows())
        chance = (
            f"; shuffled questions give up to {nulls[0].high:.2f}" if nulls and not nulls[0].blank else ""
        )
        rows.append((f"the same, {panel.noun}s seeing unequally well: omega", f"{_told(row)}{chance}"))
        measured += [omega.values, omega.loadings]
    table = Table(
        title=f"The {panel.noun}s as raters of one another",
        columns=("what", "value"),
        rows=tuple(rows),
        note="One run each; 95 % intervals over questions. Agreement is not truth.",
    )
    return (table,), measured


def _form(found: Reliability, form: str) -> Measurement:
    return found.raters.one(form=form, null_kind="")


def _told(row: Measurement) -> str:
    return f"blank: {row.blank_reason}" if row.blank else with_interval(row)


def _limits(panel: Panel, agreement: SelfAgreement, found: Reliability | None) -> tuple[str, ...]:
    told = []
    systems = panel.systems
    repeated = {str(row.parameters["system"]) for row in agreement.values.rows()} - {"all"}
    if not repeated:
        told.append(
            "Every question was asked once: how often an answer changes when asked again cannot be told. "
            "Ask some of the questions twice, at the temperature that is used."
        )
    elif len(repeated) < len(systems):
        count = len(systems) - len(repeated)
        told.append(
            f"Asked once only: {count} of {len(systems)} {panel.noun}s; nothing is said of asking them again."
        )
    if found is not None:
        blank = {row.blank_reason: str(row.parameters["system"]) for row in found.own.rows() if row.blank}
        told += [f"No reliability of {visible(name)}: {reason}." for reason, name in blank.items()]
    elif repeated:
        told.append("Without keys or grades there is no reliability of draws, only how often answers change.")
    return tuple(told)


def _clustered(tallies: Tallies) -> tuple[str, ...]:
    if np.unique(tallies.clusters).size == tallies.items.size:
        return ()
    return (
        "Questions come in clusters: intervals of how often answers change leave out whole clusters, those "
        "of reliability, alpha, kappa and omega single questions, so that these are too short.",
    )


def name_of(row: Measurement) -> str:
    """Return the system of a row."""
    return str(row.parameters["system"])


def _name(row: Measurement) -> str:
    return visible(name_of(row))


def _ends_only(count: int) -> str:
    return f" Of {count} systems, the {MOST_SYSTEMS // 2} at either end." if count > MOST_SYSTEMS else ""


def _drawn(rows: list[Measurement]) -> set[str]:
    names = [name_of(row) for row in rows]
    half = MOST_SYSTEMS // 2
    return set(names if len(names) <= MOST_SYSTEMS else [*names[:half], *names[-half:]])


def _short(table: Table, drawn: Collection[str]) -> Table:
    """Keep the rows of the systems drawn where there are too many for a page."""
    if len(table.rows) <= MOST_ROWS:
        return table
    rows = tuple(row for row in table.rows if row[0] in drawn)
    return replace(table, rows=rows, note=f"{len(rows)} of {len(table.rows):,} rows: the systems drawn.")
