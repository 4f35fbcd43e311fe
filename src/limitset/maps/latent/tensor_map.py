"""How does a function of tensors become a map that can be iterated?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorMap:
    """A self-map of tensors `(b, *shape)` given by a function.

    Parameters
    ----------
    step
        ``step(states)`` or ``step(states, rows)``; `rows` is a tensor `(b,)` of whole numbers that says which
        starts the batch holds, so that a held input follows them: ``net(states, inputs[rows])``. A map that
        draws random numbers takes ``step(states, rows, rng)`` and draws from ``rng.generator(row)``. The step
        of another map, ``step(states, *, rows, rng)``, is taken as well.
    deterministic
        Whether equal states give equal images.
    level
        Which map is meant.

    Examples
    --------
    >>> inputs = torch.tensor([[1.0], [3.0]])
    >>> held = TensorMap(step=lambda states, rows: states / 2 + inputs[rows])
    >>> held.step(torch.zeros(1, 1), rows=[1], rng=Streams(0)).tolist()
    [[3.0]]
    """

    step_function: Callable[..., Tensor]
    deterministic: bool = True
    level: Level = Level.HIDDEN
    arguments: int = 0

    def __init__(
        self, *, step: Callable[..., Tensor], deterministic: bool = True, level: Level = Level.HIDDEN
    ) -> None:
        step = positional(step)
        object.__setattr__(self, "step_function", step)
        object.__setattr__(self, "deterministic", deterministic)
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "arguments", taken_by(step))

    def step(self, states: Tensor, *, rows: Sequence[int], rng: Streams) -> Tensor:
        """Apply the function to the batch."""
        more: tuple[Any, ...] = (torch.as_tensor(rows, dtype=torch.long), rng)
        return self.step_function(states, *more[: self.arguments - 1])


def positional(step: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the step of a map, ``step(states, *, rows, rng)``, as a function of all three."""
    try:
        parameters = inspect.signature(step).parameters
    except (TypeError, ValueError):
        return step
    if not {"rows", "rng"} <= {name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}:
        return step
    return lambda states, rows, rng: step(states, rows=rows, rng=rng)


def taken_by(step: Callable[..., Any]) -> int:
    """Return how many of (states, rows, rng) a step function takes.

    Raises
    ------
    InputError
        When it takes none of them, or needs more.
    """
    shown = step.forward if isinstance(step, torch.nn.Module) else step  # a module hides what it takes
    try:
        parameters = list(inspect.signature(shown).parameters.values())
    except (TypeError, ValueError):  # built-in functions have no signature
        return 1
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.kind in places and p.default is inspect.Parameter.empty]
    if not callable(step) or not 1 <= len(needed) <= 3:
        raise InputError.of(
            expected="step must take (states), (states, rows) or (states, rows, rng)",
            got=f"{len(needed)} arguments without a default",
            fix="Bind the rest, for example with functools.partial or a method.",
        )
    return len(needed)
