"""What voters are worth, when to stop, who adds what, the best subset, what to send outside."""

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.escalation import agreement_of
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.majorities import correlated_majority, majority_accuracy, predicted_majorities
from limitset.core.tallies import tallied
from limitset.core.verdicts import Verdict
from limitset.core.voters import correlations_left_out, models_of, votes_of
from limitset.datasets.planted import (
    clones_world,
    independent_world,
    judges_world,
    mixture_world,
    planted_tallies,
    population_sent,
    population_vote,
    population_vote_of_size,
    shared_difficulty_world,
    stratified_world,
)
from limitset.instruments.truth import (
    best_subset,
    effective_number,
    escalation,
    member_value,
    surviving_error,
    voting_gain,
)
from limitset.instruments.truth.member_value import CANT_TELL, HARMS, HELPS, NOTHING


def rng(seed=0):
    return np.random.default_rng(seed)


def panel(right, *, clusters=None):
    """One run of each system (rows) on each question: 1 right, 0 wrong, all wrong ones alike."""
    right = np.asarray(right)
    names = [f"q{n}" for n in range(right.shape[1])]
    items = Items.of(item=names, text=names, cluster=clusters)
    rows = [
        {"item": names[q], "system": f"m{m}", "end": "yes" if one else "no", "right": int(one)}
        for m, row in enumerate(right)
        for q, one in enumerate(row)
    ]
    return tallied(Ends.of_rows(rows), items)


def drawn(world, *, questions, seed=0, seeds=1):
    return planted_tallies(world, questions=questions, seeds=seeds, rng=rng(seed))


# effective number


def test_one_product_leaves_every_question_out():
    # by the formula with each question deleted from the data
    tallies = drawn(stratified_world(), questions=25, seeds=3)
    for make in (votes_of, models_of):
        (count, mean), (_, partial) = correlations_left_out(make(tallies))
        for q in range(25):
            voters = make(tallies.of_questions(np.arange(25) != q))
            whole = correlations_left_out(voters)
            assert whole[0].shape == (2, 24)
            single = effective_of(voters)
            assert mean[q] == pytest.approx(single[1], abs=1e-10)
            assert count[q] == single[0]
            assert partial[q] == pytest.approx(single[2], abs=1e-10, nan_ok=True)


def effective_of(voters):
    from limitset.core.voters import correlations

    return [float(part[0]) for part in correlations(voters, np.zeros((1, 0), dtype=int))]


def test_many_systems_leave_out_groups(monkeypatch):
    tallies = drawn(shared_difficulty_world(models=5), questions=600)
    exact = effective_number(tallies)
    monkeypatch.setattr("limitset.core.voters._EACH_QUESTION", 10)
    grouped = effective_number(tallies)
    a, b = (one.partial.one(unit="votes") for one in (exact, grouped))
    assert a.value == b.value
    assert np.log(b.high / b.low) == pytest.approx(np.log(a.high / a.low), rel=0.3)
    for name in ("values", "correlation"):  # these leave out every question whatever the size
        one, other = (getattr(got, name).one(unit="votes") for got in (exact, grouped))
        assert (one.low, one.high) == (other.low, other.high)


def test_a_judge_that_never_errs_adds_nothing_and_flips_no_sign():
    # six judges with a mean correlation; a seventh that is always right has no correlation with anybody:
    # counted as 0 it would raise the number, counted in M alone it would, too
    errors = 1 - drawn_right(judges_world(), 300)
    six = panel(1 - np.vstack([errors, errors[:1]]))
    seven = panel(1 - np.vstack([errors, errors[:1], np.zeros((1, 300), dtype=int)]))
    a, b = (effective_number(one).values.one(unit="votes") for one in (six, seven))
    assert a.value == pytest.approx(b.value)
    assert (a.low, a.high) == (pytest.approx(b.low), pytest.approx(b.high))


def test_dropping_the_weakest_judge_lowers_the_number():
    # five judges that err together and a sixth, weaker one that errs apart: without it the mean correlation
    # rises and the number falls, although the judge that left was the worst
    generator = rng(4)
    hard = generator.random(2000) < 0.3
    five = np.array([hard ^ (generator.random(2000) < 0.08) for _ in range(5)])
    weak = generator.random(2000) < 0.4
    six = effective_number(panel(~np.vstack([five, weak])))
    rest = effective_number(panel(~five))
    assert six.correlation.one(unit="votes").value < rest.correlation.one(unit="votes").value
    assert six.values.one(unit="votes").value > rest.values.one(unit="votes").value


