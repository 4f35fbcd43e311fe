"""Are the fixed points of maps with known facts found, all of them, each as what it is?"""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import root

from limitset.core.fixed_points import Completeness, PointKind
from limitset.core.limit_sets import Certificate
from limitset.core.streams import Streams
from limitset.instruments.dynamics import find_fixed_points
from limitset.maps.known import (
    DOTTIE,
    THREE_BIT_LEVEL,
    cosine,
    gaussian_weights,
    henon,
    line_attractor,
    logistic,
    ring_attractor,
    rotation,
    square_root,
    tanh_net,
    three_bits,
)
from limitset.maps.latent import TensorMap
from limitset.numerics.enclosing.map_bounds import MapBounds, tanh_net_bounds
from limitset.numerics.points.merging import merge


def normal(count, dimension, *, scale=1.0, seed=0):
    return scale * torch.from_numpy(np.random.default_rng(seed).standard_normal((count, dimension)))


def search(map, starts, **options):
    return find_fixed_points(map, starts, **{"rng": Streams(0), **options})


@pytest.fixture(scope="module")
def memory():
    """The memory of three bits, searched once; block means of the starts reach beyond +-1."""
    weights = three_bits(66)
    return search(
        tanh_net(weights),
        normal(1024, 66, scale=3),
        bounds=lambda states: tanh_net_bounds(weights, states),
        required_index_sum=1,
    )


def test_two_points_by_hand():
    # x = r x (1 - x): x = 0 with slope r = 3.2, x = 1 - 1/r = .6875 with slope 2 - r = -1.2
    # index: sign(1 - 3.2) = -1, sign(1 + 1.2) = +1; both have one unstable direction
    found = search(logistic(3.2), torch.linspace(-0.5, 1.2, 33, dtype=torch.float64)[:, None])
    order = np.argsort(found.states.ravel())
    assert found.states.ravel()[order] == pytest.approx([0, 0.6875], abs=1e-14)
    assert found.eigenvalues[order, 0].real == pytest.approx([3.2, -1.2], abs=1e-12)
    assert np.isnan(found.eigenvalues[:, 1:]).all()
    assert found.radius[order] == pytest.approx([3.2, 1.2])
    assert found.index[order].tolist() == [-1, 1]
    assert found.unstable.tolist() == [1, 1]
    assert found.index_sum == 0
    assert found.shares.sum() == pytest.approx(1)
    assert found.kinds == (PointKind.FIXED,) * 2


def test_labels_and_shares_count_runs():
    found = search(logistic(3.2), torch.tensor([[0.05], [0.7], [0.69], [0.68]], dtype=torch.float64))
    assert found.states[found.labels].ravel() == pytest.approx([0, 0.6875, 0.6875, 0.6875], abs=1e-9)
    assert found.shares.tolist() == [0.75, 0.25]
    assert found.share_low[0] < 0.75 < found.share_high[0]  # Wilson, 3 of 4: .30 to .95
    assert found.share_low[0] == pytest.approx(0.3006, abs=1e-3)
    narrow = search(logistic(3.2), torch.full((4, 1), 0.7, dtype=torch.float64), confidence=0.5)
    assert narrow.share_low[0] > 0.8


def test_three_bits_have_their_27_points(memory):
    means = memory.states.reshape(27, 3, 22).mean(axis=2)
    expected = np.array(list(itertools.product((-THREE_BIT_LEVEL, 0, THREE_BIT_LEVEL), repeat=3)))
    assert memory.fixed_count == len(memory) == 27
    assert np.abs(means[:, None] - expected[None]).max(axis=2).min(axis=1) == pytest.approx(0, abs=1e-8)
    assert len({tuple(row) for row in means.round(3)}) == 27
    assert np.bincount(memory.unstable).tolist() == [8, 12, 6, 1]
    assert memory.index.tolist() == (1 - 2 * (memory.unstable % 2)).tolist()  # every unstable one is real, 2
    assert memory.index_sum == 1
    assert memory.completeness is Completeness.NOT_REFUTED
    assert memory.radius[memory.unstable > 0] == pytest.approx(2)
    assert memory.residual.max() < 1e-14
    assert memory.scaled_residual.max() < 1e-14


