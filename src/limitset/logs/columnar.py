"""How is a table of replies held so that ten million rows cost no Python value each?

A column is codes into its distinct cells. CSV and JSON lines are coded while they are read line by line; of a
Parquet file DuckDB codes the columns that are asked for, one after the other.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from limitset.core import parquet
from limitset.core.columns import Coded, by_first_row, constant, frozen
from limitset.core.errors import InputError
from limitset.core.undefined import UNDEFINED, UNMATCHED
from limitset.logs.records import open_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

ABSENT: Final = object()
"""Cell of a record that lacks the column."""

NUMBERS: Final = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "FLOAT",
    "DOUBLE",
)
"""Types of Parquet columns that are numbers already."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """One column as the file has it.

    Parameters
    ----------
    codes : (n,)
        Index into `values`, -1 for an empty cell.
    values
        The distinct cells, as Python values; `ABSENT` among them where records lack the column.
    """

    codes: Int[np.ndarray, " n"]
    values: tuple[Any, ...]


@runtime_checkable
class ReplyTable(Protocol):
    """A table with a row a reply, whatever holds it."""

    name: str
    """What it is called in messages."""
    source: str
    """What it is called in the column `source`."""
    unit: str
    """What its rows are counted in: "line" or "row"."""
    columns: tuple[str, ...]
    length: int

    def cells(self, column: str) -> Cells:
        """Return one column, coded."""
        ...

    def numbers(self, column: str) -> Float[np.ndarray, " n"] | None:
        """Return a column that holds numbers as numbers, None where it holds other things."""
        ...

    def line(self, row: int) -> int:
        """Return the line of the file, or the number of the row, from 1."""
        ...


def open_table(path: Path) -> ReplyTable:
    """Open a CSV, TSV, JSON lines or Parquet file of replies.

    Raises
    ------
    InputError
        When the file is absent, of another kind, not UTF-8, empty, truncated or ragged; the line is named.
    """
    if path.suffix.lower() == ".parquet" and path.is_file():
        return ParquetTable(path)
    return TextTable(path, open_records(path))


class TextTable:
    """A file read line by line, coded as it is read."""

    unit = "line"

    def __init__(self, path: Path, records: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        self.name, self.source = str(path), path.name
        self._lines = array("q")
        self._codes: dict[str, array[int]] = {}
        self._seen: dict[str, dict[Any, int]] = {}
        self._values: dict[str, list[Any]] = {}
        for line, record in records:
            self._add(line, record)
        self.length, self.columns = len(self._lines), tuple(self._codes)
        if not self.length:
            raise _no_records(self.name)

    def _add(self, line: int, record: Mapping[str, Any]) -> None:
        row = len(self._lines)
        self._lines.append(line)
        for name, value in record.items():
            if name not in self._codes:
                self._codes[name] = array("i", [0]) * row
                self._seen[name], self._values[name] = {ABSENT: 0}, [ABSENT]
            codes = self._codes[name]
            if len(codes) < row:
                codes.extend([0] * (row - len(codes)))
            if value is None:
                codes.append(UNMATCHED)
                continue
            seen = self._seen[name]
            # 1, 1.0 and True are one key to Python, and a list is none
            key = value if isinstance(value, str) else (type(value), repr(value))
            code = seen.get(key)
            if code is None:
                code = seen[key] = len(self._values[name])
                self._values[name].append(value)
            codes.append(code)

    def cells(self, column: str) -> Cells:
        """Return one column, coded."""
        codes = self._codes[column]
        codes.extend([0] * (self.length - len(codes)))
        return Cells(codes=np.frombuffer(codes, dtype=np.int32), values=tuple(self._values[column]))

    def numbers(self, column: str) -> None:
        """Return None: a text file holds texts."""
        del column

    def line(self, row: int) -> int:
        """Return the line at which a record begins."""
        return self._lines[row]


class ParquetTable:
    """A Parquet file, of which only the columns that are asked for are read."""

    unit = "line"

    def __init__(self, path: Path) -> None:
        self.name, self.source = str(path), path.name
        self._path = path
        with self._opened() as (connection, source):
            self._types = {
                str(row[0]): str(row[1])
                for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            }
            self.length = int(connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
        self.columns = tuple(self._types)
        if not self.length:
            raise _no_records(self.name)

    def cells(self, column: str) -> Cells:
        """Return one column, coded by DuckDB."""
        quoted = '"' + column.replace('"', '""') + '"'
        with self._opened() as (connection, source):
            coded = parquet.text_codes(connection, source, f"{quoted}::VARCHAR")
            if self._types[column] == "VARCHAR":
                return Cells(codes=coded.codes, values=coded.values)
            # the cell itself, not DuckDB's way of writing it, is what other readers would see
            found = connection.execute(
                f"SELECT {quoted}::VARCHAR, any_value({quoted}) FROM {source} "
                f"WHERE {quoted} IS NOT NULL GROUP BY 1"
            ).fetchall()
        cell = dict(found)
        return Cells(codes=coded.codes, values=tuple(cell[value] for value in coded.values))

    def numbers(self, column: str) -> Float[np.ndarray, " n"] | None:
        """Return a number column as numbers, NaN for nothing."""
        if self._types[column] not in NUMBERS:
            return None
        with self._opened() as (connection, source):
            return parquet.read_number(connection, source, column)

    def line(self, row: int) -> int:
        """Return the number of the row, from 1."""
        return row + 1

    @contextmanager
    def _opened(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
        import duckdb

        connection = parquet.connect()
        try:
            yield connection, f"read_parquet('{str(self._path).replace(chr(39), chr(39) * 2)}')"
        except duckdb.Error as error:
            raise InputError.of(
                expected=f"{self._path} must be a whole Parquet file",
                got=str(error).splitlines()[0],
                fix="Write the file again, or leave it out.",
            ) from error
        finally:
            connection.close()


def texts_of(cells: Cells) -> Coded:
    """Return the trimmed text of each cell by first appearance; -1 where there is none.

    Examples
    --------
    >>> texts_of(Cells(codes=np.array([1, 0, -1, 2], dtype=np.int32), values=(" b", 5, "b"))).values
    ('5', 'b')
    """
    seen: dict[str, int] = {}
    own = []
    for value in cells.values:
        text = text_of(value)
        own.append(UNMATCHED if text is None else seen.setdefault(text, len(seen)))
    codes = np.array([*own, UNMATCHED], dtype=np.int32)[cells.codes]
    order, number = by_first_row(codes, count=len(seen))
    names = tuple(seen)
    return Coded(frozen(number[codes]), tuple(names[one] for one in order))


def text_of(value: Any) -> str | None:
    """Return the trimmed text of a cell, None for nothing.

    Examples
    --------
    >>> text_of(" a "), text_of("  "), text_of(float("nan")), text_of(3)
    ('a', None, None, '3')
    """
    if value is None or value is ABSENT or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return None
    return str(value).strip() or None


def numbers_of(cells: Cells) -> tuple[Float[np.ndarray, " n"], Mapping[int, str]]:
    """Return each cell as a number, NaN for nothing, and the codes of the cells that are none."""
    own = np.full(len(cells.values) + 1, UNDEFINED)
    odd: dict[int, str] = {}
    for code, value in enumerate(cells.values):
        text = text_of(value)
        try:
            own[code] = UNDEFINED if text is None else float(text)
        except ValueError:
            odd[code] = str(text)
    if np.isnan(own).all() and not odd:
        return constant(UNDEFINED, cells.codes.size, dtype=np.float64), odd
    return own[cells.codes], odd


def _no_records(name: str) -> InputError:
    return InputError.of(
        expected=f"{name} must hold at least one record", got="none", fix="Check the export."
    )
