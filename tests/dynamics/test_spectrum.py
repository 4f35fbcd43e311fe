"""Is the radius right where a power iteration is not, and is nothing called stable that may not be?"""

import inspect

import numpy as np
import pytest
import scipy.sparse.linalg
import torch
from torchdeq.loss import power_method

from limitset.core.errors import InputError
from limitset.instruments.dynamics import Stability, spectrum
from limitset.maps.known import (
    DOTTIE,
    THREE_BIT_LEVEL,
    cosine,
    gaussian_weights,
    henon,
    line_attractor,
    linear,
    rotation,
    tanh_net,
    three_bits,
)
from limitset.maps.latent import TensorMap


def rng(seed=0):
    return np.random.default_rng(seed)


def at_zero(matrix, *, batch=1, **options):
    return spectrum(
        linear(matrix), torch.zeros(batch, len(matrix), dtype=torch.float64), rng=rng(), **options
    )


def hidden(block, radius, size=256):
    """A leading block and the rest within a radius, in a random basis."""
    draw = rng(3)
    matrix = np.zeros((size, size))
    rest = draw.normal(size=(size - len(block), size - len(block)))
    matrix[len(block) :, len(block) :] = rest * radius / np.abs(np.linalg.eigvals(rest)).max()
    matrix[: len(block), : len(block)] = block
    turn = np.linalg.qr(draw.normal(size=(size, size)))[0]
    return turn @ matrix @ turn.T


def pair():
    """Leading pair .9 exp(+-1.2 i) in axes of lengths 1 : 4, so that a quotient depends on where it is taken."""
    turn, stretch = np.array([[np.cos(1.2), -np.sin(1.2)], [np.sin(1.2), np.cos(1.2)]]), np.diag([1.0, 4.0])
    return hidden(0.9 * stretch @ turn @ np.linalg.inv(stretch), 0.45)


def test_by_hand_shear():
    # [[.5, 10], [0, .5]] is triangular: both eigenvalues are .5
    got = at_zero(np.array([[0.5, 10.0], [0.0, 0.5]]))
    radius = got.radius.one(start=0)
    assert radius.value == pytest.approx(0.5, abs=1e-12)
    assert 0.499 < radius.low < 0.5 < radius.high < 0.501
    assert got.stability == (Stability.STABLE,)
    assert got.unstable_count.tolist() == [0]
    assert got.dense


def test_fixed_point_of_henon():
    # x = (-(1 - b) + sqrt((1 - b)^2 + 4 a)) / (2 a), J = [[-2 a x, 1], [b, 0]]: l^2 + 2 a x l - b = 0
    x = (-0.7 + (0.49 + 5.6) ** 0.5) / 2.8
    got = spectrum(henon(), torch.tensor([[x, 0.3 * x]], dtype=torch.float64), rng=rng())
    root = ((1.4 * x) ** 2 + 0.3) ** 0.5
    assert got.eigenvalues[0].real.tolist() == pytest.approx([-1.4 * x - root, -1.4 * x + root], abs=1e-12)
    assert got.stability == (Stability.UNSTABLE,)
    assert got.unstable_count.tolist() == [1]  # a saddle


def test_cosine():
    got = spectrum(cosine(), torch.tensor([[DOTTIE]], dtype=torch.float64), rng=rng())
    assert got.eigenvalues[0, 0] == pytest.approx(-np.sin(DOTTIE), abs=1e-12)


@pytest.mark.parametrize(
    ("bits", "unstable"), [((1, -1, 1), 0), ((0, 1, 1), 1), ((0, 0, -1), 2), ((0, 0, 0), 3)]
)
@pytest.mark.parametrize("krylov", [8, 80])
def test_three_bit_memory_has_its_unstable_directions(bits, unstable, krylov):
    # slope of a block: 2 (1 - m^2): 2 at 0, .166 at +-.9575
    state = np.repeat(np.array(bits) * THREE_BIT_LEVEL, 22)[None]
    got = spectrum(tanh_net(three_bits(66)), torch.as_tensor(state), krylov=krylov, rng=rng())
    assert got.unstable_count.tolist() == [unstable]
    assert got.stability[0] == (Stability.UNSTABLE if unstable else Stability.STABLE)
    top = 2.0 if unstable else 2 * (1 - THREE_BIT_LEVEL**2)
    assert got.radius.value[0] == pytest.approx(top, abs=1e-8)


def test_eigenvalue_on_the_unit_circle_is_undecided():
    for system in (line_attractor(), rotation(0.2)):
        got = spectrum(system, torch.tensor([[1.0, 0.0]], dtype=torch.float64), rng=rng())
        assert got.stability == (Stability.UNDECIDED,)
        assert got.unstable_count.tolist() == [-1]
        radius = got.radius.one(start=0)
        assert radius.low < 1 < radius.high


def test_never_stable_while_the_error_reaches_the_circle():
    # radius .999, an eigenvalue as close as .9985: few products cannot tell them from 1, many can
    matrix = hidden(np.diag([0.999, -0.9985]), 0.95)
    rough, fine = (at_zero(matrix, krylov=k, most=k, count=2) for k in (6, 120))
    assert rough.radius.high[0] > 1
    assert rough.stability == (Stability.UNDECIDED,)
    assert fine.stability == (Stability.STABLE,)
    assert fine.radius.value[0] == pytest.approx(0.999, abs=1e-6)


