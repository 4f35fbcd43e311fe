"""What does a looped model give when it is stopped where it usually stops?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limitset.core.intervals import Interval, wilson
from limitset.core.levels import Level
from limitset.core.paired import change_between
from limitset.core.results import Measurement
from limitset.report.trace_tables import TraceRows, stacked_lists


@dataclass(frozen=True, kw_only=True, eq=False)
class AsUsed:
    """A model at its usual number of steps.

    Parameters
    ----------
    steps
        That number.
    settled
        Share of inputs that have settled by then.
    right
        Share that is right then; blank without an anchor.
    still
        Share whose relative step is then below the tolerance: what a running model can see of itself.
    wrong_still, wrong_moving
        Wrong share of either; blank without an anchor or without such an input.
    moving, moving_right
        How many inputs still move then, and how many of these are right.
    gain, best_step
        Right share at the best earlier step less that at the usual one, the step chosen on other inputs; and
        the best step over all inputs. Blank and 0 without an anchor or with fewer than 8 inputs.
    """

    steps: int
    settled: Measurement
    right: Measurement
    still: Measurement
    wrong_still: Measurement
    wrong_moving: Measurement
    moving: int
    moving_right: int
    gain: Measurement
    best_step: int

    def numbers(self) -> list[Measurement]:
        """Return every number."""
        return [self.settled, self.right, self.still, self.wrong_still, self.wrong_moving, self.gain]


def as_used(own: TraceRows, steps: int, *, anchored: bool, tolerance: float, seed: int) -> AsUsed | None:
    """Read the model at its usual number of steps; None where it does not say how many these are.

    Parameters
    ----------
    own
        Rows of the own start.
    steps
        The usual number, 0 for none.
    anchored
        Whether there is a key.
    tolerance
        Relative step below which an input counts as still.
    seed
        Cuts the inputs in halves where a step is chosen.
    """
    if not steps:
        return None
    n = float(len(own))
    arrival = np.where(own.settled, own.numbers("arrival"), np.inf)
    last_step = stacked_lists(own.columns["residuals"], steps)[:, steps - 1]
    still = np.nan_to_num(last_step, nan=np.inf) <= tolerance
    blank = Interval.blank("no anchor")
    right, wrong_still, wrong_moving, gain, best = blank, blank, blank, blank, 0
    moving_right = 0
    if anchored:
        rights = stacked_lists(own.columns["rights"], steps + 1) == 1
        now = rights[:, steps]
        right = wilson(float(now.sum()), n)
        wrong_still, wrong_moving = _wrong(now, still), _wrong(now, ~still)
        moving_right = int((now & ~still).sum())
        gain, best = _gain(rights[:, 1:], seed)

    def measured(name: str, interval: Interval, method: str = "Wilson") -> Measurement:
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
            parameters={"steps": steps, "tolerance": tolerance},
        )

    return AsUsed(
        steps=steps,
        settled=measured("settled by the usual step", wilson(float((arrival <= steps).sum()), n)),
        right=measured("right at the usual step", right),
        still=measured("still at the usual step", wilson(float(still.sum()), n)),
        wrong_still=measured("wrong when still", wrong_still),
        wrong_moving=measured("wrong when moving", wrong_moving),
        moving=int((~still).sum()),
        moving_right=moving_right,
        gain=measured("gain of the best earlier step", gain, "Newcombe, paired, chosen on other inputs"),
        best_step=best,
    )


def _wrong(right: np.ndarray, among: np.ndarray) -> Interval:
    if not among.any():
        return Interval.blank("no such input")
    return wilson(float((~right & among).sum()), float(among.sum()))


def _gain(rights: np.ndarray, seed: int) -> tuple[Interval, int]:
    """Choose the best step on either half, judge it on the other, and pair it with the usual step."""
    if len(rights) < 8:
        return Interval.blank("fewer than 8 inputs"), 0
    order = np.random.default_rng(seed).permutation(len(rights))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    at_best = np.empty(len(rights), dtype=bool)
    for half, others in zip(halves, reversed(halves), strict=True):
        at_best[others] = rights[others, int(rights[half].mean(axis=0).argmax())]
    return change_between(rights[:, -1], at_best), 1 + int(rights.mean(axis=0).argmax())
