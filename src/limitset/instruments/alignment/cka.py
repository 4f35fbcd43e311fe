"""Do two sets of activations of the same items have the same shape, up to rotation and scale?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.errors import InputError, UndefinedError
from limitset.core.intervals import Interval, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "linear_cka"
VERSION: Final = 1
BLOCKS: Final = 20  # enough for a t interval, few enough to cost little

Matrix = Float[np.ndarray, "_ _"]
_Form = Callable[[list[np.ndarray], np.ndarray, np.ndarray], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment:
    """How alike two sets of activations are, beside what chance gives."""

    similarity: Measurement
    """At most 1, which a rotated, rescaled or shifted copy has; the interval is over items."""
    chance: Measurement
    """Mean over all pairings of the items; for the unbiased form with two exact deviations to both sides."""
    z: float
    """Standard deviations above chance; NaN for the biased form, whose deviation has no closed form."""


def linear_cka(first: Matrix, second: Matrix, *, confidence: float = 0.95) -> Alignment:
    r"""Measure linear centred kernel alignment with its bias removed.

    .. math:: \frac{\langle \tilde K, \tilde L \rangle}{\|\tilde K\| \|\tilde L\|}, \qquad
        K = X X^\top, \; L = Y Y^\top, \text{ diagonals removed, U-centred}

    Parameters
    ----------
    first, second : (n, a), (n, b)
        Activations of the same items in the same order, four items or more; features need not match.
    confidence
        Coverage of the interval over items (jackknife over 20 blocks of consecutive items), in (0, 1).

    Returns
    -------
    Alignment
        At most 1; 0 on average for activations that have nothing in common, so it may fall below 0.

    Raises
    ------
    InputError
        When items differ in number, are fewer than four, or activations are not finite.
    UndefinedError
        When the activations of one side do not vary over items, or only one item differs.

    Notes
    -----
    One item far out can move it anywhere (arXiv:2210.16156). Nets on the same inputs are alike before any
    training: compare with untrained nets, and with nets trained on false labels.

    References
    ----------
    Kornblith et al. (2019), arXiv:1905.00414, section 3 (CKA). Song et al. (2012), JMLR 13,
    1393-1434 (unbiased inner product). Székely and Rizzo (2013), doi:10.1016/j.jmva.2013.02.012 (n(n - 3)/2
    degrees of freedom, hence the deviation over pairings sqrt(2 / (n(n - 3)))).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((50, 6))
    >>> rotation, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    >>> round(linear_cka(x, 3 * x @ rotation + 1).similarity.value, 12)
    1.0
    """
    x, y = _compared(first, second)
    got = _blocked(x, y, _unbiased, confidence)
    return _alignment("unbiased", got, confidence, 0.0, float(np.sqrt(2 / (len(x) * (len(x) - 3)))))


def biased_linear_cka(first: Matrix, second: Matrix, *, confidence: float = 0.95) -> Alignment:
    r"""Measure linear centred kernel alignment as first published, to compare with published values.

    .. math:: \frac{\|X^\top Y\|_F^2}{\|X^\top X\|_F \|Y^\top Y\|_F}, \qquad X, Y \text{ centred}

    Parameters, errors and interval are those of `linear_cka`.

    Returns
    -------
    Alignment
        In [0, 1]; on average sqrt(PR(x) PR(y)) / (n - 1) for activations that have nothing in common (PR:
        participation ratio), which nears 1 when features outnumber items.

    References
    ----------
    Kornblith et al. (2019), arXiv:1905.00414, section 3. Murphy et al. (2024), arXiv:2405.01012 (bias).

    Examples
    --------
    >>> x, y = (np.random.default_rng(seed).standard_normal((100, 1000)) for seed in (0, 1))
    >>> round(biased_linear_cka(x, y).similarity.value, 1), abs(linear_cka(x, y).similarity.value) < 0.06
    (0.9, True)
    """
    x, y = _compared(first, second)
    got = _blocked(x, y, _biased, confidence)
    ratios = [np.square(side).sum() ** 2 / np.square(side.T @ side).sum() for side in (x, y)]
    return _alignment(
        "biased", got, confidence, float(np.sqrt(ratios[0] * ratios[1])) / (len(x) - 1), UNDEFINED
    )


def _blocked(x: Matrix, y: Matrix, form: _Form, confidence: float) -> Interval:
    """Value on all items, interval from leaving out blocks of consecutive items."""
    pairs = ((x, y), (x, x), (y, y))
    products = [a.T @ b for a, b in pairs]
    k, m = np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    whole = form(products, k, m)
    if np.isnan(whole):
        raise UndefinedError.of(expected="activations must vary", got="at most one apart", fix="Add items.")
    left = []
    for block in np.array_split(np.arange(len(x)), min(BLOCKS, len(x))):
        # downdate: the sums of the centred whole are 0, so those of the rest are minus the block's
        rest = len(x) - len(block)
        parts = [
            product - a[block].T @ b[block] - np.outer(a[block].sum(0), b[block].sum(0)) / rest
            for product, (a, b) in zip(products, pairs, strict=True)
        ]
        norms = (
            np.delete(norm + 2 * side @ sums / rest + sums @ sums / rest**2, block)
            for side, norm, sums in ((x, k, x[block].sum(0)), (y, m, y[block].sum(0)))
        )
        left.append(form(parts, *norms))
    got = jackknife_interval(whole, np.array(left), confidence=confidence)
    return Interval(value=whole, low=got.low, high=min(got.high, max(1.0, whole)), n=float(len(x)))


def _unbiased(products: list[np.ndarray], k: np.ndarray, m: np.ndarray) -> float:
    if (n := len(k)) < 4:
        return UNDEFINED
    # Song et al.'s unbiased estimate times n(n - 3), from |X'Y|^2 and squared row norms k, m of centred X, Y
    cross, own_x, own_y = (
        np.square(product).sum() - n / (n - 2) * (a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2))
        for product, a, b in zip(products, (k, k, m), (m, k, m), strict=True)
    )
    # a U-centred Gram of zero leaves rounding dust of the size of its biased norm
    if own_x <= 1e-12 * np.square(products[1]).sum() or own_y <= 1e-12 * np.square(products[2]).sum():
        return UNDEFINED
    return float(cross / (np.sqrt(own_x) * np.sqrt(own_y)))


def _biased(products: list[np.ndarray], k: np.ndarray, m: np.ndarray) -> float:
    cross, own_x, own_y = (np.square(product).sum() for product in products)
    return float(cross / (np.sqrt(own_x) * np.sqrt(own_y))) if k.any() and m.any() else UNDEFINED


def _alignment(form: str, got: Interval, confidence: float, mean: float, deviation: float) -> Alignment:
    similarity = Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.REPRESENTATION,
        value=got.value,
        low=got.low,
        high=got.high,
        interval_method="jackknife over blocks of consecutive items",
        confidence=confidence,
        n=got.n,
        parameters={"form": form, "blocks": BLOCKS, "n_counts": "items"},
    )
    low, high, kind = mean - 2 * deviation, mean + 2 * deviation, "permutation"
    chance = replace(similarity, value=mean, low=low, high=high, interval_method="exact", null_kind=kind)
    return Alignment(similarity=similarity, chance=chance, z=(got.value - mean) / deviation)


def _compared(first: Matrix, second: Matrix) -> tuple[Matrix, Matrix]:
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    usable = first.ndim == second.ndim == 2 and len(first) == len(second) >= 4
    if not usable or not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError.of(
            expected="both sides must be finite, (items, features), of the same 4 or more items in order",
            got=f"shapes {first.shape} and {second.shape}" if not usable else "NaN or infinity",
            fix="Select the items common to both.",
        )
    return _compact(_centred(first)), _compact(_centred(second))


def _compact(x: Matrix) -> Matrix:
    """Return at most n features with the same Gram matrix: X' = QR, so XX' = R'R."""
    return x if x.shape[1] <= len(x) else np.asarray(np.linalg.qr(x.T, mode="r")).T


def _centred(x: Matrix) -> Matrix:
    centred, dust = x - x.mean(axis=0), 4 * np.finfo(np.float64).eps * np.abs(x).max()
    # constant activations leave rounding dust, which must not be taken for variation
    return centred if np.abs(centred).max() > dust else np.zeros_like(centred)