def drawn_right(world, questions, seed=0):
    tallies = drawn(world, questions=questions, seed=seed)
    right = [tallies.by_question((row * tallies.right).astype(float)) for row in tallies.counts]
    return np.array(right).astype(int)


# when to stop


def test_curve_by_hand():
    # three systems, each wrong on a question of its own: alone 1/3; two: ties on two of three questions
    got = voting_gain(panel(1 - np.eye(3, dtype=int)), rng=rng())
    curve = got.errors.where(unit="systems", null_kind="")
    # fewer than five questions carry a side: the values are bounds; changes keep theirs
    assert got.changes.value.tolist() == pytest.approx([1 / 3, 1 / 3])
    assert list(curve.axes["votes"]) == [1, 2, 3]


def test_the_curve_of_a_planted_panel():
    world = judges_world()
    got = voting_gain(drawn(world, questions=4000), rng=rng())
    for votes in (1, 2, 3, 4, 5):
        row = got.errors.one(unit="systems", system="all", votes=votes, null_kind="")
        assert row.value == pytest.approx(population_vote_of_size(world, votes), abs=0.025)
        assert row.low < row.value < row.high


def test_predictions_are_errors_of_majorities():
    tallies = drawn(independent_world(accuracy=0.7, wrong_classes=1, models=9), questions=3000)
    got = voting_gain(tallies, rng=rng()).errors
    # p = .7: .784, .83692, .90119 at 3, 5, 9
    for votes, accuracy in ((3, 0.784), (5, 0.83692), (9, 0.90119)):
        row = got.one(votes=votes, unit="systems", system="all", null_kind="independent")
        assert 1 - row.value == pytest.approx(accuracy, abs=0.02)
        assert row.low <= row.value <= row.high
        seen = got.one(votes=votes, unit="systems", system="all", null_kind="")
        assert seen.value == pytest.approx(row.value, abs=0.02)
    assert not len(got.where(votes=4, null_kind="independent"))


def test_predictions_end_where_the_voters_end():
    # sizes of 24 voters: 1 to 16, 20, 24; odd ones up to 15, and 23, the last odd number below 24
    got = voting_gain(drawn(mixture_world(models=24), questions=30), rng=rng(), draws=5).errors
    for kind in ("independent", "correlated"):
        assert got.where(null_kind=kind).axes["votes"].tolist() == [1, 3, 5, 7, 9, 11, 13, 15, 23]
    assert got.where(null_kind="").axes["votes"].max() == 24


def test_equally_correlated_voters():
    # nine voters, p = .7, r = .2: .78365; r = .4375: .73013
    for r, expected in ((0.2, 0.78365), (0.4375, 0.73013)):
        assert float(correlated_majority(9, 0.7, r)) == pytest.approx(expected, abs=5e-6)
    assert float(majority_accuracy(9, 0.7)) == pytest.approx(0.90119, abs=5e-6)
    chance = np.linspace(0.1, 0.9, 50)
    independent, correlated = predicted_majorities(chance, chance**2, 5)
    mean, both = chance.mean(), (chance**2).mean()
    r = (both - mean**2) / (mean * (1 - mean))
    assert independent.value == pytest.approx(float(majority_accuracy(5, mean)))
    assert correlated.value == pytest.approx(float(correlated_majority(5, mean, r)))
    assert independent.low < independent.value < independent.high
    wide = predicted_majorities(chance, chance**2, 5, confidence=0.99)[0]
    assert wide.high > independent.high


def test_runs_of_one_system_are_the_surviving_error():
    tallies = drawn(mixture_world(models=1), questions=120, seeds=5)
    got = voting_gain(tallies, rng=rng()).errors
    other = surviving_error(tallies, rng=rng(), draws=2000).curve
    for votes in (1, 3, 5):
        ours = got.one(unit="runs", system="m0", votes=votes, null_kind="")
        theirs = other.one(system="all", stratum="all", votes=votes)
        assert ours.value == pytest.approx(theirs.value, abs=0.01)


def test_clones_need_one_vote_and_voters_apart_need_all():
    clones = voting_gain(drawn(clones_world(accuracy=0.6, models=5), questions=600), rng=rng()).stop()
    assert (clones.verdict, clones.votes, clones.most) == (Verdict.HOLDS, 1, 5)
    apart = drawn(independent_world(accuracy=0.7, wrong_classes=1, models=5), questions=2000)
    stop = voting_gain(apart, rng=rng()).stop()
    assert (stop.verdict, stop.votes) == (Verdict.FAILS, 5)
    assert stop.change.low > 0
    few = voting_gain(drawn(mixture_world(models=5), questions=40), rng=rng()).stop()
    assert few.verdict is Verdict.CANT_TELL
    assert few.change.high >= 0.01
    assert voting_gain(drawn(mixture_world(models=5), questions=40), rng=rng()).stop(margin=0.9).votes == 1


