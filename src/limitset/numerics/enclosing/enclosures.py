"""Is there truly a fixed point near a computed one, is it the only one there, and does it attract?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.limit_sets import Certificate
from limitset.numerics.enclosing.map_bounds import MapBounds
from limitset.numerics.enclosing.norm_bounds import (
    frobenius_above,
    gamma,
    length_above,
    product_error,
    raised,
    spectral_norm_above,
    spectral_radius_above,
    unit_roundoff,
)
from limitset.numerics.vector_map import VectorMap

CHUNK_ENTRIES: Final = 2**23
"""Entries of the Jacobians held at once (64 MiB in float64; about ten such arrays live together)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Enclosures:
    """What Newton and Kantorovich's theorem says about the neighbourhood of each state.

    Parameters
    ----------
    exists : (b,) bool
        Whether a fixed point lies within `error` of the state. False means not shown, never refuted.
    error : (b,)
        Radius r- of the ball with the fixed point; inf where none was shown.
    reach : (b,)
        Radius r+ of the open ball around the state that holds no second one; 0 where none was shown.
    convergence : (b,)
        Kantorovich's h = L ||A|| ||A F|| / (1 - ||I - A M||)^2: shown where it is below 1/2.
    inverse : (b,)
        Bound on the norm of (I - J)^-1 at the state; inf where J may have an eigenvalue 1.
    spectral_radius : (b,)
        Upper bound on the spectral radius of the Jacobian at the fixed point; inf where none was shown. Below
        1 the point attracts its neighbourhood.
    standing
        How `exists`, `reach` and `spectral_radius` stand: PROVED or EMPIRICAL, as in
        `MapBounds.standing`.
    """

    exists: Tensor
    error: Tensor
    reach: Tensor
    convergence: Tensor
    inverse: Tensor
    spectral_radius: Tensor
    standing: Certificate

    def __len__(self) -> int:
        return int(self.exists.shape[0])

    def certificates(self, row: int) -> Mapping[str, Certificate]:
        """Return what was shown about one state; what is absent was not shown."""
        if not bool(self.exists[row]):
            return {}
        shown = {"existence": self.standing, "local uniqueness": self.standing}
        if float(self.spectral_radius[row]) < 1:
            shown["stability"] = self.standing
        return shown


