"""How often do the intervals of the reliability instruments hold the true value?

    python runs/coverage/reliability.py --simulations 1000 --seed 20261122

prints the table of docs/coverage.md. Each simulation draws new questions and new runs from a world whose
exact values are known.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from limitset.core.majorities import kish_number
from limitset.core.results import Measurement
from limitset.core.scores import ScoreTable
from limitset.datasets.planted import beta_world, planted_tallies, stratified_world
from limitset.instruments.truth import (
    fleiss_kappa,
    krippendorff_alpha,
    omega_total,
    reliability,
    score_errors,
    self_agreement,
    severity,
)

Found = dict[str, tuple[float, Measurement]]
"""Statistic to its true value and what was measured."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """One world, and what the instruments say of one draw of it."""

    name: str
    measure: Callable[[np.random.Generator], Found]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What happened to one statistic in all simulations."""

    design: str
    statistic: str
    truth: float
    mean: float
    held: float
    below: float
    blank: float
    """Share that has no value, or no interval."""


def table_of(scores: np.ndarray, key: np.ndarray | None = None) -> ScoreTable:
    """Wrap scores (m, q, r)."""
    m, q, _ = scores.shape
    return ScoreTable(
        systems=np.array([f"j{row}" for row in range(m)], dtype=object),
        items=np.arange(q),
        scores=scores,
        key=np.full(q, np.nan) if key is None else key,
    )


def epochs(rng: np.random.Generator, *, questions: int, seeds: int) -> Found:
    """One model whose chance to be right is Beta(1, 1) over questions: 1 / 3 and k / (k + 2)."""
    tallies = planted_tallies(beta_world(), questions=questions, seeds=seeds, rng=rng)
    own = reliability(tallies).own.where(null_kind="")
    agree = self_agreement(tallies).values.where(stratum="all")
    return {
        "reliability of one draw": (1 / 3, own.one(draws=1)),
        f"reliability of {seeds} draws": (seeds / (seeds + 2), own.one(draws=seeds)),
        "agrees with itself": (2 / 3, agree.one(part="agree")),
        "agrees and is wrong": (1 / 3, agree.one(part="agree wrong")),
    }


def steady(rng: np.random.Generator) -> Found:
    """Draw a model that is nearly always the same: Beta(.1, .1), reliability 1 / 1.2."""
    chance = rng.beta(0.1, 0.1, 150)
    own = reliability(table_of((rng.random((1, 150, 4)) < chance[:, None]).astype(float))).own
    return {
        "reliability of one draw": (1 / 1.2, own.one(draws=1, null_kind="")),
        "reliability of 4 draws": (4 / 4.2, own.one(draws=4, null_kind="")),
    }


def coins(rng: np.random.Generator) -> Found:
    """Judges that toss coins: no reliability, no agreement beyond chance."""
    table = table_of(rng.integers(1, 6, (5, 100, 3)).astype(float))
    got = reliability(table)
    alpha = krippendorff_alpha(table, metric="ordinal").values
    return {
        "reliability of one draw": (0.0, got.own.one(system="j0", draws=1, null_kind="")),
        "ICC(2,1)": (0.0, got.raters.one(form="2,1", null_kind="")),
        "ICC(2,k)": (0.0, got.raters.one(form="2,k", null_kind="")),
        "alpha, ordinal, systems": (0.0, alpha.one(raters="systems")),
        "alpha, ordinal, own": (0.0, alpha.one(raters="j0")),
    }


LOADINGS = np.array([0.5, 0.6, 0.7, 0.8])


def seen(rng: np.random.Generator, *, questions: int) -> Found:
    """Raters that see one thing, normal scores of unequal loadings, plus severity."""
    common = rng.normal(size=questions)
    noise = rng.normal(size=(4, questions)) * np.sqrt(1 - LOADINGS**2)[:, None]
    table = table_of((LOADINGS[:, None] * common + noise)[:, :, None])
    omega = omega_total(table, rng=rng, shuffles=2)
    sums = LOADINGS.sum() ** 2
    r = (sums - (LOADINGS**2).sum()) / 12
    got = reliability(table)
    return {
        "omega": (
            sums / (sums + (1 - LOADINGS**2).sum()),
            omega.values.one(coefficient="omega_total", null_kind=""),
        ),
        "Cronbach's alpha": (4 * r / (1 + 3 * r), omega.values.one(coefficient="alpha")),
        "loading .8": (0.8, omega.loadings.one(system="j3")),
        "ICC(3,1)": (r, got.raters.one(form="3,1", null_kind="")),
        "ICC(3,1) by F": (r, got.by_f.one(form="3,1")),
        "ICC(3,k)": (4 * r / (1 + 3 * r), got.raters.one(form="3,k", null_kind="")),
    }


