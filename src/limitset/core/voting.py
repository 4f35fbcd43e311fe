"""Which answer do most runs give, and is it wrong?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from limitset.core.tallies import Tallies

_CELLS_AT_ONCE: Final = 4_000_000
"""Numbers held at once while votes are drawn: bounds memory to some tens of megabytes."""
_DUST: Final = 1e-12
"""Rounding left over from sums of shares."""


def modal(tallies: Tallies) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Return the modal share of each question and the wrong share among the answers that tie for it.

    Parameters
    ----------
    tallies
        One pooled cell.

    Returns
    -------
    share : (q,)
        Runs of the most frequent answer over all runs (abstentions among them), in [0, 1].
    wrong : (q,)
        Wrong answers among those that tie for it over all that tie, in [0, 1]; 0 where nobody answered.

    References
    ----------
    The modal answer and its share: Wang et al. (2023), arXiv:2203.11171, section 2.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system="m", seed=[0, 1, 2], end=["b", "b", None], right=[0, 0, None])
    >>> [found.tolist() for found in modal(tallied(ends))]
    [[0.6666666666666666], [1.0]]
    """
    counts, runs = tallies.counts[0], tallies.runs[0]
    top = np.zeros(runs.size, dtype=np.int64)
    np.maximum.at(top, tallies.class_item, counts)
    tied = (counts == top[tallies.class_item]) & (counts > 0)
    ties = tallies.by_question(tied.astype(float))
    wrong = tallies.by_question((tied & ~tallies.right).astype(float))
    return top / np.maximum(runs, 1), wrong / np.maximum(ties, 1)


def after_votes(
    tallies: Tallies, votes: Sequence[int], *, draws: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n q"], Float[np.ndarray, "n q"]]:
    """Return P(plurality wrong) and P(nobody answers) of each question after each number of votes.

    Parameters
    ----------
    tallies
        One pooled cell; every question has at least ``max(votes)`` runs.
    votes
        Numbers of runs drawn without replacement.
    draws
        Orders drawn; 1 vote and all votes are exact and draw nothing.
    rng
        Source of the orders.

    References
    ----------
    Wang et al. (2023), arXiv:2203.11171, section 2 (plurality of sampled answers).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> ends = Ends.of(item="q", system="m", seed=[0, 1, 2, 3], end=["a", "a", "b", "b"], right=[1, 1, 0, 0])
    >>> from limitset.core.tallies import tallied
    >>> wrong, silent = after_votes(tallied(ends), [1, 4], draws=1, rng=np.random.default_rng(0))
    >>> wrong.ravel().tolist()  # half of the runs; a tie, split evenly
    [0.5, 0.5]
    """
    runs = tallies.runs[0]
    wrong, silent = (np.zeros((len(votes), runs.size)) for _ in range(2))
    for part, slots, bad in _alike(tallies, tallies.counts, runs, draws):
        size, counts = int(runs[part[0]]), slots[:, 0].astype(np.int64)
        counts[:, -1] = size - counts.sum(axis=1)
        for position, n in enumerate(votes):
            if n == 1:
                wrong[position, part] = (counts * bad).sum(axis=1) / size
                silent[position, part] = counts[:, -1] / size
            elif n == size:
                wrong[position, part], silent[position, part] = _plurality(counts[:, None], bad)
        drawn = [position for position, n in enumerate(votes) if 1 < n < size]
        if drawn:
            classes = np.tile(np.arange(counts.shape[1], dtype=np.int32), part.size)
            labels = np.repeat(classes, counts.ravel()).reshape(part.size, 1, size)
            orders = rng.permuted(np.repeat(labels, draws, axis=1), axis=2)
            at = np.ix_(np.array(drawn), part)
            wrong[at], silent[at] = _in_order(orders, bad, [votes[position] for position in drawn])
    return wrong, silent


def after_one_run_each(
    tallies: Tallies,
    shares: Float[np.ndarray, "m k"],
    present: Bool[np.ndarray, "m q"],
    votes: Sequence[int],
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "n q"], Float[np.ndarray, "n q"]]:
    """Return P(plurality wrong) and P(nobody answers) when different voters cast one run each.

    Parameters
    ----------
    tallies
        Questions and their answer classes.
    shares : (m, k)
        Chance of each class for each voter; what is missing to 1 on a question is silence.
    present : (m, q)
        Which voters have runs on the question; at least ``max(votes)`` on each.
    votes
        Numbers of different voters drawn.
    draws
        Panels drawn; a single voter needs none and is exact.
    rng
        Source of the panels and of their votes.

    References
    ----------
    Wang et al. (2023), arXiv:2203.11171, section 2 (plurality of sampled answers).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system=["a", "b", "c"], end=["x", "x", "y"], right=[1, 1, 0])
    >>> shares, present = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.ones((3, 1), dtype=bool)
    >>> rng = np.random.default_rng(0)
    >>> wrong, _ = after_one_run_each(tallied(ends), shares, present, [1, 3], draws=4, rng=rng)
    >>> wrong.ravel().round(3).tolist()
    [0.333, 0.0]
    """
    voters = present.sum(axis=0)
    wrong, silent = (np.zeros((len(votes), voters.size)) for _ in range(2))
    for part, slots, bad in _alike(tallies, shares, voters, draws):
        size = int(voters[part[0]])
        here = np.nonzero(present[:, part].T)[1].reshape(part.size, size)
        own = slots[np.arange(part.size)[:, None], here]
        reached = np.cumsum(own, axis=2)[:, :, :-1]
        # rounding in the sum must not leave a voter silent who always answers
        reached = np.where(reached > 1 - _DUST, 1.0, reached)
        chance = rng.random((part.size, draws, size))
        labels = np.zeros(chance.shape, dtype=np.int32)
        for place in range(reached.shape[2]):
            labels += chance >= reached[:, None, :, place]
        wrong[:, part], silent[:, part] = _in_order(rng.permuted(labels, axis=2), bad, votes)
        if 1 in votes:
            wrong[votes.index(1), part] = (own * bad[:, None]).sum(axis=2).mean(axis=1)
            silent[votes.index(1), part] = np.maximum(1 - own.sum(axis=2), 0.0).mean(axis=1)
    return wrong, silent


