"""How long are the rows of a batch, whatever the size of their numbers?"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

SQUARES: Final = (1e-140, 1e150)
"""Norms between these lose nothing to squares that are too small or too large for float64."""
ORDINARY: Final = (1e-100, 1e100)
"""Numbers between these may be squared and multiplied freely."""


def row_norms(states: Tensor) -> Tensor:
    """Return the Euclidean norm of every row of `(b, ...)`, in float64, on the device of the states.

    Where the squares of float64 overflow or vanish, the row is divided by its largest number first.

    Examples
    --------
    >>> [f"{norm:.6g}" for norm in row_norms(torch.tensor([[3e30, 4e30], [0, 3e-30]])).tolist()]
    ['5e+30', '3e-30']
    >>> long = row_norms(torch.tensor([[3e200, 4e200], [3e-200, 4e-200]], dtype=torch.float64))
    >>> [f"{norm:.6g}" for norm in long.tolist()]
    ['5e+200', '5e-200']
    """
    flat = states.reshape(states.shape[0], -1)
    norms: Tensor = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64)
    least, most = SQUARES
    if flat.dtype is not torch.float64 or bool(((norms > least) & (norms < most)).all()):
        return norms
    largest = flat.abs().amax(dim=1)
    odd = ~((norms > least) & (norms < most)) & torch.isfinite(largest) & (largest > 0)
    scaled = flat[odd] / largest[odd, None]
    return norms.index_put((odd,), torch.linalg.vector_norm(scaled, dim=1) * largest[odd])


def array_norms(vectors: np.ndarray) -> np.ndarray:
    """Return the norms along the last axis of an array of float64, whatever the size of its numbers.

    Examples
    --------
    >>> [f"{norm:.6g}" for norm in array_norms(np.array([[3.0, 4.0], [3e200, 4e200]])).tolist()]
    ['5', '5e+200']
    """
    units = units_of(np.abs(vectors).max(axis=-1, initial=0.0))
    return np.asarray(np.linalg.norm(vectors / units[..., None], axis=-1) * units)


def units_of(sizes: np.ndarray | float) -> np.ndarray:
    """Return powers of two near sizes whose squares may not be numbers, and 1 for ordinary sizes.

    Division by them is exact, and what does not depend on the unit comes out the same.

    Examples
    --------
    >>> units_of(np.array([5.0, 0.0, 2.0**700, np.inf])).tolist() == [1.0, 1.0, 2.0**700, 1.0]
    True
    """
    least, most = ORDINARY
    odd = np.isfinite(sizes) & (sizes > 0) & ~((sizes > least) & (sizes < most))
    return np.where(odd, np.ldexp(1.0, np.frexp(np.where(odd, sizes, 1.0))[1] - 1), 1.0)
