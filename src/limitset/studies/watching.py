"""Does a model settle more, and is it right more often, from epoch to epoch of its training?"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from limitset.charts.watching import watching_chart
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, columns_of, wilson
from limitset.core.levels import Level
from limitset.core.medians import median_interval
from limitset.core.protocols import SelfMap
from limitset.core.results import MeasurementTable
from limitset.core.streams import Streams
from limitset.instruments.dynamics.spectrum import spectrum
from limitset.instruments.dynamics.tensor_orbits import run_tensors
from limitset.maps.keys import plain_array, rights
from limitset.maps.latent.module import evaluating
from limitset.maps.latent.tensor_map import taken_by

VERSION: Final = 1
NAME: Final = "watching"
MEASURES: Final = ("settled", "spectral radius", "right", "settled and wrong")
NO_ANCHOR: Final = "no anchor"

Readout = Callable[..., Any]


class Watch:
    """Call it with the epoch: it runs the loop from fixed starts and records what became of them.

    Parameters
    ----------
    map
        The map, which sees the weights as they are when it is called; or a function that builds it anew.
    starts : (n, *shape)
        Where the runs begin, the same every time; or a function that gives them.
    readout
        ``readout(states)`` or ``readout(states, rows)`` to answers `(n, ...)`; `None` for no anchor.
    key : (n, ...)
        Right answers, from outside the model; with `readout` only.
    every
        Watch every so many calls, the first included.
    steps
        Steps each run gets at most.
    tolerance
        As in `limitset.instruments.dynamics.run_tensors`.
    spectra
        At how many starts the spectral radius is taken; 0 for none.
    module
        Put in evaluation mode while it is watched; not needed for the adapters of `limitset.maps.latent`,
        which see to it.
    rng
        Streams for maps that draw and for the search for eigenvalues.

    Raises
    ------
    InputError
        When a key comes without a readout, or a count is too low.

    Notes
    -----
    It goes into `callbacks` of a transformers `Trainer` or into a Lightning trainer as it is: it answers
    `on_epoch_end` and `on_train_epoch_end`, and every other hook with nothing. Weights, gradients, training
    mode and the global random generators are left as they were.

    Examples
    --------
    >>> from limitset.maps.latent import ModuleMap
    >>> net = nn.Linear(2, 2, bias=False).double()
    >>> watch = Watch(ModuleMap(net), torch.ones(6, 2).double(), rng=Streams(0))
    >>> for epoch, slope in enumerate([0.5, 2.0]):
    ...     _ = net.weight.data.copy_(slope * torch.eye(2))
    ...     record = watch(epoch)
    >>> [(row["settled"], row["spectral radius"], row["right"]) for row in watch.records]
    [(1.0, 0.5, 'no anchor'), (0.0, 2.0, 'no anchor')]
    """

    def __init__(
        self,
        map: SelfMap[Any] | Callable[[], SelfMap[Any]],
        starts: Tensor | Callable[[], Tensor],
        *,
        readout: Readout | None = None,
        key: Any = None,
        every: int = 1,
        steps: int = 200,
        tolerance: float | None = None,
        spectra: int = 8,
        module: nn.Module | None = None,
        rng: Streams,
    ) -> None:
        for name, count, least in (("every", every, 1), ("steps", steps, 1), ("spectra", spectra, 0)):
            if count < least:
                raise InputError.of(expected=f"{name} must be {least} or more", got=count, fix="Raise it.")
        if key is not None and readout is None:
            raise InputError.of(
                expected="a key needs a readout", got="none", fix="Say how answers are read off states."
            )
        self._map, self._starts = map, starts
        self._readout = readout
        self._key = None if key is None else plain_array(key)
        self._every, self._steps, self._tolerance, self._spectra = every, steps, tolerance, spectra
        self._module, self._rng = module, rng
        self._calls = 0
        self._epochs: list[tuple[float, dict[str, Interval]]] = []

    def __call__(self, epoch: float) -> dict[str, Any] | None:
        """Watch, and return the record of this epoch; None where it is left out (see `every`)."""
        self._calls += 1
        if (self._calls - 1) % self._every:
            return None
        with evaluating(self._module), torch.no_grad():
            self._epochs.append((float(epoch), self._watched()))
        return self.records[-1]

    @property
    def records(self) -> list[dict[str, Any]]:
        """One flat record an epoch: each measure with its ends, or the reason why it is blank."""
        return [_flat(epoch, found) for epoch, found in self._epochs]

    def table(self) -> MeasurementTable:
        """Return every number; axes epoch, measure."""
        keys = [(epoch, measure) for epoch, found in self._epochs for measure in found]
        return MeasurementTable(
            instrument=NAME,
            version=VERSION,
            level=Level.HIDDEN,
            axes={
                "epoch": np.array([epoch for epoch, _ in keys], dtype=np.float64),
                "measure": np.array([measure for _, measure in keys], dtype=object),
            },
            interval_method="Wilson over starts; the radius: median with binomial order statistics",
            parameters={"steps": self._steps, "spectra": self._spectra, "seed": self._rng.seed},
            **columns_of([one for _, found in self._epochs for one in found.values()]),
        )

    def chart(self) -> Any:
        """Draw the shares against the epoch."""
        return watching_chart(self.table())

    def to_csv(self, path: Path | str) -> None:
        """Write the records as a table with a line an epoch."""
        names = list(dict.fromkeys(name for row in self.records for name in row)) or ["epoch"]
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.records)

    def on_epoch_end(self, *given: Any, **named: Any) -> None:  # noqa: ARG002 - the trainers decide what comes
        """Watch at the end of an epoch of a trainer; the epoch is read off what it hands over."""
        self(_epoch_of(given, self._calls))

    on_train_epoch_end = on_epoch_end

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("on_"):
            return _nothing
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def _watched(self) -> dict[str, Interval]:
        map: SelfMap[Any] = self._map if isinstance(self._map, SelfMap) else self._map()
        starts = self._starts if isinstance(self._starts, Tensor) else self._starts()
        runs = run_tensors(map, starts, steps=self._steps, tolerance=self._tolerance, rng=self._rng)
        lasts = torch.tensor(runs.lasts).to(starts)
        settled = runs.settled
        found = {
            "settled": wilson(float(settled.sum()), float(len(settled))),
            "spectral radius": self._radius(map, lasts),
        }
        if self._readout is None or self._key is None:
            return {**found, **{name: Interval.blank(NO_ANCHOR) for name in MEASURES[2:]}}
        right = _right(lasts, self._readout, self._key)
        return {
            **found,
            "right": wilson(float(right.sum()), float(len(right))),
            "settled and wrong": wilson(float((settled & ~right).sum()), float(len(right))),
        }

    def _radius(self, map: SelfMap[Any], lasts: Tensor) -> Interval:
        finite = torch.isfinite(lasts).flatten(1).all(dim=1)
        rows = torch.nonzero(finite)[: self._spectra, 0].tolist()
        if not rows:
            return Interval.blank("no spectrum was asked for" if finite.any() else "no state is finite")
        dimension = lasts[0].numel()
        try:
            found = spectrum(
                map,
                lasts[rows],
                rows=rows,
                count=min(4, dimension),
                rng=self._rng.generator("spectra"),
            )
        except (InputError, NotImplementedError) as error:
            return Interval.blank(f"no derivative: {error}")
        return _median(np.asarray(found.radius.value))


def _median(values: np.ndarray) -> Interval:
    known = values[np.isfinite(values)]
    if not known.size:
        return Interval.blank("the Jacobian is not finite there")
    return median_interval(known)


def _flat(epoch: float, found: Mapping[str, Interval]) -> dict[str, Any]:
    record: dict[str, Any] = {"epoch": epoch}
    for measure, one in found.items():
        record[measure] = one.blank_reason or one.value
        record[f"{measure}, low"], record[f"{measure}, high"] = one.low, one.high
    return record


def _epoch_of(given: Sequence[Any], calls: int) -> float:
    """Return the epoch that a trainer's objects name (`epoch`, `current_epoch`), else the number of calls."""
    for one in given:
        for name in ("epoch", "current_epoch"):
            epoch = getattr(one, name, None)
            if isinstance(epoch, int | float):
                return float(epoch)
        if isinstance(one, int | float):
            return float(one)
    return float(calls)


def _right(lasts: Tensor, readout: Readout, key: np.ndarray) -> np.ndarray:
    given = readout(lasts) if taken_by(readout) == 1 else readout(lasts, torch.arange(len(lasts)))
    return rights(plain_array(given), key)


def _nothing(*_: Any, **__: Any) -> None:
    return None
