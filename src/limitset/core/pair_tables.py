"""How sure is the chance-adjusted agreement of every pair, and is it above what shared difficulty gives?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from limitset.core.coincidence import DUST, NO_OTHERS
from limitset.core.intervals import LEAST_CARRIERS
from limitset.core.levels import Level
from limitset.core.pair_intervals import few_on_a_side, jackknife_errors, wilson_ends
from limitset.core.pair_sums import Adjusted, PairPanel, PairSums, adjusted
from limitset.core.results import MeasurementTable
from limitset.core.undefined import UNDEFINED

FEW: Final = f"both answer fewer than {LEAST_CARRIERS:.0f} questions"
CERTAIN: Final = "chance explains any agreement: both are always right, or wrong in the one possible way"
METHOD: Final = (
    "jackknife over groups of questions, on the scale of log(1 - kappa); from Wilson's interval of the"
    " agreement where fewer than five questions carry it or its rest"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PairTables:
    """Tables of a chance-adjusted agreement: see the instruments that return them."""

    pairs: MeasurementTable
    excess: MeasurementTable
    panel: MeasurementTable


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """One number a pair in every array; those with a leading axis have one group of questions left out."""

    observed: Float[np.ndarray, " p"]
    expected: Float[np.ndarray, " p"]
    kappa: Float[np.ndarray, " p"]
    floor: Float[np.ndarray, " p"]
    kappas: Float[np.ndarray, "g p"]
    floors: Float[np.ndarray, "g p"]
    n: Float[np.ndarray, " p"]

    @property
    def degrees(self) -> int:
        """Groups of questions less one, at least 1."""
        return max(len(self.kappas) - 1, 1)


def pair_tables(
    sums: PairSums,
    panel: PairPanel,
    *,
    instrument: str,
    version: int,
    measure: str,
    confidence: float,
    level: Level,
    notes: tuple[str, ...],
) -> PairTables:
    """Measure every pair and the mean of all pairs, with intervals over questions.

    Parameters
    ----------
    sums
        As `pair_sums` gives them, with the groups of questions as leading axis.
    panel
        The panel that they were summed over.
    instrument, version, measure, notes
        Names and notes of the tables.
    confidence, level
        As in the instruments.

    References
    ----------
    Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17, 521-526.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.pair_sums import pair_panel, pair_sums
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*range(12)] * 2, system=[*"a" * 12, *"b" * 12], end="x", right=1)
    >>> panel = pair_panel(tallied(ends))
    >>> got = pair_tables(pair_sums(panel), panel, instrument="x", version=1, measure="kappa_p",
    ...     confidence=0.95, level=Level.ANSWER, notes=())
    >>> got.pairs.blank_reason[0][:30]
    'chance explains any agreement:'
    """
    first, second = np.triu_indices(panel.names.size, 1)
    pairs = _left_out(sums, (first, second))
    value, low, high, reason = _kappa_columns(pairs, confidence)
    floor, floor_low, floor_high = _symmetric(pairs.floor, pairs.floors, pairs.degrees, confidence)
    lost = reason != ""
    floor[lost] = floor_low[lost] = floor_high[lost] = UNDEFINED
    no_floor = np.where(lost, reason, np.where(np.isnan(floor), NO_OTHERS, "")).astype(object)
    axes = {
        "measure": np.full(first.size, measure, dtype=object),
        "first": panel.names[first],
        "second": panel.names[second],
    }
    shared: dict[str, Any] = {
        "version": version,
        "level": level,
        "confidence": confidence,
        "parameters": {"choices": panel.choices_from, "groups": pairs.kappas.shape[0]},
        "notes": notes,
    }
    excess = value - floor
    reach = _reach(pairs, confidence, value, low, high)
    unsure = np.isnan(excess)
    return PairTables(
        pairs=MeasurementTable(
            instrument=instrument,
            axes={name: np.tile(axis, 2) for name, axis in axes.items()},
            value=np.concatenate([value, floor]),
            low=np.concatenate([low, floor_low]),
            high=np.concatenate([high, floor_high]),
            n=np.tile(pairs.n, 2),
            null_kind=np.repeat(np.array(["", "difficulty"], dtype=object), first.size),
            blank_reason=np.concatenate([reason, no_floor]),
            interval_method=METHOD,
            **shared,
        ),
        excess=MeasurementTable(
            instrument=f"{instrument}.excess",
            axes=axes,
            value=excess,
            low=np.where(unsure, UNDEFINED, excess - reach),
            high=np.where(unsure, UNDEFINED, excess + reach),
            n=pairs.n,
            blank_reason=np.where(unsure, no_floor, "").astype(object),
            interval_method="jackknife over groups of questions",
            **shared,
        ),
        panel=_means(pairs, measure, instrument, confidence, shared),
    )


def _left_out(sums: PairSums, at: tuple[np.ndarray, np.ndarray]) -> _Pairs:
    """Measure with all groups, and with each left out in turn."""
    total, groups = sums.total(), sums.both.shape[0]
    whole = adjusted(total)
    kappas, floors = np.full((2, groups, at[0].size), UNDEFINED)
    for index in range(groups if groups > 1 else 0):
        rest: Adjusted = adjusted(total.less(sums.group(index)))
        kappas[index], floors[index] = rest.kappa[at], rest.floor[at]
    squares = total.squares[at]
    return _Pairs(
        observed=whole.observed[at],
        expected=whole.expected[at],
        kappa=whole.kappa[at],
        floor=whole.floor[at],
        kappas=kappas,
        floors=floors,
        n=np.where(squares > DUST, total.both[at] ** 2 / np.where(squares > DUST, squares, 1.0), 0.0),
    )


def _kappa_columns(pairs: _Pairs, confidence: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    few = pairs.n < LEAST_CARRIERS - DUST
    certain = ~few & np.isnan(pairs.kappa)
    reason = np.where(few, FEW, np.where(certain, CERTAIN, "")).astype(object)
    low, high = _wilson(pairs, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.log1p(-pairs.kappa)
        error = jackknife_errors(np.log1p(-pairs.kappas))
    inside = ~_on_the_edge(pairs) & np.isfinite(scale) & np.isfinite(error)
    half = stats.t.ppf(0.5 + confidence / 2, pairs.degrees) * np.where(inside, error, 0.0)
    centre = np.where(inside, scale, 0.0)
    low = np.where(inside, -np.expm1(centre + half), low)
    high = np.where(inside, -np.expm1(centre - half), high)
    lost = few | certain
    value, low, high = (np.where(lost, UNDEFINED, one) for one in (pairs.kappa, low, high))
    return value, low, high, reason


def _on_the_edge(pairs: _Pairs) -> Bool[np.ndarray, " p"]:
    return np.asarray(few_on_a_side(np.nan_to_num(pairs.observed), pairs.n))


def _wilson(pairs: _Pairs, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Read ends off the share of agreement, with what the accuracies give held fixed."""
    share = np.clip(np.nan_to_num(pairs.observed), 0.0, 1.0)
    ends = wilson_ends(share, pairs.n, confidence=confidence)
    room = np.where(np.isnan(pairs.kappa), UNDEFINED, 1 - pairs.expected)
    low, high = ((end - pairs.expected) / room for end in ends)
    return np.fmin(low, pairs.kappa), np.fmax(high, pairs.kappa)


