"""What would an instrument find on a planted world with infinitely many questions?

Exact values by enumeration, written independently of the estimators that they check.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.errors import InputError
from limitset.core.undefined import UNDEFINED
from limitset.datasets.planted.panels import World

_LARGEST_TABLE: Final = 4_000_000
"""Numbers in the exact distribution of vote counts; beyond, a world has too many classes for its votes."""


def population_phi(world: World, *, source: str, k: int) -> float:
    """P(wrong | k runs agree) in the population, by source of agreement (seed, paraphrase, model).

    References
    ----------
    The definition of wrong-when-unanimous; independent of the estimator (sums over combinations of units).
    """
    cells = world.shares
    if source == "seed":
        agree = (cells**k).mean(axis=(1, 2))
    elif source == "paraphrase":
        agree = _chosen(cells.transpose(2, 0, 1, 3), k).mean(axis=1)
    else:
        agree = _chosen(cells.mean(axis=2).transpose(1, 0, 2), k)
    mass = world.weights @ agree
    return float(mass[1:].sum() / mass.sum())


def population_error(world: World, *, votes: int, seeds: int) -> float:
    """P(plurality of `votes` runs is wrong), drawn without replacement from every cell's `seeds` runs.

    Ties are split evenly; a draw in which nobody answers is not wrong.
    """
    wrong, _, _ = _plurality(votes, world.shares.shape[3])
    return float(
        sum(
            w * (_votes_law(kind, votes, seeds) * wrong).sum()
            for w, kind in zip(world.weights, world.shares, strict=True)
        )
    )


def population_agreed(world: World, *, threshold: float, seeds: int) -> tuple[float, float]:
    """P(modal answer wrong | modal share >= threshold) over all runs of the design, and its coverage.

    Examples
    --------
    >>> from limitset.datasets.planted.panels import mixture_world
    >>> [round(x, 4) for x in population_agreed(mixture_world(models=9), threshold=7 / 9, seeds=1)]
    [0.1411, 0.6619]
    """
    _, models, paraphrases, classes = world.shares.shape
    runs = models * paraphrases * seeds
    wrong, top, _ = _plurality(runs, classes)
    agreed = top / runs >= threshold - 1e-9
    law = sum(w * _votes_law(kind, runs, seeds) for w, kind in zip(world.weights, world.shares, strict=True))
    coverage = float((law * agreed).sum())
    return float((law * agreed * wrong).sum()) / coverage if coverage else UNDEFINED, coverage


def population_collision(world: World) -> tuple[float, float]:
    """P(two runs of the design agree), and its wrong part."""
    pooled = world.weights @ np.square(world.shares.mean(axis=(1, 2)))
    return float(pooled.sum()), float(pooled[1:].sum())


def population_gap(world: World) -> float:
    """Mean modal share less P(modal answer right), of the chances themselves; tied modes split evenly."""
    pooled = world.shares.mean(axis=(1, 2))
    top = pooled.max(axis=1)
    tied = np.isclose(pooled, top[:, None])
    return float(world.weights @ (top - tied[:, 0] / tied.sum(axis=1)))


def _chosen(shares: np.ndarray, k: int) -> np.ndarray:
    """Mean product over all ways to choose k of the leading axis."""
    products = np.stack(
        [np.prod(shares[list(chosen)], axis=0) for chosen in combinations(range(len(shares)), k)]
    )
    return np.asarray(products.mean(axis=0))


def _votes_law(kind: Float[np.ndarray, "m p c"], votes: int, seeds: int) -> np.ndarray:
    """Law of the counts of every class (the abstentions last) among `votes` runs drawn from the design.

    Each run is left out or, taken, moves the counts by its class: the product over runs, restricted to counts
    that sum to `votes`, over the number of ways to choose them.
    """
    cells = kind.reshape(-1, kind.shape[-1])
    law = np.zeros((votes + 1,) * (cells.shape[1] + 1))
    law[(0,) * law.ndim] = 1.0
    for cell in cells:
        chances = np.append(cell, 1 - cell.sum())
        for _ in range(seeds):
            taken = sum(p * _shifted(law, axis) for axis, p in enumerate(chances) if p > 1e-15)
            law = law + taken
    return np.where(_totals(law.shape) == votes, law, 0.0) / comb(len(cells) * seeds, votes)


def _shifted(law: np.ndarray, axis: int) -> np.ndarray:
    moved = np.roll(law, 1, axis=axis)
    moved[(slice(None),) * axis + (0,)] = 0.0
    return moved


def _totals(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.indices(shape).sum(axis=0))


def _plurality(votes: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return wrong share among tied modes, modal count and silence for every table of counts."""
    shape = (votes + 1,) * (classes + 1)
    if np.prod(np.array(shape, dtype=float)) > _LARGEST_TABLE:
        raise InputError.of(
            expected=f"an exact value needs at most {_LARGEST_TABLE} tables of counts",
            got=f"{votes} votes over {classes} classes",
            fix="Use fewer votes or classes.",
        )
    counts = np.indices(shape)[:-1]
    top = counts.max(axis=0)
    tied = (counts == top) & (counts > 0)
    wrong = tied[1:].sum(axis=0) / np.maximum(tied.sum(axis=0), 1)
    return wrong, top, top == 0
