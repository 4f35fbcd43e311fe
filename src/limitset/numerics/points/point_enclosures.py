"""Within which distance of each found point does a fixed point lie, and within which no second one?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limitset.core.fixed_points import PointKind
from limitset.core.limit_sets import Certificate
from limitset.core.undefined import UNDEFINED
from limitset.numerics.enclosing.enclosures import newton_kantorovich
from limitset.numerics.enclosing.map_bounds import MapBounds, sampled_bounds
from limitset.numerics.points.point_ends import PointEnds, SearchPlan
from limitset.numerics.points.shared_newton import DENSE
from limitset.numerics.vector_map import VectorMap

Bounds = Callable[[Tensor], MapBounds]


@dataclass(frozen=True, eq=False)
class EnclosedEnds:
    """What was shown of every place: NaN radii and no certificate where nothing was."""

    certificates: tuple[Mapping[str, Certificate], ...]
    existence: np.ndarray
    uniqueness: np.ndarray


def enclose_ends(
    f: VectorMap, ends: PointEnds, *, bounds: Bounds | None, plan: SearchPlan, rng: np.random.Generator
) -> EnclosedEnds:
    """Enclose the isolated fixed points by `newton_kantorovich`, up to dimension 512.

    Without `bounds` the Lipschitz constant is sampled within ten merge distances: then nothing is proved.
    """
    certificates: list[Mapping[str, Certificate]] = [{} for _ in ends.kinds]
    radii = np.full((2, len(ends.kinds)), UNDEFINED)
    isolated = np.array([kind is PointKind.FIXED for kind in ends.kinds], dtype=bool)
    regular = np.flatnonzero(isolated & ~ends.facts.singular)
    if regular.size and f.dimension <= DENSE:
        states, rows = ends.states[torch.from_numpy(regular).to(ends.states.device)], plan.rows(regular.size)
        known = (
            sampled_bounds(f, states, radius=10 * plan.merge_distance, rows=rows, rng=rng)
            if bounds is None
            else bounds(states)
        )
        found = newton_kantorovich(f, states, bounds=known, rows=rows)
        shown = _column(found.exists)
        radii[0, regular] = np.where(shown, _column(found.error), UNDEFINED)
        radii[1, regular] = np.where(shown, _column(found.reach), UNDEFINED)
        for place, entry in enumerate(regular.tolist()):
            certificates[entry] = found.certificates(place)
    return EnclosedEnds(tuple(certificates), radii[0], radii[1])


def _column(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())
