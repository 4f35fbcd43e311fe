"""Is similarity that worked by hand, does a planted change show, and does its interval cover?"""

import numpy as np
import pytest
from scipy import stats

from limitset.core.errors import InputError
from limitset.instruments.ecosystem import similarity_change, stack_diversity, stack_similarity
from limitset.testing import check_instrument

CODES = np.array([[0, 0], [0, 0], [0, 1]])


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(share, n, features, seed):
    """Designs that have the common value of each feature with this chance."""
    return (rng(seed).random((n, features)) > share).astype(int)


def test_similarity_by_hand():
    # pairs: 1, 1/2, 1/2
    assert stack_similarity(CODES, ["x"] * 3).value[0] == pytest.approx(2 / 3)
    # lineages a (two designs) and b (one): mean of the two pairs between them
    assert stack_similarity(CODES, ["x"] * 3, lineages=["a", "a", "b"]).value[0] == 0.5
    # three lineages, one of two designs: a-b (1 + 1/2) / 2, a-c (0 + 1/2) / 2, b-c 1/2
    codes = np.array([[0, 0], [0, 1], [0, 1], [1, 1]])
    codes[0] = [0, 0]
    got = stack_similarity(codes, ["x"] * 4, lineages=["a", "a", "b", "c"])
    assert got.value[0] == pytest.approx((0.75 + 0.25 + 0.5) / 3)
    assert got.n[0] == 3


def test_similarity_is_one_less_mean_diversity():
    codes = rng(3).integers(0, 3, (20, 5))
    diversity = stack_diversity(codes, ["x"] * 20, features=list("abcde"), rng=rng())
    assert stack_similarity(codes, ["x"] * 20).value[0] == pytest.approx(1 - diversity.value.mean())


def test_jackknife_leaves_each_out():
    codes = rng(4).integers(0, 2, (12, 4))
    got = stack_similarity(codes, ["x"] * 12)
    left = np.array([stack_similarity(np.delete(codes, i, 0), ["x"] * 11).value[0] for i in range(12)])
    error = np.sqrt(11 / 12 * np.square(left - left.mean()).sum())
    assert (got.high[0] - got.low[0]) / 2 == pytest.approx(stats.t.ppf(0.975, 11) * error)


def test_copies_within_a_lineage_do_not_move_it():
    codes = rng(5).integers(0, 2, (8, 4))
    kin = [str(i) for i in range(8)]
    twice, both = np.concatenate([codes, codes]), kin + kin
    one = stack_similarity(codes, ["x"] * 8, lineages=kin)
    two = stack_similarity(twice, ["x"] * 16, lineages=both)
    assert two.value[0] == pytest.approx(one.value[0])
    assert stack_similarity(twice, ["x"] * 16).value[0] > one.value[0]


def test_a_planted_change_is_found_and_none_is_not():
    # share .5: S = .5; share .95: .95 ** 2 + .05 ** 2 = .905
    got = similarity_change(drawn(0.5, 30, 4, 1), drawn(0.95, 30, 4, 2), rng=rng())
    assert got.change.low < 0.405 < got.change.high
    assert got.change.low > 0.2
    assert got.p_value.value == 0.001
    same = similarity_change(drawn(0.7, 30, 4, 1), drawn(0.7, 30, 4, 2), rng=rng())
    assert same.change.low < 0 < same.change.high


@pytest.mark.parametrize(("first", "last"), [(0.5, 0.9), (0.8, 0.8)])
def test_the_change_is_covered(first, last):
    truth = last**2 + (1 - last) ** 2 - first**2 - (1 - first) ** 2
    held = 0
    for seed in range(300):
        got = similarity_change(
            drawn(first, 14, 4, 2 * seed), drawn(last, 30, 4, 2 * seed + 1), permutations=1, rng=rng()
        ).change
        held += got.low <= truth <= got.high
    assert 0.91 <= held / 300 <= 0.99


def test_the_p_value_equals_that_of_a_plain_shuffle():
    before, after = drawn(0.6, 9, 4, 7), drawn(0.8, 10, 4, 8)

    def change(x, y):
        return abs(
            stack_similarity(y, ["x"] * len(y)).value[0] - stack_similarity(x, ["x"] * len(x)).value[0]
        )

    pooled, found = np.concatenate([before, after]), change(before, after)
    shuffle = rng(1)
    beyond = 0
    for _ in range(400):
        order = shuffle.permutation(19)
        beyond += change(pooled[order[:9]], pooled[order[9:]]) >= found - 1e-12
    ours = similarity_change(before, after, permutations=1999, rng=rng()).p_value.value
    assert ours == pytest.approx((1 + beyond) / 401, abs=0.08)


def test_p_values_are_fair():
    low = sum(
        similarity_change(
            drawn(0.7, 12, 4, 2 * s), drawn(0.7, 15, 4, 2 * s + 1), permutations=39, rng=rng(s)
        ).p_value.value
        <= 0.05
        for s in range(100)
    )
    assert 0 < low / 100 <= 0.05 + 3 * 0.0218


def test_keywords_move_the_answer():
    before, after = drawn(0.5, 12, 4, 1), drawn(0.9, 12, 4, 2)
    base = similarity_change(before, after, rng=rng())
    kin = [str(i // 2) for i in range(24)]
    assert similarity_change(before, after, lineages=kin, rng=rng()).change.n == 12
    assert similarity_change(before, after, confidence=0.5, rng=rng()).change.low > base.change.low
    assert similarity_change(before, after, permutations=19, rng=rng()).p_value.value >= 1 / 20
    mild = drawn(0.55, 12, 4, 2)
    assert (
        similarity_change(before, mild, permutations=50, rng=rng(1)).p_value.value
        != similarity_change(before, mild, permutations=50, rng=rng(2)).p_value.value
    )
    narrow = stack_similarity(before, ["x"] * 12, confidence=0.5)
    assert narrow.high[0] < stack_similarity(before, ["x"] * 12).high[0]


def test_no_spread_no_interval():
    alike = np.zeros((5, 2), dtype=int)
    got = stack_similarity(alike, ["x"] * 5)
    assert got.value[0] == 1
    assert np.isnan(got.low[0])
    assert not similarity_change(alike, alike, rng=rng()).change.bounded
    assert stack_similarity(alike[:1], ["x"]).blank_reason[0] == "one lineage has no pair"


def test_purity():
    check_instrument(stack_similarity, CODES, ["x"] * 3)
    check_instrument(similarity_change, drawn(0.5, 9, 3, 1), drawn(0.8, 9, 3, 2), permutations=19)


def test_refusals():
    with pytest.raises(InputError, match="three lineages or more on each side"):
        similarity_change(CODES, CODES[:2], rng=rng())
    with pytest.raises(InputError, match="one permutation or more"):
        similarity_change(CODES, CODES, permutations=0, rng=rng())
    with pytest.raises(InputError, match="one period and one lineage a design"):
        stack_similarity(CODES, ["x"] * 3, lineages=["a"])
