"""How much does noise on its weights change a net, and the same function written with other weights?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from jaxtyping import Float

from limitset.core.errors import InputError, UndefinedError
from limitset.core.streams import Streams
from limitset.datasets.planted.sums import Drawings
from limitset.datasets.planted.twins import TwinNet
from limitset.instruments.weights.flatness import Weights, relative_flatness
from limitset.instruments.weights.reparametrisation import reparametrisation

REWRITTEN_VERSION: Final = 1
Loss = Callable[[Weights], torch.Tensor]

INTO: Final = ("0.weight", "0.bias")
OUT: Final = ("2.weight",)
"""Tensors into and out of the first hidden layer of a twin net."""


def weights_of(net: TwinNet) -> Weights:
    """Return the weights of a net in double precision, so that two ways to write it give one function."""
    return {name: tensor.detach().double() for name, tensor in net.model.named_parameters()}


def rescaled_units(weights: Weights, factors: Float[np.ndarray, " h"]) -> Weights:
    """Write the same function with every unit of the first hidden layer on its own scale.

    relu(c z) = c relu(z): what enters unit i is multiplied by c_i, what leaves it is divided by c_i.

    Parameters
    ----------
    weights
        Of a twin net.
    factors : (h,)
        One above 0 for each unit.

    Raises
    ------
    InputError
        When there is not one factor above 0 for each unit.
    """
    units = weights[INTO[0]].shape[0]
    if factors.shape != (units,) or not (factors > 0).all():
        raise InputError.of(
            expected=f"{units} factors above 0, one a unit",
            got=f"{factors.size}, the least {factors.min() if factors.size else None}",
            fix="Draw them anew.",
        )
    scale = torch.from_numpy(np.asarray(factors, dtype=np.float64))
    into = {name: weights[name] * (scale[:, None] if weights[name].ndim > 1 else scale) for name in INTO}
    return {**weights, **into, **{name: weights[name] / scale for name in OUT}}


def reordered_units(weights: Weights, order: np.ndarray) -> Weights:
    """Write the same function with the units of the first hidden layer in another order."""
    place = torch.from_numpy(np.asarray(order))
    into = {name: weights[name][place] for name in INTO}
    return {**weights, **into, **{name: weights[name][:, place] for name in OUT}}


def layer_ratios(
    net: TwinNet,
    drawings: Drawings,
    *,
    factor: float,
    absolute: float,
    relative: float,
    draws: int,
    streams: Streams,
) -> tuple[float, float]:
    """Return how absolute and relative flatness change when two layers are rescaled against each other.

    Parameters
    ----------
    net
        A twin net.
    drawings
        Where its loss is measured.
    factor
        By which the first layer grows and the second shrinks.
    absolute
        Noise of one size in all weights, relative to the root mean square of all.
    relative
        Noise relative to the norm of each tensor.
    draws
        Directions of noise.
    streams
        Draws them.

    Returns
    -------
    tuple
        Expected rise of the loss of the rescaled net over that of the net: absolute noise, relative noise.
    """
    loss = _double_loss(net, drawings)
    found = reparametrisation(
        weights_of(net),
        loss,
        lambda weights: _flat(weights, loss, noise=relative, draws=draws, rng=_rng_of(net, streams)),
        up=INTO,
        down=OUT,
        factor=factor,
        noise=absolute,
        draws=draws,
        rng=streams.child("absolute").generator(net.number),
    )
    return found.absolute_ratio.value, found.ratio.value


def flatness_ratio(
    net: TwinNet,
    drawings: Drawings,
    rewritten: Weights,
    *,
    noise: float,
    other_noise: float,
    draws: int,
    streams: Streams,
) -> float:
    """Return relative flatness of the rewritten net over that of the net, each under its own noise."""
    loss = _double_loss(net, drawings)
    own = _flat(weights_of(net), loss, noise=noise, draws=draws, rng=_rng_of(net, streams))
    return _flat(rewritten, loss, noise=other_noise, draws=draws, rng=_rng_of(net, streams)) / own


def absolute_ratio(
    net: TwinNet, drawings: Drawings, rewritten: Weights, *, noise: float, draws: int, streams: Streams
) -> float:
    """Return the rise of the loss under noise of one size in all weights, rewritten net over the net."""
    loss = _double_loss(net, drawings)
    rises = []
    for weights in (weights_of(net), rewritten):
        rng = streams.child("absolute").generator(net.number)
        count = sum(tensor.numel() for tensor in weights.values())
        size = noise * float(sum(tensor.square().sum() for tensor in weights.values()) / count) ** 0.5
        total = 0.0
        for _ in range(draws):
            steps = {
                name: size * torch.from_numpy(rng.standard_normal(tuple(tensor.shape)))
                for name, tensor in weights.items()
            }
            with torch.no_grad():
                both = [
                    float(loss({name: weights[name] + sign * steps[name] for name in weights}))
                    for sign in (-1, 1)
                ]
            total += sum(both) / 2 - float(loss(weights))
        rises.append(total / draws)
    return rises[1] / rises[0]


def change_slopes(
    net: TwinNet, drawings: Drawings, *, noises: Sequence[float], draws: int, streams: Streams
) -> tuple[float, float]:
    """Return how fast outputs and loss change with small noise: slopes on logarithms.

    Parameters
    ----------
    net
        A twin net.
    drawings
        Inputs.
    noises
        Sizes of noise, relative to the norm of each tensor; the same directions at every size.
    draws
        Directions.
    streams
        Draws them.

    Returns
    -------
    tuple
        Slope of log(mean total variation between the chances before and after) on log(noise): 1 where the
        change is in proportion to the noise, above 1 where small noise changes next to nothing. And that of
        the rise of the loss, mean of both ways, which is 2 about a minimum.
    """
    weights, loss = weights_of(net), _double_loss(net, drawings)
    inputs = torch.from_numpy(np.array(drawings.inputs)).double()

    def chances(given: Weights) -> torch.Tensor:
        return torch.softmax(torch.func.functional_call(net.model, dict(given), (inputs,)), dim=-1)

    changes, rises = [], []
    with torch.no_grad():
        before = chances(weights)
        for noise in noises:
            moved = []
            for draw in range(draws):
                rng = streams.child("slope", draw).generator(net.number)
                after = chances(
                    {
                        name: tensor
                        + noise
                        * float(torch.linalg.vector_norm(tensor))
                        / tensor.numel() ** 0.5
                        * torch.from_numpy(rng.standard_normal(tuple(tensor.shape)))
                        for name, tensor in weights.items()
                    }
                )
                moved.append(float((after - before).abs().sum(dim=1).mean() / 2))
            changes.append(float(np.mean(moved)))
            rises.append(_flat(weights, loss, noise=noise, draws=draws, rng=_rng_of(net, streams)))
    if min(changes + rises) <= 0:
        raise UndefinedError.of(
            expected="outputs and loss must change at every noise",
            got=f"{min(changes):.3g} and {min(rises):.3g} at the least",
            fix="Use more noise or directions.",
        )
    logs = np.log(np.asarray(noises))
    slopes = [float(np.polyfit(logs, np.log(one), 1)[0]) for one in (changes, rises)]
    return slopes[0], slopes[1]


def _double_loss(net: TwinNet, drawings: Drawings) -> Loss:
    """Return the loss of a net whose weights are given in double precision."""
    inputs = torch.from_numpy(np.array(drawings.inputs)).double()
    labels = torch.from_numpy(net.labels(drawings).astype(np.int64))

    def loss(weights: Weights) -> torch.Tensor:
        logits = torch.func.functional_call(net.model, dict(weights), (inputs,))
        return torch.nn.functional.cross_entropy(logits, labels)

    return loss


def _flat(weights: Weights, loss: Loss, *, noise: float, draws: int, rng: np.random.Generator) -> float:
    return relative_flatness(weights, loss, noise=noise, draws=draws, rng=rng).rise.value


def _rng_of(net: TwinNet, streams: Streams) -> np.random.Generator:
    """Return the source of the relative noise of a net: the same directions however it is written."""
    return streams.child("relative").generator(net.number)
