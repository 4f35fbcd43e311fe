"""Do the enclosures hold the true fixed point, and do the bounds bound?"""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.core.limit_sets import Certificate
from limitset.maps.known import DOTTIE, cosine, gaussian_weights, linear, tanh_net, three_bits
from limitset.maps.latent import TensorMap
from limitset.numerics.enclosing.banach import banach_error, banach_steps
from limitset.numerics.enclosing.enclosures import newton_kantorovich
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray
from limitset.numerics.enclosing.krawczyk import enclose_point, jacobian_norm, jacobian_radius, krawczyk
from limitset.numerics.enclosing.map_bounds import (
    MapBounds,
    sampled_bounds,
    tanh_net_bounds,
    tanh_net_lipschitz,
)
from limitset.numerics.enclosing.norm_bounds import (
    frobenius_above,
    gamma,
    length_above,
    product_error,
    spectral_norm_above,
    spectral_radius_above,
)
from limitset.numerics.vector_map import VectorMap

EXACT = MapBounds(lipschitz=1.0, step_error=4e-16, jacobian_error=4e-16)


def column(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


def test_cosine_by_hand():
    # at x0 = .74: F = .74 - cos .74 = .0015315, M = 1 + sin .74 = 1.6743, A = .59727, L = 1:
    # Y = 9.147e-4, Z2 = .59727, h = 5.46e-4, r- = Y (1 + h / 2) = 9.150e-4, r+ = 2 / .59727 - r- = 3.3477
    x = column(0.74)
    got = newton_kantorovich(VectorMap.of(cosine(), x), x, bounds=EXACT)
    assert float(got.error) == pytest.approx(9.150e-4, rel=2e-4)
    assert float(got.error) >= 0.74 - DOTTIE
    assert float(got.reach) == pytest.approx(3.3477, rel=1e-3)
    assert float(got.convergence) == pytest.approx(5.46e-4, rel=1e-2)
    assert float(got.inverse) == pytest.approx(0.59727, rel=1e-3)
    # slope -sin x at the point: .67361, widened by L r-
    assert math.sin(DOTTIE) <= float(got.spectral_radius) <= math.sin(0.74) + 1e-3
    assert got.certificates(0) == dict.fromkeys(
        ["existence", "local uniqueness", "stability"], Certificate.PROVED
    )


def test_cosine_to_rounding():
    x = column(DOTTIE)
    got = newton_kantorovich(VectorMap.of(cosine(), x), x, bounds=EXACT)
    assert 0 < float(got.error) < 2e-15


def test_far_from_a_fixed_point_nothing_is_shown():
    # x^2 + 1 has none; cos at 3 is too far for its curvature
    states = column(0.0, 0.5, 3.0)
    got = newton_kantorovich(
        VectorMap.of(TensorMap(step=lambda x: x**2 + 1), states), states, bounds=MapBounds(lipschitz=2.0)
    )
    assert not got.exists.any()
    assert torch.isinf(got.error).all()
    assert got.reach.tolist() == [0, 0, 0]
    assert got.certificates(0) == {}


def test_radius_limits_the_claim():
    x = column(0.74)
    f = VectorMap.of(cosine(), x)
    near = newton_kantorovich(f, x, bounds=MapBounds(lipschitz=1.0, radius=1e-5))
    assert not near.exists.any()
    far = newton_kantorovich(f, x, bounds=MapBounds(lipschitz=1.0, radius=0.5))
    assert far.reach.tolist() == [0.5]


def test_standing_follows_the_weakest_bound():
    assert EXACT.standing is Certificate.PROVED
    assert MapBounds(lipschitz=1.0).standing is Certificate.EMPIRICAL
    assert MapBounds(lipschitz=1.0).rounding is Certificate.EMPIRICAL
    guessed = MapBounds(lipschitz=1.0, basis=Certificate.EMPIRICAL, step_error=0.0, jacobian_error=0.0)
    assert guessed.standing is Certificate.EMPIRICAL


def test_evaluation_error_is_counted():
    x = column(DOTTIE)
    f = VectorMap.of(cosine(), x)
    coarse = newton_kantorovich(f, x, bounds=MapBounds(lipschitz=1.0, step_error=1e-6, jacobian_error=0.0))
    assert 0.5e-6 < float(coarse.error) < 1e-6  # 1e-6 / 1.67
    loose = newton_kantorovich(f, x, bounds=MapBounds(lipschitz=1.0, step_error=0.0, jacobian_error=0.1))
    assert float(loose.spectral_radius) > math.sin(DOTTIE) + 0.09
    assert not newton_kantorovich(f, x, bounds=MapBounds(lipschitz=1.0, jacobian_error=2.0)).exists.any()


def newton_points(weights, starts):
    x, matrix = starts.clone(), torch.from_numpy(weights)
    for _ in range(60):
        image = torch.tanh(x @ matrix.T)
        jacobian = (1 - image**2)[:, :, None] * matrix
        step = torch.linalg.solve(torch.eye(len(weights)).double() - jacobian, image - x)
        x = x + step * (2 / step.norm(dim=1, keepdim=True)).clamp(max=1)
    return x[(torch.tanh(x @ matrix.T) - x).norm(dim=1) < 1e-12]


def test_three_bits_all_points_and_their_stability():
    weights = three_bits(66)
    level = 0.957504024
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0])] * 3).double()
    states = torch.repeat_interleave(signs, 22, dim=1) * level
    got = newton_kantorovich(
        VectorMap.of(tanh_net(weights), states), states, bounds=tanh_net_bounds(weights, states)
    )
    assert got.exists.all()
    assert got.standing is Certificate.PROVED
    # the 8 corners attract, the 19 others do not: a bound below 1 is shown for exactly these
    stable = (signs != 0).all(dim=1)
    assert ((got.spectral_radius < 1) == stable).all()
    # separate points: nobody else within reach, which is less than their distance
    distances = torch.cdist(states, states) + torch.eye(27).double() * 1e9
    assert (got.reach < distances.min(dim=1).values).all()


