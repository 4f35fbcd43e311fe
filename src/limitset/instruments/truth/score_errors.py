"""How far are the scores of judges from the key, and how far is the score of their panel?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval, share_or_bound
from limitset.core.levels import Level
from limitset.core.majorities import kish_number
from limitset.core.one_factor import mean_correlation, standardised
from limitset.core.results import MeasurementTable
from limitset.core.score_panels import (
    against_other_keys,
    panel_errors,
    panels_of,
    sizes_up_to,
    without_each,
)
from limitset.core.scores import ScoreTable

INSTRUMENT = "score_errors"
VERSION = 1

MEASURES = ("bias", "absolute error", "within one", "weighted kappa")
CHOICES = ("without it", "it alone")
LEAST_DRAWS = 5
MOST_SCORES = 20_000_000
"""Very large panels are drawn less often: so many scores a size, and five panels at least."""
OTHER_QUESTIONS = "other_questions"
"""Null: the judge's scores held against the keys of other questions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreErrors:
    """Errors of judges against a key, in points of the scale.

    Parameters
    ----------
    judges
        Axes `system`, `measure`: "bias" (mean signed error; above 0 lenient, below 0 severe), "absolute
        error" (points off), "within one" (share at most one point off), "weighted kappa" (quadratic weights,
        at most 1, 0 by chance). Rows with null_kind "other_questions": the same against keys of other
        questions.
    worth
        Axis `quantity`: "correlation" of the errors of two judges, and "effective judges", Kish's
        M / (1 + (M - 1) r).
    panel
        Axes `statistic` ("mean", "median", "mean, bias removed"), `judges`: mean absolute error of panels of
        so many judges, one draw each.
    choices
        Axes `system`, `choice`: change of the mean absolute error, against the mean of all judges, when this
        judge leaves ("without it") or is the only one ("it alone"); below 0: better so. Every judge counts
        with the mean of its draws. Intervals hold for all judges at once.
    """

    judges: MeasurementTable
    worth: MeasurementTable
    panel: MeasurementTable
    choices: MeasurementTable


