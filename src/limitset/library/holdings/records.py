"""Of what does a library consist: sources, notes with their atoms, claims with their bars, verdicts?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from limitset.core.bars import KINDS, Bar
from limitset.core.evidence import Scope
from limitset.core.levels import Level

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)]
Line = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
HalfLife = Annotated[int, Field(gt=0, le=36500)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Record):
    """Where something was said or measured.

    `lineage` is the group of independence: one study, lab or data set counts once, however many papers or
    notes it has. `access` says what was opened: the full text, the abstract, or only somebody else's note.
    """

    id: Name
    title: Line
    authors: tuple[Line, ...]
    year: int = Field(ge=1600, le=2200)
    arxiv: str = ""
    doi: str = ""
    url: str = ""
    kind: Literal["paper", "preprint", "essay", "press", "docs", "own-run"]
    access: Literal["full", "abstract", "secondary"]
    version_read: str = ""
    verified_on: dt.date
    verified_how: Line
    lineage: Name
    retracted_on: dt.date | None = None
    revised_on: dt.date | None = None

    @property
    def unread(self) -> bool:
        """Whether the source itself was never opened."""
        return self.access == "secondary"


class Atom(_Record):
    """One sentence that can be checked, with the place it comes from.

    `contradicts` names atoms ("note#1") that cannot be true together with it.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$")]
    text: Line
    source: Name
    locator: Line
    modality: Literal["finding", "inference", "opinion", "definition"]
    contradicts: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+#[a-z0-9]+$")], ...] = ()


