"""Which verdicts came, turned, or no longer stand?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from limitset.library.holdings.library import Library
from limitset.library.judge.staleness import CURRENT, EXPIRED, NEVER_RUN, NOT_RUNNABLE


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to the verdict of a claim.

    `what` is "new", "turned", "again" or why it no longer stands; `before` is "" where there was none.
    """

    claim: str
    statement: str
    what: str
    before: str
    now: str
    effect: str
    day: str
    command: str

    def record(self) -> dict[str, Any]:
        """Return a plain record, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        was = f" (was: {self.before})" if self.before else ""
        return f"{self.claim:4} {self.what}: {self.now}{was}, {self.effect}; {self.day}; {self.command}"


def changes(
    library: Library, *, since: dt.date, today: dt.date, states: Mapping[str, str]
) -> tuple[Change, ...]:
    """Return what happened after a day, claim by claim: verdicts that came, turned or expired.

    Parameters
    ----------
    library
        The shelves.
    since, today
        From the end of which day, until which.
    states
        Claim to how its verdict stands today.
    """
    before = library.on(since)
    found = []
    for name in library.claims:
        now, then = library.verdict(name), before.verdict(name)
        if now is None or now.date > today:
            continue
        if then is None:
            found.append(_change(library, name, "new", ""))
        elif now.id != then.id:
            found.append(_change(library, name, "again" if now.value == then.value else "turned", then.value))
        if states[name] == EXPIRED and now.expires_on >= since:
            found.append(_change(library, name, EXPIRED, ""))
    return tuple(found)


def expired(library: Library, *, states: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the verdicts that no longer stand."""
    fine = (CURRENT, NEVER_RUN, NOT_RUNNABLE)
    return tuple(
        _change(library, name, states[name], "") for name in library.claims if states[name] not in fine
    )


def _change(library: Library, name: str, what: str, before: str) -> Change:
    verdict = library.histories[name][-1]
    own = library.verdict(name) or verdict
    effect = own.effect
    number = "no number" if effect.value is None else f"{effect.words} {effect.value:.3g}"
    interval = "" if effect.low is None or effect.high is None else f" [{effect.low:.3g}, {effect.high:.3g}]"
    return Change(
        claim=name,
        statement=library.claims[name].statement,
        what=what,
        before=before,
        now=own.value,
        effect=number + interval,
        day=f"expires {own.expires_on}" if what == EXPIRED else str(own.date),
        command=f"limitset claims test {name}",
    )
