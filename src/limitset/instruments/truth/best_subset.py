"""How good is the best part of a panel, when choosing it is paid for?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from limitset.core.cross_fitting import CrossFit, cross_fitted
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference, mean_share
from limitset.core.random_panels import errors_by_size
from limitset.core.results import MeasurementTable
from limitset.core.subset_search import Chosen
from limitset.core.subset_votes import Ballots, ballots_of_systems, counted
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED

INSTRUMENT = "best_subset"
VERSION = 1

SIZES: Final = (1, 2, 3, 4, 5, 7, 9, 11, 15)
"""Sizes of subsets that are looked at where nobody names any."""
_FEWEST: Final = 4
"""Units a fold needs, at least, so that choosing and judging both see something."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BestSubset:
    """The best subset of each size, and what choosing it is worth.

    Parameters
    ----------
    errors
        Axes `size`, `estimate`: "cross_fitted" (chosen on some questions, judged on the others), "naive"
        (chosen and judged on the same: too low), "random" (a random subset of the size); in [0, 1].
    gains
        Axes `size`, `against`: error of what it is compared with less cross-fitted error of the best subset,
        in [-1, 1]; against "random" subsets of its size, "all" systems, or those "present" already. About 0
        against random where all systems are alike. The intervals of all sizes hold together.
    chosen
        Size to the systems chosen on all questions.
    steady
        Size to each of these systems and the share of the folds in which it was chosen too.
    by_fold
        For each fold of each cut, size to the systems chosen on the questions outside it.
    folds
        Parts into which the questions were cut; 0 where there were too few.
    """

    errors: MeasurementTable
    gains: MeasurementTable
    chosen: dict[int, tuple[str, ...]]
    steady: dict[int, dict[str, float]]
    by_fold: tuple[dict[int, tuple[str, ...]], ...]
    folds: int


