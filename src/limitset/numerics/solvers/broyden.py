"""Where does a search land that learns the inverse Jacobian from its own steps?"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.solvers.search import Left, Search, checked_count, kept
from limitset.numerics.solvers.solution import Solution
from limitset.numerics.vector_map import Rows, VectorMap

MEMORY: Final = 2**30
"""Bytes of updates held at a time."""
LEARNING: Final = 60
"""Steps without a new least residual that are forgiven: the inverse is still being learned meanwhile."""


def broyden(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    tolerance: float | Tensor = 1e-6,
    max_steps: int = 200,
    window: int | None = None,
    memory: int = MEMORY,
) -> Solution:
    """Solve x = f(x) by Broyden's good method with every update kept, or the last ones.

    x <- x − H g, H <- H + (s − H y) sᵀH / (sᵀH y), s = Δx, y = Δg, g = f(x) − x, H = −I at first

    Parameters
    ----------
    f
        The map.
    starts : (b, d)
        Where to begin; never written to.
    rows
        Which starts of the map the batch holds; all, in order, when None.
    tolerance
        Absolute residual ‖f(x) − x‖ at which a row has converged: one number or (b,).
    max_steps
        Applications of f for a row at most.
    window
        Updates kept at most, after which H begins again at −I; all of them when None.
    memory
        Bytes of updates held at a time, planned before anything is computed: when the window (or
        `max_steps`) updates of 2 x b x d numbers do not fit, the window is made as long as fits.

    Returns
    -------
    Solution
        One application of f a step; the first step is plain iteration.

    Raises
    ------
    InputError
        When not one update fits into `memory`, the tolerance is below what the type of the states can tell
        from 0, or the input is not usable.

    Notes
    -----
    Where the multipliers come close to 1, a search that keeps every update settles rows that Anderson mixing
    with a short window does not. The price is one more pair of vectors to be swept in every step.

    References
    ----------
    Broyden (1965), doi:10.1090/S0025-5718-1965-0198670-6, method 1; Kelley (2003),
    doi:10.1137/1.9780898718898, chapter 4.

    Examples
    --------
    >>> from limitset.maps.known import cosine
    >>> starts = torch.zeros(2, 1, dtype=torch.float64)
    >>> found = broyden(VectorMap.of(cosine(), starts), starts, tolerance=1e-12)
    >>> round(float(found.states[0]), 12), bool(found.evaluations[0] < 10)
    (0.739085133215, True)
    """
    checked_count("max_steps", max_steps)
    if window is not None:
        checked_count("window", window)
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="broyden", patience=LEARNING)
    inverse = Inverse(starts, updates_that_fit(starts, min(window or max_steps, max_steps), memory))
    learn(search, starts, inverse, max_steps=max_steps)
    return search.solution()


def learn(search: Search, starts: Tensor, inverse: Inverse, *, max_steps: int) -> None:
    """Walk and learn until every row has ended or the steps have."""
    x = starts.detach()
    while search.going(max_steps):
        gaps = search(x) - x
        left = search.seen(x, gaps)
        x, gaps = kept(left, x, gaps)
        inverse.keep(left)
        if search.active.size:
            x = x + inverse.step(gaps)


class Inverse:
    """H = −I + Σ uᵢ vᵢᵀ for every row, learned from steps."""

    def __init__(self, starts: Tensor, limit: int) -> None:
        self.limit, self.count = limit, 0
        self.left = starts.new_empty(starts.shape[0], 0, starts.shape[1])
        self.right = self.left
        self.taken: Tensor | None = None
        self.gap = starts

    def keep(self, left: Left | None) -> None:
        """Drop the rows that have ended."""
        if left is not None:
            self.left, self.right = left.within(self.left, self.right)
            (self.gap,) = left.of(self.gap)
            if self.taken is not None:
                (self.taken,) = left.of(self.taken)

    def step(self, gaps: Tensor) -> Tensor:
        """Learn from where the last step led; return the next step −H g."""
        image = self._times(gaps)
        if self.taken is not None:
            s, y = self.taken, gaps - self.gap
            v = self._from_left(s)
            # s = −H g of the last step, so H y needs no product of its own
            curvature = (v * y).sum(dim=1, keepdim=True)
            usable = curvature.abs() > torch.finfo(y.dtype).eps * _length(v) * _length(y)
            u = torch.where(usable, (-image) / torch.where(usable, curvature, 1.0), 0.0)
            self._learn(u, v)
            image = image + u * (v * gaps).sum(dim=1, keepdim=True)
        self.taken, self.gap = -image, gaps
        return self.taken

    def _times(self, vectors: Tensor) -> Tensor:
        return _swept(vectors, self.right[:, : self.count], self.left[:, : self.count])

    def _from_left(self, vectors: Tensor) -> Tensor:
        return _swept(vectors, self.left[:, : self.count], self.right[:, : self.count])

    def _learn(self, u: Tensor, v: Tensor) -> None:
        if self.count == self.limit:
            self.count = 0
        if self.count == self.left.shape[1]:
            more = min(self.limit, max(8, 2 * self.count)) - self.count
            room = u.new_empty(u.shape[0], more, u.shape[1])
            self.left = torch.cat([self.left, room], dim=1)
            self.right = torch.cat([self.right, room], dim=1)
        self.left[:, self.count] = u
        self.right[:, self.count] = v
        self.count += 1


def updates_that_fit(starts: Tensor, wanted: int, memory: int) -> int:
    """Return how many updates, at most `wanted`, fit into `memory` bytes (twice: they move as they grow)."""
    size = 2 * 2 * starts.numel() * starts.element_size()
    if size > memory:
        raise InputError.of(
            expected=f"one update of {starts.shape[0]} rows of d = {starts.shape[1]} must fit into "
            f"memory={memory} bytes",
            got=f"{size} bytes",
            fix="Raise memory, give fewer rows at a time, or use picard.",
        )
    return min(wanted, math.floor(memory / size))


def _swept(vectors: Tensor, first: Tensor, second: Tensor) -> Tensor:
    if not first.shape[1]:
        return -vectors
    weights = torch.bmm(vectors.unsqueeze(1), first.transpose(1, 2))
    swept: Tensor = torch.baddbmm(-vectors.unsqueeze(1), weights, second).squeeze(1)
    return swept


def _length(vectors: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return length
