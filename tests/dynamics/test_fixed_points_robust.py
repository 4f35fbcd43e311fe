"""Does a search keep its hands off the input, say what failed, and refuse what it cannot do?"""

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from limitset.core.errors import InputError
from limitset.core.fixed_points import Completeness, FixedPoints, PointKind
from limitset.core.levels import Level
from limitset.core.streams import Streams
from limitset.instruments.dynamics import find_fixed_points, union_of
from limitset.maps.known import (
    gaussian_weights,
    line_attractor,
    logistic,
    ring_attractor,
    square_root,
    tanh_net,
    three_bits,
)
from limitset.maps.latent import TensorMap
from limitset.numerics.points.merging import merge


def normal(count, *shape, scale=1.0, seed=0):
    return scale * torch.from_numpy(np.random.default_rng(seed).standard_normal((count, *shape)))


def search(map, starts, **options):
    return find_fixed_points(map, starts, **{"rng": Streams(0), **options})


# what other tools get wrong


def test_the_callers_starts_are_left_as_they_are():
    for kind in (torch.float64, torch.float32):
        starts = normal(30, 6).to(kind)
        before = starts.clone()
        for method in ("auto", "picard", "newton_gmres"):
            found = search(tanh_net(three_bits(6)), starts, method=method)
            assert torch.equal(starts, before)
        assert not np.shares_memory(found.states, starts.numpy())


def test_one_start_works():
    found = search(tanh_net(three_bits(6)), torch.full((1, 6), 0.9, dtype=torch.float64))
    assert found.labels.tolist() == [0]
    assert found.shares.tolist()[0] == 1


