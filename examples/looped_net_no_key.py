"""A looped net without a key: where it settles is told, and for whether that is right "no anchor".

    limitset trace examples/looped_net_no_key.py:RandomNet

A random tanh net of 64 units from 200 starts, above the gain at which 0 stops holding.
"""

import torch

SIZE, GAIN = 64, 1.3
rng = torch.Generator().manual_seed(7)
weights = GAIN * torch.randn(SIZE, SIZE, generator=rng, dtype=torch.float64) / SIZE**0.5


class RandomNet:
    """x -> tanh(W x); `start` may be a tensor, one row a start."""

    start = torch.randn(200, SIZE, generator=rng, dtype=torch.float64)

    def step(self, states):
        """No input is held, so the rows are not asked for."""
        return torch.tanh(states @ weights.T)
