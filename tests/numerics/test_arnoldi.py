"""Are the eigenvalues of largest modulus found where power iterations fail, and are their errors honest?"""

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.maps.known import THREE_BIT_LEVEL, gaussian_weights, linear, rotation, three_bits
from limitset.maps.latent import TensorMap
from limitset.numerics.stability import arnoldi as module
from limitset.numerics.stability.arnoldi import arnoldi, leading_eigenvalues
from limitset.numerics.vector_map import VectorMap


def rng(seed=0):
    return np.random.default_rng(seed)


def hidden(blocks, draw):
    """The block diagonal matrix in a random orthonormal basis."""
    size = sum(len(block) for block in blocks)
    matrix = np.zeros((size, size))
    place = 0
    for block in blocks:
        matrix[place : place + len(block), place : place + len(block)] = block
        place += len(block)
    turn = np.linalg.qr(draw.normal(size=(size, size)))[0]
    return turn @ matrix @ turn.T


def leading_pair(size=256):
    """Leading pair .9 exp(+-1.2 i), everything else at .45 or less."""
    draw = rng(3)
    cosine, sine = np.cos(1.2), np.sin(1.2)
    rest = draw.normal(size=(size - 2, size - 2))
    rest *= 0.45 / np.abs(np.linalg.eigvals(rest)).max()
    return hidden([0.9 * np.array([[cosine, -sine], [sine, cosine]]), rest], draw)


def symmetric(size=256):
    draw = rng(4).normal(size=(size, size)) / size**0.5
    return (draw + draw.T) * 0.45


def found(matrix, *, batch=4, dtype=torch.float64, seed=0, **options):
    f = VectorMap(map=linear(matrix), shape=(len(matrix),))
    return leading_eigenvalues(f, torch.ones(batch, len(matrix), dtype=dtype), rng=rng(seed), **options)


