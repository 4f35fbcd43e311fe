"""What was asked, what answers are accepted, and who says so?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from limitset.core import parquet
from limitset.core.columns import Coded, Column, Kind, as_column, first_duplicate, joined, plain, take
from limitset.core.errors import InputError
from limitset.core.frames import to_frame

KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "text": Kind.TEXT,
    "accepted": Kind.TEXTS,
    "lure": Kind.TEXT,
    "stratum": Kind.TEXT,
    "cluster": Kind.TEXT,
    "twin": Kind.TEXT,
    "form": Kind.TEXT,
    "anchor": Kind.TEXT,
    "anchor_error": Kind.NUMBER,
    "date": Kind.TEXT,
    "licence": Kind.TEXT,
}
"""`accepted` is empty where there is no anchor; `form` is name, number, code, list or choice; `cluster` is
the passage, document or conversation of the question; `twin` is the item that this one was changed from."""


@dataclass(frozen=True, eq=False)
class Items:
    """One row a question: accepted answers, a known lure, the stratum, and the anchor with its error.

    Parameters
    ----------
    columns
        Column name to column; see `KINDS`. `anchor_error` is the chance in [0, 1] that the key is wrong.

    Raises
    ------
    InputError
        For unknown columns, a missing `item` or `text`, an item twice, or an anchor error outside [0, 1].

    Examples
    --------
    >>> items = Items.of(item=["au"], text=["Its capital?"], accepted=[["Canberra"]], lure=["Sydney"])
    >>> items.accepted("au"), items.has_anchor().tolist()
    (('Canberra',), [True])
    """

    columns: Mapping[str, Column]

    @classmethod
    def of(cls, **values: Any) -> Items:
        """Build from keyword columns."""
        unknown = sorted(set(values) - set(KINDS))
        if unknown or "item" not in values or "text" not in values:
            raise InputError.of(
                expected=f"Items needs item and text, and may have {', '.join(list(KINDS)[2:])}",
                got=f"columns {', '.join(sorted(values))}",
                fix="Map your own column names to these.",
            )
        length = len(values["item"])
        columns = {
            name: as_column(values.get(name), kind, name=name, length=length) for name, kind in KINDS.items()
        }
        items = cls(columns)
        items._check()
        return items

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Items:
        """Build from a list of records; absent keys hold nothing."""
        names = {name for row in rows for name in row} | {"item", "text"}
        return cls.of(**{name: [row.get(name) for row in rows] for name in names})

    @classmethod
    def joined(cls, parts: Iterable[Items]) -> Items:
        """Stack item tables; an item may stand in one of them only."""
        columns = [part.columns for part in parts]
        items = cls({name: joined([part[name] for part in columns]) for name in KINDS})
        items._check()
        return items

    @classmethod
    def read(cls, path: Path) -> Items:
        """Read a Parquet file."""
        columns: dict[str, Any] = dict(parquet.read(path, KINDS))
        return cls.of(**columns)

    def write(self, path: Path) -> None:
        """Write a Parquet file; it appears whole or not at all."""
        parquet.write(self.columns, KINDS, path)

    def __len__(self) -> int:
        return len(self.columns["item"])

    def texts(self, name: str) -> np.ndarray:
        """Return a text column as an object array, None for nothing."""
        column = self.columns[name]
        if not isinstance(column, Coded):
            raise InputError.of(
                expected=f"{name} must be a text column", got="another kind", fix="Use numbers()."
            )
        return column.decoded()

    def numbers(self, name: str) -> np.ndarray:
        """Return a number column as float64."""
        return np.asarray(self.columns[name], dtype=np.float64)

    def accepted(self, item: str) -> tuple[str, ...]:
        """Return the accepted answers of one item, () where nothing checks it."""
        return self.columns["accepted"][self.position(item)] or ()  # type: ignore[index]

    def position(self, item: str) -> int:
        """Return the row of an item."""
        column = self.columns["item"]
        # a selection keeps the dictionary of the whole table, so a known name may have no row left
        known = isinstance(column, Coded) and item in column.values
        rows = np.flatnonzero(column.codes == column.values.index(item)) if known else np.zeros(0)  # type: ignore[union-attr]
        if rows.size == 0:
            raise InputError.of(expected="the item must be in the table", got=item, fix="Check its id.")
        return int(rows[0])

    def has_anchor(self) -> np.ndarray:
        """Say for each item whether something outside the models checks it."""
        keyed = np.array([bool(value) for value in plain(self.columns["accepted"])], dtype=bool)
        return np.asarray(keyed | np.array([value is not None for value in self.texts("anchor")], dtype=bool))

    def where(self, mask: np.ndarray) -> Items:
        """Select rows by boolean mask or index."""
        return Items({name: take(column, mask) for name, column in self.columns.items()})

    def rows(self) -> list[dict[str, Any]]:
        """Return plain records."""
        arrays = {name: plain(column) for name, column in self.columns.items()}
        return [{name: array[row] for name, array in arrays.items()} for row in range(len(self))]

    def to_frame(self) -> Any:
        """Return a polars or pandas frame, whichever is installed."""
        return to_frame({name: plain(column) for name, column in self.columns.items()})

    def _check(self) -> None:
        twice = first_duplicate({"item": self.columns["item"]}) if len(self) > 1 else None
        if twice is not None:
            raise InputError.of(
                expected="an item may stand in the table once",
                got=f"{self.texts('item')[twice[0]]} in rows {twice[0] + 1} and {twice[1] + 1}",
                fix="Give the second one another id.",
            )
        error = self.numbers("anchor_error")
        if ((error < 0) | (error > 1)).any():
            raise InputError.of(
                expected="anchor_error must be a share in [0, 1]",
                got=error[(error < 0) | (error > 1)][0],
                fix="Rescale it.",
            )
