"""How likely do k runs all give the same answer, by what the runs have in common?

Agreement has a source: runs that differ in their seed alone, in the paraphrase, or in the model. The three
are estimated differently, because runs are exchangeable within a cell only.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from limitset.core.tallies import Tallies


class Source(StrEnum):
    """What the agreeing runs differ in."""

    SEED = "seed"
    """Same system and paraphrase."""
    PARAPHRASE = "paraphrase"
    """Same system, different paraphrases."""
    MODEL = "model"
    """Different systems."""


Units = list[np.ndarray]
"""Cells (indices) of each unit of one group; runs agree across units, or within the one unit of a cell."""


def falling_shares(
    counts: Int[np.ndarray, ...], runs: Int[np.ndarray, ...], k_max: int
) -> Float[np.ndarray, "k ..."]:
    """Unbiased chance that 1, 2, ... `k_max` runs of one cell all end in a class.

    ``(n_y)_k / (n)_k`` with falling factorials; 0 where the cell has fewer than k runs.

    Parameters
    ----------
    counts
        Runs that ended in the class.
    runs
        Runs of the cell, broadcast against `counts`.
    k_max
        Largest k, at least 1.

    References
    ----------
    Kendall and Stuart (1977), The Advanced Theory of Statistics, volume 1, chapter 3 (factorial moments).

    Examples
    --------
    >>> falling_shares(np.array([3, 1]), np.array([4, 4]), 2).tolist()  # 3/4, 1/4; 3*2/(4*3), 0
    [[0.75, 0.25], [0.5, 0.0]]
    """
    out = np.zeros((k_max, *np.broadcast(counts, runs).shape))
    current = np.ones(out.shape[1:])
    for k in range(k_max):
        current *= np.maximum(counts - k, 0) / np.where(runs > k, runs - k, np.inf)
        out[k] = current
    return out


def distinct_shares(
    shares: Float[np.ndarray, "u n"], present: Bool[np.ndarray, "u n"], k_max: int
) -> Float[np.ndarray, "k n"]:
    """Chance that one run each of 1, 2, ... `k_max` different units all end in a class.

    The elementary symmetric polynomial of the units' shares over the number of ways to choose k units.

    Parameters
    ----------
    shares : (u, n)
        Share of each unit's runs in each class.
    present : (u, n)
        Whether the unit has runs on the question of that class; absent units are not chosen.
    k_max
        Largest k; 0 where fewer than k units are present.

    References
    ----------
    Macdonald (1995), Symmetric Functions and Hall Polynomials, section I.2 (elementary symmetric functions).

    Examples
    --------
    >>> got = distinct_shares(np.array([[0.5], [0.4], [0.2]]), np.ones((3, 1), dtype=bool), 2)
    >>> got.round(6).tolist()  # mean, then (.2 + .1 + .08) / 3
    [[0.366667], [0.126667]]
    """
    out = np.zeros((k_max, shares.shape[1]))
    everywhere = bool(present.all())
    # a block of columns stays in the cache while all units pass over it
    for start in range(0, shares.shape[1], _COLUMNS_AT_ONCE):
        block = slice(start, start + _COLUMNS_AT_ONCE)
        sums = _symmetric(shares[:, block] * present[:, block], k_max)
        ways = _symmetric(present[:, : min(1, shares.shape[1])] if everywhere else present[:, block], k_max)
        out[:, block] = sums[1:] / np.where(ways[1:] > 0, ways[1:], np.inf)
    return out


_COLUMNS_AT_ONCE = 512


def _symmetric(values: Num[np.ndarray, "u n"] | Bool[np.ndarray, "u n"], k_max: int) -> np.ndarray:
    """Return the elementary symmetric polynomials of degree 0 to `k_max` of each column."""
    sums = np.zeros((k_max + 1, values.shape[1]))
    sums[0] = 1.0
    for row, value in enumerate(values):
        last = min(row + 1, k_max)
        sums[1 : last + 1] += sums[:last] * value
    return sums


def groups_of(tallies: Tallies, source: Source) -> list[Units]:
    """Return the groups within which runs agree by this source, each with its units."""
    cells = np.arange(tallies.systems.size)
    if source is Source.SEED:
        return [[cells[[cell]]] for cell in cells]
    by_system = [np.flatnonzero(tallies.systems == name) for name in dict.fromkeys(tallies.systems)]
    if source is Source.MODEL:
        return [by_system]
    return [_split(own, tallies.paraphrases[own]) for own in by_system]


def unit_shares(
    tallies: Tallies, counts: Int[np.ndarray, "c n"], column_item: Int[np.ndarray, " n"], units: Units
) -> tuple[Float[np.ndarray, "u n"], Bool[np.ndarray, "u q"]]:
    """Return the mean share of each unit's cells in each column, and where the unit has runs."""
    shares = np.zeros((len(units), counts.shape[1]))
    present = np.zeros((len(units), tallies.items.size), dtype=bool)
    for row, cells in enumerate(units):
        runs = tallies.runs[cells]
        cells_here = (runs > 0).sum(axis=0)
        each = counts[cells] / np.maximum(runs, 1)[:, column_item]
        shares[row] = each.sum(axis=0) / np.maximum(cells_here, 1)[column_item]
        present[row] = cells_here > 0
    return shares, present


