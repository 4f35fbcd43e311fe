"""Planted worlds: chances, draws, and exact population values against brute force."""

from itertools import combinations, product

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.tallies import tallied
from limitset.datasets.planted import (
    World,
    beta_world,
    clones_world,
    independent_world,
    mixture_world,
    planted_panel,
    planted_tallies,
    population_agreed,
    population_collision,
    population_error,
    population_gap,
    population_phi,
    shared_difficulty_world,
    stratified_world,
)

WORLDS = {
    "mixture": mixture_world(models=2, paraphrases=2),
    "independent": independent_world(accuracy=0.4, wrong_classes=4, models=2),
    "difficulty": shared_difficulty_world(models=2),
    "clones": clones_world(accuracy=0.6),
    "beta": beta_world(nodes=8),
    "stratified": stratified_world().abstaining(0.1),
}


@pytest.mark.parametrize("name", WORLDS)
def test_drawn_shares_are_the_worlds(name):
    world = WORLDS[name]
    tallies = planted_tallies(world, questions=4000, seeds=4, rng=np.random.default_rng(1))
    classes = world.shares.shape[3]
    shares = tallies.counts.reshape(len(tallies.systems), 4000, classes).mean(axis=1) / 4
    expected = np.tensordot(world.weights, world.shares, axes=1).reshape(-1, classes)
    assert np.abs(shares - expected).max() < 0.03  # 4 sd of a share of 4,000 questions


def test_panel_and_tallies_are_the_same_draw():
    world = stratified_world().abstaining(0.2)
    ends, items = planted_panel(world, questions=30, seeds=3, rng=np.random.default_rng(5))
    rows = tallied(ends, items)
    fast = planted_tallies(world, questions=30, seeds=3, rng=np.random.default_rng(5))
    assert rows.runs.tolist() == fast.runs.tolist()
    assert rows.abstained.tolist() == fast.abstained.tolist()
    assert rows.strata.tolist() == fast.strata.tolist()
    by_rows = {
        (rows.items[q], name.split(" ", 1)[1]): counts.tolist()
        for q, name, counts in zip(rows.class_item, rows.class_name, rows.counts.T, strict=True)
    }
    by_fast = {
        (fast.items[q], name.strip()): counts.tolist()
        for q, name, counts in zip(fast.class_item, fast.class_name, fast.counts.T, strict=True)
        if counts.sum()
    }
    assert by_rows == by_fast
    assert set(items.texts("lure")) > {None}


def _by_enumeration(cells, votes, seeds):
    """P(plurality wrong) over every subset of the runs and every outcome: 0 abstains, 1 right."""
    runs = [cell for cell in cells for _ in range(seeds)]
    wrong, subsets = 0.0, list(combinations(range(len(runs)), votes))
    for chosen in subsets:
        for ended in product(range(cells.shape[1] + 1), repeat=votes):
            chance = np.prod(
                [1 - runs[r].sum() if c == 0 else runs[r][c - 1] for r, c in zip(chosen, ended, strict=True)]
            )
            counts = np.bincount([c for c in ended if c], minlength=cells.shape[1] + 1)
            if counts.max():
                tied = np.flatnonzero(counts == counts.max())
                wrong += chance * (tied != 1).mean() / len(subsets)
    return wrong


@pytest.mark.parametrize("votes", [1, 2, 3, 4])
def test_population_error_is_that_of_all_subsets(votes):
    world = World(
        weights=np.array([0.3, 0.7]),
        shares=np.array([[[[0.5, 0.3, 0.1]], [[0.2, 0.6, 0.2]]], [[[0.8, 0.1, 0.0]], [[0.4, 0.2, 0.2]]]]),
        kinds=("a", "b"),
    )
    expected = sum(
        weight * _by_enumeration(kind.reshape(-1, 3), votes, 2)
        for weight, kind in zip(world.weights, world.shares, strict=True)
    )
    assert population_error(world, votes=votes, seeds=2) == pytest.approx(expected, abs=1e-12)


