"""Which rows does a finished text loop leave for judges and readers?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

from limitset.core.errors import InputError
from limitset.core.levels import Level, Status
from limitset.core.orbits import Orbits


@runtime_checkable
class StateClass(Protocol):
    """What a text says: at least its answer class and whether that is right."""

    @property
    def end(self) -> str | None:
        """The answer class, None where the text holds no answer."""
        ...

    @property
    def right(self) -> bool | None:
        """Whether it is right: False where there is no answer, None where nothing checks it."""
        ...


@dataclass(frozen=True, kw_only=True)
class LoopRows:
    """Rows of finished text loops.

    Parameters
    ----------
    ends
        One record a loop, for `Ends.of_rows`.
    orbits
        One record a step of a loop, with the columns `limitset.core.loops.ORBIT_KINDS`.
    """

    ends: tuple[dict[str, Any], ...]
    orbits: tuple[dict[str, Any], ...]


def loop_rows(
    orbits: Orbits,
    items: Sequence[str],
    *,
    system: str,
    loop: str,
    classify: Callable[[str, str], StateClass],
    family: str | None = None,
    runtime: str | None = None,
    source: str = "limitset",
) -> LoopRows:
    """Turn finished text loops into rows.

    Parameters
    ----------
    orbits
        Held orbits of a text map.
    items : (b,)
        The question of each orbit.
    system
        Name of the model.
    loop
        Name of the instruction.
    classify
        ``classify(text, item)`` says which answer a text gives.
    family, runtime, source
        Written into every row of ends, where given.

    Returns
    -------
    LoopRows
        In `ends`: ``start`` and ``end`` (answer classes of the first and the last state), ``status`` settled
        or undecided, ``steps`` (arrival; inf for never), ``right`` (of the last state; nothing where nothing
        checks it), ``text`` (the last state), ``greedy`` 1 and ``temperature`` 0 for deterministic maps. The
        last state of a settled loop is the one that came back first.

    Raises
    ------
    InputError
        When the orbits are not held, are not of texts, or are not one an item.

    References
    ----------
    Columns: `limitset.core.ends.KINDS`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from limitset.core.streams import Streams
    >>> from limitset.instruments.dynamics import iterate
    >>> from limitset.maps.classic import WordCycles
    >>> swap = WordCycles(cycles=(("Sydney", "Canberra"),))
    >>> rows = loop_rows(
    ...     iterate(swap, ["Sydney"], steps=5, rng=Streams(0)), ["au"], system="swap", loop="again",
    ...     classify=lambda text, item: SimpleNamespace(end=text, right=text == "Canberra"))
    >>> [(row["status"], row["steps"], row["end"], row["right"]) for row in rows.ends]
    [('settled', 0.0, 'Sydney', 0.0)]
    >>> [(row["step"], row["period"], row["text"], row["right"]) for row in rows.orbits]
    [(0, 2, 'Sydney', 0.0), (1, 2, 'Canberra', 1.0), (2, 2, 'Sydney', 0.0)]
    """
    _check(orbits, items)
    once = cache(classify)
    ends, steps = [], []
    for row, item in enumerate(items):
        texts = [str(state) for state in orbits.states[row]]
        classes = [once(text, item) for text in texts]
        ends.append(
            {
                "source": source,
                "level": Level.TEXT.value,
                "item": item,
                "system": system,
                "seed": 0,
                "temperature": 0.0 if orbits.deterministic else None,
                "loop": loop,
                "start": classes[0].end,
                "end": classes[-1].end,
                "status": (Status.SETTLED if orbits.settled[row] else Status.UNDECIDED).value,
                "steps": float(orbits.arrival[row]),
                "right": _flag(classes[-1]),
                "greedy": 1 if orbits.deterministic else 0,
                "runtime": runtime,
                "family": family,
                "text": texts[-1],
            }
        )
        steps += [
            {
                "item": item,
                "system": system,
                "loop": loop,
                "step": step,
                "period": int(orbits.periods[row]),
                "text": text,
                "end": one.end,
                "right": _flag(one),
            }
            for step, (text, one) in enumerate(zip(texts, classes, strict=True))
        ]
    return LoopRows(ends=tuple(ends), orbits=tuple(steps))


def _flag(one: StateClass) -> float | None:
    return None if one.right is None else float(one.right)


def _check(orbits: Orbits, items: Sequence[str]) -> None:
    if orbits.level is not Level.TEXT or not orbits.held:
        raise InputError.of(
            expected="the orbits must be of a text map and held",
            got=f"level {orbits.level}" + ("" if orbits.held else ", not held"),
            fix="Iterate a text map with hold=True.",
        )
    if len(orbits) != len(items) or len(set(items)) != len(items):
        raise InputError.of(
            expected="there must be one orbit an item and each item once",
            got=f"{len(orbits)} orbits and {len(set(items))} distinct items of {len(items)}",
            fix="Give the items in the order of the starts.",
        )
