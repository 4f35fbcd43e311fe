import numpy as np
import pytest
from scipy import stats

from limitset.core.comparisons import (
    difference_ends,
    disputable,
    pair_differences,
    simultaneous_quantile,
    t_quantile,
)
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference
from limitset.core.tallies import tallied
from limitset.instruments.truth import paired_comparison


def panel(right, *, cluster=None, anchor_error=0.0):
    """One run of each system on each question; NaN: not asked."""
    right = np.asarray(right, dtype=float)
    at = np.argwhere(~np.isnan(right))
    names = [f"q{n}" for n in range(right.shape[1])]
    items = Items.of(item=names, text=names, cluster=cluster, anchor_error=[anchor_error] * len(names))
    values = right[tuple(at.T)]
    ends = Ends.of(
        item=[f"q{q}" for _, q in at],
        system=[f"m{m}" for m, _ in at],
        end=["x" if one else "y" for one in values],
        right=values,
    )
    return tallied(ends, items)


def compared(right, **options):
    more = {name: options.pop(name) for name in ("cluster", "anchor_error") if name in options}
    return paired_comparison(panel(right, **more), **{"rng": np.random.default_rng(0), **options})


def table(both, first, second, neither):
    counts = (both, first, second, neither)
    return np.array([np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)], dtype=float)


