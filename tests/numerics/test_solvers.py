"""Do all solvers of x = f(x) find the points that are known, and say how every row ended?"""

import inspect
import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.maps.known import (
    DOTTIE,
    THREE_BIT_LEVEL,
    cosine,
    gaussian_weights,
    linear,
    rotation,
    square_root,
    tanh_net,
    three_bits,
)
from limitset.maps.latent import TensorMap
from limitset.numerics.solvers.anderson import anderson
from limitset.numerics.solvers.auto import auto
from limitset.numerics.solvers.broyden import broyden
from limitset.numerics.solvers.newton import newton
from limitset.numerics.solvers.newton_gmres import newton_gmres
from limitset.numerics.solvers.picard import picard
from limitset.numerics.solvers.solution import Outcome
from limitset.numerics.vector_map import VectorMap

SOLVERS = [picard, anderson, broyden, newton, newton_gmres, auto]
WITH_JACOBIAN = [newton, newton_gmres]


def of(step, starts):
    return VectorMap.of(TensorMap(step=step) if callable(step) else step, starts)


def held_layer(*, d=24, rows=6, radius=0.8, seed=0, dtype=torch.float64):
    """tanh(W z + x_row) with a weight of exact spectral radius, and the inputs it holds."""
    weights = torch.tensor(gaussian_weights(d, gain=1.0, seed=seed, radius=radius), dtype=dtype)
    inputs = torch.tensor(np.random.default_rng(seed + 1).normal(size=(rows, d)), dtype=dtype)
    return TensorMap(step=lambda z, rows: torch.tanh(z @ weights.T + inputs[rows])), weights, inputs


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_fixed_point_of_the_cosine(solve):
    starts = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    found = solve(of(cosine(), starts), starts, tolerance=1e-13)
    assert found.outcomes == (Outcome.CONVERGED,) * 3
    assert found.states.flatten().tolist() == pytest.approx([DOTTIE] * 3, abs=1e-12)
    assert found.solvers == (solve.__name__,) * 3 or solve is auto
    assert (found.residual <= 1e-13).all()


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_linear_map_worked_by_hand(solve):
    # x = A x + c with A = [[.5, 10], [0, .5]], c = (0, 1): y = 2, x = 20 y = 40
    starts = torch.zeros(1, 2, dtype=torch.float64)
    a = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)
    c = torch.tensor([0.0, 1.0], dtype=torch.float64)
    found = solve(of(lambda x: x @ a.T + c, starts), starts, tolerance=1e-10)
    assert found.outcomes == (Outcome.CONVERGED,)
    assert found.states[0].tolist() == pytest.approx([40.0, 2.0], abs=1e-6)


@pytest.mark.parametrize("solve", SOLVERS)
def test_one_start_and_starts_are_left_alone(solve):
    layer, *_ = held_layer()
    starts = torch.zeros(6, 24, dtype=torch.float64)
    found = solve(of(layer, starts), starts)
    assert (starts == 0).all()
    assert all(outcome == Outcome.CONVERGED for outcome in found.outcomes)
    alone = solve(of(layer, starts), starts[4:5], rows=[4])
    assert alone.states[0].tolist() == pytest.approx(found.states[4].tolist(), abs=1e-5)


@pytest.mark.parametrize("solve", SOLVERS)
def test_held_inputs_follow_their_rows(solve):
    layer, weights, inputs = held_layer()
    starts = torch.zeros(6, 24, dtype=torch.float64)
    found = solve(of(layer, starts), starts, tolerance=torch.tensor([1e-2, 1e-9, 1e-3, 1e-8, 1e-5, 1e-7]))
    gaps = (torch.tanh(found.states @ weights.T + inputs) - found.states).norm(dim=1)
    assert torch.allclose(gaps, found.residual, atol=1e-12)
    assert (gaps <= torch.tensor([1e-2, 1e-9, 1e-3, 1e-8, 1e-5, 1e-7])).all()


@pytest.mark.parametrize("solve", SOLVERS)
def test_finished_rows_leave_the_batch(solve):
    seen = []

    def step(states, rows):
        seen.append(rows.tolist())
        return torch.cos(states)

    starts = torch.tensor([[DOTTIE], [0.0]], dtype=torch.float64)
    found = solve(of(step, starts), starts, tolerance=1e-10)
    assert found.evaluations[0] == 1
    assert seen[0] == [0, 1]
    assert seen[-1] == [1]
    assert found.evaluations[1] > 1


