"""What does this SQL question say about a study?

The tables of the study are views in a DuckDB that lives in memory, reads the part files of finished tasks and
nothing else, and runs one SELECT.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.store.study_folder import ITEMS, RESULTS, StudyFolder
from limitset.store.tables import listed

if TYPE_CHECKING:
    import duckdb

_SQL_WORD = re.compile(r"""(?<![\w"'.])(end|right)(?![\w"'])""", re.IGNORECASE)


def query(path: Path, sql: str) -> dict[str, np.ndarray]:
    """Ask a study one SQL question.

    Parameters
    ----------
    path
        The study folder. Its tables (``ends``, ``items``, ...) are there by name; rows of unfinished tasks
        are not.
    sql
        One SELECT in DuckDB's dialect (WITH, FROM, DESCRIBE, SUMMARIZE and SHOW TABLES count as such). The
        columns ``"end"`` and ``"right"`` need their double quotes: alone they are words of SQL.

    Returns
    -------
    dict
        Column name to array. Nothing is None in columns of texts and whole numbers, NaN in other numbers.

    Raises
    ------
    InputError
        For no study, a study without rows, a mistake in the SQL, or anything but one SELECT.

    Examples
    --------
    >>> query(Path("first-look"), 'select system, avg("right") from ends group by all')  # doctest: +SKIP
    """
    import duckdb

    views = _views(path)
    connection = parquet.connect()
    try:
        for name, files in views.items():
            source = f"read_parquet({listed(files)}, union_by_name = true)"
            connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {source}')
        _shut(connection, path)
        statements = connection.extract_statements(sql)
        _require_one_select(statements)
        return {name: _plain(array) for name, array in connection.execute(statements[0]).fetchnumpy().items()}
    except duckdb.Error as error:
        raise InputError.of(
            expected="the question must be SQL about the tables of this study",
            got=_message(error),
            fix=_fix(sql, tables=list(views)),
        ) from error
    finally:
        connection.close()


def _views(path: Path) -> dict[str, list[Path]]:
    with StudyFolder.open(path) as folder:
        views = {name: [part.resolve() for part in folder.part_paths(name)] for name in folder.tables()}
    items = (path / ITEMS).resolve()
    if items.exists():
        views.setdefault("items", [items])
    absent = [file for files in views.values() for file in files if not file.exists()]
    if absent or not views:
        raise InputError.of(
            expected=f"{path} must hold rows to ask about",
            got=f"no file {absent[0]}" if absent else "no finished task",
            fix="Restore it from a packed copy." if absent else "Run the study first.",
        )
    return views


def _shut(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Leave the files of the study readable and everything else out of reach, for good."""
    folder = str((path / RESULTS).resolve()).replace("'", "''")
    items = str((path / ITEMS).resolve()).replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{folder}']")
    connection.execute(f"SET allowed_paths = ['{items}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _require_one_select(statements: Sequence[duckdb.Statement]) -> None:
    # COPY could write into the results, which stay readable: only SELECT runs
    kinds = [statement.type.name for statement in statements]
    if kinds != ["SELECT"]:
        raise InputError.of(
            expected="a question must be one SELECT",
            got=", ".join(kinds) or "nothing",
            fix="Ask one question at a time; studies are only read.",
        )


def _message(error: Exception) -> str:
    """Return the first line, and the candidates that DuckDB suggests."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    hints = [line for line in lines[1:] if line.startswith(("Did you mean", "Candidate"))]
    return " ".join([lines[0], *hints]).rstrip(".") if lines else type(error).__name__


def _fix(sql: str, *, tables: Sequence[str]) -> str:
    if _SQL_WORD.search(sql):
        return 'Write the columns "end" and "right" in double quotes: alone they are words of SQL.'
    return f"Its tables are {', '.join(tables)}; `describe {tables[0]}` lists columns."


def _plain(array: np.ndarray) -> np.ndarray:
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if array.dtype.kind == "f":
        return np.asarray(array.filled(np.nan))
    out = array.data.astype(object)
    out[np.ma.getmaskarray(array)] = None
    return np.asarray(out)
