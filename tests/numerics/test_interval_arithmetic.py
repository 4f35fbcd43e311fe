"""Does every operation on intervals enclose what exact arithmetic gives, and hardly more?"""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray, OutsideDomainError
from limitset.numerics.enclosing.interval_duals import IntervalDual, interval_jacobian

EPS = 2.0**-52
reals = st.floats(-1e6, 1e6, allow_subnormal=False)


def point(*values):
    return IntervalArray.of(np.array(values, dtype=float))


@st.composite
def intervals(draw, least=-1e6, most=1e6):
    ends = sorted(draw(st.floats(least, most)) for _ in range(2))
    inner = min(max(draw(st.floats(0, 1)) * (ends[1] - ends[0]) + ends[0], ends[0]), ends[1])
    return IntervalArray(np.array(ends[0]), np.array(ends[1])), inner


def encloses(interval, exact):
    low, high = float(interval.low), float(interval.high)
    return (low == -np.inf or Fraction(low) <= exact) and (high == np.inf or exact <= Fraction(high))


@given(intervals(), intervals())
@settings(max_examples=200, deadline=None)
def test_four_operations_enclose_exact_fractions(first, second):
    (x, a), (y, b) = first, second
    a, b = Fraction(a), Fraction(b)
    assert encloses(x + y, a + b)
    assert encloses(x - y, a - b)
    assert encloses(x * y, a * b)
    assert encloses(x**2, a * a)
    assert encloses(x**3, a**3)
    assert encloses(abs_of(x), abs(a))
    assert encloses(np.maximum(x, y), max(a, b))
    assert encloses(np.minimum(x, y), min(a, b))
    if not y.contains(0.0):
        assert encloses(x / y, a / b)


def abs_of(x):
    return np.abs(x)