def test_an_even_vote_of_two_answers_is_the_odd_one_below_it():
    got = voting_gain(drawn(judges_world(), questions=300), rng=rng()).errors.where(null_kind="")
    assert got.one(unit="systems", votes=4).value == pytest.approx(got.one(unit="systems", votes=3).value)


def test_silence_is_no_way_to_be_right():
    tallies = drawn(independent_world(accuracy=1.0, wrong_classes=1, models=3).abstaining(0.5), questions=400)
    got = voting_gain(tallies, rng=rng()).errors.where(null_kind="", unit="systems")
    assert got.one(votes=1).value == pytest.approx(0.5, abs=0.05)
    assert got.one(votes=3).value == pytest.approx(0.125, abs=0.05)


def test_large_panels_draw_orders():
    tallies = drawn(mixture_world(models=20), questions=60)
    got = voting_gain(tallies, rng=rng(), draws=30)
    assert "all: 30 orders of the voters" in got.errors.notes
    more = voting_gain(tallies, rng=rng(), draws=60)
    assert not np.array_equal(got.changes.value, more.changes.value)
    assert got.errors.axes["votes"].max() == 20
    # steps of a quarter beyond sixteen
    assert {16, 20} <= set(got.errors.axes["votes"])
    assert 17 not in got.errors.axes["votes"]


def test_keywords_of_voting():
    tallies = drawn(mixture_world(models=3), questions=60, seeds=3)
    got = voting_gain(tallies, rng=rng())
    wide = voting_gain(tallies, rng=rng(), confidence=0.99, level=Level.TEXT)
    assert wide.changes.high[0] > got.changes.high[0]
    assert wide.errors.level is Level.TEXT
    few = voting_gain(tallies, rng=rng(), rounds=2)
    assert not np.array_equal(few.errors.value, got.errors.value)
    with pytest.raises(InputError, match="rounds and draws must be 1 or more"):
        voting_gain(tallies, rng=rng(), rounds=0)
    with pytest.raises(InputError, match="no anchor"):
        voting_gain(tallied(Ends.of(item=["q"], system="m", end="x")), rng=rng())


def test_one_run_a_question_is_no_vote():
    got = voting_gain(drawn(mixture_world(models=1), questions=20), rng=rng())
    assert not len(got.errors)
    assert got.stop() is None


# what each adds


def test_members_by_hand():
    # a and b agree; c is right where they are wrong: without a, b and c tie on every question
    right = np.array([[1, 1, 1, 0]] * 2 + [[0, 0, 0, 1]])
    got = member_value(panel(np.tile(right, 50)), rng=rng())
    # with all: wrong 1/4; without a or b: all ties, 1/2; without c: 1/4
    assert got.values.value.tolist() == pytest.approx([0.25, 0.25, 0.0])
    assert got.verdicts()["m0"] == HELPS
    assert got.verdicts(margin=0.05)["m2"] == NOTHING
    assert got.verdicts(margin=1e-6)["m2"] == CANT_TELL


def test_a_judge_that_harms_is_named():
    world = judges_world()
    got = member_value(drawn(world, questions=3000), rng=rng())
    whole = population_vote(world, [0, 1, 2, 3, 4])
    for m in range(5):
        truth = population_vote(world, [n for n in range(5) if n != m]) - whole
        row = got.values.one(system=f"m{m}")
        assert row.low <= truth <= row.high
    assert got.verdicts()["m4"] == HARMS
    assert got.verdicts()["m0"] == HELPS
    assert "m4" in got.dropped


def test_of_copies_not_all_can_leave():
    # two copies of a good judge beside one that is always wrong: each copy can go, both cannot
    good = (rng(1).random(2000) < 0.9).astype(int)
    third = (rng(2).random(2000) < 0.6).astype(int)
    got = member_value(panel([good, good, good, third]), rng=rng())
    assert got.verdicts() == dict.fromkeys(("m0", "m1", "m2", "m3"), NOTHING)
    assert not {"m0", "m1", "m2"} <= set(got.dropped)
    change = next(iter(got.together.rows()))
    assert change.high < 0.01
    assert change.parameters["count"] == len(got.dropped) >= 1
    kept = [row for m, row in enumerate([good, good, good, third]) if f"m{m}" not in got.dropped]
    tied = np.mean([np.where(np.mean(kept, axis=0) == 0.5, 0.5, np.mean(kept, axis=0) < 0.5)])
    every = np.mean([good, good, good, third], axis=0)
    assert change.value == pytest.approx(tied - np.where(every == 0.5, 0.5, every < 0.5).mean())


