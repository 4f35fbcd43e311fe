"""In which distinct sets do the runs of a map of numeric states end, and what is each of them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from torch import Tensor

from limitset.core.limit_sets import LimitSets
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.numerics.running.end_sets import end_sets

INSTRUMENT: Final = "limit_sets"
VERSION: Final = 1


def limit_sets(
    map: SelfMap[Any],
    starts: Tensor,
    *,
    rng: Streams,
    steps: int = 1000,
    exponent_steps: int = 500,
    rows: Sequence[int] | np.ndarray | None = None,
    tolerance: float | None = None,
    bound: float = 1e6,
    confidence: float = 0.95,
    memory: int | None = None,
) -> LimitSets:
    r"""Find the limit sets that many starts end in, and say what kind each is and how much falls into it.

    .. math:: \lambda = \lim_{n \to \infty} \frac{1}{n} \ln \|J(x_{n-1}) \cdots J(x_0) v\|

    A run that settles (`run_tensors`) ends in a fixed point or a cycle. Several distinct ends of one period
    with a multiplier of size 1 (exponent within .001 of 0) are one continuum. A run that stays bounded
    without coming back is chaos when its largest exponent is positive, and a torus when it is zero and the
    run keeps coming near the places where it was without shrinking. Everything else is undecided, with a
    note of how it moves.

    Parameters
    ----------
    map
        The map.
    starts : (b, *shape)
        Starting states.
    rng
        Random streams: of the map, of the tangent vectors, of the sketches.
    steps
        Steps of each run, 1 or more.
    exponent_steps
        Steps over which the exponent of a run that does not settle is read, after half as many, 20 or more.
    rows, tolerance, bound, memory
        As in `run_tensors`.
    confidence
        Coverage of the Wilson intervals of shares and of the intervals of exponents, in (0, 1).

    Returns
    -------
    LimitSets
        Largest share first; after the limit sets, as sets without points, the starts that diverged and those
        undecided, one set a note. Shares sum to 1. `arrival` is inf for the last two and NaN for tori and
        chaos; `periods` is 0 for all four. `points` holds the phases of a cycle, at most 64 ends of a
        continuum, and the last states of at most 64 runs on a torus or chaotic set. `certificates`:
        "periodic" is empirical; "attracting" is empirical where the exponent is negative and refuted where
        it is positive.

    Raises
    ------
    InputError
        As `run_tensors`, and for `exponent_steps` below 20.

    Notes
    -----
    No grid is laid, so the dimension does not matter. Nothing is called settled because its residual is
    small. An exponent of n steps is zero when stretches of less than a hundredfold over all n explain it, so
    weak chaos (below ln 100 / n) stays undecided. Settled ends are one set within ten tolerances, cycles
    however they were entered; runs on tori or in chaos are one set when the energy distance of 128 states
    of each (from the second half, sketched beyond 16 numbers) is below 2 % of its largest value, or no more
    than twice that of the halves of one run. Tori that differ less, as circles of nearly one radius, are
    taken together. A continuum is everything neutral of one period, in one piece or several. Where a map
    cannot be differentiated, ends stay without exponent, and what does not settle undecided. A set that no
    start fell into is not found: the shares say how small it may be.

    References
    ----------
    Datseris and Wagemakers (2022), doi:10.1063/5.0076568 (basin fractions by recurrence); Benettin et al.
    (1980), doi:10.1007/BF02128237 (exponents from tangent vectors); Szekely and Rizzo (2013),
    doi:10.1016/j.jspi.2013.03.018 (distance of clouds); Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> import torch
    >>> from limitset.maps import known
    >>> starts = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)[:, None]
    >>> got = limit_sets(known.logistic(3.2), starts, rng=Streams(0))
    >>> [str(kind) for kind in got.kinds], got.periods.tolist(), round(float(got.exponents[0]), 4)
    (['cycle'], [2], -0.9163)
    >>> [str(kind) for kind in limit_sets(known.logistic(3.9), starts, rng=Streams(0)).kinds]
    ['chaos']
    """
    sets, _ = end_sets(
        map,
        starts,
        steps=steps,
        exponent_steps=exponent_steps,
        rng=rng,
        rows=rows,
        tolerance=tolerance,
        bound=bound,
        confidence=confidence,
        memory=memory,
    )
    return sets
