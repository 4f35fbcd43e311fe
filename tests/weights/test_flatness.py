"""Does flatness measure the expected rise, and nothing that rescaling can change?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError, UndefinedError
from limitset.instruments.weights import relative_flatness


def rng(seed=0):
    return np.random.default_rng(seed)


def net(seed=0):
    draw = rng(seed)
    shapes = {"a": (6, 4), "a0": (6,), "b": (3, 6), "b0": (3,)}
    return {name: torch.from_numpy(draw.standard_normal(shape)) for name, shape in shapes.items()}


INPUTS = torch.from_numpy(rng(1).standard_normal((30, 4)))
LABELS = torch.from_numpy(rng(2).integers(0, 3, 30))


def loss(weights):
    hidden = torch.relu(INPUTS @ weights["a"].T + weights["a0"])
    return torch.nn.functional.cross_entropy(hidden @ weights["b"].T + weights["b0"], LABELS)


def test_bowl_by_hand():
    # L = sum (w - 1)^2 at w = (1, 1, 1, 1): E rise = sum of the noise's variances = (noise * |w|)^2
    # = (.2 * 2)^2 = .16; one draw has variance 2 * .16^2 / 4, so 4000 draws give a deviation of .0018
    weights = {"w": torch.ones(4, dtype=torch.float64)}
    got = relative_flatness(weights, lambda w: (w["w"] - 1).square().sum(), noise=0.2, draws=4000, rng=rng())
    assert got.rise.value == pytest.approx(0.16, abs=0.008)
    assert got.loss == 0
    assert got.rise.low < 0.16 < got.rise.high


def test_slope_drops_out():
    # a linear loss rises one way as it falls the other
    weights = {"w": torch.arange(1.0, 5.0, dtype=torch.float64)}
    got = relative_flatness(weights, lambda w: w["w"].sum(), rng=rng())
    assert got.rises == pytest.approx(0, abs=1e-12)


def test_equals_second_order_expansion():
    # independent: half the trace of the Hessian, each tensor weighed by its noise variance
    weights = net()
    noise = 0.02
    expected = 0.0

    def loss(weights):  # smooth: a kink is no second-order matter
        hidden = torch.tanh(INPUTS @ weights["a"].T + weights["a0"])
        return torch.nn.functional.cross_entropy(hidden @ weights["b"].T + weights["b0"], LABELS)

    for name, tensor in weights.items():
        hessian = torch.autograd.functional.hessian(
            lambda moved, name=name: loss({**weights, name: moved}), tensor
        ).reshape(tensor.numel(), -1)
        variance = (noise * torch.linalg.vector_norm(tensor)) ** 2 / tensor.numel()
        expected += float(variance * hessian.diagonal().sum() / 2)
    got = relative_flatness(weights, loss, noise=noise, draws=4000, rng=rng())
    assert got.rise.low < expected < got.rise.high
    assert got.rise.value == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("factor", [0.01, 7.0, 1000.0])
def test_rescaling_a_relu_pair_changes_nothing(factor):
    # relu(c z) = c relu(z): the same function, the same flatness
    weights = net()
    rescaled = {
        "a": factor * weights["a"],
        "a0": factor * weights["a0"],
        "b": weights["b"] / factor,
        "b0": weights["b0"],
    }
    assert float(loss(rescaled)) == pytest.approx(float(loss(weights)), rel=1e-12)
    before, after = (relative_flatness(w, loss, rng=rng(5)).rises for w in (weights, rescaled))
    assert after == pytest.approx(before, rel=1e-6)

    # the control: absolute noise sees another landscape
    def absolute(w):
        draw = rng(5)
        steps = {name: 0.1 * torch.from_numpy(draw.standard_normal(tuple(t.shape))) for name, t in w.items()}
        return float(loss({name: w[name] + steps[name] for name in w}))

    assert absolute(rescaled) != pytest.approx(absolute(weights), rel=0.05)


def test_no_noise_no_rise():
    got = relative_flatness(net(), loss, noise=0.0, rng=rng())
    assert got.rises.tolist() == [0.0] * 16
    assert got.rise.value == 0


def test_keywords_move_the_answer():
    base = relative_flatness(net(), loss, rng=rng()).rise
    assert relative_flatness(net(), loss, noise=0.3, rng=rng()).rise.value > 4 * base.value
    more = relative_flatness(net(), loss, draws=200, rng=rng()).rise
    assert more.n == 200
    assert more.high - more.low < base.high - base.low
    wider = relative_flatness(net(), loss, confidence=0.999, rng=rng()).rise
    assert wider.high > base.high
    assert relative_flatness(net(), loss, rng=rng(9)).rise.value != base.value
    assert relative_flatness(net(), loss, rng=rng()).rise.value == base.value


def test_weights_are_left_as_they_were():
    weights = net()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    relative_flatness(weights, loss, rng=rng())
    assert all(torch.equal(weights[name], before[name]) for name in before)


def test_zero_and_empty_tensors_stay():
    weights = {**net(), "zero": torch.zeros(5, dtype=torch.float64), "none": torch.zeros(0)}
    seen = []

    def watched(w):
        seen.append(float(w["zero"].abs().sum()))
        return loss(w)

    relative_flatness(weights, watched, rng=rng())
    assert set(seen) == {0.0}


def test_refusals():
    with pytest.raises(InputError, match="flatness needs weights"):
        relative_flatness({}, loss, rng=rng())
    with pytest.raises(InputError, match="noise of 0 or more"):
        relative_flatness(net(), loss, noise=-0.1, rng=rng())
    with pytest.raises(InputError, match="2 draws or more"):
        relative_flatness(net(), loss, draws=1, rng=rng())
    with pytest.raises(UndefinedError, match="finite number"):
        relative_flatness(net(), lambda _: float("nan"), rng=rng())
