"""Where does Newton's method land when no Jacobian can be held, only its products with vectors?"""

from __future__ import annotations

from typing import Final, TypedDict

import numpy as np
from torch import Tensor

from limitset.numerics.solvers.gmres import gmres
from limitset.numerics.solvers.newton import STEP_CAP, checked_cap
from limitset.numerics.solvers.search import Search, capped, checked_count, checked_share, kept
from limitset.numerics.solvers.solution import Solution
from limitset.numerics.vector_map import Rows, VectorMap

KRYLOV: Final = 12
"""Short on purpose: where twelve directions are not enough, a dense Newton step costs less."""


def newton_gmres(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    tolerance: float | Tensor = 1e-6,
    max_steps: int = 50,
    step_cap: float = STEP_CAP,
    krylov: int = KRYLOV,
    restarts: int = 2,
    forcing: float = 0.1,
) -> Solution:
    """Solve x = f(x) by Newton's method with Jacobian-vector products only.

    x <- x + s min(1, cap / ‖s‖), ‖(I − J(x)) s − (f(x) − x)‖ <= η ‖f(x) − x‖

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
    krylov
        Products with the Jacobian in one Krylov space; (krylov + 1) x b x d numbers are held.
    restarts
        Krylov spaces a Newton step at most.
    forcing
        η in (0, 1]: how exactly the linear equation is solved.

    Returns
    -------
    Solution
        Every product with the Jacobian counts as one evaluation.

    Raises
    ------
    InputError
        When the tolerance is below what the type of the states can tell from 0, or the input is not usable.

    Notes
    -----
    A step whose linear equation was not solved to η is taken all the same: GMRES never makes its residual
    larger. Rows that get nowhere in this way stall.

    References
    ----------
    Knoll and Keyes (2004), doi:10.1016/j.jcp.2003.08.010, section 2; Saad and Schultz (1986),
    doi:10.1137/0907058.

    Examples
    --------
    >>> import torch
    >>> from limitset.maps.known import cosine
    >>> starts = torch.zeros(2, 1, dtype=torch.float64)
    >>> found = newton_gmres(VectorMap.of(cosine(), starts), starts, tolerance=1e-14)
    >>> round(float(found.states[0]), 15)
    0.739085133215161
    """
    for name, value in (("max_steps", max_steps), ("krylov", krylov), ("restarts", restarts)):
        checked_count(name, value)
    checked_cap(step_cap)
    checked_share("forcing", forcing)
    options: _Linear = {"tolerance": forcing, "krylov": krylov, "restarts": restarts}
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="newton_gmres")
    x = starts.detach()
    while search.going(max_steps + 1):
        gaps = search(x) - x
        x, gaps = kept(search.seen(x, gaps), x, gaps)
        if search.going(max_steps + 1):
            x = x + capped(_step(search, x, gaps, options), step_cap)
    return search.solution()


class _Linear(TypedDict):
    tolerance: float
    krylov: int
    restarts: int


def _step(search: Search, x: Tensor, gaps: Tensor, options: _Linear) -> Tensor:
    def product(vectors: Tensor, places: np.ndarray) -> Tensor:
        if len(places) == len(x):
            return vectors - search.f.jvp(x, search.live_rows, vectors)
        return vectors - search.f.jvp(x[places], [search.live_rows[place] for place in places], vectors)

    found = gmres(product, gaps, **options)
    search.evaluations[search.active] += found.products
    return found.states
