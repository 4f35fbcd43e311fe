"""When two models are both wrong, do they give the same wrong answer, and more often than by chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from limitset.core.clusters import summed
from limitset.core.coincidence import DUST, WrongPairs, wrong_pairs
from limitset.core.errors import InputError
from limitset.core.intervals import (
    LEAST_CARRIERS,
    Interval,
    columns_of,
    effective_number,
    logit_jackknife,
    wilson,
)
from limitset.core.levels import Level
from limitset.core.pair_intervals import jackknife_errors, wilson_ends
from limitset.core.pair_sums import pair_panel, pair_sums
from limitset.core.results import MeasurementTable
from limitset.core.sharing_nulls import SharingNulls
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "same_wrong"
VERSION = 1

SPLITS = 20
"""Random halvings averaged in the cross-fitted popularity."""
NEVER = "the two are never wrong on the same question"
FEW = f"both are wrong on fewer than {LEAST_CARRIERS:.0f} questions"
NOTES = (
    "one run of each of two systems, both answered and both wrong",
    "item_conditional: two of the other systems on the same questions",
    "popularity: wrong answers spread over ranks as on the average question, ranked on half of the runs;"
    " popularity_plug_in: ranked on the same runs, too high",
    "shuffled: wrong answers of one system taken from other questions of the stratum",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class SameWrong:
    """How often two systems that are both wrong give the same wrong answer.

    Parameters
    ----------
    pairs
        Axes `first`, `second`; `null_kind` "" or "item_conditional"; values in [0, 1].
    panel
        Axis `statistic`: "same_wrong" over all pairs, with `null_kind` "" or "popularity",
        "popularity_plug_in", "shuffled" (low and high are quantiles of the null); and "both_wrong", the
        share of all pairs of runs that it speaks of.
    """

    pairs: MeasurementTable
    panel: MeasurementTable


def same_wrong(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    class_count: int | None = None,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> SameWrong:
    r"""P(same answer | both wrong, both answered) = ``sum_q sum_y s_aqy s_bqy / sum_q w_aq w_bq``.

    s_aqy is the share of runs of system a on question q that end in the wrong class y, w_aq its sum over y.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    rng
        Draws of the panel's nulls.
    draws
        Draws of each null, 1 or more.
    class_count
        Wrong answers that a question could have; default: seen ones and the unseen estimated for each
        question.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    SameWrong
        Shares in [0, 1]; `n` is the effective number of questions on which both are wrong. Blank where that
        is below five, with the interval that those few questions allow.

    Raises
    ------
    InputError
        When an answer has no anchor, or `draws` or `class_count` is below 1.

    Notes
    -----
    The item-conditional null ``sum_c n_c (n_c - 1) / (N (N - 1))`` counts pairs of the *other* systems that
    are wrong on the same question, so it needs four systems. It asks whether this pair shares more than the
    panel does. Whether the panel shares falsehoods is asked against the popularity nulls: declare an excess
    only above the upper one. Two systems that err on the same hard questions are not alike for it: shared
    difficulty alone gives one over the number of wrong classes.

    References
    ----------
    Kim, Garg, Peng and Garg (2025), Correlated errors in large language models, arXiv:2506.07962.
    Unbiased chance that two draws agree: Simpson (1949), doi:10.1038/163688a0.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pqrstuvw"] * 2, system=["a"] * 8 + ["b"] * 8, end=[*"xxxxxxxx", *"xxxxxxyy"],
    ...                right=0)
    >>> got = same_wrong(tallied(ends), rng=np.random.default_rng(0))
    >>> got.pairs.one(first="a", second="b", null_kind="").value
    0.75
    """
    if draws < 1 or (class_count is not None and class_count < 1):
        raise InputError.of(
            expected="draws and class_count must be 1 or more",
            got=f"{draws} and {class_count}",
            fix="Raise it.",
        )
    pairs, sums = _pairs(tallies, confidence, level)
    nulls = SharingNulls.of(tallies, confidence=confidence, draws=draws)
    panel = [
        ("same_wrong", "", _rate(tallies, sums, confidence)),
        ("same_wrong", "popularity", nulls.popularity(rng, class_count, splits=SPLITS)),
        ("same_wrong", "popularity_plug_in", nulls.popularity(rng, class_count, splits=0)),
        ("same_wrong", "shuffled", nulls.shuffled(rng)),
        ("both_wrong", "", _met(tallies, sums.both_by_question, confidence)),
    ]
    return SameWrong(
        pairs=pairs,
        panel=MeasurementTable(
            instrument=f"{INSTRUMENT}.panel",
            version=VERSION,
            level=level,
            axes={"statistic": np.array([row[0] for row in panel], dtype=object)},
            null_kind=[row[1] for row in panel],
            interval_method="logit jackknife over questions; quantiles of the null",
            confidence=confidence,
            parameters={
                "draws": draws,
                "class_count": "estimated" if class_count is None else class_count,
                "splits": SPLITS,
            },
            notes=NOTES,
            **columns_of([row[2] for row in panel]),
        ),
    )


def same_wrong_pairs(tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER) -> SameWrong:
    """Measure every pair as `same_wrong` does, and of the panel what needs no draws: hundreds of systems fit.

    Parameters
    ----------
    tallies, confidence, level
        As in `same_wrong`.

    Returns
    -------
    SameWrong
        As from `same_wrong`, its panel without nulls.

    Raises
    ------
    InputError
        When an answer has no anchor.

    References
    ----------
    Kim, Garg, Peng and Garg (2025), Correlated errors in large language models, arXiv:2506.07962.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pqrstuvw"] * 2, system=["a"] * 8 + ["b"] * 8, end=[*"xxxxxxxx", *"xxxxxxyy"],
    ...                right=0)
    >>> same_wrong_pairs(tallied(ends)).panel.one(statistic="same_wrong").value
    0.75
    """
    pairs, sums = _pairs(tallies, confidence, level)
    rows = [
        _rate(tallies, sums, confidence),
        _met(tallies, sums.both_by_question, confidence),
    ]
    return SameWrong(
        pairs=pairs,
        panel=MeasurementTable(
            instrument=f"{INSTRUMENT}.panel",
            version=VERSION,
            level=level,
            axes={"statistic": np.array(["same_wrong", "both_wrong"], dtype=object)},
            interval_method="logit jackknife over questions",
            confidence=confidence,
            notes=NOTES[:1],
            **columns_of(rows),
        ),
    )


def _pairs(tallies: Tallies, confidence: float, level: Level) -> tuple[MeasurementTable, WrongPairs]:
    tallies.require_anchor()
    names = np.array([str(name) for name in dict.fromkeys(tallies.systems)], dtype=object)
    sums = wrong_pairs(tallies)
    at = np.triu_indices(names.size, 1)
    table = MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=level,
        axes={"first": np.tile(names[at[0]], 2), "second": np.tile(names[at[1]], 2)},
        null_kind=np.repeat(np.array(["", "item_conditional"], dtype=object), at[0].size),
        interval_method="delta method over questions on the logit scale, Wilson where few carry it",
        confidence=confidence,
        notes=NOTES[:2],
        **_pair_columns(tallies, sums, at, confidence),
    )
    return table, sums


def _pair_columns(
    tallies: Tallies, sums: WrongPairs, at: tuple[np.ndarray, np.ndarray], confidence: float
) -> dict[str, Any]:
    """Columns of the table of pairs: what was measured, then the item-conditional null."""
    same, both = sums.same[at], sums.both[at]
    met = both > DUST
    base = np.where(met, both, 1.0)
    rate = np.clip(same / base, 0.0, 1.0)
    n = np.where(met, both**2 / np.where(met, sums.both_both[at], 1.0), 0.0)
    other = sums.both_both[at] - 2 * sums.same_both[at] + sums.same_same[at]
    sides = [
        mass**2 / np.where(squares > DUST, squares, np.inf)
        for mass, squares in ((same, sums.same_same[at]), (both - same, other))
    ]
    carriers = np.minimum(*sides)
    square = sums.same_same[at] - 2 * rate * sums.same_both[at] + rate**2 * sums.both_both[at]
    error = np.sqrt(np.maximum(square, 0.0) * n / np.maximum(n - 1, 1)) / base
    if np.unique(tallies.clusters).size < tallies.items.size:
        error = _clustered_error(tallies, at, met)
    inside = carriers >= LEAST_CARRIERS
    spread = np.where(inside, rate * (1 - rate), 1.0)
    half = stats.t.ppf(0.5 + confidence / 2, np.maximum(carriers - 1, 1)) * error / spread
    centre = np.log(np.where(inside, rate, 0.5) / np.where(inside, 1 - rate, 0.5))
    few = wilson_ends(rate, n, confidence=confidence)
    with np.errstate(over="ignore"):
        low, high = (
            np.where(inside, 1 / (1 + np.exp(-(centre + sign * half))), end)
            for sign, end in zip((-1, 1), few, strict=True)
        )
    short = n < LEAST_CARRIERS - DUST
    reason = np.where(met, np.where(short, FEW, ""), NEVER)
    null, null_reason, bottom = sums.of_others(at)
    nothing = np.full(null.size, UNDEFINED)
    return {
        "value": np.concatenate([np.where(short, UNDEFINED, rate), null]),
        "low": np.concatenate([low, nothing]),
        "high": np.concatenate([high, nothing]),
        "n": np.concatenate([n, bottom]),
        "blank_reason": np.concatenate([reason, null_reason]).astype(object),
    }


def _clustered_error(
    tallies: Tallies, at: tuple[np.ndarray, np.ndarray], met: np.ndarray
) -> Float[np.ndarray, " p"]:
    """Error of the rate with one group of clusters left out at a time."""
    groups = pair_sums(pair_panel(tallies))
    wrong = groups.of_right_and_wrong().same[:, *at]
    left = wrong.sum(axis=0) - wrong
    known = met & (left > DUST).all(axis=0)
    rest = (groups.same[:, *at].sum(axis=0) - groups.same[:, *at]) / np.where(known, left, 1.0)
    return np.where(known, jackknife_errors(rest), UNDEFINED)


def _one_pair(rate: float, n: float, ends: tuple[float, float], inside: bool, confidence: float) -> Interval:
    if n == 0:
        return _blank(NEVER)
    low, high = ends
    if not inside:
        few = wilson(rate * n, n, confidence=confidence)
        low, high = max(few.low, 0.0), min(few.high, 1.0)
    if n < LEAST_CARRIERS - DUST:
        return Interval(value=UNDEFINED, low=low, high=high, n=n, blank_reason=FEW)
    return Interval(value=rate, low=low, high=high, n=n)


def _rate(tallies: Tallies, sums: WrongPairs, confidence: float) -> Interval:
    """Same-wrong rate over all pairs, by the rule of a single pair."""
    same, both = summed(np.stack([sums.same_by_question, sums.both_by_question]), tallies.clusters)
    same, rest = np.where(same < DUST, 0.0, same), np.where(both - same < DUST, 0.0, both - same)
    n = effective_number(both)
    carriers = min(effective_number(same), effective_number(rest))
    got = logit_jackknife(same, rest, confidence=confidence, degrees=carriers - 1)
    return _one_pair(got.value, n, (got.low, got.high), carriers >= LEAST_CARRIERS, confidence)


def _met(tallies: Tallies, both: Float[np.ndarray, " q"], confidence: float) -> Interval:
    """Share of pairs of runs of two systems that are both wrong."""
    present = np.zeros(tallies.items.size)
    for name in dict.fromkeys(tallies.systems):
        present += (tallies.runs[tallies.systems == name] > 0).any(axis=0)
    pairs = present * (present - 1)
    share = np.clip(both[pairs > 0] / pairs[pairs > 0], 0.0, 1.0)
    if share.size == 0:
        return _blank("no question has runs of two systems")
    part, rest = summed(np.stack([share, 1 - share]), tallies.clusters[pairs > 0])
    got = logit_jackknife(part, rest, confidence=confidence)
    few = wilson(float(share.mean()) * part.size, part.size, confidence=confidence)
    low, high = (few.low, few.high) if np.isnan(got.low) else (got.low, got.high)
    return Interval(value=float(share.mean()), low=max(low, 0.0), high=min(high, 1.0), n=float(part.size))


def _blank(reason: str) -> Interval:
    return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason=reason)
