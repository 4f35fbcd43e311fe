"""What is a protocol asked to do, and what must it bring back before a claim may be judged?

A protocol is a recipe frozen before the first counted run: data, statistic, controls, three sizes. It
measures; it does not judge. The bars stand in the claim, so that one run can serve several claims.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from limitset.core.errors import InputError
from limitset.core.results import Measurement, MeasurementTable, Scalar

__all__ = ["Control", "Evidence", "Protocol", "Scope", "Tier", "Trial"]


class Scope(StrEnum):
    """Of what a verdict speaks; it never leaves its scope."""

    TOY = "T"
    """Toy models trained on the spot."""
    REAL = "R"
    """Real small models."""
    ECOSYSTEM = "E"
    """Data about published models and tools."""
    LARGE = "L"
    """Needs large hardware."""

    @property
    def words(self) -> str:
        """The scope in words, for headlines."""
        return _SCOPE_WORDS[self]


_SCOPE_WORDS = {
    Scope.TOY: "toy models",
    Scope.REAL: "small real models",
    Scope.ECOSYSTEM: "published architectures and tools",
    Scope.LARGE: "large models",
}


class Tier(StrEnum):
    """How much a run may cost on two cores."""

    QUICK = "quick"
    """A minute at most."""
    NORMAL = "normal"
    """Ten minutes at most."""
    FULL = "full"
    """Forty-five minutes at most."""


def _silent(_: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a protocol is asked to do.

    Parameters
    ----------
    tier
        How much it may cost.
    folder
        Where it may keep finished parts: the same trial in the same folder goes on where it was.
    confidence
        Coverage wanted of every interval, in (0, 1); it is wider where a claim has several tests.
    seed
        Root of every random draw.
    model, map
        A language model (packaged name, folder, hub id) or a looped model (`FILE.py:OBJECT`) of the user;
        "" for the protocol's own.
    logs
        The user's own replies; None for the protocol's own.
    date
        Given, never read from a clock.
    say
        Called with one line before each stage.

    Examples
    --------
    >>> Trial(tier=Tier.QUICK, folder=Path("runs")).own
    True
    """

    tier: Tier
    folder: Path
    confidence: float = 0.95
    seed: int = 0
    model: str = ""
    map: str = ""
    logs: Path | None = None
    date: str = ""
    say: Callable[[str], None] = _silent

    @property
    def own(self) -> bool:
        """Whether the protocol measures its own systems, not the user's."""
        return not (self.model or self.map or self.logs)


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """One control of a run: an effect planted to be found, or a null that must show none.

    Parameters
    ----------
    name
        What was planted or broken, in words.
    kind
        "positive" or "negative".
    passed
        Whether it came out as it must. A missed control voids the run.
    measured
        The number behind it.
    wanted
        What it had to be, in words: "above 0.3".
    guards
        Statistics that mean nothing when it is missed; empty for all of the run.
    """

    name: str
    kind: str
    passed: bool
    measured: Measurement
    wanted: str
    guards: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return a plain record, ready for JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "passed": self.passed,
            "wanted": self.wanted,
            "value": self.measured.value,
            "low": self.measured.low,
            "high": self.measured.high,
            "n": self.measured.n,
            "guards": list(self.guards),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What a protocol brings back.

    Parameters
    ----------
    estimates
        Statistic to its number with interval; the names are those that claims test.
    controls
        At least one positive and one negative.
    scope
        What was measured.
    system
        On what: "true and false twins, 10 seeds", "smollm2-135m-instruct"; with the sha256 of a file.
    curve
        A table behind the numbers, drawn on the claim's page (`.plot()`); may be left out.
    rows
        A few rows a reader wants to see (what was asked, what came), as plain records.
    notes, deviations
        What must be said beside the numbers; what was done otherwise than the protocol says.

    Raises
    ------
    InputError
        When a positive or a negative control is missing.
    """

    estimates: Mapping[str, Measurement]
    controls: tuple[Control, ...]
    scope: Scope
    system: str
    curve: MeasurementTable | None = None
    rows: tuple[Mapping[str, Scalar], ...] = ()
    notes: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds = {control.kind for control in self.controls}
        if kinds != {"positive", "negative"}:
            raise InputError.of(
                expected="a run must bring a positive and a negative control",
                got=", ".join(sorted(kinds)) or "none",
                fix="Plant an effect, and break one.",
            )
        object.__setattr__(self, "estimates", MappingProxyType(dict(self.estimates)))

    @property
    def missed(self) -> tuple[Control, ...]:
        """Controls that did not come out as they must."""
        return tuple(control for control in self.controls if not control.passed)

    def guarding(self, statistics: Collection[str]) -> tuple[Control, ...]:
        """Return the controls without which these statistics mean nothing."""
        return tuple(one for one in self.controls if not one.guards or set(one.guards) & set(statistics))


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A frozen recipe that measures what some claims speak of.

    Parameters
    ----------
    id
        "p06"; claims name it.
    title
        What it asks, as a question.
    run
        Measures: `run(trial) -> Evidence`.
    statistics
        Names of the estimates it brings, each with its meaning in words.
    instruments
        `instrument@version` of everything that could move the numbers.
    data
        `name@version` or `name sha256` of the data it reads: changes with the data, read without loading it.
    seconds
        Tier to measured seconds on two cores; a tier that is left out does not exist.
    accepts
        Which of the user's systems it can measure instead: "model", "logs", "map".
    scope
        Of what its own run speaks.

    Examples
    --------
    >>> def run(trial):
    ...     raise NotImplementedError
    >>> protocol = Protocol(id="p00", title="Does it run?", run=run, statistics={"share": "share that runs"},
    ...     instruments=("nothing@1",), data=(), seconds={Tier.QUICK: 1}, scope=Scope.TOY)
    >>> protocol.tier_or_next(Tier.NORMAL)
    <Tier.QUICK: 'quick'>
    """

    id: str
    title: str
    run: Callable[[Trial], Evidence]
    statistics: Mapping[str, str]
    instruments: tuple[str, ...]
    data: tuple[str, ...]
    seconds: Mapping[Tier, float]
    scope: Scope
    accepts: tuple[str, ...] = ()
    confounds: tuple[str, ...] = field(default=())

    def tier_or_next(self, wanted: Tier) -> Tier:
        """Return the wanted tier, or the largest smaller one, or the smallest there is."""
        order = list(Tier)
        below = [tier for tier in order[: order.index(wanted) + 1] if tier in self.seconds]
        return below[-1] if below else next(tier for tier in order if tier in self.seconds)
