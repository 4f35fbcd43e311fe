"""Which changes of a map of tensors and its starts must leave what is said of its runs alone?

A law takes a summary of runs (what an instrument says of a map and some starts), makes the change, and raises
`LawBrokenError` when the numbers moved otherwise than they must.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.maps.latent import TensorMap
from limitset.testing.conformance import LawBrokenError

STEPS_APART: Final = 2.0
"""Arrivals are estimates: so many steps more or less are the same."""
ROUNDING: Final = 1e-6
SINGLE: Final = 1e-3
"""Difference (relative, above 1) that single precision may make."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorSummary:
    """What an instrument says of the runs of a map.

    Parameters
    ----------
    arrival : (b,)
        Of each start, inf for never; None where the instrument names no step.
    each : name -> (b,)
        Other numbers of each start (periods, codes of kinds).
    shares
        Numbers of all starts together that are shares and sum to 1 or less.
    numbers
        Numbers of all starts together that are not.
    """

    arrival: Float[np.ndarray, " b"] | None = None
    each: Mapping[str, np.ndarray] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


SummariseTensors = Callable[[SelfMap[Any], Tensor], TensorSummary]
TensorLaw = Callable[[SummariseTensors, SelfMap[Any], Tensor, float], None]


def start_order(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, noise: float) -> None:
    """Require the same of every start when the starts come in another order."""
    order = np.random.default_rng(1).permutation(len(starts))
    before, after = summarise(map, starts), summarise(map, starts[torch.as_tensor(order)])
    _require(_rows(before, order), after, "the order of the starts", noise)


def duplicates(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, noise: float) -> None:
    """Require the same when every start stands twice."""
    twice = np.concatenate([np.arange(len(starts))] * 2)
    after = summarise(map, torch.cat([starts, starts]))
    _require(_rows(summarise(map, starts), twice), after, "every start standing twice", noise)


def rotation(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, noise: float) -> None:
    """Require the same when the states are turned about the origin."""
    drawn = np.random.default_rng(2).normal(size=(starts.shape[1], starts.shape[1]))
    turn = torch.as_tensor(np.linalg.qr(drawn)[0]).to(starts)
    turned = TensorMap(step=lambda states: _applied(map, states @ turn) @ turn.T, level=map.level)
    _require(summarise(map, starts), summarise(turned, starts @ turn.T), "a turn of the states", noise)


def scale(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, noise: float) -> None:
    """Require the same when the states have another unit."""
    scaled = TensorMap(step=lambda states: 3 * _applied(map, states / 3), level=map.level)
    _require(summarise(map, starts), summarise(scaled, 3 * starts), "the unit of the states", noise)


def restart(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, noise: float) -> None:
    """Require the same ends, one step nearer, when every start is one step further on."""
    before, after = summarise(map, starts), summarise(map, _applied(map, starts))
    nearer = None if before.arrival is None else np.maximum(before.arrival - 1, 0)
    moved = TensorSummary(arrival=nearer, each=before.each, shares=before.shares, numbers=before.numbers)
    _require(moved, after, "starting one step further on", noise)


def precision(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, noise: float) -> None:
    """Require the same in single precision."""
    before, after = summarise(map, starts), summarise(map, starts.float())
    _require(before, after, "single precision", max(noise, SINGLE))


def bounds(summarise: SummariseTensors, map: SelfMap[Any], starts: Tensor, _noise: float) -> None:
    """Require steps of 0 or more and shares that sum to 1 or less."""
    got = summarise(map, starts)
    if got.arrival is not None and not (got.arrival >= 0).all():
        raise LawBrokenError.of(
            expected="arrival must be 0 or more", got=float(got.arrival.min()), fix="Count again."
        )
    shares = np.array(list(got.shares.values()))
    if shares.size and not ((shares >= 0).all() and shares.sum() <= 1 + ROUNDING):
        raise LawBrokenError.of(
            expected="shares must lie in [0, 1] and sum to 1 or less",
            got=dict(got.shares),
            fix="Count again.",
        )


TENSOR_LAWS: Final[Mapping[str, TensorLaw]] = MappingProxyType(
    {
        "start_order": start_order,
        "duplicates": duplicates,
        "rotation": rotation,
        "scale": scale,
        "restart": restart,
        "precision": precision,
        "bounds": bounds,
    }
)


def _applied(map: SelfMap[Any], states: Tensor) -> Tensor:
    images: Tensor = map.step(states, rows=list(range(len(states))), rng=Streams(0))
    return images


def _rows(summary: TensorSummary, rows: np.ndarray) -> TensorSummary:
    return TensorSummary(
        arrival=None if summary.arrival is None else summary.arrival[rows],
        each={name: column[rows] for name, column in summary.each.items()},
        shares=summary.shares,
        numbers=summary.numbers,
    )


def _require(expected: TensorSummary, got: TensorSummary, change: str, noise: float) -> None:
    if expected.arrival is not None and got.arrival is not None:
        with np.errstate(invalid="ignore"):
            apart = np.abs(expected.arrival - got.arrival)
        same = (expected.arrival == got.arrival) | (apart <= STEPS_APART)
        if not same.all() or (np.isinf(expected.arrival) != np.isinf(got.arrival)).any():
            row = int(np.flatnonzero(~same)[0])
            raise _moved(f"arrival of start {row}", expected.arrival[row], got.arrival[row], change)
    pairs = [(name, expected.each[name], got.each[name]) for name in expected.each]
    for part in ("shares", "numbers"):
        one, other = getattr(expected, part), getattr(got, part)
        if set(one) != set(other):
            raise _moved(part, sorted(one), sorted(other), change)
        pairs += [(name, np.array([one[name]]), np.array([other[name]])) for name in one]
    allowed = max(noise, ROUNDING)
    for name, before, after in pairs:
        with np.errstate(invalid="ignore"):
            near = np.abs(before - after) <= allowed * np.maximum(1.0, np.abs(before))
        same = near | (before == after) | (np.isnan(before) & np.isnan(after))
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            raise _moved(name, before[row], after[row], change)


def _moved(name: str, before: object, after: object, change: str) -> LawBrokenError:
    return LawBrokenError.of(expected=f"{change} must leave {name} at {before}", got=after, fix="Look there.")
