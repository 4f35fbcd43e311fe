"""What do the rows of a trace say: settled, same, right?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from limitset.charts.same_place import RIGHT_THERE, SAME
from limitset.core.columns import plain
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, wilson
from limitset.core.levels import Level
from limitset.core.limit_sets import LimitKind
from limitset.core.other_ways import PathIndependence
from limitset.core.paired import change_between
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.traces import OWN
from limitset.core.undefined import NEVER
from limitset.instruments.dynamics.path_independence import path_independence
from limitset.instruments.dynamics.stopping import Stopping, stopping
from limitset.instruments.dynamics.template_or_iteration import TemplateOrIteration, template_or_iteration
from limitset.report.trace_tables import (
    TraceRows,
    curves_of,
    kinds_of,
    outcomes_of,
    rows_by_arm,
    stacked_lists,
)
from limitset.report.trace_usual import AsUsed, as_used

MOST: Final = 0.95
"""The step by which the model "has settled": by it so many of the inputs that settle at all have."""
MOSTLY_LOST: Final = 0.5
"""Where more inputs than this diverge, nothing is said of iterating or replaying."""
LEAST_INPUTS: Final = 8
"""Fewer inputs than this are not cut in halves to choose a step."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TraceFindings:
    """Everything the page of one looped model says.

    Parameters
    ----------
    name, inputs, steps, usual_steps, tolerance, anchored
        What was traced and how far; `usual_steps` 0 where the model does not say.
    own
        The rows of the model run as it is used.
    settled, settled_by, by_step
        Share settled at all; share settled by `by_step`, the step by which most that settle have.
    wrong_settled, wrong_unsettled
        Wrong share of either; blank without an anchor.
    kinds
        Axes arm, kind: shares of inputs.
    outcomes
        Axes system, loop, outcome: the bars of the page.
    curves
        Axes step, curve: settled, right, settled and wrong.
    used
        The model at its usual steps; None where it does not say how many these are.
    stopping
        None where the usual number of steps is not known or inputs are too few.
    beyond
        Change of accuracy from the usual steps to the last ones; None where it cannot be had.
    ways
        Name of another way to what it shows.
    origin
        Template or iteration; None where no other way was tried.
    radius, stable
        Median spectral radius at the ends looked at, and the share of them surely below 1.
    """

    name: str
    inputs: int
    steps: int
    usual_steps: int
    tolerance: float
    anchored: bool
    own: TraceRows
    settled: Measurement
    settled_by: Measurement
    by_step: float
    wrong_settled: Measurement
    wrong_unsettled: Measurement
    kinds: MeasurementTable
    outcomes: MeasurementTable
    curves: MeasurementTable
    used: AsUsed | None
    stopping: Stopping | None
    beyond: Measurement | None
    ways: Mapping[str, PathIndependence]
    origin: TemplateOrIteration | None
    radius: Measurement
    stable: Measurement

    def numbers(self) -> list[Measurement]:
        """Return every number that stands alone."""
        found = [self.settled, self.settled_by, self.wrong_settled, self.wrong_unsettled]
        found += [] if self.used is None else self.used.numbers()
        if self.stopping is not None:
            for rule in (self.stopping.fixed, self.stopping.threshold):
                found += [rule.saving, rule.before, rule.after, rule.change]
            found.append(self.stopping.overthinking)
        found += [] if self.beyond is None else [self.beyond]
        for way in self.ways.values():
            found += [way.same, way.same_of_settled, way.settled, way.alignment, way.residual]
            found += [way.norm_ratio, way.right_before, way.right_after, way.right_change]
        return [*found, self.radius, self.stable]

    def same_place(self) -> MeasurementTable:
        """Return the shares of the ways as a table: axes arm, share."""
        pairs = [(arm, SAME, way.same) for arm, way in self.ways.items()]
        if self.anchored:
            pairs = [
                p
                for arm, way in self.ways.items()
                for p in ((arm, SAME, way.same), (arm, RIGHT_THERE, way.right_after))
            ]
        return MeasurementTable(
            instrument="path_independence",
            version=1,
            level=Level.HIDDEN,
            axes={
                "arm": np.array([arm for arm, _, _ in pairs], dtype=object),
                "share": np.array([share for _, share, _ in pairs], dtype=object),
            },
            value=np.array([one.value for _, _, one in pairs], dtype=np.float64),
            low=[one.low for _, _, one in pairs],
            high=[one.high for _, _, one in pairs],
            n=[one.n for _, _, one in pairs],
            blank_reason=[one.blank_reason for _, _, one in pairs],
            interval_method="Wilson",
        )


