"""Which loop is meant by the rows of ends and of orbits that share an item, a system and an instruction?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from limitset.core.columns import Kind, as_column, plain
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level, Status
from limitset.core.undefined import UNDEFINED

ORBIT_KINDS: Final[Mapping[str, Kind]] = {
    "item": Kind.TEXT,
    "system": Kind.TEXT,
    "loop": Kind.TEXT,
    "step": Kind.NUMBER,
    "period": Kind.NUMBER,
    "text": Kind.TEXT,
    "end": Kind.TEXT,
    "right": Kind.NUMBER,
}
"""Columns of the orbits table, one row a step: `period` is 0 where the loop did not settle, `end` the answer
class of the text, `right` 1, 0 or nothing (this column may be missing)."""

_NEEDED: Final = ("item", "system", "loop", "step", "period", "text")


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One text loop.

    Parameters
    ----------
    item, system, name
        Its question, model and instruction.
    settled
        Whether a text came back.
    arrival
        Step at which it entered its cycle, inf for never.
    cycle
        The texts of the cycle, () for none.
    end
        Answer class of the last text, None where it gives no answer.
    right_start, right_end
        Whether the first and the last text are right: 1, 0, or NaN where nothing checks them.
    """

    item: str
    system: str
    name: str
    settled: bool
    arrival: float
    cycle: tuple[Hashable, ...]
    end: str | None
    right_start: float
    right_end: float


def loops_of(ends: Ends, orbits: Mapping[str, Any]) -> list[Loop]:
    """Join the text loops among the ends with their states.

    Parameters
    ----------
    ends
        Ends of which those of the level "text" are taken.
    orbits
        Columns `ORBIT_KINDS` (sequences, arrays or `Coded`); more are ignored.

    Returns
    -------
    list of Loop
        In the order of the ends.

    Raises
    ------
    InputError
        When a column is missing, two ends are of one loop, or a settled loop lacks states of its cycle.

    Examples
    --------
    >>> ends = Ends.of(item=["q"], system="m", loop="again", level="text", end=["b"], status="settled",
    ...                steps=[1])
    >>> table = dict(item=["q"] * 3, system=["m"] * 3, loop=["again"] * 3, step=[0, 1, 2], period=[1] * 3,
    ...              text=["a", "b", "b"])
    >>> loops_of(ends, table)[0].cycle
    ('b',)
    """
    ends = ends.having(level=Level.TEXT.value)
    texts, periods, right = _by_loop(orbits)
    columns = [ends.texts(name) for name in ("item", "system", "loop", "end", "status")]
    found: dict[tuple[str, str, str], Loop] = {}
    for row, (item, system, name, end, status) in enumerate(zip(*columns, strict=True)):
        key = (item, system, name or "")
        if key in found:
            raise InputError.of(
                expected="each item, system and loop may stand in one row",
                got=f"{key} twice",
                fix="Split them.",
            )
        arrival = float(ends.numbers("steps")[row])
        settled = status == Status.SETTLED.value
        cycle = _cycle(key, texts.get(key, {}), arrival, periods.get(key, 0)) if settled else ()
        found[key] = Loop(
            item=item,
            system=system,
            name=key[2],
            settled=settled,
            arrival=arrival,
            cycle=cycle,
            end=end,
            right_start=right.get(key, UNDEFINED),
            right_end=float(ends.numbers("right")[row]),
        )
    return list(found.values())


_Key = tuple[str, str, str]


def _by_loop(
    orbits: Mapping[str, Any],
) -> tuple[dict[_Key, dict[int, str]], dict[_Key, int], dict[_Key, float]]:
    absent = [name for name in _NEEDED if name not in orbits]
    if absent:
        raise InputError.of(
            expected=f"an orbits table needs {', '.join(_NEEDED)}",
            got=f"no {', '.join(absent)}",
            fix="Write it with loop_rows.",
        )
    length = len(orbits["item"])
    columns = {
        name: plain(as_column(orbits.get(name), kind, name=name, length=length))
        for name, kind in ORBIT_KINDS.items()
    }
    texts: dict[_Key, dict[int, str]] = {}
    periods: dict[_Key, int] = {}
    right: dict[_Key, float] = {}
    for row in range(length):
        key = (columns["item"][row], columns["system"][row], columns["loop"][row] or "")
        step = int(columns["step"][row])
        texts.setdefault(key, {})[step] = columns["text"][row] or ""  # an empty text may be stored as nothing
        periods[key] = int(np.nan_to_num(columns["period"][row]))
        if step == 0:
            right[key] = float(columns["right"][row])
    return texts, periods, right


def _cycle(key: _Key, texts: Mapping[int, str], arrival: float, period: int) -> tuple[Hashable, ...]:
    steps = range(int(arrival), int(arrival) + period) if np.isfinite(arrival) else range(0)
    if not steps or any(step not in texts for step in steps):
        raise InputError.of(
            expected="a settled loop must have a period and every state of its cycle among the orbits",
            got=f"arrival {arrival}, period {period} and {len(texts)} states of {', '.join(key)}",
            fix="Write both tables from one run.",
        )
    return tuple(texts[step] for step in steps)
