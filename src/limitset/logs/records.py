"""How is a file of records read so that every mistake is named with its line?

CSV and JSON lines are read line by line; every record carries the line it came from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limitset.core.errors import InputError
from limitset.logs.json_text import parsed

LONGEST_LINE = 10_000_000
"""Bytes; a longer line is not a reply but a mistake, and reading it would fill the memory."""

READERS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def open_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read a CSV, TSV or JSON lines file as (line, record) pairs, one after the other.

    Raises
    ------
    InputError
        When the file is absent, of another kind, not UTF-8, truncated or ragged; the line is named.
    """
    if not path.is_file():
        raise InputError.of(expected=f"{path} must be a file", got="none there", fix="Check the path.")
    kind = path.suffix.lower()
    if kind not in READERS:
        raise InputError.of(
            expected=f"replies must be one of {', '.join(READERS)}",
            got=path.name,
            fix="Export to one of these.",
        )
    if kind in (".jsonl", ".ndjson"):
        return _json_records(path)
    return _csv_records(path, "\t" if kind == ".tsv" else ",")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as handle:
        number = 0
        while raw := handle.readline(LONGEST_LINE + 1):
            number += 1
            if len(raw) > LONGEST_LINE:
                raise InputError.of(
                    expected=f"lines of {path} must be at most {LONGEST_LINE:,} bytes",
                    got=f"a longer one at line {number}",
                    fix="Split it, or leave that record out.",
                )
            try:
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputError.of(
                    expected=f"{path} must be UTF-8",
                    got=f"byte {raw[error.start]:#x} at line {number}",
                    fix="Save it as UTF-8.",
                ) from error


def _json_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path):
        if not line.strip():
            continue
        record = parsed(line, place=f"line {number} of {path}")
        if not isinstance(record, dict):
            raise InputError.of(
                expected=f"every line of {path} must be a JSON object",
                got=f"line {number}: {type(record).__name__}",
                fix="Write one object a line.",
            )
        yield number, record


def _csv_records(path: Path, delimiter: str) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader((line for _, line in _lines(path)), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError.of(
                expected=f"{path} must be well-formed CSV",
                got=f"{error} at line {start}",
                fix="Check the quotes there; a file cut off in the middle ends like this.",
            ) from error
        if header is None:
            header = _checked_header(cells, path)
        elif cells and cells != [""]:
            if len(cells) != len(header):
                raise InputError.of(
                    expected=f"every row of {path} must have {len(header)} cells",
                    got=f"{len(cells)} at line {start}",
                    fix="Quote cells that hold a comma.",
                )
            yield start, dict(zip(header, cells, strict=True))


def _checked_header(cells: list[str], path: Path) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError.of(
            expected=f"columns of {path} must have different names", got=twice[0], fix="Rename one."
        )
    return names