def _symmetric(
    value: np.ndarray, left_out: np.ndarray, degrees: int, confidence: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    half = stats.t.ppf(0.5 + confidence / 2, degrees) * jackknife_errors(left_out)
    return value.copy(), value - half, value + half


def _reach(
    pairs: _Pairs, confidence: float, value: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Half width of the excess; where the jackknife cannot see the error of kappa, Wilson's joins it."""
    quantile = stats.t.ppf(0.5 + confidence / 2, pairs.degrees)
    own = quantile * jackknife_errors(pairs.kappas - pairs.floors)
    wide = np.where(_on_the_edge(pairs), np.fmax(high - value, value - low), 0.0)
    return np.asarray(np.hypot(own, np.nan_to_num(wide)))


def _means(
    pairs: _Pairs, measure: str, instrument: str, confidence: float, shared: dict[str, Any]
) -> MeasurementTable:
    """Means over all pairs of which everything is known."""
    kept = {"kappa": ~np.isnan(pairs.kappa + pairs.kappas.sum(axis=0))}
    kept["floor"] = kept["kappa"] & ~np.isnan(pairs.floor + pairs.floors.sum(axis=0))
    rows = []
    for name, value, left_out in (
        (measure, pairs.kappa, pairs.kappas),
        ("floor", pairs.floor, pairs.floors),
        ("excess", pairs.kappa - pairs.floor, pairs.kappas - pairs.floors),
    ):
        own = kept["kappa" if name == measure else "floor"]
        if not own.any():
            rows.append((name, UNDEFINED, UNDEFINED, UNDEFINED))
            continue
        mean, left = float(value[own].mean()), left_out[:, own].mean(axis=1)
        half = float(stats.t.ppf(0.5 + confidence / 2, pairs.degrees) * jackknife_errors(left))
        rows.append((name, mean, mean - half, mean + half))
    numbers = np.array([row[1:] for row in rows]).T
    return MeasurementTable(
        instrument=f"{instrument}.panel",
        axes={"statistic": np.array([row[0] for row in rows], dtype=object)},
        value=numbers[0],
        low=numbers[1],
        high=numbers[2],
        n=np.full(3, pairs.n.max(initial=0.0)),
        null_kind=np.array(["", "difficulty", ""], dtype=object),
        blank_reason=np.where(np.isnan(numbers[0]), "no pair of which it is known", "").astype(object),
        interval_method="jackknife over groups of questions",
        **shared,
    )