def trace_findings(
    traces: Mapping[str, Any], *, loop: Mapping[str, Any], tolerance: float, seed: int
) -> TraceFindings:
    """Measure the rows of one trace.

    Parameters
    ----------
    traces
        Columns `core.traces.TRACE_KINDS`.
    loop
        What the lock of the study says of the loop.
    tolerance
        Distance to the limit, relative to its norm, that counts as none.
    seed
        Cuts the inputs in halves where a step is chosen.

    Returns
    -------
    TraceFindings
        Every number of the page.

    Raises
    ------
    InputError
        When there is no row of the model's own way.

    References
    ----------
    As the instruments that it calls.

    Examples
    --------
    >>> trace_findings({"arm": np.array([], dtype=object)}, loop={}, tolerance=1e-3, seed=0)
    Traceback (most recent call last):
    limitset.core.errors.InputError: a trace must have rows of its own start; got none. Run it again.
    """
    arms = rows_by_arm({name: plain(column) for name, column in traces.items()})
    if OWN not in arms:
        raise InputError.of(
            expected="a trace must have rows of its own start", got="none", fix="Run it again."
        )
    own = arms[OWN]
    steps, usual = int(loop["steps"]), int(loop["usual_steps"])
    anchored = bool(loop["anchored"])
    settled = own.settled
    wrong = own.numbers("right") == 0
    by_step = _by_step(own)
    arrived = settled & (own.numbers("arrival") <= by_step)
    measured = _measured(steps=steps, tolerance=tolerance)
    ways = {
        arm: _way(own.of_items(rows), rows, anchored, tolerance) for arm, rows in arms.items() if arm != OWN
    }
    beyond = _beyond(own, usual, steps, measured) if anchored else None
    stop = _stopping(own, usual, anchored, tolerance, seed)
    return TraceFindings(
        name=str(loop["name"]),
        inputs=len(own),
        steps=steps,
        usual_steps=usual,
        tolerance=tolerance,
        anchored=anchored,
        own=own,
        settled=measured("settled", wilson(float(settled.sum()), float(len(own)))),
        settled_by=measured(
            "settled by step", wilson(float(arrived.sum()), float(len(own))), step=float(by_step)
        ),
        by_step=by_step,
        wrong_settled=measured("wrong when settled", _share(wrong, settled, anchored)),
        wrong_unsettled=measured("wrong when not settled", _share(wrong, ~settled, anchored)),
        kinds=kinds_of(arms),
        outcomes=outcomes_of(arms, str(loop["name"]), anchored),
        curves=curves_of(own, steps, anchored, usual),
        used=as_used(own, usual, anchored=anchored, tolerance=tolerance, seed=seed),
        stopping=stop,
        beyond=beyond,
        ways=ways,
        origin=_origin(own, ways, beyond),
        **_spectrum(own, measured),
    )


def _origin(
    own: TraceRows, ways: Mapping[str, PathIndependence], beyond: Measurement | None
) -> TemplateOrIteration | None:
    """Ask for template or iteration, unless most inputs run away: then no way leads anywhere."""
    if not ways or (own.columns["kind"] == LimitKind.DIVERGED).mean() > MOSTLY_LOST:
        return None
    return template_or_iteration(list(ways.values()), beyond=beyond)


def _by_step(own: TraceRows) -> float:
    arrivals = np.sort(own.numbers("arrival")[own.settled])
    return float(arrivals[math.ceil(MOST * arrivals.size) - 1]) if arrivals.size else NEVER


