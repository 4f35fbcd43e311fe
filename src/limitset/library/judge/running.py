"""How are claims put to the test, so that a killed run goes on where it was?"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limitset.core.errors import InputError
from limitset.core.evidence import Protocol, Tier, Trial
from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim, Verdict
from limitset.library.judge.appending import append
from limitset.library.judge.fingerprint import Fingerprint, fingerprint
from limitset.library.judge.judging import options_of, verdict_of
from limitset.library.judge.protocols import ProtocolStoppedError, known, loaded
from limitset.library.judge.run_folders import finish, folder_of, request_of


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a user asks of a test.

    Parameters
    ----------
    tier, seed
        How much it may cost, and the root of every draw.
    model, map, logs
        The user's own system; at most one, empty for the protocol's own.
    again
        Run also what was judged today in the same way.
    """

    tier: Tier = Tier.QUICK
    seed: int = 0
    model: str = ""
    map: str = ""
    logs: Path | None = None
    again: bool = False

    def __post_init__(self) -> None:
        if len(self.named) > 1:
            raise InputError.of(
                expected="a claim is tested on one system of yours",
                got=" and ".join(f"--{name}" for name in self.named),
                fix="Choose one.",
            )
        if self.logs is not None and not self.logs.is_file():
            raise InputError.of(
                expected=f"{self.logs} must be a file of replies", got="none there", fix="Check the path."
            )

    @property
    def named(self) -> tuple[str, ...]:
        """Which of the user's systems is named."""
        given = {"model": self.model, "map": self.map, "logs": self.logs}
        return tuple(name for name, value in given.items() if value)


@dataclass(frozen=True, kw_only=True)
class Tested:
    """A verdict that was reached just now, or stood already."""

    claim: Claim
    verdict: Verdict
    stood: bool


def put_to_test(
    claims: Sequence[Claim],
    *,
    library: Library,
    wanted: Wanted,
    today: dt.date,
    date: str,
    command: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Tested]:
    """Run the protocols of these claims and yield each verdict as soon as it is kept.

    Parameters
    ----------
    claims
        What to test; claims of one protocol share one run.
    library
        The shelves; verdicts go to the last.
    wanted
        How.
    today, date
        The day of the verdicts, and how a reader sees it.
    command
        What was typed.
    say
        Called with one line before each stage.

    Yields
    ------
    Tested
        Claim by claim. What was judged on this day in the same way is not run again.

    Raises
    ------
    InputError
        When a claim cannot be run yet, or its protocol cannot measure the system named.
    ProtocolStoppedError
        When a protocol ends the process instead of bringing evidence.
    """
    files = known(library)
    by_protocol: dict[str, list[Claim]] = {}
    for claim in claims:
        _require_runnable(claim)
        by_protocol.setdefault(claim.protocol, []).append(claim)
    for name, group in by_protocol.items():
        protocol = loaded(name, library)
        _require_accepted(protocol, wanted)
        tier = protocol.tier_or_next(wanted.tier)
        marks = {claim.id: fingerprint(protocol, files[name], claim) for claim in group}
        standing = (
            {}
            if wanted.again or wanted.named
            else {
                claim.id: found
                for claim in group
                for found in library.own.verdicts(claim.id)
                if _alike(found, marks[claim.id], wanted, tier=tier, today=today)
            }
        )
        waiting = [claim for claim in group if claim.id not in standing]
        for claim in group:
            if claim.id in standing:
                yield Tested(claim=claim, verdict=standing[claim.id], stood=True)
        if not waiting:
            continue
        request = request_of(
            name,
            tier=tier,
            seed=wanted.seed,
            mark=marks[waiting[0].id],
            model=wanted.model,
            map_=wanted.map,
            logs=wanted.logs,
        )
        trial = Trial(
            tier=tier,
            folder=folder_of(library.own.root / "runs", request, today=today, again=wanted.again),
            # of all claims of the protocol, so that a verdict does not hang on which were asked for together
            confidence=max(one.confidence for one in library.claims.values() if one.protocol == name),
            seed=wanted.seed,
            model=wanted.model,
            map=wanted.map,
            logs=wanted.logs,
            date=date,
            say=say,
        )
        say(f"{name}, {tier}: {protocol.title}")
        began = time.monotonic()
        try:
            evidence = protocol.run(trial)
        except SystemExit as error:
            raise ProtocolStoppedError(name, files[name], error.code) from error
        seconds = time.monotonic() - began
        reached = []
        for claim in waiting:
            history = [one for shelf in library.shelves for one in shelf.verdicts(claim.id)]
            verdict = verdict_of(
                claim,
                evidence,
                protocol=protocol,
                mark=marks[claim.id],
                trial=replace(trial, say=lambda _: None),
                today=today,
                seconds=seconds,
                command=command or f"limitset claims test {claim.id}{options_of(trial)} --tier {tier}",
                number=1 + len({one.id for one in history if one.date == today}),
                prior=history[-1].id if history else "",
            )
            reached.append(Tested(claim=claim, verdict=append(verdict, library.own), stood=False))
        finish(trial.folder, today)
        yield from reached


def _require_runnable(claim: Claim) -> None:
    if not claim.runnable:
        raise InputError.of(
            expected=f"claim {claim.id} must have a protocol that can be run",
            got="a plan",
            fix=f"limitset claims show {claim.id} prints it.",
        )


def _require_accepted(protocol: Protocol, wanted: Wanted) -> None:
    for name in wanted.named:
        if name not in protocol.accepts:
            takes = " or ".join(f"--{one}" for one in protocol.accepts) or "no system of yours"
            raise InputError.of(
                expected=f"protocol {protocol.id} takes {takes}",
                got=f"--{name}",
                fix="Leave it out.",
            )


def _alike(verdict: Verdict, mark: Fingerprint, wanted: Wanted, *, tier: Tier, today: dt.date) -> bool:
    """Whether a verdict was reached on this day, on our own systems, in the very same way."""
    run = verdict.run
    same = (run.protocol_hash, run.tier, run.seed) == (mark.hash, tier.value, wanted.seed)
    return verdict.own and verdict.date == today and same
