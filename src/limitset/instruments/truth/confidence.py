"""Does being sure mean being right: at a threshold, in order, and against staying silent?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int, Num
from scipy import stats

from limitset.core.clusters import numbered, summed
from limitset.core.errors import InputError
from limitset.core.intervals import LEAST_CARRIERS, Interval, columns_of, share_or_bound, wilson
from limitset.core.levels import Level
from limitset.core.pair_intervals import jackknife_errors
from limitset.core.pair_sums import groups_of_questions
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "confidence"
VERSION = 1

THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
COVERAGES: Final = tuple(tenth / 10 for tenth in range(1, 11))
_FEW: Final = f"fewer than {LEAST_CARRIERS:.0f} questions are right, or wrong"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Whether surer answers are right more often.

    Parameters
    ----------
    summary
        Axis `statistic`: "auroc", the chance that a right answer has a higher score than a wrong one (ties
        count half); "aurc", the share wrong averaged over all coverages.
    curve
        Axis `coverage`: share wrong among that share of the surest answers.
    """

    summary: MeasurementTable
    curve: MeasurementTable


def confident_false(
    stated: Float[np.ndarray, " n"],
    right: Num[np.ndarray, " keys"],
    questions: Int[np.ndarray, " asked"],
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> MeasurementTable:
    """How often an answer is wrong and stated with at least a threshold of confidence.

    ``P(wrong | p >= t)``, ``P(wrong and p >= t)`` and ``P(p >= t)``, over answers.

    Parameters
    ----------
    stated : (n,)
        Confidence of each answer, in [0, 1].
    right : (n,)
        1 right, 0 wrong.
    questions : (n,)
        Number of the question of each answer: the unit that is left out.
    thresholds
        In [0, 1].
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    MeasurementTable
        Axes `statistic` ("wrong_when_sure", "sure_and_wrong", "sure") and `threshold`; shares in [0, 1]. A
        bound and the reason where fewer than five questions carry a side.

    Raises
    ------
    InputError
        When lengths differ or a threshold is outside [0, 1].

    Notes
    -----
    "wrong_when_sure" without "sure" beside it says little: a system can be sure of one answer. A threshold
    picked because it looks best on these questions is better here than on others.

    References
    ----------
    Geifman and El-Yaniv (2017), arXiv:1705.08500 (selective risk with its coverage); bounds: see
    `limitset.core.intervals.share_or_bound`.

    Examples
    --------
    >>> stated, right = np.array([0.9] * 20 + [0.5] * 20), np.array([1.0, 0.0] * 20)
    >>> got = confident_false(stated, right, np.arange(40), thresholds=[0.8])
    >>> [got.one(statistic=name).value for name in ("wrong_when_sure", "sure_and_wrong", "sure")]
    [0.5, 0.25, 0.5]
    """
    _check(stated, right, questions)
    if any(not 0 <= one <= 1 for one in thresholds):
        raise InputError.of(
            expected="thresholds in [0, 1]", got=", ".join(map(str, thresholds)), fix="Rescale them."
        )
    unit, units = numbered(questions)
    rows = []
    for threshold in thresholds:
        sure = stated >= threshold
        wrong_sure = np.bincount(unit, weights=sure * (1 - right), minlength=units)
        right_sure = np.bincount(unit, weights=sure * right, minlength=units)
        rest = np.bincount(unit, weights=~sure, minlength=units)
        rows += [
            ("wrong_when_sure", threshold, share_or_bound(wrong_sure, right_sure, confidence=confidence)),
            (
                "sure_and_wrong",
                threshold,
                share_or_bound(wrong_sure, right_sure + rest, confidence=confidence),
            ),
            ("sure", threshold, share_or_bound(wrong_sure + right_sure, rest, confidence=confidence)),
        ]
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.false",
        version=VERSION,
        level=level,
        axes={
            "statistic": np.array([row[0] for row in rows], dtype=object),
            "threshold": np.array([row[1] for row in rows], dtype=np.float64),
        },
        interval_method="logit jackknife over questions; a bound where few carry a side",
        confidence=confidence,
        **columns_of([row[2] for row in rows]),
    )


