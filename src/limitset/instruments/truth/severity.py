"""Which judges grade higher, and which lower, than the others do on the same questions?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.scores import ScoreTable

INSTRUMENT = "severity"
VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Severity:
    """How judges differ in level, without a key.

    Parameters
    ----------
    values
        Axis `system`: mean difference of its scores from the mean of the other judges, in points; below 0 it
        is more severe than they are. Intervals hold for all judges at once.
    spread
        Axis `system`: standard deviation over questions of a judge's mean scores, in points: a judge that
        gives the same grade to everything has 0.
    """

    values: MeasurementTable
    spread: MeasurementTable


def severity(table: ScoreTable, *, confidence: float = 0.95, level: Level = Level.ANSWER) -> Severity:
    r"""Mean difference of a judge from the mean of the others on the same questions.

    .. math:: d_i = \operatorname{mean}_q \Big( x_{iq} - \frac{1}{M - 1} \sum_{j \ne i} x_{jq} \Big)

    Parameters
    ----------
    table
        Scores; no key is needed. Questions that every judge scored are used.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Severity
        Points of the scale; `n` is the number of questions.

    Notes
    -----
    Its null is 0. Without a key nothing says whether the severe judge or the others are right. The interval
    of each judge has error (1 - confidence) / M, because one of M judges looks most severe by chance. Cost:
    one pass over the scores.

    References
    ----------
    Saal, Downey and Lahey (1980), Rating the ratings, doi:10.1037/0033-2909.88.2.413 (leniency and severity).

    Examples
    --------
    >>> scores = np.array([[[1.0], [3], [5]], [[2.0], [4], [6]], [[3.0], [5], [7]]])
    >>> table = ScoreTable(systems=np.array([*"abc"]), items=np.array([*"pqr"]), scores=scores,
    ...                    key=np.full(3, np.nan))
    >>> severity(table).values.value.tolist()
    [-1.5, 0.0, 1.5]
    """
    whole = table.complete()
    m, q = whole.systems.size, whole.items.size
    if m < 2 or q < 2:
        blank = Interval.blank("it takes two judges, and two questions that all of them scored")
        values = spread = [blank] * m
    else:
        scores = whole.mean
        apart = scores - (scores.sum(axis=0) - scores) / (m - 1)
        together = 1 - (1 - confidence) / m
        left = (apart.sum(axis=1, keepdims=True) - apart) / (q - 1)
        values = [
            jackknife_interval(float(row.mean()), without, confidence=together)
            for row, without in zip(apart, left, strict=True)
        ]
        spread = [_spread(row, confidence) for row in scores]

    def made(name: str, rows: list[Interval], method: str) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={"system": np.array([str(one) for one in table.systems], dtype=object)},
            interval_method=method,
            confidence=confidence,
            notes=(f"{q} of {table.items.size} questions have scores of every judge",),
            **columns_of(rows),
        )

    return Severity(
        values=made(INSTRUMENT, values, "jackknife over questions, all judges at once"),
        spread=made(f"{INSTRUMENT}.spread", spread, "jackknife over questions, log variance"),
    )


def _spread(scores: np.ndarray, confidence: float) -> Interval:
    q = scores.size
    squares = np.square(scores - scores.mean())
    value = float(np.sqrt(squares.sum() / (q - 1)))
    left = squares.sum() - squares * q / (q - 1)
    if q < 3 or not (left > 1e-12 * squares.sum()).all():
        return Interval(value=value, low=np.nan, high=np.nan, n=float(q))
    got = jackknife_interval(2 * np.log(value), np.log(left / (q - 2)), confidence=confidence)
    low, high = (float(np.exp(end / 2)) for end in (got.low, got.high))
    return Interval(value=value, low=low, high=high, n=float(q))
