"""What is recorded of many runs of a map, and which limit sets do they end in?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import wilson
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate, LimitKind, LimitSets
from limitset.core.recurrence import Cycle
from limitset.core.undefined import NEVER, UNDEFINED, UNMATCHED


@dataclass(frozen=True, kw_only=True, eq=False)
class Orbits:
    """Many runs of one map.

    Parameters
    ----------
    level
        Which map was iterated.
    deterministic
        Whether the map is: only then has any run a period.
    steps
        How many steps each run was given.
    starts, lasts : (b,)
        First and last state of each run. The last state of a settled run is the one that came back, the entry
        of its cycle; of any other run it is the state after `steps` steps.
    states : (b,) of (length,)
        Every state from start to last, or () when the orbits were not held.
    arrival : (b,)
        Step at which the run entered its cycle (its transient), inf for never.
    periods : (b,)
        Period of the cycle; 1 is a fixed point, 0 stands for never.
    applications : (b,)
        How often the map was applied for this run.
    """

    level: Level
    deterministic: bool
    steps: int
    starts: tuple[Hashable, ...]
    lasts: tuple[Hashable, ...]
    states: tuple[tuple[Hashable, ...], ...]
    arrival: Float[np.ndarray, " b"]
    periods: Int[np.ndarray, " b"]
    applications: Int[np.ndarray, " b"]

    def __post_init__(self) -> None:
        for name in ("arrival", "periods", "applications"):
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name))))

    @classmethod
    def of_cycles(cls, cycles: Sequence[Cycle | None], **columns: Any) -> Orbits:
        """Build from the cycle of each run, None where none was found, and the other columns."""
        return cls(
            arrival=np.array([NEVER if one is None else one.transient for one in cycles], dtype=np.float64),
            periods=np.array([0 if one is None else one.period for one in cycles], dtype=np.int64),
            **columns,
        )

    def __len__(self) -> int:
        return len(self.starts)

    def cycles(self) -> list[Cycle | None]:
        """Return the cycle of each run, None where none was found."""
        pairs = zip(self.arrival, self.periods, strict=True)
        return [Cycle(transient=int(at), period=int(period)) if period else None for at, period in pairs]

    @property
    def held(self) -> bool:
        """Whether every state was kept."""
        return bool(self.states) or not self.starts

    @property
    def settled(self) -> Bool[np.ndarray, " b"]:
        """Which runs entered a cycle."""
        return np.asarray(np.isfinite(self.arrival))

    def cycle_states(self, row: int) -> tuple[Hashable, ...]:
        """Return the states of the cycle a run ended in, () where it never did."""
        self._require_held("cycle_states")
        if not self.settled[row]:
            return ()
        first = int(self.arrival[row])
        return self.states[row][first : first + int(self.periods[row])]

    def state_at(self, row: int, step: int) -> Hashable:
        """Return the state after any number of steps, round the cycle where the run has settled.

        Raises
        ------
        InputError
            When the run was not held, or had not settled and was not run that far.
        """
        self._require_held("state_at")
        states = self.states[row]
        if step < len(states):
            return states[step]
        cycle = self.cycle_states(row)
        if not cycle:
            raise InputError.of(
                expected=f"a run that has not settled has states up to step {len(states) - 1}",
                got=step,
                fix="Iterate longer.",
            )
        return cycle[(step - int(self.arrival[row])) % len(cycle)]

    def limit_sets(self, *, confidence: float = 0.95) -> LimitSets:
        """Return the distinct cycles, each with its share of the starts."""
        certificates = {"periodic": Certificate.PROVED}
        ends = [self.cycle_states(row) for row in range(len(self))]
        return limit_sets_of(
            ends, self.arrival, level=self.level, certificates=certificates, confidence=confidence
        )

    def _require_held(self, what: str) -> None:
        if not self.held:
            raise InputError.of(
                expected=f"{what} needs the whole orbit", got="orbits run with hold=False", fix="Hold them."
            )


def limit_sets_of(
    ends: Sequence[tuple[Hashable, ...]],
    arrival: Float[np.ndarray, " b"],
    *,
    level: Level,
    certificates: dict[str, Certificate],
    confidence: float,
) -> LimitSets:
    """Collect equal cycles, however they were entered, largest share first.

    Parameters
    ----------
    ends : (b,) the states of the cycle each start ended in, () for none
    arrival : (b,) step of entry, inf for never
    level, certificates
        As in `LimitSets`; the certificates hold for every set.
    confidence
        Coverage of the Wilson interval of each share.
    """
    keys = [turned(end) for end in ends]
    counts = {key: keys.count(key) for key in dict.fromkeys(keys) if key}
    points = sorted(counts, key=lambda key: -counts[key])  # stable: equal shares keep their first appearance
    position = {key: index for index, key in enumerate(points)}
    shares = [wilson(counts[key], len(ends), confidence=confidence) for key in points]
    return LimitSets(
        level=level,
        kinds=tuple(LimitKind.FIXED if len(key) == 1 else LimitKind.CYCLE for key in points),
        periods=np.array([len(key) for key in points], dtype=np.int64),
        points=tuple(points),
        shares=np.array([share.value for share in shares], dtype=np.float64),
        share_low=np.array([share.low for share in shares], dtype=np.float64),
        share_high=np.array([share.high for share in shares], dtype=np.float64),
        stability=np.full(len(points), UNDEFINED),
        labels=np.array([position.get(key, UNMATCHED) for key in keys], dtype=np.int64),
        arrival=np.asarray(arrival, dtype=np.float64),
        certificates=tuple(dict(certificates) for _ in points),
    )


def turned(cycle: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Turn a cycle so that its least state (by its printed form) comes first.

    Examples
    --------
    >>> turned(("b", "c", "a")) == turned(("c", "a", "b")) == ("a", "b", "c")
    True
    """
    if not cycle:
        return ()
    first = min(range(len(cycle)), key=lambda index: repr(cycle[index]))
    return (*cycle[first:], *cycle[:first])
