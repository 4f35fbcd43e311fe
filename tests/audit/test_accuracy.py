import numpy as np
import pytest
from scipy import stats

from limitset.core.clusters import clustered_shares, design_effect, summed
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.intervals import share_or_bound
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.system_shares import system_shares
from limitset.core.tallies import tallied
from limitset.datasets.planted import planted_tallies, stratified_world
from limitset.instruments.truth import accuracy, outcomes


def one_run(right, *, cluster=None, system="m", anchor_error=0.0):
    names = [f"q{n}" for n in range(len(right))]
    items = Items.of(item=names, text=names, cluster=cluster, anchor_error=[anchor_error] * len(names))
    ends = Ends.of(item=names, system=system, end=["x" if one else "y" for one in right], right=list(right))
    return tallied(ends, items)


def test_runs_are_averaged_by_question_and_silence_stays_in_the_denominator():
    ends = Ends.of(
        item=["p", "p", "p", "p", "q", "q"],
        system="m",
        seed=[0, 1, 2, 3, 0, 1],
        end=["x", "x", None, None, "y", "x"],
        right=[1, 1, None, None, 1, 0],
        status=["answered", "answered", "abstained", "unparsed", "answered", "answered"],
    )
    got = accuracy(tallied(ends))
    # p: 2 of 4, q: 1 of 2; abstained 1/4 and 0, unparsed 1/4 and 0
    assert got.right.one(system="m", stratum="all").value == pytest.approx(0.5)
    assert got.silent.one(system="m", outcome="abstained").value == pytest.approx(0.125)
    assert got.silent.one(system="m", outcome="unparsed").value == pytest.approx(0.125)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("size", [1, 4])
def test_the_interval_of_each_row_is_that_of_its_clusters_alone(share, size):
    rng = np.random.default_rng(1)
    shares = (rng.random((3, 240)) < share).astype(float)
    shares[1, 100:] = np.nan
    clusters = np.arange(240) // size
    got = clustered_shares(shares, clusters)
    for row in range(3):
        kept = ~np.isnan(shares[row])
        part = np.bincount(clusters[kept], weights=shares[row][kept])
        whole = np.bincount(clusters[kept]).astype(float)
        alone = share_or_bound(part, whole - part)
        assert got.value[row] == pytest.approx(np.nanmean(shares[row]))
        assert got.low[row] == pytest.approx(min(alone.low, got.value[row]))
        assert got.high[row] == pytest.approx(max(alone.high, got.value[row]))


def test_error_without_clusters_is_that_of_the_textbook():
    shares = (np.arange(400) % 4 != 0).astype(float)
    got = clustered_shares(shares[None], np.arange(400))
    # s / sqrt(n) on the logit scale is s / sqrt(n) / (p (1 - p))
    error = shares.std(ddof=1) / np.sqrt(400) / (0.75 * 0.25)
    half = (np.log(got.high / (1 - got.high)) - np.log(got.low / (1 - got.low)))[0] / 2
    assert half == pytest.approx(stats.t.ppf(0.975, 99) * error, rel=0.01)


def test_design_effect_of_copies_is_their_number():
    rng = np.random.default_rng(0)
    alone = (rng.random(200) < 0.6).astype(float)
    # five copies of each: variance of the mean of 200, not of 1,000 (up to 999 / 995)
    got = design_effect(np.repeat(alone, 5), np.repeat(np.arange(200), 5))
    assert got.value == pytest.approx(5 * 999 / 995)
    assert got.high - got.low < 1e-9  # the same in every cluster that is left out
    assert design_effect(alone, np.arange(200)).blank_reason == "each question stands alone"


