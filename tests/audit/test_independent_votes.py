"""The plurality of voters that share nothing: by hand, by the jury theorem, by enumeration and by drawing."""

from itertools import product

import numpy as np
import pytest

from limitset.core import independent_votes
from limitset.core.errors import InputError
from limitset.core.independent_votes import independent_plurality, predicted_pluralities
from limitset.core.majorities import majority_accuracy


def enumerated(votes, chances):
    """Go through every outcome; the last class is silent."""
    total = 0.0
    for outcome in product(range(len(chances)), repeat=votes):
        counts = np.bincount(outcome, minlength=len(chances))[:-1]
        if counts.max() > 0 and counts[0] == counts.max():
            total += np.prod([chances[one] for one in outcome]) / (counts == counts.max()).sum()
    return total


@pytest.mark.parametrize("votes", [1, 3, 5, 9, 23])
def test_with_one_wrong_answer_it_is_the_majority(votes):
    got = independent_plurality(votes, 0.7, np.array([1.0]))
    assert got == pytest.approx(float(majority_accuracy(votes, 0.7)), abs=1e-9)


def test_two_votes_are_worth_one():
    # both right 1/4; one right and one wrong 1/2, split: 1/4 + 1/4
    assert independent_plurality(2, 0.5, np.array([0.6, 0.4])) == pytest.approx(0.5)


@pytest.mark.parametrize("votes", [2, 4, 5, 6])
@pytest.mark.parametrize("silent", [0.0, 0.2])
def test_every_outcome_enumerated(votes, silent):
    wrong = np.array([0.5, 0.3, 0.2])
    chances = [0.45, *((0.55 - silent) * wrong), silent]
    got = independent_plurality(votes, 0.45, wrong, silent=silent)
    assert got == pytest.approx(enumerated(votes, chances), abs=1e-12)


def test_many_wrong_answers_help_the_right_one():
    one, many = (independent_plurality(7, 0.4, np.full(k, 1 / k)) for k in (1, 6))
    assert one < 0.4 < many


def test_drawn_and_counted_agree(monkeypatch):
    wrong = np.array([0.7, 0.2, 0.1])
    counted = independent_plurality(45, 0.4, wrong, silent=0.05)
    monkeypatch.setattr(independent_votes, "EXACT_UP_TO", 10)
    assert independent_plurality(45, 0.4, wrong, silent=0.05) == pytest.approx(counted, abs=0.012)


def test_nobody_answers():
    assert independent_plurality(3, 0.0, np.array([1.0]), silent=1.0) == 0.0
    assert independent_plurality(60, 0.0, np.array([1.0]), silent=1.0) == 0.0


@pytest.mark.parametrize(("votes", "right", "shares"), [(0, 0.5, [1.0]), (3, 1.5, [1.0]), (3, 0.5, [0.4])])
def test_what_is_no_chance_is_refused(votes, right, shares):
    with pytest.raises(InputError, match="votes must be 1 or more"):
        independent_plurality(votes, right, np.array(shares))


def test_with_one_wrong_answer_equal_correlation_is_the_beta_binomial():
    rng = np.random.default_rng(0)
    p, r = 0.7, 0.2
    load = (1 - r) / r
    chance = rng.beta(p * load, (1 - p) * load, 40_000)
    alone, together = predicted_pluralities(chance, chance**2, np.array([1.0]), size=9)
    assert together.value == pytest.approx(0.78365, abs=0.006)  # the known value at 9 voters, correlation .2
    assert alone.value == pytest.approx(0.90119, abs=0.006)
    assert together.low < 0.78365 < together.high
    # 40,000 questions: the width is about that of a mean of 40,000 shares
    assert 0.001 < together.high - together.low < 0.02


def test_clones_vote_as_one_and_their_interval_is_that_of_one():
    right = np.array([1.0] * 70 + [0.0] * 30)
    alone, together = predicted_pluralities(right, right, np.array([1.0]), size=5)
    assert together.value == pytest.approx(0.7)
    assert together.high - together.low == pytest.approx(0.18, abs=0.03)
    assert alone.value == pytest.approx(float(majority_accuracy(5, 0.7)), abs=1e-3)


def test_silence_costs_votes():
    right = np.full(200, 0.6)
    full, _ = predicted_pluralities(right, right**2, np.array([1.0]), size=5)
    quiet, _ = predicted_pluralities(right, right**2, np.array([1.0]), size=5, silent=1.0)
    assert quiet.value == pytest.approx(1 - 0.4**5, abs=1e-3)  # nobody speaks against it
    assert full.value < quiet.value


def test_voters_that_avoid_each_others_errors_are_no_beta():
    _, together = predicted_pluralities(np.full(50, 0.5), np.full(50, 0.1), np.array([1.0]), size=3)
    assert np.isnan(together.value)
    assert "beta" in together.blank_reason


def test_wider_confidence_is_wider():
    right = np.random.default_rng(1).random(80)
    narrow, wide = (
        predicted_pluralities(right, right**2, np.array([0.5, 0.5]), size=5, confidence=c)[1]
        for c in (0.8, 0.99)
    )
    assert wide.high - wide.low > narrow.high - narrow.low
