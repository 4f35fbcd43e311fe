"""Does rescaling leave relative flatness alone, and move an absolute one?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError, UndefinedError
from limitset.instruments.weights import relative_flatness, reparametrisation
from limitset.testing import check_instrument


def rng(seed=0):
    return np.random.default_rng(seed)


INPUTS = torch.from_numpy(rng(1).standard_normal((30, 4)))
UNITS = {"up": ["a", "a0"], "down": ["b"]}


def net():
    draw = rng()
    shapes = {"a": (6, 4), "a0": (6,), "b": (3, 6), "b0": (3,)}
    return {name: torch.from_numpy(draw.standard_normal(shape)) for name, shape in shapes.items()}


def run(weights):
    return torch.relu(INPUTS @ weights["a"].T + weights["a0"]) @ weights["b"].T + weights["b0"]


TARGET = run(net()) + 0.01


def loss(weights):
    return (run(weights) - TARGET).square().mean()


def relative(weights):
    return relative_flatness(weights, loss, noise=0.01, rng=rng(5)).rise.value


def controlled(measure=relative, **more):
    return reparametrisation(net(), loss, measure, **{**UNITS, "rng": rng(3), **more})


@pytest.mark.parametrize("factor", [0.1, 10.0, 100.0])
def test_relative_flatness_does_not_notice_and_absolute_does(factor):
    got = controlled(factor=factor)
    assert got.ratio.value == pytest.approx(1, rel=1e-6)
    assert got.loss_after == pytest.approx(got.loss_before, rel=1e-9)
    assert not got.absolute_ratio.low < 1.5 < got.absolute_ratio.high
    assert got.absolute_ratio.low > 1.5


def test_a_measure_that_notices_is_shown():
    def absolute(weights):
        draw = rng(5)
        steps = {
            name: 0.01 * torch.from_numpy(draw.standard_normal(tuple(t.shape))) for name, t in weights.items()
        }
        return float(loss({name: weights[name] + steps[name] for name in weights}) - loss(weights)) ** 2

    assert abs(np.log(controlled(absolute).ratio.value)) > 1
    # |w|^2 of all weights, by hand: (100 a^2 + b^2 / 100 + b0^2) / (a^2 + b^2 + b0^2)
    weights = net()
    squares = {name: float(t.square().sum()) for name, t in weights.items()}
    into = squares["a"] + squares["a0"]
    expected = (100 * into + squares["b"] / 100 + squares["b0"]) / (into + squares["b"] + squares["b0"])
    norm = lambda w: sum(float(t.square().sum()) for t in w.values())  # noqa: E731
    assert controlled(norm).ratio.value == pytest.approx(expected)


def test_absolute_ratio_by_hand():
    # loss (a b x)^2 / 2 with a = b = 1, x = 1, target 0: at (a, b) the Hessian's diagonal is (b^2, a^2).
    # noise s in both: rise s^2 (b^2 + a^2) / 2 + s^4 / 2; after a = c, b = 1 / c: s^2 (c^2 + c^-2) / 2
    weights = {"a": torch.ones(1, 1, dtype=torch.float64), "b": torch.ones(1, 1, dtype=torch.float64)}
    product = lambda w: (torch.relu(w["a"]) * w["b"]).square().sum() / 2  # noqa: E731
    got = reparametrisation(
        weights, product, lambda w: 1.0, up=["a"], down=["b"], factor=3.0, noise=1e-3, draws=4000, rng=rng()
    )
    # here the loss has a slope (ab)^2 / 2; both ways take it out, the mixed term 2 ab e_a e_b averages to 0
    assert got.absolute_ratio.low < (9 + 1 / 9) / 2 < got.absolute_ratio.high
    assert got.absolute_ratio.value == pytest.approx((9 + 1 / 9) / 2, rel=0.1)


def test_keywords_move_the_answer():
    base = controlled().absolute_ratio
    assert controlled(noise=0.3).absolute_ratio.value != pytest.approx(base.value, rel=1e-3)
    more = controlled(draws=200).absolute_ratio
    assert more.n == 200
    assert more.high / more.low < base.high / base.low
    assert controlled(confidence=0.5).absolute_ratio.low > base.low
    assert controlled(rng=rng(9)).absolute_ratio.value != base.value


def test_purity_and_inputs_untouched():
    weights = net()
    check_instrument(reparametrisation, weights, loss, relative, **UNITS)
    assert all(torch.equal(weights[name], tensor) for name, tensor in net().items())


@pytest.mark.parametrize(
    ("more", "kind", "complaint"),
    [
        ({"up": ["a"]}, UndefinedError, "must compute the same function"),
        ({"up": ["c"]}, InputError, "must name different tensors among a, a0, b, b0"),
        ({"up": ["a", "b"]}, InputError, "must name different tensors"),
        ({"factor": 1.0}, InputError, "above 0 and not 1"),
        ({"factor": -2.0}, InputError, "above 0 and not 1"),
        ({"noise": 0.0}, InputError, "noise above 0"),
        ({"draws": 1}, InputError, "draws 2 or more"),
        ({"measure": lambda w: 0.0}, UndefinedError, "must be above 0 at both nets"),
    ],
)
def test_refusals(more, kind, complaint):
    with pytest.raises(kind, match=complaint):
        controlled(**more)
