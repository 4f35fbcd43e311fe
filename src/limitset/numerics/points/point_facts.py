"""What does the Jacobian say about a fixed point: does it attract, has it a sign, may others touch it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Complex, Int
from torch import Tensor

from limitset.core.undefined import UNMATCHED
from limitset.numerics.points.shared_newton import CHUNK, DENSE
from limitset.numerics.stability.arnoldi import leading_eigenvalues
from limitset.numerics.vector_map import Rows, VectorMap


@dataclass(frozen=True, kw_only=True, eq=False)
class PointFacts:
    """The linear part of a map at every point.

    Parameters
    ----------
    eigenvalues : (m, count) complex
        Largest modulus first, NaN where d < count.
    unstable : (m,)
        Eigenvalues of modulus above 1 + sqrt(eps) max(1, |first|); -1 where some may be missing.
    index : (m,)
        Sign of det(I − J), 0 where I − J is singular within rounding, or eigenvalues may be missing.
    singular : (m,)
        Whether the least singular value of I − J is below sqrt(eps) max(1, largest).
    still : (m, d)
        Direction that J changes least (0 where not singular, or where no whole Jacobian was used).
    """

    eigenvalues: Complex[np.ndarray, "m k"]
    unstable: Int[np.ndarray, " m"]
    index: Int[np.ndarray, " m"]
    singular: Bool[np.ndarray, " m"]
    still: Tensor

    def taken(self, places: Int[np.ndarray, " e"], *, fixed: Bool[np.ndarray, " e"]) -> PointFacts:
        """Select points; those that are not isolated fixed points lose their index."""
        return PointFacts(
            eigenvalues=self.eigenvalues[places],
            unstable=self.unstable[places],
            index=np.where(fixed, self.index[places], 0),
            singular=self.singular[places],
            still=self.still[torch.from_numpy(places).to(self.still.device)],
        )


def point_facts(
    f: VectorMap, states: Tensor, *, rows: Rows, count: int, rng: np.random.Generator
) -> PointFacts:
    """Look at the Jacobian of every state `(m, d)`: whole up to dimension 512, by products above.

    Parameters
    ----------
    f
        The map.
    states : (m, d)
        Points, as exact as can be had.
    rows : (m,)
        Held inputs.
    count
        Leading eigenvalues that are kept.
    rng
        Source of first vectors of Krylov spaces.

    Notes
    -----
    An eigenvalue 1 of a defective matrix moves by a root of the rounding error; singularity is therefore read
    from singular values.
    """
    places = np.asarray(rows)
    if not len(states):
        nothing = np.zeros(0, dtype=np.int64)
        return PointFacts(
            eigenvalues=np.zeros((0, count), dtype=np.complex128),
            unstable=nothing,
            index=nothing,
            singular=nothing.astype(bool),
            still=states,
        )
    if f.dimension > DENSE:
        return _by_products(f, states, places, count, rng)
    chunk = max(1, 4 * CHUNK // (f.dimension**2 * states.element_size()))
    parts = [
        _whole(f.jacobian(states[s : s + chunk], places[s : s + chunk]), count)
        for s in range(0, len(states), chunk)
    ]
    names = ("eigenvalues", "unstable", "index", "singular")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return PointFacts(**columns, still=torch.cat([part.still for part in parts]))


def _whole(jacobians: Tensor, count: int) -> PointFacts:
    precision = torch.finfo(jacobians.dtype).eps ** 0.5
    exact = jacobians.detach().cpu().double()
    # numpy's: torch's gives up on matrices of equal blocks
    values = np.linalg.eigvals(exact.numpy()).astype(np.complex128)
    values = np.take_along_axis(values, np.lexsort((-values.imag, -np.abs(values)), axis=1), axis=1)
    modulus = np.abs(values)
    systems = torch.eye(exact.shape[1], dtype=torch.float64) - exact
    signs = torch.linalg.slogdet(systems).sign.numpy().astype(np.int64)
    singular = np.zeros(len(values), dtype=bool)
    still = torch.zeros(exact.shape[:2], dtype=torch.float64)
    # a singular matrix has an eigenvalue 1, which even a defective one shows to a root of the precision
    for place in np.flatnonzero((np.abs(values - 1) < 0.03).any(axis=1)):
        _, sizes, right = torch.linalg.svd(systems[place])
        if float(sizes[-1]) <= precision * max(1.0, float(sizes[0])):
            singular[place], still[place] = True, right[-1]
    return PointFacts(
        eigenvalues=_padded(values, count),
        unstable=(modulus > 1 + precision * np.maximum(1, modulus[:, :1])).sum(axis=1),
        index=np.where(singular, 0, signs),
        singular=singular,
        still=still.to(jacobians),
    )


def _by_products(
    f: VectorMap, states: Tensor, rows: np.ndarray, count: int, rng: np.random.Generator
) -> PointFacts:
    found = leading_eigenvalues(f, states, rows=rows, count=max(count, 20), krylov=60, rng=rng)
    values, errors = found.values.cpu().numpy(), found.errors.cpu().numpy()
    inside = (np.abs(values[:, -1]) + errors[:, -1] < 1) & np.isfinite(errors).all(axis=1)
    outside = np.abs(values) > 1
    sure = inside & (np.abs(np.abs(values) - 1) > errors).all(axis=1)
    steps = np.abs(values - 1)
    precision = torch.finfo(states.dtype).eps ** 0.5
    real = np.abs(values.imag) <= errors
    return PointFacts(
        eigenvalues=_padded(values, count),
        unstable=np.where(sure, outside.sum(axis=1), UNMATCHED),
        index=np.where(sure, 1 - 2 * ((outside & real & (values.real > 1)).sum(axis=1) % 2), 0),
        singular=(steps <= np.maximum(errors, precision)).any(axis=1),
        still=torch.zeros_like(states),
    )


def _padded(values: Complex[np.ndarray, "m d"], count: int) -> Complex[np.ndarray, "m k"]:
    padded = np.full((len(values), count), complex(np.nan, np.nan))
    padded[:, : values.shape[1]] = values[:, :count]
    return padded
