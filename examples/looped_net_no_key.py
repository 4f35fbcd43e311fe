"""A looped net without a key: where it settles is told, and for whether that is right "no anchor".

    limitset trace examples/looped_net_no_key.py:RandomNet

A tanh net of 16 units with random symmetric weights, from 200 starts. Such weights allow two kinds of end
only, fixed points and cycles of two (Goles and Olivos, 1981), and here there are both.
"""

import torch

SIZE, GAIN = 16, 3.0
rng = torch.Generator().manual_seed(3)
entries = torch.randn(SIZE, SIZE, generator=rng, dtype=torch.float64)
weights = GAIN * (entries + entries.T) / (2 * SIZE**0.5)


class RandomNet:
    """x -> tanh(W x); `start` may be a tensor, one row a start."""

    start = torch.randn(200, SIZE, generator=rng, dtype=torch.float64)
    steps = 50

    def step(self, states):
        """No input is held, so the rows are not asked for."""
        return torch.tanh(states @ weights.T)