def test_random_net_is_enclosed_and_chunks_change_nothing(monkeypatch):
    weights = gaussian_weights(32, gain=2.0, seed=0)
    starts = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 32)))
    states = newton_points(weights, starts)
    assert len(states) > 3
    f, bounds = VectorMap.of(tanh_net(weights), states), tanh_net_bounds(weights, states)
    got = newton_kantorovich(f, states, bounds=bounds)
    assert got.exists.all()
    assert float(got.error.max()) < 1e-9
    matrix = torch.from_numpy(weights)
    jacobians = (1 - torch.tanh(states @ matrix.T) ** 2)[:, :, None] * matrix
    given = newton_kantorovich(f, states, bounds=bounds, jacobians=jacobians)
    assert given.reach.numpy() == pytest.approx(got.reach.numpy(), rel=1e-9)
    monkeypatch.setattr("limitset.numerics.enclosing.enclosures.CHUNK_ENTRIES", 2 * 32**2)
    small = newton_kantorovich(f, states, bounds=bounds)
    assert small.error.numpy() == pytest.approx(got.error.numpy(), rel=1e-6)


def test_lipschitz_constant_of_tanh_is_one_and_sampling_stays_below():
    weights = gaussian_weights(8, gain=1.5, seed=1)
    bound = tanh_net_lipschitz(weights)
    expected = 4 / (3 * math.sqrt(3)) * np.linalg.norm(weights, axis=1).max() * np.linalg.norm(weights, 2)
    assert expected <= bound < 1.1 * expected
    states = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 8)) * 0.3)
    f = VectorMap.of(tanh_net(weights), states)
    few, many = (
        sampled_bounds(f, states, radius=0.2, samples=n, rng=np.random.default_rng(3)) for n in (1, 20)
    )
    assert (many.lipschitz >= few.lipschitz).all()
    assert (many.lipschitz <= bound).all()
    assert many.basis is Certificate.EMPIRICAL
    assert many.radius == 0.2
    with pytest.raises(InputError, match="radius above 0"):
        sampled_bounds(f, states, radius=0.0, rng=np.random.default_rng(0))


