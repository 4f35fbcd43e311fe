"""Does a state that was pushed off its limit set come back to it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.running.row_norms import row_norms
from limitset.numerics.vector_map import VectorMap, images_of

MOST_PERIOD: Final = 64
"""Longest cycle whose phases are looked for."""
TANGENT_STEPS: Final = 50
"""Applications of the Jacobian after which a tangent vector points along the slowest direction."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Homes:
    """The limit sets of some states: (phases, m, d), each state going round its own cycle."""

    f: VectorMap
    phases: Tensor
    rows: np.ndarray
    scale: Tensor
    """(m,) norm of each state, 1 for the state 0"""

    def distance(self, states: Tensor, places: np.ndarray) -> Tensor:
        """Return how far states (n, d) are from the cycles they belong to, inf where not finite."""
        index = torch.as_tensor(places, device=states.device)
        best = torch.full((states.shape[0],), torch.inf, dtype=states.dtype, device=states.device)
        for phase in self.phases:
            best = torch.minimum(best, row_norms(states - phase[index]).to(states.dtype))
        far: Tensor = torch.where(torch.isfinite(best), best, torch.inf)
        return far

    def stepped(self, states: Tensor, places: np.ndarray) -> Tensor:
        """Apply the map; states that are no longer finite stay as they are."""
        finite = torch.isfinite(states).all(dim=1)
        with torch.no_grad():
            safe = torch.where(finite[:, None], states, self.phases[0][torch.as_tensor(places)])
            images = images_of(self.f.map, self.f.shaped(safe), rows=self.rows[places], rng=self.f.rng)
        flat = torch.where(finite[:, None], self.f.flat(images), states)
        # what overflows inside a map may show as NaN: gone either way
        known = torch.isfinite(flat).all(dim=1)[:, None]
        return torch.where(known, flat, torch.full_like(flat, torch.inf))


def homes_of(f: VectorMap, states: Tensor, *, rows: np.ndarray, tolerance: float) -> Homes:
    """Go round the cycles that states lie on.

    Raises
    ------
    InputError
        When a state does not come back within `MOST_PERIOD` steps.
    """
    scale = row_norms(states).to(states.dtype)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    path, here = [states], states
    open_ = torch.ones(states.shape[0], dtype=torch.bool, device=states.device)
    for _ in range(MOST_PERIOD):
        here = f(here, rows.tolist())
        open_ &= row_norms(here - states) > tolerance * scale
        if not bool(open_.any()):
            return Homes(f=f, phases=torch.stack(path), rows=rows, scale=scale)
        path.append(here)
    raise InputError.of(
        expected="states must lie on a fixed point or on a cycle of the map",
        got=f"state {int(torch.nonzero(open_)[0])}, which does not come back within {MOST_PERIOD} steps",
        fix="Take the points of limit_sets, or run longer.",
    )


def random_directions(count: int, like: Tensor, rng: np.random.Generator) -> Tensor:
    """Return unit vectors in directions drawn evenly, (count, d)."""
    drawn = torch.as_tensor(rng.standard_normal((count, like.shape[1]))).to(like)
    units: Tensor = drawn / torch.linalg.vector_norm(drawn, dim=1, keepdim=True)
    return units


def slowest_direction(f: VectorMap, state: Tensor, row: int, rng: np.random.Generator) -> Tensor | None:
    """Return the tangent (d,) in which shocks fade most slowly, None where there are no derivatives."""
    vector = random_directions(1, state[None], rng)
    here = state[None]
    try:
        for _ in range(TANGENT_STEPS):
            vector = f.jvp(here, [row], vector)
            size = float(row_norms(vector))
            if not 0 < size < float("inf"):
                return None
            vector, here = vector / size, f(here, [row])
    except (InputError, RuntimeError):
        return None
    return vector[0]
