"""What does a solver of x = f(x) hand back, row by row?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor


class Outcome(StrEnum):
    """How the search of one row ended."""

    CONVERGED = "converged"
    STALLED = "stalled"
    """The residual stopped falling above the tolerance."""
    DIVERGED = "diverged"
    OUT_OF_STEPS = "out of steps"


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """The best state found for every start.

    Parameters
    ----------
    states : (b, d)
        The iterate of least residual of each row.
    residual : (b,)
        ‖f(x) − x‖ of that state, Euclidean, not scaled.
    outcomes : (b,)
        How each row ended; only `CONVERGED` rows may be used as fixed points.
    evaluations : (b,) int64
        Applications of f for each row; a product with its Jacobian counts as one.
    solvers : (b,)
        Which algorithm gave the state (more than one name where `auto` handed rows on).
    """

    states: Tensor
    residual: Tensor
    outcomes: tuple[Outcome, ...]
    evaluations: Tensor
    solvers: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.outcomes)