def score_errors(
    table: ScoreTable,
    *,
    rng: np.random.Generator,
    draws: int = 100,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> ScoreErrors:
    r"""Errors of judges and of their panel, with the judges' errors correlated over questions.

    .. math:: M_{\text{eff}} = \frac{M}{1 + (M - 1) r}, \qquad
        \kappa_w = 1 - \frac{\operatorname{mean} (x - y)^2}{\operatorname{mean}_{i, j} (x_i - y_j)^2}

    Parameters
    ----------
    table
        Scores with a key; questions without one are left out.
    rng
        Draws panels where there are more than `draws` of one size.
    draws
        Panels a size, 1 or more; fewer where one size would take more than 20 million scores.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    ScoreErrors
        Points of the scale, or shares in [0, 1]; `n` is the number of questions. `worth` is at least about
        1; blank where errors do not vary or avoid each other fully.

    Raises
    ------
    InputError
        When no question has a key, or `draws` is below 1.

    Notes
    -----
    The effective number counts what is left after each judge's bias: five judges that share a bias of one
    point keep it however many they are, and the panel's error shows it. Errors also correlate because some
    questions are hard to score, and because a key is off on some. Judges whose error never varies leave M.
    Panel, worth and choices use questions that every judge scored. "mean, bias removed" takes the bias from
    the other questions. Median and mean of two judges are the same. Cost: sizes x draws x questions x size.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (design effect). Cohen (1968), Weighted kappa,
    doi:10.1037/h0026256. Devlin, Gnanadesikan and Kettenring (1975), doi:10.1093/biomet/62.3.531 (influence
    of a question on a correlation).

    Examples
    --------
    >>> scores = np.array([[[1.0], [3], [5], [2]], [[2.0], [4], [5], [2]]])
    >>> table = ScoreTable(systems=np.array(["a", "b"]), items=np.array([*"pqrs"]), scores=scores,
    ...                    key=np.array([1.0, 3, 4, 2]))
    >>> got = score_errors(table, rng=np.random.default_rng(0))
    >>> got.judges.one(system="b", measure="bias").value, got.panel.one(statistic="mean", judges=2).value
    (0.75, 0.5)
    """
    known = ~np.isnan(table.key)
    if not known.any() or draws < 1:
        raise InputError.of(
            expected="a key for one question at least, and draws of 1 or more",
            got=f"{int(known.sum())} keys, draws {draws}",
            fix="Give a key that reads as a number (the accepted answer).",
        )
    table = table.of_questions(known)
    judges = [row for place in range(table.systems.size) for row in _judge(table, place, confidence)]
    whole = table.complete()
    worth = _worth(whole, confidence)
    panel = _panel(whole, draws, rng, confidence)
    choices = _choices(whole, confidence)
    notes = (f"{whole.items.size} of {table.items.size} questions with a key have scores of every judge",)

    def made(
        name: str, axes: dict[str, list[object]], rows: list[Interval], nulls: list[str]
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={axis: np.array(values, dtype=object) for axis, values in axes.items()},
            interval_method="jackknife over questions",
            confidence=confidence,
            parameters={"draws": draws},
            notes=notes,
            null_kind=nulls,
            **columns_of(rows),
        )

    plain = [""] * len(panel)
    return ScoreErrors(
        judges=made(
            INSTRUMENT,
            {"system": [row[0] for row in judges], "measure": [row[1] for row in judges]},
            [row[2] for row in judges],
            [row[3] for row in judges],
        ),
        worth=made(f"{INSTRUMENT}.worth", {"quantity": ["correlation", "effective judges"]}, worth, ["", ""]),
        panel=made(
            f"{INSTRUMENT}.panel",
            {"statistic": [row[0] for row in panel], "judges": [row[1] for row in panel]},
            [row[2] for row in panel],
            plain,
        ),
        choices=made(
            f"{INSTRUMENT}.choices",
            {"system": [row[0] for row in choices], "choice": [row[1] for row in choices]},
            [row[2] for row in choices],
            [""] * len(choices),
        ),
    )


def _judge(table: ScoreTable, place: int, confidence: float) -> list[tuple[str, str, Interval, str]]:
    name, own = str(table.systems[place]), table.scores[place]
    here = (~np.isnan(own)).any(axis=1)
    own, key = own[here], table.key[here]
    if key.size == 0:
        return [(name, measure, Interval.blank("no score with a key"), "") for measure in MEASURES]
    error = own - key[:, None]
    one = np.where(np.isnan(error), np.nan, np.abs(error) <= 1 + 1e-9)
    within = np.nanmean(one, axis=1)
    kappa = _weighted_kappa(own, key, confidence)
    shared = share_or_bound(within, 1 - within, confidence=confidence)
    found = [
        (name, "bias", _mean(np.nanmean(error, axis=1), confidence), ""),
        (name, "absolute error", _mean(np.nanmean(np.abs(error), axis=1), confidence), ""),
        (name, "within one", shared, ""),
        (name, "weighted kappa", kappa, ""),
    ]
    if key.size < 2:
        return found
    off, near = against_other_keys(own, key)
    return [
        *found,
        (name, "absolute error", _mean(off, confidence), OTHER_QUESTIONS),
        (name, "within one", _mean(near, confidence), OTHER_QUESTIONS),
    ]


def _mean(values: Float[np.ndarray, " q"], confidence: float) -> Interval:
    left = (values.sum() - values) / max(values.size - 1, 1)
    return jackknife_interval(float(values.mean()), left, confidence=confidence)


def _weighted_kappa(
    own: Float[np.ndarray, "q r"], key: Float[np.ndarray, " q"], confidence: float
) -> Interval:
    """Quadratic weights: a ratio of mean squares, so that leaving out a question is a subtraction."""
    x, xx = np.nanmean(own, axis=1), np.nanmean(own**2, axis=1)
    sums = np.array([x, xx, key, key**2, x * key, np.ones(key.size)])
    total = sums.sum(axis=1, keepdims=True)
    value = float(_kappa(total)[0])
    if np.isnan(value):
        return Interval.blank("judge and key give one and the same score to everything")
    left = _kappa(total - sums) if key.size > 1 else np.array([np.nan])
    if value >= 1 or not (left < 1).all():
        return Interval(value=value, low=np.nan, high=np.nan, n=float(key.size))
    # on log(1 - kappa), where the upper end stays below 1
    got = jackknife_interval(float(np.log(1 - value)), np.log(1 - left), confidence=confidence)
    low, high = (float(1 - np.exp(end)) for end in (got.high, got.low))
    return Interval(value=value, low=low, high=high, n=float(key.size))


def _kappa(sums: Float[np.ndarray, "6 n"]) -> Float[np.ndarray, " n"]:
    x, xx, y, yy, xy, n = sums
    expected = (xx + yy) / n - 2 * (x / n) * (y / n)
    out = np.full(n.shape, np.nan)
    np.divide((xx + yy - 2 * xy) / n, expected, out=out, where=expected > 1e-12 * (xx + yy) / n)
    return np.asarray(1 - out)


def _worth(whole: ScoreTable, confidence: float) -> list[Interval]:
    q = whole.items.size
    if q < 3 or whole.systems.size < 2:
        return [Interval.blank("it takes two judges, and three questions that all of them scored")] * 2
    data = standardised(whole.mean - whole.key, whole.noise)
    count = data.scores.shape[0]
    r, moved = mean_correlation(data)
    if count < 2:
        return [Interval.blank("fewer than two judges have an error that varies")] * 2
    left = r - moved / (q - 1)
    correlation = jackknife_interval(r, left, confidence=confidence)
    # rounding must not push the mean correlation of copies past 1
    number = float(kish_number(float(count), min(r, 1.0)))
    others = kish_number(float(count), np.minimum(left, 1.0))
    if np.isnan(number) or np.isnan(others).any():
        return [correlation, Interval.blank("errors avoid each other as much as they can: no finite number")]
    got = jackknife_interval(float(np.log(number)), np.log(others), confidence=confidence)
    low, high = (float(np.exp(end)) for end in (got.low, got.high))
    return [correlation, Interval(value=number, low=min(max(low, 1.0), number), high=high, n=float(q))]


def _panel(
    whole: ScoreTable, draws: int, rng: np.random.Generator, confidence: float
) -> list[tuple[str, int, Interval]]:
    m, q = whole.systems.size, whole.items.size
    if q < 2:
        return [("mean", m, Interval.blank("fewer than two questions have scores of every judge"))]
    errors = whole.scores - whole.key[:, None]
    own = np.nanmean(errors, axis=2)
    # the bias of a judge on all other questions
    unbiased = errors - ((own.sum(axis=1, keepdims=True) - own) / (q - 1))[:, :, None]
    rows = []
    for size in sizes_up_to(m):
        affordable = max(LEAST_DRAWS, min(draws, MOST_SCORES // (size * q)))
        panels = panels_of(m, size, draws=affordable, rng=rng)
        # several draws of a lone panel, where there are
        panels = np.tile(panels, (max(1, min(errors.shape[2], affordable // len(panels))), 1))
        mean, median = panel_errors(errors, panels)
        corrected, _ = panel_errors(unbiased, panels)
        named = (("mean", mean), ("median", median), ("mean, bias removed", corrected))
        rows += [(name, size, _mean(values, confidence)) for name, values in named]
    return rows


def _choices(whole: ScoreTable, confidence: float) -> list[tuple[str, str, Interval]]:
    m, q = whole.systems.size, whole.items.size
    if m < 2 or q < 3:
        reason = "it takes two judges, and three questions that all of them scored"
        return [(str(name), choice, Interval.blank(reason)) for name in whole.systems for choice in CHOICES]
    # one of m judges will look best, or worst, by chance: all intervals hold at once (Bonferroni)
    together = 1 - (1 - confidence) / m
    errors = whole.mean - whole.key
    alone = np.abs(errors) - np.abs(errors.mean(axis=0))
    return [
        (str(name), choice, _mean(rows[place], together))
        for choice, rows in zip(CHOICES, (without_each(errors), alone), strict=True)
        for place, name in enumerate(whole.systems)
    ]
