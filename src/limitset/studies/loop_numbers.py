"""How sure are the numbers of loops, over their seeds and over their inputs?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from limitset.core.intervals import Interval, columns_of, jackknife_interval, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.studies.loop_cells import CELLS_VERSION

LOOPS: Final = {
    ("none", "start"): "plain",
    ("post", "start"): "norm",
    ("none", "additive"): "injection",
    ("post", "additive"): "norm + injection",
}
"""Norm and injection to the name of the cell in charts."""
DRAWN: Final = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 160, 250, 400)
"""Steps at which the curve is drawn."""


def over_seeds(
    values: Float[np.ndarray, " s"],
    confidence: float,
    *,
    least: float = 0.0,
    ends: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Interval of a mean over seeds.

    Parameters
    ----------
    values : (s,)
        One number a seed, two or more.
    confidence
        Coverage aimed at, in (0, 1).
    least
        The spread between seeds is never taken below this one, the spread that the inputs alone give: seeds
        that all say 0 do not make the mean certain.
    ends
        Ends of the scale.

    Returns
    -------
    Interval
        A t interval; n is the number of seeds.

    Examples
    --------
    >>> got = over_seeds(np.zeros(4), 0.95, least=0.1, ends=(0.0, 1.0))
    >>> got.low, round(got.high, 3)  # 3.182 * .1 / 2
    (0.0, 0.159)
    """
    n = values.size
    mean = float(values.mean())
    got = jackknife_interval(mean, (values.sum() - values) / (n - 1), confidence=confidence)
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * least / np.sqrt(n)
    half = max(half, got.high - mean)
    low, high = max(mean - half, min(ends[0], mean)), min(mean + half, max(ends[1], mean))
    return Interval(value=mean, low=float(low), high=float(high), n=float(n))


def over_inputs(rows: Bool[np.ndarray, " n"], confidence: float) -> Interval:
    """Interval of the share of inputs for which something holds (Wilson).

    Examples
    --------
    >>> over_inputs(np.array([True, False]), 0.95).value
    0.5
    """
    return wilson(float(np.count_nonzero(rows)), float(rows.size), confidence=confidence)


def difference_of(first: Interval, second: Interval) -> Interval:
    """Interval of the difference of two independent shares from theirs: squared lengths add.

    Examples
    --------
    >>> a = Interval(value=0.9, low=0.6, high=1.0, n=4)
    >>> b = Interval(value=0.1, low=0.0, high=0.5, n=3)
    >>> got = difference_of(a, b)  # .3 and .4 down, .1 and .1 up
    >>> round(got.value, 2), round(got.low, 2), round(got.high, 4)
    (0.8, 0.3, 0.9414)
    """
    value = first.value - second.value
    down = float(np.hypot(first.value - first.low, second.high - second.value))
    up = float(np.hypot(first.high - first.value, second.value - second.low))
    return Interval(value=value, low=value - down, high=value + up, n=min(first.n, second.n))


def residual_curve(cells: Mapping[str, np.ndarray], *, gain: float) -> MeasurementTable:
    """Return the relative step of blocks of one gain, mean over seeds of the logarithm; axes loop, step.

    Parameters
    ----------
    cells
        Rows of blocks (`studies.loop_cells.CELL_KINDS`).
    gain
        Of which blocks.
    """
    keys, intervals = [], []
    for (norm, injection), name in LOOPS.items():
        fits = (cells["norm"] == norm) & (cells["injection"] == injection) & (cells["gain"] == gain)
        logs = np.log(np.array([list(one) for one in cells["residuals"][fits]]))
        for step in DRAWN:
            column = logs[:, step - 1] if logs.shape[-1] >= step else np.empty(0)
            known = column[np.isfinite(column)]
            if known.size < 2:
                continue
            mean = float(known.mean())
            got = jackknife_interval(mean, (known.sum() - known) / (known.size - 1))
            low, value, high = (float(one) for one in np.exp([got.low, got.value, got.high]))
            keys.append((name, step))
            intervals.append(Interval(value=value, low=low, high=high, n=got.n))
    return MeasurementTable(
        instrument="loop cells",
        version=CELLS_VERSION,
        level=Level.HIDDEN,
        axes={
            "loop": np.array([name for name, _ in keys], dtype=object),
            "step": np.array([step for _, step in keys]),
        },
        interval_method="t over seeds, of the logarithm",
        parameters={"gain": gain},
        **columns_of(intervals),
    )
