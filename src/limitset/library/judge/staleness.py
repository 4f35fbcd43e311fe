"""Does a verdict still stand today?

Nothing heavy is loaded: the file of the protocol, the frozen claim and the versions of the instruments are
read as text; only what a protocol says of its data needs the protocol itself (`state_in_full`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from limitset.core.errors import DependencyError
from limitset.core.evidence import Protocol
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Verdict
from limitset.library.judge.fingerprint import claim_hash, file_hash, fingerprint
from limitset.library.judge.protocols import known, loaded

CURRENT: Final = "current"
EXPIRED: Final = "expired"
PROTOCOL_CHANGED: Final = "protocol changed"
CLAIM_CHANGED: Final = "claim changed"
INSTRUMENT_CHANGED: Final = "instrument changed"
DATA_CHANGED: Final = "data changed"
NOT_RUNNABLE: Final = "not yet runnable"
NEVER_RUN: Final = "never run"

_NAMED = re.compile(r'^INSTRUMENT(?:: Final)? = "([^"]+)"', re.MULTILINE)
_VERSION = re.compile(r"^VERSION(?:: Final)? = (\d+)", re.MULTILINE)


def state(claim: Claim, verdict: Verdict | None, *, today: dt.date, protocols: Mapping[str, Path]) -> str:
    """Return how the newest verdict of a claim stands.

    Parameters
    ----------
    claim, verdict
        The claim and its newest verdict, if any.
    today
        The day of the question.
    protocols
        Id to file of every protocol that can be run.

    Returns
    -------
    str
        "current", or why not.
    """
    if verdict is None:
        return NEVER_RUN if claim.runnable else NOT_RUNNABLE
    if verdict.run.claim_hash != claim_hash(claim):
        return CLAIM_CHANGED
    file = protocols.get(claim.protocol)
    if file is None or verdict.run.file_hash != file_hash(file):
        return PROTOCOL_CHANGED
    now = instrument_versions()
    for one in verdict.run.instruments:
        name, _, rest = one.partition("@")
        version = rest.partition(" ")[0]  # "flatness@1 noise 0.1": settings may follow
        if name in now and version != now[name]:
            return INSTRUMENT_CHANGED
    return EXPIRED if today > verdict.expires_on else CURRENT


def state_in_full(claim: Claim, verdict: Verdict, *, today: dt.date, protocol: Protocol, file: Path) -> str:
    """Return how a verdict stands, the data and the instruments that the protocol names now included."""
    now = fingerprint(protocol, file, claim)
    if verdict.run.claim_hash != now.claim:
        return CLAIM_CHANGED
    if verdict.run.file_hash != now.file:
        return PROTOCOL_CHANGED
    if tuple(sorted(verdict.run.instruments)) != now.instruments:
        return INSTRUMENT_CHANGED
    if tuple(sorted(verdict.run.data)) != now.data:
        return DATA_CHANGED
    return EXPIRED if today > verdict.expires_on else CURRENT


def in_full(library: Library, states: Mapping[str, str], *, today: dt.date) -> dict[str, str]:
    """Return the states with the data of the protocols looked at too: it loads those whose verdicts stand.

    A protocol that cannot be loaded here (a package is missing) leaves its states as they are.
    """
    files, found = known(library), dict(states)
    protocols: dict[str, Protocol | None] = {}
    for name, state_now in states.items():
        claim, verdict = library.claims[name], library.verdict(name)
        if state_now != CURRENT or verdict is None:
            continue
        if claim.protocol not in protocols:
            try:
                protocols[claim.protocol] = loaded(claim.protocol, library)
            except DependencyError:
                protocols[claim.protocol] = None
        protocol = protocols[claim.protocol]
        if protocol is not None:
            file = files[claim.protocol]
            found[name] = state_in_full(claim, verdict, today=today, protocol=protocol, file=file)
    return found


@cache
def instrument_versions() -> Mapping[str, str]:
    """Return instrument to version, read from the text of the instruments.

    Examples
    --------
    >>> "flatness" in instrument_versions()
    True
    """
    found = {}
    for path in sorted((Path(__file__).parents[2] / "instruments").glob("*/*.py")):
        text = path.read_text(encoding="utf-8")
        name, version = _NAMED.search(text), _VERSION.search(text)
        if name and version:
            found[name[1]] = version[1]
    return found
