"""How many runs of each cell ended in each answer class?

A *cell* is one condition within which runs are alike but for their seed: one system with one paraphrase
(and one temperature, loop and anchor). Every truth instrument reads this one table, so the counting is done
once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.columns import Coded, by_first_row, distinct_rows, first_rows, frozen, plain, take
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.levels import Status
from limitset.core.undefined import UNDEFINED

CELL = ("system", "paraphrase", "temperature", "loop", "anchor")
NO_STRATUM = "all"
RESERVED = "all"


@dataclass(frozen=True, kw_only=True, eq=False)
class Tallies:
    """Counts of runs by cell and answer class.

    Greedy runs and runs that failed for technical reasons are left out. Abstained and unparsed runs stay in
    `runs` (the denominator) and belong to no class, so they never agree with one another.

    Parameters
    ----------
    items : (q,) names of the questions
    strata : (q,) stratum of each question
    anchor_error : (q,) chance that the key is wrong, NaN where unknown
    systems, paraphrases : (c,) of each cell
    class_item : (k,) question that each class belongs to
    class_name : (k,) the answer
    class_right : (k,) 1 right, 0 wrong, NaN no anchor
    counts : (c, k) runs of a cell that ended in a class
    runs : (c, q) runs of a cell on a question, answered or not
    abstained, unparsed : (c, q) parts of `runs`
    clusters : (q,) number of the passage, document or conversation of each question; each question has one of
        its own where nothing is given

    Examples
    --------
    >>> ends = Ends.of(item=["q", "q", "q"], system="m", end=["a", "a", None], seed=[0, 1, 2])
    >>> tallies = tallied(ends)
    >>> tallies.counts.tolist(), tallies.runs.tolist(), tallies.class_name.tolist()
    ([[2]], [[3]], ['a'])
    """

    items: np.ndarray
    strata: np.ndarray
    anchor_error: Float[np.ndarray, " q"]
    systems: np.ndarray
    paraphrases: np.ndarray
    class_item: Int[np.ndarray, " k"]
    class_name: np.ndarray
    class_right: Float[np.ndarray, " k"]
    counts: Int[np.ndarray, "c k"]
    runs: Int[np.ndarray, "c q"]
    abstained: Int[np.ndarray, "c q"]
    unparsed: Int[np.ndarray, "c q"]
    clusters: Int[np.ndarray, " q"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.clusters.size == 0:
            object.__setattr__(self, "clusters", np.arange(self.items.size))

    @property
    def anchored(self) -> bool:
        """Whether something outside the models checks every question."""
        return self.class_right.size > 0 and not bool(np.isnan(self.class_right).any())

    @property
    def right(self) -> Bool[np.ndarray, " k"]:
        """Which classes are right."""
        return np.asarray(self.class_right == 1)

    def by_question(self, per_class: Float[np.ndarray, " k"]) -> Float[np.ndarray, " q"]:
        """Sum a number per class over the classes of each question."""
        # without any class bincount would count in integers
        return np.bincount(self.class_item, weights=per_class, minlength=self.items.size).astype(np.float64)

    def pooled(self) -> Tallies:
        """Pool all cells into one (the declared design as a whole)."""
        return self._with_cells(
            np.zeros(self.systems.size, dtype=np.int64), np.array(["all"]), np.array(["all"])
        )

    def by_system(self) -> Tallies:
        """Pool the cells of each system."""
        names, groups = np.unique(self.systems.astype(str), return_inverse=True)
        return self._with_cells(groups, names, np.array(["all"] * names.size))

    def of_system(self, system: str) -> Tallies:
        """Keep the cells of one system."""
        return self._cells(np.flatnonzero(self.systems == system))

    def of_questions(self, mask: Bool[np.ndarray, " q"]) -> Tallies:
        """Keep some questions and their classes."""
        if mask.all():
            return self
        kept = np.flatnonzero(mask)
        renumbered = np.full(self.items.size, -1)
        renumbered[kept] = np.arange(kept.size)
        classes = (
            np.flatnonzero(mask[self.class_item]) if self.class_item.size else np.zeros(0, dtype=np.int64)
        )
        return Tallies(
            items=self.items[kept],
            strata=self.strata[kept],
            anchor_error=self.anchor_error[kept],
            systems=self.systems,
            paraphrases=self.paraphrases,
            class_item=renumbered[self.class_item[classes]],
            class_name=self.class_name[classes],
            class_right=self.class_right[classes],
            counts=self.counts[:, classes],
            runs=self.runs[:, kept],
            abstained=self.abstained[:, kept],
            unparsed=self.unparsed[:, kept],
            clusters=self.clusters[kept],
        )

    def of_stratum(self, stratum: str) -> Tallies:
        """Keep the questions of one stratum."""
        return self.of_questions(np.asarray(self.strata == stratum))

    def stratum_names(self) -> list[str]:
        """Return the strata in order of first appearance."""
        return list(dict.fromkeys(str(name) for name in self.strata))

    def by_stratum(self) -> list[tuple[str, Tallies]]:
        """Return each stratum with its questions, and all questions last."""
        names = [name for name in self.stratum_names() if name != NO_STRATUM]
        return [*((name, self.of_stratum(name)) for name in names), (NO_STRATUM, self)]

    def require_anchor(self) -> None:
        """Refuse questions that nothing outside the models checks.

        Raises
        ------
        InputError
            When an answer is neither right nor wrong.
        """
        if np.isnan(self.class_right).any():
            open_items = np.unique(self.class_item[np.isnan(self.class_right)])
            raise InputError.of(
                expected="every answer must be known to be right or wrong",
                got=f"no anchor for {open_items.size} of {self.items.size} questions",
                fix="Give `right`, or keep the anchored questions with `of_questions`.",
            )

    @property
    def key_error(self) -> float:
        """Mean chance that a key is wrong; unknown chances count as 0."""
        return float(np.nan_to_num(self.anchor_error).mean()) if self.items.size else 0.0

    def _cells(self, index: np.ndarray) -> Tallies:
        return Tallies(
            items=self.items,
            strata=self.strata,
            anchor_error=self.anchor_error,
            systems=self.systems[index],
            paraphrases=self.paraphrases[index],
            class_item=self.class_item,
            class_name=self.class_name,
            class_right=self.class_right,
            counts=self.counts[index],
            runs=self.runs[index],
            abstained=self.abstained[index],
            unparsed=self.unparsed[index],
            clusters=self.clusters,
        )

    def _with_cells(self, groups: np.ndarray, systems: np.ndarray, paraphrases: np.ndarray) -> Tallies:
        def summed(table: np.ndarray) -> np.ndarray:
            if systems.size == 1:
                return np.asarray(table.sum(axis=0, keepdims=True))
            order = np.argsort(groups, kind="stable")
            starts = np.searchsorted(groups[order], np.arange(systems.size))
            return np.asarray(np.add.reduceat(table[order], starts, axis=0))

        return Tallies(
            items=self.items,
            strata=self.strata,
            anchor_error=self.anchor_error,
            systems=systems,
            paraphrases=paraphrases,
            class_item=self.class_item,
            class_name=self.class_name,
            class_right=self.class_right,
            counts=summed(self.counts),
            runs=summed(self.runs),
            abstained=summed(self.abstained),
            unparsed=summed(self.unparsed),
            clusters=self.clusters,
        )


def tallied(ends: Ends, items: Items | None = None) -> Tallies:
    """Count runs by cell and answer class.

    Parameters
    ----------
    ends
        Runs of the answer level (or the ends of text loops); greedy and failed runs are dropped.
    items
        The questions, for strata, anchor errors and clusters; without it there is one stratum, "all", and
        each question is its own cluster.

    Raises
    ------
    InputError
        When no run is left, or one answer of a question is called right in one row and wrong in another.
    """
    ends = ends.where(_counted(ends))
    if len(ends) == 0:
        raise InputError.of(
            expected="at least one sampled run must have ended", got="none", fix="Check greedy and status."
        )
    if RESERVED in ends.coded("system").values:
        raise InputError.of(
            expected=f"no model may be called {RESERVED!r}, the name of all of them together",
            got="one that is",
            fix="Rename it.",
        )
    names, question = _dense(ends.coded("item"))
    cell, cells = _cells_of(ends)
    end = ends.coded("end")
    silent = {name: _is(ends.coded("status"), name) for name in (Status.ABSTAINED, Status.UNPARSED)}
    named = (end.codes >= 0) & ~silent[Status.ABSTAINED] & ~silent[Status.UNPARSED]
    answered = slice(None) if named.all() else np.flatnonzero(named)
    class_of, class_item, class_name = _classes(end.codes[answered], end.values, question[answered])
    class_right = _class_right(ends.numbers("right")[answered], class_of, class_item.size)
    _refuse_mixed(class_right, names[class_item], class_name)

    def by_cell(mask: np.ndarray | slice, columns: np.ndarray, width: int) -> np.ndarray:
        found = np.bincount(cell[mask] * width + columns, minlength=len(cells) * width)
        return frozen(found.reshape(len(cells), width))

    def by_question(mask: np.ndarray) -> np.ndarray:
        if not mask.any():  # most panels have no such run: one number stands for the table
            return np.broadcast_to(np.int64(0), (len(cells), names.size))
        return by_cell(mask, question[mask], names.size)

    strata, anchor_error, clusters = _of_items(names, items)
    return Tallies(
        items=names,
        strata=strata,
        anchor_error=anchor_error,
        systems=np.array([one[0] for one in cells], dtype=object),
        paraphrases=np.array([one[1] for one in cells], dtype=object),
        class_item=class_item,
        class_name=class_name,
        class_right=class_right,
        counts=by_cell(answered, class_of, class_item.size),
        runs=by_cell(slice(None), question, names.size),
        abstained=by_question(silent[Status.ABSTAINED]),
        unparsed=by_question(silent[Status.UNPARSED]),
        clusters=clusters,
    )


def _counted(ends: Ends) -> np.ndarray:
    return np.asarray((ends.numbers("greedy") != 1) & ~_is(ends.coded("status"), Status.ERROR))


def _is(column: Coded, value: str) -> Bool[np.ndarray, " n"]:
    return np.asarray(column.codes == (column.values.index(value) if value in column.values else -2))


def _dense(column: Coded) -> tuple[np.ndarray, np.ndarray]:
    order, number = by_first_row(column.codes, count=len(column.values))
    names = np.array([column.values[one] for one in order], dtype=object)
    return names, number[column.codes].astype(np.int64)


def _cells_of(ends: Ends) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Return the cell of each run, and each cell as it is printed, first one first."""
    columns = [ends.columns[name] for name in CELL]
    _, kind = distinct_rows(columns)
    order, number = by_first_row(kind, count=int(kind.max()) + 1)
    cell = number[kind].astype(np.int64)
    first = first_rows(cell, count=order.size)
    printed = [plain(take(column, first)) for column in columns]
    cells = [
        tuple("" if value is None else str(value) for value in row) for row in zip(*printed, strict=True)
    ]
    place: dict[tuple[str, ...], int] = {}
    alike = np.array([place.setdefault(one, len(place)) for one in cells], dtype=np.int64)
    return (cell if len(place) == len(cells) else alike[cell]), list(place)


