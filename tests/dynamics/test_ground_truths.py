"""Do the instruments find what is known exactly of maps: onsets, counts, brackets, limits of large nets?"""

import math
from itertools import product

import numpy as np
import pytest
import torch

from limitset.core.limit_sets import Certificate, LimitKind
from limitset.core.streams import Streams
from limitset.instruments.dynamics import (
    Ball,
    Sphere,
    certify,
    find_fixed_points,
    limit_sets,
    lyapunov_spectrum,
    run_tensors,
)
from limitset.maps import known
from limitset.maps.latent import TensorMap

RNG = Streams(0)
D = torch.float64


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=D)


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=D)


def signs(count, size, seed=0):
    return torch.sign(normal(count, size, seed=seed))


# period 3 of the logistic map begins at 1 + sqrt 8


ONSET = 1 + math.sqrt(8)


def thrice(rate):
    once = known.logistic(rate).step_function
    return TensorMap(step=lambda x: once(once(once(x))))


@pytest.mark.parametrize(("beyond", "wanted"), [(-1e-4, 2), (1e-4, 8)])
def test_points_of_period_three_appear_at_the_onset(beyond, wanted):
    # below, f^3 fixes 0 and 1 - 1/r alone; above, two 3-cycles more
    rate = ONSET + beyond
    starts = torch.linspace(0.0, 1.0, 60, dtype=D)[:, None]
    found = find_fixed_points(thrice(rate), starts, tolerance=1e-12, merge_distance=1e-6, followed=2, rng=RNG)
    points = np.sort(found.states[[kind == "fixed" for kind in found.kinds], 0])
    assert len(points) == wanted
    once = rate * points * (1 - points)
    assert np.isclose(once, points, atol=1e-9).sum() == 2  # the rest move


@pytest.mark.parametrize("beyond", [1e-3, 1e-4])
def test_the_three_cycle_attracts_from_the_onset_on_and_not_before(beyond):
    starts = uniform(4, 1)
    above = limit_sets(known.logistic(ONSET + beyond), starts, rng=RNG, steps=1500)
    assert (above.periods.tolist(), above.kinds) == ([3], (LimitKind.CYCLE,))
    assert above.exponents[0] < 0
    below = limit_sets(known.logistic(ONSET - beyond), starts, rng=RNG, steps=500)
    assert below.kinds == (LimitKind.CHAOS,)


# points that the cat map brings back


@pytest.mark.parametrize(("power", "count"), [(1, 1), (2, 5), (3, 16)])
def test_the_cat_map_has_lucas_minus_two_fixed_points(power, count):
    angles = 2 * math.pi * uniform(400, 2)
    starts = torch.stack([angles.cos(), angles.sin()], dim=2).flatten(1)
    found = find_fixed_points(known.cat_on_torus(power), starts, tolerance=1e-10, rng=RNG)
    assert set(found.kinds) == {"fixed"}
    assert len(found) == count
    # each is one of the points counted in whole numbers
    turns = np.arctan2(found.states[:, 1::2], found.states[:, ::2]) / (2 * math.pi) % 1
    exact = known.cat_points(power)
    far = np.abs((turns[:, None] - exact[None] + 0.5) % 1 - 0.5).max(axis=2)
    assert far.min(axis=1).max() < 1e-9
    assert sorted(far.argmin(axis=1)) == list(range(count))
    # eigenvalues ((3 +- sqrt 5) / 2)^p: one direction unstable, index sign((1 - l)(1 - 1/l)) = -1
    golden = ((3 + math.sqrt(5)) / 2) ** power
    assert np.abs(found.eigenvalues[:, 0]) == pytest.approx(golden, abs=1e-6)
    assert np.abs(found.eigenvalues[:, 1]) == pytest.approx(1 / golden, abs=1e-6)
    assert set(found.unstable) == {1}
    assert set(found.index) == {-1}


# a turn with RMS norm: only 0 is fixed

EPSILON = 0.1
CIRCLE = math.sqrt(2 * (1 - EPSILON))


def rms_on_intervals(turn):
    angle = 2 * math.pi * turn
    matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])

    def step(x):
        images = matrix @ x
        return images / np.sqrt((images**2).mean() + EPSILON)

    return step


def test_only_zero_is_fixed_under_a_turn_with_rms_norm():
    map = known.rms_norm_turn(0.3, epsilon=EPSILON)
    starts = torch.cat([normal(200, 2), 0.1 * normal(50, 2, seed=1), torch.zeros(1, 2, dtype=D)])
    found = find_fixed_points(map, starts, tolerance=1e-10, required_index_sum=1, rng=RNG)
    assert [str(kind) for kind in found.kinds] == ["fixed"]
    assert np.abs(found.states).max() < 1e-10
    assert found.radius[0] == pytest.approx(1 / math.sqrt(EPSILON))
    # det(I - R / sqrt eps) = |1 - e^(i a) / sqrt eps|^2 > 0: the index is +1, all that Brouwer asks for
    assert (found.index.tolist(), found.unstable.tolist()) == ([1], [2])


