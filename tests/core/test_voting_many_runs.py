"""Is a vote of some runs counted right, exactly for few runs and by the same law for many?"""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from limitset.core import voting
from limitset.core.plurality import MOST_EXACT, exact_votes
from limitset.core.tallies import Tallies
from limitset.core.voting import after_one_run_each, after_votes


def panel(counts, right, silent=0):
    """One question a row of counts; every row has the same answers."""
    counts = np.asarray(counts)
    questions, classes = counts.shape
    return Tallies(
        items=np.array([f"q{q}" for q in range(questions)], dtype=object),
        strata=np.array(["all"] * questions, dtype=object),
        anchor_error=np.full(questions, np.nan),
        systems=np.array(["m"], dtype=object),
        paraphrases=np.array([""], dtype=object),
        class_item=np.repeat(np.arange(questions), classes),
        class_name=np.array([f"a{c}" for _ in range(questions) for c in range(classes)], dtype=object),
        class_right=np.tile(np.asarray(right, dtype=float), questions),
        counts=counts.reshape(1, -1),
        runs=counts.sum(axis=1)[None] + silent,
        abstained=np.zeros((1, questions), dtype=np.int64),
        unparsed=np.zeros((1, questions), dtype=np.int64),
    )


def by_subsets(counts, bad, votes):
    """Walk through every subset of the runs."""
    labels = np.repeat(np.arange(len(counts)), counts)
    found = []
    for chosen in combinations(labels.tolist(), votes):
        tally = np.bincount(chosen, minlength=len(counts))[:-1]
        leads = (tally == tally.max()) & (tally > 0)
        found.append((leads & bad[:-1]).sum() / max(leads.sum(), 1))
    return np.mean(found)


@pytest.mark.parametrize("seed", range(8))
def test_exact_votes_are_those_of_all_subsets(seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 6))
    runs = int(rng.integers(2, 9))
    counts = rng.multinomial(runs, np.full(classes, 1 / classes), size=3)
    bad = rng.random((3, classes)) < 0.6
    votes = list(range(1, runs + 1))
    got = exact_votes(counts, bad, votes)
    want = [[by_subsets(counts[q], bad[q], n) for q in range(3)] for n in votes]
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_by_hand():
    # 2 right, 1 wrong: one run is wrong 1/3; of the 3 pairs 2 tie (half wrong): 1/3; all three: right
    wrong, silent = after_votes(panel([[2, 1]], [1, 0]), [1, 2, 3], draws=1, rng=np.random.default_rng(0))
    np.testing.assert_allclose(wrong.ravel(), [1 / 3, 1 / 3, 0])
    assert silent.tolist() == [[0], [0], [0]]


def test_silence_is_hypergeometric():
    _, silent = after_votes(
        panel([[3, 2]], [1, 0], silent=4), [1, 2, 4], draws=1, rng=np.random.default_rng(0)
    )
    want = [stats.hypergeom.pmf(n, 9, 4, n) for n in (1, 2, 4)]
    np.testing.assert_allclose(silent.ravel(), want)


@pytest.mark.parametrize("votes", [[2, 3, 5], [2, 9, 13]])
def test_drawn_votes_follow_the_exact_law(votes):
    # 14 runs are drawn; [2, 3, 5] by tickets one by one, [2, 9, 13] by whole orders
    counts = np.tile([[5, 4, 3]], (400, 1))
    wrong, _ = after_votes(panel(counts, [1, 0, 0], silent=2), votes, draws=200, rng=np.random.default_rng(1))
    full = np.array([[5, 4, 3, 2]])
    want = exact_votes(full, np.array([[False, True, True, False]]), votes).ravel()
    assert full.sum() > MOST_EXACT
    np.testing.assert_allclose(wrong.mean(axis=1), want, atol=4 * 0.5 / np.sqrt(400 * 200))


def test_many_questions_get_fewer_orders(monkeypatch):
    tallies = panel(np.tile([[9, 8]], (50, 1)), [1, 0])
    few = [after_votes(tallies, [2, 5], draws=200, rng=np.random.default_rng(s))[0] for s in (0, 0)]
    monkeypatch.setattr(voting, "_BALLOTS", 50 * 17 * 30)
    fewer, _ = after_votes(tallies, [2, 5], draws=200, rng=np.random.default_rng(0))
    assert np.array_equal(few[0], few[1])
    # 30 orders of 5 votes: every share is a multiple of 1/60 (a tie of two votes counts half)
    assert np.allclose(fewer * 60, np.rint(fewer * 60))
    assert not np.allclose(few[0] * 60, np.rint(few[0] * 60))


def test_one_run_each_follows_the_law_of_its_voters():
    # voters that are right .9, .6 and .3: two of them (each pair alike) tie or agree
    tallies = panel(np.tile([[2, 1]], (600, 1)), [1, 0])
    chance = np.array([0.9, 0.6, 0.3])
    shares = np.stack([np.tile([c, 1 - c], 600) for c in chance])
    present = np.ones((3, 600), dtype=bool)
    wrong, silent = after_one_run_each(
        tallies, shares, present, [1, 2, 3], draws=300, rng=np.random.default_rng(2)
    )
    pairs = [(1 - a) * (1 - b) + 0.5 * (a * (1 - b) + b * (1 - a)) for a, b in combinations(chance, 2)]
    a, b, c = 1 - chance
    three = a * b * c + a * b * (1 - c) + a * (1 - b) * c + (1 - a) * b * c
    np.testing.assert_allclose(wrong.mean(axis=1), [0.4, np.mean(pairs), three], atol=0.005)
    assert silent.max() == 0
