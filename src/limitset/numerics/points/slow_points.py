"""Where a search found nothing fixed: does the map nearly stop somewhere, or does it move on and on?"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.points.shared_newton import CHUNK, DENSE, systems_at
from limitset.numerics.solvers.search import capped
from limitset.numerics.vector_map import Rows, VectorMap

_FLAT: Final = 1e-3
"""Largest slope of the speed (a pure number) at a minimum."""
_RISE: Final = 1.01
_FALL: Final = 0.99
_PATIENCE: Final = 12
"""Steps without a fall of the speed by a hundredth, after which a row is left where it is."""
_STRAIGHT: Final = 0.9
"""Share of its path that a drifting state gets away."""
_STEADY: Final = (0.25, 4.0)
"""A drift keeps its speed or loses it like a power of t: over a doubling of t it changes by these at most."""


def least_speed(
    f: VectorMap, starts: Tensor, *, rows: Rows, cap: float, max_steps: int = 80, enough: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Walk downhill on the speed ‖f(x) − x‖ by Levenberg and Marquardt's method.

    ((J − I)^T (J − I) + μ I) s = −(J − I)^T (f(x) − x), μ falls after a gain and rises after a loss.

    Parameters
    ----------
    f
        The map, of dimension 512 at most.
    starts : (b, d)
        Where to begin.
    rows : (b,)
        Held inputs.
    cap
        Longest step.
    max_steps
        Steps at most.
    enough
        Speed at or below which a row is left where it is.

    Returns
    -------
    states : (b, d)
    speed : (b,)
    minimum : (b,) bool
        Whether the speed is flat there and rises to both sides along its flattest direction.

    References
    ----------
    Marquardt (1963), doi:10.1137/0111030; Sussillo and Barak (2013), doi:10.1162/NECO_a_00409 (slow points).
    """
    x, places = starts.detach().clone(), np.asarray(rows)
    chunk = max(1, CHUNK // (f.dimension**2 * x.element_size()))
    pieces = [
        _descended(f, x[s : s + chunk], places[s : s + chunk], cap, max_steps, enough)
        for s in range(0, len(x), chunk)
    ]
    states, speed, minimum = (torch.cat(part) for part in zip(*pieces, strict=True))
    return states, speed, minimum


def _descended(  # noqa: PLR0917 - the columns of one batch
    f: VectorMap, x: Tensor, rows: np.ndarray, cap: float, max_steps: int, enough: float
) -> tuple[Tensor, Tensor, Tensor]:
    x, identity = x.clone(), torch.eye(x.shape[1]).to(x)
    gaps = f(x, rows) - x
    speed, systems = gaps.norm(dim=1), -systems_at(f, x, rows)
    damping, record, stale = torch.full_like(speed, 1e-3), speed.clone(), torch.zeros_like(speed)
    live = torch.arange(len(x), device=x.device)
    for _ in range(max_steps):
        slope = (systems[live].mT @ gaps[live, :, None])[..., 0]
        open_rows = (
            (slope.norm(dim=1) > 1e-9 * speed[live]) & (stale[live] < _PATIENCE) & (speed[live] > enough)
        )
        live, slope = live[open_rows], slope[open_rows]
        if not len(live):
            break
        normal = systems[live].mT @ systems[live] + damping[live, None, None] * identity
        steps, _ = torch.linalg.solve_ex(normal, -slope)
        trial = x[live] + capped(steps, cap)
        trial = torch.where(torch.isfinite(trial).all(dim=1)[:, None], trial, x[live])
        held = rows[live.cpu().numpy()]
        moved = f(trial, held) - trial
        size = moved.norm(dim=1)
        better = size < speed[live]
        damping[live] = torch.where(better, damping[live] / 3, damping[live] * 4).clamp(1e-15, 1e15)
        won = live[better]
        x[won], gaps[won], speed[won] = trial[better], moved[better], size[better]
        if len(won):
            systems[won] = -systems_at(f, x[won], rows[won.cpu().numpy()])
        fell = speed[live] < _FALL * record[live]
        record[live] = torch.where(fell, speed[live], record[live])
        stale[live] = torch.where(fell, 0.0, stale[live] + 1)
    slope = (systems.mT @ gaps[..., None])[..., 0].norm(dim=1)
    return x, speed, (slope <= _FLAT * speed) & _rises(f, x, rows, speed, systems)


def _rises(f: VectorMap, x: Tensor, rows: np.ndarray, speed: Tensor, systems: Tensor) -> Tensor:
    """Say whether the speed rises to both sides along the direction in which it changes least."""
    flattest = torch.linalg.svd(systems.cpu()).Vh[:, -1].to(x)
    rises = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    for times in (1.0, 10.0):
        step = times * speed.sqrt()[:, None] * flattest
        sides = [(f(x + side, rows) - x - side).norm(dim=1) for side in (step, -step)]
        rises |= (sides[0] > _RISE * speed) & (sides[1] > _RISE * speed)
    return rises


def drifting(f: VectorMap, starts: Tensor, *, rows: Rows, steps: int = 256) -> tuple[Tensor, Tensor]:
    """Iterate and say which states move on one way without stopping.

    A state drifts when from step T/2 to T it got away by nine tenths of its path and its speed stayed within
    a quarter and four times. A geometric approach to a fixed point loses more speed; chaos returns.

    Returns
    -------
    states : (b, d)
        Where the starts were after `steps`.
    drifts : (b,) bool
    """
    x, places = starts.detach(), np.asarray(rows)
    path = torch.zeros(len(x)).to(x)
    middle, first = x, path
    for step in range(steps):
        new = f(x, places)
        new = torch.where(torch.isfinite(new).all(dim=1)[:, None], new, x)
        length = (new - x).norm(dim=1)
        if step == steps // 2:
            middle, first, path = x, length, torch.zeros_like(path)
        path, x = path + length, new
    away = (x - middle).norm(dim=1)
    steady = (length >= _STEADY[0] * first) & (length <= _STEADY[1] * first) & (length > 0)
    return x, steady & (away >= _STRAIGHT * path)


LARGEST: Final = DENSE
"""Largest dimension in which slow points are looked for."""
