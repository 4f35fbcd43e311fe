"""How much does a small shock grow before it decays, whatever the eigenvalues say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.undefined import NEVER, UNDEFINED
from limitset.numerics.running.map_checks import check_long_numbers, check_map
from limitset.numerics.stability.arnoldi import arnoldi, labels_of, leading_eigenvalues
from limitset.numerics.stability.singular import chained_norms, power_norms, resolvent_bound
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "growth"
VERSION: Final = 1

QUANTITIES: Final = ("one_step", "largest", "at_step", "kreiss")
DENSE_DIMENSION: Final = 128
"""Up to here the powers of whole Jacobians are cheaper than chains of products."""
GROUP_BYTES: Final = 2**28
"""Starts are taken in groups whose Jacobians or Krylov bases stay below this."""
EVERY_POWER: Final = 8
"""Without whole Jacobians every power up to this one is tried, and then a fourth more each time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Growth:
    """How much small shocks grow on their way.

    Parameters
    ----------
    values
        Axes start and quantity. ``one_step``: ‖J‖, the most that one step stretches. ``largest``: the largest
        ‖J^k‖, k = 0 ... horizon; 1 means that no shock ever grows. ``at_step``: the first k at which it is
        reached. ``kreiss``: a lower bound of the Kreiss constant, hence of the growth over any horizon;
        infinite where an eigenvalue lies outside the unit circle.
    powers : (p,)
        Powers k that were tried, from 0.
    norms, norms_high : (b, p)
        ‖J^k‖: the value found, which is a lower bound, and where the next bound stands.
    """

    values: MeasurementTable
    powers: Int[np.ndarray, " p"]
    norms: Float[np.ndarray, "b p"]
    norms_high: Float[np.ndarray, "b p"]


