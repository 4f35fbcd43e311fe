"""How often do the intervals of the truth instruments hold the true value?

    python runs/coverage/intervals.py --simulations 1000 --seed 20261122

prints the table of docs/coverage.md. Each simulation draws new questions from a planted world whose exact
values are known, new runs on them, and asks each instrument for its interval.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.datasets.planted import (
    World,
    mixture_world,
    planted_tallies,
    population_agreed,
    population_collision,
    population_error,
    population_gap,
    population_phi,
    stratified_world,
)
from limitset.instruments.truth import (
    false_collision,
    surviving_error,
    wrong_when_agreed,
    wrong_when_unanimous,
)

DRAWS = 25
"""Orders of votes a question: the noise of few draws is small beside that of the questions."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """One size of study on one world."""

    name: str
    world: World
    questions: int
    seeds: int

    @property
    def runs(self) -> int:
        """Runs of all cells on one question."""
        return self.world.shares.shape[1] * self.world.shares.shape[2] * self.seeds


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What happened to one statistic in all simulations."""

    design: str
    statistic: str
    truth: float
    mean: float
    held: float
    """Share of the intervals (points that are not blank) that hold the truth."""
    below: float
    """Share of the intervals that lie wholly below the truth."""
    blank: float
    """Share of the points that are blank."""
    bound_held: float
    """Share of the bounds of blank points (where there is one) that hold the truth."""
    all_held: float
    """Share of everything that was said, intervals and bounds, that holds the truth."""


DESIGNS: tuple[Design, ...] = (
    Design(name="mixture, 2 systems x 4 seeds", world=mixture_world(models=2), questions=150, seeds=4),
    Design(
        name="stratified, 2 systems x 2 paraphrases x 4 seeds, 5 % abstain",
        world=stratified_world().abstaining(0.05),
        questions=300,
        seeds=4,
    ),
    Design(
        name="stratified, 2 systems x 2 paraphrases x 2 seeds, 5 % abstain",
        world=stratified_world().abstaining(0.05),
        questions=60,
        seeds=2,
    ),
)


def truths(design: Design) -> dict[str, float]:
    """Return the exact value of each statistic."""
    world, seeds, runs = design.world, design.seeds, design.runs
    errors = {n: population_error(world, votes=n, seeds=seeds) for n in (1, 4, runs)}
    found = {f"e_{n}": error for n, error in errors.items()}
    found["surviving share"] = errors[runs] / errors[1]
    for tau in (0.5, 0.75, 1.0):
        found[f"FCR({tau})"], found[f"coverage({tau})"] = population_agreed(world, threshold=tau, seeds=seeds)
    found |= {f"phi_{k} seed": population_phi(world, source="seed", k=k) for k in (1, 2, 4) if k <= seeds}
    found["phi_2 model"] = population_phi(world, source="model", k=2)
    if world.shares.shape[2] > 1:
        found["phi_2 paraphrase"] = population_phi(world, source="paraphrase", k=2)
    found["collision"], found["false collision"] = population_collision(world)
    found["closure gap"] = population_gap(world)
    return found


def measured(tallies: Tallies, design: Design, rng: np.random.Generator) -> dict[str, Measurement]:
    """Return what the instruments say of one panel."""
    survival = surviving_error(tallies.pooled(), votes=sorted({1, 4, design.runs}), draws=DRAWS, rng=rng)
    whole = {"system": "all", "stratum": "all"}
    found = {f"e_{n}": survival.curve.one(votes=n, **whole) for n in (1, 4, design.runs)}
    found["surviving share"] = survival.share.one(**whole)
    agreed = wrong_when_agreed(tallies, thresholds=(0.5, 0.75, 1.0))
    for tau in (0.5, 0.75, 1.0):
        found[f"FCR({tau})"] = agreed.rates.one(stratum="all", threshold=tau)
        found[f"coverage({tau})"] = agreed.coverage.one(stratum="all", threshold=tau)
    for row in wrong_when_unanimous(tallies).curve.rows():
        found[f"phi_{row.parameters['k']} {row.parameters['source']}"] = row
    values = false_collision(tallies, thresholds=(1.0,)).values
    for name in ("collision", "false_collision", "closure_gap"):
        found[name.replace("_", " ")] = values.one(stratum="all", quantity=name)
    return found


def covered(
    design: Design, *, simulations: int, rng: np.random.Generator, on_each: Callable[[], None] = lambda: None
) -> Iterator[Coverage]:
    """Simulate one design and compare every interval with the truth."""
    wanted = truths(design)
    seen: dict[str, list[Measurement]] = {name: [] for name in wanted}
    whole = World(
        weights=design.world.weights,
        shares=design.world.shares,
        # one stratum: the strata of planted worlds are their kinds, which nobody sees in practice
        kinds=("all",) * design.world.weights.size,
    )
    for _ in range(simulations):
        tallies = planted_tallies(whole, questions=design.questions, seeds=design.seeds, rng=rng)
        got = measured(tallies, design, rng)
        for name, rows in seen.items():
            rows.append(got[name])
        on_each()
    for name, rows in seen.items():
        value, low, high = (np.array([getattr(row, end) for row in rows]) for end in ("value", "low", "high"))
        told, truth = ~np.isnan(value), wanted[name]
        holds, bounded = (low <= truth) & (truth <= high), ~told & ~np.isnan(high)
        yield Coverage(
            design=design.name,
            statistic=name,
            truth=truth,
            mean=_mean(value[told]),
            held=_mean(holds[told]),
            below=_mean((high < truth)[told]),
            blank=_mean(~told),
            bound_held=_mean(holds[bounded]),
            all_held=_mean(holds[told | bounded]),
        )


def table(rows: Sequence[Coverage]) -> str:
    """Return the rows as Markdown, one block a design."""
    lines: list[str] = []
    for design in dict.fromkeys(row.design for row in rows):
        lines += [
            f"\n### {design}\n",
            "| statistic | truth | mean | interval holds | wholly below | blank | bound holds | all hold |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.statistic} | {row.truth:.4f} | {_number(row.mean)} | "
            + " | ".join(_percent(x) for x in (row.held, row.below, row.blank, row.bound_held, row.all_held))
            + " |"
            for row in rows
            if row.design == design
        ]
    return "\n".join(lines)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4f}"


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    started = time.perf_counter()
    rows = [row for design in DESIGNS for row in covered(design, simulations=options.simulations, rng=rng)]
    sys.stdout.write(table(rows) + "\n")
    sys.stderr.write(f"{options.simulations} simulations a design, {time.perf_counter() - started:.0f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
