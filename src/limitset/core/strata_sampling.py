"""Which questions are looked at, and how many of each level of agreement, when not all can be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.tallies import Tallies

NOBODY: Final = -1
"""Level of a question that no run answered: there is no agreed answer that could be wrong."""
_ROUNDING: Final = 1e-9
"""A share of 4/5 meets a threshold of .8 whatever the last bit says."""
_FIRST: Final = 1e-30
"""The first draw of a level is worth more than any other: without it nothing is known there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AgreementLevels:
    """Questions sorted by the share of runs that agree on the commonest answer.

    Parameters
    ----------
    cuts : (h - 1,)
        Where a level ends and the next begins, rising, each in (0, 1].
    member : (q,)
        Level of each question, 0 the least agreed; -1 where nobody answered.
    sizes : (h,)
        Questions of each level; some may hold none.
    """

    cuts: tuple[float, ...]
    member: Int[np.ndarray, " q"]
    sizes: Int[np.ndarray, " h"]

    @property
    def silent(self) -> int:
        """Questions that nobody answered."""
        return int((self.member == NOBODY).sum())

    def from_threshold(self, threshold: float) -> Int[np.ndarray, " some"]:
        """Return the levels at or above a threshold, which must be a cut."""
        if not any(abs(cut - threshold) < _ROUNDING for cut in self.cuts):
            raise InputError.of(
                expected=f"a threshold must be where a level begins, one of {', '.join(map(str, self.cuts))}",
                got=threshold,
                fix="Give it among the cuts.",
            )
        return np.flatnonzero(np.array([0.0, *self.cuts]) >= threshold - _ROUNDING)

    def named(self) -> list[str]:
        """Return the name of each level.

        Examples
        --------
        >>> member, sizes = np.zeros(1, dtype=int), np.array([1, 0, 0, 0])
        >>> AgreementLevels(cuts=(0.5, 0.8, 1.0), member=member, sizes=sizes).named()
        ['under 50 %', '50 to under 80 %', '80 to under 100 %', 'all']
        """
        if not self.cuts:
            return ["any"]
        edges = [f"{100 * cut:.3g}" for cut in self.cuts]
        names = [f"under {edges[0]} %", *(f"{a} to under {b} %" for a, b in pairwise(edges))]
        return [*names, "all" if self.cuts[-1] >= 1 else f"{edges[-1]} % or more"]


def agreement_levels(tallies: Tallies, cuts: Sequence[float]) -> AgreementLevels:
    """Sort questions by the share of all their runs that give the commonest answer.

    Parameters
    ----------
    tallies
        Counts of runs; all cells are pooled. Runs without an answer stay in the denominator.
    cuts
        Where a level ends and the next begins, rising, each in (0, 1].

    Raises
    ------
    InputError
        When the cuts do not rise within (0, 1].

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "p", "q", "q"], system="m", end=["a", "a", "b", "c"], seed=[0, 1, 0, 1])
    >>> agreement_levels(tallied(ends), [0.8]).member.tolist()
    [1, 0]
    """
    edges = np.array(cuts, dtype=np.float64)
    if (edges <= 0).any() or (edges > 1).any() or (np.diff(edges) <= 0).any():
        raise InputError.of(
            expected="levels of agreement must be cut at rising shares in (0, 1]",
            got=list(cuts),
            fix="Sort them and leave out what is outside.",
        )
    pooled = tallies.pooled()
    top = np.zeros(pooled.items.size, dtype=np.int64)
    np.maximum.at(top, pooled.class_item, pooled.counts[0])
    share = top / np.maximum(pooled.runs[0], 1)
    member = np.where(top > 0, np.searchsorted(edges, share + _ROUNDING, side="right"), NOBODY)
    sizes = np.bincount(member[member >= 0], minlength=edges.size + 1)
    return AgreementLevels(cuts=tuple(edges.tolist()), member=frozen(member), sizes=frozen(sizes))