class Note(_Record):
    """A question, at most two sentences on it, and the atoms that bear on it.

    `unread` atoms (of sources that were not opened) count for less in answers and are marked there.
    """

    id: Name
    title: Line
    gist: Line
    level: Level
    tags: tuple[Name, ...] = ()
    created: dt.date
    reviewed_on: dt.date
    half_life_days: HalfLife
    status: Literal["current", "perishable", "stale", "superseded", "erratum"] = "current"
    contradicts: tuple[Name, ...] = ()
    supersedes: tuple[Name, ...] = ()
    atoms: tuple[Atom, ...] = Field(min_length=1)
    body: str = ""

    @field_validator("atoms")
    @classmethod
    def _distinct(cls, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        names = [atom.id for atom in atoms]
        if len(set(names)) < len(names):
            raise ValueError("two atoms share an id")
        return atoms

    def cited(self, atom: Atom) -> str:
        """Return the name under which an atom is cited."""
        return f"{self.id}#{atom.id}"


class Test(_Record):
    """One statistic of a claim with its bars, fixed before the first counted run."""

    __test__ = False  # not a test of pytest

    statistic: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
    words: Line
    holds_if: Mapping[str, Any]
    fails_if: Mapping[str, Any]

    @field_validator("holds_if", "fails_if")
    @classmethod
    def _one_bar(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        _bar(value)
        return value

    @model_validator(mode="after")
    def _apart(self) -> Test:
        if self.holds.overlaps(self.fails):
            raise ValueError(f"the bars overlap: holds {self.holds}, fails {self.fails}")
        return self

    @property
    def holds(self) -> Bar:
        """Where the interval must lie for the claim to hold."""
        return _bar(self.holds_if)

    @property
    def fails(self) -> Bar:
        """Where the interval must lie for the claim to fail."""
        return _bar(self.fails_if)


class Finding(_Record):
    """What a run found, in one plain sentence for each way it may come out.

    `{value}`, `{low}`, `{high}` and `{n}` stand for the numbers of the statistic that decided,
    `{name.value}` for those of another; `{value%}` writes a share in per cent.
    """

    holds: str = ""
    fails: str = ""


class Claim(_Record):
    """A statement that a protocol can decide, frozen with its bars.

    `stated_by` names the source that asserts it. Where the statement is that of the source (`reading`
    literal), "fails" contradicts the source; where it is ours of it, our reading only is refuted.
    With fewer units than `least_n` nothing is said.
    A claim with a `plan` cannot be run yet; the plan is its protocol, written out.
    """

    id: Annotated[str, StringConstraints(pattern=r"^\d{2}[a-z]?$")]
    slug: Name
    statement: Line
    stated_by: str = ""
    reading: Literal["literal", "ours"] = "ours"
    least_n: int = Field(default=3, ge=1)
    rows: tuple[str, ...] = ()
    type: Literal["existence", "direction", "magnitude", "mechanism", "trend", "universal"]
    level: Level
    scope: Scope
    atoms: tuple[str, ...] = ()
    tags: tuple[Name, ...] = ()
    estimand: Line
    unit: Line
    falsifier: Line
    rivals: tuple[str, ...] = ()
    first_asserted: str = ""
    durable_question: Line
    perishable_part: str = ""
    half_life_days: HalfLife
    confounds: tuple[str, ...] = ()
    protocol: Annotated[str, StringConstraints(pattern=r"^p\d{2}$")]
    plan: str = ""
    tests: tuple[Test, ...] = Field(min_length=1)
    finding: Finding = Finding()

    @model_validator(mode="after")
    def _named_after_its_protocol(self) -> Claim:
        if self.protocol[1:] != self.id[:2]:
            raise ValueError(f"claim {self.id} must name protocol p{self.id[:2]}")
        return self

    @property
    def runnable(self) -> bool:
        """Whether its protocol is more than a plan."""
        return not self.plan

    @property
    def confidence(self) -> float:
        """Coverage of each interval, so that all tests together err in 5 % of runs at most (Bonferroni)."""
        return 1 - 0.05 / len(self.tests)

    def frozen(self) -> dict[str, Any]:
        """Return what may not change under a verdict: the statement, its scope, its statistics and bars."""
        return {
            **self.model_dump(mode="json", include={"id", "statement", "scope", "estimand", "unit"}),
            "tests": [[one.statistic, str(one.holds), str(one.fails)] for one in self.tests],
            "least_n": self.least_n,
        }

    @property
    def contradicts_its_source(self) -> bool:
        """Whether a verdict of "fails" contradicts the source that states it."""
        return bool(self.stated_by) and self.reading == "literal"


class Effect(_Record):
    """One measured statistic of a verdict, beside its bars; NaN is null in the file."""

    statistic: str
    words: str
    value: float | None
    low: float | None
    high: float | None
    n: float | None
    interval_method: str = ""
    confidence: float = 0.95
    blank_reason: str = ""
    instrument: str = ""
    verdict: Literal["holds", "fails", "can't tell"]
    holds_if: str
    fails_if: str


class Run(_Record):
    """How a verdict came about: enough to do it again.

    `protocol_hash` covers the protocol's file, the instruments and data it used, and the frozen part of the
    claim; the parts are kept beside it, so that what changed can be named.
    """

    protocol: str
    protocol_hash: str
    file_hash: str
    claim_hash: str
    instruments: tuple[str, ...]
    data: tuple[str, ...]
    tier: str
    seed: int
    command: str
    seconds: float
    packages: Mapping[str, str]
    machine: Mapping[str, str | int]
    deviations: tuple[str, ...] = ()


class Verdict(_Record):
    """What one run said of one claim. Verdicts are only ever appended.

    `system` is what was measured; `own` is False where it was the user's. `would_settle` says what a
    can't-tell needs.
    """

    id: str
    claim: str
    value: Literal["holds", "fails", "can't tell"]
    scope: Scope
    system: Line
    own: bool
    effects: tuple[Effect, ...]
    controls: tuple[Mapping[str, Any], ...]
    date: dt.date
    expires_on: dt.date
    reason: Line
    would_settle: str = ""
    notes: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    curve: tuple[Mapping[str, Any], ...] = ()
    run: Run
    prior: str = ""

    @property
    def decisive(self) -> bool:
        """Whether it says holds or fails."""
        return self.value != "can't tell"

    @property
    def effect(self) -> Effect:
        """The statistic that decided: the first that fails, else the first."""
        return next((one for one in self.effects if one.verdict == self.value), self.effects[0])


def _bar(value: Mapping[str, Any]) -> Bar:
    if len(value) != 1 or next(iter(value)) not in KINDS:
        raise ValueError("a bar is one of above, below, within, outside")
    kind, ends = next(iter(value.items()))
    numbers = ends if isinstance(ends, list | tuple) else [ends]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in numbers):
        raise ValueError("the ends of a bar are numbers")
    return Bar(kind, tuple(float(end) for end in numbers))