def test_intervals_of_members_hold_together():
    tallies = drawn(judges_world(), questions=300)
    got = member_value(tallies, rng=rng())
    alone = member_value(tallies, rng=rng(), confidence=1 - 5 * 0.05).values  # Bonferroni: 5 x 1 %
    assert all(got.values.high > alone.high)
    assert member_value(tallies, rng=rng(), level=Level.TEXT).values.level is Level.TEXT
    narrow = member_value(tallies, rng=rng(), margin=0.5)
    assert len(narrow.dropped) > len(got.dropped)
    several = drawn(mixture_world(models=3), questions=40, seeds=3)
    a, b = (member_value(several, rng=rng(), rounds=rounds).values.value for rounds in (2, 32))
    assert not np.array_equal(a, b)


def test_members_refuse_and_blank():
    with pytest.raises(InputError, match=r"margin in \(0, 1\)"):
        member_value(drawn(judges_world(), questions=10), rng=rng(), margin=0.0)
    with pytest.raises(InputError, match="no anchor"):
        member_value(tallied(Ends.of(item=["q"], system="m", end="x")), rng=rng())
    alone = member_value(drawn(mixture_world(models=1), questions=10), rng=rng()).values
    assert alone.blank_reason[0] == "a vote takes two systems"


# the best subset


def test_choosing_among_equals_gains_nothing_but_looks_as_if():
    gains, naive = [], []
    for seed in range(30):
        tallies = drawn(independent_world(accuracy=0.6, wrong_classes=1, models=6), questions=100, seed=seed)
        got = best_subset(tallies, rng=rng(seed), sizes=[3])
        gains.append(got.gains.one(size=3, against="random").value)
        random, own = (got.errors.one(size=3, estimate=name).value for name in ("random", "naive"))
        naive.append(random - own)
    error = np.std(gains) / np.sqrt(30)
    assert abs(np.mean(gains)) < 3 * error  # paid for: nothing
    assert np.mean(naive) > 0.04  # not paid for: four points out of the air


def test_a_better_subset_is_found_and_its_worth_recovered():
    world = judges_world()
    got = best_subset(drawn(world, questions=2000), rng=rng(), sizes=[3, 4])
    assert got.chosen[3] == ("m0", "m1", "m2")
    assert got.steady[3]["m0"] == 1
    truth = population_vote(world, [0, 1, 2])
    row = got.errors.one(size=3, estimate="cross_fitted")
    assert row.low < truth < row.high
    gain = got.gains.one(size=3, against="all")
    assert gain.low > 0
    assert gain.low < population_vote(world, [0, 1, 2, 3, 4]) - truth < gain.high


def test_adding_one_to_those_that_are_present():
    world = judges_world()
    got = best_subset(drawn(world, questions=2000), rng=rng(), present=["m0", "m2"], sizes=[3])
    assert got.chosen[3] == ("m0", "m1", "m2")
    truth = population_vote(world, [0, 2]) - population_vote(world, [0, 1, 2])
    row = got.gains.one(size=3, against="present")
    assert row.low < truth < row.high
    assert not len(got.gains.where(against="random"))


def test_large_panels_add_and_exchange():
    tallies = drawn(independent_world(accuracy=0.6, wrong_classes=2, models=18), questions=120)
    got = best_subset(tallies, rng=rng())
    assert "systems added one by one and exchanged" in got.errors.notes
    assert list(got.chosen) == [1, 2, 3, 4, 5, 7, 9, 11, 15]
    assert all(len(names) == size for size, names in got.chosen.items())
    # cut once: the widening of a toss-up between equals, 1 + 4 (2 / pi) / sqrt(7) in variance
    assert got.gains.one(size=3, against="random").low < 0


