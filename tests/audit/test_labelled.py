"""Do a few labels say what all of them would say, within their intervals?"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.tallies import tallied
from limitset.core.weighted_shares import stratified_share
from limitset.datasets.planted import mixture_world, planted_tallies
from limitset.instruments.truth import label_plan, labelled, wrong_when_agreed


@pytest.fixture(scope="module")
def panel():
    return planted_tallies(mixture_world(models=5), questions=400, seeds=1, rng=np.random.default_rng(0))


def known(panel, questions):
    here = np.isin(np.arange(panel.items.size), questions)
    return replace(panel, class_right=np.where(here[panel.class_item], panel.class_right, np.nan))


@pytest.fixture(scope="module")
def some(panel):
    return known(panel, label_plan(panel, rng=np.random.default_rng(0)).question[:90])


def one_level(size, n, x, confidence=0.95):
    return stratified_share(np.array([size]), np.array([n]), np.array([float(x)]), confidence=confidence)


def test_two_questions_by_hand():
    # one of two drawn, wrong. The other: mixture of BB(1; 1, 1) = (1/2, 1/2) and all at 1: (1/4, 3/4).
    # Tail .2 < 1/4: from 1 of 2 to 2 of 2. Tail .3 > 1/4: 2 of 2 alone.
    assert [one_level(2, 1, 1, c).low for c in (0.6, 0.4)] == [0.5, 1.0]
    assert one_level(2, 1, 1, 0.6).high == 1.0


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2544, 0.3658), (15, 148, 0.0601, 0.1581), (0, 20, 0.0, 0.1391), (1, 29, 0.0017, 0.1585)],
)
def test_published_mid_p_intervals(x, n, low, high):
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, mid-P; a list so long that it is endless."""
    got = one_level(2_000_000, n, x)
    assert (round(got.low, 4), round(got.high, 4)) == (low, high)


@pytest.mark.parametrize(("size", "n", "x"), [(50, 10, 3), (50, 40, 3), (12, 6, 0), (200, 30, 30), (9, 5, 2)])
def test_one_level_against_the_inverted_test(size, n, x):
    """Independent: the hypergeometric test with mid-p, turned round number by number."""
    inside = []
    for wrong in range(size + 1):
        law = stats.hypergeom(size, wrong, n)
        above, below, here = law.sf(x), law.cdf(x - 1), law.pmf(x)
        if min(above, below) + here / 2 > 0.025:
            inside.append(wrong)
    got = one_level(size, n, x)
    low, high = round(got.low * size), round(got.high * size)
    assert 0 <= min(inside) - low <= 1
    assert 0 <= high - max(inside) <= 1


def test_no_width_once_all_are_looked_at():
    got = stratified_share(np.array([30, 20]), np.array([30, 20]), np.array([3.0, 2.5]))
    assert (got.value, got.low, got.high, got.n) == (0.11, 0.11, 0.11, 50.0)


def test_levels_count_by_their_questions():
    # 300 * 1/10 + 100 * 5/10 = 80 of 400; pooled labels would give 6/20
    got = stratified_share(np.array([300, 100]), np.array([10, 10]), np.array([1.0, 5.0]))
    assert got.value == pytest.approx(0.2)
    assert got.low < 0.2 < got.high


def test_a_level_without_labels_leaves_only_bounds():
    got = stratified_share(np.array([90, 10]), np.array([30, 0]), np.zeros(2))
    assert np.isnan(got.value)
    assert got.blank_reason == "a level was not looked at"
    assert (got.low, got.high > 0.1) == (0.0, True)
    assert (
        stratified_share(np.zeros(1, int), np.zeros(1, int), np.zeros(1)).blank_reason == "no such question"
    )


def test_counts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="0 <= events <= drawn <= size"):
        stratified_share(np.array([5]), np.array([6]), np.array([1.0]))


def test_all_labels_give_what_keys_give(panel):
    got = labelled(panel)
    keyed = wrong_when_agreed(panel, thresholds=(0.5, 0.8, 1.0))
    for tau in (0.5, 0.8, 1.0):
        rate = got.rates.one(threshold=tau)
        assert rate.value == pytest.approx(keyed.rates.one(stratum="all", threshold=tau).value)
        assert rate.low == rate.value == rate.high
        covered = keyed.coverage.one(stratum="all", threshold=tau).value
        assert got.coverage.one(threshold=tau).value == pytest.approx(covered)
    accuracy = (panel.by_system().counts * panel.right).sum(axis=1) / 400
    own = [got.values.one(quantity="accuracy", system=f"m{m}").value for m in range(5)]
    assert own == pytest.approx(accuracy.tolist())
    assert (got.to_settle, got.more.sum(), len(got.after)) == (0.0, 0, 1)


def test_few_labels_hold_what_all_say(panel, some):
    got, all_of_them = labelled(some), labelled(panel)
    for table in ("rates", "values", "by_level"):
        for mine, theirs in zip(getattr(got, table).rows(), getattr(all_of_them, table).rows(), strict=True):
            assert mine.low <= theirs.value <= mine.high
            assert mine.high - mine.low > 0
    assert got.rates.one(threshold=0.8).parameters["labels"] == 90


