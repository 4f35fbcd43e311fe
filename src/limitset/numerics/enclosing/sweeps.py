"""What does interval arithmetic prove about a map over a whole region, box by box?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from limitset.numerics.enclosing.interval_arithmetic import IntervalArray, OutsideDomainError
from limitset.numerics.enclosing.interval_duals import interval_jacobian
from limitset.numerics.enclosing.krawczyk import jacobian_norm
from limitset.numerics.enclosing.regions import Region

Step = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """Bounds over a region; all are proved.

    Parameters
    ----------
    continuous
        Whether every piece has a bounded image: what runs on intervals without a pole is continuous.
    inside
        Whether every image lies in the region.
    factor
        Upper bound on the spectral norm of every Jacobian; inf where there is none.
    gap
        Lower bound on ||f(x) - x|| over the region; 0 where none was found.
    boxes
        Boxes evaluated.
    """

    continuous: bool
    inside: bool
    factor: float
    gap: float
    boxes: int


def sweep(step: Step, region: Region, *, pieces: int, halvings: int = 0) -> Sweep:
    r"""Evaluate a map and its Jacobians over boxes that cover a region.

    The gap of a box X with middle m is bounded by f(m) - m + (J(X) - I)(X - m) and by f(X) - X; boxes
    that do not exclude 0 are halved along their widest side, `halvings` times at most in all.

    Parameters
    ----------
    step
        The map on intervals.
    region
        Where.
    pieces
        Boxes of the cover.
    halvings
        Boxes halved beyond it.

    Returns
    -------
    Sweep
        The bounds.

    References
    ----------
    Moore, Kearfott, Cloud (2009), doi:10.1137/1.9780898717716, chapter 6 (mean value form, refinement).

    Examples
    --------
    >>> from limitset.numerics.enclosing.regions import Box
    >>> found = sweep(np.cos, Box(np.zeros(1), np.ones(1)), pieces=16)
    >>> found.continuous, found.inside, round(found.factor, 4), found.gap
    (True, True, 0.8415, 0.0)
    """
    continuous, inside, gap = True, True, np.inf
    queue, budget, boxes = list(region.cover(pieces)), halvings, 0
    cover, jacobians = len(queue), []
    while queue:
        box = queue.pop(0)
        image, slopes = _enclosed(step, box)
        boxes += 1
        if boxes <= cover:  # halves lie in boxes that were counted
            continuous &= bool(np.isfinite(image.low).all() and np.isfinite(image.high).all())
            inside &= region.holds(image)
            jacobians.append(slopes)
        least = _least_gap(step, box, image, slopes)
        if least == 0 and budget > 0 and np.isfinite(box.radius).all() and gap > 0:
            budget -= 1
            queue.extend(_halves(box))
            continue
        gap = min(gap, least)
    stacked = IntervalArray(
        np.stack([part.low for part in jacobians]), np.stack([part.high for part in jacobians])
    )
    factor = float(jacobian_norm(stacked).max())
    return Sweep(continuous=continuous, inside=inside, factor=factor, gap=float(gap), boxes=boxes)


def _enclosed(step: Step, box: IntervalArray) -> tuple[IntervalArray, IntervalArray]:
    # where a root or a divisor may reach 0 the slopes, or the image as well, are unknown
    size = len(box)
    unknown = np.full((size, size), np.inf)
    try:
        return interval_jacobian(step, box)
    except OutsideDomainError:
        slopes = IntervalArray(-unknown, unknown)
    try:
        return IntervalArray.of(step(box)), slopes
    except OutsideDomainError:
        return slopes[0], slopes


def _least_gap(step: Step, box: IntervalArray, image: IntervalArray, slopes: IntervalArray) -> float:
    away = image - box
    least = _mignitude(away)
    if (
        np.isfinite(box.radius).all()
        and np.isfinite(slopes.middle).all()
        and np.isfinite(slopes.radius).all()
    ):
        middle = IntervalArray.of(box.middle)
        centred = step(middle) - middle + (slopes - np.eye(len(box))) @ (box - middle)
        low, high = np.maximum(away.low, centred.low), np.minimum(away.high, centred.high)
        # both enclose the truth, so they meet
        least = max(least, _mignitude(IntervalArray(np.minimum(low, high), np.maximum(low, high))))
    return least


def _mignitude(x: IntervalArray) -> float:
    across = (x.low <= 0) & (x.high >= 0)
    least = np.where(across, 0.0, np.minimum(np.abs(x.low), np.abs(x.high)))
    return max(float(((IntervalArray.of(least) ** 2).sum() ** 0.5).low), 0.0) if least.any() else 0.0


def _halves(box: IntervalArray) -> list[IntervalArray]:
    side = int(np.argmax(box.high - box.low))
    cut = box.middle[side]
    first, second = box.high.copy(), box.low.copy()
    first[side] = second[side] = cut
    return [IntervalArray(box.low, first), IntervalArray(second, box.high)]
