"""How far can one draw of a system be trusted to say what another would, and how far the mean of k?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.mean_squares import (
    FORMS,
    TwoWay,
    chance_range,
    f_interval,
    narrowed,
    one_way,
    stepped_up,
    two_way,
    widened,
)
from limitset.core.results import MeasurementTable
from limitset.core.scores import ScoreTable, scores_of
from limitset.core.tallies import Tallies

INSTRUMENT = "reliability"
VERSION = 1

NO_RELIABILITY = "no_reliability"
"""Null: raters that toss coins."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """Share of the variance of a score that is the question's, not the draw's.

    Parameters
    ----------
    own
        Axes `system`, `draws`: reliability of one draw (1) and of the mean of all draws (k) of the system,
        at most 1. Rows with null_kind "no_reliability" show where it would fall for coin tosses.
    raters
        Axis `form`: the six intraclass correlations of Shrout and Fleiss with the systems as raters, one
        draw each; intervals by leaving out questions. "1,1": systems differ from question to question;
        "2,1": these systems stand for others, and severity counts; "3,1": these systems alone, severity
        does not count; ",k": the mean of them all. Null rows as above.
    by_f
        The same six with intervals from the F distribution, which hold for scores that are normal.
    """

    own: MeasurementTable
    raters: MeasurementTable
    by_f: MeasurementTable


def reliability(
    runs: Tallies | ScoreTable, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> Reliability:
    r"""Intraclass correlations over the draws of each system, and over systems as raters.

    .. math:: \rho_{1} = \frac{MS_b - MS_w}{MS_b + (k - 1) MS_w}, \qquad
        \rho_{k} = \frac{k \rho_1}{1 + (k - 1) \rho_1}

    Parameters
    ----------
    runs
        Scores; or answers checked by an anchor, which score 1 where right and 0 elsewhere.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Reliability
        At most 1, and below 0 where draws of one question differ more than draws of two. `n` is the number
        of questions. Blank where no two draws of a question differ, where nothing varies at all, and for a
        system (or a panel) without repeats.

    Raises
    ------
    InputError
        When answers have no anchor.

    Notes
    -----
    Where the chance to be right is Beta(a, b) over questions, one draw has 1 / (1 + a + b) and k draws
    k / (k + a + b): the two numbers answer different questions and are often quoted for each other. Both
    fall when questions are alike in difficulty: they speak of these questions. A reliable system need not be
    right. Copies of one draw (temperature 0) look perfectly reliable and say nothing about a second draw, so
    they are blank. Between systems, questions that every system scored are used; a system with several draws
    counts as one draw of it. Jackknife intervals are taken on the scale of log F. Cost: a few passes over
    the scores.

    References
    ----------
    Shrout and Fleiss (1979), doi:10.1037/0033-2909.86.2.420 (forms, intervals; table 4 is .17 to .91).
    McGraw and Wong (1996), doi:10.1037/1082-989X.1.1.30; for judges that are models: arXiv:2412.12509.

    Examples
    --------
    >>> scores = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    >>> table = ScoreTable(systems=np.array([*"abcd"]), items=np.arange(6), scores=scores[:, :, None],
    ...                    key=np.full(6, np.nan))
    >>> got = reliability(table).raters.where(null_kind="")
    >>> [round(row.value, 4) for row in got.rows()]
    [0.1657, 0.2898, 0.7148, 0.4428, 0.6201, 0.9093]
    """
    table = scores_of(runs)
    own = [row for place in range(table.systems.size) for row in _own(table, place, confidence)]
    kept = table.complete()
    rows, by_f = _raters(kept, confidence)
    notes = (
        "the reliability of one draw and of the mean of k are different numbers",
        f"{kept.items.size} of {table.items.size} questions have scores of every system",
    )

    def made(
        name: str, method: str, axes: dict[str, list[object]], found: list[Interval], nulls: list[str]
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={axis: np.array(values, dtype=object) for axis, values in axes.items()},
            interval_method=method,
            confidence=confidence,
            notes=notes,
            null_kind=nulls,
            **columns_of(found),
        )

    method = "jackknife over questions, log F"
    return Reliability(
        own=made(
            INSTRUMENT,
            method,
            {"system": [row[0] for row in own], "draws": [row[1] for row in own]},
            [row[2] for row in own],
            [row[3] for row in own],
        ),
        raters=made(
            f"{INSTRUMENT}.raters",
            method,
            {"form": [row[0] for row in rows]},
            [row[1] for row in rows],
            [row[2] for row in rows],
        ),
        by_f=made(
            f"{INSTRUMENT}.raters_by_f",
            "F distribution, normal scores",
            {"form": list(FORMS)},
            by_f,
            [""] * len(FORMS),
        ),
    )


def _own(table: ScoreTable, place: int, confidence: float) -> list[tuple[str, int, Interval, str]]:
    """Reliability of one draw and of k, and where coin tosses would fall; nothing without repeats."""
    system = table.of_system(place)
    runs = system.runs[0].astype(np.float64)
    here = runs > 0
    if not (runs >= 2).any():
        return []
    name, q = str(table.systems[place]), int(here.sum())
    scores = system.scores[0][here]
    # the origin does not matter; near the data there is less rounding
    scores = scores - np.nanmean(scores)
    whole, left = one_way(np.nansum(scores, axis=1), np.nansum(scores**2, axis=1), runs[here])
    draws = max(2, round(float(whole.runs))) if q > 1 else 2
    reason = _nothing(float(whole.between), float(whole.within), q)
    if reason:
        return [(name, k, _blank(reason, q), "") for k in (1, draws)]
    start = float(whole.runs)
    one = _interval(np.log(float(whole.ratio)) if whole.ratio > 0 else -np.inf, left.ratio, start, confidence)
    found = [(name, 1, one, ""), (name, draws, _stepped(one, draws), "")]
    low, high = chance_range(q, float(runs.sum() - q), start, confidence=confidence)
    null = Interval(value=0.0, low=low, high=high, n=float(q))
    return [*found, (name, 1, null, NO_RELIABILITY), (name, draws, _stepped(null, draws), NO_RELIABILITY)]


def _nothing(between: float, within: float, questions: int) -> str:
    if questions < 2:
        return "it takes two questions"
    if within == 0 and between == 0:
        return "every score is the same: nothing varies"
    return "no two draws of a question differ: copies say nothing about another draw" if within == 0 else ""


def _interval(whole: float, ratios: Float[np.ndarray, " q"], runs: float, confidence: float) -> Interval:
    """Jackknife on log F, given back as a reliability."""
    value = float(narrowed(whole, runs))
    n = float(ratios.size)
    if np.isinf(whole) or not (ratios > 0).all():
        return Interval(value=value, low=np.nan, high=np.nan, n=n)
    got = jackknife_interval(whole, np.log(ratios), confidence=confidence)
    low, high = (float(narrowed(end, runs)) for end in (got.low, got.high))
    return Interval(value=value, low=low, high=high, n=n)


def _stepped(one: Interval, draws: float) -> Interval:
    value, low, high = (float(stepped_up(end, draws)) for end in (one.value, one.low, one.high))
    if np.isnan(value):
        return Interval.blank(
            one.blank_reason or "draws avoid each other as much as they can: their mean is flat"
        )
    return Interval(value=value, low=low, high=high, n=one.n)


def _blank(reason: str, n: int) -> Interval:
    return Interval(value=np.nan, low=np.nan, high=np.nan, n=float(n), blank_reason=reason)


def _raters(table: ScoreTable, confidence: float) -> tuple[list[tuple[str, Interval, str]], list[Interval]]:
    k, q = table.systems.size, table.items.size
    if k < 2 or q < 3:
        reason = "it takes two systems" if k < 2 else "fewer than three questions have scores of every system"
        blanks = [Interval.blank(reason)] * len(FORMS)
        return [(form, blank, "") for form, blank in zip(FORMS, blanks, strict=True)], blanks
    whole, left = two_way(table.mean, table.noise)
    rows: list[tuple[str, Interval, str]] = []
    by_f: list[Interval] = []
    low, high = chance_range(q, float((q - 1) * (k - 1)), k, confidence=confidence)
    null = Interval(value=0.0, low=low, high=high, n=float(q))
    for form in FORMS:
        one, ends = _form(whole, left, form, confidence)
        rows.append((form, one, ""))
        by_f.append(
            Interval(value=one.value, low=ends[0], high=ends[1], n=one.n, blank_reason=one.blank_reason)
        )
        rows.append((form, _stepped(null, k) if form.endswith("k") else null, NO_RELIABILITY))
    return rows, by_f


def _form(whole: TwoWay, left: TwoWay, form: str, confidence: float) -> tuple[Interval, tuple[float, float]]:
    k, single = whole.raters, f"{form[0]},1"
    below = whole.within if form[0] == "1" else whole.error
    reason = _nothing(float(whole.rows), float(below), whole.questions)
    if reason:
        reason = reason.replace("two draws of a question differ", "two systems differ on a question")
        return _blank(reason.replace("another draw", "another system"), whole.questions), (np.nan, np.nan)
    with np.errstate(divide="ignore"):
        log_ratio = float(widened(np.asarray(whole.single(single)), k))
        ratios = np.exp(widened(left.single(single), k))
    one = _interval(log_ratio, ratios, k, confidence)
    ends = f_interval(whole, form, confidence=confidence)
    return (_stepped(one, k) if form.endswith("k") else one), ends
