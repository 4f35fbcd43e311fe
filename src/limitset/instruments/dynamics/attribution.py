"""Which part of a map makes nearby orbits part or meet?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.numerics.running.map_checks import check_map
from limitset.numerics.stability.arnoldi import labels_of
from limitset.numerics.stability.exponents import stretches
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "stretch_by_part"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class StretchByPart:
    """What each part of a map adds to its leading exponents.

    Parameters
    ----------
    contributions
        Axes start, place (in the chain), part (its name) and index (0 is the leading direction), in nats a
        step; over the places they sum to the exponents.
    exponents
        Axes start and index: the exponents of the whole map.
    """

    contributions: MeasurementTable
    exponents: MeasurementTable


def stretch_by_part(
    parts: Sequence[tuple[str, SelfMap[Any]]],
    starts: Tensor,
    *,
    rows: Sequence[int] | None = None,
    steps: int,
    burn_in: int = 0,
    count: int = 1,
    blocks: int = 10,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> StretchByPart:
    r"""Split the leading Lyapunov exponents of a chain of maps among its parts.

    .. math:: J_p Q_{p-1} = Q_p R_p, \quad R = R_P \cdots R_1, \qquad
        \lambda_i = \sum_p \frac{1}{T} \sum_t \ln |r_{p,ii}(t)|

    Parameters
    ----------
    parts
        Names and maps of the parts, in the order in which they are applied; each keeps the shape of the
        states. For a block of a transformer: x + attention(norm(x)), then x + mlp(norm(x)).
    starts : (b, *shape)
        Where the orbits of the whole chain begin.
    rows
        Which starts these are (their held inputs); default 0, 1, ...
    steps
        Applications of the whole chain, `blocks` or more.
    burn_in
        Applications left out before, 0 or more; over the second half of them the directions settle too.
    count
        How many leading exponents, 1 to d.
    blocks
        Blocks of the orbit that the intervals are made of, 2 or more.
    confidence
        Coverage aimed at, in (0, 1).
    rng
        Source of the first directions and of the maps' own streams.

    Returns
    -------
    StretchByPart
        Contributions in nats a step; above 0 the part stretches the direction.

    Raises
    ------
    InputError
        When there is no part, or a number is out of its range.

    Notes
    -----
    The sum over the parts is the exponent, in whatever units the states are. A single contribution is not:
    it is measured in the states' own norm, so rescaling the states between two parts moves stretch from one
    to the other. It speaks of the directions that lead the whole map, not of those the part stretches most.

    References
    ----------
    Benettin et al. (1980), doi:10.1007/BF02128237; Eckmann, Ruelle (1985), doi:10.1103/RevModPhys.57.617,
    section V; batch means: Flegal, Jones (2010), doi:10.1214/09-AOS735. The split is this project's own.

    Examples
    --------
    >>> import torch
    >>> from limitset.maps.known import linear
    >>> parts = [("double", linear(2 * np.eye(2))), ("shrink", linear(0.25 * np.eye(2)))]
    >>> start = torch.ones(1, 2, dtype=torch.float64)
    >>> got = stretch_by_part(parts, start, steps=20, rng=np.random.default_rng(0))
    >>> got.contributions.value.round(4).tolist(), got.exponents.value.round(4).tolist()
    ([0.6931, -1.3863], [-0.6931])
    """
    if not parts:
        raise InputError.of(expected="a chain must have one part at least", got="none", fix="Name its parts.")
    streams = Streams(int(rng.integers(2**63)))
    chain = [
        VectorMap.of(part, starts, rng=streams.child("part", place)) for place, (_, part) in enumerate(parts)
    ]
    labels = labels_of(starts, rows)
    for f in chain:
        check_map(f.map, starts, rows=labels, rng=f.rng)
    found = stretches(
        chain,
        chain[0].flat(starts),
        rows=labels,
        steps=steps,
        burn_in=burn_in,
        count=count,
        blocks=blocks,
        rng=rng,
    )
    shared = {
        "version": VERSION,
        "level": parts[0][1].level,
        "confidence": confidence,
        "parameters": {"steps": steps, "burn_in": burn_in, "blocks": blocks},
        "interval_method": "t over blocks of the orbit (batch means)",
    }
    starts_axis, index = np.asarray(labels), np.arange(count)
    order = [np.arange(len(parts)), starts_axis, index]
    place, start, which = (axis.ravel() for axis in np.meshgrid(*order, indexing="ij"))
    names = np.array([parts[one][0] for one in place], dtype=object)
    return StretchByPart(
        contributions=_table(
            found.parts,
            found.half_widths(found.blocks, confidence=confidence),
            {"start": start, "place": place, "part": names, "index": which},
            {"instrument": INSTRUMENT, **shared},
        ),
        exponents=_table(
            found.exponents,
            found.half_widths(found.blocks.sum(axis=1), confidence=confidence),
            {"start": np.repeat(starts_axis, count), "index": np.tile(index, len(starts_axis))},
            {"instrument": f"{INSTRUMENT}_total", **shared},
        ),
    )


def _table(
    values: np.ndarray, halves: np.ndarray, axes: dict[str, np.ndarray], shared: dict[str, Any]
) -> MeasurementTable:
    return MeasurementTable(
        axes=axes,
        value=values.ravel(),
        low=(values - halves).ravel(),
        high=(values + halves).ravel(),
        n=np.full(values.size, shared["parameters"]["blocks"], dtype=np.float64),
        blank_reason=["the orbit left the numbers" if one else "" for one in np.isnan(values).ravel()],
        **shared,
    )
