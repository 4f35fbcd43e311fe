"""What is the vote of a planted panel worth with infinitely many questions?

Exact values by enumeration of all ballots, written independently of the estimators that they check. Every
system casts one run; a vote is wrong when its plurality is wrong or nobody answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from jaxtyping import Float

from limitset.datasets.planted.panels import World


def population_vote(world: World, members: Sequence[int]) -> float:
    """P(the vote of these systems is wrong), ties split evenly.

    Examples
    --------
    >>> from limitset.datasets.planted.panels import independent_world, mixture_world
    >>> round(population_vote(independent_world(accuracy=0.7, wrong_classes=1, models=3), [0, 1, 2]), 4)
    0.216
    >>> round(1 - population_vote(mixture_world(models=3), [0]), 4)
    0.63
    """
    return float(sum(law @ error for law, error, _ in _ballots(world, list(members))))


def population_vote_of_size(world: World, votes: int) -> float:
    """Mean of `population_vote` over all sets of so many systems.

    Examples
    --------
    >>> from limitset.datasets.planted.panels import judges_world
    >>> round(1 - population_vote_of_size(judges_world(), 1), 4)  # .6 * .78 + .25 * .55 + .15 * .28
    0.6475
    """
    systems = world.shares.shape[1]
    return float(np.mean([population_vote(world, one) for one in combinations(range(systems), votes)]))


def population_sent(world: World, votes: int) -> tuple[float, float, float]:
    """Share of items on which fewer than so many systems agree, error on the others, share of error removed.

    Examples
    --------
    >>> from limitset.datasets.planted.panels import independent_world
    >>> world = independent_world(accuracy=0.7, wrong_classes=1, models=3)
    >>> [round(x, 4) for x in population_sent(world, 3)]  # .027 of .37 wrong where all agree; 1 - .027 / .216
    [0.63, 0.073, 0.875]
    """
    sent = lost = kept = 0.0
    for law, error, top in _ballots(world, list(range(world.shares.shape[1]))):
        below = top < votes
        sent += float(law @ below)
        lost += float(law @ (error * below))
        kept += float(law @ (error * ~below))
    return sent, kept / (1 - sent), lost / (lost + kept)


def population_correlation(world: World) -> float:
    """Mean correlation over questions of the errors of one run each of two different systems.

    Examples
    --------
    >>> from limitset.datasets.planted.panels import clones_world, mixture_world
    >>> round(population_correlation(clones_world(accuracy=0.6)), 4)
    1.0
    >>> round(9 / (1 + 8 * population_correlation(mixture_world(models=9))), 2)  # nine judges are worth
    1.89
    """
    wrong = world.shares[..., 1:].sum(axis=3).mean(axis=2)
    mean = world.weights @ wrong
    both = (wrong * world.weights[:, None]).T @ wrong
    scale = np.sqrt(mean * (1 - mean))
    matrix = (both - np.outer(mean, mean)) / np.outer(scale, scale)
    systems = len(mean)
    return float((matrix.sum() - np.trace(matrix)) / (systems * (systems - 1)))


def _ballots(
    world: World, members: list[int]
) -> list[tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"], np.ndarray]]:
    """Chance, error and votes of the leading answer of every possible set of ballots, by kind of question."""
    classes = world.shares.shape[3]
    cast = np.array(list(product(range(classes + 1), repeat=len(members))))
    counts = (cast[:, :, None] == np.arange(classes)).sum(axis=1)
    top = counts.max(axis=1)
    leads = (counts == top[:, None]) & (counts > 0)
    error = np.where(top > 0, leads[:, 1:].sum(axis=1) / np.maximum(leads.sum(axis=1), 1), 1.0)
    found = []
    for weight, kind in zip(world.weights, world.shares.mean(axis=2), strict=True):
        chances = np.concatenate([kind, 1 - kind.sum(axis=1, keepdims=True)], axis=1)[members]
        law = weight * np.prod(chances[np.arange(len(members)), cast], axis=1)
        found.append((law, error, top))
    return found
