"""How often is agreement wrong, as far as the questions that somebody labelled can tell?"""

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
from limitset.core.strata_sampling import AgreementLevels, agreement_levels, allocated
from limitset.core.tallies import Tallies
from limitset.core.weighted_shares import stratified_share

INSTRUMENT = "labelled"
VERSION = 1
CUTS = (0.5, 0.8, 1.0)
THRESHOLD = 0.8
MORE = 50
LIMIT = 0.05
"""Agreement is acted on where it is wrong less often than this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """What labels of some questions say about all of them.

    Parameters
    ----------
    rates
        P(commonest answer wrong | share of runs >= threshold), in [0, 1]; axes threshold.
    coverage
        P(share of runs >= threshold), in [0, 1], counted; same axes. A rate is never shown without it.
    by_level
        P(commonest answer wrong) within each level of agreement that has questions, in [0, 1]; axes level.
    values
        Axes quantity, system: how often the vote is wrong, and the accuracy of every system, over all
        questions, in [0, 1].
    after
        The rate at the threshold now (0 more labels) and as expected after `more`, or all that are left; axes
        labels.
    more : (h,)
        How these would best be spread over the levels: all of them over those at or above the threshold.
    to_settle
        Labels still needed until the interval at the threshold is expected to lie on one side of the limit;
        0: it does. NaN where nothing is agreed.
    """

    rates: MeasurementTable
    coverage: MeasurementTable
    by_level: MeasurementTable
    values: MeasurementTable
    after: MeasurementTable
    more: Int[np.ndarray, " h"]
    to_settle: float


def labelled(
    tallies: Tallies,
    *,
    cuts: Sequence[float] = CUTS,
    threshold: float = THRESHOLD,
    limit: float = LIMIT,
    more: int = MORE,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> Labelled:
    r"""Weigh labels of a stratified random draw: wrong-when-agreed, wrong votes, accuracy of every system.

    .. math:: \widehat{FCR}(\tau) = \frac{\sum_{h \ge \tau} N_h \bar w_h}{\sum_{h \ge \tau} N_h}

    with N_h questions on level h of agreement, and w the wrong share of the commonest answers that were
    labelled there.

    Parameters
    ----------
    tallies
        Counts of runs. A question is labelled where its commonest answers are right or wrong (`class_right`
        1 or 0), and not where they are NaN; labelled questions are random draws of their level.
    cuts
        Where levels of agreement begin, rising, `threshold` among them: those that were drawn from.
    threshold
        Share of runs at which more labels are forecast (tau).
    limit
        Rate at which agreement stops being worth acting on, in (0, 1).
    more
        Labels whose worth is forecast, at least 1.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    Labelled
        About the questions of the tallies, each of them: with all labelled the intervals have no width.

    Raises
    ------
    InputError
        When nothing is labelled, or a parameter is out of range.

    Notes
    -----
    The intervals speak of these questions and not of others like them: a draw from a finite list. They hold
    for a number of labels fixed beforehand; whoever looks after every batch and stops when it suits has
    less (measured in docs/coverage.md). Answers that tie for the commonest share it evenly. Questions that
    nobody answered need no label: no answer is wrong, and no system right. A system is judged where every
    labelled question tells which of its answers are right.

    References
    ----------
    Horvitz and Thompson (1952), doi:10.1080/01621459.1952.10483446 (weights);
    Neyman (1934), doi:10.2307/2342192 (where the next labels go);
    Geifman and El-Yaniv (2017), arXiv:1705.08500, section 2 (selective risk and coverage).

    Examples
    --------
    >>> from dataclasses import replace
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> panel = planted_tallies(mixture_world(models=9), questions=600, seeds=1, rng=np.random.default_rng(0))
    >>> drawn = np.random.default_rng(1).random(600) < 0.3
    >>> known = replace(panel, class_right=np.where(drawn[panel.class_item], panel.class_right, np.nan))
    >>> got = labelled(known, cuts=(7 / 9,), threshold=7 / 9)
    >>> rate = got.rates.one(threshold=7 / 9)
    >>> rate.low < 0.1411 < rate.high
    True
    """
    if not 0 < limit < 1 or more < 1:
        raise InputError.of(
            expected="limit must lie in (0, 1), and more be 1 or above",
            got=f"{limit} and {more}",
            fix="A usual gate is .05, a usual batch 50.",
        )
    levels = agreement_levels(tallies, cuts)
    agreed = levels.from_threshold(threshold)
    wrong, known = _wrong(tallies, levels)
    if not known.any():
        raise InputError.of(expected="at least one question must be labelled", got="none", fix="Label some.")
    count = levels.sizes.size
    drawn = np.bincount(levels.member[known], minlength=count)
    events = np.bincount(levels.member[known], weights=wrong[known], minlength=count)

    def share(some: Int[np.ndarray, " some"]) -> Interval:
        return stratified_share(levels.sizes[some], drawn[some], events[some], confidence=confidence)

    filled = np.flatnonzero(levels.sizes > 0)
    covered = np.array([levels.sizes[levels.from_threshold(tau)].sum() for tau in levels.cuts])
    covered = covered / tallies.items.size
    vote = _of_all(share(np.arange(count)), float(levels.sizes.sum()) / tallies.items.size)
    accuracies = _accuracies(tallies, levels, known, confidence)
    added, forecast, needed = _forecast(
        levels.sizes[agreed], drawn[agreed], events[agreed], limit=limit, more=more, confidence=confidence
    )
    shared: dict[str, Any] = {
        "version": VERSION,
        "level": level,
        "interval_method": "mid-p of the hypergeometric law, melded over levels of agreement",
        "confidence": confidence,
        "parameters": {"labels": int(known.sum()), "questions": int(tallies.items.size)},
    }
    names = np.array(levels.named(), dtype=object)
    taus = np.array(levels.cuts)
    spread_over = np.zeros(count, dtype=np.int64)
    spread_over[agreed] = added
    return Labelled(
        rates=MeasurementTable(
            instrument=INSTRUMENT,
            axes={"threshold": taus},
            **columns_of([share(levels.from_threshold(tau)) for tau in levels.cuts]),
            **shared,
        ),
        coverage=MeasurementTable(
            instrument=f"{INSTRUMENT}.coverage",
            axes={"threshold": taus},
            value=covered,
            low=covered,
            high=covered,
            n=np.full(covered.size, float(tallies.items.size)),
            **{**shared, "interval_method": "counted"},
        ),
        by_level=MeasurementTable(
            instrument=f"{INSTRUMENT}.by_level",
            axes={"level": names[filled]},
            **columns_of([share(np.array([one])) for one in filled]),
            **shared,
        ),
        values=MeasurementTable(
            instrument=f"{INSTRUMENT}.values",
            axes={
                "quantity": np.array(["vote wrong", *["accuracy"] * len(accuracies)], dtype=object),
                "system": np.array(["all", *accuracies], dtype=object),
            },
            **columns_of([vote, *accuracies.values()]),
            **shared,
        ),
        after=MeasurementTable(
            instrument=f"{INSTRUMENT}.after",
            axes={"labels": np.unique([0, int(added.sum())])},
            notes=("a forecast, at the rates seen so far",),
            **columns_of([share(agreed), forecast][: 1 + bool(added.any())]),
            **shared,
        ),
        more=frozen(spread_over),
        to_settle=needed,
    )


def _wrong(
    tallies: Tallies, levels: AgreementLevels
) -> tuple[Float[np.ndarray, " q"], Bool[np.ndarray, " q"]]:
    """Return the wrong share of each question's commonest answers, and where it is known."""
    pooled = tallies.pooled()
    counts = pooled.counts[0]
    top = np.zeros(pooled.items.size, dtype=np.int64)
    np.maximum.at(top, pooled.class_item, counts)
    tied = (counts == top[pooled.class_item]) & (counts > 0)
    ties = pooled.by_question(tied.astype(float))
    wrong = pooled.by_question((tied & (tallies.class_right == 0)).astype(float))
    unknown = pooled.by_question((tied & np.isnan(tallies.class_right)).astype(float))
    return wrong / np.maximum(ties, 1), (levels.member >= 0) & (unknown == 0)


