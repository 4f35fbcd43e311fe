"""What stays on the page of a study that has more numbers than anybody reads there?

The page is made to be forwarded. Tables share a number of rows: small ones stay whole, large ones show the
rows of their lowest and highest values. The folder of the study holds the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from limitset.core import parquet
from limitset.core.columns import Kind, coded

if TYPE_CHECKING:
    from pathlib import Path

    from limitset.report.page import Page, Table

MOST_ROWS: Final = 1_200
"""Rows that the tables of a page show together."""
MOST_NUMBERS: Final = 1_200
"""Rows of the list of every number."""
LONGEST_CELL: Final = 300
"""Characters of a cell in a table that was cut."""
ALL_NUMBERS: Final = "numbers.parquet"
"""File in the folder of a study that holds every number, where the page does not."""


def bounded(page: Page) -> Page:
    """Return a page whose tables fit on it; each table that was cut says so.

    Parameters
    ----------
    page
        Of any size.

    Returns
    -------
    Page
        With at most 1,200 rows in tables.
    """
    tables = [*page.tables, *(figure.table for figure in page.figures)]
    tables += [table for figure in page.figures for table in figure.shown]
    most = share_of([len(table.rows) for table in tables], most=MOST_ROWS)
    return replace(
        page,
        tables=tuple(_cut(table, most) for table in page.tables),
        figures=tuple(
            replace(
                figure,
                table=_cut(figure.table, most),
                shown=tuple(_cut(table, most) for table in figure.shown),
            )
            for figure in page.figures
        ),
    )


def bounded_numbers(records: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], str]:
    """Return the numbers that the page lists, and what it says about the others.

    Examples
    --------
    >>> bounded_numbers([{"instrument": "a"}])
    ([{'instrument': 'a'}], '')
    """
    if len(records) <= MOST_NUMBERS:
        return list(records), ""
    seen: dict[str, int] = {}
    for record in records:
        seen[str(record["instrument"])] = seen.get(str(record["instrument"]), 0) + 1
    most = share_of(list(seen.values()), most=MOST_NUMBERS)
    kept: list[Mapping[str, Any]] = []
    taken: dict[str, int] = {}
    for record in records:
        name = str(record["instrument"])
        taken[name] = taken.get(name, 0) + 1
        if taken[name] <= most:
            kept.append(record)
    return kept, (
        f"The first {most:,} numbers of each instrument: {len(kept):,} of {len(records):,}. All of them are "
        f"in {ALL_NUMBERS} in the folder of the study."
    )


def keep_numbers(records: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write every number of a page that lists only some of them; a page that lists all needs no file."""
    target = folder / ALL_NUMBERS
    if len(records) <= MOST_NUMBERS:
        target.unlink(missing_ok=True)
        return
    names = list(dict.fromkeys(name for record in records for name in record if name != "notes"))
    kinds = {name: Kind.NUMBER if name in _NUMERIC else Kind.TEXT for name in names}
    parquet.write(
        {
            name: np.array([record[name] for record in records], dtype=np.float64)
            if name in _NUMERIC
            else coded(record.get(name) for record in records)
            for name in names
        },
        kinds,
        target,
    )


_NUMERIC: Final = ("value", "low", "high", "n", "confidence", "version")


def share_of(sizes: Sequence[int], *, most: int) -> int:
    """Return the number of rows up to which every table is shown, so that all together show `most`.

    Examples
    --------
    >>> share_of([10, 1000, 2000], most=1010)
    500
    """
    left = most
    for place, size in enumerate(sorted(sizes)):
        each = left // (len(sizes) - place)
        if size > each:
            return each
        left -= size
    return max(sizes, default=0)


def _cut(table: Table, most: int) -> Table:
    if len(table.rows) <= most:
        return table
    half = max(most // 2, 1)
    if "value" in table.columns:
        at = table.columns.index("value")
        filled = [row for row, cells in enumerate(table.rows) if _is_number(cells[at])]
        filled.sort(key=lambda row: float(table.rows[row][at]))  # type: ignore[arg-type]
        kept = sorted({*filled[:half], *filled[-half:]}) or list(range(2 * half))
        which = f"The {half:,} lowest and the {half:,} highest values"
    else:
        kept, which = list(range(2 * half)), f"The first {2 * half:,} rows"
    note = f"{which} of {len(table.rows):,} rows; the folder of the study holds all numbers."
    rows = tuple(tuple(_clipped(cell) for cell in table.rows[row]) for row in kept)
    return replace(table, rows=rows, note=f"{table.note} {note}".strip())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)


def _clipped(value: object) -> object:
    text = isinstance(value, str) and len(value) > LONGEST_CELL
    return f"{str(value)[:LONGEST_CELL]} …" if text else value
