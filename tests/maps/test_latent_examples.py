"""Do the loops in `examples/` behave as their first lines say?"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from limitset.core.streams import Streams
from limitset.instruments.dynamics.tensor_orbits import run_tensors
from limitset.maps.user_loop import load_loop

EXAMPLES = Path(__file__).parents[2] / "examples"


def ended(loop, steps):
    states, rows = loop.starts, list(range(len(loop)))
    with torch.no_grad():
        for _ in range(steps):
            before, states = states, loop.map.step(states, rows=rows, rng=Streams(0))
    moved = (states - before).flatten(1).norm(dim=1) / states.flatten(1).norm(dim=1)
    return states, rows, moved.numpy()


def test_the_looped_net_has_both_weak_spots_that_it_names():
    loop = load_loop(f"{EXAMPLES}/looped_net.py:LoopedNet")
    net = SimpleNamespace(**loop.map.step_function.__func__.__globals__)
    states, rows, moved = ended(loop, 400)
    settled, right = moved < 1e-9, loop.right(states, rows)
    ring = net.ring[:, 0].numpy() > 0
    heard = np.sign(net.inputs.numpy())
    flipped = (heard != net.signs.numpy()).any(axis=1)
    odd = heard.prod(axis=1) < 0
    # open strings settle, and are right exactly where no sign was flipped; only odd rings do not settle
    assert settled[~ring].all()
    assert (right[~ring] == ~flipped[~ring]).all()
    assert 0.05 < flipped[~ring].mean() < 0.3
    assert not settled[ring & odd].any()
    assert settled.mean() > 0.85
    assert loop.usual_steps == 40


def test_the_net_without_a_key_ends_in_fixed_points_and_cycles_of_two():
    loop = load_loop(f"{EXAMPLES}/looped_net_no_key.py:RandomNet")
    assert loop.key is None
    assert not loop.holds_inputs
    runs = run_tensors(loop.map, loop.starts, steps=2000, rng=Streams(0))
    # symmetric weights: nothing else is possible (Goles and Olivos 1981)
    assert runs.settled.all()
    assert set(runs.periods.tolist()) == {1, 2}
    assert 0.1 < (runs.periods == 1).mean() < 0.5
    # W is odd under x -> -x, and so are the ends
    points = np.unique(runs.lasts[runs.periods == 1].round(5), axis=0)
    assert len(points) == 2
    assert np.allclose(points[0], -points[1], atol=1e-4)


def test_the_recurrent_depth_core_is_loaded_as_it_stands():
    loop = load_loop(f"{EXAMPLES}/recurrent_depth.py:core")
    assert len(loop) == 48
    assert loop.holds_inputs
    assert loop.key is None
    states, _, moved = ended(loop, 150)
    assert torch.isfinite(states).all()
    # random weights: some texts are near rest by then, some still wander
    assert moved.min() < 1e-4
    assert moved.max() > 1e-3


@pytest.mark.slow
def test_the_trained_equilibrium_layer_is_right_where_it_settles():
    pytest.importorskip("torchdeq")
    loop = load_loop(f"{EXAMPLES}/equilibrium_layer.py:Layer")
    states, rows, moved = ended(loop, 300)
    right = loop.right(states, rows)
    settled = moved < 1e-5
    # training asked for right answers at what the solver returned, not for a point that holds
    assert 0.3 < settled.mean() < 1
    assert right[settled].mean() > 0.95
    assert right[~settled].mean() < 0.9
