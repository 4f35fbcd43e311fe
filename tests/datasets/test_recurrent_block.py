"""The untrained block: attention by torch, and the phase diagram it is made for."""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.datasets.recurrent import GAINS, INJECTIONS, NORMS, RandomBlock
from limitset.datasets.recurrent.design import residual
from limitset.maps.latent import TensorMap
from limitset.numerics.vector_map import VectorMap


def rng(seed=0):
    return np.random.default_rng(seed)


def run(norm, injection, gain, *, steps, count=4):
    """Two starts per input: growth rate of a small difference, relative residuals, both last states."""
    block = RandomBlock(norm, injection, gain=gain)
    inputs, first, second, direction = (block.start(count, rng(place)) for place in range(4))
    held = TensorMap(step=lambda states, rows: block.step(states, inputs[rows]))
    f, rows = VectorMap.of(held, first), range(count)
    first, second, direction = (states.flatten(1) for states in (first, second, direction))
    growth, moved = [], []
    for _ in range(steps):
        direction = f.jvp(first, rows, direction)
        length = direction.norm(dim=1, keepdim=True)
        direction = direction / length
        growth.append(length.log().mean())
        last, first, second = first, f(first, rows), f(second, rows)
        moved.append(((first - last).norm(dim=1) / first.norm(dim=1)).median())
    return float(torch.stack(growth[steps // 2 :]).mean()), torch.stack(moved), first, second


def alike(first, second):
    return float(torch.nn.functional.cosine_similarity(first, second).mean())


def test_one_step_by_torch_attention():
    block = RandomBlock("none", "additive", gain=1.0, d=8, tokens=3, heads=2)
    states, inputs = block.start(2, rng(0)), block.start(2, rng(1))
    weights = block._weights
    attention = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([weights[name].T for name in ("query", "key", "value")]))
        attention.out_proj.weight.copy_(weights["output"].T)
        entered = states + inputs
        between = entered + attention(entered, entered, entered)[0]
        widened = torch.nn.functional.gelu(between @ weights["widen"])
        expected = between + widened @ weights["narrow"]
    assert torch.allclose(block.step(states, inputs), expected, atol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("injection", INJECTIONS)
def test_every_cell_steps_in_float64_and_follows_the_states(norm, injection):
    block = RandomBlock(norm, injection, gain=1.0, d=8, tokens=3, heads=2)
    states, inputs = block.start(2, rng(0)), block.start(2, rng(1))
    image = block.step(states, inputs)
    assert image.dtype == torch.float64
    assert image.shape == (2, 3, 8)
    single = block.step(states.float(), inputs.float())
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), image, atol=1e-3)
    other = block.step(states, block.start(2, rng(2)))
    assert torch.equal(image, other) == (injection == "start")


def test_every_size_and_the_seed_move_the_block():
    usual = RandomBlock("post", "gated", gain=1.0)
    assert (usual.d, usual.tokens, usual.heads) == (64, 16, 4)
    states, inputs = usual.start(2, rng(0)), usual.start(2, rng(1))
    image = usual.step(states, inputs)
    again = RandomBlock("post", "gated", gain=1.0).step(states, inputs)
    assert torch.equal(image, again)
    for moved in ({"gain": 2.0}, {"seed": 1}, {"heads": 8}):
        other = RandomBlock("post", "gated", **{"gain": 1.0, **moved})
        assert not torch.allclose(other.step(states, inputs), image)
    assert RandomBlock("post", "gated", d=8, tokens=5).start(3, rng()).shape == (3, 5, 8)


def test_the_gain_scales_the_weights_of_a_seed():
    one, two = (RandomBlock("none", "start", gain=gain, seed=7) for gain in (1.0, 2.0))
    assert torch.equal(2 * one._weights["widen"], two._weights["widen"])
    assert torch.equal(one._weights["adapter"], two._weights["adapter"])
    # 16,384 normal numbers of deviation 1/8: their deviation is known to half a percent
    assert float(one._weights["widen"].std()) == pytest.approx(1 / 8, rel=0.03)


def test_the_norm_stands_around_each_branch():
    block = RandomBlock("sandwich", "start", gain=1.0, d=8, tokens=3, heads=2)
    states = block.start(2, rng())
    between = residual(states, block._attention, norm="sandwich")
    expected = residual(between, block._perceptron, norm="sandwich")
    assert torch.equal(block.step(states, states), expected)


def test_post_norm_with_recall_and_small_weights_has_one_point_for_each_input():
    exponent, moved, first, second = run("post", "additive", 0.5, steps=80)
    assert moved[-1] < 1e-12
    assert exponent < -0.3
    assert alike(first, second) > 1 - 1e-9  # whatever the start
    assert abs(alike(first, first.roll(1, 0))) < 0.3  # but not whatever the input


def test_pre_norm_with_recall_drifts_without_a_fixed_point():
    exponent, moved, first, _ = run("pre", "additive", 0.5, steps=120)
    # the state grows by one vector a step, so the relative residual falls as 1/t and the exponent is 0
    assert abs(exponent) < 0.02
    assert moved[119] * 120 == pytest.approx(float(moved[59] * 60), rel=0.1)
    assert moved[119] * 120 == pytest.approx(1.0, rel=0.1)
    assert first.norm(dim=1).min() > 1000  # 32 at the start


@pytest.mark.parametrize(("seed", "same"), [(0, True), (2, False)])
def test_without_recall_all_starts_are_forgotten_or_the_limit_depends_on_the_start(seed, same):
    # the first state is all that such a block has of its input: either way no limit for each input
    block = RandomBlock("post", "start", gain=1.0, seed=seed)
    states = block.start(8, rng())
    for _ in range(100):
        states = block.step(states, states)
    likeness = alike(states.flatten(1), states.flatten(1).roll(1, 0))
    assert likeness > 1 - 1e-6 if same else likeness < 0.8


def test_large_weights_with_recall_and_post_norm_are_chaotic():
    exponent, moved, first, second = run("post", "additive", 2.0, steps=60)
    assert exponent > 0.1
    assert moved[-1] > 0.01
    assert alike(first, second) < 0.95
    assert float(first.square().mean()) <= 1.0  # bounded all the same


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RandomBlock("rms", "start"), "norm must be one of"),
        (lambda: RandomBlock("none", "recall"), "injection must be one of"),
        (lambda: RandomBlock("none", "start", gain=0.0), "gain must be above 0"),
        (lambda: RandomBlock("none", "start", gain=float("nan")), "gain must be above 0"),
        (lambda: RandomBlock("none", "start", d=6, heads=4), "heads must divide the width"),
    ],
)
def test_wrong_arguments_are_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()


def test_the_gains_of_the_diagram():
    assert GAINS == (0.5, 1.0, 2.0)
