"""Where do the orbits of a map end, and how sure is each statement about it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.undefined import UNDEFINED, UNMATCHED


class LimitKind(StrEnum):
    """What kind of set an orbit ends in."""

    FIXED = "fixed"
    CYCLE = "cycle"
    TORUS = "torus"
    CHAOS = "chaos"
    CONTINUUM = "continuum"
    DIVERGED = "diverged"
    UNDECIDED = "undecided"


class Certificate(StrEnum):
    """How a hypothesis about a limit set stands."""

    PROVED = "proved"
    EMPIRICAL = "empirical"
    REFUTED = "refuted"


@dataclass(frozen=True, kw_only=True, eq=False)
class LimitSets:
    """The distinct ends of many orbits.

    Parameters
    ----------
    level
        Which map was iterated.
    kinds : (m,) what each limit set is
    periods : (m,) period; 1 for a fixed point, 0 where the word has no meaning
    points : (m,) the states of each set, one entry a phase
    shares : (m,) share of the starts that end in it, in [0, 1]
    share_low, share_high : (m,) interval of the share
    stability : (m,) share of small shocks after which the orbit comes back, NaN where not tested
    certificates : hypothesis -> how it stands, for each set
    labels : (b,) limit set of each start, -1 for none
    arrival : (b,) step at which the start entered its limit set, inf for never, NaN where no step can be
        named (a torus, chaos)
    exponents, exponent_low, exponent_high : (m,) largest Lyapunov exponent a step with its interval, NaN
        where not measured
    notes : (m,) what a reader must see beside each set

    Raises
    ------
    InputError
        When a label names no set, or a start with a set that can be arrived at never arrived.
    """

    level: Level
    kinds: tuple[LimitKind, ...]
    periods: Int[np.ndarray, " m"]
    points: tuple[tuple[object, ...], ...]
    shares: Float[np.ndarray, " m"]
    share_low: Float[np.ndarray, " m"]
    share_high: Float[np.ndarray, " m"]
    stability: Float[np.ndarray, " m"]
    labels: Int[np.ndarray, " b"]
    arrival: Float[np.ndarray, " b"]
    certificates: tuple[Mapping[str, Certificate], ...] = field(default=())
    exponents: Float[np.ndarray, " m"] | None = None
    exponent_low: Float[np.ndarray, " m"] | None = None
    exponent_high: Float[np.ndarray, " m"] | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        exponents = ("exponents", "exponent_low", "exponent_high")
        for name in exponents:
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(len(self.kinds), UNDEFINED))
        numbers = ("periods", "shares", "share_low", "share_high", "stability", "labels", "arrival")
        for name in (*numbers, *exponents):
            object.__setattr__(self, name, frozen(np.asarray(getattr(self, name))))
        if self.labels.size and (self.labels.max() >= len(self.kinds) or self.labels.min() < UNMATCHED):
            raise InputError.of(
                expected=f"labels must name one of {len(self.kinds)} limit sets or be -1",
                got=int(self.labels.max()),
                fix="Label starts without a limit set -1.",
            )
        nowhere = (LimitKind.DIVERGED, LimitKind.UNDECIDED)
        places = [UNMATCHED, *(place for place, kind in enumerate(self.kinds) if kind in nowhere)]
        if (np.isinf(self.arrival) & ~np.isin(self.labels, places)).any():
            raise InputError.of(
                expected="a start with a limit set must have arrived", got="arrival inf", fix="Label it -1."
            )

    def __len__(self) -> int:
        return len(self.kinds)
