"""Which problems have an exact key, and go on being problems when they are made longer?

Every problem is generated with its key, which no net takes part in. Longer strings and emptier boards than a
net was trained on are the test of whether it learned a step that can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError

NOT_ASKED: Final = -1
"""Target of a position whose answer does not count."""
SIDE: Final = 4
"""Rows, columns and digits of the board."""
MOST_HOLES: Final = 12
"""A board of this kind needs four given cells at least to have one solution."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problems:
    """Problems of one kind and size, with their keys.

    Parameters
    ----------
    inputs : (b, *positions)
        Tokens, whole numbers from 0.
    targets : (b, *positions)
        The right token of every position, or `NOT_ASKED`.
    name
        Name of the task.
    size
        Length of the strings, or number of empty cells.
    """

    inputs: Tensor
    targets: Tensor
    name: str
    size: int

    def __len__(self) -> int:
        return int(self.inputs.shape[0])

    def right(self, answers: Tensor) -> Tensor:
        """Return whether each problem is solved wholly, (b,) bool: every position asked is right."""
        return ((answers == self.targets) | (self.targets == NOT_ASKED)).flatten(1).all(dim=1)

    def chosen(self, rows: Tensor) -> Problems:
        """Return some of the problems, in the order of `rows`."""
        return Problems(inputs=self.inputs[rows], targets=self.targets[rows], name=self.name, size=self.size)


