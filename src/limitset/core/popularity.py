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
    """Runs of each cell and question, to be cut in halves: by the law of drawing half of them."""

    answer: Int[np.ndarray, " n"]
    """Wrong answer of each entry, entries of one cell and question side by side."""
    count: Int[np.ndarray, " n"]
    group: Int[np.ndarray, " n"]
    """Cell and question of the entry, among `runs`."""
    turns: list[np.ndarray]
    """First entries of all groups, second ones, and so on."""
    runs: Int[np.ndarray, " g"]
    question: Int[np.ndarray, " g"]
    classes: int
    questions: int

    @classmethod
    def of(
        cls, counts: Int[np.ndarray, "c w"], owner: Int[np.ndarray, " w"], runs: Int[np.ndarray, "c q"]
    ) -> _Halves:
        cells, questions = runs.shape
        cell, answer = np.nonzero(counts)
        group = cell * questions + owner[answer]
        new = np.flatnonzero(np.diff(group, prepend=-1) != 0)
        place = np.arange(group.size) - np.repeat(new, np.diff(new, append=group.size))
        return cls(
            answer=answer,
            count=counts[cell, answer],
            group=group,
            turns=[np.flatnonzero(place == turn) for turn in range(int(place.max(initial=-1)) + 1)],
            runs=runs.ravel(),
            question=np.tile(np.arange(questions), cells),
            classes=owner.size,
            questions=questions,
        )

    def drawn(self, rng: np.random.Generator) -> list[tuple[Float[np.ndarray, " w"], Int[np.ndarray, " q"]]]:
        """Return counts by wrong answer and runs by question of two random halves."""
        # the odd run goes to either half by a coin, so that neither is larger on average
        cut = (self.runs + rng.integers(0, 2, size=self.runs.size)) // 2
        open_runs, open_cut = self.runs.copy(), cut.copy()
        first = np.zeros(self.count.size, dtype=np.int64)
        for turn in self.turns:
            own, group = self.count[turn], self.group[turn]
            got = rng.hypergeometric(own, open_runs[group] - own, open_cut[group])
            first[turn] = got
            open_runs[group] -= own
            open_cut[group] -= got
        return [
            (
                np.bincount(self.answer, weights=own, minlength=self.classes).astype(float),
                np.bincount(self.question, weights=runs, minlength=self.questions).astype(np.int64),
            )
            for own, runs in ((first, cut), (self.count - first, self.runs - cut))
        ]


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
    # counts are whole: one key in place of two, and nearly in order already
    most = int(ranked_by.max(initial=0)) + 1
    order = np.argsort(owner * most + (most - 1 - ranked_by.astype(np.int64)), kind="stable")
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
    ranks = int((classes + unseen).max(initial=0)) + 1
    steps = np.bincount(rank, weights=each, minlength=ranks) - np.bincount(
        rank + sizes, weights=each, minlength=ranks
    )
    # rounding in the sum of steps up and down must not leave a rank a hair below 0
    return np.maximum(np.cumsum(steps)[:-1], 0.0)
