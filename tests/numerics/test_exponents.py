"""Are frames pushed and turned exactly, and is a finite orbit's exponent given no more sign than it has?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.maps.known import gaussian_weights, tanh_net
from limitset.maps.latent import TensorMap
from limitset.numerics.stability import tangent
from limitset.numerics.stability.exponents import Sign, sign_of_exponent, stretches
from limitset.numerics.stability.tangent import orthonormal, pushed
from limitset.numerics.vector_map import VectorMap


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("together", [1, 3, 100])
def test_pushed_frames_are_the_jacobian_times_the_frame(together, monkeypatch):
    monkeypatch.setattr(tangent, "PUSH_BYTES", together * 2 * 5 * 8)
    matrix = gaussian_weights(5, gain=1.0, seed=0)
    f = VectorMap(map=tanh_net(matrix), shape=(5,))
    states = torch.from_numpy(rng(1).standard_normal((2, 5)))
    frames = torch.from_numpy(rng(2).standard_normal((2, 5, 4)))
    slopes = 1 - torch.tanh(states @ torch.as_tensor(matrix).T) ** 2
    expected = slopes[:, :, None] * torch.as_tensor(matrix) @ frames
    assert torch.allclose(pushed(f, states, [0, 1], frames), expected, atol=1e-14)
    assert torch.allclose(pushed(f, states, [0, 1], frames[:, :, :1]), expected[:, :, :1], atol=1e-14)


def test_pushed_frames_keep_the_rows_of_their_states():
    slopes = torch.tensor([2.0, 3.0], dtype=torch.float64)
    f = VectorMap(map=TensorMap(step=lambda x, rows: x * slopes[rows][:, None]), shape=(2,))
    eyes = torch.eye(2, dtype=torch.float64).expand(2, 2, 2)
    got = pushed(f, torch.zeros(2, 2, dtype=torch.float64), [1, 0], eyes)
    assert got[:, 0, 0].tolist() == [3, 2]


def test_stretches_by_hand():
    # columns (3, 4) and (0, 1): |r_11| = 5, area 3 = |r_11 r_22|, so |r_22| = .6
    units, lengths = orthonormal(torch.tensor([[[3.0, 0.0], [4.0, 1.0]]], dtype=torch.float64))
    assert lengths[0].tolist() == pytest.approx([5, 0.6])
    assert (units[0].T @ units[0]).numpy() == pytest.approx(np.eye(2), abs=1e-15)
    units, lengths = orthonormal(torch.tensor([[[3.0], [4.0]], [[0.0], [0.0]]]))
    assert lengths[:, 0].tolist() == [5, 0]
    assert units[1, :, 0].tolist() == [0, 0]  # no direction, and no NaN


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_types(dtype):
    f = VectorMap(map=TensorMap(step=lambda x: 0.5 * x), shape=(3,))
    got = stretches([f], torch.ones(2, 3, dtype=dtype), steps=20, rng=rng())
    assert got.exponents == pytest.approx(math.log(0.5), abs=1e-5 if dtype is torch.float32 else 0.02)
    assert got.states.dtype is dtype


def test_frames_that_do_not_fit_are_refused():
    f = VectorMap(map=TensorMap(step=lambda x: 0.5 * x), shape=(100_000,))
    with pytest.raises(InputError, match="must fit into 2 GiB; got 100000 of 100000 dimensions"):
        stretches([f], torch.ones(1, 100_000), steps=20, rng=rng())


def test_parts_sum_to_the_whole():
    matrix = gaussian_weights(6, gain=1.5, seed=0)
    weights = torch.as_tensor(matrix)
    starts = torch.from_numpy(rng(1).standard_normal((3, 6)))
    whole = VectorMap(map=tanh_net(matrix), shape=(6,))
    parts = [
        VectorMap(map=TensorMap(step=step), shape=(6,)) for step in (lambda x: x @ weights.T, torch.tanh)
    ]
    options = {"steps": 60, "burn_in": 20, "count": 3}
    one = stretches([whole], starts, rng=rng(), **options)
    two = stretches(parts, starts, rng=rng(), **options)
    assert two.parts.shape == (2, 3, 3)
    assert two.parts.sum(axis=0) == pytest.approx(one.exponents, abs=1e-12)
    assert one.steps == 60
    with pytest.raises(InputError, match="a map in parts must be orthonormalised every step"):
        stretches(parts, starts, rng=rng(), every=2, **options)


def test_blocks_of_uneven_length_weigh_by_their_steps():
    # 25 steps in 10 blocks are blocks of 2 and 3
    f = VectorMap(map=TensorMap(step=lambda x: x**3), shape=(1,))
    got = stretches([f], torch.full((1, 1), 0.9, dtype=torch.float64), steps=5, blocks=2, rng=rng())
    assert got.lengths.tolist() == [2, 3]
    # slope 3 x^2 with x = .9^(3^t): logs sum to 5 ln 3 + 2 ln .9 (1 + 3 + 9 + 27 + 81)
    assert got.exponents[0, 0] == pytest.approx((5 * math.log(3) + 242 * math.log(0.9)) / 5)


@pytest.mark.parametrize(
    ("value", "half", "steps", "sign"),
    [
        (0.5, 0.1, 1000, Sign.POSITIVE),
        (-0.5, 0.1, 1000, Sign.NEGATIVE),
        (0.0, 0.004, 1000, Sign.ZERO),  # ln(100) / 1000 = .0046
        (0.0, 0.005, 1000, Sign.UNDECIDED),
        (0.004, 0.001, 1000, Sign.UNDECIDED),  # above 0, but a bounded stretch could do that
        (0.05, 0.06, 1000, Sign.UNDECIDED),
        (-0.05, 0.06, 1000, Sign.UNDECIDED),
        (-math.inf, math.nan, 1000, Sign.UNDECIDED),
        (math.nan, math.nan, 1000, Sign.UNDECIDED),
    ],
)
def test_sign(value, half, steps, sign):
    assert sign_of_exponent(value, value - half, value + half, steps=steps) is sign


def test_sign_by_its_options():
    assert sign_of_exponent(-math.inf, -math.inf, -math.inf, steps=10) is Sign.NEGATIVE
    assert sign_of_exponent(0.004, 0.003, 0.0045, steps=1000) is Sign.ZERO
    assert sign_of_exponent(0.004, 0.003, 0.0045, steps=10_000) is Sign.POSITIVE
    assert sign_of_exponent(0.004, 0.003, 0.0045, steps=1000, fold=10.0) is Sign.POSITIVE
