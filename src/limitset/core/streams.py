"""Which random numbers does this row draw at this step, whatever else is running?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Streams:
    """A tree of random streams addressed by name, row and step.

    A generator depends on the seed, the path, the row and the step alone: dropping finished rows, another
    batch composition, or a resumed run change nothing.

    Parameters
    ----------
    seed
        Root seed, any integer.
    path
        Names of the branches taken from the root.

    References
    ----------
    Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3,
    doi:10.1145/2063384.2063405 (Philox, the counter-based generator used).

    Examples
    --------
    >>> rng = Streams(7).child("sampling")
    >>> together = rng.uniforms(["a", "b"], step=3)
    >>> alone = rng.uniforms(["b"], step=3)
    >>> bool(together[1] == alone[0])
    True
    """

    seed: int
    path: tuple[str, ...] = ()

    def child(self, *names: str | int) -> Streams:
        """Take a branch; equal names give equal streams."""
        return Streams(self.seed, (*self.path, *(str(name) for name in names)))

    def generator(self, row: str | int = "", step: int = 0) -> np.random.Generator:
        """Return the generator of one row at one step."""
        return np.random.Generator(np.random.Philox(key=self._key(row, step)))

    def uniforms(self, rows: Sequence[str | int], *, step: int) -> Float[np.ndarray, " n"]:
        """Draw one number in [0, 1) for each row at one step."""
        return np.array([self._uniform(row, step) for row in rows], dtype=np.float64)

    def _uniform(self, row: str | int, step: int) -> float:
        # 53 bits of the keyed digest are uniform already: no generator has to be built for one number
        return (self._key(row, step) >> 75) / 9007199254740992.0

    def _key(self, row: str | int, step: int) -> int:
        # \x1f cannot stand in a name that a person types, so ("a", "bc") and ("ab", "c") stay apart
        address = "\x1f".join((str(self.seed), *self.path, f"{type(row).__name__}:{row}", str(step)))
        return int.from_bytes(hashlib.blake2b(address.encode(), digest_size=16).digest(), "big")