def grades(rng: np.random.Generator) -> Found:
    """Five judges with biases whose errors share half of their variance."""
    q, bias = 120, np.array([0.0, 0.2, 1.0, -0.4, 0.0])
    key = rng.integers(1, 11, q).astype(float)
    shared = rng.normal(size=q) * 0.7
    errors = bias[:, None, None] + shared[:, None] + 0.7 * rng.normal(size=(5, q, 2))
    table = table_of(key[:, None] + errors, key)
    got = score_errors(table, rng=rng, draws=10)
    others = [float(bias[place] - np.delete(bias, place).mean()) for place in range(5)]
    # the mean of all: normal with this mean and spread; its absolute value
    mean, spread = bias.mean(), np.sqrt(0.49 + 0.49 / 5)
    return {
        "bias": (1.0, got.judges.one(system="j2", measure="bias", null_kind="")),
        "absolute error": (
            folded(1.0, np.sqrt(0.98)),
            got.judges.one(system="j2", measure="absolute error", null_kind=""),
        ),
        "within one": (
            normal(2 / np.sqrt(0.98)) - 0.5,
            got.judges.one(system="j2", measure="within one", null_kind=""),
        ),
        "weighted kappa": (
            1 - (0.98 + 1.0) / (2 * 8.25 + 0.98 + 1.0),
            got.judges.one(system="j2", measure="weighted kappa"),
        ),
        "correlation of errors": (0.5, got.worth.one(quantity="correlation")),
        "effective judges": (
            float(kish_number(5.0, 0.5)),
            got.worth.one(quantity="effective judges"),
        ),
        "error of the mean of 5": (folded(mean, spread), got.panel.one(statistic="mean", judges=5)),
        "severity (five at once: 99 %)": (others[2], severity(table).values.one(system="j2")),
    }


def agreement(rng: np.random.Generator) -> Found:
    """Two systems of the stratified world: kappa and alpha of answers in their own words."""
    world = stratified_world()
    tallies = planted_tallies(world, questions=150, seeds=3, rng=rng)
    pooled = world.shares.mean(axis=2)
    both = float(world.weights @ (pooled[:, 0] * pooled[:, 1]).sum(axis=1))
    # planted names are one set for all questions; chance is taken over them
    average = world.weights @ pooled.mean(axis=1)
    chance = float(np.square(average).sum())
    kappa = (both - chance) / (1 - chance)
    return {
        "two systems agree": (both, fleiss_kappa(tallies).agreement.one(raters="systems")),
        "Fleiss' kappa": (kappa, fleiss_kappa(tallies).values.one(raters="systems")),
        "alpha, nominal": (kappa, krippendorff_alpha(tallies).values.one(raters="systems")),
    }


def normal(x: float) -> float:
    """Return the chance that a standard normal number lies below x."""
    from scipy.stats import norm

    return float(norm.cdf(x))


def folded(mean: float, spread: float) -> float:
    """Return the mean of the absolute value of a normal number."""
    return float(
        spread * np.sqrt(2 / np.pi) * np.exp(-(mean**2) / (2 * spread**2))
        + mean * (1 - 2 * normal(-mean / spread))
    )


DESIGNS = (
    Design(
        name="Beta(1, 1), 150 questions x 8 draws", measure=lambda rng: epochs(rng, questions=150, seeds=8)
    ),
    Design(name="Beta(1, 1), 40 questions x 3 draws", measure=lambda rng: epochs(rng, questions=40, seeds=3)),
    Design(name="Beta(.1, .1), 150 questions x 4 draws", measure=steady),
    Design(name="coin tosses, 5 judges x 3 draws, 100 questions", measure=coins),
    Design(name="four loadings, 200 questions", measure=lambda rng: seen(rng, questions=200)),
    Design(name="four loadings, 60 questions", measure=lambda rng: seen(rng, questions=60)),
    Design(name="five judges with a key, 120 questions x 2 draws", measure=grades),
    Design(name="stratified, 2 systems, 150 questions", measure=agreement),
)


def covered(design: Design, *, simulations: int, rng: np.random.Generator) -> Iterator[Coverage]:
    """Measure one design many times."""
    seen_rows = [design.measure(rng) for _ in range(simulations)]
    for statistic, (truth, _) in seen_rows[0].items():
        rows = [found[statistic][1] for found in seen_rows]
        told = [row for row in rows if not row.blank and row.bounded]
        yield Coverage(
            design=design.name,
            statistic=statistic,
            truth=truth,
            mean=float(np.mean([row.value for row in told])) if told else np.nan,
            held=float(np.mean([row.low <= truth <= row.high for row in told])) if told else np.nan,
            below=float(np.mean([row.high < truth for row in told])) if told else np.nan,
            blank=1 - len(told) / simulations,
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    given = parser.parse_args(arguments)
    for place, design in enumerate(DESIGNS):
        rng = np.random.default_rng([given.seed, place])
        print(f"\n### {design.name}\n")
        print(
            "| statistic | truth | mean | interval holds | wholly below | blank |\n|---|---|---|---|---|---|"
        )
        for row in covered(design, simulations=given.simulations, rng=rng):
            print(
                f"| {row.statistic} | {row.truth:.4f} | {row.mean:.4f} | {100 * row.held:.1f} % | "
                f"{100 * row.below:.1f} % | {100 * row.blank:.1f} % |",
                flush=True,
            )


if __name__ == "__main__":
    main()
