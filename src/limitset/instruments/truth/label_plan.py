"""Which questions must somebody label, so that it is known how often agreement is wrong?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.strata_sampling import (
    AgreementLevels,
    agreement_levels,
    allocated,
    drawn_order,
    interleaved,
)
from limitset.core.tallies import Tallies
from limitset.core.weighted_shares import stratified_share

INSTRUMENT = "label_plan"
VERSION = 1
THRESHOLD = 0.8
"""Four of five runs."""
HALF_WIDTH = 0.05
ASSUMED_ERROR = 0.2
"""A cautious guess made before any label, and told with the plan: more errors than this make it wider."""
LEAST = 5
"""Labels of every level, so that none is left to guessing."""
_UNKNOWN = 0.5
"""Below the threshold nothing is assumed: the most that a share can spread."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelPlan:
    """Questions to label, in an order that may be broken off anywhere.

    Parameters
    ----------
    threshold
        Share of runs from which an answer counts as agreed.
    levels
        Levels of agreement, from which questions are drawn apart.
    question : (n,)
        Places of the questions in the tallies, in the order of labelling.
    weight : (n,)
        Questions of the panel that each stands for: size of its level over labels planned in it.
    inclusion
        Share of each level that is to be labelled, in [0, 1]; axes level; n is the size of the level.
    expected
        Half of the width of the interval to come, in [0, 1]; axes quantity ("wrong when agreed", "vote
        wrong"). Value: at the assumed error; low and high: the least and the most over all error rates.
    """

    threshold: float
    levels: AgreementLevels
    question: Int[np.ndarray, " n"]
    weight: Float[np.ndarray, " n"]
    inclusion: MeasurementTable
    expected: MeasurementTable

    @property
    def planned(self) -> Int[np.ndarray, " h"]:
        """Labels planned in each level."""
        return np.bincount(self.levels.member[self.question], minlength=self.levels.sizes.size)


