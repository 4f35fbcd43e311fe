"""Are the limit sets of known maps found, with their kind, their share and nothing else?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.clouds import cloud_difference, comes_back, same_cloud
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate, LimitKind, LimitSets
from limitset.core.streams import Streams
from limitset.instruments.dynamics import limit_sets
from limitset.maps import known
from limitset.maps.latent import TensorMap

RNG = Streams(0)
D = torch.float64


def normal(*shape, seed=0, dtype=D):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=D)


def circle(count):
    points = normal(count, 2)
    return points / points.norm(dim=1, keepdim=True)


def kinds(got):
    return [(str(kind), int(period)) for kind, period in zip(got.kinds, got.periods, strict=True)]


GOLDEN = (math.sqrt(5) - 1) / 2


def test_worked_by_hand():
    # x -> x^3 / 2 + x / 2 has the fixed points 0 (slope 1/2) and +-1 (slope 2); from 2 it grows for ever
    cubic = TensorMap(step=lambda x: x**3 / 2 + x / 2)
    got = limit_sets(cubic, torch.tensor([[0.5], [-0.3], [1.0], [2.0]], dtype=D), rng=RNG, steps=100)
    assert kinds(got) == [("fixed", 1), ("fixed", 1), ("diverged", 0)]
    assert got.labels.tolist() == [0, 0, 1, 2]
    assert got.shares.tolist() == [0.5, 0.25, 0.25]
    assert got.exponents.tolist() == pytest.approx([math.log(0.5), math.log(2), math.nan], nan_ok=True)
    assert got.certificates[0] == {"attracting": Certificate.EMPIRICAL, "periodic": Certificate.EMPIRICAL}
    assert got.certificates[1]["attracting"] is Certificate.REFUTED
    assert got.certificates[2] == {}
    assert got.points[1][0].tolist() == [1.0]
    assert got.points[2] == ()
    assert got.arrival[2] == 0
    assert got.arrival[3] == math.inf
    assert got.share_low[0] < 0.5 < got.share_high[0]


@pytest.mark.parametrize(
    ("map", "starts", "wanted", "exponent"),
    [
        (known.logistic(2.9), uniform(16, 1), [("fixed", 1)], math.log(0.9)),  # slope 2 - r
        (known.logistic(3.2), uniform(16, 1), [("cycle", 2)], 0.5 * math.log(0.16)),
        (known.logistic(3.83), uniform(16, 1), [("cycle", 3)], -0.36967),
        (known.logistic(4.0), uniform(16, 1), [("chaos", 0)], math.log(2)),
        (known.cat(), uniform(16, 2), [("chaos", 0)], math.log((3 + math.sqrt(5)) / 2)),
        (known.henon(), 0.2 * uniform(16, 2), [("chaos", 0)], 0.4193),
        (known.rotation(0.4), circle(16), [("continuum", 5)], 0.0),
        (known.rotation(GOLDEN), circle(16), [("torus", 0)], 0.0),
        (known.line_attractor(), normal(16, 2), [("continuum", 1)], 0.0),
        (known.ring_attractor(), normal(16, 2), [("continuum", 1)], 0.0),
        (known.circle_map(0.05, coupling=0.5), circle(16), [("fixed", 1)], None),  # .05 < .5 / (2 pi)
        (known.circle_map(0.2, coupling=0.5), circle(16), [("torus", 0)], 0.0),
        (known.cosine(), normal(16, 1), [("fixed", 1)], math.log(math.sin(known.DOTTIE))),
    ],
)
def test_known_kinds_and_exponents(map, starts, wanted, exponent):
    got = limit_sets(map, starts, rng=RNG)
    assert kinds(got) == wanted
    assert got.shares.tolist() == [1.0]
    if exponent is not None:
        assert got.exponents[0] == pytest.approx(exponent, abs=0.02 if "chaos" in wanted[0] else 1e-3)


def test_one_start_on_a_rational_turn_is_a_cycle_with_a_note():
    got = limit_sets(known.rotation(3 / 7), circle(1), rng=RNG)
    assert kinds(got) == [("cycle", 7)]
    assert got.notes == ("neutral: a multiplier of size 1",)
    assert len(got.points[0]) == 7


@pytest.mark.parametrize("step", [lambda x: torch.sqrt(1 + x**2), lambda x: x + 1])
def test_a_drift_is_undecided(step):
    got = limit_sets(TensorMap(step=step), normal(4, 1), rng=RNG)
    assert (kinds(got), got.notes) == ([("undecided", 0)], ("drift",))
    assert got.points == ((),)


def test_doubling_diverges():
    assert kinds(limit_sets(TensorMap(step=lambda x: 2 * x), normal(4, 1), rng=RNG)) == [("diverged", 0)]


def test_a_slow_approach_is_neither_torus_nor_cycle():
    # at r = 3 the multiplier is -1: the distance falls as t^(-1/2)
    got = limit_sets(known.logistic(3.0), uniform(16, 1), rng=RNG)
    assert set(got.kinds) == {LimitKind.UNDECIDED}


@pytest.mark.parametrize("gain", [1.5, 3.0, 6.0])
def test_symmetric_nets_have_only_fixed_points_and_two_cycles(gain):
    weights = np.random.default_rng(0).normal(size=(25, 25))
    weights = (weights + weights.T) / 2 * gain / 5
    got = limit_sets(known.tanh_net(weights), normal(256, 25), rng=RNG, steps=4000, tolerance=1e-6)
    assert set(got.periods.tolist()) <= {1, 2}
    assert 2 in got.periods
    assert (got.labels >= 0).all()
    assert got.shares.sum() == pytest.approx(1.0)
    shifted = weights - np.eye(25) * np.linalg.eigvalsh(weights).min()
    assert set(
        limit_sets(known.tanh_net(shifted), normal(32, 25), rng=RNG, tolerance=1e-6).periods.tolist()
    ) == {1}


def test_hopfield_patterns_are_fixed_and_the_synchronous_pair_flips():
    patterns = np.array([[1] * 8, [1, -1] * 4], dtype=float)
    got = limit_sets(known.hopfield(patterns), torch.as_tensor(np.vstack([patterns, -patterns])), rng=RNG)
    assert kinds(got) == [("fixed", 1)] * 4
    assert np.isneginf(got.exponents).all()  # a step function: nothing is passed on
    flip = TensorMap(step=lambda x: torch.sign(x @ torch.tensor([[0.0, -1.0], [-1.0, 0.0]], dtype=D)))
    got = limit_sets(flip, torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]], dtype=D), rng=RNG)
    assert sorted(kinds(got)) == [("cycle", 2), ("fixed", 1)]
    assert got.labels.tolist() == [0, 0, 1]  # one cycle, entered at both phases


def test_basins_of_the_cube_roots_are_thirds():
    angle, radius = 2 * math.pi * uniform(1500, 1), uniform(1500, 1, seed=1).sqrt()
    starts = torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
    got = limit_sets(known.cube_roots(), starts, rng=RNG, steps=300)
    assert kinds(got) == [("fixed", 1)] * 3
    assert ((got.share_low < 1 / 3) & (got.share_high > 1 / 3)).all()
    wide = limit_sets(known.cube_roots(), starts, rng=RNG, steps=300, confidence=0.999)
    assert (wide.share_high > got.share_high).all()


@pytest.mark.parametrize("dtype", [torch.float32, D])
def test_three_bits_have_eight_basins_of_an_eighth(dtype):
    got = limit_sets(known.tanh_net(known.three_bits(66)), normal(1024, 66, dtype=dtype), rng=RNG)
    assert kinds(got) == [("fixed", 1)] * 8
    within = (got.share_low < 1 / 8) & (got.share_high > 1 / 8)
    assert within.sum() >= 7  # eight intervals of 95 %
    levels = np.array([point[0].reshape(3, 22).mean(axis=1) for point in got.points])
    assert np.abs(np.abs(levels) - known.THREE_BIT_LEVEL).max() < (1e-8 if dtype is D else 1e-5)


def test_a_thousand_dimensions_and_more():
    weights = torch.as_tensor(known.gaussian_weights(1000, gain=0.8, seed=0), dtype=torch.float32)
    got = limit_sets(
        TensorMap(step=lambda x: torch.tanh(x @ weights.T + 0.1)),
        normal(2, 1000, dtype=torch.float32),
        rng=RNG,
        steps=200,
    )
    assert kinds(got) == [("fixed", 1)]
    assert got.exponents[0] < 0


def test_two_chaotic_sets_are_two_and_one_is_one():
    # tanh-like doubling on either side of 0: the tent on [0, 1] and its mirror image
    def step(x):
        return torch.sign(x) * (1 - (1 - 1.9 * x.abs()).abs())

    got = limit_sets(TensorMap(step=step), 2 * uniform(12, 1) - 1, rng=RNG)
    assert kinds(got) == [("chaos", 0)] * 2
    assert got.exponents.tolist() == pytest.approx([math.log(1.9)] * 2, abs=1e-6)
    for label in (0, 1):
        assert len({point[0] > 0 for point in got.points[label]}) == 1
    assert np.isnan(got.arrival).all()


def test_a_circle_inside_another_is_another_torus():
    starts = torch.cat([circle(3), 2 * circle(3)])
    got = limit_sets(known.rotation(GOLDEN), starts, rng=RNG)
    assert kinds(got) == [("torus", 0)] * 2
    assert got.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_map_without_derivatives_keeps_its_ends_and_leaves_the_rest_undecided():
    def step(x):
        y = x.numpy()
        return torch.from_numpy(np.where(y > 1, 1.5 + (y - 1.5) / 2, 3.9 * y * (1 - y)))

    got = limit_sets(TensorMap(step=step), torch.tensor([[0.3], [2.0]], dtype=D), rng=RNG)
    assert sorted(kinds(got)) == [("fixed", 1), ("undecided", 0)]
    assert "no derivatives" in got.notes


def test_every_option_moves_the_answer():
    weak = known.logistic(3.57)  # exponent .0106 < ln 100 / 300
    assert kinds(limit_sets(weak, uniform(4, 1), rng=RNG, exponent_steps=300)) == [("undecided", 0)]
    assert kinds(limit_sets(weak, uniform(4, 1), rng=RNG, exponent_steps=2000)) == [("chaos", 0)]
    slow = TensorMap(step=lambda x: 1 + 0.99 * (x - 1))
    assert kinds(limit_sets(slow, normal(4, 1), rng=RNG, steps=700)) == [("undecided", 0)]
    assert kinds(limit_sets(slow, normal(4, 1), rng=RNG, steps=700, tolerance=0.05)) == [("fixed", 1)]
    grow = TensorMap(step=lambda x: 1.5 * x)
    assert kinds(limit_sets(grow, normal(4, 1), rng=RNG, steps=33)) == [("undecided", 0)]
    assert kinds(limit_sets(grow, normal(4, 1), rng=RNG, steps=33, bound=100.0)) == [("diverged", 0)]
    held = TensorMap(step=lambda x, rows: x / 2 + torch.tensor([[1.0], [2.0]], dtype=D)[rows])
    assert len(limit_sets(held, normal(2, 1), rng=RNG)) == 2
    assert len(limit_sets(held, normal(2, 1), rng=RNG, rows=[1, 1])) == 1
    with pytest.raises(InputError, match="must fit into"):
        limit_sets(held, normal(2, 1), rng=RNG, memory=10)
    with pytest.raises(InputError, match="exponent_steps must be 20"):
        limit_sets(held, normal(2, 1), rng=RNG, exponent_steps=3)


def test_clouds_by_hand():
    # pairs: |0-1| = 1 within, across (10 + 11 + 9 + 10) / 4 = 10: 1 - (1 + 1) / 20
    first, second = np.array([[0.0], [1.0]]), np.array([[10.0], [11.0]])
    assert cloud_difference(first, second) == pytest.approx(0.9)
    rng = np.random.default_rng(0)
    assert abs(cloud_difference(rng.normal(size=(300, 3)), rng.normal(size=(300, 3)))) < 0.02
    assert same_cloud(rng.normal(size=(300, 3)), rng.normal(size=(300, 3)))
    assert not same_cloud(rng.normal(size=(300, 3)), rng.normal(size=(300, 3)) + 2)
    turn = 2 * np.pi * GOLDEN * np.arange(200)
    spiral = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert comes_back(spiral)
    assert not comes_back(spiral * 0.99 ** np.arange(200)[:, None])
    assert not comes_back(np.arange(200.0)[:, None])
    assert not comes_back(np.zeros((200, 1)))


def test_a_start_may_not_be_placed_in_a_set_it_never_reached():
    columns = {
        name: np.array([1.0]) for name in ("shares", "share_low", "share_high", "stability", "arrival")
    }
    with pytest.raises(InputError, match="must have arrived"):
        LimitSets(
            level=Level.HIDDEN,
            kinds=(LimitKind.FIXED,),
            periods=np.array([1]),
            points=((),),
            labels=np.array([0]),
            **{**columns, "arrival": np.array([np.inf])},
        )