def test_three_bits_are_proved(memory):
    assert memory.certified.all()
    assert all(one["existence"] is Certificate.PROVED for one in memory.certificates)
    assert [("stability" in one) for one in memory.certificates] == (memory.unstable == 0).tolist()
    assert memory.existence_radius.max() < 1e-11
    assert memory.uniqueness_radius.min() > 1


def test_random_net_is_odd_sums_to_one_and_agrees_with_scipy():
    weights = gaussian_weights(64, gain=2, seed=0)
    starts = normal(256, 64, scale=0.3, seed=3)
    found = search(
        tanh_net(weights), starts, bounds=lambda s: tanh_net_bounds(weights, s), required_index_sum=1
    )
    assert found.fixed_count == len(found) - found.kinds.count(PointKind.SLOW)
    assert found.fixed_count > 10
    assert found.fixed_count % 2 == 1
    points = found.states[found.fixed]
    # odd: -x is a fixed point with x, so that both together are no more points
    assert merge(np.concatenate([points, -points]), distance=1e-6).max() + 1 == len(points)
    assert found.certified.sum() == len(points)
    assert found.index_sum == 1
    # independent: MINPACK from the same starts finds no point that is not in the list
    others = [root(lambda x: np.tanh(weights @ x) - x, start.numpy(), method="hybr") for start in starts[:24]]
    ends = np.array([one.x for one in others if np.linalg.norm(one.fun) < 1e-9])
    assert len(ends) > 5
    known = np.linalg.norm(ends[:, None] - points[None], axis=2).min(axis=1)
    assert np.quantile(known, 0.8) < 1e-6


def test_second_strategy_finds_the_same_points():
    weights = gaussian_weights(64, gain=1.5, seed=0)
    lists = [
        search(tanh_net(weights), normal(96, 64, scale=scale, seed=seed), required_index_sum=1)
        for scale, seed in ((0.1, 0), (0.5, 1))
    ]
    assert [one.fixed_count for one in lists] == [3, 3]
    assert [one.completeness for one in lists] == [Completeness.NOT_REFUTED] * 2
    both = np.concatenate([one.states[one.fixed] for one in lists])
    assert merge(both, distance=1e-9).max() + 1 == 3


def test_missing_points_refute_the_list():
    # starts near one memory only: one attractor (and its mirror image), without the saddles between them
    weights = three_bits(6)
    starts = torch.full((4, 6), 0.9, dtype=torch.float64)
    found = search(tanh_net(weights), starts, required_index_sum=1)
    assert found.fixed_count == 2
    assert found.index_sum == 2
    assert found.completeness is Completeness.REFUTED
    assert search(tanh_net(weights), starts).completeness is Completeness.NOT_APPLICABLE


def test_cosine_is_enclosed():
    starts = torch.linspace(-2, 2, 8, dtype=torch.float64)[:, None]
    known = MapBounds(lipschitz=1, step_error=1e-15, jacobian_error=1e-15)
    found = search(cosine(), starts, bounds=lambda _: known)
    assert found.states.ravel() == pytest.approx([DOTTIE], abs=1e-15)
    assert dict(found.certificates[0])["stability"] is Certificate.PROVED
    assert found.existence_radius[0] < 1e-14
    assert found.uniqueness_radius[0] > 3  # 2 (1 + sin x) / L = 3.35
    sampled = search(cosine(), starts)
    assert sampled.certificates[0]["existence"] is Certificate.EMPIRICAL


@pytest.mark.parametrize(("map", "second"), [(line_attractor(), 0.5), (ring_attractor(), 0.0)])
@pytest.mark.parametrize("count", [5, 300])
def test_line_and_ring_are_one_set(map, second, count):
    found = search(map, normal(count, 2), required_index_sum=1)
    assert found.kinds == (PointKind.CONTINUUM,)
    assert found.eigenvalues[0, :2].real == pytest.approx([1, second], abs=1e-9)
    assert not found.isolated[0]
    assert found.fixed_count == 0
    assert found.continuum_count == 1
    assert found.ends[0] >= count
    assert found.extent[0] > 0.8
    assert found.index.tolist() == [0]
    assert found.unstable.tolist() == [0]
    assert math.isnan(found.index_sum)
    assert found.completeness is Completeness.UNDECIDED
    assert found.labels.tolist() == [0] * count
    assert not found.certified[0]


