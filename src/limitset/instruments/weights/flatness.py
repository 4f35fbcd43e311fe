"""How much does a net's loss rise when its weights are shaken in proportion to their own size?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from limitset.core.columns import frozen
from limitset.core.errors import InputError, UndefinedError
from limitset.core.levels import Level
from limitset.core.results import Measurement

INSTRUMENT: Final = "flatness"
VERSION: Final = 1

Weights = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Flatness:
    """How flat the loss is around one net.

    Parameters
    ----------
    rise
        Expected rise of the loss, in the loss's unit; 0 is perfectly flat, below 0 the net sits on a slope or
        a ridge. The interval is over directions of noise, of this net alone.
    rises : (draws,)
        The rise along each direction, mean of both ways.
    loss
        The loss without noise.
    """

    rise: Measurement
    rises: Float[np.ndarray, " d"]
    loss: float


def relative_flatness(
    weights: Weights,
    loss: Callable[[Weights], Tensor | float],
    *,
    noise: float = 0.1,
    draws: int = 16,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> Flatness:
    r"""Measure the expected rise of the loss under noise in proportion to each weight tensor's norm.

    .. math:: F = \mathbb{E}_{\epsilon}\left[ L(w + \delta) - L(w) \right], \qquad
        \delta_t = \sigma \, \|w_t\| \, \epsilon_t / \sqrt{\dim w_t}, \quad \epsilon \sim N(0, I)

    Each direction is walked both ways, which takes the slope out of the estimate.

    Parameters
    ----------
    weights
        Name to weight tensor; tensors of norm 0 stay as they are.
    loss
        Loss of the net with the given weights, against the labels it was trained on.
    noise
        Size of the noise relative to each tensor's norm, 0 or more.
    draws
        Directions, 2 or more.
    confidence
        Coverage of the interval over directions, in (0, 1).
    rng
        Source of the directions.

    Returns
    -------
    Flatness
        The rise (low is flat) with its interval, and the rise along each direction.

    Raises
    ------
    InputError
        When there are no weights, `noise` is negative, or `draws` is below 2.
    UndefinedError
        When the loss is not a finite number.

    Notes
    -----
    Relative noise makes the answer the same for nets that compute the same function with layers rescaled
    against each other; absolute noise does not (Dinh et al.). It is not invariant to every reparametrisation:
    rescaling single units moves the norm's share of a unit. The rise grows with `noise` squared for small
    noise, so only values at one `noise` compare. A net that has learned nothing is very flat: flatness is no
    sign of having learned, and its twin on false labels shows that it is none of truth.

    References
    ----------
    Dinh, Pascanu, Bengio, Bengio (2017), arXiv:1703.04933, section 3 (why relative); Jiang et al. (2020),
    arXiv:1912.02178 (noise in proportion to the weights); Li et al. (2018), arXiv:1712.09913,
    section 4 (normalised directions; there filter by filter, here tensor by tensor).

    Examples
    --------
    >>> weights = {"w": torch.ones(4, dtype=torch.float64)}
    >>> bowl = lambda w: (w["w"] - 1).square().sum()  # rises by noise^2 * 4 on average
    >>> got = relative_flatness(weights, bowl, draws=2000, rng=np.random.default_rng(0))
    >>> round(got.rise.value, 3), got.loss
    (0.04, 0.0)
    """
    if not weights or noise < 0 or draws < 2:
        raise InputError.of(
            expected="flatness needs weights, noise of 0 or more and 2 draws or more",
            got=f"{len(weights)} tensors, noise {noise}, {draws} draws",
            fix="Change these.",
        )
    with torch.no_grad():
        base = _finite(loss(weights))
        scales = {
            name: noise * float(torch.linalg.vector_norm(tensor)) / tensor.numel() ** 0.5
            for name, tensor in weights.items()
            if tensor.numel()
        }
        rises = np.array([_rise(weights, loss, scales, rng) - base for _ in range(draws)])
    half = float(stats.t.ppf(0.5 + confidence / 2, draws - 1) * rises.std(ddof=1) / draws**0.5)
    mean = float(rises.mean())
    rise = Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.WEIGHTS,
        value=mean,
        low=mean - half,
        high=mean + half,
        interval_method="t over directions of noise",
        confidence=confidence,
        n=draws,
        parameters={"noise": noise, "draws": draws},
        notes=("n counts directions of noise around one net, not nets",),
    )
    return Flatness(rise=rise, rises=frozen(rises), loss=base)


def _rise(
    weights: Weights,
    loss: Callable[[Weights], Tensor | float],
    scales: Mapping[str, float],
    rng: np.random.Generator,
) -> float:
    steps = {
        name: scale * torch.from_numpy(rng.standard_normal(tuple(weights[name].shape))).to(weights[name])
        for name, scale in scales.items()
    }
    forth = _finite(loss({**weights, **{name: weights[name] + step for name, step in steps.items()}}))
    back = _finite(loss({**weights, **{name: weights[name] - step for name, step in steps.items()}}))
    return (forth + back) / 2


def _finite(loss: Tensor | float) -> float:
    value = float(loss)
    if not np.isfinite(value):
        raise UndefinedError.of(
            expected="the loss must be a finite number", got=value, fix="Lower the noise or mend the loss."
        )
    return value
