"""Which points does a map leave where they are, what kind is each, and is the list known to lack some?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.fixed_points import FixedPoints, PointKind
from limitset.core.intervals import wilson
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.core.undefined import UNMATCHED
from limitset.numerics.points.point_enclosures import Bounds, enclose_ends
from limitset.numerics.points.point_ends import SearchPlan, follow_strays, gather_ends
from limitset.numerics.points.point_search import search_points, step_cap
from limitset.numerics.running.map_checks import check_long_numbers, check_map
from limitset.numerics.solvers.anderson import anderson
from limitset.numerics.solvers.broyden import broyden
from limitset.numerics.solvers.newton import newton
from limitset.numerics.solvers.newton_gmres import newton_gmres
from limitset.numerics.solvers.picard import picard
from limitset.numerics.solvers.solution import Outcome, Solution
from limitset.numerics.vector_map import VectorMap

INSTRUMENT: Final = "fixed_points"
VERSION: Final = 1

Solver = Callable[..., Solution]
SOLVERS: Final[Mapping[str, Solver]] = {
    "picard": picard,
    "anderson": anderson,
    "broyden": broyden,
    "newton": newton,
    "newton_gmres": newton_gmres,
}
_CLOSE: Final = 1e-4
"""Default merge distance over the longest step."""


def find_fixed_points(
    map: SelfMap[Any],
    starts: Tensor,
    *,
    row: int = 0,
    method: str = "auto",
    tolerance: float = 1e-6,
    merge_distance: float | None = None,
    max_steps: int = 25,
    eigenvalues: int = 6,
    bounds: Bounds | None = None,
    required_index_sum: int | None = None,
    followed: int = 64,
    confidence: float = 0.95,
    rng: Streams,
) -> FixedPoints:
    r"""Search the fixed points of one map from many starts, and say of each place what it is.

    .. math:: \|f(x) - x\| \le \text{tolerance}, \qquad
        \mathrm{index}(x) = \operatorname{sign} \det(I - J(x)), \qquad
        \sum_{f(x) = x} \mathrm{index}(x) = 1 \text{ for a self-map of a ball or cube}

    Ends of runs are merged, their mirror images are tried as starts too (odd maps have fixed points in
    pairs), and every point is brought down to rounding by further Newton steps before anything is said of
    it.

    Parameters
    ----------
    map
        A deterministic map that torch can differentiate.
    starts : (b, *shape)
        Where the runs begin; never written to. Starts are only starts: all runs are of one map.
    row
        Which held input the map is run with, for all starts.
    method
        "auto" (Newton by products on a pilot, dense up to dimension 512 where these fail, later rows drawn to
        points found earlier), or one solver for all: "picard", "anderson", "broyden", "newton",
        "newton_gmres".
    tolerance
        Largest residual ‖f(x) − x‖ of a fixed point: absolute, Euclidean, in the units of the states.
    merge_distance
        Ends closer than this are one; default 1e-4 of the longest Newton step (3.5e-4 in float32), which
        is about a quarter of the states' size.
    max_steps
        Steps of a run ("auto", "newton" and "newton_gmres"; the others: 40 times as many).
    eigenvalues
        How many leading eigenvalues are kept.
    bounds
        ``bounds(states (m, d)) -> MapBounds``: what is known about the map around states. With a theorem
        (e.g. `tanh_net_bounds`) enclosures are proved; without, the Lipschitz constant is sampled and they
        are empirical.
    required_index_sum
        What the indices must sum to: 1 for a map of a ball or cube into itself.
    followed
        How many of the runs that found nothing are followed to a slow point or a drift.
    confidence
        Coverage of the intervals of shares, in (0, 1).
    rng
        Streams of the map, of sampled bounds and of Krylov spaces.

    Returns
    -------
    FixedPoints
        One entry a place; nothing above the tolerance is called fixed.

    Raises
    ------
    InputError
        For an unknown method, a map that is not deterministic, numbers out of range, starts that are not
        finite, or a tolerance that the type of the states cannot reach.

    Notes
    -----
    Shares are of solver runs: Newton finds unstable points as readily as stable ones, so a share is no basin.
    The index sum can refute a list and never shows it complete. Two fixed points closer than
    `merge_distance` come out as one; its uniqueness radius then stays below their distance. What is found
    depends on where the starts lie more than on the solver: search with starts of several sizes and take
    `union_of`. In float32 a point with an eigenvalue near 1 is rarely enclosed: rounding is too coarse; use
    float64. Above dimension 512 nothing is enclosed, slow points are not looked for, and continua are
    known only by their eigenvalue 1.

    References
    ----------
    Sussillo and Barak (2013), doi:10.1162/NECO_a_00409 (fixed and slow points of recurrent networks);
    Ortega (1968), doi:10.2307/2313800 (Newton and Kantorovich); Granas and Dugundji (2003),
    doi:10.1007/978-0-387-21593-8 (index, Brouwer).

    Examples
    --------
    >>> from limitset.maps.known import cosine
    >>> starts = torch.linspace(-3, 3, 16, dtype=torch.float64)[:, None]
    >>> found = find_fixed_points(cosine(), starts, tolerance=1e-12, rng=Streams(0))
    >>> len(found), found.kinds[0].value, float(found.states[0, 0].round(15)), found.index.tolist()
    (1, 'fixed', 0.739085133215161, [1])
    """
    _check(
        map,
        method,
        tolerance=tolerance,
        merge_distance=merge_distance,
        eigenvalues=eigenvalues,
        followed=followed,
    )
    f = VectorMap.of(map, starts, rng=rng.child("map"))
    x = f.flat(starts.detach()).clone()
    rows = np.full(len(x), row, dtype=np.int64)
    _check_starts(x)
    check_long_numbers(x, what="find_fixed_points")
    check_map(map, starts, rows=rows, rng=f.rng)
    cap, precision = step_cap(f, x, rows=rows), torch.finfo(x.dtype).eps ** 0.5
    plan = SearchPlan(
        row=row,
        tolerance=tolerance,
        merge_distance=max(_CLOSE, precision) * cap if merge_distance is None else merge_distance,
        cap=cap,
        max_steps=max_steps,
    )
    run = _run(f, x, rows, method, plan)
    states, kinds, notes = _kinds(f, x, run, plan, followed)
    converged = [kind is PointKind.FIXED for kind in kinds]
    ends = gather_ends(
        f, states, kinds, plan=plan, eigenvalues=eigenvalues, rng=rng.child("krylov").generator()
    )
    enclosed = enclose_ends(f, ends, bounds=bounds, plan=plan, rng=rng.child("bounds").generator())
    images = f(ends.states, plan.rows(len(ends.kinds))) if ends.kinds else ends.states
    size = torch.maximum(ends.states.norm(dim=1), images.norm(dim=1)).clamp(min=tolerance)
    return FixedPoints(
        level=map.level,
        states=_numpy(f.shaped(ends.states)),
        kinds=ends.kinds,
        residual=_numpy(ends.residual),
        scaled_residual=_numpy(ends.residual / size),
        index=ends.facts.index,
        unstable=ends.facts.unstable,
        eigenvalues=ends.facts.eigenvalues,
        radius=np.abs(ends.facts.eigenvalues[:, 0]),
        isolated=np.array([kind is PointKind.FIXED for kind in ends.kinds], dtype=bool),
        ends=ends.ends,
        extent=ends.extent,
        certificates=enclosed.certificates,
        existence_radius=enclosed.existence,
        uniqueness_radius=enclosed.uniqueness,
        **_shares(ends.labels, len(ends.kinds), confidence),
        labels=ends.labels,
        outcomes=tuple(
            str(Outcome.CONVERGED if found else outcome)
            for found, outcome in zip(converged, run.outcomes, strict=True)
        ),
        solvers=tuple(
            f"{solver}, least_speed" if found and outcome != Outcome.CONVERGED else solver
            for found, outcome, solver in zip(converged, run.outcomes, run.solvers, strict=True)
        ),
        evaluations=run.evaluations.cpu().numpy(),
        tolerance=tolerance,
        merge_distance=plan.merge_distance,
        required_index_sum=required_index_sum,
        notes=notes,
    )


def _run(f: VectorMap, x: Tensor, rows: np.ndarray, method: str, plan: SearchPlan) -> Solution:
    if method == "auto":
        return search_points(
            f, x, rows=rows, tolerance=plan.tolerance, max_steps=plan.max_steps, cap=plan.cap
        )
    if method in {"newton", "newton_gmres"}:
        return SOLVERS[method](
            f, x, rows=rows, tolerance=plan.tolerance, max_steps=plan.max_steps, step_cap=plan.cap
        )
    return SOLVERS[method](f, x, rows=rows, tolerance=plan.tolerance, max_steps=40 * plan.max_steps)


def _kinds(
    f: VectorMap, x: Tensor, run: Solution, plan: SearchPlan, followed: int
) -> tuple[Tensor, tuple[PointKind | None, ...], tuple[str, ...]]:
    """Follow some of the runs that found nothing; return where all ended, and as what."""
    states = run.states.clone()
    kinds = [PointKind.FIXED if outcome == Outcome.CONVERGED else None for outcome in run.outcomes]
    strays = np.flatnonzero([kind is None for kind in kinds])
    chosen = strays[np.linspace(0, strays.size - 1, min(followed, strays.size)).astype(np.int64)]
    places = torch.from_numpy(chosen).to(states.device)
    found = follow_strays(f, x[places], states[places], plan=plan)
    states[places] = found.states
    for place, kind in zip(chosen.tolist(), found.kinds, strict=True):
        kinds[place] = kind
    notes = ["shares are of solver runs, not of basins"]
    if chosen.size < strays.size:
        notes.append(
            f"{chosen.size} of {strays.size} runs that found nothing were followed to slow points and drifts"
        )
    return states, tuple(kinds), tuple(notes)


def _shares(labels: np.ndarray, count: int, confidence: float) -> dict[str, np.ndarray]:
    runs = np.bincount(labels[labels != UNMATCHED], minlength=count)
    found = [wilson(float(one), float(labels.size), confidence=confidence) for one in runs]
    return {
        "shares": np.array([one.value for one in found], dtype=np.float64),
        "share_low": np.array([one.low for one in found], dtype=np.float64),
        "share_high": np.array([one.high for one in found], dtype=np.float64),
    }


def _numpy(tensor: Tensor) -> np.ndarray:
    whole = tensor.detach().cpu()
    return np.asarray((whole.double() if whole.is_floating_point() else whole).numpy())


def _check(
    map: SelfMap[Any],
    method: str,
    *,
    tolerance: float,
    merge_distance: float | None,
    eigenvalues: int,
    followed: int,
) -> None:
    if method not in {"auto", *SOLVERS}:
        raise InputError.of(
            expected=f"method must be one of auto, {', '.join(SOLVERS)}", got=repr(method), fix="Use auto."
        )
    if not map.deterministic:
        raise InputError.of(
            expected="fixed points are those of a deterministic map",
            got="one that draws random numbers",
            fix="Freeze its draws, or look at the ends of its runs instead.",
        )
    numbers = {
        "tolerance": tolerance > 0,
        "merge_distance": merge_distance is None or merge_distance > 0,
        "eigenvalues": eigenvalues >= 1,
        "followed": followed >= 0,
    }
    wrong = [name for name, good in numbers.items() if not good]
    if wrong:
        given = {"tolerance": tolerance, "merge_distance": merge_distance}
        given |= {"eigenvalues": eigenvalues, "followed": followed}
        raise InputError.of(
            expected="tolerance and merge_distance must be above 0, eigenvalues 1, followed 0 or more",
            got=", ".join(f"{name} {given[name]}" for name in wrong),
            fix="Change these.",
        )


def _check_starts(x: Tensor) -> None:
    bad = ~torch.isfinite(x).all(dim=1)
    if bool(bad.any()):
        raise InputError.of(
            expected="starts must be finite",
            got=f"NaN or infinity in start {int(torch.nonzero(bad)[0])}",
            fix="Leave that start out.",
        )