def _alike(
    tallies: Tallies, values: Num[np.ndarray, "v n"], voters: Int[np.ndarray, " q"], draws: int
) -> Iterator[tuple[Int[np.ndarray, " p"], Num[np.ndarray, "p v c"], Bool[np.ndarray, "p c"]]]:
    """Yield questions with equally many voters, in parts that fit in memory.

    With each part come the values by question, row and class, and which classes are wrong; the last class is
    free for silence.
    """
    first = np.searchsorted(tallies.class_item, np.arange(tallies.items.size + 1))
    for size in np.unique(voters):
        alike = np.flatnonzero(voters == size)
        classes = int(np.diff(first)[alike].max()) + 1
        step = max(1, _CELLS_AT_ONCE // (max(draws, len(values)) * max(int(size), classes)))
        for part in np.split(alike, range(step, alike.size, step)):
            slots = np.zeros((part.size, len(values), classes), dtype=values.dtype)
            bad = np.zeros((part.size, classes), dtype=bool)
            for row, question in enumerate(part):
                own = slice(first[question], first[question + 1])
                slots[row, :, : own.stop - own.start] = values[:, own]
                bad[row, : own.stop - own.start] = ~tallies.right[own]
            yield part, slots, bad


def _in_order(
    orders: Int[np.ndarray, "q d s"], bad: Bool[np.ndarray, "q c"], votes: Sequence[int]
) -> tuple[Float[np.ndarray, "n q"], Float[np.ndarray, "n q"]]:
    """Count votes one by one; the last class is a run without an answer."""
    questions, draws, _ = orders.shape
    wrong, silent = (np.zeros((len(votes), questions)) for _ in range(2))
    tally = np.zeros((questions, draws, bad.shape[1]), dtype=np.int32)
    rows, columns = np.ogrid[:questions, :draws]
    for n in range(1, max(votes) + 1):
        tally[rows, columns, orders[:, :, n - 1]] += 1
        if n in votes:
            wrong[votes.index(n)], silent[votes.index(n)] = _plurality(tally, bad)
    return wrong, silent


def _plurality(tally: Int[np.ndarray, "q d c"], bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answers = tally[:, :, :-1]
    top = answers.max(axis=2, initial=0)
    tied = (answers == top[:, :, None]) & (answers > 0)
    share = (tied & bad[:, None, :-1]).sum(axis=2) / np.maximum(tied.sum(axis=2), 1)
    return share.mean(axis=1), (top == 0).mean(axis=1)
