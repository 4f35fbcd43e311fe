"""What was proved, sampled or refuted about the fixed points of a map on a set?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from limitset.core.limit_sets import Certificate
from limitset.core.results import Measurement

BROUWER: Final = ("continuous", "closed", "bounded", "convex", "self_map")
BANACH: Final = ("closed", "convex", "self_map", "contraction")
FAILURES: Final = MappingProxyType(
    {
        "continuous": "the map jumps",
        "closed": "the set is not closed",
        "bounded": "the set is unbounded",
        "convex": "convexity fails",
        "self_map": "the map leaves the set",
    }
)

Standing = Certificate | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Certification:
    """Hypotheses and conclusions about one map on one set, each with its standing; absent is open.

    Parameters
    ----------
    hypotheses
        `continuous`, `closed`, `bounded`, `convex`, `self_map` (the image of the set lies in it: forward
        invariance), `slope_below_one` (at every point by itself), `contraction` (one factor of at most
        1 - 1e-9 for all pairs, Euclidean norm).
    conclusions
        `existence` of a fixed point in the set (REFUTED: proved that there is none), `uniqueness` (at most
        one in the set), `reach` (every start in the set ends in it), `stability` (it attracts its
        neighbourhood).
    witnesses
        For refuted hypotheses: the points `(k, d)` that refute them: one that is mapped outside, two that
        stay as far apart, two whose midpoint is missing, two on both sides of a jump, one with a slope above
        1.
    factor
        Contraction factor: value is the largest ratio or slope seen, `low` the largest ratio of distances,
        `high` a proved bound (NaN where there is none).
    gap
        ||f(x) - x||: value is the least seen, `low` a proved bound over the set; above 0 nothing is fixed.
    escape
        Share of the draws that are mapped outside, with its exact 95 % interval.
    enclosure : (2, d)
        Ends of a box that holds exactly one fixed point (`low`, `high`); `(0, d)` where none was found.
    notes
        What a reader must see beside it.
    """

    hypotheses: Mapping[str, Certificate]
    conclusions: Mapping[str, Certificate]
    witnesses: Mapping[str, np.ndarray]
    factor: Measurement
    gap: Measurement
    escape: Measurement
    enclosure: np.ndarray
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The conclusion and every failed hypothesis in one sentence."""
        failures = [
            words for name, words in FAILURES.items() if self.hypotheses.get(name) is Certificate.REFUTED
        ]
        if self.hypotheses.get("contraction") is Certificate.REFUTED:
            below = self.hypotheses.get("slope_below_one") in {Certificate.PROVED, Certificate.EMPIRICAL}
            failures.append("slope below 1, no contraction" if below else "no contraction")
        return "; ".join([_headline(self.conclusions), *failures])


def _headline(conclusions: Mapping[str, Certificate]) -> str:
    existence, uniqueness = conclusions.get("existence"), conclusions.get("uniqueness")
    if existence is Certificate.REFUTED:
        return "no fixed point"
    if existence is None:
        return "no claim of a fixed point"
    proved = Certificate.PROVED
    words = "exactly one fixed point" if uniqueness is existence else "a fixed point"
    if conclusions.get("reach") is existence:
        words += ", reached from everywhere in the set"
    if existence is not proved:
        return words + ", as far as sampled"
    return words + (", the only one as far as sampled" if uniqueness is Certificate.EMPIRICAL else "")


def weakest(hypotheses: Mapping[str, Certificate], names: tuple[str, ...]) -> Standing:
    """Return how a conclusion stands that needs all the named hypotheses; None where one fails or is open."""
    standings = [hypotheses.get(name) for name in names]
    if None in standings or Certificate.REFUTED in standings:
        return None
    return Certificate.EMPIRICAL if Certificate.EMPIRICAL in standings else Certificate.PROVED


def strongest(*standings: Standing) -> Standing:
    """Return how a conclusion stands that several arguments reach."""
    if Certificate.PROVED in standings:
        return Certificate.PROVED
    return Certificate.EMPIRICAL if Certificate.EMPIRICAL in standings else None
