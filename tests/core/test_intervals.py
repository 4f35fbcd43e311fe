"""Do intervals have the textbook value where there is one, and honest ends where there is none?"""

import numpy as np
import pytest
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.intervals import (
    effective_number,
    jackknife_interval,
    log_ratio_jackknife,
    logit_jackknife,
    upper_bound,
    wilson,
)


def test_jackknife_of_a_mean_is_the_t_interval():
    # by hand: the jackknife error of a mean is s / sqrt(n)
    x = np.array([2.0, 4.0, 4.0, 5.0, 7.0])
    got = jackknife_interval(x.mean(), (x.sum() - x) / 4)
    want = stats.t.interval(0.95, 4, loc=x.mean(), scale=x.std(ddof=1) / np.sqrt(5))
    assert (got.low, got.high) == pytest.approx(want)
    narrower = jackknife_interval(x.mean(), (x.sum() - x) / 4, confidence=0.5)
    assert narrower.high - narrower.low < got.high - got.low


def test_wilson_agrees_with_scipy():
    got = wilson(7, 20, confidence=0.9)
    want = stats.binomtest(7, 20).proportion_ci(0.9, method="wilson")
    assert (got.low, got.high) == pytest.approx((want.low, want.high))
    assert np.isnan(wilson(0, 0).value)


def test_upper_bound_is_the_exact_binomial_one():
    assert upper_bound(60) == pytest.approx(stats.binomtest(0, 60).proportion_ci(0.9, method="exact").high)
    assert upper_bound(60, confidence=0.5) < upper_bound(60)
    assert upper_bound(0) == 1.0


def test_effective_number_counts_equal_weights():
    assert effective_number(np.array([2.0, 2.0, 0.0])) == 2.0
    assert effective_number(np.zeros(3)) == 0.0


def test_logit_jackknife_covers_and_scales():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        share = rng.beta(1, 2, size=80)  # mean 1/3
        got = logit_jackknife(share, 1 - share)
        hits += got.low <= 1 / 3 <= got.high
    assert 0.92 <= hits / 400 <= 0.98
    share = rng.beta(1, 2, size=80)
    assert logit_jackknife(3 * share, 3 - 3 * share).low == pytest.approx(
        logit_jackknife(share, 1 - share).low
    )
    assert logit_jackknife(share, 1 - share, confidence=0.5).high < logit_jackknife(share, 1 - share).high
    assert logit_jackknife(share, 1 - share, degrees=2).high > logit_jackknife(share, 1 - share).high


@pytest.mark.parametrize("function", [logit_jackknife, log_ratio_jackknife])
def test_no_interval_where_one_question_holds_everything(function):
    got = function(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0]))
    assert np.isnan(got.low)
    assert not np.isnan(got.value)


@pytest.mark.parametrize("function", [logit_jackknife, log_ratio_jackknife])
def test_no_value_without_mass(function):
    assert np.isnan(function(np.zeros(3), np.zeros(3)).value)
    with pytest.raises(InputError, match="got 2 and 3 rows"):
        function(np.ones(2), np.ones(3))


def test_log_ratio_is_a_ratio_and_moves_with_confidence():
    top, bottom = np.array([1.0, 2.0, 3.0, 2.0]), np.array([2.0, 2.5, 4.0, 3.5])
    got = log_ratio_jackknife(top, bottom)
    assert got.value == pytest.approx(8 / 12)
    assert got.low < got.value < got.high
    assert log_ratio_jackknife(top, bottom, confidence=0.5).low > got.low
