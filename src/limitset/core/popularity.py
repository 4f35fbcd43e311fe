"""How popular is the most popular wrong answer of a question, and the next one?

The profile over ranks is what mistakes look like when questions are forgotten. Ranking and measuring on the
same runs finds popularity in noise; ranking on one half of the runs and measuring on the other does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED


def popularity(
    tallies: Tallies,
    cells: Int[np.ndarray, " c"],
    *,
    class_count: int | None,
    splits: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, " r"]:
    """Share of the wrong mass in the r-th most popular wrong answer of a question, averaged over questions.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    cells : (c,)
        Cells whose runs are pooled.
    class_count
        Wrong answers that a question could have; None: the seen ones and an estimate of the unseen.
    splits
        Random halvings that are averaged (each used both ways); 0: rank and measure on all runs.
    rng
        Source of the halves.

    Returns
    -------
    (r,) shares that sum to 1; all NaN where no question has two runs to split or nothing is wrong.

    Notes
    -----
    Answers that tie in the ranking half, the unseen ones among them, share the mass of their ranks: the
    expectation over random ranks, without its noise.

    References
    ----------
    Chao (1987), doi:10.2307/2531532, bias-corrected form with (n - 1) / n (unseen classes).
    Chernozhukov et al. (2018), doi:10.1111/ectj.12097, section 3 (cross-fitting).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system="m", seed=range(4), end=["a", "a", "a", "b"], right=[0, 0, 0, 0])
    >>> rng = np.random.default_rng(0)
    >>> popularity(tallied(ends), np.array([0]), class_count=2, splits=0, rng=rng).tolist()
    [0.75, 0.25]
    """
    wrong = np.flatnonzero(~tallies.right & (tallies.counts[cells].sum(axis=0) > 0))
    owner, counts = tallies.class_item[wrong], tallies.counts[np.ix_(cells, wrong)]
    unseen = _unseen(counts.sum(axis=0), owner, tallies.items.size, class_count)
    runs = tallies.runs[cells]
    halves = _Halves.of(counts, owner, runs)
    total = counts.sum(axis=0).astype(float)
    if splits == 0:
        profile = _profile(total, total / np.maximum(runs.sum(axis=0), 1)[owner], owner, unseen)
    elif (runs.sum(axis=0) < 2).all():
        return np.full(1, UNDEFINED)
    else:
        profile = np.zeros(_profile(total, total, owner, unseen).size)
        for _ in range(splits):
            (first, first_runs), (second, second_runs) = halves.drawn(rng)
            profile += _profile(first, second / np.maximum(second_runs, 1)[owner], owner, unseen)
            profile += _profile(second, first / np.maximum(first_runs, 1)[owner], owner, unseen)
    return profile / profile.sum() if profile.sum() > 0 else np.full(1, UNDEFINED)


@dataclass(frozen=True, kw_only=True)
class _Halves:
    """Runs one by one, to be cut in halves within each cell and question."""

    label: Int[np.ndarray, " n"]
    """Wrong answer of the run; -1 for a right one or none."""
    key: Int[np.ndarray, " n"]
    """Cell and question of the run."""
    classes: int
    questions: int

    @classmethod
    def of(
        cls, counts: Int[np.ndarray, "c w"], owner: Int[np.ndarray, " w"], runs: Int[np.ndarray, "c q"]
    ) -> _Halves:
        labels, keys = [], []
        questions = np.arange(runs.shape[1])
        for cell, (own, all_runs) in enumerate(zip(counts, runs, strict=True)):
            label = np.repeat(np.arange(owner.size), own)
            rest = all_runs - np.bincount(owner, weights=own, minlength=questions.size).astype(np.int64)
            labels += [label, np.full(rest.sum(), -1)]
            keys += [cell * questions.size + owner[label], cell * questions.size + np.repeat(questions, rest)]
        return cls(
            label=np.concatenate(labels),
            key=np.concatenate(keys),
            classes=owner.size,
            questions=questions.size,
        )

    def drawn(self, rng: np.random.Generator) -> list[tuple[Float[np.ndarray, " w"], Int[np.ndarray, " q"]]]:
        """Return counts by wrong answer and runs by question of two random halves."""
        order = np.lexsort((rng.random(self.key.size), self.key))
        sizes = np.bincount(self.key)
        place = np.arange(order.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        # the odd run goes to either half by a coin, so that neither is larger on average
        cut = (sizes + rng.integers(0, 2, size=sizes.size)) // 2
        in_first = np.empty(order.size, dtype=bool)
        in_first[order] = place < np.repeat(cut, sizes)
        return [self._counted(in_first), self._counted(~in_first)]

    def _counted(self, mask: np.ndarray) -> tuple[Float[np.ndarray, " w"], Int[np.ndarray, " q"]]:
        wrong = np.bincount(self.label[mask & (self.label >= 0)], minlength=self.classes)
        runs = np.bincount(self.key[mask] % self.questions, minlength=self.questions)
        return wrong.astype(float), runs


def _unseen(
    counts: Int[np.ndarray, " w"], owner: Int[np.ndarray, " w"], questions: int, class_count: int | None
) -> Int[np.ndarray, " q"]:
    """Wrong answers of each question that no run gave."""
    if class_count is not None:
        return np.maximum(class_count - np.bincount(owner, minlength=questions), 0)
    once, twice = (np.bincount(owner, weights=counts == times, minlength=questions) for times in (1, 2))
    runs = np.bincount(owner, weights=counts, minlength=questions)
    chao = (runs - 1) / np.maximum(runs, 1) * once * (once - 1) / (2 * (twice + 1))
    return np.ceil(np.maximum(chao, 0)).astype(np.int64)


def _profile(
    ranked_by: Float[np.ndarray, " w"],
    mass: Float[np.ndarray, " w"],
    owner: Int[np.ndarray, " w"],
    unseen: Int[np.ndarray, " q"],
) -> Float[np.ndarray, " r"]:
    """Mass by rank; answers that tie spread theirs evenly over the ranks that they tie for."""
    classes = np.bincount(owner, minlength=unseen.size)
    order = np.lexsort((-ranked_by, owner))
    starts = np.cumsum(classes) - classes
    key_new = np.ones(order.size, dtype=bool)
    key_new[1:] = (np.diff(owner[order]) != 0) | (np.diff(ranked_by[order]) != 0)
    group = np.cumsum(key_new) - 1
    first = np.flatnonzero(key_new)
    sizes = np.bincount(group)
    question = owner[order][first]
    rank = first - starts[question]
    # the unseen have no run in the ranking half: they tie with the seen ones that have none there
    sizes = sizes + np.where(ranked_by[order][first] == 0, unseen[question], 0)
    each = np.bincount(group, weights=mass[order]) / np.maximum(sizes, 1)
    steps = np.zeros(int((classes + unseen).max(initial=0)) + 1)
    np.add.at(steps, rank, each)
    np.add.at(steps, rank + sizes, -each)
    # rounding in the sum of steps up and down must not leave a rank a hair below 0
    return np.maximum(np.cumsum(steps)[:-1], 0.0)
