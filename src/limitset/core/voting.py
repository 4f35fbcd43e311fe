"""Which answer do most runs give, and is it wrong?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from limitset.core.plurality import MOST_EXACT, exact_votes
from limitset.core.tallies import Tallies

_CELLS_AT_ONCE: Final = 4_000_000
"""Numbers held at once while votes are drawn: bounds memory to some tens of megabytes."""
_BALLOTS: Final = 200_000_000
"""Runs put in random order in all; with more questions each gets fewer orders."""
_LEAST_DRAWS: Final = 25
"""Orders drawn for each question at least: they add a twenty-fifth of a coin's variance to its share."""
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
        Orders drawn at most. Nothing is drawn for 1 vote, all votes, or questions of twelve runs or fewer:
        all ways to draw them are counted. Ten thousand questions of a thousand runs get 25 orders each.
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
    draws = _affordable(draws, runs)
    for part, slots, bad in _alike(tallies, tallies.counts, runs, draws):
        size, counts = int(runs[part[0]]), slots[:, 0].astype(np.int64)
        counts[:, -1] = size - counts.sum(axis=1)
        silent[:, part] = _silence(counts[:, -1], size, votes)
        if size <= MOST_EXACT:
            wrong[:, part] = exact_votes(counts, bad, votes)
            continue
        for position, n in enumerate(votes):
            if n == 1:
                wrong[position, part] = (counts * bad).sum(axis=1) / size
            elif n == size:
                wrong[position, part] = _plurality(counts[:, None], bad)
        drawn = [position for position, n in enumerate(votes) if 1 < n < size]
        if drawn:
            wanted = [votes[position] for position in drawn]
            orders = _orders(counts, draws, max(wanted), rng)
            wrong[np.ix_(np.array(drawn), part)] = _in_order(orders, bad, wanted)
    return wrong, silent


