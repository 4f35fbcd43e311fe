"""Asked the same question again, how often does a system give the same answer?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from limitset.core.agreements import falling_shares
from limitset.core.clusters import summed
from limitset.core.intervals import Interval, columns_of, jackknife_interval, share_or_bound
from limitset.core.levels import Level
from limitset.core.ratings import beyond_chance
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies

INSTRUMENT = "self_agreement"
VERSION = 1

ALL = "all"
SPLIT = ("agree", "agree right", "agree wrong")


@dataclass(frozen=True, kw_only=True, eq=False)
class SelfAgreement:
    """How often two runs of one system on one question give the same answer.

    Parameters
    ----------
    values
        Axes `system`, `stratum`, `part`: "agree", and, where every answer is checked, its parts "agree
        right" and "agree wrong"; shares in [0, 1]. System "all" is the mean over the systems.
    corrected
        Axes `system`, `stratum`: agreement beyond chance, at most 1; 0 where two runs of one question agree
        no more often than runs of two questions do.
    chance
        Axes `system`, `stratum`: how often runs of two different questions give the same answer.
    """

    values: MeasurementTable
    corrected: MeasurementTable
    chance: MeasurementTable


def self_agreement(
    tallies: Tallies, *, confidence: float = 0.95, level: Level = Level.ANSWER
) -> SelfAgreement:
    r"""Chance that two different runs of one system on one question give the same answer.

    .. math:: A = \operatorname{mean}_i \sum_y \frac{n_{iy} (n_{iy} - 1)}{n_i (n_i - 1)}, \qquad
        \kappa = \frac{A - E}{1 - E}

    where E is the chance that runs of two different questions give answers of the same name.

    Parameters
    ----------
    tallies
        Runs by cell and answer class; no anchor is needed. Two runs are of one cell: the same wording and
        temperature. Cells with fewer than two runs of a question are left out.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    SelfAgreement
        Shares in [0, 1]; `n` is the number of questions with repeated runs. Where nearly all questions, or
        hardly any, agree, a bound instead of a value. Systems without repeated runs have no row.

    Notes
    -----
    A run without an answer agrees with nothing. A greedy run repeats itself whatever it would say if drawn,
    so greedy runs are no evidence here and never enter. Agreeing with oneself is not being right: the parts
    say how much of it is wrong, and sum to the whole. Intervals of `values` leave out whole clusters of
    questions where there are some, and `n` counts them; those of `corrected` and `chance` leave out
    questions. Cost: one pass over the counts of a system.

    References
    ----------
    Light and Margolin (1971), doi:10.1080/01621459.1971.10482297 (agreement of categories);
    Krippendorff (2004), doi:10.1111/j.1468-2958.2004.tb00738.x (chance from the answers to all questions).

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pppqqq"], system="m", end=[*"xxyzzz"], seed=[0, 1, 2] * 2)
    >>> got = self_agreement(tallied(ends))
    >>> round(got.corrected.one(system="m", stratum="all").value, 4)  # (1/3 + 1) / 2; chance is 0
    0.6667
    """
    checked = tallies.anchored
    rows: list[tuple[str, str, str, Interval]] = []
    beyond: list[tuple[str, str, Interval]] = []
    by_chance: list[tuple[str, str, Interval]] = []
    names = np.unique(tallies.class_name.astype(str), return_inverse=True)[1].reshape(-1)
    systems = {str(name): _of(tallies, str(name), names) for name in dict.fromkeys(tallies.systems)}
    repeated = {name: own for name, own in systems.items() if not np.isnan(own.agree).all()}
    if len(repeated) > 1:
        repeated[ALL] = _mean_of(list(repeated.values()))
    for name, own in repeated.items():
        for stratum in [*(one for one in tallies.stratum_names() if one != ALL), ALL]:
            here = ~np.isnan(own.agree)
            if stratum != ALL:
                here &= np.asarray(tallies.strata == stratum)
            parts = (own.agree, own.right, own.agree - own.right)
            for part, share in zip(SPLIT if checked else SPLIT[:1], parts, strict=False):
                rows.append((name, stratum, part, _share(share[here], tallies.clusters[here], confidence)))
            if name != ALL:
                kappa, chance = _beyond(own, here, names, tallies, confidence)
                beyond.append((name, stratum, kappa))
                by_chance.append((name, stratum, chance))

    def table(name: str, axes: tuple[str, ...], found: list[tuple]) -> MeasurementTable:  # type: ignore[type-arg]
        return MeasurementTable(
            instrument=name,
            version=VERSION,
            level=level,
            axes={
                axis: np.array([row[place] for row in found], dtype=object) for place, axis in enumerate(axes)
            },
            interval_method="jackknife over questions",
            confidence=confidence,
            notes=("greedy runs are left out", "a run without an answer agrees with nothing"),
            **columns_of([row[-1] for row in found]),
        )

    return SelfAgreement(
        values=table(INSTRUMENT, ("system", "stratum", "part"), rows),
        corrected=table(f"{INSTRUMENT}.corrected", ("system", "stratum"), beyond),
        chance=table(f"{INSTRUMENT}.chance", ("system", "stratum"), by_chance),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Own:
    """Agreement of one system with itself; NaN where a question has no two runs of one cell."""

    agree: Float[np.ndarray, " q"]
    right: Float[np.ndarray, " q"]
    share: Float[np.ndarray, " k"]
    """Chance of each class, over the cells with two runs or more."""


def _of(tallies: Tallies, system: str, names: np.ndarray) -> _Own:
    cells = tallies.systems == system
    counts, runs = tallies.counts[cells], tallies.runs[cells]
    repeated = runs >= 2
    number = repeated.sum(axis=0).astype(np.float64)
    number[number == 0] = np.nan
    if not repeated.any():
        return _Own(agree=number, right=number, share=np.zeros(names.size))
    once, twice = falling_shares(counts, runs[:, tallies.class_item], 2)
    used = repeated[:, tallies.class_item]
    twice, once = (twice * used).sum(axis=0), (once * used).sum(axis=0)
    return _Own(
        agree=tallies.by_question(twice) / number,
        right=tallies.by_question(twice * tallies.right) / number,
        share=once / number[tallies.class_item],
    )


def _mean_of(every: list[_Own]) -> _Own:
    known = (~np.isnan([own.agree for own in every])).sum(axis=0).astype(np.float64)
    known[known == 0] = np.nan
    agree, right = (
        np.nansum([getattr(own, name) for own in every], axis=0) / known for name in ("agree", "right")
    )
    return _Own(agree=agree, right=right, share=every[0].share)


def _share(part: Float[np.ndarray, " q"], clusters: np.ndarray, confidence: float) -> Interval:
    if part.size == 0:
        return Interval(
            value=np.nan, low=np.nan, high=np.nan, n=0.0, blank_reason="no question was asked twice here"
        )
    # shares that are whole up to rounding carry dust, not mass
    part = np.where(part < 1e-12, 0.0, np.where(part > 1 - 1e-12, 1.0, part))
    mass, rest = summed(np.stack([part, 1.0 - part]), clusters)
    return share_or_bound(mass, rest, confidence=confidence)


def _beyond(
    own: _Own, here: np.ndarray, names: np.ndarray, tallies: Tallies, confidence: float
) -> tuple[Interval, Interval]:
    q = int(here.sum())
    if q < 2:
        few = Interval.blank("it takes two questions that were asked twice")
        return few, few
    chance, left = _chance(own, here, names, tallies, confidence)
    agree = own.agree[here]
    if chance.value >= 1 - 1e-12:
        return Interval.blank("every run gives the same answer to every question"), chance
    value = (float(agree.mean()) - chance.value) / (1 - chance.value)
    without = (agree.sum() - agree) / (q - 1)
    # without one of two questions there are no two questions to take chance from
    rest = np.where((left < 1 - 1e-12) & (q > 2), 1 - left, np.nan)
    return beyond_chance(value, (1 - without) / rest, confidence=confidence), chance


def _chance(
    own: _Own, here: np.ndarray, names: np.ndarray, tallies: Tallies, confidence: float
) -> tuple[Interval, Float[np.ndarray, " q"]]:
    """Agreement of runs of two different questions, whole and with each question left out."""
    # a class of a question that was not asked twice has no share (NaN), which 0 would not make 0
    share = np.where(here[tallies.class_item], own.share, 0.0)
    q = int(here.sum())
    total = np.bincount(names, weights=share) if names.size else np.zeros(0)
    with_all = tallies.by_question(share * total[names])[here]
    alone = tallies.by_question(np.square(share))[here]
    pairs = float(with_all.sum() - alone.sum())
    left = np.full(q, np.nan) if q < 3 else (pairs - 2 * (with_all - alone)) / ((q - 1) * (q - 2))
    return jackknife_interval(pairs / (q * (q - 1)), left, confidence=confidence), left
