"""What does each voter add to the vote of the others, and which could go?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.subset_votes import Ballots, ballots_of_systems, counted, errors_without_each
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "member_value"
VERSION = 1

POINT: Final = 0.01
"""A change of the error below one point is called none."""
HELPS, HARMS, NOTHING, CANT_TELL = "helps", "harms", "adds nothing", "can't tell"
_MOST_DROPPED: Final = 20
"""Panels up to this size are asked who could leave together; for larger ones there is `best_subset`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MemberValue:
    """What each voter adds.

    Parameters
    ----------
    values
        Axis `system`: error of the vote without the system less error of the vote of all, in [-1, 1]. Above
        0: it helps. The intervals of all systems hold together.
    dropped
        Systems that may leave together, by the whole interval of `together`; those that could leave alone
        but not with these are not among them.
    together
        Axis `count`: error without all of `dropped` less error with them. Empty where nobody is dropped.
    """

    values: MeasurementTable
    dropped: tuple[str, ...]
    together: MeasurementTable

    def verdicts(self, *, margin: float = POINT) -> dict[str, str]:
        """Say of each system whether it helps, harms, adds nothing (within `margin`), or can't be told."""
        return {str(row.parameters["system"]): _verdict(row, margin) for row in self.values.rows()}


def member_value(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    rounds: int = 32,
    margin: float = POINT,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> MemberValue:
    r"""Error of the vote without each system less the error of the vote of all, on the same questions.

    ``v_i = mean_q [e_q(all but i) - e_q(all)]``, with e_q the share of wrong answers among those that lead.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    rng
        Chooses the run that a system casts where it has several.
    rounds
        Votes of all systems, each with another run, where systems have several runs; 1 or more.
    margin
        Change of the error that counts as none, in (0, 1): systems are dropped together as long as the whole
        interval of the change stays within it.
    confidence
        Coverage aimed at by all intervals of `values` together, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    MemberValue
        Blank below two systems.

    Raises
    ------
    InputError
        When an answer has no anchor, `rounds` is below 1 or `margin` is not in (0, 1).

    Notes
    -----
    A system that adds nothing to *these* others may be the best of all: of two copies each adds nothing, and
    both together may add much. `dropped` is therefore tried together, starting from the one whose leaving
    changes least. Ties are split evenly, so that an even vote is worth as much as the odd one below it.

    References
    ----------
    Dunn (1961), Multiple comparisons among means, doi:10.1080/01621459.1961.10482090 (Bonferroni intervals).
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (changes on few questions).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> right = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0]}
    >>> rows = [dict(item=f"q{q}", system=m, end="yx"[r], right=r)
    ...         for m in right for q, r in enumerate(right[m])]
    >>> got = member_value(tallied(Ends.of_rows(rows)), rng=np.random.default_rng(0))
    >>> got.values.value.tolist()  # without a: ties on the second and third question
    [0.0, 0.0, 0.0]
    """
    tallies.require_anchor()
    if rounds < 1 or not 0 < margin < 1:
        raise InputError.of(
            expected="rounds must be 1 or more and margin in (0, 1)",
            got=f"{rounds} and {margin}",
            fix="Give such.",
        )
    ballots = ballots_of_systems(tallies, rounds=rounds, rng=rng)
    names, count = ballots.voters, len(ballots.voters)
    dropped: list[int] = []
    together: list[Interval] = []
    if count < 2 or not ballots.items.size:
        reason = "a vote takes two systems" if count < 2 else "no question has runs of every system"
        rows = [Interval.blank(reason)] * count
    else:
        whole, without = errors_without_each(ballots)
        rows = [
            mean_difference(own - whole, ballots.clusters, confidence=confidence, comparisons=count)
            for own in without
        ]
        dropped, together = _droppable(ballots, whole, rows, margin, confidence)

    def table(name: str, axes: dict[str, np.ndarray], rows: list[Interval], method: str) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes=axes,
            interval_method=method,
            confidence=confidence,
            parameters={"rounds": rounds, "margin": margin},
            notes=ballots.notes,
            **columns_of(rows),
        )

    method = "paired over questions, t or exact bounds, for all systems together (Bonferroni)"
    return MemberValue(
        values=table(INSTRUMENT, {"system": np.array(names, dtype=object)}, rows, method),
        dropped=tuple(names[member] for member in dropped),
        together=table(
            f"{INSTRUMENT}.together", {"count": np.full(len(together), len(dropped))}, together, method
        ),
    )


def _droppable(
    ballots: Ballots,
    whole: Float[np.ndarray, " q"],
    alone: list[Interval],
    margin: float,
    confidence: float,
) -> tuple[list[int], list[Interval]]:
    """Drop one more as long as the whole interval of the change stays within the margin."""
    count = len(alone)
    if count > _MOST_DROPPED:
        return [], []
    harmless = [row for row in range(count) if alone[row].high < margin]
    order = sorted(harmless, key=lambda row: (alone[row].high, alone[row].value))
    dropped: list[int] = []
    change = None
    for candidate in order:
        left = [row for row in range(count) if row not in {*dropped, candidate}]
        if len(left) < 1:
            break
        error = ballots.by_question(counted(ballots, ballots.cast(left)).error)
        got = mean_difference(error - whole, ballots.clusters, confidence=confidence, comparisons=count)
        if got.high < margin:
            dropped, change = [*dropped, candidate], got
    return sorted(dropped), [] if change is None else [change]


def _verdict(row: Measurement, margin: float) -> str:
    if row.blank or row.high is UNDEFINED:
        return CANT_TELL
    if row.low > 0:
        return HELPS
    if row.high < 0:
        return HARMS
    return NOTHING if -margin < row.low and row.high < margin else CANT_TELL
