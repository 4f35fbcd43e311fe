"""What the truth instruments share: agreement by source, voting, bounds, and the lazy package."""

import importlib
import sys
from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from limitset.core.agreements import Source, distinct_shares, falling_shares, longest, reached_by_most
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, share_or_bound
from limitset.core.voting import after_votes, modal
from limitset.datasets.planted import planted_tallies, stratified_world


@pytest.mark.parametrize(("count", "runs"), [(0, 3), (2, 5), (5, 5), (3, 2)])
def test_falling_shares_count_subsets(count, runs):
    got = falling_shares(np.array([min(count, runs)]), np.array([runs]), 6)[:, 0]
    expected = [comb(min(count, runs), k) / comb(runs, k) if k <= runs else 0.0 for k in range(1, 7)]
    assert got.tolist() == pytest.approx(expected)


def test_distinct_shares_are_means_of_products():
    rng = np.random.default_rng(0)
    shares, present = rng.random((4, 7)), rng.random((4, 7)) < 0.7
    got = distinct_shares(np.where(present, shares, 0.0), present, 4)
    for column in range(7):
        own = shares[present[:, column], column]
        for k in range(1, 5):
            products = [np.prod(chosen) for chosen in combinations(own, k)]
            assert got[k - 1, column] == pytest.approx(np.mean(products) if products else 0.0)


def test_longest_of_a_design():
    panel = planted_tallies(stratified_world(), questions=20, seeds=3, rng=np.random.default_rng(0))
    assert [longest(panel, source) for source in Source] == [3, 2, 2]
    assert reached_by_most(np.array([1] + [5] * 8)) == 1  # eight of nine are less than nine tenths
    assert reached_by_most(np.array([1] + [5] * 9)) == 5
    assert reached_by_most(np.array([], dtype=np.int64)) == 0


def test_bound_of_few_events_is_clopper_pearson():
    part = np.array([1.0] * 3 + [0.0] * 47)
    got = share_or_bound(part, 1 - part)
    exact = stats.binomtest(3, 50, alternative="less").proportion_ci(0.95, method="exact").high
    assert (got.low, got.high) == (0.0, pytest.approx(exact))
    assert got.blank_reason == "fewer than 5 questions carry it"
    assert share_or_bound(part, 1 - part, confidence=0.99).high > got.high
    assert share_or_bound(part, 1 - part, anchor_error=0.1).high == pytest.approx(exact + 0.1)
    many = share_or_bound(1 - part, part)
    assert (many.value, many.high) == (pytest.approx(np.nan, nan_ok=True), 1.0)
    assert many.blank_reason == "fewer than 5 questions carry the rest"
    assert many.low == pytest.approx(
        stats.binomtest(47, 50, alternative="greater").proportion_ci(0.95, method="exact").low
    )
    assert share_or_bound(1 - part, part, anchor_error=0.1).low == pytest.approx(many.low - 0.1)
    assert share_or_bound(1 - part, part, anchor_error=1.0).low == 0.0


def test_bounds_mirror_each_other_down_to_one_question():
    # 0 of n: 1 - alpha^(1/n); below twenty questions alpha is halved
    for n, alpha in ((1, 0.025), (9, 0.025), (19, 0.025), (20, 0.05), (100, 0.05)):
        none, every = share_or_bound(np.zeros(n), np.ones(n)), share_or_bound(np.ones(n), np.zeros(n))
        assert (none.low, none.high) == (0.0, pytest.approx(1 - alpha ** (1 / n)))
        assert (every.low, every.high) == (pytest.approx(alpha ** (1 / n)), 1.0)
    assert (none.blank_reason, every.blank_reason) == (
        "no question carries it",
        "no question carries the rest",
    )
    # as few on either side: the bound is the upper one
    even = share_or_bound(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert (even.low, even.blank_reason) == (0.0, "fewer than 5 questions carry it")


@pytest.mark.parametrize("n", [1, 2, 4, 6, 9, 12, 19, 20, 30])
def test_no_share_is_missed_by_more_than_one_bound_in_twenty(n):
    shares = np.linspace(0.01, 0.99, 99)
    missed = np.zeros(shares.size)
    for events in range(n + 1):
        part = np.repeat([1.0, 0.0], [events, n - events])
        got = share_or_bound(part, 1 - part)
        if got.blank_reason:
            missed += stats.binom.pmf(events, n, shares) * ((shares < got.low) | (shares > got.high))
    assert missed.max() <= 0.05 + 1e-9


def test_interval_uses_the_side_that_fewer_carry():
    few, most = np.array([1.0] * 6 + [0.0] * 94), np.array([0.0] * 6 + [1.0] * 94)
    got, mirrored = share_or_bound(few, most), share_or_bound(most, few)
    assert mirrored.low == pytest.approx(1 - got.high)
    assert mirrored.high == pytest.approx(1 - got.low)
    # logit of 6/94; leaving one out gives log(5/94) six times and log(6/93) ninety-four times
    left = np.array([np.log(5 / 94)] * 6 + [np.log(6 / 93)] * 94)
    error = np.sqrt(99 / 100 * ((left - left.mean()) ** 2).sum())
    high = np.log(6 / 94) + stats.t.ppf(0.975, 5) * error
    assert got.high == pytest.approx(1 / (1 + np.exp(-high)))
    assert share_or_bound(few, most, anchor_error=1.0).low == 0.0


def test_no_mass_and_no_match():
    nothing = share_or_bound(np.zeros(4), np.zeros(4))
    assert nothing.blank_reason == "it never happened"
    assert columns_of([nothing, Interval.blank("why")])["blank_reason"] == ["it never happened", "why"]
    with pytest.raises(InputError, match="same questions"):
        share_or_bound(np.zeros(4), np.zeros(3))


def test_voting_on_all_runs_needs_no_draws_and_matches_the_mode():
    panel = planted_tallies(stratified_world(), questions=50, seeds=4, rng=np.random.default_rng(1)).pooled()
    first, _ = after_votes(panel, [1, 16], draws=1, rng=np.random.default_rng(1))
    second, _ = after_votes(panel, [1, 16], draws=1, rng=np.random.default_rng(2))
    assert first.tolist() == second.tolist()
    assert first[1].tolist() == pytest.approx(modal(panel)[1].tolist())


@pytest.mark.parametrize("name", ["outcomes", "condorcet", "same_wrong"])
def test_functions_named_like_their_file_stay_functions(name):
    importlib.import_module(f"limitset.instruments.truth.{name}")
    assert callable(getattr(sys.modules["limitset.instruments.truth"], name))


@pytest.mark.parametrize("package", ["limitset.instruments.truth", "limitset.datasets.planted"])
def test_every_public_name_loads(package):
    module = importlib.import_module(package)
    assert dir(module) == module.__all__ == sorted(module.__all__, key=str)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing
