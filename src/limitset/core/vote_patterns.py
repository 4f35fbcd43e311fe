"""How does every subset of a small panel vote, on every way in which its voters can agree and differ?

Questions on which the same voters agree and the same are wrong vote alike: each such pattern is counted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.subset_votes import Ballots

_AT_ONCE: Final = 4_000_000
"""Numbers held at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Patterns:
    """Patterns of votes and where they stand.

    Parameters
    ----------
    same : (p, m, m)
        Whether two voters give the same answer; all False for a voter without one.
    wrong : (p, m)
        Whether the answer of a voter is wrong.
    where : (r, q)
        Pattern of each round of each question.
    """

    same: Bool[np.ndarray, "p m m"]
    wrong: Bool[np.ndarray, "p m"]
    where: Int[np.ndarray, "r q"]

    def errors(self, members: Bool[np.ndarray, "s m"]) -> Float[np.ndarray, "s p"]:
        """Return the error of the vote of each subset on each pattern."""
        patterns, voters = self.wrong.shape
        out = np.empty((len(members), patterns))
        step = max(1, _AT_ONCE // max(1, len(members) * voters))
        for start in range(0, patterns, step):
            part = slice(start, start + step)
            same = self.same[part].astype(np.float32)
            # votes for the answer of each voter, 0 where the voter is not of the subset
            votes = np.tensordot(members.astype(np.float32), same, axes=(1, 1)) * members[:, None, :]
            leads = (votes == votes.max(axis=2, keepdims=True)) & (votes > 0)
            # leading answers have equally many voters, so voters stand for answers
            total = leads.sum(axis=2)
            lost = (leads & self.wrong[part]).sum(axis=2)
            out[:, part] = np.where(total > 0, lost / np.maximum(total, 1), 1.0)
        return out

    def subsets(self) -> Iterator[tuple[Bool[np.ndarray, "s m"], Float[np.ndarray, "s p"]]]:
        """Yield all subsets but the empty one, in parts, with their errors on each pattern."""
        patterns, voters = self.wrong.shape
        step = max(1, _AT_ONCE // max(1, patterns * voters))
        for start in range(1, 1 << voters, step):
            numbers = np.arange(start, min(start + step, 1 << voters))
            members = (numbers[:, None] >> np.arange(voters)) & 1 == 1
            yield members, self.errors(members)

    def by_size(self, sizes: Sequence[int]) -> Float[np.ndarray, "n q"]:
        """Return the mean error of all subsets of each size on each question."""
        voters = self.wrong.shape[1]
        sums, ways = np.zeros((voters + 1, len(self.wrong))), np.zeros(voters + 1)
        for members, errors in self.subsets():
            size = members.sum(axis=1)
            np.add.at(sums, size, errors)
            np.add.at(ways, size, 1)
        wanted = np.asarray(sizes)
        return self.by_question(sums[wanted] / ways[wanted][:, None])

    def by_question(self, per_pattern: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n q"]:
        """Average over the rounds of each question."""
        total = np.zeros((len(per_pattern), self.where.shape[1]))
        for patterns in self.where:
            total += per_pattern[:, patterns]
        return total / len(self.where)


def patterns_of(ballots: Ballots) -> Patterns:
    """Find the patterns in which the voters of a small panel agree and are wrong.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.subset_votes import ballots_of_systems
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pq"] * 2, system=[*"aabb"], end=[*"xyxy"], right=[0] * 4)
    >>> ballots = ballots_of_systems(tallied(ends), rounds=1, rng=np.random.default_rng(0))
    >>> patterns_of(ballots).where.tolist()  # both agree on a wrong answer, twice
    [[0, 0]]
    """
    slots = ballots.slot.T
    voters = slots.shape[1]
    silent = ballots.silent[slots]
    leader = np.zeros(slots.shape, dtype=np.int8)
    for voter in range(voters):
        leader[:, voter] = (slots[:, : voter + 1] == slots[:, [voter]]).argmax(axis=1)
    leader[silent] = voters
    told = np.concatenate([leader, ballots.wrong[slots].astype(np.int8)], axis=1)
    seen, where = np.unique(told, axis=0, return_inverse=True)
    first = seen[:, :voters]
    same = (first[:, :, None] == first[:, None, :]) & (first < voters)[:, :, None]
    return Patterns(
        same=same,
        wrong=seen[:, voters:].astype(bool),
        where=where.reshape(ballots.rounds, ballots.items.size),
    )
