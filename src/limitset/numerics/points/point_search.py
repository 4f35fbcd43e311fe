"""Which solver, in which precision, searches the fixed points of a map from very many starts?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.points.polishing import product_at
from limitset.numerics.points.shared_newton import DENSE, shared_newton
from limitset.numerics.solvers.gmres import gmres
from limitset.numerics.solvers.newton_gmres import KRYLOV, newton_gmres
from limitset.numerics.solvers.picard import picard
from limitset.numerics.solvers.solution import Outcome, Solution
from limitset.numerics.vector_map import Rows, VectorMap

KRYLOV_FROM: Final = 17
"""Below this dimension a dense step costs less than the products it would replace."""
PILOT: Final = 32
"""Starts on which products with the Jacobian are tried before all starts are put on them."""
PILOT_SHARE: Final = 0.9
"""Share of the pilot that must converge by products alone."""
_SOLVED: Final = 0.1
"""Share of the right side that may be left of a linear equation solved by products."""
_PILOT_ROUNDS: Final = 3
"""Times four steps of the pilot are tried, each time after one linear equation."""
_COARSE: Final = 1e-5
"""Residual, as a share of the states, to which float32 takes a search that goes on in float64."""
_PLAIN: Final = 4
"""Applications of the map, in Newton steps allowed, for starts that Newton did not bring anywhere."""
_FINER: Final = 1e-3
"""Part of the tolerance to which plain iteration goes: Newton's steps end far below it, these end at it."""
_MANY: Final = 128
"""Starts from which on a search in float32 comes first."""


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
    on only products are used. States in float64 of dimension 17 to 512 are searched in float32 where the map
    takes it and rounds well below the tolerance there; every row that arrives goes on in float64. Where no
    row arrives the map itself is iterated, which finds attracting points that lie far from the starts.

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
    places = np.asarray(rows)
    found = _newton_search(f, starts, places, tolerance=tolerance, max_steps=max_steps, cap=cap)
    return _run_on(f, starts, found, places, tolerance=tolerance, max_steps=max_steps)


def _newton_search(
    f: VectorMap, starts: Tensor, places: np.ndarray, *, tolerance: float, max_steps: int, cap: float
) -> Solution:
    d = f.dimension
    if starts.dtype is torch.float64 and KRYLOV_FROM <= d <= DENSE and len(starts) >= _MANY:
        coarse = single_tolerance(f, starts, rows=places, tolerance=tolerance)
        if coarse is not None:
            found = _coarse_then_fine(
                f, starts, places, coarse=coarse, tolerance=tolerance, max_steps=max_steps, cap=cap
            )
            if found is not None:
                return found
    return _searched(f, starts, places, tolerance=tolerance, max_steps=max_steps, cap=cap)


def _run_on(
    f: VectorMap,
    starts: Tensor,
    found: Solution,
    places: np.ndarray,
    *,
    tolerance: float,
    max_steps: int,
) -> Solution:
    """Let the map itself settle the starts where Newton's capped steps brought none of them anywhere."""
    failed = np.array([outcome is Outcome.OUT_OF_STEPS for outcome in found.outcomes])
    if not failed.any() or Outcome.CONVERGED in found.outcomes:
        return found
    again = picard(
        f,
        starts[torch.from_numpy(failed)],
        rows=places[failed],
        tolerance=_FINER * tolerance,
        max_steps=_PLAIN * max_steps,
    )
    came = np.array([outcome == Outcome.CONVERGED for outcome in again.outcomes])
    if not came.any():
        return found
    here = torch.from_numpy(came)
    kept = Solution(
        states=again.states[here],
        residual=again.residual[here],
        outcomes=tuple(outcome for outcome, good in zip(again.outcomes, came, strict=True) if good),
        evaluations=again.evaluations[here],
        solvers=tuple(solver for solver, good in zip(again.solvers, came, strict=True) if good),
    )
    return _joined(found, kept, np.flatnonzero(failed)[came], better_only=False)


def _searched(
    f: VectorMap, starts: Tensor, places: np.ndarray, *, tolerance: float, max_steps: int, cap: float
) -> Solution:
    d = f.dimension
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
        return _joined(first, again, np.flatnonzero(failed))
    return shared_newton(f, starts, rows=places, tolerance=tolerance, max_steps=max_steps, cap=cap)


