"""How many independent votes are these votes worth, and how many independent models are these models?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import falling_shares
from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "effective_number"
VERSION = 1

UNITS = ("votes", "models")
NO_VARIANCE = 1e-9
"""A voter whose error indicator varies less than this over questions leaves the count."""
BLOCK = 2_000_000
"""Numbers held at once while questions are left out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectiveNumber:
    """How many independent voters carry as much information as these.

    Parameters
    ----------
    values
        Axis `unit`: "votes" (every run votes) and "models" (every model votes with its chance to be wrong).
        1 means that all err together; the number of voters means that they err independently; above it,
        that errors avoid each other.
    correlation
        Axis `unit`: mean correlation of the errors of two different voters over questions.
    partial
        Axis `unit`: the effective number after removing the difficulty that the *other* voters show. It
        removes difficulty only in part; blank below three voters.
    """

    values: MeasurementTable
    correlation: MeasurementTable
    partial: MeasurementTable


@dataclass(frozen=True, kw_only=True, eq=False)
class _Voters:
    """Voters of C types: how often one of a type errs, and how often two different runs of it do."""

    unit: str
    once: Float[np.ndarray, "q c"]
    twice: Float[np.ndarray, "q c"]
    known: Float[np.ndarray, "q c"]
    """1 where `twice` is known, else 0."""
    count: Float[np.ndarray, " c"]


def effective_number(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> EffectiveNumber:
    r"""Kish's effective number of voters, ``M / (1 + (M - 1) r)``.

    `r` is the mean correlation over questions of the errors of two different voters. A vote is one run: two
    runs of different cells covary as the cells' error shares do; two runs of one cell err together with
    chance ``(w)_2 / (n)_2``, w of n runs wrong. A model errs with a probability per question; its variance
    over questions is taken from pairs of different runs, so that sampling noise does not pass for
    independence.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor. Only questions that every cell has
        runs on are used.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    EffectiveNumber
        At least 1, blank where errors avoid each other fully. An abstention is not an error.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    Voters that are always or never wrong leave M too: kept, they would raise the number without a vote of
    information. `r` cannot be below ``-1 / (M - 1)``. Errors alone cannot tell shared difficulty from shared
    bias; the identity of wrong answers can (`same_wrong`). Where a model has one run a question, that run is
    taken as its probability: exact at temperature 0, too high a number otherwise.

    References
    ----------
    Kish (1965), Survey Sampling, section 8.2; the design effect 1 + (M - 1) r.
    Kim, Garg, Peng and Garg (2025), Correlated errors in large language models, arXiv:2506.07962.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> right = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0]}
    >>> rows = [dict(item=f"q{q}", system=m, end="yx"[r], right=r)
    ...         for m in right for q, r in enumerate(right[m])]
    >>> got = effective_number(tallied(Ends.of_rows(rows)))
    >>> round(got.values.one(unit="votes").value, 3)  # r = (1 + 0 + 0) / 3, so 3 / (1 + 2/3)
    1.8
    """
    tallies.require_anchor()
    kept = tallies.of_questions(np.asarray((tallies.runs > 0).all(axis=0)))
    voters = {"votes": _votes(kept), "models": _models(kept)}
    results = {unit: _measured(voters[unit], confidence) for unit in UNITS}
    notes = (
        f"{kept.items.size} of {tallies.items.size} questions have runs of every cell",
        "the mean correlation cannot be below -1 / (M - 1)",
        *(["a model with one run a question: that run is taken as its probability"] if _lone(kept) else []),
    )
    tables = [
        MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={"unit": np.array(UNITS, dtype=object)},
            interval_method="jackknife over questions" + ("" if position == 1 else " on the log scale"),
            confidence=confidence,
            notes=(*notes, *(["partial: difficulty is removed only in part"] if position == 2 else [])),
            **columns_of([results[unit][position] for unit in UNITS]),
        )
        for position, name in enumerate((INSTRUMENT, "error_correlation", f"{INSTRUMENT}_partial"))
    ]
    return EffectiveNumber(values=tables[0], correlation=tables[1], partial=tables[2])


