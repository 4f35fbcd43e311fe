"""What solves A s = b for many rows at once, when A is known only through its products with vectors?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Product = Callable[[Tensor, np.ndarray], Tensor]
"""``product(vectors (a, d), places (a,))``: A v for the rows that stand at those places of the batch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearSolution:
    """What GMRES found for every row.

    Parameters
    ----------
    states : (b, d)
        The solution s.
    residual : (b,)
        ‖b − A s‖ / ‖b‖, as the recurrence estimates it; 0 where b is 0.
    products : (b,) int64
        Products with A.
    """

    states: Tensor
    residual: np.ndarray
    products: np.ndarray


def gmres(
    product: Product, right: Tensor, *, tolerance: float = 1e-6, krylov: int = 12, restarts: int = 1
) -> LinearSolution:
    """Minimise ‖b − A s‖ over a Krylov space, each row for itself; rows leave when they are good enough.

    Parameters
    ----------
    product
        A v for some rows of the batch.
    right : (b, d)
        b, one a row.
    tolerance
        ‖b − A s‖ / ‖b‖ at which a row is done.
    krylov
        Largest dimension of the space; (krylov + 1) x b x d numbers are held.
    restarts
        How many spaces are built one after the other at most.

    Returns
    -------
    LinearSolution
        Rows that never got there keep the best that the last space gave; look at `residual`.

    References
    ----------
    Saad and Schultz (1986), doi:10.1137/0907058.

    Examples
    --------
    >>> right = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    >>> gmres(lambda v, places: 2 * v, right).states.tolist()
    [[0.5, 1.0], [1.5, 2.0]]
    """
    size = right.shape[0]
    solution = torch.zeros_like(right)
    residual = np.ones(size)
    products = np.zeros(size, dtype=np.int64)
    norms = _norms(right)
    residual[norms == 0] = 0.0
    for attempt in range(restarts):
        places = np.flatnonzero(residual > tolerance)
        if not places.size:
            break
        index = _index(places, right)
        rest = right.index_select(0, index)
        if attempt:
            rest = rest - product(solution.index_select(0, index), places)
            products[places] += 1
        size_now = np.where(norms[places] > 0, _norms(rest) / norms[places], 0.0)
        space = _Space(rest, places, krylov)
        for row, step, left, used in space.run(product, tolerance / size_now):
            solution[_index(places[row], right)] += step
            residual[places[row]] = left * size_now[row]
            products[places[row]] += used
    return LinearSolution(states=solution, residual=residual, products=products)


class _Space:
    """One Krylov space for every row, reduced by rotations as it grows (in float64, on the host)."""

    def __init__(self, rest: Tensor, places: np.ndarray, krylov: int) -> None:
        self.places = places
        self.local = np.arange(len(places))
        self.krylov = min(krylov, rest.shape[1])
        self.size = _norms(rest)
        self.basis = torch.empty(
            len(places), self.krylov + 1, rest.shape[1], dtype=rest.dtype, device=rest.device
        )
        self.basis[:, 0] = rest / _column(self.size, rest)
        self.upper = np.zeros((len(places), self.krylov + 1, self.krylov))
        self.right = np.zeros((len(places), self.krylov + 1))
        self.right[:, 0] = 1.0
        self.turns = np.zeros((len(places), self.krylov, 2))

    def run(
        self, product: Product, tolerance: np.ndarray
    ) -> list[tuple[np.ndarray, Tensor, np.ndarray, int]]:
        """Grow the space; return (rows, their steps, relative residuals, products) as rows finish."""
        finished = []
        for place in range(self.krylov):
            self._grow(product(self.basis[:, place], self.places[self.local]), place)
            # a column of zeros (A is singular on this space) takes nothing off what is left
            dead = self.upper[:, place, place] == 0
            left = np.abs(np.where(dead, self.right[:, place], self.right[:, place + 1]))
            done = (left <= tolerance[self.local]) | ~np.isfinite(left) | dead | (place == self.krylov - 1)
            if done.any():
                finished.append((self.local[done], self._steps(done, place + 1), left[done], place + 1))
                self._keep(np.flatnonzero(~done))
            if not self.local.size:
                break
        return finished

    def _grow(self, vector: Tensor, place: int) -> None:
        earlier = self.basis[:, : place + 1]
        total = torch.zeros(len(vector), place + 1, 1, dtype=vector.dtype, device=vector.device)
        vector = vector.unsqueeze(2)
        for _ in range(2):  # once is not enough for vectors that are nearly dependent
            share = earlier @ vector
            vector = vector - earlier.transpose(1, 2) @ share
            total = total + share
        flat = vector.squeeze(2)
        norm = _norms(flat)
        self.basis[:, place + 1] = flat / _column(norm, flat)
        column = np.zeros((len(norm), self.krylov + 1))
        column[:, : place + 1] = total.squeeze(2).to("cpu", torch.float64).numpy()
        column[:, place + 1] = norm
        for old in range(place):
            _turn(column, self.turns[:, old], old)
        length = np.hypot(column[:, place], column[:, place + 1])
        safe = np.where(length > 0, length, 1.0)
        self.turns[:, place, 0] = np.where(length > 0, column[:, place] / safe, 1.0)
        self.turns[:, place, 1] = column[:, place + 1] / safe
        _turn(column, self.turns[:, place], place)
        _turn(self.right, self.turns[:, place], place)
        self.upper[:, :, place] = column

    def _steps(self, done: np.ndarray, count: int) -> Tensor:
        upper, right = self.upper[done, :count, :count], self.right[done, :count]
        weights = np.zeros_like(right)
        for row in range(count - 1, -1, -1):
            known = (upper[:, row, row + 1 :] * weights[:, row + 1 :]).sum(axis=1)
            pivot = upper[:, row, row]
            weights[:, row] = np.where(pivot != 0, (right[:, row] - known) / np.where(pivot, pivot, 1.0), 0.0)
        index = _index(np.flatnonzero(done), self.basis)
        scaled = torch.as_tensor(weights * self.size[self.local[done], None]).to(self.basis)
        return (scaled.unsqueeze(1) @ self.basis.index_select(0, index)[:, :count]).squeeze(1)

    def _keep(self, left: np.ndarray) -> None:
        self.local = self.local[left]
        self.basis = self.basis.index_select(0, _index(left, self.basis))
        self.upper, self.right, self.turns = self.upper[left], self.right[left], self.turns[left]


def _turn(columns: np.ndarray, turns: np.ndarray, place: int) -> None:
    cosine, sine = turns[:, 0], turns[:, 1]
    above, below = columns[:, place].copy(), columns[:, place + 1].copy()
    columns[:, place] = cosine * above + sine * below
    columns[:, place + 1] = cosine * below - sine * above


def _norms(vectors: Tensor) -> np.ndarray:
    norms: np.ndarray = vectors.norm(dim=1).to("cpu", torch.float64).numpy()
    return norms


def _column(norms: np.ndarray, like: Tensor) -> Tensor:
    # a vector of length 0 closes the space: whatever stands there is multiplied by 0
    return torch.as_tensor(np.where(norms > 0, norms, 1.0)).to(like).unsqueeze(1)


def _index(places: np.ndarray, like: Tensor) -> Tensor:
    return torch.as_tensor(places, device=like.device)
