"""How fast do nearby orbits of a map part, direction by direction, and how sure is that?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from limitset.core.errors import InputError
from limitset.numerics.stability.arnoldi import labels_of
from limitset.numerics.stability.tangent import orthonormal, pushed
from limitset.numerics.vector_map import VectorMap

DENSE_DIMENSION: Final = 64
"""Up to here whole Jacobians of many steps at once are cheaper than products at one step."""
SEGMENT_BYTES: Final = 2**26
"""Whole Jacobians held at one time."""
FRAME_BYTES: Final = 2**28
"""Starts are taken in groups whose frames stay below this."""
LARGEST_FRAME: Final = 2**31
"""No start may ask for more."""
CRUSHED_SHARE: Final = 0.01
"""A direction stretched by less than rounding in this share of the steps belongs to a singular Jacobian;
rarer ones are the passing lows of a regular one."""


class Sign(StrEnum):
    """What a finite orbit says about an exponent."""

    POSITIVE = "positive"
    ZERO = "zero"
    """Too small to tell from bounded stretching, and known to be."""
    NEGATIVE = "negative"
    UNDECIDED = "can't tell"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretches:
    """Mean log stretch a step of orthonormal directions pushed along orbits.

    Parameters
    ----------
    blocks : (blocks, parts, b, k)
        Mean in each block of the orbit, through each part of the map; −inf where a direction is crushed by a
        singular Jacobian, NaN where the orbit left the numbers or the value is lost to rounding.
    lengths : (blocks,)
        Steps of each block.
    log_determinant : (b,)
        Mean of log |det J| a step, from the Jacobians themselves; NaN where not every direction was pushed.
    determinant_gap : (b,)
        Sum of all exponents, as they came out, less `log_determinant`: 0 to rounding unless the low end is
        corrupted. NaN where a Jacobian is singular or not every direction was pushed.
    lost : (b, k)
        Whether the direction was stretched by less than rounding between two orthonormalisations.
    states : (b, d)
        Last states.
    """

    blocks: np.ndarray
    lengths: np.ndarray
    log_determinant: np.ndarray
    determinant_gap: np.ndarray
    lost: np.ndarray
    states: Tensor

    @property
    def steps(self) -> int:
        """Steps that were measured."""
        return int(self.lengths.sum())

    @property
    def parts(self) -> np.ndarray:
        """Mean log stretch a step through each part, (parts, b, k)."""
        weights = self.lengths / self.lengths.sum()
        return np.asarray(np.einsum("c,cpbk->pbk", weights, self.blocks))

    @property
    def exponents(self) -> np.ndarray:
        """Mean log stretch a step through the whole map, (b, k)."""
        return np.asarray(self.parts.sum(axis=0))

    def half_widths(self, values: np.ndarray, *, confidence: float = 0.95) -> np.ndarray:
        """Return the half width of the interval of means whose block values are (blocks, ...)."""
        blocks = len(self.lengths)
        with np.errstate(invalid="ignore"):
            spread = np.asarray(values.std(axis=0, ddof=1)) / math.sqrt(blocks)
        spread[np.isneginf(values).any(axis=0)] = 0.0
        return np.asarray(stats.t.ppf(0.5 + confidence / 2, blocks - 1) * spread)


def stretches(
    parts: Sequence[VectorMap],
    starts: Tensor,
    *,
    rows: Sequence[int] | None = None,
    steps: int,
    burn_in: int = 0,
    count: int | None = None,
    every: int = 1,
    blocks: int = 10,
    rng: np.random.Generator,
) -> Stretches:
    """Push orthonormal frames along the orbits of a map and record their log stretches.

    Parameters
    ----------
    parts
        The map as a chain of parts, applied in this order; one part is the map itself.
    starts : (b, d)
        Where the orbits begin.
    rows
        Which starts these are; default 0, 1, ...
    steps
        Steps measured, at least one a block.
    burn_in
        Steps left out before; over the second half of them the frame settles too.
    count
        Directions, 1 to d; default d.
    every
        Steps between orthonormalisations, 1 or more; with more than one part it must be 1.
    blocks
        Blocks of the orbit for the intervals, 2 or more.
    rng
        Source of the first frames.

    Raises
    ------
    InputError
        When a number is out of its range.
    """
    batch, dimension = starts.shape
    directions = dimension if count is None else count
    for holds, expected, got in (
        (blocks >= 2, "blocks must be 2 or more", blocks),
        (steps >= blocks, "steps must be one a block or more", f"{steps} steps, {blocks} blocks"),
        (burn_in >= 0, "burn_in must be 0 or more", burn_in),
        (1 <= directions <= dimension, f"count must be between 1 and {dimension}", count),
        (every >= 1, "every must be 1 or more", every),
        (
            dimension * directions * starts.element_size() <= LARGEST_FRAME,
            "the directions of one start must fit into 2 GiB",
            f"{directions} of {dimension} dimensions",
        ),
        (every == 1 or len(parts) == 1, "a map in parts must be orthonormalised every step", every),
    ):
        if not holds:
            raise InputError.of(expected=expected, got=got, fix="Change it.")
    labels = labels_of(starts, rows)
    group = max(1, FRAME_BYTES // (dimension * directions * starts.element_size()))
    found = []
    for first in range(0, batch, group):
        here = slice(first, first + group)
        run = _Run(parts, starts[here], labels[here], count=directions, every=every, rng=rng)
        found.append(run.measured(steps, burn_in, blocks))
    return Stretches(
        blocks=np.concatenate([one.blocks for one in found], axis=2),
        lengths=found[0].lengths,
        log_determinant=np.concatenate([one.log_determinant for one in found]),
        determinant_gap=np.concatenate([one.determinant_gap for one in found]),
        lost=np.concatenate([one.lost for one in found]),
        states=torch.cat([one.states for one in found]),
    )


def sign_of_exponent(value: float, low: float, high: float, *, steps: int, fold: float = 100.0) -> Sign:
    """Say whether an exponent of a finite orbit is positive, zero, negative, or cannot be told.

    Stretches of less than `fold` over the whole orbit are no exponent: on a torus, and along a non-normal
    map, lengths go up and down within bounds. With t = ln(fold) / steps: zero where the interval lies within
    (−t, t); positive where it lies above 0 and the value above t; negative likewise.

    Parameters
    ----------
    value, low, high
        The exponent a step, with its interval.
    steps
        Steps it was measured over.
    fold
        Above 1.

    Examples
    --------
    >>> str(sign_of_exponent(0.69, 0.68, 0.70, steps=1000))
    'positive'
    >>> str(sign_of_exponent(0.001, -0.001, 0.003, steps=1000))
    'zero'
    >>> str(sign_of_exponent(0.01, -0.03, 0.05, steps=1000))
    "can't tell"
    """
    bounded = math.log(fold) / steps
    if -bounded < low and high < bounded:
        return Sign.ZERO
    if low > 0 and value > bounded:
        return Sign.POSITIVE
    if high < 0 and value < -bounded:
        return Sign.NEGATIVE
    return Sign.UNDECIDED


class _Run:
    """One group of starts on their way (states and frames change from step to step)."""

    def __init__(
        self,
        parts: Sequence[VectorMap],
        starts: Tensor,
        labels: list[int],
        *,
        count: int,
        every: int,
        rng: np.random.Generator,
    ) -> None:
        self.parts, self.states, self.labels, self.every = parts, starts, labels, every
        batch, dimension = starts.shape
        short = starts.element_size() < 4
        first = torch.from_numpy(rng.standard_normal((batch, dimension, count))).to(starts)
        first = first.float() if short else first
        self.frames, _ = orthonormal(first)
        self.dense = count == dimension or dimension <= DENSE_DIMENSION
        self.whole = count == dimension
        self.determinants = torch.zeros(batch, dtype=torch.float64)
        self.crushed = torch.zeros(len(parts), batch, count, dtype=torch.int64, device=starts.device)
        self.zero = torch.zeros_like(self.crushed, dtype=torch.bool)
        # rounding of 16 bits adds up to more than 1 in the worst case; in the mean it grows as the root
        self.negligible = min(0.5, (dimension**0.5 if short else dimension) * torch.finfo(starts.dtype).eps)
        # from here the square of a number overflows: the orbit has left the numbers
        self.largest = torch.finfo(starts.dtype).max ** 0.5
        self.time = 0
        self.fixed = all(part.map.deterministic for part in parts)

    def measured(self, steps: int, burn_in: int, blocks: int) -> Stretches:
        plain = burn_in - burn_in // 2
        for _ in range(plain):
            self._path()
        self._advanced(burn_in // 2)
        for count in (self.determinants, self.crushed, self.zero):
            count.zero_()
        edges = np.round(np.linspace(0, steps, blocks + 1)).astype(int)
        lengths = np.diff(edges)
        sums = [self._advanced(int(length)) for length in lengths]
        values = np.stack([total.cpu().numpy() for total in sums]) / lengths[:, None, None, None]
        times = sum(-(-int(length) // self.every) for length in lengths)
        below = (self.zero | (self.crushed >= max(CRUSHED_SHARE * times, 1))).cpu().numpy()
        # beyond the numbers nothing is known, whatever the directions did before
        gone = ~torch.isfinite(self.states).all(dim=1).cpu().numpy()
        singular = below.any(axis=(0, 2)) if self.every == 1 else np.zeros_like(gone)
        blank = gone if self.whole else np.ones_like(gone)
        logs = np.where(blank, np.nan, self.determinants.numpy() / steps)
        totals = (values * lengths[:, None, None, None]).sum(axis=(0, 1, 3)) / steps
        with np.errstate(invalid="ignore"):
            gap = np.where(singular, np.nan, totals - logs)
        values = np.where(below, -np.inf if self.every == 1 else np.nan, values)
        values[:, :, gone] = np.nan
        return Stretches(
            blocks=values,
            lengths=lengths,
            log_determinant=logs,
            determinant_gap=gap,
            lost=np.asarray(below.any(axis=0) & (self.every > 1)),
            states=self.states,
        )

    def _advanced(self, steps: int) -> Tensor:
        """Advance states and frames, and return the sums of log stretches (parts, b, k)."""
        batch, dimension, count = self.frames.shape
        sums = torch.zeros(len(self.parts), batch, count, dtype=torch.float64, device=self.frames.device)
        size = len(self.parts) * batch * dimension**2 * self.frames.element_size()
        longest = max(1, SEGMENT_BYTES // size) if self.dense and self.fixed else 1
        done = 0
        while done < steps:
            length = min(longest, steps - done)
            paths = [self._path() for _ in range(length)]
            jacobians = self._jacobians(paths) if self.dense else []
            lengths = []
            for place, path in enumerate(paths):
                done += 1
                turn = done % self.every == 0 or done == steps
                for number, (part, states) in enumerate(path):
                    if self.dense:
                        self.frames = jacobians[number][place].to(self.frames) @ self.frames
                    else:
                        self.frames = pushed(part, states, self.labels, self.frames)
                    if turn:
                        self.frames, stretched = orthonormal(self.frames)
                        lengths.append(stretched)
            if lengths:
                sums += self._counted(torch.stack(lengths).view(-1, *sums.shape))
        return sums

    def _path(self) -> list[tuple[VectorMap, Tensor]]:
        """Take one step and return each part with the states that went into it."""
        path = []
        for part in self.parts:
            now = part if self.fixed else replace(part, rng=part.rng.child("step", self.time))
            path.append((now, self.states))
            self.states = now(self.states, self.labels)
            if not float(self.states.abs().amax()) < self.largest:
                left = ~(self.states.abs() < self.largest).all(dim=1, keepdim=True)
                self.states = torch.where(left, torch.nan, self.states)
        self.time += 1
        return path

    def _jacobians(self, paths: list[list[tuple[VectorMap, Tensor]]]) -> list[Tensor]:
        """Return the Jacobians (steps, b, d, d) of every part, all steps in one call."""
        batch, dimension = self.states.shape
        found = []
        for number in range(len(self.parts)):
            points = torch.cat([path[number][1] for path in paths])
            whole = paths[0][number][0].jacobian(points, self.labels * len(paths))
            matrices = whole.reshape(len(paths), batch, dimension, dimension)
            if self.whole:
                finite = torch.isfinite(matrices).all(dim=3).all(dim=2)
                logs = torch.linalg.slogdet(torch.where(finite[..., None, None], matrices, 0.0).double())[1]
                logs = torch.where(finite, logs, torch.nan)
                self.determinants += logs.sum(dim=0).cpu().double()
            found.append(matrices)
        return found

    def _counted(self, lengths: Tensor) -> Tensor:
        """Sum the logs of stretches (steps, parts, b, k) over the steps, and count those below rounding."""
        least = self.negligible * lengths.amax(dim=3, keepdim=True)
        self.crushed += (lengths <= least).sum(dim=0)
        self.zero |= (lengths == 0).any(dim=0)
        return lengths.double().log().sum(dim=0)
