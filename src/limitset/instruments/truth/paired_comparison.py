"""Which systems are surely better than which, over all pairs at once, and which ranks remain possible?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from limitset.core.clusters import clustered_shares
from limitset.core.comparisons import (
    PairDifferences,
    difference_ends,
    disputable,
    pair_differences,
    simultaneous_quantile,
)
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.system_shares import system_shares
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "paired_comparison"
VERSION = 1
POWER = 0.8
MANY_TIMES = 100.0
"""Beyond this many times the questions, "how many more" is no advice."""
NOTES = (
    "all intervals hold together: over all pairs, not one by one",
    "each pair on its common questions only",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedComparison:
    """Differences of all pairs of systems, and the standings that they allow.

    Parameters
    ----------
    pairs
        Accuracy of `system` less that of `against` on their common questions, in [-1, 1]; axes system,
        against; each pair once, in the order of the systems. `n` is the number of common questions.
    needed
        Questions that would settle each pair with a power of 80 % if the difference is what it seems; same
        axes; blank where it is settled, or where none was seen.
    standings
        Rank of each system by accuracy, 1 the best; axis system; low and high are the ranks that cannot be
        excluded, for all systems at once.
    sets
        Number of different sets of questions that systems were asked; 1: all are compared on the same ones.
    """

    pairs: MeasurementTable
    needed: MeasurementTable
    standings: MeasurementTable
    sets: int

    def between(self, system: str, against: str) -> Measurement:
        """Return the difference of one pair, in the order asked for.

        Raises
        ------
        InputError
            When the two are not a pair of the panel.
        """
        known = self.pairs.where(system=system, against=against)
        if len(known):
            return known.one()
        turned = self.pairs.one(system=against, against=system)
        return Measurement(
            **{
                **{name: getattr(turned, name) for name in turned.__dataclass_fields__},
                "value": -turned.value,
                "low": -turned.high,
                "high": -turned.low,
                "parameters": {**turned.parameters, "system": system, "against": against},
            }
        )


def paired_comparison(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    draws: int = 2000,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> PairedComparison:
    r"""Difference of the accuracies of all pairs on common questions, with intervals that hold together.

    .. math:: d_{ab} = \frac{1}{Q_{ab}} \sum_{q \in a \cap b} (s_{aq} - s_{bq}), \qquad
        \text{rank of } a \in [1 + \#\{b : b \text{ surely better}\},\ m - \#\{b : a \text{ surely better}\}]

    s_aq is the share of the runs of a on q that are right; "surely": its interval excludes 0.

    Parameters
    ----------
    tallies
        Runs by cell and answer class of at least two systems, every answer right or wrong.
    rng
        Signs of the clusters.
    draws
        Draws of signs, 100 or more.
    confidence
        Chance aimed at that all intervals hold, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    PairedComparison
        Positive: `system` is right more often. Pairs without a common question are blank.

    Raises
    ------
    InputError
        When an answer has no anchor, there is one system only, or draws are below 100.

    Notes
    -----
    Clusters of questions are the units. The critical value is the quantile of the largest studentised
    difference over pairs when the signs of clusters are drawn; where pairs have different questions and are
    too many to draw for, it is Bonferroni's. Pairs on different sets of questions may be circular: a above
    b, b above c, c above a. The ranks by accuracy are then on each system's own questions. A key that may be
    wrong widens each interval by its chance times the questions on which it could matter. `needed` takes the
    difference seen for the true one; differences that were picked because they are large shrink.

    References
    ----------
    Miller (2024), Adding error bars to evals, arXiv:2411.00640 (paired differences, power);
    Chernozhukov, Chetverikov and Kato (2013), doi:10.1214/13-AOS1161 (largest of many means);
    Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for ranks, doi:10.1093/restud/rdad006 (standings);
    Bonett and Price (2012), doi:10.3102/1076998611411915 (pairs that hardly differ).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> right = [1] * 90 + [0] * 10 + [1] * 40 + [0] * 60
    >>> ends = Ends.of(item=[f"q{n}" for n in range(100)] * 2, system=["a"] * 100 + ["b"] * 100,
    ...                end=["x" if one else "y" for one in right], right=right)
    >>> got = paired_comparison(tallied(ends), rng=np.random.default_rng(0))
    >>> got.between("b", "a").value, got.standings.one(system="a").high
    (-0.5, 1.0)
    """
    shares = system_shares(tallies)
    systems = shares.systems.size
    if systems < 2 or draws < 100:
        raise InputError.of(
            expected="a comparison takes two systems or more, and 100 draws or more",
            got=f"{systems} and {draws}",
            fix="Join the runs of another system." if systems < 2 else "Raise draws.",
        )
    pairs = pair_differences(shares.right, tallies.clusters)
    critical, method = simultaneous_quantile(
        shares.right, tallies.clusters, pairs, rng=rng, draws=draws, confidence=confidence
    )
    low, high = difference_ends(pairs, critical=critical)
    if (error := tallies.key_error) > 0:
        doubt = error * disputable(shares.right)
        low, high = np.maximum(low - doubt, -1.0), np.minimum(high + doubt, 1.0)
    at = np.triu_indices(systems, 1)
    axes = {"system": shares.systems[at[0]], "against": shares.systems[at[1]]}
    shared: dict[str, Any] = {"version": VERSION, "level": level, "confidence": confidence}
    common = pairs.questions[at]
    blank = np.where(common > 0, "", "no common question")
    return PairedComparison(
        pairs=MeasurementTable(
            instrument=INSTRUMENT,
            axes=axes,
            value=pairs.value[at],
            low=np.where(common > 0, low[at], UNDEFINED),
            high=np.where(common > 0, high[at], UNDEFINED),
            n=common,
            blank_reason=blank,
            interval_method=method,
            parameters={"draws": draws, "pairs": int(common.size)},
            notes=NOTES,
            **shared,
        ),
        needed=_needed(pairs, critical, (low, high), axes, shared),
        standings=_standings(
            shares.right, tallies, (low > 0) & (pairs.questions > 0), shares.systems, shared
        ),
        sets=_sets(~np.isnan(shares.right)),
    )


def _needed(
    pairs: PairDifferences,
    critical: float | np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    axes: dict[str, np.ndarray],
    shared: dict[str, Any],
) -> MeasurementTable:
    """Return questions at which the critical value and the power are met: n ((c + z) error / d)^2."""
    at = np.triu_indices(pairs.questions.shape[0], 1)
    value, error, questions = pairs.value[at], pairs.error()[at], pairs.questions[at]
    c = np.broadcast_to(np.asarray(critical, dtype=np.float64), pairs.questions.shape)[at]
    reach = (c + stats.norm.ppf(POWER)) * error
    seen = (np.abs(value) > 1e-12) & np.isfinite(reach)
    times = np.where(seen, reach / np.where(seen, np.abs(value), 1.0), np.inf) ** 2
    settled = (ends[0][at] > 0) | (ends[1][at] < 0)
    reason = np.full(value.size, "", dtype=object)
    reason[times > MANY_TIMES] = "more than 100 times as many questions"
    reason[~seen] = "no difference seen"
    reason[settled] = "settled"
    known = reason == ""
    needed = np.where(known, questions * np.maximum(np.where(known, times, 1.0), 1.0), UNDEFINED)
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.needed",
        axes=axes,
        value=needed,
        n=questions,
        blank_reason=reason,
        parameters={"power": POWER},
        notes=("if the difference is what it seems", "a projection: it has no interval of its own"),
        **shared,
    )


def _standings(
    right: Float[np.ndarray, "m q"],
    tallies: Tallies,
    above: Bool[np.ndarray, "m m"],
    systems: np.ndarray,
    shared: dict[str, Any],
) -> MeasurementTable:
    value = clustered_shares(right, tallies.clusters).value
    known = np.where(np.isnan(value), -1.0, value)
    ranks = stats.rankdata(-known, method="min").astype(np.float64)
    best, worst = 1.0 + above.sum(axis=0), systems.size - above.sum(axis=1)
    # on different questions a system may stand outside of what its pairs allow
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.standings",
        axes={"system": systems},
        value=ranks,
        low=np.minimum(best, ranks),
        high=np.maximum(worst, ranks).astype(np.float64),
        n=(~np.isnan(right)).sum(axis=1).astype(np.float64),
        interval_method="ranks that no surely decided pair excludes",
        **shared,
    )


def _sets(present: Bool[np.ndarray, "m q"]) -> int:
    """Count the different sets of questions that systems were asked."""
    return int(np.unique(np.packbits(present, axis=1), axis=0).shape[0])
