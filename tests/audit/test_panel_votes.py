"""Votes of subsets: brute force over ballots, worked values, ties, silence, several runs."""

from itertools import combinations

import numpy as np
import pytest

from limitset.core.cross_fitting import cross_fitted
from limitset.core.ends import Ends
from limitset.core.paired_means import mean_difference, mean_share
from limitset.core.random_panels import errors_by_size
from limitset.core.subset_search import _one_by_one, best_subsets
from limitset.core.subset_votes import (
    after_adding,
    after_removing,
    ballots_of_runs,
    ballots_of_systems,
    counted,
    errors_without_each,
)
from limitset.core.tallies import tallied
from limitset.core.vote_patterns import patterns_of
from limitset.datasets.planted import mixture_world, planted_tallies


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def ballots():
    """Five systems, four classes, a fifth of the runs silent."""
    tallies = planted_tallies(mixture_world(models=5).abstaining(0.2), questions=40, seeds=1, rng=rng())
    return ballots_of_systems(tallies, rounds=8, rng=rng())


def brute(ballots, members, place):
    cast = [ballots.slot[m, place] for m in members if not ballots.silent[ballots.slot[m, place]]]
    top = [slot for slot in set(cast) if cast.count(slot) == max(map(cast.count, cast))]
    return float(np.mean([ballots.wrong[slot] for slot in top])) if top else 1.0


def by_brute_force(ballots, members):
    return np.array([brute(ballots, members, place) for place in range(ballots.slot.shape[1])])


def test_one_run_each_is_one_round(ballots):
    assert ballots.rounds == 1
    assert ballots.voters == ("m0", "m1", "m2", "m3", "m4")


@pytest.mark.parametrize("members", [(0,), (1, 3), (0, 2, 4), (0, 1, 2, 3, 4)])
def test_a_count_is_the_count_of_plain_lists(ballots, members):
    standing = counted(ballots, ballots.cast(members))
    np.testing.assert_allclose(standing.error, by_brute_force(ballots, members))


def test_one_voter_more_or_less_needs_no_new_count(ballots):
    standing = counted(ballots, ballots.cast([0, 1, 2]))
    more, less = after_adding(ballots, standing), after_removing(ballots, standing)
    for voter in (3, 4):
        np.testing.assert_allclose(more[ballots.slot[voter]], by_brute_force(ballots, (0, 1, 2, voter)))
    for voter in range(3):
        left = tuple(one for one in range(3) if one != voter)
        np.testing.assert_allclose(less[ballots.slot[voter]], by_brute_force(ballots, left))


def test_leaving_one_out_of_all(ballots):
    whole, without = errors_without_each(ballots)
    np.testing.assert_allclose(whole, by_brute_force(ballots, range(5)))
    for voter in range(5):
        left = tuple(one for one in range(5) if one != voter)
        np.testing.assert_allclose(without[voter], by_brute_force(ballots, left))


def test_all_subsets_by_patterns(ballots):
    sizes = [1, 2, 3, 4, 5]
    got, drawn = errors_by_size(ballots, sizes, draws=1, rng=rng())
    assert drawn == 0
    for size, own in zip(sizes, got, strict=True):
        expected = np.mean([by_brute_force(ballots, one) for one in combinations(range(5), size)], axis=0)
        np.testing.assert_allclose(own, expected)


def test_random_orders_come_to_the_same():
    tallies = planted_tallies(mixture_world(models=18), questions=30, seeds=1, rng=rng())
    ballots = ballots_of_systems(tallies, rounds=1, rng=rng())
    got, drawn = errors_by_size(ballots, [1, 2, 3, 18], draws=3000, rng=rng(1))
    assert drawn == 3000  # 18 systems: not all subsets
    np.testing.assert_allclose(got[0], ballots.wrong[ballots.slot].mean(axis=0))  # one voter is exact
    for row, size in ((1, 2), (2, 3)):
        expected = [by_brute_force(ballots, one) for one in combinations(range(18), size)]
        np.testing.assert_allclose(got[row], np.mean(expected, axis=0), atol=0.04)
    np.testing.assert_allclose(got[3], by_brute_force(ballots, range(18)))
    few, drawn = errors_by_size(ballots, [2], draws=2, rng=rng(1))
    assert drawn == 2
    assert not np.allclose(few, got[1])


def test_rounds_cast_every_run_equally_often():
    tallies = planted_tallies(mixture_world(models=3), questions=25, seeds=4, rng=rng())
    ballots = ballots_of_systems(tallies, rounds=8, rng=rng())
    assert ballots.rounds == 8
    for system in range(3):
        own = ballots.by_question(ballots.wrong[ballots.slot[system]].astype(float))
        right = tallies.by_question((tallies.counts[system] * tallies.right).astype(float)) / 4
        np.testing.assert_allclose(own, 1 - right)


def test_runs_of_one_system_vote_each_once():
    tallies = planted_tallies(mixture_world(models=1), questions=25, seeds=5, rng=rng())
    ballots = ballots_of_runs(tallies, runs=5, rng=rng())
    np.testing.assert_array_equal(
        np.bincount(ballots.slot.ravel(), minlength=ballots.wrong.size)[~ballots.silent], tallies.counts[0]
    )


def test_a_question_with_more_runs_lends_some_of_them():
    ends = Ends.of(
        item=[*"ppp", *"qqqq"], system="m", seed=[0, 1, 2, 0, 1, 2, 3], end=[*"xyy", *"abcd"], right=0
    )
    ballots = ballots_of_runs(tallied(ends), runs=3, rng=rng())
    assert ballots.slot.shape == (3, 2)
    assert len(set(ballots.slot[:, 1])) == 3  # without replacement
    seen = {tuple(sorted(ballots_of_runs(tallied(ends), runs=3, rng=rng(s)).slot[:, 1])) for s in range(30)}
    assert len(seen) == 4
    assert ballots_of_runs(tallied(ends), runs=4, rng=rng()).lacking == 1


