"""Which answer do most runs give, and is it wrong?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.tallies import Tallies

_CELLS_AT_ONCE: Final = 4_000_000
"""Numbers held at once while votes are drawn: bounds memory to some tens of megabytes."""


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
    runs, counts = tallies.runs[0], tallies.counts[0]
    first = np.searchsorted(tallies.class_item, np.arange(tallies.items.size + 1))
    wrong, silent = np.zeros((len(votes), runs.size)), np.zeros((len(votes), runs.size))
    for size in np.unique(runs):
        alike = np.flatnonzero(runs == size)
        classes = int(np.diff(first)[alike].max()) + 1
        step = max(1, _CELLS_AT_ONCE // (draws * max(int(size), classes)))
        for part in np.split(alike, range(step, alike.size, step)):
            slots = np.zeros((part.size, classes), dtype=np.int64)
            bad = np.zeros((part.size, classes), dtype=bool)
            for row, question in enumerate(part):
                own = slice(first[question], first[question + 1])
                slots[row, : own.stop - own.start] = counts[own]
                bad[row, : own.stop - own.start] = ~tallies.right[own]
            slots[:, -1] = size - slots.sum(axis=1)
            wrong[:, part], silent[:, part] = _drawn(slots, bad, votes, draws, rng)
    return wrong, silent


def _drawn(
    slots: Int[np.ndarray, "q c"],
    bad: np.ndarray,
    votes: Sequence[int],
    draws: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Vote on questions with equally many runs; the last class holds the runs without an answer."""
    questions, classes = slots.shape
    size = int(slots[0].sum())
    wrong, silent = np.zeros((len(votes), questions)), np.zeros((len(votes), questions))
    labels = np.repeat(np.tile(np.arange(classes, dtype=np.int32), questions), slots.ravel())
    orders = rng.permuted(np.repeat(labels.reshape(questions, 1, size), draws, axis=1), axis=2)
    tally = np.zeros((questions, draws, classes), dtype=np.int32)
    rows, columns = np.ogrid[:questions, :draws]
    for n in range(1, max(votes) + 1):
        tally[rows, columns, orders[:, :, n - 1]] += 1
        if n in votes and 1 < n < size:
            wrong[votes.index(n)], silent[votes.index(n)] = _plurality(tally, bad)
    if 1 in votes:
        wrong[votes.index(1)] = (slots * bad).sum(axis=1) / size
        silent[votes.index(1)] = slots[:, -1] / size
    if size in votes and size > 1:
        wrong[votes.index(size)], silent[votes.index(size)] = _plurality(slots[:, None], bad)
    return wrong, silent


def _plurality(tally: Int[np.ndarray, "q d c"], bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answers = tally[:, :, :-1]
    top = answers.max(axis=2, initial=0)
    tied = (answers == top[:, :, None]) & (answers > 0)
    share = (tied & bad[:, None, :-1]).sum(axis=2) / np.maximum(tied.sum(axis=2), 1)
    return share.mean(axis=1), (top == 0).mean(axis=1)
