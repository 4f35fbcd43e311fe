"""How often do the intervals about a panel's vote hold the true value?

    python runs/coverage/panel.py --simulations 1000 --seed 20261122

prints the table of docs/coverage.md. Each simulation draws new questions from a planted world whose exact
values are known, one run of each system on them, and asks each instrument for its interval.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limitset.core.majorities import kish_number
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies
from limitset.datasets.planted import (
    World,
    clones_world,
    independent_world,
    judges_world,
    mixture_world,
    planted_tallies,
    population_correlation,
    population_sent,
    population_vote,
    population_vote_of_size,
    shared_difficulty_world,
)
from limitset.instruments.truth import best_subset, effective_number, escalation, member_value, voting_gain

SIZE = 3
"""Size of the best subset."""
AGREE = 4
"""Items on which fewer agree are sent outside."""

DESIGNS: dict[str, tuple[World, int]] = {
    "mixture with traps, 5 systems, 400 questions": (mixture_world(models=5), 400),
    "five unequal judges, 400 questions": (judges_world(), 400),
    "five unequal judges, 120 questions": (judges_world(), 120),
    "shared difficulty only, 5 systems, 400 questions": (shared_difficulty_world(models=5), 400),
    "independent and equal, 5 systems, 400 questions": (
        independent_world(accuracy=0.7, wrong_classes=1, models=5),
        400,
    ),
    "clones, 5 systems, 400 questions": (clones_world(accuracy=0.7, models=5), 400),
}


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What happened to one statistic in all simulations."""

    statistic: str
    truth: float
    mean: float
    held: float
    """Share of the intervals that hold the truth."""
    below: float
    """Share of the intervals that lie wholly below the truth."""
    blank: float
    """Share of the points that are blank."""


def truths(world: World) -> dict[str, float]:
    """Return the exact value of each statistic that does not depend on the draw."""
    systems = world.shares.shape[1]
    everyone = list(range(systems))
    whole = population_vote(world, everyone)
    r = population_correlation(world)
    sent, left, removed = population_sent(world, AGREE)
    return {
        "effective number of votes": float(kish_number(systems, r)),
        "correlation": r,
        "e_1": population_vote_of_size(world, 1),
        "e_3": population_vote_of_size(world, 3),
        f"e_{systems}": whole,
        "e_1 - e_all": population_vote_of_size(world, 1) - whole,
        "e_3 - e_all": population_vote_of_size(world, 3) - whole,
        "without the first": population_vote(world, everyone[1:]) - whole,
        "without the last": population_vote(world, everyone[:-1]) - whole,
        "sent": sent,
        "left": left,
        "removed": removed,
    }


def measured(
    world: World, tallies: Tallies, known: dict[str, float], rng: np.random.Generator
) -> dict[str, tuple[float, Measurement | list[Measurement]]]:
    """Return what the instruments say of one panel, each beside its truth."""
    systems = world.shares.shape[1]
    effective, gain = effective_number(tallies), voting_gain(tallies, rng=rng)
    sent = escalation(tallies).values
    curve = gain.errors.where(unit="systems", null_kind="")
    # one system alone: as wide as an interval that has no others beside it
    members = member_value(tallies, rng=rng).values
    single = member_value(tallies, rng=rng, confidence=1 - 0.05 * systems).values
    best = best_subset(tallies, rng=rng, sizes=[SIZE])
    found: dict[str, Measurement] = {
        "effective number of votes": effective.values.one(unit="votes"),
        "correlation": effective.correlation.one(unit="votes"),
        **{f"e_{votes}": curve.one(votes=votes) for votes in (1, 3, systems)},
        "e_1 - e_all": gain.changes.one(unit="systems", votes=1),
        "e_3 - e_all": gain.changes.one(unit="systems", votes=3),
        "without the first": single.one(system="m0"),
        "without the last": single.one(system=f"m{systems - 1}"),
    }
    share = AGREE / systems
    for name in ("sent", "left", "removed"):
        rows = [
            row for row in sent.where(quantity=name).rows() if abs(row.parameters["threshold"] - share) < 1e-6
        ]
        if rows:
            found[name] = rows[0]
    out: dict[str, tuple[float, Measurement | list[Measurement]]] = {
        name: (known[name], row) for name, row in found.items()
    }
    everyone = list(range(systems))
    values = [
        (
            population_of(world, tuple(s for s in everyone if s != m)) - known[f"e_{systems}"],
            members.one(system=f"m{m}"),
        )
        for m in everyone
    ]
    held = all(row.low - 1e-9 <= value <= row.high + 1e-9 for value, row in values)
    out["every system at once"] = (1.0, [values[0][1]]) if held else (0.0, [values[0][1]])
    # the subsets differ from fold to fold: what is judged is their mean true error
    chosen = [tuple(int(name[1:]) for name in fold[SIZE]) for fold in best.by_fold]
    error = float(np.mean([population_of(world, one) for one in chosen]))
    out["best three, judged apart"] = (error, best.errors.one(size=SIZE, estimate="cross_fitted"))
    out["best three against random"] = (known["e_3"] - error, best.gains.one(size=SIZE, against="random"))
    out["best three against all"] = (known[f"e_{systems}"] - error, best.gains.one(size=SIZE, against="all"))
    naive = best.errors.one(size=SIZE, estimate="naive")
    out["best three, naive"] = (population_of(world, tuple(int(n[1:]) for n in best.chosen[SIZE])), naive)
    return out


