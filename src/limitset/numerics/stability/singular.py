"""How long can a Jacobian, or a power of it, make a vector, and how large is its resolvent?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.stability.arnoldi import Product, arnoldi
from limitset.numerics.vector_map import VectorMap


def largest_singular_value(
    forth: Product, back: Product, first: Tensor, *, steps: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Find the largest singular value of many matrices A by Lanczos steps on A^T A.

    Parameters
    ----------
    forth, back
        Products with A and with its transpose, (b, d) to (b, d).
    first : (b, d)
        First vectors.
    steps
        Lanczos steps, at most d - 1.
    rng
        Source of vectors after an invariant subspace.

    Returns
    -------
    value : (b,)
        The largest Ritz value, never above the singular value but for rounding.
    high : (b,)
        A singular value lies between both.

    References
    ----------
    Parlett (1998), The Symmetric Eigenvalue Problem, doi:10.1137/1.9781611971163, section 4.5.
    """
    space = arnoldi(lambda v: back(forth(v)), first, steps=steps, rng=rng)
    square = space.hessenberg[:, :-1].cpu().double()
    finite = torch.isfinite(square).all(dim=(1, 2))
    symmetric = torch.where(finite[:, None, None], (square + square.transpose(1, 2)) / 2, 0.0)
    values, vectors = torch.linalg.eigh(symmetric)
    residual = space.hessenberg[:, -1, -1].cpu().double() * vectors[:, -1, -1].abs()
    value = torch.where(finite, values[:, -1].clamp(min=0), torch.nan)
    return value.sqrt(), (value + residual).sqrt()


def power_norms(
    f: VectorMap,
    points: Tensor,
    labels: Sequence[int],
    *,
    powers: Sequence[int],
    steps: int,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return ‖J^k‖ and where the next bound stands, (b, p), for powers 0, 1, 2, ... of whole Jacobians.

    Every power is divided by its norm, lest the next overflow. From d <= `steps` on the norms are exact.
    """
    jacobians = f.jacobian(points, labels)
    power = torch.eye(f.dimension).to(points).expand_as(jacobians)
    logs = torch.zeros(len(points), dtype=torch.float64)
    values, highs = [logs.exp()], [logs.exp()]
    for _ in powers[1:]:
        power = jacobians @ power
        if f.dimension <= steps:
            value = high = _exact(power)
        else:
            first = torch.from_numpy(rng.standard_normal(tuple(points.shape))).to(points)
            value, high = largest_singular_value(_times(power), _times(power.mT), first, steps=steps, rng=rng)
        values.append((logs + value.log()).exp())
        highs.append((logs + high.log()).exp())
        size = torch.where(value > 0, value, 1.0)
        power = power / size.to(power)[:, None, None]
        logs = logs + size.log()
    return torch.stack(values, dim=1), torch.stack(highs, dim=1)


def chained_norms(
    f: VectorMap,
    points: Tensor,
    labels: Sequence[int],
    *,
    powers: Sequence[int],
    steps: int,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return the same as `power_norms` for any powers from 0 up, by chains of products with J and J^T.

    J is divided by the stretch a step so far, lest the chains overflow. `steps` is at most d - 1.
    """
    logs = torch.zeros(len(points), dtype=torch.float64)
    values, highs = [logs.exp()], [logs.exp()]
    for power in powers[1:]:
        scale = logs.exp().to(points)[:, None]

        def chain(v: Tensor, product: Callable[..., Tensor], power: int = power, c: Tensor = scale) -> Tensor:
            for _ in range(power):
                v = product(points, labels, v) / c
            return v

        first = torch.from_numpy(rng.standard_normal(tuple(points.shape))).to(points)
        value, high = largest_singular_value(
            partial(chain, product=f.jvp), partial(chain, product=f.vjp), first, steps=steps, rng=rng
        )
        values.append((power * logs + value.log()).exp())
        highs.append((power * logs + high.log()).exp())
        logs = torch.where(value > 0, logs + value.log() / power, logs)
    return torch.stack(values, dim=1), torch.stack(highs, dim=1)


def resolvent_bound(hessenberg: Tensor, *, radii: int = 12, angles: int = 16) -> Tensor:
    r"""Return lower bounds of Kreiss constants from projections `(b, k + 1, k)` or matrices `(b, k, k)`.

    .. math:: K = \sup_{|z| > 1} (|z| - 1) \, \|(z - J)^{-1}\| \ge
        \max_z \frac{|z| - 1}{\sigma_{\min}(z \tilde I - \tilde H)}, \qquad
        K \le \sup_k \|J^k\| \le e \, d \, K

    The rectangular projection can only underestimate the resolvent, and a finite grid only its supremum; the
    limit |z| → ∞ gives 1.

    References
    ----------
    Toh, Trefethen (1996), doi:10.1137/0917002 (rectangular projection); Kreiss (1962),
    doi:10.1007/BF01957330; Trefethen, Embree (2005), Spectra and Pseudospectra, ISBN 0-691-11946-5,
    equations 14.12 and 14.13.
    """
    matrices = hessenberg.detach().cpu().double()
    batch, tall, wide = matrices.shape
    finite = torch.isfinite(matrices).all(dim=(1, 2))
    matrices = torch.where(finite[:, None, None], matrices, 0.0)
    beyond = torch.logspace(-3, 1, radii, dtype=torch.float64).repeat_interleave(angles)
    # a real matrix has the same resolvent norm below the real axis
    turns = torch.linspace(0, math.pi, angles, dtype=torch.float64).repeat(radii)
    points = torch.polar(1 + beyond, turns)
    unit = torch.eye(tall, wide, dtype=torch.complex128)
    bounds = torch.ones(batch, dtype=torch.float64)
    for row in range(batch):
        shifted = points[:, None, None] * unit - matrices[row]
        least = torch.linalg.svdvals(shifted)[:, -1]
        bounds[row] = max(1.0, float((beyond / least).max()))
    return torch.where(finite, bounds, torch.nan)


def _exact(matrices: Tensor) -> Tensor:
    finite = torch.isfinite(matrices).all(dim=2).all(dim=1)
    values = torch.linalg.svdvals(torch.where(finite[:, None, None], matrices, 0.0))[:, 0]
    return torch.where(finite, values, torch.nan).cpu().double()


def _times(matrices: Tensor) -> Product:
    return lambda v: (matrices @ v[:, :, None])[:, :, 0]
