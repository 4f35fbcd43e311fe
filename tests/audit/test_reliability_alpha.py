"""Krippendorff's alpha, Fleiss' kappa and omega: published values, other packages, defects, laws."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.one_factor import one_factor
from limitset.core.scores import ScoreTable
from limitset.core.tallies import tallied
from limitset.instruments.truth import fleiss_kappa, krippendorff_alpha, omega_total

SCRIPT = Path(__file__).parents[2] / "runs" / "coverage" / "reliability.py"
_ = np.nan
FOUR_BY_TWELVE = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)
"""Krippendorff's own example: four observers, twelve units, missing data."""
TEN_BY_FOURTEEN = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
"""Ten subjects, fourteen raters, five categories: kappa .20993 (statsmodels 0.15.0 gives .20993070442195522)."""


def table_of(scores):
    scores = np.asarray(scores, dtype=float)
    if scores.ndim == 2:
        scores = scores[:, :, None]
    m, q, _runs = scores.shape
    return ScoreTable(
        systems=np.array([f"j{row}" for row in range(m)], dtype=object),
        items=np.arange(q),
        scores=scores,
        key=np.full(q, np.nan),
    )


def answers_of(matrix):
    """Raters (rows) that answer with names."""
    rows = [
        {"item": f"q{q}", "system": f"j{m}", "end": f"name {value:g}"}
        for m, own in enumerate(matrix)
        for q, value in enumerate(own)
        if not np.isnan(value)
    ]
    return tallied(Ends.of_rows(rows))


def alpha_of(scores, metric):
    return krippendorff_alpha(table_of(scores), metric=metric).values.one(raters="systems")


class TestKrippendorff:
    @pytest.mark.parametrize(
        ("metric", "value"),
        [("nominal", 0.7434), ("ordinal", 0.8154), ("interval", 0.8491), ("ratio", 0.7974)],
    )
    def test_four_by_twelve(self, metric, value):
        row = alpha_of(FOUR_BY_TWELVE, metric)
        assert row.value == pytest.approx(value, abs=5e-5)
        assert row.n == 11  # one unit has a single observer
        assert row.parameters["metric"] == metric

    def test_agrees_with_another_package(self):
        # krippendorff 0.9.0 on these draws
        rng = np.random.default_rng(5)
        truth = rng.integers(1, 6, 30)
        x = np.clip(truth + rng.integers(-1, 2, (4, 30)), 1, 5).astype(float)
        x[rng.random((4, 30)) < 0.2] = np.nan
        expected = {
            "nominal": 0.3271436373566359,
            "ordinal": 0.804633958127658,
            "interval": 0.8163819535698642,
            "ratio": 0.7162250421757312,
        }
        for metric, value in expected.items():
            assert alpha_of(x, metric).value == pytest.approx(value, abs=1e-12)

    def test_names_and_nominal_scores_are_one(self):
        from_names = krippendorff_alpha(answers_of(FOUR_BY_TWELVE)).values.one(raters="systems")
        from_scores = alpha_of(FOUR_BY_TWELVE, "nominal")
        assert from_names.value == pytest.approx(from_scores.value)
        assert from_names.low == pytest.approx(from_scores.low)

    @pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
    def test_the_jackknife_by_brute_force(self, metric):
        rng = np.random.default_rng(1)
        x = np.clip(rng.integers(1, 5, 12) + rng.integers(0, 2, (3, 12)), 1, 5).astype(float)
        row = alpha_of(x, metric)
        left = np.log([1 - alpha_of(np.delete(x, q, axis=1), metric).value for q in range(12)])
        error = np.sqrt(11 / 12 * np.square(left - left.mean()).sum())
        assert np.log((1 - row.low) / (1 - row.value)) == pytest.approx(
            2.200985 * error, rel=1e-5
        )  # t(.975, 11)

    @pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
    def test_a_system_with_two_runs_is_one_rater(self, metric):
        # copies of a run change nothing between systems
        x = np.clip(np.random.default_rng(2).integers(1, 6, (3, 15)), 1, 5)
        once, twice = table_of(x), table_of(np.repeat(x[:, :, None], 2, axis=2))
        first, second = (krippendorff_alpha(one, metric=metric).values for one in (once, twice))
        assert first.one(raters="systems").value == pytest.approx(second.one(raters="systems").value)
        assert first.one(raters="systems").low == pytest.approx(second.one(raters="systems").low)
        assert second.one(raters="j0").value == pytest.approx(1.0)
        assert len(first) == 1

    def test_two_runs_by_enumeration(self):
        # expected disagreement between systems: the mean over choices of one run each
        x = np.array([[[1.0, 3], [2, 2], [4, 5]], [[1, 1], [2, 4], [5, 5]]])
        apart = [(a - b) ** 2 for q in range(3) for a in x[0, q] for b in x[1, q]]
        everyone = x.reshape(-1)
        # D_e: distinct (system, question) ratings; n = 6 ratings, 30 ordered pairs of them
        means, squares = x.mean(axis=2).ravel(), (x**2).mean(axis=2).ravel()
        pairs = sum(
            squares[i] + squares[j] - 2 * means[i] * means[j] for i in range(6) for j in range(6) if i != j
        )
        expected = 1 - np.mean(apart) / (pairs / 30)
        row = krippendorff_alpha(table_of(x), metric="interval").values.one(raters="systems")
        assert row.value == pytest.approx(expected)
        assert everyone.size == 12

    def test_ordinal_looks_at_ranks_only(self):
        x = FOUR_BY_TWELVE
        assert alpha_of(x, "ordinal").value == pytest.approx(alpha_of(np.exp(x), "ordinal").value)
        assert alpha_of(x, "interval").value == pytest.approx(alpha_of(3 * x + 7, "interval").value)
        assert alpha_of(x, "ratio").value == pytest.approx(alpha_of(3 * x, "ratio").value)
        assert alpha_of(x, "ratio").value != pytest.approx(alpha_of(x + 7, "ratio").value)

    def test_coin_tosses(self):
        x = np.random.default_rng(0).integers(1, 6, (3, 400))
        for metric in ("nominal", "ordinal", "interval", "ratio"):
            row = alpha_of(x, metric)
            assert abs(row.value) < 0.05
            assert row.low < 0 < row.high

    def test_blanks(self):
        assert "alike" in alpha_of(np.ones((3, 5)), "ordinal").blank_reason
        lone = np.array([[1.0, np.nan], [np.nan, 2.0]])
        assert "two raters" in alpha_of(lone, "nominal").blank_reason
        assert alpha_of(np.array([[1.0, 2, 3]] * 2), "interval").value == 1

    def test_refusals(self):
        with pytest.raises(InputError, match="metric must be"):
            krippendorff_alpha(table_of(FOUR_BY_TWELVE), metric="cardinal")
        with pytest.raises(InputError, match="names have the metric nominal"):
            krippendorff_alpha(answers_of(FOUR_BY_TWELVE), metric="ordinal")
        with pytest.raises(InputError, match="of 0 or more for ratio"):
            alpha_of(-FOUR_BY_TWELVE, "ratio")
        with pytest.raises(InputError, match="distinct scores"):
            alpha_of(np.random.default_rng(0).normal(size=(2, 600)), "interval")

    def test_keywords(self):
        table = table_of(np.random.default_rng(0).integers(1, 6, (3, 30)))
        narrow = krippendorff_alpha(table, metric="ordinal").values
        wide = krippendorff_alpha(table, metric="ordinal", confidence=0.99, level=Level.TEXT).values
        assert wide.low[0] < narrow.low[0]
        assert wide.level is Level.TEXT


