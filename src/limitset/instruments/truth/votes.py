"""How many independent votes are these votes worth, and how many independent models are these models?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from limitset.core.intervals import Interval, columns_of, jackknife_interval
from limitset.core.levels import Level
from limitset.core.majorities import kish_number
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voters import Voters, correlations, correlations_left_out, models_of, votes_of

INSTRUMENT = "effective_number"
VERSION = 1

UNITS = ("votes", "models")


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectiveNumber:
    """How many independent voters carry as much information as these.

    Parameters
    ----------
    values
        Axis `unit`: "votes" (every run votes) and "models" (every model votes with its chance to be wrong).
        1 means that all err together; the number of voters means that they err independently; above it,
        that errors avoid each other.
    correlation
        Axis `unit`: mean correlation of the errors of two different voters over questions.
    partial
        Axis `unit`: the effective number after removing the difficulty that the *other* voters show. It
        removes difficulty only in part; blank below three voters.
    """

    values: MeasurementTable
    correlation: MeasurementTable
    partial: MeasurementTable


def effective_number(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> EffectiveNumber:
    r"""Kish's effective number of voters, ``M / (1 + (M - 1) r)``.

    `r` is the mean correlation over questions of the errors of two different voters. A vote is one run: two
    runs of different cells covary as the cells' error shares do; two runs of one cell err together with
    chance ``(w)_2 / (n)_2``, w of n runs wrong. A model errs with a probability per question; its variance
    over questions is taken from pairs of different runs, so that sampling noise does not pass for
    independence.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor. Only questions that every cell has
        runs on are used.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    EffectiveNumber
        At least 1, blank where errors avoid each other fully. An abstention is not an error.

    Raises
    ------
    InputError
        When an answer has no anchor.

    Notes
    -----
    Voters that are always or never wrong leave M too: kept, they would raise the number without a vote of
    information. `r` cannot be below ``-1 / (M - 1)``. Errors alone cannot tell shared difficulty from shared
    bias; the identity of wrong answers can (`same_wrong`). The interval of `partial` leaves out 60 groups of
    questions in turn, not single ones, where questions times squared voters pass twenty million. Where a
    model has one run a question, that run is taken as its probability: exact at temperature 0, too high a
    number otherwise.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5; the design effect 1 + (M - 1) r.
    Kim, Garg, Peng and Garg (2025), Correlated errors in large language models, arXiv:2506.07962.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> right = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0]}
    >>> rows = [dict(item=f"q{q}", system=m, end="yx"[r], right=r)
    ...         for m in right for q, r in enumerate(right[m])]
    >>> got = effective_number(tallied(Ends.of_rows(rows)))
    >>> round(got.values.one(unit="votes").value, 3)  # r = (1 + 0 + 0) / 3, so 3 / (1 + 2/3)
    1.8
    """
    tallies.require_anchor()
    complete = np.asarray((tallies.runs > 0).all(axis=0))
    kept = tallies if complete.all() else tallies.of_questions(complete)
    voters = {"votes": votes_of(kept), "models": models_of(kept)}
    results = {unit: _measured(voters[unit], confidence) for unit in UNITS}
    notes = (
        f"{kept.items.size} of {tallies.items.size} questions have runs of every cell",
        "the mean correlation cannot be below -1 / (M - 1)",
        *(["a model with one run a question: that run is taken as its probability"] if _lone(kept) else []),
    )
    tables = [
        MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={"unit": np.array(UNITS, dtype=object)},
            interval_method="jackknife over questions" + ("" if position == 1 else " on the log scale"),
            confidence=confidence,
            notes=(*notes, *(["partial: difficulty is removed only in part"] if position == 2 else [])),
            **columns_of([results[unit][position] for unit in UNITS]),
        )
        for position, name in enumerate((INSTRUMENT, "error_correlation", f"{INSTRUMENT}_partial"))
    ]
    return EffectiveNumber(values=tables[0], correlation=tables[1], partial=tables[2])


def one_run_each(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> MeasurementTable:
    r"""Kish's effective number where every system casts one of its runs, ``M / (1 + (M - 1) r)``.

    `r` is the mean correlation over questions of the errors of one run each of two different systems.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor. Only questions that every cell has
        runs on are used; the cells of a system are pooled.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    MeasurementTable
        One row, axis `unit` "one run each"; at least 1. Between the number of "models", which is free of the
        chance of single runs, and that of systems.

    Raises
    ------
    InputError
        When an answer has no anchor.

    References
    ----------
    Kish (1965), Survey Sampling, ISBN 0-471-10949-5; the design effect 1 + (M - 1) r.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> right = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0]}
    >>> rows = [dict(item=f"q{q}", system=m, end="yx"[r], right=r)
    ...         for m in right for q, r in enumerate(right[m])]
    >>> float(round(one_run_each(tallied(Ends.of_rows(rows))).value[0], 3))  # one run each, as above
    1.8
    """
    tallies.require_anchor()
    kept = tallies.of_questions(np.asarray((tallies.runs > 0).all(axis=0))).by_system()
    voters = votes_of(kept)
    number, _, _ = _measured(replace(voters, count=np.ones_like(voters.count)), confidence)
    return MeasurementTable(
        instrument=f"{INSTRUMENT}.one_run_each",
        version=VERSION,
        level=level,
        axes={"unit": np.array(["one run each"], dtype=object)},
        interval_method="jackknife over questions on the log scale",
        confidence=confidence,
        notes=(f"{kept.items.size} of {tallies.items.size} questions have runs of every cell",),
        **columns_of([number]),
    )


def _measured(voters: Voters, confidence: float) -> tuple[Interval, Interval, Interval]:
    n = float(voters.once.shape[0])
    if n < 2:
        return (_blank("fewer than two questions have runs of every cell", n),) * 3
    count, mean, partial = (float(part[0]) for part in correlations(voters, np.zeros((1, 0), dtype=int)))
    if count < 2:
        return (_blank(f"fewer than two {voters.unit} whose errors vary over questions", n),) * 3
    left_out, partly = correlations_left_out(voters)
    got = jackknife_interval(min(mean, 1.0), left_out[1], confidence=confidence)
    high = float(np.minimum(got.high, 1.0))
    plain = Interval(value=got.value, low=got.low, high=high, n=n)
    if count < 3:
        without = _blank(f"undefined below three {voters.unit}", n)
    else:
        without = _kish(count, partial, partly, n, confidence)
    return _kish(count, mean, left_out, n, confidence), plain, without


def _kish(
    count: float, r: float, left_out: Float[np.ndarray, "2 q"], n: float, confidence: float
) -> Interval:
    value = float(kish_number(count, min(r, 1.0)))
    if np.isnan(r):
        return _blank("no error varies once difficulty is removed", n)
    if np.isnan(value):
        return _blank("errors avoid each other as much as they can: no finite number", n)
    # on the log scale, where the interval cannot reach 0
    logs = np.log(kish_number(left_out[0], np.minimum(left_out[1], 1.0)))
    got = jackknife_interval(float(np.log(value)), logs, confidence=confidence)
    low, high = np.exp(got.low), np.exp(got.high)
    return Interval(value=value, low=float(np.maximum(low, 1.0)), high=float(high), n=n)


def _blank(reason: str, n: float) -> Interval:
    return Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=n, blank_reason=reason)


def _lone(tallies: Tallies) -> bool:
    names, of_system = np.unique(tallies.systems.astype(str), return_inverse=True)
    runs = np.stack([tallies.runs[of_system == row].sum(axis=0) for row in range(names.size)])
    return bool((runs == 1).any())
