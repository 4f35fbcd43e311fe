"""How sure is the share of a cell for which only a few seeds speak?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float
from scipy import stats

from limitset.core.errors import InputError
from limitset.core.intervals import Interval


def pooled_intervals(
    shares: Float[np.ndarray, " n"],
    cells: Sequence[Hashable],
    *,
    inputs: float,
    confidence: float = 0.95,
) -> dict[Hashable, Interval]:
    r"""Interval of the mean share of each cell over seeds, with one spread between seeds for all cells.

    .. math:: y = \arcsin \sqrt{p}, \qquad s^2 = \max\Big(\frac{\sum_c \sum_i (y_{ci} - \bar y_c)^2}
        {\sum_c (k_c - 1)}, \frac{1}{4 m}\Big), \qquad \bar y_c \pm t_{\nu} \, s / \sqrt{k_c}

    Parameters
    ----------
    shares : (n,)
        Share of one net, in [0, 1].
    cells : (n,)
        Cell of each net; nets of one cell differ in their seed.
    inputs
        Inputs behind each share (m), 1 or more: the spread is never taken below theirs.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    dict
        Cell to mean share and interval, both in [0, 1]; n is the number of seeds. Ends NaN where no cell has
        two seeds.

    Raises
    ------
    InputError
        When lengths differ or a share is not in [0, 1].

    Notes
    -----
    Two or three seeds cannot show a spread; the spread of all cells together can, on a scale on which shares
    near 0 and 1 spread alike. It is taken to be the same in all cells: a cell that spreads more than the
    others has an interval that is too short, one that spreads less an interval that is too long.

    References
    ----------
    Anscombe (1948), The transformation of Poisson, binomial and negative-binomial data,
    doi:10.1093/biomet/35.3-4.246 (the scale); a pooled variance as in Fisher's analysis of variance.

    Examples
    --------
    >>> shares = np.array([1.0, 0.98, 0.99, 0.0, 0.02, 0.01])
    >>> got = pooled_intervals(shares, ["a", "a", "a", "b", "b", "b"], inputs=100)
    >>> round(got["a"].value, 2), got["a"].low > 0.95, got["b"].high < 0.05
    (0.99, True, True)
    """
    if len(shares) != len(cells) or not ((shares >= 0) & (shares <= 1)).all() or inputs < 1:
        raise InputError.of(
            expected="shares in [0, 1], one a net with its cell, and one input or more",
            got=f"{len(shares)} shares, {len(cells)} cells, {inputs} inputs",
            fix="Leave out nets without a share.",
        )
    angles = np.arcsin(np.sqrt(shares))
    of_cell = {cell: np.array([one == cell for one in cells]) for cell in dict.fromkeys(cells)}
    centres = {cell: float(angles[rows].mean()) for cell, rows in of_cell.items()}
    degrees = sum(int(rows.sum()) - 1 for rows in of_cell.values())
    squares = sum(float(((angles[rows] - centres[cell]) ** 2).sum()) for cell, rows in of_cell.items())
    found = {}
    for cell, rows in of_cell.items():
        seeds, value = int(rows.sum()), float(shares[rows].mean())
        if not degrees:
            found[cell] = Interval(value=value, low=np.nan, high=np.nan, n=float(seeds))
            continue
        spread = np.sqrt(max(squares / degrees, 1 / (4 * inputs)))
        reach = float(stats.t.ppf(0.5 + confidence / 2, degrees)) * spread / np.sqrt(seeds)
        low = float(np.sin(max(centres[cell] - reach, 0.0)) ** 2)
        high = float(np.sin(min(centres[cell] + reach, np.pi / 2)) ** 2)
        # the mean of shares is not the share of the mean angle: the interval must hold it all the same
        found[cell] = Interval(value=value, low=min(low, value), high=max(high, value), n=float(seeds))
    return found
