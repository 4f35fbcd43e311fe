"""When most runs agree on an answer, how often is it wrong?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limitset.core.errors import InputError
from limitset.core.intervals import columns_of, share_or_bound, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.voting import modal

INSTRUMENT = "wrong_when_agreed"
VERSION = 1
THRESHOLDS = (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Shares of eight runs: the smallest design of the packaged studies."""
_ROUNDING = 1e-9
"""A share of 7/9 meets a threshold of 7/9 whatever the last bit says."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WrongWhenAgreed:
    """False consensus by threshold of agreement.

    Parameters
    ----------
    rates
        FCR(tau) = P(modal answer wrong | modal share >= tau), in [0, 1]; axes stratum, threshold.
    coverage
        P(modal share >= tau), in [0, 1]; same axes. A rate is never shown without it.
    """

    rates: MeasurementTable
    coverage: MeasurementTable


def wrong_when_agreed(
    tallies: Tallies,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> WrongWhenAgreed:
    """Share of wrong modal answers among questions on which enough runs agree, over the pooled design.

    ``FCR(tau) = P(a_q wrong | b_q >= tau)`` with a_q the modal answer of all runs and b_q its share.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    thresholds
        Modal shares tau, each in (0, 1].
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    WrongWhenAgreed
        A row a stratum and threshold, all questions last. 0: agreement is always right; 1: always wrong.

    Raises
    ------
    InputError
        When an answer has no anchor, or a threshold lies outside (0, 1].

    Notes
    -----
    Answers that tie for the mode share it evenly. Runs without an answer stay in the denominator of the
    share. The rate belongs to this number of runs: with more runs fewer questions pass by chance. Overall
    rates depend on how many easy questions are in the set; read the strata first.

    References
    ----------
    Geifman and El-Yaniv (2017), arXiv:1705.08500, section 2 (selective risk and coverage).
    Wilson (1927), doi:10.1080/01621459.1927.10502953 (interval of the coverage).

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> panel = planted_tallies(mixture_world(models=9), questions=900, seeds=1, rng=np.random.default_rng(0))
    >>> got = wrong_when_agreed(panel, thresholds=[7 / 9])
    >>> rate, coverage = (table.one(stratum="all", threshold=7 / 9) for table in (got.rates, got.coverage))
    >>> rate.low < 0.1411 < rate.high, coverage.low < 0.6619 < coverage.high
    (True, True)
    """
    tallies.require_anchor()
    outside = [tau for tau in thresholds if not 0 < tau <= 1]
    if outside or not thresholds:
        raise InputError.of(
            expected="thresholds must lie in (0, 1]", got=outside or "none", fix="Give shares of the runs."
        )
    strata, taus, rates, coverages = [], [], [], []
    for stratum, part in tallies.pooled().by_stratum():
        share, wrong = modal(part)
        for tau in thresholds:
            agreed = (share >= tau - _ROUNDING).astype(float)
            strata.append(stratum)
            taus.append(float(tau))
            rates.append(
                share_or_bound(
                    agreed * wrong,
                    agreed * (1 - wrong),
                    confidence=confidence,
                    anchor_error=part.key_error,
                )
            )
            coverages.append(wilson(agreed.sum(), agreed.size, confidence=confidence))
    return WrongWhenAgreed(
        rates=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={"stratum": np.array(strata), "threshold": np.array(taus)},
            interval_method="logit jackknife over questions",
            confidence=confidence,
            parameters={"runs": int(tallies.runs.sum(axis=0).max(initial=0))},
            notes=(
                "answers that tie for the mode share it evenly",
                "overall rates depend on the question mix",
            ),
            **columns_of(rates),
        ),
        coverage=MeasurementTable(
            instrument=f"{INSTRUMENT}.coverage",
            version=VERSION,
            level=level,
            axes={"stratum": np.array(strata), "threshold": np.array(taus)},
            interval_method="Wilson over questions",
            confidence=confidence,
            parameters={"runs": int(tallies.runs.sum(axis=0).max(initial=0))},
            **columns_of(coverages),
        ),
    )
