"""How does a torch module whose output has the shape of its input become a map that can be iterated?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams

Rows = Sequence[int] | np.ndarray | Tensor


@dataclass(frozen=True, eq=False)
class ModuleMap:
    """A self-map h -> module(h), or h -> module(h, x) with an input x that is held.

    Parameters
    ----------
    module
        Takes states `(b, *shape)` and gives images of the same shape; rows must not depend on each other.
    inputs : (n, ...)
        One held input a start; `None` for a module that takes the states alone. They follow the states to
        their device, and to their type where they are no whole numbers.

    Notes
    -----
    The module is put in evaluation mode for each step and left as it was found: it can be traced in the midst
    of training. Weights get no gradients; states that ask for them do. A module that draws random numbers in
    evaluation mode breaks the contract of a deterministic map: `limitset.testing.check_map` tells.

    Examples
    --------
    >>> halve = nn.Linear(2, 2, bias=False)
    >>> _ = halve.weight.data.copy_(torch.eye(2) / 2)
    >>> ModuleMap(halve).step(torch.ones(1, 2), rows=[0], rng=Streams(0)).tolist()
    [[0.5, 0.5]]
    """

    module: nn.Module
    inputs: Tensor | None = None

    @property
    def level(self) -> Level:
        """Hidden states."""
        return Level.HIDDEN

    @property
    def deterministic(self) -> bool:
        """Yes: evaluation mode switches dropout off."""
        return True

    def start(
        self, rows: Rows, *, shape: tuple[int, ...], scale: float = 1.0, rng: Streams | None = None
    ) -> Tensor:
        """Draw normal states of deviation `scale`, each from its own row, in the module's type and device."""
        return normal_states(
            rows, shape=shape, scale=scale, rng=rng or Streams(0), like=like_weights(self.module)
        )

    def step(self, states: Tensor, *, rows: Rows, rng: Streams) -> Tensor:  # noqa: ARG002 - of the contract
        """Apply the module once."""
        held = () if self.inputs is None else (held_rows(self.inputs, rows, states),)
        return applied(self.module, states, *held)


def applied(function: Callable[..., Tensor], states: Tensor, *held: Tensor) -> Tensor:
    """Call a module in evaluation mode; only the states may carry gradients.

    Raises
    ------
    InputError
        When the image is not a tensor of the shape of the states.
    """
    with evaluating(function):
        images = function(states, *held)
    if not isinstance(images, Tensor) or images.shape != states.shape:
        got = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise InputError.of(
            expected=f"the module must give a tensor {tuple(states.shape)} for states of that shape",
            got=got,
            fix="Wrap it so that it returns the next state alone.",
        )
    return images


@contextlib.contextmanager
def evaluating(function: object) -> Iterator[None]:
    """Put a module, or that of a method, in evaluation mode with constant weights; then each part back.

    Constant weights keep no graph, which a loop of a thousand steps would fill memory with. Switching
    gradients off would silence those of the states too: nested transforms of torch.func hide them from view.
    """
    owner = function if isinstance(function, nn.Module) else getattr(function, "__self__", None)
    module = owner if isinstance(owner, nn.Module) else None
    training = [part for part in module.modules() if part.training] if module else []
    trained = [weights for weights in module.parameters() if weights.requires_grad] if module else []
    for part in training:
        part.training = False
    for weights in trained:
        weights.requires_grad = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
        for weights in trained:
            weights.requires_grad = True


def held_rows(inputs: Tensor, rows: Rows, states: Tensor) -> Tensor:
    """Return the inputs of these rows on the device of the states, in their type where real."""
    index = torch.as_tensor(rows, dtype=torch.long, device=inputs.device)
    if index.numel() and int(index.max()) >= len(inputs):
        raise InputError.of(
            expected=f"a held input for every start; there are {len(inputs)} inputs",
            got=f"start {int(index.max())}",
            fix="Give one input a start.",
        )
    held = inputs.detach()[index]
    return held.to(states) if held.is_floating_point() else held.to(states.device)


def normal_states(rows: Rows, *, shape: tuple[int, ...], scale: float, rng: Streams, like: Tensor) -> Tensor:
    """Draw one state a row from the row's own stream: the same whatever else stands in the batch."""
    drawn = [rng.generator(int(row)).normal(scale=scale, size=shape) for row in rows]
    return torch.as_tensor(np.array(drawn).reshape(len(drawn), *shape)).to(like)


def like_weights(module: nn.Module) -> Tensor:
    """Return a tensor of the type and on the device of a module's weights."""
    for weights in (*module.parameters(), *module.buffers()):
        if weights.is_floating_point():
            return weights.detach()
    return torch.empty(0)
