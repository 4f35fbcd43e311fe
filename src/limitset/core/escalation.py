"""What share of the vote's error sits where few agree, and what stays where agreement is large?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.tallies import Tallies

MOST_LEVELS: Final = 16
"""Levels of agreement that are looked at."""
_DUST: Final = 1e-9
"""Rounding of a share of votes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """How many agree on each question, and whether they are wrong.

    Parameters
    ----------
    votes : (q,)
        Votes cast for the answer that leads.
    runs : (q,)
        Votes that could have been cast.
    error : (q,)
        Share of wrong answers among those that lead; 1 where nobody answers.
    levels : (t,)
        Shares of the votes that may be asked for, from the least that tells questions apart to all.
    """

    votes: Int[np.ndarray, " q"]
    runs: Int[np.ndarray, " q"]
    error: Float[np.ndarray, " q"]
    levels: Float[np.ndarray, " t"]

    def below(self, level: float) -> Bool[np.ndarray, " q"]:
        """Say on which questions fewer than this share of the votes agree."""
        return np.asarray(self.votes < level * self.runs - _DUST)


def agreement_of(tallies: Tallies) -> Agreement:
    """Count how many votes the leading answer of each question has.

    Parameters
    ----------
    tallies
        Runs by cell and answer class; all runs vote. Questions without any run have none.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pppqqq"], system=[*"abc"] * 2, end=[*"xxyzzz"], right=[1, 1, 0, 0, 0, 0])
    >>> got = agreement_of(tallied(ends))
    >>> got.votes.tolist(), got.error.tolist(), got.levels.round(3).tolist()
    ([2, 3], [0.0, 1.0], [1.0])
    """
    counts, runs = tallies.counts.sum(axis=0), tallies.runs.sum(axis=0)
    top = np.zeros(runs.size, dtype=np.int64)
    np.maximum.at(top, tallies.class_item, counts)
    leads = (counts == top[tallies.class_item]) & (counts > 0)
    leaders = tallies.by_question(leads.astype(np.float64))
    lost = tallies.by_question((leads & ~tallies.right).astype(np.float64))
    error = np.where(top > 0, lost / np.maximum(leaders, 1), 1.0)
    return Agreement(votes=top, runs=runs, error=error, levels=_levels(top, runs))


def _levels(top: Int[np.ndarray, " q"], runs: Int[np.ndarray, " q"]) -> Float[np.ndarray, " t"]:
    """Every share that occurs but the least, which sends nothing; of many, sixteen that cut them evenly."""
    if not runs.size:
        return np.zeros(0)
    shares = np.unique(np.round(np.append(top / np.maximum(runs, 1), 1.0), 9))[1:]
    if shares.size > MOST_LEVELS:
        even = np.quantile(
            top / np.maximum(runs, 1), np.linspace(0, 1, MOST_LEVELS + 1)[1:], method="inverted_cdf"
        )
        places = np.minimum(np.searchsorted(shares, even - _DUST), shares.size - 1)
        shares = shares[np.unique(np.append(places[:-1], shares.size - 1))]
    # with one vote a question there is nothing to agree on
    return np.asarray(shares if runs.max() > 1 else shares[:0])
