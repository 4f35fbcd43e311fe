"""Is information that worked by hand and by another package, and is independence found where it is planted?"""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from limitset.core.errors import InputError
from limitset.instruments.ecosystem import layer_dependence
from limitset.instruments.ecosystem.layer_dependence import _information
from limitset.testing import check_instrument


def rng(seed=0):
    return np.random.default_rng(seed)


def found(codes, **more):
    names = [f"f{i}" for i in range(codes.shape[1])]
    return layer_dependence(codes, **{"features": names, "permutations": 99, "rng": rng(), **more})


def test_information_by_hand():
    # two fair coins that always agree tell 1 bit; that are crossed evenly tell 0
    same = np.array([[0, 0], [1, 1]])
    crossed = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    one = np.zeros(4, dtype=np.int64)
    assert _information(same, one[:2], [(0, 1)])[0] == pytest.approx(1)
    assert _information(crossed, one, [(0, 1)])[0] == pytest.approx(0)
    # 3 of 4 agree: H = 1 + H(1/4) - H(1/2, 1/4, 1/4) = 1 + .8113 - 1.5
    partly = np.array([[0, 0], [0, 1], [1, 1], [1, 1]])
    assert _information(partly, one, [(0, 1)])[0] == pytest.approx(0.3113, abs=1e-4)


def test_information_equals_that_of_another_package():
    codes, one = rng(2).integers(0, 4, (60, 3)), np.zeros(60, dtype=np.int64)
    for pair in ((0, 1), (1, 2)):
        other = mutual_info_score(codes[:, pair[0]], codes[:, pair[1]]) / np.log(2)
        assert _information(codes, one, [pair])[0] == pytest.approx(other)
    # within strata: the mean over strata, weighed by their size
    strata = np.repeat([0, 1], [20, 40])
    parts = [mutual_info_score(*codes[strata == s][:, :2].T) / np.log(2) for s in (0, 1)]
    expected = (20 * parts[0] + 40 * parts[1]) / 60
    assert _information(codes, strata, [(0, 1)])[0] == pytest.approx(expected)


def test_independent_features_show_none_and_copies_show_it():
    apart = found(rng(1).integers(0, 3, (80, 3)))
    assert apart.mean.low < 0 < apart.mean.high
    coin = rng(1).integers(0, 2, (80, 1))
    copy = found(np.concatenate([coin, coin, rng(2).integers(0, 2, (80, 1))], axis=1))
    assert copy.pairs.one(first="f0", second="f1").value == pytest.approx(1, abs=0.05)
    assert copy.p_value.value == 1 / 100


def test_the_null_takes_the_bias_away():
    # plug-in: about 4 / (2 * 40 * ln 2) = .07 bits too large
    values = [found(rng(s).integers(0, 3, (40, 2)), permutations=19).mean.value for s in range(120)]
    assert abs(np.mean(values)) < 0.01


def test_p_values_are_fair():
    low = sum(
        found(rng(s).integers(0, 2, (30, 3)), permutations=19, rng=rng(s + 1)).p_value.value <= 0.05
        for s in range(200)
    )
    assert 0 < low / 200 <= 0.05 + 3 * 0.0154


def test_what_rises_together_in_time_is_not_dependent_within_periods():
    share = np.repeat([0.1, 0.9], 60)[:, None]
    codes = (rng(3).random((120, 2)) < share).astype(int)
    periods = ["early"] * 60 + ["late"] * 60
    assert found(codes).mean.low > 0.1
    within = found(codes, strata=periods).mean
    assert within.low < 0.02
    assert within.value < 0.1


def test_keywords_move_the_answer():
    codes = rng(5).integers(0, 3, (40, 2))
    codes[:20, 1] = codes[:20, 0]
    base = found(codes)
    assert found(codes, confidence=0.5).mean.low > base.mean.low
    assert found(codes, permutations=19).p_value.value == 1 / 20
    assert found(codes, rng=rng(9)).mean.value != base.mean.value
    assert base.pairs.axes["first"].tolist() == ["f0"]


def test_purity():
    check_instrument(
        layer_dependence, rng(1).integers(0, 2, (12, 3)), features=["a", "b", "c"], permutations=9
    )


def test_refusals():
    with pytest.raises(InputError, match="three designs, two named features"):
        layer_dependence(np.zeros((5, 2), dtype=int), features=["a"], rng=rng())
    with pytest.raises(InputError, match="one stratum a design"):
        found(np.zeros((5, 2), dtype=int), strata=["x"])