def test_the_circle_that_attracts_has_no_fixed_point_and_the_disc_has_one():
    map = known.rms_norm_turn(0.3, epsilon=EPSILON)
    options = {"interval_step": rms_on_intervals(0.3), "pieces": 64, "rng": np.random.default_rng(0)}
    circle = certify(map, region=Sphere(np.zeros(2), CIRCLE), **options)
    assert circle.conclusions["existence"] is Certificate.REFUTED
    assert circle.hypotheses["convex"] is Certificate.REFUTED
    # |x - f(x)| = 2 r sin(.3 pi) on the circle
    assert circle.gap.value == pytest.approx(2 * CIRCLE * math.sin(0.3 * math.pi), abs=1e-9)
    # rms <= 1, so the disc of radius sqrt 2 is mapped into itself
    disc = certify(map, region=Ball(np.zeros(2), math.sqrt(2)), image_radius=math.sqrt(2), **options)
    assert disc.hypotheses["self_map"] is Certificate.PROVED
    assert disc.conclusions["existence"] is Certificate.PROVED
    assert disc.conclusions.get("stability") is not Certificate.PROVED


@pytest.mark.parametrize(("turn", "kind", "period"), [(0.3, "continuum", 10), ((5**0.5 - 1) / 2, "torus", 0)])
def test_runs_of_the_turn_with_rms_norm_end_on_its_circle(turn, kind, period):
    map = known.rms_norm_turn(turn, epsilon=EPSILON)
    got = limit_sets(map, normal(16, 2), rng=RNG)
    assert (got.kinds, got.periods.tolist()) == ((LimitKind(kind),), [period])
    sizes = [np.linalg.norm(np.asarray(point).reshape(-1, 2), axis=1) for point in got.points[0]]
    assert np.concatenate(sizes) == pytest.approx(CIRCLE, abs=1e-6)


# the largest exponent of large random nets

MEAN_FIELD = {1.5: 0.06522, 2.0: 0.15472, 3.0: 0.31025, 5.0: 0.53243}
"""Quadrature with too few nodes gives other digits from gain 3 on: at gain 5 even 200 of Hermite's give .520."""


def mean_field_exponent(gain):
    """.5 ln(g^2 E sech^4) with q = E tanh^2(g sqrt(q) z), by quadrature."""
    z = np.linspace(-9, 9, 20_001)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    q = 1.0
    for _ in range(5000):
        q = float((weight * np.tanh(gain * math.sqrt(q) * z) ** 2).sum())
    slopes = 1 - np.tanh(gain * math.sqrt(q) * z) ** 2
    return 0.5 * math.log(gain**2 * (weight * slopes**2).sum())


@pytest.mark.parametrize("gain", MEAN_FIELD)
def test_the_limits_of_exponents_follow_from_mean_field_theory(gain):
    assert mean_field_exponent(gain) == pytest.approx(MEAN_FIELD[gain], abs=6e-6)


def test_a_net_of_gain_five_meets_mean_field_theory():
    # seeds of 256 units lie around .512, 4 % below the limit (1,024 units: 1 %); the limits of gains 4 and 6 are
    # .4329 and .6159, so .04 tells 5 from both
    found = []
    for seed in range(3):
        map = known.tanh_net(known.gaussian_weights(256, gain=5.0, seed=seed))
        start = normal(4, 256, seed=seed)
        got = lyapunov_spectrum(map, start, count=1, steps=300, burn_in=100, rng=np.random.default_rng(seed))
        assert set(got.signs) == {"positive"}
        found.append(got.over_starts.value[0])
    assert np.mean(found) == pytest.approx(MEAN_FIELD[5.0], abs=0.04)


@pytest.mark.slow
def test_a_large_net_of_gain_five_is_nearer():
    map = known.tanh_net(known.gaussian_weights(1024, gain=5.0, seed=0))
    got = lyapunov_spectrum(
        map, normal(4, 1024), count=1, steps=600, burn_in=300, rng=np.random.default_rng(0)
    )
    assert got.over_starts.value[0] == pytest.approx(MEAN_FIELD[5.0], abs=0.006)


# sign nets with symmetric weights


def symmetric(size, seed):
    weights = np.random.default_rng(seed).normal(size=(size, size))
    return (weights + weights.T) / 2


def test_symmetric_sign_nets_have_only_fixed_points_and_two_cycles():
    seen = set()
    for seed in range(3):
        got = limit_sets(known.sign_net(symmetric(25, seed)), signs(64, 25, seed), rng=RNG, steps=300)
        assert (got.labels >= 0).all()
        assert set(got.kinds) <= {LimitKind.FIXED, LimitKind.CYCLE}
        seen |= set(got.periods.tolist())
    assert seen == {1, 2}
    # the symmetry is what forbids longer ones
    loose = np.random.default_rng(0).normal(size=(25, 25))
    assert run_tensors(known.sign_net(loose), signs(32, 25), steps=600, rng=RNG).periods.max() > 2


