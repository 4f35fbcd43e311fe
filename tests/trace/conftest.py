"""Small loops whose ends are known."""

import pytest

LOOP = '''
import torch

n = {n}
rng = torch.Generator().manual_seed(0)
inputs = torch.randn(n, 4, generator=rng, dtype=torch.float64)


class Loop:
    """x -> x / 2 + input / 2 settles on its input; every fourth input turns by a right angle for ever."""

    steps = 40
    start = torch.ones(n, 4, dtype=torch.float64)
    key = (inputs.sum(dim=1) > 0).long()
    key[::5] = 1 - key[::5]  # the key says otherwise: settled and wrong

    def step(self, states, rows):
        turned = torch.stack([-states[:, 1], states[:, 0], states[:, 2], states[:, 3]], dim=1)
        return torch.where((rows % 4 == 0)[:, None], turned, states / 2 + inputs[rows] / 2)

    def readout(self, states):
        return (states.sum(dim=1) > 0).long()
'''


@pytest.fixture
def loop_file(tmp_path):
    """Write the loop, with the lines asked for left out or put in its place."""

    def write(*, n=60, without=(), replace=()):
        text = LOOP.format(n=n)
        for word in without:
            text = "\n".join(line for line in text.splitlines() if not line.strip().startswith(word)) + "\n"
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "loop.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write
