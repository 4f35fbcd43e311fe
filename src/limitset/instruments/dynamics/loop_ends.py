"""Where do text loops end, how soon, in how many places, and are those right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import stats

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.levels import Level
from limitset.core.loops import Loop, loops_of
from limitset.core.orbits import turned
from limitset.core.paired import paired_change
from limitset.core.results import MeasurementTable
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "loop_ends"
VERSION: Final = 1

SETTLED_SHARES: Final = ("period_1", "period_2", "period_3_up", "largest_share")
"""Shares of the settled loops."""
TRUTH: Final = ("right_start", "right_end", "lost", "fixed", "change")
"""Shares of all loops that an anchor checks; the last is a difference of shares."""
QUANTITIES: Final = ("settled", *SETTLED_SHARES, "median_arrival", "distinct_ends", *TRUTH)
OUTCOMES: Final = ("settled, right", "settled, wrong", "settled, no answer", "not settled")


@dataclass(frozen=True, kw_only=True, eq=False)
class LoopEnds:
    """How text loops end, by system and loop.

    Parameters
    ----------
    values
        Axes system, loop, quantity. ``settled``: share of loops in which a text came back. Of those:
        ``period_1``, ``period_2``, ``period_3_up``; ``largest_share`` in the commonest limit set;
        ``median_arrival`` in steps; ``distinct_ends``, a count. Of the loops an anchor checks:
        ``right_start`` and ``right_end`` (first and last text), ``lost`` (right, then not), ``fixed`` (not,
        then right), ``change`` = fixed - lost = right_end - right_start, in [-1, 1].
    outcomes
        Axes system, loop, outcome: shares of the checked loops that sum to 1.
    """

    values: MeasurementTable
    outcomes: MeasurementTable


def loop_ends(ends: Ends, orbits: Mapping[str, Any], *, confidence: float = 0.95) -> LoopEnds:
    """Say where text loops end, and whether going round mends or breaks answers.

    Parameters
    ----------
    ends
        Rows of the level "text" are read: ``status``, ``steps`` (arrival), ``end`` and ``right`` of the last
        text.
    orbits
        Columns item, system, loop, step, period, text and, for the first text, right.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    LoopEnds
        n counts questions: each has one loop of a system and an instruction.

    Raises
    ------
    InputError
        When there is no text loop, or the tables do not fit each other.

    Notes
    -----
    "Not settled" means: not within the steps given. The last text of a cycle is its entry; in a cycle of
    period 2 or more the other texts may say something else. ``distinct_ends`` and ``largest_share`` compare
    texts; where the instruction shows the question, each question has a map of its own and equal texts are
    the same words, not one limit set. ``distinct_ends`` can only grow with more starts, and the share of the
    set found largest is biased upward. A text without an answer is not right.

    References
    ----------
    Wilson (1927), doi:10.1080/01621459.1927.10502953 (shares). Newcombe (1998), method 10,
    doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C (change). Conover (1999), Practical
    Nonparametric Statistics, section 3.2 (median). Wang et al. (2025), arXiv:2502.15208 (2-cycles).

    Examples
    --------
    >>> ends = Ends.of(item=["p", "q"], system="m", loop="again", level="text", end=["x", "y"],
    ...                status="settled", steps=[0, 1], right=[1, 0])
    >>> table = dict(item=["p", "p", "q", "q", "q"], system=["m"] * 5, loop=["again"] * 5,
    ...              step=[0, 1, 0, 1, 2], period=[1] * 5, text=["x", "x", "z", "y", "y"],
    ...              right=[1, 1, 1, 0, 0])
    >>> got = loop_ends(ends, table).values
    >>> got.one(quantity="lost").value, got.one(quantity="distinct_ends").value
    (0.5, 2.0)
    """
    loops = loops_of(ends, orbits)
    if not loops:
        raise InputError.of(
            expected="there must be rows of the level text", got="none", fix="Run a text loop first."
        )
    groups: dict[tuple[str, str], list[Loop]] = {}
    for loop in loops:
        groups.setdefault((loop.system, loop.name), []).append(loop)
    values = {key: _quantities(group, confidence) for key, group in groups.items()}
    outcomes = {key: _outcomes(group, confidence) for key, group in groups.items()}
    return LoopEnds(
        values=_table(INSTRUMENT, "quantity", QUANTITIES, values, confidence),
        outcomes=_table("loop_outcomes", "outcome", OUTCOMES, outcomes, confidence),
    )


def _table(
    instrument: str,
    axis: str,
    names: Sequence[str],
    groups: Mapping[tuple[str, str], Sequence[Interval]],
    confidence: float,
) -> MeasurementTable:
    rows = [(system, loop, name) for system, loop in groups for name in names]
    axes = zip(("system", "loop", axis), zip(*rows, strict=True), strict=True)
    return MeasurementTable(
        instrument=instrument,
        version=VERSION,
        level=Level.TEXT,
        axes={name: np.array(column, dtype=object) for name, column in axes},
        interval_method="Wilson; change: Newcombe, paired; median: order statistics; counts: none",
        confidence=confidence,
        notes=("a loop that did not settle did not within the steps given",),
        **columns_of([one for group in groups.values() for one in group]),
    )


def _quantities(loops: Sequence[Loop], confidence: float) -> list[Interval]:
    settled = [loop for loop in loops if loop.settled]
    periods = [len(loop.cycle) for loop in settled]
    keys = [turned(loop.cycle) for loop in settled]
    counts = [periods.count(1), periods.count(2), sum(period > 2 for period in periods)]
    largest = max((keys.count(key) for key in set(keys)), default=0)
    of_settled = [_share(count, len(settled), "no loop settled", confidence) for count in (*counts, largest)]
    distinct = Interval(value=float(len(set(keys))), low=UNDEFINED, high=UNDEFINED, n=float(len(settled)))
    return [
        wilson(len(settled), len(loops), confidence=confidence),
        *of_settled,
        _median([loop.arrival for loop in settled], confidence),
        distinct if settled else _blank("no loop settled"),
        *_changes(loops, confidence),
    ]


def _changes(loops: Sequence[Loop], confidence: float) -> list[Interval]:
    pairs = [(loop.right_start, loop.right_end) for loop in loops]
    pairs = [pair for pair in pairs if not np.isnan(pair).any()]
    if not pairs:
        return [_blank("no anchor for the first and the last text")] * len(TRUTH)
    both, lost, fixed, neither = (pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0)))
    shares = [
        wilson(count, len(pairs), confidence=confidence) for count in (both + lost, both + fixed, lost, fixed)
    ]
    return [*shares, paired_change(both, fixed, lost, neither, confidence=confidence)]


def _outcomes(loops: Sequence[Loop], confidence: float) -> list[Interval]:
    checked = [loop for loop in loops if not np.isnan(loop.right_end)]
    names = [_outcome(loop) for loop in checked]
    return [_share(names.count(name), len(checked), "no anchor", confidence) for name in OUTCOMES]


def _outcome(loop: Loop) -> str:
    if not loop.settled:
        return "not settled"
    if loop.end is None:
        return "settled, no answer"
    return "settled, right" if loop.right_end == 1 else "settled, wrong"


def _median(arrivals: Sequence[float], confidence: float) -> Interval:
    """Median with the order statistics whose ranks enclose it with at least this coverage."""
    n = len(arrivals)
    if n == 0:
        return _blank("no loop settled")
    rank = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))  # P(X < rank) <= (1 - confidence) / 2
    ordered = sorted(arrivals)
    ends = (ordered[rank - 1], ordered[n - rank]) if rank else (UNDEFINED, UNDEFINED)
    return Interval(value=float(np.median(ordered)), low=ends[0], high=ends[1], n=float(n))


def _share(count: int, n: int, reason: str, confidence: float) -> Interval:
    return wilson(count, n, confidence=confidence) if n else _blank(reason)


def _blank(reason: str) -> Interval:
    return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason=reason)
