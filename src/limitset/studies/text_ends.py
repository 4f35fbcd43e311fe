"""Where do the text loops of one or more models end, question by question, and is that place right?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from limitset.core.ends import Ends
from limitset.core.intervals import (
    LEAST_CARRIERS,
    Interval,
    effective_number,
    jackknife_interval,
    logit_jackknife,
    wilson,
)
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.loops import Loop, loops_of
from limitset.core.orbits import turned
from limitset.core.paired import paired_change
from limitset.core.results import Measurement, MeasurementTable, Scalar
from limitset.instruments.dynamics.loop_ends import loop_ends

STUDY: Final = "text_ends"
VERSION: Final = 2
NO_ANCHOR: Final = "nothing checks the first and the last text"


@dataclass(frozen=True, kw_only=True, eq=False)
class TextEnds:
    """Where text loops end.

    Parameters
    ----------
    estimates
        Shares of all loops: ``fixed_share`` (ends in a fixed point), ``cycle_share`` (in a cycle of period
        2 or more), ``right_start``, ``right_end``; ``right_settled`` (right at the end, of the loops that
        settled); ``change`` (right at the end less right at the start); ``shared_share`` (share of the loops
        of one model and instruction in their commonest limit set, averaged over these).
    outcomes
        How the loops of each model and instruction end.
    """

    estimates: Mapping[str, Measurement]
    outcomes: MeasurementTable


def text_ends(
    ends: Ends, orbits: Mapping[str, Any], *, free: Collection[str] = (), confidence: float = 0.95
) -> TextEnds:
    """Average over the loops of each question, and give intervals over questions.

    Parameters
    ----------
    ends, orbits
        As in `loop_ends`.
    free
        Instructions under which a model never sees the question again: one map for all starts, which alone
        can share an end. ``shared_share`` is over these; over all where none is named.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    TextEnds
        A loop that did not settle within its steps counts as ended nowhere.

    Raises
    ------
    InputError
        When there is no text loop.

    References
    ----------
    As `loop_ends`.

    Examples
    --------
    >>> ends = Ends.of(item=["p", "q"], system="m", loop="again", level="text", end=["x", "y"],
    ...                status="settled", steps=[0, 0], right=[1, 0])
    >>> table = dict(item=["p", "p", "q", "q", "q"], system=["m"] * 5, loop=["again"] * 5,
    ...              step=[0, 1, 0, 1, 2], period=[1, 1, 2, 2, 2], text=["x", "x", "y", "z", "y"],
    ...              right=[1, 1, 0, 0, 0])
    >>> text_ends(ends, table).estimates["fixed_share"].value
    0.5
    """
    found = loop_ends(ends, orbits, confidence=confidence)
    loops = loops_of(ends, orbits)
    checked = [one for one in loops if not np.isnan([one.right_start, one.right_end]).any()]
    settled = [one for one in checked if one.settled]
    sharing = [one for one in loops if not free or one.name in free]

    def measured(name: str, interval: Interval, method: str) -> Measurement:
        return Measurement(
            instrument=f"{STUDY}.{name}",
            version=VERSION,
            level=Level.TEXT,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=interval.n,
            interval_method=method,
            confidence=confidence,
            blank_reason=interval.blank_reason,
        )

    def share(name: str, of: Sequence[Loop], holds: Callable[[Loop], float], reason: str) -> Measurement:
        by_question = _by_question(of, holds)
        got = _share(by_question, confidence) if by_question.size else Interval.blank(reason)
        return measured(name, got, "logit jackknife over questions, Wilson where few carry a side")

    none = "there is no loop"
    return TextEnds(
        estimates={
            "fixed_share": share("fixed_share", loops, lambda one: len(one.cycle) == 1, none),
            "cycle_share": share("cycle_share", loops, lambda one: len(one.cycle) > 1, none),
            "right_start": share("right_start", checked, lambda one: one.right_start, NO_ANCHOR),
            "right_end": share("right_end", checked, lambda one: one.right_end, NO_ANCHOR),
            "right_settled": share("right_settled", settled, lambda one: one.right_end, NO_ANCHOR),
            "change": measured("change", _change(checked, confidence), "jackknife over questions"),
            "shared_share": measured("shared_share", _shared(sharing, confidence), "Wilson over questions"),
        },
        outcomes=found.outcomes,
    )


def telling_loops(
    ends: Ends, orbits: Mapping[str, Any], items: Items, *, most: int = 6
) -> tuple[dict[str, Scalar], ...]:
    """Return loops worth reading: those that lose or mend an answer, then cycles, then the longest ways.

    Examples
    --------
    >>> ends = Ends.of(item=["q"], system="m", loop="again", level="text", end=["y"], status="settled",
    ...                steps=[1], right=[0], text=["y"])
    >>> table = dict(item=["q"] * 3, system=["m"] * 3, loop=["again"] * 3, step=[0, 1, 2], period=[1] * 3,
    ...              text=["x", "y", "y"], right=[1, 0, 0])
    >>> items = Items.of(item=["q"], text=["Which?"], accepted=[["x"]])
    >>> telling_loops(ends, table, items)[0]["last text"]
    'y'
    """
    first = _first_texts(orbits)
    ends = ends.having(level=Level.TEXT.value)
    last = dict(zip(zip(*_keys(ends), strict=True), ends.texts("text"), strict=True))
    loops = sorted(
        loops_of(ends, orbits),
        key=lambda one: (
            one.right_start != one.right_end and not np.isnan(one.right_end),
            len(one.cycle) != 1,
            one.arrival if np.isfinite(one.arrival) else 1e9,
        ),
        reverse=True,
    )
    rows: list[dict[str, Scalar]] = []
    for loop in loops[:most]:
        key = (loop.item, loop.system, loop.name)
        rows.append(
            {
                "question": str(items.texts("text")[items.position(loop.item)]),
                "model": loop.system,
                "loop": loop.name,
                "first text": str(first.get(key) or ""),
                "last text": str(last.get(key) or ""),
                "period": len(loop.cycle) if loop.settled else "did not settle",
                "right": f"{_word(loop.right_start)}, then {_word(loop.right_end)}",
                "key": next(iter(items.accepted(loop.item)), ""),
            }
        )
    return tuple(rows)


def _by_question(loops: Iterable[Loop], holds: Callable[[Loop], float]) -> Float[np.ndarray, " q"]:
    values: dict[str, list[float]] = {}
    for loop in loops:
        values.setdefault(loop.item, []).append(float(holds(loop)))
    return np.array([np.mean(one) for one in values.values()], dtype=np.float64)


def _share(values: Float[np.ndarray, " q"], confidence: float) -> Interval:
    n = values.size
    if min(effective_number(values), effective_number(1 - values)) < LEAST_CARRIERS:
        return wilson(float(values.sum()), n, confidence=confidence)
    got = logit_jackknife(values, 1 - values, confidence=confidence)
    return Interval(value=got.value, low=got.low, high=got.high, n=float(n))


def _change(loops: Sequence[Loop], confidence: float) -> Interval:
    """Jackknife over questions; where hardly any changed, Newcombe with each question as one pair."""
    values = _by_question(loops, lambda one: one.right_end - one.right_start)
    n = values.size
    if n == 0:
        return Interval.blank(NO_ANCHOR)
    if effective_number(np.abs(values)) >= LEAST_CARRIERS and np.unique(values).size > 1:
        without = (values.sum() - values) / (n - 1)
        return jackknife_interval(float(values.mean()), without, confidence=confidence)
    before = _by_question(loops, lambda one: one.right_start)
    gained, lost = int(np.ceil(np.maximum(values, 0).sum())), int(np.ceil(np.maximum(-values, 0).sum()))
    both = max(round(float(before.sum())) - lost, 0)
    got = paired_change(both, gained, lost, max(n - both - gained - lost, 0), confidence=confidence)
    value = float(values.mean())
    return Interval(value=value, low=min(got.low, value), high=max(got.high, value), n=float(n))


def _shared(loops: Sequence[Loop], confidence: float) -> Interval:
    if not loops:
        return Interval.blank("there is no loop")
    # Wilson with questions as units: a commonest share has no smooth jackknife
    n = len({one.item for one in loops})
    return wilson(_largest(loops) * n, n, confidence=confidence)


def _largest(loops: Sequence[Loop]) -> float:
    """Share of the loops of each model and instruction in their commonest limit set, averaged."""
    groups: dict[tuple[str, str], list[Loop]] = {}
    for loop in loops:
        groups.setdefault((loop.system, loop.name), []).append(loop)
    shares = []
    for group in groups.values():
        sets = Counter(turned(one.cycle) for one in group if one.settled)
        shares.append(max(sets.values(), default=0) / len(group))
    return float(np.mean(shares)) if shares else float("nan")


def _first_texts(orbits: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    columns = [_plain(orbits[name]) for name in ("item", "system", "loop", "step", "text")]
    return {
        (item, system, loop): text
        for item, system, loop, step, text in zip(*columns, strict=True)
        if float(step) == 0
    }


def _keys(ends: Ends) -> tuple[np.ndarray, ...]:
    return tuple(ends.texts(name) for name in ("item", "system", "loop"))


def _plain(column: Any) -> Any:
    return column.decoded() if hasattr(column, "decoded") else column


def _word(flag: float) -> str:
    return "unchecked" if np.isnan(flag) else "right" if flag else "wrong"