def test_a_system_that_lacks_many_questions_is_left_out_and_named():
    # c has 17 of 20 questions; b lacks the last one
    rows = [
        {"item": f"q{q}", "system": s, "end": "x", "right": 1}
        for s, count in (("a", 20), ("b", 19), ("c", 17))
        for q in range(count)
    ]
    ballots = ballots_of_systems(tallied(Ends.of_rows(rows)), rounds=1, rng=rng())
    assert ballots.voters == ("a", "b")
    assert ballots.left_out == ("c",)
    assert ballots.lacking == 1
    assert "left out for lacking over a tenth of the questions: c" in ballots.notes


def test_patterns_are_counted_once():
    tallies = planted_tallies(mixture_world(models=3), questions=500, seeds=1, rng=rng())
    patterns = patterns_of(ballots_of_systems(tallies, rounds=1, rng=rng()))
    assert patterns.wrong.shape[0] < 40
    assert patterns.where.shape == (1, 500)


def test_the_best_subset_by_brute_force(ballots):
    weights = np.stack([np.ones(40), (np.arange(40) % 3 > 0).astype(float)])
    found, tried = best_subsets(ballots, [2, 3], weights)
    assert tried
    for row, own in enumerate(weights):
        for size in (2, 3):
            totals = {one: by_brute_force(ballots, one) @ own for one in combinations(range(5), size)}
            assert totals[found[row][size]] == pytest.approx(min(totals.values()))
    kept, _ = best_subsets(ballots, [3], weights, present=[4])
    assert 4 in kept[0][3]


def test_adding_and_exchanging_finds_nearly_the_best():
    tallies = planted_tallies(mixture_world(models=8), questions=60, seeds=1, rng=rng(3))
    ballots = ballots_of_systems(tallies, rounds=1, rng=rng())
    weights = np.ones(60)
    exact = best_subsets(ballots, [1, 3, 5], weights[None])[0][0]
    greedy = _one_by_one(ballots, [1, 3, 5], weights, [])
    assert greedy[1] == exact[1]
    for size in (3, 5):
        best, found = (by_brute_force(ballots, one[size]).mean() for one in (exact, greedy))
        assert best <= found <= best + 0.04
        everyone = [by_brute_force(ballots, one).mean() for one in combinations(range(8), size)]
        assert found < np.quantile(everyone, 0.2)


def test_a_choice_is_judged_on_questions_that_did_not_make_it():
    # the first system is right on the first half, the second on the other: whoever is best on a fold's
    # complement is worst on the fold
    ends = Ends.of(
        item=[f"q{q}" for q in range(8)] * 2,
        system=["a"] * 8 + ["b"] * 8,
        end=[*"rrrrxxxx", *"yyyyrrrr"],
        right=[1] * 4 + [0] * 8 + [1] * 4,
    )
    ballots = ballots_of_systems(tallied(ends), rounds=1, rng=rng())
    got = cross_fitted(ballots, [1], present=[], folds=4, rng=rng())
    naive = counted(ballots, ballots.cast(got.chosen[1])).error.mean()
    assert naive == 0.5
    assert got.errors[1].mean() > 0.6
    assert got.widening(1, np.full(8, 0.5), np.arange(8)) > 1


def test_mean_difference_by_hand():
    # d = 1, 0, -1, 1 25 times: mean .25, sum of squares 75 - 100 / 16 = 68.75; se = sqrt(100/99 * 68.75) / 100
    got = mean_difference(np.array([1.0, 0.0, -1.0, 1.0] * 25), np.arange(100))
    assert got.value == 0.25
    error = np.sqrt(100 / 99 * 68.75) / 100
    assert got.high - got.value == pytest.approx(1.99254 * error, rel=1e-4)  # t(.975, 74)
    assert got.value - got.low == pytest.approx(got.high - got.value)


def test_nothing_that_differs_has_a_width_all_the_same():
    # 1 - .025 ** (1 / 200) = .0183
    got = mean_difference(np.zeros(200), np.arange(200))
    assert (got.value, got.low, got.high) == (
        0.0,
        pytest.approx(-0.01827, abs=1e-5),
        pytest.approx(0.01827, abs=1e-5),
    )
    together = mean_difference(np.zeros(200), np.arange(200), comparisons=5)
    assert together.high == pytest.approx(1 - 0.005 ** (1 / 200))
    assert mean_difference(np.zeros(200), np.arange(200), confidence=0.8).high < got.high


def test_clusters_are_the_units():
    d = np.repeat(np.array([1.0, 0.0, -1.0, 1.0] * 10), 5)
    alone, grouped = mean_difference(d, np.arange(200)), mean_difference(d, np.repeat(np.arange(40), 5))
    assert grouped.n == 40
    assert (grouped.high - grouped.low) / (alone.high - alone.low) == pytest.approx(np.sqrt(5), rel=0.06)
    share = mean_share(np.repeat([1.0, 0.0], 100), np.repeat(np.arange(40), 5))
    assert share.n == 40


def test_no_question_is_blank():
    assert mean_difference(np.zeros(0), np.zeros(0, dtype=int)).blank_reason == "no question"
    assert mean_share(np.zeros(0), np.zeros(0, dtype=int)).blank_reason == "no question"
