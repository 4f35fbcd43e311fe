"""What do grades say of the judges who gave them, with a key or without?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from limitset.charts.reliability import MOST_SYSTEMS
from limitset.charts.score_errors import level_chart, panel_error_chart
from limitset.charts.shown import number, percent, visible, with_interval
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.scores import ScoreTable, scored
from limitset.instruments.truth.krippendorff import METRICS, MOST_LEVELS, krippendorff_alpha
from limitset.instruments.truth.reliability import reliability
from limitset.instruments.truth.score_errors import ScoreErrors, score_errors
from limitset.instruments.truth.severity import severity
from limitset.report.audit.grades import grades_advice
from limitset.report.audit.panel import Panel
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

TOPIC: Final = 52
ENOUGH: Final = 0.02
"""A panel whose error falls by less than this many points per further judge need not grow."""
MOST_ADVICE: Final = 3

SEVERITY: Final = Definition(
    term="severity",
    plain="How much lower a judge grades than the other judges do on the same questions. Without a key "
    "nobody can say who of them is right.",
    formula="mean_{q}(x_{iq} − mean_{j≠i} x_{jq})",
)
ERRORS: Final = (
    Definition(
        term="bias",
        plain="Mean of grade minus key: above 0 too kind, below 0 too severe.",
        formula="mean_{q}(x_{iq} − y_{q})",
    ),
    Definition(
        term="worth in independent judges",
        plain="As many judges whose errors had nothing in common would have a mean that varies as little. A "
        "bias that all share is not in it.",
        formula="M / (1 + (M − 1) r)",
    ),
    Definition(
        term="weighted kappa",
        plain="1 minus the squared error over the squared error against keys of other questions.",
        formula="1 − mean (x − y)² / mean_{i,j} (x_{i} − y_{j})²",
    ),
)


def ordinal_section(panel: Panel) -> Section:
    """Say how judges differ and agree in their grades, and with a key how far off they and their panel are.

    Parameters
    ----------
    panel
        The runs; a panel is ordinal when most of them carry a grade.

    Returns
    -------
    Section
        Where the panel is not ordinal, empty, or the advice how grades that were read as classes are read as
        numbers.
    """
    table = scored(panel.ends, panel.items)
    if table is None:
        graded = grades_advice(panel)
        told = () if graded is None else (graded,)
        return Section(topic="ordinal", advice=told, limits=told)
    agreed, measured, limits = _agreement(table, panel.noun)
    if not table.anchored:
        return _without_key(panel, table, agreed, measured, limits)
    return _with_key(panel, table, agreed, measured, limits)


def _without_key(
    panel: Panel, table: ScoreTable, agreed: Table, measured: list[MeasurementTable], limits: list[str]
) -> Section:
    limits = [*limits, "No key to the grades: how far they are off cannot be told, only how they differ."]
    if table.systems.size < 2:
        return Section(topic="ordinal", tables=(agreed,), measured=tuple(measured), limits=tuple(limits))
    apart = severity(table)
    rows = sorted((row for row in apart.values.rows() if not row.blank), key=lambda row: row.value)
    figures, advice = [], []
    if rows:
        figures.append(
            Figure(
                name="severity",
                title=_severity_title(rows, panel.noun),
                chart=level_chart(apart.values, words="points above the others' mean"),
                caption=f"{_counted(table, panel.noun)} Mean difference from the other {panel.noun}s on the "
                f"same questions. Lines: 95 % intervals that hold for all together.{_ends_only(rows)}",
                table=data_table(apart.values),
            )
        )
        apart_rows = [row for row in rows if row.low > 0 or row.high < 0]
        if apart_rows:
            worst = max(apart_rows, key=lambda row: abs(row.value))
            advice.append(
                f"Do not compare grades of different {panel.noun}s as they stand: {_name(worst)} grades "
                f"{_by(worst)} the others. Give every answer to the same {panel.noun}s, or compare within "
                "one."
            )
    return Section(
        topic="ordinal",
        figures=tuple(figures),
        advice=tuple(advice),
        tables=(agreed,),
        measured=(*measured, apart.values, apart.spread),
        definitions=(SEVERITY,),
        limits=tuple(limits),
    )


def _with_key(
    panel: Panel, table: ScoreTable, agreed: Table, measured: list[MeasurementTable], limits: list[str]
) -> Section:
    found = score_errors(table, rng=panel.rng(TOPIC))
    bias = found.judges.where(measure="bias", null_kind="")
    known = [row for row in bias.rows() if not row.blank]
    counted = _counted(table, panel.noun)
    figures = []
    panels = [row for row in found.panel.where(statistic="mean").rows() if not row.blank]
    if len(panels) > 1:
        figures.append(
            Figure(
                name="panel-error",
                title=_panel_title(found, panels, panel.noun),
                chart=panel_error_chart(found.panel),
                caption=f"{counted} Mean distance from the key of the score of so many {panel.noun}s, drawn "
                "at random, one draw each. Bias removed: each takes off its mean error on the other "
                "questions. Band: 95 % interval over questions.",
                table=data_table(found.panel),
            )
        )
    if known:
        figures.append(
            Figure(
                name="bias",
                title=_bias_title(known, panel.noun),
                chart=level_chart(bias, words="points above the key"),
                caption=f"{counted} Mean of grade minus key. Lines: 95 % intervals over questions."
                f"{_ends_only(known)}",
                table=data_table(bias),
            )
        )
    if table.systems.size > 1 and len(panels) < 2:
        limits = [*limits, "Too few questions have a grade of everybody: no error of the panel can be given."]
    return Section(
        topic="ordinal",
        figures=tuple(figures),
        advice=_advice(found, known, panels, panel.noun),
        tables=(_judges_table(found, panel.noun), agreed),
        measured=(*measured, found.judges, found.worth, found.panel, found.choices),
        definitions=ERRORS,
        limits=tuple(limits),
    )


def _agreement(table: ScoreTable, noun: str) -> tuple[Table, list[MeasurementTable], list[str]]:
    measured, rows, limits = [], [], []
    levels = {float(one) for one in table.scores[table.scores == table.scores].tolist()}
    if len(levels) > MOST_LEVELS:
        limits.append(f"{len(levels):,} distinct scores: no alpha, which is for grades.")
    elif table.systems.size > 1:
        for metric in METRICS[:3]:
            alpha = krippendorff_alpha(table, metric=metric).values
            measured.append(alpha)
            rows.append((f"Krippendorff's alpha, {metric}", _told(alpha.one(raters="systems"))))
    if table.systems.size > 1:
        forms = reliability(table).raters
        measured.append(forms)
        named = (
            ("2,1", f"one {noun}'s grade"),
            ("3,1", "the same, severity left out"),
            ("2,k", "the mean of all"),
        )
        rows += [
            (f"reliability of {what}: ICC({form})", _told(forms.one(form=form, null_kind="")))
            for form, what in named
        ]
    return (
        Table(
            title=f"How far the {noun}s agree on grades",
            columns=("what", "value"),
            rows=tuple(rows),
            note="1: always; 0: as much as on different questions. Agreement is not truth.",
        ),
        measured,
        limits,
    )


def _judges_table(found: ScoreErrors, noun: str) -> Table:
    names = list(dict.fromkeys(str(name) for name in found.judges.axes["system"]))
    off = found.judges.where(measure="absolute error", null_kind="")
    worst = sorted(zip(off.value.tolist(), names, strict=True), key=lambda pair: -pair[0])
    shown = [name for _, name in worst][: 2 * MOST_SYSTEMS]
    rows = []
    for name in shown:
        own = found.judges.where(system=name, null_kind="")
        bias, error, one, kappa = (
            own.one(measure=measure) for measure in ("bias", "absolute error", "within one", "weighted kappa")
        )
        rows.append((name, _signed(bias), _told(error), percent(one), _told(kappa)))
    more = f" The {len(shown)} that are furthest off, of {len(names)}." if len(names) > len(shown) else ""
    return Table(
        title=f"Each {noun} against the key",
        columns=(noun, "bias", "points off", "within one", "weighted kappa"),
        rows=tuple(rows),
        note=f"95 % intervals over questions.{more}",
    )


def _severity_title(rows: list[Measurement], noun: str) -> str:
    low, high = rows[0], rows[-1]
    if not any(row.low > 0 or row.high < 0 for row in rows):
        return f"No {noun} can be told to be more severe than the others"
    return f"{_name(low)} grades {_by(low)} the others, {_name(high)} {_by(high)}"


def _bias_title(rows: list[Measurement], noun: str) -> str:
    sure = [row for row in rows if row.low > 0 or row.high < 0]
    if not sure:
        return f"No {noun} can be told to be too kind or too severe"
    worst = max(sure, key=lambda row: abs(row.value))
    stated = f"{_name(worst)} is {_size(worst)} points too {'kind' if worst.value > 0 else 'severe'}"
    if len(sure) == 1:
        return stated
    return f"{stated}; {len(sure) - 1} of the other {len(rows) - 1} {noun}s have a bias too"


def _panel_title(found: ScoreErrors, panels: list[Measurement], noun: str) -> str:
    one, last = panels[0], panels[-1]
    worth = found.worth.one(quantity="effective judges")
    count = int(last.parameters["judges"])
    error = (
        f"their mean is {with_interval(last)} points off the key, one {noun} alone {number(one.value, 0.1)}"
    )
    if worth.blank:
        return f"{count} {noun}s: {error}"
    return f"In their errors {count} {noun}s are worth {with_interval(worth)}: {error}"


def _advice(
    found: ScoreErrors, bias: list[Measurement], panels: list[Measurement], noun: str
) -> tuple[str, ...]:
    told = []
    alone, better = (_better(found.choices.where(choice=choice)) for choice in ("it alone", "without it"))
    for row in alone[:1]:
        told.append(
            f"Use {_name(row)} alone: it is {_size(row)} points nearer to the key than the mean of all."
        )
    for row in better[: 0 if alone else 1]:
        more = f" ({len(better) - 1} more would also help if they left alone)" if len(better) > 1 else ""
        told.append(
            f"Drop {_name(row)}: without it the mean of the others is {_size(row)} points nearer to the "
            f"key{more}."
        )
    corrected = [row for row in found.panel.where(statistic="mean, bias removed").rows() if not row.blank]
    if panels and corrected and corrected[-1].value < panels[-1].value - ENOUGH:
        named = ", ".join(f"{_name(row)} {-row.value:+.2f}" for row in bias[:8])
        told.append(
            f"Correct each {noun} by its bias ({named}): the mean of all is then "
            f"{with_interval(corrected[-1])} points off instead of {with_interval(panels[-1])}."
        )
    median = [row for row in found.panel.where(statistic="median").rows() if not row.blank]
    if len(panels) > 2 and median and median[-1].value < panels[-1].value - ENOUGH:
        told.append(
            f"Take the median of the {int(panels[-1].parameters['judges'])} {noun}s, not the mean: it is "
            f"{with_interval(median[-1])} points off instead of {with_interval(panels[-1])}."
        )
    if len(panels) > 2 and not alone:
        told.append(_enough(panels, noun))
    return tuple(told[:MOST_ADVICE])


def _better(choices: MeasurementTable) -> list[Measurement]:
    """Choices that bring the score nearer to the key by their whole interval, the best first."""
    rows = [row for row in choices.rows() if not row.blank and row.high < 0]
    return sorted(rows, key=lambda row: row.value)


def _enough(panels: list[Measurement], noun: str) -> str:
    last = panels[-1]
    stop = next(row for row in panels if row.value <= last.value + ENOUGH)
    count, most = int(stop.parameters["judges"]), int(last.parameters["judges"])
    if count == most:
        fewer = int(panels[-2].parameters["judges"])
        return (
            f"More {noun}s may be worth their price: the mean of {most} is {with_interval(last)} points "
            f"off, that of {fewer} {with_interval(panels[-2])}."
        )
    return (
        f"Stop at {count} {noun}{'s' * (count != 1)}: drawn at random their mean is {with_interval(stop)} "
        f"points off, that of all {most} {with_interval(last)}."
    )


def _by(row: Measurement) -> str:
    return f"{_size(row)} points {'above' if row.value > 0 else 'below'}"


def _size(row: Measurement) -> str:
    """Write a difference without its sign, the ends of the interval in order."""
    if row.value >= 0:
        return with_interval(row)
    return with_interval(replace(row, value=-row.value, low=-row.high, high=-row.low))


def _signed(row: Measurement) -> str:
    return _told(row) if row.blank or row.value < 0 else f"+{_told(row)}"


def _told(row: Measurement) -> str:
    return f"blank: {row.blank_reason}" if row.blank else with_interval(row)


def _counted(table: ScoreTable, noun: str) -> str:
    runs = table.runs[table.runs > 0]
    each = f"{runs.min()}" if runs.min() == runs.max() else f"{runs.min()} to {runs.max()}"
    q, m = table.items.size, table.systems.size
    return (
        f"{q:,} question{'s' * (q != 1)}, {m} {noun}{'s' * (m != 1)}, {each} grade{'s' * (each != '1')} each."
    )


def _ends_only(rows: list[Measurement]) -> str:
    return f" Of {len(rows)}, the {MOST_SYSTEMS // 2} at either end." if len(rows) > MOST_SYSTEMS else ""


def _name(row: Measurement) -> str:
    return visible(str(row.parameters["system"]))
