"""Is CKA what was published, what a brute-force Gram matrix gives, and blind to what it should be blind to?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError, UndefinedError
from limitset.instruments.alignment import biased_linear_cka, linear_cka

FORMS = [linear_cka, biased_linear_cka]


def drawn(seed, items=40, features=7):
    return np.random.default_rng(seed).standard_normal((items, features))


def by_hand_of_grams(x, y, *, unbiased):
    """Independent implementation: the n x n matrices of Song et al. eq. 5 and of Kornblith eq. 3."""
    n = len(x)
    k, m = x @ x.T, y @ y.T
    if not unbiased:
        h = np.eye(n) - 1 / n

        def inner(a, b):
            return np.trace(a @ h @ b @ h)
    else:
        one = np.ones(n)
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))

        def inner(a, b):
            whole = (one @ a @ one) * (one @ b @ one) / ((n - 1) * (n - 2))
            return np.trace(a @ b) + whole - 2 / (n - 2) * (one @ a @ b @ one)

    return inner(k, m) / math.sqrt(inner(k, k) * inner(m, m))


def test_published_values():
    # demonstration notebook of Kornblith et al. 2019, seed 1337: .55761 and, debiased, .51346
    rng = np.random.RandomState(1337)
    x = rng.randn(100, 10)
    y = rng.randn(100, 10) + x
    assert biased_linear_cka(x, y).similarity.value == pytest.approx(0.55761, abs=5e-6)
    assert linear_cka(x, y).similarity.value == pytest.approx(0.51346, abs=5e-6)


def test_biased_by_hand():
    # x = (-1.5, -.5, .5, 1.5), y = (1, -1, -1, 1): x'y = -1.5 + .5 - .5 + 1.5 = 0
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert biased_linear_cka(x, np.array([[1.0], [-1.0], [-1.0], [1.0]])).similarity.value == pytest.approx(0)
    # y = (0, 0, 0, 1) centred (-.25, -.25, -.25, .75): x'y = 1.5, x'x = 5, y'y = .75: 2.25 / 3.75 = .6
    y = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert biased_linear_cka(x, y).similarity.value == pytest.approx(0.6)


@pytest.mark.parametrize("shapes", [(40, 7, 5), (12, 30, 4), (10, 50, 60)])
@pytest.mark.parametrize(("form", "unbiased"), [(linear_cka, True), (biased_linear_cka, False)])
def test_equals_brute_force(form, unbiased, shapes):
    items, a, b = shapes
    x = drawn(1, items, a) + 3
    y = drawn(2, items, b) + x[:, :1]
    got = form(x, y).similarity.value
    assert got == pytest.approx(by_hand_of_grams(x, y, unbiased=unbiased), abs=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_interval_is_a_brute_force_jackknife(form):
    from scipy import stats

    x, y = drawn(3, 60), drawn(3, 60)[:, :4] + drawn(4, 60, 4)
    got = form(x, y, confidence=0.9).similarity
    left = [
        form(np.delete(x, block, axis=0), np.delete(y, block, axis=0)).similarity.value
        for block in np.array_split(np.arange(60), 20)
    ]
    error = math.sqrt(19 / 20 * np.square(np.array(left) - np.mean(left)).sum())
    half = stats.t.ppf(0.95, 19) * error
    assert got.low == pytest.approx(got.value - half, abs=1e-10)
    assert got.high == pytest.approx(got.value + half, abs=1e-10)
    assert got.n == 60


def test_confidence_widens_the_interval():
    x, y = drawn(3), drawn(4) + drawn(3)
    narrow, wide = (linear_cka(x, y, confidence=c).similarity for c in (0.8, 0.99))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_chance_is_the_mean_over_all_pairings():
    # n = 6: all 720 pairings, mean 0 and standard deviation sqrt(2 / (6 * 3)) = 1/3 for the unbiased form
    from itertools import permutations

    x, y = drawn(5, 6, 3), drawn(6, 6, 2)
    orders = [list(order) for order in permutations(range(6))]
    unbiased = np.array([linear_cka(x, y[order]).similarity.value for order in orders])
    assert unbiased.mean() == pytest.approx(0, abs=1e-10)
    assert unbiased.std() == pytest.approx(1 / 3, abs=1e-10)
    got = linear_cka(x, y)
    assert got.chance.value == 0
    assert got.chance.high == pytest.approx(2 / 3)
    assert got.z == pytest.approx(got.similarity.value * 3)
    biased = np.mean([biased_linear_cka(x, y[order]).similarity.value for order in orders])
    assert biased_linear_cka(x, y).chance.value == pytest.approx(biased, abs=1e-10)
    assert got.chance.null_kind == "permutation"


def test_biased_form_nears_one_with_many_features():
    # isotropic, n = 100, d = 1000: sqrt(d d / ((n - 1 + d)(n - 1 + d))) = 1000 / 1099 = .910
    x, y = drawn(7, 100, 1000), drawn(8, 100, 1000)
    assert biased_linear_cka(x, y).similarity.value == pytest.approx(0.910, abs=0.003)
    assert biased_linear_cka(x, y).chance.value == pytest.approx(0.910, abs=0.003)
    assert abs(linear_cka(x, y).similarity.value) < 0.05


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    items=st.integers(8, 40),
    features=st.integers(1, 12),
    scale=st.sampled_from([1e-6, 0.1, 3.0, -2.0, 1e6]),
    shift=st.floats(-5, 5),
)
def test_laws(form, seed, items, features, scale, shift):
    x, y = drawn(seed, items, features), drawn(seed + 1, items, 5)
    rotation = np.linalg.qr(drawn(seed + 2, features, features))[0]
    value = form(x, y).similarity.value
    assert form(x, x).similarity.value == pytest.approx(1, abs=1e-9)
    assert form(y, x).similarity.value == pytest.approx(value, abs=1e-9)
    # a shift that dwarfs the activations would only test rounding
    moved = scale * (x @ rotation + shift)
    assert form(moved, y).similarity.value == pytest.approx(value, abs=1e-8)
    order = np.random.default_rng(seed).permutation(items)
    assert form(x[order], y[order]).similarity.value == pytest.approx(value, abs=1e-9)
    assert value <= 1 + 1e-9


def test_stretching_one_feature_matters():
    # broken on purpose: CKA is blind to rotation and scale, not to every linear map
    x = drawn(9)
    stretched = x * np.array([10.0] + [1.0] * 6)
    assert linear_cka(x, stretched).similarity.value < 0.9


def test_no_epsilon_under_the_fraction():
    x = drawn(10, 50, 512) * 1e-7
    assert linear_cka(x, x * 0.1).similarity.value == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("features", [1, 3, 100])
def test_constant_activations_have_no_shape(form, features):
    # .1 leaves rounding dust when its mean is taken away
    with pytest.raises(UndefinedError, match="activations must vary"):
        form(np.full((40, features), 0.1), drawn(1))


def test_one_item_apart_has_no_unbiased_shape():
    x = np.zeros((40, 3))
    x[7] = 5
    with pytest.raises(UndefinedError, match="at most one apart"):
        linear_cka(x, drawn(1))
    assert 0 < biased_linear_cka(x, drawn(1)).similarity.value < 1


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (drawn(1, 5), drawn(2, 6)),
        (drawn(1, 3), drawn(2, 3)),
        (np.full((9, 2), np.nan), drawn(2, 9)),
    ],
)
def test_refuses_what_cannot_be_compared(x, y):
    with pytest.raises(InputError, match="same 4 or more items"):
        linear_cka(x, y)
