"""Are exponents exact where they are known, and blank, -inf or wide where they are not?"""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from limitset.core.errors import InputError
from limitset.instruments.dynamics import lyapunov_spectrum
from limitset.maps.known import (
    cat,
    circle_map,
    gaussian_weights,
    henon,
    linear,
    logistic,
    ring_attractor,
    rotation,
    tanh_net,
)
from limitset.maps.latent import TensorMap

D = torch.float64


def rng(seed=0):
    return np.random.default_rng(seed)


def uniform(*shape, seed=1):
    return torch.from_numpy(rng(seed).uniform(size=shape))


def exponents(got, start=0):
    return got.exponents.where(start=start).value


def test_by_hand_one_step_of_each_block():
    # x -> 3 x - ... linear slopes 2 and 1/2: ln 2 and -ln 2 whatever the orbit; det 1, so the sum is 0
    got = lyapunov_spectrum(
        linear(np.diag([2.0, 0.5])), torch.ones(1, 2, dtype=D), steps=40, burn_in=80, rng=rng()
    )
    assert exponents(got) == pytest.approx([math.log(2), -math.log(2)], abs=1e-9)
    assert got.determinant_gap == pytest.approx(0, abs=1e-12)
    assert got.exponents.one(start=0, index=0).n == 10


def test_logistic_map():
    # r = 4: ln 2; the orbit's log stretch differs from it by a bounded term, so the error falls as 1 / T
    got = lyapunov_spectrum(logistic(4.0), uniform(100, 1), steps=1000, burn_in=50, rng=rng())
    mean = got.over_starts.one(index=0)
    assert mean.low < math.log(2) < mean.high
    assert mean.value == pytest.approx(math.log(2), abs=1e-3)
    assert set(got.signs) == {"positive"}
    # r = 3.2: the 2-cycle has multiplier 4 + 2 r - r^2 = .16
    got = lyapunov_spectrum(logistic(3.2), uniform(5, 1), steps=200, burn_in=300, rng=rng())
    assert got.exponents.value == pytest.approx(0.5 * math.log(0.16), abs=1e-9)
    assert set(got.signs) == {"negative"}
    # r = 3.83: a 3-cycle; 300 steps are blocks of whole cycles
    got = lyapunov_spectrum(logistic(3.83), uniform(5, 1), steps=300, burn_in=900, rng=rng())
    assert got.exponents.value == pytest.approx(-0.36967, abs=1e-5)


def test_henon_map():
    got = lyapunov_spectrum(henon(), 0.1 * uniform(40, 2), steps=3000, burn_in=100, rng=rng())
    sums = got.exponents.value.reshape(40, 2).sum(axis=1)
    assert sums == pytest.approx(math.log(0.3), abs=1e-10)
    assert got.determinant_gap == pytest.approx(0, abs=1e-10)
    assert got.over_starts.value == pytest.approx([0.4193, -1.6233], abs=3e-3)
    assert set(got.signs) == {"positive"}


def test_cat_map():
    got = lyapunov_spectrum(cat(), uniform(3, 2), steps=100, burn_in=40, rng=rng())
    golden = math.log((3 + 5**0.5) / 2)
    assert got.exponents.value.reshape(3, 2) == pytest.approx(np.tile([golden, -golden], (3, 1)), abs=1e-9)


def test_linear_maps():
    # ln |eigenvalues|; a defective shear comes near as ln(T) / T
    matrix = gaussian_weights(6, gain=1.0, seed=3)
    matrix = (matrix + matrix.T) / 2
    got = lyapunov_spectrum(linear(matrix), torch.ones(1, 6, dtype=D), steps=400, burn_in=400, rng=rng())
    true = np.sort(np.log(np.abs(np.linalg.eigvalsh(matrix))))[::-1]
    assert exponents(got) == pytest.approx(true, abs=1e-2)
    shear = linear(np.array([[0.5, 10.0], [0.0, 0.5]]))
    got = lyapunov_spectrum(shear, torch.ones(1, 2, dtype=D), steps=600, burn_in=600, rng=rng())
    assert exponents(got) == pytest.approx([math.log(0.5)] * 2, abs=5e-3)
    assert exponents(got).sum() == pytest.approx(2 * math.log(0.5), abs=1e-12)


