"""Does one part of a design tell which choice was made in another?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.errors import InputError
from limitset.core.intervals import jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable

INSTRUMENT: Final = "layer_dependence"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerDependence:
    """How much the features of designs tell about each other.

    Parameters
    ----------
    pairs
        Axes first and second: excess of mutual information over independence, in bits.
    mean
        Mean over pairs of features, in bits.
    p_value
        Share of shuffles in which the mean is as large.
    """

    pairs: MeasurementTable
    mean: Measurement
    p_value: Measurement


def layer_dependence(
    codes: Int[np.ndarray, "n f"],
    *,
    features: Sequence[str],
    strata: Sequence[str] | np.ndarray | None = None,
    permutations: int = 499,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> LayerDependence:
    r"""Measure mutual information between features of designs, less what independent features would show.

    .. math:: \sum_s \frac{n_s}{n} \sum_{x, y} \hat p_s(x, y) \log_2
        \frac{\hat p_s(x, y)}{\hat p_s(x) \hat p_s(y)} \; - \; \text{its mean over shuffles within strata}

    Parameters
    ----------
    codes : (n, f)
        Value of each feature of each design, as whole numbers: the same number, the same value.
    features : (f,)
        Names of the features.
    strata : (n,)
        Such as periods: information is taken within each, and shuffles stay within it, so that features
        which rose together in time do not count as dependent. All in one where left out.
    permutations
        Shuffles drawn for the null, 1 or more; each feature is shuffled apart from the others.
    confidence
        Coverage of the intervals (jackknife over designs), in (0, 1).
    rng
        Draws the shuffles.

    Returns
    -------
    LayerDependence
        Bits; 0 on average for features that are chosen apart, at most the entropy of the less varied one. It
        may fall below 0.

    Raises
    ------
    InputError
        When there are fewer than three designs or two features, or lengths differ.

    Notes
    -----
    Dependence says that choices come together, not that one forces the other: designs copied from one
    ancestor show it as well. Without the null the plug-in estimate is too large by about
    (r - 1)(c - 1) / (2 n ln 2) bits a stratum.

    References
    ----------
    Cover and Thomas (2006), doi:10.1002/047174882X, section 2.5 (conditional mutual information). Phipson and
    Smyth (2010), doi:10.2202/1544-6115.1585 (p-values of drawn permutations). Efron and Tibshirani (1993),
    doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> coin, other = rng.integers(0, 2, (2, 200))
    >>> got = layer_dependence(np.stack([coin, coin, other], axis=1), features=["a", "b", "c"], rng=rng)
    >>> same, apart = (got.pairs.one(first="a", second=one).value for one in ("b", "c"))
    >>> round(same, 1), abs(apart) < 0.02
    (1.0, True)
    """
    n, f = codes.shape
    within = (
        np.zeros(n, dtype=np.int64)
        if strata is None
        else np.unique(np.asarray(strata, dtype=str), return_inverse=True)[1].reshape(-1)
    )
    if n < 3 or f < 2 or len(features) != f or within.size != n or permutations < 1:
        raise InputError.of(
            expected="three designs, two named features, one stratum a design, one permutation, or more",
            got=f"{n} designs, {f} columns, {len(features)} names, {within.size} strata, {permutations}",
            fix="Align them.",
        )
    pairs = list(combinations(range(f), 2))
    seen = _information(codes, within, pairs)
    null = np.array([_information(_shuffled(codes, within, rng), within, pairs) for _ in range(permutations)])
    without = np.array([_information(np.delete(codes, i, 0), np.delete(within, i), pairs) for i in range(n)])
    excess = seen - null.mean(axis=0)
    shared = {
        "version": VERSION,
        "level": Level.ECOSYSTEM,
        "confidence": confidence,
        "parameters": {"permutations": permutations, "strata": strata is not None},
        "notes": ("bits; n counts designs",),
    }
    found = [
        jackknife_interval(float(excess[k]), without[:, k], confidence=confidence) for k in range(len(pairs))
    ]
    table = MeasurementTable(
        instrument=INSTRUMENT,
        axes={
            "first": np.array([features[i] for i, _ in pairs], dtype=object),
            "second": np.array([features[j] for _, j in pairs], dtype=object),
        },
        value=excess,
        low=[one.low for one in found],
        high=[one.high for one in found],
        n=[float(n)] * len(pairs),
        interval_method="jackknife over designs",
        **shared,  # type: ignore[arg-type]
    )
    whole = jackknife_interval(float(excess.mean()), without.mean(axis=1), confidence=confidence)
    mean = Measurement(
        instrument=f"{INSTRUMENT}.mean",
        value=whole.value,
        low=whole.low,
        high=whole.high,
        n=float(n),
        interval_method="jackknife over designs",
        **shared,  # type: ignore[arg-type]
    )
    p = float((1 + (null.mean(axis=1) >= seen.mean() - 1e-12).sum()) / (1 + permutations))
    chance = Measurement(
        instrument=f"{INSTRUMENT}.p_value",
        value=p,
        low=p,
        high=p,
        n=float(n),
        interval_method="permutation",
        **shared,  # type: ignore[arg-type]
    )
    return LayerDependence(pairs=table, mean=mean, p_value=chance)


def _information(
    codes: Int[np.ndarray, "n f"], within: Int[np.ndarray, " n"], pairs: Sequence[tuple[int, int]]
) -> Float[np.ndarray, " k"]:
    """Return conditional mutual information of each pair, in bits: H(x|s) + H(y|s) - H(x, y|s)."""
    base = int(codes.max()) - int(codes.min()) + 1
    values = codes - codes.min()
    alone = [_entropy(values[:, i] + base * within) for i in range(codes.shape[1])]
    stratum = _entropy(within)
    both = [_entropy(values[:, i] + base * (values[:, j] + base * within)) for i, j in pairs]
    return np.array(
        [alone[i] + alone[j] - joint - stratum for (i, j), joint in zip(pairs, both, strict=True)]
    )


def _entropy(labels: Int[np.ndarray, " n"]) -> float:
    counts = np.bincount(labels)
    shares = counts[counts > 0] / labels.size
    return float(-(shares * np.log2(shares)).sum())


def _shuffled(
    codes: Int[np.ndarray, "n f"], within: Int[np.ndarray, " n"], rng: np.random.Generator
) -> Int[np.ndarray, "n f"]:
    out = codes.copy()
    for stratum in np.unique(within):
        rows = within == stratum
        out[rows] = rng.permuted(codes[rows], axis=0)
    return out
