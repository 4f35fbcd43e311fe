"""Which scores did each system give to each question, and what score does the key give?

A panel is ordinal when its runs carry a score: judges that grade from 1 to 5, say. Where they do not, a run
that is right scores 1 and any other 0, so that one set of instruments serves both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.columns import frozen
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Status
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

MOSTLY = 0.5
"""A panel is ordinal when more than this share of its runs carries a score."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreTable:
    """Scores by system, question and run.

    Parameters
    ----------
    systems : (m,) names of the systems
    items : (q,) names of the questions
    scores : (m, q, r)
        Score of each run, NaN where there is none. Runs of one system on one question are alike: their order
        means nothing.
    key : (q,)
        Score that the key gives, NaN where there is none.

    Examples
    --------
    >>> table = ScoreTable(systems=np.array(["a"], dtype=object), items=np.array(["p"], dtype=object),
    ...                    scores=np.array([[[4.0, 5.0, np.nan]]]), key=np.array([4.0]))
    >>> table.runs.tolist(), table.mean.tolist(), table.noise.tolist(), table.anchored
    ([[2]], [[4.5]], [[0.25]], True)
    """

    systems: np.ndarray
    items: np.ndarray
    scores: Float[np.ndarray, "m q r"]
    key: Float[np.ndarray, " q"]

    def __post_init__(self) -> None:
        shape = (len(self.systems), len(self.items))
        if self.scores.shape[:2] != shape or self.key.shape != shape[1:]:
            raise InputError.of(
                expected="scores must be systems x items x runs, and key one number an item",
                got=f"{shape[0]} systems, {shape[1]} items, scores {self.scores.shape}, key {self.key.shape}",
                fix="Align them.",
            )
        for name in ("systems", "items", "scores", "key"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def runs(self) -> Int[np.ndarray, "m q"]:
        """How many scores each system gave to each question."""
        return np.asarray((~np.isnan(self.scores)).sum(axis=2))

    @property
    def mean(self) -> Float[np.ndarray, "m q"]:
        """Mean score of each system on each question, NaN where it gave none."""
        return np.asarray(self._sum(1) / self._at_least_one())

    @property
    def noise(self) -> Float[np.ndarray, "m q"]:
        """Variance of one of the scores about their mean, NaN where there is none."""
        centred = self.scores - self.mean[:, :, None]
        return np.asarray(np.nan_to_num(np.square(centred)).sum(axis=2) / self._at_least_one())

    @property
    def anchored(self) -> bool:
        """Whether any question has a key."""
        return bool((~np.isnan(self.key)).any())

    def of_questions(self, mask: Bool[np.ndarray, " q"]) -> ScoreTable:
        """Keep some questions."""
        return ScoreTable(
            systems=self.systems, items=self.items[mask], scores=self.scores[:, mask], key=self.key[mask]
        )

    def complete(self) -> ScoreTable:
        """Keep the questions that every system scored."""
        return self.of_questions(np.asarray((self.runs > 0).all(axis=0)))

    def of_system(self, row: int) -> ScoreTable:
        """Keep one system."""
        rows = slice(row, row + 1)
        return ScoreTable(
            systems=self.systems[rows], items=self.items, scores=self.scores[rows], key=self.key
        )

    def _sum(self, power: int) -> Float[np.ndarray, "m q"]:
        return np.asarray(np.nan_to_num(self.scores**power).sum(axis=2))

    def _at_least_one(self) -> Float[np.ndarray, "m q"]:
        return np.where(self.runs > 0, self.runs, UNDEFINED)


def scored(ends: Ends, items: Items | None = None) -> ScoreTable | None:
    """Collect the scores of an ordinal panel; None where most runs carry none.

    Parameters
    ----------
    ends
        Runs; greedy and failed ones are left out, as everywhere.
    items
        The questions: the key is the first accepted answer that reads as a number.

    Examples
    --------
    >>> ends = Ends.of(item=["p", "p", "q"], system=["a", "b", "a"], end=["4", "5", "2"], score=[4, 5, 2])
    >>> items = Items.of(item=["p", "q"], text=["?", "?"], accepted=[["5"], []])
    >>> table = scored(ends, items)
    >>> table.scores[:, :, 0].tolist(), table.key.tolist()
    ([[4.0, 2.0], [5.0, nan]], [5.0, nan])
    >>> scored(Ends.of(item=["p"], system="a", end="x")) is None
    True
    """
    score = ends.numbers("score")
    if not np.isfinite(score).any():
        return None
    status = ends.coded("status")
    failed = status.values.index(Status.ERROR.value) if Status.ERROR.value in status.values else -2
    used = (ends.numbers("greedy") != 1) & (status.codes != failed)
    score = score[used]
    known = np.isfinite(score)
    if known.size == 0 or known.mean() <= MOSTLY:
        return None
    systems, system = _dense(ends.coded("system").codes[used], ends.coded("system").values)
    names, item = _dense(ends.coded("item").codes[used], ends.coded("item").values)
    cell = (system * names.size + item)[known]
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    run = np.arange(ordered.size) - np.repeat(starts, np.diff(starts, append=ordered.size))
    table = np.full((systems.size * names.size, int(run.max()) + 1), UNDEFINED)
    table[ordered, run] = score[known][order]
    return ScoreTable(
        systems=systems,
        items=names,
        scores=table.reshape(systems.size, names.size, -1),
        key=_keys(names, items),
    )


def correct_scores(tallies: Tallies) -> ScoreTable:
    """Score every run 1 where it is right and 0 where it is not; there is no key beside it.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Examples
    --------
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["p", "p", "q"], system="a", end=["x", "y", "x"], seed=[0, 1, 0], right=[1, 0, 0])
    >>> correct_scores(tallied(ends)).scores.tolist()
    [[[1.0, 0.0], [0.0, nan]]]
    """
    tallies.require_anchor()
    systems = list(dict.fromkeys(tallies.systems))
    right, runs = (np.zeros((len(systems), tallies.items.size)) for _ in range(2))
    for row, name in enumerate(systems):
        cells = tallies.systems == name
        right[row] = tallies.by_question((tallies.counts[cells].sum(axis=0) * tallies.right).astype(float))
        runs[row] = tallies.runs[cells].sum(axis=0)
    place = np.arange(max(int(runs.max(initial=1)), 1))
    scores = np.where(place < right[:, :, None], 1.0, np.where(place < runs[:, :, None], 0.0, UNDEFINED))
    return ScoreTable(
        systems=np.array(systems, dtype=object),
        items=tallies.items,
        scores=scores,
        key=np.full(tallies.items.size, UNDEFINED),
    )


def scores_of(runs: Tallies | ScoreTable) -> ScoreTable:
    """Return scores as they are, and the correctness of answers as scores.

    Examples
    --------
    >>> table = ScoreTable(systems=np.array(["a"]), items=np.array(["p"]), scores=np.ones((1, 1, 1)),
    ...                    key=np.ones(1))
    >>> scores_of(table) is table
    True
    """
    return runs if isinstance(runs, ScoreTable) else correct_scores(runs)


def _dense(codes: np.ndarray, values: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Give each name that occurs a number, by first appearance."""
    found, first, index = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return np.array([values[code] for code in found[order]], dtype=object), place[index.reshape(-1)]


def _keys(names: np.ndarray, items: Items | None) -> Float[np.ndarray, " q"]:
    if items is None:
        return np.full(names.size, UNDEFINED)
    keys = {
        name: _number(accepted or ())
        for name, accepted in zip(items.texts("item"), items.columns["accepted"], strict=True)  # type: ignore[arg-type]
    }
    return np.array([keys.get(name, UNDEFINED) for name in names], dtype=np.float64)


def _number(accepted: tuple[str, ...]) -> float:
    for text in accepted:
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    return UNDEFINED
