"""Which numbers of gates compare two systems, or what a system states with what it gets right?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from limitset.core.coincidence import wrong_pairs
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.tallies import Tallies
from limitset.instruments.truth.calibration import calibration
from limitset.instruments.truth.chance_adjusted import ChanceAdjusted, chance_adjusted
from limitset.instruments.truth.error_consistency import ErrorConsistency, error_consistency
from limitset.instruments.truth.same_wrong import same_wrong
from limitset.report.audit.named_kinds import ONE, PAIR, Asked, Masses, Named, of_systems

HELD: Final = 4
"""Tables of all pairs that are kept, so that gates on several pairs measure them once."""


def _same_wrong(asked: Asked) -> Measurement:
    pairs = same_wrong(
        of_systems(asked.tallies, asked.systems), rng=asked.rng, draws=1, confidence=asked.confidence
    ).pairs
    return next(pairs.where(null_kind="").rows())


def _same_wrong_masses(asked: Asked) -> Masses:
    sums = wrong_pairs(of_systems(asked.tallies, asked.systems))
    return sums.same_by_question, sums.both_by_question


@lru_cache(maxsize=HELD)
def _kappa(tallies: Tallies, confidence: float) -> ChanceAdjusted:
    return chance_adjusted(tallies, confidence=confidence)


@lru_cache(maxsize=HELD)
def _consistency(tallies: Tallies, confidence: float) -> ErrorConsistency:
    return error_consistency(tallies, confidence=confidence)


def _pair(
    found: Callable[[Tallies, float], ChanceAdjusted | ErrorConsistency], part: str
) -> Callable[[Asked], Measurement]:
    def measure(asked: Asked) -> Measurement:
        if asked.systems[0] == asked.systems[1]:
            return asked.blank("a system is not compared with itself")
        # all systems: the floor, and how many answers a question allows, are read off the others too
        tables = found(asked.tallies, asked.confidence)
        table: MeasurementTable = tables.excess if part == "excess" else tables.pairs
        if part != "excess":
            table = table.where(null_kind="difficulty" if part == "floor" else "")
        first, second = asked.systems
        rows = [
            *table.where(first=first, second=second).rows(),
            *table.where(first=second, second=first).rows(),
        ]
        return rows[0] if rows else asked.blank("the two have no row")

    return measure


def _calibrated(statistic: str) -> Callable[[Asked], Measurement]:
    def measure(asked: Asked) -> Measurement:
        stated, right, questions = _stated(asked)
        if stated.size == 0:
            return asked.blank("no checked run states a confidence")
        if ((stated < 0) | (stated > 1)).any():
            return asked.blank("a stated confidence lies outside [0, 1]")
        got = calibration(stated, right, questions, rng=asked.rng, confidence=asked.confidence).summary
        return got.one(statistic=statistic, null_kind="")

    return measure


def _stated(asked: Asked) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, right or not, and cluster of every sampled run that states one and has a key."""
    ends = asked.panel.ends
    if asked.systems:
        ends = ends.having(system=asked.systems[0])
    ends = ends.where(ends.numbers("greedy") != 1)
    stated, right = ends.numbers("confidence"), ends.numbers("right")
    known = np.flatnonzero(~np.isnan(stated) & ~np.isnan(right))
    place = {str(name): row for row, name in enumerate(asked.tallies.items)}
    rows = np.array([place.get(str(name), -1) for name in ends.texts("item")[known]], dtype=np.int64)
    known, rows = known[rows >= 0], rows[rows >= 0]
    return stated[known], right[known], asked.tallies.clusters[rows]


def _three(
    name: str, words: str, found: Callable[..., ChanceAdjusted | ErrorConsistency]
) -> dict[str, Named]:
    told = {
        name: (words, ""),
        f"{name}_floor": (f"the {name} that shared difficulty alone gives two systems", "floor"),
        f"{name}_excess": (f"{name} less its floor", "excess"),
    }
    return {
        key: Named(words=said, signature=PAIR, measured=_pair(found, part), share=False)
        for key, (said, part) in told.items()
    }


PAIRS: Final[Mapping[str, Named]] = {
    "same_wrong": Named(
        words="how often two systems give the same wrong answer when both are wrong",
        signature=PAIR,
        measured=_same_wrong,
        masses=_same_wrong_masses,
        counted="questions that both get wrong",
    ),
    **_three(
        "kappa_p", "agreement of two systems beyond that of independent ones of their accuracies", _kappa
    ),
    **_three(
        "error_consistency",
        "how far two systems are right and wrong on the same questions, beyond chance",
        _consistency,
    ),
    "ece": Named(
        words="mean distance of stated confidence from the share right (expected calibration error)",
        signature=ONE,
        measured=_calibrated("ece"),
    ),
    "overconfidence": Named(
        words="mean stated confidence less the share of right answers",
        signature=ONE,
        measured=_calibrated("overconfidence"),
    ),
}
"""Name to number."""

EXCESS: Final = {("kappa_p", "kappa_p_floor"): "kappa_p_excess"} | {
    ("error_consistency", "error_consistency_floor"): "error_consistency_excess"
}
"""Differences that an instrument measures itself."""
