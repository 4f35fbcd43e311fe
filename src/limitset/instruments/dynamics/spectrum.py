"""Which eigenvalues has a map at a state, and is the state stable?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from jaxtyping import Complex, Float, Int
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.undefined import UNDEFINED, UNMATCHED
from limitset.numerics.running.map_checks import check_map
from limitset.numerics.stability.arnoldi import Ritz, decided_eigenvalues, labels_of
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "spectrum"
VERSION: Final = 1


class Stability(StrEnum):
    """What the eigenvalues say about a fixed point."""

    STABLE = "stable"
    UNSTABLE = "unstable"
    UNDECIDED = "undecided"
    """The unit circle lies within the error, or nothing is known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """Leading eigenvalues of the Jacobian at each state.

    Parameters
    ----------
    eigenvalues : (b, count)
        Largest modulus first; NaN where the Jacobian is not finite.
    residuals : (b, count)
        ‖J v − θ v‖ for the unit vector v that belongs to the value θ.
    errors : (b, count)
        How far an eigenvalue may lie from θ: residual times condition.
    radius : axes start
        Largest modulus; the interval is the error of the values found.
    stability : (b,)
        Whether a fixed point there is stable; an error that reaches the unit circle decides nothing.
    unstable_count : (b,)
        Eigenvalues outside the unit circle; -1 where that is not decided or all that were found lie outside.
    dense : bool
        Whether the whole Jacobian was used, so that no eigenvalue can have been missed.
    """

    eigenvalues: Complex[np.ndarray, "b count"]
    residuals: Float[np.ndarray, "b count"]
    errors: Float[np.ndarray, "b count"]
    radius: MeasurementTable
    stability: tuple[Stability, ...]
    unstable_count: Int[np.ndarray, " b"]
    dense: bool


def spectrum(
    map: SelfMap[Any],
    states: Tensor,
    *,
    rows: Sequence[int] | None = None,
    count: int = 6,
    krylov: int = 40,
    most: int = 80,
    rng: np.random.Generator,
) -> Spectrum:
    r"""Find the eigenvalues of largest modulus of a map's Jacobian at many states at once.

    .. math:: \rho(J) = \max_i |\lambda_i|, \qquad |\lambda_i - \theta_i| \lesssim
        \|J v_i - \theta_i v_i\| \,/\, |u_i^H v_i|

    Parameters
    ----------
    map
        The map; torch must be able to differentiate it.
    states : (b, *shape)
        Where the Jacobians are taken; stability speaks of fixed points, whatever the states are.
    rows
        Which starts the states belong to (their held inputs); default 0, 1, ...
    count
        Eigenvalues wanted, 1 to `krylov`.
    krylov
        Products with the Jacobian a state; up to d = `krylov` the whole Jacobian is used.
    most
        Where the error reaches the unit circle, the products are doubled up to this many.
    rng
        Source of the first vectors.

    Returns
    -------
    Spectrum
        Eigenvalues with their errors, radius, and stability of each state.

    Raises
    ------
    InputError
        When `count` is not in 1 to `krylov`, the states are no tensor of real numbers, or of 16 bits beyond
        d = `krylov`; for a map that does not keep their shape, writes into them, says deterministic and is
        not, or whose images depend on the other rows.

    Notes
    -----
    The error is that of the eigenvalues found: beyond d = `krylov` a small one does not prove that no larger
    eigenvalue exists. Where many have almost the largest modulus (a Gaussian matrix) the error falls slowly:
    raise `krylov` until it is small. An eigenvalue on the circle costs 40 + 80 products and stays
    undecided. A radius below 1 promises decay in the end, not at once: see growth. The Rayleigh quotient of
    a power iteration is no radius: for a leading pair .9 exp(±1.2 i) it wanders from vector to vector.

    References
    ----------
    Saad (2011), doi:10.1137/1.9781611970739, sections 3.2 and 6.2; Arnoldi (1951), doi:10.1090/qam/42792.

    Examples
    --------
    >>> import torch
    >>> from limitset.maps.known import linear
    >>> shear = linear(np.array([[0.5, 10.0], [0.0, 0.5]]))
    >>> got = spectrum(shear, torch.zeros(1, 2, dtype=torch.float64), rng=np.random.default_rng(0))
    >>> round(got.radius.one(start=0).value, 9), str(got.stability[0]), got.unstable_count.tolist()
    (0.5, 'stable', [0])
    """
    f = VectorMap.of(map, states)
    labels = labels_of(states, rows)
    check_map(map, states, rows=labels, rng=f.rng)
    ritz = decided_eigenvalues(f, f.flat(states), rows=labels, count=count, krylov=krylov, most=most, rng=rng)
    values, residuals, errors = (
        frozen(one.cpu().numpy()) for one in (ritz.values, ritz.residuals, ritz.errors)
    )
    decided = [_decided(*row, complete=count >= f.dimension) for row in zip(values, errors, strict=True)]
    return Spectrum(
        eigenvalues=values,
        residuals=residuals,
        errors=errors,
        radius=_radius(
            map, np.asarray(labels), ritz, parameters={"count": count, "krylov": krylov, "most": most}
        ),
        stability=tuple(stability for stability, _ in decided),
        unstable_count=frozen(np.array([outside for _, outside in decided], dtype=np.int64)),
        dense=ritz.dense,
    )


def _decided(values: np.ndarray, errors: np.ndarray, *, complete: bool) -> tuple[Stability, int]:
    sizes = np.abs(values)
    outside, inside = sizes - errors > 1, sizes + errors < 1  # NaN is neither
    stability = Stability.UNSTABLE if outside.any() else Stability.UNDECIDED
    if inside.all():
        stability = Stability.STABLE
    counted = bool((outside | inside).all()) and (complete or bool(inside.any()))
    return stability, int(outside.sum()) if counted else UNMATCHED


def _radius(
    map: SelfMap[Any], starts: np.ndarray, ritz: Ritz, *, parameters: dict[str, int]
) -> MeasurementTable:
    sizes, errors = ritz.values.abs().cpu().numpy(), ritz.errors.cpu().numpy()
    known = np.isfinite(sizes).all(axis=1)
    notes = () if ritz.dense else ("of the eigenvalues found in the Krylov space of a random vector",)
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=map.level,
        axes={"start": starts},
        value=np.where(known, sizes.max(axis=1), UNDEFINED),
        low=np.where(known, np.maximum(sizes - errors, 0.0).max(axis=1), UNDEFINED),
        high=np.where(known, (sizes + errors).max(axis=1), UNDEFINED),
        n=np.ones(len(sizes)),
        blank_reason=["" if one else "the Jacobian is not finite there" for one in known],
        interval_method="residual times condition of each eigenvalue, to first order",
        confidence=UNDEFINED,
        parameters=parameters,
        notes=notes,
    )
