"""What is a measured number, and what must travel with it?

No number stands without its interval or null, its n, every parameter that could move it, and a reason
where it is blank.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.frames import to_frame
from limitset.core.levels import Level
from limitset.core.undefined import UNDEFINED

Scalar = str | int | float | bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """One measured number.

    Parameters
    ----------
    instrument, version
        Which instrument measured it; the version changes whenever its answers may.
    level
        Which map is meant.
    value
        The number; NaN where blank.
    low, high
        Ends of the interval; NaN where there is none.
    interval_method
        How the interval was made, "" where there is none.
    confidence
        Coverage aimed at, in (0, 1).
    null_kind
        "" for a measured value, else the name of the null hypothesis this value belongs to.
    n
        How many independent units (questions, unless the notes say otherwise) stand behind it.
    blank_reason
        Why the value is NaN; "" where it is not.
    parameters
        Every parameter that could move the number.
    notes
        What a reader must see beside it.

    Raises
    ------
    InputError
        When the value is NaN without a reason, or the interval is upside down.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> m = Measurement(instrument="x", version=1, level=Level.ANSWER, value=0.5, low=0.4, high=0.6)
    >>> m.blank, m.low <= m.value <= m.high
    (False, True)
    """

    instrument: str
    version: int
    level: Level
    value: float
    low: float = UNDEFINED
    high: float = UNDEFINED
    interval_method: str = ""
    confidence: float = 0.95
    null_kind: str = ""
    n: float = UNDEFINED
    blank_reason: str = ""
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        _require_reason(np.array([self.value]), [self.blank_reason], self.instrument)
        _require_order(np.array([self.low]), np.array([self.high]), self.instrument)

    @property
    def blank(self) -> bool:
        """Whether the value could not be measured."""
        return math.isnan(self.value)

    @property
    def bounded(self) -> bool:
        """Whether an interval or a one-sided bound stands beside the value."""
        return not math.isnan(self.high)

    def record(self) -> dict[str, Any]:
        """Return a plain record (for JSON and frames)."""
        return {
            "instrument": self.instrument,
            "version": self.version,
            "level": str(self.level),
            **self.parameters,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "interval_method": self.interval_method,
            "confidence": self.confidence,
            "null_kind": self.null_kind,
            "n": self.n,
            "blank_reason": self.blank_reason,
            "notes": list(self.notes),
        }

    def to_frame(self) -> Any:
        """Return a frame of one row."""
        return to_frame({name: np.array([value], dtype=object) for name, value in self.record().items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasurementTable:
    """A curve or a matrix of measured numbers: the same columns as `Measurement`, as arrays.

    Parameters
    ----------
    instrument, version, level, interval_method, confidence, parameters, notes
        As in `Measurement`, shared by all rows.
    axes
        What differs from row to row (k, stratum, source, pair): name to (n,) array.
    value, low, high, n : (n,) float64
        As in `Measurement`; `low`, `high` and `n` may be left out (NaN).
    null_kind, blank_reason : (n,) object
        As in `Measurement`; may be left out ("").

    Raises
    ------
    InputError
        When lengths differ, a NaN has no reason, or an interval is upside down.

    Examples
    --------
    >>> table = MeasurementTable(instrument="curve", version=1, level=Level.ANSWER,
    ...     axes={"k": np.array([1, 2])}, value=np.array([0.5, 0.25]), n=[90, 80])
    >>> table.one(k=2).value
    0.25
    """

    instrument: str
    version: int
    level: Level
    axes: Mapping[str, np.ndarray]
    value: np.ndarray
    low: np.ndarray | Sequence[float] | None = None
    high: np.ndarray | Sequence[float] | None = None
    n: np.ndarray | Sequence[float] | None = None
    null_kind: np.ndarray | Sequence[str] | None = None
    blank_reason: np.ndarray | Sequence[str] | None = None
    interval_method: str = ""
    confidence: float = 0.95
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rows = len(self.value)
        numbers = {name: _numbers(getattr(self, name), rows) for name in ("value", "low", "high", "n")}
        texts = {name: _texts(getattr(self, name), rows) for name in ("null_kind", "blank_reason")}
        axes = {name: frozen(np.asarray(axis)) for name, axis in self.axes.items()}
        wrong = [f"{n} {len(a)}" for n, a in {**numbers, **texts, **axes}.items() if len(a) != rows]
        if wrong:
            raise InputError.of(
                expected=f"columns of {self.instrument} must have {rows} rows",
                got=", ".join(wrong),
                fix="Align them.",
            )
        _require_reason(numbers["value"], texts["blank_reason"], self.instrument)
        _require_order(numbers["low"], numbers["high"], self.instrument)
        for name, array in {**numbers, **texts}.items():
            object.__setattr__(self, name, frozen(array))
        object.__setattr__(self, "axes", MappingProxyType(axes))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __len__(self) -> int:
        return len(self.value)

    def where(self, **wanted: Scalar) -> MeasurementTable:
        """Select the rows whose axes (or `null_kind`) equal the given values."""
        mask = np.ones(len(self), dtype=bool)
        for name, value in wanted.items():
            column = self._column(name)
            mask &= column == value
        return self._taken(np.flatnonzero(mask))

    def one(self, **wanted: Scalar) -> Measurement:
        """Return the single row that the axes name.

        Raises
        ------
        InputError
            When no row or several rows fit.
        """
        rows = list(self.where(**wanted).rows())
        if len(rows) != 1:
            raise InputError.of(
                expected=f"{wanted} must name one row of {self.instrument}",
                got=f"{len(rows)} rows",
                fix="Name more axes.",
            )
        return rows[0]

    def rows(self) -> Iterator[Measurement]:
        """Yield every row as a `Measurement`; its axes join its parameters."""
        for row in range(len(self)):
            axes = {name: _scalar(axis[row]) for name, axis in self.axes.items()}
            yield Measurement(
                instrument=self.instrument,
                version=self.version,
                level=self.level,
                value=float(self.value[row]),
                low=float(self.low[row]),  # type: ignore[index]
                high=float(self.high[row]),  # type: ignore[index]
                n=float(self.n[row]),  # type: ignore[index]
                null_kind=str(self.null_kind[row]),  # type: ignore[index]
                blank_reason=str(self.blank_reason[row]),  # type: ignore[index]
                interval_method=self.interval_method,
                confidence=self.confidence,
                parameters={**self.parameters, **axes},
                notes=self.notes,
            )

    def records(self) -> list[dict[str, Any]]:
        """Return plain records (for JSON, charts and frames)."""
        return [row.record() for row in self.rows()]

    def to_frame(self) -> Any:
        """Return a polars or pandas frame, one row a number."""
        records = self.records()
        names = list(records[0]) if records else []
        return to_frame({name: np.array([r[name] for r in records], dtype=object) for name in names})

    def plot(self) -> Any:
        """Return the altair chart that belongs to this instrument."""
        # by name: charts import core, so core cannot import charts
        return import_module("limitset.charts").chart_of(self)

    def _column(self, name: str) -> np.ndarray:
        if name == "null_kind":
            return np.asarray(self.null_kind)
        if name not in self.axes:
            raise InputError.of(
                expected=f"{self.instrument} has the axes {', '.join(self.axes)}",
                got=name,
                fix="Use one of these.",
            )
        return self.axes[name]

    def _taken(self, index: np.ndarray) -> MeasurementTable:
        return MeasurementTable(
            instrument=self.instrument,
            version=self.version,
            level=self.level,
            axes={name: axis[index] for name, axis in self.axes.items()},
            value=self.value[index],
            low=np.asarray(self.low)[index],
            high=np.asarray(self.high)[index],
            n=np.asarray(self.n)[index],
            null_kind=np.asarray(self.null_kind)[index],
            blank_reason=np.asarray(self.blank_reason)[index],
            interval_method=self.interval_method,
            confidence=self.confidence,
            parameters=self.parameters,
            notes=self.notes,
        )


def stacked(tables: Sequence[MeasurementTable]) -> MeasurementTable:
    """Stack tables of one instrument with the same axes."""
    first = tables[0]
    if len({(table.instrument, table.version, tuple(table.axes)) for table in tables}) > 1:
        raise InputError.of(
            expected="stacked tables must come from one instrument with the same axes",
            got=", ".join(f"{table.instrument}({', '.join(table.axes)})" for table in tables),
            fix="Keep them apart.",
        )
    columns = {
        name: np.concatenate([np.asarray(getattr(table, name)) for table in tables])
        for name in ("value", "low", "high", "n", "null_kind", "blank_reason")
    }
    return MeasurementTable(
        instrument=first.instrument,
        version=first.version,
        level=first.level,
        axes={name: np.concatenate([table.axes[name] for table in tables]) for name in first.axes},
        interval_method=first.interval_method,
        confidence=first.confidence,
        parameters=first.parameters,
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
        **columns,
    )


def _numbers(values: Any, rows: int) -> np.ndarray:
    return np.full(rows, UNDEFINED) if values is None else np.array(values, dtype=np.float64)


def _texts(values: Any, rows: int) -> np.ndarray:
    out = np.empty(rows, dtype=object)
    out[:] = "" if values is None else list(values)
    return out


def _scalar(value: Any) -> Scalar:
    plain: Scalar = value.item() if isinstance(value, np.generic) else value
    return plain


def _require_reason(values: np.ndarray, reasons: Sequence[str] | np.ndarray, instrument: str) -> None:
    silent = [row for row, value in enumerate(values) if math.isnan(value) and not reasons[row]]
    if silent:
        raise InputError.of(
            expected=f"a blank value of {instrument} must carry its reason",
            got=f"none in row {silent[0]}",
            fix="Give one.",
        )


def _require_order(low: np.ndarray, high: np.ndarray, instrument: str) -> None:
    wrong = np.flatnonzero(low > high)
    if wrong.size:
        row = int(wrong[0])
        raise InputError.of(
            expected=f"an interval of {instrument} must have low <= high",
            got=f"[{low[row]}, {high[row]}]",
            fix="Swap them.",
        )
