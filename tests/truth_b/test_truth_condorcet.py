"""Condorcet: known values, brute force, and laws."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from scipy import stats

from limitset.core.agreements import Source, groups_of, unit_shares
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.intervals import jackknife_interval
from limitset.core.levels import Level
from limitset.core.majorities import correlated_majority, equivalent_votes, majority_accuracy
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies, tallied
from limitset.core.voting import after_one_run_each
from limitset.datasets.planted.panels import (
    clones_world,
    independent_world,
    mixture_world,
    planted_tallies,
    shared_difficulty_world,
    stratified_world,
)
from limitset.instruments.truth.condorcet import condorcet


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_known_majorities() -> None:
    np.testing.assert_allclose(
        majority_accuracy(np.array([3, 5, 9]), 0.7), [0.784, 0.83692, 0.90119], atol=5e-6
    )
    assert float(majority_accuracy(9, 0.63)) == pytest.approx(0.7928, abs=5e-5)
    assert correlated_majority(9, 0.7, 0.2) == pytest.approx(0.78365, abs=5e-6)
    assert correlated_majority(9, 0.7, 0.4375) == pytest.approx(0.73013, abs=5e-6)


def test_majority_is_the_binomial_tail() -> None:
    expected = sum(comb(7, k) * 0.6**k * 0.4 ** (7 - k) for k in range(4, 8))
    assert float(majority_accuracy(7, 0.6)) == pytest.approx(expected)
    assert correlated_majority(7, 0.6, 0.0) == pytest.approx(expected)
    assert correlated_majority(7, 0.6, 1.0) == pytest.approx(0.6)
    assert np.isnan(correlated_majority(7, 0.6, -0.1))


def test_equivalent_votes_invert_the_majority() -> None:
    sizes = np.array([1.0, 3.0, 8.2, 101.0])
    np.testing.assert_allclose(equivalent_votes(majority_accuracy(sizes, 0.6), 0.6), sizes, rtol=1e-6)
    assert np.isnan(equivalent_votes(0.5, 0.5))  # at most half of the voters are right
    assert np.isnan(equivalent_votes(0.69, 0.7))  # one voter does better
    assert np.isinf(equivalent_votes(1.0, 0.7))


def test_by_hand() -> None:
    # two questions; a is right on both, b on the first, c on none; wrong answers differ
    ends = Ends.of(
        item=["p", "q"] * 3, system=[*"aabbcc"], end=["r", "r", "r", "x", "y", "z"], right=[1, 1, 1, 0, 0, 0]
    )
    got = condorcet(tallied(ends), rng=rng())
    three = got.accuracy.where(unit="models", size=3)
    # p: r has 2 of 3 votes; q: three answers tie, right 1/3; mean 2/3. p(right) = 1/2, majority 1/2
    assert three.one(estimate="observed").value == pytest.approx(2 / 3)
    assert three.one(estimate="independent").value == pytest.approx(0.5)
    assert three.one(estimate="independent").null_kind == "independent"
    # pairs right together: p 1/3, q 0; mean 1/6 < 1/4: no beta-binomial is so uncorrelated
    assert "beta-binomial" in three.one(estimate="correlated").blank_reason
    row = next(iter(got.equivalent.where(unit="models").rows()))
    assert (row.parameters["outcome"], row.parameters["size"]) == ("below one vote", 3)
    assert (row.low, row.high) == (0.0, 1.0)


def test_mixture_of_nine_models() -> None:
    tallies = planted_tallies(mixture_world(models=9), questions=2000, seeds=1, rng=rng())
    got = condorcet(tallies, rng=rng(1), draws=1)
    nine = got.accuracy.where(unit="models", size=9)
    assert nine.one(estimate="observed").value == pytest.approx(0.658, abs=0.03)
    assert nine.one(estimate="independent").value == pytest.approx(0.7928, abs=0.03)
    # one run a model: runs and models are the same voters
    assert got.accuracy.one(unit="votes", size=9, estimate="observed").value == pytest.approx(
        nine.one(estimate="observed").value
    )
    row = next(iter(got.equivalent.where(unit="models").rows()))
    assert row.parameters["outcome"] == "equivalent"
    assert 1 < row.value < 2  # nine judges, less than two votes
    assert row.low < row.value < row.high


def test_independent_voters_reach_the_binomial() -> None:
    tallies = planted_tallies(
        independent_world(accuracy=0.7, wrong_classes=1), questions=1000, seeds=5, rng=rng()
    )
    got = condorcet(tallies, rng=rng(1), draws=1)
    five = got.accuracy.where(unit="votes", size=5)
    assert five.one(estimate="observed").value == pytest.approx(0.83692, abs=0.03)
    assert five.one(estimate="independent").value == pytest.approx(0.83692, abs=0.03)
    assert next(iter(got.equivalent.where(unit="votes").rows())).value == pytest.approx(5, abs=2)
    assert "three or more" in next(iter(got.equivalent.where(unit="models").rows())).blank_reason


def test_clones_are_one_vote() -> None:
    tallies = planted_tallies(clones_world(accuracy=0.6), questions=200, seeds=1, rng=rng())
    got = condorcet(tallies, rng=rng(), draws=1)
    three = got.accuracy.where(unit="models", size=3)
    assert three.one(estimate="observed").value == pytest.approx(three.one(estimate="correlated").value)
    assert next(iter(got.equivalent.where(unit="models").rows())).value == pytest.approx(1.0)


def test_observed_by_enumeration() -> None:
    tallies = planted_tallies(stratified_world().abstaining(0.2), questions=6, seeds=2, rng=rng())
    got = condorcet(tallies, rng=rng(1), draws=500, size_max=3).accuracy.one(
        unit="votes", size=3, estimate="observed"
    )
    right = []
    for q in range(6):
        own = np.flatnonzero(tallies.class_item == q)
        ballots = []
        for cell in range(4):
            for k in own:
                ballots += [k] * int(tallies.counts[cell, k])
        ballots += [-1] * (8 - len(ballots))
        wins = []
        for votes in product(range(8), repeat=3):
            if len(set(votes)) < 3:
                continue
            cast = [ballots[v] for v in votes if ballots[v] >= 0]
            top = [k for k in set(cast) if cast.count(k) == max(map(cast.count, cast))]
            wins.append(np.mean([tallies.right[k] for k in top]) if top else 0.0)
        right.append(np.mean(wins))
    assert got.value == pytest.approx(np.mean(right), abs=0.03)


def test_models_vote_with_one_run_each() -> None:
    # three models with several runs: a panel of one is right as often as the mean share
    tallies = planted_tallies(mixture_world(models=3), questions=300, seeds=4, rng=rng())
    got = condorcet(tallies, rng=rng(1), draws=50).accuracy
    one = got.where(unit="models", size=1)
    assert one.one(estimate="observed").value == pytest.approx(
        one.one(estimate="independent").value, abs=0.02
    )
    assert sorted(set(got.where(unit="models").axes["size"])) == [1, 3]


def test_panels_of_models_by_enumeration() -> None:
    # the last model has no runs on p, and answers q in one of its two runs
    ends = Ends.of(
        item=[*"pppp", *"qqqqqqqq"],
        system=[*"abcc", *"aabbccdd"],
        seed=[0, 0, 0, 1, *[0, 1] * 4],
        end=["r", "x", "r", "y", "r", "x", "x", "x", "r", "y", "r", None],
        right=[1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, None],
    )
    tallies = tallied(ends)
    units = groups_of(tallies, Source.MODEL)[0]
    shares, present = unit_shares(tallies, tallies.counts, tallies.class_item, units)
    wrong, silent = after_one_run_each(tallies, shares, present, [1, 2, 3], draws=20_000, rng=rng(3))
    runs = {"p": ["r", "x", "ry"], "q": ["rx", "xx", "ry", "r-"]}
    for place, models in enumerate(runs.values()):
        for row, size in enumerate((1, 2, 3)):
            lost, quiet = [], []
            for panel in combinations(models, size):
                # every model has one or two runs, each as likely
                for ballots in product(*(one * (2 // len(one)) for one in panel)):
                    cast = [ballot for ballot in ballots if ballot != "-"]
                    top = [name for name in set(cast) if cast.count(name) == max(map(cast.count, cast))]
                    lost.append(np.mean([name != "r" for name in top]) if top else 0.0)
                    quiet.append(not cast)
            exact = 1e-12 if size == 1 else 0.01
            assert wrong[row, place] == pytest.approx(np.mean(lost), abs=exact)
            assert silent[row, place] == pytest.approx(np.mean(quiet), abs=exact)


def test_correlated_majority_is_scipys_beta_binomial() -> None:
    for size, chance, r in product((1, 4, 9), (0.1, 0.7), (0.05, 0.9)):
        expected = stats.betabinom.sf(size // 2, size, chance * (1 - r) / r, (1 - chance) * (1 - r) / r)
        assert float(correlated_majority(size, chance, r)) == pytest.approx(float(expected))
    # voters that are always or never right, and two outside of what a beta-binomial can be
    got = correlated_majority(3, np.array([1.0, 0.0, 0.6, 0.6]), np.array([0.3, 0.3, 1.2, -0.1]))
    np.testing.assert_array_equal(got, [1.0, 0.0, np.nan, np.nan])


def test_correlated_interval_leaves_out_questions() -> None:
    tallies = planted_tallies(shared_difficulty_world(), questions=30, seeds=3, rng=rng(2))

    def correlated(part: Tallies) -> MeasurementTable:
        got = condorcet(part, rng=rng(), draws=1, size_max=3).accuracy
        return got.where(unit="votes", size=3, estimate="correlated")

    whole = correlated(tallies)
    left_out = np.array([correlated(tallies.of_questions(np.arange(30) != q)).value[0] for q in range(30)])
    expected = jackknife_interval(whole.value[0], left_out)
    assert whole.low[0] == pytest.approx(expected.low)
    assert whole.high[0] == pytest.approx(expected.high)
    assert 0 < whole.low[0] < whole.high[0] < 1


def test_keywords_and_laws() -> None:
    tallies = planted_tallies(mixture_world(models=3), questions=60, seeds=3, rng=rng())
    got = condorcet(tallies, rng=rng(1), draws=20)
    again = condorcet(tallies, rng=rng(1), draws=20)
    more = condorcet(tallies, rng=rng(1), draws=21)
    np.testing.assert_array_equal(got.accuracy.value, again.accuracy.value)
    assert not np.array_equal(got.accuracy.value, more.accuracy.value)
    assert max(condorcet(tallies, rng=rng(), draws=2, size_max=5).accuracy.axes["size"]) == 5
    wide = condorcet(tallies, rng=rng(1), draws=20, confidence=0.99, level=Level.TEXT).accuracy
    assert wide.high[0] > got.accuracy.high[0]
    assert wide.level is Level.TEXT
    # the order of systems does not matter where everybody votes
    other = condorcet(tallies._cells(np.array([2, 0, 1])), rng=rng(5), draws=20).accuracy
    for estimate in ("observed", "independent", "correlated"):
        a, b = (one.one(unit="votes", size=9, estimate=estimate) for one in (got.accuracy, other))
        assert a.value == pytest.approx(b.value)


def test_abstentions_are_not_right() -> None:
    ends = Ends.of(item=["p", "q"], system="m", end=[None, "x"], right=[None, 1])
    row = condorcet(tallied(ends), rng=rng(), draws=1).accuracy.one(unit="votes", size=1, estimate="observed")
    assert row.value == 0.5


def test_refusals() -> None:
    with pytest.raises(InputError, match="no anchor"):
        condorcet(tallied(Ends.of(item=["q"], system="m", end="x")), rng=rng())
    ends = Ends.of(item=["q"], system="m", end="x", right=1)
    with pytest.raises(InputError, match="draws and size_max must be"):
        condorcet(tallied(ends), rng=rng(), draws=0)
    with pytest.raises(InputError, match="draws and size_max must be"):
        condorcet(tallied(ends), rng=rng(), size_max=0)
