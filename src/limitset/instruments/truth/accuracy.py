"""How often is each system right, and how sure is that with questions that come in clusters?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limitset.core.clusters import ClusteredShares, clustered_shares, design_effect
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.system_shares import SystemShares, system_shares
from limitset.core.tallies import NO_STRATUM, Tallies

INSTRUMENT = "accuracy"
VERSION = 1
SILENT = ("abstained", "unparsed")
NO_RUN = "no run of this system in this stratum"
METHOD = "logit jackknife over clusters of questions; a bound where fewer than five carry a side"


@dataclass(frozen=True, kw_only=True, eq=False)
class Accuracy:
    """Share right of every system, what gave no answer, and what clusters do to the interval.

    Parameters
    ----------
    right
        Share right, in [0, 1]; axes system, stratum, all questions last.
    silent
        Share of runs without an answer, in [0, 1]; axes system, outcome ("abstained", "unparsed").
    design_effect
        Variance with clusters over variance without, 0 or more; axis system. Blank where each question
        stands alone.
    """

    right: MeasurementTable
    silent: MeasurementTable
    design_effect: MeasurementTable


def accuracy(tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER) -> Accuracy:
    r"""Mean over questions of the share of runs that are right, with clusters of questions as units.

    .. math:: \hat p = \frac{1}{Q} \sum_q \frac{r_q}{n_q}

    r_q of the n_q runs of question q are right; runs that abstain or cannot be read stay in n_q.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer right or wrong. `tallies.clusters` numbers the passage,
        document or conversation of each question.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    Accuracy
        1: always right. `n` is the effective number of clusters (of questions where each stands alone).

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    The interval leaves out whole clusters, each with all of its questions and runs. Where fewer than five
    clusters are not all right (or not all wrong), the interval is a one-sided bound. A key that may be wrong
    moves both ends by its chance. Misleads when strata are mixed: the overall row is a mixture that somebody
    chose. Intervals of two systems may overlap although one is surely better: compare them on the same
    questions (`paired_comparison`).

    References
    ----------
    Miller (2024), Adding error bars to evals, arXiv:2411.00640 (clustered standard errors);
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife);
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (design effect).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[f"q{n}" for n in range(40)], system="m", end=["x", "y", "x", "x"] * 10,
    ...                right=[1, 0, 1, 1] * 10)
    >>> got = accuracy(tallied(ends)).right.one(system="m", stratum="all")
    >>> got.value, round(got.low, 2), round(got.high, 2)
    (0.75, 0.56, 0.88)
    """
    shares = system_shares(tallies)
    strata = [name for name in tallies.stratum_names() if name != NO_STRATUM]
    masks = [(name, np.asarray(tallies.strata == name)) for name in strata]
    masks.append((NO_STRATUM, np.ones(tallies.items.size, dtype=bool)))
    found = [
        _mean(shares.right[:, mask], tallies.of_questions(mask), confidence, key=True) for _, mask in masks
    ]
    silent = [_mean(getattr(shares, name), tallies, confidence, key=False) for name in SILENT]
    rows = shares.systems.size
    clustered = np.unique(tallies.clusters).size < tallies.items.size
    notes: tuple[str, ...] = ("runs without an answer count as not right",)
    if clustered:
        notes = (*notes, "n counts clusters of questions")
    return Accuracy(
        right=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={
                "system": np.repeat(shares.systems, len(masks)),
                "stratum": np.tile(np.array([name for name, _ in masks], dtype=object), rows),
            },
            interval_method=METHOD,
            confidence=confidence,
            notes=notes,
            **columns_of(_interleaved(found)),
        ),
        silent=MeasurementTable(
            instrument=f"{INSTRUMENT}.silent",
            version=VERSION,
            level=level,
            axes={
                "system": np.repeat(shares.systems, len(SILENT)),
                "outcome": np.tile(np.array(SILENT, dtype=object), rows),
            },
            interval_method=METHOD,
            confidence=confidence,
            **columns_of(_interleaved(silent)),
        ),
        design_effect=MeasurementTable(
            instrument=f"{INSTRUMENT}.design_effect",
            version=VERSION,
            level=level,
            axes={"system": shares.systems},
            interval_method="jackknife over clusters, log scale",
            confidence=confidence,
            notes=("n counts clusters of questions",),
            **columns_of(_effects(shares, tallies, confidence)),
        ),
    )


def _mean(shares: np.ndarray, tallies: Tallies, confidence: float, *, key: bool) -> list[Interval]:
    error = tallies.key_error if key else 0.0
    got: ClusteredShares = clustered_shares(
        shares, tallies.clusters, confidence=confidence, anchor_error=error
    )
    return got.intervals(NO_RUN)


def _effects(shares: SystemShares, tallies: Tallies, confidence: float) -> list[Interval]:
    return [design_effect(row, tallies.clusters, confidence=confidence) for row in shares.right]


def _interleaved(tables: list[list[Interval]]) -> list[Interval]:
    """Put the rows of one system together."""
    return [one for rows in zip(*tables, strict=True) for one in rows]
