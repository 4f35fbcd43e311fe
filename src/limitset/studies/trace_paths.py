"""How is an orbit in many dimensions drawn in the plane?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

MOST_STEPS = 60
"""States of one orbit that are drawn; many later ones are left out."""


def drawn_paths(held: Mapping[int, np.ndarray], ends: Tensor) -> dict[int, tuple[list[float], list[float]]]:
    """Project orbits on the two directions in which the ends of all inputs differ most.

    Parameters
    ----------
    held
        Row to states `(steps + 1, *shape)`.
    ends : (b, *shape)
        Ends of all inputs from their own starts: they give the directions.

    Returns
    -------
    dict
        Row to two lists, one number a drawn state.

    Examples
    --------
    >>> import torch
    >>> ends = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    >>> paths = drawn_paths({0: np.array([[0.0, 0.0], [1.0, 0.0]])}, ends)
    >>> [abs(x) for x in paths[0][0]]
    [0.0, 1.0]
    """
    if not held:
        return {}
    points = ends.flatten(1).double().numpy()
    points = points[np.isfinite(points).all(axis=1)]
    centre = points.mean(axis=0)
    # the small side of the matrix: few inputs, many dimensions, or the other way round
    _, _, directions = np.linalg.svd(points - centre, full_matrices=False)
    plane = np.zeros((2, points.shape[1]))
    plane[: min(2, len(directions))] = directions[:2]
    largest = np.abs(plane).argmax(axis=1)
    plane *= np.sign(plane[[0, 1], largest] + (plane[[0, 1], largest] == 0))[
        :, None
    ]  # a sign that does not flip
    paths = {}
    for row, states in held.items():
        flat = np.asarray(states, dtype=np.float64).reshape(len(states), -1)
        flat = flat[np.isfinite(flat).all(axis=1)]
        kept = np.unique(np.geomspace(1, len(flat), min(MOST_STEPS, len(flat))).astype(int) - 1)
        x, y = ((flat[kept] - centre) @ plane.T).T
        paths[row] = ([round(float(v), 5) for v in x], [round(float(v), 5) for v in y])
    return paths
