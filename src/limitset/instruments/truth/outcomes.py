"""How does a run end: right, wrong, abstained, or unreadable?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.intervals import Interval, columns_of, effective_number, logit_jackknife, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "outcomes"
VERSION = 2

OUTCOMES = ("right", "wrong", "abstained", "unparsed")
ALL = "all"
FEWEST = 5
"""With fewer effective questions on one side the jackknife runs away; Wilson does not."""
DUST = 1e-12
"""Rounding left over from sums of shares."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """Shares of the four ways a run can end.

    Parameters
    ----------
    rates
        Axes `system`, `stratum`, `outcome`; values in [0, 1] that sum to 1 over `outcome`. System "all" is
        every run of the design, stratum "all" every question; "all" comes last.
    """

    rates: MeasurementTable


def outcomes(tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER) -> Outcomes:
    """Share of runs that end right, wrong, abstained and unparsed.

    The share is taken within each question first and then averaged over the questions, so that a question
    with many runs counts no more than one with few.

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
    Outcomes
        Shares in [0, 1]; `n` is the number of questions. A run that names an end yet is neither abstained
        nor unparsed counts right or wrong; one without an end counts as unparsed.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    Keys that may be wrong widen the intervals of right and wrong by their chance. The interval leaves out one
    question at a time; where no question, every question, or a single question carries an outcome it is
    Wilson's with questions as units, which is wide enough because a share within a question varies no more
    than a coin.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "p", "q", "q"], system="m", end=["a", "b", "c", None], seed=[0, 1, 0, 1],
    ...                right=[1, 0, 0, None])
    >>> outcomes(tallied(ends)).rates.where(system="m").value.tolist()
    [0.25, 0.5, 0.25, 0.0]
    """
    tallies.require_anchor()
    rows: list[tuple[str, str, str, Interval]] = []
    for system in [*dict.fromkeys(str(name) for name in tallies.systems), ALL]:
        for stratum, part in (tallies if system == ALL else tallies.of_system(system)).by_stratum():
            for outcome, share in zip(OUTCOMES, _shares(part), strict=True):
                error = part.key_error if outcome in ("right", "wrong") else 0.0
                rows.append((system, stratum, outcome, _mean(share, confidence, error)))
    axes = {
        name: np.array([row[position] for row in rows], dtype=object)
        for position, name in enumerate(("system", "stratum", "outcome"))
    }
    return Outcomes(
        rates=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes=axes,
            interval_method="logit jackknife over questions, Wilson over questions at the ends",
            confidence=confidence,
            **columns_of([row[3] for row in rows]),
        )
    )


def _shares(tallies: Tallies) -> tuple[Float[np.ndarray, " q"], ...]:
    """Shares of each outcome by question, NaN where a question has no run."""
    runs = tallies.runs.sum(axis=0).astype(np.float64)
    runs[runs == 0] = UNDEFINED
    counts = tallies.counts.sum(axis=0).astype(np.float64)
    right = tallies.by_question(counts * tallies.right) / runs
    wrong = tallies.by_question(counts * ~tallies.right) / runs
    abstained = tallies.abstained.sum(axis=0) / runs
    return right, wrong, abstained, np.maximum(1.0 - right - wrong - abstained, 0.0)


def _mean(share: Float[np.ndarray, " q"], confidence: float, anchor_error: float) -> Interval:
    share = share[~np.isnan(share)]
    if share.size == 0:
        reason = "no run of this system in this stratum"
        return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason=reason)
    # a share that is 0 or 1 up to rounding carries dust, not mass
    share = np.where(share < DUST, 0.0, np.where(share > 1 - DUST, 1.0, share))
    got = logit_jackknife(share, 1.0 - share, confidence=confidence)
    few = min(effective_number(share), effective_number(1.0 - share)) < FEWEST
    if np.isnan(got.low) or few:
        got = wilson(float(share.sum()), share.size, confidence=confidence)
    value = float(share.mean())
    # the closed forms miss the ends by rounding
    low, high = min(got.low, value) - anchor_error, max(got.high, value) + anchor_error
    low, high = max(low, 0.0), min(high, 1.0)
    return Interval(value=value, low=low, high=high, n=float(share.size))
