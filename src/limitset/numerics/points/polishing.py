"""How close to rounding can points be brought that are nearly fixed?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.points.shared_newton import CHUNK, DENSE, systems_at
from limitset.numerics.solvers.gmres import Product, gmres
from limitset.numerics.vector_map import Rows, VectorMap


def polish(
    f: VectorMap, points: Tensor, *, rows: Rows, cap: float, cut: float = 0.0, max_steps: int = 60
) -> tuple[Tensor, Tensor, Tensor]:
    """Bring converged points down to rounding: full Newton steps while these shrink and halve the residual.

    Where I − J is singular the step of least length is taken, so that a point of a line stays beside itself.

    Parameters
    ----------
    f
        The map.
    points : (m, d)
        States near fixed points.
    rows : (m,)
        Held inputs.
    cap
        Longest first step.
    cut
        Singular values of I − J below this share of the largest count as 0 from the beginning.
    max_steps
        Steps at most.

    Returns
    -------
    states : (m, d)
    residual : (m,)
    near : (m,) bool
        False where the steps grow: the residual is small there, and yet no fixed point is near.
    """
    best, places = points.detach().clone(), np.asarray(rows)
    gaps = f(best, places) - best
    residual = gaps.norm(dim=1)
    longest = torch.full_like(residual, cap)
    near = torch.ones(len(best), dtype=torch.bool, device=best.device)
    live = torch.arange(len(best), device=best.device)
    for _ in range(max_steps):
        live = live[residual[live] > torch.finfo(best.dtype).eps * best[live].norm(dim=1)]
        if not len(live):
            break
        here = places[live.cpu().numpy()]
        steps = _least_steps(f, best[live], here, gaps[live], longest[live], cut)
        length = steps.norm(dim=1)
        near[live] &= length <= longest[live]  # also False for NaN
        going = near[live]
        live, here = live[going], here[going.cpu().numpy()]
        trial = best[live] + steps[going]
        moved = f(trial, here) - trial
        size = moved.norm(dim=1)
        better = size <= residual[live] / 2
        live = live[better]
        best[live], gaps[live], residual[live] = trial[better], moved[better], size[better]
        longest[live] = length[going][better]
    return best, residual, near


def _least_steps(  # noqa: PLR0917 - the columns of one batch
    f: VectorMap, x: Tensor, rows: Rows, gaps: Tensor, longest: Tensor, cut: float
) -> Tensor:
    """Solve (I − J) s = gaps; where that is singular, by least squares of least length."""
    d, places = f.dimension, np.asarray(rows)
    if d > DENSE:
        return _steps_by_products(f, x, places, gaps)
    chunk = max(1, CHUNK // (d * d * x.element_size()))
    parts = [slice(start, start + chunk) for start in range(0, len(x), chunk)]
    return torch.cat(
        [_least(systems_at(f, x[part], places[part]), gaps[part], longest[part], cut) for part in parts]
    )


def _least(systems: Tensor, gaps: Tensor, longest: Tensor, cut: float) -> Tensor:
    if cut > 0:
        least: Tensor = torch.linalg.pinv(systems, rtol=cut) @ gaps[..., None]
        return least[..., 0]
    factors, pivots, _ = torch.linalg.lu_factor_ex(systems)
    steps: Tensor = torch.linalg.lu_solve(factors, pivots, gaps[..., None])[..., 0]
    diagonal = factors.diagonal(dim1=1, dim2=2).abs()
    eps = torch.finfo(gaps.dtype).eps
    singular = ~(diagonal.amin(dim=1) > eps**0.75 * diagonal.amax(dim=1))
    # a step that grows may be rounding, magnified along a direction that J leaves as it is
    singular |= ~(steps.norm(dim=1) <= longest)
    if bool(singular.any()):
        inverse = torch.linalg.pinv(systems[singular], rtol=eps**0.5)
        steps[singular] = (inverse @ gaps[singular, :, None])[..., 0]
    return steps


def _steps_by_products(f: VectorMap, x: Tensor, places: np.ndarray, gaps: Tensor) -> Tensor:
    found = gmres(product_at(f, x, places), gaps, tolerance=1e-8, krylov=40, restarts=3)
    return found.states


def product_at(f: VectorMap, x: Tensor, rows: np.ndarray) -> Product:
    """Return v -> (I − J) v."""

    def product(vectors: Tensor, held: np.ndarray) -> Tensor:
        return vectors - f.jvp(x[torch.from_numpy(held).to(x.device)], rows[held], vectors)

    return product
