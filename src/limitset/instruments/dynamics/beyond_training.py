"""Does accuracy hold far beyond the steps and the lengths a net was trained with?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.levels import Level
from limitset.core.paired import change_between
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.verdicts import Verdict, judged

INSTRUMENT: Final = "beyond_training"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class BeyondTraining:
    """Accuracy by size and steps, and what is lost far from training.

    Parameters
    ----------
    accuracy
        Right share, in [0, 1]; axes size, steps.
    change
        Accuracy less accuracy at the trained size and steps, in [-1, 1]; axes size, steps. Paired at the
        trained size, unpaired at others.
    beyond_steps
        The change at the trained size after the most steps.
    beyond_size
        The change at the largest size after the most steps.
    holds_beyond_steps, holds_beyond_size
        Whether the interval of the change lies above ``-margin``.
    """

    accuracy: MeasurementTable
    change: MeasurementTable
    beyond_steps: Measurement
    beyond_size: Measurement
    holds_beyond_steps: Verdict
    holds_beyond_size: Verdict


def beyond_training(
    rights: Mapping[int, Bool[np.ndarray, "_ s"]],
    steps: Sequence[int],
    *,
    trained_size: int,
    trained_steps: int,
    margin: float = 0.05,
    confidence: float = 0.95,
    level: Level = Level.HIDDEN,
) -> BeyondTraining:
    """Compare accuracy at other sizes and steps with accuracy where the net was trained.

    Parameters
    ----------
    rights
        Size (length of the input, difficulty) to an array (n, s): whether the answer to each input is right
        after each of `steps`. Inputs of different sizes are different inputs.
    steps : (s,)
        Numbers of steps, rising, with `trained_steps` among them.
    trained_size, trained_steps
        Where the net was trained.
    margin
        Loss of accuracy that does not count, in [0, 1).
    confidence
        Coverage of each interval, in (0, 1).
    level
        Which map was iterated.

    Returns
    -------
    BeyondTraining
        Both tables and the two farthest changes with their verdicts. `beyond_steps` is what
        `template_or_iteration` asks for.

    Raises
    ------
    InputError
        When a size has no inputs or not one column a step, steps do not rise, or the trained size or steps
        are missing.

    Notes
    -----
    Intervals hold one by one, not for the whole table at once. Accuracy at the trained steps alone cannot
    tell iterating from replaying: nets of both kinds had 1.00 there. That accuracy holds beyond them does not
    say that the states settle, and a longer input may need more steps than a short one: read the rows, not
    only the far corner. `n` of an unpaired change is the harmonic mean of the two numbers of inputs.

    References
    ----------
    Bansal et al. (2022), arXiv:2202.05826 (more steps, larger problems); Newcombe (1998),
    doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C, method 10 (paired), and
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10 (unpaired);
    Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> short = np.array([[True, True]] * 90 + [[False, False]] * 10)
    >>> long = np.array([[False, True]] * 30 + [[False, False]] * 70)
    >>> got = beyond_training({12: short, 48: long}, [15, 100], trained_size=12, trained_steps=15)
    >>> got.accuracy.one(size=48, steps=100).value, round(got.beyond_size.value, 2)
    (0.3, -0.6)
    >>> got.holds_beyond_steps, got.holds_beyond_size
    (<Verdict.HOLDS: 'holds'>, <Verdict.FAILS: 'fails'>)
    """
    _check(rights, steps, trained_size, trained_steps, margin)
    trained = rights[trained_size][:, list(steps).index(trained_steps)]
    sizes = sorted(rights)
    cells = [(size, place) for size in sizes for place in range(len(steps))]
    columns = [rights[size][:, place] for size, place in cells]
    accuracies = [wilson(int(column.sum()), column.size, confidence=confidence) for column in columns]
    changes = [
        change_between(trained, column, confidence=confidence)
        if size == trained_size
        else _unpaired(trained, column, confidence)
        for (size, _), column in zip(cells, columns, strict=True)
    ]

    def table(name: str, intervals: list[Interval], method: str) -> MeasurementTable:
        return MeasurementTable(
            instrument=f"{INSTRUMENT}.{name}",
            version=VERSION,
            level=level,
            axes={
                "size": np.array([size for size, _ in cells]),
                "steps": np.array([steps[place] for _, place in cells]),
            },
            interval_method=method,
            confidence=confidence,
            parameters={"trained_size": trained_size, "trained_steps": trained_steps, "margin": margin},
            **columns_of(intervals),
        )

    change = table("change", changes, "Newcombe over inputs, paired at the trained size")
    far_steps = change.one(size=trained_size, steps=int(steps[-1]))
    far_size = change.one(size=sizes[-1], steps=int(steps[-1]))
    return BeyondTraining(
        accuracy=table("accuracy", accuracies, "Wilson over inputs"),
        change=change,
        beyond_steps=far_steps,
        beyond_size=far_size,
        holds_beyond_steps=judged(far_steps, holds_if=-margin, above=True),
        holds_beyond_size=judged(far_size, holds_if=-margin, above=True),
    )


def _unpaired(first: np.ndarray, then: np.ndarray, confidence: float) -> Interval:
    before, after = (wilson(int(one.sum()), one.size, confidence=confidence) for one in (first, then))
    value = after.value - before.value
    down = float(np.hypot(after.value - after.low, before.high - before.value))
    up = float(np.hypot(after.high - after.value, before.value - before.low))
    n = 2 / (1 / before.n + 1 / after.n)
    return Interval(value=value, low=max(value - down, -1.0), high=min(value + up, 1.0), n=n)


def _check(
    rights: Mapping[int, np.ndarray], steps: Sequence[int], size: int, trained_steps: int, margin: float
) -> None:
    wrong = {
        one: array.shape
        for one, array in rights.items()
        if array.shape[1:] != (len(steps),) or not len(array)
    }
    if wrong or size not in rights:
        raise InputError.of(
            expected=f"rights (n, {len(steps)}) for each size, the trained size {size} among them",
            got=wrong or f"sizes {sorted(rights)}",
            fix="Give a column for each number of steps.",
        )
    if any(later <= earlier for earlier, later in pairwise(steps)) or (trained_steps not in steps):
        raise InputError.of(
            expected=f"steps must rise, the trained {trained_steps} among them",
            got=list(steps),
            fix="Record accuracy at the trained steps too.",
        )
    if not 0 <= margin < 1:
        raise InputError.of(expected="margin must lie in [0, 1)", got=margin, fix="Fix it before measuring.")
