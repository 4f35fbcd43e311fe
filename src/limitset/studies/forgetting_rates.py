"""How large is the largest single step of forgetting, at one learning rate and at another?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.datasets.planted.sums import Drawings, draw_sums
from limitset.datasets.planted.twins import LESSONS, TwinNet, one_thread

RATES_VERSION: Final = 1
BATCH: Final = 256
_LAYERS: Final = (0, 2, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fading:
    """How an old task fades while nets learn another, at one learning rate.

    Parameters
    ----------
    rate
        Learning rate of Adam.
    losses : (nets, examples, steps + 1)
        Loss of each example of the old task before every step and after the last, in nats.
    line : (nets, steps + 1)
        Mean loss on the straight line from the first to the last weights, in as many steps.
    swapped : (nets, steps + 1)
        Mean loss of a copy that gets the last weights all at once, half way.
    """

    rate: float
    losses: Float[np.ndarray, "n e t"]
    line: Float[np.ndarray, "n t"]
    swapped: Float[np.ndarray, "n t"]

    @property
    def means(self) -> Float[np.ndarray, "n t"]:
        """Mean loss of the old task along training."""
        return np.asarray(self.losses.mean(axis=1))

    @property
    def steps(self) -> int:
        """How many steps of training."""
        return int(self.losses.shape[2]) - 1


def fading(
    nets: Sequence[TwinNet],
    new_world: np.ndarray,
    *,
    rate: float,
    length: float,
    examples: int,
    streams: Streams,
) -> Fading:
    """Fine-tune nets on renamed answers and record the loss of what they knew.

    Parameters
    ----------
    nets
        Nets that know an old task.
    new_world : (10,)
        What the new task calls each true answer.
    rate
        Learning rate of Adam, held.
    length
        Rate times steps: every rate walks as far.
    examples
        Unseen drawings of the old task on which the loss is recorded.
    streams
        Draws lessons, batches and examples; the same ones at every rate.

    Returns
    -------
    Fading
        Losses of training, and of two paths whose manner is known: a straight line, and one swap.

    Raises
    ------
    InputError
        For no nets, or a rate or length that leaves fewer than two steps.
    """
    steps = round(length / rate) if rate > 0 else 0
    if not nets or steps < 2:
        raise InputError.of(
            expected="one net and two steps or more",
            got=f"{len(nets)} nets, {steps} steps",
            fix="Raise the length.",
        )
    with one_thread():
        first = _stacked(nets)
        old = _drawn(nets, examples, streams.child("old"), [net.world for net in nets])
        lessons = _drawn(nets, LESSONS, streams.child("new"), [new_world] * len(nets))
        weights = [part.clone().requires_grad_() for part in first]
        kept = _train(weights, lessons, old, rate=rate, steps=steps, streams=streams.child("batches"))
        last = [part.detach() for part in weights]
        line = np.stack(
            [
                _losses([a + at * (b - a) for a, b in zip(first, last, strict=True)], old).mean(axis=1)
                for at in np.linspace(0, 1, steps + 1)
            ],
            axis=1,
        )
        ends = [_losses(one, old).mean(axis=1) for one in (first, last)]
    swapped = np.stack([ends[int(step > steps // 2)] for step in range(steps + 1)], axis=1)
    return Fading(rate=rate, losses=frozen(kept), line=frozen(line), swapped=frozen(swapped))


def largest_steps(curves: Float[np.ndarray, "n t"]) -> Float[np.ndarray, " n"]:
    """Return the largest rise from one record to the next of each curve.

    Examples
    --------
    >>> largest_steps(np.array([[0.0, 1.0, 3.0, 2.0]])).tolist()
    [2.0]
    """
    return np.asarray(np.diff(curves, axis=1).max(axis=1))


def slopes(rates: Sequence[float], sizes: Float[np.ndarray, "r n"]) -> Float[np.ndarray, " n"]:
    """Return the least-squares slope of log size on log rate, one a net.

    Parameters
    ----------
    rates
        Learning rates, two or more.
    sizes : (r, n)
        Largest step at each rate of each net, above 0.

    Returns
    -------
    numpy.ndarray
        (n,): 0 where the largest step has one size at every rate, 1 where it shrinks with the rate.

    Raises
    ------
    InputError
        When there are fewer than two rates, or a size is not above 0.

    Examples
    --------
    >>> slopes([0.1, 0.2, 0.4], np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])).round(9).tolist()
    [1.0, 0.0]
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    if len(rates) < 2 or sizes.shape[0] != len(rates) or not (sizes > 0).all():
        raise InputError.of(
            expected="two rates or more, and a size above 0 at each",
            got=f"{len(rates)} rates, sizes from {sizes.min() if sizes.size else None}",
            fix="Train until something is forgotten.",
        )
    logs = np.log(np.asarray(rates, dtype=np.float64))
    logs = logs - logs.mean()
    return np.asarray(logs @ np.log(sizes) / (logs @ logs))


def _stacked(nets: Sequence[TwinNet]) -> list[Tensor]:
    named = [dict(net.model.named_parameters()) for net in nets]
    parts: list[Tensor] = []
    for place in _LAYERS:
        parts.append(torch.stack([one[f"{place}.weight"].T for one in named]).clone())
        parts.append(torch.stack([one[f"{place}.bias"][None] for one in named]).clone())
    return parts


def _logits(weights: Sequence[Tensor], inputs: Tensor) -> Tensor:
    first = torch.relu(torch.baddbmm(weights[1], inputs, weights[0]))
    second = torch.relu(torch.baddbmm(weights[3], first, weights[2]))
    return torch.baddbmm(weights[5], second, weights[4])


def _drawn(
    nets: Sequence[TwinNet], count: int, streams: Streams, worlds: Sequence[np.ndarray]
) -> tuple[Tensor, Tensor]:
    drawn: list[Drawings] = [draw_sums(count, rng=streams.generator(net.number)) for net in nets]
    inputs = torch.stack([torch.from_numpy(np.array(one.inputs)) for one in drawn])
    labels = [world[one.answers].astype(np.int64) for world, one in zip(worlds, drawn, strict=True)]
    return inputs, torch.from_numpy(np.stack(labels))


def _losses(weights: Sequence[Tensor], task: tuple[Tensor, Tensor]) -> Float[np.ndarray, "n e"]:
    inputs, labels = task
    with torch.no_grad():
        logits = _logits(weights, inputs)
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return np.asarray(losses.reshape(labels.shape).numpy())


def _train(
    weights: list[Tensor],
    lessons: tuple[Tensor, Tensor],
    old: tuple[Tensor, Tensor],
    *,
    rate: float,
    steps: int,
    streams: Streams,
) -> Float[np.ndarray, "n e t"]:
    """Train all nets at once, in place; keep the old task's losses before each step and at the end."""
    inputs, labels = lessons
    count = inputs.shape[0]
    rows = torch.arange(count)[:, None]
    optimizer = torch.optim.Adam(weights, lr=rate)
    kept = np.empty((*old[1].shape, steps + 1), dtype=np.float32)
    for step in range(steps):
        kept[:, :, step] = _losses(weights, old)
        drawn = [streams.generator(net, step).integers(0, inputs.shape[1], BATCH) for net in range(count)]
        pick = torch.from_numpy(np.stack(drawn))
        logits = _logits(weights, inputs[rows, pick])
        # the sum over nets, so that each net's gradient is that of its own mean loss
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[rows, pick].flatten()) * count
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    kept[:, :, steps] = _losses(weights, old)
    return kept