def test_design_effect_is_one_where_clusters_do_not_matter():
    rng = np.random.default_rng(3)
    got = design_effect((rng.random(2000) < 0.6).astype(float), np.arange(2000) // 4)
    assert got.low < 1 < got.high


def test_clusters_widen_the_interval_as_the_sandwich_of_an_independent_formula():
    rng = np.random.default_rng(5)
    passage = rng.normal(size=60)
    right = (rng.random(300) < 1 / (1 + np.exp(-2 * passage[np.arange(300) // 5]))).astype(float)
    cluster = [f"p{n // 5}" for n in range(300)]
    wide = accuracy(one_run(right, cluster=cluster)).right.one(system="m", stratum="all")
    narrow = accuracy(one_run(right)).right.one(system="m", stratum="all")
    residual = np.add.reduceat(right - right.mean(), np.arange(0, 300, 5))
    sandwich = np.sqrt(60 / 59 * (residual**2).sum()) / 300
    naive = right.std(ddof=1) / np.sqrt(300)
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(sandwich / naive, rel=0.06)
    assert (wide.n, narrow.n) == (60, 300)
    assert wide.value == narrow.value


def test_near_one_the_interval_is_a_bound():
    got = accuracy(one_run([1] * 98 + [0] * 2)).right.one(system="m", stratum="all")
    assert (got.value, got.high) == (0.98, 1.0)
    # Clopper and Pearson, 2 of 100, one-sided 95 %: 0.0616
    assert got.low == pytest.approx(1 - stats.beta.ppf(0.95, 3, 98))


def test_one_cluster_says_nothing_of_others():
    got = accuracy(one_run([1, 0] * 20, cluster=["p"] * 40)).right.one(system="m", stratum="all")
    assert got.high - got.low > 0.9


def test_a_wrong_key_widens_both_ends():
    plain = accuracy(one_run([1, 0] * 50)).right.one(stratum="all")
    doubted = accuracy(one_run([1, 0] * 50, anchor_error=0.02)).right.one(stratum="all")
    assert plain.low - doubted.low == pytest.approx(0.02)
    assert doubted.high - plain.high == pytest.approx(0.02)


def test_confidence_and_level_move_what_they_name():
    tallies = one_run([1, 0] * 50)
    wide, narrow = (accuracy(tallies, confidence=c).right.one(stratum="all") for c in (0.99, 0.8))
    assert wide.high - wide.low > narrow.high - narrow.low
    assert accuracy(tallies, level=Level.TEXT).right.level is Level.TEXT


def test_strata_and_values_are_those_of_the_outcomes():
    tallies = planted_tallies(stratified_world(), questions=80, seeds=4, rng=np.random.default_rng(2))
    got, counted = accuracy(tallies).right, outcomes(tallies).rates
    for row in got.rows():
        same = counted.one(**row.parameters, outcome="right")
        assert row.value == pytest.approx(same.value)


def test_a_system_without_runs_in_a_stratum_is_blank_with_the_reason():
    items = Items.of(item=["p", "q"], text=["?", "?"], stratum=["one", "two"])
    ends = Ends.of(item=["p", "q", "q"], system=["a", "a", "b"], end="x", right=1)
    got = accuracy(tallied(ends, items)).right.one(system="b", stratum="one")
    assert got.blank
    assert got.blank_reason == "no run of this system in this stratum"


def test_unchecked_answers_are_refused():
    with pytest.raises(InputError, match="no anchor for 1 of 1"):
        system_shares(tallied(Ends.of(item="q", system="m", end="x")))


def test_sums_of_clusters_follow_the_clusters_and_not_their_order():
    values = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert summed(values, np.array([9, 1, 9, 1])).tolist() == [[6.0, 4.0]]


@pytest.mark.slow
def test_clustered_intervals_hold_the_truth_and_plain_ones_do_not():
    rng = np.random.default_rng(7)
    clusters = np.repeat(np.arange(25), 8)
    held = np.zeros(2)
    for _ in range(400):
        chance = rng.beta(1.2, 0.8, size=25)  # mean 0.6
        right = (rng.random(200) < chance[clusters]).astype(float)[None]
        for row, groups in enumerate((clusters, np.arange(200))):
            got = clustered_shares(right, groups)
            held[row] += got.low[0] <= 0.6 <= got.high[0]
    assert held[0] / 400 > 0.925
    assert held[1] / 400 < 0.85