@pytest.mark.parametrize("solve", SOLVERS)
def test_nothing_above_tolerance_is_called_converged(solve):
    starts = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = solve(of(lambda x: x + 1.0, starts), starts, max_steps=50)  # no fixed point at all
    assert found.outcomes[0] != Outcome.CONVERGED
    assert found.residual[0] == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("solve", SOLVERS)
def test_running_out_of_steps_is_said(solve):
    starts = torch.full((1, 3), 0.5, dtype=torch.float64)
    found = solve(of(tanh_net(2 * np.eye(3)), starts), starts, max_steps=1, tolerance=1e-12)
    assert found.outcomes == (Outcome.OUT_OF_STEPS,)
    assert found.residual[0] > 1e-12


def test_plain_iteration_of_a_rotation_stalls():
    starts = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = picard(of(rotation(0.1), starts), starts)
    # ‖R x − x‖ = 2 sin(π / 10)
    assert found.outcomes == (Outcome.STALLED,)
    assert found.residual[0] == pytest.approx(2 * math.sin(math.pi / 10))


def test_plain_iteration_of_a_doubling_diverges():
    starts = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    found = picard(of(lambda x: 2 * x, starts), starts)
    assert found.outcomes == (Outcome.DIVERGED, Outcome.CONVERGED)
    assert found.states.flatten().tolist() == [1.0, 0.0]


def test_overflow_is_divergence():
    starts = torch.tensor([[3.0]], dtype=torch.float64)
    assert picard(of(lambda x: x**9, starts), starts).outcomes == (Outcome.DIVERGED,)


def test_damping_settles_what_swings():
    # x -> -1.5 x: plain |multiplier| 1.5; with damping .5 it is |1 - .5 * 2.5| = .25
    starts = torch.ones(1, 1, dtype=torch.float64)
    swinging = of(lambda x: -1.5 * x, starts)
    assert picard(swinging, starts).outcomes == (Outcome.DIVERGED,)
    found = picard(swinging, starts, damping=0.5, tolerance=1e-3)
    assert found.outcomes == (Outcome.CONVERGED,)
    # residual 2.5 * .25^k <= 1e-3 first at k = 6
    assert found.evaluations.tolist() == [7]


def test_drift_is_out_of_steps():
    starts = torch.zeros(1, 1, dtype=torch.float64)
    found = picard(of(square_root(), starts), starts, max_steps=300)
    assert found.outcomes == (Outcome.OUT_OF_STEPS,)
    # x_t = sqrt t, so the residual is sqrt 300 - sqrt 299
    assert found.residual[0] == pytest.approx(math.sqrt(300) - math.sqrt(299))


@pytest.mark.parametrize("solve", WITH_JACOBIAN)
def test_newton_finds_the_points_of_the_three_bit_memory(solve):
    starts = torch.tensor(np.random.default_rng(0).normal(size=(128, 66)))
    starts = starts + torch.tensor(np.random.default_rng(1).normal(size=(128, 3))).repeat_interleave(22, 1)
    found = solve(of(tanh_net(three_bits(66)), starts), starts, tolerance=1e-10)
    good = np.array([outcome == Outcome.CONVERGED for outcome in found.outcomes])
    assert good.mean() > 0.95
    means = found.states[good].reshape(-1, 3, 22).mean(dim=2)
    levels = torch.tensor([-THREE_BIT_LEVEL, 0.0, THREE_BIT_LEVEL], dtype=torch.float64)
    gap, which = (means[:, :, None] - levels).abs().min(dim=2)
    assert gap.max() < 1e-8
    assert len({tuple(row) for row in which.tolist()}) >= 25


@pytest.mark.parametrize("solve", WITH_JACOBIAN)
def test_newton_finds_a_point_that_repels(solve):
    # 0 is fixed for tanh(2 x), multiplier 2
    starts = torch.full((1, 1), 0.3, dtype=torch.float64)
    found = solve(of(tanh_net(np.array([[2.0]])), starts), starts, tolerance=1e-12)
    assert found.outcomes == (Outcome.CONVERGED,)
    assert abs(found.states.item()) == pytest.approx(0.0, abs=1e-10) or abs(
        found.states.item()
    ) == pytest.approx(THREE_BIT_LEVEL, abs=1e-8)