Draw = Callable[[int, int, np.random.Generator], Problems]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A kind of problem, and the sizes it is trained and tested at.

    Parameters
    ----------
    name
        Its name.
    draw
        ``draw(size, count, rng)`` makes problems.
    tokens, answers
        How many different tokens the inputs and the targets hold.
    axes
        1 for strings, 2 for boards.
    trained
        Largest size in training.
    least
        Smallest size in training; sizes between are drawn evenly, one a batch.
    beyond
        Sizes above `trained`, for the test.
    """

    name: str
    draw: Draw
    tokens: int
    answers: int
    axes: int
    trained: int
    least: int
    beyond: tuple[int, ...]


def prefix_sums(length: int, count: int, rng: np.random.Generator) -> Problems:
    """Draw bit strings; the key is the parity of every prefix.

    y_i = (x_1 + ... + x_i) mod 2.

    Parameters
    ----------
    length
        Bits of a string, 1 or more.
    count
        How many strings.
    rng
        Draws the bits.

    Returns
    -------
    Problems
        Inputs and targets `(count, length)`.

    References
    ----------
    Schwarzschild et al. (2021), arXiv:2106.04537 (prefix sums as a test of going beyond the training length).

    Examples
    --------
    >>> made = prefix_sums(5, 1, np.random.default_rng(0))
    >>> made.inputs.tolist(), made.targets.tolist()
    ([[1, 1, 1, 0, 0]], [[1, 0, 1, 1, 1]])
    """
    bits = _bits(length, count, rng)
    return Problems(
        inputs=torch.from_numpy(bits),
        targets=torch.from_numpy(bits.cumsum(axis=1) % 2),
        name="prefix sums",
        size=length,
    )


def parity(length: int, count: int, rng: np.random.Generator) -> Problems:
    """Draw bit strings; the key is the parity of all bits, asked for at the last position alone.

    y = (x_1 + ... + x_n) mod 2.

    Parameters
    ----------
    length
        Bits of a string, 1 or more.
    count
        How many strings.
    rng
        Draws the bits.

    Returns
    -------
    Problems
        Inputs and targets `(count, length)`; every target but the last is `NOT_ASKED`.

    References
    ----------
    Fan et al. (2025), arXiv:2409.15647 (parity by looped transformers, beyond the training length).

    Examples
    --------
    >>> made = parity(3, 1, np.random.default_rng(0))
    >>> made.inputs.tolist(), made.targets.tolist()
    ([[1, 1, 1]], [[-1, -1, 1]])
    """
    bits = _bits(length, count, rng)
    targets = np.full_like(bits, NOT_ASKED)
    targets[:, -1] = bits.sum(axis=1) % 2
    return Problems(
        inputs=torch.from_numpy(bits), targets=torch.from_numpy(targets), name="parity", size=length
    )


def sudoku4(holes: int, count: int, rng: np.random.Generator) -> Problems:
    """Draw 4 x 4 sudoku puzzles that have one solution each.

    A grid is drawn from all 288, then cells are emptied in random order wherever the solution stays unique; a
    puzzle that ends with fewer than `holes` empty cells is drawn anew.

    Parameters
    ----------
    holes
        Empty cells of every puzzle, 0 to 12.
    count
        How many puzzles.
    rng
        Draws grids and order.

    Returns
    -------
    Problems
        Inputs `(count, 4, 4)`: 0 for an empty cell, else 1 to 4. Targets: the digit of every cell, 0 to 3.

    Raises
    ------
    InputError
        For fewer than 0 or more than 12 holes.

    References
    ----------
    Own enumeration: 288 grids, and no puzzle with one solution has fewer than four given cells (with three,
    one digit at least is missing and another is given once at most).

    Examples
    --------
    >>> made = sudoku4(6, 1, np.random.default_rng(0))
    >>> int((made.inputs == 0).sum()), bool((made.inputs - 1 == made.targets)[made.inputs > 0].all())
    (6, True)
    """
    if not 0 <= holes <= MOST_HOLES:
        raise InputError.of(
            expected=f"a 4 x 4 sudoku with one solution has 0 to {MOST_HOLES} empty cells",
            got=holes,
            fix="Use fewer.",
        )
    _require_count(count)
    grids, differ = _grids()
    pick, given = np.zeros(count, dtype=np.int64), np.zeros((count, SIDE**2), dtype=bool)
    left = np.arange(count)
    while len(left):
        drawn = rng.integers(0, len(grids), len(left))
        kept = _emptied(differ[drawn], drawn, holes, rng)
        done = (~kept).sum(axis=1) == holes
        pick[left[done]], given[left[done]] = drawn[done], kept[done]
        left = left[~done]
    solved = grids[pick]
    return Problems(
        inputs=torch.from_numpy(np.where(given, solved + 1, 0).reshape(count, SIDE, SIDE)),
        targets=torch.from_numpy(solved.reshape(count, SIDE, SIDE)),
        name="sudoku",
        size=holes,
    )


PREFIX_SUMS: Final = Task(
    name="prefix sums", draw=prefix_sums, tokens=2, answers=2, axes=1, trained=12, least=12, beyond=(32, 48)
)
PARITY: Final = Task(
    # short strings too: from strings of twelve alone the step is not found in thousands of batches
    name="parity",
    draw=parity,
    tokens=2,
    answers=2,
    axes=1,
    trained=12,
    least=1,
    beyond=(32, 48),
)
SUDOKU: Final = Task(
    name="sudoku", draw=sudoku4, tokens=SIDE + 1, answers=SIDE, axes=2, trained=6, least=1, beyond=(10, 12)
)
TASKS: Final = {task.name: task for task in (PREFIX_SUMS, PARITY, SUDOKU)}


def _bits(length: int, count: int, rng: np.random.Generator) -> np.ndarray:
    if length < 1:
        raise InputError.of(expected="a string needs one bit or more", got=length, fix="Raise the length.")
    _require_count(count)
    return rng.integers(0, 2, (count, length))


def _require_count(count: int) -> None:
    if count < 1:
        raise InputError.of(expected="one problem or more", got=count, fix="Raise the count.")


@cache
def _grids() -> tuple[np.ndarray, np.ndarray]:
    """All 288 grids (288, 16), and the cells in which two grids differ, as 16 bits (288, 288)."""
    rows = list(permutations(range(SIDE)))
    bands = [pair for pair in product(rows, repeat=2) if _allowed_band(*pair)]
    pairs = product(bands, repeat=2)
    grids = np.array([np.ravel([*top, *low]) for top, low in pairs if _columns_allowed(*top, *low)])
    differ = (grids[:, None] != grids[None]) @ (1 << np.arange(SIDE**2))
    return grids, differ


def _allowed_band(upper: tuple[int, ...], lower: tuple[int, ...]) -> bool:
    return all(len({*upper[c : c + 2], *lower[c : c + 2]}) == SIDE for c in (0, 2))


def _columns_allowed(*rows: tuple[int, ...]) -> bool:
    return all(len(set(column)) == SIDE for column in zip(*rows, strict=True))


def _emptied(differ: np.ndarray, drawn: np.ndarray, holes: int, rng: np.random.Generator) -> np.ndarray:
    """Empty cells of each grid (b, 16) in random order while no other grid fits what is left."""
    count = len(drawn)
    rows = np.arange(count)
    order = rng.permuted(np.tile(np.arange(SIDE**2), (count, 1)), axis=1)
    mask, emptied = np.full(count, (1 << SIDE**2) - 1), np.zeros(count, dtype=np.int64)
    # a grid differs from itself nowhere: let it differ everywhere, so that only others count as rivals
    differ = differ.copy()
    differ[rows, drawn] = (1 << SIDE**2) - 1
    for place in range(SIDE**2):
        without = mask & ~(1 << order[:, place])
        unique = ((differ & without[:, None]) != 0).all(axis=1)
        go = unique & (emptied < holes)
        mask = np.where(go, without, mask)
        emptied += go
    kept: np.ndarray = (mask[:, None] >> np.arange(SIDE**2)) & 1 == 1
    return kept
