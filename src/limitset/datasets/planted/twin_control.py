"""Does a score tell true nets from their false twins?

Nets, not inputs, are the units: each is left out in turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Float
from scipy import stats

from limitset.core.errors import InputError, UndefinedError
from limitset.core.intervals import Interval, jackknife_error
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.core.undefined import UNDEFINED
from limitset.core.verdicts import Verdict, judged
from limitset.datasets.planted.sums import Drawings
from limitset.datasets.planted.twins import KINDS, TwinNet, TwinPanel

INSTRUMENT: Final = "twins"
VERSION: Final = 1

OWN_KIND: Final = "its own kind"

Score = Callable[[TwinNet, Drawings], float]
PairScore = Callable[[TwinNet, TwinNet, Drawings], float]
_Net = tuple[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """How far apart the twins may score and still count as equal; fixed before measuring.

    Parameters
    ----------
    low, high
        The band about "no difference": differences about 0, or ratios about 1.
    ratio
        Whether false / true is judged instead of false - true.
    least, most
        Ends of the score's own scale, where intervals of its means stop.
    """

    low: float
    high: float
    ratio: bool = False
    least: float = -math.inf
    most: float = math.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinControl:
    """What a score says of true, false and untrained nets.

    Parameters
    ----------
    score
        Its name.
    values
        Instrument "twins", axes {kind, score}: mean over nets of each kind, interval over nets.
    gap
        False less true (or false / true), with its interval over nets.
    equal
        Whether the gap lies in the band: `HOLDS`, the score cannot tell truth from falsehood; `FAILS`, it
        can; `CANT_TELL`, more nets are needed.
    band
        The band it was judged by.
    """

    score: str
    values: MeasurementTable
    gap: Measurement
    equal: Verdict
    band: Band


def false_twin_control(
    score: Score, panel: TwinPanel, *, name: str, band: Band, confidence: float = 0.95
) -> TwinControl:
    """Put a score of one net to the twins.

    Parameters
    ----------
    score
        Net and held-out drawings to a number.
    panel
        The nets.
    name
        What the score is called in the result.
    band
        How far apart still counts as equal.
    confidence
        Coverage of all intervals, in (0, 1).

    Returns
    -------
    TwinControl
        The means of the three kinds, the gap, and the verdict.

    Raises
    ------
    UndefinedError
        When a ratio is wanted of means that are not both above 0.

    References
    ----------
    Equivalence by inclusion of the interval: Schuirmann (1987), doi:10.1007/BF01068419; difference of two
    means with unequal spread: Welch (1947), doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> from limitset.datasets.planted.twins import twin_panel
    >>> panel = twin_panel(nets=3, steps=60, held_out=100)
    >>> seen = false_twin_control(TwinNet.accuracy, panel, name="accuracy", band=Band(low=-0.1, high=0.1))
    >>> seen.equal  # the anchor tells the twins apart
    <Verdict.FAILS: 'fails'>
    """
    scores = {
        kind: np.array([[score(net, panel.held_out)] for net in panel.of(kind)], dtype=np.float64)
        for kind in KINDS
    }
    return _judged_scores(scores, name, band, confidence, paired_with="")


def false_twin_control_of_pairs(
    score: PairScore,
    panel: TwinPanel,
    *,
    name: str,
    band: Band,
    reference: str = "",
    confidence: float = 0.95,
) -> TwinControl:
    """Put a score of two nets (agreement, alignment) to the twins; no net is paired with itself.

    Parameters
    ----------
    score
        Two nets and held-out drawings to a number, the same in either order.
    panel, name, band, confidence
        As in `false_twin_control`.
    reference
        "": nets are paired with others of their own kind. A kind: every net is paired with nets of that kind.

    Returns
    -------
    TwinControl
        As `false_twin_control`; means over pairs, intervals by leaving out nets.

    Raises
    ------
    InputError
        For an unknown reference.
    UndefinedError
        As `false_twin_control`.

    References
    ----------
    Leaving out one net of a mean over pairs: Arvesen (1969), doi:10.1214/aoms/1177697287.

    Examples
    --------
    >>> from limitset.datasets.planted.twins import twin_panel
    >>> agree = lambda a, b, drawn: float((a.predict(drawn.inputs) == b.predict(drawn.inputs)).mean())
    >>> panel = twin_panel(nets=3, steps=60, held_out=100)
    >>> seen = false_twin_control_of_pairs(agree, panel, name="agreement", band=Band(low=-0.5, high=0.5))
    >>> seen.equal  # agreement does not
    <Verdict.HOLDS: 'holds'>
    """
    if reference and reference not in KINDS:
        raise InputError.of(
            expected=f"reference must be empty or one of {', '.join(KINDS)}", got=reference, fix="Use one."
        )
    scores = {
        kind: _square(score, panel.of(kind), panel.of(reference or kind), panel.held_out) for kind in KINDS
    }
    return _judged_scores(scores, name, band, confidence, paired_with=reference or OWN_KIND)


def _square(
    score: PairScore, nets: tuple[TwinNet, ...], others: tuple[TwinNet, ...], drawings: Drawings
) -> Float[np.ndarray, "n m"]:
    found: dict[tuple[int, int], float] = {}
    for row, net in enumerate(nets):
        for column, other in enumerate(others):
            same_kind = net.kind == other.kind
            if same_kind and row >= column:
                continue  # itself, or measured from the other side
            found[row, column] = score(net, other, drawings)
            if same_kind:
                found[column, row] = found[row, column]
    return np.array([[found.get((i, j), np.nan) for j in range(len(others))] for i in range(len(nets))])


def _judged_scores(
    scores: Mapping[str, np.ndarray], name: str, band: Band, confidence: float, *, paired_with: str
) -> TwinControl:
    nets = len(scores["true"])
    shared: dict[str, str | float] = {"paired_with": paired_with} if paired_with else {}
    intervals = [_interval(partial(_mean, scores, kind, paired_with), nets, confidence) for kind in KINDS]
    values = MeasurementTable(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.WEIGHTS,
        axes={"kind": np.array(KINDS, dtype=object), "score": np.array([name] * len(KINDS), dtype=object)},
        value=np.array([one.value for one in intervals]),
        # a mean outside the scale (an odd score) keeps its interval about itself
        low=[max(one.low, min(band.least, one.value)) for one in intervals],
        high=[min(one.high, max(band.most, one.value)) for one in intervals],
        n=[nets] * len(KINDS),
        interval_method="jackknife over nets",
        confidence=confidence,
        parameters=shared,
        notes=("n counts nets of each kind",),
    )
    found = _gap(scores, paired_with, band, nets, confidence)
    gap = Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.WEIGHTS,
        value=found.value,
        low=found.low,
        high=found.high,
        interval_method="jackknife over nets",
        confidence=confidence,
        n=nets,
        parameters={
            **shared,
            "score": name,
            "gap": "false / true" if band.ratio else "false - true",
            "band_low": band.low,
            "band_high": band.high,
        },
        notes=("n counts nets of each kind",),
    )
    return TwinControl(score=name, values=values, gap=gap, equal=_in_band(gap, band), band=band)


def _gap(
    scores: Mapping[str, np.ndarray], paired_with: str, band: Band, nets: int, confidence: float
) -> Interval:
    def means(left_out: _Net | None) -> tuple[float, float]:
        return (
            _mean(scores, "false", paired_with, left_out),
            _mean(scores, "true", paired_with, left_out),
        )

    if not band.ratio:
        return _interval(lambda left_out: float(np.subtract(*means(left_out))), nets, confidence)
    if min(means(None)) <= 0:
        raise UndefinedError.of(
            expected="a ratio needs two means above 0", got=means(None), fix="Judge the difference instead."
        )
    log = _interval(lambda left_out: _log_ratio(*means(left_out)), nets, confidence)
    return Interval(value=np.exp(log.value), low=np.exp(log.low), high=np.exp(log.high), n=log.n)


def _log_ratio(false: float, true: float) -> float:
    return float(np.log(false / true)) if min(false, true) > 0 else UNDEFINED


def _interval(statistic: Callable[[_Net | None], float], nets: int, confidence: float) -> Interval:
    """Leave out one net of one kind at a time; spreads of the kinds add, degrees of freedom as Welch."""
    whole = statistic(None)
    errors = [
        jackknife_error(np.array([statistic((kind, net)) for net in range(nets)], dtype=np.float64))
        for kind in KINDS
    ]
    variances = np.square(errors)
    if np.isnan(variances).any():
        return Interval(value=whole, low=UNDEFINED, high=UNDEFINED, n=float(nets))
    total = float(variances.sum())
    degrees = total**2 * (nets - 1) / float(np.square(variances).sum()) if total else 1.0
    half = float(stats.t.ppf(0.5 + confidence / 2, degrees)) * total**0.5
    return Interval(value=whole, low=whole - half, high=whole + half, n=float(nets))


def _mean(scores: Mapping[str, np.ndarray], kind: str, paired_with: str, left_out: _Net | None) -> float:
    table = scores[kind]
    if left_out is not None:
        out_kind, net = left_out
        if out_kind == kind:
            table = np.delete(table, net, axis=0)
        if paired_with and out_kind == (kind if paired_with == OWN_KIND else paired_with):
            table = np.delete(table, net, axis=1)
    return UNDEFINED if np.isnan(table).all() else float(np.nanmean(table))


def _in_band(gap: Measurement, band: Band) -> Verdict:
    above, below = judged(gap, holds_if=band.low, above=True), judged(gap, holds_if=band.high, above=False)
    if Verdict.FAILS in (above, below):
        return Verdict.FAILS
    return Verdict.HOLDS if above == below == Verdict.HOLDS else Verdict.CANT_TELL