def ranking(
    score: Float[np.ndarray, " n"],
    right: Num[np.ndarray, " keys"],
    questions: Int[np.ndarray, " asked"],
    *,
    coverages: Sequence[float] = COVERAGES,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> Ranking:
    r"""Whether a score (confidence, log-probability of the answer) puts right answers before wrong ones.

    .. math:: AUROC = P(s_{right} > s_{wrong}) + \tfrac12 P(s_{right} = s_{wrong}), \qquad
        AURC = \frac1n \sum_{k=1}^n \frac1k \sum_{i \le k} (1 - y_{(i)})

    with answers in falling order of their score.

    Parameters
    ----------
    score : (n,)
        Higher is surer; finite.
    right : (n,)
        1 right, 0 wrong.
    questions : (n,)
        Number of the question of each answer: the unit that is left out.
    coverages
        Shares of the surest answers at which the share wrong is given, in (0, 1].
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Ranking
        AUROC in [0, 1], 1/2 for a score that says nothing; AURC in [0, 1], the share wrong for a score that
        says nothing, lower is better. Blank where fewer than five questions are right, or wrong.

    Raises
    ------
    InputError
        When lengths differ or a score is not finite.

    Notes
    -----
    Answers of equal score are taken in random order: the mean over their orders is exact, not drawn. A score
    that sums over tokens falls with the length of the answer: if long answers are wrong more often, length
    alone ranks. Give the score per token, or look at both.

    References
    ----------
    Obuchowski (1997), doi:10.2307/2533958 (AUROC of clustered answers); Geifman, Uziel and El-Yaniv (2019),
    arXiv:1805.08206 (AURC); Kott (2001), delete-a-group jackknife.

    Examples
    --------
    >>> got = ranking(np.arange(20.0), np.array([0.0] * 5 + [1.0, 0.0] * 5 + [1.0] * 5), np.arange(20))
    >>> round(got.summary.one(statistic="auroc").value, 3), round(got.curve.one(coverage=0.5).value, 3)
    (0.85, 0.3)
    """
    _check(score, right, questions)
    unit, units = numbered(questions)
    right = right.astype(np.float64)
    sides = [np.unique(unit[right == side]).size for side in (0, 1)]
    rows: list[Interval] = [Interval.blank(_FEW)] * (2 + len(coverages))
    if min(sides) >= LEAST_CARRIERS:
        rows = [_auroc(score, right, unit, units, confidence)]
        rows += _risks(score, right, unit, coverages=coverages, confidence=confidence)
    shared = {"version": VERSION, "level": level, "confidence": confidence}
    return Ranking(
        summary=MeasurementTable(
            instrument=f"{INSTRUMENT}.ranking",
            axes={"statistic": np.array(["auroc", "aurc"], dtype=object)},
            interval_method="placement values by question, logit scale; jackknife over groups of questions",
            **shared,  # type: ignore[arg-type]
            **columns_of(rows[:2]),
        ),
        curve=MeasurementTable(
            instrument=f"{INSTRUMENT}.risk",
            axes={"coverage": np.array(coverages, dtype=np.float64)},
            interval_method="jackknife over groups of questions",
            **shared,  # type: ignore[arg-type]
            **columns_of(rows[2:]),
        ),
    )


def wrong_or_silent(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> MeasurementTable:
    """Of the runs that were not right, how many gave a wrong answer in place of none.

    ``wrong / (wrong + abstained)``, each run counting once.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    MeasurementTable
        Axis `system`; shares in [0, 1], 1 for a system that never abstains. A bound and the reason where
        fewer than five questions carry a side.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    Replies that could not be read count on neither side.

    References
    ----------
    Zhou et al. (2024), Larger and more instructable language models become less reliable,
    doi:10.1038/s41586-024-07930-y (avoidance falls, wrong answers rise).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=range(20), system="m", end=["x", None] * 10, right=[0, None] * 10)
    >>> wrong_or_silent(tallied(ends)).one(system="m").value
    0.5
    """
    tallies.require_anchor()
    pooled = tallies.by_system()
    rows = []
    for cell in range(pooled.systems.size):
        wrong = pooled.by_question(pooled.counts[cell] * ~pooled.right * 1.0)
        both = summed(np.stack([wrong, pooled.abstained[cell] * 1.0]), pooled.clusters)
        rows.append(share_or_bound(both[0], both[1], confidence=confidence))
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.wrong_or_silent",
        version=VERSION,
        level=level,
        axes={"system": np.array([str(name) for name in pooled.systems], dtype=object)},
        interval_method="logit jackknife over questions; a bound where few carry a side",
        confidence=confidence,
        **columns_of(rows),
    )


def _auroc(score: np.ndarray, right: np.ndarray, unit: np.ndarray, units: int, confidence: float) -> Interval:
    good, bad = right == 1, right == 0
    every = stats.rankdata(score)
    count = int(good.sum()), int(bad.sum())
    # share of the other side that each answer beats, ties half
    above = (every[good] - stats.rankdata(score[good])) / count[1]
    below = 1 - (every[bad] - stats.rankdata(score[bad])) / count[0]
    value = float(above.mean())
    parts = []
    for placed, side, size in ((above, good, count[0]), (below, bad, count[1])):
        sums = np.bincount(unit[side], weights=placed - value, minlength=units)
        here = np.unique(unit[side]).size
        parts.append(sums / size * np.sqrt(here / (here - 1)))
    error = float(np.sqrt(np.square(parts[0] + parts[1]).sum()))
    if not 0 < value < 1:  # nothing is out of order, which few answers could do by chance
        fewer = min(np.unique(unit[good]).size, np.unique(unit[bad]).size)
        bound = wilson(value * fewer, fewer, confidence=confidence)
        return Interval(value=value, low=bound.low, high=bound.high, n=float(units))
    half = stats.norm.ppf(0.5 + confidence / 2) * error / (value * (1 - value))
    centre = np.log(value / (1 - value))
    low, high = (float(1 / (1 + np.exp(-(centre + sign * half)))) for sign in (-1, 1))
    return Interval(value=value, low=low, high=high, n=float(units))


def _risks(
    score: np.ndarray,
    right: np.ndarray,
    unit: np.ndarray,
    *,
    coverages: Sequence[float],
    confidence: float,
) -> list[Interval]:
    """AURC and the share wrong at each coverage."""
    units = int(unit.max()) + 1
    order = np.argsort(-score, kind="stable")
    score, wrong, unit = score[order], 1 - right[order], unit[order]
    whole = _risk(score, wrong, coverages)
    groups = groups_of_questions(np.arange(units), np.arange(units))
    group = np.zeros(units, dtype=np.int64)
    for index, own in enumerate(groups):
        group[own] = index
    left = np.stack(
        [
            _risk(score[kept], wrong[kept], coverages)
            for kept in (group[unit] != g for g in range(len(groups)))
        ]
    )
    half = stats.t.ppf(0.5 + confidence / 2, len(groups) - 1) * jackknife_errors(left)
    low, high = np.maximum(whole - half, 0.0), np.minimum(whole + half, 1.0)
    return [
        Interval(value=float(whole[row]), low=float(low[row]), high=float(high[row]), n=float(units))
        for row in range(whole.size)
    ]


def _risk(score: np.ndarray, wrong: np.ndarray, coverages: Sequence[float]) -> np.ndarray:
    """AURC and shares wrong of answers in falling order of score, the mean over orders of equal ones."""
    starts = np.flatnonzero(np.r_[True, np.diff(score) != 0])
    sizes = np.diff(np.r_[starts, score.size])
    mean = np.add.reduceat(wrong, starts) / sizes
    risk = np.cumsum(np.repeat(mean, sizes)) / np.arange(1, score.size + 1)
    at = np.maximum(np.ceil(np.asarray(coverages) * score.size - 1e-9).astype(np.int64) - 1, 0)
    return np.concatenate([[risk.mean()], risk[at]])


def _check(score: np.ndarray, right: np.ndarray, questions: np.ndarray) -> None:
    if not score.size == right.size == questions.size:
        raise InputError.of(
            expected="one score, one key and one question an answer",
            got=f"{score.size}, {right.size} and {questions.size}",
            fix="Keep the answers that have all three.",
        )
    if not np.isfinite(score).all() or not np.isin(right, (0, 1)).all():
        raise InputError.of(
            expected="finite scores, and answers that are right (1) or wrong (0)",
            got="others",
            fix="Leave out answers without a score or a key.",
        )
