"""How often is the vote of a random set of voters wrong, for every size of the set?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.subset_votes import Ballots
from limitset.core.vote_patterns import patterns_of

LARGEST_EXACT: Final = 16
"""Voters of whom all subsets may be taken."""
_EXACT: Final = 100_000_000
"""Numbers that all subsets of a panel may take; beyond, random orders of the voters stand for them."""
_MOST_VOTES: Final = 20_000_000
"""Votes that random orders may count."""


def errors_by_size(
    ballots: Ballots, sizes: Sequence[int], *, draws: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n q"], int]:
    """Return the error of the vote of a random set of each size on each question.

    Parameters
    ----------
    ballots
        The votes.
    sizes
        From 1 to the number of voters.
    draws
        Random orders of the voters for each question, where the panel is too large to take all subsets.
    rng
        Source of the orders.

    Returns
    -------
    (n, q) chance of a wrong vote; number of orders drawn, 0 where all subsets were taken.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.subset_votes import ballots_of_systems
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system=[*"abc"], end=[*"xxy"], right=[1, 1, 0])
    >>> rng = np.random.default_rng(0)
    >>> ballots = ballots_of_systems(tallied(ends), rounds=1, rng=rng)
    >>> errors_by_size(ballots, [1, 2, 3], draws=1, rng=rng)[0].ravel().round(4).tolist()  # (0 + .5 + .5) / 3
    [0.3333, 0.3333, 0.0]
    """
    voters = len(ballots.voters)
    if voters <= LARGEST_EXACT:
        patterns = patterns_of(ballots)
        if patterns.wrong.size << voters <= _EXACT:
            return patterns.by_size(sizes), 0
    draws = max(1, min(draws, _MOST_VOTES // max(ballots.slot.size, 1)))
    errors = _in_random_order(ballots, sizes, draws, rng)
    if 1 in sizes:
        errors[sizes.index(1)] = ballots.by_question(ballots.wrong[ballots.slot].mean(axis=0))
    return errors, draws


def _in_random_order(
    ballots: Ballots, sizes: Sequence[int], draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "n q"]:
    """Let the voters vote one by one: votes only grow, so the leaders are known without counting again."""
    voters, rows = ballots.slot.shape
    out = np.zeros((len(sizes), ballots.items.size))
    places = np.arange(rows)
    for _ in range(draws):
        order = rng.permuted(np.tile(np.arange(voters, dtype=np.int32)[:, None], (1, rows)), axis=0)
        votes = np.zeros(ballots.wrong.size, dtype=np.int32)
        top, leaders, lost = (np.zeros(rows) for _ in range(3))
        for step in range(max(sizes)):
            slot = ballots.slot[order[step], places]
            votes[slot] += 1
            here, bad = np.where(ballots.silent[slot], -1, votes[slot]), ballots.wrong[slot]
            ahead, level = here > top, here == top
            top = np.where(ahead, here, top)
            leaders = np.where(ahead, 1, leaders + level)
            lost = np.where(ahead, bad, lost + (level & bad))
            if step + 1 in sizes:
                error = np.where(top > 0, lost / np.maximum(leaders, 1), 1.0)
                out[sizes.index(step + 1)] += ballots.by_question(error) / draws
    return out
