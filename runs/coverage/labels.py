"""How often do the intervals from labels hold the value that all labels would give?

    python runs/coverage/labels.py --simulations 1000 --seed 20261122

prints the tables of docs/coverage.md. Each simulation draws a new panel from a planted world, plans labels,
fills in the first of them, and asks for the intervals; what all labels of the same panel would give is known.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from limitset.core.tallies import Tallies
from limitset.datasets.planted import World, mixture_world, planted_tallies, stratified_world
from limitset.instruments.truth.label_plan import label_plan
from limitset.instruments.truth.labelled import Labelled, labelled

THRESHOLD = 0.8
BATCH = 25


@dataclass(frozen=True, kw_only=True)
class Design:
    """One panel and so many labels."""

    name: str
    world: World
    questions: int
    seeds: int
    labels: int | None
    """None: as many as the plan says."""


def _rare(share: float) -> World:
    """Agreement is wrong rarely: easy questions, and a few traps that nearly all fall for."""
    return mixture_world(models=5, weights=(0.9 - share, 0.1, share), easy=0.97, trap=(0.02, 0.97))


DESIGNS: tuple[Design, ...] = (
    Design(name="mixture, 5 x 1 run, 300 questions, as planned", world=mixture_world(models=5), questions=300,
           seeds=1, labels=None),
    Design(name="mixture, 5 x 1 run, 300 questions, first 50", world=mixture_world(models=5), questions=300,
           seeds=1, labels=50),
    Design(name="mixture, 5 x 1 run, 60 questions, first 20", world=mixture_world(models=5), questions=60,
           seeds=1, labels=20),
    Design(name="stratified, 2 x 2 x 4 runs, 5 % abstain, 600 questions, first 80",
           world=stratified_world().abstaining(0.05), questions=600, seeds=4, labels=80),
    Design(name="rare (2 % traps), 5 x 1 run, 2,000 questions, first 100", world=_rare(0.02), questions=2000,
           seeds=1, labels=100),
    Design(name="very rare (.3 % traps), 5 x 1 run, 1,000 questions, first 60", world=_rare(0.003),
           questions=1000, seeds=1, labels=60),
)  # fmt: skip


def told(tallies: Tallies, order: np.ndarray, count: int) -> Labelled:
    """Label the first of a list and ask."""
    known = np.zeros(tallies.items.size, dtype=bool)
    known[order[:count]] = True
    right = np.where(known[tallies.class_item], tallies.class_right, np.nan)
    return labelled(replace(tallies, class_right=right), threshold=THRESHOLD, more=50)


def numbers(found: Labelled) -> dict[str, tuple[float, float, float]]:
    """Return value, low and high of each statistic."""
    rows = {
        "FCR(.8)": found.rates.one(threshold=THRESHOLD),
        "FCR(1)": found.rates.one(threshold=1.0),
        "vote wrong": found.values.one(quantity="vote wrong", system="all"),
        "accuracy of m0": found.values.one(quantity="accuracy", system="m0"),
    }
    return {name: (row.value, row.low, row.high) for name, row in rows.items()}


def covered(design: Design, *, simulations: int, rng: np.random.Generator) -> Iterator[str]:
    """Simulate one design and compare every interval with what all labels give."""
    seen: dict[str, list[tuple[float, ...]]] = {}
    widths = []
    for _ in range(simulations):
        tallies = planted_tallies(design.world, questions=design.questions, seeds=design.seeds, rng=rng)
        plan = label_plan(tallies, threshold=THRESHOLD, rng=rng)
        full = label_plan(tallies, threshold=THRESHOLD, count=design.questions, rng=rng)
        count = plan.question.size if design.labels is None else design.labels
        truth = numbers(told(tallies, full.question, design.questions))
        order = plan.question if count <= plan.question.size else full.question
        found = told(tallies, order, count)
        for name, got in numbers(found).items():
            seen.setdefault(name, []).append((*got, truth[name][0]))
        if design.labels is not None:
            more = _extended(tallies, order, count, found, rng)
            then = found.after.one(labels=int(found.more.sum()))
            got = told(tallies, more, more.size).rates.one(threshold=THRESHOLD)
            held = got.low - 1e-9 <= truth["FCR(.8)"][0] <= got.high + 1e-9
            widths.append((then.high - then.low, got.high - got.low, float(held)))
    for name, rows in seen.items():
        value, low, high, truth_of = np.array(rows).T
        known = ~np.isnan(truth_of)
        holds = (low <= truth_of + 1e-9) & (truth_of <= high + 1e-9)
        half, bias = (high - low)[known] / 2, np.nanmean(value - truth_of)
        yield (
            f"| {name} | {np.nanmean(truth_of):.4f} | {bias:+.4f} | {100 * holds[known].mean():.1f} % | "
            f"{100 * (high < truth_of - 1e-9)[known].mean():.1f} % | {half.mean():.3f} | "
            f"{100 * np.isnan(value)[known].mean():.1f} % |"
        )
    if widths:
        forecast, came, held_then = np.array(widths).T
        yield (
            f"\nForecast of the width of FCR(.8) after the next labels: mean {forecast.mean():.3f}, came "
            f"{came.mean():.3f}; off by {np.abs(forecast - came).mean():.3f} on average. With them the "
            f"interval holds in {100 * held_then.mean():.1f} %."
        )


def _extended(
    tallies: Tallies, order: np.ndarray, count: int, found: Labelled, rng: np.random.Generator
) -> np.ndarray:
    """Add the labels that the forecast was made for, drawn from what is left of each level."""
    from limitset.core.strata_sampling import agreement_levels

    member = agreement_levels(tallies, (0.5, THRESHOLD, 1.0)).member
    left = rng.permutation(np.setdiff1d(np.arange(tallies.items.size), order[:count]))
    fresh = [left[member[left] == level][:n] for level, n in enumerate(found.more)]
    return np.concatenate([order[:count], *fresh])


def stopped(design: Design, *, limit: float, most: int, simulations: int, rng: np.random.Generator) -> str:
    """Look after every 25 labels and stop as soon as the interval lies on one side of a limit."""
    held, wrong, used, settled = 0, 0, 0, 0
    for _ in range(simulations):
        tallies = planted_tallies(design.world, questions=design.questions, seeds=design.seeds, rng=rng)
        order = label_plan(tallies, threshold=THRESHOLD, count=most, rng=rng).question
        full = label_plan(tallies, threshold=THRESHOLD, count=design.questions, rng=rng).question
        truth = told(tallies, full, design.questions).rates.one(threshold=THRESHOLD).value
        for count in range(BATCH, most + 1, BATCH):
            row = told(tallies, order, count).rates.one(threshold=THRESHOLD)
            below, above = row.high <= limit, row.low > limit
            if below or above or count + BATCH > most:
                break
        held += row.low - 1e-9 <= truth <= row.high + 1e-9
        settled += bool(below or above)
        wrong += bool((below and truth > limit) or (above and truth <= limit))
        used += count
    return (
        f"| {design.name.rsplit(', ', 1)[0]}, limit {100 * limit:.0f} % | {100 * held / simulations:.1f} % | "
        f"{100 * settled / simulations:.1f} % | {100 * wrong / simulations:.1f} % | "
        f"{used / simulations:.0f} |"
    )


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    started = time.perf_counter()
    for design in DESIGNS:
        sys.stdout.write(
            f"\n### labels: {design.name}\n\n"
            "| statistic | all labels | mean error | interval holds | wholly below | half width | blank |\n"
            "|---|---|---|---|---|---|---|\n"
        )
        for line in covered(design, simulations=options.simulations, rng=rng):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    sys.stdout.write(
        "\n| stopping when settled | interval holds | settled | wrongly | labels |\n|---|---|---|---|---|\n"
    )
    for design, limit in ((DESIGNS[1], 0.05), (DESIGNS[1], 0.15), (DESIGNS[4], 0.05)):
        line = stopped(design, limit=limit, most=200, simulations=options.simulations, rng=rng)
        sys.stdout.write(line + "\n")
    sys.stderr.write(f"{options.simulations} simulations, {time.perf_counter() - started:.0f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
