"""Are shares, changes of shares and diversity those worked by hand, and do their intervals cover?"""

import numpy as np
import pytest
from scipy import optimize

from limitset.core.errors import InputError
from limitset.instruments.ecosystem import share_change, stack_diversity, stack_share
from limitset.testing import check_instrument

NOW = ["now"] * 4
CODES = np.array([[0, 0], [0, 1], [1, 2], [1, 3]])


def diversity(codes, periods=None, **more):
    codes = np.asarray(codes)
    names = [f"f{i}" for i in range(codes.shape[1])]
    given = {"features": names, "rng": np.random.default_rng(0), **more}
    return stack_diversity(codes, periods or ["x"] * len(codes), **given)


def test_diversity_by_hand():
    # first feature: 4 of 6 pairs differ; second: all do
    got = diversity(CODES)
    assert got.one(period="x", feature="f0").value == pytest.approx(4 / 6)
    assert got.one(period="x", feature="f1").value == 1
    assert got.one(period="x", feature="f0").n == 4


def test_diversity_is_the_mean_over_pairs():
    # independent: count pairs one by one
    codes = np.random.default_rng(0).integers(0, 3, (17, 1))
    apart = [codes[i, 0] != codes[j, 0] for i in range(17) for j in range(i)]
    assert diversity(codes).value[0] == pytest.approx(np.mean(apart))


@pytest.mark.parametrize("share", [0.1, 1 / 3, 0.5])
def test_diversity_is_unbiased_and_covered(share):
    rng, values, held, truth = np.random.default_rng(1), [], 0, 2 * share * (1 - share)
    for _ in range(300):
        got = diversity((rng.random((30, 1)) < share).astype(int), draws=500, rng=rng)
        values.append(got.value[0])
        held += got.low[0] <= truth <= got.high[0] + 1e-3  # drawn shares miss an even half by a hair
    assert np.mean(values) == pytest.approx(truth, abs=0.012)
    assert 0.9 <= held / 300 <= 1


def test_diversity_of_three_values_is_covered():
    rng, held = np.random.default_rng(2), 0
    for _ in range(300):
        codes = rng.choice(3, size=(30, 1), p=[0.6, 0.3, 0.1])
        got = diversity(codes, draws=500, rng=rng)
        held += got.low[0] <= 1 - 0.36 - 0.09 - 0.01 <= got.high[0]
    assert 0.9 <= held / 300 <= 1


def test_the_interval_is_that_of_the_likelihood_ratio_for_two_values():
    # 27 of 30: shares with 2 (27 ln(.9 / p) + 3 ln(.1 / (1 - p))) = 3.8415, taken through 2p(1 - p)
    def beyond(p):
        return 2 * (27 * np.log(0.9 / p) + 3 * np.log(0.1 / (1 - p))) - 3.8415

    low, high = optimize.brentq(beyond, 0.6, 0.9), optimize.brentq(beyond, 0.9, 0.999)
    got = diversity(np.repeat([[0], [1]], [27, 3], axis=0), draws=100_000)
    assert got.low[0] == pytest.approx(2 * high * (1 - high), abs=0.002)
    assert got.high[0] == pytest.approx(2 * low * (1 - low), abs=0.002)


def test_where_all_are_alike_the_upper_end_is_not_zero():
    # 20 alike: -40 ln p = 3.8415 at p = .9084: 2 * .9084 * .0916
    got = diversity(np.zeros((20, 1), dtype=int), draws=100_000)
    assert got.value[0] == 0
    assert got.high[0] == pytest.approx(0.1664, abs=0.002)


def test_one_design_has_no_diversity():
    got = diversity(CODES[:3], ["a", "b", "b"])
    assert got.blank_reason[0] == "one design has no pair"
    assert got.value[2] == 1


def test_shares_by_hand():
    got = stack_share(np.array([True, True, False, True]), ["a", "a", "b", "b"])
    assert got.value.tolist() == [1, 0.5]
    # Wilson with 2 of 2: lower end 1 / (1 + z * z / 2) = .3424
    assert got.low[0] == pytest.approx(0.3424, abs=1e-4)
    assert stack_share(np.array([True]), ["a"], confidence=0.5).low[0] > 0.6


def test_change_of_a_share_as_published():
    # Newcombe 1998, table II, example (a): 56 of 70 less 48 of 80, method 10
    before, after = np.repeat([True, False], [48, 32]), np.repeat([True, False], [56, 14])
    got = share_change(before, after)
    assert [round(x, 4) for x in (got.value, got.low, got.high)] == [0.2, 0.0524, 0.3339]
    assert share_change(before, after, confidence=0.5).low > got.low
    assert share_change(after, before).value == pytest.approx(-0.2)


def test_purity():
    check_instrument(stack_diversity, CODES, NOW, features=["norm", "position"])
    check_instrument(stack_share, np.array([True, False]), ["a", "b"])
    check_instrument(share_change, np.array([True, False]), np.array([True]))


def test_refusals():
    with pytest.raises(InputError, match="one period a design"):
        stack_share(np.array([True]), [])
    with pytest.raises(InputError, match="2 columns need as many names"):
        diversity(CODES, features=["norm"])
    with pytest.raises(InputError, match="one draw or more"):
        diversity(CODES, draws=0)
    with pytest.raises(InputError, match="both sides must hold a design"):
        share_change(np.array([], dtype=bool), np.array([True]))


def test_keywords_move_the_answer():
    codes = np.repeat([[0], [1]], [12, 4], axis=0)
    base = diversity(codes)
    assert diversity(codes, confidence=0.5).high[0] < base.high[0]
    assert diversity(codes, draws=100).high[0] != base.high[0]
    assert diversity(codes, rng=np.random.default_rng(1)).high[0] != base.high[0]
