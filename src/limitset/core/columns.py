"""How are a million labelled rows held without a data frame?

Text columns are integer codes with a dictionary, numbers are float64 with NaN for nothing, and lists of
numbers are object arrays. Columns are read-only.
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


def as_column(values: Any, kind: Kind, *, name: str, length: int) -> Column:
    """Turn user values into a column of the wanted kind, or say what is wrong with them."""
    if isinstance(values, Coded):
        if kind is not Kind.TEXT:
            raise InputError.of(
                expected=f"column {name} must hold {kind}", got="text", fix="Convert it first."
            )
        return values
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
        return Coded(frozen(column.codes[index]), column.values)
    return frozen(column[index])


def joined(columns: Sequence[Column]) -> Column:
    """Stack columns of one kind."""
    first = columns[0]
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


def missing(column: Column) -> Bool[np.ndarray, " n"]:
    """Say for each row whether it holds nothing."""
    if isinstance(column, Coded):
        return np.asarray(column.codes == UNMATCHED)
    if column.dtype == object:
        return np.array([value is None for value in column], dtype=bool)
    return np.asarray(np.isnan(column))


def first_duplicate(columns: Mapping[str, Column]) -> tuple[int, int] | None:
    """Return the first two rows that agree in every column (NaN equals NaN), or None."""
    key = np.stack([_as_codes(column) for column in columns.values()], axis=1)
    _, inverse = np.unique(key, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    order = np.argsort(inverse, kind="stable")
    same = np.flatnonzero(np.diff(inverse[order]) == 0)
    if same.size == 0:
        return None
    first = order[same[0]], order[same[0] + 1]
    return int(min(first)), int(max(first))


def _as_codes(column: Column) -> Int[np.ndarray, " n"]:
    if isinstance(column, Coded):
        return column.codes.astype(np.int64)
    _, inverse = np.unique(column, return_inverse=True)
    return np.asarray(inverse.reshape(-1), dtype=np.int64)


def _is_nothing(value: Any) -> bool:
    return value is None or value is np.ma.masked or (isinstance(value, float) and math.isnan(value))


def _numbers(values: Any, name: str) -> Float[np.ndarray, " n"]:
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), UNDEFINED)
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values.astype(np.float64)
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