def kish_number(count: float, correlation: Float[np.ndarray, "*b"] | float) -> Float[np.ndarray, "*b"]:
    """Return ``M / (1 + (M - 1) r)``; NaN at or below the floor ``r = -1 / (M - 1)``.

    References
    ----------
    Kish (1965), Survey Sampling, section 8.2.

    Examples
    --------
    >>> round(float(kish_number(6, 0.42)), 4), float(kish_number(9, 0.4375))
    (1.9355, 2.0)
    """
    load = 1.0 + (count - 1.0) * np.asarray(correlation, dtype=np.float64)
    return np.asarray(count / np.where(load > 0, load, UNDEFINED))


def _measured(voters: _Voters, confidence: float) -> tuple[Interval, Interval, Interval]:
    n = float(voters.once.shape[0])
    if n < 2:
        return (_blank("fewer than two questions have runs of every cell", n),) * 3
    count, mean, partial = (float(part[0]) for part in _correlations(voters, np.zeros((1, 0), dtype=int)))
    if count < 2:
        return (_blank(f"fewer than two {voters.unit} whose errors vary over questions", n),) * 3
    left_out = _left_out(voters)
    got = jackknife_interval(min(mean, 1.0), left_out[1], confidence=confidence)
    high = float(np.minimum(got.high, 1.0))
    plain = Interval(value=got.value, low=got.low, high=high, n=n)
    if count < 3:
        without = _blank(f"undefined below three {voters.unit}", n)
    else:
        without = _kish(count, partial, left_out[[0, 2]], confidence)
    return _kish(count, mean, left_out[[0, 1]], confidence), plain, without


def _kish(count: float, r: float, left_out: Float[np.ndarray, "2 q"], confidence: float) -> Interval:
    n = float(left_out.shape[1])
    value = float(kish_number(count, min(r, 1.0)))
    if np.isnan(r):
        return _blank("no error varies once difficulty is removed", n)
    if np.isnan(value):
        return _blank("errors avoid each other as much as they can: no finite number", n)
    # on the log scale, where the interval cannot reach 0
    logs = np.log(kish_number(left_out[0], np.minimum(left_out[1], 1.0)))
    got = jackknife_interval(float(np.log(value)), logs, confidence=confidence)
    low, high = np.exp(got.low), np.exp(got.high)
    return Interval(value=value, low=float(np.maximum(low, 1.0)), high=float(high), n=n)


def _blank(reason: str, n: float) -> Interval:
    return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=n, blank_reason=reason)


def _left_out(voters: _Voters) -> Float[np.ndarray, "3 q"]:
    questions, types = voters.once.shape
    block = max(1, BLOCK // types**2)
    parts = [
        _correlations(voters, np.arange(start, min(start + block, questions))[:, None])
        for start in range(0, questions, block)
    ]
    return np.concatenate([np.stack(part) for part in parts], axis=1)


def _correlations(
    voters: _Voters, without: np.ndarray
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"], Float[np.ndarray, " b"]]:
    """Voters that vary, mean correlation and mean partial correlation, without the questions of each row."""
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
    voters: _Voters, without: np.ndarray
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


def _votes(tallies: Tallies) -> _Voters:
    wrong, runs = _wrong(tallies), tallies.runs
    once, twice = falling_shares(wrong, runs, 2)
    known = (runs >= 2).astype(np.float64)
    count = runs.mean(axis=1) if tallies.items.size else np.zeros(runs.shape[0])
    return _Voters(unit="votes", once=once.T, twice=twice.T, known=known.T, count=count)


def _models(tallies: Tallies) -> _Voters:
    cells = [tallies.of_system(name) for name in dict.fromkeys(tallies.systems)]
    moments = [_model(part) for part in cells]
    once, twice = (np.stack([moment[side] for moment in moments], axis=1) for side in (0, 1))
    count = np.ones(len(cells))
    return _Voters(unit="models", once=once, twice=twice, known=np.ones_like(once), count=count)


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


def _lone(tallies: Tallies) -> bool:
    return bool((tallies.by_system().runs == 1).any())
