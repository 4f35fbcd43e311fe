"""Are these answers grades that were read as classes?"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from limitset.core.scores import scored
from limitset.report.audit.panel import Panel

ALMOST_ALL: Final = 0.99
"""Share of the answers that must be whole numbers."""
LEAST: Final = 3
MOST: Final = 11
"""Levels of a scale: 1 to 3 is the shortest, 0 to 10 the longest."""
EACH: Final = 2
"""So many questions a level: a handful of sums with small results is no scale."""
BEGINS: Final = "Answers look like grades from "
_WHOLE: Final = re.compile(r"[+-]?\d{1,3}(\.0+)?")


def grades_advice(panel: Panel) -> str | None:
    """Say that answers look like grades and how they are read as numbers; None where they do not.

    Parameters
    ----------
    panel
        The runs. Answers look like grades when at least 99 % of them are whole numbers, these and all keys
        make 3 to 11 consecutive levels, and no run has a score.
    """
    levels = _levels(panel)
    if levels is None:
        return None
    low, high = levels
    return (
        f"{BEGINS}{low} to {high}, read here as classes. limitset audit … --map score={panel.answers} reads "
        "them as numbers."
    )


def _levels(panel: Panel) -> tuple[int, int] | None:
    pooled = panel.tallies.pooled()
    if not pooled.class_name.size or scored(panel.ends, panel.items) is not None:
        return None
    names = pooled.class_name.astype(str)
    each, place = np.unique(names, return_inverse=True)
    whole = np.array([_WHOLE.fullmatch(name.strip()) is not None for name in each], dtype=bool)
    counts = pooled.counts.sum(axis=0)
    if not whole.any() or counts[whole[place]].sum() < ALMOST_ALL * counts.sum():
        return None
    keys = {text.strip() for row in panel.items.rows() for text in row["accepted"] or ()}
    if any(_WHOLE.fullmatch(key) is None for key in keys):
        return None
    given = {int(float(name)) for name in (*each[whole].tolist(), *keys)}
    low, high = min(given), max(given)
    span = high - low + 1
    small = LEAST <= span <= MOST and max(abs(low), abs(high)) <= MOST
    if not small or len(given) < span or pooled.items.size < EACH * span:
        return None
    return low, high
