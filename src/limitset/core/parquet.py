"""How do columns reach a Parquet file and come back the same?

DuckDB writes and reads; neither pandas, polars nor pyarrow is needed. Writing is atomic: a temporary file
in the same folder, flushed to disk, then renamed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from limitset.core.columns import Column, Kind, as_column, plain
from limitset.core.errors import InputError

if TYPE_CHECKING:
    import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that loads no extension from the network."""
    import duckdb

    return duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": 2}
    )


def write(columns: Mapping[str, Column], kinds: Mapping[str, Kind], path: Path) -> None:
    """Write columns as zstd Parquet; the file appears whole or not at all."""
    rows = {name: _outgoing(column) for name, column in columns.items()}
    selected = ", ".join(f'"{name}"::{_SQL_TYPE[kinds[name]]} AS "{name}"' for name in rows)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    connection = connect()
    try:
        connection.register("limitset_rows", rows)
        target = f"TO '{_quoted(temporary)}' (FORMAT parquet, COMPRESSION zstd)"
        connection.execute(f"COPY (SELECT {selected} FROM limitset_rows) {target}")
        publish(temporary, path)
    finally:
        connection.close()
        temporary.unlink(missing_ok=True)


def read(path: Path, kinds: Mapping[str, Kind]) -> dict[str, Column]:
    """Read the known columns that a Parquet file holds."""
    connection = connect()
    try:
        found = _described(connection, path)
        wanted = [name for name in kinds if name in found]
        listed = ", ".join(f'"{name}"' for name in wanted)
        rows = connection.execute(f"SELECT {listed} FROM read_parquet('{_quoted(path)}')").fetchnumpy()
    finally:
        connection.close()
    length = len(next(iter(rows.values()))) if rows else 0
    return {name: as_column(_incoming(rows[name]), kinds[name], name=name, length=length) for name in wanted}


def read_any(path: Path) -> tuple[list[str], list[list[object]]]:
    """Read every column of a Parquet file as Python values (for files of unknown columns)."""
    connection = connect()
    try:
        names = _described(connection, path)
        rows = connection.execute(f"SELECT * FROM read_parquet('{_quoted(path)}')").fetchall()
    finally:
        connection.close()
    return names, [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in names]


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


def _outgoing(column: Column) -> np.ndarray:
    array = plain(column)
    if array.dtype != object or not any(isinstance(value, tuple) for value in array):
        return array
    out = np.empty(array.size, dtype=object)
    for row, value in enumerate(array):
        out[row] = None if value is None else list(value)
    return out


def _incoming(array: np.ndarray) -> np.ndarray:
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if array.dtype != object:
        return array
    out = np.empty(array.size, dtype=object)
    mask = np.ma.getmaskarray(array)
    for row in range(array.size):
        out[row] = None if mask[row] else array.data[row]
    return out


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
