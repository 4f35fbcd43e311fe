"""Which small net solves a problem by running one step again and again?"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.core.undefined import UNMATCHED
from limitset.datasets.recurrent.design import injected, require_design, residual
from limitset.datasets.recurrent.tasks import Task

WIDTH: Final = 32
BRANCH_GAIN: Final = 0.3
"""Scale of the branch's last layer at the start: a residual net that begins near the identity."""
SEEN: Final = {1: 3, 2: 4}
"""Vectors that a step sees at a position of a string and of a board."""


class LoopedNet(torch.nn.Module):
    """A residual net over positions that is one step of a loop; the input is held.

    u = injected(x, e), x' = residual(u, F): F is linear, ReLU, linear, each on the surroundings of a
    position, so a step carries news two bits far along a string. States are `(b, *positions, width)`.

    Parameters
    ----------
    norm
        "none", "pre", "post" or "sandwich" (see `design.NORMS`), at every step.
    injection
        "start", "additive", "concatenated" or "gated" (see `design.INJECTIONS`), at every step but for
        "start".
    tokens, answers
        Different tokens of inputs and targets.
    axes
        1 for strings, 2 for boards.
    width
        Numbers that the state holds at a position.
    seed
        Root of the starting weights, which do not depend on the machine's global generator.

    Raises
    ------
    InputError
        For an unknown norm or injection, or sizes below 1.

    References
    ----------
    Bansal et al. (2022), arXiv:2202.05826 (nets with recall); Anil et al. (2022),
    arXiv:2211.09961 (path independence of such nets).

    Examples
    --------
    >>> net = LoopedNet("post", "additive", width=8)
    >>> bits = torch.tensor([[1, 0, 1]])
    >>> states = net.start(bits)
    >>> states.shape, net.step(states, bits).square().mean().round(decimals=2).item()
    (torch.Size([1, 3, 8]), 1.0)
    """

    def __init__(
        self,
        norm: str,
        injection: str,
        *,
        tokens: int = 2,
        answers: int = 2,
        axes: int = 1,
        width: int = WIDTH,
        seed: int = 0,
    ) -> None:
        require_design(norm, injection)
        if min(tokens, answers, width) < 1 or axes not in (1, 2):
            raise InputError.of(
                expected="tokens, answers and width must be 1 or more, axes 1 or 2",
                got=f"{tokens}, {answers}, {width}, {axes}",
                fix="Use the sizes of a task.",
            )
        super().__init__()
        self.norm, self.injection = norm, injection
        self.tokens, self.answers, self.axes, self.width, self.seed = tokens, answers, axes, width, seed
        streams = Streams(seed).child("looped net")
        seen = SEEN[axes] * width
        self.embedding = _weight(streams, "embedding", tokens, width)
        self.first = _linear(streams, "first", seen, width, gain=2**0.5)
        self.second = _linear(streams, "second", seen, width, gain=BRANCH_GAIN)
        self.head = _linear(streams, "head", seen, width, gain=2**0.5)
        self.answer = _linear(streams, "answer", width, answers, gain=1.0)
        joins = {"concatenated": ("adapter",), "gated": ("adapter", "gate")}.get(injection, ())
        made = {name: _linear(streams, name, 2 * width, width, gain=1.0) for name in joins}
        self.joins = torch.nn.ModuleDict(made)

    def held(self, inputs: Tensor) -> Tensor:
        """Return the embedded input `(b, *positions, width)`, which stays the same over the loop."""
        return torch.nn.functional.embedding(inputs, self.embedding)

    def start(self, inputs: Tensor) -> Tensor:
        """Return the first states: the embedded input for injection "start", else zeros.

        Where the input is injected at every step the start says nothing about it, so whatever the net knows
        of the input it knows through the injection.
        """
        held = self.held(inputs)
        return held if self.injection == "start" else torch.zeros_like(held)

    def step(self, states: Tensor, inputs: Tensor) -> Tensor:
        """Run the loop once on states `(b, *positions, width)` and their inputs `(b, *positions)`."""
        return self.advance(states, self.held(inputs))

    def advance(self, states: Tensor, held: Tensor) -> Tensor:
        """Run the loop once on an input that is embedded already."""
        entered = injected(
            states, held, injection=self.injection, adapter=self._join("adapter"), gate=self._join("gate")
        )
        return residual(entered, self._branch, norm=self.norm)

    def readout(self, states: Tensor) -> Tensor:
        """Return the logits of the answers `(b, *positions, answers)`."""
        logits: Tensor = self.answer(torch.relu(self.head(surroundings(states))))
        return logits

    def answered(self, states: Tensor) -> Tensor:
        """Return the answer preferred at each position `(b, *positions)`.

        It is -1, which is never right, where the logits are not finite: a state that overflowed says nothing.
        """
        logits = self.readout(states)
        return logits.argmax(dim=-1).where(torch.isfinite(logits).all(dim=-1), UNMATCHED)

    def _branch(self, states: Tensor) -> Tensor:
        change: Tensor = self.second(surroundings(torch.relu(self.first(surroundings(states)))))
        return change

    def _join(self, name: str) -> torch.nn.Module:
        return self.joins[name] if name in self.joins else torch.nn.Identity()