def test_rotation_and_torus_are_zero():
    got = lyapunov_spectrum(rotation(0.5**0.5), torch.tensor([[1.0, 0.0]], dtype=D), steps=300, rng=rng())
    assert exponents(got) == pytest.approx([0, 0], abs=1e-12)
    assert got.signs == ("zero",)
    # the circle map off its tongue: 0 along the circle, and no derivative across it
    start = torch.tensor([[1.0, 0.0]], dtype=D)
    got = lyapunov_spectrum(circle_map(0.6066, coupling=0.5), start, steps=2000, rng=rng())
    assert got.signs == ("zero",)
    assert exponents(got)[0] == pytest.approx(0, abs=2e-3)
    # on the tongue it is locked: sin(2 pi x) = omega 2 pi / K, slope 1 - K cos(2 pi x)
    got = lyapunov_spectrum(circle_map(0.05, coupling=0.5), start, steps=200, burn_in=300, rng=rng())
    slope = 1 - (0.5**2 - (0.05 * 2 * math.pi) ** 2) ** 0.5
    assert exponents(got)[0] == pytest.approx(math.log(slope), abs=1e-9)
    assert got.signs == ("negative",)


def test_singular_jacobian_is_minus_infinity_and_says_so():
    for system in (ring_attractor(), circle_map(0.6066, coupling=0.5)):
        got = lyapunov_spectrum(system, torch.tensor([[1.0, 0.3]], dtype=D), steps=100, rng=rng())
        assert exponents(got)[1] == -np.inf
        assert "singular" in got.exponents.notes[0]
        assert np.isnan(got.determinant_gap[0])
        row = got.exponents.one(start=0, index=1)
        assert (row.low, row.high) == (-np.inf, -np.inf)
    # a superstable point: the only exponent is -inf, and negative
    got = lyapunov_spectrum(logistic(2.0), torch.full((1, 1), 0.5, dtype=D), steps=20, rng=rng())
    assert exponents(got)[0] == -np.inf
    assert got.signs == ("negative",)
    # a passing low of a regular Jacobian is none
    assert np.isfinite(
        lyapunov_spectrum(henon(), torch.zeros(1, 2), steps=500, rng=rng()).exponents.value
    ).all()


@pytest.fixture(scope="module")
def net():
    """A random net whose lowest exponents fall by e^-50 in ten steps."""
    start = torch.from_numpy(rng(5).standard_normal((1, 48)))
    return tanh_net(gaussian_weights(48, gain=2.0, seed=0)), start


def test_qr_every_ten_steps_corrupts_the_low_end_and_the_determinant_tells(net):
    system, start = net
    options = {"steps": 300, "burn_in": 100, "rng": rng()}
    whole = lyapunov_spectrum(system, start, **options)
    assert abs(whole.determinant_gap[0]) < 1e-10
    assert not whole.exponents.notes
    rare = lyapunov_spectrum(system, start, every=10, **options)
    assert rare.determinant_gap[0] > 1  # the sum came out too high
    lost = np.isnan(rare.exponents.value)
    assert 1 <= lost.sum() <= 16
    assert lost[-1]
    assert rare.exponents.one(start=0, index=47).blank_reason.startswith("lost to rounding")
    assert any("at every step" in note for note in rare.exponents.notes)
    # what is left is right
    assert rare.exponents.value[~lost] == pytest.approx(whole.exponents.value[~lost], abs=0.05)
    every_two = lyapunov_spectrum(system, start, every=2, **options)
    assert abs(every_two.determinant_gap[0]) < 1e-6
    assert every_two.exponents.value == pytest.approx(whole.exponents.value, abs=0.05)


def test_few_directions_equal_the_first_of_all(net, monkeypatch):
    system, start = net
    options = {"steps": 400, "burn_in": 200}
    whole = lyapunov_spectrum(system, start, rng=rng(), **options).exponents
    monkeypatch.setattr("limitset.numerics.stability.exponents.DENSE_DIMENSION", 1)  # products only
    few = lyapunov_spectrum(system, start, count=3, rng=rng(), **options)
    assert np.isnan(few.determinant_gap[0])
    for index in range(3):
        one, other = whole.one(start=0, index=index), few.exponents.one(start=0, index=index)
        assert one.value == pytest.approx(other.value, abs=5e-3)
    one = lyapunov_spectrum(system, start, count=1, rng=rng(), **options).exponents
    assert one.value[0] == pytest.approx(few.exponents.value[0], abs=5e-3)


