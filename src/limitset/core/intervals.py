"""How sure is a number that was averaged over questions?

Questions are the units that are left out or resampled: runs of one question are not independent of each
other, so leaving out runs would promise more than is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.undefined import UNDEFINED


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with its interval; NaN ends where none can be given."""

    value: float
    low: float
    high: float
    n: float
    """Effective number of units behind it."""
    blank_reason: str = ""
    """Why the value is NaN; "" where it is not."""

    @classmethod
    def blank(cls, reason: str) -> Interval:
        """Return an interval that says nothing, and why."""
        return cls(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=UNDEFINED, blank_reason=reason)


LEAST_CARRIERS: Final = 5.0
"""A share is blanked when fewer questions than this carry its smaller side: below it the jackknife interval
no longer covers (measured; see docs/coverage.md)."""
EITHER_SIDE: Final = 20.0
"""From this many questions on, no share is missed by upper and lower bounds more than 5 % of the time."""


def effective_number(weights: Float[np.ndarray, " q"]) -> float:
    """Return (sum w)^2 / sum w^2: how many equal units weigh as much as these.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (effective sample size, design effect).

    Examples
    --------
    >>> effective_number(np.array([1.0, 1.0, 1.0, 0.0]))
    3.0
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def logit_jackknife(
    part: Float[np.ndarray, " q"],
    rest: Float[np.ndarray, " other"],
    *,
    confidence: float = 0.95,
    degrees: float | None = None,
) -> Interval:
    """Interval of a ratio ``sum(part) / sum(part + rest)`` by leaving out one question at a time.

    The jackknife runs on the logit scale, where the ratio is closer to normal, and uses a t quantile with
    as many degrees of freedom as there are questions that carry `part`, less one.

    Parameters
    ----------
    part, rest : (q,)
        Mass of each question that counts and that does not, 0 or more.
    confidence
        Coverage aimed at, in (0, 1).
    degrees
        Degrees of freedom; default: effective number of questions in `part` - 1, at least 1.

    Returns
    -------
    Interval
        In [0, 1]; NaN value when there is no mass, NaN ends when one question holds all of `part` or of
        `rest`.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> got = logit_jackknife(np.array([0.2, 0.3, 0.1, 0.4] * 20), np.array([0.8, 0.7, 0.9, 0.6] * 20))
    >>> round(got.value, 3), got.low < 0.25 < got.high
    (0.25, True)
    """
    same_questions(part, rest)
    total, other = float(part.sum()), float(rest.sum())
    effective = effective_number(part)
    if total + other <= 0:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0)
    value = total / (total + other)
    left, right = total - part, other - rest
    # a relative guard: subtracting the only carrier leaves rounding dust, not mass
    if part.size < 2 or (left <= 1e-12 * total).any() or (right <= 1e-12 * other).any() or not total * other:
        return Interval(value=value, low=UNDEFINED, high=UNDEFINED, n=effective)
    spread = jackknife_error(np.log(left / right))
    quantile = stats.t.ppf(0.5 + confidence / 2, max(effective - 1.0 if degrees is None else degrees, 1.0))
    centre = np.log(total / other)
    low, high = (1 / (1 + np.exp(-(centre + sign * quantile * spread))) for sign in (-1, 1))
    return Interval(value=value, low=float(low), high=float(high), n=effective)


def log_ratio_jackknife(
    numerator: Float[np.ndarray, " q"], denominator: Float[np.ndarray, " other"], *, confidence: float = 0.95
) -> Interval:
    """Interval of ``sum(numerator) / sum(denominator)``, a ratio that may pass 1, on the log scale.

    Parameters
    ----------
    numerator, denominator : (q,)
        Mass of each question, 0 or more.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        In [0, inf); NaN value when the denominator has no mass.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> got = log_ratio_jackknife(np.array([1.0, 2.0, 1.5] * 9), np.array([2.0, 3.0, 3.1] * 9))
    >>> round(got.value, 3)
    0.556
    """
    same_questions(numerator, denominator)
    top, bottom = float(numerator.sum()), float(denominator.sum())
    effective = effective_number(numerator)
    if bottom <= 0:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0)
    value = top / bottom
    left, right = top - numerator, bottom - denominator
    if numerator.size < 2 or top <= 0 or (left <= 1e-12 * top).any() or (right <= 1e-12 * bottom).any():
        return Interval(value=value, low=UNDEFINED, high=UNDEFINED, n=effective)
    spread = jackknife_error(np.log(left / right))
    quantile = stats.t.ppf(0.5 + confidence / 2, max(effective - 1.0, 1.0))
    low, high = (value * np.exp(sign * quantile * spread) for sign in (-1, 1))
    return Interval(value=value, low=float(low), high=float(high), n=effective)


def jackknife_interval(
    whole: float, leave_one_out: Float[np.ndarray, " q"], *, confidence: float = 0.95
) -> Interval:
    """Interval of any smooth statistic from its values with one question left out.

    Parameters
    ----------
    whole
        The statistic on all questions.
    leave_one_out : (q,)
        The statistic without question q; NaN where it does not exist without it.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        Symmetric about `whole`; NaN ends with fewer than two questions or where a value is NaN.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> got = jackknife_interval(x.mean(), (x.sum() - x) / 3)
    >>> float(round((got.high - got.low) / 2 / stats.t.ppf(0.975, 3), 4))  # s / sqrt(n)
    0.6455
    """
    n = leave_one_out.size
    if n < 2 or np.isnan(leave_one_out).any():
        return Interval(value=whole, low=UNDEFINED, high=UNDEFINED, n=float(n))
    half = stats.t.ppf(0.5 + confidence / 2, n - 1) * jackknife_error(leave_one_out)
    return Interval(value=whole, low=float(whole - half), high=float(whole + half), n=float(n))


def jackknife_error(leave_one_out: Float[np.ndarray, " q"]) -> float:
    """Return the jackknife standard error of values with one unit left out."""
    n = leave_one_out.size
    return float(np.sqrt((n - 1) / n * np.square(leave_one_out - leave_one_out.mean()).sum()))


def upper_bound(n: float, *, confidence: float = 0.95) -> float:
    """Upper bound of a share when no event was seen in n units (about 3 / n).

    Returns
    -------
    float
        In (0, 1]; 1 when n is 0.

    References
    ----------
    Hanley and Lippman-Hand (1983), If nothing goes wrong, is everything all right?,
    doi:10.1001/jama.1983.03330370053031.

    Examples
    --------
    >>> round(upper_bound(100), 4)
    0.0295
    """
    return 1.0 if n <= 0 else float(1 - (1 - confidence) ** (1 / n))


def share_or_bound(
    part: Float[np.ndarray, " q"],
    rest: Float[np.ndarray, " other"],
    *,
    confidence: float = 0.95,
    anchor_error: float = 0.0,
) -> Interval:
    """Interval of ``sum(part) / sum(part + rest)``, or one bound where too few questions carry a side.

    Parameters
    ----------
    part, rest : (q,)
        Mass of each question that counts and that does not, in [0, 1].
    confidence
        Coverage aimed at, in (0, 1).
    anchor_error
        Share of questions whose key may be wrong, in [0, 1]. It can move at most that much mass from one
        side to the other, so the ends move by ``anchor_error / mean(part + rest)``.

    Returns
    -------
    Interval
        As `logit_jackknife`, with degrees of freedom from the side that fewer questions carry. When fewer
        than five questions carry `part`: NaN value, low 0, an upper bound as high, and the reason. When
        fewer than five, and fewer than carry `part`, carry `rest`: NaN value, a lower bound as low, high 1,
        and the reason. `n` is the effective number of questions that carry any mass.

    Notes
    -----
    Below twenty questions one share may show few of either side by chance and miss with either bound; there
    each bound has half of the error, so that at most ``1 - confidence`` of all bounds miss.

    References
    ----------
    Hanley and Lippman-Hand (1983), doi:10.1001/jama.1983.03330370053031 (no event);
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (few events, counted by effective number).

    Examples
    --------
    >>> got = share_or_bound(np.zeros(100), np.ones(100))
    >>> got.value, got.low, round(got.high, 4), got.blank_reason
    (nan, 0.0, 0.0295, 'no question carries it')
    >>> got = share_or_bound(np.ones(100), np.zeros(100))
    >>> got.value, round(got.low, 4), got.high, got.blank_reason
    (nan, 0.9705, 1.0, 'no question carries the rest')
    """
    same_questions(part, rest)
    n = effective_number(part + rest)
    if n == 0:
        return Interval(
            value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason="it never happened"
        )
    widening = anchor_error / float((part + rest).mean())
    carriers, others = effective_number(part), effective_number(rest)
    if min(carriers, others) < LEAST_CARRIERS:
        sure = confidence if n >= EITHER_SIDE else (1 + confidence) / 2
        few = part if carriers <= others else rest
        events = n * float(few.sum()) / float((part + rest).sum())
        bound = 1.0 if n - events < 1e-9 else float(stats.beta.ppf(sure, events + 1, n - events))
        bound = min(bound + widening, 1.0)
        low, high = (0.0, bound) if carriers <= others else (1.0 - bound, 1.0)
        return Interval(value=UNDEFINED, low=low, high=high, n=n, blank_reason=_few(carriers, others))
    got = logit_jackknife(part, rest, confidence=confidence, degrees=min(carriers, others) - 1)
    return Interval(
        value=got.value, low=max(got.low - widening, 0.0), high=min(got.high + widening, 1.0), n=n
    )


def _few(carriers: float, others: float) -> str:
    side = "it" if carriers <= others else "the rest"
    if min(carriers, others) == 0:
        return f"no question carries {side}"
    return f"fewer than {LEAST_CARRIERS:.0f} questions carry {side}"


def columns_of(intervals: Sequence[Interval]) -> dict[str, Any]:
    """Return the columns of a `MeasurementTable` that intervals fill.

    Examples
    --------
    >>> columns_of([Interval(value=0.5, low=0.4, high=0.6, n=9)])["high"].tolist()
    [0.6]
    """
    numbers = {
        name: np.array([getattr(one, name) for one in intervals], dtype=np.float64)
        for name in ("value", "low", "high", "n")
    }
    return {**numbers, "blank_reason": [one.blank_reason for one in intervals]}


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> Interval:
    """Interval of a share of independent units.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> got = wilson(10, 20)
    >>> round(got.low, 4), round(got.high, 4)
    (0.2993, 0.7007)
    """
    if n <= 0:
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0)
    z = stats.norm.ppf(0.5 + confidence / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # at 0 of n and n of n the ends are exactly 0 and 1; rounding must not put them beside the share
    low, high = min(float(centre - half), share), max(float(centre + half), share)
    return Interval(value=share, low=max(low, 0.0), high=min(high, 1.0), n=float(n))


def same_questions(first: np.ndarray, second: np.ndarray) -> None:
    """Refuse two arrays that cannot be the same questions in the same order."""
    if first.shape != second.shape:
        raise InputError.of(
            expected="both arrays must be the same questions in the same order",
            got=f"{first.shape[0]} and {second.shape[0]} rows",
            fix="Select the common questions first.",
        )