def test_bounds_of_a_net_cover_its_rounding():
    # the true values by exact fractions for W x, and tanh's slope of at most 1 carries the rest
    weights, states = (
        gaussian_weights(6, gain=2.0, seed=2),
        torch.from_numpy(np.random.default_rng(1).normal(size=(3, 6))),
    )
    bounds = tanh_net_bounds(weights, states, bias=torch.zeros(6).double())
    for row in range(3):
        exact = [
            sum(Fraction(w) * Fraction(float(s)) for w, s in zip(line, states[row], strict=True))
            for line in weights
        ]
        computed = weights @ states[row].numpy()
        off = math.sqrt(sum(float(Fraction(c) - e) ** 2 for c, e in zip(computed, exact, strict=True)))
        assert off <= float(bounds.step_error[row])
    assert (
        tanh_net_bounds(weights, states, bias=torch.ones(6).double()).step_error > bounds.step_error
    ).all()


def test_float32_states_have_wider_enclosures():
    x = torch.tensor([[DOTTIE]], dtype=torch.float32)
    got = newton_kantorovich(VectorMap.of(cosine(), x), x, bounds=MapBounds(lipschitz=1.0))
    assert got.exists.all()
    assert 1e-8 < float(got.error) < 1e-3
    assert abs(float(x) - DOTTIE) <= float(got.error)


def test_linear_map_is_unique_everywhere():
    x = torch.zeros(1, 2, dtype=torch.float64)
    f = VectorMap.of(linear(np.array([[0.5, 10.0], [0.0, 0.5]])), x)
    got = newton_kantorovich(f, x, bounds=MapBounds(lipschitz=0.0, step_error=0.0, jacobian_error=0.0))
    assert float(got.reach) == math.inf
    # norm 10, spectral radius 1/2: stable all the same
    assert 0.5 <= float(got.spectral_radius) < 0.6


def test_bad_input():
    x = column(0.7)
    f = VectorMap.of(cosine(), x)
    with pytest.raises(InputError, match="finite states"):
        newton_kantorovich(f, column(math.nan), bounds=EXACT)
    with pytest.raises(InputError, match="one row number"):
        newton_kantorovich(f, x, rows=[0, 1], bounds=EXACT)
    with pytest.raises(InputError, match="Jacobians of these states"):
        newton_kantorovich(f, x, bounds=EXACT, jacobians=torch.zeros(1, 2, 2).double())
    with pytest.raises(InputError, match="0 or more"):
        newton_kantorovich(f, x, bounds=MapBounds(lipschitz=-1.0))


@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_a_proved_enclosure_holds_the_known_point(seed):
    # x -> p + A (x - p) + c (sin(x - p)): p is fixed; |sin''| <= 1, so L <= c in the spectral norm
    draw = np.random.default_rng(seed)
    size, c = int(draw.integers(1, 5)), float(draw.uniform(0, 1.5))
    p, matrix = draw.normal(size=size), draw.normal(size=(size, size)) * draw.uniform(0.1, 1.5)

    def step(x):
        away = x - torch.from_numpy(p)
        return torch.from_numpy(p) + away @ torch.from_numpy(matrix).T + c * torch.sin(away)

    def on_intervals(x):
        return p + matrix @ (x - p) + c * np.sin(x - p)

    states = torch.from_numpy(p + draw.normal(size=(4, size)) * 10.0 ** draw.uniform(-12, 0.5, (4, 1)))
    bounds = MapBounds(lipschitz=c, step_error=1e-12, jacobian_error=1e-12)
    got = newton_kantorovich(VectorMap.of(TensorMap(step=step), states), states, bounds=bounds)
    radius = np.abs(np.linalg.eigvals(matrix + c * np.eye(size))).max()
    for row, state in enumerate(states.numpy()):
        away = float(np.linalg.norm(state - p))
        if got.exists[row] and away < float(got.reach[row]):
            # p is the one fixed point within reach, so it is the one enclosed
            assert away <= float(got.error[row])
            assert radius <= float(got.spectral_radius[row]) * (1 + 1e-9)
        half = np.abs(draw.normal(size=size)) + 1e-9
        found = krawczyk(on_intervals, IntervalArray(state - half, state + half))
        if found.box.contains(p):
            assert not found.empty
            assert found.image.contains(p)
    found = enclose_point(on_intervals, p)
    if found.unique and found.box.contains(p):
        assert found.image.contains(p)


