"""How do columns reach a Parquet file and come back the same?

DuckDB writes and reads; neither pandas, polars nor pyarrow is needed. Writing is atomic: a temporary file
in the same folder, flushed to disk, then renamed. Long text columns come back as codes, made by DuckDB: no
Python text is made for a row.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from jaxtyping import Float

from limitset.core.columns import Coded, Column, Kind, as_column, by_first_row, frozen, is_constant, plain
from limitset.core.errors import InputError

if TYPE_CHECKING:
    import duckdb

MANY_ROWS: Final = 200_000
"""From so many rows on, texts are coded by DuckDB and columns of one value are looked for."""


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that loads no extension from the network."""
    import duckdb

    return duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": 2}
    )


def write(columns: Mapping[str, Column], kinds: Mapping[str, Kind], path: Path) -> None:
    """Write columns as zstd Parquet; the file appears whole or not at all.

    A column of one value is written from that value, and of a long text column DuckDB looks up the texts: a
    row costs no Python value.
    """
    alike = {name: _only(column) for name, column in columns.items() if is_constant(_array(column))}
    looked_up = [name for name, column in columns.items() if name not in alike and _is_long(column)]
    rows = {
        name: _array(column) if name in looked_up else _outgoing(column, kinds[name])
        for name, column in columns.items()
        if name not in alike
    }
    length = len(next(iter(columns.values()), ()))
    source = "limitset_rows" if rows else f"range({length})"
    cell = {name: f"${name}" for name in alike}
    cell |= {name: f"texts_{place}.text" for place, name in enumerate(looked_up)}
    selected = ", ".join(
        f'({cell.get(name, f"limitset_rows.{_named(name)}")})::{_SQL_TYPE[kinds[name]]} AS "{name}"'
        for name in columns
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    connection = connect()
    try:
        if looked_up:
            # rows keep their order where one thread takes them and the texts are the side that is built
            connection.execute("SET threads = 1")
            connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        if rows:
            connection.register("limitset_rows", rows)
        for place, name in enumerate(looked_up):
            texts = np.array([*cast("Coded", columns[name]).values, None], dtype=object)[:-1]
            numbered = {"code": np.arange(texts.size, dtype=np.int32), "text": texts}
            connection.register("limitset_texts", numbered)
            connection.execute(f"CREATE TABLE texts_{place} AS SELECT * FROM limitset_texts")
            source += f" LEFT JOIN texts_{place} ON limitset_rows.{_named(name)} = texts_{place}.code"
        target = f"TO '{_quoted(temporary)}' (FORMAT parquet, COMPRESSION zstd)"
        connection.execute(f"COPY (SELECT {selected} FROM {source}) {target}", alike or None)
        publish(temporary, path)
    finally:
        connection.close()
        temporary.unlink(missing_ok=True)


def read(path: Path, kinds: Mapping[str, Kind]) -> dict[str, Column]:
    """Read the known columns that a Parquet file holds."""
    connection = connect()
    try:
        found = _described(connection, path)
        wanted = {name: kind for name, kind in kinds.items() if name in found}
        return read_columns(connection, f"read_parquet('{_quoted(path)}')", wanted)
    finally:
        connection.close()


def read_columns(
    connection: duckdb.DuckDBPyConnection, source: str, kinds: Mapping[str, Kind]
) -> dict[str, Column]:
    """Read columns of a table that DuckDB can name; long ones one after the other, as codes."""
    (length,) = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    if length < MANY_ROWS:
        listed = ", ".join(_named(name) for name in kinds)
        rows = connection.execute(f"SELECT {listed} FROM {source}").fetchnumpy() if kinds else {}
        return {
            name: as_column(_incoming(rows[name]), kind, name=name, length=length)
            for name, kind in kinds.items()
        }
    alike = _alike(connection, source, kinds, length)
    return {
        name: as_column(alike[name], kind, name=name, length=length)
        if name in alike
        else text_codes(connection, source, f"{_named(name)}::VARCHAR")
        if kind is Kind.TEXT
        else as_column(_one(connection, source, _named(name)), kind, name=name, length=length)
        for name, kind in kinds.items()
    }


def text_codes(connection: duckdb.DuckDBPyConnection, source: str, expression: str) -> Coded:
    """Code a text expression by first appearance; -1 where it is NULL."""
    connection.execute(
        f"CREATE OR REPLACE TYPE limitset_texts AS ENUM "
        f"(SELECT DISTINCT {expression} FROM {source} WHERE {expression} IS NOT NULL)"
    )
    values = connection.execute("SELECT unnest(enum_range(NULL::limitset_texts))").fetchall()
    found = _one(connection, source, f"coalesce(enum_code(({expression})::limitset_texts)::INTEGER, -1)")
    codes = found.astype(np.int32, copy=False)
    order, number = by_first_row(codes, count=len(values))
    return Coded(frozen(number[codes]), tuple(values[one][0] for one in order))


def read_number(connection: duckdb.DuckDBPyConnection, source: str, name: str) -> Float[np.ndarray, " n"]:
    """Read a number column as float64, NaN for nothing."""
    length = int(connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
    alike = _alike(connection, source, {name: Kind.NUMBER}, length)
    values = alike[name] if name in alike else _one(connection, source, f"{_named(name)}::DOUBLE")
    return np.asarray(as_column(values, Kind.NUMBER, name=name, length=length))


def _alike(
    connection: duckdb.DuckDBPyConnection, source: str, kinds: Mapping[str, Kind], length: int
) -> dict[str, Any]:
    """Return the columns that hold one value, or nothing, in all rows."""
    names = list(kinds)
    asked = ", ".join(
        f"count({_named(name)}), "
        + (
            f"min({_named(name)}), max({_named(name)})"
            if kinds[name] in (Kind.TEXT, Kind.NUMBER)
            else "NULL, NULL"
        )
        for name in names
    )
    row = connection.execute(f"SELECT {asked} FROM {source}").fetchall()[0] if names else ()
    found: dict[str, Any] = {}
    for name, filled, low, high in zip(names, row[::3], row[1::3], row[2::3], strict=True):
        if filled == 0:
            found[name] = None
        elif filled == length and low is not None and repr(low) == repr(high):
            found[name] = low
    return found


def _one(connection: duckdb.DuckDBPyConnection, source: str, expression: str) -> np.ndarray:
    rows = connection.execute(f"SELECT {expression} AS one FROM {source}").fetchnumpy()
    return _incoming(rows["one"])


def rows_of(path: Path) -> int:
    """Return the number of rows that a Parquet file says it has; 0 where it is broken."""
    import duckdb

    connection = connect()
    try:
        asked = f"SELECT sum(num_rows) FROM parquet_file_metadata('{_quoted(path)}')"
        return int(connection.execute(asked).fetchall()[0][0] or 0)
    except duckdb.Error:
        return 0
    finally:
        connection.close()


def publish(temporary: Path, path: Path) -> None:
    """Flush a finished temporary file to disk and give it its name."""
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


_SQL_TYPE = {Kind.TEXT: "VARCHAR", Kind.NUMBER: "DOUBLE", Kind.NUMBERS: "DOUBLE[]", Kind.TEXTS: "VARCHAR[]"}


def _described(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    import duckdb

    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{_quoted(path)}')").fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise InputError.of(
            expected=f"{path} must be a whole Parquet file",
            got=reason,
            fix="Write the file again, or leave it out.",
        ) from error
    return [str(row[0]) for row in rows]


def _outgoing(column: Column, kind: Kind) -> np.ndarray:
    array = plain(column)
    if kind in (Kind.TEXT, Kind.NUMBER):
        return array
    out = np.empty(array.size, dtype=object)
    for row, value in enumerate(array):
        out[row] = None if value is None else list(value)
    return out


def _is_long(column: Column) -> bool:
    return isinstance(column, Coded) and len(column) >= MANY_ROWS and len(column.values) * 4 < len(column)


def _array(column: Column) -> np.ndarray:
    return column.codes if isinstance(column, Coded) else column


def _only(column: Column) -> Any:
    """Return the one value of a constant column."""
    if isinstance(column, Coded):
        return column.values[column.codes[0]] if column.codes[0] >= 0 else None
    value = column[0].item() if isinstance(column[0], np.generic) else column[0]
    return list(value) if isinstance(value, tuple) else value


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _incoming(array: np.ndarray) -> np.ndarray:
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if array.dtype != object:
        return array
    out = array.data.copy()
    out[np.ma.getmaskarray(array)] = None
    return np.asarray(out)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
