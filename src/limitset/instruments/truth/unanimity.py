"""When k runs all give the same answer, how often is it wrong, and does more agreement help?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import Source, groups_of, longest, unanimous
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, effective_number, jackknife_interval, share_or_bound
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "wrong_when_unanimous"
VERSION = 1
_LACKING = {
    Source.SEED: "fewer than two runs of one cell",
    Source.PARAPHRASE: "fewer than two paraphrases",
    Source.MODEL: "fewer than two systems",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Unanimity:
    """The wrong-when-unanimous curve.

    Parameters
    ----------
    curve
        phi_k, in [0, 1]; axes source, k. A source that the design lacks (one paraphrase, one system) has no
        rows, but for k = 1 by seed.
    floor
        phi at the last k that is not blank; axes source, k. Every source has its row.
    slope
        phi at that k less phi at the k before, in [-1, 1]; axes source, k. Below 0: the floor is not reached.
    """

    curve: MeasurementTable
    floor: MeasurementTable
    slope: MeasurementTable


def wrong_when_unanimous(
    tallies: Tallies,
    *,
    k_max: int | None = None,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> Unanimity:
    """P(wrong | k runs all give one answer), by what the runs differ in: seed, paraphrase or model.

    ``phi_k = sum_q sum_{y wrong} P_q(k runs all y) / sum_q sum_y P_q(k runs all y)``. Within a cell
    ``P_q(k all y) = (n_qy)_k / (n_q)_k`` with falling factorials, averaged over cells; across paraphrases of
    a system, or across systems, the elementary symmetric polynomial of their shares.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    k_max
        Largest k; default: as many as nine tenths of the questions allow.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    Unanimity
        0: unanimity is always right; 1: always wrong.

    Raises
    ------
    InputError
        When an answer has no anchor, or `k_max` is below 1.

    Notes
    -----
    Counts of different cells are never pooled before the factorials: with two systems at 0 and 1 and 16
    runs that is too low by factors .93, .62 and .02 at k = 2, 4 and 8. A point whose wrong or whose right
    unanimity rests on fewer than five questions (effective number) is blank, with an upper bound where few
    are wrong and a lower one where few are right. A key error eps widens the interval by
    ``eps / P(k unanimous)``. There is no extrapolation beyond the last k.

    References
    ----------
    Falling factorials: Kendall and Stuart (1977), The Advanced Theory of Statistics, volume 1, chapter 3.
    Jackknife: Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> panel = planted_tallies(mixture_world(), questions=400, seeds=8, rng=np.random.default_rng(0))
    >>> got = wrong_when_unanimous(panel).curve.one(source="seed", k=4)
    >>> got.low < 0.111 < got.high
    True
    """
    tallies.require_anchor()
    if k_max is not None and k_max < 1:
        raise InputError.of(expected="k_max must be 1 or more", got=k_max, fix="Raise it.")
    keys: list[tuple[str, int]] = []
    points: list[Interval] = []
    floors: list[tuple[str, int, Interval, Interval]] = []
    for source in Source:
        most = longest(tallies, source)
        steps = most if k_max is None else min(most, k_max)
        if most < 2 and source is not Source.SEED:
            floors.append((source, 0, Interval.blank(_LACKING[source]), Interval.blank(_LACKING[source])))
            continue
        wrong, right, known = _masses(tallies, source, max(steps, 1))
        curve = [
            share_or_bound(
                wrong[k, known[k]],
                right[k, known[k]],
                confidence=confidence,
                anchor_error=tallies.of_questions(known[k]).key_error,
            )
            for k in range(len(wrong))
        ]
        keys += [(source, k + 1) for k in range(len(wrong))]
        points += curve
        floors.append(
            (source, *_floor(curve, wrong, right, confidence, _LACKING[source] if most < 2 else ""))
        )

    def table(
        name: str, axes: Sequence[tuple[str, int]], intervals: Sequence[Interval], method: str
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={"source": np.array([str(key[0]) for key in axes]), "k": np.array([key[1] for key in axes])},
            interval_method=method,
            confidence=confidence,
            parameters={"key_error": tallies.key_error},
            notes=(f"{sum(bool(point.blank_reason) for point in points)} of {len(points)} points are blank",),
            **columns_of(intervals),
        )

    ends = [(row[0], row[1]) for row in floors]
    return Unanimity(
        curve=table(INSTRUMENT, keys, points, "logit jackknife over questions"),
        floor=table(
            f"{INSTRUMENT}.floor", ends, [row[2] for row in floors], "logit jackknife over questions"
        ),
        slope=table(f"{INSTRUMENT}.slope", ends, [row[3] for row in floors], "jackknife over questions"),
    )


def _masses(
    tallies: Tallies, source: Source, k_max: int
) -> tuple[Float[np.ndarray, "k q"], Float[np.ndarray, "k q"], np.ndarray]:
    """Return the wrong and right unanimity of each question, and where k runs exist at all."""
    shape = (k_max, tallies.items.size)
    wrong, right, groups = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for units in groups_of(tallies, source):
        chance, present = unanimous(
            tallies, tallies.counts, tallies.class_item, units=units, source=source, k_max=k_max
        )
        for k in range(k_max):
            wrong[k] += tallies.by_question(np.where(tallies.right, 0.0, chance[k]))
            right[k] += tallies.by_question(np.where(tallies.right, chance[k], 0.0))
        groups += present
    divisor = np.maximum(groups, 1)
    return wrong / divisor, right / divisor, groups > 0


def _floor(
    curve: list[Interval],
    wrong: Float[np.ndarray, "k q"],
    right: Float[np.ndarray, "k q"],
    confidence: float,
    lacking: str,
) -> tuple[int, Interval, Interval]:
    """Return the last k with a value, phi there, and its change from the k before."""
    told = [k for k, point in enumerate(curve) if not point.blank_reason]
    if lacking or not told:
        reason = lacking or "every point is blank"
        return 0, Interval.blank(reason), Interval.blank(reason)
    last = told[-1]
    if last == 0 or last - 1 not in told:
        return last + 1, curve[last], Interval.blank("no value at the k before")
    whole = curve[last].value - curve[last - 1].value
    without = _without(wrong[last], right[last]) - _without(wrong[last - 1], right[last - 1])
    got = jackknife_interval(whole, without, confidence=confidence)
    slope = Interval(
        value=got.value, low=got.low, high=got.high, n=effective_number(wrong[last] + right[last])
    )
    return last + 1, curve[last], slope


def _without(wrong: Float[np.ndarray, " q"], right: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    left = wrong.sum() - wrong
    return np.asarray(left / (left + right.sum() - right))
