"""A looped net in the form that `limitset trace` reads: start, step, and for truth readout and key.

    limitset trace examples/looped_net.py:LoopedNet

The task is the parity of every prefix of a string of twelve bits, given as blurred signs. One cell a bit
hears its left neighbour and its own input, and moves half of the way to their product. Nothing is trained, so
the two weak spots are known. A blur that flips a sign gives a parity that settles and is wrong. And in one
string of eight the first cell hears the last one: when such a ring is odd no labelling suits every cell.
"""

import torch

BITS, COUNT, GAIN = 12, 256, 4.0
rng = torch.Generator().manual_seed(0)
signs = 1.0 - 2.0 * torch.randint(0, 2, (COUNT, BITS), generator=rng).double()
inputs = signs + 0.4 * torch.randn(COUNT, BITS, generator=rng).double()  # the blur
ring = (torch.arange(COUNT) % 8 == 7).double()[:, None]


class LoopedNet:
    """Prefix parity by local rules; the five lines are start, step, readout, key and steps."""

    steps = 40  # how many steps the model runs when it is used
    key = signs.cumprod(dim=1).numpy() < 0  # True where the prefix holds an odd number of ones
    items = tuple(f"{n}: " + "".join("01"[int(bit < 0)] for bit in row) for n, row in enumerate(signs))

    def start(self, rows):
        """No cell has heard anything yet."""
        return torch.full((len(rows), BITS), 0.01, dtype=torch.float64)

    def step(self, states, rows):
        """Move every cell half of the way to the sign that its neighbour and its input ask for."""
        before = ring[rows] * states[:, -1:] + (1 - ring[rows])
        left = torch.cat([before, states[:, :-1]], dim=1)
        return states / 2 + torch.tanh(GAIN * inputs[rows] * left) / 2

    def readout(self, states):
        """Call a prefix odd where its cell is below zero."""
        return states < 0
