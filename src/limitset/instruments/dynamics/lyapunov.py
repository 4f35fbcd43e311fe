"""How fast do nearby orbits part or meet in the long run, in every direction?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.numerics.running.map_checks import check_map
from limitset.numerics.stability.arnoldi import labels_of
from limitset.numerics.stability.exponents import Sign, Stretches, sign_of_exponent, stretches
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "lyapunov_spectrum"
VERSION: Final = 1

GAP: Final = 1e-6
"""A sum of exponents farther than this (relative, above 1) from the mean of log |det J| is not trusted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LyapunovSpectrum:
    """Exponents of the orbits from many starts.

    Parameters
    ----------
    exponents
        Axes start and index (0 is the largest), in nats a step. −inf: the Jacobians are singular in that
        direction. The interval is over blocks of the one orbit.
    over_starts
        Axis index: mean over the starts with its interval over starts; of one number only where all starts
        end in the same place.
    signs : (b,)
        What the orbit of each start says about its largest exponent.
    determinant_gap : (b,)
        Sum of all exponents less the mean of log |det J|: 0 to rounding unless the low end is corrupted. NaN
        where a Jacobian is singular or only some exponents were asked for.
    states : (b, d)
        The last states, from which to go on.
    """

    exponents: MeasurementTable
    over_starts: MeasurementTable
    signs: tuple[Sign, ...]
    determinant_gap: Float[np.ndarray, " b"]
    states: Float[np.ndarray, "b d"]