_KNOWN: dict[tuple[int, tuple[int, ...]], float] = {}


def population_of(world: World, members: tuple[int, ...]) -> float:
    """Remember the exact error of each subset of a world."""
    key = (id(world), tuple(sorted(members)))
    if key not in _KNOWN:
        _KNOWN[key] = population_vote(world, list(key[1]))
    return _KNOWN[key]


def covered(
    world: World, questions: int, *, simulations: int, rng: np.random.Generator
) -> Iterator[Coverage]:
    """Simulate one design and compare every interval with the truth."""
    known = truths(world)
    seen: dict[str, list[tuple[float, float, float, float]]] = {}
    joint: list[float] = []
    for _ in range(simulations):
        tallies = planted_tallies(world, questions=questions, seeds=1, rng=rng)
        for name, (truth, row) in measured(world, tallies, known, rng).items():
            if isinstance(row, list):
                joint.append(truth)
                continue
            seen.setdefault(name, []).append((truth, row.value, row.low, row.high))
    for name, rows in seen.items():
        truth, value, low, high = np.array(rows).T
        told = ~np.isnan(value) & ~np.isnan(low)
        inside = (low <= truth + 1e-9) & (truth <= high + 1e-9)
        yield Coverage(
            statistic=name,
            truth=float(truth.mean()),
            mean=float(np.nanmean(value)) if (~np.isnan(value)).any() else float("nan"),
            held=float(inside[told].mean()) if told.any() else float("nan"),
            below=float((high < truth - 1e-9)[told].mean()) if told.any() else float("nan"),
            blank=float(np.isnan(value).mean()),
        )
    yield Coverage(
        statistic="every system at once",
        truth=float("nan"),
        mean=float("nan"),
        held=float(np.mean(joint)),
        below=float("nan"),
        blank=0.0,
    )


def main() -> None:
    """Print one table a design."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--designs", type=int, nargs="*", default=list(range(1, len(DESIGNS) + 1)))
    options = parser.parse_args()
    for number, (name, (world, questions)) in enumerate(DESIGNS.items()):
        if number + 1 not in options.designs:
            continue
        start = time.perf_counter()
        rng = np.random.default_rng([options.seed, number])
        print(f"\n### {name}\n")
        print("| statistic | truth | mean | interval holds | wholly below | blank |")
        print("|---|---|---|---|---|---|")
        for row in covered(world, questions, simulations=options.simulations, rng=rng):
            told = [row.statistic, _number(row.truth), _number(row.mean)]
            print(
                "| " + " | ".join([*told, _share(row.held), _share(row.below), _share(row.blank)]) + " |",
                flush=True,
            )
        print(f"\n<!-- {time.perf_counter() - start:.0f} s -->", flush=True)


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4f}"


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f} %"


if __name__ == "__main__":
    main()