def test_products_and_whole_jacobians_agree_exactly(net, monkeypatch):
    system, start = net
    dense = lyapunov_spectrum(system, start, steps=30, count=4, rng=rng()).exponents.value
    monkeypatch.setattr("limitset.numerics.stability.exponents.DENSE_DIMENSION", 1)
    products = lyapunov_spectrum(system, start, steps=30, count=4, rng=rng()).exponents.value
    assert products == pytest.approx(dense, abs=1e-10)
    monkeypatch.setattr("limitset.numerics.stability.tangent.PUSH_BYTES", 2 * 48 * 8)
    monkeypatch.setattr("limitset.numerics.stability.exponents.FRAME_BYTES", 1)
    grouped = lyapunov_spectrum(system, start, steps=30, count=4, rng=rng()).exponents.value
    assert grouped == pytest.approx(dense, abs=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gain", "low", "theory", "high"),
    [(1.5, 0.058, 0.06522, 0.068), (2.0, 0.150, 0.15472, 0.157), (3.0, 0.303, 0.31025, 0.313)],
)
def test_random_nets_meet_mean_field_theory(gain, low, theory, high):
    # lambda = .5 ln(g^2 E sech^4) for size -> infinity; below it by up to 8 % at 1,024
    system = tanh_net(gaussian_weights(1024, gain=gain, seed=0))
    start = torch.from_numpy(rng(1).standard_normal((4, 1024)))
    got = lyapunov_spectrum(system, start, count=1, steps=600, burn_in=300, rng=rng())
    assert low < got.over_starts.value[0] < high
    assert got.over_starts.value[0] == pytest.approx(theory, rel=0.1)
    assert set(got.signs) == {"positive"}


def test_subcritical_net_decays_at_the_log_of_its_radius():
    system = tanh_net(gaussian_weights(64, gain=1.0, seed=0, radius=0.8))
    start = torch.from_numpy(rng(1).standard_normal((2, 64)))
    got = lyapunov_spectrum(system, start, count=1, steps=300, burn_in=300, rng=rng())
    assert got.exponents.value == pytest.approx(math.log(0.8), abs=5e-3)
    assert set(got.signs) == {"negative"}


def test_diverged_orbits_are_blank_and_hold_up_nobody():
    starts = torch.tensor([[0.0, 0.0], [5.0, 5.0], [0.1, 0.1]], dtype=D)
    got = lyapunov_spectrum(henon(), starts, steps=200, rng=rng())
    assert np.isnan(exponents(got, 1)).all()
    assert got.exponents.one(start=1, index=0).blank_reason == "the orbit left the numbers"
    assert got.signs == ("positive", "can't tell", "positive")
    assert np.isnan(got.determinant_gap[1])
    alone = lyapunov_spectrum(henon(), starts[:1], steps=200, rng=rng())
    assert exponents(got, 0).sum() == pytest.approx(exponents(alone, 0).sum(), abs=1e-12)
    assert got.over_starts.one(index=0).n == 2
    gone = lyapunov_spectrum(henon(), starts[1:2], steps=200, rng=rng())
    assert gone.over_starts.one(index=0).blank_reason == "no start has all exponents"


def test_overflow_inside_the_map_is_divergence():
    # x^2 - x^2 is inf - inf from 1e154 on, where x itself is finite
    steep = TensorMap(step=lambda x: x**2 - x**2 + 1e9 * x)
    got = lyapunov_spectrum(steep, torch.tensor([[1.0], [0.0]], dtype=D), steps=20, rng=rng())
    assert got.exponents.one(start=0, index=0).blank_reason == "the orbit left the numbers"
    assert got.exponents.one(start=1, index=0).value == pytest.approx(math.log(1e9))


def test_held_inputs_follow_their_rows():
    slopes = torch.tensor([0.5, 2.0, 3.0], dtype=D)
    held = TensorMap(step=lambda x, rows: slopes[rows][:, None] * x)
    got = lyapunov_spectrum(held, torch.ones(2, 1, dtype=D), rows=[2, 0], steps=20, rng=rng())
    assert got.exponents.one(start=2, index=0).value == pytest.approx(math.log(3), abs=1e-9)
    assert got.exponents.one(start=0, index=0).value == pytest.approx(math.log(0.5), abs=1e-9)


