"""How much more do raters agree than the popularity of answers would let them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.ratings import NominalRatings, beyond_chance, rater_sets, ratings_of
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "fleiss_kappa"
VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class FleissKappa:
    """Agreement of raters beyond chance.

    Parameters
    ----------
    values
        Axis `raters`: "systems" (one run each of different systems) and every system with repeated runs (its
        runs among themselves). 1: they always agree; 0: as often as answers of other questions would; below
        0: less.
    agreement
        The same axis: chance that two raters agree, in [0, 1].
    """

    values: MeasurementTable
    agreement: MeasurementTable


def fleiss_kappa(tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER) -> FleissKappa:
    r"""Fleiss' kappa of answers, for any number of raters a question.

    .. math:: \kappa = \frac{\bar P - \bar P_e}{1 - \bar P_e}, \qquad \bar P = \frac1q \sum_i
        \frac{\sum_j n_{ij} (n_{ij} - 1)}{n_i (n_i - 1)}, \qquad \bar P_e = \sum_j p_j^2

    Parameters
    ----------
    tallies
        Runs by cell and answer class; no anchor is needed. Questions with fewer than two raters are left out.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    FleissKappa
        At most 1; `n` is the number of questions. Blank where every rater gives one answer to everything.

    Notes
    -----
    Its null is 0 by construction. Answers of two questions are the same category when they have the same
    name: verdicts are, answers in free text hardly ever, and then kappa is the plain agreement. A run
    without an answer agrees with nothing. The interval leaves out one question at a time, on the scale of
    log(1 - kappa). Agreement says nothing about truth. Cost: one pass over the counts.

    References
    ----------
    Fleiss (1971), Measuring nominal scale agreement among many raters, doi:10.1037/h0031619, equations 3-7.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"ppqq"], system=[*"abab"], end=["yes", "yes", "no", "yes"])
    >>> got = fleiss_kappa(tallied(ends))
    >>> round(got.values.one(raters="systems").value, 4)  # (1/2 - 10/16) / (1 - 10/16)
    -0.3333
    """
    sets = rater_sets(tallies)
    found = [_kappa(ratings_of(tallies, raters).where(2), confidence) for raters in sets]
    notes = ("answers with the same name are the same category on all questions",)

    def table(name: str, place: int) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={"raters": np.array(sets, dtype=object)},
            interval_method="jackknife over questions",
            confidence=confidence,
            notes=notes,
            **columns_of([pair[place] for pair in found]),
        )

    return FleissKappa(values=table(INSTRUMENT, 0), agreement=table(f"{INSTRUMENT}.agreement", 1))


def _kappa(ratings: NominalRatings, confidence: float) -> tuple[Interval, Interval]:
    q = ratings.raters.size
    if q == 0:
        blank = Interval.blank("no question has two raters")
        return blank, blank
    pairs = ratings.agreeing / (ratings.raters * (ratings.raters - 1))
    left = (pairs.sum() - pairs) / max(q - 1, 1)
    agreement = jackknife_interval(float(pairs.mean()), left, confidence=confidence)
    chance, chances = _by_chance(ratings, q)
    if chance >= 1 - 1e-12:
        return Interval.blank("all raters give one answer to every question"), agreement
    value = (float(pairs.mean()) - chance) / (1 - chance)
    return beyond_chance(value, _ratio(1 - left, 1 - chances), confidence=confidence), agreement


def _by_chance(ratings: NominalRatings, q: int) -> tuple[float, Float[np.ndarray, " q"]]:
    """Chance that two ratings have one name, whole and with each question left out."""
    share = ratings.given / ratings.raters[ratings.class_item]
    total = ratings.by_name(share)
    whole = float(np.square(total).sum())
    left = whole - 2 * ratings.by_question(share * total[ratings.class_name])
    left += ratings.by_question(np.square(share))
    return whole / q**2, left / max(q - 1, 1) ** 2


def _ratio(top: Float[np.ndarray, " q"], bottom: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    return np.asarray(top / np.where(bottom > 1e-12, bottom, np.nan))