def random_panel(systems, questions, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    hard, skill = rng.normal(size=questions), np.linspace(-0.5, 0.5, systems)[:, None]
    right = (rng.random((systems, questions)) < 1 / (1 + np.exp(hard - skill))).astype(float)
    right[rng.random(right.shape) < missing] = np.nan
    return right


def test_difference_and_error_by_hand():
    # 10 questions: d = +1 three times, -1 once, 0 six times: mean .2, squares 4, variance (4 - .4) / 9
    pairs = pair_differences(table(3, 3, 1, 3), np.arange(10))
    assert pairs.value[0, 1] == pytest.approx(0.2)
    assert pairs.error()[0, 1] == pytest.approx(np.sqrt(0.4 / 10))
    assert pairs.carriers[0, 1] == pytest.approx(4)


def test_errors_are_those_of_the_paired_t_test_on_common_questions():
    right = random_panel(5, 300, missing=0.2)
    pairs = pair_differences(right, np.arange(300))
    for a, b in zip(*np.triu_indices(5, 1), strict=True):
        common = ~np.isnan(right[a]) & ~np.isnan(right[b])
        found = stats.ttest_rel(right[a][common], right[b][common])
        assert pairs.questions[a, b] == common.sum()
        assert pairs.value[a, b] / pairs.error()[a, b] == pytest.approx(found.statistic)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_clustered_sums_are_those_of_a_loop(missing):
    right = random_panel(4, 120, missing=missing)
    clusters = np.random.default_rng(4).integers(0, 15, size=120)
    pairs = pair_differences(right, clusters)
    for a, b in [(0, 1), (2, 3), (0, 3)]:
        d = right[a] - right[b]
        known = ~np.isnan(d)
        groups = [d[known & (clusters == g)] for g in range(15)]
        sums = np.array([g.sum() for g in groups])
        sizes = np.array([g.size for g in groups])
        assert pairs.square[a, b] == pytest.approx((sums**2).sum())
        assert pairs.weighted[a, b] == pytest.approx((sums * sizes).sum())
        assert pairs.sizes[a, b] == pytest.approx((sizes**2).sum())
        assert pairs.carriers[a, b] == pytest.approx((sums**2).sum() ** 2 / (sums**4).sum())
        assert pairs.units[a, b] == pytest.approx(sizes.sum() ** 2 / (sizes**2).sum())


def test_clusters_of_which_systems_have_different_halves_are_not_whole():
    # one cluster of three questions: a was asked the first two, b the last two; one is common
    right = np.array([[1.0, 1.0, np.nan, 1.0], [np.nan, 0.0, 1.0, 1.0]])
    pairs = pair_differences(right, np.array([0, 0, 0, 1]))
    assert pairs.questions[0, 1] == 2
    assert pairs.value[0, 1] == 0.5


def test_clustered_error_agrees_with_the_single_pair_of_the_gates():
    right = random_panel(2, 200, seed=3)
    clusters = np.arange(200) // 5
    pairs = pair_differences(right, clusters)
    one = mean_difference(right[0] - right[1], clusters)
    low, high = difference_ends(pairs, critical=t_quantile(pairs, confidence=0.95))
    assert pairs.value[0, 1] == pytest.approx(one.value)
    assert high[0, 1] - low[0, 1] == pytest.approx(one.high - one.low, rel=0.05)


def test_interval_of_one_pair_is_the_published_one():
    # Bonett and Price's interval for 12, 4, 26, 6 of 48 as printed by R's statpsych: .2548 to .6252
    low, high = difference_ends(pair_differences(table(12, 26, 4, 6), np.arange(48)), critical=1.959964)
    assert low[0, 1] == pytest.approx(0.2548067, abs=0.003)
    assert high[0, 1] == pytest.approx(0.6251933, abs=0.003)


def test_pairs_that_never_differ_have_an_interval():
    got = compared(table(60, 0, 0, 40)).pairs.one()
    assert got.value == 0
    assert 0.02 < got.high < 0.05  # no difference among 100: at most about 3 or 4 in 100 either way
    assert got.low == -got.high


def test_decisions_agree_with_mcnemar_exactly():
    rng = np.random.default_rng(5)
    agree = 0
    for _ in range(300):
        first, second = rng.binomial(60, rng.uniform(0, 0.4)), rng.binomial(60, rng.uniform(0, 0.4))
        exact = stats.binomtest(first, first + second).pvalue if first + second else 1.0
        pairs = pair_differences(table(100, first, second, 100), np.arange(200 + first + second))
        low, high = difference_ends(pairs, critical=t_quantile(pairs, confidence=0.95))
        surely = low[0, 1] > 0 or high[0, 1] < 0
        agree += surely == (exact < 0.05)
        if exact > 0.08:
            assert not surely
        if exact < 0.02:
            assert surely
    assert agree / 300 > 0.95


def test_intervals_of_all_pairs_are_wider_than_of_one_and_narrower_than_bonferroni():
    right = random_panel(8, 400)
    pairs = pair_differences(right, np.arange(400))
    critical, method = simultaneous_quantile(
        right, np.arange(400), pairs, rng=np.random.default_rng(0), draws=2000, confidence=0.95
    )
    assert method.startswith("signs")
    shared = t_quantile(pairs, confidence=0.95, comparisons=28)[0, 1]
    # Tukey's range of 8 independent means: 4.286 / sqrt(2) = 3.03; systems of one panel are near it
    assert t_quantile(pairs, confidence=0.95)[0, 1] < critical < shared
    assert critical == pytest.approx(stats.studentized_range.ppf(0.95, 8, 399) / np.sqrt(2), abs=0.15)


def test_missing_questions_give_nearly_the_same_critical_value():
    right = random_panel(6, 300)
    gone = right.copy()
    gone[0, 0] = np.nan
    found = []
    for one in (right, gone):
        pairs = pair_differences(one, np.arange(300))
        drawn = simultaneous_quantile(
            one, np.arange(300), pairs, rng=np.random.default_rng(0), draws=1000, confidence=0.95
        )
        found.append(drawn[0])
    assert found[0] == pytest.approx(found[1], abs=0.05)


def test_too_many_pairs_on_different_questions_fall_back_to_bonferroni(monkeypatch):
    monkeypatch.setattr("limitset.core.comparisons.AT_MOST", 0.0)
    right = random_panel(6, 300, missing=0.1)
    got = compared(right)
    assert got.pairs.interval_method == "Bonferroni over pairs"
    assert got.sets == 6


def test_few_clusters_settle_nothing():
    right = np.array([[1.0] * 40, [0.0] * 36 + [1.0] * 4])
    right[0, :4] = 0.0
    rng = np.random.default_rng(0)
    third = (rng.random(40) < 0.5).astype(float)
    got = compared(np.vstack([right, third]), cluster=[f"p{n // 20}" for n in range(40)])
    assert (got.pairs.low <= 0).all()
    assert got.standings.low.tolist() == [1, 1, 1]
    assert got.standings.high.tolist() == [3, 3, 3]


def test_pairs_on_different_questions_are_compared_on_common_ones_only():
    # m0 is asked 100 easy questions and 50 hard ones, m1 the hard ones only: there both are right half
    right = np.full((2, 150), np.nan)
    right[0, :100] = 1
    right[0, 100:] = np.tile([1, 0], 25)
    right[1, 100:] = np.tile([0, 1], 25)
    got = compared(right)
    assert got.pairs.one().value == 0
    assert got.pairs.one().n == 50
    assert got.sets == 2
    assert compared(right[:, 100:]).sets == 1


def test_systems_without_a_common_question_are_blank():
    got = compared([[1, 1, np.nan, np.nan], [np.nan, np.nan, 0, 0]])
    assert got.pairs.one().blank_reason == "no common question"
    assert got.standings.high.tolist() == [2, 2]


def test_standings_of_a_clear_order():
    rng = np.random.default_rng(1)
    hard = rng.random(400)
    right = np.array([hard < chance for chance in (0.9, 0.6, 0.59, 0.2)], dtype=float)
    got = compared(right).standings
    assert got.value.tolist() == [1, 2, 3, 4]
    assert got.one(system="m0").high == 1
    assert (got.one(system="m1").low, got.one(system="m2").high) == (2, 3)
    assert got.one(system="m3").low == 4


def test_needed_questions_settle_the_pair_with_the_power_that_is_named():
    # d = .05, sd of d = sqrt(.35 - .0025): n = ((1.96 + .8416) sd / d)^2, about 1,091
    right = table(100, 40, 30, 30)
    got = compared(right)
    expected = (
        (stats.t.ppf(0.975, 199) + stats.norm.ppf(0.8)) * np.sqrt((0.35 - 0.0025) * 200 / 199) / 0.05
    ) ** 2
    assert got.needed.one().value == pytest.approx(expected)
    rng = np.random.default_rng(0)
    won = 0
    for _ in range(300):
        drawn = rng.multinomial(int(expected), [0.5, 0.2, 0.15, 0.15])
        pairs = pair_differences(table(*drawn), np.arange(int(expected)))
        won += difference_ends(pairs, critical=t_quantile(pairs, confidence=0.95))[0][0, 1] > 0
    assert won / 300 == pytest.approx(0.8, abs=0.07)


def test_needed_is_blank_with_its_reason():
    assert compared(table(100, 60, 10, 30)).needed.one().blank_reason == "settled"
    assert compared(table(100, 10, 10, 30)).needed.one().blank_reason == "no difference seen"
    assert compared(table(500, 21, 20, 500)).needed.one().blank_reason.startswith("more than 100 times")


def test_wrong_keys_widen_by_what_they_could_move():
    right = table(50, 20, 10, 20)
    # 30 of 100 differ and could turn round, 20 are wrong for both: (2 * 30 + 20) / 100
    assert disputable(right)[0, 1] == pytest.approx(0.8)
    plain, doubted = (compared(right, anchor_error=error).pairs.one() for error in (0.0, 0.05))
    assert plain.low - doubted.low == pytest.approx(0.05 * 0.8)


def test_between_turns_the_pair_round():
    got = compared(table(100, 60, 10, 30))
    one, other = got.between("m0", "m1"), got.between("m1", "m0")
    assert (other.value, other.low, other.high) == (-one.value, -one.high, -one.low)
    with pytest.raises(InputError, match="got 0 rows"):
        got.between("m0", "m9")


def test_keywords_move_the_answer():
    right = random_panel(4, 200)
    wide, narrow = (compared(right, confidence=c).pairs for c in (0.99, 0.8))
    assert (np.asarray(wide.high) > np.asarray(narrow.high)).all()
    few, many = (compared(right, draws=draws).pairs for draws in (100, 2000))
    assert few.high[0] != many.high[0]
    assert compared(right, level=Level.TEXT).pairs.level is Level.TEXT
    other = compared(right, rng=np.random.default_rng(9)).pairs
    assert other.high[0] != many.high[0]


def test_one_system_or_few_draws_are_refused():
    with pytest.raises(InputError, match="two systems or more"):
        compared([[1, 0, 1]])
    with pytest.raises(InputError, match="100 draws or more"):
        compared([[1, 0], [0, 1]], draws=10)


@pytest.mark.slow
def test_all_intervals_hold_together_in_19_of_20_panels():
    rng = np.random.default_rng(2)
    skill = np.linspace(-0.3, 0.3, 6)[:, None]
    nodes = np.polynomial.hermite_e.hermegauss(60)
    truth = (1 / (1 + np.exp(nodes[0] - skill))) @ nodes[1] / nodes[1].sum()
    truth = truth[:, None] - truth[None, :]
    held = wrong_order = 0
    for _ in range(300):
        right = (rng.random((6, 150)) < 1 / (1 + np.exp(rng.normal(size=150) - skill))).astype(float)
        pairs = pair_differences(right, np.arange(150))
        critical, _ = simultaneous_quantile(right, np.arange(150), pairs, rng=rng, draws=400, confidence=0.95)
        low, high = difference_ends(pairs, critical=critical)
        held += bool(((low <= truth + 1e-12) & (truth <= high + 1e-12)).all())
        wrong_order += bool(((low > 0) & (truth < 0)).any())
    assert held / 300 > 0.925
    assert wrong_order / 300 < 0.03
