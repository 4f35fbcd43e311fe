"""How often are two systems wrong on one question, and wrong alike, for every pair of systems?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.agreements import Source, groups_of, unit_shares
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

AT_ONCE: Final = 4_000_000
"""Numbers held at once by a block of questions: bounds memory to some hundred megabytes."""
DUST: Final = 1e-12
"""Rounding left over from sums of shares."""
NO_OTHERS: Final = "needs two other systems beside the pair"
NONE_WRONG: Final = "no question on which this pair and two other systems are wrong"
PAIR_SUMS: Final = ("same", "both", "same_same", "same_both", "both_both", "null", "null_both")


@dataclass(frozen=True, kw_only=True, eq=False)
class WrongPairs:
    """Sums over questions for every pair of systems, and over pairs for every question.

    Parameters
    ----------
    same, both : (m, m)
        Same-wrong and both-wrong mass.
    same_same, same_both, both_both : (m, m)
        Sums over questions of their squares and products.
    null, null_both : (m, m)
        Both-wrong mass times the chance that two *other* systems that are wrong too agree, and the
        both-wrong mass of the questions where that chance exists.
    same_by_question, both_by_question : (q,)
        Mass of each question, over ordered pairs of different systems.
    """

    same: Float[np.ndarray, "m m"]
    both: Float[np.ndarray, "m m"]
    same_same: Float[np.ndarray, "m m"]
    same_both: Float[np.ndarray, "m m"]
    both_both: Float[np.ndarray, "m m"]
    null: Float[np.ndarray, "m m"]
    null_both: Float[np.ndarray, "m m"]
    same_by_question: Float[np.ndarray, " q"]
    both_by_question: Float[np.ndarray, " q"]

    def of_others(
        self, at: tuple[np.ndarray, np.ndarray]
    ) -> tuple[Float[np.ndarray, " p"], np.ndarray, Float[np.ndarray, " p"]]:
        """Return for pairs how often two *other* systems agree, why it is blank, and the mass behind it."""
        top, bottom = self.null[at], self.null_both[at]
        known = (bottom > DUST) & (self.same.shape[0] >= 4)
        value = np.where(known, np.clip(top / np.where(known, bottom, 1.0), 0.0, 1.0), UNDEFINED)
        lost = NO_OTHERS if self.same.shape[0] < 4 else NONE_WRONG
        return value, np.where(known, "", lost), np.where(known, bottom, 0.0)


def wrong_pairs(tallies: Tallies) -> WrongPairs:
    """Sum for every pair of systems how often one run of each is wrong, and wrong alike.

    Blocks of questions bound the memory. Where every system has one run a question the sums are matrix
    products; otherwise each question has its own matrix.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer right or wrong.

    References
    ----------
    Kim, Garg, Peng and Garg (2025), Correlated errors in large language models, arXiv:2506.07962.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "q"] * 2, system=["a", "a", "b", "b"], end=[*"xyxz"], right=0)
    >>> sums = wrong_pairs(tallied(ends))
    >>> float(sums.same[0, 1]), float(sums.both[0, 1])
    (1.0, 2.0)
    """
    systems = len(dict.fromkeys(tallies.systems))
    totals = np.zeros((7, systems, systems))
    same_by_question, both_by_question = np.zeros((2, tallies.items.size))
    for questions, shares, item in _blocks(tallies):
        wrong = np.stack([np.bincount(item, weights=row, minlength=questions.size) for row in shares]) * 1.0
        everyone = shares.sum(axis=0)
        own = np.bincount(item, weights=np.square(shares).sum(axis=0), minlength=questions.size)
        same = np.bincount(item, weights=np.square(everyone), minlength=questions.size) * 1.0 - own
        both = np.square(wrong.sum(axis=0)) - np.square(wrong).sum(axis=0)
        same_by_question[questions], both_by_question[questions] = np.maximum(same, 0), np.maximum(both, 0)
        single = bool(((shares == 0) | (shares == 1)).all())
        if single:
            totals += _one_hot(shares, item, wrong, same)
        else:
            totals += _by_question(shares, item, wrong, same, both)
    return WrongPairs(
        **dict(zip(PAIR_SUMS, totals, strict=True)),
        same_by_question=same_by_question,
        both_by_question=both_by_question,
    )


def _blocks(tallies: Tallies) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "m k"], Int[np.ndarray, " k"]]]:
    """Yield questions, the share of each system in their wrong classes, and the question of each class."""
    wrong = np.flatnonzero(~tallies.right)
    wrong = wrong[np.argsort(tallies.class_item[wrong], kind="stable")]
    units = groups_of(tallies, Source.MODEL)[0]
    questions = np.arange(tallies.items.size)
    edges = np.searchsorted(tallies.class_item[wrong], np.arange(questions.size + 1))
    start = 0
    while start < questions.size:
        room = edges[start] + max(1, AT_ONCE // len(units))
        stop = max(start + 1, int(np.searchsorted(edges, room, side="right")) - 1)
        classes = wrong[edges[start] : edges[stop]]
        shares, _ = unit_shares(tallies, tallies.counts[:, classes], tallies.class_item[classes], units)
        yield questions[start:stop], shares, tallies.class_item[classes] - start
        start = stop


def _one_hot(
    shares: Float[np.ndarray, "m k"],
    item: Int[np.ndarray, " k"],
    wrong: Float[np.ndarray, "m q"],
    same: Float[np.ndarray, " q"],
) -> Float[np.ndarray, "7 m m"]:
    """Sum over questions where each system has one run: everything is a matrix product."""
    agree, err = shares @ shares.T, wrong @ wrong.T
    count = wrong.sum(axis=0)
    ways = (count - 2) * (count - 3)  # ordered pairs of the other systems that are wrong
    inverse = np.where(count >= 4, 1.0 / np.where(count >= 4, ways, 1.0), 0.0)
    others = shares * (shares.sum(axis=0) - 1.0)  # systems that share the wrong answer of this one
    companions = np.stack([np.bincount(item, weights=row, minlength=count.size) for row in others])
    lost = (wrong * inverse * 2 * companions) @ wrong.T
    null = (wrong * inverse * same) @ wrong.T - lost - lost.T + 2 * (shares * inverse[item]) @ shares.T
    return np.stack([agree, err, agree, agree, err, null, (wrong * (count >= 4)) @ wrong.T])


def _by_question(
    shares: Float[np.ndarray, "m k"],
    item: Int[np.ndarray, " k"],
    wrong: Float[np.ndarray, "m q"],
    same: Float[np.ndarray, " q"],
    both: Float[np.ndarray, " q"],
) -> Float[np.ndarray, "7 m m"]:
    """Sum over questions where systems have several runs: products of shares do not square to themselves."""
    systems = shares.shape[0]
    totals = np.zeros((7, systems, systems))
    edges = np.searchsorted(item, np.arange(wrong.shape[1] + 1))
    widest = max(1, int(np.diff(edges).max(initial=0)))
    step = max(1, AT_ONCE // (systems * max(systems, widest)))
    for start in range(0, wrong.shape[1], step):
        stop = min(start + step, wrong.shape[1])
        own = slice(edges[start], edges[stop])
        padded = np.zeros((stop - start, systems, widest))
        padded[item[own] - start, :, np.arange(own.start, own.stop) - edges[item[own]]] = shares[:, own].T
        err, w = wrong[:, start:stop].T[:, :, None], wrong[:, start:stop].T
        agree, err = padded @ padded.transpose(0, 2, 1), err * w[:, None, :]
        # pairs of the other systems: all pairs less those with the first or the second of this pair
        one, total = np.einsum("qmm->qm", agree), padded.sum(axis=1, keepdims=True)
        lost = 2 * ((padded * total).sum(axis=2) - one)
        lost_ways = 2 * w * (w.sum(axis=1, keepdims=True) - w)
        top = same[start:stop, None, None] - lost[:, :, None] - lost[:, None, :] + 2 * agree
        ways = both[start:stop, None, None] - lost_ways[:, :, None] - lost_ways[:, None, :] + 2 * err
        known = ways > DUST
        null = err * top / np.where(known, ways, 1.0)
        parts = (agree, err, agree**2, agree * err, err**2, null * known, err * known)
        totals += np.stack([part.sum(axis=0) for part in parts])
    return totals
