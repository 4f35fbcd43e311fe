from itertools import combinations
from math import comb

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_tallies
from limitset.instruments.truth import pass_at_k
from limitset.instruments.truth.pass_at_k import some_right


def runs(answers, *, key="x", **more):
    """One question or several; None: no answer."""
    rows = [(f"q{n}", seed, end) for n, one in enumerate(answers) for seed, end in enumerate(one)]
    names = [f"q{n}" for n in range(len(answers))]
    ends = Ends.of(
        item=[row[0] for row in rows],
        system="m",
        seed=[row[1] for row in rows],
        end=[row[2] for row in rows],
        right=[None if row[2] is None else float(row[2] == key) for row in rows],
    )
    return tallied(ends, Items.of(item=names, text=names, **more))


def curve(answers, **options):
    key = options.pop("key", "x")
    return pass_at_k(runs(answers, key=key), **{"rng": np.random.default_rng(0), **options}).curve


def test_published_value():
    # Chen et al.: 1 - C(7, 5) / C(10, 5) = 1 - 21 / 252
    got = curve([["x"] * 3 + ["y"] * 7]).one(k=5, measure="some right")
    assert got.value == pytest.approx(0.916667, abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 7, 100])
def test_products_equal_binomials_and_every_subset(k):
    right, total = np.array([0, 1, 3, 60, 100]), np.full(5, 100)
    exact = [1 - comb(int(100 - c), k) / comb(100, k) for c in right]
    assert some_right(right, total, k) == pytest.approx(exact, abs=1e-12)
    if k <= 7:
        few = [any(subset) for subset in combinations([1] * 3 + [0] * 5, k)]
        assert some_right(np.array([3]), np.array([8]), k)[0] == pytest.approx(np.mean(few))


def test_majority_is_the_most_frequent_answer_and_not_the_first_distinct_one():
    # three runs of four say 5; counting distinct answers once each would pick 3
    got = curve([["3", "5", "5", "5"]], key="5")
    assert got.one(k=4, measure="vote right").value == 1.0
    got = curve([["3", "5", "5", "5"]], key="3")
    assert got.one(k=4, measure="vote right").value == 0.0
    assert got.one(k=4, measure="some right").value == 1.0
    assert got.one(k=4, measure="right and outvoted").value == 1.0


def test_vote_by_hand():
    # of x x y: pairs xx, xy, xy; ties are split: (1 + .5 + .5) / 3
    got = curve([["x", "x", "y"]])
    assert got.one(k=2, measure="vote right").value == pytest.approx(2 / 3)
    assert got.one(k=1, measure="vote right").value == pytest.approx(2 / 3)
    assert got.one(k=3, measure="vote right").value == 1.0


def test_runs_without_an_answer_are_not_right_and_do_not_vote():
    got = curve([["x", None, None]])
    assert got.one(k=1, measure="some right").value == pytest.approx(1 / 3)
    assert got.one(k=3, measure="vote right").value == 1.0
    assert curve([[None, None]] * 3 + [["x", "x"]]).one(k=2, measure="vote right").value == 0.25


def test_curve_of_a_known_world_is_recovered():
    # 60 % right .9, 20 % right .25, 20 % right .2: 1 - .6 * .1^3 - .2 * .75^3 - .2 * .8^3
    panel = planted_tallies(mixture_world(), questions=600, seeds=6, rng=np.random.default_rng(3))
    got = pass_at_k(panel, rng=np.random.default_rng(0)).curve.one(k=3, measure="some right")
    truth = 1 - 0.6 * 0.1**3 - 0.2 * 0.75**3 - 0.2 * 0.8**3
    assert got.low < truth < got.high


def test_questions_with_too_few_runs_leave_every_k():
    answers = [["x"] * 8] * 9 + [["y"]]
    assert max(curve(answers).axes["k"]) == 8
    assert curve(answers).one(k=1, measure="some right").value == 1.0
    # with a fifth of the questions short, the short ones set the pace
    assert max(curve([["x"] * 8] * 8 + [["y"]] * 2).axes["k"]) == 1


def test_k_is_read_at_steps_up_to_all_runs():
    got = curve([["x"] * 30] * 3, draws=1)
    assert sorted(set(got.axes["k"].tolist())) == [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30]


def test_clusters_and_wrong_keys_widen_the_interval():
    answers = [["x", "y"], ["y", "y"], ["x", "x"]] * 20
    plain = pass_at_k(runs(answers), rng=np.random.default_rng(0)).curve.one(k=2, measure="some right")
    grouped = runs([one for one in answers[:3] for _ in range(20)], cluster=[f"p{n // 4}" for n in range(60)])
    wide = pass_at_k(grouped, rng=np.random.default_rng(0)).curve.one(k=2, measure="some right")
    assert wide.value == pytest.approx(plain.value)
    assert wide.high - wide.low > 1.5 * (plain.high - plain.low)
    doubted = runs(answers, anchor_error=[0.05] * 60)
    found = pass_at_k(doubted, rng=np.random.default_rng(0)).curve.one(k=2, measure="some right")
    assert plain.low - found.low == pytest.approx(0.05)


def test_keywords_move_the_answer():
    # votes of up to twelve runs are exact: fifteen are drawn
    answers = [["x", "y", "z", "x", "y"] * 3] * 12 + [["y", "x", "x", "z", "z"] * 3] * 12
    wide, narrow = (curve(answers, confidence=c).one(k=2, measure="vote right") for c in (0.99, 0.8))
    assert wide.high - wide.low > narrow.high - narrow.low
    few, many = (curve(answers, draws=d).one(k=3, measure="vote right").value for d in (1, 400))
    assert few != many
    assert curve(answers, level=Level.TEXT).level is Level.TEXT
    other = curve(answers, rng=np.random.default_rng(8), draws=3).one(k=3, measure="vote right").value
    assert other != curve(answers, draws=3).one(k=3, measure="vote right").value


def test_no_draws_are_refused():
    with pytest.raises(InputError, match="draws must be 1 or more"):
        curve([["x"]], draws=0)