def unanimous(
    tallies: Tallies,
    counts: Int[np.ndarray, "c n"],
    column_item: Int[np.ndarray, " n"],
    *,
    units: Units,
    source: Source,
    k_max: int,
) -> tuple[Float[np.ndarray, "k n"], Bool[np.ndarray, "k q"]]:
    """Return the chance that k runs of a group all end in a column, and on which questions it is known."""
    steps = np.arange(1, k_max + 1)[:, None]
    if source is Source.SEED:
        runs = tallies.runs[units[0][0]]
        return falling_shares(counts[units[0][0]], runs[column_item], k_max), runs >= steps
    shares, present = unit_shares(tallies, counts, column_item, units)
    return distinct_shares(shares, present[:, column_item], k_max), present.sum(axis=0) >= steps


def kept(
    tallies: Tallies, counts: Int[np.ndarray, "c q"], *, units: Units, source: Source, k_max: int
) -> Float[np.ndarray, " k"]:
    """Return the mean over questions of the chance that k runs fall in a mass that each question keeps."""
    questions = np.arange(tallies.items.size)
    chance, _ = unanimous(tallies, counts, questions, units=units, source=source, k_max=k_max)
    return np.asarray(chance.mean(axis=1))


def forgotten(
    tallies: Tallies, counts: Int[np.ndarray, "c q"], *, units: Units, source: Source, k_max: int
) -> Float[np.ndarray, " k"]:
    """Return the chance that k runs fall in a mass when every question has the mean mass of all."""
    questions = np.arange(tallies.items.size)
    shares, present = unit_shares(tallies, counts, questions, units)
    means = (shares * present).sum(axis=1, keepdims=True) / np.maximum(present.sum(axis=1, keepdims=True), 1)
    if source is Source.SEED:
        return np.asarray(means[0] ** np.arange(1, k_max + 1))
    return distinct_shares(means, np.ones(means.shape, dtype=bool), k_max)[:, 0]


def longest(tallies: Tallies, source: Source) -> int:
    """Return the largest k that at least nine tenths of the questions reach by this source."""
    reach = np.zeros(tallies.items.size, dtype=np.int64)
    for units in groups_of(tallies, source):
        if source is Source.SEED:
            reach = np.maximum(reach, tallies.runs[units[0][0]])
        else:
            present = np.stack([(tallies.runs[cells] > 0).any(axis=0) for cells in units])
            reach = np.maximum(reach, present.sum(axis=0))
    return reached_by_most(reach)


def reached_by_most(reach: Int[np.ndarray, " q"]) -> int:
    """Return the largest number that at least nine tenths of the questions reach.

    Examples
    --------
    >>> reached_by_most(np.array([8] * 19 + [1]))
    8
    """
    return int(np.sort(reach)[reach.size // 10]) if reach.size else 0


def _split(cells: np.ndarray, labels: np.ndarray) -> Units:
    return [cells[labels == label] for label in dict.fromkeys(labels)]
