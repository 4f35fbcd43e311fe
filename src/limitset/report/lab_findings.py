"""Which cells of the laboratory settle, and which are right there, over seeds?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from limitset.core.columns import plain
from limitset.core.errors import InputError
from limitset.core.intervals import Interval
from limitset.core.lab import UNTRAINED
from limitset.core.levels import Level
from limitset.core.pooled_shares import pooled_intervals
from limitset.core.results import Measurement
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "laboratory"
VERSION: Final = 1
BAR: Final = 0.5
"""A cell settles when its interval over seeds lies above this share of inputs; fixed beforehand."""
GUESSED: Final = MappingProxyType({"parity": 0.5})
"""Share that guessing gets wholly right, where it is not next to nothing."""
SHARES: Final = (
    "settled",
    "drift",
    "settled_wrong",
    "right_usual",
    "right_far",
    "same_start",
    "same_damped",
    "same_solver",
    "right_start",
    "stable",
)


def right_bar(task: str) -> float:
    """Return the share above which a cell is right: half way from guessing to always; fixed beforehand.

    Examples
    --------
    >>> right_bar("prefix sums"), right_bar("parity")
    (0.5, 0.75)
    """
    return (1 + GUESSED.get(task, 0.0)) / 2


class CellVerdict(StrEnum):
    """What a cell does, by intervals over seeds."""

    SETTLED_RIGHT = "settles and is right"
    SETTLED_WRONG = "settles and is wrong"
    UNSETTLED_RIGHT = "right without settling"
    UNSETTLED_WRONG = "neither settles nor is right"
    UNIQUE = "settles in one place"
    FORGETS = "forgets its input"
    """One map for all inputs, and one end: nothing of the input is left."""
    SEVERAL = "settles, and where depends on the start"
    UNSETTLED = "does not settle"
    CANT_TELL = "can't tell"


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """One cell: all seeds of one task, norm, injection and gain, at one size.

    Parameters
    ----------
    task, norm, injection, gain, size
        Which cell.
    seeds
        How many nets.
    shares
        Name of a share to its mean over seeds with interval; blank where the cell has none.
    radius, exponent
        Medians over seeds, NaN where no end was looked at.
    origins
        Template or iteration, one word a seed.
    kinds
        Kinds of ends, summed over seeds.
    certificates
        What stands of a self-map and a contraction on a ball, with the number of seeds.
    rights, settled_by
        Mean over seeds after each step.
    verdict
        By the shares, `BAR` and `right_bar`.
    """

    task: str
    norm: str
    injection: str
    gain: float
    size: int
    seeds: int
    shares: Mapping[str, Measurement]
    radius: float
    exponent: float
    origins: tuple[str, ...]
    kinds: Mapping[str, int]
    certificates: Mapping[str, int]
    rights: tuple[float, ...]
    settled_by: tuple[float, ...]
    verdict: CellVerdict

    @property
    def key(self) -> str:
        """One word for norm, injection and gain."""
        return f"{self.norm} {self.injection} {self.gain:g}"

    def step_share(self, interval: Interval) -> Measurement:
        """Return a share of this cell after some step as it is told to a reader."""
        return replace(
            self.shares["right_far"], value=interval.value, low=interval.low, high=interval.high, n=interval.n
        )

    @property
    def iterates(self) -> int:
        """How many seeds iterate by the rule."""
        return sum(one == "iterates" for one in self.origins)


@dataclass(frozen=True, kw_only=True, eq=False)
class LabFindings:
    """Everything the page of the laboratory says.

    Parameters
    ----------
    nets
        The rows, as arrays.
    cells
        All cells at all sizes.
    """

    nets: Mapping[str, np.ndarray]
    cells: tuple[Cell, ...]

    @property
    def tasks(self) -> list[str]:
        """Tasks in the order of the rows."""
        return list(dict.fromkeys(cell.task for cell in self.cells))

    def sizes(self, task: str) -> list[int]:
        """Return the sizes of a task, the trained one first."""
        return sorted({cell.size for cell in self.cells if cell.task == task})

    def of(self, task: str, *, size: int) -> list[Cell]:
        """Return the cells of a task at one size."""
        return [cell for cell in self.cells if cell.task == task and cell.size == size]

    def trained(self) -> list[str]:
        """Return the tasks on which nets were trained."""
        return [task for task in self.tasks if task != UNTRAINED]

    def hardest(self, task: str) -> list[Cell]:
        """Return the cells of a task at its largest size."""
        return self.of(task, size=self.sizes(task)[-1])


def lab_findings(nets: Mapping[str, Any]) -> LabFindings:
    """Judge every cell by the nets of its seeds.

    Parameters
    ----------
    nets
        Columns `core.lab.NET_KINDS`.

    Returns
    -------
    LabFindings
        Cells with intervals over seeds, and a verdict each.

    Raises
    ------
    InputError
        When there is no net.

    References
    ----------
    As `core.pooled_shares.pooled_intervals`.

    Examples
    --------
    >>> lab_findings({"task": np.array([], dtype=object)})
    Traceback (most recent call last):
    limitset.core.errors.InputError: the laboratory must have one net at least; got none. Run it again.
    """
    columns = {name: plain(column) for name, column in nets.items()}
    if not len(columns["task"]):
        raise InputError.of(
            expected="the laboratory must have one net at least", got="none", fix="Run it again."
        )
    groups = list(dict.fromkeys(zip(columns["task"], columns["size"], strict=True)))
    cells: list[Cell] = []
    for task, size in groups:
        rows = np.flatnonzero((columns["task"] == task) & (columns["size"] == size))
        cells += _cells({name: column[rows] for name, column in columns.items()})
    return LabFindings(nets=columns, cells=tuple(cells))


def rights_by_step(
    found: LabFindings, cells: Sequence[Cell], *, steps: Sequence[int]
) -> dict[str, list[Interval]]:
    """Return the share that each cell has right after some steps, with its interval over seeds.

    Parameters
    ----------
    found
        The laboratory.
    cells
        Cells of one task at one size that kept their accuracy by step.
    steps
        Which steps, none beyond the last that was kept.

    Returns
    -------
    dict
        `Cell.key` to one interval a step, the spread pooled over all cells of the task as elsewhere.

    References
    ----------
    As `core.pooled_shares.pooled_intervals`.
    """
    columns = found.nets
    here = (columns["task"] == cells[0].task) & (columns["size"] == cells[0].size)
    rows = [row for row in np.flatnonzero(here) if columns["rights"][row] is not None]
    nets = {name: column[rows] for name, column in columns.items()}
    names = _names(nets)
    inputs = float(np.min(nets["inputs"]))
    rights = np.array([list(one) for one in nets["rights"]])
    by_step = [pooled_intervals(rights[:, step], names, inputs=inputs) for step in steps]
    return {cell.key: [one[cell.norm, cell.injection, cell.gain] for one in by_step] for cell in cells}


def _names(nets: Mapping[str, np.ndarray]) -> list[tuple[str, str, float]]:
    return [
        (str(norm), str(injection), float(gain))
        for norm, injection, gain in zip(
            nets["norm"], nets["injection"], np.nan_to_num(nets["gain"], nan=1.0), strict=True
        )
    ]


def _cells(nets: Mapping[str, np.ndarray]) -> list[Cell]:
    names = _names(nets)
    inputs = float(np.min(nets["inputs"]))
    intervals = {share: _intervals(nets[share], names, inputs) for share in SHARES}
    return [_cell(nets, names, name, intervals) for name in dict.fromkeys(names)]


def _intervals(
    shares: np.ndarray, names: Sequence[tuple[str, str, float]], inputs: float
) -> dict[Any, Interval]:
    known = np.flatnonzero(~np.isnan(shares))
    if not known.size:
        return {}
    return pooled_intervals(shares[known], [names[int(row)] for row in known], inputs=inputs)


def _cell(
    nets: Mapping[str, np.ndarray],
    names: Sequence[tuple[str, str, float]],
    name: tuple[str, str, float],
    intervals: Mapping[str, Mapping[Any, Interval]],
) -> Cell:
    rows = [row for row, one in enumerate(names) if one == name]
    first = rows[0]
    shares = {
        share: _measurement(share, found.get(name, Interval.blank("no such share")), nets, first)
        for share, found in intervals.items()
    }
    task = str(nets["task"][first])
    return Cell(
        task=task,
        norm=name[0],
        injection=name[1],
        gain=name[2],
        size=int(nets["size"][first]),
        seeds=len(rows),
        shares=shares,
        radius=_median(nets["radius"][rows]),
        exponent=_median(nets["exponent"][rows]),
        origins=tuple(str(nets["origin"][row]) for row in rows if nets["origin"][row] is not None),
        kinds=_kinds([str(nets["kinds"][row]) for row in rows]),
        certificates=_counts([str(nets["certificate"][row]) for row in rows if nets["certificate"][row]]),
        rights=_mean_of_lists([nets["rights"][row] for row in rows]),
        settled_by=_mean_of_lists([nets["settled_by"][row] for row in rows]),
        verdict=_verdict(shares, task=task, held=name[1] != "start"),
    )


def _measurement(share: str, interval: Interval, nets: Mapping[str, np.ndarray], row: int) -> Measurement:
    return Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.HIDDEN,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        n=interval.n,
        interval_method="t over seeds, arcsine scale, spread pooled over cells",
        blank_reason=interval.blank_reason,
        parameters={
            "share": share,
            **{name: str(nets[name][row]) for name in ("task", "norm", "injection")},
            "gain": float(np.nan_to_num(nets["gain"][row], nan=1.0)),
            **{name: float(nets[name][row]) for name in ("size", "usual", "far", "inputs")},
        },
    )


def _verdict(shares: Mapping[str, Measurement], *, task: str, held: bool) -> CellVerdict:
    trained = task != UNTRAINED
    settled = _side(shares["settled"], BAR)
    other = _side(shares["right_far"], right_bar(task)) if trained else _side(shares["same_start"], BAR)
    table = {
        (True, True, True): CellVerdict.SETTLED_RIGHT,
        (True, True, False): CellVerdict.SETTLED_WRONG,
        (True, False, True): CellVerdict.UNSETTLED_RIGHT,
        (True, False, False): CellVerdict.UNSETTLED_WRONG,
        (False, True, True): CellVerdict.UNIQUE if held else CellVerdict.FORGETS,
        (False, True, False): CellVerdict.SEVERAL,
    }
    if settled is False and not trained:
        return CellVerdict.UNSETTLED
    if settled is None or other is None:
        return CellVerdict.CANT_TELL
    return table.get((trained, settled, other), CellVerdict.CANT_TELL)


def _side(share: Measurement, bar: float) -> bool | None:
    """Above the bar, below it, or neither for sure."""
    if share.blank:
        return None
    return True if share.low > bar else False if share.high < bar else None


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else UNDEFINED


def _kinds(told: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in told:
        for part in one.split(", "):
            kind, _, count = part.rpartition(" ")
            counts[kind] = counts.get(kind, 0) + int(count)
    return counts


def _counts(told: Sequence[str]) -> dict[str, int]:
    return {one: list(told).count(one) for one in dict.fromkeys(told)}


def _mean_of_lists(lists: Sequence[Any]) -> tuple[float, ...]:
    known = [list(one) for one in lists if one is not None]
    return tuple(np.mean(known, axis=0).tolist()) if known else ()