def test_a_long_short_term_memory_has_a_fixed_point():
    # the state is h and c side by side; weights small enough that the cell contracts
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(3, 5).double()
    held = torch.ones(1, 3, dtype=torch.float64)

    def step(states):
        hidden, memory = cell(held.expand(len(states), 3), (states[:, :5], states[:, 5:]))
        return torch.cat([hidden, memory], dim=1)

    found = search(TensorMap(step=step), normal(20, 10), tolerance=1e-10, required_index_sum=1)
    assert found.kinds == (PointKind.FIXED,)
    assert found.radius[0] < 1
    assert found.completeness is Completeness.NOT_REFUTED
    # independent: the point is where 300 steps of the cell lead
    state = torch.zeros(1, 10, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(300):
            state = step(state)
    assert found.states[0] == pytest.approx(state.numpy()[0], abs=1e-9)


def test_states_of_any_shape():
    weights = torch.from_numpy(gaussian_weights(6, gain=0.5, seed=1))
    push = normal(1, 2, 6)
    map = TensorMap(step=lambda s: torch.tanh(s @ weights.T + push))
    found = search(map, normal(7, 2, 6))
    assert found.states.shape == (1, 2, 6)
    image = map.step(torch.tensor(found.states.tolist(), dtype=torch.float64), rows=[0], rng=Streams(0))
    assert found.states == pytest.approx(image.numpy(), abs=1e-12)


def test_a_mistyped_option_is_refused_by_name():
    with pytest.raises(TypeError, match="tolerence"):
        search(square_root(), normal(3, 1), tolerence=1e-3)
    with pytest.raises(InputError, match=r"one of auto, picard.*got 'newtn'"):
        search(square_root(), normal(3, 1), method="newtn")


def test_a_solver_that_stalled_says_so():
    found = search(square_root(), normal(5, 1), method="picard")
    assert "converged" not in found.outcomes
    assert found.fixed_count == 0
    found = search(tanh_net(gaussian_weights(32, gain=3, seed=0)), normal(40, 32), followed=0)
    assert (np.array(found.outcomes) != "converged").sum() == (found.labels == -1).sum() > 0
    assert found.residual[found.fixed].max() <= found.tolerance
    assert found.evaluations.min() > 0


def test_nothing_above_tolerance_can_be_called_fixed():
    found = search(logistic(3.2), normal(4, 1, scale=0.1))
    columns = {name: getattr(found, name) for name in found.__dataclass_fields__}
    with pytest.raises(InputError, match="residual of at most"):
        FixedPoints(**{**columns, "residual": found.residual + 1.0})
    with pytest.raises(InputError, match="entries or be -1"):
        FixedPoints(**{**columns, "labels": np.full(4, 5)})
    with pytest.raises(InputError, match="must have 1 entries; got 0 certificates"):
        FixedPoints(**{**columns, "certificates": ()})
    with pytest.raises(ValueError, match="read-only"):
        found.states[0] = 0


@pytest.mark.parametrize("method", ["auto", "newton_gmres"])
def test_single_precision(method):
    weights = gaussian_weights(24, gain=1.5, seed=0)
    double, single = (
        search(tanh_net(weights), normal(24, 24, scale=0.3).to(kind), tolerance=1e-5, method=method)
        for kind in (torch.float64, torch.float32)
    )
    assert single.fixed_count == double.fixed_count
    assert single.index_sum == double.index_sum == 1
    both = np.concatenate([double.states[double.fixed], single.states[single.fixed]])
    assert merge(both, distance=1e-4).max() + 1 == double.fixed_count


@pytest.mark.parametrize("map", [line_attractor(), ring_attractor()])
def test_continua_in_single_precision(map):
    found = search(map, normal(50, 2).float(), tolerance=1e-5)
    assert found.kinds == (PointKind.CONTINUUM,)


def test_above_512_dimensions_products_do():
    # three blocks of 200; the eigenvalues of the Jacobian are 2 (1 - m^2) three times, and 0
    weights = three_bits(600)
    found = search(tanh_net(weights), normal(16, 600, scale=9), required_index_sum=1)
    assert 8 <= found.fixed_count <= 27
    # every unstable eigenvalue is real, so that the sign is that of their number
    assert found.index.tolist() == (1 - 2 * (found.unstable % 2)).tolist()
    assert not found.certified.any()


def test_diverging_map_has_its_point_and_nothing_else():
    found = search(TensorMap(step=lambda x: 2 * x + 1), normal(9, 1), method="picard", followed=9)
    assert [kind for kind in found.kinds if kind is not PointKind.FIXED] == []
    found = search(TensorMap(step=lambda x: 2 * x + 1), normal(9, 1))
    assert found.states.ravel() == pytest.approx([-1])
    assert found.index.tolist() == [-1]


# bad input


def test_refusals():
    map = tanh_net(three_bits(6))
    with pytest.raises(InputError, match="one start at least"):
        search(map, torch.zeros(0, 6))
    with pytest.raises(InputError, match="starts must be a torch tensor"):
        search(map, torch.zeros(4, 6, dtype=torch.long))
    with pytest.raises(InputError, match=r"starts must be finite.*start 1"):
        search(map, torch.tensor([[0.0] * 6, [float("nan")] * 6]))
    with pytest.raises(InputError, match="tolerance below the dtype"):
        search(map, normal(4, 6).float(), tolerance=1e-12)
    with pytest.raises(InputError, match="got tolerance 0"):
        search(map, normal(4, 6), tolerance=0.0)
    with pytest.raises(InputError, match=r"got merge_distance -1.0, eigenvalues 0, followed -2"):
        search(map, normal(4, 6), merge_distance=-1.0, eigenvalues=0, followed=-2)
    with pytest.raises(InputError, match="must give a tensor"):
        search(TensorMap(step=lambda x: x[:, :2]), normal(4, 6))
    with pytest.raises(InputError, match="NaN from start"):
        search(TensorMap(step=lambda x: x / 0 * 0), normal(4, 6))
    with pytest.raises(InputError, match="derivatives need a map that torch can follow"):
        search(TensorMap(step=lambda x: torch.from_numpy(np.tanh(x.detach().numpy()))), normal(4, 6))
    noisy = TensorMap(step=lambda x, rows, rng: x, deterministic=False)
    with pytest.raises(InputError, match="deterministic map"):
        search(noisy, normal(4, 6))


# union


def test_union_of_two_strategies():
    weights = three_bits(6)
    stable, all_of_them = (
        search(tanh_net(weights), normal(count, 6, scale=1.5, seed=seed), method=method, required_index_sum=1)
        for count, method, seed in ((60, "picard", 0), (200, "auto", 1))
    )
    both = union_of(stable, all_of_them)
    assert stable.fixed_count < all_of_them.fixed_count == both.fixed_count == 27
    assert both.index_sum == 1
    assert len(both.labels) == 260
    for label, end in zip(both.labels[:60], stable.labels, strict=True):
        assert both.states[label] == pytest.approx(stable.states[end], abs=1e-9)
    for label, end in zip(both.labels[60:], all_of_them.labels, strict=True):
        assert (label == -1) == (end == -1)
    assert both.shares.sum() == pytest.approx((both.labels >= 0).mean())
    assert (np.diff(both.shares) <= 0).all()
    # by hand: counts of both searches add up
    first = np.abs(both.states[0] - stable.states).max(axis=1) < 1e-9
    second = np.abs(both.states[0] - all_of_them.states).max(axis=1) < 1e-9
    assert both.shares[0] == pytest.approx(
        (60 * stable.shares[first].sum() + 200 * all_of_them.shares[second].sum()) / 260
    )
    assert union_of(stable, all_of_them, confidence=0.5).share_low[0] > both.share_low[0]


def test_union_keeps_kinds_apart():
    ring = ring_attractor()
    one, other = (search(ring, normal(20, 2, seed=seed)) for seed in (0, 1))
    assert union_of(one, other).kinds == (PointKind.CONTINUUM,)
    ghost = TensorMap(step=lambda x: x + x**2 + 1e-4)
    slow = union_of(search(ghost, normal(9, 1)), search(ghost, normal(9, 1, seed=1)))
    assert slow.kinds == (PointKind.SLOW,)
    drifts = union_of(*(search(square_root(), normal(9, 1, seed=seed)) for seed in (0, 1)))
    assert drifts.kinds == (PointKind.DRIFT,)
    nothing = search(ghost, normal(9, 1), followed=0)
    assert len(union_of(nothing, nothing)) == 0


def test_union_of_different_maps_is_refused():
    one = search(tanh_net(three_bits(6)), normal(9, 6))
    with pytest.raises(InputError, match="of one map"):
        union_of(one, search(square_root(), normal(9, 1)))
    with pytest.raises(InputError, match="of one map"):
        union_of(one, search(tanh_net(three_bits(6)), normal(9, 6), required_index_sum=1))


def test_frame_has_a_row_an_entry():
    found = search(logistic(3.2), normal(20, 1))
    frame = found.to_frame()
    assert len(frame) == len(found) == 2
    assert list(frame["kind"]) == ["fixed", "fixed"]
    assert found.level is Level.HIDDEN


# merging


def test_merge_by_hand():
    # 0, .1, .2 are a chain of steps .1; .31 is .11 away from its end
    points = np.array([[0.2], [0.31], [0.0], [0.1]])
    assert merge(points, distance=0.105).tolist() == [0, 1, 0, 0]
    assert merge(points, distance=0.12).tolist() == [0, 0, 0, 0]
    assert merge(points, distance=0.05).tolist() == [0, 1, 2, 3]
    assert merge(np.zeros((0, 3)), distance=1.0).tolist() == []
    assert merge(np.zeros((3, 2)), distance=0.0).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dimension", [1, 2, 30])
@pytest.mark.parametrize("distance", [0.01, 0.3, 1.0])
def test_merge_equals_single_linkage(dimension, distance):
    rng = np.random.default_rng(dimension)
    centres = rng.standard_normal((12, dimension))
    points = (
        centres[rng.integers(12, size=400)] + 0.1 * rng.standard_normal((400, dimension)) / dimension**0.5
    )
    ours = merge(points, distance=distance)
    theirs = fcluster(linkage(points, "single"), distance, criterion="distance")
    assert len(set(ours)) == len(set(theirs)) == len(set(zip(ours, theirs, strict=True)))


def test_merge_of_many_points_is_not_quadratic():
    points = np.repeat(np.random.default_rng(0).standard_normal((50, 20)), 2000, axis=0)
    points += 1e-9 * np.random.default_rng(1).standard_normal(points.shape)
    assert merge(points, distance=1e-6).max() == 49  # 100,000 points: all distances would be 80 GB


def test_merge_refuses():
    with pytest.raises(InputError, match="must be finite"):
        merge(np.array([[np.nan]]), distance=1.0)
    with pytest.raises(InputError, match="distance -1"):
        merge(np.zeros((2, 1)), distance=-1.0)
