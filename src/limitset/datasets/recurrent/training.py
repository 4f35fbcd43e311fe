"""How is a looped net trained so that its step can be repeated, the same way every time?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.datasets.planted.twins import one_thread
from limitset.datasets.recurrent.looped_net import LoopedNet
from limitset.datasets.recurrent.tasks import NOT_ASKED, Problems, Task

STEPS: Final = 800
BATCH: Final = 64
ITERATIONS: Final = 15
PEAK_RATE: Final = 0.003
"""Of Adam, reached after a fifth of the steps; with it 800 steps do what 1,600 do at .001 throughout."""
RISING: Final = 0.2
"""Share of the training in which the rate rises."""
LARGEST_GRADIENT: Final = 1.0
"""Longer gradients are shortened to it: nets without a norm have some very long ones."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """How a training went.

    Parameters
    ----------
    losses : (steps,)
        Mean cross-entropy of the positions asked, in nats, before each update.
    skipped
        Updates left out because the gradient was not finite.
    """

    losses: Float[np.ndarray, " s"]
    skipped: int


def train(
    net: LoopedNet,
    task: Task,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    iterations: int = ITERATIONS,
    progressive: float = 1.0,
    seed: int = 0,
    on_step: Callable[[int, float], None] | None = None,
) -> Training:
    """Train a net in place, with the loss that rewards progress from wherever the loop stands.

    L = (1 - a) L(m iterations) + a L(n without gradient, then k), n uniform on 0..m-1, k on 1..m-n.

    Parameters
    ----------
    net
        Changed in place.
    task
        Where the problems come from; each batch has one size, drawn from `task.least` to `task.trained`.
    steps
        Updates (Adam; the rate rises to .003 over the first fifth and falls to 0).
    batch
        Problems of an update.
    iterations
        m, the most iterations of the loop in training.
    progressive
        a in [0, 1]: 1 for the progressive loss alone, 0 for the plain one.
    seed
        Root of the batches and of n and k; the starting weights have the seed of the net.
    on_step
        Called with the number of the update, from 1, and its loss.

    Returns
    -------
    Training
        Losses, and how many updates were left out.

    Raises
    ------
    InputError
        For steps, a batch or iterations below 1, or a share outside [0, 1].

    Notes
    -----
    Runs in one thread, so one machine gives the same weights every time; another kind of processor rounds
    otherwise and can end elsewhere.

    References
    ----------
    Bansal et al. (2022), arXiv:2202.05826, algorithm 1 (progressive loss); Kingma and Ba (2015),
    arXiv:1412.6980, algorithm 1 (Adam).

    Examples
    --------
    >>> from limitset.datasets.recurrent.looped_net import net_for
    >>> from limitset.datasets.recurrent.tasks import PREFIX_SUMS
    >>> net = net_for(PREFIX_SUMS, norm="post", injection="additive", width=8)
    >>> train(net, PREFIX_SUMS, steps=3, batch=4).losses.shape
    (3,)
    """
    if min(steps, batch, iterations) < 1 or not 0.0 <= progressive <= 1.0:
        raise InputError.of(
            expected="training needs steps, a batch and iterations of 1 or more and a share in [0, 1]",
            got=f"{steps}, {batch}, {iterations}, {progressive}",
            fix="Raise what is too low.",
        )
    rng = Streams(seed).child("looped net", task.name).generator("batches")
    weights = list(net.parameters())
    optimizer = torch.optim.Adam(weights, lr=PEAK_RATE)
    losses, skipped = np.full(steps, np.nan), 0
    with one_thread():
        for step in range(steps):
            problems = task.draw(int(rng.integers(task.least, task.trained + 1)), batch, rng)
            optimizer.zero_grad()
            loss = _loss(net, problems, iterations, progressive, rng)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.param_groups[0]["lr"] = _rate((step + 0.5) / steps)
            length = torch.nn.utils.clip_grad_norm_(weights, LARGEST_GRADIENT)
            if bool(torch.isfinite(length)):
                optimizer.step()
            else:
                skipped += 1
            losses[step] = loss.item()
            if on_step is not None:
                on_step(step + 1, float(losses[step]))
    return Training(losses=frozen(losses), skipped=skipped)


def _rate(done: float) -> float:
    """Rate of Adam when a share `done` of the training is over: half a cosine up, then half a cosine down."""
    place = done / RISING - 1 if done < RISING else (done - RISING) / (1 - RISING)
    return PEAK_RATE * (1 + math.cos(math.pi * place)) / 2


def _loss(
    net: LoopedNet, problems: Problems, iterations: int, progressive: float, rng: np.random.Generator
) -> Tensor:
    before = int(rng.integers(0, iterations))
    after = int(rng.integers(1, iterations - before + 1))
    held = net.held(problems.inputs)
    parts = []
    if progressive > 0:
        parts.append(progressive * _loss_after(net, problems, held, before, after))
    if progressive < 1:
        parts.append((1 - progressive) * _loss_after(net, problems, held, 0, iterations))
    return torch.stack(parts).sum()


def _loss_after(net: LoopedNet, problems: Problems, held: Tensor, before: int, after: int) -> Tensor:
    """Cross-entropy after `before` iterations without gradient and `after` with it."""
    states = net.start(problems.inputs)
    if before:
        with torch.no_grad():
            for _ in range(before):
                states = net.advance(states, held)
    for _ in range(after):
        states = net.advance(states, held)
    return torch.nn.functional.cross_entropy(
        net.readout(states).flatten(0, -2), problems.targets.flatten(), ignore_index=NOT_ASKED
    )
