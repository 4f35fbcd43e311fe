"""How good is the best part of a panel, when choosing it is paid for?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.paired_means import mean_difference, mean_share
from limitset.core.random_panels import errors_by_size
from limitset.core.results import MeasurementTable
from limitset.core.subset_search import Chosen, best_subsets
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
        Size to each of these systems and the number of folds in which it was chosen too.
    by_fold
        For each fold, size to the systems chosen on the questions outside it.
    folds
        Parts into which the questions were cut; 0 where there were too few.
    """

    errors: MeasurementTable
    gains: MeasurementTable
    chosen: dict[int, tuple[str, ...]]
    steady: dict[int, dict[str, int]]
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
    there are. Cross-fitting judges choices that were made on fewer questions, so it is a little too high for
    the subset that is named; in small panels all subsets are tried, in larger ones systems are added one by
    one and exchanged, which may miss the best.

    References
    ----------
    Stone (1974), Cross-validatory choice and assessment of statistical predictions,
    doi:10.1111/j.2517-6161.1974.tb00994.x (choice inside, assessment outside).
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
        return _assembled(
            ballots,
            {},
            {},
            [],
            note="too few questions",
            parameters={**parameters, "folds": 0},
            confidence=confidence,
            level=level,
        )
    fold = rng.permutation(units)[ballots.clusters] % folds
    training = np.stack([*(fold != part for part in range(folds)), np.ones(fold.size, dtype=bool)])
    found, tried = best_subsets(ballots, wanted, training.astype(np.float64), present=within)
    rest = [size for size in wanted if not within]
    random = errors_by_size(ballots, rest, draws=draws, rng=rng)[0] if rest else np.zeros((0, fold.size))
    others = {"all": _error(ballots, range(len(ballots.voters)))}
    if within:
        others["present"] = _error(ballots, within)
    lost = {
        (size, "cross_fitted"): _judged(ballots, [one[size] for one in found[:-1]], fold) for size in wanted
    }
    lost |= {(size, "naive"): _error(ballots, found[-1][size]) for size in wanted}
    lost |= {(size, "random"): own for size, own in zip(rest, random, strict=True)}
    against = {(size, name): other for size in wanted for name, other in others.items()}
    against |= {(size, "random"): lost[size, "random"] for size in rest}
    gains = {place: other - lost[place[0], "cross_fitted"] for place, other in against.items()}
    note = "all subsets tried" if tried else "systems added one by one and exchanged"
    return _assembled(
        ballots, lost, gains, found, note=note, parameters=parameters, confidence=confidence, level=level
    )


def _judged(ballots: Ballots, subsets: Sequence[Sequence[int]], fold: Int[np.ndarray, " q"]) -> np.ndarray:
    """Error on each question of the subset that was chosen without it."""
    out = np.zeros(fold.size)
    for part, members in enumerate(subsets):
        out[fold == part] = _error(ballots, members)[fold == part]
    return out


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
    lost: dict[tuple[int, str], np.ndarray],
    gains: dict[tuple[int, str], np.ndarray],
    found: list[Chosen],
    *,
    note: str,
    parameters: dict[str, int],
    confidence: float,
    level: Level,
) -> BestSubset:
    def table(name: str, axis: str, rows: dict[tuple[int, str], Interval]) -> MeasurementTable:
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={
                "size": np.array([size for size, _ in rows], dtype=np.int64),
                axis: np.array([what for _, what in rows], dtype=object),
            },
            interval_method="over questions, each judged by what was chosen without it",
            confidence=confidence,
            parameters=parameters,
            notes=(*ballots.notes, note),
            **columns_of(list(rows.values())),
        )

    def told(what: str, own: np.ndarray) -> Interval:
        if what == "naive":  # chosen for being low: no interval around it holds what it seems to
            return Interval(value=float(own.mean()), low=UNDEFINED, high=UNDEFINED, n=float(own.size))
        return mean_share(own, ballots.clusters, confidence=confidence)

    names, chosen = ballots.voters, found[-1] if found else {}
    differences = {
        place: mean_difference(
            own, ballots.clusters, confidence=confidence, comparisons=len({size for size, _ in gains})
        )
        for place, own in gains.items()
    }
    return BestSubset(
        errors=table(INSTRUMENT, "estimate", {place: told(place[1], own) for place, own in lost.items()}),
        gains=table(f"{INSTRUMENT}.gain", "against", differences),
        chosen={size: tuple(names[one] for one in members) for size, members in chosen.items()},
        steady={
            size: {names[one]: sum(one in fold[size] for fold in found[:-1]) for one in members}
            for size, members in chosen.items()
        },
        by_fold=tuple(
            {size: tuple(names[one] for one in members) for size, members in fold.items()}
            for fold in found[:-1]
        ),
        folds=parameters["folds"],
    )
