"""How much more do raters agree than chance, when answers are names, ranks, intervals or ratios?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.ratings import SYSTEMS, NominalRatings, beyond_chance, rater_sets, ratings_of
from limitset.core.results import MeasurementTable
from limitset.core.scores import ScoreTable
from limitset.core.tallies import Tallies

INSTRUMENT = "krippendorff_alpha"
VERSION = 1

METRICS: Final = ("nominal", "ordinal", "interval", "ratio")
MOST_LEVELS: Final = 1_000
"""More distinct scores than this are not grades."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KrippendorffAlpha:
    """Agreement of raters beyond chance, by the distance of their answers.

    Parameters
    ----------
    values
        Axis `raters`: "systems" (one run each of different systems) and every system with repeated runs. 1:
        no disagreement; 0: as much as between answers to different questions; below 0: more.
    """

    values: MeasurementTable


def krippendorff_alpha(
    runs: Tallies | ScoreTable,
    *,
    metric: str = "nominal",
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> KrippendorffAlpha:
    r"""Krippendorff's alpha with missing data.

    .. math:: \alpha = 1 - \frac{D_o}{D_e} = 1 - (n - 1)
        \frac{\sum_u \sum_{c,k} n_{uc} n_{uk} \delta^2_{ck} / (n_u - 1)}{\sum_{c,k} n_c n_k \delta^2_{ck}}

    Parameters
    ----------
    runs
        Answers (metric "nominal" only) or scores; no key is needed. Questions with one rater are left out.
    metric
        Distance of two answers: "nominal" (the same or not), "ordinal" (ranks between them), "interval"
        (their difference) or "ratio" (their difference over their sum; scores of 0 or more).
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    KrippendorffAlpha
        At most 1; `n` is the number of questions with two raters or more. Blank where all answers are alike.

    Raises
    ------
    InputError
        For an unknown metric, distances of answers that are names, negative scores under "ratio", or more
        than 1,000 distinct scores.

    Notes
    -----
    Its null is 0 by construction. A system with several runs of a question is one rater between systems: its
    place is taken by each run in turn, and its runs are never compared with each other. The interval leaves
    out one question at a time, on the scale of log(1 - alpha); ranks are counted anew each time. Alpha says
    nothing about truth. Cost: questions x levels^2 operations.

    References
    ----------
    Krippendorff (2004), Reliability in content analysis, doi:10.1111/j.1468-2958.2004.tb00738.x;
    Hayes and Krippendorff (2007), doi:10.1080/19312450709336664 (metrics, missing data).

    Examples
    --------
    >>> table = ScoreTable(systems=np.array(["a", "b"]), items=np.array([*"pqrs"]), key=np.full(4, np.nan),
    ...                    scores=np.array([[[1.0], [2], [3], [3]], [[1.0], [2], [3], [2]]]))
    >>> got = krippendorff_alpha(table, metric="interval").values.one(raters="systems")
    >>> round(got.value, 4)  # 1 - 7 * 2 / (2 * (8 * 41 - 17^2))
    0.8205
    """
    if metric not in METRICS:
        raise InputError.of(
            expected=f"metric must be {', '.join(METRICS)}", got=metric, fix="Choose one of these."
        )
    if isinstance(runs, Tallies):
        if metric != "nominal":
            raise InputError.of(
                expected="answers that are names have the metric nominal",
                got=metric,
                fix="Give scores (limitset.core.scores.scored).",
            )
        found = {raters: _of_names(ratings_of(runs, raters).where(2)) for raters in rater_sets(runs)}
    else:
        found = {raters: _of_scores(own, raters, metric) for raters, own in _rater_sets(runs)}
    return KrippendorffAlpha(
        values=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={"raters": np.array(list(found), dtype=object)},
            interval_method="jackknife over questions",
            confidence=confidence,
            parameters={"metric": metric},
            **columns_of([_alpha(parts, confidence) for parts in found.values()]),
        )
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Parts:
    """Observed and expected disagreement, whole and with each question left out."""

    observed: float
    expected: float
    left_observed: Float[np.ndarray, " q"]
    left_expected: Float[np.ndarray, " q"]


def _alpha(parts: _Parts, confidence: float) -> Interval:
    if parts.left_observed.size == 0:
        return Interval.blank("no question has two raters")
    if not parts.expected > 0:
        return Interval.blank("all answers are alike: there is nothing to agree about")
    left = np.divide(
        parts.left_observed,
        parts.left_expected,
        out=np.full(parts.left_expected.size, np.nan),
        where=parts.left_expected > 0,
    )
    return beyond_chance(1 - parts.observed / parts.expected, left, confidence=confidence)


def _of_names(ratings: NominalRatings) -> _Parts:
    n = ratings.raters
    total = ratings.by_name(ratings.given)
    alone = ratings.by_question(ratings.alone)
    cross = ratings.by_question(ratings.given * total[ratings.class_name])
    own = ratings.by_question(np.square(ratings.given))
    pairs = n * (n - 1) - ratings.agreeing
    agreed, count = float(np.square(total).sum() - alone.sum()), n.sum()
    left = count - n
    return _parts(
        pairs,
        n,
        expected=count * (count - 1) - agreed,
        left_expected=left * (left - 1) - (agreed - 2 * cross + own + alone),
    )


def _parts(
    pairs: np.ndarray, n: np.ndarray, *, expected: float, left_expected: Float[np.ndarray, " q"]
) -> _Parts:
    """Put sums of distances over pairs together: D_o and D_e but for common factors."""
    weighted = pairs / np.maximum(n - 1, 1e-300)
    return _Parts(
        observed=float(weighted.sum() * (n.sum() - 1)),
        expected=float(expected),
        left_observed=np.maximum(weighted.sum() - weighted, 0.0) * (n.sum() - n - 1),
        left_expected=left_expected,
    )


def _rater_sets(table: ScoreTable) -> Iterator[tuple[str, ScoreTable]]:
    if table.systems.size > 1:
        yield SYSTEMS, table
    for row in np.flatnonzero((table.runs >= 2).any(axis=1)):
        yield str(table.systems[row]), table.of_system(int(row))


def _of_scores(table: ScoreTable, raters: str, metric: str) -> _Parts:
    levels = np.unique(table.scores[~np.isnan(table.scores)])
    if levels.size > MOST_LEVELS or (metric == "ratio" and levels.min(initial=0.0) < 0):
        raise InputError.of(
            expected=f"{MOST_LEVELS} distinct scores at most, of 0 or more for ratio",
            got=f"{levels.size} from {levels.min(initial=0.0):g}",
            fix="Round the scores, or choose another metric.",
        )
    if raters == SYSTEMS:
        count = (table.runs > 0).sum(axis=0)
    else:  # the runs of one system are raters of their own
        table = ScoreTable(
            systems=np.arange(table.scores.shape[2]),
            items=table.items,
            scores=table.scores.transpose(2, 1, 0),
            key=table.key,
        )
        count = (table.runs > 0).sum(axis=0)
    table = table.of_questions(np.asarray(count >= 2))
    count = count[count >= 2].astype(np.float64)
    shares = _shares_of(table, levels)
    given = np.zeros((count.size, levels.size))
    for share in shares():
        given += share
    if metric == "ordinal":
        return _of_ranks(given, count, shares)
    distance = _distances(levels, metric)
    alone = np.zeros(count.size)
    if (table.runs > 1).any():  # a rater with one run has no distance to itself
        alone = sum(((share @ distance) * share).sum(axis=1) for share in shares())
    total = given.sum(axis=0)
    own = ((given @ distance) * given).sum(axis=1)
    expected = total @ distance @ total - alone.sum()
    return _parts(
        own - alone,
        count,
        expected=expected,
        left_expected=expected - 2 * given @ distance @ total + own + alone,
    )


def _shares_of(
    table: ScoreTable, levels: np.ndarray
) -> Callable[[], Iterator[Float[np.ndarray, "q levels"]]]:
    """Chance of each level by question, one rater at a time."""
    width = levels.size
    codes = np.where(np.isnan(table.scores), -1, np.searchsorted(levels, table.scores))

    def each() -> Iterator[np.ndarray]:
        for code in codes:
            question, run = np.nonzero(code >= 0)
            cells = question * width + code[question, run]
            share = np.bincount(cells, minlength=code.shape[0] * width).reshape(-1, width)
            yield share / np.maximum(share.sum(axis=1, keepdims=True), 1)

    return each


def _distances(levels: np.ndarray, metric: str) -> Float[np.ndarray, "levels levels"]:
    apart = levels[:, None] - levels
    if metric == "nominal":
        return np.asarray(apart != 0, dtype=np.float64)
    if metric == "ratio":
        both = levels[:, None] + levels
        apart = np.divide(apart, both, out=np.zeros_like(apart), where=both > 0)
    return np.asarray(np.square(apart))


def _of_ranks(
    given: Float[np.ndarray, "q levels"],
    count: Float[np.ndarray, " q"],
    shares: Callable[[], Iterator[Float[np.ndarray, "q levels"]]],
) -> _Parts:
    """Disagreement by middle ranks: (rank c - rank k)^2 is the ordinal distance of the levels c and k."""
    total = given.sum(axis=0)
    ranks = np.concatenate([total[None], total - given])
    ranks = np.cumsum(ranks, axis=1) - ranks / 2  # row 0: all questions; row u + 1: without question u
    weight = 1.0 / (count - 1)
    between = (given * weight[:, None]).T @ given
    alone, itself = np.zeros_like(between), np.zeros(count.size)
    for share in shares():
        between -= (share * weight[:, None]).T @ share
        alone += share.T @ share
        itself += np.square((share * ranks[1:]).sum(axis=1))
    first, second = (given * ranks[1:]).sum(axis=1), (given * np.square(ranks[1:])).sum(axis=1)
    observed = np.square(ranks) @ total - _quadratic(ranks, between)
    expected = total.sum() * (np.square(ranks) @ total) - np.square(ranks @ total)
    expected -= np.square(ranks) @ total - _quadratic(ranks, alone)
    # what question u itself contributed, by the ranks without it
    observed[1:] -= second - weight * (np.square(first) - itself)
    rest = np.square(ranks[1:]) @ total - second
    size, sums = count.sum() - count, ranks[1:] @ total - first
    expected[1:] = size * rest - np.square(sums) - (rest - _quadratic(ranks[1:], alone) + itself)
    observed[1:] *= size - 1
    observed[0] *= count.sum() - 1
    return _Parts(
        observed=float(observed[0]),
        expected=float(expected[0]),
        left_observed=np.maximum(observed[1:], 0.0),
        left_expected=expected[1:],
    )


def _quadratic(rows: Float[np.ndarray, "n levels"], matrix: np.ndarray) -> Float[np.ndarray, " n"]:
    return np.asarray(((rows @ matrix) * rows).sum(axis=1))
