"""How much do scores vary between questions, between raters, and by chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import stats

FORMS: Final = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
"""Names of the six intraclass correlations of Shrout and Fleiss."""
Numbers = np.ndarray | float
_DUST: Final = 1e-12
"""Rounding left over where sums of squares cancel, relative to all squares."""


@dataclass(frozen=True, kw_only=True)
class OneWay:
    """Mean squares of runs within questions; numbers, or arrays with one question left out in turn.

    Parameters
    ----------
    between, within
        Mean squares.
    runs
        Runs a question: their number where it is the same everywhere, else n0 of the unbalanced analysis.
    """

    between: Float[np.ndarray, "*q"]
    within: Float[np.ndarray, "*q"]
    runs: Float[np.ndarray, "*q"]

    @property
    def ratio(self) -> Float[np.ndarray, "*q"]:
        """F: 1 where questions differ no more than runs of one question do; NaN where nothing varies."""
        return _over(self.between, self.within)


@dataclass(frozen=True, kw_only=True)
class TwoWay:
    """Mean squares of a table of questions (rows) by raters (columns); numbers or arrays as in `OneWay`.

    Parameters
    ----------
    rows, columns, error, within
        Mean squares between questions, between raters, of what is left, and within questions.
    questions, raters
        Sizes of the table.
    """

    rows: Float[np.ndarray, "*q"]
    columns: Float[np.ndarray, "*q"]
    error: Float[np.ndarray, "*q"]
    within: Float[np.ndarray, "*q"]
    questions: int
    raters: int

    def single(self, form: str) -> Float[np.ndarray, "*q"]:
        """Return the reliability of one rater: form "1,1", "2,1" or "3,1"; NaN where nothing varies.

        References
        ----------
        Shrout and Fleiss (1979), doi:10.1037/0033-2909.86.2.420, equations of ICC(1,1), ICC(2,1), ICC(3,1).
        """
        k, n = self.raters, self.questions
        if form[0] == "1":
            return _over(self.rows - self.within, self.rows + (k - 1) * self.within)
        extra = k * (self.columns - self.error) / n if form[0] == "2" else 0.0
        return _over(self.rows - self.error, self.rows + (k - 1) * self.error + extra)


def one_way(
    total: Float[np.ndarray, " q"], squares: Float[np.ndarray, " q"], runs: Float[np.ndarray, " q"]
) -> tuple[OneWay, OneWay]:
    """Return the mean squares of all questions, and with each question left out.

    Parameters
    ----------
    total, squares, runs : (q,)
        Sum of the scores of a question, sum of their squares, and how many there are (1 or more).

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, doi:10.1002/9780470316856, chapter 3
    (unbalanced one-way analysis).

    Examples
    --------
    >>> whole, _ = one_way(np.array([2.0, 0.0, 1.0]), np.array([2.0, 0.0, 1.0]), np.array([2.0, 2.0, 2.0]))
    >>> float(whole.between), round(float(whole.within), 4), float(whole.runs)
    (0.5, 0.1667, 2.0)
    """
    n, parts = float(total.size), np.square(total) / runs
    sums = np.array([total, squares, runs, np.square(runs), parts])
    whole = _one_way(sums.sum(axis=1), n)
    return whole, _one_way(sums.sum(axis=1, keepdims=True) - sums, n - 1)


def _one_way(sums: np.ndarray, n: float) -> OneWay:
    total, squares, count, counts, parts = sums
    grand = _over(np.square(total), count)
    between = _cleaned(parts - grand, squares)
    within = _cleaned(squares - parts, squares)
    degrees = np.asarray(count - n)
    return OneWay(
        between=_over(between, np.asarray(n - 1.0)),
        within=_over(within, degrees),
        runs=_over(count - _over(counts, count), np.asarray(n - 1.0)),
    )


def two_way(scores: Float[np.ndarray, "k q"], noise: Float[np.ndarray, "k q"]) -> tuple[TwoWay, TwoWay]:
    """Return the mean squares that one draw of each rater is expected to have, whole and leave-one-out.

    Parameters
    ----------
    scores : (k, q)
        Mean score of each rater on each question.
    noise : (k, q)
        Variance of one draw about that mean; 0 where a rater has a single run.

    References
    ----------
    Shrout and Fleiss (1979), doi:10.1037/0033-2909.86.2.420, table 1.

    Examples
    --------
    >>> table = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    >>> whole, _ = two_way(table, np.zeros_like(table))
    >>> round(float(whole.rows), 2), round(float(whole.columns), 2), round(float(whole.error), 2)
    (11.24, 32.49, 1.02)
    """
    k, q = scores.shape
    # the origin does not matter to the mean squares; near the data there is less rounding
    scores = scores - scores.mean()
    by_rater, by_question = scores.sum(axis=1), scores.sum(axis=0)
    squares = (np.square(scores) + noise).sum(axis=0)
    noises, lone = noise.sum(axis=0), np.square(scores).sum(axis=0)
    columns = float(np.square(by_rater).sum())
    whole = _two_way(
        squares.sum(),
        np.square(by_question).sum(),
        by_question.sum(),
        columns,
        noise=noises.sum(),
        shape=(k, q),
    )
    left = _two_way(
        squares.sum() - squares,
        np.square(by_question).sum() - np.square(by_question),
        by_question.sum() - by_question,
        columns - 2 * (by_rater @ scores) + lone,
        noise=noises.sum() - noises,
        shape=(k, q - 1),
    )
    return whole, left


def _two_way(
    squares: Numbers,
    by_question: Numbers,
    total: Numbers,
    by_rater: Numbers,
    *,
    noise: Numbers,
    shape: tuple[int, int],
) -> TwoWay:
    k, q = shape
    size = np.asarray(float(k * q))
    grand = _over(np.square(total) + noise, size)
    rows = _cleaned((by_question + noise) / k - grand, squares)
    columns = _cleaned(_over(by_rater + noise, np.asarray(float(q))) - grand, squares)
    every = _cleaned(squares - grand, squares)
    error = _cleaned(every - rows - columns, squares)
    return TwoWay(
        rows=_over(rows, np.asarray(q - 1.0)),
        columns=_over(columns, np.asarray(k - 1.0)),
        error=_over(error, np.asarray((q - 1.0) * (k - 1.0))),
        within=_over(error + columns, np.asarray(q * (k - 1.0))),
        questions=q,
        raters=k,
    )


def stepped_up(
    reliability: Float[np.ndarray, "*n"] | float, draws: Float[np.ndarray, "*n"] | float
) -> Float[np.ndarray, "*n"]:
    r"""Reliability of the mean of `draws` draws, from that of one.

    .. math:: \rho_k = k \rho / (1 + (k - 1) \rho)

    References
    ----------
    Spearman (1910), doi:10.1111/j.2044-8295.1910.tb00206.x; Brown (1910),
    doi:10.1111/j.2044-8295.1910.tb00207.x.

    Examples
    --------
    >>> round(float(stepped_up(1 / 3, 100)), 4)  # items whose chance is Beta(1, 1): 100 / 102
    0.9804
    """
    rho = np.asarray(reliability, dtype=np.float64)
    return _over(draws * rho, 1.0 + (np.asarray(draws) - 1.0) * rho)


def draws_for(reliability: float, *, target: float) -> float:
    """Return how many draws bring the reliability of their mean to the target; NaN where none do.

    References
    ----------
    Spearman (1910), doi:10.1111/j.2044-8295.1910.tb00206.x, solved for the number of draws.

    Examples
    --------
    >>> draws_for(0.5, target=0.9)
    9.0
    """
    if not 0 < reliability < 1:
        return 1.0 if reliability >= 1 else float("nan")
    # rounding must not ask for a tenth draw where nine are exact
    return float(max(1.0, np.ceil(target * (1 - reliability) / ((1 - target) * reliability) - 1e-9)))


def widened(reliability: Float[np.ndarray, "*n"], raters: float) -> Float[np.ndarray, "*n"]:
    """Return log F of a reliability: the scale on which its jackknife is closest to normal.

    References
    ----------
    Fisher (1925), Statistical Methods for Research Workers, ISBN 0-05-002170-2, section 39.

    Examples
    --------
    >>> round(float(widened(np.array(0.5), 2.0)), 4), float(widened(np.array(0.0), 4.0))
    (1.0986, 0.0)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log((1.0 + (raters - 1.0) * reliability) / (1.0 - reliability)))