def test_a_single_start_on_a_ring_is_known_to_be_of_a_continuum():
    assert search(ring_attractor(), normal(1, 2)).kinds == (PointKind.CONTINUUM,)


def test_two_lines_stay_two():
    # y -> y - sin(2 pi y) / (2 pi) / 2 has slope 1/2 at whole numbers and 3/2 between: lines y = 0, 1/2, 1
    def step(s):
        pull = torch.sin(2 * math.pi * s[:, 1]) / (4 * math.pi)
        return torch.stack([s[:, 0], s[:, 1] - pull], dim=1)

    starts = torch.cat([normal(40, 2, scale=0.05) + torch.tensor([0, shift]) for shift in (0.0, 0.5, 1.0)])
    found = search(TensorMap(step=step), starts)
    assert set(found.kinds) == {PointKind.CONTINUUM}
    order = np.argsort(found.states[:, 1])
    # the mirror images of the lines 1/2 and 1 are lines too, found without a run that ended there
    assert found.states[order, 1] == pytest.approx([-1, -0.5, 0, 0.5, 1], abs=1e-12)
    assert found.unstable[order].tolist() == [0, 1, 0, 1, 0]
    assert found.shares[order][:2].tolist() == [0, 0]


def test_degenerate_point_is_isolated_and_undecided():
    # x - x^3: slope 1 at 0, residual |x|^3 below 1e-6 up to |x| = .01, and yet 0 alone is fixed
    found = search(TensorMap(step=lambda x: x - x**3), normal(50, 1), required_index_sum=1)
    assert found.kinds == (PointKind.FIXED,)
    assert found.isolated[0]
    assert abs(found.states[0, 0]) < 1e-7
    assert found.index.tolist() == [0]
    assert found.completeness is Completeness.UNDECIDED


def test_ghost_is_slow_and_never_fixed():
    # x + x^2 + 1e-4: nearest to a fixed point at 0, speed 1e-4; with - 1e-4: +-.01 are fixed
    starts = normal(40, 1)
    found = search(TensorMap(step=lambda x: x + x**2 + 1e-4), starts)
    assert found.kinds == (PointKind.SLOW,)
    assert found.residual[0] == pytest.approx(1e-4, rel=1e-3)
    assert abs(found.states[0, 0]) < 1e-4
    assert found.fixed_count == 0
    assert found.index_sum == 0
    assert not found.isolated[0]
    two = search(TensorMap(step=lambda x: x + x**2 - 1e-4), starts)
    assert sorted(two.states.ravel()) == pytest.approx([-0.01, 0.01], abs=1e-12)
    assert two.index_sum == 0


def test_ghost_in_a_plane():
    step = lambda s: torch.stack([s[:, 0] + s[:, 0] ** 2 + 1e-3, s[:, 1] / 2 + s[:, 0]], dim=1)  # noqa: E731
    found = search(TensorMap(step=step), normal(40, 2))
    assert PointKind.FIXED not in found.kinds
    assert found.kinds[0] is PointKind.SLOW
    assert np.abs(found.states[0]).max() < 0.01


@pytest.mark.parametrize(
    "step",
    [lambda x: torch.sqrt(1 + x**2), lambda x: x + 1, lambda x: x + 1e-7, lambda x: x + 1 / (1 + x**2)],
)
def test_drift_is_not_fixed(step):
    found = search(TensorMap(step=step), normal(40, 1))
    assert found.kinds == (PointKind.DRIFT,)
    assert found.fixed_count == 0
    assert (found.labels == 0).any()


def test_residual_loop_with_norm_drifts():
    # x <- x + W x / |x| + input: the relative residual falls as 1/t and nothing is fixed
    weights = torch.from_numpy(gaussian_weights(8, gain=0.3, seed=0))
    push = torch.ones(8, dtype=torch.float64)
    step = lambda x: x + (x / x.norm(dim=1, keepdim=True)) @ weights.T + push  # noqa: E731
    found = search(TensorMap(step=step), normal(30, 8))
    assert PointKind.FIXED not in found.kinds
    assert PointKind.DRIFT in found.kinds


