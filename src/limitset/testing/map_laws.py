"""Which changes of a map and its starts must leave what is said of its orbits alone?

A law takes a summary of orbits (what an instrument says of a `FiniteMap` and some starts), makes the change,
and raises `LawBrokenError` when the numbers moved otherwise than they must.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.undefined import NEVER
from limitset.maps.classic import FiniteMap
from limitset.testing.conformance import LawBrokenError


@dataclass(frozen=True, kw_only=True, eq=False)
class OrbitSummary:
    """What an instrument says of the orbits of a map.

    Parameters
    ----------
    arrival, periods : (b,)
        Of each start, inf and 0 for never; None where the instrument speaks of all starts together.
    shares
        Numbers of all starts together that are shares.
    numbers
        Numbers of all starts together that are not.
    """

    arrival: Float[np.ndarray, " b"] | None = None
    periods: Float[np.ndarray, " b"] | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


Summarise = Callable[[FiniteMap, Sequence[int]], OrbitSummary]
MapLaw = Callable[[Summarise, FiniteMap, Sequence[int]], None]


def start_order(summarise: Summarise, map: FiniteMap, starts: Sequence[int]) -> None:
    """Require the same of every start when the starts come in another order."""
    order = np.random.default_rng(1).permutation(len(starts))
    before, after = summarise(map, starts), summarise(map, [starts[row] for row in order])
    _require(_rows(before, order), after, "the order of the starts")


def relabelling(summarise: Summarise, map: FiniteMap, starts: Sequence[int]) -> None:
    """Require the same when the states get other names: the map is conjugated by a permutation."""
    name = np.random.default_rng(2).permutation(len(map.images))
    back = np.argsort(name)
    renamed = FiniteMap(images=tuple(int(name[map.images[back[state]]]) for state in range(len(name))))
    after = summarise(renamed, [int(name[start]) for start in starts])
    _require(summarise(map, starts), after, "the names of the states")


def duplicates(summarise: Summarise, map: FiniteMap, starts: Sequence[int]) -> None:
    """Require the same when every start stands twice."""
    twice = np.concatenate([np.arange(len(starts))] * 2)
    after = summarise(map, [*starts, *starts])
    _require(_rows(summarise(map, starts), twice), after, "every start standing twice")


def restart(summarise: Summarise, map: FiniteMap, starts: Sequence[int]) -> None:
    """Require the same cycles, one step nearer, when every start is one step further on."""
    before, after = summarise(map, starts), summarise(map, [map.images[start] for start in starts])
    nearer = None if before.arrival is None else np.maximum(before.arrival - 1, 0)
    moved = OrbitSummary(arrival=nearer, periods=before.periods, shares=before.shares, numbers=before.numbers)
    _require(moved, after, "starting one step further on")


def bounds(summarise: Summarise, map: FiniteMap, starts: Sequence[int]) -> None:
    """Require tails and periods that fit into the states there are, and shares in [0, 1]."""
    got = summarise(map, starts)
    if got.arrival is not None and got.periods is not None:
        fits = (got.arrival >= 0) & (got.periods >= 1) & (got.arrival + got.periods <= len(map.images))
        fits |= (got.arrival == NEVER) & (got.periods == 0)
        if not fits.all():
            row = int(np.flatnonzero(~fits)[0])
            raise LawBrokenError.of(
                expected=f"transient + period may be {len(map.images)} at most and period 1 at least",
                got=f"{got.arrival[row]} + {got.periods[row]}",
                fix="Count again.",
            )
    outside = {name: share for name, share in got.shares.items() if not (0 <= share <= 1)}
    if outside:
        raise LawBrokenError.of(expected="shares must lie in [0, 1]", got=outside, fix="Count again.")


DYNAMICS_LAWS: Final[Mapping[str, MapLaw]] = MappingProxyType(
    {
        "start_order": start_order,
        "relabelling": relabelling,
        "duplicates": duplicates,
        "restart": restart,
        "bounds": bounds,
    }
)


def _rows(summary: OrbitSummary, rows: np.ndarray) -> OrbitSummary:
    return OrbitSummary(
        arrival=None if summary.arrival is None else summary.arrival[rows],
        periods=None if summary.periods is None else summary.periods[rows],
        shares=summary.shares,
        numbers=summary.numbers,
    )


def _require(expected: OrbitSummary, got: OrbitSummary, change: str) -> None:
    for name in ("arrival", "periods"):
        one, other = getattr(expected, name), getattr(got, name)
        if one is not None and not np.array_equal(one, other):
            raise LawBrokenError.of(
                expected=f"{change} must move {name} to {one.tolist()}", got=other.tolist(), fix="Look there."
            )
    before, after = {**expected.shares, **expected.numbers}, {**got.shares, **got.numbers}
    moved = [name for name in before if not np.isclose(before[name], after[name], atol=1e-9, equal_nan=True)]
    if moved:
        name = moved[0]
        raise LawBrokenError.of(
            expected=f"{change} must leave {name} at {before[name]}", got=after[name], fix="Look there."
        )
