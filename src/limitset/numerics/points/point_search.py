"""Where does Newton's method end from very many starts, when later rows may use what earlier rows found?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.solvers.gmres import Product, gmres
from limitset.numerics.solvers.newton import rows_that_fit
from limitset.numerics.solvers.newton_gmres import KRYLOV, newton_gmres
from limitset.numerics.solvers.search import Search, capped, kept
from limitset.numerics.solvers.solution import Outcome, Solution
from limitset.numerics.vector_map import Rows, VectorMap

DENSE: Final = 512
"""Largest dimension in which whole Jacobians are used for a search: a step costs d^3."""
KRYLOV_FROM: Final = 17
"""Below this dimension a dense step costs less than the products it would replace."""
PILOT: Final = 32
"""Starts on which products with the Jacobian are tried before all starts are put on them."""
PILOT_SHARE: Final = 0.9
"""Share of the pilot that must converge by products alone."""
CHUNK: Final = 2**22
"""Bytes of Jacobians in one piece of work: they stay in the cache of one core."""
_SOLVED: Final = 0.1
"""Share of the right side that may be left of a linear equation solved by products."""
_CHORDS: Final = 6
_CONTRACTION: Final = 0.25
"""A chord step is trusted while it takes the residual down to this share."""
_NEAREST: Final = 64
"""Points whose inverse Jacobians are held for chord steps."""


def step_cap(f: VectorMap, starts: Tensor, *, rows: Rows) -> float:
    """Return a longest step in proportion to the states.

    A quarter of the starts' median size, or a third of the median size of their fourth images, if that is
    more; 1 where both are 0. Images count while they are no ten times larger than what they came from.
    """
    states, places = starts[:PILOT], np.asarray(rows)[:PILOT]
    size = float(states.norm(dim=1).median())
    cap = size / 4
    for _ in range(4):
        states = f(states, places)
        grown = float(states.norm(dim=1).median())
        if not grown <= 10 * size and size > 0:
            return cap
        size = max(size, grown)
    return max(cap, float(states.norm(dim=1).median()) / 3) or 1.0


def search_points(
    f: VectorMap, starts: Tensor, *, rows: Rows, tolerance: float, max_steps: int, cap: float
) -> Solution:
    """Search fixed points from every start: by products with the Jacobian where these do, else dense.

    A pilot of 32 starts is run with Newton-GMRES (12 products in a space). When 90 % of it converge, all
    starts are, and those that fail go on to dense steps; else dense steps begin at once. From dimension 513
    on only products are used.

    Parameters
    ----------
    f
        The map.
    starts : (b, d)
        Where to begin; never written to.
    rows : (b,)
        Held inputs, as the map's `rows`.
    tolerance
        Absolute residual at which a row has converged.
    max_steps
        Newton steps of each kind at most.
    cap
        Longest step.

    Returns
    -------
    Solution
        As from the solvers; rows handed on carry both names.
    """
    d = f.dimension
    places = np.asarray(rows)
    if d > DENSE:
        return newton_gmres(
            f, starts, rows=places, tolerance=tolerance, max_steps=max_steps, step_cap=cap, krylov=40
        )
    if d >= KRYLOV_FROM and _products_do(f, starts, places, tolerance=tolerance, cap=cap):
        first = newton_gmres(f, starts, rows=places, tolerance=tolerance, max_steps=max_steps, step_cap=cap)
        failed = np.array([outcome != Outcome.CONVERGED for outcome in first.outcomes])
        if not failed.any():
            return first
        again = shared_newton(
            f,
            starts[torch.from_numpy(failed)],
            rows=places[failed],
            tolerance=tolerance,
            max_steps=max_steps,
            cap=cap,
        )
        return _joined(first, again, failed)
    return shared_newton(f, starts, rows=places, tolerance=tolerance, max_steps=max_steps, cap=cap)


def shared_newton(
    f: VectorMap, starts: Tensor, *, rows: Rows, tolerance: float, max_steps: int, cap: float
) -> Solution:
    """Run dense Newton on all starts, and chord steps with one shared inverse towards points already found.

    Newton: (I − J(x)) s = f(x) − x, ‖s‖ <= cap. Chord, towards the nearest found point p:
    (I − J(p)) s = f(x) − x, taken only while the residual falls to a quarter with every step.

    References
    ----------
    Kelley (2003), doi:10.1137/1.9780898718898, chapter 2 (Newton and chord).
    """
    search = Search(f, starts, rows=rows, tolerance=tolerance, solver="newton", patience=3 * max_steps)
    found = _Found(f, tolerance)
    chunk = max(
        16, min(rows_that_fit(starts, 2**28), CHUNK // (starts.shape[1] ** 2 * starts.element_size()))
    )
    x = starts.detach()
    for left in reversed(range(max_steps + 1)):
        if not len(x):
            break
        gaps = search(x) - x
        arrived = gaps.norm(dim=1) <= tolerance
        found.add(x[arrived], np.asarray(search.live_rows)[arrived.cpu().numpy()])
        x, gaps = kept(search.seen(x, gaps), x, gaps)
        x, gaps = found.chords(search, x, gaps)
        if left and len(x):
            steps = [
                _dense_steps(f, x[s : s + chunk], search.live_rows[s : s + chunk], gaps[s : s + chunk])
                for s in range(0, len(x), chunk)
            ]
            search.spend(f.dimension)
            x = x + capped(torch.cat(steps), cap)
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
        for place in range(len(ends)):
            end = ends[place]
            if len(self.points) >= _NEAREST:
                return
            apart = 1e-3 * float(end.norm()) + self.tolerance
            if self.points and float((torch.stack(self.points) - end).norm(dim=1).min()) < apart:
                continue
            inverse, info = torch.linalg.inv_ex(_systems(self.f, end[None], rows[place : place + 1])[0])
            if not int(info):
                self.points.append(end)
                self.inverses.append(inverse)

    def chords(self, search: Search, x: Tensor, gaps: Tensor) -> tuple[Tensor, Tensor]:
        """Walk every row towards its nearest point for as long as that pays; return the rows that go on."""
        if not self.points or not len(x):
            return x, gaps
        nearest = torch.cdist(x, torch.stack(self.points)).argmin(dim=1)
        walker = _Walk(search, nearest)
        ends, end_gaps = walker.run(x, gaps, self.inverses, self.tolerance)
        arrived = end_gaps.norm(dim=1) <= self.tolerance
        if not bool(arrived.any()):
            return x, gaps
        keep = search.seen(
            torch.where(arrived[:, None], ends, x), torch.where(arrived[:, None], end_gaps, gaps)
        )
        return tuple(kept(keep, x, gaps))  # type: ignore[return-value]


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


def polish(
    f: VectorMap, points: Tensor, *, rows: Rows, cap: float, cut: float = 0.0, max_steps: int = 60
) -> tuple[Tensor, Tensor, Tensor]:
    """Bring converged points down to rounding: full Newton steps while these shrink and halve the residual.

    Where I − J is singular the step of least length is taken, so that a point of a line stays beside itself.

    Parameters
    ----------
    f
        The map.
    points : (m, d)
        States near fixed points.
    rows : (m,)
        Held inputs.
    cap
        Longest first step.
    cut
        Singular values of I − J below this share of the largest count as 0 from the beginning.
    max_steps
        Steps at most.

    Returns
    -------
    states : (m, d)
    residual : (m,)
    near : (m,) bool
        False where the steps grow: the residual is small there, and yet no fixed point is near.
    """
    best, places = points.detach().clone(), np.asarray(rows)
    gaps = f(best, places) - best
    residual = gaps.norm(dim=1)
    longest = torch.full_like(residual, cap)
    near = torch.ones(len(best), dtype=torch.bool, device=best.device)
    live = torch.arange(len(best), device=best.device)
    for _ in range(max_steps):
        live = live[residual[live] > torch.finfo(best.dtype).eps * best[live].norm(dim=1)]
        if not len(live):
            break
        here = places[live.cpu().numpy()]
        steps = _least_steps(f, best[live], here, gaps[live], longest[live], cut)
        length = steps.norm(dim=1)
        near[live] &= length <= longest[live]  # also False for NaN
        going = near[live]
        live, here = live[going], here[going.cpu().numpy()]
        trial = best[live] + steps[going]
        moved = f(trial, here) - trial
        size = moved.norm(dim=1)
        better = size <= residual[live] / 2
        live = live[better]
        best[live], gaps[live], residual[live] = trial[better], moved[better], size[better]
        longest[live] = length[going][better]
    return best, residual, near


def _least_steps(  # noqa: PLR0917 - the columns of one batch
    f: VectorMap, x: Tensor, rows: Rows, gaps: Tensor, longest: Tensor, cut: float
) -> Tensor:
    """Solve (I − J) s = gaps; where that is singular, by least squares of least length."""
    d, places = f.dimension, np.asarray(rows)
    if d > DENSE:
        return _steps_by_products(f, x, places, gaps)
    chunk = max(1, CHUNK // (d * d * x.element_size()))
    parts = [slice(start, start + chunk) for start in range(0, len(x), chunk)]
    return torch.cat(
        [_least(_systems(f, x[part], places[part]), gaps[part], longest[part], cut) for part in parts]
    )


def _least(systems: Tensor, gaps: Tensor, longest: Tensor, cut: float) -> Tensor:
    if cut > 0:
        least: Tensor = torch.linalg.pinv(systems, rtol=cut) @ gaps[..., None]
        return least[..., 0]
    factors, pivots, _ = torch.linalg.lu_factor_ex(systems)
    steps: Tensor = torch.linalg.lu_solve(factors, pivots, gaps[..., None])[..., 0]
    diagonal = factors.diagonal(dim1=1, dim2=2).abs()
    eps = torch.finfo(gaps.dtype).eps
    singular = ~(diagonal.amin(dim=1) > eps**0.75 * diagonal.amax(dim=1))
    # a step that grows may be rounding, magnified along a direction that J leaves as it is
    singular |= ~(steps.norm(dim=1) <= longest)
    if bool(singular.any()):
        inverse = torch.linalg.pinv(systems[singular], rtol=eps**0.5)
        steps[singular] = (inverse @ gaps[singular, :, None])[..., 0]
    return steps


def _steps_by_products(f: VectorMap, x: Tensor, places: np.ndarray, gaps: Tensor) -> Tensor:
    found = gmres(_product(f, x, places), gaps, tolerance=1e-8, krylov=40, restarts=3)
    return found.states


def _systems(f: VectorMap, x: Tensor, rows: Rows) -> Tensor:
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
    systems.diagonal(dim1=1, dim2=2).add_(1)
    return systems


def _dense_steps(f: VectorMap, x: Tensor, rows: Rows, gaps: Tensor) -> Tensor:
    steps, info = torch.linalg.solve_ex(_systems(f, x, rows), gaps)
    # no Newton step where I - J is singular: walk on by the map
    singular = (info != 0) | ~torch.isfinite(steps).all(dim=1)
    return torch.where(singular[:, None], gaps, steps)


def _products_do(f: VectorMap, starts: Tensor, rows: np.ndarray, *, tolerance: float, cap: float) -> bool:
    """Say whether the pilot converges by products; one linear equation already shows most that do not."""
    every = max(1, len(starts) // PILOT)
    pilot, held = starts[::every][:PILOT], rows[::every][:PILOT]
    first = gmres(_product(f, pilot, held), f(pilot, held) - pilot, tolerance=_SOLVED, krylov=KRYLOV)
    if (first.residual <= _SOLVED).sum() < PILOT_SHARE * len(pilot):
        return False
    found = newton_gmres(
        f, pilot, rows=held, tolerance=tolerance, max_steps=12, step_cap=cap, restarts=1, forcing=_SOLVED
    )
    converged = [outcome == Outcome.CONVERGED for outcome in found.outcomes]
    return sum(converged) >= PILOT_SHARE * len(converged)


def _product(f: VectorMap, x: Tensor, rows: np.ndarray) -> Product:
    def product(vectors: Tensor, held: np.ndarray) -> Tensor:
        return vectors - f.jvp(x[torch.from_numpy(held).to(x.device)], rows[held], vectors)

    return product


def _joined(first: Solution, again: Solution, failed: np.ndarray) -> Solution:
    where = torch.from_numpy(np.flatnonzero(failed))
    better = again.residual < first.residual[where.to(first.residual.device)]
    device = first.states.device
    states, residual, evaluations = first.states.clone(), first.residual.clone(), first.evaluations.clone()
    chosen = where.to(device)[better]
    states[chosen], residual[chosen] = again.states[better], again.residual[better]
    evaluations[where] += again.evaluations
    outcomes, solvers = list(first.outcomes), list(first.solvers)
    for place, outcome, solver in zip(where.tolist(), again.outcomes, again.solvers, strict=True):
        outcomes[place], solvers[place] = outcome, f"{solvers[place]}, {solver}"
    return Solution(
        states=states,
        residual=residual,
        outcomes=tuple(outcomes),
        evaluations=evaluations,
        solvers=tuple(solvers),
    )
