"""Is the barrier the height above the straight line, and does the order of hidden units not count as one?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError, UndefinedError
from limitset.instruments.weights import loss_barrier, matched_barrier
from limitset.testing import check_instrument


def rng(seed=0):
    return np.random.default_rng(seed)


def point(*numbers):
    return {"w": torch.tensor(numbers, dtype=torch.float64)}


def two_wells(weights):
    return (weights["w"] ** 4 - weights["w"] ** 2).sum()


def test_two_wells_by_hand():
    # minima at +-1/sqrt 2 of -1/4; at 0 the loss is 0: the barrier is 1/4, half way
    root = 0.5**0.5
    got = loss_barrier(point(-root), point(root), two_wells)
    assert (got.barrier.value, got.position) == (pytest.approx(0.25), 0.5)
    assert got.losses[[0, 5, 10]] == pytest.approx([-0.25, 0, -0.25])
    assert got.positions == pytest.approx(np.linspace(0, 1, 11))
    # uneven ends: from 0 (loss 0) to sqrt 2 (loss 2): below the line everywhere
    assert loss_barrier(point(0.0), point(2**0.5), two_wells).barrier.value == 0


def test_a_convex_loss_has_no_barrier_exactly():
    a, b = ({"w": torch.from_numpy(rng(s).standard_normal(6))} for s in (1, 2))
    got = loss_barrier(a, b, lambda w: w["w"].square().sum())
    assert (got.barrier.value, got.position) == (0.0, 0.0)
    # a parabola lies alpha (1 - alpha) |a - b|^2 below the line
    alpha = got.positions
    line = (1 - alpha) * got.losses[0] + alpha * got.losses[-1]
    squared = float((a["w"] - b["w"]).square().sum())
    assert line - got.losses == pytest.approx(alpha * (1 - alpha) * squared)
    # and turned over, that is the barrier: a quarter of |a - b|^2
    assert loss_barrier(a, b, lambda w: -w["w"].square().sum()).barrier.value == pytest.approx(squared / 4)


def test_the_line_between_uneven_ends_not_their_mean():
    # loss w at -1 and 3, with a bump of height 1 at 0, position .25: above the line by 1, above the mean by 0
    got = loss_barrier(point(-1.0), point(3.0), lambda w: float(w["w"]) + (w["w"] == 0).sum(), points=5)
    assert (got.barrier.value, got.position) == (1.0, 0.25)


def test_points_move_the_answer():
    ridge = lambda w: torch.exp(-((w["w"] - 0.5) ** 2) / 1e-4).sum()  # noqa: E731
    assert loss_barrier(point(0.0), point(1.0), ridge, points=3).barrier.value == pytest.approx(1)
    assert loss_barrier(point(0.0), point(1.0), ridge, points=4).barrier.value < 1e-9


def bump(heights):
    """Loss of each example: its height half way, 0 at the ends."""
    return lambda w: torch.from_numpy(heights) * 4 * w["w"] * (1 - w["w"])


def test_the_interval_over_examples_is_covered():
    held = 0
    for seed in range(300):
        heights = rng(seed).exponential(2.0, size=80)
        got = loss_barrier(point(0.0), point(1.0), bump(heights), points=5).barrier
        held += got.low <= 2 <= got.high
    assert 0.92 <= held / 300 <= 0.98


def test_interval_by_hand():
    # one place is the highest for all: the jackknife is the t interval of the mean height
    heights = np.array([1.0, 2.0, 3.0, 6.0])
    got = loss_barrier(point(0.0), point(1.0), bump(heights))
    half = 3.182446 * heights.std(ddof=1) / 2  # t with 3 degrees of freedom
    assert got.barrier.value == pytest.approx(3)
    assert got.barrier.high == pytest.approx(3 + half, rel=1e-5)
    assert got.barrier.low == max(0, got.barrier.low)
    assert got.barrier.n == 4
    sure = loss_barrier(point(0.0), point(1.0), bump(heights), confidence=0.5).barrier
    assert sure.low > got.barrier.low
    lone = loss_barrier(point(0.0), point(1.0), lambda w: bump(heights)(w).mean()).barrier
    assert np.isnan(lone.low)
    assert "one number" in lone.notes[0]


INPUTS = torch.from_numpy(rng(1).standard_normal((40, 5)))


def run(weights):
    return torch.relu(INPUTS @ weights["in"].T + weights["bias"]) @ weights["out"].T


def net(seed, hidden=12):
    draw = rng(seed)
    shapes = {"in": (hidden, 5), "bias": (hidden,), "out": (3, hidden)}
    return {name: torch.from_numpy(draw.standard_normal(shape)) for name, shape in shapes.items()}


TARGET = run(net(0))
UNITS = {"incoming": ["in", "bias"], "outgoing": ["out"]}


def loss(weights):
    return (run(weights) - TARGET).square().mean(dim=1)


def test_the_order_of_hidden_units_is_no_barrier():
    order = rng(4).permutation(12)
    a = net(0)
    b = {"in": a["in"][order], "bias": a["bias"][order], "out": a["out"][:, order]}
    got = matched_barrier(a, b, loss, **UNITS)
    assert got.before.barrier.low > 0.1
    assert got.after.barrier.value < 1e-12
    assert got.order.tolist() == np.argsort(order).tolist()


def test_matching_helps_a_shuffled_neighbour_and_keeps_its_function():
    a, order, draw = net(0), rng(4).permutation(12), rng(7)
    near = {name: t + 0.1 * torch.from_numpy(draw.standard_normal(tuple(t.shape))) for name, t in a.items()}
    b = {"in": near["in"][order], "bias": near["bias"][order], "out": near["out"][:, order]}
    got = matched_barrier(a, b, loss, **UNITS)
    assert got.after.barrier.high < got.before.barrier.low / 10
    # the far ends are the same function
    assert got.after.losses[-1] == pytest.approx(got.before.losses[-1])
    assert np.sort(got.order).tolist() == list(range(12))


def test_matching_is_the_best_of_all_orders():
    from itertools import permutations

    a, b = net(0, hidden=5), net(1, hidden=5)

    def overlap(order):
        chosen = list(order)
        pairs = [(a["in"], b["in"][chosen]), (a["bias"], b["bias"][chosen]), (a["out"], b["out"][:, chosen])]
        return sum(float((x * y).sum()) for x, y in pairs)

    best = max(permutations(range(5)), key=overlap)
    wide = {"loss": lambda w: float(w["in"].sum()), **UNITS}
    assert tuple(matched_barrier(a, b, **wide).order) == best
    only = matched_barrier(a, b, wide["loss"], incoming=["bias"], outgoing=["out"], points=3, confidence=0.9)
    assert len(only.before.positions) == 3
    assert only.before.barrier.confidence == 0.9


def test_counters_and_types():
    a = {"w": torch.zeros(2), "seen": torch.tensor(7)}
    b = {"w": torch.ones(2), "seen": torch.tensor(9)}
    got = loss_barrier(a, b, lambda w: w["w"].sum() * (w["seen"] == 7))
    assert got.losses == pytest.approx(2 * np.linspace(0, 1, 11), abs=1e-6)


def test_weights_are_left_as_they_were_and_no_gradient_is_kept():
    a, b = net(0), net(1)
    check_instrument(matched_barrier, a, b, loss, **UNITS)
    assert all(torch.equal(a[name], tensor) for name, tensor in net(0).items())
    followed = {name: t.requires_grad_() for name, t in b.items()}
    assert matched_barrier(a, followed, loss, **UNITS).after.losses.dtype == np.float64
    assert all(t.grad is None for t in followed.values())


def test_refusals():
    with pytest.raises(InputError, match="by name and shape; got differing w"):
        loss_barrier(point(1.0), point(1.0, 2.0), two_wells)
    with pytest.raises(InputError, match="got differing v, w"):
        loss_barrier(point(1.0), {"v": torch.ones(1)}, two_wells)
    with pytest.raises(InputError, match="no weights"):
        loss_barrier({}, {}, two_wells)
    with pytest.raises(InputError, match="points must be 3 or more"):
        loss_barrier(point(1.0), point(2.0), two_wells, points=2)
    with pytest.raises(UndefinedError, match="finite numbers all along the way"):
        loss_barrier(point(-1.0), point(1.0), lambda w: 1 / w["w"].abs())
    with pytest.raises(UndefinedError, match="got none"):
        loss_barrier(point(-1.0), point(1.0), lambda w: torch.zeros(0))
    sizes = iter(range(1, 20))
    with pytest.raises(InputError, match="the same examples"):
        loss_barrier(point(-1.0), point(1.0), lambda w: torch.ones(next(sizes)))
    with pytest.raises(InputError, match=r"must name tensors among in, bias, out; got \['weight'\]"):
        matched_barrier(net(0), net(1), loss, incoming=["weight"], outgoing=["out"])
    with pytest.raises(InputError, match="must name tensors among"):
        matched_barrier(net(0), net(1), loss, incoming=["in"], outgoing=[])
    with pytest.raises(InputError, match="of the same units"):
        matched_barrier(net(0), net(1), loss, incoming=["in"], outgoing=["bias"])
    with pytest.raises(InputError, match="of the same units"):
        matched_barrier(net(0), net(1), loss, incoming=["out"], outgoing=["out"])