def best_subset(
    tallies: Tallies,
    *,
    rng: np.random.Generator,
    sizes: Sequence[int] | None = None,
    present: Sequence[str] = (),
    folds: int = 5,
    rounds: int = 16,
    draws: int = 50,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> BestSubset:
    r"""Error of the vote of the best subset of each size, chosen on some questions and judged on the others.

    ``e = mean_q e_q(S_{f(q)})`` with ``S_f = argmin_{|S| = m} sum_{q not in fold f} e_q(S)``.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    rng
        Cuts the questions into folds; chooses runs and random subsets.
    sizes
        Sizes m; default: 1 to 5, 7, 9, 11 and 15, as far as there are systems.
    present
        Systems that belong to every subset: with one size more than these, the value of adding one.
    folds
        Parts of the questions, 2 or more; clusters stay whole.
    rounds, draws
        As in `voting_gain`.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    BestSubset
        Blank where there are fewer than four units a fold.

    Raises
    ------
    InputError
        When an answer has no anchor, a size does not fit the panel, a system of `present` is unknown, or
        `folds`, `rounds` or `draws` is too small.

    Notes
    -----
    The naive error is the lowest of many that all moved by chance: too low, and the more so the more subsets
    there are. Folds judge choices made on each other, so that their errors go together: small panels are cut
    ten times, and choosing once more inside shows how much wider intervals must be; larger ones are cut once,
    with the widening of a toss-up between two equal choices (1.4 at five folds). Cross-fitting judges choices
    that were made on fewer questions, so it is a little too high for the subset that is named. In small
    panels all subsets are tried; in larger ones systems are added one by one and exchanged, which may miss
    the best.

    References
    ----------
    Stone (1974), Cross-validatory choice and assessment of statistical predictions,
    doi:10.1111/j.2517-6161.1974.tb00994.x (choice inside, assessment outside).
    Bates, Hastie and Tibshirani (2024), doi:10.1080/01621459.2023.2197686 (nested, for the intervals).
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (differences on few questions).

    Examples
    --------
    >>> from limitset.datasets.planted import independent_world, planted_tallies
    >>> world = independent_world(accuracy=0.6, wrong_classes=1, models=5)
    >>> tallies = planted_tallies(world, questions=400, seeds=1, rng=np.random.default_rng(1))
    >>> got = best_subset(tallies, rng=np.random.default_rng(0), sizes=[3])
    >>> naive, random = (got.errors.one(size=3, estimate=name).value for name in ("naive", "random"))
    >>> gain = got.gains.one(size=3, against="random")
    >>> naive < random, gain.low < 0 < gain.high  # all five are alike: choosing gains nothing
    (True, True)
    """
    tallies.require_anchor()
    if folds < 2 or min(rounds, draws) < 1:
        raise InputError.of(
            expected="folds must be 2 or more, rounds and draws 1 or more",
            got=f"{folds}, {rounds} and {draws}",
            fix="Raise them.",
        )
    ballots = ballots_of_systems(tallies, rounds=rounds, rng=rng)
    within = _places(ballots, present)
    parameters = {"folds": folds, "rounds": rounds, "draws": draws}
    wanted = _sizes(ballots, sizes, len(within))
    units = np.unique(ballots.clusters).size
    if units < folds * _FEWEST or len(ballots.voters) < 2 or not wanted:
        return _assembled(ballots, None, {}, {}, parameters=parameters, confidence=confidence, level=level)
    fit = cross_fitted(ballots, wanted, present=within, folds=folds, rng=rng)
    rest = [size for size in wanted if not within]
    drawn = errors_by_size(ballots, rest, draws=draws, rng=rng)[0] if rest else ()
    others = {"all": _error(ballots, range(len(ballots.voters)))}
    if within:
        others["present"] = _error(ballots, within)
    beside = {(size, "naive"): _error(ballots, fit.chosen[size]) for size in wanted}
    beside |= {(size, "random"): own for size, own in zip(rest, drawn, strict=True)}
    against = {(size, name): other for size in wanted for name, other in others.items()}
    against |= {(size, "random"): beside[size, "random"] for size in rest}
    return _assembled(
        ballots, fit, beside, against, parameters=parameters, confidence=confidence, level=level
    )


def _error(ballots: Ballots, members: Sequence[int]) -> Float[np.ndarray, " q"]:
    return ballots.by_question(counted(ballots, ballots.cast(members)).error)


def _places(ballots: Ballots, present: Sequence[str]) -> list[int]:
    unknown = [name for name in present if name not in ballots.voters]
    if unknown:
        raise InputError.of(
            expected="systems that are present must be among those that vote",
            got=unknown[0],
            fix="Check the name, and whether it lacks many questions.",
        )
    return [ballots.voters.index(name) for name in present]


def _sizes(ballots: Ballots, sizes: Sequence[int] | None, present: int) -> list[int]:
    voters = len(ballots.voters)
    if sizes is None:
        return [size for size in SIZES if present < size < voters]
    wrong = [size for size in sizes if not max(present, 0) < size <= voters]
    if wrong or not sizes:
        raise InputError.of(
            expected=f"sizes must lie above {present} and reach {voters} at most",
            got=wrong[0] if wrong else "none",
            fix="Choose other sizes.",
        )
    return sorted(set(sizes))


def _assembled(
    ballots: Ballots,
    fit: CrossFit | None,
    beside: Mapping[tuple[int, str], np.ndarray],
    against: Mapping[tuple[int, str], np.ndarray],
    *,
    parameters: dict[str, int],
    confidence: float,
    level: Level,
) -> BestSubset:
    notes = "too few questions to choose on some and judge on others"
    if fit is not None:
        notes = "all subsets tried" if fit.tried else "systems added one by one and exchanged"

    def table(name: str, axis: str, rows: dict[tuple[int, str], Interval]) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={
                "size": np.array([size for size, _ in rows], dtype=np.int64),
                axis: np.array([what for _, what in rows], dtype=object),
            },
            interval_method="over questions, widened for choices that were made on each other",
            confidence=confidence,
            parameters=parameters,
            notes=(*ballots.notes, notes),
            **columns_of(list(rows.values())),
        )

    if fit is None:
        empty = table(INSTRUMENT, "estimate", {}), table(f"{INSTRUMENT}.gain", "against", {})
        return BestSubset(errors=empty[0], gains=empty[1], chosen={}, by_fold=(), steady={}, folds=0)
    clusters, names = ballots.clusters, ballots.voters
    errors = {}
    for size, own in fit.errors.items():
        told = mean_share(own, clusters, confidence=confidence)
        times = fit.widening_of_error(size, against[size, "all"], clusters)
        errors[size, "cross_fitted"] = _wider(told, times, floor=0.0)
    for (size, what), own in beside.items():
        got = mean_share(own, clusters, confidence=confidence)
        # chosen for being low: no interval around the naive error holds what it seems to
        plain = Interval(value=float(own.mean()), low=UNDEFINED, high=UNDEFINED, n=float(own.size))
        errors[size, what] = plain if what == "naive" else got
    gains = {
        (size, what): _wider(
            mean_difference(
                other - fit.errors[size],
                clusters,
                confidence=confidence,
                comparisons=len({one for one, _ in against}),
            ),
            fit.widening(size, other, clusters),
            floor=-1.0,
        )
        for (size, what), other in against.items()
    }

    def named(choice: Chosen) -> dict[int, tuple[str, ...]]:
        return {size: tuple(names[one] for one in members) for size, members in choice.items()}

    return BestSubset(
        errors=table(INSTRUMENT, "estimate", errors),
        gains=table(f"{INSTRUMENT}.gain", "against", gains),
        chosen=named(fit.chosen),
        by_fold=tuple(named(choice) for choice in fit.by_fold),
        steady={
            size: {
                names[one]: sum(one in choice[size] for choice in fit.by_fold) / len(fit.by_fold)
                for one in members
            }
            for size, members in fit.chosen.items()
        },
        folds=fit.folds,
    )


def _wider(got: Interval, times: float, *, floor: float) -> Interval:
    """Widen an interval about its value; a bound without a value is kept."""
    if np.isnan(got.value):
        return got
    low, high = got.value - times * (got.value - got.low), got.value + times * (got.high - got.value)
    return Interval(value=got.value, low=max(low, floor), high=min(high, 1.0), n=got.n)
