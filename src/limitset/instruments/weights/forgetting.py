"""Is an old task forgotten in one jump, or little by little?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import stats

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement

INSTRUMENT: Final = "forgetting"
VERSION: Final = 1
DEGREE: Final = 3
"""Degree of the smooth curve a jump is tested against: it bends twice, as an S does."""
LEAST_RECORDS: Final = 12
"""A cubic, a jump and its size leave six residuals then."""


class Manner(StrEnum):
    """How a loss changed."""

    JUMP = "jump"
    SLOPE = "slope"
    STILL = "no change"
    CANT_TELL = "can't tell"


@dataclass(frozen=True, kw_only=True, eq=False)
class Forgetting:
    """How the loss of an old task changed along training on another.

    Parameters
    ----------
    manner
        By the rule of `forgetting`.
    jump_share
        Largest change within `span` records as a share of the whole change; 1: all at once.
    change
        Loss at the end less loss at the start.
    p_value
        How often a smooth curve with this noise shows as clear a jump, in (0, 1].
    position
        Record from which on the loss is at the far side of the jump.
    curve : (t,)
        The loss at each record.
    """

    manner: Manner
    jump_share: Measurement
    change: Measurement
    p_value: Measurement
    position: int
    curve: Float[np.ndarray, " t"]


def forgetting(
    losses: Float[np.ndarray, "n t"] | Float[np.ndarray, " t"],
    *,
    span: int = 1,
    bar: float = 0.5,
    draws: int = 999,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> Forgetting:
    r"""Tell a jump of an old task's loss from a slope.

    .. math:: J = \max_k \frac{\bar y_{k .. k+s-1} - \bar y_{k-s .. k-1}}
        {\bar y_{T-s .. T-1} - \bar y_{0 .. s-1}}, \qquad F = \max_k \frac{RSS_0 - RSS_k}{RSS_k / (T - 5)}

    with RSS_0 of a cubic in time and RSS_k of the same with a step at record k. *No change* when the
    interval of the whole change holds 0; *jump* when the lower bound of J is above `bar` and F is larger than
    all but ``1 - confidence`` of smooth curves with the same noise; *slope* when the upper bound of J is
    below `bar`; else it *can't tell*.

    Parameters
    ----------
    losses : (n, t) or (t,)
        Loss of each example of the old task, or their mean, at each record along training on another task;
        accuracy does as well. At least 12 records, evenly spaced.
    span
        Records averaged on either side of a jump, 1 or more; a change faster than this is a jump.
    bar
        Share of the change that makes a jump, in (0, 1).
    draws
        Smooth curves drawn for the null, 1 or more.
    confidence
        Coverage of the intervals, in (0, 1).
    rng
        Shuffles residuals, and cuts the examples in halves.

    Returns
    -------
    Forgetting
        With (n, t) the place of the jump is chosen on one half of the examples and its size measured on the
        other, and the intervals are jackknives over examples, of this one training run. With (t,) they come
        from the residuals about the fitted curve; J is of the place where it is largest, which is too large
        by chance, and its interval is wide enough for all places at once.

    Raises
    ------
    InputError
        For too few records, numbers that are not finite, or a number out of range.

    Notes
    -----
    A line of T records has J = s / (T - s): what is a jump depends on how often it was looked. F assumes that
    records vary independently about the curve: where they drag on, or the curve bends more than a cubic, it
    is large without a jump, and J decides. J passes 1 when the loss comes back after the jump. A noisy curve
    alone seldom says more than "can't tell": give losses by example, or a larger `span`.

    References
    ----------
    Andrews (1993), doi:10.2307/2951764 (largest F over change points); Davison and Hinkley (1997),
    doi:10.1017/CBO9780511802843, section 6.3 (resampled residuals); Efron and Tibshirani (1993),
    doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> step, line = np.repeat([0.0, 1.0], 10), np.linspace(0, 1, 20)
    >>> forgetting(step, rng=rng).manner, forgetting(line, rng=rng).manner
    (<Manner.JUMP: 'jump'>, <Manner.SLOPE: 'slope'>)
    >>> round(forgetting(line, rng=rng).jump_share.value, 4)  # 1 / 19
    0.0526
    """
    table = np.atleast_2d(np.asarray(losses, dtype=np.float64))
    records = table.shape[1]
    _check(table, span, bar, draws)
    curve = table.mean(axis=0)
    fit = _Fit.of(records)
    p = fit.p_value(curve, draws, rng)
    if len(table) > 1:
        whole, share, place = _by_examples(table, span, confidence, rng)
        method = "jackknife over examples"
    else:
        noise = fit.residuals(curve) if p <= 1 - confidence else fit.rest(curve)
        whole, share, place = _by_residuals(curve, span, noise, confidence)
        method = "t from residuals about the fitted curve, over all places at once"
    manner = Manner.CANT_TELL
    if whole.low <= 0 <= whole.high:
        manner = Manner.STILL
    elif share.low > bar and p <= 1 - confidence:
        manner = Manner.JUMP
    elif share.high < bar:
        manner = Manner.SLOPE

    def measured(name: str, interval: Interval, how: str) -> Measurement:
        return Measurement(
            instrument=f"{INSTRUMENT}.{name}",
            version=VERSION,
            level=Level.WEIGHTS,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=interval.n,
            blank_reason=interval.blank_reason,
            interval_method=how,
            confidence=confidence,
            parameters={"span": span, "bar": bar, "draws": draws, "records": records},
            notes=("of one training run",),
        )

    chance = Interval(value=p, low=p, high=p, n=float(records))
    return Forgetting(
        manner=manner,
        jump_share=measured("jump_share", share, method),
        change=measured("change", whole, method),
        p_value=measured("p_value", chance, "shuffled residuals"),
        position=place,
        curve=frozen(curve),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """Cubic curves of a number of records, and steps at every place with the cubic taken out."""

    smooth: Float[np.ndarray, "t c"]
    steps: Float[np.ndarray, "k t"]

    @classmethod
    def of(cls, records: int) -> _Fit:
        basis, _ = np.linalg.qr(np.vander(np.linspace(-1, 1, records), DEGREE + 1))
        steps = (np.arange(records) >= np.arange(1, records)[:, None]).astype(np.float64)
        return cls(smooth=basis, steps=_unit(steps - steps @ basis @ basis.T))

    def rest(self, curves: np.ndarray) -> np.ndarray:
        return np.asarray(curves - curves @ self.smooth @ self.smooth.T)

    def residuals(self, curve: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """Return what cubic and best step leave."""
        rest = self.rest(curve)
        best = self.steps[np.square(self.steps @ rest).argmax()]
        return np.asarray(rest - (best @ rest) * best)

    def largest(self, curves: Float[np.ndarray, "b t"]) -> Float[np.ndarray, " b"]:
        """Return F; 0 where the cubic leaves nothing, inf where the step leaves nothing."""
        rest = self.rest(curves)
        total = np.square(rest).sum(axis=1)
        left = total - np.square(rest @ self.steps.T).max(axis=1)
        dust = 1e-24 * np.square(curves).sum(axis=1)
        left = np.where(left <= np.maximum(dust, 1e-13 * total), 0.0, left)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (total - left) / left * (curves.shape[1] - DEGREE - 2)
        return np.where(total <= dust, 0.0, ratio)

    def p_value(self, curve: Float[np.ndarray, " t"], draws: int, rng: np.random.Generator) -> float:
        noise, smooth = self.residuals(curve), curve - self.rest(curve)
        shuffled = rng.permuted(np.tile(noise, (draws, 1)), axis=1)
        found = self.largest(curve[None])[0]
        return float((1 + (self.largest(smooth + shuffled) >= found).sum()) / (1 + draws))


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _moves(table: Float[np.ndarray, "n t"], span: int) -> Float[np.ndarray, "n k"]:
    """Return the change at every place between two stretches of `span` records."""
    sums = np.cumsum(np.pad(table, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, span:] - sums[:, :-span]) / span
    return np.asarray(means[:, span:] - means[:, :-span])


def _wholes(table: Float[np.ndarray, "n t"], span: int) -> Float[np.ndarray, " n"]:
    return np.asarray(table[:, -span:].mean(axis=1) - table[:, :span].mean(axis=1))


def _by_examples(
    table: Float[np.ndarray, "n t"], span: int, confidence: float, rng: np.random.Generator
) -> tuple[Interval, Interval, int]:
    n, moves, wholes = len(table), _moves(table, span), _wholes(table, span)
    sign = np.sign(wholes.sum())
    order = rng.permutation(n)
    halves = order[: n // 2], order[n // 2 :]
    jumps = np.empty(n)
    for half, others in zip(halves, reversed(halves), strict=True):
        jumps[others] = moves[others, (sign * moves[half].sum(axis=0)).argmax()]
    whole = jackknife_interval(float(wholes.mean()), (wholes.sum() - wholes) / (n - 1), confidence=confidence)
    without = wholes.sum() - wholes
    if sign == 0 or (without == 0).any():
        return whole, Interval.blank("the loss does not change"), 0
    share = jackknife_interval(
        float(jumps.sum() / wholes.sum()), (jumps.sum() - jumps) / without, confidence=confidence
    )
    return whole, share, span + int((sign * moves.sum(axis=0)).argmax())


def _by_residuals(
    curve: Float[np.ndarray, " t"], span: int, noise: Float[np.ndarray, " t"], confidence: float
) -> tuple[Interval, Interval, int]:
    degrees = curve.size - DEGREE - 2
    error = float(np.sqrt(np.square(noise).sum() / degrees * 2 / span))
    half = float(stats.t.ppf(0.5 + confidence / 2, degrees)) * error
    value, n = float(_wholes(curve[None], span)[0]), float(curve.size)
    whole = Interval(value=value, low=value - half, high=value + half, n=n)
    if value == 0:
        return whole, Interval.blank("the loss does not change"), 0
    shares = _moves(curve[None], span)[0] / value
    top = float(shares.max())
    # the largest of all places is too large by chance: an interval for each of them (Bonferroni)
    widest = float(stats.t.ppf(1 - (1 - confidence) / 2 / shares.size, degrees)) * error
    wide = widest * float(np.hypot(1, top)) / abs(value)
    return whole, Interval(value=top, low=top - wide, high=top + wide, n=n), span + int(shares.argmax())


def _check(table: np.ndarray, span: int, bar: float, draws: int) -> None:
    if table.shape[1] < max(LEAST_RECORDS, 2 * span) or not np.isfinite(table).all():
        raise InputError.of(
            expected=f"losses (n, t) or (t,) must be finite, {LEAST_RECORDS} records and two spans at least",
            got=f"shape {table.shape}, {int((~np.isfinite(table)).sum())} of them not finite",
            fix="Record the old task's loss more often.",
        )
    if span < 1 or not 0 < bar < 1 or draws < 1:
        raise InputError.of(
            expected="span and draws must be 1 or more and bar in (0, 1)",
            got=f"{span}, {draws} and {bar}",
            fix="Change these.",
        )
