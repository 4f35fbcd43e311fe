"""How do the rows of one task reach a part file, and the parts of a table become one again?"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limitset.core import ends as ends_columns
from limitset.core import items as items_columns
from limitset.core import parquet
from limitset.core.columns import Column, Kind, as_column
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.store.disk import disk_errors

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, eq=False)
class TablePart:
    """The rows that one task adds to one table.

    Parameters
    ----------
    columns
        Column name to column, all of one length.
    kinds
        What each column holds.

    Raises
    ------
    InputError
        For no columns, a column without a kind, lengths that differ, or a name that is not plain.

    Examples
    --------
    >>> kinds = {"item": Kind.TEXT, "step": Kind.NUMBER}
    >>> part = TablePart.of_rows([{"item": "q1", "step": 0}, {"item": "q1"}], kinds)
    >>> len(part), part.columns["step"].tolist()
    (2, [0.0, nan])
    """

    columns: Mapping[str, Column]
    kinds: Mapping[str, Kind]

    def __post_init__(self) -> None:
        for name in self.columns:
            _require_plain(name, "column")
        lengths = {len(column) for column in self.columns.values()}
        if set(self.columns) != set(self.kinds) or len(lengths) != 1:
            raise InputError.of(
                expected="a table part needs columns of one length and the kind of each",
                got=f"columns {', '.join(self.columns) or 'none'} of lengths {sorted(lengths)},"
                f" kinds of {', '.join(self.kinds) or 'none'}",
                fix="Give every column its kind and as many values.",
            )

    @classmethod
    def of(cls, values: Mapping[str, Any], kinds: Mapping[str, Kind]) -> TablePart:
        """Build from sequences; a kind without values is a column of nothing."""
        unknown = sorted(set(values) - set(kinds))
        if unknown:
            raise InputError.of(
                expected=f"columns of this table are {', '.join(kinds)}",
                got=f"unknown column {', '.join(unknown)}",
                fix="Give its kind.",
            )
        length = len(next(iter(values.values()), ()))
        columns = {
            name: as_column(values.get(name), kind, name=name, length=length) for name, kind in kinds.items()
        }
        return cls(columns, dict(kinds))

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, Kind]) -> TablePart:
        """Build from records; absent keys hold nothing."""
        names = dict.fromkeys([*kinds, *(name for row in rows for name in row)])
        return cls.of({name: [row.get(name) for row in rows] for name in names}, kinds)

    @classmethod
    def of_ends(cls, ends: Ends) -> TablePart:
        """Take the rows of an Ends table."""
        return cls(ends.columns, ends_columns.KINDS)

    @classmethod
    def of_items(cls, items: Items) -> TablePart:
        """Take the rows of an Items table."""
        return cls(items.columns, items_columns.KINDS)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def part_path(results: Path, table: str, task_hash: str) -> Path:
    """Name the file that holds the rows of one task in one table."""
    _require_plain(table, "table")
    return results / table / f"part-{task_hash}.parquet"


def write_part(part: TablePart, path: Path) -> None:
    """Write a part; the file appears whole or not at all."""
    import duckdb

    with disk_errors(path, doing="write the rows of a task"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            parquet.write(part.columns, part.kinds, path)
        except duckdb.IOException as error:  # a full disk, seen by DuckDB before Python sees it
            raise _as_os_error(str(error)) from error


def read_parts(paths: Sequence[Path], kinds: Mapping[str, Kind]) -> dict[str, Column]:
    """Read parts as one table, rows in the order of `paths`; a column that no part has holds nothing.

    Raises
    ------
    InputError
        When a part is missing or not whole; it is named.
    """
    for path in paths:
        if not path.exists():
            raise InputError.of(
                expected="every finished task must have its rows on disk",
                got=f"no file {path}",
                fix="Restore it from a packed copy, or run the study again in a new folder.",
            )
    rows = _rows(paths, kinds) if paths else {}
    length = len(next(iter(rows.values()))) if rows else 0
    return {
        name: rows[name] if name in rows else as_column(None, kind, name=name, length=length)
        for name, kind in kinds.items()
    }


def listed(paths: Sequence[Path]) -> str:
    """Write paths as a DuckDB list of texts."""
    return "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths) + "]"


def _rows(paths: Sequence[Path], kinds: Mapping[str, Kind]) -> dict[str, Column]:
    import duckdb

    source = f"read_parquet({listed(paths)}, union_by_name = true)"
    connection = parquet.connect()
    try:
        found = {str(row[0]) for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        wanted = {name: kind for name, kind in kinds.items() if name in found}
        if not wanted:
            raise InputError.of(
                expected=f"{paths[0].parent} must have one of the columns {', '.join(kinds)}",
                got=f"columns {', '.join(sorted(found))}",
                fix="Ask for these.",
            )
        return parquet.read_columns(connection, source, wanted)
    except duckdb.Error as error:
        for path in paths:
            parquet.read(path, kinds)  # names the part that is not whole
        raise InputError.of(
            expected=f"the parts in {paths[0].parent} must belong together",
            got=str(error).splitlines()[0],
            fix="Restore them from a packed copy.",
        ) from error
    finally:
        connection.close()


def _require_plain(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError.of(
            expected=f"the name of a {what} must be a-z, 0-9 and _ and start with a letter",
            got=repr(name),
            fix="Rename it.",
        )


def _as_os_error(message: str) -> OSError:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        if os.strerror(number) in message:
            return OSError(number, os.strerror(number))
    return OSError(errno.EIO, message.splitlines()[0])
