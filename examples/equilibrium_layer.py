"""A torchdeq layer trained on two spirals, then traced: does it settle, and is what it settles on right?

    limitset trace examples/equilibrium_layer.py:Layer

Needs torchdeq. Trains for some seconds when it is imported.
"""

import torch
import torchdeq
from torch import nn

WIDTH, COUNT = 32, 300


def spirals(seed):
    """Return points of two arms, blurred where they meet, and the arm of each."""
    rng = torch.Generator().manual_seed(seed)
    arm = torch.randint(0, 2, (COUNT,), generator=rng)
    turn = 1.5 * torch.pi * torch.rand(COUNT, generator=rng).sqrt() + 0.5
    points = torch.stack(
        [turn * torch.cos(turn + torch.pi * arm), turn * torch.sin(turn + torch.pi * arm)], dim=1
    )
    return points / 4 + 0.12 * torch.randn(COUNT, 2, generator=rng), arm


class Function(nn.Module):
    """The f of z = f(z, x)."""

    def __init__(self):
        super().__init__()
        self.state, self.input = nn.Linear(WIDTH, WIDTH), nn.Linear(2, WIDTH)

    def forward(self, z, x):
        """One step."""
        return torch.tanh(self.state(z) + self.input(x))


torch.manual_seed(0)
function, head = Function(), nn.Linear(WIDTH, 2)
solve = torchdeq.get_deq(f_solver="anderson", f_max_iter=30, f_tol=1e-4, ift=True, b_max_iter=30, b_tol=1e-4)
optimiser = torch.optim.Adam([*function.parameters(), *head.parameters()], lr=0.01)
for epoch in range(100):
    x, label = spirals(seed=epoch + 1)
    z, _ = solve(lambda z, x=x: function(z, x), torch.zeros(COUNT, WIDTH))
    loss = nn.functional.cross_entropy(head(z[-1]), label)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
points, arms = spirals(seed=0)


class Layer:
    """The trained function with a held-out point for each start."""

    steps, key, start = 30, arms.numpy(), torch.zeros(COUNT, WIDTH)

    def step(self, states, rows):
        """Apply f once, without a solver."""
        return function(states, points[rows])

    def readout(self, states):
        """Return the arm that the head names."""
        return head(states).argmax(dim=1)
