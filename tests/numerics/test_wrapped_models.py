"""Do the wishes that users of other programs were left with hold: gradients through a wrapped model, top exponents?"""

import time

import numpy as np
import pytest
import torch

from limitset.instruments.dynamics import lyapunov_spectrum
from limitset.maps.known import gaussian_weights, tanh_net
from limitset.maps.latent import TensorMap
from limitset.numerics.solvers.implicit import implicit_fixed_point
from maps.latent_models import tiny_gpt2

EXACT = {"solver": "anderson", "tolerance": 1e-12, "adjoint_tolerance": 1e-11, "max_steps": 400}
IDS = torch.randint(3, 40, (2, 5), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model():
    found = tiny_gpt2().double()
    with torch.no_grad():  # the norms before the head: small enough that the loop is a contraction
        for block in found.transformer.h:
            block.attn.c_proj.weight.mul_(0.3)
            block.mlp.c_proj.weight.mul_(0.3)
    return found


def loop(model):
    """z -> (block(z + e) - (z + e)) / 2 + e: a pretrained block with its residual taken out, e of the tokens held."""
    positions = torch.arange(IDS.shape[1])
    embedded = model.transformer.wte(IDS) + model.transformer.wpe(positions)
    block = model.transformer.h[1]

    def step(states, rows):
        entering = states + embedded[rows]
        image = block(entering)
        image = image[0] if isinstance(image, tuple) else image
        return (image - entering) / 2 + embedded[rows]

    return TensorMap(step=step), embedded


def loss_at_rest(model):
    map, embedded = loop(model)
    rest = implicit_fixed_point(map, torch.zeros_like(embedded), **EXACT)
    with torch.no_grad():
        assert (map.step_function(rest, torch.arange(2)) - rest).norm() < 1e-11
    weights = torch.linspace(-1, 1, rest.numel(), dtype=torch.float64).reshape(rest.shape)
    return (weights * rest.tanh()).sum()


NAMES = [
    "transformer.wte.weight",
    "transformer.wpe.weight",
    "transformer.h.1.ln_1.weight",
    "transformer.h.1.attn.c_attn.weight",
    "transformer.h.1.attn.c_proj.bias",
    "transformer.h.1.mlp.c_fc.weight",
    "transformer.h.1.mlp.c_proj.weight",
]


def test_gradients_reach_every_weight_of_a_wrapped_gpt2_and_equal_differences(model):
    model.zero_grad()
    loss_at_rest(model).backward()
    weights = dict(model.named_parameters())
    inside = {name for name in weights if name.startswith("transformer.h.1.")}
    missing = [name for name in inside if weights[name].grad is None]
    assert not missing
    for name in NAMES:
        weight, gradient = weights[name], weights[name].grad
        direction = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        direction *= (gradient != 0) if "wte" in name or "wpe" in name else 1
        with torch.no_grad():
            ends = []
            for side in (1e-5, -1e-5):
                weight.add_(side * direction)
                ends.append(float(loss_at_rest(model)))
                weight.sub_(side * direction)
        slope = (ends[0] - ends[1]) / 2e-5
        assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-8), name
        assert abs(slope) > 1e-4, name
    # and none reaches what the loop does not use
    assert weights["transformer.h.2.mlp.c_fc.weight"].grad is None


def test_one_step_alone_has_another_gradient(model):
    # the gradient of the last step, what a solver without implicit gradients leaves, is not that of the rest
    model.zero_grad()
    map, embedded = loop(model)
    with torch.no_grad():
        rest = implicit_fixed_point(map, torch.zeros_like(embedded), **EXACT)
    weight = model.transformer.h[1].mlp.c_fc.weight
    last = map.step_function(rest, torch.arange(2))
    scale = torch.linspace(-1, 1, rest.numel(), dtype=torch.float64).reshape(rest.shape)
    (one_step,) = torch.autograd.grad((scale * last.tanh()).sum(), weight)
    (whole,) = torch.autograd.grad(loss_at_rest(model), weight)
    assert (one_step - whole).norm() > 0.01 * whole.norm()


def test_the_two_largest_exponents_at_three_hundred_dimensions_come_quickly():
    # x -> A x has ln |eigenvalues of A|; a symmetric A, whose two largest are told apart
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(300, 300)))[0]
    values = np.concatenate([[1.1, -0.9], np.linspace(0.6, 0.01, 298)])
    matrix = torch.as_tensor(basis * values @ basis.T)
    began = time.process_time()
    got = lyapunov_spectrum(
        TensorMap(step=lambda x: x @ matrix.T),
        torch.ones(1, 300, dtype=torch.float64),
        count=2,
        steps=100,
        burn_in=100,
        rng=np.random.default_rng(0),
    )
    assert got.exponents.value == pytest.approx(np.log([1.1, 0.9]), abs=1e-8)
    assert time.process_time() - began < 5  # about .1 s on one core


def test_the_two_largest_of_a_random_net_of_three_hundred_units_are_those_of_the_whole_spectrum():
    net, start = tanh_net(gaussian_weights(300, gain=2.0, seed=0)), torch.ones(1, 300, dtype=torch.float64)
    options = {"steps": 100, "burn_in": 40}
    two = lyapunov_spectrum(net, start, count=2, rng=np.random.default_rng(0), **options)
    more = lyapunov_spectrum(net, start, count=12, rng=np.random.default_rng(0), **options)
    assert two.exponents.value.shape == (2,)
    assert two.exponents.value == pytest.approx(more.exponents.value[:2], abs=0.02)
    assert two.exponents.value[0] > two.exponents.value[1]
    assert set(two.signs) == {"positive"}
