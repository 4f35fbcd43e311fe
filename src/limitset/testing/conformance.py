"""Does a map keep the contract of maps, and an instrument that of instruments?"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from limitset.core.errors import LimitsetError
from limitset.core.levels import Level
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams


class LawBrokenError(LimitsetError, AssertionError):
    """A map or an instrument breaks a rule; an `AssertionError`, so that runners show a failed test."""


def check_map(
    map: SelfMap[Any], starts: Any, *, steps: int = 4, seed: int = 0, tolerance: float = 0.0
) -> None:
    """Check that a map keeps the contract of `SelfMap`.

    Parameters
    ----------
    map
        Any map.
    starts : (b, ...)
        Two states or more: a list, or an array whose first axis is the batch.
    steps
        How far the checks go, 2 or more.
    seed
        Seed of the streams.
    tolerance
        How far a state may move, relative to the largest number of its batch, when the batch is another:
        matrix products round by the size of the batch. 0 or more; all other checks are exact.

    Raises
    ------
    LawBrokenError
        When it has no level; changes its input; gives another number of images; gives another answer to the
        same question under one seed; lets a state depend on its neighbours in the batch or on their order;
        does not go on from a saved state; or calls itself deterministic and heeds the seed.

    References
    ----------
    The contract: `limitset.core.protocols.SelfMap`.

    Examples
    --------
    >>> from limitset.maps.classic import Collatz, RingWalk
    >>> check_map(Collatz(), [27, 6, 1])
    >>> check_map(RingWalk(size=9), [0, 4, 8])
    """
    if len(starts) < 2 or steps < 2:
        raise LawBrokenError.of(
            expected="two starts and two steps at least", got=f"{len(starts)} and {steps}", fix="Give more."
        )
    _must(isinstance(map.level, Level), "a map must name its level", map.level)
    _must(
        isinstance(map.deterministic, bool), "a map must say whether it is deterministic", map.deterministic
    )
    rows = list(range(len(starts)))
    orbit = _orbit(map, starts, rows, steps, seed)
    _must(
        _same(orbit, _orbit(map, starts, rows, steps, seed)),
        "equal seeds must give equal orbits",
        "two orbits of one seed differ",
    )
    for kept in (rows[:1], rows[1:], rows[::-1]):
        partial = _orbit(map, _taken(starts, kept), kept, steps, seed)
        whole = [_taken(states, kept) for states in orbit]
        near = _near(partial, whole, tolerance) if tolerance else _same(partial, whole)
        _must(near, "a state must not heed the rest of the batch", f"rows {kept} differ")
    again = _orbit(map, copy.deepcopy(orbit[1]), rows, steps, seed, first=2)
    _must(_same(again, orbit[1:]), "going on from a saved state must change nothing", "the orbits part")
    if map.deterministic:
        other = _orbit(map, starts, rows, steps, seed + 1)
        _must(_same(other, orbit), "a deterministic map must not heed the seed", "two seeds differ")


def check_instrument(measure: Callable[..., Any], *data: Any, seed: int = 0, **options: Any) -> Any:
    """Check that an instrument is pure and its result is safe to hand on.

    Parameters
    ----------
    measure
        The instrument; when it takes ``rng`` it gets a fresh generator of `seed` each time.
    data, options
        What it is called with.
    seed
        Seed of the generator.

    Returns
    -------
    object
        The result, for further checks.

    Raises
    ------
    LawBrokenError
        When it changes its input; gives another answer under one seed; uses or moves the global random
        generators of Python or numpy; prints; or gives a result that can be changed, whose intervals do not
        enclose their value, whose numbers lack their n, or whose axes name two rows alike.

    References
    ----------
    The rules: `limitset.core.results`.

    Examples
    --------
    >>> from limitset.instruments.dynamics import find_cycle
    >>> check_instrument(find_cycle, ["a", "b", "a"])
    Cycle(transient=0, period=2)
    """
    takes_rng = "rng" in inspect.signature(measure).parameters and "rng" not in options

    def once() -> Any:
        more = {"rng": np.random.default_rng(seed)} if takes_rng else {}
        return measure(*data, **options, **more)

    before = copy.deepcopy((data, options))
    printed = io.StringIO()
    legacy = np.random.get_state()  # watched, not used
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        first = once()
    untouched = _same(legacy, np.random.get_state())
    _must(untouched, "an instrument must not use numpy's global random generator", "it moved")
    _must(not printed.getvalue(), "an instrument must not print", repr(printed.getvalue()))
    _must(_same(before, (data, options)), "an instrument must not change its input", "it changed")
    # run-time type checks move Python's own generator too: it is not watched, the answers must agree
    random.seed(random.random())
    second = once()
    _must(_same(first, second), "equal input and seed must give equal answers", "two answers differ")
    for name, array in _arrays(first):
        _must(not array.flags.writeable, "arrays of a result must be read-only", name)
    _must(_is_frozen(first), "a result must be a frozen dataclass or a plain value", type(first).__name__)
    for table in tables_of(first).values():
        _check_table(table)
    return first


def tables_of(result: Any, name: str = "") -> dict[str, MeasurementTable]:
    """Return every table of a result by the name of its field."""
    if isinstance(result, MeasurementTable):
        return {name: result}
    if not is_dataclass(result) or isinstance(result, type):
        return {}
    found: dict[str, MeasurementTable] = {}
    for one in fields(result):
        found |= tables_of(getattr(result, one.name), f"{name}.{one.name}" if name else one.name)
    return found


def _check_table(table: MeasurementTable) -> None:
    value, low, high = np.asarray(table.value), np.asarray(table.low), np.asarray(table.high)
    outside = np.flatnonzero((value < low) | (value > high))
    if outside.size:
        row = int(outside[0])
        raise LawBrokenError.of(
            expected=f"an interval of {table.instrument} must enclose its value",
            got=f"{value[row]} outside [{low[row]}, {high[row]}]",
            fix="Clip or recompute it.",
        )
    bare = ~np.isnan(value) & np.isnan(np.asarray(table.n))
    _must(not bare.any(), f"every number of {table.instrument} must carry its n", f"{bare.sum()} without")
    axes = zip(*(axis.tolist() for axis in table.axes.values()), table.null_kind, strict=True)  # type: ignore[arg-type]
    keys = list(axes)
    _must(len(set(keys)) == len(keys), f"axes of {table.instrument} must name each row once", "two alike")


def _orbit(
    map: SelfMap[Any], starts: Any, rows: Sequence[int], steps: int, seed: int, *, first: int = 1
) -> list[Any]:
    states, orbit = starts, [starts]
    for step in range(first, steps + 1):
        given = copy.deepcopy(states)
        states = map.step(states, rows=tuple(rows), rng=Streams(seed).child("step", step))
        _must(_same(given, orbit[-1]), "a map must not change the states it is given", "they changed")
        _must(len(states) == len(rows), "a map must give one image a state", f"{len(states)} for {len(rows)}")
        orbit.append(states)
    return orbit


def _taken(states: Any, rows: Sequence[int]) -> Any:
    return states[list(rows)] if hasattr(states, "dtype") else [states[row] for row in rows]


def _near(one: Sequence[Any], other: Sequence[Any], tolerance: float) -> bool:
    """Whether two orbits of arrays lie close to each other at every step."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(one, other, strict=True)]
    return all(np.allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max(), equal_nan=True) for a, b in pairs)


