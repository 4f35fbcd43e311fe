"""What changed between an earlier audit and this one, on the questions that both hold?"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from limitset.charts.shown import percent, visible, with_interval
from limitset.core.gates import Term
from limitset.core.results import Measurement
from limitset.instruments.truth.traps import find_traps
from limitset.report.audit.named_differences import Side, difference
from limitset.report.audit.named_numbers import NAMED, measured
from limitset.report.audit.panel import Panel
from limitset.report.audit.same_replies import same_replies
from limitset.report.page import Table

Turn = Literal["better", "worse", "moved", "unchanged", "cannot be told"]

GOOD: Final = {
    "accuracy": 1,
    "n_eff": 1,
    "error_after_voting": -1,
    "surviving_share": -1,
    "wrong_when_agreed": -1,
}
"""Which way is better; a number that is not here only moves."""
SPOKEN: Final = {
    "n_eff": "how many independent ones they are worth, one run each",
    "error_after_voting": "error after voting",
    "surviving_share": "part of the error that survives voting",
    "wrong_when_agreed": "wrong where 7 of 8 runs agree",
    "agreed": "questions on which 7 of 8 runs agree",
    "accuracy": "accuracy of {0}",
    "abstained": "abstentions of {0}",
}
"""The numbers that are compared, in plain words."""
AGREED: Final = 0.875
"""Seven of eight runs: the agreement a reader would act on first."""
MOST_ROWS: Final = 200
"""Rows of the table of changes on the page; the rest stand in the JSON."""
MOST_TOLD: Final = 4
MOST_TRAPS: Final = 10
MOST_NAMED: Final = 5


_TURNED: Final = {"better": "got better", "worse": "got worse", "moved": "moved"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """One number before and now, on the questions of both audits, and the interval of the change."""

    term: Term
    before: Measurement
    now: Measurement
    change: Measurement
    same: bool = False
    """Whether the replies that it speaks of are the same in both audits."""

    @property
    def turn(self) -> Turn:
        """Which way it went, where the whole interval lies on one side of no change."""
        low, high = self.change.low, self.change.high
        if self.same or low == high == self.change.value == 0:
            return "unchanged"
        if math.isnan(low) or low <= 0 <= high:
            return "cannot be told"
        good = GOOD.get(self.term.name, 0)
        if good == 0:
            return "moved"
        return "better" if (low > 0) == (good > 0) else "worse"

    @property
    def words(self) -> str:
        """Which number it is, in plain words."""
        system = next((one for one in self.term.arguments if isinstance(one, str)), "")
        return SPOKEN[self.term.name].replace("{0}", system)

    @property
    def share(self) -> bool:
        """Whether it is a share."""
        return NAMED[self.term.name].share

    @property
    def shown(self) -> str:
        """The change with its interval."""
        if self.turn == "unchanged":
            return "unchanged"
        if not self.share:
            return with_interval(self.change)
        return percent(self.change).replace(" %", " points")

    @property
    def told(self) -> str:
        """Before and now."""
        return f"{_alone(self.before, self.share)} → {_alone(self.now, self.share)}"

    def record(self) -> dict[str, Any]:
        """Return a plain record for JSON."""
        numbers = {"value": self.change.value, "low": self.change.low, "high": self.change.high}
        return {
            "number": str(self.term),
            "before": self.before.value,
            "now": self.now.value,
            **{f"change_{name}": value for name, value in numbers.items()},
            "n": self.change.n,
            "paired": self.change.parameters.get("paired"),
            "turn": self.turn,
            "blank_reason": self.change.blank_reason,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Trap:
    """A question on which at least half of the runs give the same wrong answer, in one of two audits."""

    item: str
    question: str
    answer: str
    share: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Differences:
    """What changed since a baseline.

    Parameters
    ----------
    changes
        Numbers of each system that is in both, and of the panel.
    common, added, lost, altered
        Questions in both audits, only in this one, only in the baseline, and in both but with another text or
        key (left out).
    came, went
        Systems only in this audit, and only in the baseline.
    new_traps, healed_traps
        Among the common questions.
    notes
        What a reader must know of the baseline.
    """

    changes: tuple[Change, ...]
    common: int
    added: int
    lost: int
    altered: int
    came: tuple[str, ...]
    went: tuple[str, ...]
    new_traps: tuple[Trap, ...]
    healed_traps: tuple[Trap, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader should know first."""
        return tuple(one for one in (*_moved(self), *held_in_both(self), *self.notes) if one)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The changes, then the traps that are new and those that are gone."""
        return tuple(one for one in (_table(self.changes), *_traps(self)) if one is not None)

    def record(self) -> dict[str, Any]:
        """Return a plain record for JSON."""
        traps = {"new_traps": self.new_traps, "healed_traps": self.healed_traps}
        return {
            "sentences": list(self.sentences),
            "questions": {
                "common": self.common,
                "added": self.added,
                "lost": self.lost,
                "altered": self.altered,
            },
            "systems": {"came": list(self.came), "went": list(self.went)},
            "changes": [one.record() for one in self.changes],
            **{name: [vars(trap) for trap in held] for name, held in traps.items()},
            "notes": list(self.notes),
        }


def differences_of(
    now: Panel, before: Panel, *, comparable: Collection[str], notes: tuple[str, ...] = ()
) -> Differences:
    """Compare two audits.

    Parameters
    ----------
    now, before
        Their runs.
    comparable
        Questions that are the same in both: text and key.
    notes
        What a reader must know of the baseline.

    Returns
    -------
    Differences
        Every number is measured anew on the common questions, so that its change is now less before.
    """
    asked, earlier = (set(panel.tallies.items.astype(str)) for panel in (now, before))
    held = {name for name in comparable if name in asked and name in earlier}
    here, there = _kept(now, held), _kept(before, held)
    both = [name for name in now.systems if name in set(before.systems)]
    new, healed = _turned(here, there)
    return Differences(
        changes=tuple(_change(term, here, there) for term in _terms(both, here, there)),
        common=len(held),
        added=len(asked - earlier),
        lost=len(earlier - asked),
        altered=len((asked & earlier) - held),
        came=tuple(name for name in now.systems if name not in set(before.systems)),
        went=tuple(name for name in before.systems if name not in set(now.systems)),
        new_traps=new,
        healed_traps=healed,
        notes=notes,
    )


def _kept(panel: Panel, names: Collection[str]) -> Panel:
    def of(tallies: Any) -> Any:
        return tallies.of_questions(np.isin(tallies.items.astype(str), list(names)))

    keyed = None if panel.anchored is None else of(panel.anchored)
    return replace(
        panel,
        tallies=of(panel.tallies),
        anchored=keyed if keyed is not None and keyed.items.size else None,
    )


def _terms(systems: Sequence[str], here: Panel, there: Panel) -> list[Term]:
    keyed = here.anchored is not None and there.anchored is not None
    silent = any(bool(panel.tallies.abstained.any()) for panel in (here, there))
    found = [
        *(["n_eff"] if keyed else []),
        *(["error_after_voting", "surviving_share"] if keyed else []),
    ]
    agreed = [Term(name=name, arguments=(AGREED,)) for name in (["wrong_when_agreed"] if keyed else [])]
    each = [*(["accuracy"] if keyed else []), *(["abstained"] if silent else [])]
    return [
        *(Term(name=name) for name in found),
        *agreed,
        Term(name="agreed", arguments=(AGREED,)),
        *(Term(name=name, arguments=(system,)) for name in each for system in systems),
    ]


def _change(term: Term, here: Panel, there: Panel) -> Change:
    return Change(
        term=term,
        before=measured(there, term),
        now=measured(here, term),
        same=same_replies(term, here.tallies, there.tallies),
        change=difference(Side(panel=here, term=term), Side(panel=there, term=replace(term, baseline=True))),
    )


def _turned(here: Panel, there: Panel) -> tuple[tuple[Trap, ...], tuple[Trap, ...]]:
    now, before = _traps_of(here), _traps_of(there)
    # a question counts as healed only where this audit checks it too
    checked = set() if here.anchored is None else set(here.anchored.items.astype(str))
    known = set() if there.anchored is None else set(there.anchored.items.astype(str))
    new = tuple(trap for item, trap in now.items() if item not in before and item in known)
    return new, tuple(trap for item, trap in before.items() if item not in now and item in checked)


def _traps_of(panel: Panel) -> dict[str, Trap]:
    if panel.anchored is None:
        return {}
    texts = dict(zip(panel.items.texts("item"), panel.items.texts("text"), strict=True))
    rows = find_traps(panel.anchored, panel.items, draws=1).table.rows()
    found = [
        Trap(
            item=str(row.parameters["item"]),
            question=str(texts.get(row.parameters["item"]) or row.parameters["item"]),
            answer=str(row.parameters["end"]),
            share=row.value,
        )
        for row in rows
    ]
    return {trap.item: trap for trap in found}


def _moved(found: Differences) -> list[str]:
    told = [one for one in found.changes if one.turn in ("better", "worse", "moved")]
    told.sort(key=lambda one: ("worse", "better", "moved").index(one.turn))
    measured_ones = [one for one in found.changes if not math.isnan(one.change.low)]
    lines = [
        f"{_capital(visible(one.words))} {_TURNED[one.turn]}: {one.told}, {one.shown}."
        for one in told[:MOST_TOLD]
    ]
    if len(told) > MOST_TOLD:
        lines.append(f"{len(told) - MOST_TOLD} more numbers changed.")
    if measured_ones and all(one.turn == "unchanged" for one in measured_ones):
        lines.append(f"All {len(measured_ones)} numbers are unchanged.")
    elif not told and measured_ones:
        lines.append(f"None of {len(measured_ones)} numbers changed by more than chance could.")
    elif len(measured_ones) > 1:
        lines.append(
            f"{len(told)} of {len(measured_ones)} changes can be told from none; of changes that are none, "
            "one in twenty is told by chance."
        )
    return lines


def held_in_both(found: Differences) -> list[str]:
    """Say which questions and systems both audits hold, and how many traps came and went."""
    apart = [
        f"{count:,} {word}"
        for count, word in (
            (found.added, "only in this audit"),
            (found.lost, "only in the baseline"),
            (found.altered, "in both with another text or key, left out"),
        )
        if count
    ]
    told = f"{found.common:,} question{'s stand' if found.common != 1 else ' stands'} in both audits"
    lines = [f"{told}{'; ' if apart else ''}{', '.join(apart)}."]
    for names, word in ((found.came, "came"), (found.went, "went")):
        if names:
            shown = ", ".join(visible(name) for name in names[:MOST_NAMED])
            more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
            lines.append(f"Systems that {word}: {shown}{more}.")
    if found.came or found.went:
        lines.append("Numbers of the whole panel compare all systems of each audit.")
    if found.new_traps or found.healed_traps:
        lines.append(
            f"Consensus traps among the common questions: {len(found.new_traps)} new, "
            f"{len(found.healed_traps)} gone."
        )
    return lines


def _table(changes: Sequence[Change]) -> Table | None:
    if not changes:
        return None
    shown = sorted(changes, key=surprise, reverse=True)[:MOST_ROWS]
    kept = [one for one in changes if any(one is other for other in shown)]
    left = len(changes) - len(kept)
    return Table(
        title="Before and now, on the questions of both audits",
        columns=("number", "before", "now", "change", "n", "is"),
        rows=tuple(
            (
                one.words,
                _alone(one.before, one.share),
                _alone(one.now, one.share),
                one.change.blank_reason if one.change.blank else one.shown,
                one.change.n,
                one.turn,
            )
            for one in kept
        ),
        note=f"{left:,} more, which changed least beside their intervals, stand in the JSON." if left else "",
    )


def surprise(one: Change) -> float:
    """Return how many half-widths of its interval a change lies from none."""
    half = (one.change.high - one.change.low) / 2
    return (
        0.0 if math.isnan(half) or math.isnan(one.change.value) else abs(one.change.value) / max(half, 1e-9)
    )


def _traps(found: Differences) -> list[Table | None]:
    tables: list[Table | None] = []
    for traps, title in (
        (found.new_traps, "New traps: at least half of the runs now give the same wrong answer"),
        (found.healed_traps, "Traps that are gone"),
    ):
        more = len(traps) - MOST_TRAPS
        rows = tuple((trap.question, trap.answer, f"{100 * trap.share:.0f} %") for trap in traps[:MOST_TRAPS])
        note = f"{more:,} more stand in the JSON." if more > 0 else ""
        columns = ("question", "wrong answer", "share of runs")
        tables.append(Table(title=title, columns=columns, rows=rows, note=note) if rows else None)
    return tables


def _alone(got: Measurement, share: bool) -> str:
    return (percent(got) if share else with_interval(got)).split(" [")[0]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
