"""Which points of a map stay where they are, which only seem to, and is the list known to lack some?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.frames import to_frame
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate
from limitset.core.undefined import UNDEFINED, UNMATCHED


class PointKind(StrEnum):
    """What kind of place a search ended in."""

    FIXED = "fixed"
    """A point whose residual is at or below the tolerance, with no other fixed point in its neighbourhood."""
    CONTINUUM = "continuum"
    """Fixed points without gaps between them (a line, a ring): one entry, however many starts ended in it."""
    SLOW = "slow"
    """A local minimum of the speed ‖f(x) − x‖ above the tolerance: a ghost. Nothing is fixed there."""
    DRIFT = "drift"
    """Starts that move on and on, ever slower or steadily, with no fixed point ahead."""


class Completeness(StrEnum):
    """What the index sum says about a list of fixed points; it never says that the list is complete."""

    NOT_REFUTED = "not refuted"
    """The sum is the required one; two missing points of opposite index would not show."""
    REFUTED = "refuted"
    """The sum is another one: points are missing, or the map does not meet the theorem's conditions."""
    UNDECIDED = "undecided"
    """A point with eigenvalue 1, or a continuum, has no sign."""
    NOT_APPLICABLE = "not applicable"
    """No sum is required of this map."""


_COLUMNS = (
    "residual",
    "scaled_residual",
    "index",
    "unstable",
    "radius",
    "isolated",
    "ends",
    "extent",
    "existence_radius",
    "uniqueness_radius",
    "shares",
    "share_low",
    "share_high",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedPoints:
    """The distinct places in which searches from many starts ended.

    Entries come in the order fixed, continuum, slow, drift, and by share within a kind. Only fixed points and
    continua are fixed; slow points and drifts are listed so that nobody takes them for fixed points.

    Parameters
    ----------
    level
        Which map was searched.
    states : (m, *shape)
        The points; of a continuum the member of least residual, of a drift the state it had reached.
    kinds : (m,)
        What each entry is.
    residual : (m,)
        ‖f(x) − x‖, Euclidean, in the units of the states.
    scaled_residual : (m,)
        The residual over the largest of ‖x‖, ‖f(x)‖ and the tolerance (which is above 0).
    index : (m,)
        Sign of det(I − J): +1, -1, or 0 for undecided (an eigenvalue 1 within rounding, or nothing fixed).
    unstable : (m,)
        Eigenvalues of J outside the unit circle; -1 for unknown.
    eigenvalues : (m, k)
        The leading eigenvalues of J, largest modulus first; NaN where unknown or where d < k.
    radius : (m,)
        Modulus of the first of them: below 1 the point attracts its neighbourhood.
    isolated : (m,)
        Whether no other fixed point lies in the neighbourhood; False for what is not fixed.
    ends : (m,)
        Distinct ends that were merged into the entry (1 for a point, many for a continuum).
    extent : (m,)
        Largest distance of an end from the entry's state; its scale tells how long a continuum is at least.
    certificates : (m,) hypothesis ("exists", "unique") -> how it stands
    existence_radius, uniqueness_radius : (m,)
        A fixed point lies within the first distance, and no other within the second; NaN for not shown.
    shares, share_low, share_high : (m,)
        Share of the solver's runs that ended there, with its Wilson interval: how often the *solver* finds
        it, which is no basin of the map (Newton finds unstable points as readily as stable ones).
    labels : (b,)
        Entry in which each start's run ended, -1 for none.
    outcomes, solvers : (b,)
        How the run of each start ended, and which algorithm made it.
    evaluations : (b,)
        Applications of the map, or products with its Jacobian, spent on each start.
    tolerance, merge_distance
        Largest residual of a fixed point; ends closer than this are one.
    required_index_sum
        What the indices must sum to, None where nothing is known.
    notes
        What a reader must see beside the list.

    Raises
    ------
    InputError
        When a point above the tolerance is called fixed, columns differ in length, or a label names no entry.
    """

    level: Level
    states: Float[np.ndarray, "m ..."]
    kinds: tuple[PointKind, ...]
    residual: Float[np.ndarray, " m"]
    scaled_residual: Float[np.ndarray, " m"]
    index: Int[np.ndarray, " m"]
    unstable: Int[np.ndarray, " m"]
    eigenvalues: Complex[np.ndarray, "m k"]
    radius: Float[np.ndarray, " m"]
    isolated: Bool[np.ndarray, " m"]
    ends: Int[np.ndarray, " m"]
    extent: Float[np.ndarray, " m"]
    certificates: tuple[Mapping[str, Certificate], ...]
    existence_radius: Float[np.ndarray, " m"]
    uniqueness_radius: Float[np.ndarray, " m"]
    shares: Float[np.ndarray, " m"]
    share_low: Float[np.ndarray, " m"]
    share_high: Float[np.ndarray, " m"]
    labels: Int[np.ndarray, " b"]
    outcomes: tuple[str, ...]
    solvers: tuple[str, ...]
    evaluations: Int[np.ndarray, " b"]
    tolerance: float
    merge_distance: float
    required_index_sum: int | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in (*_COLUMNS, "states", "eigenvalues", "labels", "evaluations"):
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name))))
        entries = len(self.kinds)
        wrong = [n for n in (*_COLUMNS, "states", "eigenvalues") if len(getattr(self, n)) != entries]
        if wrong or len(self.certificates) != entries:
            raise InputError.of(
                expected=f"every column must have {entries} entries",
                got=wrong or f"{len(self.certificates)} certificates",
                fix="Align them.",
            )
        above = self.fixed & ~(self.residual <= self.tolerance)
        if above.any():
            raise InputError.of(
                expected=f"a fixed point must have a residual of at most {self.tolerance:.3g}",
                got=f"{self.residual[above].max():.3g}",
                fix="Call it slow.",
            )
        if self.labels.size and not UNMATCHED <= self.labels.min() <= self.labels.max() < entries:
            raise InputError.of(
                expected=f"labels must name one of {entries} entries or be -1",
                got=f"{self.labels.min()} to {self.labels.max()}",
                fix="Label starts that ended nowhere -1.",
            )

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def fixed(self) -> Bool[np.ndarray, " m"]:
        """Which entries are fixed: isolated points and continua."""
        wanted = (PointKind.FIXED, PointKind.CONTINUUM)
        return np.array([kind in wanted for kind in self.kinds], dtype=bool)

    @property
    def fixed_count(self) -> int:
        """How many isolated fixed points were found."""
        return self.kinds.count(PointKind.FIXED)

    @property
    def continuum_count(self) -> int:
        """How many non-isolated sets of fixed points were found."""
        return self.kinds.count(PointKind.CONTINUUM)

    @property
    def certified(self) -> Bool[np.ndarray, " m"]:
        """Which entries were shown to hold a fixed point (how firmly stands in `certificates`)."""
        return np.asarray(self.fixed & np.isfinite(self.existence_radius))

    @property
    def index_sum(self) -> float:
        """Sum of the indices of all fixed entries; NaN where one of them is undecided."""
        found = self.index[self.fixed]
        return UNDEFINED if (found == 0).any() else float(found.sum())

    @property
    def completeness(self) -> Completeness:
        """What the index sum says about the list: necessary for completeness, never sufficient."""
        if self.required_index_sum is None:
            return Completeness.NOT_APPLICABLE
        if math.isnan(self.index_sum):
            return Completeness.UNDECIDED
        same = self.index_sum == self.required_index_sum
        return Completeness.NOT_REFUTED if same else Completeness.REFUTED

    def to_frame(self) -> Any:
        """Return a frame with one row an entry."""
        return to_frame(
            {
                "kind": np.array([str(kind) for kind in self.kinds], dtype=object),
                **{name: getattr(self, name) for name in _COLUMNS},
                "certificates": np.array(
                    ["; ".join(f"{k} {v}" for k, v in one.items()) for one in self.certificates], dtype=object
                ),
            }
        )
