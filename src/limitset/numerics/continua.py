"""Which fixed points touch others, and which of these belong to one line, ring or sheet?"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, Int
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist
from torch import Tensor

from limitset.numerics.point_search import polish
from limitset.numerics.vector_map import VectorMap

ROUNDING: Final = 1e3
"""A residual of this many units in the last place is no residual."""
_HELD: Final = 2048
"""Points whose mutual distances are held; further ones join the nearest of these."""


def at_rounding(states: Tensor, residual: Tensor) -> Tensor:
    """Say for each state whether its residual is 0 within the rounding of the state."""
    floor: Tensor = ROUNDING * torch.finfo(states.dtype).eps * states.norm(dim=1)
    return residual <= floor


def touches_others(
    f: VectorMap, states: Tensor, *, still: Tensor, row: int, step: float
) -> Bool[np.ndarray, " m"]:
    """Walk a step to both sides along the direction that J leaves as it is: is there a fixed point again?

    Parameters
    ----------
    f
        The map.
    states : (m, d)
        Fixed points with an eigenvalue 1.
    still : (m, d)
        Unit vectors v with J v = v; 0 where none is known.
    row
        Held input.
    step
        Length of the walk. Newton brings a walker from an isolated point back and leaves one on a line.
    """
    touches = np.zeros(len(states), dtype=bool)
    for side in (step, -step):
        ends, residual, near = polish(f, states + side * still, rows=np.full(len(states), row), cap=2 * step)
        moved = (ends - states).norm(dim=1)
        met = near & at_rounding(ends, residual) & (moved > step / 2) & (moved < 2 * step)
        touches |= met.cpu().numpy()
    return touches


def connected(f: VectorMap, states: Tensor, *, row: int, rng: np.random.Generator) -> Int[np.ndarray, " m"]:
    """Group points of non-isolated sets: two are of one set when between them there is a third.

    Tested are the edges of a shortest spanning tree: Newton from the middle of an edge must end on a fixed
    point between its ends.
    """
    points = states.detach().cpu().double().numpy()
    edges = _tree(points)
    if not len(edges):
        return np.zeros(len(points), dtype=np.int64) if len(points) < 2 else np.arange(len(points))
    ends = states[torch.from_numpy(edges).to(states.device)]
    length = (ends[:, 0] - ends[:, 1]).norm(dim=1)
    # beside the exact middle, where a map with a symmetry may be undefined
    aside = torch.from_numpy(rng.standard_normal(tuple(ends[:, 0].shape))).to(states)
    aside = 1e-3 * length[:, None] * aside / aside.norm(dim=1, keepdim=True)
    middle = ends.mean(dim=1) + aside
    found, residual, near = polish(f, middle, rows=np.full(len(middle), row), cap=float(length.max()))
    passed = near & at_rounding(found, residual) & ((found - middle).norm(dim=1) <= 0.6 * length)
    passed &= ((found[:, None] - ends).norm(dim=2) >= length[:, None] / 4).all(dim=1)
    kept = edges[passed.cpu().numpy()]
    graph = csr_matrix((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(len(points),) * 2)
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int64)


def _tree(points: np.ndarray) -> Int[np.ndarray, "e 2"]:
    """Return the edges of a shortest spanning tree of the first points; others join the nearest of these."""
    core = points[:_HELD]
    # the tree takes a distance of 0 for no edge, and distinct points may be very close
    distances = cdist(core, core)
    tree = minimum_spanning_tree(np.maximum(distances, np.finfo(np.float64).tiny)).tocoo()
    edges = [np.stack([tree.row, tree.col], axis=1)]
    for start in range(_HELD, len(points), _HELD):
        nearest = cdist(points[start : start + _HELD], core).argmin(axis=1)
        edges.append(np.stack([np.arange(start, start + len(nearest)), nearest], axis=1))
    return np.concatenate(edges).astype(np.int64)
