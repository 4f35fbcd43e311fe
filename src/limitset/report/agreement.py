"""On how many questions do this many runs agree, right or wrong?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limitset.core.intervals import columns_of, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

THRESHOLDS = (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)


def agreement_coverage(tallies: Tallies, *, thresholds: Sequence[float] = THRESHOLDS) -> MeasurementTable:
    """Share of questions whose commonest answer holds at least this share of the runs.

    Needs no anchor, and says nothing about what is right.

    Parameters
    ----------
    tallies
        Counts of runs; all cells are pooled.
    thresholds
        Shares of runs, in (0, 1].

    Returns
    -------
    MeasurementTable
        Axes stratum, threshold; n counts questions.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953 (interval).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "p", "q", "q"], system="m", end=["a", "a", "b", "c"], seed=[0, 1, 0, 1])
    >>> agreement_coverage(tallied(ends), thresholds=[0.5, 1.0]).value.tolist()
    [1.0, 0.5]
    """
    pooled = tallies.pooled()
    largest = np.zeros(pooled.items.size)
    np.maximum.at(largest, pooled.class_item, pooled.counts[0].astype(float))
    share = largest / np.maximum(pooled.runs[0], 1)
    strata = [name for name in pooled.stratum_names() if name != "all"]
    rows = [
        (name, threshold, wilson(int((share[mask] >= threshold - 1e-9).sum()), int(mask.sum())))
        for name, mask in [
            *((name, pooled.strata == name) for name in strata),
            ("all", np.ones(share.size, dtype=bool)),
        ]
        for threshold in thresholds
    ]
    return MeasurementTable(
        instrument="agreement_coverage",
        version=1,
        level=Level.ANSWER,
        axes={
            "stratum": np.array([row[0] for row in rows], dtype=object),
            "threshold": np.array([row[1] for row in rows]),
        },
        interval_method="Wilson over questions",
        **columns_of([row[2] for row in rows]),
    )
