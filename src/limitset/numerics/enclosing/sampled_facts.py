"""What do drawn points show about a map: does it leave a set, jump, or move two points apart?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from limitset.core.errors import InputError
from limitset.numerics.enclosing.norm_bounds import gamma
from limitset.numerics.enclosing.regions import Region
from limitset.numerics.vector_map import VectorMap

DENSE_DIMENSION: Final = 256
SLOPE_POINTS: Final = 128
HALVINGS: Final = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """What was seen at drawn points; every number is at the points drawn, none is a bound over the set.

    Parameters
    ----------
    points, images : (n, d)
        Draws and what the map makes of them.
    outside : (n,) bool
        Which images lie outside the region by more than rounding explains.
    ratio
        Largest ||f(x) - f(y)|| / ||x - y|| seen, lowered by rounding.
    pair : (2, d)
        The points that gave it.
    slopes : (m,)
        Spectral norms of the Jacobian at the first points; empty where the map has no derivatives.
    jump : (2, d)
        Two points next to each other whose images are far apart; empty where none was met.
    """

    points: np.ndarray
    images: np.ndarray
    outside: np.ndarray
    ratio: float
    pair: np.ndarray
    slopes: np.ndarray
    jump: np.ndarray


def sampled_facts(f: VectorMap, region: Region, *, samples: int, row: int, rng: np.random.Generator) -> Facts:
    """Draw points of a region and look at what the map does to them, to pairs of them, and between them.

    Parameters
    ----------
    f
        The map of float64 states.
    region
        Where to draw.
    samples
        Points.
    row
        Which start's input is held.
    rng
        Source of the draws.

    Returns
    -------
    Facts
        What was seen.

    Notes
    -----
    Rounding of one evaluation is taken to be below 16 gamma_{d + 8} (||x|| + ||f(x)|| + sqrt d). A jump is
    two neighbours whose distance is below 2^-40 of where the search began while their images stay 1 % as far
    apart as there and at least 1e-6 of their size: a steep continuous map cannot be told from one.
    """
    points = region.sample(samples, rng)
    images = _apply(f, points, row)
    outside = region.excess(images) > rounding_allowance(points, images)
    slopes, directions = _slopes(f, points[:SLOPE_POINTS], row)
    firsts, seconds = _pairs(region, points, directions, rng)
    ratio, place = _stretch(f, firsts, seconds, row)
    return Facts(
        points=points,
        images=images,
        outside=outside,
        ratio=ratio,
        pair=np.stack([firsts[place], seconds[place]]),
        slopes=slopes,
        jump=_jump(f, points, row),
    )


def _apply(f: VectorMap, points: np.ndarray, row: int) -> np.ndarray:
    return f(torch.from_numpy(points), [row] * len(points)).numpy()


def rounding_allowance(points: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Allow for the rounding of images `(n, d)`: 16 gamma_{d + 8} (||x|| + ||f(x)|| + sqrt d)."""
    size = points.shape[1]
    lengths = np.linalg.norm(points, axis=1) + np.linalg.norm(images, axis=1) + np.sqrt(size)
    return np.asarray(16 * gamma(size + 8) * lengths)


def _slopes(f: VectorMap, points: np.ndarray, row: int) -> tuple[np.ndarray, np.ndarray]:
    # the norms of the Jacobians and the directions that are stretched most
    none = np.empty(0), np.empty((0, points.shape[1]))
    if points.shape[1] > DENSE_DIMENSION:
        return none
    try:
        jacobians = f.jacobian(torch.from_numpy(points), [row] * len(points))
    except (InputError, RuntimeError):
        return none
    if not bool(torch.isfinite(jacobians).all()):
        return none
    _, norms, right = torch.linalg.svd(jacobians)
    return norms[:, 0].numpy(), right[:, 0].numpy()


def _pairs(
    region: Region, points: np.ndarray, directions: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    others = points[rng.permutation(len(points))]
    near = points[: len(directions)]
    # 1e-4 of the size: near enough for the slope, far enough for the rounding
    steps = 1e-4 * (1e-2 + np.linalg.norm(near, axis=1, keepdims=True)) * directions
    moved = [near + steps, near - steps]
    firsts, seconds = np.concatenate([points, near, near]), np.concatenate([others, *moved])
    kept = (region.excess(seconds) == 0) & (np.linalg.norm(seconds - firsts, axis=1) > 0)
    return firsts[kept], seconds[kept]


def _stretch(f: VectorMap, firsts: np.ndarray, seconds: np.ndarray, row: int) -> tuple[float, int]:
    ends = _apply(f, firsts, row), _apply(f, seconds, row)
    apart = (
        np.linalg.norm(ends[0] - ends[1], axis=1)
        - rounding_allowance(firsts, ends[0])
        - rounding_allowance(seconds, ends[1])
    )
    ratios = apart / np.linalg.norm(firsts - seconds, axis=1)
    place = int(np.argmax(ratios))
    return max(float(ratios[place]), 0.0), place


def _jump(f: VectorMap, points: np.ndarray, row: int) -> np.ndarray:
    # halve the way between two points, always keeping the half along which the image moves more
    half = len(points) // 2
    left, right = points[:half], points[half : 2 * half]
    images = [_apply(f, left, row), _apply(f, right, row)]
    began = np.linalg.norm(images[0] - images[1], axis=1), np.linalg.norm(left - right, axis=1)
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        image = _apply(f, middle, row)
        on_left = np.linalg.norm(image - images[0], axis=1) > np.linalg.norm(image - images[1], axis=1)
        side = on_left[:, None]
        left, right = np.where(side, left, middle), np.where(side, middle, right)
        images = [np.where(side, images[0], image), np.where(side, image, images[1])]
    moved, apart = np.linalg.norm(images[0] - images[1], axis=1), np.linalg.norm(left - right, axis=1)
    size = 1e-6 * (1 + np.linalg.norm(images[0], axis=1))
    jumps = np.flatnonzero((moved > 0.01 * began[0]) & (moved > size) & (apart < 2.0**-40 * began[1]))
    return np.stack([left[jumps[0]], right[jumps[0]]]) if jumps.size else np.empty((0, points.shape[1]))
