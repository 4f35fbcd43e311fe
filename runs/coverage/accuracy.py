"""Do the intervals of accuracy, comparison, pass at k and stale answers hold the truth?

Run: python runs/coverage/accuracy.py --simulations 1000 --seed 20261122
     python runs/coverage/accuracy.py --simulations 400 --seed 20261122 --only accused
Prints the tables of docs/coverage.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from limitset.core.clusters import clustered_shares, design_effect
from limitset.core.comparisons import difference_ends, pair_differences, simultaneous_quantile, t_quantile
from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.tallies import tallied
from limitset.datasets.planted import mixture_world, planted_tallies
from limitset.instruments.truth import pass_at_k, stale_answers
from limitset.report.audit.stale import stale_advice

Ends3 = tuple[float, float, float]
"""Truth and the ends of an interval."""


def accuracy_cases() -> dict[str, Callable[[np.random.Generator], Ends3]]:
    def of(shares: np.ndarray, clusters: np.ndarray, truth: float) -> Ends3:
        got = clustered_shares(shares[None], clusters)
        return truth, float(got.low[0]), float(got.high[0])

    def independent(truth: float, questions: int) -> Callable[[np.random.Generator], Ends3]:
        return lambda rng: of((rng.random(questions) < truth).astype(float), np.arange(questions), truth)

    def clustered(sizes: np.ndarray) -> Callable[[np.random.Generator], Ends3]:
        clusters = np.repeat(np.arange(sizes.size), sizes)

        def one(rng: np.random.Generator) -> Ends3:
            chance = rng.beta(1.2, 0.8, size=sizes.size)[clusters]
            return of((rng.random(clusters.size) < chance).astype(float), clusters, 0.6)

        return one

    def effect(rng: np.random.Generator) -> Ends3:
        clusters = np.repeat(np.arange(60), 5)
        right = (rng.random(300) < rng.beta(1.2, 0.8, size=60)[clusters]).astype(float)
        got = design_effect(right, clusters)
        # correlation within a cluster 1 / (a + b + 1) = 1 / 3; 1 + 4 / 3
        return 1 + 4 / 3, got.low, got.high

    return {
        "accuracy .6, 300 questions": independent(0.6, 300),
        "accuracy .6, 30 questions": independent(0.6, 30),
        "accuracy .98, 100 questions": independent(0.98, 100),
        "accuracy .6, 50 clusters of 6": clustered(np.full(50, 6)),
        "accuracy .6, 12 clusters of 10": clustered(np.full(12, 10)),
        "accuracy .6, 30 clusters of 1 to 30": clustered(np.arange(1, 31)),
        "design effect, 60 clusters of 5": effect,
    }


def pass_cases(rng: np.random.Generator) -> list[tuple[str, Ends3]]:
    panel = planted_tallies(mixture_world(), questions=150, seeds=8, rng=rng)
    curve = pass_at_k(panel, rng=rng, draws=100).curve
    missed = np.array([0.1, 0.75, 0.8])
    weights = np.array([0.6, 0.2, 0.2])
    # vote of three: easy .9; four classes at .25: by symmetry .25; trap: three, two, or one each of three
    trap = 0.2**3 + 3 * 0.2**2 * 0.8 + 6 * 0.2 * 0.7 * 0.1 / 3
    vote = 0.6 * (0.9**3 + 3 * 0.81 * 0.1) + 0.2 * 0.25 + 0.2 * trap
    some = {k: float(1 - weights @ missed**k) for k in (3, 8)}
    truths = {("some right", 3): some[3], ("some right", 8): some[8], ("vote right", 3): vote}
    truths["right and outvoted", 3] = some[3] - vote
    found = []
    for (measure, k), truth in truths.items():
        row = curve.one(measure=measure, k=k)
        found.append((f"{measure}, k = {k}", (truth, row.low, row.high)))
    return found


def stale_cases(rng: np.random.Generator) -> list[tuple[str, Ends3]]:
    pairs = 100
    names = [*(f"o{n}" for n in range(pairs)), *(f"c{n}" for n in range(pairs))]
    items = Items.of(
        item=names,
        text=names,
        accepted=[[f"key {name}"] for name in names],
        twin=[None] * pairs + names[:pairs],
    )
    kind = rng.random(pairs)
    before = np.where(rng.random(pairs) < 0.8, "right", "else")
    # right .5, old answer .3, another .2
    after = np.where(kind < 0.5, "right", np.where(kind < 0.8, "old", "else"))
    words = {"right": "key {}", "else": "else {}"}
    end = [words[one].format(name) for one, name in zip(before, names[:pairs], strict=True)]
    for one, name, old in zip(after, names[pairs:], names[:pairs], strict=True):
        end.append(f"key {old}" if one == "old" else words[one].format(name))
    right = np.concatenate([before == "right", after == "right"]).astype(float)
    ends = Ends.of(item=names, system="m", end=end, right=right)
    table = stale_answers(tallied(ends, items), items).table
    truths = {"drop": 0.3, "stale": 0.3, "stale_share": 0.6, "stale_excess": 0.6}
    rows = {name: table.one(measure=name) for name in truths}
    return [(name, (truths[name], row.low, row.high)) for name, row in rows.items()]


def accused_case(
    rng: np.random.Generator,
    *,
    systems: int,
    pairs: int,
    words: int,
    remembered: float = 0.0,
    bias: float = 0.0,
    own_words: bool = False,
) -> dict[str, bool]:
    """Right .8 on originals and .5 on twins; wrong answers even over words, the first system remembers some.

    `bias` is the share of wrong answers that are the first word wherever that is wrong; with `own_words`
    each pair has words that no other has.
    """
    names = [*(f"o{n}" for n in range(pairs)), *(f"c{n}" for n in range(pairs))]
    old = rng.integers(0, words, size=pairs)
    new = (old + rng.integers(1, words, size=pairs)) % words
    keys = np.concatenate([old, new])
    right = rng.random((systems, 2 * pairs)) < np.repeat([0.8, 0.5], pairs)
    wrong = (keys + rng.integers(1, words, size=right.shape)) % words
    wrong[(rng.random(right.shape) < bias) & (keys > 0)] = 0
    memory = rng.random((systems, pairs)) < remembered * (np.arange(systems) == 0)[:, None]
    wrong[:, pairs:] = np.where(memory, old, wrong[:, pairs:])
    said = np.where(right, keys, wrong)
    place = 2 * [f"{n} " if own_words else "" for n in range(pairs)]
    items = Items.of(
        item=names,
        text=names,
        accepted=[[f"{at}{key}"] for at, key in zip(place, keys.tolist(), strict=True)],
        twin=[None] * pairs + names[:pairs],
    )
    ends = Ends.of(
        item=names * systems,
        system=[f"m{row}" for row in range(systems) for _ in names],
        end=[f"{at}{one}" for row in said.tolist() for at, one in zip(place, row, strict=True)],
        right=right.astype(float).reshape(-1),
    )
    found = stale_answers(tallied(ends, items), items)
    rows = {str(row.parameters["system"]): row for row in found.table.where(measure="stale_excess").rows()}
    told = " ".join(stale_advice(found))
    return {
        "excess": any(row.low > 0 for name, row in rows.items() if name != "m0" or not remembered),
        "accused": told.startswith("Do not read"),
        "the right one": "accuracy of m0 on" in told,
    }


def accused(rng: np.random.Generator, simulations: int) -> None:
    print("| panel | excess of an innocent system above 0 | somebody accused | the first system accused |")
    print("|---|---|---|---|")
    forms = {
        "4 letters": {"words": 4},
        "4 letters, .5 of wrong answers A": {"words": 4, "bias": 0.5},
        "free text, 50 words": {"words": 50},
    }
    planted = {f"{name}, .4 remembered": {**form, "remembered": 0.4} for name, form in forms.items()}
    own = {"5 words of its own for each pair": {"words": 5, "own_words": True}}
    cases = [
        *[(name, form, m, n) for name, form in forms.items() for m in (1, 20) for n in (60, 200)],
        *[(name, form, m, 200) for name, form in planted.items() for m in (1, 20)],
        *[(name, form, 1, 200) for name, form in own.items()],
    ]
    for name, form, systems, pairs in cases:
        rows = [accused_case(rng, systems=systems, pairs=pairs, **form) for _ in range(simulations)]  # type: ignore[arg-type]
        shares = [100 * float(np.mean([row[key] for row in rows])) for key in rows[0]]
        cells = " | ".join(f"{share:.1f} %" for share in shares)
        print(f"| {name}, {systems} system{'s' * (systems > 1)}, {pairs} pairs | {cells} |", flush=True)


def comparison_case(
    rng: np.random.Generator, *, systems: int, clusters: np.ndarray, missing: float, spread: float
) -> dict[str, bool | float]:
    groups = int(clusters.max()) + 1
    skill = np.linspace(-spread, spread, systems)[:, None]
    # difficulty of variance 1; where there are clusters, a taste of each system for each of them beside it
    taste = 0.8 * (groups < clusters.size)
    hard = 0.8 * rng.normal(size=groups)[clusters] + 0.6 * rng.normal(size=clusters.size)
    liked = taste * rng.normal(size=(systems, groups))[:, clusters]
    right = (rng.random(liked.shape) < 1 / (1 + np.exp(hard - skill - liked))).astype(float)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    chance = (1 / (1 + np.exp(np.hypot(1, taste) * nodes - skill))) @ weights / weights.sum()
    truth = chance[:, None] - chance[None, :]
    right[rng.random(right.shape) < missing] = np.nan
    pairs = pair_differences(right, clusters)
    above = np.triu_indices(systems, 1)
    found: dict[str, bool | float] = {}
    critical, _ = simultaneous_quantile(right, clusters, pairs, rng=rng, draws=500, confidence=0.95)
    for name, c in (("alone", t_quantile(pairs, confidence=0.95)), ("together", critical)):
        low, high = (end[above] for end in difference_ends(pairs, critical=c))
        inside = (low <= truth[above] + 1e-12) & (truth[above] <= high + 1e-12)
        found[f"{name}: pairs"] = float(inside.mean())
        found[f"{name}: all"] = bool(inside.all())
        wrong = ((low > 0) & (truth[above] <= 0)) | ((high < 0) & (truth[above] >= 0))
        found[f"{name}: wrong order"] = bool(wrong.any())
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--only", choices=["accused"])
    options = parser.parse_args()
    if options.only:
        accused(np.random.default_rng(options.seed), options.simulations)
        return
    held: dict[str, list[tuple[bool, bool]]] = {}

    def add(name: str, ends: Ends3) -> None:
        truth, low, high = ends
        held.setdefault(name, []).append((low - 1e-12 <= truth <= high + 1e-12, high < truth))

    rng = np.random.default_rng(options.seed)
    for _ in range(options.simulations):
        for name, one in accuracy_cases().items():
            add(name, one(rng))
        for name, ends in (*pass_cases(rng), *stale_cases(rng)):
            add(name, ends)
    print("| statistic | interval holds | wholly below |\n|---|---|---|")
    for name, rows in held.items():
        share, below = np.array(rows, dtype=float).mean(axis=0)
        print(f"| {name} | {100 * share:.1f} % | {100 * below:.1f} % |")
    print("\n| panel | one pair alone | all pairs, each alone | all pairs together | wrong order, together |")
    print("|---|---|---|---|---|")
    panels = {
        "6 systems, 150 questions": {"systems": 6, "clusters": np.arange(150), "missing": 0.0, "spread": 0.3},
        "6 equal systems, 150 questions": {
            "systems": 6,
            "clusters": np.arange(150),
            "missing": 0.0,
            "spread": 0.0,
        },
        "20 systems, 300 questions": {
            "systems": 20,
            "clusters": np.arange(300),
            "missing": 0.0,
            "spread": 0.5,
        },
        "6 systems, 150 questions, 20 % missing": {
            "systems": 6,
            "clusters": np.arange(150),
            "missing": 0.2,
            "spread": 0.3,
        },
        "6 systems, 40 clusters of 5": {
            "systems": 6,
            "clusters": np.repeat(np.arange(40), 5),
            "missing": 0.0,
            "spread": 0.3,
        },
        "6 systems, 12 clusters of 15": {
            "systems": 6,
            "clusters": np.repeat(np.arange(12), 15),
            "missing": 0.0,
            "spread": 0.3,
        },
    }
    for name, options_of in panels.items():
        rows = [comparison_case(rng, **options_of) for _ in range(options.simulations)]  # type: ignore[arg-type]
        mean = {key: 100 * float(np.mean([row[key] for row in rows])) for key in rows[0]}
        print(
            f"| {name} | {mean['alone: pairs']:.1f} % | {mean['alone: all']:.1f} % | "
            f"{mean['together: all']:.1f} % | {mean['together: wrong order']:.1f} % |",
            flush=True,
        )


if __name__ == "__main__":
    main()