def narrowed(log_ratio: Float[np.ndarray, "*n"] | float, raters: float) -> Float[np.ndarray, "*n"]:
    """Undo `widened`.

    References
    ----------
    As `widened`.

    Examples
    --------
    >>> round(float(narrowed(np.log(3.0), 2.0)), 6)
    0.5
    """
    # from a ratio of e^500 on the reliability is 1 in every digit
    ratio = np.exp(np.minimum(log_ratio, 500.0))
    return np.asarray((ratio - 1.0) / (ratio + raters - 1.0))


def f_interval(mean_squares: TwoWay, form: str, *, confidence: float) -> tuple[float, float]:
    """Interval of an intraclass correlation when scores are normal.

    References
    ----------
    Shrout and Fleiss (1979), doi:10.1037/0033-2909.86.2.420, confidence intervals of each form.

    Examples
    --------
    >>> table = np.array([[9.0, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])
    >>> whole, _ = two_way(table, np.zeros_like(table))
    >>> [round(end, 3) for end in f_interval(whole, "1,1", confidence=0.95)]
    [-0.133, 0.723]
    """
    n, k, side = mean_squares.questions, mean_squares.raters, 0.5 + confidence / 2
    if form[0] == "2":
        low, high = _two_random(mean_squares, side)
    else:
        one_way = form[0] == "1"
        below = mean_squares.within if one_way else mean_squares.error
        degrees = n * (k - 1) if one_way else (n - 1) * (k - 1)
        ratio = float(_over(mean_squares.rows, below))
        ends = ratio / stats.f.ppf(side, n - 1, degrees), ratio * stats.f.ppf(side, degrees, n - 1)
        low, high = (float((end - 1) / (end + k - 1)) for end in ends)
    if form.endswith("k"):
        low, high = (float(stepped_up(end, k)) for end in (low, high))
    return low, high