class TestFleiss:
    def test_ten_by_fourteen(self):
        rows = [
            {"item": f"q{q}", "system": f"j{rater}", "end": f"c{category}"}
            for q, own in enumerate(TEN_BY_FOURTEEN)
            for rater, category in enumerate(np.repeat(np.arange(5), own))
        ]
        got = fleiss_kappa(tallied(Ends.of_rows(rows)))
        assert got.values.one(raters="systems").value == pytest.approx(0.20993070442195522, abs=1e-12)
        assert got.agreement.one(raters="systems").value == pytest.approx(0.378, abs=5e-4)  # P bar

    def test_runs_of_one_system(self):
        rows = [
            {"item": f"q{q}", "system": "m", "seed": run, "end": f"c{category}"}
            for q, own in enumerate(TEN_BY_FOURTEEN)
            for run, category in enumerate(np.repeat(np.arange(5), own))
        ]
        got = fleiss_kappa(tallied(Ends.of_rows(rows))).values
        assert got.one(raters="m").value == pytest.approx(0.20993070442195522, abs=1e-12)
        assert len(got) == 1

    def test_free_text_is_plain_agreement(self):
        rows = [
            {"item": f"q{q}", "system": m, "end": f"{q} {'same' if q % 3 else m}"}
            for q in range(300)
            for m in "ab"
        ]
        got = fleiss_kappa(tallied(Ends.of_rows(rows)))
        assert got.values.one(raters="systems").value == pytest.approx(2 / 3, abs=0.003)

    def test_an_abstention_agrees_with_nothing_and_counts(self):
        rows = [
            {"item": f"q{q}", "system": m, "end": None if q % 2 else "x"} for q in range(20) for m in "ab"
        ]
        got = fleiss_kappa(tallied(Ends.of_rows(rows)))
        assert got.agreement.one(raters="systems").value == 0.5

    def test_keywords_and_blanks(self):
        tallies = answers_of(np.random.default_rng(0).integers(1, 4, (3, 30)).astype(float))
        assert fleiss_kappa(tallies, confidence=0.99).values.low[0] < fleiss_kappa(tallies).values.low[0]
        assert fleiss_kappa(tallies, level=Level.TEXT).values.level is Level.TEXT
        one = fleiss_kappa(answers_of(np.ones((2, 5)))).values.one(raters="systems")
        assert "one answer to every question" in one.blank_reason


