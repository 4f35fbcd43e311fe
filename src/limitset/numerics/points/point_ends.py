"""At which distinct places did many searches end, and is each fixed, one of a continuum, slow, or a drift?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from limitset.core.fixed_points import PointKind
from limitset.core.undefined import UNMATCHED
from limitset.numerics.points.continua import at_rounding, connected, touches_others
from limitset.numerics.points.merging import merge
from limitset.numerics.points.point_facts import PointFacts, point_facts
from limitset.numerics.points.point_search import search_points
from limitset.numerics.points.polishing import polish
from limitset.numerics.points.shared_newton import DENSE
from limitset.numerics.points.slow_points import drifting, least_speed
from limitset.numerics.solvers.solution import Outcome
from limitset.numerics.vector_map import VectorMap

_MIRRORED: Final = 256
"""Points whose mirror images are tried as further starts."""
_ORDER: Final = (PointKind.FIXED, PointKind.CONTINUUM, PointKind.SLOW, PointKind.DRIFT)


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What a search for fixed points is told.

    Parameters
    ----------
    row
        Held input of the one map that is searched.
    tolerance
        Largest residual of a fixed point.
    merge_distance
        Ends closer than this are one.
    cap
        Longest step.
    max_steps
        Newton steps of one run.
    """

    row: int
    tolerance: float
    merge_distance: float
    cap: float
    max_steps: int

    def rows(self, count: int) -> np.ndarray:
        """Return the held input for a batch."""
        return np.full(count, self.row, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class PointEnds:
    """The distinct places.

    Parameters
    ----------
    states : (m, d)
    residual : (m,)
    kinds : (m,)
    ends : (m,) int, distinct ends in each
    extent : (m,) largest distance of an end from the state
    labels : (b,) place of each run, -1 for none
    facts : of every place
    """

    states: Tensor
    residual: Tensor
    kinds: tuple[PointKind, ...]
    ends: np.ndarray
    extent: np.ndarray
    labels: Int[np.ndarray, " b"]
    facts: PointFacts


@dataclass(frozen=True, kw_only=True, eq=False)
class Strays:
    """What became of runs that found nothing.

    Parameters
    ----------
    states : (b, d)
    kinds : (b,)
        FIXED where a way downhill led to a residual below the tolerance after all; None for nothing.
    """

    states: Tensor
    kinds: tuple[PointKind | None, ...]


def follow_strays(f: VectorMap, starts: Tensor, states: Tensor, *, plan: SearchPlan) -> Strays:
    """Walk downhill on the speed from where runs got stuck, and iterate the map from where they began."""
    kinds: list[PointKind | None] = [None] * len(states)
    rows = plan.rows(len(states))
    if not len(states):
        return Strays(states=states, kinds=())
    if f.dimension <= DENSE:
        low, speed, minimum = least_speed(f, states, rows=rows, cap=plan.cap, enough=plan.tolerance)
        kinds = [
            PointKind.FIXED if below else PointKind.SLOW if least else None
            for below, least in zip((speed <= plan.tolerance).tolist(), minimum.tolist(), strict=True)
        ]
        states = low
    open_runs = np.flatnonzero([kind is None for kind in kinds])
    if open_runs.size:
        chosen = torch.from_numpy(open_runs).to(states.device)
        late, drifts = drifting(f, starts[chosen], rows=rows[open_runs])
        states = states.clone()
        states[chosen] = late
        for place, drift in zip(open_runs.tolist(), drifts.tolist(), strict=True):
            kinds[place] = PointKind.DRIFT if drift else None
    return Strays(states=states, kinds=tuple(kinds))


def gather_ends(
    f: VectorMap,
    states: Tensor,
    kinds: tuple[PointKind | None, ...],
    *,
    plan: SearchPlan,
    eigenvalues: int,
    rng: np.random.Generator,
) -> PointEnds:
    """Merge the ends of runs into places, and decide what each place is.

    Ends are merged, the mirror image −x of each is tried as a start, all are brought down to rounding and
    merged again. Ends from which Newton's steps grow, and ends with an eigenvalue 1 whose residual stays
    above rounding, are not fixed however small the residual: they are slow, or a drift where plain iteration
    leaves.

    Parameters
    ----------
    f
        The map.
    states : (b, d)
        Where the runs ended.
    kinds : (b,)
        FIXED for a residual at or below the tolerance, SLOW, DRIFT, or None for nothing.
    plan
        What the search was told.
    eigenvalues
        How many are kept.
    rng
        Source of first vectors.
    """
    codes = np.array([UNMATCHED if kind is None else _ORDER.index(kind) for kind in kinds], dtype=np.int64)
    labels = np.full(len(codes), UNMATCHED)
    fixed = _fixed_points(f, states, codes == _ORDER.index(PointKind.FIXED), labels, plan)
    slow = _merged_into(labels, states, codes == _ORDER.index(PointKind.SLOW), 10 * plan.merge_distance)
    drift = _merged_into(labels, states, codes == _ORDER.index(PointKind.DRIFT), np.inf)
    points = torch.cat([fixed.states, states[_index(slow, states)], states[_index(drift, states)]])
    rows = plan.rows(len(points))
    residual = (f(points, rows) - points).norm(dim=1) if len(points) else points.new_zeros(0)
    facts = point_facts(f, points, rows=rows, count=eigenvalues, rng=rng)
    found = (
        [PointKind.FIXED] * len(fixed.states) + [PointKind.SLOW] * len(slow) + [PointKind.DRIFT] * len(drift)
    )
    _demote(f, points, residual, near=fixed.near, facts=facts, found=found, plan=plan)
    groups = np.arange(len(points))
    fixed_so_far = np.array([kind is PointKind.FIXED for kind in found], dtype=bool)
    touching = np.flatnonzero(fixed_so_far & facts.singular)
    if touching.size:
        at = points[_index(touching, points)]
        still = facts.still[_index(touching, points)]
        touching = touching[touches_others(f, at, still=still, row=plan.row, step=10 * plan.merge_distance)]
        groups[touching] = len(points) + connected(f, points[_index(touching, points)], row=plan.row, rng=rng)
        for place in touching:
            found[place] = PointKind.CONTINUUM
    return _entries(points, residual, found, groups=groups, labels=labels, facts=facts)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fixed:
    states: Tensor
    near: Tensor


def _fixed_points(
    f: VectorMap, states: Tensor, mask: np.ndarray, labels: np.ndarray, plan: SearchPlan
) -> _Fixed:
    """Merge, mirror, polish and merge again; write into `labels` which point each run ended in."""
    firsts = _merged_into(labels, states, mask, plan.merge_distance)
    ends = states[_index(firsts, states)]
    ends = torch.cat([ends, _mirrored(f, ends, plan)])
    polished, residual, near = polish(f, ends, rows=plan.rows(len(ends)), cap=plan.cap)
    groups = merge(polished.detach().cpu().double().numpy(), distance=plan.merge_distance)
    order = np.lexsort((residual.cpu().numpy(), groups))
    best = order[np.unique(groups[order], return_index=True)[1]]
    labels[mask] = groups[labels[mask]]
    chosen = _index(best, states)
    return _Fixed(states=polished[chosen], near=near[chosen])


def _mirrored(f: VectorMap, ends: Tensor, plan: SearchPlan) -> Tensor:
    """Return points that Newton reaches from the mirror images of others: odd maps have them in pairs."""
    if not len(ends):
        return ends
    starts = -ends[:_MIRRORED]
    found = search_points(
        f,
        starts,
        rows=plan.rows(len(starts)),
        tolerance=plan.tolerance,
        max_steps=plan.max_steps,
        cap=plan.cap,
    )
    converged = torch.tensor([o == Outcome.CONVERGED for o in found.outcomes]).to(starts.device)
    new = found.states[converged]
    return new[torch.cdist(new, ends).amin(dim=1) > plan.merge_distance] if len(new) else new


def _merged_into(labels: np.ndarray, states: Tensor, mask: np.ndarray, distance: float) -> np.ndarray:
    """Give groups of some runs the next free labels; return the first run of each."""
    held = np.flatnonzero(mask)
    if not held.size:
        return held
    whole = states[_index(held, states)].detach().cpu().double().numpy()
    joined = np.zeros(held.size, dtype=np.int64) if np.isinf(distance) else merge(whole, distance=distance)
    labels[held] = joined + labels.max(initial=UNMATCHED) + 1
    return held[np.unique(joined, return_index=True)[1]]


def _demote(
    f: VectorMap,
    points: Tensor,
    residual: Tensor,
    *,
    near: Tensor,
    facts: PointFacts,
    found: list[PointKind],
    plan: SearchPlan,
) -> None:
    """Take the name from points with a small residual and no fixed point near."""
    count = len(near)
    exact = (at_rounding(points, residual) | (residual == 0)).cpu().numpy()[:count]
    doubtful = np.flatnonzero(~near.cpu().numpy() | (facts.singular[:count] & ~exact))
    if not doubtful.size:
        return
    _, drifts = drifting(f, points[_index(doubtful, points)], rows=plan.rows(doubtful.size))
    for place, drift in zip(doubtful.tolist(), drifts.tolist(), strict=True):
        found[place] = PointKind.DRIFT if drift else PointKind.SLOW


def _entries(
    points: Tensor,
    residual: Tensor,
    found: list[PointKind],
    *,
    groups: np.ndarray,
    labels: np.ndarray,
    facts: PointFacts,
) -> PointEnds:
    """Make one entry of every group, and one of all drifts; order by kind and by runs."""
    ranks = np.array([_ORDER.index(kind) for kind in found], dtype=np.int64)
    groups = np.where(ranks == _ORDER.index(PointKind.DRIFT), -1, groups)
    runs = np.bincount(labels[labels >= 0], minlength=len(points))
    _, entry = np.unique(groups, return_inverse=True)
    count = int(entry.max(initial=-1)) + 1
    of_kind = np.full(count, len(_ORDER))
    of_kind[entry] = ranks
    order = np.lexsort((-np.bincount(entry, weights=runs, minlength=count), of_kind))
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    entry = place[entry]
    sizes = residual.detach().cpu().double().numpy()
    by_entry = np.lexsort((sizes, entry))
    best = by_entry[np.unique(entry[by_entry], return_index=True)[1]]
    whole = points.detach().cpu().double().numpy()
    extent = np.zeros(count)
    np.maximum.at(extent, entry, np.linalg.norm(whole - whole[best[entry]], axis=1))
    kinds = tuple(found[place] for place in best)
    return PointEnds(
        states=points[_index(best, points)],
        residual=residual[_index(best, points)],
        kinds=kinds,
        ends=np.bincount(entry, minlength=count),
        extent=extent,
        labels=np.where(labels >= 0, entry[labels] if count else labels, UNMATCHED),
        facts=facts.taken(best, fixed=np.array([kind is PointKind.FIXED for kind in kinds], dtype=bool)),
    )


def _index(places: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(places, dtype=np.int64)).to(like.device)
