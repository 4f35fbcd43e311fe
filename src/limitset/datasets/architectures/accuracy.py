"""How often is the extractor right, by labels made by hand?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from limitset.core.intervals import columns_of, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.datasets.architectures.features import FEATURES
from limitset.datasets.architectures.table import architectures, gold

MEASURED: Final = "extraction_accuracy"
VERSION: Final = 1


def extraction_accuracy(rounds: tuple[str, ...] = ("fresh",)) -> MeasurementTable:
    """Measure precision and recall of each value of each feature against labels made by hand.

    Parameters
    ----------
    rounds
        Which labels: "mending" was used to mend the extractor, "fresh" was drawn and labelled after that, and
        "rare" was drawn among architectures in which the extractor finds a rare value.

    Returns
    -------
    MeasurementTable
        Axes feature, value and measure (precision, recall); shares in [0, 1] with Wilson intervals, n the
        architectures the extractor gives the value (precision), or the labels do (recall).

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> table = extraction_accuracy()
    >>> table.one(feature="moe", value="yes", measure="precision").n
    5.0
    """
    labels = gold()
    table = architectures()
    found = dict(zip(table.name.tolist(), table.features.tolist(), strict=True))
    kept = [
        (feature, found[name][FEATURES.index(feature)], label)
        for one, name, feature, label in zip(
            labels["round"], labels["name"], labels["feature"], labels["label"], strict=True
        )
        if one in rounds
    ]
    cells: list[tuple[str, str, str]] = []
    shares: list[Any] = []
    for feature in FEATURES:
        pairs = [(got, label) for one, got, label in kept if one == feature]
        for value in sorted({value for pair in pairs for value in pair} - {"no"}):
            hit = sum(pair == (value, value) for pair in pairs)
            for place, measure in enumerate(("precision", "recall")):
                n = sum(pair[place] == value for pair in pairs)
                if n:
                    cells.append((feature, value, measure))
                    shares.append(wilson(float(hit), float(n)))
    return MeasurementTable(
        instrument=MEASURED,
        version=VERSION,
        level=Level.ECOSYSTEM,
        axes={
            name: np.array([cell[place] for cell in cells], dtype=object)
            for place, name in enumerate(("feature", "value", "measure"))
        },
        interval_method="Wilson",
        notes=("n counts architectures",),
        **columns_of(shares),
    )