def test_krawczyk_on_cosine_and_beside_it():
    found = krawczyk(np.cos, IntervalArray(np.zeros(1), np.ones(1)))
    assert found.unique
    assert found.image.contains(DOTTIE)
    assert math.sin(DOTTIE) < found.spectral_radius < 1
    beside = krawczyk(np.cos, IntervalArray(np.full(1, 0.8), np.ones(1)))
    assert beside.empty
    assert not beside.unique
    # x^2 on [-.5, 1.5] holds 0 and 1: no claim of one, none of emptiness
    both = krawczyk(lambda x: x**2, IntervalArray(np.full(1, -0.5), np.full(1, 1.5)))
    assert not both.unique
    assert not both.empty
    sharp = enclose_point(np.cos, np.array([0.7]))
    assert sharp.unique
    assert sharp.radius < 2e-15
    assert sharp.image.contains(DOTTIE)
    none = enclose_point(lambda x: x + 1.0, np.zeros(1), steps=2)
    assert not none.unique
    with pytest.raises(InputError, match="bounded box"):
        krawczyk(np.cos, IntervalArray(np.zeros(1), np.full(1, np.inf)))
    with pytest.raises(InputError, match="self-map of 2"):
        krawczyk(lambda x: x[:1], IntervalArray(np.zeros(2), np.ones(2)))


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_norms_and_radii_are_bounded(seed):
    draw = np.random.default_rng(seed)
    shape = draw.integers(1, 7, 2)
    matrix = draw.normal(size=shape) * 10.0 ** draw.integers(-200, 150)
    tensor = torch.from_numpy(matrix)
    size = np.linalg.norm(matrix / np.abs(matrix).max(), 2) * np.abs(matrix).max()
    assert size * (1 - 1e-14) <= float(spectral_norm_above(tensor)) <= 1.06 * size
    assert size * (1 - 1e-14) <= float(frobenius_above(tensor))
    square = draw.normal(size=(4, 4))
    radius = np.abs(np.linalg.eigvals(square)).max()
    assert radius * (1 - 1e-10) <= float(spectral_radius_above(torch.from_numpy(square))) < 1.1 * radius + 0.1
    moved = square + draw.normal(size=(4, 4)) * 1e-3
    off = float(np.linalg.norm(moved - square, 2)) * (1 + 1e-9)
    assert np.abs(np.linalg.eigvals(moved)).max() <= float(
        spectral_radius_above(torch.from_numpy(square), error=off)
    )
    wide = IntervalArray(square - 0.1, square + 0.1)
    assert np.linalg.norm(moved, 2) <= jacobian_norm(wide)
    assert np.abs(np.linalg.eigvals(moved)).max() <= jacobian_radius(wide)


def test_product_error_bounds_the_rounding():
    draw = np.random.default_rng(0)
    left, right = draw.normal(size=(4, 9)), draw.normal(size=(9, 3)) * 1e5
    exact = [
        [sum(Fraction(a) * Fraction(b) for a, b in zip(row, line, strict=True)) for line in right.T]
        for row in left
    ]
    computed = left @ right
    off = math.sqrt(
        sum(float(Fraction(computed[i, j]) - exact[i][j]) ** 2 for i in range(4) for j in range(3))
    )
    bound = float(product_error(torch.from_numpy(left), torch.from_numpy(right)))
    assert 0 < off <= bound < 1e4 * off
    assert gamma(10**20) == math.inf
    assert float(length_above(torch.tensor([3.0, 4.0]).double())) == pytest.approx(5)
    assert float(spectral_norm_above(torch.tensor([[math.inf]]).double())) == math.inf


def test_banach_bounds():
    # cos from 0: q = sin 1; x1 = 1, x2 = cos 1: |x2 - x*| <= q / (1 - q) |x2 - x1|
    q = math.sin(1)
    assert abs(math.cos(1) - DOTTIE) <= banach_error(q, first_step=1 - math.cos(1))
    steps = banach_steps(q, first_step=1.0, tolerance=1e-6)
    state = 0.0
    for _ in range(steps):
        state = math.cos(state)
    assert abs(state - DOTTIE) <= 1e-6
    assert q**steps / (1 - q) <= 1e-6 < q ** (steps - 1) / (1 - q)
    assert banach_steps(0.0, first_step=1.0, tolerance=0.5) == 1
    assert banach_steps(0.5, first_step=0.1, tolerance=0.5) == 0
    with pytest.raises(InputError, match="factor in"):
        banach_error(1.0, first_step=1.0)
    with pytest.raises(InputError, match="tolerance above 0"):
        banach_steps(0.5, first_step=1.0, tolerance=0.0)
