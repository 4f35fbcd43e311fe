"""Where does Newton's method end from many starts, when later rows walk to what earlier rows found?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.points.merging import merge
from limitset.numerics.solvers.newton import rows_that_fit
from limitset.numerics.solvers.search import Search, capped, kept
from limitset.numerics.solvers.solution import Solution
from limitset.numerics.vector_map import Rows, VectorMap

DENSE: Final = 512
"""Largest dimension in which whole Jacobians are used for a search: a step costs d^3."""
CHUNK: Final = 2**21
"""Bytes of Jacobians in one piece of work: they stay in the cache of one core."""
_SECOND: Final = 0.5
"""Newton steps that a second step with the same factors counts for."""
_CHORDS: Final = 12
_CONTRACTION: Final = 0.5
"""A chord step is trusted while it takes the residual down to this share."""
_NEAREST: Final = 64
"""Points whose inverse Jacobians are held for chord steps."""


def shared_newton(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows,
    tolerance: float,
    max_steps: int,
    cap: float,
    seeded: bool = False,
) -> Solution:
    """Run dense Newton on all starts, and chord steps with one shared inverse towards points already found.

    Newton: (I − J(x)) s = f(x) − x, ‖s‖ <= cap. Where that step is longer than the cap, a second one follows
    with the same factors, corrected by Broyden's formula; it counts as half a step. Chord, to the nearest
    found point p: (I − J(p)) s = f(x) − x, taken only while the residual falls to a half with every step.

    Parameters
    ----------
    f, starts, rows, tolerance, max_steps, cap
        As in `search_points`.
    seeded
        The starts are nearly fixed points: distinct ones of them serve as found points from the beginning.

    References
    ----------
    Kelley (2003), doi:10.1137/1.9780898718898, chapters 2 and 4 (Newton and chord; Broyden).
    """
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="newton", patience=3 * max_steps)
    found = _Found(f, tolerance)
    chunk = max(
        16, min(rows_that_fit(starts, 2**28), CHUNK // (starts.shape[1] ** 2 * starts.element_size()))
    )
    x = starts.detach()
    if seeded:
        found.add(x, search.all_rows)
    spent = torch.zeros(len(x), device=x.device)
    for _ in range(max_steps + 1):
        if not len(x):
            break
        gaps = search(x) - x
        arrived = gaps.norm(dim=1) <= tolerance
        found.add(x[arrived], np.asarray(search.live_rows)[arrived.cpu().numpy()])
        x, gaps, spent = kept(search.seen(x, gaps), x, gaps, spent)
        x, gaps, spent = found.chords(search, x, gaps, spent)
        going = torch.nonzero(spent < max_steps)[:, 0]
        if not len(going):
            break
        x, spent = x.clone(), spent.clone()
        for here in torch.split(going, chunk):
            held = here.cpu().numpy()
            x[here], twice = _dense_steps(f, x[here], np.asarray(search.live_rows)[held], gaps[here], cap)
            search.evaluations[search.active[held]] += f.dimension + twice.long().cpu().numpy()
            spent[here] += 1 + _SECOND * twice
    return search.solution()


class _Found:
    """Points found so far, with the inverses of I − J there."""

    def __init__(self, f: VectorMap, tolerance: float) -> None:
        self.f = f
        self.tolerance = tolerance
        self.points: list[Tensor] = []
        self.inverses: list[Tensor] = []

    def add(self, ends: Tensor, rows: np.ndarray) -> None:
        """Keep the ends that are far from all that are known."""
        room = _NEAREST - len(self.points)
        if not len(ends) or room <= 0:
            return
        whole = ends.detach().cpu().double().numpy()
        apart = 1e-3 * float(np.linalg.norm(whole, axis=1).max()) + self.tolerance
        if self.points:
            known = torch.stack(self.points)
            ends_new = (torch.cdist(ends, known).amin(dim=1) >= apart).cpu().numpy()
            whole, places = whole[ends_new], np.flatnonzero(ends_new)
        else:
            places = np.arange(len(whole))
        if not len(whole):
            return
        groups = merge(whole, distance=apart)
        chosen = places[np.unique(groups, return_index=True)[1]][:room]
        points = ends[torch.from_numpy(chosen).to(ends.device)]
        chunk = max(1, CHUNK // (self.f.dimension**2 * points.element_size()))
        for start in range(0, len(points), chunk):
            part = points[start : start + chunk]
            inverses, info = torch.linalg.inv_ex(
                systems_at(self.f, part, rows[chosen[start : start + chunk]])
            )
            for point, inverse, bad in zip(part, inverses, info.tolist(), strict=True):
                if not bad:
                    self.points.append(point)
                    self.inverses.append(inverse)

    def chords(self, search: Search, x: Tensor, gaps: Tensor, spent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Walk every row towards its nearest point for as long as that pays; return the rows that go on."""
        if not self.points or not len(x):
            return x, gaps, spent
        nearest = torch.cdist(x, torch.stack(self.points)).argmin(dim=1)
        walker = _Walk(search, nearest)
        ends, end_gaps = walker.run(x, gaps, self.inverses, self.tolerance)
        arrived = end_gaps.norm(dim=1) <= self.tolerance
        if not bool(arrived.any()):
            return x, gaps, spent
        keep = search.seen(
            torch.where(arrived[:, None], ends, x), torch.where(arrived[:, None], end_gaps, gaps)
        )
        return tuple(kept(keep, x, gaps, spent))  # type: ignore[return-value]


