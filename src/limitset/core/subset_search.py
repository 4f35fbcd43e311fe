"""Which voters of a panel vote best together, judged by some of the questions?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.random_panels import LARGEST_EXACT
from limitset.core.subset_votes import Ballots, after_adding, counted
from limitset.core.vote_patterns import Patterns, patterns_of

_EXACT: Final = 100_000_000
"""Numbers that all subsets of a panel may take; beyond, voters are added one by one and exchanged."""
_AT_ONCE: Final = 4_000_000
"""Numbers held at once."""
POOL: Final = 48
"""Voters that may replace one that was chosen: those that would have helped most when the last one came."""
_GAIN: Final = 1e-9
"""Rounding is no reason to exchange a voter."""

Chosen = dict[int, tuple[int, ...]]
"""Size of the subset to the voters in it."""


def best_subsets(
    ballots: Ballots,
    sizes: Sequence[int],
    weights: Float[np.ndarray, "t q"],
    *,
    present: Sequence[int] = (),
) -> tuple[list[Chosen], bool]:
    """Find for every weighing of the questions the subset of each size whose vote is wrong least often.

    Parameters
    ----------
    ballots
        The votes.
    sizes
        More than there are in `present`, at most the number of voters.
    weights : (t, q)
        Weight of each question in each search, 0 for those that must not be looked at.
    present
        Voters that belong to every subset.

    Returns
    -------
    The subsets of each search, and whether all subsets were tried. Otherwise the voter that helps most is
    added one at a time; at each wanted size every chosen one is exchanged where another does better.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.subset_votes import ballots_of_systems
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pq"] * 3, system=[*"aabbcc"], end=[*"xyxzwz"], right=[0, 0, 0, 1, 1, 1])
    >>> ballots = ballots_of_systems(tallied(ends), rounds=1, rng=np.random.default_rng(0))
    >>> best_subsets(ballots, [1], np.array([[1.0, 1.0], [0.0, 1.0]]))
    ([{1: (2,)}, {1: (1,)}], True)
    """
    voters = len(ballots.voters)
    if voters <= LARGEST_EXACT:
        patterns = patterns_of(ballots)
        if patterns.wrong.size << voters <= _EXACT:
            return _all_tried(patterns, sizes, weights, present), True
    return [_one_by_one(ballots, sizes, own, present) for own in weights], False


def _all_tried(
    patterns: Patterns, sizes: Sequence[int], weights: np.ndarray, present: Sequence[int]
) -> list[Chosen]:
    mass = np.zeros((len(weights), len(patterns.wrong)))
    for where in patterns.where:
        for row, own in enumerate(weights):
            mass[row] += np.bincount(where, weights=own, minlength=mass.shape[1])
    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {
        (row, size): (np.inf, ()) for row in range(len(weights)) for size in sizes
    }
    for members, errors in patterns.subsets():
        totals = errors @ mass.T
        allowed = members[:, list(present)].all(axis=1)
        for size in sizes:
            rows = np.flatnonzero((members.sum(axis=1) == size) & allowed)
            if not rows.size:
                continue
            least = rows[totals[rows].argmin(axis=0)]
            for row, at in enumerate(least.tolist()):
                if totals[at, row] < best[row, size][0] - _GAIN:
                    best[row, size] = float(totals[at, row]), tuple(np.flatnonzero(members[at]).tolist())
    return [{size: best[row, size][1] for size in sizes} for row in range(len(weights))]


def _one_by_one(
    ballots: Ballots, sizes: Sequence[int], weights: np.ndarray, present: Sequence[int]
) -> Chosen:
    per_round = np.tile(weights, ballots.rounds)
    looked_at = np.flatnonzero(per_round)
    chosen, found = list(present), {}
    votes = ballots.cast(chosen)
    everyone = np.arange(len(ballots.voters))
    while len(chosen) < max(sizes):
        totals = _totals(ballots, votes, everyone, looked_at, per_round)
        totals[chosen] = np.inf
        added = int(totals.argmin())
        chosen.append(added)
        votes[ballots.slot[added]] += 1
        if len(chosen) in sizes:
            pool = np.argsort(totals, kind="stable")[:POOL]
            _exchange(ballots, votes, chosen, pool, looked_at, weights=per_round, fixed=len(present))
            found[len(chosen)] = tuple(sorted(chosen))
    return found


def _exchange(
    ballots: Ballots,
    votes: np.ndarray,
    chosen: list[int],
    pool: np.ndarray,
    looked_at: np.ndarray,
    *,
    weights: np.ndarray,
    fixed: int,
) -> None:
    """Take each chosen voter out in turn and put in whoever does best in its place; in place."""
    for place in range(fixed, len(chosen)):
        old = chosen[place]
        votes[ballots.slot[old]] -= 1
        others = np.setdiff1d(pool, [one for one in chosen if one != old])
        candidates = np.append(others, old)
        totals = _totals(ballots, votes, candidates, looked_at, weights)
        best = int(totals.argmin())
        new = int(candidates[best]) if totals[best] < totals[-1] - _GAIN else old
        chosen[place] = new
        votes[ballots.slot[new]] += 1


def _totals(
    ballots: Ballots, votes: np.ndarray, candidates: np.ndarray, looked_at: np.ndarray, weights: np.ndarray
) -> Float[np.ndarray, " v"]:
    """Weighted error of the vote with each candidate added."""
    per_slot = after_adding(ballots, counted(ballots, votes))
    step = max(1, _AT_ONCE // max(looked_at.size, 1))
    own = weights[looked_at]
    return np.concatenate(
        [
            per_slot[ballots.slot[candidates[at : at + step, None], looked_at[None]]] @ own
            for at in range(0, candidates.size, step)
        ]
    )
