"""Is the gradient through a fixed point right, and refused where there is none?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError, UndefinedError
from limitset.maps.known import gaussian_weights
from limitset.maps.latent import TensorMap
from limitset.numerics.solvers.choosing import SOLVERS, solver_named
from limitset.numerics.solvers.implicit import ADJOINTS, implicit_fixed_point
from limitset.numerics.vector_map import VectorMap

EXACT = {"tolerance": 1e-12, "adjoint_tolerance": 1e-11}


def parts(d=6, b=3, *, radius=0.8):
    weights = torch.tensor(gaussian_weights(d, gain=1.0, seed=0, radius=radius)).requires_grad_()
    inputs = torch.tensor(np.random.default_rng(1).normal(size=(b, d))).requires_grad_()
    return weights, inputs


def held(weights, inputs):
    return TensorMap(step=lambda z, rows: torch.tanh(z @ weights.T + inputs[rows]))


def solved(weights, inputs, **options):
    return implicit_fixed_point(held(weights, inputs), torch.zeros_like(inputs), **{**EXACT, **options})


def test_the_gradient_worked_by_hand():
    # x = a x + c: x = c / (1 - a); a = .25, c = 3: x = 4, dx/da = c / (1 - a)^2 = 16 / 3, dx/dc = 4 / 3
    a = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    c = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    f = TensorMap(step=lambda x: a * x + c)
    x = implicit_fixed_point(f, torch.zeros(1, 1, dtype=torch.float64), **EXACT)
    x.sum().backward()
    assert x.item() == pytest.approx(4.0)
    assert a.grad.item() == pytest.approx(16 / 3)
    assert c.grad.item() == pytest.approx(4 / 3)


@pytest.mark.parametrize("adjoint", ADJOINTS)
def test_finite_differences_agree(adjoint):
    assert torch.autograd.gradcheck(lambda w, x: solved(w, x, adjoint=adjoint), parts(2, 1))


@pytest.mark.parametrize("solver", list(SOLVERS))
def test_the_gradient_of_many_steps_agrees(solver):
    weights, inputs = parts()
    z = torch.zeros_like(inputs)
    for _ in range(300):
        z = torch.tanh(z @ weights.T + inputs)
    unrolled = torch.autograd.grad(z.pow(3).sum(), [weights, inputs])
    implicit = torch.autograd.grad(solved(weights, inputs, solver=solver).pow(3).sum(), [weights, inputs])
    for ours, theirs in zip(implicit, unrolled, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-9)


def test_torchdeq_gives_the_same_gradient():
    torchdeq = pytest.importorskip("torchdeq")
    weights, inputs = parts()
    deq = torchdeq.get_deq(
        ift=True, f_solver="fixed_point_iter", b_solver="fixed_point_iter", f_tol=1e-12, b_tol=1e-12,
        f_max_iter=300, b_max_iter=300,
    )  # fmt: skip
    z = deq(lambda z: torch.tanh(z @ weights.T + inputs), torch.zeros_like(inputs))[0][-1]
    theirs = torch.autograd.grad(z.pow(3).sum(), [weights, inputs])
    ours = torch.autograd.grad(solved(weights, inputs).pow(3).sum(), [weights, inputs])
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-9)


def test_states_of_any_shape_and_chosen_rows():
    weights, inputs = parts(6, 4)
    shaped = inputs.reshape(4, 2, 3)

    def step(z, rows):
        return torch.tanh(z.reshape(-1, 6) @ weights.T).reshape(-1, 2, 3) + shaped[rows]

    found = implicit_fixed_point(TensorMap(step=step), torch.zeros(2, 2, 3).double(), rows=[3, 1], **EXACT)
    assert found.shape == (2, 2, 3)
    (gradient,) = torch.autograd.grad(found.sum(), inputs)
    assert (gradient[[0, 2]] == 0).all()
    assert (gradient[[1, 3]] != 0).all()


def test_a_vector_map_is_taken_as_it_is():
    weights, inputs = parts()
    f = VectorMap.of(held(weights, inputs), torch.zeros_like(inputs))
    assert torch.equal(implicit_fixed_point(f, torch.zeros_like(inputs), **EXACT), solved(weights, inputs))


def test_no_gradient_reaches_the_starts():
    weights, inputs = parts()
    starts = torch.zeros_like(inputs).requires_grad_()
    found = implicit_fixed_point(held(weights, inputs), starts, **EXACT)
    assert torch.autograd.grad(found.sum(), starts, allow_unused=True) == (None,)


def test_without_gradients_nothing_is_kept():
    weights, inputs = parts()
    with torch.no_grad():
        assert not solved(weights, inputs).requires_grad
    assert not solved(weights.detach(), inputs.detach()).requires_grad


def test_one_row_of_zero_gradient():
    weights, inputs = parts()
    for adjoint in ADJOINTS:
        (gradient,) = torch.autograd.grad(solved(weights, inputs, adjoint=adjoint)[0].sum(), inputs)
        assert (gradient[1:] == 0).all()
        assert (gradient[0] != 0).all()


def test_a_map_that_ignores_its_states():
    weights, inputs = parts()
    f = TensorMap(step=lambda z, rows: torch.tanh(inputs[rows]) @ weights)
    (gradient,) = torch.autograd.grad(implicit_fixed_point(f, torch.zeros_like(inputs)).sum(), weights)
    (plain,) = torch.autograd.grad((torch.tanh(inputs) @ weights).sum(), weights)
    assert torch.allclose(gradient, plain)


def test_the_point_may_repel():
    # x = r x (1 - x): x* = 1 - 1/r, multiplier 2 - r = -1.5
    r = torch.tensor(3.5, dtype=torch.float64, requires_grad=True)
    f = TensorMap(step=lambda x: r * x * (1 - x))
    x = implicit_fixed_point(f, torch.full((1, 1), 0.7, dtype=torch.float64), solver="newton", **EXACT)
    (gradient,) = torch.autograd.grad(x.sum(), r)
    assert x.item() == pytest.approx(1 - 1 / 3.5)
    assert gradient.item() == pytest.approx(1 / 3.5**2)


def test_unconverged_rows_are_refused():
    weights, inputs = parts()
    with pytest.raises(
        UndefinedError, match=r"every row must have converged.*3 out of steps of 3.*first row 0"
    ):
        solved(weights, inputs, solver="picard", max_steps=3)
    spin = TensorMap(step=lambda x: torch.flip(x, dims=[1]))
    with pytest.raises(UndefinedError, match="1 stalled of 1"):
        implicit_fixed_point(spin, torch.tensor([[1.0, -1.0]], dtype=torch.float64), solver="picard")


def test_a_gradient_that_does_not_exist_is_refused():
    # J = I: every point is fixed, and where a push would move it is not defined
    c = torch.ones(1, dtype=torch.float64, requires_grad=True)
    f = TensorMap(step=lambda x: x * 1.0 + 0.0 * c)
    for adjoint in ADJOINTS:
        x = implicit_fixed_point(f, torch.ones(1, 2, dtype=torch.float64), adjoint=adjoint)
        with pytest.raises(UndefinedError, match="equation of the gradient"):
            x.sum().backward()


def test_names_that_are_not_known_are_refused():
    weights, inputs = parts()
    with pytest.raises(InputError, match=r"solver must be one of auto, picard.*'andersen'"):
        solved(weights, inputs, solver="andersen")
    with pytest.raises(InputError, match=r"adjoint must be one of gmres.*'newton'"):
        solved(weights, inputs, adjoint="newton")
    with pytest.raises(TypeError, match="windw"):
        solved(weights, inputs, solver="anderson", windw=3)
    with pytest.raises(TypeError, match="f_stop_mode"):
        solved(weights, inputs, f_stop_mode="rel")
    with pytest.raises(InputError, match="adjoint_tolerance must be between 0 and 1"):
        solved(weights, inputs, adjoint_tolerance=0.0)
    noisy = TensorMap(step=torch.cos, deterministic=False)
    with pytest.raises(InputError, match="needs a deterministic map"):
        implicit_fixed_point(noisy, torch.zeros(1, 1))
    assert solver_named("broyden").__name__ == "broyden"


def test_a_second_derivative_is_refused():
    weights, inputs = parts()
    (gradient,) = torch.autograd.grad(solved(weights, inputs).pow(2).sum(), inputs, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_an_equilibrium_layer_learns():
    torch.manual_seed(0)
    inputs = torch.randn(48, 4)
    wanted = torch.tanh(inputs.sum(dim=1))
    into, within, out = torch.nn.Linear(4, 12), torch.nn.Linear(12, 12, bias=False), torch.nn.Linear(12, 1)
    torch.nn.init.normal_(within.weight, std=0.1)
    weights = [*into.parameters(), *within.parameters(), *out.parameters()]
    stepper = torch.optim.Adam(weights, lr=5e-2)
    losses = []
    for _ in range(30):
        pushed = into(inputs)
        layer = TensorMap(step=lambda z, rows, pushed=pushed: torch.tanh(within(z) + pushed[rows]))
        states = implicit_fixed_point(layer, torch.zeros(48, 12), tolerance=1e-5, adjoint_tolerance=1e-4)
        loss = (out(states).squeeze(1) - wanted).square().mean()
        stepper.zero_grad()
        loss.backward()
        stepper.step()
        losses.append(loss.item())
    assert within.weight.grad.abs().max() > 0
    assert losses[-1] < 0.2 * losses[0]
