"""How much of the error of a single run survives voting?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import reached_by_most
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, log_ratio_jackknife, share_or_bound, wilson
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voting import after_votes

INSTRUMENT = "surviving_error"
VERSION = 1
ALL = "all"
_EACH_UP_TO = 16
"""Curves count every vote up to here, and in steps of a quarter beyond."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivingError:
    """Error after voting.

    Parameters
    ----------
    curve
        e_n = P(plurality of n runs is wrong), in [0, 1]; axes system, stratum, votes.
    silent
        P(nobody of n runs answers), in [0, 1]; axes as `curve`. Such a draw is not wrong.
    share
        e_N / e_1 at the largest N of the system's curve, 0 or more; axes system, stratum. 1: voting removes
        nothing; above 1: voting makes it worse.
    """

    curve: MeasurementTable
    silent: MeasurementTable
    share: MeasurementTable


def surviving_error(
    tallies: Tallies,
    *,
    votes: Sequence[int] | None = None,
    draws: int = 400,
    rng: np.random.Generator,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> SurvivingError:
    """Error of the plurality of n runs drawn without replacement, and its share of the error of one run.

    ``e_n = mean_q P(the plurality of n runs of q is wrong)``; ``surviving share = e_N / e_1``.

    Parameters
    ----------
    tallies
        Counts of runs, every answer right or wrong.
    votes
        Numbers of votes n, from 1; default: 1 up to as many as nine tenths of the questions have.
    draws
        Orders in which the runs of a question are drawn, at most; n = 1, n = all runs and questions of twelve
        runs or fewer need none and are exact; 200 million runs are put in order in all, 25 orders at least.
    rng
        Source of the draws.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs are of.

    Returns
    -------
    SurvivingError
        For each system by itself and for "all" (runs drawn from the whole design).

    Raises
    ------
    InputError
        When an answer has no anchor, or votes or draws are below 1.

    Notes
    -----
    Ties are split evenly among the answers that tie. Runs without an answer cast no vote. Questions with
    fewer runs than the largest n are left out of the system's rows (said in the notes). Votes are drawn from
    the runs of this design, not from new models: the curve says nothing beyond them.

    References
    ----------
    Wang et al. (2023), Self-consistency, arXiv:2203.11171, section 2 (plurality of sampled answers).
    Efron and Tibshirani (1993), doi:10.1007/978-1-4899-4541-9, chapter 11 (jackknife).

    Examples
    --------
    >>> from limitset.datasets.planted import mixture_world, planted_tallies
    >>> rng = np.random.default_rng(1)
    >>> got = surviving_error(planted_tallies(mixture_world(), questions=300, seeds=9, rng=rng), rng=rng)
    >>> one, nine = (got.curve.one(system="all", stratum="all", votes=n).value for n in (1, 9))
    >>> bool(nine < one), got.share.one(system="all", stratum="all").value == nine / one
    (True, True)
    """
    tallies.require_anchor()
    if draws < 1 or (votes is not None and (len(votes) == 0 or min(votes) < 1)):
        raise InputError.of(
            expected="draws and votes must be 1 or more", got=f"{draws} and {votes}", fix="Raise them."
        )
    points: list[tuple[str, str, int, Interval, Interval]] = []
    shares: list[tuple[str, str, Interval]] = []
    notes = ["plurality ties are split evenly", "runs without an answer cast no vote"]
    for system, own in _systems(tallies):
        wanted = _votes(reached_by_most(own.runs[0])) if votes is None else sorted(set(votes))
        asked = sorted({1, *(n for n in wanted if n <= own.runs.max())})
        kept = own.of_questions(own.runs[0] >= asked[-1])
        if kept.items.size < own.items.size:
            notes.append(f"{system}: {own.items.size - kept.items.size} questions with fewer runs left out")
        wrong, silent = after_votes(kept, asked, draws=draws, rng=rng)
        for stratum, mask in _strata(kept):
            error = kept.of_questions(mask).key_error
            for n in wanted:
                if n not in asked:
                    points.append(
                        (system, stratum, n, *(Interval.blank(f"fewer than {n} runs a question"),) * 2)
                    )
                    continue
                bad, quiet = wrong[asked.index(n), mask], silent[asked.index(n), mask]
                value = share_or_bound(bad, 1 - bad, confidence=confidence, anchor_error=error)
                points.append(
                    (system, stratum, n, value, wilson(quiet.sum(), quiet.size, confidence=confidence))
                )
            shares.append((system, stratum, _share(wrong[:, mask], asked[-1], error, confidence)))

    def table(
        name: str, method: str, intervals: list[Interval], axes: Mapping[str, Sequence[object]]
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={axis: np.array(column) for axis, column in axes.items()},
            interval_method=method,
            confidence=confidence,
            parameters={"draws": draws},
            notes=tuple(notes),
            **columns_of(intervals),
        )

    systems, strata, counts, errors, quiets = (list(column) for column in zip(*points, strict=True))
    axes = {"system": systems, "stratum": strata, "votes": counts}
    share_axes = {"system": [row[0] for row in shares], "stratum": [row[1] for row in shares]}
    return SurvivingError(
        curve=table(INSTRUMENT, "logit jackknife over questions", errors, axes),
        silent=table(f"{INSTRUMENT}.silent", "Wilson over questions", quiets, axes),
        share=table(
            f"{INSTRUMENT}.share",
            "log-ratio jackknife over questions",
            [row[2] for row in shares],
            share_axes,
        ),
    )


def _systems(tallies: Tallies) -> Iterator[tuple[str, Tallies]]:
    # pooled tallies have the one system "all" already
    for system in (name for name in dict.fromkeys(tallies.systems) if name != ALL):
        own = tallies.of_system(system).pooled()
        yield str(system), own.of_questions(own.runs[0] > 0)
    yield ALL, tallies.pooled()


def _strata(tallies: Tallies) -> Iterator[tuple[str, np.ndarray]]:
    for name in tallies.stratum_names():
        if name != ALL:
            yield name, np.asarray(tallies.strata == name)
    yield ALL, np.ones(tallies.items.size, dtype=bool)


def _votes(most: int) -> list[int]:
    votes = list(range(1, min(most, _EACH_UP_TO) + 1)) or [1]
    while votes[-1] < most:
        votes.append(min(votes[-1] + votes[-1] // 4, most))
    return votes


def _share(wrong: Float[np.ndarray, "n q"], most: int, key_error: float, confidence: float) -> Interval:
    if most == 1:
        return Interval.blank("one run a question")
    last = share_or_bound(wrong[-1], 1 - wrong[-1], confidence=confidence, anchor_error=key_error)
    single = float(wrong[0].mean())
    if last.blank_reason:
        high = last.high / single if single > 0 else UNDEFINED
        # e_1 is 1 at most, so the share is no less than e_N
        low = last.low if single > 0 else UNDEFINED
        return Interval(value=UNDEFINED, low=low, high=high, n=last.n, blank_reason=last.blank_reason)
    got = log_ratio_jackknife(wrong[-1], wrong[0], confidence=confidence)
    widening = key_error * max(got.value, 1.0) / single
    return Interval(value=got.value, low=max(got.low - widening, 0.0), high=got.high + widening, n=last.n)