def test_keywords_of_the_best_subset():
    tallies = drawn(mixture_world(models=4), questions=80, seeds=3)
    got = best_subset(tallies, rng=rng(), sizes=[2])
    row = got.errors.one(size=2, estimate="cross_fitted")
    for other in ({"folds": 3}, {"rounds": 3}, {"confidence": 0.8}):
        changed = best_subset(tallies, rng=rng(), sizes=[2], **other).errors.one(
            size=2, estimate="cross_fitted"
        )
        assert (changed.value, changed.low) != (row.value, row.low)
    assert best_subset(tallies, rng=rng(), sizes=[2], level=Level.TEXT).errors.level is Level.TEXT
    many = drawn(mixture_world(models=18), questions=40)
    a, b = (
        best_subset(many, rng=rng(), sizes=[2], draws=draws).errors.one(size=2, estimate="random").value
        for draws in (2, 9)
    )
    assert a != b


def test_best_subset_refuses_and_says_too_few():
    tallies = drawn(judges_world(), questions=60)
    with pytest.raises(InputError, match="folds must be 2 or more"):
        best_subset(tallies, rng=rng(), folds=1)
    with pytest.raises(InputError, match="sizes must lie above 0 and reach 5"):
        best_subset(tallies, rng=rng(), sizes=[6])
    with pytest.raises(InputError, match="must be among those that vote"):
        best_subset(tallies, rng=rng(), present=["nobody"])
    few = best_subset(drawn(judges_world(), questions=12), rng=rng())
    assert (few.folds, few.chosen, len(few.errors)) == (0, {}, 0)


# what to send outside


def test_escalation_by_hand():
    # five judges: 20 items all right; 10 items 3 right of 5; 10 items 2 of 5; 10 items all wrong
    columns = [[1] * 5] * 20 + [[1, 1, 1, 0, 0]] * 10 + [[1, 1, 0, 0, 0]] * 10 + [[0] * 5] * 10
    got = escalation(panel(np.array(columns).T)).values
    # b = 1, .6, .6, 1; error 0, 0, 1, 1. At t = 1 the twenty items in the middle are sent
    assert sorted(set(got.axes["threshold"])) == [1.0]
    assert got.one(quantity="sent", threshold=1.0).value == pytest.approx(0.4)
    assert got.one(quantity="left", threshold=1.0).value == pytest.approx(1 / 3)
    assert got.one(quantity="removed", threshold=1.0).value == pytest.approx(0.5)


def test_escalation_of_a_planted_panel():
    world = mixture_world(models=5)
    got = escalation(drawn(world, questions=4000)).values
    for votes in (3, 4, 5):
        rows = {
            row.parameters["quantity"]: row
            for row in got.rows()
            if abs(row.parameters["threshold"] - votes / 5) < 1e-6
        }
        for name, truth in zip(("sent", "left", "removed"), population_sent(world, votes), strict=True):
            assert rows[name].value == pytest.approx(truth, abs=0.04)
            assert rows[name].low <= rows[name].value <= rows[name].high


def test_a_chosen_threshold_needs_wider_intervals():
    tallies = drawn(mixture_world(models=5), questions=200)
    one, many = (escalation(tallies, comparisons=n).values for n in (1, 3))
    assert (many.high > one.high)[~np.isnan(one.value)].all()
    assert escalation(tallies, confidence=0.8, level=Level.TEXT).values.level is Level.TEXT
    assert escalation(tallies, confidence=0.8).values.high[0] < one.high[0]
    with pytest.raises(InputError, match="comparisons must be 1 or more"):
        escalation(tallies, comparisons=0)


def test_levels_of_many_runs_are_thinned_and_one_vote_has_none():
    many = agreement_of(drawn(mixture_world(models=1), questions=80, seeds=60))
    assert 8 <= many.levels.size <= 16
    assert (np.diff(many.levels) > 0).all()
    # they cut the questions about evenly
    sent = [many.below(level).mean() for level in many.levels]
    assert max(np.diff(sent)) < 0.2
    assert many.levels[-1] == 1.0
    assert not len(escalation(drawn(mixture_world(models=1), questions=20)).values)


def test_clusters_widen_every_interval():
    right = np.repeat(drawn_right(judges_world(), 60), 5, axis=1)
    names = [f"c{n // 5}" for n in range(300)]
    alone, grouped = panel(right), panel(right, clusters=names)
    for measure in (
        lambda t: voting_gain(t, rng=rng()).changes,
        lambda t: member_value(t, rng=rng()).values,
        lambda t: escalation(t).values,
    ):
        a, b = measure(alone), measure(grouped)
        known = ~np.isnan(a.value) & ~np.isnan(b.value) & (a.value != 0)
        assert known.sum() >= 3
        np.testing.assert_allclose(a.value[known], b.value[known])
        assert (b.high - b.low)[known].mean() > 1.5 * (a.high - a.low)[known].mean()