@dataclass
class _Walk:
    search: Search
    nearest: Tensor

    def run(self, x: Tensor, gaps: Tensor, inverses: list[Tensor], tolerance: float) -> tuple[Tensor, Tensor]:
        x, gaps = x.clone(), gaps.clone()
        live = torch.arange(len(x), device=x.device)
        size = gaps.norm(dim=1)
        for _ in range(_CHORDS):
            trial = x[live].clone()
            for point in np.unique(self.nearest[live].cpu().numpy()).tolist():
                of_point = self.nearest[live] == point
                trial[of_point] += gaps[live[of_point]] @ inverses[point].T
            here = live.cpu().numpy()
            self.search.evaluations[self.search.active[here]] += 1
            moved = self.search.f(trial, np.asarray(self.search.live_rows)[here]) - trial
            length = moved.norm(dim=1)
            falls = length <= _CONTRACTION * size[live]
            live, length = live[falls], length[falls]
            x[live], gaps[live], size[live] = trial[falls], moved[falls], length
            live = live[length > tolerance]
            if not len(live):
                break
        return x, gaps


def _dense_steps(
    f: VectorMap, x: Tensor, rows: np.ndarray, gaps: Tensor, cap: float
) -> tuple[Tensor, Tensor]:
    """Return where one Newton step leads, or two where the first was too long, and which rows took two."""
    factors, pivots, info = torch.linalg.lu_factor_ex(systems_at(f, x, rows))
    whole = torch.linalg.lu_solve(factors, pivots, gaps[..., None])[..., 0]
    # no Newton step where I - J is singular: walk on by the map
    singular = (info != 0) | ~torch.isfinite(whole).all(dim=1)
    whole = torch.where(singular[:, None], gaps, whole)
    step = capped(whole, cap)
    ends = x + step
    length = whole.norm(dim=1, keepdim=True)
    twice = ~singular & (length[:, 0] > cap)
    if not bool(twice.any()):
        return ends, twice
    # Broyden's correction of the Jacobian along the shortened step, by the formula of Sherman and Morrison
    moved = f(ends, rows) - ends
    chord = torch.linalg.lu_solve(factors, pivots, moved[..., None])[..., 0]
    turn = (1 - cap / length) * whole - chord
    along = step / (step * step).sum(dim=1, keepdim=True)
    second = chord - turn * (along * chord).sum(dim=1, keepdim=True) / (
        1 + (along * turn).sum(dim=1, keepdim=True)
    )
    twice &= torch.isfinite(second).all(dim=1)
    return torch.where(twice[:, None], ends + capped(second, cap), ends), twice


def systems_at(f: VectorMap, x: Tensor, rows: Rows) -> Tensor:
    """Return I − J, all rows of J in one backward pass: two thirds of the time of one pass forward."""
    unit = torch.eye(f.dimension).to(x)
    with torch.enable_grad():
        at = x.detach().requires_grad_(True)
        images = f.flat(f.map.step(f.shaped(at), rows=np.asarray(rows).tolist(), rng=f.rng))
        try:
            (pulled,) = torch.autograd.grad(
                images, at, -unit[:, None].expand(-1, *x.shape), is_grads_batched=True
            )
            systems: Tensor = pulled.transpose(0, 1)
        except (
            RuntimeError
        ):  # nothing to follow, or a rule that cannot be batched: the map's own way, or its error
            systems = -f.jacobian(x, rows)
    systems = systems.contiguous()
    systems.diagonal(dim1=1, dim2=2).add_(1)
    return systems
