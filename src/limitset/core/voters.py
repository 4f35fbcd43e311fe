"""How do the errors of two voters go together, and what is left of it once difficulty is removed?

Voters come in types. All voters of a type err alike but for chance, as the runs of a cell do.
"""

from __future__ import annotations

from collections.abc import Callable
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
_EACH_QUESTION: Final = 20_000_000
"""Up to so many pairs times questions, each question is left out of the partial correlation by itself."""
_GROUPS: Final = 60
"""Groups of questions that are left out instead."""


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


def correlations_left_out(
    voters: Voters,
) -> tuple[Float[np.ndarray, "2 q"], Float[np.ndarray, "2 g"]]:
    """Return voters and mean correlation without each question, and voters and partial correlation.

    Parameters
    ----------
    voters
        Types of voters and how often they err.

    Returns
    -------
    (2, q) voters that vary and their mean correlation with each question left out in turn; (2, g) the same
    with the mean partial correlation. g is the number of questions where the types are few, and otherwise of
    60 groups that are left out in turn: a partial correlation is not a sum over voters, and every pair would
    be correlated anew for every question.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pqr"] * 2, system=[*"aaabbb"], end=[*"xyxxyx"], right=[1, 0, 1] * 2)
    >>> correlations_left_out(votes_of(tallied(ends)))[0][1].round(9).tolist()  # nothing varies without q
    [1.0, nan, 1.0]
    """
    questions, types = voters.once.shape
    groups = questions if questions * types**2 <= _EACH_QUESTION else min(_GROUPS, questions)
    # every 60th question: a file is often ordered by topic, and a group should be like the whole
    left_out = [np.arange(start, questions, groups) for start in range(groups)]
    block = max(1, _AT_ONCE // types**2)
    parts = []
    for size in sorted({part.size for part in left_out}):
        alike = np.array([part for part in left_out if part.size == size])
        parts += [correlations(voters, alike[at : at + block]) for at in range(0, len(alike), block)]
    partial = np.concatenate([np.stack([part[0], part[2]]) for part in parts], axis=1)
    return _mean_without_each(voters), partial


def _mean_without_each(voters: Voters) -> Float[np.ndarray, "2 q"]:
    """Voters that vary and their mean correlation without each question, by one product of matrices.

    The mean correlation is a quadratic form ``a' C a`` with ``a_i = count_i / sd_i``; without a question C
    loses a matrix of rank one.
    """
    once, left = voters.once, voters.once.shape[0] - 1
    mean = (once.sum(axis=0) - once) / max(left, 1)
    variance, own = _own_variance(voters, mean, lambda values: values.sum(axis=0) - values)
    count = voters.count * (variance > NO_VARIANCE)
    scale = np.where(variance > NO_VARIANCE, variance, 1.0)
    a = count / np.sqrt(scale)
    products = once.T @ once
    whole = ((a @ products) * a).sum(axis=1) - np.square((once * a).sum(axis=1))
    form = whole / max(left, 1) - np.square((mean * a).sum(axis=1))
    alone = (np.diagonal(products) - np.square(once)) / max(left, 1) - np.square(mean)
    same = np.maximum(count * (count - 1.0), 0.0)
    total = count.sum(axis=1) ** 2 - np.square(count).sum(axis=1) + same.sum(axis=1)
    sums = form - (np.square(a) * alone).sum(axis=1) + (same * np.nan_to_num(own) / scale).sum(axis=1)
    # voters that always err together differ by rounding alone
    return np.stack([count.sum(axis=1), np.round(sums / np.where(total > 0, total, UNDEFINED), 13)])


def _own_variance(
    voters: Voters, mean: np.ndarray, rest: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of one voter, and covariance of two different runs of its type."""
    known = rest(voters.known)
    known = np.where(known > 0.5, known, UNDEFINED)
    own = rest(voters.twice * voters.known) / known - (rest(voters.once * voters.known) / known) ** 2
    return (own if voters.unit == "models" else mean * (1.0 - mean)), own


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
    here = once[without]
    both = once.T @ once - here.transpose(0, 2, 1) @ here
    covariance = both / n - mean[:, :, None] * mean[:, None, :]
    variance, own = _own_variance(voters, mean, rest)
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
    # cell by cell: the whole table once more may be hundreds of megabytes
    wrong = [tallies.by_question((cell * ~tallies.right).astype(np.float64)) for cell in tallies.counts]
    return np.stack(wrong).astype(np.int64)
