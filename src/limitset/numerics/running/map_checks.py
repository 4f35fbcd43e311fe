"""Does a map of tensors keep its word: shape, type, numbers, determinism, rows?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.numerics.running.row_norms import row_norms
from limitset.numerics.vector_map import Rows, images_of

SAME: Final = 1000.0
"""Images of one state that differ by more rounding units than this, relative to their size, are different."""
MOST_APART: Final = 0.25
"""The same, as a share of their size, for types whose rounding unit is large."""
CHECKED: Final = 64
"""States of a batch that an instrument looks at before it begins."""


def stepped(map: SelfMap[Any], states: Tensor, *, rows: Rows, rng: Streams) -> Tensor:
    """Apply the map to a batch without gradients, as `images_of`, and copy the images."""
    with torch.no_grad():
        # a map may hand out one buffer again and again
        return images_of(map, states.detach(), rows=np.asarray(rows), rng=rng).detach().clone()


def check_map(map: SelfMap[Any], states: Tensor, *, rows: Rows, rng: Streams) -> None:
    """Ask the same as `check_map_keeps_its_word` of the first `CHECKED` states of a batch `(b, *shape)`."""
    if not map.deterministic:
        return
    states, rows = states[:CHECKED], np.asarray(rows)[:CHECKED]
    check_map_keeps_its_word(map, states, stepped(map, states, rows=rows, rng=rng), rows=rows, rng=rng)


def check_long_numbers(states: Tensor, *, what: str) -> None:
    """Refuse states of 16 bits for what would be mostly their rounding."""
    if states.element_size() < 4:
        raise InputError.of(
            expected=f"{what} needs states of float32 or float64",
            got=str(states.dtype).removeprefix("torch."),
            fix="Cast the model and its states: model.float(), states.float().",
        )


def check_map_keeps_its_word(
    map: SelfMap[Any], starts: Tensor, images: Tensor, *, rows: Rows, rng: Streams
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
        When a second look at the batch differs, or a row alone (the first, middle or last) does; when the
        map cannot take a row alone, or writes into the states it is given.
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
        alone = stepped(map, starts[part], rows=np.asarray(rows)[part], rng=rng)
        if _difference(images[part], alone):
            raise InputError.of(
                expected="the image of a state must not depend on its neighbours in the batch",
                got=f"another image of start {int(np.asarray(rows)[place])} when it is alone",
                fix="Let step take (states, rows) and index what is held: inputs[rows]; call eval() on batch "
                "norm.",
            )
    return 1


def _difference(one: Tensor, other: Tensor) -> int:
    """Return 1 + the first row that differs beyond rounding, 0 for none."""
    flat, again = (images.reshape(images.shape[0], -1) for images in (one, other))
    unit = min(SAME * torch.finfo(flat.dtype).eps, MOST_APART)
    apart = row_norms(flat - again) > unit * row_norms(flat)
    apart |= torch.isfinite(flat).all(dim=1) != torch.isfinite(again).all(dim=1)
    found = torch.nonzero(apart)
    return 1 + int(found[0]) if len(found) else 0