@pytest.mark.parametrize("solve", WITH_JACOBIAN)
def test_the_cap_shortens_a_step(solve):
    # x -> x / 2 + 50 has its point at 100: a step of Newton lands there at once unless it is capped at 2
    starts = torch.zeros(1, 1, dtype=torch.float64)
    f = of(lambda x: x / 2 + 50, starts)
    assert solve(f, starts, max_steps=1).outcomes == (Outcome.OUT_OF_STEPS,)
    assert solve(f, starts, max_steps=3).states.item() == pytest.approx(6.0)
    assert solve(f, starts, max_steps=1, step_cap=math.inf).outcomes == (Outcome.CONVERGED,)


def test_a_jacobian_in_closed_form_costs_no_evaluation():
    weights = gaussian_weights(16, gain=1.5, seed=3)
    starts = torch.tensor(np.random.default_rng(4).normal(size=(20, 16)))
    f, w = of(tanh_net(weights), starts), torch.tensor(weights)

    def jacobian(states, rows):
        return (1 - torch.tanh(states @ w.T) ** 2)[:, :, None] * w

    by_hand, by_torch = newton(f, starts, jacobian=jacobian), newton(f, starts)
    assert torch.allclose(by_hand.states, by_torch.states, atol=1e-9)
    assert by_hand.outcomes == by_torch.outcomes
    steps = by_hand.evaluations - 1
    assert (by_torch.evaluations == by_hand.evaluations + 16 * steps).all()


def test_jacobians_come_in_chunks_that_fit():
    weights = gaussian_weights(16, gain=1.5, seed=3)
    starts = torch.tensor(np.random.default_rng(4).normal(size=(20, 16)))
    w, sizes = torch.tensor(weights), []

    def jacobian(states, rows):
        sizes.append(len(states))
        assert len(rows) == len(states)
        return (1 - torch.tanh(states @ w.T) ** 2)[:, :, None] * w

    newton(of(tanh_net(weights), starts), starts, jacobian=jacobian, memory=7 * 2 * 16 * 16 * 8)
    assert max(sizes) == 7
    with pytest.raises(InputError, match="memory=100 bytes"):
        newton(of(tanh_net(weights), starts), starts, memory=100)
    with pytest.raises(InputError, match="jacobian must give"):
        newton(of(tanh_net(weights), starts), starts, jacobian=lambda states, rows: states)


def test_singular_newton_stalls():
    # identity plus a push: I - J = 0, no step exists
    starts = torch.zeros(1, 2, dtype=torch.float64)
    assert newton(of(lambda x: x + 1, starts), starts, max_steps=100).outcomes == (Outcome.STALLED,)


def test_every_option_of_newton_gmres_moves_the_answer():
    layer, *_ = held_layer(radius=0.95)
    starts = torch.zeros(6, 24, dtype=torch.float64)
    f = of(layer, starts)
    usual = newton_gmres(f, starts, krylov=3, restarts=2)
    assert usual.outcomes == (Outcome.CONVERGED,) * 6
    for option in ({"krylov": 6}, {"restarts": 1}, {"forcing": 0.9}, {"step_cap": 0.5}):
        found = newton_gmres(f, starts, **{"krylov": 3, "restarts": 2, **option})
        assert (found.evaluations != usual.evaluations).any()


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_tolerance_below_the_type_is_refused(solve):
    layer, *_ = held_layer(dtype=torch.float32)
    starts = torch.zeros(6, 24)
    with pytest.raises(InputError, match=r"tolerance below the dtype.*use float64"):
        solve(of(layer, starts), starts, tolerance=1e-9)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.nan, math.inf])
def test_a_tolerance_that_is_none_is_refused(solve, tolerance):
    starts = torch.zeros(2, 1)
    with pytest.raises(InputError, match="tolerance must be one number above 0"):
        solve(of(cosine(), starts), starts, tolerance=tolerance)


