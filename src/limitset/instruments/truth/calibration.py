"""When a system says 90 %, is it right 90 % of the time?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int, Num

from limitset.core.clusters import numbered
from limitset.core.errors import InputError
from limitset.core.intervals import (
    LEAST_CARRIERS,
    Interval,
    columns_of,
    effective_number,
    jackknife_interval,
    logit_jackknife,
    wilson,
)
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable

INSTRUMENT = "calibration"
VERSION = 1

NOTES = (
    "bins of equal mass; answers of equal confidence stay in one bin",
    "calibrated: the same confidences, right exactly as often as they say; answers to one question right or"
    " wrong together",
    "brier = reliability - resolution + uncertainty + within",
)
_NONE: Final = "no answer with a confidence and a key"
_FEW: Final = f"fewer than {LEAST_CARRIERS:.0f} questions"


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """How far stated confidence is from the share of right answers.

    Parameters
    ----------
    bins
        Axes `bin` (from 0, least confident first) and `stated` (mean confidence in the bin): share right.
    summary
        Axis `statistic`: "ece" (with `null_kind` "calibrated": mean and quantiles over draws),
        "overconfidence", "brier", "reliability", "resolution", "uncertainty", "within".
    """

    bins: MeasurementTable
    summary: MeasurementTable


def calibration(
    stated: Float[np.ndarray, " n"],
    right: Num[np.ndarray, " keys"],
    questions: Int[np.ndarray, " asked"],
    *,
    rng: np.random.Generator,
    bin_count: int = 10,
    draws: int = 200,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> Calibration:
    r"""Compare confidence with the share of right answers, and with a perfectly calibrated forecaster.

    .. math:: ECE = \sum_b \frac{n_b}{n} |\bar p_b - \bar y_b|, \qquad
        BS = \overline{(p - y)^2} = \underbrace{\sum_b \tfrac{n_b}{n} (\bar p_b - \bar y_b)^2}_{reliability}
        - \underbrace{\sum_b \tfrac{n_b}{n} (\bar y_b - \bar y)^2}_{resolution}
        + \underbrace{\bar y (1 - \bar y)}_{uncertainty} + within

    Parameters
    ----------
    stated : (n,)
        Confidence of each answer, in [0, 1].
    right : (n,)
        1 right, 0 wrong.
    questions : (n,)
        Number of the question (or of the passage or conversation) of each answer: the unit that is left out.
    rng
        Draws of the null.
    bin_count
        Bins of equal mass, 1 or more.
    draws
        Draws of the null, 1 or more.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Calibration
        Shares in [0, 1]; "overconfidence" is mean confidence less share right, in [-1, 1]; `n` counts
        questions. Blank below five questions.

    Raises
    ------
    InputError
        When lengths differ, a confidence is outside [0, 1], `right` is neither 0 nor 1, or `bin_count` or
        `draws` is below 1.

    Notes
    -----
    A finite sample of a perfect forecaster has an ECE above 0: call a system miscalibrated only where its ECE
    lies above the null's upper end. Near the null the ECE and its interval are too high for the same reason.
    One confidence c for every answer and a share a of right ones give exactly ``|c - a|``.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), doi:10.1609/aaai.v29i1.9602 (ECE); Broecker and Smith (2007),
    doi:10.1175/WAF993.1 (what a calibrated forecaster would show); Brier (1950),
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; Murphy (1973),
    doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2; Stephenson, Coelho and Jolliffe (2008),
    doi:10.1175/2007WAF2006116.1 (the part within bins).

    Examples
    --------
    >>> right = np.array([1.0, 1.0, 1.0, 0.0] * 10)
    >>> got = calibration(np.full(40, 0.9), right, np.arange(40), rng=np.random.default_rng(0))
    >>> round(got.summary.one(statistic="ece", null_kind="").value, 6)  # |.9 - .75|
    0.15
    """
    _check(stated, right, questions, bin_count, draws)
    unit, units = numbered(questions)
    place, count = numbered(equal_mass(stated, bin_count))
    sums = [
        np.bincount(unit * count + place, weights=one, minlength=units * count).reshape(units, count)
        for one in (np.ones_like(stated), stated, right.astype(np.float64), np.square(stated - right))
    ]
    measured = _summary(sums, confidence)
    null = _null(stated, unit, place, (units, count), draws=draws, rng=rng, confidence=confidence)
    rows = [("ece", "", measured["ece"]), ("ece", "calibrated", null)]
    rows += [(name, "", one) for name, one in measured.items() if name != "ece"]
    shared = {"bin_count": bin_count, "draws": draws}
    return Calibration(
        bins=MeasurementTable(
            instrument=f"{INSTRUMENT}.bins",
            version=VERSION,
            level=level,
            axes={"bin": np.arange(count), "stated": sums[1].sum(axis=0) / sums[0].sum(axis=0)},
            interval_method="logit jackknife over questions, Wilson where few carry it",
            confidence=confidence,
            parameters=shared,
            notes=NOTES[:1],
            **columns_of([_bin(sums[2][:, b], (sums[0] - sums[2])[:, b], confidence) for b in range(count)]),
        ),
        summary=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={"statistic": np.array([row[0] for row in rows], dtype=object)},
            null_kind=[row[1] for row in rows],
            interval_method="jackknife over questions; quantiles of the null",
            confidence=confidence,
            parameters=shared,
            notes=NOTES,
            **columns_of([row[2] for row in rows]),
        ),
    )


def equal_mass(stated: Float[np.ndarray, " n"], bin_count: int) -> Int[np.ndarray, " n"]:
    """Cut answers into bins of equal mass; answers of equal confidence stay together.

    Parameters
    ----------
    stated : (n,)
        Confidence of each answer, in [0, 1].
    bin_count
        Bins aimed at, 1 or more.

    Returns
    -------
    (n,) bin of each answer, from 0; some numbers may be missing where many confidences are equal.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), doi:10.1609/aaai.v29i1.9602 (bins of equal frequency).

    Examples
    --------
    >>> equal_mass(np.array([0.1, 0.2, 0.9, 0.9]), 2).tolist()
    [0, 0, 1, 1]
    """
    _, place, counts = np.unique(stated, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / max(stated.size, 1)
    return np.minimum(np.floor(middle * bin_count), bin_count - 1).astype(np.int64)[place.reshape(-1)]


def _statistics(
    mass: np.ndarray, stated: np.ndarray, right: np.ndarray, square: np.ndarray
) -> dict[str, np.ndarray]:
    """All statistics from sums by bin (last axis)."""
    n = mass.sum(axis=-1)
    filled = np.where(mass > 0, mass, 1.0)
    share = right.sum(axis=-1) / n
    brier = square.sum(axis=-1) / n
    reliability = (np.square(stated - right) / filled).sum(axis=-1) / n
    resolution = (mass * np.square(right / filled - share[..., None])).sum(axis=-1) / n
    uncertainty = share * (1 - share)
    return {
        "ece": np.abs(stated - right).sum(axis=-1) / n,
        "overconfidence": (stated - right).sum(axis=-1) / n,
        "brier": brier,
        "reliability": reliability,
        "resolution": resolution,
        "uncertainty": uncertainty,
        "within": brier - (reliability - resolution + uncertainty),
    }


def _summary(sums: list[np.ndarray], confidence: float) -> dict[str, Interval]:
    totals = [one.sum(axis=0) for one in sums]
    units = sums[0].shape[0]
    if units < LEAST_CARRIERS:
        names = _statistics(*(np.ones((1, 1)) for _ in sums))
        return {name: Interval.blank(_FEW if units else _NONE) for name in names}
    whole = _statistics(*(one[None] for one in totals))
    left = _statistics(*(total - one for total, one in zip(totals, sums, strict=True)))
    return {
        name: _clipped(
            jackknife_interval(float(whole[name][0]), left[name], confidence=confidence),
            _ENDS.get(name, (0, 1)),
        )
        for name in whole
    }


_ENDS: Final = {"overconfidence": (-1, 1), "within": (-1, 1)}


def _clipped(found: Interval, ends: tuple[float, float]) -> Interval:
    low, high = max(found.low, ends[0]), min(found.high, ends[1])
    return Interval(value=found.value, low=min(low, found.value), high=max(high, found.value), n=found.n)


def _null(
    stated: np.ndarray,
    unit: np.ndarray,
    place: np.ndarray,
    shape: tuple[int, int],
    *,
    draws: int,
    rng: np.random.Generator,
    confidence: float,
) -> Interval:
    """ECE of a forecaster that is right as often as it says."""
    units, count = shape
    if units < LEAST_CARRIERS:
        return Interval.blank(_FEW if units else _NONE)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(count))
    drawn = np.zeros(draws)
    for draw in range(draws):
        gap = (rng.random(units)[unit] < stated) - stated
        drawn[draw] = np.abs(np.add.reduceat(gap[order], starts)).sum() / stated.size
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value=float(drawn.mean()), low=float(low), high=float(high), n=float(units))


def _bin(right: np.ndarray, wrong: np.ndarray, confidence: float) -> Interval:
    """Share right in one bin."""
    n = effective_number(right + wrong)
    carriers = min(effective_number(right), effective_number(wrong))
    value = float(right.sum() / (right + wrong).sum())
    if carriers < LEAST_CARRIERS:
        few = wilson(value * n, n, confidence=confidence)
        return Interval(value=value, low=min(few.low, value), high=max(few.high, value), n=n)
    got = logit_jackknife(right, wrong, confidence=confidence, degrees=carriers - 1)
    return Interval(value=value, low=got.low, high=got.high, n=n)


def _check(stated: np.ndarray, right: np.ndarray, questions: np.ndarray, bin_count: int, draws: int) -> None:
    if not stated.size == right.size == questions.size or bin_count < 1 or draws < 1:
        raise InputError.of(
            expected="one confidence, one key and one question an answer; bin_count and draws 1 or more",
            got=f"{stated.size}, {right.size}, {questions.size}; {bin_count} and {draws}",
            fix="Keep the answers that have all three.",
        )
    if not ((stated >= 0) & (stated <= 1)).all() or not np.isin(right, (0, 1)).all():
        odd = stated[~((stated >= 0) & (stated <= 1))]
        raise InputError.of(
            expected="confidences in [0, 1], and answers that are right (1) or wrong (0)",
            got=odd[0] if odd.size else right[~np.isin(right, (0, 1))][0],
            fix="Rescale percentages; leave out answers without a key.",
        )