def test_far_state_of_the_square_root_is_no_fixed_point():
    # at 1e6 the residual is 5e-7, below the tolerance; Newton's step from there is 1e6 long
    found = search(square_root(), torch.full((3, 1), 1e6, dtype=torch.float64))
    assert found.fixed_count == 0


def test_rotation_has_the_centre_only():
    found = search(rotation(0.1), normal(20, 2), required_index_sum=1)
    assert found.fixed_count == 1
    assert np.abs(found.states).max() < 1e-12
    assert found.scaled_residual[0] <= 1  # x = f(x) = 0: scaled by the tolerance, no 0/0
    assert found.unstable[0] == 0
    assert found.completeness is Completeness.NOT_REFUTED


def test_henon_points():
    # 1.4 x^2 + .7 x - 1 = 0
    found = search(henon(), normal(40, 2))
    expected = sorted((-0.7 + sign * math.sqrt(0.49 + 5.6)) / 2.8 for sign in (-1, 1))
    assert sorted(found.states[:, 0]) == pytest.approx(expected, abs=1e-12)
    assert found.index_sum == 0


def test_rows_choose_the_held_input():
    inputs = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    map = TensorMap(step=lambda states, rows: states / 2 + inputs[rows])
    for row, fixed in ((0, 2.0), (1, 6.0)):
        found = search(map, normal(9, 1), row=row)
        assert found.states.ravel() == pytest.approx([fixed], abs=1e-14)


def test_every_method_finds_the_attractor():
    weights = gaussian_weights(12, gain=0.6, seed=0)
    for method in ("auto", "picard", "anderson", "broyden", "newton", "newton_gmres"):
        found = search(tanh_net(weights), normal(8, 12), method=method)
        assert found.fixed_count == 1
        assert np.abs(found.states).max() < 1e-9
        assert all(method in {"auto", name} for name in found.solvers)


def test_methods_differ_in_what_they_find():
    # plain iteration finds what attracts; Newton finds the saddles too (and the mirror images of both)
    starts = normal(60, 6, scale=1.5)
    newton, picard = (search(tanh_net(three_bits(6)), starts, method=name) for name in ("newton", "picard"))
    assert picard.unstable.max() == 0
    assert newton.unstable.max() > 0


def test_keywords_move_the_answer():
    weights = three_bits(6)
    starts = normal(200, 6, scale=1.5)
    assert search(tanh_net(weights), starts, eigenvalues=2).eigenvalues.shape[1] == 2
    assert search(tanh_net(weights), starts, merge_distance=10.0).fixed_count == 1
    assert search(tanh_net(weights), starts, merge_distance=1e-5).fixed_count == 27
    assert search(tanh_net(weights), starts, max_steps=1, followed=0).fixed_count < 27
    ghost = TensorMap(step=lambda x: x + x**2 + 1e-4)
    assert search(ghost, normal(20, 1), followed=0).kinds == ()
    assert search(ghost, normal(20, 1), tolerance=1e-3).tolerance == 1e-3
    assert "10 of 20 runs" in search(ghost, normal(20, 1), followed=10).notes[1]


def test_streams_reach_the_map():
    shift = TensorMap(step=lambda x, rows, rng: x / 2 + rng.generator("shift").normal())
    assert shift.deterministic
    first, again, other = (search(shift, normal(4, 1), rng=Streams(seed)).states[0, 0] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("far", [3.0, 30.0, 1e4])
def test_a_contraction_to_a_far_point_is_found(far):
    # x / 2 + c / 2 is fixed at c; Newton's steps are capped by the size of the starts
    starts = torch.randn(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    got = find_fixed_points(TensorMap(step=lambda x: x / 2 + far / 2), starts, rng=Streams(0))
    assert [str(kind) for kind in got.kinds] == ["fixed"]
    assert np.abs(got.states - far).max() < 1e-5
    assert (got.labels == 0).all()
