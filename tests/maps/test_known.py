"""Do the maps with known facts have them, by counting, by hand and by simulation against their laws?"""

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.streams import Streams
from limitset.instruments.dynamics import iterate
from limitset.instruments.dynamics.cycles import brent, find_cycle
from limitset.maps import FiniteMap, known
from limitset.maps.classic import WindowedTable
from limitset.maps.training_laws import GaussianRefit, SelfTrainedRegression
from limitset.testing import check_map

RNG = Streams(0)
D = torch.float64


def stepped(map, states, times=1):
    for _ in range(times):
        states = map.step(states, rows=list(range(len(states))), rng=RNG)
    return states


# cat map


def lucas(n):
    one, two = 2, 1
    for _ in range(n):
        one, two = two, one + two
    return one


@pytest.mark.parametrize(("power", "count"), [(1, 1), (2, 5), (3, 16), (4, 45)])
def test_the_cat_map_brings_lucas_minus_two_points_back(power, count):
    assert count == lucas(2 * power) - 2
    points = known.cat_points(power)
    assert len(points) == len(np.unique(points, axis=0)) == count
    # by the square map itself: |f^p(x) - x| is 0 modulo 1
    moved = stepped(known.cat(), torch.as_tensor(points), power).numpy() - points
    assert np.abs(moved - moved.round()).max() < 1e-12
    # and on the torus
    angles = 2 * math.pi * torch.as_tensor(points)
    torus = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1)
    assert torch.allclose(stepped(known.cat_on_torus(power), torus), torus, atol=1e-12)


def test_the_torus_is_the_square_with_its_edges_joined():
    square = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=D)
    angles = 2 * math.pi * square
    torus = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1)
    moved = 2 * math.pi * stepped(known.cat(), square, 3)
    wanted = torch.stack([moved.cos(), moved.sin()], dim=2).flatten(1)
    assert torch.allclose(stepped(known.cat_on_torus(), torus, 3), wanted, atol=1e-12)
    assert torch.allclose(stepped(known.cat_on_torus(3), torus), wanted, atol=1e-12)
    check_map(known.cat_on_torus(), torus)


# sign nets


def test_sign_nets_by_hand():
    flip = np.array([[0.0, -1.0], [-1.0, 0.0]])
    starts = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=D)
    assert stepped(known.sign_net(flip), starts).tolist() == [[-1, -1], [1, -1]]
    # by turns: the first unit of (1, 1) turns to -1, and then the second is asked for +1
    assert stepped(known.sign_net_by_turns(flip), starts).tolist() == [[-1, 1], [1, -1]]
    assert stepped(known.sign_net_by_turns(flip, units=[1, 0]), starts).tolist() == [[1, -1], [1, -1]]
    # -x^T W x / 2 = x_1 x_2
    assert known.sign_net_energy(flip, starts).tolist() == [1, -1]
    silent = known.sign_net_by_turns(np.zeros((2, 2)))
    assert stepped(silent, starts).tolist() == starts.tolist()
    check_map(known.sign_net_by_turns(flip), starts)


# greedy writing with a window


def written(tokens, window, seed):
    table = np.random.default_rng(seed).integers(0, tokens, tokens**window)
    return WindowedTable(tokens=tokens, window=window, following=tuple(int(one) for one in table))


@pytest.mark.parametrize(("tokens", "window"), [(2, 1), (2, 5), (3, 3), (7, 2)])
@pytest.mark.parametrize("seed", range(4))
def test_greedy_writing_with_a_window_ends_in_a_cycle(tokens, window, seed):
    writer = written(tokens, window, seed)
    starts = list(product(range(tokens), repeat=window))
    most = tokens**window
    got = iterate(writer, starts, steps=most, rng=RNG)
    assert got.settled.all()
    assert (got.arrival + got.periods).max() <= most
    # three other ways: Brent's search, three states a run, and the plain table of numbers
    step = {start: writer.step([start], rows=[0], rng=RNG)[0] for start in starts}
    assert got.cycles() == [brent(step.__getitem__, start, max_steps=most) for start in starts]
    few = iterate(writer, starts, steps=most, rng=RNG, hold=False)
    assert few.cycles() == got.cycles()
    numbers = FiniteMap(images=tuple(writer.number(step[start]) for start in starts))
    assert iterate(numbers, list(range(most)), steps=most, rng=RNG).cycles() == got.cycles()
    # the text repeats with the period from the window on that entered the cycle
    text = writer.text(starts[-1], length=window + 3 * most)
    states = [text[place : place + window] for place in range(3 * most)]
    assert find_cycle(states) == got.cycles()[-1]


def test_the_bound_on_tail_and_period_is_reached():
    # 0001 0111: every window of three bits comes once (a de Bruijn sequence), so the period is 2^3
    ring = (0, 0, 0, 1, 0, 1, 1, 1)
    follows = {ring[i] * 4 + ring[(i + 1) % 8] * 2 + ring[(i + 2) % 8]: ring[(i + 3) % 8] for i in range(8)}
    writer = WindowedTable(tokens=2, window=3, following=tuple(follows[place] for place in range(8)))
    got = iterate(writer, [(0, 0, 0)], steps=8, rng=RNG)
    assert (got.arrival[0], got.periods[0]) == (0, 8)
    assert not iterate(writer, [(0, 0, 0)], steps=7, rng=RNG).settled.any()
    assert writer.text((0, 0, 0), length=8) == ring
    assert writer.text((0, 0, 0), length=2) == (0, 0)
    # one entry changed, 111 -> 1: a tail of 7 into a fixed window, tail + period = 8 again
    stuck = WindowedTable(tokens=2, window=3, following=(*writer.following[:-1], 1))
    got = iterate(stuck, [(0, 0, 0)], steps=8, rng=RNG)
    assert (got.arrival[0], got.periods[0]) == (5, 1)
    got = iterate(stuck, [(1, 1, 0)], steps=8, rng=RNG)
    assert (got.arrival[0], got.periods[0]) == (7, 1)


