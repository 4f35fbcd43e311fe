"""How often is each system right on each question?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED


@dataclass(frozen=True, kw_only=True, eq=False)
class SystemShares:
    """Shares of the runs of each system on each question; NaN where it has no run.

    Parameters
    ----------
    systems : (m,)
        Names, in order of first appearance.
    right, abstained, unparsed : (m, q)
        Shares in [0, 1]; all cells (paraphrases, temperatures) of a system are pooled.
    runs : (m, q)
        How many runs stand behind them.
    """

    systems: np.ndarray
    right: Float[np.ndarray, "m q"]
    abstained: Float[np.ndarray, "m q"]
    unparsed: Float[np.ndarray, "m q"]
    runs: Int[np.ndarray, "m q"]


def system_shares(tallies: Tallies) -> SystemShares:
    """Return the share of runs that are right, abstained and unparsed, by system and question.

    Every run stays in the denominator. A run that gave no answer and did not abstain is unparsed.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer right or wrong.

    Raises
    ------
    InputError
        When an answer has no anchor.

    References
    ----------
    Miller (2024), Adding error bars to evals, arXiv:2411.00640 (runs are averaged by question).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "p", "q"], system="m", end=["x", None, "y"], right=[1, None, 0],
    ...     seed=[0, 1, 0])
    >>> got = system_shares(tallied(ends))
    >>> got.right.tolist(), got.abstained.tolist()
    ([[0.5, 0.0]], [[0.5, 0.0]])
    """
    tallies.require_anchor()
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    place = {name: row for row, name in enumerate(names)}
    of_cell = np.array([place[str(name)] for name in tallies.systems], dtype=np.int64)
    right = np.flatnonzero(tallies.right)
    runs, abstained = (_by_system(table, of_cell, len(names)) for table in (tallies.runs, tallies.abstained))
    hits = _by_system(_by_question(tallies, right), of_cell, len(names))
    answered = _by_system(_by_question(tallies, None), of_cell, len(names))
    base = np.where(runs > 0, runs, 1)
    shares = [
        np.where(runs > 0, part / base, UNDEFINED)
        for part in (hits, abstained, np.maximum(runs - answered - abstained, 0))
    ]
    return SystemShares(
        systems=np.array(names, dtype=object),
        right=shares[0],
        abstained=shares[1],
        unparsed=shares[2],
        runs=runs,
    )


def _by_question(tallies: Tallies, classes: np.ndarray | None) -> Int[np.ndarray, "c q"]:
    """Sum the runs of some classes (all for None) over the classes of each question."""
    item = tallies.class_item if classes is None else tallies.class_item[classes]
    counts = tallies.counts if classes is None else tallies.counts[:, classes]
    out = np.zeros((counts.shape[0], tallies.items.size), dtype=np.int64)
    if item.size == 0:
        return out
    if (np.diff(item) < 0).any():
        order = np.argsort(item, kind="stable")
        item, counts = item[order], counts[:, order]
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    out[:, item[starts]] = np.add.reduceat(counts, starts, axis=1)
    return out


def _by_system(table: np.ndarray, of_cell: np.ndarray, systems: int) -> Int[np.ndarray, "m q"]:
    if of_cell.size == systems:  # one cell a system, in order of first appearance
        return np.asarray(table, dtype=np.int64)
    out = np.zeros((systems, table.shape[1]), dtype=np.int64)
    np.add.at(out, of_cell, table)
    return out
