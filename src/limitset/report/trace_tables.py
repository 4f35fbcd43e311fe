"""What shares of inputs settle, on what, by which step, and right or wrong?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.levels import Level
from limitset.core.limit_sets import LimitKind
from limitset.core.results import MeasurementTable
from limitset.core.traces import ARMS
from limitset.core.undefined import NEVER, UNDEFINED

SETTLED_KINDS: Final = (LimitKind.FIXED, LimitKind.CYCLE)
OUTCOMES: Final = ("settled, right", "settled, wrong", "settled, no answer", "not settled")


@dataclass(frozen=True, kw_only=True, eq=False)
class TraceRows:
    """The traces of one way, one row an input, as arrays."""

    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.columns["item"])

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def of_items(self, other: TraceRows) -> TraceRows:
        """Return the rows of the inputs of another way, in its order."""
        place = {item: row for row, item in enumerate(self.columns["item"].tolist())}
        rows = [place[item] for item in other.columns["item"].tolist()]
        return TraceRows(columns={name: column[rows] for name, column in self.columns.items()})

    @property
    def settled(self) -> np.ndarray:
        """Which inputs ended on a fixed point or a cycle."""
        return np.isin(self.columns["kind"], SETTLED_KINDS)


def rows_by_arm(columns: Mapping[str, np.ndarray]) -> dict[str, TraceRows]:
    """Part the rows of a trace by their ways, the own one first."""
    found = [arm for arm in ARMS if (columns["arm"] == arm).any()]
    return {
        arm: TraceRows(columns={name: column[columns["arm"] == arm] for name, column in columns.items()})
        for arm in found
    }


def kinds_of(arms: Mapping[str, TraceRows]) -> MeasurementTable:
    """Return the share of inputs of each kind of end: axes arm, kind."""
    rows = [
        (arm, kind, wilson(float((found.columns["kind"] == kind).sum()), float(len(found))))
        for arm, found in arms.items()
        for kind in [str(kind) for kind in LimitKind]
        if (found.columns["kind"] == kind).any()
    ]
    return _table("kinds", {"arm": [r[0] for r in rows], "kind": [r[1] for r in rows]}, [r[2] for r in rows])


def outcomes_of(arms: Mapping[str, TraceRows], name: str, anchored: bool) -> MeasurementTable:
    """Return how inputs end, in the words of the bars: axes system, loop, outcome."""
    rows = []
    for arm, found in arms.items():
        right = found.numbers("right")
        cases = (
            found.settled & (right == 1),
            found.settled & (right == 0),
            found.settled & np.isnan(right),
            ~found.settled,
        )
        for outcome, case in zip(OUTCOMES, cases, strict=True):
            if case.any() or (anchored and outcome != "settled, no answer"):
                rows.append((arm, outcome, wilson(float(case.sum()), float(len(found)))))
    axes = {"system": [name] * len(rows), "loop": [r[0] for r in rows], "outcome": [r[1] for r in rows]}
    return _table("outcomes", axes, [r[2] for r in rows])


def curves_of(own: TraceRows, steps: int, anchored: bool, usual: int) -> MeasurementTable:
    """Return the shares settled, right, and settled but wrong by each step: axes step, curve."""
    arrival = np.where(own.settled, own.numbers("arrival"), NEVER)
    shown = np.unique(
        np.concatenate([np.arange(min(steps, 32) + 1), np.geomspace(1, steps, 60).astype(int), [usual]])
    )
    rights = stacked_lists(own.columns["rights"], steps + 1) if anchored else None
    rows: list[tuple[int, str, Interval]] = []
    for step in shown.tolist():
        there = arrival <= step
        rows.append((step, "settled", wilson(float(there.sum()), float(len(own)))))
        if rights is not None:
            right = rights[:, step] == 1
            rows.append((step, "right", wilson(float(right.sum()), float(len(own)))))
            rows.append((step, "settled and wrong", wilson(float((there & ~right).sum()), float(len(own)))))
    axes: dict[str, Sequence[Any]] = {"step": [r[0] for r in rows], "curve": [r[1] for r in rows]}
    return _table("settled beside right", axes, [r[2] for r in rows])


def _table(instrument: str, axes: Mapping[str, Sequence[Any]], intervals: list[Interval]) -> MeasurementTable:
    typed = {
        name: np.array(axis, dtype=object if axis and isinstance(axis[0], str) else np.int64)
        for name, axis in axes.items()
    }
    return MeasurementTable(
        instrument=instrument,
        version=1,
        level=Level.HIDDEN,
        axes=typed,
        interval_method="Wilson",
        **columns_of(intervals),
    )


def stacked_lists(lists: np.ndarray, length: int) -> np.ndarray:
    """Stack lists of different lengths `(n, length)`; what is missing repeats the last number.

    Examples
    --------
    >>> stacked_lists(np.array([(1.0,), (0.0, 2.0)], dtype=object), 3).tolist()
    [[1.0, 1.0, 1.0], [0.0, 2.0, 2.0]]
    """
    out = np.full((len(lists), length), UNDEFINED)
    for row, values in enumerate(lists):
        kept = np.asarray(values if values is not None else (), dtype=np.float64)[:length]
        out[row, : kept.size] = kept
        if kept.size:
            out[row, kept.size :] = kept[-1]
    return out