def label_plan(
    tallies: Tallies,
    *,
    half_width: float = HALF_WIDTH,
    threshold: float = THRESHOLD,
    cuts: Sequence[float] | None = None,
    assumed_error: float = ASSUMED_ERROR,
    count: int | None = None,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> LabelPlan:
    r"""Draw the fewest questions by level of agreement that tell how often agreement is wrong.

    .. math:: \min \sum_h n_h \quad \text{with} \quad
        \tfrac12 \big( u(n, p n) - l(n, p n) \big) \le d

    where [l, u] is the interval of `core.weighted_shares.stratified_share` when a share p of the labels of
    every level says "wrong".

    Parameters
    ----------
    tallies
        Counts of runs; no anchor is needed and none is looked at.
    half_width
        Wanted half of the interval of wrong-when-agreed (d), in (0, 1). Wrong votes over all questions are
        planned for twice as much.
    threshold
        Share of runs from which an answer counts as agreed (tau), in (0, 1].
    cuts
        Where levels of agreement begin, rising, `threshold` among them; default: half, `threshold`, all.
    assumed_error
        Share of agreed answers that may be wrong (p), in (0, .5]: a larger one asks for more labels.
        Below the threshold one half is assumed.
    count
        So many labels instead of as many as `half_width` needs.
    confidence
        Coverage aimed at, in (0, 1).
    rng
        Draws the order of the questions, once for all of them: the same seed gives a longer list that begins
        with the same questions of every level.

    Returns
    -------
    LabelPlan
        The list; levels are mixed in proportion, so that every beginning of it is a stratified random draw.

    Raises
    ------
    InputError
        When a parameter is out of range, or nobody answered any question.

    Notes
    -----
    Draws within a level are simple random ones, so the labels estimate without bias whatever is wrong where.
    The width is a forecast: with more errors than assumed it grows up to `expected.high`. The labels must be
    taken from the top; leaving out the hard ones makes the rest a biased draw. No plan can tell from
    agreement alone where the errors are: a panel and its relabelled twin have one plan.

    References
    ----------
    Neyman (1934), doi:10.2307/2342192 (allocation over levels);
    Horvitz and Thompson (1952), doi:10.1080/01621459.1952.10483446 (weights).

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> panel = planted_tallies(mixture_world(models=9), questions=600, seeds=1, rng=np.random.default_rng(0))
    >>> plan = label_plan(panel, threshold=7 / 9, rng=np.random.default_rng(0))
    >>> plan.levels.sizes.tolist(), plan.planned.tolist()
    ([110, 101, 245, 144], [6, 5, 96, 57])
    """
    _check(half_width, threshold, assumed_error, count)
    levels = agreement_levels(tallies, _cuts_with(threshold) if cuts is None else cuts)
    agreed = np.isin(np.arange(levels.sizes.size), levels.from_threshold(threshold))
    if not levels.sizes.sum():
        raise InputError.of(
            expected="a run must have answered, to be labelled",
            got="no answer to any question",
            fix="Check how answers are read.",
        )
    error = np.where(agreed, assumed_error, _UNKNOWN)
    spread = np.sqrt(error * (1 - error))
    if count is None:
        planned = _enough(levels, agreed, error, half_width=half_width, confidence=confidence)
    else:
        planned = allocated(levels.sizes, spread, count, least=min(LEAST, count // levels.sizes.size))
    order = drawn_order(tallies, rng)
    by_level = [order[levels.member[order] == h][:n] for h, n in enumerate(planned)]
    turn = interleaved(planned)
    place = np.empty(turn.size, dtype=np.int64)
    for h, own in enumerate(by_level):
        place[turn == h] = own
    parameters = {"threshold": threshold, "half_width": half_width, "assumed_error": assumed_error}
    shared: dict[str, Any] = {
        "version": VERSION,
        "level": Level.ANSWER,
        "confidence": confidence,
        "parameters": parameters,
    }
    filled = levels.sizes > 0
    return LabelPlan(
        threshold=threshold,
        levels=levels,
        question=frozen(place),
        weight=frozen(levels.sizes[turn] / planned[turn]),
        inclusion=MeasurementTable(
            instrument=f"{INSTRUMENT}.inclusion",
            axes={"level": np.array(levels.named(), dtype=object)[filled]},
            value=planned[filled] / levels.sizes[filled],
            n=levels.sizes[filled],
            notes=("a decision, not an estimate: it has no interval",),
            **shared,
        ),
        expected=MeasurementTable(
            instrument=f"{INSTRUMENT}.expected",
            axes={"quantity": np.array(["wrong when agreed", "vote wrong"], dtype=object)},
            interval_method="least and most over all error rates",
            notes=("a forecast of half the width of an interval",),
            **columns_of(
                [
                    _forecast(levels, planned, error, among, confidence)
                    for among in (agreed, np.ones(agreed.size, dtype=bool))
                ]
            ),
            **shared,
        ),
    )


def _cuts_with(threshold: float) -> tuple[float, ...]:
    """Return the usual cuts: half of the runs, the threshold, all of them."""
    return tuple(sorted({0.5, threshold, 1.0}))


def _enough(
    levels: AgreementLevels,
    agreed: Bool[np.ndarray, " h"],
    error: Float[np.ndarray, " h"],
    *,
    half_width: float,
    confidence: float,
) -> Int[np.ndarray, " h"]:
    """Return the fewest labels: first for the agreed levels, then for the others at twice the width."""
    spread = np.sqrt(error * (1 - error))
    planned = np.zeros(agreed.size, dtype=np.int64)
    for mine, among, wanted in (
        (agreed, agreed, half_width),
        (~agreed, np.ones(agreed.size, dtype=bool), 2 * half_width),
    ):
        sizes = np.where(mine, levels.sizes, 0)
        fewest, most = 0, int(sizes.sum())
        while fewest < most:
            middle = (fewest + most) // 2
            tried = planned + allocated(sizes, spread, middle, least=LEAST)
            if _half(levels.sizes, tried, tried * error, among, confidence) <= wanted:
                most = middle
            else:
                fewest = middle + 1
        planned = planned + allocated(sizes, spread, most, least=LEAST)
    return planned


def _forecast(
    levels: AgreementLevels, planned: np.ndarray, error: np.ndarray, among: np.ndarray, confidence: float
) -> Interval:
    if not levels.sizes[among].sum():
        return Interval.blank("on no question do so many runs agree")
    rates = np.linspace(0, 0.5, 11)[:, None] * np.ones(planned.size)
    each = [_half(levels.sizes, planned, planned * rate, among, confidence) for rate in (error, *rates)]
    return Interval(value=each[0], low=min(each), high=max(each), n=float(planned[among].sum()))


def _half(
    sizes: np.ndarray, drawn: np.ndarray, events: np.ndarray, among: np.ndarray, confidence: float
) -> float:
    got = stratified_share(sizes[among], drawn[among], events[among], confidence=confidence)
    return (got.high - got.low) / 2 if sizes[among].any() else 0.0


def _check(half_width: float, threshold: float, assumed_error: float, count: int | None) -> None:
    if not 0 < half_width < 1 or not 0 < threshold <= 1 or not 0 < assumed_error <= 0.5:
        raise InputError.of(
            expected="half_width must lie in (0, 1), threshold in (0, 1], assumed_error in (0, .5]",
            got=f"{half_width}, {threshold}, {assumed_error}",
            fix="A usual plan has .05, .8 and .2.",
        )
    if count is not None and count < 1:
        raise InputError.of(expected="at least one label must be planned", got=count, fix="Give more.")