def test_every_state_of_a_small_sign_net_by_counting():
    # all 2^9 states: the pairs that f exchanges and the points that it keeps, against the instrument
    map = known.sign_net(symmetric(9, 4))
    states = torch.tensor(list(product([-1.0, 1.0], repeat=9)), dtype=D)
    places = torch.tensor([2.0**i for i in reversed(range(9))], dtype=D)
    image = ((map.step_function(states) + 1) / 2 @ places).long().numpy()
    home = np.arange(512)
    fixed, twice = image == home, (image[image] == home) & (image != home)
    got = limit_sets(map, states, rng=RNG, steps=300)
    assert (got.periods == 1).sum() == fixed.sum()
    assert (got.periods == 2).sum() == twice.sum() // 2
    assert len(got) == fixed.sum() + twice.sum() // 2


def test_energy_falls_at_every_update_of_one_unit():
    patterns = np.array([[1] * 8, [1, -1] * 4], dtype=float)
    drawn = np.sign(np.random.default_rng(1).normal(size=(6, 40)))
    for weights, starts in [
        (known.hopfield_weights(patterns), signs(64, 8)),
        (np.rint(40 * known.hopfield_weights(drawn)), signs(64, 40)),  # whole numbers: a field of 0 is 0
        (np.abs(np.diag(np.ones(25))) + symmetric(25, 0) * (1 - np.eye(25)), signs(64, 25)),
    ]:
        states, changes = starts, 0
        for update in range(6 * len(weights)):
            unit = update % len(weights)
            one = known.sign_net_by_turns(weights, units=[unit])
            images = one.step(states, rows=list(range(64)), rng=RNG)
            fall = known.sign_net_energy(weights, states) - known.sign_net_energy(weights, images)
            moved = (images != states).any(dim=1)
            # x_i -> -x_i changes the energy by 2 x_i (W x)_i - 2 W_ii, and (W x)_i has the sign of the new x_i
            field = (states @ torch.as_tensor(weights[unit])).abs()
            assert torch.allclose(fall, (2 * (field + weights[unit, unit])) * moved, atol=1e-12)
            assert (fall[moved] > 0).all()
            states, changes = images, changes + int(moved.sum())
        assert changes > 64
        runs = run_tensors(known.sign_net_by_turns(weights), starts, steps=60, rng=RNG)
        assert set(runs.periods.tolist()) == {1}
        assert np.array_equal(runs.lasts, states.numpy())


def test_all_units_at_once_raise_the_energy_where_one_after_another_do_not():
    flip = np.array([[0.0, -1.0], [-1.0, 0.0]])
    start = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=D)
    assert run_tensors(known.sign_net(flip), start, steps=60, rng=RNG).periods.tolist() == [2, 1]
    by_turns = run_tensors(known.sign_net_by_turns(flip), start, steps=60, rng=RNG)
    assert by_turns.periods.tolist() == [1, 1]
    assert known.sign_net_energy(flip, torch.as_tensor(by_turns.lasts.copy())).tolist() == [-1, -1]


# the tongue of the circle map


@pytest.mark.parametrize("side", [-1, 1])
def test_the_circle_map_is_locked_up_to_its_coupling_over_two_pi(side):
    edge = 0.5 / (2 * math.pi)
    assert round(edge, 4) == 0.0796
    angles = 2 * math.pi * uniform(4, 1)
    starts = torch.cat([angles.cos(), angles.sin()], dim=1)
    inside, outside = (known.circle_map(side * (edge + by), coupling=0.5) for by in (-1e-4, 1e-4))
    locked = limit_sets(inside, starts, rng=RNG, steps=1500)
    assert (locked.kinds, locked.periods.tolist()) == ((LimitKind.FIXED,), [1])
    # the slope at the stable one of the two points: 1 - sqrt(K^2 - (2 pi omega)^2)
    slope = 1 - math.sqrt(0.25 - (2 * math.pi * (edge - 1e-4)) ** 2)
    assert locked.exponents[0] == pytest.approx(math.log(slope), abs=1e-5)
    # the two points are there inside, and outside none
    assert len(find_fixed_points(inside, starts, tolerance=1e-10, rng=RNG)) == 2
    near = find_fixed_points(outside, starts, tolerance=1e-10, rng=RNG)
    assert "fixed" not in near.kinds
    runs = run_tensors(outside, starts, steps=1255, hold=range(4), rng=RNG)
    assert not runs.settled.any()
    # past the narrow place 2 pi 1e-4 + K / 2 y^2 a turn takes pi / sqrt(2 pi 1e-4 K / 2) = 251 steps and a few
    for path in runs.held.values():
        gone = side * np.unwrap(np.arctan2(path[:, 1], path[:, 0]))
        first, third = np.searchsorted(gone - gone[0], [2 * math.pi, 6 * math.pi])
        assert (third - first) / 2 == pytest.approx(math.pi / math.sqrt(2 * math.pi * 1e-4 * 0.25), rel=0.05)
