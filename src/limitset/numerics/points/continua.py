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

from limitset.numerics.points.polishing import polish
from limitset.numerics.vector_map import VectorMap

_HALVINGS: Final = 12
"""Times an edge is halved to follow a bend."""
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
    """Group points of non-isolated sets: two are of one set when a path of fixed points joins them.

    Tested are the edges of a shortest spanning tree. Newton from the middle of an edge must end on a fixed
    point between its ends; where that point lies a hundredth of the edge or more beside the middle, both
    halves are tested in turn, so that a bend is followed and a gap is not crossed.
    """
    edges = _tree(states.detach().cpu().double().numpy())
    joined = np.ones(len(edges), dtype=bool)
    pairs = states[torch.from_numpy(edges).to(states.device)]
    of_edge = np.arange(len(edges))
    for _ in range(_HALVINGS):
        if not len(of_edge):
            break
        middle, between, straight = _middles(f, pairs, row, rng)
        joined[of_edge[~between]] = False
        bent = between & ~straight & joined[of_edge]
        chosen = torch.from_numpy(np.flatnonzero(bent)).to(states.device)
        left, right = pairs[chosen, 0], pairs[chosen, 1]
        pairs = torch.cat([torch.stack([left, middle[chosen]], 1), torch.stack([middle[chosen], right], 1)])
        of_edge = np.concatenate([of_edge[bent]] * 2)
    joined[of_edge] = False
    kept = edges[joined]
    graph = csr_matrix((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(len(states),) * 2)
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int64)


def _middles(
    f: VectorMap, pairs: Tensor, row: int, rng: np.random.Generator
) -> tuple[Tensor, Bool[np.ndarray, " e"], Bool[np.ndarray, " e"]]:
    """Return the fixed points beside the middles, whether each is between its ends, and beside the middle."""
    length = (pairs[:, 0] - pairs[:, 1]).norm(dim=1)
    # beside the exact middle, where a map with a symmetry may be undefined
    aside = torch.from_numpy(rng.standard_normal(tuple(pairs[:, 0].shape))).to(pairs)
    middle = pairs.mean(dim=1) + 1e-3 * length[:, None] * aside / aside.norm(dim=1, keepdim=True)
    cut = torch.finfo(pairs.dtype).eps ** 0.5
    rows = np.full(len(middle), row)
    found, residual, near = polish(f, middle, rows=rows, cap=float(length.max()), cut=cut)
    apart = (found[:, None] - pairs).norm(dim=2)
    between = near & at_rounding(found, residual) & (apart.amax(dim=1) < length)
    between &= apart.amin(dim=1) >= length / 20
    straight = (found - middle).norm(dim=1) <= length / 100
    return found, between.cpu().numpy(), straight.cpu().numpy()


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
