"""How many votes are enough?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import reached_by_most
from limitset.core.errors import InputError
from limitset.core.independent_votes import predicted_pluralities
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference, mean_share
from limitset.core.popularity import popularity
from limitset.core.random_panels import errors_by_size
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.subset_votes import Ballots, ballots_of_runs, ballots_of_systems
from limitset.core.tallies import Tallies
from limitset.core.verdicts import Verdict

INSTRUMENT = "voting_gain"
VERSION = 2

ALL: Final = "all"
POINT: Final = 0.01
"""A change of the error below one point is called none."""
_EACH_UP_TO: Final = 16
"""Every number of votes up to here, and steps of a quarter beyond."""
_SPLITS: Final = 4
"""Halvings in the popularity of wrong answers, one half ranking and the other measuring."""
_LARGE: Final = 4_000_000
"""Counts beyond which ranking on all runs finds next to no noise, and halving takes long."""
_MOST_CURVES: Final = 24
"""Systems whose own runs vote; beyond, the systems vote and single systems do not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stop:
    """Where voting may stop.

    Parameters
    ----------
    verdict
        HOLDS: `votes` do as well as `most`; FAILS: the last votes still help; CANT_TELL: too few questions.
    votes, most
        Votes that are enough, and all there are.
    change
        Error of `votes` less error of `most`, with its interval over questions.
    """

    verdict: Verdict
    votes: int
    most: int
    change: Measurement


@dataclass(frozen=True, kw_only=True, eq=False)
class VotingGain:
    """Error of the vote by the number of voters.

    Parameters
    ----------
    errors
        Axes `unit` ("systems": one run each of different systems; "runs": runs of one system), `system`
        ("all", or whose runs), `votes`; values in [0, 1]. Rows with the null kinds "independent" and
        "correlated" are what a plurality of independent voters, and of equally correlated ones, of the same
        accuracy would reach (odd numbers of votes, up to the largest one that there are voters for).
    changes
        Axes `unit`, `system`, `votes`: error of so many votes less error of all, in [-1, 1], on the same
        questions. Above 0: more votes help.
    """

    errors: MeasurementTable
    changes: MeasurementTable

    def stop(self, *, unit: str = "systems", system: str = ALL, margin: float = POINT) -> Stop | None:
        """Return the fewest votes whose error is above that of all by less than `margin`, by whole intervals.

        Numbers of votes are tested from the largest down until one fails, so that the chance of one false
        stop is at most that of one interval. None where there are no two numbers of votes.
        """
        rows = list(self.changes.where(unit=unit, system=system).rows())
        if not rows:
            return None
        most = int(self.errors.where(unit=unit, system=system, null_kind="").axes["votes"].max())
        enough = None
        for row in reversed(rows):
            if not row.high < margin:
                break
            enough = row
        if enough is not None:
            return Stop(
                verdict=Verdict.HOLDS, votes=int(enough.parameters["votes"]), most=most, change=enough
            )
        last = rows[-1]
        verdict = Verdict.FAILS if last.low > 0 else Verdict.CANT_TELL
        return Stop(verdict=verdict, votes=most, most=most, change=last)