def net_for(task: Task, *, norm: str, injection: str, seed: int = 0, width: int = WIDTH) -> LoopedNet:
    """Build an untrained net for a task.

    Parameters
    ----------
    task
        Gives tokens, answers and axes.
    norm, injection
        The cell.
    seed
        Root of the starting weights.
    width
        Numbers that the state holds at a position.

    Returns
    -------
    LoopedNet
        In float32; ``net.double()`` makes the same net in float64.

    Examples
    --------
    >>> from limitset.datasets.recurrent.tasks import SUDOKU
    >>> net_for(SUDOKU, norm="pre", injection="gated").axes
    2
    """
    return LoopedNet(
        norm, injection, tokens=task.tokens, answers=task.answers, axes=task.axes, width=width, seed=seed
    )


def surroundings(states: Tensor) -> Tensor:
    """Return at each position what a step sees there.

    On a string: the vectors of the position before, the position, the one after, with zeros beyond the edge
    (so that a linear map of it is a convolution). On a board: the vector of the cell and the means over its
    row, its column and its box.

    Parameters
    ----------
    states : (b, length, width) or (b, side, side, width)
        A string or a board; the side of a board is a square number.

    Returns
    -------
    Tensor
        `(b, length, 3 width)` or `(b, side, side, 4 width)`.

    References
    ----------
    Palm, Paquet, Winther (2018), arXiv:1711.08028 (sudoku by repeated messages between cells).

    Examples
    --------
    >>> surroundings(torch.tensor([[[1.0], [2.0]]])).tolist()
    [[[0.0, 1.0, 2.0], [1.0, 2.0, 0.0]]]
    """
    if states.ndim == 3:
        padded = torch.nn.functional.pad(states, (0, 0, 1, 1))
        return torch.cat([padded[:, :-2], states, padded[:, 2:]], dim=-1)
    # one product: four times faster than means, copies and a concatenation
    groups = _groups(states.shape[1]).to(states)
    return torch.matmul(groups, states.flatten(1, 2)).reshape(*states.shape[:3], -1)


@cache
def _groups(side: int) -> Tensor:
    """Weights of the cell, its row, its column and its box on all cells (4 side^2, side^2)."""
    root = math.isqrt(side)
    row, column = np.divmod(np.arange(side**2), side)
    box = row // root * root + column // root
    members = [np.eye(side**2), *((kind[:, None] == kind[None]) / side for kind in (row, column, box))]
    return torch.from_numpy(np.stack(members, axis=1).reshape(4 * side**2, side**2))


def _weight(streams: Streams, name: str, *shape: int, scale: float = 1.0) -> torch.nn.Parameter:
    drawn = scale * streams.generator(name).standard_normal(shape)
    return torch.nn.Parameter(torch.from_numpy(drawn.astype(np.float32)))


def _linear(streams: Streams, name: str, fan_in: int, fan_out: int, *, gain: float) -> torch.nn.Linear:
    # skip_init: the usual constructor would draw from the global generator
    layer: torch.nn.Linear = torch.nn.utils.skip_init(torch.nn.Linear, fan_in, fan_out)  # type: ignore[no-untyped-call]
    layer.weight = _weight(streams, name, fan_out, fan_in, scale=gain / fan_in**0.5)
    layer.bias = torch.nn.Parameter(torch.zeros(fan_out))
    return layer
