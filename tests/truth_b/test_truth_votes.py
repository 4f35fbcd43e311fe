"""Effective number: worked by hand, known values, numpy.corrcoef, and laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.tallies import Tallies, tallied
from limitset.datasets.planted.panels import (
    beta_world,
    clones_world,
    mixture_world,
    planted_tallies,
    stratified_world,
)
from limitset.instruments.truth.votes import effective_number, kish_number


def of_errors(errors: np.ndarray) -> Tallies:
    """One run of each model (rows) on each question (columns): 1 wrong, 0 right."""
    rows = [
        {"item": f"q{q}", "system": f"m{m}", "end": "no" if e else "yes", "right": 1 - int(e)}
        for m, row in enumerate(errors)
        for q, e in enumerate(row)
    ]
    return tallied(Ends.of_rows(rows))


def test_by_hand() -> None:
    # a = 0011, b = 0011, c = 0101: r_ab = 1, r_ac = r_bc = 0; r = 1/3; 3 / (1 + 2/3) = 1.8
    got = effective_number(of_errors(np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1]])))
    assert got.correlation.one(unit="votes").value == pytest.approx(1 / 3)
    assert got.values.one(unit="votes").value == pytest.approx(1.8)
    # one run a question: the run is the model's probability, so both units are the same
    assert got.values.one(unit="models").value == pytest.approx(1.8)
    assert "that run is taken as its probability" in " ".join(got.values.notes)


def test_known_values_of_kish() -> None:
    assert float(kish_number(6, 0.42)) == pytest.approx(1.9355, abs=5e-5)
    assert float(kish_number(9, 0.4375)) == 2.0
    assert np.isnan(kish_number(3, -0.5))  # the floor -1 / (M - 1)


@pytest.mark.parametrize(("seeds", "expected"), [(2, 1.5), (5, 15 / 7)])
def test_draws_of_one_model_count_votes_not_models(seeds: int, expected: float) -> None:
    tallies = planted_tallies(beta_world(), questions=20_000, seeds=seeds, rng=np.random.default_rng(0))
    got = effective_number(tallies).values
    assert got.one(unit="votes").value == pytest.approx(expected, abs=0.03)
    assert "fewer than two models" in got.one(unit="models").blank_reason


def test_mixture_of_nine_models() -> None:
    tallies = planted_tallies(
        mixture_world(models=9), questions=20_000, seeds=1, rng=np.random.default_rng(0)
    )
    assert effective_number(tallies).values.one(unit="votes").value == pytest.approx(1.890, abs=0.03)


@pytest.mark.parametrize("seeds", [1, 4])
def test_clones_are_one_model(seeds: int) -> None:
    tallies = planted_tallies(
        clones_world(accuracy=0.6), questions=200, seeds=seeds, rng=np.random.default_rng(0)
    )
    got = effective_number(tallies)
    assert got.values.one(unit="models").value == pytest.approx(1.0)
    assert got.values.one(unit="votes").value == pytest.approx(1.0)
    assert "no error varies" in got.partial.one(unit="models").blank_reason


def test_sampled_clones_are_one_model_and_many_votes() -> None:
    world = beta_world(models=3)  # the three models have the same probability on every question
    tallies = planted_tallies(world, questions=4000, seeds=4, rng=np.random.default_rng(0))
    got = effective_number(tallies).values
    assert got.one(unit="models").value == pytest.approx(1.0, abs=0.02)
    assert got.one(unit="votes").value == pytest.approx(12 / (1 + 11 / 3), abs=0.06)


@pytest.mark.parametrize(("models", "expected"), [(3, 0.25), (5, 1 / 6), (9, 0.1)])
def test_difficulty_is_removed_in_part_only(models: int, expected: float) -> None:
    tallies = planted_tallies(
        beta_world(models=models), questions=20_000, seeds=1, rng=np.random.default_rng(0)
    )
    got = effective_number(tallies)
    assert got.correlation.one(unit="votes").value == pytest.approx(1 / 3, abs=0.015)
    r = (models / got.partial.one(unit="votes").value - 1) / (models - 1)
    assert r == pytest.approx(expected, abs=0.015)


def test_partial_needs_three() -> None:
    got = effective_number(of_errors(np.array([[0, 0, 1, 1], [0, 1, 0, 1]])))
    assert "undefined below three votes" in got.partial.one(unit="votes").blank_reason
    assert not got.values.one(unit="votes").blank


def test_agrees_with_corrcoef_and_with_regression() -> None:
    rng = np.random.default_rng(0)
    hard = rng.random(50)
    errors = (rng.random((5, 50)) < hard).astype(int)
    got = effective_number(of_errors(errors))
    matrix = np.corrcoef(errors)
    upper = np.triu_indices(5, 1)
    r = matrix[upper].mean()
    assert got.correlation.one(unit="votes").value == pytest.approx(r)
    assert got.values.one(unit="votes").value == pytest.approx(5 / (1 + 4 * r))
    partial = []
    for i, j in zip(*upper, strict=True):
        others = np.delete(errors, [i, j], axis=0).mean(axis=0)
        design = np.stack([np.ones(50), others], axis=1)
        left = [errors[k] - design @ np.linalg.lstsq(design, errors[k], rcond=None)[0] for k in (i, j)]
        partial.append(np.corrcoef(left)[0, 1])
    expected = 5 / (1 + 4 * np.mean(partial))
    assert got.partial.one(unit="votes").value == pytest.approx(expected)
    # the jackknife by brute force
    logs = []
    for q in range(50):
        without = np.corrcoef(np.delete(errors, q, axis=1))
        logs.append(np.log(5 / (1 + 4 * without[upper].mean())))
    error = np.sqrt(49 / 50 * np.square(np.array(logs) - np.mean(logs)).sum())
    row = got.values.one(unit="votes")
    assert np.log(row.high / row.value) == pytest.approx(2.009575 * error, rel=1e-4)  # t(.975, 49)


def test_two_runs_of_a_cell_by_enumeration() -> None:
    # one model, 3 runs; the pair chance is the mean over the 6 ordered pairs of different runs
    runs = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]])
    ends = Ends.of(
        item=np.repeat([f"q{q}" for q in range(4)], 3),
        system="m",
        seed=np.tile(range(3), 4),
        end=np.where(runs.ravel(), "no", "yes"),
        right=1 - runs.ravel(),
    )
    pair = np.mean([[r[i] * r[j] for i in range(3) for j in range(3) if i != j] for r in runs])
    p = runs.mean()
    r = (pair - p * p) / (p * (1 - p))
    assert effective_number(tallied(ends)).correlation.one(unit="votes").value == pytest.approx(r)


def test_a_judge_without_variance_leaves_the_count() -> None:
    errors = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]])
    got = effective_number(of_errors(errors)).values.one(unit="votes")
    assert got.value == pytest.approx(2.0)  # r = 0 between the two others; 3 would count the constant one


def test_errors_that_avoid_each_other() -> None:
    got = effective_number(of_errors(np.array([[0, 0, 1, 1], [1, 1, 0, 0]])))
    assert got.correlation.one(unit="votes").value == pytest.approx(-1.0)
    assert "avoid each other" in got.values.one(unit="votes").blank_reason


def test_laws_and_keywords() -> None:
    tallies = planted_tallies(stratified_world(), questions=80, seeds=3, rng=np.random.default_rng(0))
    got = effective_number(tallies)
    order = np.random.default_rng(1).permutation(4)
    other = effective_number(tallies._cells(order))
    renamed = effective_number(replace(tallies, class_name=tallies.class_name[::-1].copy()))
    for unit in ("votes", "models"):
        row = got.values.one(unit=unit)
        assert row.value == pytest.approx(other.values.one(unit=unit).value)
        assert row.high == pytest.approx(other.values.one(unit=unit).high)
        assert row.value == renamed.values.one(unit=unit).value
        assert 1 <= row.low <= row.value <= row.high
    wide = effective_number(tallies, confidence=0.99, level=Level.TEXT).values
    assert wide.one(unit="votes").high > got.values.one(unit="votes").high
    assert wide.level is Level.TEXT


def test_questions_without_every_cell_are_left_out() -> None:
    whole = of_errors(np.array([[0, 0, 1, 1, 0], [0, 1, 0, 1, 1]]))
    runs, counts = whole.runs.copy(), whole.counts.copy()
    runs[0, 4] = 0
    counts[0, whole.class_item == 4] = 0
    got = effective_number(replace(whole, runs=runs, counts=counts))
    assert got.values.one(unit="votes").n == 4
    assert got.correlation.one(unit="votes").value == pytest.approx(0.0)
    runs[0] = 0
    empty = effective_number(replace(whole, runs=runs, counts=np.zeros_like(counts))).values
    assert "every cell" in empty.one(unit="votes").blank_reason


def test_refuses_answers_without_an_anchor() -> None:
    with pytest.raises(InputError, match="no anchor"):
        effective_number(tallied(Ends.of(item=["q"], system="m", end="x")))


@pytest.mark.slow
def test_intervals_cover() -> None:
    rng, world = np.random.default_rng(0), stratified_world()
    hits = {"votes": 0, "models": 0}
    shares = 1 - world.shares[:, :, :, 0]
    models = shares.mean(axis=2)

    def between(x: np.ndarray, y: np.ndarray) -> float:
        return float(world.weights @ (x * y) - (world.weights @ x) * (world.weights @ y))

    a, b = models.T
    r_models = between(a, b) / np.sqrt(between(a, a) * between(b, b))
    cells = shares.reshape(5, 4).T
    means = np.array([world.weights @ cell for cell in cells])
    scale = np.sqrt(means * (1 - means))
    matrix = np.array([[between(x, y) for y in cells] for x in cells]) / scale / scale[:, None]
    n, m = 3, 12
    r_votes = (matrix.sum() * n * n - np.trace(matrix) * n) / (m * (m - 1))
    truth = {"votes": float(kish_number(m, r_votes)), "models": float(kish_number(2, r_models))}
    for _ in range(1000):
        got = effective_number(planted_tallies(world, questions=150, seeds=n, rng=rng)).values
        for unit in hits:
            row = got.one(unit=unit)
            hits[unit] += row.low <= truth[unit] <= row.high
    assert 930 <= hits["votes"] <= 975
    # measured .929: the number of models cannot fall below 1 and sampling noise is taken out of it
    assert 915 <= hits["models"] <= 975
