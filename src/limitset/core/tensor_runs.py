"""What is recorded of many runs of a map of numeric states?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from limitset.core.columns import frozen
from limitset.core.levels import Level, Status


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorRuns:
    """Many runs of one map of numeric states.

    Parameters
    ----------
    level
        Which map was iterated.
    deterministic
        Whether the map is: only then does any run settle.
    steps
        How many steps each run was given.
    tolerance
        Distance that counts as none, relative to the norm of the state.
    rows : (b,)
        The row of each start, as the map was told.
    residuals : (b, steps)
        ‖x_{t+1} − x_t‖ / ‖x_{t+1}‖; 0 where the state did not move, inf where it moved to 0, NaN after the
        end of the run.
    norms : (b, steps + 1)
        ‖x_t‖ from the start on; NaN after the end, inf where the state was no longer finite.
    status : (b,)
        SETTLED (on a fixed point or a cycle), DIVERGED (not finite, or beyond the bound and growing
        geometrically) or UNDECIDED.
    notes : (b,)
        How an undecided run moves: drift, slow, growing, moves, noisy map; "" for the others.
    arrival : (b,)
        First step from which the state stays within `tolerance` of where it ends, inf for never.
    periods : (b,)
        1 for a fixed point, 0 for never.
    ran : (b,)
        How many steps the run took.
    lasts : (b, *shape)
        The last finite state.
    held : row -> (ran + 1, *shape)
        Every state of the runs that were held.
    applications : (b,)
        How often the map was applied for this run, with the checks at the start.
    sketches : (b, steps + 1, k)
        k numbers a state: distances between sketches stand for distances between states; for states of k
        numbers or fewer they are the states. NaN after the end.
    search
        Where the search for cycles stood, for going on.
    """

    level: Level
    deterministic: bool
    steps: int
    tolerance: float
    rows: Int[np.ndarray, " b"]
    residuals: Float[np.ndarray, "b steps"]
    norms: Float[np.ndarray, "b steps_and_start"]
    status: tuple[Status, ...]
    notes: tuple[str, ...]
    arrival: Float[np.ndarray, " b"]
    periods: Int[np.ndarray, " b"]
    ran: Int[np.ndarray, " b"]
    lasts: Shaped[np.ndarray, "b ..."]
    held: Mapping[int, np.ndarray]
    applications: Int[np.ndarray, " b"]
    sketches: Float[np.ndarray, "b steps_and_start k"]
    search: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        arrays = ("rows", "residuals", "norms", "arrival", "periods", "ran", "lasts", "applications")
        for name in (*arrays, "sketches"):
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name))))
        for name in ("held", "search"):
            kept = {key: frozen(array) for key, array in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(kept))

    def __len__(self) -> int:
        return len(self.status)

    @property
    def settled(self) -> Bool[np.ndarray, " b"]:
        """Which runs ended on a fixed point or a cycle."""
        return np.array([one is Status.SETTLED for one in self.status], dtype=bool)

    @property
    def finished(self) -> Bool[np.ndarray, " b"]:
        """Which runs need no more steps: they settled or diverged."""
        return np.array([one is not Status.UNDECIDED for one in self.status], dtype=bool)
