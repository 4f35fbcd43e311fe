"""What does this SQL question say about a study, as a table, JSON or CSV?"""

from __future__ import annotations

import json
import math
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

SHOWN = 200
"""Rows that a terminal gets; JSON and CSV get all."""


def query(
    study: Annotated[Path, typer.Argument(help="A study folder.")],
    sql: Annotated[str, typer.Argument(help="One SELECT in DuckDB's dialect.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
) -> None:
    """Ask a study a question in SQL. Its tables are there by name: ends, items, and what it added.

    The columns "end" and "right" need their double quotes: alone they are words of SQL.

    For example:

      limitset query first-look 'show tables'

      limitset query first-look 'select system, avg("right") from ends group by all'

      limitset query first-look 'from ends select item, system, text limit 20' --csv > replies.csv
    """
    from limitset.core.errors import InputError
    from limitset.store.querying import query as asked

    if as_json and as_csv:
        raise InputError.of(expected="one of --json and --csv", got="both", fix="Leave one out.")
    columns = asked(study, sql)
    rows = _rows(columns)
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False))
    elif as_csv:
        _print_csv(list(columns), rows)
    else:
        _print_table(list(columns), rows)


def printable(text: str) -> str:
    """Show control characters instead of obeying them: replies of models may hold terminal codes.

    For example:

    >>> printable("plain\\x1b[31m")
    'plain␛[31m'
    """
    return "".join(
        chr(0x2400 + ord(one)) if ord(one) < 32 else "\N{REPLACEMENT CHARACTER}" if _steers(one) else one
        for one in text
    )


def _steers(character: str) -> bool:
    """Say whether a character above the first 32 moves the cursor or turns the writing direction."""
    code = ord(character)
    return 0x7F <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069


def _rows(columns: dict[str, np.ndarray]) -> list[tuple[Any, ...]]:
    plain = [[_scalar(value) for value in column.tolist()] for column in columns.values()]
    return list(zip(*plain, strict=True))


def _scalar(value: Any) -> Any:
    """Return what JSON can hold: nothing for NaN, the texts inf and -inf, lists for arrays."""
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, dict):
        return {str(key): _scalar(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_scalar(one) for one in value]
    return float(value) if isinstance(value, Decimal) else str(value)


def _print_csv(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(
        [json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else cell for cell in row]
        for row in rows
    )


def _print_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, name in enumerate(names):
        numeric = all(isinstance(row[place], int | float | None) for row in rows)
        table.add_column(Text(printable(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows[:SHOWN]:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = Console()
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"{len(rows)} rows; the first {SHOWN} are shown. Use --csv or --json for all.")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
