"""What does another way to its limit show of an input?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from limitset.core.results import Measurement

SWAPPED_START: Final = "swapped start"
"""From the limit of another input."""
SWAPPED_SOLVER: Final = "swapped solver"
"""From its own start, by another algorithm."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PathIndependence:
    """How far one other way leads to the same limits.

    Parameters
    ----------
    arm
        Which other way was taken.
    same
        Share of inputs that settle both ways and at the same point, in [0, 1].
    same_of_settled
        The same share of those that settle both ways; blank where none does.
    elsewhere
        Share, of those that settle both ways, that settle surely apart, in [0, 1]; blank where none does.
        What is neither the same nor elsewhere is too near to tell.
    settled
        Share of inputs that settle both ways, in [0, 1].
    alignment
        Mean cosine of the two ends (asymptotic alignment), in [-1, 1]. Read it with the next two: states
        that grow without bound in a common direction align too.
    residual
        Median of the larger of the two relative residuals, 0 or more; small is settled.
    norm_ratio
        Median of ‖other‖ / ‖own‖, 0 or more; 1 is equal length.
    right_before, right_after, right_change
        Right share from the own way, from the other way, and the paired difference, after less before;
        blank without an anchor.
    same_rows : (n,)
        Whether the input settles both ways and at the same point.
    settled_rows : (n,)
        Whether it settles both ways.
    cosine : (n,)
        NaN where an end is zero or not finite.
    distance : (n,)
        ‖other - own‖ / ‖own‖; inf where an end is not finite.
    """

    arm: str
    same: Measurement
    same_of_settled: Measurement
    elsewhere: Measurement
    settled: Measurement
    alignment: Measurement
    residual: Measurement
    norm_ratio: Measurement
    right_before: Measurement
    right_after: Measurement
    right_change: Measurement
    same_rows: Bool[np.ndarray, " n"]
    settled_rows: Bool[np.ndarray, " n"]
    cosine: Float[np.ndarray, " n"]
    distance: Float[np.ndarray, " n"]
