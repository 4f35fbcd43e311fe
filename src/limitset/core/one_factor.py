"""What one thing do raters have in common, by the correlations of their scores?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.undefined import UNDEFINED

_STEPS: Final = 300
_CLOSE: Final = 1e-12
"""Steps of the fit, and the change of a loading at which it stops."""
_NO_FIT: Final = 1.5
"""A loading that passes this is on its way out of every bound."""
NO_VARIANCE: Final = 1e-12
"""A rater whose scores vary less than this leaves the panel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Standardised:
    """Scores of raters on the same questions with mean 0 and variance 1.

    Parameters
    ----------
    kept : (m,)
        Which raters vary at all; the others are left out below.
    scores : (k, q)
        Mean standardised score of a rater on a question.
    squares : (k, q)
        Mean squared standardised score: the square of `scores`, and the variance of single draws.
    """

    kept: np.ndarray
    scores: Float[np.ndarray, "k q"]
    squares: Float[np.ndarray, "k q"]

    @property
    def correlation(self) -> Float[np.ndarray, "k k"]:
        """Correlation over questions of one draw of each of two raters."""
        matrix = self.scores @ self.scores.T / self.scores.shape[1]
        np.fill_diagonal(matrix, 1.0)
        return np.asarray(matrix)


def standardised(scores: Float[np.ndarray, "m q"], noise: Float[np.ndarray, "m q"]) -> Standardised:
    """Standardise single draws: their variance is that of the means and the noise together.

    Parameters
    ----------
    scores, noise : (m, q)
        Mean score of a rater on a question, and the variance of one draw about it.

    Examples
    --------
    >>> got = standardised(np.array([[1.0, 3.0], [2.0, 2.0]]), np.zeros((2, 2)))
    >>> got.kept.tolist(), got.scores.tolist()
    ([True, False], [[-1.0, 1.0]])
    """
    centred = scores - scores.mean(axis=1, keepdims=True)
    squares = np.square(centred) + noise
    variance = squares.mean(axis=1)
    kept = np.asarray(variance > NO_VARIANCE * np.maximum(1.0, np.square(scores).mean(axis=1)))
    scale = np.sqrt(variance[kept])[:, None]
    return Standardised(kept=kept, scores=centred[kept] / scale, squares=squares[kept] / scale**2)


def mean_correlation(data: Standardised) -> tuple[float, Float[np.ndarray, " q"]]:
    r"""Return the mean correlation of two raters, and how much each question moves it.

    .. math:: U_q = \operatorname{mean}_{i \ne j} \big( z_{iq} z_{jq} - r_{ij} (z_{iq}^2 + z_{jq}^2) / 2 \big)

    Returns
    -------
    float, (q,)
        The mean over pairs, NaN below two raters; the influence of each question, of mean 0.

    References
    ----------
    Devlin, Gnanadesikan and Kettenring (1975), doi:10.1093/biomet/62.3.531 (influence on a correlation).

    Examples
    --------
    >>> value, moved = mean_correlation(standardised(np.array([[1.0, 2, 3], [2.0, 4, 6]]), np.zeros((2, 3))))
    >>> round(value, 6), bool(np.allclose(moved, 0))
    (1.0, True)
    """
    k, q = data.scores.shape
    if k < 2:
        return UNDEFINED, np.full(q, UNDEFINED)
    matrix = data.correlation
    pairs = k * (k - 1)
    value = float((matrix.sum() - k) / pairs)
    products = np.square(data.scores.sum(axis=0)) - np.square(data.scores).sum(axis=0)
    return value, np.asarray((products - (matrix.sum(axis=1) - 1) @ data.squares) / pairs)


def one_factor(correlation: Float[np.ndarray, "k k"]) -> Float[np.ndarray, " k"]:
    r"""Return the loadings of one factor by least squares on the correlations off the diagonal.

    .. math:: \min_l \sum_{i < j} (r_{ij} - l_i l_j)^2

    Signs are kept as they are; of the two solutions l and -l the one with the larger sum is returned.

    Parameters
    ----------
    correlation : (k, k)
        Symmetric, 1 on the diagonal, k of 3 or more.

    Returns
    -------
    (k,)
        Loadings, which may pass 1 where no factor fits; NaN where the fit does not settle.

    References
    ----------
    Harman and Jones (1966), Factor analysis by minimizing residuals (minres), doi:10.1007/BF02289468.

    Examples
    --------
    >>> loadings = np.array([0.5, 0.6, 0.7, 0.8])
    >>> matrix = np.outer(loadings, loadings)
    >>> np.fill_diagonal(matrix, 1.0)
    >>> one_factor(matrix).round(6).tolist()
    [0.5, 0.6, 0.7, 0.8]
    """
    rest = correlation - np.diag(np.diag(correlation))
    values, vectors = np.linalg.eigh(correlation)
    loadings = vectors[:, -1] * np.sqrt(max(float(values[-1]) - 1.0, 1e-3))
    loadings = _coordinate_steps(rest, loadings, 50 if len(loadings) <= 60 else 5)
    for _ in range(_STEPS):
        squares = np.square(loadings)
        gradient = rest @ loadings - loadings * (squares.sum() - squares)
        step = _newton(rest, loadings, gradient)
        # a Newton step that climbs is replaced by sweeps that cannot
        moved = loadings + step
        if not np.isfinite(moved).all() or _misfit(rest, moved) > _misfit(rest, loadings) + 1e-15:
            moved = _coordinate_steps(rest, loadings, 1)
        if np.abs(moved).max() > _NO_FIT:
            return np.asarray(moved)  # no factor fits: the misfit falls without end
        done = bool(np.abs(moved - loadings).max() < _CLOSE)
        loadings = moved
        if done:
            return np.asarray(loadings if loadings.sum() >= 0 else -loadings)
    return np.full(loadings.size, UNDEFINED)


def curvature(rest: Float[np.ndarray, "k k"], loadings: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k k"]:
    """Return the derivative of the condition of least squares, ``rest l - l (sum l^2 - l^2) = 0``, by l.

    References
    ----------
    Harman and Jones (1966), doi:10.1007/BF02289468.

    Examples
    --------
    >>> curvature(np.zeros((2, 2)), np.array([1.0, 1.0])).tolist()
    [[-1.0, -2.0], [-2.0, -1.0]]
    """
    matrix = rest - 2 * np.outer(loadings, loadings)
    squares = np.square(loadings)
    np.fill_diagonal(matrix, squares - squares.sum())
    return np.asarray(matrix)


def _newton(rest: np.ndarray, loadings: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(-np.linalg.solve(curvature(rest, loadings), gradient))
    except np.linalg.LinAlgError:
        return np.full(loadings.size, UNDEFINED)


def _coordinate_steps(rest: np.ndarray, loadings: np.ndarray, sweeps: int) -> np.ndarray:
    loadings = loadings.copy()
    for _ in range(sweeps):
        total = float(np.square(loadings).sum())
        for place in range(loadings.size):
            others = total - loadings[place] ** 2
            if others > 0:
                loadings[place] = rest[place] @ loadings / others
            total = others + loadings[place] ** 2
    return loadings


def _misfit(rest: np.ndarray, loadings: np.ndarray) -> float:
    fitted = np.outer(loadings, loadings)
    np.fill_diagonal(fitted, 0.0)
    return float(np.square(rest - fitted).sum())
