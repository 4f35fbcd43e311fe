"""Is what the systems say of their own confidence worth anything, and from where on?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from limitset.charts.calibration import MOST, calibration_chart, risk_chart
from limitset.charts.shown import percent, visible, with_interval
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth.calibration import Calibration, calibration
from limitset.instruments.truth.confidence import (
    THRESHOLDS,
    Ranking,
    confident_false,
    ranking,
    wrong_or_silent,
)
from limitset.report.audit.forecasts import AGREEMENT, Forecast, forecasts_of, likelihoods_of
from limitset.report.audit.panel import Panel
from limitset.report.audit.points import listed
from limitset.report.audit.section import Section
from limitset.report.first_page import data_table
from limitset.report.page import Definition, Figure, Table

TOPIC: Final = 32
"""Stream of the draws."""
SURE: Final = 0.9
"""Confidence from which on a system counts as sure in the title."""
ALLOWED: Final = 0.05
"""Share wrong up to which a threshold counts as usable."""
LISTED: Final = 24
"""Systems measured; of more, those that are most and least overconfident."""
MISS: Final = 0.05
"""How often intervals may miss: that of a lone system, or all of those a system is picked from together."""

DEFINITIONS: Final = (
    Definition(
        term="calibration error (ECE)",
        plain="Mean distance between the confidence stated and the share right, over ten bins of equally "
        "many answers. Even a perfect forecaster is above 0 on few questions: what it would show stands "
        "beside.",
        formula="ECE = sum_{b} n_{b}/n |p_{b} − y_{b}|",
    ),
    Definition(
        term="wrong when sure (confident-false rate)",
        plain="Share of wrong answers among those stated with at least so much confidence, read with how "
        "many they are.",
        formula="P(wrong | p ≥ t),   P(p ≥ t)",
    ),
    Definition(
        term="order (AUROC)",
        plain="Chance that a right answer has a higher score than a wrong one: 1/2 says nothing, 1 tells "
        "all.",
        formula="P(s_{right} > s_{wrong}) + 1/2 P(equal)",
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Confidence:
    """What was measured of one system."""

    forecast: Forecast
    calibration: Calibration
    false: MeasurementTable
    """Its own intervals; `named`: they hold for all systems together; `joint`: for all thresholds too."""
    named: MeasurementTable
    joint: MeasurementTable
    order: Ranking
    gap: Measurement
    """Confidence less share right, with an interval that holds for all systems together."""

    @property
    def sure(self) -> Measurement:
        """Share wrong among the answers of which it is at least 90 % sure."""
        return self.false.one(statistic="wrong_when_sure", threshold=SURE)

    @property
    def sure_named(self) -> Measurement:
        """The same for a system that was picked by its result."""
        return self.named.one(statistic="wrong_when_sure", threshold=SURE)

    @property
    def off(self) -> bool:
        """Whether its calibration error stands above what a calibrated forecaster would show."""
        null = self.calibration.summary.one(statistic="ece", null_kind="calibrated")
        return bool(self.calibration.summary.one(statistic="ece", null_kind="").value > null.high)

    @property
    def threshold(self) -> float | None:
        """Lowest threshold above which at most 5 % are wrong, by intervals that hold for all together."""
        rows = self.joint.where(statistic="wrong_when_sure")
        fits = np.flatnonzero(np.asarray(rows.high) <= ALLOWED)
        return float(rows.axes["threshold"][fits].min()) if fits.size else None


def calibration_section(panel: Panel) -> Section:
    """Say how far stated confidence can be trusted, and whether the probability of an answer orders answers.

    Parameters
    ----------
    panel
        The runs: `confidence`, else `choice_probabilities`, else the share of runs that agree stands for
        confidence; `logprob` is the probability of the whole answer.

    Returns
    -------
    Section
        Without figures where nothing checks the answers, or none says how sure it is.
    """
    if panel.anchored is None:
        return Section(
            topic="calibration", limits=("Without a key nobody can say what confidence is worth.",)
        )
    silent = wrong_or_silent(panel.anchored)
    found, left_out = _found(panel, panel.anchored)
    likely = _likely(panel, panel.anchored)
    named = likely if len(likely) < 2 else _likely(panel, panel.anchored, miss=MISS / len(likely))
    figures = [
        *_calibration_figure(panel, found, silent, found_count=len(found) + left_out),
        *_order_figure(panel, likely, named),
    ]
    measured = [silent] if panel.anchored.abstained.any() else []
    for one in found:
        name = one.forecast.system
        measured += [_of(table, name) for table in (one.calibration.summary, one.false, one.order.summary)]
    measured += [_of(one.summary, name) for name, one in likely.items()]
    return Section(
        topic="calibration",
        figures=tuple(figures),
        advice=_advice(panel, found),
        measured=tuple(measured),
        definitions=DEFINITIONS if figures else (),
        limits=_limits(panel, found, left_out, likely),
    )


def calibration_title(found: list[Confidence]) -> str:
    """State how often the surest system is wrong where it is sure, or how far confidence is off."""
    sure = [one for one in found if not one.sure.blank]
    if sure:
        worst = max(sure, key=lambda one: one.sure.value)
        return (
            f"At {100 * SURE:.0f} % {_word(worst)} and more ({percent(_share_sure(worst))} of its answers), "
            f"{visible(worst.forecast.system)} is wrong {percent(worst.sure_named)} of the time"
        )
    known = [one for one in found if not one.gap.blank]
    if not known:
        return "Too few answers with a confidence to say what it is worth"
    worst = max(known, key=lambda one: abs(one.gap.value))
    gap = worst.gap
    if not any(one.off for one in known):
        return (
            f"{'Its' if len(known) == 1 else 'Their'} {_word(worst)} says how often "
            f"{listed([one.forecast.system for one in known], most=3)} {'is' if len(known) == 1 else 'are'} "
            "right, as far as so few answers tell"
        )
    side = "above" if gap.value > 0 else "below"
    low, high = sorted((abs(gap.low), abs(gap.high)))
    return (
        f"{visible(worst.forecast.system)}'s {_word(worst)} stands {100 * abs(gap.value):.0f} points "
        f"[{100 * (0.0 if gap.low * gap.high < 0 else low):.0f}, {100 * high:.0f}] {side} its share of right "
        "answers"
    )


def _word(one: Confidence) -> str:
    return "self-agreement" if one.forecast.source == AGREEMENT else "confidence"


def _share_sure(one: Confidence) -> Measurement:
    return one.named.one(statistic="sure", threshold=SURE)


def _picked(count: int, noun: str) -> str:
    """Say that intervals of systems named pay for the picking."""
    return "" if count < 2 else f" Intervals in title and advice allow for picking out of {count} {noun}s."


def _found(panel: Panel, tallies: Tallies) -> tuple[list[Confidence], int]:
    every = forecasts_of(panel, tallies, panel.rng(TOPIC))
    ranked = sorted(every, key=lambda one: float(one.right.mean() - one.stated.mean()))
    kept = ranked if len(ranked) <= LISTED else [*ranked[: LISTED // 2], *ranked[-LISTED // 2 :]]
    rng, miss = panel.rng(TOPIC + 1), MISS / max(len(every), 1)
    found = []
    for one in kept:
        data = one.stated, one.right, one.unit
        whole = calibration(*data, rng=rng)
        # of the wider one nothing but the gap is used, and that draws nothing
        wide = (
            whole
            if len(every) < 2
            else calibration(*data, rng=panel.rng(TOPIC + 2), draws=1, confidence=1 - miss)
        )
        found.append(
            Confidence(
                forecast=one,
                calibration=whole,
                false=confident_false(*data),
                named=confident_false(*data, confidence=1 - miss),
                joint=confident_false(*data, confidence=1 - miss / len(THRESHOLDS)),
                order=ranking(*data),
                gap=wide.summary.one(statistic="overconfidence"),
            )
        )
    return found, len(every) - len(kept)


def _likely(panel: Panel, tallies: Tallies, *, miss: float = MISS) -> dict[str, Ranking]:
    """Order by the probability of the whole answer, for the systems with the most answers."""
    every = sorted(likelihoods_of(panel, tallies), key=lambda one: -one.right.size)[:LISTED]
    return {one.system: ranking(one.stated, one.right, one.unit, confidence=1 - miss) for one in every}


def _calibration_figure(
    panel: Panel, found: list[Confidence], silent: MeasurementTable, *, found_count: int
) -> list[Figure]:
    if not found:
        return []
    drawn = _ends(found)
    sources = list(dict.fromkeys(one.forecast.source for one in found))
    count = sum(one.forecast.right.size for one in found)
    cut = f" {len(drawn)} of {len(found)} {panel.noun}s drawn." if len(drawn) < len(found) else ""
    tables = {one.forecast.system: one.calibration.bins for one in drawn}
    rows = tuple((name, *row) for name, table in tables.items() for row in data_table(table).rows)
    return [
        Figure(
            name="calibration",
            title=calibration_title(found),
            chart=calibration_chart(tables),
            caption=f"{count:,} answers with a key; confidence: {listed(sources)}. Ten bins of equally many "
            f"answers, each with its interval over questions. Dashed: right as often as stated."
            f"{_picked(found_count, panel.noun)}{cut}",
            table=Table(
                title="Data of this figure",
                columns=(panel.noun, *data_table(next(iter(tables.values()))).columns),
                rows=rows,
            ),
            shown=(_table(panel, found, silent),),
        )
    ]


def _ends(found: list[Confidence]) -> list[Confidence]:
    """Return the systems drawn: the most wrong where sure first, then the most and least overconfident."""
    if len(found) <= MOST:
        return found
    sure = sorted((one for one in found if not one.sure.blank), key=lambda one: -one.sure.value)[:1]
    rest = [one for one in found if one not in sure]
    need = MOST - len(sure)
    return [*sure, *rest[: need - need // 2], *rest[len(rest) - need // 2 :]]


def _order_figure(panel: Panel, likely: dict[str, Ranking], named: dict[str, Ranking]) -> list[Figure]:
    known = {name: one for name, one in likely.items() if not one.summary.one(statistic="auroc").blank}
    if not known:
        return []
    names = sorted(known, key=lambda name: known[name].summary.one(statistic="auroc").value, reverse=True)
    best, worst = (named[names[end]].summary.one(statistic="auroc") for end in (0, -1))
    says = "says nothing about" if best.high < 0.5 or best.low <= 0.5 else "tells something about"
    first = f"The probability of an answer {says} whether it is right: {visible(names[0])} ranks"
    title = f"{first} a right one above a wrong one {percent(best)} of the time"
    if len(names) > 1:
        title += f", {visible(names[-1])} {percent(worst)}"
    drawn = names if len(names) <= MOST else [*names[: MOST // 2], *names[-MOST // 2 :]]
    return [
        Figure(
            name="probability-of-answer",
            title=title,
            chart=risk_chart({name: known[name].curve for name in drawn}),
            caption="Share wrong among the surest answers, by how many are taken; flat where the probability "
            "says nothing. Log-probability of the whole answer as logged: a longer answer has a lower one, "
            f"and its length in tokens is not in the log.{_picked(len(likely), panel.noun)}",
            table=Table(
                title="Data of this figure",
                columns=(panel.noun, "taken", "share wrong", "low", "high", "questions"),
                rows=tuple(
                    (name, row.parameters["coverage"], row.value, row.low, row.high, row.n)
                    for name in drawn
                    for row in known[name].curve.rows()
                ),
            ),
        )
    ]


def _advice(panel: Panel, found: list[Confidence]) -> tuple[str, ...]:
    """Say from which confidence on answers can be used, or that none will do."""
    if not found:
        return ()
    usable = [one for one in found if one.threshold is not None]
    limit = f"{100 * ALLOWED:.0f} %"
    if usable:
        best = max(usable, key=_taken)
        at = float(best.threshold or 0.0)
        row = best.named.one(statistic="wrong_when_sure", threshold=at)
        taken = best.named.one(statistic="sure", threshold=at)
        none = [one.forecast.system for one in found if one.threshold is None]
        rest = f" For {listed(none, most=3)} no threshold keeps errors under {limit}." if none else ""
        return (
            f"Accept {visible(best.forecast.system)} alone from {100 * at:.0f} % {_word(best)} on: wrong "
            f"{percent(row)} of the time, on {percent(taken)} of its answers.{rest}",
        )
    known = [one for one in found if not one.sure.blank]
    if not known:
        return ()
    worst = max(known, key=lambda one: one.sure.value)
    who = visible(found[0].forecast.system) if len(found) == 1 else f"any of {len(found)} {panel.noun}s"
    return (
        f"Do not accept answers for {_reason(worst)}: no threshold up to {100 * THRESHOLDS[-1]:.0f} "
        f"% is shown to keep {who} under {limit} wrong; {visible(worst.forecast.system)} is wrong "
        f"{percent(worst.sure_named)} of the time at {100 * SURE:.0f} % and more.",
    )


def _reason(one: Confidence) -> str:
    return "being given again and again" if one.forecast.source == AGREEMENT else "being stated confidently"


def _taken(one: Confidence) -> float:
    value = one.false.one(statistic="sure", threshold=float(one.threshold or 0.0))
    return value.low if value.blank else value.value


def _table(panel: Panel, found: list[Confidence], silent: MeasurementTable) -> Table:
    quiet = {str(row.parameters["system"]): row for row in silent.rows()}
    abstains = panel.anchored is not None and bool(panel.anchored.abstained.any())
    rows = []
    for one in sorted(found, key=lambda each: each.forecast.system):
        summary = one.calibration.summary
        ece, null = (summary.one(statistic="ece", null_kind=kind) for kind in ("", "calibrated"))
        rows.append(
            (
                one.forecast.system,
                f"{100 * float(one.forecast.stated.mean()):.0f} %",
                f"{100 * float(one.forecast.right.mean()):.0f} %",
                percent(ece),
                "" if null.blank else f"{100 * null.low:.1f} to {100 * null.high:.1f} %",
                percent(one.sure),
                with_interval(one.order.summary.one(statistic="auroc")),
                "none" if one.threshold is None else f"{100 * one.threshold:.0f} %",
                *([percent(quiet[one.forecast.system])] if abstains else []),
            )
        )
    return Table(
        title="What stated confidence is worth",
        columns=(
            panel.noun,
            "says",
            "is right",
            "calibration error",
            "if calibrated",
            f"wrong at {100 * SURE:.0f} %+",
            "order (AUROC)",
            "usable from",
            *(["wrong, not silent"] if abstains else []),
        ),
        rows=tuple(rows),
        note=f"Usable: at most {100 * ALLOWED:.0f} % wrong above it, with intervals that hold for all of "
        f"{len(THRESHOLDS)} thresholds{' and all systems' * (len(found) > 1)} together."
        + " Wrong, not silent: wrong / (wrong + abstained)."
        * abstains,
    )


def _limits(
    panel: Panel, found: list[Confidence], left_out: int, likely: dict[str, Ranking]
) -> tuple[str, ...]:
    told = []
    if not found and not likely:
        told.append(
            f"No {panel.noun} states a confidence or gives probabilities, and none answers a question three "
            "times: what its confidence is worth cannot be said."
        )
    if left_out:
        told.append(
            f"Confidence: the {LISTED} most and least overconfident of {LISTED + left_out} {panel.noun}s."
        )
    if any("agree" in one.forecast.source for one in found):
        told.append(
            "Where the share of a system's own runs that agree stands for its confidence, agreement is "
            "checked, not what the system says of itself."
        )
    return tuple(told)


def _of(table: MeasurementTable, system: str) -> MeasurementTable:
    return replace(table, parameters={**table.parameters, "system": system})