def _of_all(got: Interval, answered: float) -> Interval:
    """Spread a share of the answered questions over all: where nobody answers, nothing is wrong or right."""
    value, low, high = (answered * end for end in (got.value, got.low, got.high))
    return Interval(value=value, low=low, high=high, n=got.n, blank_reason=got.blank_reason)


def _accuracies(
    tallies: Tallies, levels: AgreementLevels, known: Bool[np.ndarray, " q"], confidence: float
) -> dict[str, Interval]:
    """Return the share of right runs of each system over its questions."""
    own = tallies.by_system()
    classes = np.flatnonzero(known[own.class_item])
    item, right = own.class_item[classes], own.class_right[classes]
    found = {}
    for name, counts, runs in zip(own.systems.astype(str), own.counts[:, classes], own.runs, strict=True):
        open_ones = np.unique(item[np.isnan(right) & (counts > 0)]).size
        if open_ones:
            found[name] = Interval.blank(
                f"{open_ones} label{'s' * (open_ones != 1)} did not say what the right answer is"
            )
            continue
        hits = np.bincount(item, weights=counts * (right == 1), minlength=known.size) / np.maximum(runs, 1)
        asked = runs > 0
        spoken = asked & (levels.member >= 0)
        place = levels.member[spoken & known]
        got = stratified_share(
            np.bincount(levels.member[spoken], minlength=levels.sizes.size),
            np.bincount(place, minlength=levels.sizes.size),
            np.bincount(place, weights=hits[spoken & known], minlength=levels.sizes.size),
            confidence=confidence,
        )
        found[name] = _of_all(got, float(spoken.sum()) / float(asked.sum()))
    return found


def _forecast(
    sizes: np.ndarray, drawn: np.ndarray, events: np.ndarray, *, limit: float, more: int, confidence: float
) -> tuple[Int[np.ndarray, " some"], Interval, float]:
    """Return where more labels go, the interval expected after them, and how many settle the limit."""
    if not sizes.sum():
        none = "on no question do so many runs agree"
        return np.zeros(sizes.size, dtype=np.int64), Interval.blank(none), np.nan
    # half an error is added so that a level without one is not taken for certain
    wary = (events + 0.5) / (drawn + 1)
    rate = np.where(drawn > 0, events / np.maximum(drawn, 1), (events.sum() + 0.5) / (drawn.sum() + 1))

    def expected(extra: int) -> tuple[np.ndarray, Interval]:
        n = allocated(sizes, np.sqrt(wary * (1 - wary)), int(drawn.sum()) + extra, taken=drawn)
        x = np.minimum(events + (n - drawn) * rate, n)
        return n, stratified_share(sizes, n, x, confidence=confidence)

    def settled(extra: int) -> bool:
        got = expected(extra)[1]
        return got.high <= limit or got.low > limit

    n, got = expected(more)
    fewest, most = 0, int((sizes - drawn).sum())
    while fewest < most:
        middle = (fewest + most) // 2
        fewest, most = (fewest, middle) if settled(middle) else (middle + 1, most)
    return n - drawn, got, float(most)