def growth(
    map: SelfMap[Any],
    states: Tensor,
    *,
    rows: Sequence[int] | None = None,
    horizon: int = 32,
    lanczos: int = 16,
    krylov: int = 40,
    rng: np.random.Generator,
) -> Growth:
    r"""Measure how much the Jacobians of a map at many states stretch vectors within `horizon` steps.

    .. math:: g = \max_{0 \le k \le h} \|J^k\|_2, \qquad
        K = \sup_{|z| > 1} (|z| - 1) \, \|(z - J)^{-1}\| \le \sup_k \|J^k\|

    Parameters
    ----------
    map
        The map; torch must be able to differentiate it.
    states : (b, *shape)
        Where the Jacobians are taken: fixed points, for the numbers to speak of orbits near them.
    rows
        Which starts the states belong to (their held inputs); default 0, 1, ...
    horizon
        Largest power, 1 or more.
    lanczos
        Lanczos steps a norm, 2 or more; each costs k products with J and k with its transpose beyond
        128 dimensions. Exact from `lanczos` >= d on.
    krylov
        Dimension of the projection for the Kreiss bound, 2 or more; exact but for the grid from d on.
    rng
        Source of first vectors.

    Returns
    -------
    Growth
        Norms are factors, 1 or more for ``largest`` and ``kreiss``.

    Raises
    ------
    InputError
        When `horizon`, `lanczos` or `krylov` is too small, or the states have 16 bits; for a map that writes
        into them, says deterministic and is not, or whose images depend on the other rows.

    Notes
    -----
    A spectral radius below 1 does not bound any of these: [[.5, 10], [0, .5]] has radius .5 and stretches a
    vector tenfold in one step. For maps "radius − 1" is no reactivity and 1 is no bound of the amplification,
    unless the Jacobian is normal. Beyond 128 dimensions not every power is tried, so that ``largest`` may be
    missed by little.

    References
    ----------
    Trefethen, Embree (2005), Spectra and Pseudospectra, ISBN 0-691-11946-5, chapters 14 and 15; Kreiss
    (1962), doi:10.1007/BF01957330; Toh, Trefethen (1996), doi:10.1137/0917002.

    Examples
    --------
    >>> from limitset.maps.known import linear
    >>> shear = linear(np.array([[0.5, 10.0], [0.0, 0.5]]))
    >>> got = growth(shear, torch.zeros(1, 2, dtype=torch.float64), rng=np.random.default_rng(0)).values
    >>> [round(got.one(start=0, quantity=name).value, 4) for name in ("one_step", "largest", "at_step")]
    [10.0249, 10.0249, 1.0]
    """
    if horizon < 1 or lanczos < 2 or krylov < 2:
        raise InputError.of(
            expected="growth needs a horizon of 1 or more, and lanczos and krylov of 2 or more",
            got=f"{horizon}, {lanczos}, {krylov}",
            fix="Raise them.",
        )
    f = VectorMap.of(map, states)
    check_long_numbers(states, what="growth")
    points, labels = f.flat(states), labels_of(states, rows)
    check_map(map, states, rows=labels, rng=f.rng)
    dense = f.dimension <= DENSE_DIMENSION
    powers = _powers(horizon, every=dense)
    steps = lanczos if dense else min(lanczos, f.dimension - 1)
    held = f.dimension * max(krylov, lanczos, f.dimension if dense else 0)
    group = max(1, GROUP_BYTES // (held * points.element_size()))
    found = []
    for first in range(0, len(points), group):
        here, its = points[first : first + group], labels[first : first + group]
        norms_of = power_norms if dense else chained_norms
        pair = norms_of(f, here, its, powers=powers.tolist(), steps=steps, rng=rng)
        found.append((*(one.numpy() for one in pair), _kreiss(f, here, its, krylov=krylov, rng=rng)))
    norms, high, kreiss = (frozen(np.concatenate(column)) for column in zip(*found, strict=True))
    reached = np.where(np.isnan(norms).any(axis=1), UNDEFINED, powers[norms.argmax(axis=1)])
    nothing = np.full(len(norms), UNDEFINED)
    values = {
        "one_step": (norms[:, 1], norms[:, 1], high[:, 1]),
        "largest": (norms.max(axis=1), norms.max(axis=1), high.max(axis=1)),
        "at_step": (reached, nothing, nothing),
        "kreiss": (kreiss, kreiss, nothing),
    }
    parameters = {"horizon": horizon, "lanczos": lanczos, "krylov": krylov}
    return Growth(
        values=_table(map, labels, values, parameters=parameters),
        powers=frozen(powers),
        norms=norms,
        norms_high=high,
    )


def _powers(horizon: int, *, every: bool) -> np.ndarray:
    powers = list(range(horizon + 1 if every else min(EVERY_POWER, horizon) + 1))
    while powers[-1] < horizon:
        powers.append(min(horizon, powers[-1] * 5 // 4))
    return np.array(powers)


def _kreiss(
    f: VectorMap, points: Tensor, labels: list[int], *, krylov: int, rng: np.random.Generator
) -> np.ndarray:
    """Return lower bounds of the Kreiss constant, infinite with an eigenvalue surely outside the circle."""
    ritz = leading_eigenvalues(f, points, rows=labels, count=1, krylov=krylov, rng=rng)
    if f.dimension <= krylov:
        projected = f.jacobian(points, labels)
    else:
        first = torch.from_numpy(rng.standard_normal(tuple(points.shape))).to(points)
        projected = arnoldi(lambda v: f.jvp(points, labels, v), first, steps=krylov, rng=rng).hessenberg
    bound = resolvent_bound(projected).numpy()
    outside = (ritz.values.abs() - ritz.errors > 1).any(dim=1).cpu().numpy()
    return np.where(outside, NEVER, bound)


def _table(
    map: SelfMap[Any],
    labels: list[int],
    values: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    parameters: Mapping[str, int],
) -> MeasurementTable:
    value, low, high = (np.stack(column, axis=1).ravel() for column in zip(*values.values(), strict=True))
    return MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=map.level,
        axes={
            "start": np.repeat(labels, len(values)),
            "quantity": np.array(list(values) * len(labels), dtype=object),
        },
        value=value,
        low=low,
        high=high,
        n=np.ones(len(value)),
        blank_reason=["the Jacobian is not finite there" if blank else "" for blank in np.isnan(value)],
        interval_method="norms: a lower bound, and with the Lanczos residual; kreiss: a lower bound",
        confidence=UNDEFINED,
        parameters=dict(parameters),
        notes=("of a linear map: true of orbits only near a fixed point",),
    )
