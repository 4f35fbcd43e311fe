"""Which maps of weights, trained on what they made themselves, have laws that are known exactly?

A model is fitted, makes data, and is fitted to them again. Both maps draw random numbers: what is known is
the mean over their draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from scipy.special import digamma
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams

Data = Literal["replace", "accumulate"]


@dataclass(frozen=True, kw_only=True)
class GaussianRefit:
    """A normal distribution, fitted to M of its own draws, again and again.

    A state is (mean, ln variance); the variance is the unbiased one. In the mean ln variance changes by
    psi((M - 1) / 2) - ln((M - 1) / 2) a generation, psi the digamma function: it falls without end, though
    the mean of the variance and that of the mean do not change.

    Parameters
    ----------
    samples
        M, 2 or more.

    Raises
    ------
    InputError
        When `samples` is below 2.

    References
    ----------
    Shumailov et al. (2024), doi:10.1038/s41586-024-07566-y (the collapse). The rate: (M - 1) s^2 / sigma^2 is
    chi-squared with M - 1 degrees, whose logarithm has the mean psi((M - 1) / 2) + ln 2.

    Examples
    --------
    >>> [round(GaussianRefit(samples=m).growth, 5) for m in (10, 50, 200)]
    [-0.11521, -0.02055, -0.00503]
    """

    samples: int
    level: Level = field(default=Level.WEIGHTS, init=False)
    deterministic: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise InputError.of(
                expected="a variance needs 2 samples or more", got=self.samples, fix="Draw more."
            )

    @property
    def growth(self) -> float:
        """Mean change of ln variance a generation."""
        half = (self.samples - 1) / 2
        return float(digamma(half) - np.log(half))

    def step(self, states: Tensor, *, rows: Sequence[int], rng: Streams) -> Tensor:
        """Draw from every distribution `(b, 2)` and fit the draws."""
        drawn = np.stack([rng.generator(int(row)).standard_normal(self.samples) for row in rows])
        draws = torch.as_tensor(drawn).to(states)
        deviation = torch.exp(states[:, 1] / 2)
        mean = states[:, 0] + deviation * draws.mean(dim=1)
        return torch.stack([mean, states[:, 1] + draws.var(dim=1).log()], dim=1)


@dataclass(frozen=True, kw_only=True)
class SelfTrainedRegression:
    """Least squares, fitted to labels that the fit before gave to new inputs, plus noise.

    n inputs x ~ N(0, I_d) a generation, labels x^T w_{t-1} + s e. With "replace" w_t is fitted to these
    alone, with "accumulate" to those of all generations so far. The excess error |w_t - w_0|^2 has the mean
    t c, c = s^2 d / (n - d - 1), with "replace", and with "accumulate"
    s^2 d sum_{i=1}^{t} 1 / (i (i n - d - 1)) <= c pi^2 / 6.

    Parameters
    ----------
    features
        d, 1 or more.
    examples
        n, above d + 1.
    noise
        s, 0 or above.
    data
        "replace" or "accumulate".

    Raises
    ------
    InputError
        When n is not above d + 1 (the mean is then infinite), or `data` is neither word.

    Notes
    -----
    A state is the matrix `(d, d + 2)` of w, X^T y and X^T X over the data kept; `start` gives that of a true
    w before any data. Accumulated, w_t - w_{t-1} = s S_t^-1 X_t^T e_t with S_t the sum of all X_i^T X_i; the
    X_i are alike, so E S_t^-1 X_t^T X_t S_t^-1 = E S_t^-1 / t, and E S_t^-1 = I / (t n - d - 1).

    References
    ----------
    Gerstgrasser et al. (2024), arXiv:2404.01413 (replace grows linearly, accumulate stays below c pi^2 / 6).

    Examples
    --------
    >>> given = {"features": 20, "examples": 60, "noise": 1.0}
    >>> [round(SelfTrainedRegression(**given, data="replace").excess(t), 2) for t in (1, 10, 20)]
    [0.51, 5.13, 10.26]
    >>> kept = SelfTrainedRegression(**given, data="accumulate")
    >>> round(kept.excess(20), 3), round(kept.bound, 3)
    (0.739, 0.844)
    """

    features: int
    examples: int
    noise: float
    data: Data | str
    level: Level = field(default=Level.WEIGHTS, init=False)
    deterministic: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.features < 1 or self.examples <= self.features + 1 or self.noise < 0:
            raise InputError.of(
                expected="1 feature or more, examples above features + 1, noise 0 or above",
                got=f"{self.features}, {self.examples}, {self.noise}",
                fix="Draw more examples.",
            )
        if self.data not in get_args(Data):
            raise InputError.of(
                expected=f"data must be {' or '.join(get_args(Data))}", got=self.data, fix="Name one of them."
            )

    def start(self, weights: Tensor) -> Tensor:
        """Return the states `(b, d, d + 2)` of true weights `(b, d)`, without data."""
        empty = torch.zeros(*weights.shape, self.features + 1).to(weights)
        return torch.cat([weights[:, :, None], empty], dim=2)

    def step(self, states: Tensor, *, rows: Sequence[int], rng: Streams) -> Tensor:
        """Draw inputs and labels for every state and fit them."""
        shape = (self.examples, self.features + 1)
        drawn = np.stack([rng.generator(int(row)).standard_normal(shape) for row in rows])
        draws = torch.as_tensor(drawn).to(states)
        x, noise = draws[:, :, :-1], draws[:, :, -1:]
        labels = x @ states[:, :, :1] + self.noise * noise
        new = x.mT @ torch.cat([labels, x], dim=2)
        kept = states[:, :, 1:] + new if self.data == "accumulate" else new
        return torch.cat([torch.linalg.solve(kept[:, :, 1:], kept[:, :, :1]), kept], dim=2)

    def excess(self, generation: int) -> float:
        """Mean of |w_t - w_0|^2 after so many generations."""
        kept = np.arange(1, generation + 1, dtype=np.float64)
        if self.data == "replace":
            return generation * self._once
        rows = kept * (kept * self.examples - self.features - 1)
        return float(self.noise**2 * self.features * (1 / rows).sum())

    @property
    def bound(self) -> float:
        """What `excess` never passes: c pi^2 / 6, or inf with "replace"."""
        return float(self._once * np.pi**2 / 6) if self.data == "accumulate" else np.inf

    @property
    def _once(self) -> float:
        return self.noise**2 * self.features / (self.examples - self.features - 1)
