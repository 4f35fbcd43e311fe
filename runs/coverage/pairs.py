"""How often do the intervals of pairs, and of calibration, hold the true value?

    python runs/coverage/pairs.py --simulations 1000 --seed 20261122

prints the tables of docs/coverage.md. Each simulation draws new questions from a planted world whose exact
values are known, new runs on them, and asks each instrument for its interval.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

from limitset.core.results import Measurement
from limitset.datasets.planted import World, planted_tallies, shared_difficulty_world, stratified_world
from limitset.instruments.truth.calibration import calibration
from limitset.instruments.truth.chance_adjusted import chance_adjusted
from limitset.instruments.truth.confidence import confident_false, ranking
from limitset.instruments.truth.error_consistency import error_consistency
from limitset.instruments.truth.same_wrong import same_wrong_pairs

Found = Mapping[str, tuple[Measurement, float]]
"""Statistic to what was measured and what is true."""
OVER = 0.2
"""Confidences are this much too high."""


def truths(world: World, choices: int) -> dict[str, float]:
    """Kappa_p, error consistency and same-wrong rate of the first two systems of a world, exactly."""
    shares = world.shares.mean(axis=2)[:, :2]
    answered = shares.sum(axis=2)
    met = float(world.weights @ (answered[:, 0] * answered[:, 1]))
    right = [float(world.weights @ (shares[:, one, 0] * answered[:, 1 - one])) / met for one in (0, 1)]
    both = float(world.weights @ (shares[:, 0, 0] * shares[:, 1, 0])) / met
    alike = float(world.weights @ (shares[:, 0, 1:] * shares[:, 1, 1:]).sum(axis=1)) / met
    wrong = 1 - right[0] - right[1] + both
    product = (1 - right[0]) * (1 - right[1])

    def kappa(o: float, u: float) -> float:
        e = right[0] * right[1] + product * u
        return (o - e) / (1 - e)

    return {
        "kappa_p": kappa(both + alike, 1 / (choices - 1)),
        "error consistency": kappa(both + wrong, 1.0),
        "same-wrong": alike / wrong,
    }


def pairs_of(
    world: World, *, questions: int, seeds: int, floor: bool
) -> Callable[[np.random.Generator], Found]:
    """Measure the first pair, and the means over all pairs where the floor is known to be the value."""
    known = truths(world, 4)

    def measure(rng: np.random.Generator) -> Found:
        tallies = planted_tallies(world, questions=questions, seeds=seeds, rng=rng)
        kappa = chance_adjusted(tallies, choices=np.full(questions, 4.0))
        errors = error_consistency(tallies)
        pair = {"first": "m0", "second": "m1"}
        found = {
            "kappa_p": kappa.pairs.one(**pair, null_kind=""),
            "error consistency": errors.pairs.one(**pair, null_kind=""),
            "same-wrong": same_wrong_pairs(tallies).pairs.one(**pair, null_kind=""),
        }
        out = {name: (row, known[name]) for name, row in found.items()}
        if floor:
            out["floor of kappa_p"] = (kappa.pairs.one(**pair, null_kind="difficulty"), known["kappa_p"])
            out["excess of kappa_p"] = (kappa.excess.one(**pair), 0.0)
            out["excess of error consistency"] = (errors.excess.one(**pair), 0.0)
            out["mean kappa_p of the panel"] = (kappa.panel.one(statistic="kappa_p"), known["kappa_p"])
            out["mean excess of the panel"] = (kappa.panel.one(statistic="excess"), 0.0)
        return out

    return measure


def confidence_of(*, questions: int, runs: int) -> Callable[[np.random.Generator], Found]:
    """Confidences uniform on [.3, .95], one a question, each of its answers right with chance p - .2."""
    grid = np.linspace(0.3, 0.95, 20001)
    good, bad = (grid - OVER) / (grid - OVER).sum(), (1 + OVER - grid) / (1 + OVER - grid).sum()
    auroc = float((good * (np.cumsum(bad) - bad / 2)).sum())
    brier = float(np.mean(-(grid**2) + (1 + 2 * OVER) * grid - OVER))

    def measure(rng: np.random.Generator) -> Found:
        stated = np.repeat(rng.uniform(0.3, 0.95, questions), runs)
        right = (rng.random(stated.size) < stated - OVER) * 1.0
        unit = np.repeat(np.arange(questions), runs)
        summary = calibration(stated, right, unit, rng=rng, bin_count=5, draws=1).summary
        order = ranking(stated, right, unit).summary
        false = confident_false(stated, right, unit, thresholds=[0.8])
        return {
            "ECE, five bins": (summary.one(statistic="ece", null_kind=""), OVER),
            "overconfidence": (summary.one(statistic="overconfidence"), OVER),
            "Brier score": (summary.one(statistic="brier"), brier),
            "AUROC": (order.one(statistic="auroc"), auroc),
            "AURC": (order.one(statistic="aurc"), 0.4125),  # the mean of .25 + .325 c
            "wrong at 80 % and more": (false.one(statistic="wrong_when_sure"), 1 + OVER - 0.875),
            "answers at 80 % and more": (false.one(statistic="sure"), 0.15 / 0.65),
        }

    return measure


DESIGNS: dict[str, Callable[[np.random.Generator], Found]] = {
    "shared difficulty alone, 5 systems, 200 questions, 1 run": pairs_of(
        shared_difficulty_world(models=5), questions=200, seeds=1, floor=True
    ),
    "shared difficulty alone, 8 systems, 60 questions, 1 run": pairs_of(
        shared_difficulty_world(models=8), questions=60, seeds=1, floor=True
    ),
    "stratified, 2 systems x 2 paraphrases x 2 runs, 100 questions": pairs_of(
        stratified_world(), questions=100, seeds=2, floor=False
    ),
    "stratified, 10 % abstain, 2 systems x 2 paraphrases x 1 run, 150 questions": pairs_of(
        stratified_world().abstaining(0.1), questions=150, seeds=1, floor=False
    ),
    "confidence .2 too high, 200 questions, 1 answer each": confidence_of(questions=200, runs=1),
    "confidence .2 too high, 100 questions, 3 answers each": confidence_of(questions=100, runs=3),
}


def main() -> None:
    """Print one table a design."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args()
    for number, (name, measure) in enumerate(DESIGNS.items()):
        rows: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
        for simulation in range(given.simulations):
            for statistic, (row, truth) in measure(
                np.random.default_rng([given.seed, number, simulation])
            ).items():
                rows[statistic].append((row.value, row.low, row.high, truth))
        print(f"\n### {name}\n\n| statistic | truth | mean | interval holds | wholly below | blank |")
        print("|---|---|---|---|---|---|")
        for statistic, values in rows.items():
            value, low, high, truth = np.array(values).T
            seen = ~np.isnan(value)
            held = ((low <= truth) & (truth <= high))[seen].mean()
            below = (high < truth)[seen].mean()
            print(
                f"| {statistic} | {truth[0]:.4f} | {value[seen].mean():.4f} | {100 * held:.1f} % "
                f"| {100 * below:.1f} % | {100 * (1 - seen.mean()):.1f} % |",
                flush=True,
            )


if __name__ == "__main__":
    main()