def test_known_values_of_the_mixture():
    # plurality of nine .658 with random ties; FCR(7/9) .1411 at coverage .6619
    assert 1 - population_error(mixture_world(models=9), votes=9, seeds=1) == pytest.approx(0.658, abs=5e-4)
    fcr, coverage = population_agreed(mixture_world(models=9), threshold=7 / 9, seeds=1)
    assert (fcr, coverage) == (pytest.approx(0.1411, abs=5e-5), pytest.approx(0.6619, abs=5e-5))
    # .6 (.81 + .01) + .2 / 4 + .2 (.04 + .49 + .01) = .65; wrong part .006 + .0375 + .1 = .1435
    assert population_collision(mixture_world()) == (pytest.approx(0.65), pytest.approx(0.1435))
    # modal shares .9, .25, .7; the mode is right on easy questions and on a quarter of the dispersed ones
    assert population_gap(mixture_world()) == pytest.approx(0.6 * 0.9 + 0.2 * 0.25 + 0.2 * 0.7 - 0.6 - 0.05)


def test_known_values_of_phi():
    world = independent_world(accuracy=0.4, wrong_classes=10, models=3, paraphrases=2)
    for source in ("seed", "paraphrase", "model"):
        assert population_phi(world, source=source, k=2) == pytest.approx(0.18367, abs=1e-5)
    assert population_phi(world, source="seed", k=4) == pytest.approx(0.00504, abs=1e-5)
    # E[p^k] = 1 / (k + 1) for p ~ Beta(1, 1), right and wrong alike
    assert population_phi(beta_world(), source="seed", k=5) == pytest.approx(0.5)
    assert population_phi(clones_world(accuracy=0.6), source="model", k=3) == pytest.approx(0.4)


def test_shared_difficulty_alone_gives_a_third_of_same_wrong_at_four_classes():
    # two wrong runs pick the same of three wrong classes: 1/3 whatever the difficulty
    shares = shared_difficulty_world().shares[:, 0, 0, 1:]
    both = (shares.sum(axis=1) ** 2).sum()
    assert (shares**2).sum() / both == pytest.approx(1 / 3)


def test_worlds_take_their_parameters():
    assert mixture_world(easy=0.8).shares[0, 0, 0, 0] == 0.8
    assert mixture_world(dispersed=5).shares[1, 0, 0, 4] == 0.2
    assert mixture_world(trap=(0.1, 0.9)).shares[2, 0, 0, :3].tolist() == pytest.approx([0.1, 0.9, 0.0])
    assert mixture_world(weights=(0.5, 0.5, 0.0)).weights.tolist() == [0.5, 0.5, 0.0]
    assert shared_difficulty_world(accuracies=(0.5,), wrong_classes=5).shares[0, 0, 0, 5] == 0.1
    assert beta_world(wrong_classes=2, models=3).shares.shape == (64, 3, 1, 3)
    assert clones_world(accuracy=1.0, wrong_classes=1, models=2).weights.tolist() == [1.0, 0.0]
    plain, shifted = stratified_world(paraphrase_shift=0.0), stratified_world(paraphrase_shift=0.2)
    assert shifted.shares[0, 0, 1, 0] == pytest.approx(plain.shares[0, 0, 1, 0] - 0.2)
    ends, _ = planted_panel(
        mixture_world(), questions=2, seeds=1, rng=np.random.default_rng(0), temperature=0.3
    )
    assert set(ends.numbers("temperature")) == {0.3}


def test_bad_worlds_are_refused():
    with pytest.raises(InputError, match="weights must sum to 1"):
        World(weights=np.array([0.5]), shares=np.full((1, 1, 1, 2), 0.5), kinds=("a",))
    with pytest.raises(InputError, match="shares must be"):
        World(weights=np.ones(1), shares=np.full((1, 1, 1, 2), 0.5), kinds=("a", "b"))
    with pytest.raises(InputError, match="tables of counts"):
        population_error(independent_world(accuracy=0.4, wrong_classes=10), votes=8, seeds=8)
