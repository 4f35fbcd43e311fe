"""Do designs of different groups differ more than designs of one group differ among themselves?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement

INSTRUMENT: Final = "group_departure"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupDeparture:
    """How far groups of designs stand apart.

    Parameters
    ----------
    gap
        Mean share of features in which two designs of different groups differ, less that of two of one group.
    explained
        Share of the variation that groups explain (R squared), in [0, 1]; above 0 by chance alone.
    p_value
        Share of relabellings that explain as much.
    """

    gap: Measurement
    explained: Measurement
    p_value: Measurement


def group_departure(
    codes: Int[np.ndarray, "n f"],
    groups: Sequence[str] | np.ndarray,
    *,
    strata: Sequence[str] | np.ndarray | None = None,
    permutations: int = 999,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> GroupDeparture:
    r"""Measure whether groups of designs differ, by permutational analysis of variance.

    .. math:: \Delta = \bar d_{\text{between}} - \bar d_{\text{within}}, \qquad
        R^2 = 1 - \frac{\sum_g \frac{1}{n_g} \sum_{i < j \in g} d_{ij}}{\frac{1}{n} \sum_{i < j} d_{ij}}

    with d the share of features that differ, a squared Euclidean distance.

    Parameters
    ----------
    codes : (n, f)
        Value of each feature of each design, as whole numbers: the same number, the same value.
    groups : (n,)
        Group of each design: the country of its lab, say.
    strata : (n,)
        Such as periods: the gap compares designs of one stratum only, and labels are exchanged within it. R
        squared is of all designs together. All in one where left out.
    permutations
        Relabellings drawn for the null, 1 or more.
    confidence
        Coverage of the interval of the gap (jackknife over designs), in (0, 1).
    rng
        Draws the relabellings.

    Returns
    -------
    GroupDeparture
        Gap in [-1, 1]; 0 on average where groups are draws from one population.

    Raises
    ------
    InputError
        When there are not two groups, or no stratum holds pairs between and within groups.

    Notes
    -----
    A group that is more varied than another moves R squared and its p-value without standing apart; the gap
    has the varied group's pairs on both sides.

    References
    ----------
    Anderson (2001), doi:10.1111/j.1442-9993.2001.01070.pp.x (the test). Efron and Tibshirani (1993),
    doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = np.repeat([[0, 0], [0, 1]], [20, 20], axis=0)
    >>> got = group_departure(codes, ["east"] * 20 + ["west"] * 20, rng=rng)
    >>> got.gap.value, got.explained.value, got.p_value.value
    (0.5, 1.0, 0.001)
    """
    place = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1].reshape(-1)
    within = (
        np.zeros(len(codes), dtype=np.int64)
        if strata is None
        else np.unique(np.asarray(strata, dtype=str), return_inverse=True)[1].reshape(-1)
    )
    apart = (codes[:, None] != codes[None]).mean(axis=2)
    _check(codes, place, within, permutations)
    pairs = np.triu(within[:, None] == within[None], 1)
    gap = _gap(apart, place, pairs, confidence)
    seen = _explained(apart, place)
    drawn = [_explained(apart, _exchanged(place, within, rng)) for _ in range(permutations)]
    p = (1 + sum(not one < seen - 1e-12 for one in drawn)) / (1 + permutations)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])

    def measured(name: str, interval: Interval, how: str) -> Measurement:
        return Measurement(
            instrument=f"{INSTRUMENT}.{name}",
            version=VERSION,
            level=Level.ECOSYSTEM,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=float(len(codes)),
            interval_method=how,
            confidence=confidence,
            parameters={"permutations": permutations, "strata": strata is not None},
            notes=("n counts designs", f"R squared of relabelled designs: {low:.3f} to {high:.3f}"),
        )

    return GroupDeparture(
        gap=measured("gap", gap, "jackknife over designs"),
        explained=measured("explained", _point(seen), ""),
        p_value=measured("p_value", _point(p), "permutation"),
    )


def _gap(
    apart: Float[np.ndarray, "n n"], place: np.ndarray, pairs: Bool[np.ndarray, "n n"], confidence: float
) -> Interval:
    """Return between less within, and its jackknife from the sums of each design's pairs."""
    same = place[:, None] == place[None]
    parts = []
    for chosen in (pairs & ~same, pairs & same):
        both = chosen | chosen.T
        sums, counts = (apart * both).sum(axis=1), both.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            left = (sums.sum() / 2 - sums) / (counts.sum() / 2 - counts)
            parts.append((np.float64(sums.sum()) / counts.sum(), left))
    (between, one), (inside, other) = parts
    if np.isnan(between) or np.isnan(inside):
        raise InputError.of(
            expected="some stratum must hold a pair between groups and a pair within one",
            got="none",
            fix="Join strata or groups.",
        )
    return jackknife_interval(float(between - inside), np.asarray(one - other), confidence=confidence)


def _explained(apart: Float[np.ndarray, "n n"], place: Int[np.ndarray, " n"]) -> float:
    belongs = np.eye(int(place.max()) + 1)[place]
    inside = (np.einsum("ig,ij,jg->g", belongs, apart, belongs) / belongs.sum(axis=0)).sum()
    total = apart.sum() / len(apart)
    return float(1 - inside / total)


def _exchanged(place: np.ndarray, within: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = place.copy()
    for stratum in np.unique(within):
        rows = within == stratum
        out[rows] = rng.permutation(place[rows])
    return out


def _point(value: float) -> Interval:
    return Interval(value=value, low=value, high=value, n=1.0)


def _check(codes: np.ndarray, place: np.ndarray, within: np.ndarray, permutations: int) -> None:
    n = len(codes)
    if place.size != n or within.size != n or permutations < 1 or np.unique(place).size < 2:
        raise InputError.of(
            expected="one group and one stratum a design, two groups or more, one permutation or more",
            got=f"{n} designs, {np.unique(place).size} groups, {within.size} strata, {permutations}",
            fix="Align them.",
        )
    if (codes == codes[0]).all():
        raise InputError.of(
            expected="designs must differ in some feature", got="all alike", fix="Choose other features."
        )
