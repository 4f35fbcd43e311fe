"""Is the time to come back after a shock the one that can be worked out?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.medians import median_interval
from limitset.core.streams import Streams
from limitset.instruments.dynamics import return_time
from limitset.maps import known
from limitset.maps.latent import TensorMap

RNG = Streams(0)
D = torch.float64


def linear(decay, point=1.0):
    return TensorMap(step=lambda x: point + decay * (x - point))


def test_worked_by_hand():
    # a shock of .5 on the state 1 falls by 10 a step: .05, .005, .0005 <= .001 at the third
    got = return_time(linear(0.1), torch.ones(1, 1, dtype=D), size=0.5, tolerance=1e-3, rng=RNG, shocks=8)
    assert got.times.tolist() == [[3.0] * 8]
    time = got.median.one(state=0)
    assert (time.value, time.low, time.high, time.n) == (3.0, 3.0, 3.0, 8.0)
    assert got.returned.one(state=0).value == 1.0
    assert time.parameters["size"] == 0.5


@pytest.mark.parametrize("decay", [0.5, 0.9, -0.9])
@pytest.mark.parametrize("size", [0.3, 0.003])
def test_exact_for_linear_maps(decay, size):
    state = torch.ones(1, 5, dtype=D)
    got = return_time(linear(decay), state, size=size, rng=RNG, shocks=6)  # default: a hundredth of the size
    exact = math.ceil(math.log(0.01) / math.log(abs(decay)) - 1e-9)
    assert got.times.tolist() == [[exact] * 6]


def test_a_cycle_counts_as_home_at_any_phase():
    point = torch.tensor([[0.5130445095326298]], dtype=D)
    got = return_time(known.logistic(3.2), point, size=0.05, rng=RNG, shocks=20)
    # the multiplier of two steps is .16: a hundredth after 2 ln 100 / ln 6.25 = 5 steps or so
    assert (got.times <= 12).all()
    assert (
        len(set(got.times.flatten().tolist())) == 2
    )  # up and down differ: the parabola is steeper on one side


def test_shocks_that_never_come_back_are_infinite():
    # 0 attracts (-1, 1) under x^3 / 2 + x / 2: half of the shocks of 1.5 about .9 ... from 0 none comes back
    cubic = TensorMap(step=lambda x: x**3 / 2 + x / 2)
    got = return_time(cubic, torch.zeros(1, 1, dtype=D), size=1.5, rng=RNG, shocks=10, tolerance=0.01)
    assert np.isinf(got.times).all()
    assert got.median.one(state=0).value == math.inf
    assert got.returned.one(state=0).value == 0.0
    near = return_time(cubic, torch.zeros(1, 1, dtype=D), size=0.9, rng=RNG, shocks=10, tolerance=0.01)
    assert near.returned.one(state=0).value == 1.0
    short = return_time(
        cubic, torch.zeros(1, 1, dtype=D), size=0.9, rng=RNG, shocks=10, tolerance=0.01, steps=2
    )
    assert short.returned.one(state=0).value == 0.0


def test_rows_streams_and_confidence_move_the_answer():
    decay = torch.tensor([[0.1], [0.9]], dtype=D)
    map = TensorMap(step=lambda x, rows: decay[rows] * x)
    zero = torch.zeros(2, 1, dtype=D)
    got = return_time(map, zero, size=0.5, rng=RNG, shocks=6, tolerance=0.0051)
    assert got.times[:, 0].tolist() == [2.0, 44.0]
    assert return_time(map, zero, size=0.5, rng=RNG, shocks=6, rows=[1, 1]).times[:, 0].tolist() == [44.0] * 2
    squeeze = known.linear(np.diag([0.9, 0.1, 0.5]))
    state = torch.zeros(1, 3, dtype=D)
    one, other = (return_time(squeeze, state, size=0.5, rng=Streams(seed), shocks=40) for seed in (0, 1))
    assert not np.array_equal(one.times, other.times)
    sure = return_time(squeeze, state, size=0.5, rng=RNG, shocks=40, confidence=0.5)
    assert sure.median.high[0] - sure.median.low[0] <= one.median.high[0] - one.median.low[0]
    assert sure.returned.low[0] > one.returned.low[0]


def test_median_by_hand():
    got = median_interval([3.0, 1.0, 2.0, 4.0, 5.0, math.inf])
    assert (got.value, got.low, got.high) == (3.5, 1.0, math.inf)
    assert math.isnan(median_interval([1.0, 2.0]).low)
    assert median_interval([]).blank_reason == "there is no value"


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        (2.0, {}, "fixed point or on a cycle"),
        (1.0, {"size": 0.0}, "tolerance"),
        (1.0, {"size": 1e-3, "tolerance": 1e-2}, "above the tolerance"),
        (1.0, {"shocks": 3}, "6 shocks"),
        (1.0, {"steps": 0}, "1 step"),
        (1.0, {"rows": [1, 2]}, "one row for each"),
    ],
)
def test_what_cannot_be_used_is_refused(state, more, words):
    with pytest.raises(InputError, match=words):
        return_time(linear(0.9), torch.full((1, 1), state, dtype=D), **{"size": 0.5, "rng": RNG, **more})
