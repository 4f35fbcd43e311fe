"""How are a million labelled rows held without a data frame?

Text columns are integer codes with a dictionary, numbers are float64 with NaN for nothing, and lists of
numbers are object arrays. Columns are read-only. A column that holds one value in every row costs one value:
its array repeats it with a stride of 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.errors import InputError
from limitset.core.undefined import UNDEFINED, UNMATCHED


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    NUMBERS = "numbers"
    """A list of numbers a row, or nothing."""
    TEXTS = "texts"
    """A list of texts a row."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A text column: codes into a dictionary.

    Parameters
    ----------
    codes : (n,) int32
        Index into `values`; -1 where the row holds nothing.
    values
        The distinct texts, each once.
    """

    codes: Int[np.ndarray, " n"]
    values: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.codes.size)

    def decoded(self) -> np.ndarray:
        """Return the texts as an object array, None where there is none."""
        dictionary = np.array([*self.values, None], dtype=object)
        return np.asarray(dictionary[self.codes])


Column = Coded | np.ndarray
"""A Coded text column, a float64 array, or an object array of lists."""


def coded(texts: Iterable[Any]) -> Coded:
    """Code texts by first appearance; None, NaN and missing become -1.

    Examples
    --------
    >>> column = coded(["b", None, "a", "b"])
    >>> column.codes.tolist(), column.values
    ([0, -1, 1, 0], ('b', 'a'))
    """
    dictionary: dict[str, int] = {}
    codes = [
        UNMATCHED if _is_nothing(text) else dictionary.setdefault(str(text), len(dictionary))
        for text in texts
    ]
    return Coded(frozen(np.array(codes, dtype=np.int32)), tuple(dictionary))


def frozen(array: np.ndarray) -> np.ndarray:
    """Return the array read-only."""
    array = array.view()
    array.flags.writeable = False
    return array


def constant(value: Any, length: int, *, dtype: Any) -> np.ndarray:
    """Return a read-only column of one value; it takes the memory of one row.

    Examples
    --------
    >>> column = constant(0.5, 1_000_000, dtype=np.float64)
    >>> column.size, column.strides, is_constant(column)
    (1000000, (0,), True)
    """
    one = np.empty(1, dtype=dtype)
    one[0] = value
    return frozen(np.broadcast_to(one, (length,)))


def is_constant(array: np.ndarray) -> bool:
    """Say whether an array repeats one value with a stride of 0."""
    return array.ndim == 1 and array.size > 1 and array.strides == (0,)


def as_column(values: Any, kind: Kind, *, name: str, length: int) -> Column:
    """Turn user values into a column of the wanted kind, or say what is wrong with them."""
    if isinstance(values, Coded):
        if kind is not Kind.TEXT:
            raise InputError.of(
                expected=f"column {name} must hold {kind}", got="text", fix="Convert it first."
            )
        return values
    if length > 1 and (values is None or isinstance(values, str | bytes | int | float)):
        return _repeated(values, kind, name, length)
    if values is None or isinstance(values, str | bytes | int | float):
        values = [values] * length
    if kind is Kind.TEXT:
        return coded(values)
    if kind is Kind.NUMBER:
        return frozen(_numbers(values, name))
    return frozen(_lists(values, kind))


def take(column: Column, index: np.ndarray) -> Column:
    """Select rows by index or mask."""
    if isinstance(column, Coded):
        return Coded(_taken(column.codes, index), column.values)
    return _taken(column, index)


def _taken(array: np.ndarray, index: np.ndarray) -> np.ndarray:
    if not is_constant(array):
        return frozen(array[index])
    rows = int(np.count_nonzero(index)) if index.dtype == bool else index.size
    return constant(array[0], rows, dtype=array.dtype)


def _repeated(value: Any, kind: Kind, name: str, length: int) -> Column:
    one = as_column([value], kind, name=name, length=1)
    if isinstance(one, Coded):
        return Coded(constant(one.codes[0], length, dtype=np.int32), one.values)
    return constant(one[0], length, dtype=one.dtype)


def joined(columns: Sequence[Column]) -> Column:
    """Stack columns of one kind."""
    first = columns[0]
    if len(columns) == 1:
        return first
    if not isinstance(first, Coded):
        return frozen(np.concatenate([np.asarray(column) for column in columns]))
    dictionary: dict[str, int] = {}
    parts = []
    for column in columns:
        column = cast("Coded", column)  # all of one kind
        recode = [dictionary.setdefault(value, len(dictionary)) for value in column.values]
        parts.append(np.array([*recode, UNMATCHED], dtype=np.int32)[column.codes])
    return Coded(frozen(np.concatenate(parts)), tuple(dictionary))


def plain(column: Column) -> np.ndarray:
    """Return a column as an ordinary numpy array (texts as objects)."""
    return column.decoded() if isinstance(column, Coded) else column


def first_rows(codes: Int[np.ndarray, " n"], *, count: int) -> Int[np.ndarray, " c"]:
    """Return the first row of each code from 0 to `count` - 1, n where there is none; -1 is no code.

    Examples
    --------
    >>> first_rows(np.array([2, -1, 0, 2]), count=3).tolist()
    [2, 4, 0]
    """
    first = np.full(count + 1, codes.size, dtype=np.int64)
    # of several rows the last one assigned stays, so the first row of each code
    first[codes[::-1]] = np.arange(codes.size - 1, -1, -1)
    return first[:-1]


def by_first_row(codes: Int[np.ndarray, " n"], *, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return new numbers for codes, in order of first appearance.

    Parameters
    ----------
    codes
        From 0 to `count` - 1, or -1 for nothing.
    count
        How many codes there may be.

    Returns
    -------
    order : (m,)
        The codes that appear, first one first.
    number : (count + 1,)
        New number of each code, -1 where it does not appear; the last stands for -1 itself.

    Examples
    --------
    >>> order, number = by_first_row(np.array([2, -1, 0, 2]), count=3)
    >>> order.tolist(), number[[2, -1, 0, 2]].tolist()
    ([2, 0], [0, -1, 1, 0])
    """
    first = first_rows(codes, count=count)
    order = np.argsort(first, kind="stable")
    order = order[first[order] < codes.size]
    number = np.full(count + 1, UNMATCHED, dtype=np.int32)
    number[order] = np.arange(order.size, dtype=np.int32)
    return order, number


