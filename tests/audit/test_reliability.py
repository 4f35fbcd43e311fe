"""Agreement with oneself, one draw and k: worked by hand, published values, pingouin, laws, coin tosses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.mean_squares import FORMS, draws_for, f_interval, one_way, stepped_up, two_way
from limitset.core.scores import ScoreTable, correct_scores, scored
from limitset.core.tallies import tallied
from limitset.datasets.planted import beta_world, planted_tallies, stratified_world
from limitset.instruments.truth import reliability, self_agreement

SHROUT_FLEISS = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
"""Shrout and Fleiss (1979), table 2: four raters (rows), six targets."""


def table_of(scores, key=None):
    scores = np.asarray(scores, dtype=float)
    if scores.ndim == 2:
        scores = scores[:, :, None]
    m, q, _ = scores.shape
    return ScoreTable(
        systems=np.array([f"j{row}" for row in range(m)], dtype=object),
        items=np.array([f"q{row}" for row in range(q)], dtype=object),
        scores=scores,
        key=np.full(q, np.nan) if key is None else np.asarray(key, dtype=float),
    )


def runs_of(answers, right=("yes",)):
    """One system: answers[q] is a string, one letter a run; y is right."""
    rows = [
        {
            "item": f"q{q}",
            "system": "m",
            "seed": s,
            "end": None if a == "-" else a,
            "right": float(a in right),
        }
        for q, own in enumerate(answers)
        for s, a in enumerate(own)
    ]
    for row in rows:
        if row["end"] is None:
            row["right"] = None
    return tallied(Ends.of_rows(rows))


class TestSelfAgreement:
    def test_by_hand(self):
        # q0: yyyn, pairs 3*2/12 = 1/2, all of them right; q1: nnnn, 1, wrong; q2: abcd, 0; q3: yyyy, 1, right
        got = self_agreement(runs_of(["yyyn", "nnnn", "abcd", "yyyy"], right="y"))
        value = {
            part: got.values.one(system="m", stratum="all", part=part)
            for part in ("agree", "agree right", "agree wrong")
        }
        # four questions: fewer than five carry either side, so there are bounds and no values
        assert all(row.blank and row.bounded for row in value.values())
        # q and q' of two different questions: (y .75, n .25), (n 1), none in common, (y 1)
        # pairs: q0q1 .25, q0q3 .75, others 0: mean over 12 ordered pairs is 2 * 1 / 12
        assert got.chance.one(system="m", stratum="all").value == pytest.approx(1 / 6)
        assert got.corrected.one(system="m", stratum="all").value == pytest.approx((0.625 - 1 / 6) / (5 / 6))

    def test_values_of_a_larger_panel(self):
        got = self_agreement(runs_of(["yyyn", "nnnn", "abcd", "yyyy"] * 5, right="y")).values
        assert got.one(part="agree", stratum="all").value == pytest.approx(0.625)
        assert got.one(part="agree right", stratum="all").value == pytest.approx(0.375)
        assert got.one(part="agree wrong", stratum="all").value == pytest.approx(0.25)

    def test_an_abstention_agrees_with_nothing(self):
        # y-: 1 run of 2 has an answer, no pair agrees; --: none
        got = self_agreement(runs_of(["y-", "--", "yy", "yn"] * 5, right="y"))
        assert got.values.one(part="agree", stratum="all").value == pytest.approx(0.25)

    def test_greedy_runs_and_single_runs_say_nothing(self):
        ends = Ends.of(
            item=["p", "p", "q"],
            system="m",
            end="x",
            seed=[0, 1, 0],
            greedy=[0, 1, 0],
            temperature=[0.7, 0, 0.7],
        )
        assert len(self_agreement(tallied(ends)).values) == 0

    def test_wordings_are_not_mixed(self):
        # each wording always gives its own answer: a system agrees with itself within a wording
        rows = [
            {"item": f"q{q}", "system": "m", "paraphrase": p, "seed": s, "end": p}
            for q in range(20)
            for p in "ab"
            for s in range(2)
        ]
        row = self_agreement(tallied(Ends.of_rows(rows))).values.one(part="agree", stratum="all")
        assert row.blank
        assert row.low > 0.8

    def test_all_is_the_mean_of_the_systems(self):
        tallies = planted_tallies(stratified_world(), questions=60, seeds=4, rng=np.random.default_rng(0))
        values = self_agreement(tallies).values.where(part="agree", stratum="all")
        each = [values.one(system=name).value for name in ("m0", "m1")]
        assert values.one(system="all").value == pytest.approx(np.mean(each))

    def test_questions_asked_once_change_nothing(self):
        twice = ["yy", "yn", "nn", "ab"] * 5
        whole, more = (self_agreement(runs_of(one, right="y")) for one in (twice, [*twice, "y", "n"]))
        for name in ("values", "corrected", "chance"):
            assert getattr(more, name).value == pytest.approx(getattr(whole, name).value, nan_ok=True)
        assert more.chance.one(stratum="all").value > 0

    def test_clusters_are_left_out_whole(self):
        tallies = planted_tallies(stratified_world(), questions=120, seeds=4, rng=np.random.default_rng(0))
        five = replace(tallies, clusters=np.arange(120) // 5)
        pick = {"system": "m0", "stratum": "all", "part": "agree"}
        lone, clustered = (self_agreement(one).values.one(**pick) for one in (tallies, five))
        assert clustered.value == pytest.approx(lone.value)
        assert clustered.n < lone.n / 4
        assert clustered.low != lone.low

    def test_strata_confidence_and_level(self):
        tallies = planted_tallies(stratified_world(), questions=200, seeds=4, rng=np.random.default_rng(0))
        got = self_agreement(tallies)
        own = got.values.where(system="m0", part="agree")
        strata = tallies.stratum_names()
        sizes = [np.mean(tallies.strata == name) for name in strata]
        rows = [own.one(stratum=name) for name in strata]
        known = [row.value for row in rows]
        if not any(np.isnan(known)):
            assert own.one(stratum="all").value == pytest.approx(np.dot(sizes, known))
        wide = self_agreement(tallies, confidence=0.99, level=Level.TEXT).values
        pick = {"system": "m0", "stratum": "all", "part": "agree"}
        assert wide.one(**pick).low < got.values.one(**pick).low
        assert wide.level is Level.TEXT


class TestMeanSquares:
    def test_leaving_out_is_leaving_out(self):
        rng = np.random.default_rng(0)
        scores, noise = rng.normal(size=(3, 7)), rng.random((3, 7))
        _, left = two_way(scores, noise)
        total, squares, runs = rng.normal(size=7), 9 + rng.random(7), rng.integers(1, 5, 7).astype(float)
        _, lone = one_way(total, squares, runs)
        for q in range(7):
            again, _ = two_way(np.delete(scores, q, 1), np.delete(noise, q, 1))
            for name in ("rows", "columns", "error", "within"):
                assert getattr(left, name)[q] == pytest.approx(float(getattr(again, name)))
            whole, _ = one_way(np.delete(total, q), np.delete(squares, q), np.delete(runs, q))
            for name in ("between", "within", "runs"):
                assert getattr(lone, name)[q] == pytest.approx(float(getattr(whole, name)))

    def test_several_draws_are_the_mean_over_choices_of_one(self):
        # two raters with two draws each on three questions: 2^6 tables of one draw
        rng = np.random.default_rng(1)
        draws = rng.integers(1, 6, (2, 3, 2)).astype(float)
        table = table_of(draws)
        whole, _ = two_way(table.mean, table.noise)
        found = []
        for choice in range(64):
            bits = np.array([choice >> bit & 1 for bit in range(6)]).reshape(2, 3)
            one = np.take_along_axis(draws, bits[:, :, None], axis=2)[:, :, 0]
            found.append(
                [
                    float(getattr(two_way(one, np.zeros((2, 3)))[0], name))
                    for name in ("rows", "columns", "error")
                ]
            )
        mean = np.mean(found, axis=0)
        assert [float(whole.rows), float(whole.columns), float(whole.error)] == pytest.approx(mean.tolist())

    def test_draws_for(self):
        assert draws_for(1 / 3, target=0.9) == 18  # 18 / (18 + 2) = .9 for Beta(1, 1)
        assert float(stepped_up(1 / 3, 18)) == pytest.approx(0.9)
        assert np.isnan(draws_for(0.0, target=0.9))
        assert draws_for(0.95, target=0.9) == 1


class TestReliability:
    def test_shrout_and_fleiss(self):
        got = reliability(table_of(SHROUT_FLEISS)).raters.where(null_kind="")
        values = [got.one(form=form).value for form in FORMS]
        assert [round(value, 4) for value in values] == [0.1657, 0.2898, 0.7148, 0.4428, 0.6201, 0.9093]

    def test_agrees_with_pingouin(self):
        # pingouin 0.7.0, intraclass_corr: ICC to six digits and CI95, which it rounds to two
        icc = [0.165742, 0.289764, 0.714841, 0.442797, 0.620051, 0.909316]
        ends = [(-0.13, 0.72), (0.02, 0.76), (0.34, 0.95), (-0.88, 0.91), (0.07, 0.93), (0.68, 0.99)]
        got = reliability(table_of(SHROUT_FLEISS)).by_f
        for form, value, (low, high) in zip(FORMS, icc, ends, strict=True):
            row = got.one(form=form)
            assert row.value == pytest.approx(value, abs=5e-7)
            assert (round(row.low, 2), round(row.high, 2)) == (low, high)

    @pytest.mark.parametrize("k", [4, 16])
    def test_one_draw_and_k_of_beta_items(self, k):
        tallies = planted_tallies(beta_world(), questions=20_000, seeds=k, rng=np.random.default_rng(0))
        own = reliability(tallies).own.where(null_kind="")
        assert own.one(draws=1).value == pytest.approx(1 / 3, abs=0.012)
        assert own.one(draws=k).value == pytest.approx(k / (k + 2), abs=0.01)
        assert float(stepped_up(own.one(draws=1).value, 100)) == pytest.approx(100 / 102, abs=0.002)

    def test_one_draw_is_the_covariance_of_two_draws(self):
        # another way: the correlation of two different draws of a question, over all pairs of draws
        scores = np.array([[[1.0, 2, 2], [4, 5, 3], [2, 2, 1], [5, 5, 5], [3, 1, 2]]])
        x = scores[0]
        n, k = x.shape
        within = x.var(axis=1, ddof=1).mean()
        between = k * x.mean(axis=1).var(ddof=1)
        expected = (between - within) / (between + (k - 1) * within)
        assert reliability(table_of(scores)).own.one(draws=1, null_kind="").value == pytest.approx(expected)
        assert n == 5

    def test_coin_tosses_have_none(self):
        # D1: letters A to E coded 1 to 5, 100 replications of 20, 50, 90 prompts
        rng = np.random.default_rng(0)
        for prompts in (20, 50, 90):
            own = reliability(table_of(rng.integers(1, 6, (1, prompts, 100)))).own
            one, null = (own.one(draws=1, null_kind=kind) for kind in ("", "no_reliability"))
            assert abs(one.value) < 0.02
            assert one.low < 0 < one.high
            assert null.low < one.value < null.high
            assert own.one(draws=100, null_kind="").low < 0 < own.one(draws=100, null_kind="").high

    def test_copies_are_blank_not_one(self):
        # temperature 0: every run of a question is the same
        scores = np.repeat(np.random.default_rng(0).integers(1, 6, (1, 30, 1)), 4, axis=2)
        rows = list(reliability(table_of(scores)).own.rows())
        assert len(rows) == 2
        assert all("copies" in row.blank_reason for row in rows)

    def test_nothing_varies(self):
        row = reliability(table_of(np.ones((2, 5, 3)))).own.one(system="j0", draws=1)
        assert "nothing varies" in row.blank_reason
        raters = reliability(table_of(SHROUT_FLEISS[[0, 0]])).raters
        assert "copies" in raters.one(form="3,1", null_kind="").blank_reason

    def test_draws_that_avoid_each_other(self):
        # every question has one right and one wrong draw: between questions nothing varies, rho = -1
        own = reliability(runs_of(["yn"] * 6, right="y")).own.where(null_kind="")
        assert own.one(draws=1).value == pytest.approx(-1.0)
        assert "avoid each other" in own.one(draws=2).blank_reason

    def test_unequal_numbers_of_draws(self):
        scores = np.array([[[1.0, 0, np.nan], [1, 1, 1], [0, 0, np.nan], [1, np.nan, np.nan], [0, 1, 0]]])
        row = reliability(table_of(scores)).own.one(draws=1, null_kind="")
        # by hand: totals 1 3 0 1 1, runs 2 3 2 1 3, N = 11, T = 6
        between = (1 / 2 + 9 / 3 + 0 + 1 + 1 / 3 - 36 / 11) / 4
        within = (6 - (1 / 2 + 3 + 1 + 1 / 3)) / 6
        n0 = (11 - (4 + 9 + 4 + 1 + 9) / 11) / 4
        assert row.value == pytest.approx((between - within) / (between + (n0 - 1) * within))

    def test_correct_answers_are_scores(self):
        tallies = planted_tallies(stratified_world(), questions=40, seeds=3, rng=np.random.default_rng(0))
        from_tallies, from_scores = reliability(tallies), reliability(correct_scores(tallies))
        assert from_tallies.own.value.tolist() == from_scores.own.value.tolist()
        with pytest.raises(InputError, match="no anchor"):
            reliability(replace(tallies, class_right=np.full(tallies.class_right.size, np.nan)))

    def test_the_jackknife_by_brute_force(self):
        rng = np.random.default_rng(3)
        scores = rng.normal(size=(1, 15, 1)) + rng.normal(size=(1, 15, 3))
        row = reliability(table_of(scores)).own.one(draws=1, null_kind="")

        def log_f(x):
            k = x.shape[1]
            return np.log(k * x.mean(axis=1).var(ddof=1) / x.var(axis=1, ddof=1).mean())

        left = np.array([log_f(np.delete(scores[0], q, axis=0)) for q in range(15)])
        error = np.sqrt(14 / 15 * np.square(left - left.mean()).sum())
        ratio = np.exp(log_f(scores[0]) + 2.144787 * error)  # t(.975, 14)
        assert row.high == pytest.approx((ratio - 1) / (ratio + 2), rel=1e-6)

    def test_shift_and_scale_change_nothing(self):
        rng = np.random.default_rng(0)
        scores = rng.integers(1, 6, (3, 20, 2)).astype(float)
        first, second = reliability(table_of(scores)), reliability(table_of(1e3 + 7 * scores))
        assert first.own.value == pytest.approx(second.own.value)
        assert first.raters.low == pytest.approx(second.raters.low)

    def test_keywords(self):
        table = table_of(np.random.default_rng(0).integers(1, 6, (3, 20, 2)))
        narrow, wide = reliability(table), reliability(table, confidence=0.99, level=Level.TEXT)
        assert wide.own.high[0] > narrow.own.high[0]
        assert wide.by_f.low[0] < narrow.by_f.low[0]
        assert wide.raters.level is Level.TEXT

    def test_questions_that_one_system_lacks_are_left_out_between_systems(self):
        scores = np.concatenate([SHROUT_FLEISS, np.full((4, 1), 5.0)], axis=1)
        scores[0, 6] = np.nan
        got = reliability(table_of(scores)).raters
        assert got.one(form="2,1", null_kind="").value == pytest.approx(0.2898, abs=5e-5)
        assert "6 of 7" in " ".join(got.notes)
        alone = reliability(table_of(SHROUT_FLEISS[:1])).raters
        assert "two systems" in alone.one(form="2,1").blank_reason


class TestScored:
    def test_runs_greedy_failed_and_key(self):
        ends = Ends.of(
            item=["p", "p", "p", "q", "q"],
            system=["a", "a", "b", "a", "b"],
            seed=[0, 1, 0, 0, 0],
            end=["4", "2", "5", "1", None],
            score=[4, 2, 5, 1, None],
            greedy=[0, 0, 1, 0, 0],
        )
        items = Items.of(item=["p", "q"], text=["?", "?"], accepted=[["good", "4.5"], ["bad"]])
        table = scored(ends, items)
        assert table.systems.tolist() == ["a", "b"]
        assert table.scores[0].tolist()[0] == [4.0, 2.0]
        assert table.runs.tolist() == [[2, 1], [0, 0]]
        assert table.key[0] == 4.5
        assert np.isnan(table.key[1])

    def test_no_panel_of_grades(self):
        ends = Ends.of(item=["p", "q", "r"], system="a", end="x", score=[1, None, None])
        assert scored(ends) is None
        assert scored(Ends.of(item=[], system=[], end=[])) is None

    def test_shapes_are_checked(self):
        with pytest.raises(InputError, match="systems x items x runs"):
            ScoreTable(systems=np.array(["a"]), items=np.arange(2), scores=np.ones((3, 2, 1)), key=np.ones(2))


def test_f_interval_falls_back_on_the_f_of_the_rows():
    whole, _ = two_way(SHROUT_FLEISS, np.zeros_like(SHROUT_FLEISS))
    low, high = f_interval(whole, "3,1", confidence=0.9)
    wide = f_interval(whole, "3,1", confidence=0.99)
    assert wide[0] < low < 0.7148 < high < wide[1]