def voting_gain(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    rounds: int = 32,
    draws: int = 200,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> VotingGain:
    r"""Error of the plurality of m random voters for every m, and its paired difference from that of all.

    ``e_m = mean_q P(the vote of m random voters on q is wrong)``; changes are ``e_m - e_M`` within questions.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    rng
        Chooses the run that a system casts, and orders of voters in large panels.
    rounds
        Votes of all systems, each with another run, where systems have several runs; 1 or more.
    draws
        Random orders of the voters for each question where not all subsets can be taken, 1 or more; fewer are
        drawn where voters times questions pass 100,000.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    VotingGain
        For the systems together, and for the runs of each system that has two or more.

    Raises
    ------
    InputError
        When an answer has no anchor, or `rounds` or `draws` is below 1.

    Notes
    -----
    A vote in which nobody answers is wrong. Voters beyond those at hand are not seen: the curve says what
    these add, not what others would. With two answers, an even vote is wrong as often as the odd one below
    it. Independent voters give wrong answers by their popularity over all questions, whatever is asked; so
    do equally correlated ones, who share only how likely each question is answered right.

    References
    ----------
    Wang et al. (2023), arXiv:2203.11171, section 2 (plurality of sampled answers).
    List and Goodin (2001), doi:10.1111/1467-9760.00128; Griffiths (1973), doi:10.2307/2529131 (predictions).
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (changes on few questions).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> rows = [dict(item=f"q{q}", system=f"m{m}", end="yx"[q != m], right=int(q != m))
    ...         for m in range(3) for q in range(3)]
    >>> got = voting_gain(tallied(Ends.of_rows(rows)), rng=np.random.default_rng(0))
    >>> got.changes.value.round(4).tolist()  # each is wrong on a question of its own; together never
    [0.3333, 0.3333]
    """
    tallies.require_anchor()
    if min(rounds, draws) < 1:
        raise InputError.of(
            expected="rounds and draws must be 1 or more", got=f"{rounds} and {draws}", fix="Raise them."
        )
    errors: list[tuple[str, str, int, str, Interval]] = []
    changes: list[tuple[str, str, int, str, Interval]] = []
    notes: list[str] = []
    key_error = tallies.key_error
    for unit, system, ballots in _panels(tallies, rounds, rng):
        sizes = _sizes(len(ballots.voters))
        lost, drawn = errors_by_size(ballots, sizes, draws=draws, rng=rng)
        notes += ballots.notes + ((f"{system}: {drawn} orders of the voters",) if drawn else ())
        for size, own in zip(sizes, lost, strict=True):
            told = mean_share(own, ballots.clusters, confidence=confidence, anchor_error=key_error)
            errors.append((unit, system, size, "", told))
            if size < sizes[-1]:
                paired = mean_difference(own - lost[-1], ballots.clusters, confidence=confidence)
                changes.append((unit, system, size, "", paired))
        shared = _what_is_shared(tallies if system == ALL else tallies.of_system(system), rng)
        errors += [(unit, system, *row) for row in _predicted(ballots, sizes, shared, confidence)]

    def table(name: str, rows: list[tuple[str, str, int, str, Interval]], method: str) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={
                "unit": np.array([row[0] for row in rows], dtype=object),
                "system": np.array([row[1] for row in rows], dtype=object),
                "votes": np.array([row[2] for row in rows], dtype=np.int64),
            },
            null_kind=[row[3] for row in rows],
            interval_method=method,
            confidence=confidence,
            parameters={"rounds": rounds, "draws": draws},
            notes=tuple(dict.fromkeys(notes)),
            **columns_of([row[4] for row in rows]),
        )

    return VotingGain(
        errors=table(INSTRUMENT, errors, "logit jackknife over questions"),
        changes=table(f"{INSTRUMENT}.change", changes, "paired over questions, t or exact bounds"),
    )


def _panels(tallies: Tallies, rounds: int, rng: np.random.Generator) -> Iterator[tuple[str, str, Ballots]]:
    """Yield the systems as voters where there are two or more, and the runs of each system."""
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    together = ballots_of_systems(tallies, rounds=rounds, rng=rng)
    if len(together.voters) > 1 and together.items.size:
        yield "systems", ALL, together
    for name in names if len(names) <= _MOST_CURVES else ():
        own = tallies.of_system(name).pooled() if len(names) > 1 else tallies.pooled()
        own = own.of_questions(own.runs[0] > 0)
        runs = reached_by_most(own.runs[0])
        if runs > 1:
            yield "runs", name, ballots_of_runs(own, runs=runs, rng=rng)


def _sizes(most: int) -> list[int]:
    sizes = list(range(1, min(most, _EACH_UP_TO) + 1))
    while sizes[-1] < most:
        sizes.append(min(sizes[-1] + sizes[-1] // 4, most))
    return sizes


def _what_is_shared(tallies: Tallies, rng: np.random.Generator) -> tuple[Float[np.ndarray, " r"], float]:
    """Return the shares of wrong answers by rank, and the share of silence in what is not right."""
    splits = 0 if tallies.counts.size > _LARGE else _SPLITS
    cells = np.arange(tallies.systems.size)
    wrong = popularity(tallies, cells, class_count=None, splits=splits, rng=rng)
    right = float(tallies.counts[:, tallies.right].sum())
    answered, runs = float(tallies.counts.sum()), float(tallies.runs.sum())
    return np.ones(1) if np.isnan(wrong).any() else wrong, (runs - answered) / max(runs - right, 1.0)


def _predicted(
    ballots: Ballots, sizes: Sequence[int], shared: tuple[Float[np.ndarray, " r"], float], confidence: float
) -> Iterator[tuple[int, str, Interval]]:
    voters = len(ballots.voters)
    per_round = voters - ballots.wrong[ballots.slot].sum(axis=0).astype(np.float64)
    right = ballots.by_question(per_round / voters)
    pair = ballots.by_question(per_round * (per_round - 1) / (voters * (voters - 1)))
    # an odd number below the last one, where that is even: predictions end where the observed line does
    last = sizes[-1] - 1 + sizes[-1] % 2
    for size in sorted({size for size in sizes if size % 2} | {last}):
        rows = predicted_pluralities(
            right, pair, shared[0], size=size, silent=shared[1], confidence=confidence
        )
        for kind, row in zip(("independent", "correlated"), rows, strict=True):
            # an error is what a plurality lacks to 1
            yield size, kind, replace(row, value=1.0 - row.value, low=1.0 - row.high, high=1.0 - row.low)