def _affordable(draws: int, voters: Int[np.ndarray, " q"]) -> int:
    ballots = max(int(voters.sum()), 1)
    return max(min(draws, _BALLOTS // ballots), min(draws, _LEAST_DRAWS))


def _silence(quiet: Int[np.ndarray, " q"], size: int, votes: Sequence[int]) -> Float[np.ndarray, "n q"]:
    """Chance that none of n runs drawn without replacement has an answer."""
    steps = np.arange(max(votes))[:, None]
    each = np.maximum(quiet - steps, 0) / np.maximum(size - steps, 1)
    return np.asarray(np.cumprod(each, axis=0)[[n - 1 for n in votes]])


def _orders(
    counts: Int[np.ndarray, "q c"], draws: int, upto: int, rng: np.random.Generator
) -> Int[np.ndarray, "q d n"]:
    """Return the answers of the first `upto` runs in random orders of all runs."""
    questions, classes = counts.shape
    size = int(counts[0].sum())
    if 2 * upto * classes > size:
        labels = np.repeat(np.tile(np.arange(classes, dtype=np.int16), questions), counts.ravel())
        orders = np.repeat(labels.reshape(questions, 1, size), draws, axis=1)
        return np.asarray(rng.permuted(orders, axis=2, out=orders)[:, :, :upto])
    orders = np.zeros((questions, draws, upto), dtype=np.int16)
    left = np.repeat(counts[:, None].astype(np.int32), draws, axis=1)
    rows, columns = np.ogrid[:questions, :draws]
    for step in range(upto):
        ticket = rng.integers(size - step, size=(questions, draws))
        reached = np.zeros((questions, draws), dtype=np.int32)
        for answer in range(classes - 1):
            reached += left[:, :, answer]
            orders[:, :, step] += ticket >= reached
        left[rows, columns, orders[:, :, step]] -= 1
    return orders


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
        Panels drawn at most, as in `after_votes`; a single voter needs none and is exact.
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
    upto = max(votes)
    draws = _affordable(draws, voters)
    for part, slots, bad in _alike(tallies, shares, voters, draws):
        size = int(voters[part[0]])
        here = np.nonzero(present[:, part].T)[1].reshape(part.size, size)
        own = slots[np.arange(part.size)[:, None], here]
        reached = np.cumsum(own, axis=2)[:, :, :-1]
        # rounding in the sum must not leave a voter silent who always answers
        reached = np.where(reached > 1 - _DUST, 1.0, reached)
        who = np.repeat(np.arange(size, dtype=np.int16)[None], part.size * draws, axis=0)
        for step in range(min(upto, size - 1)):
            # the first places of a random order, one swap each
            other = rng.integers(step, size, size=who.shape[0])
            rows = np.arange(who.shape[0])
            who[rows, other], who[:, step] = who[:, step], who[rows, other]
        panel = who[:, :upto].reshape(part.size, draws, upto)
        chance = rng.random(panel.shape)
        labels = np.zeros(panel.shape, dtype=np.int16)
        for place in range(reached.shape[2]):
            labels += chance >= reached[:, :, place][np.arange(part.size)[:, None, None], panel]
        wrong[:, part] = _in_order(labels, bad, votes)
        silent[:, part] = _all_silent(labels, bad.shape[1] - 1, votes)
        if 1 in votes:
            wrong[votes.index(1), part] = (own * bad[:, None]).sum(axis=2).mean(axis=1)
            silent[votes.index(1), part] = np.maximum(1 - own.sum(axis=2), 0.0).mean(axis=1)
    return wrong, silent


def _alike(
    tallies: Tallies, values: Num[np.ndarray, "v n"], voters: Int[np.ndarray, " q"], draws: int
) -> Iterator[tuple[Int[np.ndarray, " p"], Num[np.ndarray, "p v c"], Bool[np.ndarray, "p c"]]]:
    """Yield questions with equally many voters, in parts that fit in memory.

    With each part come the values by question, row and class, and which classes are wrong; the last class is
    free for silence. Classes that no row gives are left out.
    """
    given = np.flatnonzero((values > 0).any(axis=0))
    owner, bad_class = tallies.class_item[given], ~tallies.right[given]
    many = np.bincount(owner, minlength=tallies.items.size)
    place = np.arange(given.size) - (np.cumsum(many) - many)[owner]
    row = np.full(tallies.items.size, -1)
    for size in np.unique(voters):
        alike = np.flatnonzero(voters == size)
        classes = int(many[alike].max()) + 1
        # exact questions need no orders
        each = max(draws * int(size), len(values) * classes) if size > MOST_EXACT else len(values) * classes
        step = max(1, _CELLS_AT_ONCE // each)
        for part in np.split(alike, range(step, alike.size, step)):
            row[part] = np.arange(part.size)
            mine = np.flatnonzero(row[owner] >= 0)
            at = row[owner[mine]], place[mine]
            slots = np.zeros((part.size, len(values), classes), dtype=values.dtype)
            slots[at[0], :, at[1]] = values[:, given[mine]].T
            bad = np.zeros((part.size, classes), dtype=bool)
            bad[at] = bad_class[mine]
            row[part] = -1
            yield part, slots, bad


def _in_order(
    orders: Int[np.ndarray, "q d s"], bad: Bool[np.ndarray, "q c"], votes: Sequence[int]
) -> Float[np.ndarray, "n q"]:
    """Count votes from one number to the next; the last class is a run without an answer."""
    questions, draws, _ = orders.shape
    classes = bad.shape[1]
    wrong = np.zeros((len(votes), questions))
    tally = np.zeros(questions * draws * classes, dtype=np.int32)
    cell = np.arange(questions * draws).reshape(questions, draws, 1) * classes
    for before, n in pairwise([0, *sorted(set(votes))]):
        tally += np.bincount((cell + orders[:, :, before:n]).ravel(), minlength=tally.size).astype(np.int32)
        wrong[votes.index(n)] = _plurality(tally.reshape(questions, draws, classes), bad)
    return wrong


def _all_silent(orders: Int[np.ndarray, "q d s"], silence: int, votes: Sequence[int]) -> np.ndarray:
    quiet = np.logical_and.accumulate(orders == silence, axis=2)
    return np.stack([quiet[:, :, n - 1].mean(axis=1) for n in votes])


def _plurality(tally: Int[np.ndarray, "q d c"], bad: Bool[np.ndarray, "q c"]) -> Float[np.ndarray, " q"]:
    """Wrong share of the answers that lead, averaged over draws."""
    answers = tally[:, :, :-1]
    top = answers.max(axis=2, initial=0)
    tied = (answers == top[:, :, None]) & (answers > 0)
    share = (tied & bad[:, None, :-1]).sum(axis=2) / np.maximum(tied.sum(axis=2), 1)
    return np.asarray(share.mean(axis=1))
