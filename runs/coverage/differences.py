"""How often do the intervals of a difference on the same questions hold the true difference?

    python runs/coverage/differences.py --simulations 2000 --seed 20261122

prints the table "Differences on the same questions" of docs/coverage.md. Each simulation draws questions whose
difficulty both sides share, and one or several runs of each side on every question.
"""

from __future__ import annotations

import argparse

import numpy as np

from limitset.core.differences import left_out_difference, share_difference


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
    """Return the share of intervals that hold the truth, lie below it, and their mean width."""
    found = []
    for _ in range(simulations):
        p, q = chances(kind, questions, rng)
        got = share_difference(drawn(p, runs, rng), drawn(q, runs, rng))
        found.append((got.low <= TRUTH[kind] <= got.high, got.high < TRUTH[kind], got.high - got.low))
    return [float(np.mean(column)) for column in zip(*found, strict=True)]


def ratio_held(questions: int, simulations: int, rng: np.random.Generator) -> list[float]:
    """Do the same for the difference of two ratios, by groups of questions left out."""
    found = []
    for _ in range(simulations):
        easy = rng.random(questions) < 0.6
        chosen = np.where(easy, 0.9, 0.4)
        sides = []
        for wrong_easy, wrong_hard in ((0.05, 0.5), (0.05, 0.3)):
            agreed = rng.random(questions) < chosen
            sides.append((agreed & (rng.random(questions) < np.where(easy, wrong_easy, wrong_hard)), agreed))
        (w, a), (v, b) = sides

        def gap(kept: np.ndarray, w=w, a=a, v=v, b=b) -> float:
            return float(w[kept].sum() / a[kept].sum() - v[kept].sum() / b[kept].sum())

        # 0.54 of the questions are easy and agreed, 0.16 hard and agreed
        truth = (0.54 * 0.05 + 0.16 * 0.5) / 0.7 - (0.54 * 0.05 + 0.16 * 0.3) / 0.7
        got = left_out_difference(gap, np.arange(questions), rng=rng)
        found.append((got.low <= truth <= got.high, got.high < truth, got.high - got.low))
    return [float(np.mean(column)) for column in zip(*found, strict=True)]


def main() -> None:
    """Print the table."""
    reading = argparse.ArgumentParser()
    reading.add_argument("--simulations", type=int, default=2000)
    reading.add_argument("--seed", type=int, default=20261122)
    given = reading.parse_args()
    rng = np.random.default_rng(given.seed)
    print("| sides | questions | runs | holds | wholly below | mean width |")
    print("|---|---|---|---|---|---|")
    for kind in TRUTH:
        for questions, runs in ((20, 1), (60, 1), (300, 1), (20, 8), (60, 8), (300, 8)):
            holds, below, width = held(kind, questions, runs, given.simulations, rng)
            print(f"| {kind} | {questions} | {runs} | {100 * holds:.1f} % | {100 * below:.1f} % | {width:.3f} |")
    for questions in (60, 300):
        holds, below, width = ratio_held(questions, given.simulations, rng)
        print(f"| ratio, groups | {questions} | 1 | {100 * holds:.1f} % | {100 * below:.1f} % | {width:.3f} |")


if __name__ == "__main__":
    main()
