"""Where did every run start and end, and was the end right?

`Ends` is the waist of limitset: every source writes it, every judgement reads it. One row is one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from limitset.core import parquet
from limitset.core.columns import (
    Coded,
    Column,
    Kind,
    as_column,
    constant,
    first_duplicate,
    frozen,
    is_constant,
    joined,
    plain,
    take,
)
from limitset.core.errors import InputError
from limitset.core.frames import to_frame
from limitset.core.levels import Level, Status

KEY: Final = ("source", "level", "item", "system", "paraphrase", "seed", "temperature", "loop", "anchor")
"""The columns that name a run; no two rows agree in all of them."""

KINDS: Final[Mapping[str, Kind]] = {
    "source": Kind.TEXT,
    "level": Kind.TEXT,
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "paraphrase": Kind.TEXT,
    "seed": Kind.NUMBER,
    "temperature": Kind.NUMBER,
    "loop": Kind.TEXT,
    "anchor": Kind.TEXT,
    "start": Kind.TEXT,
    "end": Kind.TEXT,
    "status": Kind.TEXT,
    "steps": Kind.NUMBER,
    "right": Kind.NUMBER,
    "confidence": Kind.NUMBER,
    "logprob": Kind.NUMBER,
    "score": Kind.NUMBER,
    "choice_probabilities": Kind.NUMBERS,
    "greedy": Kind.NUMBER,
    "runtime": Kind.TEXT,
    "prompt_hash": Kind.TEXT,
    "filter": Kind.TEXT,
    "family": Kind.TEXT,
    "text": Kind.TEXT,
}
"""Every column and what it holds. `right` and `greedy` are 1, 0 or NaN; `steps` is inf for never."""

REQUIRED: Final = ("item", "system", "end")
DEFAULTS: Final[Mapping[str, Any]] = {"source": "user", "level": Level.ANSWER.value, "status": None}


@dataclass(frozen=True, eq=False)
class Ends:
    """One row a run: where it started, where it ended, whether that is right.

    Build it with `Ends.of`; only `item`, `system` and `end` are required.

    Parameters
    ----------
    columns
        Column name to column, all of one length: `Coded` texts, float64 numbers, object lists.

    Raises
    ------
    InputError
        For unknown or missing columns, lengths that differ, an unknown status or level, `right` other than
        0, 1 or nothing, or two rows with the same key.

    Examples
    --------
    >>> ends = Ends.of(item=["q1", "q1"], system=["a", "b"], end=["Sydney", "Canberra"], right=[0, 1])
    >>> len(ends), ends.texts("end").tolist(), ends.numbers("right").tolist()
    (2, ['Sydney', 'Canberra'], [0.0, 1.0])
    """

    columns: Mapping[str, Column]

    @classmethod
    def of(cls, **values: Any) -> Ends:
        """Build from keyword columns (sequences, arrays, or one value for all rows)."""
        unknown = sorted(set(values) - set(KINDS))
        if unknown:
            raise InputError.of(
                expected=f"columns of Ends are {', '.join(KINDS)}",
                got=f"unknown column {', '.join(unknown)}",
                fix="Rename or drop it.",
            )
        absent = [name for name in REQUIRED if name not in values]
        if absent:
            raise InputError.of(
                expected="Ends needs the columns item, system and end",
                got=f"no {', '.join(absent)}",
                fix="Map your own column names to these.",
            )
        length = _length(values)
        columns = {
            name: as_column(values.get(name, DEFAULTS.get(name)), kind, name=name, length=length)
            for name, kind in KINDS.items()
        }
        columns["status"] = _statuses(columns["status"], columns["end"])
        ends = cls(columns)
        ends._check()
        return ends

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Ends:
        """Build from a list of records; absent keys hold nothing."""
        names = {name for row in rows for name in row} | set(REQUIRED)
        return cls.of(**{name: [row.get(name) for row in rows] for name in names})

    @classmethod
    def joined(cls, parts: Iterable[Ends]) -> Ends:
        """Stack parts; their keys must not collide."""
        columns = [part.columns for part in parts]
        if not columns:
            return cls.of(item=[], system=[], end=[])
        ends = cls({name: joined([part[name] for part in columns]) for name in KINDS})
        ends._check()
        return ends

    @classmethod
    def read(cls, path: Path) -> Ends:
        """Read a Parquet file written by `write` (or by a user with the same columns)."""
        columns: dict[str, Any] = dict(parquet.read(path, KINDS))
        return cls.of(**columns)

    def write(self, path: Path) -> None:
        """Write a Parquet file; it appears whole or not at all."""
        parquet.write(self.columns, KINDS, path)

    def __len__(self) -> int:
        return len(self.columns["item"])

    def coded(self, name: str) -> Coded:
        """Return a text column as codes and dictionary."""
        column = self.columns[name]
        if not isinstance(column, Coded):
            raise InputError.of(expected=f"{name} must be a text column", got="numbers", fix="Use numbers().")
        return column

    def texts(self, name: str) -> np.ndarray:
        """Return a text column as an object array, None for nothing."""
        return self.coded(name).decoded()

    def numbers(self, name: str) -> np.ndarray:
        """Return a number column as float64, NaN for nothing."""
        column = self.columns[name]
        if isinstance(column, Coded):
            raise InputError.of(expected=f"{name} must be a number column", got="text", fix="Use texts().")
        return column

    def where(self, mask: np.ndarray) -> Ends:
        """Select rows by boolean mask or index."""
        if mask.dtype == bool and mask.all():
            return self
        return Ends({name: take(column, mask) for name, column in self.columns.items()})

    def having(self, **wanted: str) -> Ends:
        """Select the rows whose text columns equal the given values."""
        mask = np.ones(len(self), dtype=bool)
        for name, value in wanted.items():
            column = self.coded(name)
            mask &= column.codes == (column.values.index(value) if value in column.values else -2)
        return self.where(mask)

    def with_columns(self, **values: Any) -> Ends:
        """Return a copy with columns replaced."""
        merged: dict[str, Any] = {**self.columns, **values}
        return Ends.of(**merged)

    def rows(self) -> list[dict[str, Any]]:
        """Return plain records (for small tables and tests)."""
        arrays = {name: plain(column) for name, column in self.columns.items()}
        return [{name: array[row] for name, array in arrays.items()} for row in range(len(self))]

    def to_frame(self) -> Any:
        """Return a polars or pandas frame, whichever is installed."""
        return to_frame({name: plain(column) for name, column in self.columns.items()})

    def _check(self) -> None:
        _check_values(self.coded("status"), {status.value for status in Status}, "status")
        _check_values(self.coded("level"), {level.value for level in Level}, "level")
        for flag in ("right", "greedy"):
            values = self.numbers(flag)
            values = values[:1] if is_constant(values) else values
            odd = values[~(np.isnan(values) | (values == 0) | (values == 1))]
            if odd.size:
                raise InputError.of(
                    expected=f"{flag} must be 1, 0 or nothing", got=odd[0], fix="Round or empty it."
                )
        for name in ("item", "system"):
            if (self.coded(name).codes < 0).any():
                row = int(np.flatnonzero(self.coded(name).codes < 0)[0])
                raise InputError.of(
                    expected=f"every run needs its {name}", got=f"none in row {row + 1}", fix="Fill it."
                )
        twice = first_duplicate({name: self.columns[name] for name in KEY}) if len(self) > 1 else None
        if twice is not None:
            raise InputError.of(
                expected=f"no two runs may share {', '.join(KEY)}",
                got=f"rows {twice[0] + 1} and {twice[1] + 1}",
                fix="Give repeated runs of one question different seeds.",
            )


def _length(values: Mapping[str, Any]) -> int:
    lengths = {
        name: len(value)
        for name, value in values.items()
        if value is not None and not isinstance(value, str | bytes | int | float)
    }
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError.of(
            expected="columns must have one length", got=listed, fix="Select the common rows first."
        )
    return next(iter(lengths.values()), 1)


def _statuses(status: Column, end: Column) -> Coded:
    """Fill statuses not given: an end is an answer, no end is an abstention."""
    if not isinstance(status, Coded) or not isinstance(end, Coded):
        raise InputError.of(expected="status and end must be texts", got="numbers", fix="Convert them first.")
    given = [*status.values, Status.ANSWERED.value, Status.ABSTAINED.value]
    names = sorted(set(given))
    number = np.array([names.index(name) for name in given], dtype=np.int32)
    answered, abstained = number[-2:]
    if is_constant(status.codes) and (status.codes[0] >= 0 or (end.codes >= 0).all()):
        only = given[status.codes[0]] if status.codes[0] >= 0 else Status.ANSWERED.value
        return Coded(constant(0, len(status), dtype=np.int32), (only,))
    codes = np.where(end.codes >= 0, answered, abstained)
    known = status.codes >= 0
    codes[known] = number[status.codes[known]]
    used = np.unique(codes)
    return Coded(frozen(np.searchsorted(used, codes).astype(np.int32)), tuple(names[one] for one in used))


def _check_values(column: Coded, allowed: set[str], name: str) -> None:
    odd = sorted(set(column.values) - allowed)
    if odd:
        raise InputError.of(
            expected=f"{name} must be one of {', '.join(sorted(allowed))}",
            got=odd[0],
            fix="Rename it to one of these.",
        )