def test_undecided_rows_get_larger_spaces():
    # one start of a small radius is decided at once, the other only in a larger space
    matrix = torch.as_tensor(gaussian_weights(256, gain=0.95, seed=0))
    slopes = torch.tensor([0.5, 1.0], dtype=torch.float64)
    calls = []

    def step(x, rows):
        calls.append(rows.tolist())
        return slopes[rows][:, None] * (x @ matrix.T)

    held, states = TensorMap(step=step), torch.zeros(2, 256, dtype=torch.float64)
    rough, fine = (spectrum(held, states, rows=[0, 1], most=most, rng=rng()) for most in (40, 160))
    assert rough.stability == (Stability.STABLE, Stability.UNDECIDED)
    assert fine.stability == (Stability.STABLE, Stability.STABLE)
    assert calls.count([1]) > 2
    assert calls.count([0]) == 2  # one look at each row alone, before each of the two begins
    assert fine.radius.value[1] == pytest.approx(0.96377, abs=1e-5)
    assert np.array_equal(rough.eigenvalues[0], fine.eigenvalues[0])


def test_radius_where_the_power_iteration_of_torchdeq_fails():
    # its Rayleigh quotient is a radius only for a real eigenvalue that leads alone
    torch.manual_seed(0)
    matrix = pair()
    weights = torch.as_tensor(matrix)
    states = torch.zeros(16, 256, dtype=torch.float64, requires_grad=True)
    theirs = power_method(states @ weights.T, states, n_iters=100)[1].detach().numpy()
    assert abs(theirs.mean() - 0.9) > 0.1
    assert np.ptp(theirs) > 0.3  # another answer for every first vector
    ours = at_zero(matrix, batch=16)
    assert ours.radius.value == pytest.approx(0.9, abs=1e-3)
    # a pair +-.9: the quotient averages both away
    opposite = hidden(np.diag([0.9, -0.9]), 0.45)
    theirs = power_method(states @ torch.as_tensor(opposite).T, states, n_iters=100)[1].detach().numpy()
    assert theirs.min() < 0.8
    assert at_zero(opposite, batch=16).radius.value == pytest.approx(0.9, abs=1e-3)


def test_agrees_with_arpack():
    matrix = gaussian_weights(200, gain=0.9, seed=1)
    theirs = scipy.sparse.linalg.eigs(matrix, k=2, which="LM", v0=np.ones(200))[0]
    ours = at_zero(matrix, krylov=120, count=2)
    assert np.sort(np.abs(ours.eigenvalues[0])) == pytest.approx(np.sort(np.abs(theirs)), abs=1e-6)


def test_held_inputs_follow_their_rows():
    slopes = torch.tensor([0.5, 2.0, -3.0], dtype=torch.float64)
    held = TensorMap(step=lambda x, rows: slopes[rows][:, None] * x)
    got = spectrum(held, torch.zeros(2, 1, dtype=torch.float64), rows=[2, 0], rng=rng())
    assert got.radius.one(start=2).value == 3
    assert got.radius.one(start=0).value == 0.5
    assert got.stability == (Stability.UNSTABLE, Stability.STABLE)


def test_states_of_any_shape():
    shaped = TensorMap(step=lambda x: x.flip(1) * 0.5)
    got = spectrum(shaped, torch.ones(2, 2, 3), rng=rng())
    assert got.eigenvalues.shape == (2, 6)
    assert got.radius.value == pytest.approx(0.5, abs=1e-6)


def test_all_found_outside_leaves_the_count_open():
    matrix = np.diag([3.0, 2.5, 2.0, 0.1])
    assert at_zero(matrix, count=2).unstable_count.tolist() == [-1]
    assert at_zero(matrix, count=4).unstable_count.tolist() == [3]
    assert at_zero(np.diag([3.0, 2.0]), count=2).unstable_count.tolist() == [2]  # these are all


def test_jacobian_that_is_not_finite():
    root = TensorMap(step=torch.sqrt)
    got = spectrum(root, torch.tensor([[0.0], [1.0]], dtype=torch.float64), rng=rng())
    assert got.stability == (Stability.UNDECIDED, Stability.STABLE)
    assert got.radius.one(start=0).blank_reason == "the Jacobian is not finite there"


def test_krylov_count_and_seed_move_the_answer():
    matrix = gaussian_weights(256, gain=0.95, seed=0)
    few, many = at_zero(matrix, krylov=20), at_zero(matrix, krylov=80)
    assert many.errors[0, 0] < few.errors[0, 0]
    assert at_zero(matrix, count=3).eigenvalues.shape == (1, 3)
    states = torch.zeros(1, 256, dtype=torch.float64)
    first, again, other = (spectrum(linear(matrix), states, rng=rng(s)).eigenvalues for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert inspect.signature(spectrum).parameters["rng"].default is inspect.Parameter.empty


def test_results_are_read_only_and_refusals():
    got = at_zero(np.eye(2))
    with pytest.raises(ValueError, match="read-only"):
        got.eigenvalues[0, 0] = 0
    with pytest.raises(InputError, match="count must be between"):
        at_zero(np.eye(2), count=0)
    with pytest.raises(InputError, match="torch tensor of real numbers"):
        spectrum(rotation(0.1), torch.zeros(1, 2, dtype=torch.int64), rng=rng())


@pytest.mark.parametrize(("size", "derivatives"), [(6, 1), (64, 40)])
def test_nothing_is_computed_twice(size, derivatives):
    # two looks at the batch and three rows alone; then one application for a whole Jacobian (its columns
    # together), or one a product
    matrix, calls = torch.as_tensor(gaussian_weights(size, gain=0.5, seed=0)), []

    def step(x):
        calls.append(len(x))
        return torch.tanh(x @ matrix.T)

    spectrum(TensorMap(step=step), torch.zeros(4, size, dtype=torch.float64), most=40, rng=rng())
    assert calls == [4, 4, 1, 1, 1] + [4] * derivatives