def test_a_map_that_draws_gets_new_numbers_every_step():
    # slopes e^u, u uniform on (-1, 1): exponent 0, with a deviation of (1 / sqrt 3) / sqrt(steps)
    def step(states, rows, streams):
        drawn = [streams.generator(int(row)).uniform(-1, 1) for row in rows]
        return states * torch.tensor(drawn, dtype=D).exp()[:, None]

    noisy = TensorMap(step=step, deterministic=False)
    got = lyapunov_spectrum(noisy, torch.ones(6, 2, dtype=D), steps=100, rng=rng())
    first = got.exponents.value.reshape(6, 2)
    assert first[:, 0] == pytest.approx(first[:, 1], abs=1e-9)  # one number a start and step
    assert np.abs(first).max() < 0.3  # a slope drawn once would be as far as 1
    assert first[:, 0].std() > 0.01


def test_intervals_cover_and_options_move_them():
    # 60 orbits of the logistic map at r = 3.9 against their common exponent .4945 (long run: .49 to .50)
    starts = uniform(60, 1)
    got = lyapunov_spectrum(logistic(3.9), starts, steps=400, burn_in=50, rng=rng()).exponents
    covered = ((got.low < 0.4945) & (got.high > 0.4945)).mean()
    assert covered > 0.85
    wider = lyapunov_spectrum(logistic(3.9), starts, steps=400, burn_in=50, confidence=0.999, rng=rng())
    assert (wider.exponents.high > got.high).all()
    fewer = lyapunov_spectrum(logistic(3.9), starts, steps=400, burn_in=50, blocks=2, rng=rng())
    assert np.median(fewer.exponents.high - fewer.exponents.low) > 2 * np.median(got.high - got.low)
    other = lyapunov_spectrum(logistic(3.9), starts, steps=400, burn_in=0, rng=rng()).exponents
    assert not np.array_equal(other.value, got.value)
    strict = lyapunov_spectrum(logistic(3.9), starts[:3], steps=400, fold=1e200, rng=rng())
    assert set(strict.signs) == {"zero"}


def test_intervals_by_their_formula():
    # t quantiles with 9 degrees over 10 blocks, with 11 over 12 starts
    starts = uniform(12, 1)
    got = lyapunov_spectrum(logistic(3.9), starts, steps=100, rng=rng(), confidence=0.9)
    slopes = torch.empty(100, 12, dtype=D)
    states = starts.clone()
    for step in range(100):
        slopes[step] = (3.9 * (1 - 2 * states[:, 0])).abs().log()
        states = logistic(3.9).step_function(states)
    blocks = slopes.reshape(10, 10, 12).mean(dim=1).numpy()
    half = stats.t.ppf(0.95, 9) * blocks.std(axis=0, ddof=1) / 10**0.5
    assert got.exponents.value == pytest.approx(blocks.mean(axis=0), abs=1e-12)
    assert got.exponents.high - got.exponents.value == pytest.approx(half, rel=1e-9)
    assert got.exponents.value - got.exponents.low == pytest.approx(half, rel=1e-9)
    means = blocks.mean(axis=0)
    over, half = got.over_starts.one(index=0), stats.t.ppf(0.95, 11) * means.std(ddof=1) / 12**0.5
    assert (over.low, over.value, over.high) == pytest.approx(
        (means.mean() - half, means.mean(), means.mean() + half), rel=1e-9
    )
    assert over.n == 12
    alone = lyapunov_spectrum(logistic(3.9), starts[:1], steps=100, rng=rng()).over_starts.one(index=0)
    assert (np.isnan(alone.low), alone.interval_method) == (True, "")


def test_states_go_on():
    first = lyapunov_spectrum(henon(), torch.zeros(1, 2, dtype=D), steps=10, rng=rng())
    states = torch.zeros(1, 2, dtype=D)
    for _ in range(10):
        states = henon().step_function(states)
    assert first.states == pytest.approx(states.numpy(), abs=0)


def test_caller_keeps_the_starts():
    starts = uniform(3, 2)
    before = starts.clone()
    lyapunov_spectrum(henon(), starts, steps=20, rng=rng())
    assert torch.equal(starts, before)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 5}, "steps must be one a block"),
        ({"blocks": 1}, "blocks must be 2 or more"),
        ({"burn_in": -1}, "burn_in must be 0 or more"),
        ({"count": 3}, "count must be between 1 and 2"),
        ({"count": 0}, "count must be between 1 and 2"),
        ({"every": 0}, "every must be 1 or more"),
        ({"rows": [1, 2]}, "rows must name one start a state"),
    ],
)
def test_refusals(wrong, message):
    with pytest.raises(InputError, match=message):
        lyapunov_spectrum(henon(), torch.zeros(1, 2, dtype=D), **{"steps": 100, "rng": rng(), **wrong})
