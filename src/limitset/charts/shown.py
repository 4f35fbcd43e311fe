"""How is a number, or a text from a model, written so that a reader can trust it?"""

from __future__ import annotations

import math
import unicodedata
from typing import Any, Final

from limitset.core.results import Measurement, MeasurementTable

CLIP: Final = 160
"""Longest text shown before "more"."""


def percent(measurement: Measurement) -> str:
    """Write a share with as many digits as its interval allows.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> def m(value, low=math.nan, high=math.nan, why=""):
    ...     return Measurement(instrument="x", version=1, level=Level.ANSWER, value=value, low=low, high=high,
    ...         blank_reason=why)
    >>> percent(m(0.4583, 0.412, 0.508)), percent(m(0.012, 0.009, 0.016)), percent(m(0.25))
    ('46 % [41, 51]', '1.2 % [0.9, 1.6]', '25 %')
    >>> percent(m(math.nan, math.nan, 0.05, "too few")), percent(m(math.nan, why="too few"))
    ('at most 5 %', 'blank')
    >>> percent(m(math.nan, 0.719, 1.0, "too few"))
    'at least 71 %'
    """
    if measurement.blank:
        return _bound(measurement.low, measurement.high) if measurement.bounded else "blank"
    width = measurement.high - measurement.low
    value = f"{_digits(measurement.value, width)} %"
    if math.isnan(width):
        return value
    return f"{value} [{_digits(measurement.low, width)}, {_digits(measurement.high, width)}]"


def number(value: float, width: float = math.nan) -> str:
    """Write a number that is no share, with digits by the width of its interval.

    Examples
    --------
    >>> number(1.8888, 0.4), number(12.31, 5.0), number(0.0126), number(math.inf), number(math.nan)
    ('1.9', '12', '0.0126', 'never', '')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "never"
    if math.isnan(width) or width <= 0:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.{max(0, math.ceil(-math.log10(width / 3)))}f}"


def with_interval(measurement: Measurement) -> str:
    """Write a number that is no share with its interval.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> with_interval(Measurement(instrument="x", version=1, level=Level.ANSWER, value=1.89, low=1.7,
    ...     high=2.1))
    '1.9 [1.7, 2.1]'
    """
    if measurement.blank:
        return "blank"
    width = measurement.high - measurement.low
    value = number(measurement.value, width)
    if math.isnan(width):
        return value
    return f"{value} [{number(measurement.low, width)}, {number(measurement.high, width)}]"


def visible(text: str) -> str:
    r"""Show control and direction characters as escapes, and line ends as a sign.

    Examples
    --------
    >>> print(visible("a\u202eb\x07\nc"))
    a\u202eb\x07 ⏎ c
    """
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def rows_of(table: MeasurementTable) -> list[dict[str, Any]]:
    """Return the rows of a table for a chart: axes, numbers (None for nothing), and the share in words."""
    rows = []
    for one in table.rows():
        axes = {name: _plain(one.parameters[name]) for name in table.axes}
        numbers = {name: _finite(getattr(one, name)) for name in ("value", "low", "high", "n")}
        rows.append(
            {
                **axes,
                **numbers,
                "shown": percent(one),
                "null_kind": one.null_kind,
                "blank_reason": visible(one.blank_reason),
            }
        )
    return rows


def _plain(value: Any) -> Any:
    return visible(value) if isinstance(value, str) else value


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _bound(low: float, high: float) -> str:
    # rounded outwards: a bound must stay one
    if low > 0 and high >= 1:
        return f"at least {math.floor(100 * low + 1e-9)} %"
    return f"at most {math.ceil(100 * high - 1e-9)} %"


def _digits(share: float, width: float) -> str:
    # an interval narrower than four points deserves a decimal, a wider one does not
    return f"{100 * share:.1f}" if width < 0.04 else f"{100 * share:.0f}"


def _visible(character: str) -> str:
    if character == "\n":
        return " ⏎ "
    if character == "\t":
        return " "
    code = ord(character)
    if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
