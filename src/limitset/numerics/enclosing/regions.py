"""Over which sets is a map looked at, and what is known about each set's shape?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limitset.core.errors import InputError
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray

LARGEST_DRAW = 1e6
"""Sides without end are sampled up to here, evenly in the logarithm from 1e-3."""


@dataclass(frozen=True, eq=False)
class Box:
    """All x with low <= x <= high; ends may be infinite.

    Every region has `closed`, `convex`, `bounded`, `dimension`, and the methods `sample`, `excess`, `holds`,
    `cover`.

    Examples
    --------
    >>> cube = Box(-np.ones(3), np.ones(3))
    >>> cube.convex, cube.bounded, cube.excess(np.array([[2.0, 0.0, 0.0]])).tolist()
    (True, True, [1.0])
    """

    low: np.ndarray
    high: np.ndarray

    def __post_init__(self) -> None:
        low, high = (np.atleast_1d(np.array(end, dtype=np.float64)) for end in (self.low, self.high))
        if low.shape != high.shape or low.ndim != 1 or not (low < high).all():
            raise InputError.of(
                expected="a box has ends low < high of one length", got=f"{low} and {high}", fix="Swap them."
            )
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def closed(self) -> bool:
        """True: its faces belong to it."""
        return True

    @property
    def convex(self) -> bool:
        """True."""
        return True

    @property
    def bounded(self) -> bool:
        """Whether all ends are finite."""
        return bool(np.isfinite(self.low).all() and np.isfinite(self.high).all())

    @property
    def dimension(self) -> int:
        """Number of sides."""
        return len(self.low)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw evenly; every second point is moved to a face in one coordinate where there is one."""
        low, high = self.low, self.high
        reach = 10 ** rng.uniform(-3, np.log10(LARGEST_DRAW), (count, self.dimension))
        sign = np.where(rng.random(reach.shape) < 0.5, -1.0, 1.0)
        anchors = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
        ways = np.where(np.isfinite(low), 1.0, np.where(np.isfinite(high), -1.0, sign))
        finite = np.isfinite(low) & np.isfinite(high)
        bottom, top = np.where(finite, low, 0.0), np.where(finite, high, 1.0)
        draws = np.where(
            finite, rng.uniform(size=reach.shape) * (top - bottom) + bottom, anchors + ways * reach
        )
        faces = np.arange(0, count, 2)
        side = rng.integers(0, self.dimension, len(faces))
        ends = np.where(rng.random(len(faces)) < 0.5, low[side], high[side])
        draws[faces, side] = np.where(np.isfinite(ends), ends, draws[faces, side])
        return np.asarray(np.clip(draws, low, high))

    def excess(self, points: np.ndarray) -> np.ndarray:
        """Largest distance past a face."""
        return np.asarray(np.maximum(np.maximum(self.low - points, points - self.high).max(axis=1), 0.0))

    def holds(self, image: IntervalArray) -> bool:
        """Whether the box holds the other."""
        return bool((self.low <= image.low).all() and (image.high <= self.high).all())

    def cover(self, pieces: int) -> Iterator[IntervalArray]:
        """Equal boxes, as many along each side as fit into `pieces`; itself where it is unbounded."""
        sides = int(pieces ** (1 / self.dimension) + 1e-9) if self.bounded else 1
        if sides < 2:
            yield IntervalArray(self.low, self.high)
            return
        # neighbours share the same float as an end, so that no gap is left
        cuts = np.linspace(self.low, self.high, sides + 1)
        cuts[0], cuts[-1] = self.low, self.high
        for place in itertools.product(range(sides), repeat=self.dimension):
            index = np.array(place), np.arange(self.dimension)
            yield IntervalArray(cuts[index], cuts[index[0] + 1, index[1]])


