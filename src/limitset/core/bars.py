"""On which side of which bar must an interval lie for a claim to hold, and for it to fail?"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

from limitset.core.errors import InputError
from limitset.core.results import Measurement
from limitset.core.verdicts import Verdict

KINDS: Final = ("above", "below", "within", "outside")


@dataclass(frozen=True)
class Bar:
    """A half-line, a band, or what lies outside a band.

    Parameters
    ----------
    kind
        "above", "below", "within" or "outside".
    ends
        One number for a half-line, two (low, high) for a band.

    Raises
    ------
    InputError
        When the kind is unknown, an end is not a number, or a band is upside down.

    Examples
    --------
    >>> Bar("above", (0.3,)).holds(0.4, 0.6), Bar("within", (0.75, 1.25)).holds(0.7, 1.0)
    (True, False)
    >>> str(Bar("within", (0.75, 1.25)))
    'between 0.75 and 1.25'
    """

    kind: str
    ends: tuple[float, ...]

    def __post_init__(self) -> None:
        wanted = 1 if self.kind in ("above", "below") else 2
        if self.kind not in KINDS or len(self.ends) != wanted or any(math.isnan(end) for end in self.ends):
            raise InputError.of(
                expected="a bar is above = x, below = x, within = [low, high] or outside = [low, high]",
                got=f"{self.kind} = {list(self.ends)}",
                fix="Write one of these.",
            )
        if wanted == 2 and self.ends[0] >= self.ends[1]:
            raise InputError.of(
                expected="a band must have low < high", got=list(self.ends), fix="Swap its ends."
            )

    def holds(self, low: float, high: float) -> bool:
        """Whether a whole interval lies on this side."""
        if math.isnan(low) or math.isnan(high):
            return False
        first, last = self.ends[0], self.ends[-1]
        return {
            "above": low > first,
            "below": high < first,
            "within": first < low and high < last,
            "outside": high < first or low > last,
        }[self.kind]

    def distance(self, value: float) -> float:
        """Distance from a value to the nearest end."""
        return min(abs(value - end) for end in self.ends)

    def overlaps(self, other: Bar) -> bool:
        """Whether an interval can lie on this side of both bars.

        Examples
        --------
        >>> above = Bar("above", (0.3,))
        >>> above.overlaps(Bar("below", (0.3,))), above.overlaps(Bar("below", (1.0,)))
        (False, True)
        """
        ends = sorted({*self.ends, *other.ends})
        between = [(low + high) / 2 for low, high in itertools.pairwise(ends)]
        return any(self.holds(at, at) and other.holds(at, at) for at in (ends[0] - 1, *between, ends[-1] + 1))

    def __str__(self) -> str:
        if self.kind in ("above", "below"):
            return f"{self.kind} {self.ends[0]:g}"
        between = f"between {self.ends[0]:g} and {self.ends[1]:g}"
        return between if self.kind == "within" else f"not {between}"


def decided(measurement: Measurement, *, holds_if: Bar, fails_if: Bar) -> Verdict:
    """Judge a number by its whole interval against the bars of a claim.

    Parameters
    ----------
    measurement
        The number with its interval.
    holds_if, fails_if
        Where the interval must lie for the claim to hold, and to fail.

    Returns
    -------
    Verdict
        `CANT_TELL` when it lies on neither side, or when there is no interval.

    Raises
    ------
    InputError
        When the interval lies on both sides: the bars overlap.

    References
    ----------
    Three-way decisions by interval inclusion: Berger and Hsu (1996), doi:10.1214/ss/1032280304.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> m = Measurement(instrument="x", version=1, level=Level.WEIGHTS, value=1.4, low=1.2, high=1.6, n=9)
    >>> decided(m, holds_if=Bar("below", (0.1,)), fails_if=Bar("above", (0.5,)))
    <Verdict.FAILS: 'fails'>
    """
    holds = holds_if.holds(measurement.low, measurement.high)
    fails = fails_if.holds(measurement.low, measurement.high)
    if holds and fails:
        raise InputError.of(
            expected="the bars of a claim must not overlap",
            got=f"holds {holds_if} and fails {fails_if}",
            fix="Move them apart.",
        )
    return Verdict.HOLDS if holds else Verdict.FAILS if fails else Verdict.CANT_TELL
