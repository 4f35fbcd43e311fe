"""Which eigenvalues of a Jacobian are largest in modulus, when only its products with vectors are known?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.running.map_checks import check_long_numbers
from limitset.numerics.running.row_norms import row_norms
from limitset.numerics.vector_map import Rows, VectorMap

BASIS_BYTES: Final = 2**30
"""Rows are taken in groups whose Krylov basis stays below this."""
DEFECTIVE: Final = 1e6
"""From this condition on an eigenvalue moves by a root of the residual, and first order is no bound."""

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Krylov:
    """Orthonormal bases V of Krylov spaces, with J V_k = V_{k+1} H.

    Parameters
    ----------
    basis : (b, k + 1, d)
        One vector a row of the matrix.
    hessenberg : (b, k + 1, k)
        The projection H; the entry below the diagonal is 0 where an invariant subspace was found.
    """

    basis: Tensor
    hessenberg: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Ritz:
    """Eigenvalues of largest modulus, with what is known about their error.

    Parameters
    ----------
    values : (b, count) complex
        Largest modulus first; of a conjugate pair the one above the real axis first. NaN where the Jacobian
        is not finite.
    residuals : (b, count)
        ‖J v − θ v‖ for the unit Ritz vector v: θ is an exact eigenvalue of a matrix this far from J.
    errors : (b, count)
        How far an eigenvalue may lie from θ: the residual times the eigenvalue's condition (first order),
        or, where that is defective, the distance at which the pseudospectrum of that level ends. Infinite
        where nothing is known.
    dense : bool
        Whether the values are those of the whole Jacobian, so that none can have been missed.
    """

    values: Tensor
    residuals: Tensor
    errors: Tensor
    dense: bool


def leading_eigenvalues(
    f: VectorMap,
    states: Tensor,
    *,
    rows: Rows | None = None,
    count: int = 6,
    krylov: int = 40,
    rng: np.random.Generator,
) -> Ritz:
    r"""Find the eigenvalues of largest modulus of the Jacobian at every state.

    .. math:: J V_k = V_k H_k + h_{k+1,k} v_{k+1} e_k^T, \qquad H_k y = \theta y, \qquad
        \|J V_k y - \theta V_k y\| = |h_{k+1,k}| \, |e_k^T y|

    Parameters
    ----------
    f
        The map.
    states : (b, d)
        Where the Jacobians are taken.
    rows
        Which starts the states belong to; default 0, 1, ...
    count
        How many eigenvalues, from 1 to `krylov`; at most d come back.
    krylov
        Products with the Jacobian, and dimension of the Krylov space; from d <= `krylov` on the whole
        Jacobian is built and its eigenvalues are computed directly.
    rng
        Source of the first vectors.

    Returns
    -------
    Ritz
        Values, residuals and errors `(b, min(count, d))`.

    Raises
    ------
    InputError
        When `count` is not in 1 to `krylov`, `rows` are not as many as states, or states of 16 bits have more
        than `krylov` numbers.

    Notes
    -----
    Complex pairs and pairs of opposite sign are found; a power iteration with a Rayleigh quotient finds
    neither. A small residual says that θ is close to an eigenvalue, not that no larger one exists: a random
    first vector misses one with probability 0, and finds it late where it is hardly larger than many others.
    Where the Krylov space closes early a new random vector goes on, so that multiple eigenvalues are found
    as often as they occur.

    References
    ----------
    Arnoldi (1951), doi:10.1090/qam/42792; Saad (2011), Numerical Methods for Large Eigenvalue Problems,
    doi:10.1137/1.9781611970739, sections 3.2 (condition of an eigenvalue) and 6.2 (algorithm 6.2, residual).

    Examples
    --------
    >>> from limitset.maps.known import rotation
    >>> f = VectorMap(map=rotation(0.25), shape=(2,))
    >>> got = leading_eigenvalues(f, torch.ones(1, 2, dtype=torch.float64), rng=np.random.default_rng(0))
    >>> bool(torch.allclose(got.values, torch.tensor([[1j, -1j]], dtype=torch.complex128)))
    True
    """
    if not 1 <= count <= krylov:
        raise InputError.of(
            expected="count must be between 1 and krylov", got=f"{count} of {krylov}", fix="Raise krylov."
        )
    labels = labels_of(states, rows)
    dimension = states.shape[1]
    if dimension <= krylov:
        matrices = f.jacobian(states, labels)
        level = _rounding(matrices, dimension)
        return _ritz(matrices, torch.zeros_like(level), level, count, dense=True)
    check_long_numbers(states, what=f"eigenvalues beyond {krylov} dimensions")
    first = torch.from_numpy(rng.standard_normal(tuple(states.shape))).to(states)
    group = max(1, BASIS_BYTES // ((krylov + 1) * dimension * states.element_size()))
    found = []
    for start in range(0, len(states), group):
        part = slice(start, start + group)
        held, points = labels[part], states[part]
        spaces = arnoldi(
            lambda v, points=points, held=held: f.jvp(points, held, v),  # type: ignore[misc]
            first[part],
            steps=krylov,
            rng=rng,
        )
        found.append(ritz_of(spaces, count=count))
    return Ritz(
        values=torch.cat([one.values for one in found]),
        residuals=torch.cat([one.residuals for one in found]),
        errors=torch.cat([one.errors for one in found]),
        dense=False,
    )


def decided_eigenvalues(
    f: VectorMap,
    states: Tensor,
    *,
    rows: Rows | None = None,
    count: int = 6,
    krylov: int = 40,
    most: int = 80,
    rng: np.random.Generator,
) -> Ritz:
    """Find the same as `leading_eigenvalues`, in larger spaces where the error reaches the unit circle.

    The space of such rows is doubled, up to `most` dimensions; `most` = `krylov` leaves them as they are.
    """
    found = leading_eigenvalues(f, states, rows=rows, count=count, krylov=krylov, rng=rng)
    sizes = found.values.abs()
    near = ((sizes - found.errors <= 1) & (sizes + found.errors >= 1)).any(dim=1)
    if found.dense or 2 * krylov > most or not bool(near.any()):
        return found
    places = torch.nonzero(near)[:, 0]
    labels = labels_of(states, rows)
    again = decided_eigenvalues(
        f,
        states[places.to(states.device)],
        rows=[labels[place] for place in places.tolist()],
        count=count,
        krylov=2 * krylov,
        most=most,
        rng=rng,
    )
    return Ritz(
        values=found.values.index_copy(0, places, again.values),
        residuals=found.residuals.index_copy(0, places, again.residuals),
        errors=found.errors.index_copy(0, places, again.errors),
        dense=False,
    )


def arnoldi(product: Product, first: Tensor, *, steps: int, rng: np.random.Generator) -> Krylov:
    """Build orthonormal bases of the Krylov spaces of many matrices at once.

    Every new vector is orthogonalised twice. Where it lies in the space already (to rounding), the space is
    invariant: the entry of H is 0 and a random vector orthogonal to the basis goes on.

    Parameters
    ----------
    product
        Products of the matrices with vectors `(b, d)`.
    first : (b, d)
        First vectors, none of them 0.
    steps
        Products, at most d - 1.
    rng
        Source of the vectors that go on after an invariant subspace.

    References
    ----------
    Giraud, Langou, Rozložník (2005), doi:10.1016/j.camwa.2005.08.009 (twice is enough).
    """
    batch, dimension = first.shape
    basis = first.new_zeros(batch, steps + 1, dimension)
    hessenberg = first.new_zeros(batch, steps + 1, steps)
    basis[:, 0] = first / _lengths(first)[:, None]
    tiny = 100 * torch.finfo(first.dtype).eps
    for step in range(steps):
        vector = product(basis[:, step].contiguous())
        size = _lengths(vector)
        vector, inside = _orthogonalised(vector, basis[:, : step + 1])
        length = _lengths(vector)
        closed = length <= tiny * size
        if bool(closed.any()):
            fresh = torch.from_numpy(rng.standard_normal((batch, dimension))).to(first)
            fresh, _ = _orthogonalised(fresh, basis[:, : step + 1])
            vector = torch.where(closed[:, None], fresh, vector)
            length = torch.where(closed, 0.0, length)
        hessenberg[:, : step + 1, step] = inside
        hessenberg[:, step + 1, step] = length
        basis[:, step + 1] = vector / _lengths(vector)[:, None]
    return Krylov(basis=basis, hessenberg=hessenberg)


def ritz_of(space: Krylov, *, count: int) -> Ritz:
    """Return the Ritz values of largest modulus of Krylov spaces, with residuals and errors."""
    square, last = space.hessenberg[:, :-1], space.hessenberg[:, -1, -1]
    return _ritz(square, last, _rounding(square, space.basis.shape[2]), count, dense=False)


def labels_of(states: Tensor, rows: Rows | None) -> list[int]:
    """Return which start each state belongs to."""
    labels = list(range(len(states))) if rows is None else [int(row) for row in rows]
    if len(labels) != len(states):
        raise InputError.of(
            expected="rows must name one start a state",
            got=f"{len(labels)} rows for {len(states)} states",
            fix="Give both in the same order.",
        )
    return labels


def _orthogonalised(vector: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    column, inside = vector[:, :, None], vector.new_zeros(*basis.shape[:2], 1)
    for _ in range(2):
        share = torch.bmm(basis, column)
        column = torch.baddbmm(column, basis.mT, share, alpha=-1)
        inside = inside + share
    return column[:, :, 0], inside[:, :, 0]


def _rounding(matrices: Tensor, dimension: int) -> Tensor:
    """Return how far the matrices may be off by the rounding of sums of `dimension` terms."""
    return row_norms(matrices).mul(torch.finfo(matrices.dtype).eps * dimension**0.5)


def _lengths(vectors: Tensor) -> Tensor:
    return row_norms(vectors).to(vectors.dtype)


def _ritz(matrices: Tensor, last: Tensor, rounding: Tensor, count: int, *, dense: bool) -> Ritz:
    # many small matrices: one core of the processor is faster than an accelerator, and twice as exact
    home = matrices.device
    matrices, last, rounding = (one.detach().cpu().double() for one in (matrices, last, rounding))
    finite = torch.isfinite(matrices).all(dim=(1, 2))
    matrices = torch.where(finite[:, None, None], matrices, 0.0)
    values, right = _eigen(matrices, rounding)
    order = torch.from_numpy(np.lexsort((-values.imag.numpy(), -values.abs().numpy()), axis=1))[:, :count]
    residuals = (last[:, None] * right[:, -1, :].abs()).clamp(min=rounding[:, None])
    errors = residuals * _conditions(right)
    values, residuals, errors = (one.gather(1, order) for one in (values, residuals, errors))
    _mend_defective(matrices, values, residuals, errors)
    unknown = torch.full_like(errors, torch.inf)
    return Ritz(
        values=torch.where(finite[:, None], values, torch.nan).to(home),
        residuals=torch.where(finite[:, None], residuals, unknown).to(home),
        errors=torch.where(finite[:, None], errors, unknown).to(home),
        dense=dense,
    )


def _eigen(matrices: Tensor, rounding: Tensor) -> tuple[Tensor, Tensor]:
    # numpy's LAPACK: the one in torch may fail where an eigenvalue is repeated often and entries are tiny
    try:
        values, right = np.linalg.eig(matrices.numpy())
    except np.linalg.LinAlgError:
        # shaken within what rounding has left open already
        shake = np.random.default_rng(0).standard_normal(matrices.shape) / matrices.shape[-1]
        values, right = np.linalg.eig(matrices.numpy() + rounding.numpy()[:, None, None] * shake)
    return torch.from_numpy(values).to(torch.complex128), torch.from_numpy(right).to(torch.complex128)


def _conditions(right: Tensor) -> Tensor:
    """Return 1 / |u^H v| of every eigenvalue, of its unit left and right vectors; infinite if defective."""
    inverse, failed = torch.linalg.inv_ex(right)
    conditions = torch.linalg.vector_norm(inverse, dim=2) * torch.linalg.vector_norm(right, dim=1)
    return torch.where((failed != 0)[:, None] | ~torch.isfinite(conditions), torch.inf, conditions)


def _mend_defective(matrices: Tensor, values: Tensor, residuals: Tensor, errors: Tensor) -> None:
    """Replace errors of (nearly) defective eigenvalues by the reach of the pseudospectrum around them."""
    for row, place in torch.nonzero(errors > DEFECTIVE * residuals).tolist():
        reach = _reach(matrices[row], values[row, place], float(residuals[row, place]))
        errors[row, place] = min(reach, float(errors[row, place]))


def _reach(matrix: Tensor, value: Tensor, level: float) -> float:
    """Return how far from `value`, in the worst of 8 directions, σ_min(z − H) exceeds `level`."""
    angles = torch.arange(8, dtype=torch.float64) * (torch.pi / 4) + float(torch.angle(value))
    identity = torch.eye(len(matrix), dtype=torch.complex128)
    distance = max(level, 1e-300)
    while distance < 1e300:
        points = value + torch.polar(torch.full_like(angles, distance), angles)
        shifted = points[:, None, None] * identity - matrix
        if bool((torch.linalg.svdvals(shifted)[:, -1] > level).all()):
            return distance
        distance *= 1.5
    return torch.inf