@dataclass(frozen=True, eq=False)
class OpenBox(Box):
    """All x with low < x < high: not closed, so Banach's and Brouwer's theorems say nothing about it."""

    @property
    def closed(self) -> bool:
        """False where an end is finite: its faces are missing."""
        return not (np.isfinite(self.low).any() or np.isfinite(self.high).any())

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw evenly, off the faces."""
        low, high = np.nextafter(self.low, np.inf), np.nextafter(self.high, -np.inf)
        return np.asarray(np.clip(super().sample(count, rng), low, high))

    def holds(self, image: IntervalArray) -> bool:
        """Whether the box holds the other without touching it."""
        return bool((self.low < image.low).all() and (image.high < self.high).all())


@dataclass(frozen=True, eq=False)
class Ball:
    """All x with ||x - centre|| <= radius.

    Examples
    --------
    >>> disc = Ball(np.zeros(2), 1.0)
    >>> disc.convex, disc.excess(np.array([[3.0, 4.0]])).tolist()
    (True, [4.0])
    """

    centre: np.ndarray
    radius: float

    def __post_init__(self) -> None:
        centre = np.atleast_1d(np.array(self.centre, dtype=np.float64))
        if centre.ndim != 1 or not (0 < self.radius < np.inf) or not np.isfinite(centre).all():
            raise InputError.of(
                expected="a centre `(d,)` and a finite radius above 0", got=self.radius, fix="Change these."
            )
        object.__setattr__(self, "centre", centre)

    @property
    def closed(self) -> bool:
        """True."""
        return True

    @property
    def convex(self) -> bool:
        """True."""
        return True

    @property
    def bounded(self) -> bool:
        """True."""
        return True

    @property
    def dimension(self) -> int:
        """Length of the centre."""
        return len(self.centre)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw evenly; every second point lies on the sphere around it."""
        lengths = rng.random(count) ** (1 / self.dimension)
        lengths[::2] = 1.0
        return np.asarray(
            self.centre + self.radius * lengths[:, None] * _directions(count, self.dimension, rng)
        )

    def excess(self, points: np.ndarray) -> np.ndarray:
        """Distance past the sphere."""
        return np.asarray(np.maximum(np.linalg.norm(points - self.centre, axis=1) - self.radius, 0.0))

    def holds(self, image: IntervalArray) -> bool:
        """Whether the farthest corner lies in the ball."""
        return float((((image - self.centre) ** 2).sum()).high) <= float(np.nextafter(self.radius**2, 0))

    def cover(self, pieces: int) -> Iterator[IntervalArray]:
        """Yield the boxes of the surrounding cube that meet the ball."""
        for box in self.cube().cover(pieces):
            if float((((box - self.centre) ** 2).sum()).low) <= float(np.nextafter(self.radius**2, np.inf)):
                yield box

    def cube(self) -> Box:
        """Return the smallest box around it, rounded outward."""
        low, high = (
            np.nextafter(self.centre - self.radius, -np.inf),
            np.nextafter(self.centre + self.radius, np.inf),
        )
        return Box(low, high)


@dataclass(frozen=True, eq=False)
class Sphere(Ball):
    """All x with ||x - centre|| = radius: the surface alone, a circle in the plane; closed, not convex."""

    @property
    def convex(self) -> bool:
        """False: the segment between two of its points leaves it."""
        return False

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw evenly."""
        return np.asarray(self.centre + self.radius * _directions(count, self.dimension, rng))

    def excess(self, points: np.ndarray) -> np.ndarray:
        """Distance from the sphere."""
        return np.asarray(np.abs(np.linalg.norm(points - self.centre, axis=1) - self.radius))

    def holds(self, image: IntervalArray) -> bool:  # noqa: ARG002
        """Never certain: a box is no part of a sphere."""
        return False

    def cover(self, pieces: int) -> Iterator[IntervalArray]:
        """Boxes around arcs in the plane, else the boxes of the surrounding cube that meet the sphere."""
        if self.dimension == 2:
            turns = np.linspace(0.0, 6.2831854, pieces + 1)  # a little more than a full turn
            for start, end in itertools.pairwise(turns):
                angle = IntervalArray(start, end)
                yield np.stack([np.cos(angle), np.sin(angle)]) * self.radius + self.centre
            return
        for box in super().cover(pieces):
            if float((((box - self.centre) ** 2).sum()).high) >= float(np.nextafter(self.radius**2, 0)):
                yield box


Region = Box | Ball
"""A set of states `(d,)`; a set of your own is a subclass with its own `convex`, `sample`, `excess`, ..."""


def _directions(count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
    draws = rng.standard_normal((count, dimension))
    lengths: np.ndarray = draws / np.linalg.norm(draws, axis=1, keepdims=True)
    return lengths