def _same(one: Any, other: Any) -> bool:
    """Whether two results say the same; NaN equals NaN."""
    if isinstance(one, MeasurementTable) or (is_dataclass(one) and not isinstance(one, type)):
        names = [field.name for field in fields(one)]
        return type(one) is type(other) and all(_same(getattr(one, n), getattr(other, n)) for n in names)
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if hasattr(one, "dtype") and hasattr(one, "shape") and one.shape:
        one, other = np.asarray(one), np.asarray(other)
        return one.shape == other.shape and _same(one.tolist(), other.tolist())
    return bool(one == other or (_blank(one) and _blank(other)))


def _blank(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _arrays(result: Any, name: str = "result") -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(result, np.ndarray):
        yield name, result
    elif is_dataclass(result) and not isinstance(result, type):
        for one in fields(result):
            yield from _arrays(getattr(result, one.name), f"{name}.{one.name}")
    elif isinstance(result, Mapping):
        for key, value in result.items():
            yield from _arrays(value, f"{name}[{key!r}]")
    elif isinstance(result, tuple):
        for row, value in enumerate(result):
            yield from _arrays(value, f"{name}[{row}]")


def _is_frozen(result: Any) -> bool:
    if is_dataclass(result):
        return bool(getattr(type(result), "__dataclass_params__").frozen)  # noqa: B009 - unknown to the types
    return result is None or isinstance(result, str | int | float | bool | tuple | np.ndarray)


def _must(holds: bool, rule: str, got: object) -> None:
    if not holds:
        raise LawBrokenError.of(expected=rule, got=got, fix="See limitset.testing.")
