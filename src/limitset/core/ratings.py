"""Which answers did the raters of each question give, and how often do two of them agree?

Raters are the systems (each with one run, drawn from those it has), or the runs of one system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.intervals import Interval, jackknife_interval
from limitset.core.tallies import Tallies

SYSTEMS: Final = "systems"
"""The raters are different systems."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NominalRatings:
    """Answers of the raters of each question.

    Parameters
    ----------
    raters : (q,)
        Raters of a question, also those who abstained.
    class_item, class_name : (k,)
        Question of each class, and number of its name; classes of two questions may share a name.
    given : (k,)
        Raters who gave the class (expected number, where a rater has several runs).
    alone : (k,)
        Sum over the raters of the squared chance that they give it: what a rater agrees with itself.
    """

    raters: Float[np.ndarray, " q"]
    class_item: Int[np.ndarray, " k"]
    class_name: Int[np.ndarray, " k"]
    given: Float[np.ndarray, " k"]
    alone: Float[np.ndarray, " k"]

    @property
    def agreeing(self) -> Float[np.ndarray, " q"]:
        """Ordered pairs of different raters that agree."""
        return self.by_question(np.square(self.given) - self.alone)

    def by_question(self, per_class: Float[np.ndarray, " k"]) -> Float[np.ndarray, " q"]:
        """Sum over the classes of each question."""
        return np.bincount(self.class_item, weights=per_class, minlength=self.raters.size).astype(np.float64)

    def by_name(self, per_class: Float[np.ndarray, " k"]) -> Float[np.ndarray, " names"]:
        """Sum over the classes of each name."""
        return np.bincount(self.class_name, weights=per_class).astype(np.float64)

    def where(self, least: float) -> NominalRatings:
        """Keep the questions with so many raters."""
        kept = self.raters >= least
        renumbered = np.cumsum(kept) - 1
        classes = kept[self.class_item]
        return NominalRatings(
            raters=self.raters[kept],
            class_item=renumbered[self.class_item[classes]],
            class_name=self.class_name[classes],
            given=self.given[classes],
            alone=self.alone[classes],
        )


def rater_sets(tallies: Tallies) -> list[str]:
    """Return "systems" where there are several, and each system that has two runs of a question.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="p", system=["a", "a", "b"], end=[*"xyx"], seed=[0, 1, 0])
    >>> rater_sets(tallied(ends))
    ['systems', 'a']
    """
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    runs = _runs_by_system(tallies, names)
    repeated = [name for name, own in zip(names, runs, strict=True) if (own >= 2).any()]
    return [*([SYSTEMS] if len(names) > 1 else []), *repeated]


def ratings_of(tallies: Tallies, raters: str) -> NominalRatings:
    """Return the answers of the raters, "systems" or the runs of the system named.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="p", system=["a", "a", "b"], end=[*"xyx"], seed=[0, 1, 0])
    >>> ratings_of(tallied(ends), "systems").agreeing.tolist()  # b agrees with half of a's runs, and back
    [1.0]
    >>> ratings_of(tallied(ends), "a").agreeing.tolist()
    [0.0]
    """
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    codes = np.unique(tallies.class_name.astype(str), return_inverse=True)[1].reshape(-1)
    if raters == SYSTEMS:
        count = np.zeros(tallies.items.size)
        given, alone = np.zeros(tallies.class_item.size), np.zeros(tallies.class_item.size)
        for name, runs in zip(names, _runs_by_system(tallies, names), strict=True):
            counts = tallies.counts[tallies.systems == name].sum(axis=0)
            share = counts / np.maximum(runs, 1)[tallies.class_item]
            given += share
            alone += np.square(share)
            count += runs > 0
    else:
        count = tallies.runs[tallies.systems == raters].sum(axis=0).astype(np.float64)
        given = tallies.counts[tallies.systems == raters].sum(axis=0).astype(np.float64)
        alone = given
    return NominalRatings(
        raters=count, class_item=tallies.class_item, class_name=codes, given=given, alone=alone
    )


def beyond_chance(value: float, left_out: Float[np.ndarray, " q"], *, confidence: float = 0.95) -> Interval:
    """Interval of an agreement beyond chance from 1 - kappa with each question left out.

    Parameters
    ----------
    value
        The agreement beyond chance.
    left_out : (q,)
        1 minus the agreement beyond chance without each question.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        Its ends are NaN where raters never disagree.

    References
    ----------
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> got = beyond_chance(0.5, np.array([0.5, 0.4, 0.6, 0.5]))
    >>> got.value, got.high < 1
    (0.5, True)
    """
    n = left_out.size
    if value >= 1 or not (left_out > 0).all():
        return Interval(value=value, low=np.nan, high=np.nan, n=float(n))
    got = jackknife_interval(float(np.log(1 - value)), np.log(left_out), confidence=confidence)
    return Interval(value=value, low=float(1 - np.exp(got.high)), high=float(1 - np.exp(got.low)), n=float(n))


def _runs_by_system(tallies: Tallies, names: list[str]) -> list[Int[np.ndarray, " q"]]:
    return [np.asarray(tallies.runs[tallies.systems == name].sum(axis=0)) for name in names]