def test_a_writer_keeps_the_contract_and_refuses_wrong_tables():
    check_map(written(3, 2, 0), [(0, 1), (2, 2)])
    assert written(3, 2, 0).level is Level.TEXT
    with pytest.raises(InputError, match=r"one token for each.*got 3 for 2 \*\* 2"):
        WindowedTable(tokens=2, window=2, following=(0, 1, 1))
    with pytest.raises(InputError, match="tokens must be 0 to 1; got 2"):
        WindowedTable(tokens=2, window=1, following=(0, 2))


# models trained on what they made


@pytest.mark.parametrize(
    ("samples", "growth", "digits"), [(10, -0.1152, 4), (50, -0.02055, 5), (200, -0.00503, 5)]
)
def test_the_rate_at_which_a_refitted_gaussian_collapses(samples, growth, digits):
    map = GaussianRefit(samples=samples)
    assert round(map.growth, digits) == growth
    starts, generations = torch.zeros(600, 2, dtype=D), 10
    states = starts
    for step in range(generations):
        states = map.step(states, rows=list(range(600)), rng=RNG.child("step", step))
    a_generation = states[:, 1].numpy() / generations
    low, high = stats.t.interval(0.999, 599, a_generation.mean(), stats.sem(a_generation))
    assert low < map.growth < high
    assert high < 0  # it falls: the interval is narrow enough to tell
    # the means of the variance and of the mean stay
    variance = states[:, 1].exp().numpy()
    assert variance.mean() == pytest.approx(1, abs=4 * stats.sem(variance))
    assert states[:, 0].mean() == pytest.approx(0, abs=4 * stats.sem(states[:, 0].numpy()))


def test_a_refit_by_hand():
    map = GaussianRefit(samples=4)
    draws = RNG.generator(7).standard_normal(4)
    start = torch.tensor([[2.0, math.log(9.0)]], dtype=D)
    [[mean, log_variance]] = map.step(start, rows=[7], rng=RNG).tolist()
    values = 2 + 3 * draws
    assert mean == pytest.approx(values.mean())
    assert math.exp(log_variance) == pytest.approx(values.var(ddof=1))
    check_map(map, torch.zeros(3, 2, dtype=D), tolerance=1e-12)
    assert (map.level, map.deterministic) == (Level.WEIGHTS, False)
    with pytest.raises(InputError, match="2 samples or more; got 1"):
        GaussianRefit(samples=1)


def trained(data, runs=500, generations=20):
    map = SelfTrainedRegression(features=20, examples=60, noise=1.0, data=data)
    true = torch.linspace(-1, 1, 20, dtype=D).expand(runs, 20)
    states, excess = map.start(true), []
    for step in range(generations):
        states = map.step(states, rows=list(range(runs)), rng=RNG.child(data, step))
        excess.append((states[:, :, 0] - true).square().sum(dim=1).numpy())
    return map, np.array(excess)


@pytest.fixture(scope="module")
def regressions():
    return {data: trained(data) for data in ("replace", "accumulate")}


@pytest.mark.parametrize("data", ["replace", "accumulate"])
@pytest.mark.parametrize("generation", [1, 10, 20])
def test_self_trained_regression_meets_its_law(regressions, data, generation):
    map, excess = regressions[data]
    runs = excess[generation - 1]
    low, high = stats.t.interval(0.999, len(runs) - 1, runs.mean(), stats.sem(runs))
    assert low < map.excess(generation) < high
    assert high - low < 0.15 * map.excess(generation)


def test_replaced_data_grow_and_accumulated_data_stay_below_the_bound(regressions):
    replace, accumulate = (regressions[data][0] for data in ("replace", "accumulate"))
    # c = 20 / (60 - 20 - 1)
    assert [round(replace.excess(t), 2) for t in (1, 10, 20)] == [0.51, 5.13, 10.26]
    assert replace.bound == math.inf
    assert accumulate.bound == pytest.approx(20 / 39 * math.pi**2 / 6)
    assert accumulate.excess(1) == pytest.approx(20 / 39)
    # by hand: 20 (1 / 39 + 1 / (2 * 99))
    assert accumulate.excess(2) == pytest.approx(20 / 39 + 20 / 198)
    assert accumulate.excess(100_000) < accumulate.bound
    means = regressions["accumulate"][1].mean(axis=1)
    assert (means < accumulate.bound).all()
    assert regressions["replace"][1].mean(axis=1)[-1] > 10 * means[-1]


def test_regressions_keep_the_contract_and_refuse_what_has_no_mean():
    for data in ("replace", "accumulate"):
        map = SelfTrainedRegression(features=2, examples=5, noise=0.5, data=data)
        check_map(map, map.start(torch.ones(3, 2, dtype=D)))
        silent = SelfTrainedRegression(features=2, examples=5, noise=0.0, data=data)
        states = stepped(silent, silent.start(torch.ones(3, 2, dtype=D)), 3)
        assert torch.allclose(states[:, :, 0], torch.ones(3, 2, dtype=D), atol=1e-9)
    with pytest.raises(InputError, match="examples above features"):
        SelfTrainedRegression(features=4, examples=5, noise=1.0, data="replace")
    with pytest.raises(InputError, match="data must be replace or accumulate; got mix"):
        SelfTrainedRegression(features=4, examples=50, noise=1.0, data="mix")
