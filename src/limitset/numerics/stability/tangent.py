"""How are frames of tangent vectors pushed through a map and kept orthonormal?"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from limitset.numerics.running.row_norms import row_norms
from limitset.numerics.vector_map import Rows, VectorMap

PUSH_BYTES: Final = 2**27
"""Directions are pushed in groups whose repeated states stay below this."""


def pushed(f: VectorMap, states: Tensor, rows: Rows, frames: Tensor) -> Tensor:
    """Return J(x) F for every row, all directions at once.

    Parameters
    ----------
    f
        The map.
    states : (b, d)
        Where the Jacobians are taken.
    rows : (b,)
        Which starts the states belong to.
    frames : (b, d, k)
        Directions, one a column.

    Returns
    -------
    Tensor
        (b, d, k), of the type of the frames.

    Notes
    -----
    Every state is repeated once a direction: any map that can be differentiated forward will do, and the map
    is applied to k b rows. Memory beside the frames: a few times `PUSH_BYTES`.
    """
    batch, dimension, count = frames.shape
    together = min(count, max(1, PUSH_BYTES // max(1, batch * dimension * frames.element_size())))
    if count == 1:
        return f.jvp(states, rows, frames[:, :, 0].contiguous().to(states))[:, :, None].to(frames)
    images = torch.empty_like(frames)
    for first in range(0, count, together):
        columns = frames[:, :, first : first + together]
        width = columns.shape[2]
        directions = columns.transpose(1, 2).reshape(batch * width, dimension)
        labels = [int(row) for row in rows for _ in range(width)]
        product = f.jvp(states.repeat_interleave(width, dim=0), labels, directions.to(states))
        images[:, :, first : first + together] = product.reshape(batch, width, dimension).transpose(1, 2)
    return images


def orthonormal(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return Q `(b, d, k)` and the stretches |r_ii| `(b, k)` of F = Q R.

    References
    ----------
    Benettin et al. (1980), doi:10.1007/BF02128237.
    """
    if frames.dtype in (torch.float16, torch.bfloat16):  # which LAPACK does not know
        units, lengths = orthonormal(frames.float())
        return units.to(frames), lengths.to(frames)
    if frames.shape[2] == 1:
        length = row_norms(frames)[:, None].to(frames.dtype)
        # a vector of length 0 has no direction: it stays 0, and so does every stretch after it
        return torch.where(length[:, None] > 0, frames / length[:, None], frames), length
    units, triangles = torch.linalg.qr(frames)
    return units, triangles.diagonal(dim1=1, dim2=2).abs()