def single_tolerance(f: VectorMap, starts: Tensor, *, rows: Rows, tolerance: float) -> float | None:
    """Return the residual to which a search in float32 can go, None where it cannot replace float64.

    It cannot where the map refuses float32, or where two images of 32 starts differ in float32 by more than a
    quarter of that residual, which is 1e-5 of their size or the tolerance.
    """
    states, places = starts[:PILOT], np.asarray(rows)[:PILOT]
    try:
        first = f(states, places)
        images = torch.stack([first, f(first, places)])
        single = torch.stack([f(one.float(), places) for one in (states, first)])
    except (RuntimeError, TypeError, ValueError):  # an InputError is a ValueError
        return None
    coarse = max(tolerance, _COARSE * float(images.norm(dim=2).median()))
    error = float((images - single.double()).norm(dim=2).max())  # NaN compares as too large
    return coarse if error <= coarse / 4 else None


def _coarse_then_fine(
    f: VectorMap,
    starts: Tensor,
    places: np.ndarray,
    *,
    coarse: float,
    tolerance: float,
    max_steps: int,
    cap: float,
) -> Solution | None:
    """Search in float32, then take every row that arrived down to the tolerance in float64."""
    try:
        first = _searched(f, starts.float(), places, tolerance=coarse, max_steps=max_steps, cap=cap)
    except (RuntimeError, TypeError, ValueError):
        return None
    first = replace(first, states=first.states.double(), residual=first.residual.double())
    # what float32 lost by its range begins again
    lost = np.array([outcome == Outcome.DIVERGED for outcome in first.outcomes])
    arrived = np.array([outcome == Outcome.CONVERGED for outcome in first.outcomes])
    outcomes = tuple(
        Outcome.OUT_OF_STEPS if outcome == Outcome.CONVERGED else outcome for outcome in first.outcomes
    )
    found = replace(first, outcomes=outcomes)
    for chosen, begin, seeded in ((arrived, first.states, True), (lost, starts, False)):
        held = np.flatnonzero(chosen)
        if not held.size:
            continue
        begun = begin[torch.from_numpy(held).to(starts.device)]
        again = shared_newton(
            f,
            begun,
            rows=places[held],
            tolerance=tolerance,
            max_steps=max_steps,
            cap=cap,
            seeded=seeded,
        )
        found = _joined(found, again, held, better_only=False)
    return found


def _products_do(f: VectorMap, starts: Tensor, rows: np.ndarray, *, tolerance: float, cap: float) -> bool:
    """Say whether the pilot converges by products; one linear equation already shows most that do not."""
    every = max(1, len(starts) // PILOT)
    pilot, held = starts[::every][:PILOT], rows[::every][:PILOT]
    wanted = PILOT_SHARE * len(pilot)
    for _ in range(_PILOT_ROUNDS):
        equation = gmres(product_at(f, pilot, held), f(pilot, held) - pilot, tolerance=_SOLVED, krylov=KRYLOV)
        if (equation.residual <= _SOLVED).sum() < wanted:
            return False
        found = newton_gmres(
            f, pilot, rows=held, tolerance=tolerance, max_steps=4, step_cap=cap, restarts=1, forcing=_SOLVED
        )
        if sum(outcome == Outcome.CONVERGED for outcome in found.outcomes) >= wanted:
            return True
        pilot = found.states
    return False


def _joined(first: Solution, again: Solution, held: np.ndarray, *, better_only: bool = True) -> Solution:
    """Write the runs of `again` into the places `held` of `first`, all or where their residual is less."""
    where, device = torch.from_numpy(held), first.states.device
    better = again.residual < first.residual[where.to(device)]
    if not better_only:
        better = torch.ones_like(better)
    states, residual, evaluations = first.states.clone(), first.residual.clone(), first.evaluations.clone()
    chosen = where.to(device)[better]
    states[chosen], residual[chosen] = again.states[better], again.residual[better]
    evaluations[where] += again.evaluations
    outcomes, solvers = list(first.outcomes), list(first.solvers)
    for place, outcome, solver in zip(where.tolist(), again.outcomes, again.solvers, strict=True):
        outcomes[place] = outcome
        if solver != solvers[place]:
            solvers[place] = f"{solvers[place]}, {solver}"
    return Solution(
        states=states,
        residual=residual,
        outcomes=tuple(outcomes),
        evaluations=evaluations,
        solvers=tuple(solvers),
    )