def _classes(
    ends: np.ndarray, values: tuple[str, ...], question: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not ends.size:
        return ends.astype(np.int64), question, np.zeros(0, dtype=object)
    first, class_of = distinct_rows([question.astype(np.float64), Coded(ends, values)])
    names = np.array([*values, None], dtype=object)
    return class_of, question[first], names[ends[first]]


def _of_items(names: np.ndarray, items: Items | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stratum, anchor error and cluster of each question."""
    if items is None:
        strata = np.array([NO_STRATUM] * names.size, dtype=object)
        return strata, np.full(names.size, UNDEFINED), np.arange(names.size)
    position = {name: row for row, name in enumerate(items.texts("item"))}
    rows = [position.get(name, -1) for name in names]
    if min(rows, default=0) < 0:
        raise InputError.of(
            expected="every run must be of a known item",
            got=names[rows.index(-1)],
            fix="Add it to the items.",
        )
    strata = np.array([items.texts("stratum")[row] or NO_STRATUM for row in rows], dtype=object)
    return strata, items.numbers("anchor_error")[rows], _clusters(items.texts("cluster")[rows])


def _clusters(names: np.ndarray) -> np.ndarray:
    """Return a number for each cluster; a question of no cluster is one of its own."""
    first: dict[str, int] = {}
    numbers = [row if name is None else first.setdefault(name, row) for row, name in enumerate(names)]
    return np.array(numbers, dtype=np.int64)


def _class_right(right: np.ndarray, class_of: np.ndarray, classes: int) -> np.ndarray:
    """Share of the checked runs of each class that were called right; NaN where none was checked."""
    known = ~np.isnan(right)
    yes = np.bincount(class_of[known], weights=right[known], minlength=classes)
    seen = np.bincount(class_of[known], minlength=classes)
    return np.where(seen > 0, yes / np.maximum(seen, 1), UNDEFINED)


def _refuse_mixed(class_right: np.ndarray, class_items: np.ndarray, class_name: np.ndarray) -> None:
    mixed = np.flatnonzero((class_right > 0) & (class_right < 1))
    if mixed.size:
        which = int(mixed[0])
        raise InputError.of(
            expected="one answer of a question must be right in every run or in none",
            got=f"{class_name[which]!r} of {class_items[which]} both ways",
            fix="Score by answer class, or split the class.",
        )
