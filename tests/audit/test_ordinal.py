"""Grades with a key and without: worked by hand, scikit-learn, brute force, and what the sections say."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.one_factor import mean_correlation, standardised
from limitset.core.score_panels import panels_of, sizes_up_to
from limitset.core.scores import ScoreTable
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_panel, stratified_world
from limitset.instruments.truth import score_errors, severity
from limitset.report.audit.ordinal import ordinal_section
from limitset.report.audit.panel import Panel
from limitset.report.audit.reliability import reliability_section
from limitset.report.page import Page, render
from limitset.testing import check_instrument


def table_of(scores, key=None):
    scores = np.asarray(scores, dtype=float)
    if scores.ndim == 2:
        scores = scores[:, :, None]
    m, q, _ = scores.shape
    return ScoreTable(
        systems=np.array([f"j{row}" for row in range(m)], dtype=object),
        items=np.arange(q),
        scores=scores,
        key=np.full(q, np.nan) if key is None else np.asarray(key, dtype=float),
    )


def errors_of(scores, key, **options):
    return score_errors(table_of(scores, key), rng=np.random.default_rng(0), **options)


def judged(rng, *, judges=5, questions=60, runs=1):
    key = rng.integers(1, 6, questions).astype(float)
    shared = rng.normal(size=questions) * 0.5
    scores = key[:, None] + shared[:, None] + rng.normal(size=(judges, questions, runs)) * 0.6
    return np.clip(np.round(scores), 1, 5), key


class TestScoreErrors:
    def test_by_hand(self):
        # errors of a: 0, 1, -1, 2, 0; of b: 1, 1, 1, 1, 1
        key = np.array([1.0, 2, 3, 3, 5])
        got = errors_of([[1, 3, 2, 5, 5], [2, 3, 4, 4, 6]], key).judges
        pick = {"system": "j0", "null_kind": ""}
        assert got.one(measure="bias", **pick).value == pytest.approx(0.4)
        assert got.one(measure="absolute error", **pick).value == pytest.approx(0.8)
        within = got.one(measure="within one", **pick)  # 4 of 5: a bound, one question carries the rest
        assert within.blank
        assert within.low < 0.8 < within.high
        # mean (x - y)^2 = 6 / 5; against other keys: (64 + 48) / 5 - 2 * 3.2 * 2.8 = 4.48
        assert got.one(measure="weighted kappa", **pick).value == pytest.approx(1 - 1.2 / 4.48)
        assert got.one(system="j1", measure="bias", null_kind="").value == 1.0

    def test_agrees_with_scikit_learn(self):
        from sklearn.metrics import cohen_kappa_score

        scores, key = judged(np.random.default_rng(0))
        got = errors_of(scores, key).judges
        for row in range(5):
            own = scores[row, :, 0]
            kappa = cohen_kappa_score(
                own.astype(int), key.astype(int), weights="quadratic", labels=range(1, 6)
            )
            pick = {"system": f"j{row}", "null_kind": ""}
            assert got.one(measure="weighted kappa", **pick).value == pytest.approx(kappa)
            assert got.one(measure="absolute error", **pick).value == pytest.approx(np.abs(own - key).mean())

    def test_null_by_enumeration(self):
        scores, key = judged(np.random.default_rng(1), questions=12, runs=2)
        got = errors_of(scores, key).judges
        pairs = [(i, j) for i in range(12) for j in range(12) if i != j]
        off = np.mean([np.abs(scores[0, i] - key[j]).mean() for i, j in pairs])
        near = np.mean([(np.abs(scores[0, i] - key[j]) <= 1).mean() for i, j in pairs])
        pick = {"system": "j0", "null_kind": "other_questions"}
        assert got.one(measure="absolute error", **pick).value == pytest.approx(off)
        assert got.one(measure="within one", **pick).value == pytest.approx(near)

    def test_worth_is_kish_of_corrcoef(self):
        scores, key = judged(np.random.default_rng(2))
        matrix = np.corrcoef(scores[:, :, 0] - key)
        r = matrix[np.triu_indices(5, 1)].mean()
        worth = errors_of(scores, key).worth
        assert worth.one(quantity="correlation").value == pytest.approx(r)
        assert worth.one(quantity="effective judges").value == pytest.approx(5 / (1 + 4 * r))

    def test_a_judge_whose_error_never_varies_leaves(self):
        scores, key = judged(np.random.default_rng(2), judges=3)
        whole = np.concatenate([scores, key[None, :, None] + 1])
        first, second = (errors_of(one, key).worth.value for one in (scores, whole))
        assert first == pytest.approx(second)
        blank = errors_of(np.stack([key, key + 1]), key).worth.one(quantity="effective judges")
        assert "error that varies" in blank.blank_reason

    def test_bias_is_not_in_the_worth_but_in_the_panel(self):
        scores, key = judged(np.random.default_rng(2))
        plain, kind = errors_of(scores, key), errors_of(scores + 1, key)
        assert plain.worth.value == pytest.approx(kind.worth.value)
        pick = {"statistic": "mean", "judges": 5}
        assert kind.panel.one(**pick).value > plain.panel.one(**pick).value + 0.3
        pick["statistic"] = "mean, bias removed"
        assert kind.panel.one(**pick).value == pytest.approx(plain.panel.one(**pick).value)

    def test_copies_are_worth_one(self):
        scores, key = judged(np.random.default_rng(3), judges=1)
        row = errors_of(np.repeat(scores, 4, axis=0), key).worth.one(quantity="effective judges")
        assert row.value == pytest.approx(1.0)
        assert row.low <= row.value <= row.high

    def test_influence_is_the_derivative(self):
        rng = np.random.default_rng(0)
        scores, noise = rng.normal(size=(3, 200)), np.zeros((3, 200))
        value, moved = mean_correlation(standardised(scores, noise))
        left = [
            mean_correlation(standardised(np.delete(scores, q, 1), np.delete(noise, q, 1)))[0]
            for q in range(20)
        ]
        assert np.array(left) == pytest.approx(value - moved[:20] / 199, abs=2e-4)
        assert moved.sum() == pytest.approx(0.0, abs=1e-9)

    def test_panels_by_enumeration(self):
        scores, key = judged(np.random.default_rng(4), judges=4, questions=15)
        got = errors_of(scores, key).panel
        error = scores[:, :, 0] - key
        for size in (1, 2, 3, 4):
            panels = [error[list(panel)] for panel in combinations(range(4), size)]
            mean = np.mean([np.abs(one.mean(axis=0)) for one in panels])
            median = np.mean([np.abs(np.median(one, axis=0)) for one in panels])
            assert got.one(statistic="mean", judges=size).value == pytest.approx(mean)
            assert got.one(statistic="median", judges=size).value == pytest.approx(median)

    def test_bias_is_taken_from_other_questions(self):
        scores, key = judged(np.random.default_rng(4), judges=1, questions=9)
        error = scores[0, :, 0] - key
        corrected = [abs(error[q] - np.delete(error, q).mean()) for q in range(9)]
        row = errors_of(scores, key).panel.one(statistic="mean, bias removed", judges=1)
        assert row.value == pytest.approx(np.mean(corrected))

    def test_choices(self):
        rng = np.random.default_rng(5)
        scores, key = judged(rng, judges=3, questions=100)
        scores = np.concatenate([scores, rng.integers(1, 6, (1, 100, 1))])  # the last one guesses
        got = errors_of(scores, key).choices
        error = scores[:, :, 0] - key
        change = np.abs(error[:3].mean(axis=0)) - np.abs(error.mean(axis=0))
        row = got.one(system="j3", choice="without it")
        assert row.value == pytest.approx(change.mean())
        assert row.high < 0
        # all four intervals at once
        half = stats.t.ppf(1 - 0.05 / 8, 99) * change.std(ddof=1) / 10
        assert row.high - row.value == pytest.approx(half)
        alone = np.abs(error[3]) - np.abs(error.mean(axis=0))
        assert got.one(system="j3", choice="it alone").value == pytest.approx(alone.mean())

    def test_missing_scores_and_keys(self):
        scores, key = judged(np.random.default_rng(6), judges=2, questions=20)
        scores[0, :4], key[16:] = np.nan, np.nan
        got = errors_of(scores, key)
        assert got.judges.one(system="j0", measure="bias", null_kind="").n == 12
        assert got.judges.one(system="j1", measure="bias", null_kind="").n == 16
        assert got.panel.one(statistic="mean", judges=2).n == 12
        assert "12 of 16" in " ".join(got.panel.notes)

    def test_refusals(self):
        with pytest.raises(InputError, match="a key for one question"):
            errors_of(np.ones((2, 3)), np.full(3, np.nan))
        with pytest.raises(InputError, match="draws of 1 or more"):
            errors_of(np.ones((2, 3)), np.ones(3), draws=0)

    def test_draws_matter_where_there_are_more_panels(self):
        scores, key = judged(np.random.default_rng(7), judges=9, questions=20)
        few, many = (errors_of(scores, key, draws=draws).panel for draws in (2, 200))
        pick = {"statistic": "median", "judges": 4}
        assert few.one(**pick).value != many.one(**pick).value
        assert sizes_up_to(40)[-1] == 40
        assert panels_of(9, 4, draws=7, rng=np.random.default_rng(0)).shape == (7, 4)

    def test_pure_and_keywords(self):
        scores, key = judged(np.random.default_rng(7), questions=20)
        check_instrument(score_errors, table_of(scores, key))
        check_instrument(severity, table_of(scores))
        narrow, wide = errors_of(scores, key), errors_of(scores, key, confidence=0.99, level=Level.TEXT)
        assert wide.worth.high[1] > narrow.worth.high[1]
        assert wide.judges.level is Level.TEXT


class TestSeverity:
    def test_by_hand(self):
        # others' means: (2 + 6) / 2 = 4 and (4 + 6) / 2 = 5 for the first: -3 and -4
        got = severity(table_of([[1, 1], [2, 4], [6, 6]]))
        assert got.values.value == pytest.approx([-3.5, -0.5, 4.0])
        assert got.spread.value == pytest.approx([0.0, np.sqrt(2), 0.0])

    def test_all_intervals_at_once(self):
        rng = np.random.default_rng(0)
        scores = rng.normal(size=(4, 50))
        row = severity(table_of(scores)).values.one(system="j2")
        apart = scores[2] - np.delete(scores, 2, axis=0).mean(axis=0)
        half = stats.t.ppf(1 - 0.05 / 8, 49) * apart.std(ddof=1) / np.sqrt(50)
        assert row.high - row.value == pytest.approx(half)
        wide = severity(table_of(scores), confidence=0.99, level=Level.TEXT).values
        assert wide.high[2] > row.high
        assert wide.level is Level.TEXT

    def test_alone(self):
        assert "two judges" in severity(table_of([[1, 2, 3]])).values.one(system="j0").blank_reason


def panel_of(ends, items, noun="model"):
    tallies = tallied(ends, items)
    anchored = tallies if tallies.anchored else None
    return Panel(ends=ends, items=items, tallies=tallies, anchored=anchored, noun=noun)


def graded_panel(*, keyed, runs=1, questions=60, extra=0):
    rng = np.random.default_rng(0)
    scores, key = judged(rng, judges=4, questions=questions, runs=runs)
    scores[2] = np.clip(scores[2] + 1, 1, 5)
    scores = np.concatenate([scores, *(scores[:1] for _ in range(extra))])
    m, q, r = (axis.ravel() for axis in np.indices(scores.shape))
    ends = Ends.of(
        item=[f"q{row}" for row in q],
        system=[f"judge {row + 1}" for row in m],
        seed=r,
        end=[f"{score:g}" for score in scores.ravel()],
        score=scores.ravel(),
        right=(scores.ravel() == key[q]).astype(float) if keyed else None,
    )
    items = Items.of(
        item=[f"q{row}" for row in range(questions)],
        text=["?"] * questions,
        accepted=[[f"{one:g}"] if keyed else [] for one in key],
    )
    return panel_of(ends, items, noun="judge")


def said(section):
    page = Page(
        title="x",
        scope="x",
        date="x",
        headline=("x",),
        figures=section.figures,
        tables=section.tables,
        decisions=section.advice,
        definitions=section.definitions,
        limits=section.limits,
        numbers=tuple(record for table in section.measured for record in table.records()),
    )
    return render(page)


class TestOrdinalSection:
    def test_nothing_on_a_panel_without_grades(self):
        ends, items = planted_panel(
            mixture_world(models=3), questions=20, seeds=1, rng=np.random.default_rng(0)
        )
        section = ordinal_section(panel_of(ends, items))
        assert (section.topic, section.figures, section.tables, section.advice) == ("ordinal", (), (), ())

    def test_without_a_key(self):
        section = ordinal_section(graded_panel(keyed=False))
        assert [figure.name for figure in section.figures] == ["severity"]
        assert "judge 3" in section.figures[0].title
        assert "above the others" in section.advice[0]
        assert any("No key" in limit for limit in section.limits)
        assert "points" in said(section)

    def test_with_a_key(self):
        section = ordinal_section(graded_panel(keyed=True, runs=2))
        assert [figure.name for figure in section.figures] == ["panel-error", "bias"]
        assert section.figures[0].title.startswith("In their errors 4 judges are worth ")
        assert section.figures[1].title.startswith("judge 3 is ")
        assert "too kind" in section.figures[1].title
        assert section.tables[0].title == "Each judge against the key"
        assert any(word in " ".join(section.advice) for word in ("Drop", "Correct", "Use", "median", "Stop"))
        assert "judges on the panel" in said(section)

    def test_one_judge(self):
        whole = graded_panel(keyed=True)
        one = panel_of(whole.ends.having(system="judge 1"), whole.items, noun="judge")
        section = ordinal_section(one)
        assert [figure.name for figure in section.figures] == ["bias"]
        said(section)

    def test_three_questions(self):
        said(ordinal_section(graded_panel(keyed=True, questions=3)))
        said(ordinal_section(graded_panel(keyed=True, questions=1)))
        said(ordinal_section(graded_panel(keyed=False, questions=1)))

    @pytest.mark.slow
    def test_many_judges_are_shortened(self):
        section = ordinal_section(graded_panel(keyed=True, extra=40))
        assert "at either end" in section.figures[1].caption
        assert len(section.tables[0].rows) == 32
        said(section)


class TestReliabilitySection:
    def test_epochs_with_a_key(self):
        ends, items = planted_panel(stratified_world(), questions=80, seeds=3, rng=np.random.default_rng(0))
        section = reliability_section(panel_of(ends, items))
        assert [figure.name for figure in section.figures] == ["self-agreement", "draws"]
        assert section.figures[0].title.startswith("Asked again, m1 gives another answer ")
        assert "draws bring their mean to 0.9" in section.advice[0]
        assert any("same wrong answer" in one for one in section.advice)
        assert "reliability of one draw" in said(section)

    def test_epochs_without_a_key(self):
        ends, items = planted_panel(stratified_world(), questions=80, seeds=3, rng=np.random.default_rng(0))
        section = reliability_section(panel_of(ends.with_columns(right=np.full(len(ends), np.nan)), items))
        assert [figure.name for figure in section.figures] == ["self-agreement"]
        assert any("Without keys or grades" in limit for limit in section.limits)
        assert "reliability" not in " ".join(section.advice)
        said(section)

    def test_one_run_each(self):
        ends, items = planted_panel(
            mixture_world(models=4), questions=60, seeds=1, rng=np.random.default_rng(0)
        )
        section = reliability_section(panel_of(ends, items, noun="judge"))
        assert section.figures == ()
        assert section.advice == ()
        assert section.tables[0].title == "The judges as raters of one another"
        assert len(section.tables[0].rows) == 6
        assert any("asked once" in limit for limit in section.limits)

    def test_one_system_with_many_runs(self):
        ends, items = planted_panel(
            mixture_world(models=1), questions=40, seeds=20, rng=np.random.default_rng(0)
        )
        section = reliability_section(panel_of(ends, items))
        assert section.tables == ()
        assert [figure.name for figure in section.figures] == ["self-agreement", "draws"]
        said(section)

    def test_copies_and_one_question(self):
        rows = [
            {"item": f"q{q}", "system": m, "seed": s, "end": str(q % 3), "right": float(q % 2)}
            for q in range(100)
            for m in "ab"
            for s in range(3)
        ]
        items = Items.of(item=[f"q{q}" for q in range(100)], text="?")
        section = reliability_section(panel_of(Ends.of_rows(rows), items))
        assert "may stand for others" in " ".join(section.advice)
        assert any("copies" in limit for limit in section.limits)
        assert [figure.name for figure in section.figures] == ["self-agreement"]
        said(section)
        said(reliability_section(panel_of(Ends.of_rows(rows[:6]), items)))

    def test_grades_are_used_where_there_are_some(self):
        section = reliability_section(graded_panel(keyed=False, runs=3))
        assert "Reliability of grades" in section.figures[1].caption
        assert "grade" in section.tables[0].rows[3][0]

    @pytest.mark.slow
    def test_many_systems_are_shortened(self):
        section = reliability_section(graded_panel(keyed=True, runs=2, questions=12, extra=110))
        assert "at either end" in section.figures[0].caption
        assert len(section.figures[0].table.rows) <= 16 * 3
        said(section)