def lyapunov_spectrum(
    map: SelfMap[Any],
    starts: Tensor,
    *,
    rows: Sequence[int] | None = None,
    steps: int,
    burn_in: int = 0,
    count: int | None = None,
    every: int = 1,
    blocks: int = 10,
    fold: float = 100.0,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> LyapunovSpectrum:
    r"""Measure the Lyapunov exponents of a map along the orbits of many starts.

    .. math:: J(x_t) Q_t = Q_{t+1} R_{t+1}, \qquad \lambda_i = \frac{1}{T} \sum_{t=1}^{T} \ln |r_{ii}(t)|

    Parameters
    ----------
    map
        The map; torch must be able to differentiate it. One that draws random numbers gets new streams every
        step, the same for all directions of a start.
    starts : (b, *shape)
        Where the orbits begin.
    rows
        Which starts these are (their held inputs); default 0, 1, ...
    steps
        Steps measured, `blocks` or more; for a cycle best a multiple of `blocks` times its period.
    burn_in
        Steps left out before, 0 or more; over the second half of them the directions settle too.
    count
        How many exponents from the largest, 1 to d; default all. Few of many directions need products with
        the Jacobian only.
    every
        Steps between orthonormalisations. Above 1 the low end drowns in rounding: exponents that did are
        blank, and with all exponents `determinant_gap` shows it.
    blocks
        Blocks of the orbit that the intervals are made of, 2 or more.
    fold
        A stretch of less than this over all `steps` is no exponent when `signs` are decided.
    confidence
        Coverage aimed at, in (0, 1).
    rng
        Source of the first directions and of the map's own streams.

    Returns
    -------
    LyapunovSpectrum
        Exponents in nats a step: above 0 nearby orbits part.

    Raises
    ------
    InputError
        When a number is out of its range, or the starts are no tensor of real numbers; for a map that writes
        into its states, says deterministic and is not, or whose images depend on the other rows.

    Notes
    -----
    Blocks are taken to be independent: below some ten correlation times a block the intervals are too
    narrow, and they know nothing of other orbits. An exponent of a transient is none of the limit set: raise
    `burn_in` until the answer stays. 0 is approached as ln(T) / T along a drift and as 1 / T on a torus, so
    a zero is only ever one up to `fold`. An orbit beyond the square root of the largest number of its type
    has left the numbers.

    References
    ----------
    Benettin et al. (1980), doi:10.1007/BF02128237 (orthonormalisation); Eckmann, Ruelle (1985),
    doi:10.1103/RevModPhys.57.617, section V; Engelken, Wolf, Abbott (2023), arXiv:2006.02427 (networks);
    Flegal, Jones (2010), doi:10.1214/09-AOS735 (batch means).

    Examples
    --------
    >>> import torch
    >>> from limitset.maps.known import henon
    >>> start = torch.zeros(1, 2, dtype=torch.float64)
    >>> got = lyapunov_spectrum(henon(), start, steps=200, burn_in=50, rng=np.random.default_rng(0))
    >>> round(float(got.exponents.value.sum()), 10), round(float(np.log(0.3)), 10), str(got.signs[0])
    (-1.2039728043, -1.2039728043, 'positive')
    """
    streams = Streams(int(rng.integers(2**63)))
    f = VectorMap.of(map, starts, rng=streams)
    labels = labels_of(starts, rows)
    check_map(map, starts, rows=labels, rng=streams)
    found = stretches(
        [f],
        f.flat(starts),
        rows=labels,
        steps=steps,
        burn_in=burn_in,
        count=count,
        every=every,
        blocks=blocks,
        rng=rng,
    )
    values, halves, reasons = _ordered(found, confidence)
    signs = tuple(
        sign_of_exponent(float(value), float(value - half), float(value + half), steps=steps, fold=fold)
        for value, half in zip(values[:, 0], halves[:, 0], strict=True)
    )
    shared = {
        "instrument": INSTRUMENT,
        "version": VERSION,
        "level": map.level,
        "confidence": confidence,
        "parameters": {"steps": steps, "burn_in": burn_in, "every": every, "blocks": blocks, "fold": fold},
        "notes": _notes(values, found),
    }
    return LyapunovSpectrum(
        exponents=_by_start(np.asarray(labels), values, halves, reasons, shared),
        over_starts=_over_starts(values, confidence, shared),
        signs=signs,
        determinant_gap=frozen(found.determinant_gap),
        states=frozen(found.states.cpu().double().numpy()),
    )


def _ordered(found: Stretches, confidence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return exponents, half widths and reasons of blanks, (b, k), the largest first and blanks last."""
    values = found.exponents
    halves = found.half_widths(found.blocks.sum(axis=1), confidence=confidence)
    reasons = np.where(np.isnan(values), "the orbit left the numbers", "").astype(object)
    reasons[found.lost & np.isnan(values)] = "lost to rounding between two orthonormalisations"
    order = np.argsort(-values, axis=1, kind="stable")  # NaN goes last
    return tuple(np.take_along_axis(one, order, axis=1) for one in (values, halves, reasons))  # type: ignore[return-value]


def _notes(values: np.ndarray, found: Stretches) -> tuple[str, ...]:
    gap = np.abs(found.determinant_gap) > GAP * np.maximum(1.0, np.abs(found.log_determinant))
    said = (
        (
            np.isneginf(values).any(),
            "−inf: a direction is stretched by less than rounding (singular Jacobian)",
        ),
        (gap.any(), "the exponents do not add up to log |det J|: orthonormalise at every step"),
        (found.lost.any(), "directions were lost to rounding: orthonormalise at every step"),
    )
    return tuple(note for holds, note in said if holds)


def _by_start(
    labels: np.ndarray, values: np.ndarray, halves: np.ndarray, reasons: np.ndarray, shared: dict[str, Any]
) -> MeasurementTable:
    batch, count = values.shape
    return MeasurementTable(
        axes={"start": np.repeat(labels, count), "index": np.tile(np.arange(count), batch)},
        value=values.ravel(),
        low=(values - halves).ravel(),
        high=(values + halves).ravel(),
        n=np.full(values.size, shared["parameters"]["blocks"], dtype=np.float64),
        blank_reason=reasons.ravel(),
        interval_method="t over blocks of the orbit (batch means)",
        **shared,
    )


def _over_starts(values: np.ndarray, confidence: float, shared: dict[str, Any]) -> MeasurementTable:
    known = values[~np.isnan(values).any(axis=1)]
    n, count = len(known), values.shape[1]
    mean, half = np.full(count, UNDEFINED), np.full(count, UNDEFINED)
    if n:
        mean = known.mean(axis=0)
    if n > 1:
        with np.errstate(invalid="ignore"):
            spread = known.std(axis=0, ddof=1) / np.sqrt(n)
        half = stats.t.ppf(0.5 + confidence / 2, n - 1) * np.where(np.isneginf(mean), 0.0, spread)
    return MeasurementTable(
        axes={"index": np.arange(count)},
        value=mean,
        low=mean - half,
        high=mean + half,
        n=np.full(count, float(n)),
        blank_reason=[""] * count if n else ["no start has all exponents"] * count,
        interval_method="t over starts" if n > 1 else "",
        **shared,
    )
