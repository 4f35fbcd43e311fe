"""How far off is the mean, or the median, of some of these judges?"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Float, Int

from limitset.core.undefined import UNDEFINED

MOST_SIZES = 12
NEAR = 1 + 1e-9
"""One point off, and what rounding adds."""


def sizes_up_to(judges: int) -> list[int]:
    """Return panel sizes from 1 to all judges, all of them where they are few.

    Examples
    --------
    >>> sizes_up_to(5), sizes_up_to(100)
    ([1, 2, 3, 4, 5], [1, 2, 4, 5, 8, 12, 19, 28, 43, 66, 100])
    """
    if judges <= MOST_SIZES:
        return list(range(1, judges + 1))
    return sorted(set(np.geomspace(1, judges, MOST_SIZES).round().astype(int).tolist()))


def panels_of(
    judges: int, size: int, *, draws: int, rng: np.random.Generator
) -> Int[np.ndarray, "panels size"]:
    """Return every panel of that size, or so many random ones where there are more.

    Examples
    --------
    >>> panels_of(3, 2, draws=10, rng=np.random.default_rng(0)).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    if comb(judges, size) <= draws:
        return np.array(list(combinations(range(judges), size)), dtype=np.int64)
    return np.stack([rng.choice(judges, size, replace=False) for _ in range(draws)])


def panel_errors(
    errors: Float[np.ndarray, "m q r"],
    panels: Int[np.ndarray, "panels size"],
) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Mean absolute error by question of the panels' mean and of their median, one draw of each judge.

    Parameters
    ----------
    errors : (m, q, r)
        Score minus key of each run, NaN where there is none; every judge has one a question at least.
    panels : (panels, size)
        Judges of each panel. Panel p takes the p-th draw of its judges, counted around.

    Examples
    --------
    >>> mean, median = panel_errors(np.array([[[0.0]], [[3.0]], [[0.0]]]), np.array([[0, 1, 2]]))
    >>> mean.tolist(), median.tolist()
    ([1.0], [0.0])
    """
    runs = np.maximum((~np.isnan(errors)).sum(axis=2), 1)
    packed = np.take_along_axis(errors, np.argsort(np.isnan(errors), axis=2, kind="stable"), axis=2)
    mean, median = np.zeros(errors.shape[1]), np.zeros(errors.shape[1])
    for place, panel in enumerate(panels):
        which = place % runs[panel]
        drawn = np.take_along_axis(packed[panel], which[:, :, None], axis=2)[:, :, 0]
        mean += np.abs(drawn.mean(axis=0))
        median += np.abs(np.median(drawn, axis=0))
    return mean / len(panels), median / len(panels)


def without_each(errors: Float[np.ndarray, "m q"]) -> Float[np.ndarray, "m q"]:
    """Change of the absolute error of the mean by question when each judge is left out.

    Examples
    --------
    >>> without_each(np.array([[0.0], [3.0]])).tolist()
    [[1.5], [-1.5]]
    """
    judges, total = errors.shape[0], errors.sum(axis=0)
    if judges < 2:
        return np.full(errors.shape, UNDEFINED)
    return np.asarray(np.abs((total - errors) / (judges - 1)) - np.abs(total / judges))


def against_other_keys(
    own: Float[np.ndarray, "q r"], key: Float[np.ndarray, " q"]
) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Absolute error, and share within one point, of a judge's scores against the keys of other questions.

    Parameters
    ----------
    own : (q, r)
        Scores of one judge, NaN where there is none; one a question at least.
    key : (q,)
        Score that the key gives.

    Examples
    --------
    >>> off, near = against_other_keys(np.array([[1.0], [4.0], [2.0]]), np.array([1.0, 4.0, 3.0]))
    >>> off.tolist(), near.tolist()
    ([2.5, 2.0, 1.5], [0.0, 0.5, 0.5])
    """
    levels, counts = np.unique(key, return_counts=True)
    there = ~np.isnan(own)
    given, place = np.unique(own[there], return_inverse=True)
    apart, itself = np.abs(given[:, None] - levels), np.abs(own - key[:, None])
    found = []
    for table, alone in ((apart, itself), (apart <= NEAR, np.where(there, itself <= NEAR, UNDEFINED))):
        every = np.full(own.shape, UNDEFINED)
        every[there] = (table @ counts)[place.reshape(-1)]
        found.append(np.nanmean(every - alone, axis=1) / max(key.size - 1, 1))
    return found[0], found[1]
