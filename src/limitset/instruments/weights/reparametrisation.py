"""Does a measure of flatness stay the same when the same function is written with other weights?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError, UndefinedError
from limitset.core.intervals import Interval, log_ratio_jackknife
from limitset.core.levels import Level
from limitset.core.results import Measurement
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "reparametrisation"
VERSION: Final = 1

Weights = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reparametrisation:
    """What rescaling two layers against each other does to a measure that should not notice.

    Parameters
    ----------
    ratio
        The measure of the rescaled net over that of the net; 1 where it does not notice.
    absolute_ratio
        The same for the expected rise of the loss under noise of one size in all weights, which does notice:
        a value near 1 here says that the control could not have shown anything.
    loss_before, loss_after
        The loss of both: equal, or the rescaling did change the function.
    """

    ratio: Measurement
    absolute_ratio: Measurement
    loss_before: float
    loss_after: float


def reparametrisation(
    weights: Weights,
    loss: Callable[[Weights], Tensor | float],
    measure: Callable[[Weights], float],
    *,
    up: Sequence[str],
    down: Sequence[str],
    factor: float = 10.0,
    noise: float = 0.01,
    draws: int = 32,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> Reparametrisation:
    r"""Compare a measure of flatness before and after two ReLU layers are rescaled against each other.

    .. math:: \mathrm{relu}(c z) = c \, \mathrm{relu}(z): \quad (W_1, b_1, W_2) \to (c W_1, c b_1, W_2 / c)

    Parameters
    ----------
    weights
        Name to weight tensor.
    loss
        Loss of the net with the given weights.
    measure
        What is under control: a number above 0 of the weights, the same one each time it is asked (give it
        its own seed).
    up, down
        Names of the tensors multiplied and divided by `factor`: weights and bias into the hidden units, and
        weights out of them.
    factor
        c, above 0 and not 1.
    noise
        Size of the absolute noise, relative to the root mean square of all weights, above 0.
    draws
        Directions of absolute noise, both ways each, 2 or more.
    confidence
        Coverage of the interval of `absolute_ratio`, in (0, 1).
    rng
        Source of the absolute noise; the same directions serve both nets.

    Returns
    -------
    Reparametrisation
        Both ratios and both losses. `ratio` has no interval: the measure gives one number.

    Raises
    ------
    InputError
        When a name is missing, or a number is out of range.
    UndefinedError
        When the rescaled net has another loss, or a measure is not above 0.

    Notes
    -----
    A ratio of 1 says that this rescaling is not noticed, not that none is: rescaling single units is another
    one. Flatness that does notice cannot be compared between nets, whatever it correlates with.

    References
    ----------
    Dinh, Pascanu, Bengio, Bengio (2017), arXiv:1703.04933, section 3 (the rescaling) and 4 (what it does to
    flatness).

    Examples
    --------
    >>> weights = {"in": torch.ones(3, 2, dtype=torch.float64), "out": torch.ones(1, 3, dtype=torch.float64)}
    >>> loss = lambda w: (torch.relu(torch.ones(2).double() @ w["in"].T) @ w["out"].T - 1).square().mean()
    >>> norms = lambda w: float(w["in"].norm() * w["out"].norm())  # does not notice
    >>> got = reparametrisation(weights, loss, norms, up=["in"], down=["out"], rng=np.random.default_rng(0))
    >>> round(got.ratio.value, 9), got.absolute_ratio.low > 2
    (1.0, True)
    """
    _check(weights, (*up, *down), factor, noise, draws)
    moved = {name: weights[name] * factor for name in up} | {name: weights[name] / factor for name in down}
    rescaled = {**weights, **moved}
    with torch.no_grad():
        before, after = float(loss(weights)), float(loss(rescaled))
        if not np.isclose(before, after, rtol=1e-4, atol=0):
            raise UndefinedError.of(
                expected="the rescaled net must compute the same function",
                got=f"loss {before:.6g} before and {after:.6g} after",
                fix="Name all weights and biases into the units in `up`, all weights out of them in `down`.",
            )
        first, second = float(measure(weights)), float(measure(rescaled))
        scale = noise * _root_mean_square(weights)
        rises = np.array([_rises(weights, rescaled, loss, scale, rng) for _ in range(draws)])
        rises -= before
    means = rises.mean(axis=0)
    if not min(first, second, *means) > 0:
        raise UndefinedError.of(
            expected="both measures must be above 0 at both nets",
            got=f"{first:.3g}, {second:.3g}, under absolute noise {means[0]:.3g}, {means[1]:.3g}",
            fix="Use more draws, or a net at a minimum.",
        )
    absolute = log_ratio_jackknife(rises[:, 1], rises[:, 0], confidence=confidence)
    absolute = replace(absolute, n=float(draws))
    parameters = {"factor": factor, "noise": noise, "draws": draws}

    def measured(name: str, interval: Interval, method: str) -> Measurement:
        return Measurement(
            instrument=f"{INSTRUMENT}.{name}",
            version=VERSION,
            level=Level.WEIGHTS,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=interval.n,
            interval_method=method,
            confidence=confidence,
            parameters=parameters,
        )

    own = Interval(value=second / first, low=UNDEFINED, high=UNDEFINED, n=1.0)
    return Reparametrisation(
        ratio=measured("ratio", own, ""),
        absolute_ratio=measured("absolute_ratio", absolute, "jackknife over directions, log scale"),
        loss_before=before,
        loss_after=after,
    )


def _rises(
    weights: Weights,
    rescaled: Weights,
    loss: Callable[[Weights], Tensor | float],
    scale: float,
    rng: np.random.Generator,
) -> list[float]:
    """Return the loss of both nets a step along one direction, mean of both ways."""
    steps = {
        name: scale * torch.from_numpy(rng.standard_normal(tuple(tensor.shape))).to(tensor)
        for name, tensor in weights.items()
    }
    return [
        sum(float(loss({name: net[name] + sign * steps[name] for name in net})) for sign in (-1, 1)) / 2
        for net in (weights, rescaled)
    ]


def _root_mean_square(weights: Weights) -> float:
    squares = sum(float(tensor.double().square().sum()) for tensor in weights.values())
    return float((squares / sum(tensor.numel() for tensor in weights.values())) ** 0.5)


def _check(weights: Weights, named: tuple[str, ...], factor: float, noise: float, draws: int) -> None:
    missing = [name for name in named if name not in weights]
    if missing or not named or len(set(named)) < len(named):
        raise InputError.of(
            expected=f"up and down must name different tensors among {', '.join(weights) or 'none'}",
            got=missing or list(named),
            fix="Name the tensors into and out of the hidden units.",
        )
    if not factor > 0 or factor == 1 or not noise > 0 or draws < 2:
        raise InputError.of(
            expected="factor must be above 0 and not 1, noise above 0 and draws 2 or more",
            got=f"{factor}, {noise}, {draws}",
            fix="Change these.",
        )