ROWS = {
    "leading pair": (leading_pair(), 40),
    "Gaussian": (gaussian_weights(256, gain=0.95, seed=0), 80),
    "symmetric": (symmetric(), 40),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_radius_to_a_thousandth(name, dtype):
    matrix, krylov = ROWS[name]
    true = np.abs(np.linalg.eigvals(matrix)).max()
    got = found(matrix, krylov=krylov, dtype=dtype, batch=8)
    assert got.values.abs()[:, 0].numpy() == pytest.approx(true, abs=1e-3)
    assert not got.dense


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("krylov", [20, 40, 80])
def test_errors_cover(name, krylov):
    # every Ritz value has an eigenvalue within its error (first order: a factor of 2 is allowed)
    matrix = ROWS[name][0]
    true = np.linalg.eigvals(matrix)
    got = found(matrix, krylov=krylov, batch=8)
    nearest = np.abs(got.values.numpy()[:, :, None] - true).min(axis=2)
    assert (nearest <= 2 * got.errors.numpy() + 1e-13).all()


def test_by_hand_pair_of_opposite_sign_and_order():
    # eigenvalues 2, -2, .5 +- .5i (modulus .7071) and .1 sixteen times: five distinct ones, so that six products
    # find them all; largest modulus first, upper half plane first
    pair = np.array([[0.5, -0.5], [0.5, 0.5]])
    matrix = hidden([np.array([[2.0]]), np.array([[-2.0]]), pair, 0.1 * np.eye(16)], rng(1))
    for krylov in (6, 40):
        got = found(matrix, krylov=krylov, count=5, batch=1)
        assert got.dense == (krylov == 40)
        assert sorted(got.values[0, :2].real.tolist()) == pytest.approx([-2, 2], abs=1e-9)
        assert got.values[0, 2:].numpy() == pytest.approx([0.5 + 0.5j, 0.5 - 0.5j, 0.1], abs=1e-9)


def test_dense_and_krylov_agree_with_numpy():
    matrix = gaussian_weights(30, gain=1.0, seed=2)
    true = np.linalg.eigvals(matrix)
    true = true[np.lexsort((-true.imag, -np.abs(true)))]
    dense = found(matrix, krylov=30, count=6)
    assert dense.dense
    assert dense.values[0].numpy() == pytest.approx(true[:6], abs=1e-10)
    nearly = found(matrix, krylov=29, count=6)
    assert not nearly.dense
    assert nearly.values[0, 0].abs().item() == pytest.approx(abs(true[0]), abs=1e-4)


def test_invariant_subspace_found_early_is_exact():
    # 2 I except one eigenvalue: the Krylov space of any vector has dimension 2
    matrix = 0.5 * np.eye(60)
    matrix[0, 0] = 2
    got = found(matrix, krylov=10, count=6)
    assert got.values.real[0].tolist() == pytest.approx([2, 0.5, 0.5, 0.5, 0.5, 0.5], abs=1e-12)
    assert got.residuals.max() < 1e-13
    zero = found(np.zeros((60, 60)), krylov=10)
    assert zero.values.abs().max() == 0
    assert zero.errors.max() == 0


def test_rows_close_one_by_one():
    # one batch, two Jacobians: x -> x / 2 closes at once, the other row does not
    matrix = torch.as_tensor(leading_pair(64))

    def step(states, rows):
        return torch.where((rows == 7)[:, None], states / 2, states @ matrix.T)

    f = VectorMap(map=TensorMap(step=step), shape=(64,))
    got = leading_eigenvalues(f, torch.ones(3, 64, dtype=torch.float64), rows=[1, 7, 4], rng=rng())
    assert got.values.abs()[:, 0].tolist() == pytest.approx([0.9, 0.5, 0.9], abs=1e-6)
    # the same starts without their labels are other rows
    other = leading_eigenvalues(f, torch.ones(3, 64, dtype=torch.float64), rng=rng())
    assert other.values.abs()[:, 0].tolist() == pytest.approx([0.9] * 3, abs=1e-6)


def test_hessenberg_is_the_projection():
    matrix = torch.as_tensor(gaussian_weights(50, gain=1.0, seed=5))
    first = torch.from_numpy(rng().standard_normal((2, 50)))
    got = arnoldi(lambda v: v @ matrix.T, first, steps=12, rng=rng())
    unit = got.basis @ got.basis.transpose(1, 2)
    assert torch.allclose(unit, torch.eye(13, dtype=torch.float64).expand(2, 13, 13), atol=1e-13)
    left = got.basis[:, :-1] @ matrix.T
    assert torch.allclose(left, got.hessenberg.transpose(1, 2) @ got.basis, atol=1e-13)


def test_groups_of_rows_change_nothing(monkeypatch):
    matrix = leading_pair(64)
    whole = found(matrix, batch=5)
    monkeypatch.setattr(module, "BASIS_BYTES", 2 * 41 * 64 * 8)
    parts = found(matrix, batch=5)
    assert torch.allclose(whole.values[:, :2], parts.values[:, :2], atol=1e-9)
    assert parts.values.shape == whole.values.shape


def test_defective_eigenvalues_have_the_error_of_a_root():
    # [[.5, 10], [0, .5]]: a perturbation e moves the eigenvalue by sqrt(10 e)
    got = found(np.array([[0.5, 10.0], [0.0, 0.5]]), batch=1)
    residual = got.residuals[0, 0].item()
    assert got.errors[0, 0].item() == pytest.approx((10 * residual) ** 0.5, rel=0.6)
    # a Jordan block of 8: the eighth root
    shift = np.diag(np.ones(7), 1)
    got = found(shift, batch=1)
    assert got.errors[0, 0].item() == pytest.approx(got.residuals[0, 0].item() ** 0.125, rel=0.6)


def test_count_and_seed():
    matrix = ROWS["Gaussian"][0]
    assert found(matrix, count=3).values.shape == (4, 3)
    assert found(rotation_matrix(), count=6).values.shape == (4, 2)
    same, again, other = found(matrix, seed=1), found(matrix, seed=1), found(matrix, seed=2)
    assert torch.equal(same.values, again.values)
    assert not torch.equal(same.values, other.values)


def rotation_matrix():
    return np.array([[0.0, -1.0], [1.0, 0.0]])


def test_jacobian_that_is_not_finite():
    f = VectorMap(map=TensorMap(step=lambda s: torch.sqrt(s)), shape=(1,))
    got = leading_eigenvalues(f, torch.tensor([[0.0], [1.0]], dtype=torch.float64), rng=rng())
    assert torch.isnan(got.values[0].real).all()
    assert torch.isinf(got.errors[0]).all()
    assert got.values[1, 0].real.item() == pytest.approx(0.5)


def test_refusals():
    f = VectorMap(map=rotation(0.1), shape=(2,))
    states = torch.ones(1, 2, dtype=torch.float64)
    with pytest.raises(InputError, match="count must be between 1 and krylov"):
        leading_eigenvalues(f, states, count=41, rng=rng())
    with pytest.raises(InputError, match="count must be between 1 and krylov"):
        leading_eigenvalues(f, states, count=0, rng=rng())
    with pytest.raises(InputError, match="2 rows for 1 states"):
        leading_eigenvalues(f, states, rows=[0, 1], rng=rng())


def test_often_repeated_eigenvalue():
    # rank 3 of 66, on which the LAPACK in torch gives up
    matrix = three_bits(66) * (1 - THREE_BIT_LEVEL**2)
    got = found(matrix, krylov=80)
    assert got.values[0].real.tolist() == pytest.approx(
        [2 * (1 - THREE_BIT_LEVEL**2)] * 3 + [0] * 3, abs=1e-12
    )
    assert got.errors.max() < 1e-12


def test_eigenvalues_that_will_not_come_are_shaken(monkeypatch):
    true = np.linalg.eig
    refused = []

    def moody(matrices):
        if not refused:
            refused.append(matrices)
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return true(matrices)

    monkeypatch.setattr(np.linalg, "eig", moody)
    assert found(np.diag([0.5, 0.25])).values[0].real.tolist() == pytest.approx([0.5, 0.25], abs=1e-14)
    assert refused
