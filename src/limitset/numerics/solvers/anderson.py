"""Where does plain iteration settle when the last few steps are mixed so that they cancel?"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.solvers.search import Left, Search, checked_count, checked_share, kept
from limitset.numerics.solvers.solution import Solution
from limitset.numerics.vector_map import Rows, VectorMap

WINDOW: Final = 6
PLAIN: Final = 40.0
"""A tanh layer of gain .95 (d = 256) took 29.4 evaluations a row in 9.5 ms; mixed at once 27.3 in 15.3 ms."""
RIDGE: Final = 1e-10


def anderson(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    tolerance: float | Tensor = 1e-6,
    max_steps: int = 200,
    window: int = WINDOW,
    mixing: float = 1.0,
    ridge: float = RIDGE,
    plain: float = PLAIN,
) -> Solution:
    """Mix the last steps so that their residuals cancel in the least squares sense.

    x <- x + β g − (ΔX + β ΔG) γ, γ = argmin ‖g − ΔG γ‖² + ridge, g = f(x) − x

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
        Differences ΔX, ΔG that are kept; 2 x window x b x d numbers are held.
    mixing
        β in (0, 1]: how far to go along the mixed residual.
    ridge
        Added to the diagonal of the Gram matrix of the differences, relative to its trace, after each
        difference has been scaled to length 1: so it means the same at every size of the residual.

    plain
        Mixing begins with the first step at whose pace some row needs more than this many further steps;
        until then plain steps are taken, which cost less time and few more evaluations. 0 mixes at once, for
        the fewest evaluations.

    Returns
    -------
    Solution
        One application of f a step.

    Raises
    ------
    InputError
        When the tolerance is below what the type of the states can tell from 0, or the input is not usable.

    Notes
    -----
    An absolute ridge stops the acceleration once the residuals are smaller than it; the scaled one here does
    not. Only one row of the Gram matrix is new in a step. Anderson mixing may also find fixed points that
    repel under plain iteration.

    References
    ----------
    Anderson (1965), doi:10.1145/321296.321305; Walker and Ni (2011), doi:10.1137/10078356X, section 2 (the
    least squares problem without a constraint).

    Examples
    --------
    >>> from limitset.maps.known import cosine
    >>> starts = torch.zeros(2, 1, dtype=torch.float64)
    >>> found = anderson(VectorMap.of(cosine(), starts), starts, tolerance=1e-12)
    >>> round(float(found.states[0]), 12), bool(found.evaluations[0] < 10)
    (0.739085133215, True)
    """
    checked_count("max_steps", max_steps)
    checked_count("window", window)
    checked_share("mixing", mixing)
    if not ridge >= 0:
        raise InputError.of(expected="ridge must be 0 or above", got=ridge, fix="Use 1e-10.")
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="anderson")
    if not plain >= 0:
        raise InputError.of(expected="plain must be 0 or above", got=plain, fix="Use 40.")
    past = Past(window=window, mixing=mixing, ridge=ridge)
    mix(search, starts, past, max_steps=max_steps, plain=plain)
    return search.solution()


def mix(search: Search, starts: Tensor, past: Past, *, max_steps: int, plain: float = PLAIN) -> None:
    """Mix until every row has ended or the steps have."""
    x, mixes = starts.detach(), plain == 0
    while search.going(max_steps):
        gaps = search(x) - x
        left = search.seen(x, gaps)
        x, gaps = kept(left, x, gaps)
        past.keep(left)
        if search.active.size:
            mixes = mixes or search.steps_left() > plain
            x = past.next(x, gaps) if mixes else past.plainly(x, gaps)


class Past:
    """The last differences of states and residuals, scaled to unit falls, and the Gram matrix of these."""

    def __init__(self, *, window: int = WINDOW, mixing: float = 1.0, ridge: float = RIDGE) -> None:
        self.window, self.mixing, self.ridge = window, mixing, ridge
        self.count = 0
        self.state: Tensor | None = None
        # room is made when mixing begins
        self.gap = self.falls = self.moves = self.gram = torch.empty(0)

    def keep(self, left: Left | None) -> None:
        """Drop the rows that have ended."""
        if left is not None and self.state is not None:
            self.state, self.gap = left.of(self.state, self.gap)
            if self.count:
                self.falls, self.moves, self.gram = left.within(self.falls, self.moves, self.gram)

    def _make_room(self, like: Tensor) -> None:
        size, d = like.shape
        self.window = min(self.window, d)
        # a slot that is still empty is orthogonal to all others and gets weight 0
        self.falls = like.new_zeros(size, self.window, d)
        self.moves = like.new_zeros(size, self.window, d)
        self.diagonal = 1.0 + self.ridge * self.window
        self.gram = torch.eye(self.window, dtype=torch.float64, device=like.device).repeat(size, 1, 1)
        self.gram *= self.diagonal
        self.tiny = math.sqrt(torch.finfo(like.dtype).tiny)

    def plainly(self, x: Tensor, gaps: Tensor) -> Tensor:
        """Take a step without mixing, and remember from where."""
        self.state, self.gap = x, gaps
        return torch.add(x, gaps, alpha=self.mixing)

    def next(self, x: Tensor, gaps: Tensor) -> Tensor:
        """Take in one more state and its gap; return where to look next."""
        if self.state is None:
            return self.plainly(x, gaps)
        if not self.count:
            self._make_room(x)
        slot = self.count % self.window
        self.count += 1
        right = self._learn(slot, x - self.state, gaps - self.gap, gaps)
        onward = self.plainly(x, gaps)
        weights = torch.linalg.solve_ex(self.gram, right)[0].to(x.dtype).contiguous()
        return torch.baddbmm(onward.unsqueeze(1), weights.unsqueeze(1), self.moves, alpha=-1).squeeze(1)

    def _learn(self, slot: int, move: Tensor, fall: Tensor, gaps: Tensor) -> Tensor:
        """Put one difference into its slot; return the products of the gaps with all of them."""
        # a difference of length 0 gets weight 0
        scale = torch.linalg.vector_norm(fall, dim=1, keepdim=True).clamp_min_(self.tiny).reciprocal_()
        unit = torch.mul(fall, scale, out=self.falls[:, slot])
        torch.mul(move.add_(fall, alpha=self.mixing), scale, out=self.moves[:, slot])
        # one sweep gives the new row of the Gram matrix and the right-hand side
        products = torch.bmm(torch.stack([unit, gaps], dim=1), self.falls.transpose(1, 2)).double()
        row, right = products.unbind(dim=1)
        row[:, slot] = self.diagonal
        self.gram[:, slot] = row
        self.gram[:, :, slot] = row
        return right