def distinct_rows(columns: Sequence[Column]) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " n"]]:
    """Return the first row of each distinct record, and which of them every row is.

    Records stand in the order of the columns' codes, the first column first.

    Examples
    --------
    >>> first, kind = distinct_rows([coded("abab"), np.array([1.0, 0.0, 1.0, 2.0])])
    >>> first.tolist(), kind.tolist()
    ([0, 1, 3], [0, 1, 0, 2])
    """
    key = grouped(columns)
    rows = len(columns[0])
    if key is None:
        return np.zeros(min(rows, 1), dtype=np.int64), constant(0, rows, dtype=np.int64)
    if key.size and key.max() < MOST_PLACES:
        seen = np.bincount(key) > 0
        kind = (np.cumsum(seen) - 1)[key]
        return first_rows(kind, count=int(seen.sum())), kind
    values = np.unique(key)
    kind = np.searchsorted(values, key)
    return first_rows(kind, count=values.size), kind


MOST_PLACES = 1 << 24
"""Numbers up to here are looked up in a table of their own; larger ones are sorted."""


def missing(column: Column) -> Bool[np.ndarray, " n"]:
    """Say for each row whether it holds nothing."""
    if isinstance(column, Coded):
        return np.asarray(column.codes == UNMATCHED)
    if column.dtype == object:
        return np.array([value is None for value in column], dtype=bool)
    return np.asarray(np.isnan(column))


def first_duplicate(columns: Mapping[str, Column]) -> tuple[int, int] | None:
    """Return the first two rows that agree in every column (NaN equals NaN), or None."""
    key = grouped(list(columns.values()))
    if key is None:
        return 0, 1
    in_order = np.sort(key)
    if not (in_order[1:] == in_order[:-1]).any():
        return None
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(np.diff(key[order]) == 0)
    first = order[same[0]], order[same[0] + 1]
    return int(min(first)), int(max(first))


def grouped(columns: Sequence[Column]) -> Int[np.ndarray, " n"] | None:
    """Return one number a row, alike where all columns are alike (NaN equals NaN); None where all rows are.

    The numbers order the rows as their columns do, the first column first; they are not consecutive.
    """
    key: np.ndarray | None = None
    width = 1
    for column in columns:
        codes = column.codes if isinstance(column, Coded) else column
        if is_constant(codes):
            continue
        if isinstance(column, Coded):
            own, size = column.codes.astype(np.int64) + 1, len(column.values) + 1
        else:
            own, size = _numbered(column)
        if key is None:
            key, width = own, size
            continue
        if width > _LARGEST // size:
            seen, key = np.unique(key, return_inverse=True)
            key, width = key.reshape(-1), seen.size
        key = key * size + own
        width *= size
    return key


_LARGEST = 1 << 62


def _numbered(column: np.ndarray) -> tuple[Int[np.ndarray, " n"], int]:
    """Return codes of a number column that order it, and how many there may be; small counts need no sort."""
    if column.size and column.dtype.kind == "f":
        low, high = column.min(), column.max()
        # comparisons with NaN are false: such a column is sorted
        if low >= 0 and high < 2**31:
            whole = column.astype(np.int64)
            if (whole == column).all():
                return whole, int(high) + 1
    seen, inverse = np.unique(column, return_inverse=True)
    return np.asarray(inverse.reshape(-1), dtype=np.int64), max(int(seen.size), 1)


def _is_nothing(value: Any) -> bool:
    return value is None or value is np.ma.masked or (isinstance(value, float) and math.isnan(value))


def _numbers(values: Any, name: str) -> Float[np.ndarray, " n"]:
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), UNDEFINED)
    if isinstance(values, np.ndarray) and values.dtype != object:
        # what nobody can write to is not copied
        return values.astype(np.float64, copy=values.flags.writeable)
    try:
        return np.array(
            [UNDEFINED if _is_nothing(value) else float(value) for value in values], dtype=np.float64
        )
    except (TypeError, ValueError) as error:
        raise InputError.of(
            expected=f"column {name} must hold numbers", got=error, fix="Leave unknown cells empty."
        ) from error


def _lists(values: Any, kind: Kind) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        if _is_nothing(value):
            out[row] = None
        elif kind is Kind.NUMBERS:
            # DuckDB gives a NaN inside a list back as a masked element
            out[row] = tuple(UNDEFINED if _is_nothing(one) else float(one) for one in value)
        else:
            out[row] = tuple(str(one) for one in value)
    return out
