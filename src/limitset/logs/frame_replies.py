"""How is a pandas, polars or Arrow table of replies read, without a Python value for each row?"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from jaxtyping import Float

from limitset.core.columns import Coded, coded
from limitset.core.errors import InputError
from limitset.core.undefined import UNDEFINED, UNMATCHED
from limitset.logs.columnar import Cells
from limitset.logs.replies import Replies


class FrameTable:
    """A data frame with a row a reply; columns are coded by the library that holds them.

    Parameters
    ----------
    frame
        A pandas or polars frame, or a pyarrow table.

    Raises
    ------
    InputError
        When it is no such frame, is lazy, or holds no row.
    """

    name = "the frame"
    source = "frame"
    unit = "row"

    def __init__(self, frame: Any) -> None:
        import narwhals as nw

        try:
            self._frame = nw.from_native(frame, eager_only=True)
        except TypeError as error:
            raise InputError.of(
                expected="replies must be a path, or a pandas, polars or Arrow table",
                got=type(frame).__name__,
                fix="Collect a lazy frame first.",
            ) from error
        self.columns = tuple(str(name) for name in self._frame.columns)
        self.length = len(self._frame)
        if not self.length:
            raise InputError.of(
                expected="the frame must hold at least one row", got="none", fix="Check the selection."
            )

    def cells(self, column: str) -> Cells:
        """Return one column, coded."""
        import narwhals as nw

        series = self._frame[column]
        if series.dtype.is_nested() or isinstance(series.dtype, nw.Object | nw.Unknown):
            return _one_by_one(series.to_list())
        filled = ~np.asarray(series.is_null().to_numpy(), dtype=bool)
        given = series.drop_nulls()
        distinct = given.unique(maintain_order=True).to_list()
        number = given.replace_strict(distinct, list(range(len(distinct))), return_dtype=nw.Int32)
        codes = np.full(self.length, UNMATCHED, dtype=np.int32)
        codes[filled] = number.to_numpy()
        return Cells(codes=codes, values=tuple(distinct))

    def numbers(self, column: str) -> Float[np.ndarray, " n"] | None:
        """Return a number column as numbers, NaN for nothing."""
        import narwhals as nw

        series = self._frame[column]
        if not series.dtype.is_numeric():
            return None
        return np.array(series.cast(nw.Float64).fill_null(UNDEFINED).to_numpy(), dtype=np.float64)

    def line(self, row: int) -> int:
        """Return the number of the row, from 1."""
        return row + 1


def content_digest(read: Replies) -> str:
    """Return a hash of what a frame held: a frame has no bytes of its own to hash."""
    digest = hashlib.sha256()
    for name, column in {**read.ends.columns, **read.items.columns}.items():
        digest.update(name.encode())
        if isinstance(column, Coded):
            digest.update(json.dumps(column.values).encode())
            digest.update(np.ascontiguousarray(column.codes).data)
        elif column.dtype == object:
            digest.update(json.dumps(column.tolist(), default=list).encode())
        else:
            digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def _one_by_one(values: list[Any]) -> Cells:
    """Code cells that no library can compare, such as lists, by how they are written."""
    own = [None if value is None else repr(value) for value in values]
    column = coded(own)
    first = {
        text: value for text, value in zip(reversed(own), reversed(values), strict=True) if text is not None
    }
    return Cells(codes=np.asarray(column.codes), values=tuple(first[text] for text in column.values))
