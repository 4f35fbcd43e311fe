"""Do drawn points speak against what a caller states, or intervals prove, about a map?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from limitset.core.errors import InputError
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray, OutsideDomainError
from limitset.numerics.enclosing.regions import Ball, Region
from limitset.numerics.enclosing.sampled_facts import Facts, rounding_allowance
from limitset.numerics.enclosing.sweeps import Sweep

Step = Callable[[Any], Any]


def require_theorems(facts: Facts, region: Region, *, image_radius: float, factor: float) -> None:
    """Hold the bounds that a caller states against drawn points.

    Raises
    ------
    InputError
        When a point speaks against one, or `image_radius` is given for a region that is no ball.
    """
    allowance = rounding_allowance(facts.points, facts.images)
    if math.isfinite(image_radius):
        if not isinstance(region, Ball):
            raise InputError.of(
                expected="image_radius needs a ball", got=type(region).__name__, fix="Give a Ball."
            )
        lengths = np.linalg.norm(facts.images - region.centre, axis=1)
        _require(bool((lengths <= image_radius + allowance).all()), f"image_radius {image_radius}")
    _require(facts.ratio <= factor, f"factor {factor}")


def require_same_map(step: Step, facts: Facts, region: Region, swept: Sweep) -> None:
    """Hold a map on intervals, and what was proved of it, against the map at drawn points.

    Raises
    ------
    InputError
        When an image lies outside its enclosure, or a proof is contradicted by a draw.
    """
    allowance = rounding_allowance(facts.points, facts.images)
    for point, image, error in zip(facts.points[:16], facts.images[:16], allowance[:16], strict=True):
        try:
            enclosed = IntervalArray.of(step(IntervalArray.of(point)))
        except OutsideDomainError:  # at the end of a root's domain: nothing to compare
            continue
        same = enclosed.shape == image.shape
        _require(
            same and IntervalArray(enclosed.low - error, enclosed.high + error).contains(image),
            "interval_step",
        )
    _require(not (swept.inside and bool(facts.outside.any())), "interval_step (self-map)")
    _require(facts.ratio <= swept.factor or not region.convex, "interval_step (slopes)")
    gaps = np.linalg.norm(facts.images - facts.points, axis=1) + allowance
    _require(bool((gaps >= swept.gap).all()), "interval_step (gap)")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InputError.of(
            expected=f"{what} must hold for the map at every point",
            got="a point where it does not",
            fix="Mend it.",
        )
