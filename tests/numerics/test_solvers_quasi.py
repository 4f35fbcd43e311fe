"""Do mixing, learning and handing on save evaluations, and does every option of theirs do something?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.maps.known import (
    circle_map,
    cosine,
    gaussian_weights,
    logistic,
    rotation,
    square_root,
    tanh_net,
)
from limitset.maps.latent import TensorMap
from limitset.numerics.solvers.anderson import anderson
from limitset.numerics.solvers.auto import auto
from limitset.numerics.solvers.broyden import broyden, updates_that_fit
from limitset.numerics.solvers.gmres import gmres
from limitset.numerics.solvers.picard import picard
from limitset.numerics.solvers.solution import Outcome
from limitset.numerics.vector_map import VectorMap


def layer(*, d=64, b=16, gain=0.95, scale=1.0, dtype=torch.float32):
    """The equilibrium layer tanh(W z + x) and its zero starts."""
    weights = torch.tensor(gaussian_weights(d, gain=gain, seed=0), dtype=dtype)
    inputs = scale * torch.tensor(np.random.default_rng(1).normal(size=(b, d)), dtype=dtype)
    starts = torch.zeros(b, d, dtype=dtype)
    net = TensorMap(step=lambda z, rows: torch.tanh(z @ weights.T + inputs[rows]))
    return VectorMap.of(net, starts), starts


def converged(found):
    return np.array([outcome == Outcome.CONVERGED for outcome in found.outcomes])


def test_anderson_solves_a_linear_map_in_d_plus_2_steps():
    # with a window of d differences it is GMRES: exact after d + 1 residuals, and one more is needed to see it
    a = torch.tensor(gaussian_weights(5, gain=1.0, seed=0, radius=0.95))
    starts = torch.ones(1, 5, dtype=torch.float64)
    f = VectorMap.of(TensorMap(step=lambda x: x @ a.T + 1.0), starts)
    found = anderson(f, starts, window=5, tolerance=1e-9, plain=0.0)
    assert found.outcomes == (Outcome.CONVERGED,)
    assert found.evaluations.tolist() == [7]
    exact = torch.linalg.solve(torch.eye(5, dtype=torch.float64) - a, torch.ones(5, dtype=torch.float64))
    assert torch.allclose(found.states[0], exact, atol=1e-7)


def test_the_first_mixed_step_is_the_secant_rule_in_one_dimension():
    # window 1, d 1: x2 = x1 + g1 - (dx + dg) g1 / dg
    starts = torch.tensor([[0.2]], dtype=torch.float64)
    x0, x1 = 0.2, float(np.cos(0.2))
    g0, g1 = x1 - x0, float(np.cos(x1)) - x1
    x2 = x1 + g1 - (x1 - x0 + g1 - g0) * g1 / (g1 - g0)
    found = anderson(VectorMap.of(cosine(), starts), starts, max_steps=3, window=1, plain=0.0, ridge=0.0)
    assert found.states.item() == pytest.approx(x2, abs=1e-12)


def test_the_ridge_is_relative():
    # the same layer scaled by 1e-6 (states, inputs and residuals) needs the same number of evaluations
    weights = torch.tensor(gaussian_weights(32, gain=1.0, seed=0, radius=0.97))
    starts = torch.zeros(4, 32, dtype=torch.float64)
    push = torch.tensor(np.random.default_rng(0).normal(size=(4, 32)))

    def run(scale):
        f = VectorMap.of(TensorMap(step=lambda z, rows: z @ weights.T + scale * push[rows]), starts)
        return anderson(f, starts, tolerance=scale * 1e-6).evaluations.tolist()

    assert run(1.0) == run(2.0**-20)
    assert max(run(1.0)) < 100  # plain iteration: ln(1e-7) / ln(.97) = 530


def test_every_option_of_anderson_moves_the_answer():
    f, starts = layer()
    usual = anderson(f, starts, tolerance=1e-5)
    assert converged(usual).all()
    for option in ({"window": 1}, {"mixing": 0.5}, {"ridge": 1e-2}):
        assert (anderson(f, starts, tolerance=1e-5, **option).evaluations != usual.evaluations).any()
    # a map that halves: plain steps land where they land, a mixed one jumps
    starts = torch.ones(1, 2, dtype=torch.float64)
    halving = VectorMap.of(TensorMap(step=lambda x: x / 2), starts)
    # residual sqrt 2 / 2^(k+1) <= 1e-3 first at k = 10
    assert anderson(halving, starts, tolerance=1e-3, plain=20.0).evaluations.item() == 11
    assert anderson(halving, starts, tolerance=1e-3, plain=0.0).evaluations.item() == 3


def test_bad_options_of_anderson_are_refused():
    f, starts = layer(d=4, b=2)
    for option, match in (
        ({"window": 0}, "window must be 1 or more"),
        ({"mixing": 0.0}, "mixing must be above 0"),
        ({"ridge": -1.0}, "ridge must be 0 or above"),
        ({"plain": -1.0}, "plain must be 0 or above"),
    ):
        with pytest.raises(InputError, match=match):
            anderson(f, starts, **option)


def test_mixing_beats_plain_iteration_where_it_is_slow():
    f, starts = layer(gain=0.97, scale=0.5)
    mixed, plain = anderson(f, starts, tolerance=1e-5), picard(f, starts, tolerance=1e-5)
    assert converged(mixed).all()
    assert converged(plain).all()
    assert mixed.evaluations.sum() < 0.8 * plain.evaluations.sum()
    assert torch.allclose(mixed.states, plain.states, atol=1e-3)


def test_rows_that_leave_change_nothing_for_the_others():
    f, starts = layer(gain=1.2, dtype=torch.float64)
    limits = torch.tensor([1e-1, 1e-9] * 8)
    for solve in (anderson, broyden):
        together = solve(f, starts, tolerance=limits)
        alone = solve(f, starts[1::2], rows=list(range(1, 16, 2)), tolerance=1e-9)
        assert torch.allclose(together.states[1::2], alone.states, atol=1e-7)
        assert (together.evaluations[1::2] - alone.evaluations).abs().max() <= 1


def test_broyden_by_hand_in_one_dimension():
    # H = -1 at first: x1 = cos x0; then the secant rule
    x0 = 0.2
    x1 = float(np.cos(x0))
    g0, g1 = x1 - x0, float(np.cos(x1)) - x1
    x2 = x1 - g1 * (x1 - x0) / (g1 - g0)
    starts = torch.tensor([[x0]], dtype=torch.float64)
    found = broyden(VectorMap.of(cosine(), starts), starts, max_steps=3)
    assert found.states.item() == pytest.approx(x2, abs=1e-12)


def test_broyden_ends_on_linear_maps_after_2d_steps():
    # Gay (1979): good Broyden ends on a linear system after 2 d steps at most
    a = torch.tensor(gaussian_weights(4, gain=1.0, seed=2, radius=1.5))
    starts = torch.ones(3, 4, dtype=torch.float64)
    f = VectorMap.of(TensorMap(step=lambda x: x @ a.T + 1.0), starts)
    found = broyden(f, starts, tolerance=1e-8)
    assert converged(found).all()
    assert found.evaluations.max() <= 2 * 4 + 2


def test_broyden_agrees_with_scipy():
    from scipy.optimize import broyden1

    f, starts = layer(d=12, b=1, dtype=torch.float64)

    def gap(z):
        return f(torch.tensor(z)[None], [0])[0].numpy() - z

    theirs = broyden1(gap, np.zeros(12), alpha=1.0, f_tol=1e-10)
    assert np.allclose(broyden(f, starts, tolerance=1e-10).states[0].numpy(), theirs, atol=1e-8)


def test_a_window_of_updates_and_the_memory_it_needs():
    f, starts = layer(gain=1.3)
    usual = broyden(f, starts, tolerance=1e-5)
    assert converged(usual).all()
    assert broyden(f, starts, tolerance=1e-5, window=5).evaluations.sum() > usual.evaluations.sum()
    one = 2 * 2 * 16 * 64 * 4
    assert updates_that_fit(starts, 200, 7 * one) == 7
    cut = broyden(f, starts, tolerance=1e-5, memory=5 * one)
    assert cut.evaluations.tolist() == broyden(f, starts, tolerance=1e-5, window=5).evaluations.tolist()
    with pytest.raises(InputError, match=r"one update of 16 rows of d = 64 must fit into memory=100 bytes"):
        broyden(f, starts, memory=100)
    with pytest.raises(InputError, match="window must be 1 or more"):
        broyden(f, starts, window=0)


def test_broyden_survives_a_map_without_slope():
    # f is constant, so y = -s and the first update already has u = 0
    starts = torch.ones(2, 3, dtype=torch.float64)
    f = VectorMap.of(TensorMap(step=lambda x: torch.full_like(x, 2.0)), starts)
    assert broyden(f, starts).evaluations.tolist() == [2, 2]


def test_auto_stays_with_plain_iteration_where_that_is_fast():
    f, starts = layer(gain=0.4)
    found = auto(f, starts, tolerance=1e-5)
    assert set(found.solvers) == {"picard"}
    assert found.evaluations.tolist() == picard(f, starts, tolerance=1e-5).evaluations.tolist()


@pytest.mark.parametrize(("gain", "scale"), [(0.5, 1.0), (0.95, 1.0), (1.5, 1.0), (0.99, 0.1)])
def test_auto_needs_at_most_half_as_much_again_as_the_best_method(gain, scale):
    f, starts = layer(d=128, b=32, gain=gain, scale=scale)
    single = [solve(f, starts, tolerance=1e-5) for solve in (picard, anderson, broyden)]
    best = min(single, key=lambda found: (-converged(found).sum(), int(found.evaluations.sum())))
    found = auto(f, starts, tolerance=1e-5)
    assert converged(found).sum() >= converged(best).sum()
    assert found.evaluations.sum() <= 1.5 * best.evaluations.sum()


def test_auto_hands_on_only_the_rows_that_stall():
    # one row halves, one turns by a tenth of a circle about the origin and shrinks by a hundredth
    turn = 0.99 * (rotation(0.1).step(torch.eye(2, dtype=torch.float64), rows=[0, 1], rng=Streams(0)))
    starts = torch.ones(2, 2, dtype=torch.float64)

    def step(x, rows):
        return torch.where((rows == 0)[:, None], x / 4, x @ turn)

    found = auto(VectorMap.of(TensorMap(step=step), starts), starts)
    assert found.solvers[0] == "picard"
    assert found.solvers[1].startswith("picard+anderson")
    assert converged(found).all()


def test_auto_ends_with_newton_where_that_is_allowed():
    starts = torch.tensor(np.random.default_rng(0).normal(size=(12, 64)))
    f = VectorMap.of(tanh_net(gaussian_weights(64, gain=2.0, seed=0)), starts)
    without, found = auto(f, starts, dense=0), auto(f, starts)
    assert not any("newton" in name for name in without.solvers)
    assert converged(found).sum() > converged(without).sum()
    assert (found.residual <= without.residual).all()
    assert (found.residual[converged(found)] <= 1e-6).all()
    short = auto(f, starts, step_cap=0.1)
    assert (short.evaluations != found.evaluations).any()


def test_auto_finds_the_point_inside_chaos():
    # logistic map at 4: x = 3/4 repels with multiplier -2
    starts = torch.tensor([[0.3], [0.6]], dtype=torch.float64)
    found = auto(VectorMap.of(logistic(4.0), starts), starts, tolerance=1e-12)
    assert converged(found).all()
    assert found.states[1].item() == pytest.approx(0.75)


def test_auto_says_that_nothing_is_fixed():
    # the circle map without a lock has no fixed point on the circle
    starts = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = auto(VectorMap.of(circle_map(0.3, coupling=0.5), starts), starts)
    assert not converged(found).any()
    assert (found.residual > 1e-6).all()


def test_auto_keeps_no_state_that_ran_away():
    # nothing is fixed: whatever is called converged must truly be within the tolerance, and finite to float64
    starts = torch.tensor([[0.3], [1.0], [50.0]], dtype=torch.float64)
    for solve in (anderson, broyden, auto):
        found = solve(VectorMap.of(square_root(), starts), starts, tolerance=1e-8)
        exact = 1 / (found.states + torch.sqrt(1 + found.states**2))
        good = converged(found)
        assert (exact[good] <= 2e-8).all()
        assert (found.states[good].abs() * 2**-53 <= 1e-8).all()


def test_one_row_out_of_reach_of_the_type_does_not_stop_the_others():
    # at 1e6 float32 steps by 0.06: that row can never be within 1e-4
    starts = torch.zeros(2, 1)
    far = torch.tensor([[1.0], [3.3e5]])
    f = VectorMap.of(TensorMap(step=lambda x, rows: 0.7 * torch.sin(x) + far[rows] + x * 0.3), starts)
    found = auto(f, starts, tolerance=1e-4)
    assert found.outcomes[0] == Outcome.CONVERGED
    assert found.outcomes[1] != Outcome.CONVERGED


def test_bad_options_of_auto_are_refused():
    f, starts = layer(d=4, b=2)
    with pytest.raises(InputError, match="dense must be 0 or more"):
        auto(f, starts, dense=-1)
    with pytest.raises(InputError, match="step_cap must be above 0"):
        auto(f, starts, step_cap=-1.0)


def test_float16_states_work():
    starts = torch.zeros(3, 8, dtype=torch.bfloat16)
    f = VectorMap.of(TensorMap(step=lambda x: x / 4 + 1), starts)
    for solve in (picard, anderson):
        found = solve(f, starts, tolerance=5e-2)
        assert converged(found).all()
        assert found.states.dtype == torch.bfloat16


def test_gmres_says_what_a_singular_system_leaves():
    # A = diag(0, 2): of b = (3, 4) nothing can be done about the 3: 3/5 of b is left
    right = torch.tensor([[3.0, 4.0], [0.0, 4.0], [0.0, 0.0], [3.0, 0.0]], dtype=torch.float64)
    scale = torch.tensor([0.0, 2.0], dtype=torch.float64)
    found = gmres(lambda v, places: v * scale, right, krylov=2)
    assert found.residual.tolist() == pytest.approx([0.6, 0.0, 0.0, 1.0])
    assert found.states[1].tolist() == pytest.approx([0.0, 2.0])
    assert found.products[2] == 0


def test_gmres_agrees_with_a_dense_solve():
    rng = np.random.default_rng(0)
    matrices = torch.eye(20).double() - 0.9 * torch.tensor(rng.normal(size=(5, 20, 20))) / np.sqrt(20)
    right = torch.tensor(rng.normal(size=(5, 20)))

    def product(vectors, places):
        return (matrices[places] @ vectors.unsqueeze(2)).squeeze(2)

    exact = torch.linalg.solve(matrices, right)
    found = gmres(product, right, krylov=20, tolerance=1e-12)
    assert torch.allclose(found.states, exact, atol=1e-9)
    assert (found.products <= 20).all()
    restarted = gmres(product, right, krylov=8, restarts=40, tolerance=1e-8)
    left = torch.linalg.vector_norm(right - product(restarted.states, np.arange(5)), dim=1)
    assert np.allclose(restarted.residual, left / torch.linalg.vector_norm(right, dim=1), atol=1e-6)
    once = gmres(product, right, krylov=8, restarts=1, tolerance=1e-8)
    assert (once.residual >= restarted.residual).all()
