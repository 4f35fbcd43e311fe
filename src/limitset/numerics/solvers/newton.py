"""Where does Newton's method land, with the whole Jacobian and steps that are never long?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.solvers.search import Search, capped, checked_count, kept
from limitset.numerics.solvers.solution import Solution
from limitset.numerics.vector_map import Rows, VectorMap

STEP_CAP: Final = 2.0
"""Longest step. A strict fall of the residual was tried instead and got stuck between points."""
MEMORY: Final = 2**28
"""Bytes of Jacobians held at a time."""

Jacobian = Callable[[Tensor, Rows], Tensor]


def newton(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    tolerance: float | Tensor = 1e-6,
    max_steps: int = 25,
    step_cap: float = STEP_CAP,
    jacobian: Jacobian | None = None,
    memory: int = MEMORY,
) -> Solution:
    """Solve x = f(x) by Newton's method with dense Jacobians.

    x <- x + s min(1, cap / ‖s‖), (I − J(x)) s = f(x) − x

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
        Newton steps at most.
    step_cap
        Longest step, in the units of the states; inf for none.
    jacobian
        The Jacobian of the map in closed form, ``jacobian(states (b, d), rows) -> (b, d, d)``; by automatic
        differentiation when None.
    memory
        Bytes of Jacobians held at a time: rows are taken in chunks that fit.

    Returns
    -------
    Solution
        Evaluations count one for f and d for a Jacobian by differentiation (0 for one in closed form). A row
        whose I − J is singular, or whose residual makes no new least value in 30 steps, has stalled.

    Raises
    ------
    InputError
        When one Jacobian does not fit into `memory`, the tolerance is below what the type of the states can
        tell from 0, or the input is not usable.

    Notes
    -----
    Newton finds unstable fixed points as readily as stable ones: what it finds need not attract anything. The
    residual may rise on the way; a step is shortened by its length, never by the residual.

    References
    ----------
    Kelley (2003), Solving Nonlinear Equations with Newton's Method, doi:10.1137/1.9780898718898, chapter 2.

    Examples
    --------
    >>> from limitset.maps.known import cosine
    >>> starts = torch.zeros(2, 1, dtype=torch.float64)
    >>> found = newton(VectorMap.of(cosine(), starts), starts, tolerance=1e-14)
    >>> round(float(found.states[0]), 15), int(found.evaluations[0])
    (0.739085133215161, 11)
    """
    checked_count("max_steps", max_steps)
    checked_cap(step_cap)
    chunk = rows_that_fit(starts, memory)
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="newton")
    descend(search, starts, max_steps=max_steps, step_cap=step_cap, chunk=chunk, jacobian=jacobian)
    return search.solution()


def descend(
    search: Search,
    starts: Tensor,
    *,
    max_steps: int,
    step_cap: float,
    chunk: int,
    jacobian: Jacobian | None = None,
) -> None:
    """Take Newton steps until every row has ended or the steps have, `chunk` Jacobians at a time."""
    x = starts.detach()
    while search.going(max_steps + 1):
        gaps = search(x) - x
        x, gaps = kept(search.seen(x, gaps), x, gaps)
        if search.going(max_steps + 1):
            steps = []
            for place in range(0, len(x), chunk):
                part = slice(place, place + chunk)
                steps.append(_newton_steps(search.f, x[part], search.live_rows[part], gaps[part], jacobian))
            search.spend(0 if jacobian else search.f.dimension)
            x = x + capped(torch.cat(steps), step_cap)


def _newton_steps(f: VectorMap, x: Tensor, rows: Rows, gaps: Tensor, jacobian: Jacobian | None) -> Tensor:
    system = (jacobian or f.jacobian)(x, rows)
    if system.shape != (*x.shape, x.shape[1]):
        raise InputError.of(
            expected=f"jacobian must give {(*x.shape, x.shape[1])} for states {tuple(x.shape)}",
            got=tuple(system.shape),
            fix="Return one matrix a state.",
        )
    system = -system
    system.diagonal(dim1=1, dim2=2).add_(1)
    steps, info = torch.linalg.solve_ex(system, gaps)
    # a singular I - J has no Newton step: walk on by the map; it is called stalled if that leads nowhere
    singular = (info != 0) | ~torch.isfinite(steps).all(dim=1)
    return torch.where(singular[:, None], gaps, steps)


def checked_cap(cap: float) -> None:
    """Raise unless a step may have a length."""
    if not cap > 0:
        raise InputError.of(
            expected="step_cap must be above 0", got=cap, fix="Use 2.0, or math.inf for no cap."
        )


def rows_that_fit(starts: Tensor, memory: int) -> int:
    """Return how many d x d matrices (two a row: the Jacobian and its factors) fit into `memory` bytes."""
    size = 2 * starts.shape[1] ** 2 * starts.element_size()
    if size > memory:
        raise InputError.of(
            expected=f"one Jacobian of d = {starts.shape[1]} must fit into memory={memory} bytes",
            got=f"{size} bytes",
            fix="Raise memory or use newton_gmres, which needs no matrix.",
        )
    return max(1, math.floor(memory / size))
