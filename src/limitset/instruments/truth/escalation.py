"""Which items should something outside the panel decide, and what would that leave?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limitset.core.errors import InputError
from limitset.core.escalation import agreement_of
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.paired_means import mean_share, ratio_of_sums
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "escalation"
VERSION = 1

QUANTITIES = ("sent", "left", "removed")


@dataclass(frozen=True, kw_only=True, eq=False)
class Escalation:
    """What sending items outside removes.

    Parameters
    ----------
    values
        Axes `quantity`, `threshold`, each in [0, 1]: items are "sent" where fewer than this share of the
        votes agree; "left" is the error of the vote on the items kept; "removed" the share of the vote's
        error that the sent items carry. At threshold 1 only items on which all agree are kept: what is left
        there no agreement can see.
    """

    values: MeasurementTable


def escalation(
    tallies: Tallies, *, comparisons: int = 1, confidence: float = 0.95, level: Level = Level.ANSWER
) -> Escalation:
    r"""Share of items sent, error left and error removed when items with little agreement go outside.

    With b_q the share of votes of the leading answer and e_q its error: ``sent = P(b < t)``,
    ``left = E[e | b >= t]``, ``removed = E[e 1{b < t}] / E[e]``.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor; all runs vote.
    comparisons
        So many thresholds are to hold together (Bonferroni): for a threshold that is chosen by its result.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Escalation
        Thresholds are the shares of votes that occur, at most 16. No rows with one vote a question.

    Raises
    ------
    InputError
        When an answer has no anchor, or `comparisons` is below 1.

    Notes
    -----
    What is outside is taken to be right on what it is sent. Sending items by agreement removes what the
    voters disagree on; the error on which they agree stays, whatever the threshold.

    References
    ----------
    Geifman and El-Yaniv (2017), Selective classification, arXiv:1705.08500 (coverage and selective risk).
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> rng = np.random.default_rng(0)
    >>> tallies = planted_tallies(mixture_world(models=5), questions=400, seeds=1, rng=rng)
    >>> got = escalation(tallies).values
    >>> sent, removed = (got.one(quantity=name, threshold=0.8).value for name in ("sent", "removed"))
    >>> 0.2 < sent < 0.6 and removed > sent
    True
    """
    tallies.require_anchor()
    if comparisons < 1:
        raise InputError.of(expected="comparisons must be 1 or more", got=comparisons, fix="Count them.")
    answered = np.asarray(tallies.runs.sum(axis=0) > 0)
    kept = tallies if answered.all() else tallies.of_questions(answered)
    agreement, clusters = agreement_of(kept), np.unique(kept.clusters, return_inverse=True)[1].reshape(-1)
    sure = 1.0 - (1.0 - confidence) / comparisons
    rows: list[tuple[str, float, Interval]] = []
    for threshold in agreement.levels:
        below = agreement.below(float(threshold)).astype(np.float64)
        error = agreement.error
        # a wrong key moves what is kept and what is removed; what is sent depends on no key
        told = (
            mean_share(below, clusters, confidence=sure),
            ratio_of_sums(
                error * (1 - below), 1 - below, clusters, confidence=sure, anchor_error=kept.key_error
            ),
            ratio_of_sums(error * below, error, clusters, confidence=sure, anchor_error=kept.key_error),
        )
        rows += [(name, float(threshold), one) for name, one in zip(QUANTITIES, told, strict=True)]
    return Escalation(
        values=MeasurementTable(
            instrument=INSTRUMENT,
            version=VERSION,
            level=level,
            axes={
                "quantity": np.array([row[0] for row in rows], dtype=object),
                "threshold": np.array([row[1] for row in rows], dtype=np.float64),
            },
            interval_method="logit jackknife over questions, or a bound",
            confidence=confidence,
            parameters={"comparisons": comparisons},
            notes=("all runs vote", "tied pluralities count the share of wrong answers among the tied"),
            **columns_of([row[2] for row in rows]),
        )
    )