def allocated(
    sizes: Int[np.ndarray, " h"],
    spreads: Float[np.ndarray, " h"],
    total: int,
    *,
    taken: Int[np.ndarray, " h"] | None = None,
    least: int = 0,
) -> Int[np.ndarray, " h"]:
    r"""Divide draws over levels so that the variance of the weighted share is least (Neyman).

    .. math:: \min_{n} \sum_h \frac{N_h^2 s_h^2}{n_h} \quad \text{with} \quad \sum_h n_h = n

    Parameters
    ----------
    sizes, spreads : (h,)
        Questions of each level (N_h), and the standard deviation expected within it (s_h), 0 or more.
    total
        Draws in all, those taken among them; more than there are questions means all of them.
    taken : (h,)
        Draws already made, which stay.
    least
        Every level gets at least so many, or all it has, even where that makes more than `total`.

    Returns
    -------
    (h,) array
        Draws of each level, whole numbers, at most `sizes`.

    References
    ----------
    Neyman (1934), doi:10.2307/2342192 (optimum allocation);
    Wright (2012), doi:10.1080/00031305.2012.733679 (exact in whole numbers, one draw after another).

    Examples
    --------
    >>> allocated(np.array([600, 200, 0]), np.array([0.3, 0.4, 0.5]), 26).tolist()  # 180 to 80
    [18, 8, 0]
    """
    floor = np.minimum(sizes, least) if taken is None else np.maximum(taken, np.minimum(sizes, least))
    room = max(min(total, int(sizes.sum())) - int(floor.sum()), 0)
    out = floor.astype(np.int64).copy()
    if room == 0:
        return np.asarray(out)
    # the gain of draw j + 1 after j: N^2 s^2 (1 / j - 1 / (j + 1))
    steps = [np.arange(low, high, dtype=np.float64) for low, high in zip(out, sizes, strict=True)]
    gains = np.concatenate(
        [
            (size * spread) ** 2 / np.where(j > 0, j * (j + 1), _FIRST)
            for size, spread, j in zip(sizes, spreads, steps, strict=True)
        ]
    )
    level = np.repeat(np.arange(sizes.size), [len(j) for j in steps])
    chosen = np.argsort(-gains, kind="stable")[:room]
    return np.asarray(out + np.bincount(level[chosen], minlength=sizes.size), dtype=np.int64)


def interleaved(
    planned: Int[np.ndarray, " h"], taken: Int[np.ndarray, " h"] | None = None
) -> Int[np.ndarray, " n"]:
    """Return the level of each draw, one after another, so that every beginning of the list is in proportion.

    Parameters
    ----------
    planned : (h,)
        Draws of each level.
    taken : (h,)
        Draws of each level that stand before the list and are not in it.

    Examples
    --------
    >>> interleaved(np.array([4, 2])).tolist()
    [0, 1, 0, 0, 1, 0]
    """
    more = planned if taken is None else planned - taken
    level = np.repeat(np.arange(planned.size), more)
    place = np.concatenate([(np.arange(n) + 0.5) / max(n, 1) for n in more.tolist()])
    return np.asarray(level[np.argsort(place, kind="stable")], dtype=np.int64)


def drawn_order(tallies: Tallies, rng: np.random.Generator) -> Int[np.ndarray, " q"]:
    """Return all questions in a random order that depends on their names, not on where they stand.

    Whatever is cut out of it by level is a simple random draw of that level, as long a one as is wanted.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> tallies = tallied(Ends.of(item=["c", "a", "b"], system="m", end="x"))
    >>> turned = tallied(Ends.of(item=["a", "b", "c"], system="m", end="x"))
    >>> one, other = (t.items[drawn_order(t, np.random.default_rng(1))].tolist() for t in (tallies, turned))
    >>> one == other
    True
    """
    by_name = np.argsort(tallies.items.astype(str), kind="stable")
    return np.asarray(by_name[rng.permutation(by_name.size)])
