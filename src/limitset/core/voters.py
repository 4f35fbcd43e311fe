"""How do the errors of two voters go together, and what is left of it once difficulty is removed?

Voters come in types. All voters of a type err alike but for chance, as the runs of a cell do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.agreements import falling_shares
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

NO_VARIANCE: Final = 1e-9
"""A voter whose error varies less than this over questions leaves the count."""
_AT_ONCE: Final = 2_000_000
"""Numbers held at once while questions are left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Voters:
    """Types of voters on the same questions.

    Parameters
    ----------
    unit
        "votes" (a voter is right or wrong) or "models" (a voter is wrong with some probability).
    once : (q, c)
        Chance that a voter of the type errs.
    twice : (q, c)
        Chance that two different runs of the type err.
    known : (q, c)
        1 where `twice` is known, else 0.
    count : (c,)
        Voters of the type.
    """

    unit: str
    once: Float[np.ndarray, "q c"]
    twice: Float[np.ndarray, "q c"]
    known: Float[np.ndarray, "q c"]
    count: Float[np.ndarray, " c"]


def votes_of(tallies: Tallies) -> Voters:
    """Let every run vote; the runs of a cell are of one type.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (design effect).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="p", system="a", seed=[0, 1, 2], end=[*"xxy"], right=[0, 0, 1])
    >>> got = votes_of(tallied(ends))
    >>> got.once.round(3).tolist(), got.twice.round(3).tolist(), got.count.tolist()
    ([[0.667]], [[0.333]], [3.0])
    """
    wrong, runs = _wrong(tallies), tallies.runs
    once, twice = falling_shares(wrong, runs, 2)
    known = (runs >= 2).astype(np.float64)
    count = runs.mean(axis=1) if tallies.items.size else np.zeros(runs.shape[0])
    return Voters(unit="votes", once=once.T, twice=twice.T, known=known.T, count=count)


def models_of(tallies: Tallies) -> Voters:
    """Let every model vote with its chance to be wrong, its paraphrases weighing the same.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (design effect).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="p", system="a", seed=[0, 1, 2], end=[*"xxy"], right=[0, 0, 1])
    >>> models_of(tallied(ends)).count.tolist()
    [1.0]
    """
    cells = [tallies.of_system(name) for name in dict.fromkeys(tallies.systems)]
    moments = [_model(part) for part in cells]
    once, twice = (np.stack([moment[side] for moment in moments], axis=1) for side in (0, 1))
    count = np.ones(len(cells))
    return Voters(unit="models", once=once, twice=twice, known=np.ones_like(once), count=count)