def _measured(**parameters: float) -> Any:
    def build(name: str, interval: Interval, method: str = "Wilson", **more: float) -> Measurement:
        return Measurement(
            instrument=name,
            version=1,
            level=Level.HIDDEN,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=interval.n,
            interval_method=method,
            blank_reason=interval.blank_reason,
            parameters={**parameters, **{k: v for k, v in more.items() if math.isfinite(v)}},
        )

    return build


def _share(holds: np.ndarray, among: np.ndarray, anchored: bool) -> Interval:
    if not anchored:
        return Interval.blank("no anchor")
    if not among.any():
        return Interval.blank("no such input")
    return wilson(float((holds & among).sum()), float(among.sum()))


def _way(own: TraceRows, other: TraceRows, anchored: bool, tolerance: float) -> PathIndependence:
    """Compare two ways by lengths and angles alone: they are all the instrument looks at."""
    length, reach = own.numbers("norm"), own.numbers("reach")
    other_length, cosine = other.numbers("norm"), other.numbers("cosine")
    # the other end in the plane of both: along the own end, and across it
    with np.errstate(invalid="ignore"):
        along = other_length * np.nan_to_num(cosine, nan=1.0)
        across = np.sqrt(np.maximum(other_length**2 - along**2, 0.0))
        # an end at the origin has no length of its own: it is measured by the way it has come
        vanished = own.settled & (length <= tolerance * reach)
        along = np.where(vanished, along - length + reach, along)
        length = np.where(vanished, reach, length)
    right = {}
    if anchored:
        right = {"right_own": own.numbers("right") == 1, "right_other": other.numbers("right") == 1}
    return path_independence(
        np.stack([length, np.zeros_like(length)], axis=1),
        np.stack([along, across], axis=1),
        # an end that has not settled is at rest for nobody, however small its last step
        residual_own=_at_rest(own),
        residual_other=_at_rest(other),
        tolerance=10 * tolerance,
        residual_tolerance=tolerance,
        arm=str(other.columns["arm"][0]),
        **right,
    )


def _at_rest(rows: TraceRows) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.where(rows.settled, rows.numbers("residual") * rows.numbers("norm"), np.nan)


def _stopping(own: TraceRows, usual: int, anchored: bool, tolerance: float, seed: int) -> Stopping | None:
    if not usual or len(own) < LEAST_INPUTS:
        return None
    longest = max((len(one) for one in own.columns["residuals"] if one is not None), default=0)
    steps = max(longest, usual)
    residuals = stacked_lists(own.columns["residuals"], steps)
    # a run that stopped on a point or left for ever is known from there on
    residuals[own.columns["kind"] == LimitKind.DIVERGED] = np.nan
    rights = None
    if anchored:
        rights = stacked_lists(own.columns["rights"], steps + 1)[:, 1:] == 1
    return stopping(
        residuals, rights, usual_steps=usual, tolerance=tolerance, rng=np.random.default_rng(seed)
    )


def _beyond(own: TraceRows, usual: int, steps: int, measured: Any) -> Measurement | None:
    if not usual or usual >= steps:
        return None
    rights = stacked_lists(own.columns["rights"], steps + 1) == 1
    before, after = rights[:, usual], rights[:, steps]
    change = change_between(before, after)
    found: Measurement = measured(
        "change beyond the usual steps", change, "Newcombe, paired", usual=float(usual), last=float(steps)
    )
    return found


def _spectrum(own: TraceRows, measured: Any) -> dict[str, Measurement]:
    radius, error = own.numbers("radius"), own.numbers("radius_error")
    known = ~np.isnan(radius)
    if not known.any():
        blank = Interval.blank(
            "no end was looked at: none settled on a point, or torch cannot follow the step"
        )
        return {"radius": measured("spectral radius", blank), "stable": measured("stable ends", blank)}
    surely = (radius + error)[known] < 1
    values = np.sort(radius[known])
    middle = Interval(
        value=float(np.median(values)), low=float(values[0]), high=float(values[-1]), n=float(known.sum())
    )
    return {
        "radius": measured("spectral radius (median; least and largest)", middle, "least and largest"),
        "stable": measured("stable ends", wilson(float(surely.sum()), float(known.sum()))),
    }
