"""Does a box hold exactly one fixed point, or none, by interval arithmetic alone?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from limitset.core.errors import InputError
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray
from limitset.numerics.enclosing.interval_duals import interval_jacobian
from limitset.numerics.enclosing.norm_bounds import (
    frobenius_above,
    spectral_norm_above,
    spectral_radius_above,
)

Step = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class KrawczykBox:
    """What the operator of Krawczyk says about one box.

    Parameters
    ----------
    box : (d,)
        The box that was asked about.
    image : (d,)
        K(box): every fixed point in the box lies in it.
    unique
        Whether the box holds exactly one fixed point (proved; False means not shown).
    empty
        Whether the box holds none (proved; False means not shown).
    slopes : (d, d)
        Every Jacobian in the box.
    """

    box: IntervalArray
    image: IntervalArray
    unique: bool
    empty: bool
    slopes: IntervalArray

    @cached_property
    def spectral_radius(self) -> float:
        """Upper bound on the spectral radius of every Jacobian in the box; inf where they are unbounded."""
        return jacobian_radius(self.slopes)

    @property
    def radius(self) -> float:
        """Largest half width of the image: how far off its middle is at most, in one coordinate."""
        return float(self.image.radius.max())


def krawczyk(step: Step, box: IntervalArray) -> KrawczykBox:
    r"""Apply Krawczyk's operator to a box.

    .. math:: K(X) = m - A (m - f(m)) + (I - A (I - f'(X))) (X - m)

    with m near the middle of X and A near the inverse of I - f'(m). K(X) in the interior of X: exactly one
    fixed point in X. K(X) and X disjoint, or f(X) and X: none.

    Parameters
    ----------
    step
        The map of one state `(d,)`, written with numpy's operators.
    box : (d,)
        X, bounded.

    Returns
    -------
    KrawczykBox
        The statements; every one is proved.

    Raises
    ------
    InputError
        When the box is unbounded, the map has no interval form, or (`OutsideDomainError`) the box reaches
        over a pole or beyond the domain of a root or logarithm.

    Notes
    -----
    Rounding is counted everywhere (`interval_arithmetic`); numpy's exp, log, tanh, cos, sin are trusted to 4
    units in the last place. The map is the one that `step` writes down, not the code it was copied from.

    References
    ----------
    Krawczyk (1969), doi:10.1007/BF02234767; Moore (1977), doi:10.1137/0714040 (existence).

    Examples
    --------
    >>> found = krawczyk(np.cos, IntervalArray(np.array([0.7]), np.array([0.8])))
    >>> found.unique, found.image.contains(0.7390851332151607), found.spectral_radius < 0.73
    (True, True, True)
    """
    if not (np.isfinite(box.low).all() and np.isfinite(box.high).all()):
        raise InputError.of(expected="Krawczyk's operator needs a bounded box", got="inf", fix="Cut it.")
    middle = box.middle
    image, slopes = interval_jacobian(step, box)
    size = len(box)
    if image.shape != (size,):
        raise InputError.of(
            expected=f"a self-map of {size} numbers", got=image.shape, fix="Return one a coordinate."
        )
    bounded = bool(np.isfinite(slopes.low).all() and np.isfinite(slopes.high).all())
    empty = _disjoint(image, box)
    if not bounded:
        return KrawczykBox(box=box, image=box, unique=False, empty=empty, slopes=slopes)
    # any A will do; where I - J has none, its pseudo-inverse proves nothing and errs nowhere
    inverse = np.linalg.pinv(np.eye(size) - slopes.middle)
    residual = IntervalArray.of(middle) - step(IntervalArray.of(middle))
    contraction = np.eye(size) - inverse @ (np.eye(size) - slopes)
    moved = middle - inverse @ residual + contraction @ (box - middle)
    inside = bool((box.low < moved.low).all() and (moved.high < box.high).all())
    none = empty or _disjoint(moved, box)
    low, high = np.maximum(moved.low, box.low), np.minimum(moved.high, box.high)
    shown = box if none else IntervalArray(low, high)
    return KrawczykBox(box=box, image=shown, unique=inside, empty=none, slopes=slopes)


def enclose_point(step: Step, point: np.ndarray, *, steps: int = 8) -> KrawczykBox:
    """Find a small box around an approximate fixed point that holds exactly one.

    A Newton step on the middle, then boxes that grow from a few units in the last place until K lies inside.

    Parameters
    ----------
    step
        The map on intervals.
    point : (d,)
        Approximate fixed point.
    steps
        Boxes tried, each eight times as wide.

    Returns
    -------
    KrawczykBox
        The first box with `unique`, or the last one tried.

    References
    ----------
    Rump (2010), doi:10.1017/S096249291000005X, section 13 (epsilon inflation).
    """
    centre = np.asarray(point, dtype=np.float64)
    for _ in range(3):
        image, slopes = interval_jacobian(step, IntervalArray.of(centre))
        if not np.isfinite(slopes.middle).all():
            break
        centre = centre - np.linalg.pinv(np.eye(len(centre)) - slopes.middle) @ (centre - image.middle)
    width = 64 * np.finfo(np.float64).eps * (np.abs(centre) + np.abs(centre).max(initial=0.0) + 1e-3)
    found = krawczyk(step, IntervalArray(centre - width, centre + width))
    for _ in range(steps - 1):
        if found.unique:
            break
        width = width * 8
        found = krawczyk(step, IntervalArray(centre - width, centre + width))
    return found


def jacobian_norm(slopes: IntervalArray) -> np.ndarray:
    """Bound the spectral norm of every matrix in interval matrices `(..., m, d)`; inf where unbounded.

    ||A|| <= ||middle|| + ||radius||, or || |A| ||, whichever is less.
    """
    middle, radius, size = (spectral_norm_above(torch.from_numpy(part)) for part in _parts(slopes))
    return np.asarray(torch.minimum((middle + radius) * (1 + 1e-15), size).numpy())


def jacobian_radius(slopes: IntervalArray) -> float:
    """Bound the spectral radius of every matrix in a square interval matrix."""
    if not (np.isfinite(slopes.low).all() and np.isfinite(slopes.high).all()):
        return np.inf
    middle, radius, _ = (torch.from_numpy(part) for part in _parts(slopes))
    return float(spectral_radius_above(middle, error=frobenius_above(radius)))


def _parts(slopes: IntervalArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    middle, radius, size = (np.array(part) for part in (slopes.middle, slopes.radius, slopes.magnitude))
    return middle, radius, size


def _disjoint(image: IntervalArray, box: IntervalArray) -> bool:
    return bool(((image.high < box.low) | (image.low > box.high)).any())