def _two_random(mean_squares: TwoWay, side: float) -> tuple[float, float]:
    n, k = mean_squares.questions, mean_squares.raters
    rows, columns, error = (
        float(one) for one in (mean_squares.rows, mean_squares.columns, mean_squares.error)
    )
    rho = float(mean_squares.single("2,1"))
    ratio = columns / error
    weight = n * (1 + (k - 1) * rho) - k * rho
    top = (k - 1) * (n - 1) * (k * rho * ratio + weight) ** 2
    degrees = top / ((n - 1) * k**2 * rho**2 * ratio**2 + weight**2)
    below, above = stats.f.ppf(side, n - 1, degrees), stats.f.ppf(side, degrees, n - 1)
    rest = k * columns + (k * n - k - n) * error
    low = n * (rows - below * error) / (below * rest + n * rows)
    high = n * (above * rows - error) / (rest + n * above * rows)
    return float(low), float(high)


def chance_range(questions: int, degrees: float, raters: float, *, confidence: float) -> tuple[float, float]:
    """Range of the one-draw reliability when there is none: raters that toss coins.

    References
    ----------
    Shrout and Fleiss (1979), doi:10.1037/0033-2909.86.2.420 (F of scores without reliability).

    Examples
    --------
    >>> [round(end, 2) for end in chance_range(101, 100.0, 2.0, confidence=0.95)]
    [-0.19, 0.19]
    """
    side = 0.5 + confidence / 2
    ends = (1 / stats.f.ppf(side, degrees, questions - 1), stats.f.ppf(side, questions - 1, degrees))
    low, high = (float((end - 1) / (end + raters - 1)) for end in ends)
    return low, high


def _cleaned(sums: Numbers, squares: Numbers) -> np.ndarray:
    """Turn what rounding leaves of a sum of squares into 0."""
    return np.asarray(np.where(np.abs(sums) <= _DUST * np.abs(squares), 0.0, sums))


def _over(top: Numbers, bottom: Numbers) -> np.ndarray:
    """Divide; NaN where the denominator is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64))
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom != 0)
    return out
