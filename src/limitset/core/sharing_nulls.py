"""What would a panel share if it did not matter which wrong answer belongs to which question?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from limitset.core.coincidence import AT_ONCE, DUST
from limitset.core.intervals import Interval
from limitset.core.popularity import popularity
from limitset.core.tallies import Tallies

MOST_DRAWN: Final = 20_000_000
"""Ranks of cells drawn in all; a panel with more takes its interval from few draws and the normal law."""
MOST_MOVED: Final = 30_000_000
"""Wrong shares moved in all draws; a panel with more is drawn less often."""
FEW: Final = 4
LEAST_MOVES: Final = 40
DENSE: Final = 32
"""Numbers up to this many times their count are worth a table."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SharingNulls:
    """Draws of a panel's same-wrong rate in which it cannot matter which wrong answer a question has.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    pooled
        The same, with the cells of each system pooled.
    confidence
        Share of the draws between the two ends, in (0, 1).
    draws
        Draws of each null, 1 or more, at most: a panel of many systems and questions is drawn less often.
    """

    tallies: Tallies
    pooled: Tallies
    confidence: float
    draws: int

    @classmethod
    def of(cls, tallies: Tallies, *, confidence: float, draws: int) -> SharingNulls:
        """Pool the cells of each system.

        Examples
        --------
        >>> from limitset.core.ends import Ends
        >>> from limitset.core.tallies import tallied
        >>> ends = Ends.of(item=[*"pq"] * 2, system=[*"aabb"], end=[*"xyxy"], right=0)
        >>> SharingNulls.of(tallied(ends), confidence=0.95, draws=9).shuffled(np.random.default_rng(0)).value
        0.0
        """
        return cls(tallies=tallies, pooled=tallies.by_system(), confidence=confidence, draws=draws)

    def popularity(self, rng: np.random.Generator, class_count: int | None, *, splits: int) -> Interval:
        """Let every wrong run draw its rank from the popularity of wrong answers on the average question.

        References
        ----------
        Chernozhukov et al. (2018), doi:10.1111/ectj.12097, section 3 (cross-fitting, here of ranks).
        """
        cells = np.arange(self.tallies.systems.size)
        shares = popularity(self.tallies, cells, class_count=class_count, splits=splits, rng=rng)
        if np.isnan(shares).any() or self.pooled.systems.size < 2:
            return Interval.blank("no two systems, nothing wrong, or no runs to split in halves")
        wrong = np.stack(
            [self.pooled.by_question(row * ~self.pooled.right * 1.0) for row in self.pooled.counts]
        )
        runs = np.maximum(self.pooled.runs, 1)
        both = float((_other_pairs(wrong / runs)).sum())
        value, whole = float(np.square(shares).sum()), wrong.astype(np.int64)
        few = self.draws * wrong.size > MOST_DRAWN
        draws = min(self.draws, FEW) if few else self.draws
        drawn = np.stack([self._spread(whole, runs, shares, rng) for _ in range(draws)])
        if few and draws > 1 and both > DUST:
            # a sum over thousands of questions that are drawn apart is normal; its variance is theirs
            half = stats.norm.ppf(0.5 + self.confidence / 2) * np.sqrt(drawn.var(axis=0, ddof=1).sum()) / both
            low, high = max(value - half, 0.0), min(value + half, 1.0)
            return Interval(value=value, low=float(low), high=float(high), n=float(wrong.shape[1]))
        return self._summary(value, drawn.sum(axis=1), both)

    def _spread(
        self,
        wrong: Int[np.ndarray, "m q"],
        runs: np.ndarray,
        shares: Float[np.ndarray, " r"],
        rng: np.random.Generator,
    ) -> Float[np.ndarray, " q"]:
        """Same-wrong mass of each question when wrong runs draw their rank from the popularity profile."""
        step = max(1, AT_ONCE // (wrong.shape[0] * shares.size))
        total = np.zeros(wrong.shape[1])
        for start in range(0, wrong.shape[1], step):
            own = slice(start, start + step)
            ranks = rng.multinomial(wrong[:, own], shares) / runs[:, own, None]
            total[own] = _other_pairs(ranks).sum(axis=1)
        return total

    def shuffled(self, rng: np.random.Generator) -> Interval:
        """Pair every system with the others' wrong answers to other questions of the stratum.

        References
        ----------
        Good (2005), Permutation, Parametric and Bootstrap Tests of Hypotheses, doi:10.1007/b138696.
        """
        groups = [np.flatnonzero(self.pooled.strata == name) for name in self.pooled.stratum_names()]
        groups = [group for group in groups if group.size > 1]
        if not groups or self.pooled.systems.size < 2:
            return Interval.blank("no stratum has two questions, or there is one system")
        names = np.unique(self.pooled.class_name.astype(str), return_inverse=True)[1].reshape(-1)
        system, place = np.nonzero(self.pooled.counts * ~self.pooled.right)
        question = self.pooled.class_item[place]
        share = self.pooled.counts[system, place] / self.pooled.runs[system, question]
        draws = min(self.draws, max(MOST_MOVED // max(place.size, 1), LEAST_MOVES))
        both, same = np.zeros(draws), np.zeros(draws)
        for draw in range(draws):
            moved = self._moved(groups, rng)[system, question]
            inside = moved >= 0
            key = moved * (names.max(initial=0) + 1) + names[place]
            same[draw] = _matched(key[inside], share[inside])
            size = self.pooled.items.size, self.pooled.systems.size
            wrong = np.bincount(
                moved[inside] * size[1] + system[inside], weights=share[inside], minlength=size[0] * size[1]
            ).reshape(size)
            both[draw] = float(_other_pairs(wrong.T * 1.0).sum())  # counts of nothing are whole numbers
        known = both > DUST
        if not known.any():
            return Interval.blank("no two systems are wrong in one stratum")
        rates = same[known] / both[known]
        return self._summary(float(rates.mean()), rates, 1.0)

    def _moved(self, groups: list[np.ndarray], rng: np.random.Generator) -> Int[np.ndarray, "m q"]:
        """Question that each system's answers are moved to; no two systems keep a question together."""
        systems = self.pooled.systems.size
        out = np.full((systems, self.pooled.items.size), -1, dtype=np.int64)
        for group in groups:
            order, shifts = rng.permutation(group), rng.permutation(max(systems, group.size))[:systems]
            for system, shift in enumerate(shifts):
                out[system, order] = np.roll(order, shift)
        return out

    def _summary(self, value: float, drawn: Float[np.ndarray, " d"], both: float) -> Interval:
        if both <= DUST:
            return Interval.blank("no two systems are wrong on one question")
        low, high = np.quantile(drawn / both, [(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        return Interval(value=value, low=float(low), high=float(high), n=float(self.pooled.items.size))


def _other_pairs(values: Float[np.ndarray, "m ..."]) -> Float[np.ndarray, ...]:
    """Sum over ordered pairs of different systems of the product of their values."""
    return np.asarray(np.square(values.sum(axis=0)) - np.square(values).sum(axis=0))


def _matched(key: Int[np.ndarray, " n"], share: Float[np.ndarray, " n"]) -> float:
    """Sum over ordered pairs of entries with one key of the product of their shares."""
    # numbers that are not too large are counted in a table of their own; larger ones are sorted first
    small = int(key.max(initial=0)) <= DENSE * max(key.size, 1)
    group = key if small else np.unique(key, return_inverse=True)[1].reshape(-1)
    return float(np.square(np.bincount(group, weights=share)).sum() - np.square(share).sum())
