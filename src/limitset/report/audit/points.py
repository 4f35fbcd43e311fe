"""How are a difference of two shares, and a list of names, written?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limitset.charts.shown import visible
from limitset.core.results import Measurement
from limitset.core.tallies import Tallies


def points(measurement: Measurement, *, sign: int = 1) -> str:
    """Write a difference of shares in points of a per cent, with its interval.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> row = Measurement(instrument="x", version=1, level=Level.ANSWER, value=-0.012, low=-0.03, high=0.004)
    >>> points(row), points(row, sign=-1)
    ('-1.2 points [-3.0, 0.4]', '1.2 points [-0.4, 3.0]')
    """
    if measurement.blank:
        return "blank"
    value, low, high = (
        100 * sign * end + 0.0 for end in (measurement.value, measurement.low, measurement.high)
    )
    low, high = min(low, high), max(low, high)
    return f"{_written(value)} points [{_written(low)}, {_written(high)}]"


def more_often(measurement: Measurement, *, sign: int = 1) -> str:
    """Write how much more, or less, often something is wrong, by the sign of the difference.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> row = Measurement(instrument="x", version=1, level=Level.ANSWER, value=-0.012, low=-0.03, high=0.004)
    >>> more_often(row)
    '1.2 points [-0.4, 3.0] less often'
    """
    less = sign * measurement.value < 0
    return f"{points(measurement, sign=-sign if less else sign)} {'less' if less else 'more'} often"


def _written(value: float) -> str:
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text


def listed(names: Sequence[str], *, most: int = 6) -> str:
    """Join names.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed([*"abcd"], most=2)
    ('a, b and c', 'a, b and 2 more')
    """
    shown = [visible(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def counted_on(tallies: Tallies, noun: str) -> str:
    """Say on how many questions, systems and runs a figure rests.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> counted_on(tallied(Ends.of(item=["p", "p"], system=["a", "b"], end="x")), "judge")
    '1 question, 2 judges, 1 run each.'
    """
    questions, systems = tallies.items.size, list(dict.fromkeys(tallies.systems))
    runs = np.stack([tallies.runs[tallies.systems == name].sum(axis=0) for name in systems])
    low, high = int(runs.min(initial=0)), int(runs.max(initial=0))
    if questions:
        low = int(runs.min())
    each = f"{high}" if low == high else f"{low} to {high}"
    return (
        f"{questions:,} question{'s' * (questions != 1)}, {len(systems)} {noun}{'s' * (len(systems) != 1)}, "
        f"{each} run{'s' * (each != '1')} each."
    )
