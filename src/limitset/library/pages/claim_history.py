"""What did every run of a claim say, and what curve lies behind the newest?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from limitset.charts.claim_curve import CurveAxes, claim_curve_chart
from limitset.charts.dispatch import axes_among, chart_of
from limitset.charts.verdict_history import MOST, verdict_history_chart
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.library.holdings.records import Effect, Verdict
from limitset.library.pages.curve_words import column_words, curve_title, value_title
from limitset.library.pages.numbers import cell_of, level_words, measured, without_hashes
from limitset.library.pages.wording import bar_of, counted, finite, listed, readable
from limitset.report.page import Figure, Table

_OF_EVERY_ROW: Final = frozenset(
    {"instrument", "version", "level", "value", "low", "high", "interval_method", "confidence"}
    | {"null_kind", "n", "blank_reason", "notes"}
)


def history_figure(history: Sequence[Verdict], newest: Verdict | None) -> Figure | None:
    """Return one interval a run, here and on the user's systems; None where there is but one."""
    of = newest or (history[-1] if history else None)
    if of is None or len(history) < 2:
        return None
    statistic = of.effect.statistic
    runs = [(one, _effect(one, statistic)) for one in sorted(history, key=lambda one: one.date, reverse=True)]
    records = [_record(verdict, effect) for verdict, effect in runs if effect is not None]
    if len(records) < 2:
        return None
    return Figure(
        name="history",
        title=_title(history),
        chart=verdict_history_chart(records),
        caption=f"{of.effect.words[:1].upper()}{of.effect.words[1:]}, one interval a run, newest on top. "
        f"{counted(len(records), 'run')}"
        f"{f', the newest {MOST} drawn' if len(records) > MOST else ''}. {level_words(of)}. "
        "Filled: this library's own systems; "
        "hollow: yours. Circle: holds, square: fails, diamond: can't tell.",
        table=Table(
            title="Data of this figure",
            columns=("run on", "system", "whose", "value", "low", "high", "says"),
            rows=tuple(
                (
                    verdict.date.isoformat(),
                    verdict.system,
                    _whose(verdict),
                    effect.value,
                    effect.low,
                    effect.high,
                    verdict.value,
                )
                for verdict, effect in runs
                if effect is not None
            ),
        ),
    )


def history_table(history: Sequence[Verdict]) -> Table | None:
    """Return every verdict on a claim, newest first."""
    if not history:
        return None
    rows = tuple(
        (
            readable(one.date),
            one.value,
            without_hashes(one.system),
            _whose(one),
            measured(one.effect),
            one.run.tier,
            one.run.command,
            one.id,
        )
        for one in sorted(history, key=lambda one: one.date, reverse=True)
    )
    columns = ("run on", "says", "system", "whose", "value", "tier", "command", "verdict")
    return Table(title=f"Every run: {counted(len(rows), 'verdict')}", columns=columns, rows=rows)


def curve_figure(verdict: Verdict | None) -> Figure | None:
    """Return the curve behind a verdict; None where it has none."""
    if verdict is None or len(verdict.curve) < 2:
        return None
    rows: list[dict[str, Any]] = [
        {name: finite(row.get(name)) for name in ("value", "low", "high", "n")} for row in verdict.curve
    ]
    varying = [
        name
        for name in dict.fromkeys(name for row in verdict.curve for name in row if name not in _OF_EVERY_ROW)
        if len({str(row.get(name)) for row in verdict.curve}) > 1
    ]
    axes = _axes(verdict, varying)
    if axes is None:
        return None
    for row, given in zip(rows, verdict.curve, strict=True):
        row["across"] = given.get(axes.across)
        row["line"] = ", ".join(str(given.get(name, "")) for name in axes.lines)
    instrument = str(verdict.curve[0].get("instrument", "value"))
    columns = (*varying, "value", "low", "high", "n")
    return Figure(
        name="curve",
        title=curve_title(instrument, axes.across, axes.lines),
        chart=_own_chart(verdict, varying) or claim_curve_chart(rows, axes, measured=value_title(instrument)),
        caption=f"Run {verdict.claim}, {readable(verdict.date)}: {without_hashes(verdict.system)}. "
        f"Bands: {_levels(verdict)} intervals.",
        table=Table(
            title="Data of this figure",
            columns=tuple(map(column_words, columns)),
            rows=tuple(tuple(cell_of(row.get(name)) for name in columns) for row in verdict.curve),
        ),
    )


def _own_chart(verdict: Verdict, varying: Sequence[str]) -> Any:
    """Return the chart that the instrument has of its own, None where it has none."""
    first = verdict.curve[0]
    axes = axes_among([name for name in first if name not in _OF_EVERY_ROW], varying)
    if axes is None:
        return None

    def column(name: str) -> list[float]:
        known = (finite(row.get(name)) for row in verdict.curve)
        return [math.nan if one is None else one for one in known]

    table = MeasurementTable(
        instrument=str(first["instrument"]),
        version=int(first["version"]),
        level=Level(first["level"]),
        axes={name: np.array([row[name] for row in verdict.curve]) for name in axes},
        value=np.array(column("value")),
        low=column("low"),
        high=column("high"),
        n=column("n"),
        null_kind=[str(row.get("null_kind", "")) for row in verdict.curve],
        blank_reason=[str(row.get("blank_reason") or "") for row in verdict.curve],
    )
    return chart_of(table)


def _axes(verdict: Verdict, varying: Sequence[str]) -> CurveAxes | None:
    def numeric(name: str) -> bool:
        return all(finite(row.get(name)) is not None for row in verdict.curve)

    if not varying:
        return None
    steps = {name: len({row.get(name) for row in verdict.curve}) for name in varying if numeric(name)}
    across = max(steps, key=lambda name: steps[name]) if steps else varying[-1]
    return CurveAxes(
        across=across,
        lines=tuple(name for name in varying if name != across),
        numeric=bool(steps),
        words=column_words(across),
    )


def _record(verdict: Verdict, effect: Effect) -> dict[str, Any]:
    return {
        "words": effect.words,
        "when": readable(verdict.date),
        "system": without_hashes(verdict.system),
        "whose": _whose(verdict),
        "value": finite(effect.value),
        "low": finite(effect.low),
        "high": finite(effect.high),
        "shown": measured(effect),
        "verdict": verdict.value,
        "holds": bar_of(effect.holds_if),
        "fails": bar_of(effect.fails_if),
    }


def _title(history: Sequence[Verdict]) -> str:
    own = {one.value for one in history if one.own}
    yours = {one.value for one in history if not one.own}
    here = (
        f"Here every run says: {own.pop()}" if len(own) == 1 else f"Here runs differ: {listed(sorted(own))}"
    )
    if not yours:
        return here
    there = f"on your systems: {listed(sorted(yours))}"
    return f"{here}; {there}" if any(one.own for one in history) else f"{there[:1].upper()}{there[1:]}"


def _effect(verdict: Verdict, statistic: str) -> Effect | None:
    return next((one for one in verdict.effects if one.statistic == statistic), None)


def _whose(verdict: Verdict) -> str:
    return "here" if verdict.own else "yours"


def _levels(verdict: Verdict) -> str:
    levels = sorted({float(row["confidence"]) for row in verdict.curve if finite(row.get("confidence"))})
    return " and ".join(f"{100 * one:.4g} %" for one in levels) or "95 %"