@pytest.mark.parametrize("solve", SOLVERS)
def test_bad_input_is_refused(solve):
    starts = torch.zeros(2, 1)
    f = of(cosine(), starts)
    with pytest.raises(InputError, match=r"starts must be a tensor of real numbers \(b, 1\)"):
        solve(f, torch.zeros(2, 3))
    with pytest.raises(InputError, match="one start at least"):
        solve(f, torch.zeros(0, 1))
    with pytest.raises(InputError, match="NaN or infinity in start 1"):
        solve(f, torch.tensor([[0.0], [math.nan]]))
    with pytest.raises(InputError, match="rows must name"):
        solve(f, starts, rows=[0])
    with pytest.raises(InputError, match="max_steps must be 1 or more"):
        solve(f, starts, max_steps=0)
    with pytest.raises(InputError, match="finite states into numbers"):
        solve(of(lambda x: x / x, starts), starts)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_mistyped_option_is_refused_by_name(solve):
    starts = torch.zeros(2, 1)
    with pytest.raises(TypeError, match="f_stop_mode"):
        solve(of(cosine(), starts), starts, f_stop_mode="rel")


@pytest.mark.parametrize("solve", SOLVERS)
def test_all_solvers_are_called_alike(solve):
    names = list(inspect.signature(solve).parameters)
    assert names[:5] == ["f", "starts", "rows", "tolerance", "max_steps"]


def test_a_bad_damping_or_cap_is_refused():
    starts = torch.zeros(2, 1)
    f = of(cosine(), starts)
    with pytest.raises(InputError, match="damping must be above 0"):
        picard(f, starts, damping=1.5)
    with pytest.raises(InputError, match="step_cap must be above 0"):
        newton(f, starts, step_cap=0.0)


def test_a_residual_that_rounding_hides_is_no_convergence():
    # from 1e9 on, x + 1e-9 == x in float32, yet nothing is fixed
    starts = torch.tensor([[0.0], [1e10]])
    found = picard(of(lambda x: x * (1 + 1e-9) + 1e-3, starts), starts, tolerance=1e-4, max_steps=50)
    assert found.residual[1] == math.inf  # not known: rounding hides it
    assert found.outcomes[1] == Outcome.DIVERGED


def test_jacobians_are_right_with_and_without_rules_for_many_directions():
    weights = gaussian_weights(9, gain=1.0, seed=0)
    states = torch.tensor(np.random.default_rng(1).normal(size=(5, 9)))
    w = torch.tensor(weights)
    exact = (1 - torch.tanh(states @ w.T) ** 2)[:, :, None] * w
    calls = []

    def counted(x):
        calls.append(len(x))
        return torch.tanh(x @ w.T)

    assert torch.allclose(of(counted, states).jacobian(states, range(5)), exact)
    assert calls == [5]
    small = of(counted, states).jacobian(states, range(5), memory=8 * 5 * 9 * 8 * 4)
    assert torch.allclose(small, exact)
    assert len(calls) == 4  # 4 + 4 + 1 columns
    assert torch.allclose(of(linear(weights), states).jacobian(states, range(5)), w.expand(5, 9, 9))


def test_jacobians_of_maps_that_refuse_many_directions():
    w = torch.tensor(gaussian_weights(7, gain=1.0, seed=0))
    states = torch.tensor(np.random.default_rng(1).normal(size=(3, 7)))
    gains, sizes = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), []

    def step(x, rows):
        sizes.append(len(x))
        noise = 0.0 * torch.rand(1)  # random numbers have no rule for many directions at once
        return torch.tanh(x @ w.T) * gains[rows][:, None] + noise

    exact = (1 - torch.tanh(states @ w.T) ** 2)[:, :, None] * w * gains[:, None, None]
    found = of(step, states).jacobian(states, range(3))
    assert torch.allclose(found, exact)
    assert max(sizes) == 21  # every state once a direction, with the input of its row


@pytest.mark.parametrize("solve", SOLVERS)
def test_an_lstm_cell_with_its_two_states(solve):
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(3, 5).double()
    inputs = torch.randn(4, 3, dtype=torch.float64)

    def step(states, rows):
        return torch.stack(cell(inputs[rows], (states[:, 0], states[:, 1])), dim=1)

    starts = torch.zeros(4, 2, 5, dtype=torch.float64)
    f = of(step, starts)
    found = solve(f, f.flat(starts), tolerance=1e-9)
    assert found.outcomes == (Outcome.CONVERGED,) * 4
    fixed = f.shaped(found.states)
    assert torch.allclose(step(fixed, torch.arange(4)), fixed, atol=1e-8)
