"""Does a map of tensors keep its word: shape, type, numbers, determinism, rows?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams

SAME: Final = 1000.0
"""Images of one state that differ by more rounding units than this, relative to their size, are different."""


def stepped(
    map: SelfMap[Any], states: Tensor, *, rows: Sequence[int] | np.ndarray, rng: Streams, whole: bool = True
) -> Tensor:
    """Apply the map to a batch without gradients, and refuse images of another shape or type.

    `whole` says whether the batch holds all starts: where part of it fails, the map may have ignored `rows`.
    """
    states = states.detach()
    images: Tensor
    with torch.no_grad():
        try:
            images = map.step(states, rows=np.asarray(rows).tolist(), rng=rng)
        except (RuntimeError, IndexError) as error:
            if whole:
                raise
            raise _ignores_rows(f"{type(error).__name__}: {str(error).splitlines()[0]}") from error
    shape = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
    if shape != tuple(states.shape):
        if not whole and isinstance(shape, tuple) and shape[1:] == tuple(states.shape[1:]):
            raise _ignores_rows(f"{shape[0]} images of {states.shape[0]} states")
        raise InputError.of(
            expected=f"a map must give a tensor {tuple(states.shape)} for states {tuple(states.shape)}",
            got=shape,
            fix="Return one image a state, in the shape of the states.",
        )
    if images.dtype != states.dtype:
        raise InputError.of(
            expected=f"a map must keep the type of its states, {states.dtype}",
            got=images.dtype,
            fix="Cast the weights or the starts to one type.",
        )
    # a map may write into its own buffer, or hand its argument back
    return images.clone() if images.data_ptr() == states.data_ptr() else images.detach()


def check_map_keeps_its_word(
    map: SelfMap[Any], starts: Tensor, images: Tensor, *, rows: Sequence[int] | np.ndarray, rng: Streams
) -> int:
    """Refuse a map that says deterministic and is not, or whose images depend on their neighbours.

    Parameters
    ----------
    map
        The map; of one that is not deterministic nothing is asked.
    starts, images : (b, *shape)
        A batch and what the map made of it.
    rows
        The rows of the batch.
    rng
        The streams that the images were made with.

    Returns
    -------
    int
        How often the whole batch was stepped for it.

    Raises
    ------
    InputError
        When a second look at the batch differs, or a row alone (the first, middle or last) does.
    """
    if not map.deterministic:
        return 0
    worst = _difference(images, stepped(map, starts, rows=rows, rng=rng))
    if worst > 0:
        raise InputError.of(
            expected="a map that says deterministic must give one image a state",
            got=f"images of start {int(np.asarray(rows)[worst - 1])} that differ when it is asked twice",
            fix="Call eval() on the module, take out dropout and random numbers, or say deterministic=False.",
        )
    batch = starts.shape[0]
    for place in sorted({0, batch // 2, batch - 1}) if batch > 1 else ():
        part = slice(place, place + 1)
        alone = stepped(map, starts[part], rows=np.asarray(rows)[part], rng=rng, whole=False)
        if _difference(images[part], alone):
            raise _ignores_rows(f"another image of start {int(np.asarray(rows)[place])} when it is alone")
    return 1


def _difference(one: Tensor, other: Tensor) -> int:
    """Return 1 + the first row that differs beyond rounding, 0 for none."""
    flat, again = (images.reshape(images.shape[0], -1) for images in (one, other))
    unit = SAME * torch.finfo(flat.dtype).eps
    size = torch.linalg.vector_norm(flat, dim=1)
    apart = torch.linalg.vector_norm(flat - again, dim=1) > unit * size
    apart |= torch.isfinite(flat).all(dim=1) != torch.isfinite(again).all(dim=1)
    found = torch.nonzero(apart)
    return 1 + int(found[0]) if len(found) else 0


def _ignores_rows(got: str) -> InputError:
    return InputError.of(
        expected="the image of a state must not depend on its neighbours in the batch",
        got=got,
        fix="Let step take (states, rows) and index what is held: inputs[rows]; call eval() on batch norm.",
    )
