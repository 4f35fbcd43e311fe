"""Does a search that begins in float32 find the points of float64, and does it stay away where float32 fails?"""

import numpy as np
import pytest
import torch

from limitset.core.streams import Streams
from limitset.instruments.dynamics import find_fixed_points
from limitset.maps.known import gaussian_weights, tanh_net, three_bits
from limitset.maps.latent import TensorMap
from limitset.numerics.enclosing.map_bounds import tanh_net_bounds
from limitset.numerics.points.point_search import search_points, single_tolerance, step_cap
from limitset.numerics.points.shared_newton import shared_newton
from limitset.numerics.vector_map import VectorMap


def normal(count, size, *, scale=1.0):
    return scale * torch.from_numpy(np.random.default_rng(0).standard_normal((count, size)))


def seen_types(weights):
    """Return a map tanh(W x) and the list of types it is called with."""
    seen, matrix = set(), torch.from_numpy(weights)

    def step(states):
        seen.add(states.dtype)
        return torch.tanh(states @ matrix.to(states).T)

    return TensorMap(step=step), seen


def only_double(weights):
    matrix = torch.from_numpy(weights)
    return TensorMap(step=lambda states: torch.tanh(states @ matrix.T))


def test_points_are_those_of_a_map_that_refuses_float32():
    # three blocks, each mean in {0, +-.957504}: 27 points, whichever way they are found
    weights, starts = three_bits(18), normal(300, 18, scale=2.0)
    map, seen = seen_types(weights)
    free = find_fixed_points(map, starts, tolerance=1e-12, rng=Streams(0))
    bound = find_fixed_points(only_double(weights), starts, tolerance=1e-12, rng=Streams(0))
    assert seen == {torch.float32, torch.float64}
    assert free.fixed_count == bound.fixed_count == 27
    assert free.residual.max() <= 1e-12
    nearest = np.linalg.norm(free.states[:, None] - bound.states[None], axis=2)
    assert nearest.min(axis=1).max() < 1e-12
    assert set(np.abs(free.states).round(6).ravel()) <= {0.0, 0.957504}


def test_rows_that_arrived_are_at_the_tolerance_in_float64():
    weights, starts = gaussian_weights(24, gain=2.0, seed=0), normal(200, 24, scale=0.5)
    f, rows = VectorMap.of(tanh_net(weights), starts), np.zeros(200, dtype=np.int64)
    cap = step_cap(f, starts, rows=rows)
    assert single_tolerance(f, starts, rows=rows, tolerance=1e-13) is not None
    found = search_points(f, starts, rows=rows, tolerance=1e-13, max_steps=25, cap=cap)
    arrived = torch.tensor([outcome == "converged" for outcome in found.outcomes])
    true = np.linalg.norm(np.tanh(found.states.numpy() @ weights.T) - found.states.numpy(), axis=1)
    assert arrived.sum() > 100
    assert true[arrived.numpy()].max() <= 1.2e-13  # numpy sums in another order
    assert found.states.dtype is torch.float64


def test_the_random_net_of_gain_2_has_its_23_points_all_enclosed():
    weights, starts = gaussian_weights(64, gain=2.0, seed=0), normal(512, 64, scale=0.3)
    found = find_fixed_points(
        tanh_net(weights),
        starts,
        tolerance=1.41e-6,
        bounds=lambda states: tanh_net_bounds(weights, states),
        required_index_sum=1,
        followed=0,
        rng=Streams(0),
    )
    assert (found.fixed_count, found.index_sum) == (23, 1.0)
    assert found.certified[found.fixed].all()


@pytest.mark.parametrize(("noise", "good"), [(0.0, True), (1e-3, False)])
def test_float32_must_round_below_its_tolerance(noise, good):
    # 1e4 cancels: (x + 1e4) - 1e4 is off by about 5e-4 an entry in float32
    large = 1e4 if noise else 0.0
    map = TensorMap(step=lambda states: torch.tanh(states + large - large) / 2)
    starts = normal(200, 20)
    f, rows = VectorMap.of(map, starts), np.zeros(200, dtype=np.int64)
    assert (single_tolerance(f, starts, rows=rows, tolerance=1e-9) is not None) == good


def test_the_tolerance_of_float32_follows_the_size_or_the_tolerance():
    f, starts = VectorMap.of(TensorMap(step=torch.tanh), normal(200, 20)), normal(200, 20)
    rows = np.zeros(200, dtype=np.int64)
    small, large = (single_tolerance(f, starts, rows=rows, tolerance=one) for one in (1e-9, 1e-2))
    once = np.tanh(starts[:32].numpy())
    size = np.median(np.linalg.norm(np.concatenate([once, np.tanh(once)]), axis=1))
    assert small == pytest.approx(1e-5 * size, rel=0.05)
    assert large == 1e-2


def test_few_starts_are_searched_in_float64_alone():
    map, seen = seen_types(three_bits(18))
    find_fixed_points(map, normal(60, 18), rng=Streams(0))
    assert seen == {torch.float64}


def test_a_range_that_float32_lacks_costs_nothing():
    # exp(x) overflows float32 above 88.7; f(x) = log(1 + exp(x)) / 2 has one point in each entry
    map = TensorMap(step=lambda states: torch.log(1 + torch.exp(states)) / 2)
    starts = normal(150, 20).abs() + 100
    found = find_fixed_points(map, starts, tolerance=1e-10, rng=Streams(0))
    # x = log(1 + e^x) / 2  <=>  e^2x = 1 + e^x: e^x is the golden section
    assert found.fixed_count == 1
    assert np.abs(found.states[0] - np.log((1 + 5**0.5) / 2)).max() < 1e-10


def test_a_second_step_counts_half_and_finds_the_same():
    # a capped step is followed by one with Broyden's correction: in a linear map both are the true direction
    shift = torch.full((3,), 50.0, dtype=torch.float64)
    f = VectorMap.of(
        TensorMap(step=lambda states: states / 2 + shift), torch.zeros(1, 3, dtype=torch.float64)
    )
    starts, rows = torch.zeros(1, 3, dtype=torch.float64), np.zeros(1, dtype=np.int64)
    # the point 100 (1, 1, 1) is 173.2 away: 17 steps of 10 and the rest, in pairs; 12 Newton steps with seconds
    # are 12 pairs of 20; 8 pairs of 20 do not reach it
    found = [
        shared_newton(f, starts, rows=rows, tolerance=1e-9, max_steps=steps, cap=10.0) for steps in (8, 16)
    ]
    assert [one.outcomes[0].value for one in found] == ["out of steps", "converged"]
    assert float((found[1].states - 100).abs().max()) < 1e-9
