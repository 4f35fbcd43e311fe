"""Is growth measured where the eigenvalues promise none?"""

import sys

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.instruments.dynamics import growth, spectrum
from limitset.maps.known import gaussian_weights, linear
from limitset.maps.latent import TensorMap

SHEAR = np.array([[0.5, 10.0], [0.0, 0.5]])


def rng(seed=0):
    return np.random.default_rng(seed)


def of(matrix, *, batch=1, seed=0, **options):
    states = torch.zeros(batch, len(matrix), dtype=torch.float64)
    return growth(linear(matrix), states, rng=rng(seed), **options)


def quantities(got, start=0):
    return {row.parameters["quantity"]: row for row in got.values.where(start=start).rows()}


def test_by_hand_shear():
    # J^T J = [[.25, 5], [5, 100.25]]: trace 100.5, determinant 1/16, so ||J|| = 10.02494
    # J^2 = [[.25, 10], [0, .25]]: trace 100.125, determinant 1/256, so ||J^2|| = 10.006246
    # J^k = [[.5^k, 10 k .5^(k-1)], [0, .5^k]] falls from there
    got = of(SHEAR)
    assert got.norms[0, :3] == pytest.approx([1, 10.0249378, 10.0062461], abs=1e-6)
    assert got.powers.tolist() == list(range(33))
    found = quantities(got)
    assert found["one_step"].value == pytest.approx(10.0249378, abs=1e-6)
    assert found["largest"].value == pytest.approx(10.0249378, abs=1e-6)
    assert found["at_step"].value == 1


def test_radius_below_one_is_no_amplification_of_one():
    # Attractors.jl 2 gives maximal_amplification = 1 and reactivity = radius - 1 for every map; here the radius
    # is .5, "radius - 1" is -.5, and one step stretches tenfold
    radius = spectrum(linear(SHEAR), torch.zeros(1, 2, dtype=torch.float64), rng=rng()).radius.value[0]
    assert radius == pytest.approx(0.5, abs=1e-6)
    found = quantities(of(SHEAR))
    assert found["largest"].value > 10
    assert found["one_step"].value - 1 > 9


def test_kreiss_by_hand():
    # at z = 1.5: (z - J)^-1 = [[1, 10], [0, 1]], norm (10 + sqrt 104) / 2 = 10.099, times z - 1 = .5: 5.0495
    # the supremum is a little above; K <= sup ||J^k|| <= e d K
    bound = quantities(of(SHEAR))["kreiss"].value
    largest = quantities(of(SHEAR))["largest"].value
    assert 4.7 < bound < 5.2
    assert bound <= largest <= np.e * 2 * bound


def test_kreiss_of_normal_and_unstable_matrices():
    assert quantities(of(np.diag([0.9, -0.3])))["kreiss"].value == 1
    assert quantities(of(np.diag([1.1, 0.3])))["kreiss"].value == np.inf
    # an eigenvalue on the circle is not surely outside
    assert np.isfinite(quantities(of(np.diag([1.0, 0.3])))["kreiss"].value)


def test_contraction_never_grows():
    got = of(np.diag([0.9, 0.1]), horizon=5)
    found = quantities(got)
    assert got.norms[0] == pytest.approx(0.9 ** np.arange(6), abs=1e-12)
    assert found["largest"].value == 1
    assert found["at_step"].value == 0
    assert found["one_step"].value == pytest.approx(0.9)


@pytest.mark.parametrize("size", [40, 100])
def test_equals_numpy(size):
    matrix = gaussian_weights(size, gain=0.9, seed=0)
    got = of(matrix, horizon=12)
    true = np.array([np.linalg.norm(np.linalg.matrix_power(matrix, int(k)), 2) for k in got.powers])
    assert got.norms[0] == pytest.approx(true, rel=1e-3)
    assert (got.norms[0] <= true * (1 + 1e-12)).all()  # a lower bound
    assert (got.norms_high[0] >= true * (1 - 1e-9)).all()
    assert quantities(got)["at_step"].value == true.argmax()


def test_chains_of_products_equal_whole_jacobians(monkeypatch):
    matrix = gaussian_weights(40, gain=0.9, seed=0)
    dense = of(matrix, horizon=13, krylov=40)
    monkeypatch.setattr(sys.modules[growth.__module__], "DENSE_DIMENSION", 10)
    chained = of(matrix, horizon=13, krylov=20)
    assert chained.powers.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13]
    assert chained.norms[0] == pytest.approx(dense.norms[0][chained.powers], rel=1e-3)
    # the projection bounds the resolvent from below
    assert quantities(chained)["kreiss"].value <= quantities(dense)["kreiss"].value * (1 + 1e-9)
    assert quantities(chained)["kreiss"].value > 1


def test_groups_of_starts_change_nothing(monkeypatch):
    matrix = gaussian_weights(40, gain=0.9, seed=0)
    whole = of(matrix, batch=5, horizon=4, lanczos=39)
    monkeypatch.setattr(sys.modules[growth.__module__], "GROUP_BYTES", 2 * 40 * 40 * 8)
    parts = of(matrix, batch=5, horizon=4, lanczos=39)
    assert parts.norms == pytest.approx(whole.norms, rel=1e-9)
    assert parts.values.value == pytest.approx(whole.values.value, rel=1e-9)


def test_powers_do_not_overflow():
    got = of(np.diag([1e3, 1.0]).astype(np.float64), horizon=60)
    assert got.norms[0, -1] == pytest.approx(1e180, rel=1e-9)
    single = growth(linear(np.diag([1e3, 1.0])), torch.zeros(1, 2), horizon=40, rng=rng())
    assert single.norms[0, -1] == pytest.approx(1e120, rel=1e-4)


def test_zero_and_nilpotent():
    assert of(np.zeros((3, 3)), horizon=3).norms[0].tolist() == [1, 0, 0, 0]
    shift = np.diag(np.ones(2), 1)
    assert of(shift, horizon=4).norms[0] == pytest.approx([1, 1, 1, 0, 0], abs=1e-12)


def test_rows_and_options():
    slopes = torch.tensor([0.5, 2.0], dtype=torch.float64)
    held = TensorMap(step=lambda x, rows: slopes[rows][:, None] * x)
    got = growth(held, torch.zeros(1, 1, dtype=torch.float64), rows=[1], horizon=2, rng=rng())
    assert quantities(got, start=1)["largest"].value == 4
    matrix = gaussian_weights(100, gain=0.9, seed=0)
    rough, fine = of(matrix, horizon=1, lanczos=4), of(matrix, horizon=1, lanczos=32)
    assert rough.norms[0, 1] < fine.norms[0, 1]
    assert of(matrix, horizon=1, lanczos=4, seed=1).norms[0, 1] != rough.norms[0, 1]
    few, many = (quantities(of(matrix, horizon=1, krylov=k))["kreiss"].value for k in (10, 100))
    assert few < many


def test_jacobian_that_is_not_finite():
    got = growth(TensorMap(step=torch.sqrt), torch.tensor([[0.0]], dtype=torch.float64), rng=rng())
    assert {row.blank_reason for row in got.values.rows() if row.blank} == {
        "the Jacobian is not finite there"
    }
    assert all(quantities(got)[name].blank for name in ("one_step", "largest", "at_step", "kreiss"))


def test_refusals():
    for wrong in ({"horizon": 0}, {"lanczos": 1}, {"krylov": 1}):
        with pytest.raises(InputError, match="growth needs a horizon"):
            of(SHEAR, **wrong)
