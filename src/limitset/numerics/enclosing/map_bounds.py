"""What is known about a map around a state beyond what it computes there: curvature and rounding?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.limit_sets import Certificate
from limitset.numerics.enclosing.norm_bounds import (
    frobenius_above,
    gamma,
    length_above,
    raised,
    spectral_norm_above,
    unit_roundoff,
)
from limitset.numerics.vector_map import VectorMap

TANH_CURVATURE: Final = 0.76980035891950105
"""max |tanh''| = 4 / (3 sqrt 3) = .769800358919501014..., rounded up."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MapBounds:
    """What is known about a map around each state, beyond what it computes there.

    Parameters
    ----------
    lipschitz
        L with ||J(x) - J(y)|| <= L ||x - y|| (spectral and Euclidean norms) for all x, y within `radius` of
        the state: one number, or a tensor `(b,)`.
    radius
        Where L holds; inf for everywhere.
    basis
        PROVED when L is a theorem about the map, EMPIRICAL when it was estimated.
    step_error
        Bound on the Euclidean distance of the computed f(x) from the true one, a number or `(b,)`. None: an
        allowance of 16 gamma_{d + 8} (||x|| + ||f(x)|| + sqrt d) is taken and nothing counts as proved.
    jacobian_error
        The same for the computed Jacobian, in the spectral norm; None: 16 gamma_{d + 8} (||J||_F + sqrt d).
    """

    lipschitz: float | Tensor
    radius: float = math.inf
    basis: Certificate = Certificate.PROVED
    step_error: float | Tensor | None = None
    jacobian_error: float | Tensor | None = None

    @property
    def rounding(self) -> Certificate:
        """PROVED when the errors of evaluation are given, EMPIRICAL for the allowance."""
        given = self.step_error is not None and self.jacobian_error is not None
        return Certificate.PROVED if given else Certificate.EMPIRICAL

    @property
    def standing(self) -> Certificate:
        """The weaker of `basis` and `rounding`: how a conclusion drawn from these bounds stands."""
        proved = self.basis is Certificate.PROVED and self.rounding is Certificate.PROVED
        return Certificate.PROVED if proved else Certificate.EMPIRICAL


def tanh_net_lipschitz(weights: np.ndarray | Tensor) -> float:
    """Bound the Lipschitz constant of the Jacobian of x -> tanh(W x + b): 4 / (3 sqrt 3) max_i ||w_i|| ||W||.

    Parameters
    ----------
    weights : (d, d)
        W; any b gives the same.

    Returns
    -------
    float
        L of `MapBounds`, rounded up, valid everywhere.

    References
    ----------
    The slope of tanh has the Lipschitz constant 4 / (3 sqrt 3); the rest is Cauchy and Schwarz's inequality.

    Examples
    --------
    >>> 0.7698 < tanh_net_lipschitz(np.eye(2)) < 0.775
    True
    """
    matrix = torch.as_tensor(weights, dtype=torch.float64)
    rows = length_above(matrix).max()
    return float(raised(TANH_CURVATURE * rows * spectral_norm_above(matrix), 4))


def tanh_net_bounds(weights: np.ndarray | Tensor, states: Tensor, *, bias: Tensor | None = None) -> MapBounds:
    """State the bounds of x -> tanh(W x + b): the closed form of L and the rounding of its evaluation.

    Parameters
    ----------
    weights : (d, d)
        W, in the type of the states.
    states : (b, d)
        Where the map will be evaluated.
    bias : (d,)
        b; none where None.

    Returns
    -------
    MapBounds
        PROVED, under the assumption in Notes.

    Notes
    -----
    Assumes that tanh errs by at most 4 units in the last place (torch's libraries state 1 to 2) and that
    the Jacobian is formed as (1 - tanh^2) W, as torch does.
    """
    matrix = torch.as_tensor(weights).to(states)
    size, unit = states.shape[1], unit_roundoff(states.dtype)
    reach = frobenius_above(matrix.double()) * length_above(states.double())
    if bias is not None:
        reach = reach + length_above(bias.double())
    step = raised(gamma(size + 2, states.dtype) * reach + 8 * unit * math.sqrt(size), 16)
    # |(1 - t^2)~ - (1 - t^2)| <= 2 e + e^2 + 2 u for an error e of t; the product with W rounds once more
    slope = raised(2 * step + step**2 + 3 * unit, 8)
    error = raised(slope * frobenius_above(matrix.double()), 4)
    return MapBounds(lipschitz=tanh_net_lipschitz(matrix), step_error=step, jacobian_error=error)


def sampled_bounds(
    f: VectorMap,
    states: Tensor,
    *,
    radius: float,
    samples: int = 16,
    rows: Sequence[int] | np.ndarray | None = None,
    rng: np.random.Generator,
) -> MapBounds:
    """Estimate the Lipschitz constant of the Jacobian around each state from second differences.

    max over draws of ||J(x + s u) v - J(x) v|| / s, for unit vectors u, v and 0 < s <= `radius`.

    Parameters
    ----------
    f
        The map.
    states : (b, d)
        Approximate fixed points.
    radius
        How far to look, above 0.
    samples
        Draws of (u, s) for each state; v starts at random and is improved by one step of the power method.
    rows : (b,)
        Which start each state belongs to.
    rng
        Source of the draws.

    Returns
    -------
    MapBounds
        `lipschitz` `(b,)`, EMPIRICAL: an estimate from below, larger with more samples.

    Notes
    -----
    In many dimensions a random u seldom points where the Jacobian changes most, so the true constant can be
    several times as large. Nothing drawn from it counts as proved.
    """
    if radius <= 0 or samples < 1:
        raise InputError.of(
            expected="an estimate needs a radius above 0 and a sample",
            got=f"{radius}, {samples}",
            fix="Raise them.",
        )
    places = np.arange(len(states)) if rows is None else np.asarray(rows)
    best = torch.zeros(len(states), dtype=torch.float64, device=states.device)
    for _ in range(samples):
        u, v = (_unit(states, rng) for _ in range(2))
        far = states + float(rng.uniform(0.1, 1.0)) * radius * u
        gap = torch.linalg.vector_norm(far - states, dim=1).double()
        change = f.jvp(far, places, v) - f.jvp(states, places, v)
        back = f.vjp(far, places, change) - f.vjp(states, places, change)
        length = torch.linalg.vector_norm(back, dim=1, keepdim=True)
        v = torch.where(length > 0, back / length, v)
        change = f.jvp(far, places, v) - f.jvp(states, places, v)
        best = torch.maximum(best, torch.linalg.vector_norm(change, dim=1).double() / gap)
    return MapBounds(lipschitz=best, radius=radius, basis=Certificate.EMPIRICAL)


def _unit(states: Tensor, rng: np.random.Generator) -> Tensor:
    draws = rng.standard_normal(tuple(states.shape))
    return torch.from_numpy(draws / np.linalg.norm(draws, axis=1, keepdims=True)).to(states)
