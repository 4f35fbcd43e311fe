"""How sure was each system of each answer, and was the answer right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.columns import missing
from limitset.core.ends import Ends
from limitset.core.levels import Status
from limitset.core.tallies import Tallies
from limitset.report.audit.panel import Panel

LEAST_RUNS: Final = 3
"""Runs a question from which on their agreement can stand for confidence."""
STATED: Final = "stated with the answer"
CHOICES: Final = "probability of the choice taken"
AGREEMENT: Final = "share of its own runs that agree"


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """Answers of one system with a score each.

    Parameters
    ----------
    system
        Its name.
    source
        Where the score comes from, in words.
    stated : (n,)
        Confidence in [0, 1], or a log-probability.
    right : (n,)
        1 right, 0 wrong.
    unit : (n,)
        Cluster of the question.
    """

    system: str
    source: str
    stated: Float[np.ndarray, " n"]
    right: Float[np.ndarray, " n"]
    unit: Int[np.ndarray, " n"]


def forecasts_of(panel: Panel, tallies: Tallies, rng: np.random.Generator) -> list[Forecast]:
    """Return the confidence of every system: stated, else of the choice taken, else its runs' agreement.

    Parameters
    ----------
    panel
        The runs.
    tallies
        The questions with a key.
    rng
        Picks among answers that tie.
    """
    ends = _checked(panel.ends)
    stated = ends.numbers("confidence")
    column = ends.columns["choice_probabilities"]
    given = ~missing(column)
    chosen = np.full(len(ends), np.nan)
    rows = np.flatnonzero(given & np.isnan(stated))
    if rows.size:
        lists = np.asarray(column)[rows]
        chosen[rows] = [max(one, default=np.nan) for one in lists]
    found = {one.system: one for one in _read(ends, tallies, stated, STATED, bounded=True)}
    for one in _read(ends, tallies, chosen, CHOICES, bounded=True):
        found.setdefault(one.system, one)
    for one in _agreed(tallies, rng):
        found.setdefault(one.system, one)
    return [found[name] for name in panel.systems if name in found]


def likelihoods_of(panel: Panel, tallies: Tallies) -> list[Forecast]:
    """Return the log-probability of every answer, by system."""
    ends = _checked(panel.ends)
    return _read(ends, tallies, ends.numbers("logprob"), "log-probability of the answer", bounded=False)


def _checked(ends: Ends) -> Ends:
    status = ends.coded("status")
    answered = status.values.index(Status.ANSWERED.value) if Status.ANSWERED.value in status.values else -2
    known = ~np.isnan(ends.numbers("right")) & (ends.numbers("greedy") != 1)
    return ends.where(known & (status.codes == answered))


def _read(ends: Ends, tallies: Tallies, score: np.ndarray, source: str, *, bounded: bool) -> list[Forecast]:
    """Cut the rows with a score by system; numbers that are no confidence are left out."""
    item, system = ends.coded("item"), ends.coded("system")
    place = {str(name): row for row, name in enumerate(tallies.items)}
    of_code = np.array([place.get(name, -1) for name in item.values] or [-1], dtype=np.int64)
    row = of_code[item.codes] if len(ends) else np.zeros(0, dtype=np.int64)
    kept = np.isfinite(score) & (row >= 0)
    if bounded:
        kept &= (score >= 0) & (score <= 1)
    right = ends.numbers("right")
    found = []
    for code, name in enumerate(system.values):
        own = np.flatnonzero(kept & (system.codes == code))
        if own.size:
            found.append(
                Forecast(
                    system=name,
                    source=source,
                    stated=score[own],
                    right=right[own],
                    unit=tallies.clusters[row[own]],
                )
            )
    return found


def _agreed(tallies: Tallies, rng: np.random.Generator) -> list[Forecast]:
    """Let the share of a system's runs in their most frequent answer stand for confidence in it."""
    pooled = tallies.by_system()
    found = []
    for cell, name in enumerate(pooled.systems):
        enough = pooled.runs[cell] >= LEAST_RUNS
        if not enough.any():
            continue
        # ties are broken at random: a fraction of a run moves no other order
        count = pooled.counts[cell] + rng.random(pooled.class_item.size) / 2
        order = np.lexsort((count, pooled.class_item))
        last = np.flatnonzero(np.diff(np.append(pooled.class_item[order], -1)) != 0)
        top = order[last]
        question = pooled.class_item[top]
        kept = enough[question] & (pooled.counts[cell][top] > 0)
        top, question = top[kept], question[kept]
        if top.size:
            found.append(
                Forecast(
                    system=str(name),
                    source=AGREEMENT,
                    stated=pooled.counts[cell][top] / pooled.runs[cell][question],
                    right=pooled.right[top].astype(np.float64),
                    unit=pooled.clusters[question],
                )
            )
    return found