def of_loadings(loadings, questions, rng):
    loadings = np.asarray(loadings)[:, None]
    noise = rng.normal(size=(loadings.size, questions)) * np.sqrt(1 - loadings**2)
    return loadings * rng.normal(size=questions) + noise


def toss_by_numpy(rng, prompts):
    """Alpha, omega and mean correlation of 100 rows of coin tosses, from numpy's correlations."""
    matrix = np.corrcoef(rng.integers(1, 6, (100, prompts)))
    r = (matrix.sum() - 100) / (100 * 99)
    loads = one_factor(matrix)
    common = loads.sum() ** 2
    return 100 * r / (1 + 99 * r), common / (common + (1 - loads**2).sum()), r


def omega_of(scores, **options):
    return omega_total(table_of(scores), rng=np.random.default_rng(0), **options)


class TestOmega:
    def test_known_loadings(self):
        # scores whose correlations are exactly l_i l_j: whitened, then coloured
        loadings = np.array([0.5, 0.6, 0.7, 0.8])
        target = np.outer(loadings, loadings)
        np.fill_diagonal(target, 1.0)
        x = np.random.default_rng(0).normal(size=(4, 50))
        x -= x.mean(axis=1, keepdims=True)
        x = np.linalg.cholesky(target) @ np.linalg.solve(np.linalg.cholesky(x @ x.T / 50), x)
        got = omega_of(x)
        assert got.values.one(coefficient="omega_total", null_kind="").value == pytest.approx(
            0.749446, abs=1e-6
        )
        assert got.values.one(coefficient="alpha").value == pytest.approx(0.742055, abs=1e-6)
        assert got.loadings.value == pytest.approx(loadings)

    def test_three_raters_in_closed_form(self):
        # l1 = sqrt(r12 r13 / r23), and so on
        matrix = np.array([[1.0, 0.3, 0.4], [0.3, 1.0, 0.5], [0.4, 0.5, 1.0]])
        expected = np.sqrt([0.3 * 0.4 / 0.5, 0.3 * 0.5 / 0.4, 0.4 * 0.5 / 0.3])
        assert one_factor(matrix) == pytest.approx(expected)

    def test_least_squares_by_a_general_minimiser(self):
        from scipy.optimize import minimize

        x = of_loadings([0.3, 0.5, 0.6, 0.7, 0.8], 80, np.random.default_rng(2))
        matrix = np.corrcoef(x)
        off = ~np.eye(5, dtype=bool)
        found = minimize(
            lambda one: np.square((matrix - np.outer(one, one))[off]).sum(), np.full(5, 0.5), tol=1e-14
        )
        assert one_factor(matrix) == pytest.approx(np.abs(found.x), abs=1e-5)

    @pytest.mark.parametrize("prompts", [20, 50, 90])
    def test_coin_toss_judges_are_not_reliable(self, prompts):
        """Coin-toss judges (100 repetitions of 20, 50, 90 prompts): a public script gives .66, .82, .89."""
        rng = np.random.default_rng(99)
        simulated = np.array([toss_by_numpy(rng, prompts) for _ in range(40)])
        found = []
        for seed in range(20):
            letters = np.random.default_rng(seed).integers(1, 6, (100, prompts))
            values = omega_of(letters, shuffles=2).values
            pick = {"coefficient": "omega_total", "null_kind": ""}
            found.append([values.one(coefficient="alpha").value, values.one(**pick).value])
        alpha, omega = np.array(found).T
        # alpha = 100 r / (1 + 99 r), with r the mean correlation of two repetitions, whose expectation is 0
        r = alpha / (100 - 99 * alpha)
        mean, error = simulated[:, 2].mean(), simulated[:, 2].std(ddof=1)
        assert abs(mean) < 3 * error / np.sqrt(40)
        assert abs(r.mean()) < 3 * error / np.sqrt(20)
        # each within 5 standard deviations of the simulated ones; alpha by its r, for it is skewed
        assert (abs(r - mean) < 5 * error).all()
        assert (abs(omega - simulated[:, 1].mean()) < 5 * simulated[:, 1].std(ddof=1)).all()
        # on average nowhere near the .66 to .89 that absolute correlations give
        assert omega.mean() < 0.2
        assert alpha.mean() < 0.1

    def test_signs_are_kept(self):
        # a rater that scores against the others has a negative loading; with |r| it would help
        x = of_loadings([0.7, 0.7, 0.7, 0.7], 2000, np.random.default_rng(0))
        against = x.copy()
        against[0] *= -1
        whole, turned = omega_of(x), omega_of(against)
        assert turned.loadings.one(system="j0").high < 0
        assert turned.loadings.one(system="j1").low > 0
        values = [got.values.one(coefficient="omega_total", null_kind="").value for got in (whole, turned)]
        assert values[0] == pytest.approx(0.794, abs=0.03)  # 7.84 / (7.84 + 2.04)
        assert values[1] == pytest.approx(0.490, abs=0.05)  # 1.96 / (1.96 + 2.04)

    def test_copies_are_blank_not_one(self):
        # temperature 0: two raters are the same
        x = of_loadings([0.6, 0.7, 0.8], 60, np.random.default_rng(0))
        got = omega_of(np.concatenate([x, x[:1]]))
        assert all("copies" in row.blank_reason for row in got.values.rows())
        assert "three raters" in omega_of(x[:2]).values.one(coefficient="omega_total").blank_reason

    def test_raters_that_never_vary_leave(self):
        x = of_loadings([0.6, 0.7, 0.8], 60, np.random.default_rng(0))
        got = omega_of(np.concatenate([x, np.ones((1, 60))]))
        alone = omega_of(x)
        assert got.values.value[0] == pytest.approx(alone.values.value[0])
        assert "never vary" in got.loadings.one(system="j3").blank_reason

    def test_a_loading_past_one_is_no_fit(self):
        # r12 r13 / r23 > 1: no factor of that kind
        x = np.random.default_rng(0).normal(size=(3, 400))
        x[0] = 0.8 * x[1] + 0.8 * x[2] + 0.2 * x[0]
        got = omega_of(x)
        assert "does not fit" in got.values.one(coefficient="omega_total", null_kind="").blank_reason
        assert not got.values.one(coefficient="alpha").blank

    def test_the_infinitesimal_jackknife_is_near_the_jackknife(self):
        x = of_loadings([0.5, 0.6, 0.7, 0.8], 150, np.random.default_rng(1))
        got = omega_of(x)
        row = got.values.one(coefficient="omega_total", null_kind="")

        def logit(scores):
            loads = one_factor(np.corrcoef(scores))
            value = loads.sum() ** 2 / (loads.sum() ** 2 + (1 - loads**2).sum())
            return np.log(value / (1 - value))

        left = np.array([logit(np.delete(x, q, axis=1)) for q in range(150)])
        error = np.sqrt(149 / 150 * np.square(left - left.mean()).sum())
        half = (np.log(row.high / (1 - row.high)) - np.log(row.low / (1 - row.low))) / 2
        assert half == pytest.approx(1.976013 * error, rel=0.03)  # t(.975, 149)

    def test_several_draws_count_as_one(self):
        # the reliability of one draw of each rater, however many there are
        rng = np.random.default_rng(0)
        common = rng.normal(size=4000)
        draws = 0.7 * common[:, None] + np.sqrt(0.51) * rng.normal(size=(4, 4000, 3))
        many, one = omega_of(draws), omega_of(draws[:, :, :1])
        first, second = (got.values.one(coefficient="omega_total", null_kind="") for got in (many, one))
        assert first.value == pytest.approx(0.7937, abs=0.015)
        assert first.high - first.low < second.high - second.low

    def test_keywords(self):
        x = of_loadings([0.5, 0.6, 0.7, 0.8], 60, np.random.default_rng(1))
        narrow, wide = omega_of(x).values, omega_of(x, confidence=0.99, level=Level.TEXT).values
        assert wide.low[0] < narrow.low[0]
        assert wide.level is Level.TEXT
        few = omega_of(x, shuffles=3).values.where(null_kind="shuffled")
        # the same draws, and more of them
        assert few.high[0] < narrow.where(null_kind="shuffled").high[0]
        with pytest.raises(InputError, match="shuffles must be 2"):
            omega_of(x, shuffles=1)


def _load():
    spec = importlib.util.spec_from_file_location("coverage_reliability", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


coverage = _load()


def test_the_coverage_script_prints_every_design(capsys, monkeypatch):
    monkeypatch.setattr(coverage, "DESIGNS", coverage.DESIGNS[1:3])
    coverage.main(["--simulations", "2"])
    printed = capsys.readouterr().out
    assert all(design.name in printed for design in coverage.DESIGNS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("design", coverage.DESIGNS, ids=lambda design: design.name)
def test_intervals_cover(design):
    for row in coverage.covered(design, simulations=300, rng=np.random.default_rng(1)):
        # 300 simulations know 95 % to 2.5 points; two standard errors and the reach of small samples
        assert 0.90 <= row.held <= 1.0, row
        assert row.blank < 0.2, row
