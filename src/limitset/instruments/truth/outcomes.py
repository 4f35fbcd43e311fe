"""How does a run end: right, wrong, abstained, or unreadable?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.intervals import Interval, logit_jackknife, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import NO_STRATUM, Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "outcomes"
VERSION = 1

OUTCOMES = ("right", "wrong", "abstained", "unparsed")
ALL = "all"


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
    UndefinedError
        When an answer has no anchor.

    Notes
    -----
    The interval leaves out one question at a time; where no question, every question, or a single question
    carries an outcome it is Wilson's with questions as units, which is wide enough because a share within a
    question varies no more than a coin.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11, eq. 11.5.
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
    systems = list(dict.fromkeys(str(name) for name in tallies.systems))
    strata = [name for name in tallies.stratum_names() if name != NO_STRATUM]
    rows: list[tuple[str, str, str, Interval]] = []
    for system in [*systems, ALL]:
        shares = _shares(tallies if system == ALL else tallies.of_system(system))
        for stratum in [*strata, ALL]:
            kept = np.ones(tallies.items.size, dtype=bool) if stratum == ALL else tallies.strata == stratum
            for outcome, share in zip(OUTCOMES, shares, strict=True):
                share = share[kept & ~np.isnan(share)]
                rows.append((system, stratum, outcome, _mean(share, confidence)))
    return Outcomes(
        rates=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={
                name: np.array([row[position] for row in rows], dtype=object)
                for position, name in enumerate(("system", "stratum", "outcome"))
            },
            value=np.array([row[3].value for row in rows]),
            low=np.array([row[3].low for row in rows]),
            high=np.array([row[3].high for row in rows]),
            n=np.array([row[3].n for row in rows]),
            blank_reason=["no run of this system in this stratum" if row[3].n == 0 else "" for row in rows],
            interval_method="logit jackknife over questions, Wilson over questions at the ends",
            confidence=confidence,
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


def _mean(share: Float[np.ndarray, " n"], confidence: float) -> Interval:
    # the rest of a share that is 1 up to rounding is dust, not mass
    rest = np.where(share > 1 - 1e-12, 0.0, 1.0 - share)
    share = np.where(share < 1e-12, 0.0, share)
    got = logit_jackknife(share, rest, confidence=confidence)
    if np.isnan(got.low):
        # the degenerate ends: clipped, because rounding may put the sum a hair outside [0, n]
        got = wilson(float(np.clip(share.sum(), 0, share.size)), share.size, confidence=confidence)
    value = float(share.mean()) if share.size else UNDEFINED
    return Interval(value=value, low=max(got.low, 0.0), high=min(got.high, 1.0), n=float(share.size))
