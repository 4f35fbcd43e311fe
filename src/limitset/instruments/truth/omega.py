"""How much of a panel's mean score is the one thing that all its raters see?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.one_factor import Standardised, curvature, mean_correlation, one_factor, standardised
from limitset.core.results import MeasurementTable
from limitset.core.scores import ScoreTable, scores_of
from limitset.core.tallies import Tallies

INSTRUMENT = "omega_total"
VERSION = 1

COPIES = 1 - 1e-9
"""Two raters that correlate more than this are one."""
SHUFFLED = "shuffled"
"""Null: every rater's scores handed to other questions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OmegaTotal:
    """Reliability of the sum of raters that may see the common thing unequally well.

    Parameters
    ----------
    values
        Axis `coefficient`: "omega_total" and "alpha" (Cronbach's, which takes all loadings to be equal), at
        most 1. Rows with null_kind "shuffled": mean and 95 % range of omega when raters have nothing in
        common.
    loadings
        Axis `system`: correlation of a rater with the common thing, signs kept.
    """

    values: MeasurementTable
    loadings: MeasurementTable


def omega_total(
    runs: Tallies | ScoreTable,
    *,
    rng: np.random.Generator,
    shuffles: int = 39,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> OmegaTotal:
    r"""McDonald's omega with the systems as raters and the questions as subjects.

    .. math:: \omega = \frac{(\sum_i l_i)^2}{(\sum_i l_i)^2 + \sum_i (1 - l_i^2)}

    Parameters
    ----------
    runs
        Scores; or answers checked by an anchor, which score 1 where right and 0 elsewhere. Questions that
        every system scored are used; raters that never vary are left out.
    rng
        Shuffles the questions for the null.
    shuffles
        How often, 2 or more; with 39 the smallest and largest bound 95 %.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    OmegaTotal
        In [0, 1]; near 0 where raters have nothing in common. `n` is the number of questions. Blank below
        three raters; where two raters are copies (correlation 1: temperature 0, or one model twice), for
        copies agree without seeing anything; and where a loading passes 1, for then one factor does not fit.

    Raises
    ------
    InputError
        When `shuffles` is below 2, or answers have no anchor.

    Notes
    -----
    Raters are the columns and questions the rows: the other way round, prompts are correlated over
    independent draws, whose true correlation is 0. Correlations keep their signs; with absolute values
    coin tosses look reliable. A negative loading names a rater that scores against the others. The sum is
    positive by choice of sign, so noise gives a little more than 0: compare with the null. The interval is
    the infinitesimal jackknife over questions, on the logit scale. Cost: questions x raters^2 a fit; one fit
    and one a shuffle.

    References
    ----------
    McDonald (1999), Test Theory: A Unified Treatment, ISBN 0-8058-3075-8, equation 6.20.
    Cronbach (1951), doi:10.1007/BF02310555. Efron (1982), The jackknife, the bootstrap and other resampling
    plans, doi:10.1137/1.9781611970319 (infinitesimal jackknife). As used for judges: arXiv:2412.12509.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> seen = rng.normal(size=500)
    >>> scores = np.stack([0.7 * seen + 0.71 * rng.normal(size=500) for _ in range(4)])
    >>> table = ScoreTable(systems=np.array([*"abcd"]), items=np.arange(500), scores=scores[:, :, None],
    ...                    key=np.full(500, np.nan))
    >>> got = omega_total(table, rng=rng).values
    >>> row = got.one(coefficient="omega_total", null_kind="")
    >>> row.low < 0.79 < row.high, got.one(coefficient="omega_total", null_kind="shuffled").high < row.low
    (True, True)
    """
    if shuffles < 2:
        raise InputError.of(expected="shuffles must be 2 or more", got=shuffles, fix="Raise it.")
    table = scores_of(runs).complete()
    data = standardised(table.mean, table.noise) if table.items.size else None
    names = [str(name) for name in table.systems]
    found = _measured(data, confidence, table.items.size)
    rows = [("omega_total", found[0], ""), ("alpha", found[1], "")]
    if data is not None and not np.isnan(found[1].value):
        rows.append(("omega_total", _null(data, shuffles, rng), SHUFFLED))
    loads = iter(found[2])
    kept = [False] * len(names) if data is None else data.kept.tolist()
    loadings = [next(loads) if varies else Interval.blank("its scores never vary") for varies in kept]

    def made(
        name: str, axis: str, values: list[str], rows: list[Interval], nulls: list[str]
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={axis: np.array(values, dtype=object)},
            interval_method="infinitesimal jackknife over questions",
            confidence=confidence,
            parameters={"shuffles": shuffles},
            notes=(f"{sum(kept)} of {len(kept)} raters vary", f"{table.items.size} questions"),
            null_kind=nulls,
            **columns_of(rows),
        )

    return OmegaTotal(
        values=made(
            INSTRUMENT,
            "coefficient",
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
        ),
        loadings=made(f"{INSTRUMENT}.loadings", "system", names, loadings, [""] * len(names)),
    )


def _measured(
    data: Standardised | None, confidence: float, questions: int
) -> tuple[Interval, Interval, list[Interval]]:
    k = 0 if data is None else data.scores.shape[0]
    if data is None or k < 3 or questions < 3:
        blank = Interval.blank("it takes three raters whose scores vary, and three questions")
        return blank, blank, [blank] * k
    matrix = data.correlation
    np.fill_diagonal(matrix, 0.0)
    alpha = _alpha(data, confidence)
    if matrix.max() >= COPIES:
        blank = Interval.blank("two raters are copies of each other: they agree without seeing anything")
        return blank, blank, [blank] * k
    loads = one_factor(matrix + np.eye(k))
    if np.isnan(loads).any() or (np.abs(loads) >= 1).any():
        blank = Interval.blank("one factor does not fit these correlations (a loading of 1 or more)")
        return blank, alpha, [blank] * k
    try:
        moved = np.linalg.solve(curvature(matrix, loads), -_pulls(data, matrix, loads))
    except np.linalg.LinAlgError:
        moved = np.full(data.scores.shape, np.nan)
    value, slope = _omega(loads)
    each = [_pushed(float(load), row, confidence) for load, row in zip(loads, moved, strict=True)]
    return _on_logit(value, slope @ moved, confidence), alpha, each


def _omega(loads: Float[np.ndarray, " k"]) -> tuple[float, Float[np.ndarray, " k"]]:
    """Omega and its derivative by each loading."""
    common, rest = float(loads.sum()) ** 2, float((1 - np.square(loads)).sum())
    slope = (2 * loads.sum() * rest + 2 * loads * common) / (common + rest) ** 2
    return common / (common + rest), slope


def _pulls(
    data: Standardised, matrix: Float[np.ndarray, "k k"], loads: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "k q"]:
    """How each question moves ``rest @ loads``: by its influence on every correlation."""
    z, squares = data.scores, data.squares
    products = z * (loads @ z) - np.square(z) * loads[:, None]
    return np.asarray(products - 0.5 * squares * (matrix @ loads)[:, None] - 0.5 * (matrix * loads) @ squares)


def _alpha(data: Standardised, confidence: float) -> Interval:
    """Standardised alpha, k r / (1 + (k - 1) r), r the mean correlation."""
    k, q = data.scores.shape
    r, moved = mean_correlation(data)
    value = k * r / (1 + (k - 1) * r)
    # on log(1 - alpha), where the upper end stays below 1
    moved = -moved * (k / (1 + (k - 1) * r) ** 2) / (1 - value) if value < 1 else np.full(q, np.nan)
    got = _pushed(np.log(1 - value) if value < 1 else np.nan, moved, confidence)
    return Interval(value=value, low=float(1 - np.exp(got.high)), high=float(1 - np.exp(got.low)), n=float(q))


def _on_logit(value: float, moved: Float[np.ndarray, " q"], confidence: float) -> Interval:
    if not 0 < value < 1:
        return Interval(value=value, low=np.nan, high=np.nan, n=float(moved.size))
    got = _pushed(np.log(value / (1 - value)), moved / (value * (1 - value)), confidence)
    low, high = (float(1 / (1 + np.exp(-end))) for end in (got.low, got.high))
    return Interval(value=value, low=low, high=high, n=got.n)


def _pushed(value: float, influence: Float[np.ndarray, " q"], confidence: float) -> Interval:
    """Interval from influences: leaving a question out moves the value by -influence / (q - 1)."""
    left = value - influence / max(influence.size - 1, 1)
    return jackknife_interval(float(value), left, confidence=confidence)


def _null(data: Standardised, shuffles: int, rng: np.random.Generator) -> Interval:
    """Mean and range of omega when each rater's scores are handed to other questions."""
    q = data.scores.shape[1]
    found = []
    for _ in range(shuffles):
        scores = rng.permuted(data.scores, axis=1)
        matrix = scores @ scores.T / q
        np.fill_diagonal(matrix, 1.0)
        # noise often drives a loading past 1: left out, those would make the range too narrow
        loads = np.clip(one_factor(matrix), -1, 1)
        if not np.isnan(loads).any():
            found.append(_omega(loads)[0])
    if len(found) < 2:
        return Interval.blank("one factor hardly ever fits noise here")
    return Interval(value=float(np.mean(found)), low=min(found), high=max(found), n=float(q))
