"""What does a looped transformer block do before anybody has trained it?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.datasets.recurrent.design import injected, require_design, residual

GAINS: Final = (0.5, 1.0, 2.0)
"""Gains of the untrained phase diagram."""
HIDDEN: Final = 4
"""Width of the hidden layer of the multilayer perceptron, in widths of the state."""


class RandomBlock:
    """Attention and a multilayer perceptron with random weights, as one step of a loop with a held input.

    u = injected(x, e); v = residual(u, attention); x' = residual(v, W2 gelu(W1 .)). Weights are normal with
    deviation gain / sqrt(inputs); those of adapter and gate have gain 1. float64.

    Parameters
    ----------
    norm
        "none", "pre", "post" or "sandwich" (see `design.NORMS`).
    injection
        "start", "additive", "concatenated" or "gated" (see `design.INJECTIONS`).
    gain
        Scale of the weights of attention and perceptron, above 0.
    seed
        Root of the weights: blocks of one seed have the same, up to the gain.
    d
        Width of a token.
    tokens
        Tokens of a state.
    heads
        Heads of the attention; they divide `d`.

    Raises
    ------
    InputError
        For an unknown norm or injection, a gain that is not above 0, or heads that do not divide `d`.

    Notes
    -----
    Attention is written with products and a softmax, so that forward derivatives exist.

    References
    ----------
    Geiping et al. (2025), arXiv:2502.05171 (a looped block with an adapter); Vaswani et al. (2017),
    arXiv:1706.03762, eq. 1 (attention).

    Examples
    --------
    >>> block = RandomBlock("post", "additive", gain=0.5, d=8, tokens=2, heads=2)
    >>> rng = np.random.default_rng(0)
    >>> inputs, states = block.start(3, rng), block.start(3, rng)
    >>> for _ in range(60):
    ...     last, states = states, block.step(states, inputs)
    >>> bool((states - last).abs().max() < 1e-6)
    True
    """

    def __init__(
        self,
        norm: str,
        injection: str,
        *,
        gain: float = 1.0,
        seed: int = 0,
        d: int = 64,
        tokens: int = 16,
        heads: int = 4,
    ) -> None:
        require_design(norm, injection)
        if not 0 < gain < math.inf or min(d, tokens, heads) < 1 or d % heads:
            raise InputError.of(
                expected="the gain must be above 0 and the heads must divide the width",
                got=f"gain {gain}, width {d}, {heads} heads, {tokens} tokens",
                fix="Use for example gain=1.0, d=64, heads=4.",
            )
        self.norm, self.injection = norm, injection
        self.gain, self.seed, self.d, self.tokens, self.heads = gain, seed, d, tokens, heads
        streams = Streams(seed).child("random block")
        self._weights = {
            name: _weight(streams, name, d, d, gain) for name in ("query", "key", "value", "output")
        }
        self._weights["widen"] = _weight(streams, "widen", d, HIDDEN * d, gain)
        self._weights["narrow"] = _weight(streams, "narrow", HIDDEN * d, d, gain)
        self._weights["adapter"] = _weight(streams, "adapter", 2 * d, d, 1.0)
        self._weights["gate"] = _weight(streams, "gate", 2 * d, d, 1.0)

    def start(self, count: int, rng: np.random.Generator) -> Tensor:
        """Draw states or inputs `(count, tokens, d)`, every number standard normal."""
        return torch.from_numpy(rng.standard_normal((count, self.tokens, self.d)))

    def step(self, states: Tensor, inputs: Tensor) -> Tensor:
        """Run the block once on states and held inputs `(b, tokens, d)`."""
        entered = injected(
            states,
            inputs,
            injection=self.injection,
            adapter=self._applied("adapter"),
            gate=self._applied("gate"),
        )
        return residual(residual(entered, self._attention, norm=self.norm), self._perceptron, norm=self.norm)

    def _attention(self, states: Tensor) -> Tensor:
        query, key, value = (self._split(self._applied(name)(states)) for name in ("query", "key", "value"))
        scores = query @ key.transpose(-1, -2) / math.sqrt(self.d // self.heads)
        mixed = (torch.softmax(scores, dim=-1) @ value).transpose(1, 2).flatten(2)
        return self._applied("output")(mixed)

    def _perceptron(self, states: Tensor) -> Tensor:
        return self._applied("narrow")(torch.nn.functional.gelu(self._applied("widen")(states)))

    def _split(self, states: Tensor) -> Tensor:
        return states.reshape(*states.shape[:2], self.heads, -1).transpose(1, 2)

    def _applied(self, name: str) -> Callable[[Tensor], Tensor]:
        weight = self._weights[name]
        return lambda states: states @ weight.to(states)


def _weight(streams: Streams, name: str, fan_in: int, fan_out: int, gain: float) -> Tensor:
    drawn = streams.generator(name).standard_normal((fan_in, fan_out))
    return torch.from_numpy(gain / math.sqrt(fan_in) * drawn)
