"""Where does plain iteration settle?"""

from __future__ import annotations

import torch
from torch import Tensor

from limitset.numerics.solvers.search import Search, checked_count, checked_share, kept
from limitset.numerics.solvers.solution import Solution
from limitset.numerics.vector_map import Rows, VectorMap


def picard(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    tolerance: float | Tensor = 1e-6,
    max_steps: int = 1000,
    damping: float = 1.0,
) -> Solution:
    """Iterate the map, damped if wanted.

    x <- x + τ (f(x) − x)

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
    damping
        τ in (0, 1]; 1 is the map itself.

    Returns
    -------
    Solution
        One application of f a step. A row whose residual reaches no new least or largest value in 30
        steps has stalled (a cycle, chaos, rounding); one whose residual has grown by 1/eps has diverged.

    Raises
    ------
    InputError
        When the tolerance is below what the type of the states can tell from 0, or the input is not usable.

    Notes
    -----
    A residual that falls as 1/t (a drift without a fixed point) ends as out of steps, or as converged at a
    tolerance that it does pass: a small residual alone proves no fixed point.

    References
    ----------
    Ortega and Rheinboldt (1970), doi:10.1137/1.9780898719468, chapter 12.

    Examples
    --------
    >>> from limitset.maps.known import cosine
    >>> starts = torch.zeros(2, 1, dtype=torch.float64)
    >>> found = picard(VectorMap.of(cosine(), starts), starts, tolerance=1e-12)
    >>> round(float(found.states[0]), 10), str(found.outcomes[0])
    (0.7390851332, 'converged')
    """
    checked_count("max_steps", max_steps)
    checked_share("damping", damping)
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="picard")
    iterate(search, starts, max_steps=max_steps, damping=damping)
    return search.solution()


def iterate(search: Search, starts: Tensor, *, max_steps: int, damping: float = 1.0) -> None:
    """Iterate until every row has ended or the steps have."""
    x = starts.detach()
    while search.going(max_steps):
        gaps = search(x) - x
        x, gaps = kept(search.seen(x, gaps), x, gaps)
        x = torch.add(x, gaps, alpha=damping)
