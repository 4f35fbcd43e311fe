"""How many published designs share the usual stack, and how varied is each feature?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Int
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable

INSTRUMENT: Final = "stack_diversity"
VERSION: Final = 1
_UNIT: Final = "n counts designs"


def stack_share(
    standard: Bool[np.ndarray, " n"], periods: Sequence[str] | np.ndarray, *, confidence: float = 0.95
) -> MeasurementTable:
    r"""Measure the share of designs that have the usual stack, period by period.

    .. math:: \hat p = k / n

    Parameters
    ----------
    standard : (n,)
        Whether a design has every feature of the usual stack.
    periods : (n,)
        Period of each design; rows of the table come in the order of first appearance.
    confidence
        Coverage of the intervals (Wilson), in (0, 1).

    Returns
    -------
    MeasurementTable
        Axis period; shares in [0, 1], 1 where all designs have it.

    Raises
    ------
    InputError
        When there is no design, or lengths differ.

    Notes
    -----
    Intervals treat designs as independent draws. Designs of one lab, or that inherit code, are not: compare
    with the share over lineages.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953 (interval).

    Examples
    --------
    >>> got = stack_share(np.array([False, False, True, True]), ["2022", "2022", "2026", "2026"])
    >>> got.one(period="2026").value
    1.0
    """
    names = _periods(len(standard), periods)
    rows = [standard[np.asarray(periods, dtype=object) == name] for name in names]
    found = [wilson(float(row.sum()), float(row.size), confidence=confidence) for row in rows]
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.stack_share",
        version=VERSION,
        level=Level.ECOSYSTEM,
        axes={"period": np.array(names, dtype=object)},
        interval_method="Wilson",
        confidence=confidence,
        notes=(_UNIT,),
        **columns_of(found),
    )


def share_change(
    before: Bool[np.ndarray, " b"], after: Bool[np.ndarray, " a"], *, confidence: float = 0.95
) -> Measurement:
    r"""Measure how much larger the share of the usual stack is among later designs.

    .. math:: \hat p_a - \hat p_b, \qquad
        \pm \sqrt{(\hat p_a - l_a)^2 + (u_b - \hat p_b)^2}

    with l and u the ends of the Wilson intervals (swapped for the upper end).

    Parameters
    ----------
    before : (b,)
        Whether each earlier design has it.
    after : (a,)
        Whether each later one has it; other designs.
    confidence
        Coverage of the interval, in (0, 1).

    Returns
    -------
    Measurement
        In [-1, 1]; 0: as large as before.

    Raises
    ------
    InputError
        When one side is empty.

    References
    ----------
    Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10.

    Examples
    --------
    >>> got = share_change(np.repeat([True, False], [48, 32]), np.repeat([True, False], [56, 14]))
    >>> round(got.value, 4), round(got.low, 4), round(got.high, 4)  # Newcombe's table II, turned round
    (0.2, 0.0524, 0.3339)
    """
    if not before.size or not after.size:
        raise InputError.of(
            expected="both sides must hold a design",
            got=f"{before.size} and {after.size}",
            fix="Choose other periods.",
        )
    first, last = (wilson(float(x.sum()), float(x.size), confidence=confidence) for x in (before, after))
    value = last.value - first.value
    return Measurement(
        instrument=f"{INSTRUMENT}.share_change",
        version=VERSION,
        level=Level.ECOSYSTEM,
        value=value,
        low=max(value - math.hypot(last.value - last.low, first.high - first.value), -1.0),
        high=min(value + math.hypot(last.high - last.value, first.value - first.low), 1.0),
        n=float(before.size + after.size),
        interval_method="Newcombe, method 10",
        confidence=confidence,
        parameters={"before": before.size, "after": after.size},
        notes=(_UNIT,),
    )


def stack_diversity(
    codes: Int[np.ndarray, "n f"],
    periods: Sequence[str] | np.ndarray,
    *,
    features: Sequence[str],
    draws: int = 2000,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> MeasurementTable:
    r"""Measure how often two designs of one period differ in a feature.

    .. math:: G = 1 - \sum_k \frac{n_k (n_k - 1)}{n (n - 1)}

    Parameters
    ----------
    codes : (n, f)
        Value of each feature of each design, as whole numbers: the same number, the same value.
    periods : (n,)
        Period of each design.
    features : (f,)
        Names of the features.
    draws
        Draws of the shares of the values behind each interval, 1 or more.
    confidence
        Coverage of the intervals, in (0, 1).
    rng
        Draws the shares.

    Returns
    -------
    MeasurementTable
        Axes period and feature; in [0, 1], 0 where all are alike. It is unbiased: periods with many and with
        few designs can be compared, which the plug-in form ``1 - sum p^2`` does not allow.

    Raises
    ------
    InputError
        When there is no design, or lengths differ.

    Notes
    -----
    A jackknife misses near even shares, where G is flat (it held 4/9 in 326 of 400 samples of 30), and
    shows no spread where all are alike. The interval is the range of G over shares that the counts do not
    speak against: shares are drawn about those seen, and those with a likelihood ratio above the quantile of
    chi squared are dropped.

    References
    ----------
    Simpson (1949), doi:10.1038/163688a0 (unbiased form). Wilks (1938),
    doi:10.1214/aoms/1177732360 (likelihood ratio).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> got = stack_diversity(np.array([[0], [0], [1], [1]]), ["now"] * 4, features=["norm"], rng=rng)
    >>> round(got.one(period="now", feature="norm").value, 4)  # 4 of the 6 pairs differ
    0.6667
    """
    names = _periods(len(codes), periods)
    if codes.shape[1] != len(features) or draws < 1:
        raise InputError.of(
            expected=f"{codes.shape[1]} columns need as many names, and one draw or more",
            got=f"{', '.join(features)}; {draws} draws",
            fix="Name each feature.",
        )
    cells = [(name, place) for name in names for place in range(len(features))]
    rows = {name: codes[np.asarray(periods, dtype=object) == name] for name in names}
    found = [_diversity(rows[name][:, place], draws, confidence, rng) for name, place in cells]
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.ECOSYSTEM,
        axes={
            "period": np.array([name for name, _ in cells], dtype=object),
            "feature": np.array([features[place] for _, place in cells], dtype=object),
        },
        interval_method="likelihood ratio",
        confidence=confidence,
        parameters={"draws": draws},
        notes=(_UNIT,),
        **columns_of(found),
    )


def _diversity(
    values: Int[np.ndarray, " n"], draws: int, confidence: float, rng: np.random.Generator
) -> Interval:
    n = values.size
    if n < 2:
        return Interval.blank("one design has no pair")
    counts = np.unique(values, return_counts=True)[1]
    whole = float(1 - (counts * (counts - 1)).sum() / (n * (n - 1)))
    seen = counts if counts.size > 1 else np.append(counts, 0)
    shares = np.maximum(rng.dirichlet(seen + 0.5, size=draws), np.finfo(np.float64).tiny)
    ratio = 2 * (seen * (np.log(np.maximum(seen, 1) / n) - np.log(shares))).sum(axis=1)
    kept = 1 - np.square(shares[ratio <= stats.chi2.ppf(confidence, 1)]).sum(axis=1)
    # the unbiased value may lie beyond what any shares give: two and two of four differ in 2/3 of pairs
    ends = np.append(kept, whole)
    return Interval(value=whole, low=float(ends.min()), high=float(ends.max()), n=float(n))


def _periods(designs: int, periods: Sequence[str] | np.ndarray) -> list[str]:
    if designs == 0 or designs != len(periods):
        raise InputError.of(
            expected="one period a design, and one design or more",
            got=f"{designs} designs and {len(periods)} periods",
            fix="Give each design its period.",
        )
    return list(dict.fromkeys(str(one) for one in periods))
