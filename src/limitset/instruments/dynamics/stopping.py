"""When can iteration stop, how much is saved, and what is lost by it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval, upper_bound, wilson
from limitset.core.levels import Level
from limitset.core.paired import change_between
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.verdicts import Verdict, judged

INSTRUMENT: Final = "stopping"
VERSION: Final = 1
THRESHOLDS: Final = (0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)
"""Relative residuals at which an input may halt, about two a decade."""
RIGHT: Final = "right"
SAME_ANSWER: Final = "same answer"
SETTLED: Final = "settled"


@dataclass(frozen=True, kw_only=True, eq=False)
class StoppingRule:
    """One way to stop, chosen on inputs other than those it is judged on.

    Parameters
    ----------
    setting
        The step at which all inputs stop, or the relative residual at which an input halts; residual 0: none
        was admitted, all inputs take the usual steps. The more cautious of the two choices.
    choices
        The settings chosen on either half.
    saving
        1 - mean steps / usual steps, in [0, 1).
    before, after
        Share of inputs that hold (right, same answer, or settled) at the usual steps, and when stopped.
    change
        After less before, paired.
    loses_nothing
        Whether the interval of `change` lies above ``-margin``.
    steps : (n,)
        When each input stopped under the rule that was chosen without it.
    """

    setting: float
    choices: tuple[float, float]
    saving: Measurement
    before: Measurement
    after: Measurement
    change: Measurement
    loses_nothing: Verdict
    steps: Int[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stopping:
    """When to stop, by a common step and by each input's own residual.

    Parameters
    ----------
    fixed
        All inputs stop at one step.
    threshold
        Each input halts at the first step with a residual small enough.
    basis
        What must not be lost: "right", "same answer" (as at the usual steps), or "settled".
    curves
        Share settled for good by each step, and share that holds at it; axes step, curve.
    overthinking
        Change from the best step to the last one, the best chosen on other inputs; blank unless the basis is
        right.
    overthinks
        Whether the interval of `overthinking` lies below ``-margin``.
    arrivals : (n,)
        First step from which an input stays settled to the end of the record; inf for never.
    """

    fixed: StoppingRule
    threshold: StoppingRule
    basis: str
    curves: MeasurementTable
    overthinking: Measurement
    overthinks: Verdict
    arrivals: Float[np.ndarray, " n"]


def stopping(
    residuals: Float[np.ndarray, "n t"],
    rights: Bool[np.ndarray, "n1 t1"] | None,
    *,
    answers: np.ndarray | None = None,
    usual_steps: int,
    tolerance: float = 1e-3,
    thresholds: Sequence[float] = THRESHOLDS,
    margin: float = 0.01,
    confidence: float = 0.95,
    level: Level = Level.HIDDEN,
    rng: np.random.Generator,
) -> Stopping:
    r"""Choose when to stop on one half of the inputs, and measure saving and loss on the other; both ways.

    .. math:: r = \min\{ r : A(s) - A(R) \ge -m/2 \text{ for all } r \le s \le R \}, \qquad
        \varepsilon = \max\{ \varepsilon : A(\varepsilon') - A(R) \ge -m/2
        \text{ for all } \varepsilon' \le \varepsilon \}

    with A the share that holds, R the usual steps and m the margin. Half of the margin is left to the
    measurement, so that a rule that loses nothing can be shown to.

    Parameters
    ----------
    residuals : (n, T)
        Relative residual of each input after steps 1 to T, 0 or more; NaN is overflow.
    rights : (n, T)
        Whether the answer read after each step is right; None without an anchor.
    answers : (n, T)
        Answers compared by equality, used where there is no `rights`: an input holds when its answer is the
        one at the usual steps. With neither, an input holds when it has settled for good.
    usual_steps
        Steps that are taken now, from 1 to T.
    tolerance
        Relative residual at which an input counts as settled, above 0.
    thresholds
        Residuals tried for halting, each above 0.
    margin
        Loss of the share that does not count, in [0, 1).
    confidence
        Coverage of the intervals, in (0, 1).
    level
        Which map was iterated.
    rng
        Cuts the inputs in halves.

    Returns
    -------
    Stopping
        Both rules with saving, loss and verdict; the curves; what going on too long costs.

    Raises
    ------
    InputError
        When shapes differ, a residual is negative, there are fewer than four inputs, or a number is out of
        range.

    Notes
    -----
    The saving of a common step is exact for that step; that of a threshold has an interval over inputs, under
    the rules chosen. Intervals of shares are over inputs, given the two choices. "Holds" needs inputs: with
    no change in n of them the paired interval reaches about 3.8 / n below 0, so a margin of .01 needs about
    400. A residual says that an input has settled, not that it is right; a loop that drifts has a falling
    relative residual and halts nowhere in particular.

    References
    ----------
    Bansal et al. (2022), arXiv:2202.05826 (going on too long); Chernozhukov et al. (2018),
    doi:10.1111/ectj.12097, definition 3.1 (choose on one half, measure on the other, swap);
    Newcombe (1998), doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C, method 10;
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> when = np.arange(400) % 5 + 4  # inputs settle after 4 to 8 steps and are right from then on
    >>> settled = np.arange(1, 21) >= when[:, None]
    >>> got = stopping(np.where(settled, 1e-6, 1.0), settled, usual_steps=20, rng=np.random.default_rng(0))
    >>> got.fixed.setting, round(got.fixed.saving.value, 2), got.fixed.loses_nothing
    (8.0, 0.6, <Verdict.HOLDS: 'holds'>)
    >>> round(got.threshold.saving.value, 2)  # 6 steps on average
    0.7
    """
    shapes = [residuals.shape, *(one.shape for one in (rights, answers) if one is not None)]
    _check(shapes, residuals, usual_steps, margin, (tolerance, *thresholds))
    small = np.nan_to_num(np.asarray(residuals, dtype=np.float64), nan=np.inf)
    arrivals = _arrivals(small <= tolerance)
    record = np.arange(1, small.shape[1] + 1)
    holds, basis = arrivals[:, None] <= record, SETTLED
    if rights is not None:
        holds, basis = np.asarray(rights), RIGHT
    elif answers is not None:
        holds, basis = np.asarray(answers == answers[:, [usual_steps - 1]]), SAME_ANSWER
    n = len(small)
    order = rng.permutation(n)
    halves = order[: n // 2], order[n // 2 :]
    parameters: dict[str, str | float] = {"usual_steps": usual_steps, "margin": margin, "basis": basis}

    def measured(name: str, interval: Interval, method: str) -> Measurement:
        return Measurement(
            instrument=f"{INSTRUMENT}.{name}",
            version=VERSION,
            level=level,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=interval.n,
            blank_reason=interval.blank_reason,
            interval_method=method,
            confidence=confidence,
            parameters=parameters,
        )

    def changed(name: str, first: np.ndarray, then: np.ndarray) -> Measurement:
        interval = change_between(first, then, confidence=confidence)
        return measured(name, interval, "Newcombe, paired, over inputs, chosen on other inputs")

    def ruled(name: str, settings: np.ndarray, stops: Int[np.ndarray, "s n"]) -> StoppingRule:
        """Judge a family of rules, the most cautious last: `stops[s]` are the steps under `settings[s]`."""
        kept = holds[np.arange(n), stops - 1].astype(int) - holds[:, usual_steps - 1]
        picked = [_earliest(kept[:, half].mean(axis=1), margin / 2) for half in halves]
        steps = np.empty(n, dtype=np.int64)
        for choice, others in zip(picked, reversed(halves), strict=True):
            steps[others] = stops[choice, others]
        saving, method = _saving(steps / usual_steps, confidence), "jackknife over inputs, rules given"
        if name == "fixed":
            exact = 1 - float(settings[max(picked)]) / usual_steps
            saving, method = Interval(value=exact, low=exact, high=exact, n=float(n)), "exact for this step"
        first, then = holds[:, usual_steps - 1], holds[np.arange(n), steps - 1]
        change = changed(f"{name}.change", first, then)
        shares = (wilson(int(side.sum()), n, confidence=confidence) for side in (first, then))
        before, after = (
            measured(f"{name}.{when}", share, "Wilson over inputs")
            for when, share in zip(("before", "after"), shares, strict=True)
        )
        return StoppingRule(
            setting=float(settings[max(picked)]),
            choices=(float(settings[picked[0]]), float(settings[picked[1]])),
            saving=measured(f"{name}.saving", saving, method),
            before=before,
            after=after,
            change=change,
            loses_nothing=judged(change, holds_if=-margin, above=True),
            steps=frozen(steps),
        )

    first_steps = np.arange(1, usual_steps + 1)
    levels = np.array([*sorted(set(thresholds), reverse=True), 0.0])
    halts = np.stack([_halts((small[:, :usual_steps] <= one) & (one > 0), usual_steps) for one in levels])
    last, best = holds[:, -1], np.empty(n, dtype=bool)
    for half, others in zip(halves, reversed(halves), strict=True):
        best[others] = holds[others, int(holds[half].mean(axis=0).argmax())]
    overthinking = changed("overthinking", best, last)
    if basis != RIGHT:
        overthinking = measured("overthinking", Interval.blank("no anchor"), "")
    return Stopping(
        fixed=ruled("fixed", first_steps.astype(np.float64), np.repeat(first_steps[:, None], n, axis=1)),
        threshold=ruled("threshold", levels, halts),
        basis=basis,
        curves=_curves(
            arrivals,
            holds,
            basis,
            level=level,
            confidence=confidence,
            parameters={**parameters, "tolerance": tolerance},
        ),
        overthinking=overthinking,
        overthinks=judged(overthinking, holds_if=-margin, above=False),
        arrivals=frozen(arrivals),
    )


def _earliest(kept: Float[np.ndarray, " s"], allowance: float) -> int:
    """Return the first setting from which on, to the most cautious one, no more than `allowance` is lost."""
    lossy = np.flatnonzero(kept < -allowance - 1e-12)
    return int(lossy[-1]) + 1 if lossy.size else 0


def _halts(enough: Bool[np.ndarray, "n r"], usual_steps: int) -> Int[np.ndarray, " n"]:
    return np.where(enough.any(axis=1), enough.argmax(axis=1) + 1, usual_steps)


def _arrivals(settled: Bool[np.ndarray, "n t"]) -> Float[np.ndarray, " n"]:
    # counted from the end: a residual that dips and rises again has not settled
    stretch = np.where(settled.all(axis=1), settled.shape[1], (~settled[:, ::-1]).argmax(axis=1))
    return np.where(stretch > 0, settled.shape[1] - stretch + 1.0, np.inf)


def _saving(parts: Float[np.ndarray, " n"], confidence: float) -> Interval:
    value = 1 - float(parts.mean())
    got = jackknife_interval(value, 1 - (parts.sum() - parts) / (parts.size - 1), confidence=confidence)
    # inputs of a kind that was not seen may save nothing
    unseen = value * upper_bound(parts.size, confidence=(1 + confidence) / 2)
    return Interval(value=value, low=max(min(got.low, value - unseen), 0.0), high=got.high, n=got.n)


def _curves(arrivals: np.ndarray, holds: np.ndarray, basis: str, **shared: Any) -> MeasurementTable:
    n, record = holds.shape
    steps = np.arange(1, record + 1)
    counts = {SETTLED: (arrivals[:, None] <= steps).sum(axis=0), basis: holds.sum(axis=0)}
    intervals = [
        wilson(int(hits), n, confidence=shared["confidence"]) for column in counts.values() for hits in column
    ]
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.curves",
        version=VERSION,
        axes={"step": np.tile(steps, len(counts)), "curve": np.repeat(list(counts), record)},
        interval_method="Wilson over inputs, step by step",
        **columns_of(intervals),
        **shared,
    )


def _check(
    shapes: Sequence[tuple[int, ...]],
    residuals: np.ndarray,
    usual_steps: int,
    margin: float,
    positive: tuple[float, ...],
) -> None:
    if len(set(shapes)) > 1 or len(shapes[0]) != 2 or shapes[0][0] < 4 or shapes[0][1] < 1:
        raise InputError.of(
            expected="residuals (n, T) of four inputs or more, and rights or answers of the same shape",
            got=" and ".join(map(str, shapes)),
            fix="Record every step of every input.",
        )
    if (residuals < 0).any():
        raise InputError.of(
            expected="residuals must be 0 or more", got="one below 0", fix="Give norms, not differences."
        )
    if not 1 <= usual_steps <= shapes[0][1]:
        raise InputError.of(
            expected=f"usual_steps must lie in 1 to {shapes[0][1]}, the steps recorded",
            got=usual_steps,
            fix="Record more steps.",
        )
    if not all(one > 0 for one in positive) or not 0 <= margin < 1:
        raise InputError.of(
            expected="tolerance and thresholds must be above 0 and margin in [0, 1)",
            got=f"{', '.join(map(str, positive))} and {margin}",
            fix="Change these.",
        )
