"""Is a net that training has reached flatter than a net of the same loss that lies beside its path?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limitset.core.errors import InputError, UndefinedError
from limitset.core.streams import Streams
from limitset.datasets.planted.sums import Drawings
from limitset.datasets.planted.twins import TwinNet
from limitset.instruments.weights.flatness import Weights, relative_flatness

BESIDE_VERSION: Final = 1
_FARTHEST: Final = 3.0
"""Longest push, relative to the norm of each tensor: there a net is as good as random."""
_HALVINGS: Final = 40


def loss_of(net: TwinNet, drawings: Drawings) -> Callable[[Weights], Tensor]:
    """Return the mean cross-entropy of a net's own world as a function of its weights, in nats."""
    inputs = torch.from_numpy(np.array(drawings.inputs))
    labels = torch.from_numpy(net.labels(drawings).astype(np.int64))

    def loss(weights: Weights) -> Tensor:
        logits = torch.func.functional_call(net.model, dict(weights), (inputs,))
        return torch.nn.functional.cross_entropy(logits, labels)

    return loss


def pushed_to(
    weights: Weights, loss: Callable[[Weights], Tensor | float], *, level: float, rng: np.random.Generator
) -> tuple[Weights, float]:
    """Push weights along one random direction until their loss has risen to a level.

    Parameters
    ----------
    weights
        Where the push begins.
    loss
        Loss of the net with the given weights.
    level
        The loss wanted, above the loss of `weights`.
    rng
        Draws the direction: normal, in proportion to the norm of each tensor.

    Returns
    -------
    tuple
        The pushed weights, and the length of the push relative to the norm of each tensor.

    Raises
    ------
    UndefinedError
        When the loss does not pass the level on the way.

    Examples
    --------
    >>> bowl = lambda w: w["w"].square().sum()
    >>> moved, length = pushed_to({"w": torch.ones(1)}, bowl, level=4.0, rng=np.random.default_rng(3))
    >>> round(float(moved["w"].abs()), 4), round(float(bowl(moved)), 4)
    (2.0, 4.0)
    """
    direction = {
        name: float(torch.linalg.vector_norm(tensor))
        / tensor.numel() ** 0.5
        * torch.from_numpy(rng.standard_normal(tuple(tensor.shape))).to(tensor)
        for name, tensor in weights.items()
    }

    def at(length: float) -> Weights:
        return {name: weights[name] + length * direction[name] for name in weights}

    with torch.no_grad():
        low, high = 0.0, _FARTHEST
        if not float(loss(weights)) < level < float(loss(at(high))):
            raise UndefinedError.of(
                expected="the level must lie between the loss at the start and far away",
                got=f"{level:.4g}, loss {float(loss(weights)):.4g} to {float(loss(at(high))):.4g}",
                fix="Compare with a net that has a lower loss.",
            )
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if float(loss(at(middle))) < level else (low, middle)
        return at(high), high


def also_beside(net: TwinNet, later: TwinNet, drawings: Drawings, *, rng: np.random.Generator) -> TwinNet:
    """Return a net of the loss of `net` that was reached by a push at random, not by training.

    Parameters
    ----------
    net
        Whose loss is wanted.
    later
        The same net trained on to a lower loss: where the push begins.
    drawings
        Where losses are measured.
    rng
        Draws the direction.
    """
    loss = loss_of(net, drawings)
    level = float(loss(dict(net.model.named_parameters())))
    moved, _ = pushed_to(dict(later.model.named_parameters()), loss, level=level, rng=rng)
    model = copy.deepcopy(later.model)
    model.load_state_dict({name: tensor.detach() for name, tensor in moved.items()})
    return replace(net, model=model.requires_grad_(False))


def beside_ratios(
    reached: Sequence[TwinNet],
    farther: Sequence[TwinNet],
    drawings: Drawings,
    *,
    noise: float,
    streams: Streams,
) -> Float[np.ndarray, " n"]:
    """Return the flatness of each reached net over that of a net of the same loss beside the path.

    Parameters
    ----------
    reached
        Nets as training left them.
    farther
        The same nets trained on to a lower loss: each is pushed at random up to the loss of its partner.
    drawings
        Where losses are measured.
    noise
        Noise of the flatness, relative to the norm of each tensor.
    streams
        Draws pushes and noise.

    Returns
    -------
    numpy.ndarray
        (n,): below 1 where the reached net is the flatter of the two.

    Raises
    ------
    InputError
        When the nets cannot be paired.
    """
    if len(reached) != len(farther) or not reached:
        raise InputError.of(
            expected="each net needs the one it became",
            got=f"{len(reached)} and {len(farther)}",
            fix="Pair them.",
        )
    ratios = []
    for net, later in zip(reached, farther, strict=True):
        loss = loss_of(net, drawings)
        here, end = dict(net.model.named_parameters()), dict(later.model.named_parameters())
        rng = streams.child("push").generator(net.number)
        beside, _ = pushed_to(end, loss, level=float(loss(here)), rng=rng)
        rises = [
            relative_flatness(
                weights, loss, noise=noise, rng=streams.child("noise").generator(net.number)
            ).rise.value
            for weights in (here, beside)
        ]
        ratios.append(rises[0] / rises[1])
    return np.array(ratios)
