"""How does the trace of a looped model become a page?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from limitset.charts.loops import loops_chart
from limitset.charts.plane import chosen_orbits, eigenvalues_chart, orbits_chart
from limitset.charts.same_place import same_place_chart
from limitset.charts.settled import settled_chart
from limitset.charts.shown import percent
from limitset.core.results import Measurement, MeasurementTable
from limitset.report.page import Figure, Page, Table
from limitset.report.trace_findings import TraceFindings
from limitset.report.trace_sentences import (
    decisions,
    ends_title,
    headline,
    orbits_title,
    points,
    same_title,
    settled_title,
    spectrum_title,
)
from limitset.report.trace_words import DEFINITIONS, limits

LISTED: Final = 14
"""Inputs that the first screen lists; the study folder has all."""


def trace_page(
    found: TraceFindings,
    *,
    ends: Mapping[str, str],
    keys: Mapping[str, str],
    eigenvalues: Sequence[Mapping[str, Any]],
    scope: str,
    date: str,
    provenance: Mapping[str, str],
) -> Page:
    """Build the page of one looped model.

    Parameters
    ----------
    found
        Every number.
    ends
        Input to the answer it ended on, where there is a readout.
    keys
        Input to its right answer, where there is a key.
    eigenvalues
        Records with item, real, imaginary.
    scope, date, provenance
        What was traced, when, and with what.

    Returns
    -------
    Page
        Settled beside right first; then ends, other ways, eigenvalues, orbits.
    """
    tables = [found.kinds, found.outcomes, found.curves]
    records = [one.record() for one in found.numbers()]
    records += [record for table in tables for record in table.records()]
    records += [] if not found.ways else found.same_place().records()
    return Page(
        title="limitset trace",
        scope=scope,
        date=date,
        headline=headline(found),
        decisions=decisions(found),
        figures=tuple(_figures(found, eigenvalues)),
        tables=(_listed(found, ends, keys),),
        definitions=DEFINITIONS,
        provenance=provenance,
        numbers=tuple(records),
        limits=limits(found),
    )


def _figures(found: TraceFindings, eigenvalues: Sequence[Mapping[str, Any]]) -> list[Figure]:
    n = f"n = {found.inputs} inputs."
    rules = {"usual": found.usual_steps} if found.usual_steps else {}
    if found.stopping is not None and found.stopping.fixed.saving.value > 0:
        rules["stop"] = int(found.stopping.fixed.setting)
    figures = [
        Figure(
            name="settled",
            title=settled_title(found),
            chart=settled_chart(found.curves, rules=rules),
            caption=f"{n} Settled: within {found.tolerance:g} of its limit, relative to the norm of the "
            "state, from that step on; runs that drift never are. Bands: 95 % intervals over inputs.",
            table=_data(found.curves, "Settled and right by step" if found.anchored else "Settled by step"),
        ),
        Figure(
            name="ends",
            title=ends_title(found),
            chart=loops_chart(found.outcomes, x_title="share of inputs"),
            caption=f"{n} One bar a way: {_ways_in_words(found)}. {_kinds_in_words(found)}",
            table=_data(found.outcomes, "How inputs end"),
            shown=(),
        ),
    ]
    if found.ways:
        figures.append(_same_place(found, n))
    if not found.stable.blank:
        figures.append(
            Figure(
                name="eigenvalues",
                title=spectrum_title(found),
                chart=eigenvalues_chart(eigenvalues),
                caption=f"Leading eigenvalues of the Jacobian of one step at the ends of "
                f"{found.stable.n:.0f} inputs that settled on a point (the first of each batch). "
                "Inside the dashed circle a small "
                "error shrinks.",
                table=Table(
                    title="Leading eigenvalues",
                    columns=("input", "real", "imaginary"),
                    rows=tuple((v["item"], v["real"], v["imaginary"]) for v in eigenvalues),
                ),
            )
        )
    orbits = chosen_orbits(_orbits(found))
    if orbits:
        figures.append(_orbits_figure(found, orbits))
    return figures


def _same_place(found: TraceFindings, n: str) -> Figure:
    shares = found.same_place()
    rows = tuple(
        (
            arm,
            percent(way.same_of_settled),
            f"{_count(way.settled)} of {way.settled.n:.0f}",
            _rounded(way.alignment.value),
            _rounded(way.residual.value) if math.isfinite(way.residual.value) else "not at rest",
            _rounded(way.norm_ratio.value),
            points(way.right_change) if found.anchored else "no anchor",
        )
        for arm, way in found.ways.items()
    )
    columns = (
        "way",
        "same place, of settled both ways",
        "settled both ways",
        "alignment",
        "relative step at the ends",
        "length, other over own",
        "right, change",
    )
    return Figure(
        name="same-place",
        title=same_title(found),
        chart=same_place_chart(shares),
        caption=f"{n} Drawn: of all inputs, how many end in the same place, and how many are right by "
        "this way; an "
        "input that fails to settle on either of the two ways counts as not the same. Another solver "
        "is tried "
        "where the own way has settled on a point. Alignment alone misleads: states that grow without bound "
        "align too, so the last step and the length stand beside it.",
        table=_data(shares, "Same place and right there"),
        shown=(Table(title="Every other way", columns=columns, rows=rows),),
    )


def _orbits(found: TraceFindings) -> list[dict[str, Any]]:
    columns = found.own.columns
    words = {1.0: "right", 0.0: "wrong"}
    return [
        {
            "item": columns["item"][row],
            "arm": columns["arm"][row],
            "verdict": words.get(float(columns["right"][row]), "no anchor"),
            "x": columns["path_x"][row],
            "y": columns["path_y"][row],
        }
        for row in range(len(found.own))
        if columns["path_x"][row] is not None
    ]


def _orbits_figure(found: TraceFindings, orbits: Sequence[Mapping[str, Any]]) -> Figure:
    rows = tuple(
        (one["item"], step, x, y)
        for one in orbits
        for step, (x, y) in enumerate(zip(one["x"], one["y"], strict=True))
    )
    return Figure(
        name="orbits",
        title=orbits_title(len(orbits)),
        chart=orbits_chart(orbits),
        caption=f"{len(orbits)} of {found.inputs} inputs, the first right and the first wrong ones; hollow "
        "mark: start, full mark: end. Two directions of many: ends that look like one may be several.",
        table=Table(title="Drawn states", columns=("input", "place", "x", "y"), rows=rows),
    )


def _listed(found: TraceFindings, ends: Mapping[str, str], keys: Mapping[str, str]) -> Table:
    own = found.own
    right, settled = own.numbers("right"), own.settled
    if found.anchored and (settled & (right == 0)).any():
        chosen, title = np.flatnonzero(settled & (right == 0)), "Settled and wrong"
        note = f"{min(chosen.size, LISTED)} of {chosen.size} shown; the study folder has all."
    elif (~settled).any():
        chosen, title = np.flatnonzero(~settled), "Not settled"
        note = f"{min(chosen.size, LISTED)} of {chosen.size} shown; the study folder has all."
    else:
        order = np.argsort(-own.numbers("arrival"), kind="stable")
        chosen, title, note = order, "The slowest to settle", ""
    rows = tuple(
        (
            own.columns["item"][row],
            *((ends.get(str(own.columns["item"][row])) or "",) if ends else ()),
            *((keys.get(str(own.columns["item"][row])) or "",) if found.anchored else ()),
            own.columns["kind"][row] + (f" ({own.columns['note'][row]})" if own.columns["note"][row] else ""),
            float(own.numbers("arrival")[row]),
        )
        for row in chosen[:LISTED]
    )
    answered = ("ends on",) if ends else ()
    columns = ("input", *answered, *(("right answer",) if found.anchored else ()), "kind", "settled by")
    return Table(title=title, columns=columns, rows=rows, note=note)


def _data(table: MeasurementTable, title: str) -> Table:
    rows = tuple(
        (*(str(one.parameters[axis]) for axis in table.axes), percent(one), one.n) for one in table.rows()
    )
    return Table(title=title, columns=(*table.axes, "share", "n"), rows=rows)


def _ways_in_words(found: TraceFindings) -> str:
    own = "the model from its own start"
    told = {
        "swapped start": "the same input from where another input ended",
        "damped steps": "every step taken half",
        "swapped solver": "fixed points found by another algorithm (Broyden)",
    }
    return "; ".join([own, *(told.get(arm, arm) for arm in found.ways)])


def _kinds_in_words(found: TraceFindings) -> str:
    kinds = [
        f"{one.parameters['kind']} {percent(one).split(' [')[0]}"
        for one in found.kinds.rows()
        if one.parameters["arm"] == found.own.columns["arm"][0]
    ]
    return f"Kinds of ends from the own start: {', '.join(kinds)}."


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _count(share: Measurement) -> int:
    return round(share.value * share.n)