def test_every_option_moves_the_answer(some):
    usual = labelled(some)
    assert labelled(some, cuts=(0.8,), threshold=0.8).by_level.value.size == 2
    at_all = labelled(some, threshold=1.0).after.one(labels=0)
    assert at_all.value == usual.rates.one(threshold=1.0).value != usual.after.one(labels=0).value
    assert labelled(some, limit=0.2).to_settle > usual.to_settle == 0
    assert int(labelled(some, more=20).more.sum()) == 20
    strict, loose = (labelled(some, confidence=c).rates.one(threshold=0.8) for c in (0.99, 0.8))
    assert strict.high - strict.low > loose.high - loose.low
    assert labelled(some, level=Level.TEXT).rates.level is Level.TEXT


def test_more_labels_narrow_and_settle(panel, some):
    got = labelled(some)
    now, then = got.after.one(labels=0), got.after.one(labels=50)
    assert then.high - then.low < now.high - now.low
    assert then.value == pytest.approx(now.value, abs=0.01)
    assert got.more[:2].tolist() == [0, 0]
    open_gate = labelled(some, limit=now.value + 0.01)
    needed = int(open_gate.to_settle)
    after = labelled(some, limit=now.value + 0.01, more=needed).after.one(labels=needed)
    before = labelled(some, limit=now.value + 0.01, more=needed - 1).after.one(labels=needed - 1)
    assert after.high <= now.value + 0.01 < before.high


def small(right):
    """Three questions of two systems: all agree; a tie; nobody answers."""
    return tallied(
        Ends.of(
            item=["p", "p", "q", "q", "r", "r"],
            system=["a", "b"] * 3,
            end=["x", "x", "y", "z", None, None],
            right=right,
        )
    )


def test_ties_share_and_silence_is_not_wrong():
    # p: the agreed answer is wrong; q: one of two tied answers is wrong; r: no answer
    got = labelled(small([0, 0, 1, 0, None, None]))
    assert got.values.one(quantity="vote wrong", system="all").value == pytest.approx((1 + 0.5) / 3)
    assert got.rates.one(threshold=0.5).value == pytest.approx(1.5 / 2)
    assert got.values.one(quantity="accuracy", system="a").value == pytest.approx(1 / 3)
    assert got.values.one(quantity="accuracy", system="b").value == 0.0


def test_systems_that_a_verdict_does_not_judge_are_blank():
    # p: all right; q: a's commonest answers... "wrong" of p says nothing of others, of which there are none
    ends = Ends.of(
        item=["p"] * 3 + ["q"] * 3,
        system=["a", "b", "c"] * 2,
        end=["x", "x", "y", "u", "u", "u"],
        right=[0, 0, None, 1, 1, 1],
    )
    got = labelled(tallied(ends), cuts=(0.6, 1.0), threshold=0.6)
    assert got.values.one(quantity="accuracy", system="a").value == 0.5
    row = got.values.one(quantity="accuracy", system="c")
    assert row.blank_reason == "1 label did not say what the right answer is"


def test_no_label_and_odd_options_are_refused(panel):
    with pytest.raises(InputError, match="at least one question must be labelled"):
        labelled(known(panel, []))
    with pytest.raises(InputError, match="limit must lie"):
        labelled(panel, limit=0.0)
    with pytest.raises(InputError, match="limit must lie"):
        labelled(panel, more=0)


def test_nobody_agrees():
    got = labelled(small([0, 0, 1, 0, None, None]), cuts=(0.5, 0.8, 1.0), threshold=0.8)
    assert got.rates.one(threshold=0.8).n == 1
    spread = tallied(Ends.of(item=["p"] * 3, system=["a", "b", "c"], end=["x", "y", "z"], right=[1, 0, 0]))
    alone = labelled(spread)
    assert alone.rates.one(threshold=0.8).blank_reason == "no such question"
    assert np.isnan(alone.to_settle)
    assert alone.values.one(quantity="vote wrong", system="all").value == pytest.approx(2 / 3)


@pytest.mark.slow
def test_intervals_hold_on_planted_panels():
    """A smaller run of runs/coverage/labels.py: of 150 intervals about 143 hold, and 134 at the least."""
    rng = np.random.default_rng(7)
    held = np.zeros(3)
    for _ in range(150):
        panel = planted_tallies(mixture_world(models=5), questions=200, seeds=1, rng=rng)
        order = label_plan(panel, count=45, rng=rng).question
        got, truth = labelled(known(panel, order)), labelled(panel)
        pairs = [
            (table.one(**place), other.one(**place).value)
            for table, other, place in (
                (got.rates, truth.rates, {"threshold": 0.8}),
                (got.rates, truth.rates, {"threshold": 1.0}),
                (got.values, truth.values, {"quantity": "vote wrong", "system": "all"}),
            )
        ]
        held += [row.low - 1e-9 <= value <= row.high + 1e-9 for row, value in pairs]
    assert (held >= 134).all()
