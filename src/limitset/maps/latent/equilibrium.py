"""Where does the function inside an equilibrium layer go, with or without the layer's own solver?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from limitset.core.levels import Level
from limitset.core.streams import Streams
from limitset.maps.latent.module import Rows, applied, evaluating, held_rows, like_weights


@dataclass(frozen=True, eq=False)
class EquilibriumMap:
    """The map z -> f(z, x) whose fixed point an equilibrium layer gives out.

    Parameters
    ----------
    function
        f(z, x), a module or any function; a torchdeq layer is called with it: ``deq(lambda z: f(z, x), z0)``.
    inputs : (n, ...)
        One held x a start.
    shape
        Shape of one state z; by default that of one input.

    References
    ----------
    Bai, Kolter, Koltun (2019), arXiv:1909.01377 (equilibrium layers); Geng and Kolter (2023),
    arXiv:2310.18605 (torchdeq).

    Examples
    --------
    >>> held = EquilibriumMap(lambda z, x: z / 2 + x, torch.tensor([[1.0], [3.0]]))
    >>> held.step(held.start([1]), rows=[1], rng=Streams(0)).tolist()
    [[3.0]]
    """

    function: Callable[[Tensor, Tensor], Tensor]
    inputs: Tensor
    shape: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        """How many inputs there are."""
        return len(self.inputs)

    @property
    def level(self) -> Level:
        """Hidden states."""
        return Level.HIDDEN

    @property
    def deterministic(self) -> bool:
        """Yes: evaluation mode switches dropout off."""
        return True

    def start(self, rows: Rows) -> Tensor:
        """Return zero states, from which such layers usually solve."""
        shape = tuple(self.inputs.shape[1:]) if self.shape is None else self.shape
        like = like_weights(self.function) if isinstance(self.function, nn.Module) else self.inputs
        return torch.zeros(len(rows), *shape).to(like)

    def step(self, states: Tensor, *, rows: Rows, rng: Streams) -> Tensor:  # noqa: ARG002 - of the contract
        """Apply f once."""
        return applied(self.function, states, held_rows(self.inputs, rows, states))

    def solved_by(self, layer: Any, states: Tensor, *, rows: Rows) -> Tensor:
        """Return where a torchdeq layer's own solver ends from these states.

        Parameters
        ----------
        layer
            As `torchdeq.get_deq` returns it; called as ``layer(f, states)``, in evaluation mode.
        states : (b, *shape)
            Where it begins.
        rows
            Which starts they are.

        Returns
        -------
        Tensor
            The last state of its trajectory, whether or not it is a fixed point: look at the residual.
        """
        held = held_rows(self.inputs, rows, states)
        with evaluating(layer), torch.no_grad():
            ends, _ = layer(lambda z: applied(self.function, z, held), states.clone())
        return ends[-1]  # type: ignore[no-any-return]
