"""Does the number hold what was claimed, by a rule fixed beforehand?"""

from __future__ import annotations

import math
from enum import StrEnum

from limitset.core.errors import InputError
from limitset.core.results import Measurement


class Verdict(StrEnum):
    """What an interval says of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    CANT_TELL = "can't tell"


def judged(measurement: Measurement, *, holds_if: float, above: bool) -> Verdict:
    """Judge a measurement by its whole interval against one bar.

    Parameters
    ----------
    measurement
        The number with its interval.
    holds_if
        The bar.
    above
        True when the claim is that the value lies above the bar, False when below.

    Returns
    -------
    Verdict
        `HOLDS` when the interval lies wholly on the claimed side, `FAILS` when wholly on the other side,
        `CANT_TELL` otherwise and for blank values without a bound.

    References
    ----------
    Three-way decisions by interval inclusion: Berger and Hsu (1996), doi:10.1214/ss/1032280304.

    Examples
    --------
    >>> from limitset.core.levels import Level
    >>> m = Measurement(instrument="x", version=1, level=Level.ANSWER, value=0.5, low=0.4, high=0.6, n=9)
    >>> judged(m, holds_if=0.3, above=True), judged(m, holds_if=0.55, above=True)
    (<Verdict.HOLDS: 'holds'>, <Verdict.CANT_TELL: "can't tell">)
    """
    if math.isnan(holds_if):
        raise InputError.of(expected="the bar must be a number", got=holds_if, fix="Fix it before measuring.")
    if math.isnan(measurement.low) or math.isnan(measurement.high):
        return Verdict.CANT_TELL
    if measurement.low > holds_if:
        return Verdict.HOLDS if above else Verdict.FAILS
    if measurement.high < holds_if:
        return Verdict.FAILS if above else Verdict.HOLDS
    return Verdict.CANT_TELL
