"""What would a vote of a few of these runs say, over all ways to draw them?

Few runs are counted exactly: the ways to draw them are a product of binomials, one for each answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import binom

MOST_EXACT: Final = 12
"""Runs of a question up to which every way to draw them is counted."""


def exact_votes(
    counts: Int[np.ndarray, "q c"], bad: Bool[np.ndarray, "q c"], votes: Sequence[int]
) -> Float[np.ndarray, "n q"]:
    """Return P(plurality wrong) of n runs drawn without replacement; ties are split evenly.

    With m the votes of the leading answers, each answer has fewer than m votes or ties with m; the ways to
    draw n runs are the coefficient of ``z^n`` in the product of ``sum_x C(c_i, x) z^x`` over answers i.

    Parameters
    ----------
    counts
        Runs of each answer; the last column counts the runs without an answer. All questions have equally
        many runs, `MOST_EXACT` at most.
    bad
        Which answers are wrong; the last column is ignored.
    votes
        Numbers of runs drawn, from 1 to the number of runs.

    References
    ----------
    Macdonald (1995), Symmetric Functions and Hall Polynomials, section I.2 (generating functions).

    Examples
    --------
    >>> counts, bad = np.array([[2, 1, 0]]), np.array([[False, True, False]])
    >>> exact_votes(counts, bad, [1, 2, 3]).ravel().round(4).tolist()  # 1/3; a tie in 2 of 3 draws; never
    [0.3333, 0.3333, 0.0]
    """
    runs = int(counts[0].sum()) if len(counts) else 0
    right, wrong = (_sorted(np.where(side, counts[:, :-1], 0)) for side in (~bad[:, :-1], bad[:, :-1]))
    rows = np.concatenate([counts[:, -1:], right, wrong], axis=1)
    kinds, kind = _distinct(rows, runs + 1)
    split = 1 + right.shape[1]
    chance = _wrong_ways(kinds[:, 0], kinds[:, 1:split], kinds[:, split:], runs)
    return np.asarray((chance / binom(runs, np.arange(runs + 1)))[kind][:, list(votes)].T)


def _distinct(
    rows: Int[np.ndarray, "q c"], base: int
) -> tuple[Int[np.ndarray, "k c"], Int[np.ndarray, " q"]]:
    """Return the distinct rows of numbers below `base`, and which of them each row is."""
    if base ** rows.shape[1] >= 1 << 62:
        kinds, kind = np.unique(rows, axis=0, return_inverse=True)
        return kinds, kind.reshape(-1)
    key = rows @ base ** np.arange(rows.shape[1])
    _, first, kind = np.unique(key, return_index=True, return_inverse=True)
    return rows[first], kind.reshape(-1)


def _sorted(counts: Int[np.ndarray, "q c"]) -> Int[np.ndarray, "q some"]:
    """Return counts in falling order without the columns that no question fills."""
    ordered = -np.sort(-counts, axis=1)
    return np.asarray(ordered[:, : int((ordered > 0).sum(axis=1).max(initial=0))])


def _wrong_ways(
    silent: Int[np.ndarray, " q"], right: Int[np.ndarray, "q r"], wrong: Int[np.ndarray, "q w"], runs: int
) -> Float[np.ndarray, "q n"]:
    """Weigh the ways to draw n runs, for every n, by the wrong share of the answers that lead."""
    powers = np.arange(runs + 1)
    out = np.zeros((silent.size, runs + 1))
    for most in range(1, runs + 1):
        ties = runs // most
        # axes: question, runs drawn, right answers that tie, wrong answers that tie
        shape = (silent.size, runs + 1, min(right.shape[1], ties) + 1, min(wrong.shape[1], ties) + 1)
        ways = np.zeros(shape)
        ways[:, :, 0, 0] = binom(silent[:, None], powers)
        for column in right.T:
            ways = _with_answer(ways, column, most, axis=2)
        for column in wrong.T:
            ways = _with_answer(ways, column, most, axis=3)
        tied = np.arange(shape[2])[:, None] + np.arange(shape[3])
        share = np.arange(shape[3]) / np.maximum(tied, 1)
        out += (ways * share).sum(axis=(2, 3))
    return out


def _with_answer(
    ways: Float[np.ndarray, "q n r w"], runs: Int[np.ndarray, " q"], most: int, *, axis: int
) -> Float[np.ndarray, "q n r w"]:
    """Add an answer that gets fewer than `most` of the votes, or ties with them."""
    out = np.zeros_like(ways)
    last = ways.shape[1]
    for votes in range(min(most, int(runs.max(initial=0)) + 1)):
        out[:, votes:] += ways[:, : last - votes] * binom(runs, votes)[:, None, None, None]
    tying = ways[:, : last - most] * binom(runs, most)[:, None, None, None]
    if axis == 2:
        out[:, most:, 1:] += tying[:, :, :-1]
    else:
        out[:, most:, :, 1:] += tying[:, :, :, :-1]
    return out
