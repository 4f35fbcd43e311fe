"""Do runs of numeric maps settle when they settle, and only then?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.levels import Level, Status
from limitset.core.settling import arrival_of, distance_left, note_of, settled_lag
from limitset.core.streams import Streams
from limitset.instruments.dynamics import run_tensors
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


def test_worked_by_hand():
    # x -> x / 2 + 1 from 0: 0, 1, 1.5, 1.75 ... to 2, at distance 2 / 2^t after t steps
    halves = TensorMap(step=lambda x: x / 2 + 1)
    got = run_tensors(halves, torch.zeros(1, 1, dtype=D), steps=60, rng=RNG, tolerance=1e-3, hold=[0])
    assert got.held[0][:4, 0].tolist() == [0, 1, 1.5, 1.75]
    assert got.residuals[0, :3].tolist() == [1, pytest.approx(1 / 3), pytest.approx(1 / 7)]
    assert got.norms[0, :4].tolist() == [0, 1, 1.5, 1.75]
    # 2 / 2^t <= 2e-3 first at t = 10
    assert got.arrival.tolist() == [10]
    assert got.periods.tolist() == [1]
    assert got.status == (Status.SETTLED,)
    # D of step t is a_{t-3} q / (1 - q) = 8 x the true distance: below 2e-3 at t = 13, confirmed at 16
    assert got.ran.tolist() == [16]
    assert got.applications.tolist() == [17]  # and one look more at the batch
    assert np.isnan(got.residuals[0, 16:]).all()
    assert np.isnan(got.norms[0, 17:]).all()
    assert got.held[0].shape == (17, 1)
    assert got.level is Level.HIDDEN
    assert len(got) == 1


@pytest.mark.parametrize("decay", [0.3, 0.9, -0.9, 0.98])
def test_arrival_is_the_first_step_within_tolerance_of_the_limit(decay):
    # |x_t - 1| = |decay|^t <= tolerance
    got = run_tensors(
        TensorMap(step=lambda x: 1 + decay * (x - 1)), torch.zeros(1, 1, dtype=D), steps=3000, rng=RNG
    )
    exact = math.log(1e-9) / math.log(abs(decay))
    assert exact <= got.arrival[0] <= exact + (8 if decay < 0 else 2)
    assert abs(got.lasts[0, 0] - 1) <= 1e-9


def test_arrival_of_large_states_comes_from_sketches_put_to_scale():
    # a rotation by 1 radian that shrinks by .9 in each of 500 planes: distance .9^t of the first
    turn = 0.9 * np.array([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]])
    matrix = torch.as_tensor(np.kron(np.eye(500), turn))
    limit = normal(1000)
    start = limit + normal(4, 1000, seed=1)
    map = TensorMap(step=lambda x: limit + (x - limit) @ matrix.T)
    got = run_tensors(map, start, steps=1000, rng=RNG, tolerance=1e-6)
    far = (start - limit).norm(dim=1)
    exact = torch.log(1e-6 * limit.norm() / far) / math.log(0.9)
    late = got.arrival - exact.numpy()
    assert (late > -3).all()
    assert (late < 12).all()  # a spiral is dated by what it could still be away, not by what it is
    other = run_tensors(map, start, steps=1000, rng=Streams(1), tolerance=1e-6)
    assert not np.array_equal(got.sketches, other.sketches)
    assert np.abs(got.arrival - other.arrival).max() <= 6


@pytest.mark.parametrize(
    ("map", "starts", "period"),
    [
        (known.rotation(0.4), circle(8), 5),
        (known.rotation(3 / 17), circle(8), 17),
        (known.logistic(2.9), uniform(8, 1), 1),
        (known.logistic(3.2), uniform(8, 1), 2),
        (known.logistic(3.5), uniform(8, 1), 4),
        (known.logistic(3.83), uniform(8, 1), 3),
        (known.cosine(), normal(8, 1), 1),
        (known.line_attractor(), normal(8, 2), 1),
        (known.ring_attractor(), normal(8, 2), 1),
        (known.circle_map(0.05, coupling=0.5), circle(8), 1),
        (known.linear(np.array([[0.0, -1.0], [-1.0, 0.0]])), normal(8, 2), 2),
    ],
)
def test_known_maps_settle_with_their_period(map, starts, period):
    got = run_tensors(map, starts, steps=1000, rng=RNG)
    assert got.settled.all()
    assert got.periods.tolist() == [period] * 8
    image = map.step(torch.tensor(got.lasts), rows=list(range(8)), rng=RNG)
    for _ in range(period - 1):
        image = map.step(image, rows=list(range(8)), rng=RNG)
    assert torch.allclose(image, torch.tensor(got.lasts), atol=1e-8)


@pytest.mark.parametrize(
    ("map", "starts"),
    [
        (known.rotation((math.sqrt(5) - 1) / 2), circle(8)),
        (known.logistic(4.0), uniform(8, 1)),
        (known.cat(), uniform(8, 2)),
        (known.circle_map((3 - math.sqrt(5)) / 2, coupling=0.5), circle(8)),
        (known.tanh_net(known.gaussian_weights(64, gain=2.0, seed=0)), normal(8, 64)),
    ],
)
def test_bounded_motion_without_return_is_undecided(map, starts):
    got = run_tensors(map, starts, steps=600, rng=RNG)
    assert set(got.status) == {Status.UNDECIDED}
    assert set(got.notes) == {"moves"}
    assert np.isinf(got.arrival).all()
    assert not got.periods.any()


@pytest.mark.parametrize("steps", [50, 400])
@pytest.mark.parametrize(
    "step",
    [
        lambda x: torch.sqrt(1 + x**2),
        lambda x: x + 1,
        lambda x: x + 1e-4,
        lambda x: x + 1 / (1 + x.abs()),
        lambda x: torch.log(1 + torch.exp(x)),  # grows as ln t
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, D])
def test_a_drift_is_never_settled_and_never_divergence(step, steps, dtype):
    got = run_tensors(TensorMap(step=step), torch.ones(2, 1, dtype=dtype), steps=steps, rng=RNG)
    assert set(got.status) == {Status.UNDECIDED}
    assert set(got.notes) == {"drift"}


def test_a_relative_residual_below_the_tolerance_does_not_settle_a_drift():
    got = run_tensors(known.square_root(), torch.zeros(1, 1, dtype=D), steps=1000, rng=RNG, tolerance=1e-3)
    assert got.residuals[0, -1] == pytest.approx(1 / 2000, rel=1e-2)  # 1 / (2 t), below 1e-3
    assert got.notes == ("drift",)


def test_growth_is_divergence_when_geometric_and_beyond_the_bound():
    double = TensorMap(step=lambda x: 2 * x)
    start = torch.ones(1, 1, dtype=D)
    assert run_tensors(double, start, steps=30, rng=RNG).ran.tolist() == [20]  # 2^20 > 1e6
    assert run_tensors(double, start, steps=30, rng=RNG, bound=5e3).ran.tolist() == [15]  # 2^15 = 256 * 2^7
    short = run_tensors(double, start, steps=19, rng=RNG)
    assert (short.status, short.notes) == ((Status.UNDECIDED,), ("growing",))
    linear = run_tensors(TensorMap(step=lambda x: x + 1e6), start, steps=60, rng=RNG)
    assert (linear.status, linear.notes) == ((Status.UNDECIDED,), ("drift",))


def test_a_state_that_is_no_longer_finite_has_diverged_and_the_last_finite_one_is_kept():
    got = run_tensors(known.linear(np.eye(1) * 1e200), torch.ones(1, 1, dtype=D), steps=9, rng=RNG)
    assert got.status == (Status.DIVERGED,)
    assert got.lasts.tolist() == [[1e200]]
    assert np.isinf(got.norms[0, 2])
    assert np.isnan(got.residuals[0, 1])
    square = TensorMap(step=lambda x: x**2)
    got = run_tensors(square, torch.tensor([[0.5], [1.0], [2.0]], dtype=D), steps=30, rng=RNG)
    assert [one.value for one in got.status] == ["settled", "settled", "diverged"]


def test_overflow_that_shows_as_nan_is_divergence():
    # inf - inf after growth, as in a network that overflows inside
    blow = TensorMap(step=lambda x: x**3 - x**2)
    got = run_tensors(blow, torch.full((1, 1), 3.0), steps=30, rng=RNG)
    assert got.status == (Status.DIVERGED,)


def test_falling_to_zero_is_settling_relative_to_the_largest_norm():
    half = TensorMap(step=lambda x: x / 2)
    got = run_tensors(half, torch.ones(1, 3, dtype=D), steps=100, rng=RNG)
    assert got.settled.all()
    assert 30 <= got.arrival[0] <= 31  # 2^-30 < 1e-9
    assert got.residuals[0, 5] == 1.0
    zero = run_tensors(half, torch.zeros(1, 3, dtype=D), steps=100, rng=RNG)
    assert zero.residuals[0, 0] == 0.0
    assert zero.arrival.tolist() == [0]
    assert zero.ran.tolist() == [1]
    dead = run_tensors(TensorMap(step=lambda x: 0 * x), torch.ones(1, 3, dtype=D), steps=9, rng=RNG)
    assert np.isinf(dead.residuals[0, 0])
    assert dead.residuals[0, 1] == 0.0


def test_a_spiral_into_a_point_is_no_cycle():
    # -.99 comes back to itself every second step within a larger tolerance
    spiral = TensorMap(step=lambda x: 1 - 0.99 * (x - 1))
    got = run_tensors(spiral, torch.zeros(1, 1, dtype=D), steps=5000, rng=RNG, tolerance=1e-4)
    assert got.periods.tolist() == [1]


def test_a_start_that_rounds_near_an_unstable_point_leaves_it():
    start = torch.full((1, 1), 2 / 3, dtype=D) + 1e-16
    got = run_tensors(
        TensorMap(step=lambda x: 2 / 3 + 1.5 * torch.tanh(x - 2 / 3)), start, steps=400, rng=RNG
    )
    assert abs(got.lasts[0, 0] - 2 / 3) > 0.5 or got.residuals[0, 0] == 0


def test_jitter_at_the_rounding_floor_settles_in_single_precision():
    # residual never below 1e-7 of the norm: the map itself rounds
    def step(x):
        return torch.round((1 + 0.95 * (x - 1)) * 2**20) / 2**20 + 2.0**-20 * torch.sign(x - 1)

    got = run_tensors(TensorMap(step=step), torch.zeros(2, 4), steps=800, rng=RNG)
    assert got.settled.all()
    assert (got.residuals[:, got.ran.min() - 2] > 0).all()


def test_a_memory_of_three_bits_loses_no_start():
    got = run_tensors(known.tanh_net(known.three_bits(66)), normal(256, 66), steps=200, rng=RNG)
    assert got.settled.all()
    blocks = got.lasts.reshape(256, 3, 22).mean(axis=2)
    assert np.abs(np.abs(blocks) - known.THREE_BIT_LEVEL).max() < 1e-8


def test_finished_rows_leave_the_batch_and_the_held_input_follows_the_rest():
    inputs = torch.tensor([[1.0], [2.0], [3.0]], dtype=D)
    decay = torch.tensor([[0.1], [0.9], [0.5]], dtype=D)
    batches = []

    def step(states, rows):
        if len(rows) > 1 or not batches or len(batches[-1]) == 1:
            batches.append(tuple(rows.tolist()))
        return inputs[rows] + decay[rows] * (states - inputs[rows])

    got = run_tensors(TensorMap(step=step), torch.zeros(3, 1, dtype=D), steps=400, rng=RNG)
    assert got.lasts[:, 0].tolist() == pytest.approx([1, 2, 3], abs=1e-8)
    assert list(dict.fromkeys(batch for batch in batches if len(batch) > 1)) == [(0, 1, 2), (1, 2)]
    assert got.ran[0] < got.ran[2] < got.ran[1]
    swapped = run_tensors(
        TensorMap(step=step), torch.zeros(2, 1, dtype=D), rows=[2, 0], steps=400, rng=RNG, hold=[0]
    )
    assert swapped.lasts[:, 0].tolist() == pytest.approx([3, 1], abs=1e-8)
    assert list(swapped.held) == [0]
    assert swapped.arrival.tolist() == got.arrival[[2, 0]].tolist()


CASES = {
    "many periods": (known.logistic(3.55), uniform(16, 1), 700),
    "chaos": (known.logistic(4.0), uniform(6, 1), 90),
    "large": (known.tanh_net(known.gaussian_weights(40, gain=1.2, seed=3)), normal(9, 40), 120),
    "growth": (known.linear(np.diag([2.0, 0.5])), normal(3, 2), 40),
}


def same(one, other):
    for name in ("residuals", "norms", "arrival", "periods", "ran", "lasts", "applications", "sketches"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in one.search:
        np.testing.assert_array_equal(one.search[name], other.search[name], err_msg=name)
    assert (one.status, one.notes) == (other.status, other.notes)
    for row in one.held:
        np.testing.assert_array_equal(one.held[row], other.held[row])


@pytest.mark.parametrize("first", [1, 2, 3, 31, 32, 33])
@pytest.mark.parametrize("case", CASES)
def test_stopping_and_going_on_gives_the_same_bits(case, first):
    map, starts, steps = CASES[case]
    whole = run_tensors(map, starts, steps=steps, rng=RNG, hold=[1])
    part = run_tensors(map, starts, steps=first, rng=RNG, hold=[1])
    same(whole, run_tensors(map, starts, steps=steps, rng=RNG, hold=[1], resume_from=part))


def test_a_map_that_draws_never_settles_and_resumes_with_the_same_draws():
    def step(states, rows, rng):
        noise = [float(rng.generator(int(row)).normal()) for row in rows]
        return states / 2 + torch.tensor(noise, dtype=D)[:, None]

    noisy = TensorMap(step=step, deterministic=False)
    whole = run_tensors(noisy, torch.zeros(3, 1, dtype=D), steps=60, rng=RNG)
    assert set(whole.notes) == {"noisy map"}
    part = run_tensors(noisy, torch.zeros(3, 1, dtype=D), steps=7, rng=RNG)
    same(whole, run_tensors(noisy, torch.zeros(3, 1, dtype=D), steps=60, rng=RNG, resume_from=part))
    other = run_tensors(noisy, torch.zeros(3, 1, dtype=D), steps=60, rng=Streams(1))
    assert not np.array_equal(other.lasts, whole.lasts)


def test_on_step_sees_every_application_and_the_caller_keeps_the_starts():
    seen = []
    starts = torch.tensor([[0.0], [8.0]])
    kept = starts.clone()
    in_place = TensorMap(step=lambda x: x.clone().mul_(0).add_(1))
    run_tensors(
        in_place,
        starts,
        steps=9,
        rng=RNG,
        on_step=lambda t, rows, x: seen.append((t, rows.tolist(), x.tolist())),
    )
    assert seen == [(1, [0, 1], [[1.0], [1.0]]), (2, [0, 1], [[1.0], [1.0]])]
    assert torch.equal(starts, kept)


def test_half_precision_and_shapes_of_any_rank():
    starts = normal(3, 2, 4, 5).to(torch.bfloat16)
    got = run_tensors(TensorMap(step=lambda x: x / 4), starts, steps=30, rng=RNG)
    assert got.lasts.shape == (3, 2, 4, 5)
    assert got.settled.all()
    assert got.tolerance == 4 * torch.finfo(torch.bfloat16).eps


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda x: x[:, :1], "must give a tensor"),
        (lambda x: x.float(), "keep the type"),
        (lambda x: torch.log(x - 5), "NaN from start 0 at step 1"),
        (lambda x: x + torch.rand_like(x), "must give one image a state"),
        (lambda x: x / 2 + torch.arange(3.0, dtype=D)[: len(x), None], "neighbours"),
        (lambda x: x / 2 + torch.ones(3, 2, dtype=D), r"got \(3, 2\). Where step holds inputs, write"),
        (lambda x: x.add(torch.ones(3, 2, dtype=D)[torch.arange(3)]).roll(1, 0), "step holds inputs"),
        (lambda x: x[torch.arange(3)].roll(1, 0), "a batch of 1; got IndexError"),
        (lambda x: torch.cat([x[2:], x[:2]]), "neighbours"),
        (lambda x: x - x.mean(dim=0), "neighbours"),
    ],
)
def test_maps_that_break_their_word_are_refused(step, words):
    with pytest.raises(InputError, match=words):
        run_tensors(TensorMap(step=step), normal(3, 2), steps=9, rng=RNG)


@pytest.mark.parametrize(
    ("starts", "more", "words"),
    [
        (torch.zeros(0, 2), {}, "one state"),
        (torch.zeros(3), {}, "batch of states"),
        (torch.zeros(3, 2, dtype=torch.long), {}, "real numbers"),
        (torch.tensor([[0.0], [math.nan]]), {}, "start 1 with NaN"),
        (torch.zeros(3, 2), {"tolerance": 1e-9}, r"float32 must lie in \[4.8e-07, 1\)"),
        (torch.zeros(3, 2, dtype=D), {"tolerance": 1e-17}, "float64"),
        (torch.zeros(3, 2), {"tolerance": 1.0}, "Lower it"),
        (torch.zeros(3, 2), {"steps": 0}, "steps must be 1"),
        (torch.zeros(3, 2), {"bound": 1.0}, "bound above 1"),
        (torch.zeros(3, 2), {"rows": [0, 1]}, "one row for each of 3"),
        (torch.zeros(3, 2), {"rows": [0, 1, 1], "hold": [1]}, "one start each"),
        (torch.zeros(3, 2), {"hold": [3]}, "one start each"),
        (torch.zeros(3, 2), {"memory": 100}, "3 runs of 2 numbers"),
    ],
)
def test_starts_and_options_that_cannot_be_used_are_refused(starts, more, words):
    with pytest.raises(InputError, match=words):
        run_tensors(known.cosine(), starts, **{"steps": 9, "rng": RNG, **more})


def test_going_on_from_other_runs_is_refused():
    part = run_tensors(known.cosine(), torch.zeros(3, 2), steps=9, rng=RNG)
    for starts, more in [
        (torch.ones(3, 2), {}),
        (torch.zeros(2, 2), {}),
        (torch.zeros(3, 2), {"steps": 8}),
        (torch.zeros(3, 2), {"hold": [1]}),
        (torch.zeros(3, 2), {"rows": [2, 1, 0]}),
        (torch.zeros(3, 2), {"tolerance": 1e-3}),
    ]:
        with pytest.raises(InputError, match="resume_from must be"):
            run_tensors(known.cosine(), starts, **{"steps": 20, "rng": RNG, "resume_from": part, **more})


def test_formulas_by_hand():
    # steps 1, 1/2, ... to 2: after the eighth, 2^-7, the longest of the last four is 2^-4 and q = 1/2
    assert distance_left(0.5 ** np.arange(8.0)[:, None]).tolist() == [2.0**-4]
    assert distance_left(np.ones((8, 1))).tolist() == [math.inf]
    assert distance_left(np.zeros((8, 1))).tolist() == [0.0]
    turning = np.tile([[0.0], [1.0], [3.0]], (5, 1))
    assert settled_lag(turning, period=3, within=0.1, floor=0.0) == (3, 0.0)
    assert settled_lag(turning, period=2, within=0.1, floor=0.0) is None
    assert settled_lag(np.tile([[0.0], [1.0]], (8, 1)), period=4, within=0.1, floor=0.0) == (2, 0.0)
    # the last three states are the cycle; the first that stays near its phase is the second
    orbit = np.array([[9.0], [1.0], [3.0], [0.0], [1.0], [3.0]])
    assert arrival_of(orbit, np.ones(6), period=3, left=0.0, within=0.1) == 1
    assert arrival_of(orbit, np.ones(6), period=3, left=0.2, within=0.1) == 5
    assert note_of(np.ones(5), np.ones(5), np.ones((5, 1))) == "moves"
    t = np.arange(200.0)
    assert note_of(1.1**t, 1.1**t, 1.1 ** t[:, None]) == "growing"
