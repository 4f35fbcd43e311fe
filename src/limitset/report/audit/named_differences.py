"""How is the difference of two named numbers measured, within questions where that can be done?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from limitset.core.differences import independent_difference, left_out_difference, ratio_difference
from limitset.core.gates import Term
from limitset.core.intervals import Interval
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference
from limitset.core.results import Measurement
from limitset.report.audit.named_kinds import TOPIC, Asked, blank
from limitset.report.audit.named_numbers import NAMED, asked_of, measured
from limitset.report.audit.named_pairs import EXCESS
from limitset.report.audit.panel import Panel

INSTRUMENT = "difference"
VERSION = 1
UNPAIRED = "the two sides have no question in common: unpaired"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a difference: a named number and the panel it is measured on."""

    panel: Panel
    term: Term


def difference(
    first: Side,
    less: Side,
    *,
    comparable: Collection[str] | None = None,
    confidence: float = 0.95,
) -> Measurement:
    """Measure ``first - less``.

    Parameters
    ----------
    first, less
        The two sides.
    comparable
        Questions that are the same on both sides; None where both are one panel.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Measurement
        Means and ratios over questions are compared on the questions that both sides have. Where they have
        none in common the two intervals are joined as independent, and a note says so. Its parameters name
        both sides and say whether it is paired.
    """
    excess = EXCESS.get((first.term.name, less.term.name))
    alike = first.panel is less.panel and replace(less.term, name=first.term.name) == first.term
    if excess is not None and alike:
        return measured(first.panel, replace(first.term, name=excess), confidence=confidence)
    sides = [asked_of(side.panel, side.term, confidence=confidence) for side in (first, less)]
    one, other = sides
    told = f"{first.term} - {less.term}"
    alone = [measured(side.panel, side.term, confidence=confidence) for side in (first, less)]
    for side, got in zip((first, less), alone, strict=True):
        if got.blank and not got.bounded:
            return _made(told, Interval.blank(f"{side.term}: {got.blank_reason}"), "", confidence)
    if one is None or other is None:  # a side without a key is blank, and was returned above
        return blank(first.term, f"{told}: no key", confidence=confidence)
    at = _common(one, other, comparable)
    if at[0].size == 0:
        ends = [Interval(value=got.value, low=got.low, high=got.high, n=got.n) for got in alone]
        joined = independent_difference(*ends)
        method = "two intervals joined as independent"
        return _made(told, joined, method, confidence, paired=False, notes=(UNPAIRED,))
    within, method = _paired(one, other, at, confidence)
    return _made(told, within, method, confidence)


def _made(
    told: str,
    got: Interval,
    method: str,
    confidence: float,
    *,
    paired: bool = True,
    notes: tuple[str, ...] = (),
) -> Measurement:
    return Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.ANSWER,
        value=got.value,
        low=got.low,
        high=got.high,
        n=got.n,
        blank_reason=got.blank_reason,
        interval_method=method,
        confidence=confidence,
        parameters={"of": told, "paired": paired},
        notes=notes,
    )


def _common(one: Asked, other: Asked, comparable: Collection[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Places, on each side, of the questions that both have."""
    place = {str(name): row for row, name in enumerate(other.tallies.items)}
    pairs = [
        (row, place[name])
        for row, name in enumerate(one.tallies.items.astype(str))
        if name in place and (comparable is None or name in comparable)
    ]
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return at[:, 0], at[:, 1]


def _paired(
    one: Asked, other: Asked, at: tuple[np.ndarray, np.ndarray], confidence: float
) -> tuple[Interval, str]:
    named = NAMED[one.term.name], NAMED[other.term.name]
    clusters = one.tallies.clusters[at[0]]
    if named[0].masses is None or named[1].masses is None:
        return _measured_anew(one, other, at, confidence), "jackknife over groups of questions, both sides"
    (part, whole), (less, out_of) = (
        tuple(mass[rows] for mass in name.masses(side))
        for name, side, rows in zip(named, (one, other), at, strict=True)
        if name.masses is not None
    )
    # a wrong key moves a side one way at most, so the difference twice that
    keyed = one.tallies.key_error + other.tallies.key_error if named[0].keyed else 0.0
    if named[0].mean and named[1].mean:
        met = (whole > 0) & (out_of > 0)
        if not met.any():
            return Interval.blank("no question has runs on both sides"), ""
        got = mean_difference((part - less)[met], clusters[met], confidence=confidence)
        return _widened(got, keyed, float(met.sum())), "jackknife of the difference over questions"
    sides = np.stack([part, whole]), np.stack([less, out_of])
    got = ratio_difference(*sides, clusters, confidence=confidence)
    scale = max(float(min(whole.mean(), out_of.mean())), 1e-12)
    return _widened(got, keyed / scale, got.n), "jackknife of the difference over questions"


def _measured_anew(
    one: Asked, other: Asked, at: tuple[np.ndarray, np.ndarray], confidence: float
) -> Interval:
    """Measure both numbers without one group of questions at a time."""

    def kept(side: Asked, rows: np.ndarray) -> Asked:
        mask = np.zeros(side.tallies.items.size, dtype=bool)
        mask[rows] = True
        return Asked(panel=side.panel, tallies=side.tallies.of_questions(mask), term=side.term)

    def value(side: Asked, rows: np.ndarray) -> float:
        named, here = NAMED[side.term.name], kept(side, rows)
        return named.measured(here).value if named.value is None else named.value(here)

    def gap(mask: np.ndarray) -> float:
        return value(one, at[0][mask]) - value(other, at[1][mask])

    clusters = one.tallies.clusters[at[0]]
    got = left_out_difference(gap, clusters, rng=one.panel.rng(TOPIC), confidence=confidence)
    # a number may use fewer questions than both sides hold
    whole = (
        NAMED[side.term.name].measured(kept(side, rows)).n
        for side, rows in zip((one, other), at, strict=True)
    )
    return replace(got, n=min(got.n, *whole))


def _widened(got: Interval, by: float, n: float) -> Interval:
    return Interval(value=got.value, low=got.low - by, high=got.high + by, n=n, blank_reason=got.blank_reason)
