"""Do the parts of a map account for its exponents exactly?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.instruments.dynamics import lyapunov_spectrum, stretch_by_part
from limitset.maps.known import gaussian_weights, linear, rotation
from limitset.maps.latent import TensorMap

D = torch.float64


def rng(seed=0):
    return np.random.default_rng(seed)


def block(size=12):
    """A residual block in two sublayers and a norm, and the same as one map."""
    first, second = (torch.as_tensor(gaussian_weights(size, gain=2.0, seed=seed)) for seed in (0, 1))
    inputs = torch.from_numpy(rng(2).standard_normal((9, size)))

    def mix(x, rows):
        return x + torch.tanh(x @ first.T) + inputs[rows]

    def think(x):
        return x + torch.relu(x @ second.T)

    def norm(x):
        return x / x.square().mean(dim=1, keepdim=True).sqrt()

    parts = [("mix", TensorMap(step=mix)), ("think", TensorMap(step=think)), ("norm", TensorMap(step=norm))]
    return parts, TensorMap(step=lambda x, rows: norm(think(mix(x, rows))))


def test_by_hand():
    # x2, a quarter turn, x1/4 on one axis only: after two rounds each axis was quartered once
    parts = [
        ("double", linear(2 * np.eye(2))),
        ("turn", rotation(0.25)),
        ("quarter", linear(np.diag([0.25, 1.0]))),
    ]
    got = stretch_by_part(parts, torch.ones(1, 2, dtype=D), steps=40, count=2, rng=rng())
    by_part = {name: got.contributions.where(part=name).value.sum() for name in ("double", "turn", "quarter")}
    assert by_part["double"] == pytest.approx(2 * math.log(2))
    assert by_part["turn"] == pytest.approx(0, abs=1e-12)
    assert by_part["quarter"] == pytest.approx(math.log(0.25))
    assert got.exponents.value == pytest.approx([0, 0], abs=0.06)
    assert got.exponents.value.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("count", [1, 3])
def test_parts_sum_to_the_exponents_of_the_whole(count):
    parts, whole = block()
    starts = torch.from_numpy(rng(3).standard_normal((3, 12)))
    options = {"rows": [4, 0, 8], "steps": 100, "burn_in": 50, "count": count}
    got = stretch_by_part(parts, starts, rng=rng(), **options)
    theirs = lyapunov_spectrum(whole, starts, rng=rng(), **options)
    for start in (4, 0, 8):
        for index in range(count):
            pieces = got.contributions.where(start=start, index=index)
            total = got.exponents.one(start=start, index=index).value
            assert pieces.axes["part"].tolist() == ["mix", "think", "norm"]
            assert pieces.value.sum() == pytest.approx(total, abs=1e-12)
        ours = np.sort(got.exponents.where(start=start).value)
        assert ours == pytest.approx(np.sort(theirs.exponents.where(start=start).value), abs=1e-9)


def test_the_part_that_shrinks_is_named():
    parts, _ = block()
    starts = torch.from_numpy(rng(3).standard_normal((1, 12)))
    got = stretch_by_part(parts, starts, steps=100, burn_in=50, rng=rng()).contributions
    assert got.one(part="norm").value < 0 < got.one(part="think").value
    assert got.one(part="norm").low < got.one(part="norm").value < got.one(part="norm").high


def test_two_parts_of_one_name_stay_apart():
    parts = [("shrink", linear(0.5 * np.eye(2))), ("shrink", linear(0.25 * np.eye(2)))]
    got = stretch_by_part(parts, torch.ones(1, 2, dtype=D), steps=10, rng=rng()).contributions
    assert [got.one(part="shrink", place=place).value for place in (0, 1)] == pytest.approx(
        [math.log(0.5), math.log(0.25)]
    )


def test_a_part_that_loses_a_direction_is_the_one_that_is_minus_infinite():
    parts = [("half", linear(0.5 * np.eye(2))), ("flat", linear(np.diag([1.0, 0.0])))]
    got = stretch_by_part(parts, torch.ones(1, 2, dtype=D), steps=20, burn_in=20, count=2, rng=rng())
    assert got.contributions.one(part="flat", index=1).value == -np.inf
    assert got.contributions.one(part="half", index=1).value == pytest.approx(math.log(0.5))
    assert got.exponents.one(index=1).value == -np.inf
    assert got.exponents.one(index=0).value == pytest.approx(math.log(0.5))


def test_options_move_the_answer():
    parts, _ = block()
    starts = torch.from_numpy(rng(3).standard_normal((1, 12)))
    base = stretch_by_part(parts, starts, steps=40, rng=rng())
    other = [
        stretch_by_part(parts, starts, **{"steps": 40, "rng": rng(), **option}).contributions
        for option in ({"steps": 50}, {"burn_in": 20}, {"rng": rng(1)}, {"rows": [5]})
    ]
    assert all(not np.array_equal(one.value, base.contributions.value) for one in other)
    wide = stretch_by_part(parts, starts, steps=40, confidence=0.999, rng=rng()).contributions
    assert (wide.high > base.contributions.high).all()
    few = stretch_by_part(parts, starts, steps=40, blocks=2, rng=rng()).contributions
    assert few.n.tolist() == [2, 2, 2]


def test_refusals():
    with pytest.raises(InputError, match="a chain must have one part at least"):
        stretch_by_part([], torch.ones(1, 2), steps=10, rng=rng())
    with pytest.raises(InputError, match="count must be between 1 and 2"):
        stretch_by_part([("a", rotation(0.1))], torch.ones(1, 2, dtype=D), steps=10, count=3, rng=rng())