def newton_kantorovich(
    f: VectorMap,
    states: Tensor,
    *,
    bounds: MapBounds,
    rows: Sequence[int] | np.ndarray | None = None,
    jacobians: Tensor | None = None,
) -> Enclosures:
    r"""Enclose a fixed point around every state, in float64 with rounding counted.

    With F(x) = x - f(x), M = I - J(x) and a computed inverse A of M:

    .. math:: Y = \|A F(x)\|, \quad Z_0 = \|I - A M\|, \quad Z_2 = \|A\| L, \quad
        r_\mp = \frac{(1 - Z_0) \mp \sqrt{(1 - Z_0)^2 - 2 Y Z_2}}{Z_2}

    Where the root is real and r- <= `radius`, exactly one fixed point lies within min(r+, `radius`) of the
    state, and it lies within r-.

    Parameters
    ----------
    f
        The map.
    states : (b, d)
        Approximate fixed points.
    bounds
        Lipschitz constant of the Jacobian and errors of evaluation: `tanh_net_bounds`, `sampled_bounds`, or
        your own theorem.
    rows : (b,)
        Which start each state belongs to; 0..b-1 where None.
    jacobians : (b, d, d)
        Jacobians at the states where they are known already, else d products a state.

    Returns
    -------
    Enclosures
        Radii in the units of the state; a larger `reach` says more, a smaller `error` says more.

    Raises
    ------
    InputError
        When the states are no finite (b, d) tensor, or a bound is negative.

    Notes
    -----
    Counted: rounding of F, of I - J, of the products with A and of every norm (a bound that holds for any
    order of summation), and whatever `bounds` says about the evaluation of the map. A itself may be any
    matrix: its error is in Z0. Not counted: products of Strassen's kind or in TF32, faulty hardware, and
    errors of the map beyond `bounds`. "The map" is the function of real numbers with the weights
    as they are stored.
    A state that is not enclosed is not refuted. Memory: ten arrays of `CHUNK_ENTRIES` or of one d x d matrix,
    whichever is more.

    References
    ----------
    van den Berg and Lessard (2015), doi:10.1090/noti1276 (the polynomial of radii); Ortega (1968),
    doi:10.2307/2313800 (Kantorovich's theorem); Rump (2010), doi:10.1017/S096249291000005X (rounding).

    Examples
    --------
    >>> from limitset.maps.latent import TensorMap
    >>> x = torch.tensor([[0.739085133]], dtype=torch.float64)
    >>> cosine = VectorMap.of(TensorMap(step=torch.cos), x)
    >>> bounds = MapBounds(lipschitz=1, step_error=1e-15, jacobian_error=1e-15)
    >>> found = newton_kantorovich(cosine, x, bounds=bounds)
    >>> found.certificates(0)["stability"].value, float(found.error) < 1e-9, float(found.reach) > 3
    ('proved', True, True)
    """
    places = np.arange(len(states)) if rows is None else np.asarray(rows)
    _require(states, places, bounds, jacobians)
    size = states.shape[1]
    parts = []
    for chunk in torch.split(torch.arange(len(states)), max(1, CHUNK_ENTRIES // max(1, size**2))):
        here = states[chunk.to(states.device)]
        known = (
            f.jacobian(here, places[chunk.numpy()])
            if jacobians is None
            else jacobians[chunk.to(states.device)]
        )
        parts.append(_enclosed(here, f(here, places[chunk.numpy()]), known, _of_rows(bounds, chunk)))
    columns = [torch.cat(column) for column in zip(*parts, strict=True)]
    names = ("exists", "error", "reach", "convergence", "inverse", "spectral_radius")
    return Enclosures(**dict(zip(names, columns, strict=True)), standing=bounds.standing)


def _enclosed(states: Tensor, images: Tensor, jacobians: Tensor, bounds: MapBounds) -> tuple[Tensor, ...]:
    size, dtype = states.shape[1], states.dtype
    x, image, jacobian = states.double(), images.double(), jacobians.double()
    allowance = 16 * gamma(size + 8, dtype)
    length = length_above(x) + length_above(image) + math.sqrt(size)
    step_error = allowance * length if bounds.step_error is None else torch.as_tensor(bounds.step_error).to(x)
    jacobian_error = (
        allowance * (frobenius_above(jacobian) + math.sqrt(size))
        if bounds.jacobian_error is None
        else torch.as_tensor(bounds.jacobian_error).to(x)
    )
    lipschitz = torch.as_tensor(bounds.lipschitz).to(x).expand(len(x))
    unit = unit_roundoff(torch.float64)
    identity = torch.eye(size).to(x)
    matrix = identity - jacobian
    inverse, _ = torch.linalg.inv_ex(matrix)  # a singular one gives no bound below, and no error
    norm = spectral_norm_above(inverse)
    residual = (x - image)[..., None]

    moved = length_above((inverse @ residual)[..., 0]) + product_error(inverse, residual)
    y = raised(moved + norm * (step_error + unit * frobenius_above(residual)), 8)
    z0 = frobenius_above(identity - inverse @ matrix) + product_error(inverse, matrix)
    z0 = raised(z0 + norm * (jacobian_error + unit * frobenius_above(matrix)), 8)
    z2 = raised(norm * lipschitz, 4)

    lowered = 1 - 8 * gamma(8)
    gap = ((1 - z0) * lowered).clamp(min=0)
    square = gap**2 * lowered - raised(2 * y * z2, 4)
    root = torch.sqrt(square.clamp(min=0)) * lowered
    error = raised(2 * y / (gap + root), 4)
    exists = (square > 0) & (error <= bounds.radius)
    reach = torch.where(lipschitz > 0, (gap + root) / z2 * lowered, math.inf).clamp(max=bounds.radius)
    error = torch.where(exists, error, math.inf)
    spread = torch.where(exists, raised(lipschitz * error + jacobian_error, 4), 0.0)
    radius = spectral_radius_above(jacobian, error=spread)
    return (
        exists,
        error,
        torch.where(exists, reach, 0.0),
        torch.where(gap > 0, y * z2 / gap**2, math.inf),
        torch.where(gap > 0, raised(norm / gap, 4), math.inf),
        torch.where(exists, radius, math.inf),
    )


def _of_rows(bounds: MapBounds, chunk: Tensor) -> MapBounds:
    def part(bound: float | Tensor | None) -> float | Tensor | None:
        if not isinstance(bound, Tensor) or bound.ndim == 0:
            return bound
        return bound[chunk.to(bound.device)]

    lipschitz = part(bounds.lipschitz)
    return MapBounds(
        lipschitz=math.inf if lipschitz is None else lipschitz,
        radius=bounds.radius,
        basis=bounds.basis,
        step_error=part(bounds.step_error),
        jacobian_error=part(bounds.jacobian_error),
    )


def _require(states: Tensor, rows: np.ndarray, bounds: MapBounds, jacobians: Tensor | None) -> None:
    if states.ndim != 2 or not bool(torch.isfinite(states).all()) or len(rows) != len(states):
        raise InputError.of(
            expected="enclosures need finite states (b, d) and one row number a state",
            got=f"shape {tuple(states.shape)}, {len(rows)} rows",
            fix="Flatten the states and leave diverged ones out.",
        )
    wanted = (*states.shape, states.shape[1])
    if jacobians is not None and tuple(jacobians.shape) != wanted:
        raise InputError.of(
            expected=f"Jacobians of these states are {wanted}",
            got=tuple(jacobians.shape),
            fix="Leave them out.",
        )
    numbers = [bounds.lipschitz, bounds.step_error, bounds.jacobian_error, bounds.radius]
    if any(bool((torch.as_tensor(bound) < 0).any()) for bound in numbers if bound is not None):
        raise InputError.of(expected="bounds must be 0 or more", got="a negative one", fix="Give its size.")
