"""Do two designs of a field have more in common now than two had before?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_error, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "stack_similarity"
VERSION: Final = 1
_METHOD: Final = "jackknife over lineages"


@dataclass(frozen=True, kw_only=True, eq=False)
class SimilarityChange:
    """How mean pairwise similarity changed between two sets of designs.

    Parameters
    ----------
    change
        Later less earlier, in [-1, 1].
    p_value
        Share of exchanges of lineages between the sets that change it as much to either side.
    """

    change: Measurement
    p_value: Measurement


def stack_similarity(
    codes: Int[np.ndarray, "n f"],
    periods: Sequence[str] | np.ndarray,
    *,
    lineages: Sequence[str] | np.ndarray | None = None,
    confidence: float = 0.95,
) -> MeasurementTable:
    r"""Measure the mean share of features that two designs of one period have in common.

    .. math:: S = \frac{\sum_{a < b} \bar m_{ab}}{\binom{g}{2}}, \qquad
        \bar m_{ab} = \text{mean over } i \in a, j \in b \text{ of }
        \tfrac{1}{f} \sum_t [x_{it} = x_{jt}]

    over pairs of lineages a, b; without lineages each design is its own.

    Parameters
    ----------
    codes : (n, f)
        Value of each feature of each design, as whole numbers: the same number, the same value.
    periods : (n,)
        Period of each design.
    lineages : (n,)
        Line of descent of each design. Each counts once, whatever the number of its designs, and designs of
        one lineage are not compared: what is left is not reuse of code.
    confidence
        Coverage of the intervals (jackknife over lineages), in (0, 1).

    Returns
    -------
    MeasurementTable
        Axis period; in [0, 1], 1 where all are alike. No design is compared with itself, so that their number
        does not move it. No interval where leaving out any one changes nothing.

    Raises
    ------
    InputError
        When there is no design, or lengths differ.

    Notes
    -----
    It says how alike designs are, not why: a field in which one design is copied and a field in which one
    design is found by all score the same. A rare feature makes all alike that lack it: of eight features that
    one design in ten has, S is .82.

    References
    ----------
    Own definition: one less the mean over features of the unbiased Gini-Simpson index, Simpson (1949),
    doi:10.1038/163688a0. Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> codes = np.array([[0, 0], [0, 0], [0, 1]])
    >>> round(stack_similarity(codes, ["now"] * 3).one(period="now").value, 4)  # (1 + 1/2 + 1/2) / 3
    0.6667
    >>> kin = ["a", "a", "b"]  # one pair of lineages: both pairs of designs share one of two features
    >>> stack_similarity(codes, ["now"] * 3, lineages=kin).one(period="now").value
    0.5
    """
    kin = _checked(codes, periods, lineages)
    when = np.asarray(periods, dtype=object)
    names = list(dict.fromkeys(when.tolist()))
    found = [_interval(_between(codes[when == name], kin[when == name]), confidence) for name in names]
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.ECOSYSTEM,
        axes={"period": np.array(names, dtype=object)},
        interval_method=_METHOD,
        confidence=confidence,
        parameters={"lineages": lineages is not None, "features": codes.shape[1]},
        notes=("n counts lineages" if lineages is not None else "n counts designs",),
        **columns_of(found),
    )


def similarity_change(
    before: Int[np.ndarray, "b f"],
    after: Int[np.ndarray, "a f"],
    *,
    lineages: Sequence[str] | np.ndarray | None = None,
    permutations: int = 999,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> SimilarityChange:
    r"""Measure how much more alike later designs are than earlier ones.

    .. math:: S_a - S_b \pm t_\nu \sqrt{e_a^2 + e_b^2}, \qquad
        \nu = \frac{(e_a^2 + e_b^2)^2}{e_a^4 / (g_a - 1) + e_b^4 / (g_b - 1)}

    with e the jackknife errors of the similarities S of `stack_similarity`.

    Parameters
    ----------
    before : (b, f)
        Features of the earlier designs, coded as in `stack_similarity`.
    after : (a, f)
        Features of the later designs.
    lineages : (b + a,)
        Line of descent, earlier designs first. A lineage that reaches into both sets counts in both.
    permutations
        Exchanges drawn for the null, 1 or more.
    confidence
        Coverage of the interval, in (0, 1).
    rng
        Draws the exchanges.

    Returns
    -------
    SimilarityChange
        Above 0: more alike; no interval where neither side varies. The p-value exchanges designs, or whole
        lineages where they are given.

    Raises
    ------
    InputError
        When one side has fewer than three lineages, or numbers are out of range.

    Notes
    -----
    The p-value asks whether the two sets could be draws from one; the interval asks by how much they differ.
    Two sets of different designs that are as alike among themselves give a change of 0 and a small p-value
    by chance only.

    References
    ----------
    Welch (1947), doi:10.1093/biomet/34.1-2.28 (degrees of freedom). Phipson and Smyth (2010),
    doi:10.2202/1544-6115.1585 (p-values of drawn permutations).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> varied, alike = rng.integers(0, 2, (30, 4)), np.zeros((30, 4), dtype=int)
    >>> alike[0, 0] = 1
    >>> got = similarity_change(varied, alike, rng=rng)
    >>> got.change.low > 0.3, got.p_value.value
    (True, 0.001)
    """
    codes = np.concatenate([before, after])
    kin = _checked(codes, np.zeros(len(codes), dtype=object), lineages)
    late = np.arange(len(codes)) >= len(before)
    sides = [_between(codes[late == side], kin[late == side]) for side in (False, True)]
    if min(len(side) for side in sides) < 3 or permutations < 1:
        raise InputError.of(
            expected="three lineages or more on each side, and one permutation or more",
            got=f"{len(sides[0])} and {len(sides[1])} lineages, {permutations} permutations",
            fix="Join periods.",
        )
    value = _mean(sides[1]) - _mean(sides[0])
    errors = np.array([jackknife_error(_without(side)) for side in sides])
    degrees = np.array([len(side) - 1 for side in sides])
    total = float(np.square(errors).sum())
    free = total**2 / float((errors**4 / degrees).sum()) if total else float(degrees.sum())
    half = float(stats.t.ppf(0.5 + confidence / 2, free)) * total**0.5 if total else UNDEFINED
    shared = {
        "version": VERSION,
        "level": Level.ECOSYSTEM,
        "confidence": confidence,
        "n": float(sum(len(side) for side in sides)),
        "parameters": {"permutations": permutations, "lineages": lineages is not None},
    }
    change = Measurement(
        instrument=f"{INSTRUMENT}.change",
        value=value,
        low=max(value - half, -1.0) if total else UNDEFINED,
        high=min(value + half, 1.0) if total else UNDEFINED,
        interval_method=_METHOD,
        **shared,  # type: ignore[arg-type]
    )
    p = _p_value(codes, kin, late, found=abs(value), draws=permutations, rng=rng)
    return SimilarityChange(
        change=change,
        p_value=Measurement(
            instrument=f"{INSTRUMENT}.p_value",
            value=p,
            low=p,
            high=p,
            interval_method="permutation",
            **shared,  # type: ignore[arg-type]
        ),
    )


def _p_value(
    codes: np.ndarray,
    kin: np.ndarray,
    late: np.ndarray,
    *,
    found: float,
    draws: int,
    rng: np.random.Generator,
) -> float:
    """Exchange parts: a lineage within one set is a part, and its designs move together."""
    parts = np.unique(np.stack([kin, late.astype(np.int64)], axis=1), axis=0, return_inverse=True)[1].reshape(
        -1
    )
    where = np.array([late[parts == part][0] for part in range(parts.max() + 1)])
    beyond = 0
    for _ in range(draws):
        drawn = rng.permutation(where)[parts]
        moved = _mean(_between(codes[drawn], kin[drawn])) - _mean(_between(codes[~drawn], kin[~drawn]))
        # designs of one lineage alone on a side leave no pair: counted against the finding
        beyond += not abs(moved) < found - 1e-12
    return (1 + beyond) / (1 + draws)


def _between(codes: Int[np.ndarray, "n f"], kin: Int[np.ndarray, " n"]) -> Float[np.ndarray, "g g"]:
    """Return mean matches between lineages; NaN on the diagonal."""
    groups, place = np.unique(kin, return_inverse=True)
    belongs = np.eye(groups.size)[place.reshape(-1)]
    belongs = belongs / belongs.sum(axis=0)
    matches = (codes[:, None] == codes[None]).mean(axis=2)
    means = belongs.T @ matches @ belongs
    np.fill_diagonal(means, np.nan)
    return np.asarray(means)


def _mean(between: Float[np.ndarray, "g g"]) -> float:
    return float(np.nanmean(between)) if len(between) > 1 else UNDEFINED


def _without(between: Float[np.ndarray, "g g"]) -> Float[np.ndarray, " g"]:
    """Return the mean with each lineage left out."""
    g = len(between)
    rows = np.nansum(between, axis=1)
    return np.asarray((rows.sum() - 2 * rows) / ((g - 1) * (g - 2)))


def _interval(between: Float[np.ndarray, "g g"], confidence: float) -> Interval:
    if len(between) < 2:
        return Interval.blank("one lineage has no pair")
    if len(between) < 3 or not np.ptp(_without(between)):
        return Interval(value=_mean(between), low=UNDEFINED, high=UNDEFINED, n=float(len(between)))
    got = jackknife_interval(_mean(between), _without(between), confidence=confidence)
    return Interval(value=got.value, low=max(got.low, 0.0), high=min(got.high, 1.0), n=got.n)


def _checked(
    codes: np.ndarray, periods: Sequence[str] | np.ndarray, lineages: Sequence[str] | np.ndarray | None
) -> Int[np.ndarray, " n"]:
    n = len(codes)
    kin = (
        np.arange(n)
        if lineages is None
        else np.unique(np.asarray(lineages, dtype=str), return_inverse=True)[1]
    )
    if n == 0 or len(periods) != n or kin.size != n:
        raise InputError.of(
            expected="one period and one lineage a design, and one design or more",
            got=f"{n} designs, {len(periods)} periods, {kin.size} lineages",
            fix="Give each design both.",
        )
    return kin.reshape(-1).astype(np.int64)