def correlations_left_out(voters: Voters) -> Float[np.ndarray, "3 q"]:
    """Return voters, mean and mean partial correlation with each question left out in turn.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pqr"] * 2, system=[*"aaabbb"], end=[*"xyxxyx"], right=[1, 0, 1] * 2)
    >>> correlations_left_out(votes_of(tallied(ends)))[1].tolist()  # nothing varies without q
    [1.0, nan, 1.0]
    """
    questions, types = voters.once.shape
    block = max(1, _AT_ONCE // types**2)
    parts = [
        correlations(voters, np.arange(start, min(start + block, questions))[:, None])
        for start in range(0, questions, block)
    ]
    return np.concatenate([np.stack(part) for part in parts], axis=1)


def correlations(
    voters: Voters, without: Int[np.ndarray, "b j"]
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"], Float[np.ndarray, " b"]]:
    """Return voters that vary, mean correlation and mean partial correlation, without some questions.

    Parameters
    ----------
    voters
        Types of voters and how often they err.
    without : (b, j)
        Questions that each of b answers leaves out.

    Returns
    -------
    (b,) number of voters whose errors vary; (b,) mean correlation of the errors of two different voters;
    (b,) the same given the mean error of all others. NaN where no pair varies.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5 (intraclass correlation);
    Cohen, Cohen, West and Aiken (2003), doi:10.4324/9780203774441 (partial correlation).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pqr"] * 2, system=[*"aaabbb"], end=[*"xyxxyx"], right=[1, 0, 1] * 2)
    >>> count, mean, _ = correlations(votes_of(tallied(ends)), np.zeros((1, 0), dtype=int))
    >>> count.tolist(), mean.round(6).tolist()
    ([2.0], [1.0])
    """
    variance, covariance = _moments(voters, without)
    count = voters.count * (variance > NO_VARIANCE)
    variance = np.where(variance > NO_VARIANCE, variance, 1.0)
    pairs = count[:, :, None] * count[:, None, :]
    diagonal = np.arange(voters.count.size)
    pairs[:, diagonal, diagonal] -= count
    pairs = np.maximum(pairs, 0.0)
    scale = np.sqrt(variance[:, :, None] * variance[:, None, :])
    mean = _weighted(covariance / scale, pairs)
    return count.sum(axis=1), mean, _weighted(_partial(variance, covariance, count), pairs)


def _weighted(
    values: Float[np.ndarray, "b c c"], pairs: Float[np.ndarray, "b c c"]
) -> Float[np.ndarray, " b"]:
    pairs = np.where(np.isnan(values), 0.0, pairs)
    total = pairs.sum(axis=(1, 2))
    return np.asarray(
        (np.nan_to_num(values) * pairs).sum(axis=(1, 2)) / np.where(total > 0, total, UNDEFINED)
    )


def _moments(
    voters: Voters, without: Int[np.ndarray, "b j"]
) -> tuple[Float[np.ndarray, "b c"], Float[np.ndarray, "b c c"]]:
    """Variance of one voter, and covariance of two different voters, without the questions of each row."""

    def rest(values: np.ndarray) -> np.ndarray:
        return np.asarray(values.sum(axis=0) - values[without].sum(axis=1))

    once, n = voters.once, voters.once.shape[0] - without.shape[1]
    mean = rest(once) / n
    both = once.T @ once - np.einsum("bjc,bjd->bcd", once[without], once[without])
    covariance = both / n - mean[:, :, None] * mean[:, None, :]
    known = rest(voters.known)
    known = np.where(known > 0.5, known, UNDEFINED)
    own = rest(voters.twice * voters.known) / known - (rest(once * voters.known) / known) ** 2
    variance = own if voters.unit == "models" else mean * (1.0 - mean)
    diagonal = np.arange(once.shape[1])
    covariance[:, diagonal, diagonal] = np.nan_to_num(own)
    return variance, covariance


def _partial(
    variance: Float[np.ndarray, "b c"],
    covariance: Float[np.ndarray, "b c c"],
    count: Float[np.ndarray, "b c"],
) -> Float[np.ndarray, "b c c"]:
    """Correlation of two voters given the mean error of all the others (leave-pair-out)."""
    own = np.einsum("bcc->bc", covariance)
    others = np.einsum("bcd,bd->bc", covariance, count) - own
    total = (count * (variance + others)).sum(axis=1)[:, None, None]
    first = others[:, :, None] - covariance
    second = others[:, None, :] - covariance
    rest = total - variance[:, :, None] - variance[:, None, :] - 2 * (covariance + first + second)
    rest = np.where(rest > NO_VARIANCE, rest, UNDEFINED)
    left = variance[:, :, None] - first**2 / rest
    right = variance[:, None, :] - second**2 / rest
    varies = (left > NO_VARIANCE) & (right > NO_VARIANCE)
    scale = np.sqrt(np.where(varies, left * right, UNDEFINED))
    return np.asarray((covariance - first * second / rest) / scale)


def _model(tallies: Tallies) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Chance that a run of a model errs, and that two of its runs do, cells weighing the same."""
    once, twice = falling_shares(_wrong(tallies), tallies.runs, 2)
    repeated = tallies.runs >= 2
    pairs = once.shape[0] * (once.shape[0] - 1) + repeated.sum(axis=0)
    both = once.sum(axis=0) ** 2 - np.square(once).sum(axis=0) + (twice * repeated).sum(axis=0)
    mean = once.mean(axis=0)
    return mean, np.where(pairs > 0, both / np.maximum(pairs, 1), mean**2)


def _wrong(tallies: Tallies) -> np.ndarray:
    wrong = tallies.counts * ~tallies.right
    return np.stack([tallies.by_question(cell.astype(np.float64)) for cell in wrong]).astype(np.int64)
