"""How often do the intervals of a difference on the same questions hold the true difference?

    python runs/coverage/differences.py --simulations 2000 --seed 20261122

prints the table "Differences on the same questions" of docs/coverage.md. Each simulation draws questions
whose difficulty both sides share, and one or several runs of each side on every question.
"""

from __future__ import annotations

import argparse

import numpy as np

from limitset.core.differences import left_out_difference, ratio_difference
from limitset.core.intervals import Interval
from limitset.core.paired_means import mean_difference


def chances(kind: str, questions: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the chance to be right of both sides on each question."""
    if kind == "alike":  # Beta(1, 1) difficulty, no difference
        p = rng.random(questions)
        return p, p
    if kind == "better":  # the first side is right wherever the second is, and on a tenth of the rest
        p = rng.random(questions)
        return p + 0.1 * (1 - p), p
    if kind == "few":  # the sides differ on one question in fifty
        p = np.where(rng.random(questions) < 0.5, 0.0, 1.0)
        other = np.where(rng.random(questions) < 0.02, 1 - p, p)
        return np.where((p == 0) & (other == 1), 1.0, p), p
    if kind == "far":  # one side nearly always right, the other seldom
        return 0.9 + 0.1 * rng.random(questions), 0.2 * rng.random(questions)
    raise ValueError(kind)


TRUTH = {"alike": 0.0, "better": 0.05, "few": 0.01, "far": 0.85}


def drawn(p: np.ndarray, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the share of right runs of each question."""
    return rng.binomial(runs, np.clip(p, 0, 1)) / runs


def held(kind: str, questions: int, runs: int, simulations: int, rng: np.random.Generator) -> list[float]:
    """Return the share of intervals that hold the truth, that lie below it, and their mean width."""
    found = []
    for _ in range(simulations):
        p, q = chances(kind, questions, rng)
        gap = drawn(p, runs, rng) - drawn(q, runs, rng)
        found.append(told(mean_difference(gap, np.arange(questions)), TRUTH[kind]))
    return summed(found)


def told(got: Interval, truth: float) -> tuple[float, float, float, float]:
    """Return whether the interval holds the truth, lies below it, its width, and whether it is blank."""
    if np.isnan(got.low):
        return np.nan, np.nan, np.nan, 1.0
    return float(got.low <= truth <= got.high), float(got.high < truth), got.high - got.low, 0.0


def summed(found: list[tuple[float, float, float, float]]) -> list[float]:
    """Average over the simulations that were not blank."""
    return [float(np.nanmean(column)) for column in zip(*found, strict=True)]


def ratio_held(questions: int, simulations: int, rng: np.random.Generator) -> list[float]:
    """Difference of how often two panels are wrong where they agree."""
    found = []
    # 0.54 of the questions are easy and agreed, 0.16 hard and agreed
    truth = (0.54 * 0.05 + 0.16 * 0.5) / 0.7 - (0.54 * 0.05 + 0.16 * 0.3) / 0.7
    for _ in range(simulations):
        easy = rng.random(questions) < 0.6
        chosen = np.where(easy, 0.9, 0.4)
        sides = []
        for wrong_hard in (0.5, 0.3):
            agreed = rng.random(questions) < chosen
            wrong = agreed & (rng.random(questions) < np.where(easy, 0.05, wrong_hard))
            sides.append(np.stack([wrong, agreed]).astype(float))
        found.append(told(ratio_difference(*sides, np.arange(questions)), truth))
    return summed(found)


def number_held(questions: int, simulations: int, rng: np.random.Generator) -> list[float]:
    """Difference of the effective numbers of two panels of three models that share part of their errors."""
    found = []

    def kish(errors: np.ndarray) -> float:
        spread = errors.std(axis=1)
        if (spread == 0).any():
            return float("nan")
        r = (np.corrcoef(errors).sum() - 3) / 6
        return 3 / (1 + 2 * r)

    # errors at 0.4; with chance s a model takes the shared error, so two errors correlate by s * s
    truth = 3 / (1 + 2 * 0.6**2) - 3 / (1 + 2 * 0.3**2)
    for _ in range(simulations):
        shared = rng.random(questions) < 0.4
        own = rng.random((2, 3, questions)) < 0.4
        taken = rng.random((2, 3, questions)) < np.array([0.6, 0.3])[:, None, None]
        errors = np.where(taken, shared, own).astype(float)

        def gap(kept: np.ndarray, errors: np.ndarray = errors) -> float:
            return kish(errors[0][:, kept]) - kish(errors[1][:, kept])

        found.append(told(left_out_difference(gap, np.arange(questions), rng=rng), truth))
    return summed(found)


def main() -> None:
    """Print the table."""
    reading = argparse.ArgumentParser()
    reading.add_argument("--simulations", type=int, default=2000)
    reading.add_argument("--seed", type=int, default=20261122)
    given = reading.parse_args()
    rng = np.random.default_rng(given.seed)
    rows = []
    for kind in TRUTH:
        for questions, runs in ((20, 1), (60, 1), (300, 1), (20, 8), (60, 8), (300, 8)):
            rows.append((kind, questions, runs, held(kind, questions, runs, given.simulations, rng)))
    for questions in (60, 300):
        rows.append(("wrong when agreed", questions, 1, ratio_held(questions, given.simulations, rng)))
        rows.append(("effective number", questions, 1, number_held(questions, given.simulations, rng)))
    print("| sides | questions | runs | interval holds | wholly below | mean width | blank |")
    print("|---|---|---|---|---|---|---|")
    for kind, questions, runs, (holds, below, width, blank) in rows:
        shares = f"{100 * holds:.1f} % | {100 * below:.1f} % | {width:.3f} | {100 * blank:.1f} %"
        print(f"| {kind} | {questions} | {runs} | {shares} |")


if __name__ == "__main__":
    main()
