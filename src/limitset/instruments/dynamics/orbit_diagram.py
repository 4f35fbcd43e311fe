"""Where do the orbits of a map lie in the long run, parameter by parameter?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from torch import Tensor

from limitset.core.continued import OrbitDiagram
from limitset.core.errors import InputError
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.numerics.running.map_checks import stepped
from limitset.numerics.running.run_checks import check_starts

INSTRUMENT: Final = "orbit_diagram"
VERSION: Final = 1


def orbit_diagram(
    make_map: Callable[[float], SelfMap[Any]],
    parameters: Sequence[float] | np.ndarray,
    starts: Tensor,
    *,
    rng: Streams,
    coordinate: int = 0,
    steps: int = 500,
    keep: int = 64,
) -> OrbitDiagram:
    """Collect one number of the last states of many orbits at every value of a parameter.

    Parameters
    ----------
    make_map
        Gives the map at one value.
    parameters : (p,)
        Values.
    starts : (b, *shape)
        Starting states, the same at every value.
    rng
        Random streams; step t (from 1) gets ``rng.child("step", t)``.
    coordinate
        Which number of the flattened state, from 0.
    steps
        Steps before the first state that is kept, 0 or more.
    keep
        States kept of each orbit, 1 or more.

    Returns
    -------
    OrbitDiagram
        The numbers (p, b keep), in the unit of the state; `.plot()` draws them.

    Raises
    ------
    InputError
        When there is no value, a number is out of its range, or the map changes the shape of states.

    Notes
    -----
    It shows, and decides nothing: a column of few points is a cycle or a slow approach to one; `limit_sets`
    tells. States before `steps` are not shown.

    References
    ----------
    May (1976), doi:10.1038/261459a0 (the logistic map's diagram).

    Examples
    --------
    >>> import torch
    >>> from limitset.maps import known
    >>> got = orbit_diagram(known.logistic, [2.0, 3.2], torch.full((1, 1), 0.3, dtype=torch.float64),
    ...                     rng=Streams(0), keep=4)
    >>> got.values.round(4).tolist()
    [[0.5, 0.5, 0.5, 0.5], [0.513, 0.7995, 0.513, 0.7995]]
    """
    check_starts(starts)
    values = np.asarray(parameters, dtype=np.float64)
    size = starts[0].numel()
    if values.ndim != 1 or not values.size or steps < 0 or keep < 1 or not 0 <= coordinate < size:
        raise InputError.of(
            expected=f"one value at least, steps of 0 or more, keep of 1 or more, a coordinate below {size}",
            got=f"{values.size} values, {steps} steps, keep {keep}, coordinate {coordinate}",
            fix="Change these.",
        )
    rows = np.arange(starts.shape[0])
    found = np.empty((values.size, starts.shape[0], keep))
    for place, value in enumerate(values.tolist()):
        map, states = make_map(value), starts
        for step in range(1, steps + keep + 1):
            states = stepped(map, states, rows=rows, rng=rng.child("step", step))
            if step > steps:
                column = states.reshape(starts.shape[0], -1)[:, coordinate]
                found[place, :, step - steps - 1] = column.double().cpu().numpy()
    found[~np.isfinite(found)] = np.nan
    return OrbitDiagram(
        parameters=values, values=found.reshape(values.size, -1), coordinate=coordinate, steps=steps
    )
