"""Is the analysis of variance that of group means, and do only groups that stand apart depart?"""

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.instruments.ecosystem import group_departure
from limitset.testing import check_instrument


def rng(seed=0):
    return np.random.default_rng(seed)


def found(codes, groups, **more):
    return group_departure(np.asarray(codes), groups, **{"permutations": 99, "rng": rng(), **more})


def test_by_hand():
    # a: (0,0), (0,1); b: (1,1), (1,1). Within: 1/2, 0, mean 1/4. Between: 1, 1, 1/2, 1/2, mean 3/4
    got = found([[0, 0], [0, 1], [1, 1], [1, 1]], ["a", "a", "b", "b"])
    assert got.gap.value == pytest.approx(0.5)
    # all six pairs sum to 3.5, over 4 designs .875; within (1/2) / 2 = .25: 1 - .25 / .875
    assert got.explained.value == pytest.approx(1 - 0.25 / 0.875)


def test_explained_equals_that_of_group_means():
    # independent: sums of squares about means of one-hot columns, as in an ordinary analysis of variance
    codes, groups = rng(1).integers(0, 3, (25, 4)), rng(2).integers(0, 3, 25).astype(str)
    columns = np.concatenate([codes == value for value in range(3)], axis=1).astype(float)
    total = np.square(columns - columns.mean(axis=0)).sum()
    within = sum(
        np.square(columns[groups == g] - columns[groups == g].mean(axis=0)).sum() for g in np.unique(groups)
    )
    assert found(codes, groups).explained.value == pytest.approx(1 - within / total)


def test_the_jackknife_leaves_each_out():
    codes, groups = rng(3).integers(0, 2, (15, 4)), np.array(["a", "b", "c"] * 5)
    got = found(codes, groups).gap
    left = [found(np.delete(codes, i, 0), np.delete(groups, i)).gap.value for i in range(15)]
    error = np.sqrt(14 / 15 * np.square(left - np.mean(left)).sum())
    assert (got.high - got.low) / 2 == pytest.approx(2.1448 * error, rel=1e-3)  # t with 14 degrees


def test_groups_that_stand_apart_and_groups_that_do_not():
    shares = np.repeat([[0.2], [0.8]], [20, 20], axis=0)
    apart = found((rng(4).random((40, 5)) < shares).astype(int), ["a"] * 20 + ["b"] * 20)
    assert apart.gap.low > 0.05
    assert apart.p_value.value == 0.01
    alike = found((rng(5).random((40, 5)) < 0.5).astype(int), ["a"] * 20 + ["b"] * 20)
    assert alike.gap.low < 0 < alike.gap.high


def test_the_gap_is_covered_and_p_values_are_fair():
    # shares .3 and .7 of four features: between .58, within .42
    held = low = 0
    for seed in range(200):
        codes = (rng(seed).random((40, 4)) < np.repeat([[0.3], [0.7]], [20, 20], axis=0)).astype(int)
        got = found(codes, ["a"] * 20 + ["b"] * 20, permutations=1).gap
        held += got.low <= 0.16 <= got.high
        null = (rng(1000 + seed).random((30, 3)) < 0.5).astype(int)
        low += found(null, ["a"] * 12 + ["b"] * 18, permutations=39).p_value.value <= 0.05
    assert 0.9 <= held / 200 <= 1
    assert 0 < low / 200 <= 0.05 + 3 * 0.0154


def test_strata_compare_like_with_like():
    # b is late, and all that is late differs from all that is early: within a period groups are alike
    periods = np.array(["early"] * 20 + ["late"] * 20)
    groups = np.where(rng(1).random(40) < np.repeat([0.2, 0.8], 20), "b", "a")
    codes = np.stack([np.repeat([0, 1], 20), rng(2).integers(0, 2, 40)], axis=1)
    plain, strict = found(codes, groups), found(codes, groups, strata=periods)
    assert plain.gap.low > 0.02
    assert strict.gap.low < 0 < strict.gap.high
    assert strict.p_value.value > plain.p_value.value


def test_keywords_move_the_answer():
    codes, groups = rng(3).integers(0, 2, (20, 4)), ["a", "b"] * 10
    base = found(codes, groups)
    assert found(codes, groups, confidence=0.5).gap.low > base.gap.low
    assert found(codes, groups, permutations=7).p_value.value >= 1 / 8
    assert found(codes, groups, rng=rng(8)).p_value.value != base.p_value.value


def test_purity():
    check_instrument(group_departure, rng(1).integers(0, 2, (12, 3)), ["a", "b"] * 6, permutations=9)


def test_refusals():
    with pytest.raises(InputError, match="two groups or more"):
        found([[0], [1]], ["a", "a"])
    with pytest.raises(InputError, match="must differ in some feature"):
        found([[0], [0]], ["a", "b"])
    with pytest.raises(InputError, match="a pair between groups and a pair within one"):
        found([[0], [1], [0], [1]], ["a", "b", "a", "b"], strata=["x", "y", "z", "w"])
