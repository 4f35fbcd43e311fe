"""What can be run again and again?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from limitset.core.levels import Level
from limitset.core.streams import Streams

States = TypeVar("States")


@runtime_checkable
class SelfMap(Protocol[States]):
    """A map from a space of states to itself, applied to a batch.

    Numeric states are torch tensors ``(b, *shape)``; text states are lists of str.
    """

    @property
    def level(self) -> Level:
        """Which map is meant."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether equal states give equal images: only then is a repeated state a cycle."""
        ...

    def step(self, states: States, *, rows: Sequence[int], rng: Streams) -> States:
        """Apply the map once to every state of the batch.

        Parameters
        ----------
        states
            The batch.
        rows
            Which starts the batch holds: finished rows drop out and the held input follows these.
        rng
            Streams of this step; a map that is not deterministic draws `rng.generator(row)`.

        Returns
        -------
        States
            The images, in the same order.
        """
        ...
