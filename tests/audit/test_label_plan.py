"""Is the list of questions to label as short as it may be, random, and blind to what is right?"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.strata_sampling import agreement_levels, allocated, drawn_order, interleaved
from limitset.core.tallies import tallied
from limitset.core.weighted_shares import stratified_share
from limitset.datasets.planted import mixture_world, planted_tallies
from limitset.instruments.truth import label_plan, labelled, wrong_when_agreed
from limitset.testing.laws import reordered


@pytest.fixture(scope="module")
def panel():
    return planted_tallies(mixture_world(models=5), questions=400, seeds=1, rng=np.random.default_rng(0))


def planned(panel, **options):
    return label_plan(panel, **({"rng": np.random.default_rng(0)} | options))


def test_levels_begin_at_their_cuts_and_leave_out_who_said_nothing():
    # shares of the commonest answer: 4/5, 5/5, 2/5, nobody
    answers = {"p": "aaaab", "q": "aaaaa", "r": "aabbc", "s": "-----"}
    ends = Ends.of(
        item=[item for item, said in answers.items() for _ in said],
        system=[f"m{run}" for said in answers.values() for run in range(len(said))],
        end=[None if one == "-" else one for said in answers.values() for one in said],
    )
    levels = agreement_levels(tallied(ends), (0.5, 0.8, 1.0))
    assert levels.member.tolist() == [2, 3, 0, -1]
    assert (levels.sizes.tolist(), levels.silent) == ([1, 0, 1, 1], 1)
    assert levels.from_threshold(0.8).tolist() == [2, 3]
    assert levels.named() == ["under 50 %", "50 to under 80 %", "80 to under 100 %", "all"]
    with pytest.raises(InputError, match="where a level begins"):
        levels.from_threshold(0.7)


@pytest.mark.parametrize("cuts", [(0.8, 0.5), (0.0, 0.5), (0.5, 1.2), (0.5, 0.5)])
def test_cuts_that_do_not_rise_are_refused(panel, cuts):
    with pytest.raises(InputError, match="rising shares"):
        agreement_levels(panel, cuts)


def test_allocation_is_the_best_of_all_in_whole_numbers():
    sizes, spreads = np.array([12, 7, 5]), np.array([0.4, 0.5, 0.1])

    def variance(n):
        return float(((sizes * spreads) ** 2 / np.array(n)).sum())

    every = [n for n in product(*(range(1, size + 1) for size in sizes)) if sum(n) == 10]
    assert variance(allocated(sizes, spreads, 10)) == pytest.approx(min(map(variance, every)))
    # 600 x .3 to 200 x .4 is 180 to 80: of 26 draws 18 and 8 (Neyman)
    assert allocated(np.array([600, 200]), np.array([0.3, 0.4]), 26).tolist() == [18, 8]


def test_allocation_keeps_what_was_taken_and_stops_at_what_there_is():
    sizes, spreads = np.array([10, 100]), np.array([0.5, 0.5])
    assert allocated(sizes, spreads, 1000).tolist() == [10, 100]
    assert allocated(sizes, spreads, 30, taken=np.array([9, 0]))[0] == 9
    assert allocated(sizes, np.zeros(2), 20, least=5).min() >= 5
    assert allocated(sizes, spreads, 0).tolist() == [0, 0]


def test_every_beginning_of_the_list_is_in_proportion():
    counts = np.array([40, 13, 7])
    turn = interleaved(counts)
    for n in range(1, turn.size + 1):
        assert np.abs(np.bincount(turn[:n], minlength=3) - n * counts / 60).max() <= 1.5
    assert np.bincount(turn).tolist() == counts.tolist()
    assert interleaved(counts, np.array([40, 10, 7])).tolist() == [1, 1, 1]


def test_draws_are_uniform_within_a_level(panel):
    rng = np.random.default_rng(5)
    small = panel.of_questions(np.arange(400) < 60)
    member = agreement_levels(small, (0.5, 0.8, 1.0)).member
    times = np.zeros(60)
    for _ in range(400):
        order = drawn_order(small, rng)
        for level in range(4):
            times[order[member[order] == level][:3]] += 1
    for level in range(4):
        assert stats.chisquare(times[member == level]).pvalue > 1e-3


def test_a_longer_list_begins_with_the_same_questions_of_each_level(panel):
    short, long = planned(panel, count=40), planned(panel, count=160)
    member = short.levels.member
    for level in range(4):
        few, many = ([q for q in plan.question.tolist() if member[q] == level] for plan in (short, long))
        assert many[: len(few)] == few
    order = drawn_order(panel, np.random.default_rng(0))
    turn = np.random.default_rng(1).permutation(400)
    again = drawn_order(reordered(panel, turn), np.random.default_rng(0))
    assert panel.items[order].tolist() == reordered(panel, turn).items[again].tolist()


def test_the_plan_is_the_shortest_that_reaches_the_width(panel):
    plan = planned(panel, half_width=0.06)
    agreed = plan.levels.from_threshold(0.8)
    sizes, drawn = plan.levels.sizes[agreed], plan.planned[agreed]

    def half(n):
        got = stratified_share(sizes, n, 0.2 * n)
        return (got.high - got.low) / 2

    assert half(drawn) <= 0.06 + 1e-12
    fewer = allocated(sizes, np.full(2, 0.4), int(drawn.sum()) - 1, least=5)
    assert half(fewer) > 0.06
    told = plan.expected.one(quantity="wrong when agreed")
    assert (told.value, told.n) == (pytest.approx(half(drawn)), drawn.sum())
    assert told.low < told.value < told.high
    assert plan.expected.one(quantity="vote wrong").value <= 0.12


def test_weights_stand_for_their_level(panel):
    plan = planned(panel)
    assert plan.weight.sum() == pytest.approx(plan.levels.sizes.sum())
    assert len(set(plan.question.tolist())) == plan.question.size
    inclusion = plan.inclusion.one(level="all")
    assert inclusion.value == pytest.approx(plan.planned[3] / plan.levels.sizes[3])


@pytest.mark.parametrize(
    ("option", "longer"),
    [
        ({"half_width": 0.03}, True),
        ({"assumed_error": 0.05}, False),
        ({"confidence": 0.99}, True),
        ({"count": 30}, False),
    ],
)
def test_options_move_the_length(panel, option, longer):
    assert (planned(panel, **option).question.size > planned(panel).question.size) == longer


def test_other_options_move_the_plan(panel):
    usual = planned(panel)
    assert planned(panel, threshold=1.0).levels.cuts == (0.5, 1.0)
    assert planned(panel, cuts=(0.8,)).levels.sizes.size == 2
    other = label_plan(panel, rng=np.random.default_rng(1))
    assert other.question.tolist() != usual.question.tolist()
    assert planned(panel).question.tolist() == usual.question.tolist()


@pytest.mark.parametrize(
    "option",
    [{"half_width": 0.0}, {"threshold": 1.5}, {"assumed_error": 0.7}, {"assumed_error": 0.0}],
)
def test_parameters_out_of_range_are_refused(panel, option):
    with pytest.raises(InputError, match="half_width must lie"):
        planned(panel, **option)


def test_nothing_to_label_is_refused(panel):
    with pytest.raises(InputError, match="at least one label"):
        planned(panel, count=0)
    silent = tallied(Ends.of(item=["p"], system="m", end=[None]))
    with pytest.raises(InputError, match="must have answered"):
        planned(silent)


def test_a_panel_on_which_nobody_agrees_says_so():
    spread = tallied(Ends.of(item=["p"] * 3, system=["a", "b", "c"], end=["x", "y", "z"]))
    plan = planned(spread)
    assert (
        plan.expected.one(quantity="wrong when agreed").blank_reason == "on no question do so many runs agree"
    )
    assert plan.question.tolist() == [0]


def relabelled(panel):
    """Call another answer right on every question: the twin of a panel, with the same replies."""
    right = np.zeros(panel.class_item.size)
    top = np.zeros(panel.items.size, dtype=int)
    counts = panel.pooled().counts[0]
    for place, question in enumerate(panel.class_item):
        if not panel.right[place] and counts[place] >= top[question]:
            top[question] = counts[place]
            right[panel.class_item == question] = 0
            right[place] = 1
    return replace(panel, class_right=right)


def test_a_world_and_its_relabelled_twin_have_one_plan_and_two_truths(panel):
    """T5: whatever is computed from agreement alone cannot tell them apart; labels can."""
    twin = relabelled(panel)
    plans = [planned(one) for one in (panel, twin)]
    assert plans[0].question.tolist() == plans[1].question.tolist()
    for table in ("inclusion", "expected"):
        np.testing.assert_array_equal(getattr(plans[0], table).value, getattr(plans[1], table).value)
    coverage = [wrong_when_agreed(one).coverage.value.tolist() for one in (panel, twin)]
    assert coverage[0] == coverage[1]
    known = np.isin(np.arange(400), plans[0].question)
    world, other = (
        labelled(replace(one, class_right=np.where(known[one.class_item], one.class_right, np.nan)))
        for one in (panel, twin)
    )
    assert world.coverage.value.tolist() == other.coverage.value.tolist()
    rate, turned = (found.rates.one(threshold=0.8) for found in (world, other))
    assert rate.high < turned.low