@pytest.mark.parametrize("name", ["exp", "tanh", "cos", "sin", "log", "sqrt"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_functions_enclose_mpmath(name, data):
    least = 1e-3 if name in {"log", "sqrt"} else -300.0
    x, inner = data.draw(intervals(least, 300.0))
    with mpmath.workdps(40):
        exact = getattr(mpmath, name)(mpmath.mpf(inner))
        found = getattr(np, name)(x)
        assert mpmath.mpf(float(found.low)) <= exact <= mpmath.mpf(float(found.high))


@pytest.mark.parametrize("name", ["exp", "tanh", "cos", "sin", "log", "sqrt"])
def test_functions_agree_with_interval_mpmath(name):
    # an independent implementation, with 53 bits: both enclose the range, so their ends are a few ulps apart
    for low, high in [(0.1, 0.2), (0.5, 4.0), (1.0, 8.0), (2.9, 3.3)]:
        found = getattr(np, name)(IntervalArray(np.array(low), np.array(high)))
        theirs = (
            getattr(mpmath.iv, name)(mpmath.iv.mpf([low, high]))
            if name != "tanh"
            else tanh_by_mpmath(low, high)
        )
        scale = max(1.0, abs(float(theirs.b)))
        assert abs(float(found.low) - float(theirs.a)) < 40 * EPS * scale
        assert abs(float(found.high) - float(theirs.b)) < 40 * EPS * scale


def tanh_by_mpmath(low, high):
    ends = [mpmath.iv.exp(2 * mpmath.iv.mpf(end)) for end in (low, high)]
    return mpmath.iv.mpf([((ends[0] - 1) / (ends[0] + 1)).a, ((ends[1] - 1) / (ends[1] + 1)).b])


def test_extrema_of_waves():
    # cos reaches 1 at 0, -1 at pi; sin reaches 1 at pi/2
    assert np.cos(IntervalArray(np.array([-0.1]), np.array([0.1]))).high.tolist() == [1.0]
    assert np.cos(IntervalArray(np.array([3.0]), np.array([3.3]))).low.tolist() == [-1.0]
    assert np.cos(IntervalArray(np.array([3.0]), np.array([3.3]))).high[0] < -0.98
    assert np.sin(IntervalArray(np.array([1.5]), np.array([1.7]))).high.tolist() == [1.0]
    assert np.sin(IntervalArray(np.array([0.0]), np.array([7.0]))).low.tolist() == [-1.0]
    # far out nothing is known but the range
    far = np.cos(point(1e300))
    assert (far.low[0], far.high[0]) == (-1.0, 1.0)


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_products_enclose_exact_fractions(seed):
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(3, 5)), rng.normal(size=(5, 2)) * 10.0 ** rng.integers(-8, 8, (5, 2))
    widths = np.abs(rng.normal(size=(5, 2))) * 1e-9
    product = left @ IntervalArray(right - widths, right + widths)
    total = IntervalArray.of(right).sum(0)
    for j in range(2):
        assert encloses(total[j], sum(Fraction(right[k, j]) for k in range(5)))
        for i in range(3):
            assert encloses(
                product[i, j], sum(Fraction(left[i, k]) * Fraction(right[k, j]) for k in range(5))
            )


def test_product_reaches_the_corners():
    # [1, 2] * 3 + [-1, 1] * 2 = [1, 8]
    x = IntervalArray(np.array([1.0, -1.0]), np.array([2.0, 1.0]))
    assert (np.array([3.0, 2.0]) @ x).low == pytest.approx(1)
    assert (np.array([3.0, 2.0]) @ x).high == pytest.approx(8)
    # both sides wide: [0, 2] * [0, 2] = [0, 4] lies within the product of middle and radius
    wide = IntervalArray(np.zeros(1), np.full(1, 2.0))
    assert float((wide @ wide).low) <= 0
    assert 4 <= float((wide @ wide).high) < 4.001


def test_poles_and_unbounded_ends():
    for divisor in (IntervalArray(-1.0, 1.0), IntervalArray(0.0, 1.0), IntervalArray(-1.0, 0.0)):
        with pytest.raises(OutsideDomainError, match="divisor without 0"):
            _ = 1.0 / divisor
    unbounded = IntervalArray(np.array(1.0), np.array(np.inf))
    assert float((0.0 * unbounded).high) < 1e-300
    assert float((unbounded - unbounded).low) == -np.inf
    assert float((1.0 / unbounded).low) <= 0
    assert float((1e300 * point(1e300)).low[0]) == np.finfo(float).max


def test_dependency_is_not_seen():
    x = IntervalArray(np.array(0.0), np.array(1.0))
    assert float((x - x).low) < -0.9
    assert float((x**2).low) == 0


@pytest.mark.parametrize(
    "attempt",
    [
        lambda x: x < 1,
        lambda x: x == 1,
        bool,
        float,
        lambda x: np.asarray(x),
        lambda x: np.floor(x),
        lambda x: np.add.reduce(x),
        lambda x: np.linalg.norm(x),
        lambda x: np.where(x > 0, x, 0),
    ],
)
@pytest.mark.parametrize("kind", ["interval", "dual"])
def test_branches_and_unknown_operations_are_refused(attempt, kind):
    x = point(1.0)
    with pytest.raises(InputError, match="a map on intervals uses"):
        attempt(x if kind == "interval" else IntervalDual(x, point(1.0).reshape(1, 1)))


def test_bad_input():
    with pytest.raises(InputError, match="low <= high"):
        IntervalArray(np.array(1.0), np.array(0.0))
    with pytest.raises(InputError, match="no NaN"):
        IntervalArray(np.array(np.nan), np.array(0.0))
    with pytest.raises(InputError, match="above 0"):
        np.log(point(0.0))
    with pytest.raises(InputError, match="0 or more"):
        np.sqrt(point(-1.0))
    with pytest.raises(InputError, match=r"0\.5, 0, 1, 2"):
        point(2.0) ** 0.3
    with pytest.raises(TypeError, match="unsupported"):
        point(2.0) * None


WEIGHTS = np.random.default_rng(0).normal(size=(3, 3))


def net(x):
    return np.tanh(WEIGHTS @ x + 0.1)


def everything(x):
    row = np.stack([np.exp(x[0]) / (2 + x[1] ** 2), np.sin(x[1]) * np.cos(x[2]), np.sqrt(1 + x[2] ** 2)])
    more = np.concatenate([np.maximum(row, 0.3)[:2], np.log(5 + np.abs(x[2:] ** 3))])
    return -(more - 2.0) * row / more.mean() + x @ WEIGHTS + (1 - x.sum()) / 3.0 + np.square(x).reshape(3)


def attention(x):
    tokens = x.reshape(3, 1) * np.array([[1.0, 0.5]])
    scores = np.exp(tokens @ tokens.T)
    return ((scores / scores.sum(1).reshape(3, 1)) @ tokens).sum(1)


@pytest.mark.parametrize("step", [net, everything, attention])
def test_jacobian_against_finite_differences(step):
    rng = np.random.default_rng(1)
    for _ in range(5):
        x = rng.normal(size=3)
        image, slopes = interval_jacobian(step, IntervalArray.of(x))
        assert image.within(IntervalArray(step(x) - 1e-12, step(x) + 1e-12))
        assert image.contains(step(x))
        differences = [(step(x + h) - step(x - h)) / 2e-6 for h in 1e-6 * np.eye(3)]
        assert slopes.middle == pytest.approx(np.array(differences).T, abs=1e-7)
        assert slopes.radius.max() < 1e-12


@pytest.mark.parametrize("step", [net, everything, attention])
def test_jacobian_over_a_box_holds_every_secant(step):
    # mean value theorem: f(x) - f(y) = J (x - y) with a J of the hull
    rng = np.random.default_rng(2)
    centre = rng.normal(size=3)
    image, slopes = interval_jacobian(step, IntervalArray(centre - 0.05, centre + 0.05))
    for _ in range(100):
        x, y = centre + rng.uniform(-0.05, 0.05, (2, 3))
        assert image.contains(step(x))
        moved = slopes @ (x - y)
        assert (moved + step(y)).contains(step(x))


def test_kinks_give_both_slopes():
    box = IntervalArray(np.array([-1.0]), np.array([2.0]))
    for step, ends in [
        (np.abs, (-1, 1)),
        (lambda x: np.maximum(x, 0.0), (0, 1)),
        (lambda x: np.minimum(x, 0.0), (0, 1)),
    ]:
        slopes = interval_jacobian(step, box)[1]
        assert (slopes.low[0, 0], slopes.high[0, 0]) == pytest.approx(ends)
    assert interval_jacobian(lambda x: np.maximum(x, 0.0), IntervalArray.of(np.ones(1)))[1].low[0, 0] == 1


def test_constant_map_and_shape():
    box = point(1.0, 2.0)
    image, slopes = interval_jacobian(lambda x: np.array([3.0, 4.0]), box)
    assert image.low.tolist() == [3, 4]
    assert slopes.high.tolist() == [[0, 0], [0, 0]]
    with pytest.raises(InputError, match="one vector"):
        interval_jacobian(lambda x: x[0], box)
