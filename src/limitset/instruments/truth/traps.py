"""Which false answers do the models share, and which questions should be checked outside first?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from limitset.core.answers import normalised
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.items import Items
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED
from limitset.core.voting import modal

INSTRUMENT = "traps"
VERSION = 1
NOTES = (
    "ties of the plurality are split evenly",
    "the ranking and its concentration rest on the same runs; the split halves do not",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Traps:
    """Shared false answers, and where the error that survives voting sits.

    Parameters
    ----------
    table
        Axes `item`, `end` (the false answer), `lure` ("yes" where it is the known lure, "no" where another
        one is known, "" where none is), `systems` (those whose own plurality it is, ties included, joined
        by ", "), `everyone` (whether that is all systems); value = share of all runs on the question.
        Strongest first: fallen for by everyone, then by share.
    check_first
        Axes `item`, `stratum`; value = share of the surviving error that the question holds, most first.
    concentration
        Axis `items` (m); value = share of the surviving error in the first m questions of `check_first`.
    concentration_split
        The same for a ranking made on one random half of the runs and valued on the other: what a check of
        the first m questions may be expected to hold. The interval is the spread over splits.
    """

    table: MeasurementTable
    check_first: MeasurementTable
    concentration: MeasurementTable
    concentration_split: MeasurementTable


def find_traps(
    tallies: Tallies,
    items: Items,
    *,
    share: float = 0.5,
    rng: np.random.Generator | None = None,
    draws: int = 200,
    confidence: float = 0.95,
    level: Level = Level.ANSWER,
) -> Traps:
    """Find the questions whose plurality over the whole design is wrong, and order them for checking.

    Parameters
    ----------
    tallies
        Runs by cell and answer class, every answer checked by an anchor.
    items
        The questions, for their lures.
    share
        Least share of all runs on a question, in (0, 1], that the false plurality needs to be listed.
    rng
        Splits the runs; without it `concentration_split` is blank.
    draws
        Random splits, 1 or more.
    confidence
        Coverage aimed at, in (0, 1).
    level
        Which map the runs belong to.

    Returns
    -------
    Traps
        Shares in [0, 1]. A tied plurality holds the wrong part of the tie as its error. Without surviving
        error `check_first` and both concentrations have no rows.

    Raises
    ------
    InputError
        When an answer has no anchor, `share` is out of range, or a question is not among `items`.

    Notes
    -----
    The ranking and `concentration` rest on the same runs, so the first questions look worse than they are
    (winner's curse); `concentration_split` pays for it. The interval of a trap's share is Wilson's over its
    runs and speaks of this question under this design only.

    References
    ----------
    Lin, Hilton and Evans (2022), TruthfulQA, arXiv:2109.07958 (imitative falsehoods).
    Andrews, Kitagawa and McCloskey (2024), Inference on winners, doi:10.1093/qje/qjad043.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=["au"] * 4, system=["a", "a", "a", "b"], seed=[0, 1, 2, 0],
    ...                end=["Sydney", "Sydney", "Sydney", "Canberra"], right=[0, 0, 0, 1])
    >>> items = Items.of(item=["au"], text=["Capital?"], accepted=[["Canberra"]], lure=["Sydney"])
    >>> got = find_traps(tallied(ends, items), items).table
    >>> got.value.tolist(), got.axes["lure"].tolist(), got.axes["systems"].tolist()
    ([0.75], ['yes'], ['a'])
    """
    tallies.require_anchor()
    if not 0 < share <= 1 or draws < 1:
        raise InputError.of(
            expected="share must be in (0, 1] and draws 1 or more", got=f"{share} and {draws}", fix="Fix it."
        )
    pooled = tallies.pooled()
    modal_share, error = modal(pooled)
    held = np.flatnonzero(error > 0)
    # equal errors: the more runs agree on the false answer, the less will more voting help
    order = held[np.lexsort((-modal_share[held], -error[held]))]
    falls = error[order] / max(float(error.sum()), 1.0e-300)
    found = _found(tallies, pooled, items, share, confidence)
    ranks: dict[str, list[object]] = {"items": [*range(1, order.size + 1)]}
    places: dict[str, list[object]] = {"item": [*tallies.items[order]], "stratum": [*tallies.strata[order]]}

    def table(
        name: str, axes: dict[str, list[object]], rows: list[Interval], method: str
    ) -> MeasurementTable:
        return MeasurementTable(
            instrument=f"{INSTRUMENT}{name}",
            version=VERSION,
            level=level,
            axes={axis: np.array(values, dtype=object) for axis, values in axes.items()},
            interval_method=method,
            confidence=confidence,
            parameters={"share": share, "draws": draws},
            notes=NOTES,
            **columns_of(rows),
        )

    trap_axes: dict[str, list[object]] = {
        axis: [getattr(trap, axis) for trap in found]
        for axis in ("item", "end", "lure", "systems", "everyone")
    }
    return Traps(
        table=table("", trap_axes, [trap.share for trap in found], "Wilson over the runs of the question"),
        check_first=table(".check_first", places, [_described(value, order.size) for value in falls], ""),
        concentration=table(
            ".concentration", ranks, [_described(value, order.size) for value in np.cumsum(falls)], ""
        ),
        concentration_split=table(
            ".concentration_split",
            ranks,
            _split_half(pooled, order.size, rng, draws, confidence),
            "quantiles over random splits of the runs",
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Trap:
    item: str
    end: str
    lure: str
    systems: str
    everyone: str
    share: Interval


def _found(tallies: Tallies, pooled: Tallies, items: Items, share: float, confidence: float) -> list[_Trap]:
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    fallen = np.stack([_top(tallies.of_system(name).pooled()) for name in names])
    runs = pooled.runs[0][pooled.class_item]
    shares = pooled.counts[0] / np.maximum(runs, 1)
    traps = np.flatnonzero(_top(pooled) & ~pooled.right & (shares >= share))
    everyone = fallen[:, traps].all(axis=0)
    lures = dict(zip(items.texts("item"), items.texts("lure"), strict=True))
    strange = [str(name) for name in tallies.items[tallies.class_item[traps]] if name not in lures]
    if strange:
        raise InputError.of(expected="the item must be in the table", got=strange[0], fix="Check its id.")
    found = []
    for trap in traps[np.lexsort((-shares[traps], ~everyone))]:
        item, end = str(tallies.items[tallies.class_item[trap]]), str(tallies.class_name[trap])
        lure = lures[item]
        found.append(
            _Trap(
                item=item,
                end=end,
                lure="" if lure is None else "yes" if normalised(lure) == normalised(end) else "no",
                systems=", ".join(name for name, falls in zip(names, fallen[:, trap], strict=True) if falls),
                everyone="yes" if fallen[:, trap].all() else "no",
                share=wilson(float(pooled.counts[0][trap]), float(runs[trap]), confidence=confidence),
            )
        )
    return found


def _top(tallies: Tallies) -> Bool[np.ndarray, " k"]:
    """Which classes lead their question, ties included."""
    counts = tallies.counts[0]
    most = np.zeros(tallies.items.size, dtype=np.int64)
    np.maximum.at(most, tallies.class_item, counts)
    return np.asarray((counts == most[tallies.class_item]) & (counts > 0))


def _described(value: float, n: int) -> Interval:
    return Interval(value=float(min(value, 1.0)), low=UNDEFINED, high=UNDEFINED, n=float(n))


def _split_half(
    pooled: Tallies, ranked: int, rng: np.random.Generator | None, draws: int, confidence: float
) -> list[Interval]:
    reason = "" if rng is not None else "no random generator was given to split the runs"
    held: list[Float[np.ndarray, " q"]] = []
    if rng is not None:
        turns = _turns(pooled)
        held = [one for _ in range(draws) if (one := _held(pooled, turns, rng)) is not None]
    if not held:
        reason = reason or "half of the runs leaves no error"
        blank = Interval(value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason=reason)
        return [blank] * ranked
    shares = np.stack(held)[:, :ranked]
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return [
        Interval(value=float(value), low=float(one), high=float(other), n=float(ranked))
        for value, one, other in zip(shares.mean(axis=0), low, high, strict=True)
    ]


def _turns(pooled: Tallies) -> list[np.ndarray]:
    """Return the first answers of all questions, their second ones, and so on."""
    given = np.flatnonzero(pooled.counts[0] > 0)
    owner = pooled.class_item[given]
    place = np.arange(given.size) - np.searchsorted(owner, owner)
    order = np.argsort(place, kind="stable")
    return np.split(given[order], np.flatnonzero(np.diff(place[order])) + 1)


def _held(
    pooled: Tallies, turns: list[np.ndarray], rng: np.random.Generator
) -> Float[np.ndarray, " q"] | None:
    """Share of one half's error in the first questions of the other half's ranking."""
    counts, owner = pooled.counts[0], pooled.class_item
    answered = pooled.by_question(counts.astype(float)).astype(np.int64)
    # the first half gets the odd run of every question, or of none
    half = (answered + rng.integers(2)) // 2
    first, open_runs, open_half = np.zeros_like(counts), answered.copy(), half.copy()
    for turn in turns:
        asked, own = owner[turn], counts[turn]
        first[turn] = rng.hypergeometric(own, open_runs[asked] - own, open_half[asked])
        open_runs[asked] -= own
        open_half[asked] -= first[turn]
    halves = first, counts - first
    (share, ranking), (_, error) = (modal(replace(pooled, counts=half[None])) for half in halves)
    total = float(error.sum())
    order = np.lexsort((rng.random(error.size), -share, -ranking))
    return np.cumsum(error[order]) / total if total > 0 else None
