"""What does a run say of a claim, and if it cannot tell, what would settle it?"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from limitset.core.bars import Bar, decided
from limitset.core.errors import InputError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.json_values import plain
from limitset.core.provenance import machine, package_versions
from limitset.core.results import Measurement
from limitset.core.verdicts import Verdict as Decision
from limitset.library.holdings.records import Claim, Effect, Run, Test, Verdict
from limitset.library.judge.fingerprint import Fingerprint

MOST_ROWS: Final = 12
"""Rows a verdict keeps to be shown; the others stand in the run's folder."""
MOST_POINTS: Final = 400
"""Points of the curve a verdict keeps."""


def verdict_of(
    claim: Claim,
    evidence: Evidence,
    *,
    protocol: Protocol,
    mark: Fingerprint,
    trial: Trial,
    today: dt.date,
    seconds: float,
    command: str,
    number: int,
    prior: str,
) -> Verdict:
    """Judge a claim by what its protocol brought.

    Parameters
    ----------
    claim, evidence
        What is claimed, what was measured.
    protocol, mark, trial
        How it was measured.
    today, seconds, command
        When, for how long, and how to do it again.
    number, prior
        Which verdict of that day this is, and the id of the one before it.

    Returns
    -------
    Verdict
        Holds when all tests hold and no control was missed, fails when one fails, else can't tell.

    Raises
    ------
    InputError
        When the run lacks a statistic that the claim tests.
    """
    effects = tuple(_effect(test, evidence) for test in claim.tests)
    guarding = evidence.guarding([test.statistic for test in claim.tests])
    missed = [control for control in guarding if not control.passed]
    short = [one for one in effects if one.n is not None and one.n < claim.least_n]
    value = _together(effects, void=bool(missed or short))
    run = Run(
        protocol=protocol.id,
        protocol_hash=mark.hash,
        file_hash=mark.file,
        claim_hash=mark.claim,
        instruments=mark.instruments,
        data=mark.data,
        tier=trial.tier.value,
        seed=trial.seed,
        command=command,
        seconds=round(seconds, 1),
        packages=package_versions(),
        machine=machine(),
        deviations=evidence.deviations,
    )
    return Verdict(
        id=f"v-{claim.id}-{today:%Y%m%d}-{number}-{_apart(effects, run, evidence.system, own=trial.own)}",
        claim=claim.id,
        value=value.value,
        scope=evidence.scope,
        system=evidence.system,
        own=trial.own,
        effects=effects,
        controls=tuple(plain(control.record()) for control in guarding),
        date=today,
        expires_on=today + dt.timedelta(days=claim.half_life_days),
        reason=_reason(value, effects, missed, short, claim),
        would_settle=settling(effects, evidence, missed, protocol=protocol, trial=trial, claim=claim)
        if value is Decision.CANT_TELL
        else "",
        notes=evidence.notes,
        rows=tuple(plain(dict(row)) for row in evidence.rows[:MOST_ROWS]),
        curve=_curve(evidence),
        run=run,
        prior=prior,
    )


def settling(
    effects: tuple[Effect, ...],
    evidence: Evidence,
    missed: Sequence[Control],
    *,
    protocol: Protocol,
    trial: Trial,
    claim: Claim,
) -> str:
    """Say which command, how many units and what cost would settle a can't-tell."""
    again = f"limitset claims test {claim.id}{options_of(trial)}"
    larger = [tier for tier in list(Tier)[list(Tier).index(trial.tier) + 1 :] if tier in protocol.seconds]
    if missed and trial.logs is not None:
        return (
            "A control of the size of your file was missed, so nothing is said: with more questions or runs "
            f"in it {again} asks again; {_ours(claim)}."
        )
    if missed:
        retry = f"{again} --tier {larger[0]}" if larger else f"{again} --seed {trial.seed + 1}"
        return f"A control was missed, so nothing is said: {retry} asks again."
    open_ones = [one for one in effects if one.verdict == Decision.CANT_TELL.value]
    if not open_ones:  # every statistic is decided, on too few units
        return _enough(effects, again, larger, trial=trial, claim=claim)
    return _more_of(open_ones[0], evidence, again, larger, protocol=protocol, trial=trial, claim=claim)


def _enough(
    effects: tuple[Effect, ...], again: str, larger: list[Tier], *, trial: Trial, claim: Claim
) -> str:
    """Say what brings the least n where only that is missing."""
    short = min((one for one in effects if one.n is not None), key=lambda one: one.n or 0)
    said = f"n = {claim.least_n} (each a {claim.unit}) instead of {short.n:g}"
    if trial.logs is not None:
        return f"{said} in your file: {again} tells it then."
    if larger:
        return f"{said}: {again} --tier {larger[0]} comes nearer."
    if not trial.own:
        return f"{said}, which one system of yours does not hold: {_ours(claim)}."
    return f"{said}; {trial.tier} is the largest tier: {again} --seed {trial.seed + 1} asks again."


def _blank(effect: Effect, again: str, larger: list[Tier], *, trial: Trial, claim: Claim) -> str:
    """Say what could bring a statistic that a run left blank, or without an interval."""
    said = f"{effect.words}: {effect.blank_reason or 'it has no interval'}"
    if trial.map:
        return f"{said}. This run cannot bring it; {_ours(claim)}."
    if trial.logs is not None:
        return f"{said}. More replies in your file may bring it: {again}; {_ours(claim)}."
    if larger:
        return f"{said}. {again} --tier {larger[0]} may bring it."
    if trial.model:
        return f"{said}. This run cannot bring it; {_ours(claim)}."
    return f"{said}. {trial.tier} is the largest tier: {again} --seed {trial.seed + 1} asks again."


def _ours(claim: Claim) -> str:
    return f"limitset claims test {claim.id} tests it on our systems"


def _more_of(
    effect: Effect,
    evidence: Evidence,
    again: str,
    larger: list[Tier],
    *,
    protocol: Protocol,
    trial: Trial,
    claim: Claim,
) -> str:
    if effect.value is None or effect.low is None or effect.high is None:
        return _blank(effect, again, larger, trial=trial, claim=claim)
    test = next(one for one in claim.tests if one.statistic == effect.statistic)
    wanted = _wanted(effect, test)
    if math.isinf(wanted):
        return (
            f"{effect.words} lies between the bars ({effect.holds_if} holds, {effect.fails_if} fails): more "
            f"runs would narrow its interval, not decide it ({again} --seed {trial.seed + 1} adds one)."
        )
    has = effect.n or 0
    seconds = protocol.seconds.get(trial.tier, 0) * wanted
    said = f"n = {math.ceil(has * wanted):,} (each a {claim.unit}) instead of {has:,.0f}"
    if trial.logs is not None:
        return f"{said} in your file: {again} tells it then."
    if evidence.scope is Scope.ECOSYSTEM and not larger:
        return f"{said}, which the data do not hold: a later version of them may, then {again}."
    said = f"{said}, about {_duration(seconds)}"
    if larger:
        return f"{said}: {again} --tier {larger[0]} ({_duration(protocol.seconds[larger[0]])}) comes nearer."
    return (
        f"{said}; {trial.tier} is the largest tier: {again} --seed {trial.seed + 1} adds an independent run."
    )


def _effect(test: Test, evidence: Evidence) -> Effect:
    found = evidence.estimates.get(test.statistic)
    if found is None:
        raise InputError.of(
            expected=f"the run must bring {test.statistic}",
            got=", ".join(evidence.estimates) or "nothing",
            fix="Name one of these in the claim.",
        )
    return Effect(
        statistic=test.statistic,
        words=test.words,
        value=_number(found.value),
        low=_number(found.low),
        high=_number(found.high),
        n=_number(found.n),
        interval_method=found.interval_method,
        confidence=found.confidence,
        blank_reason=found.blank_reason,
        instrument=f"{found.instrument}@{found.version}",
        verdict=_decided(found, test).value,
        holds_if=str(test.holds),
        fails_if=str(test.fails),
    )


def _decided(found: Measurement, test: Test) -> Decision:
    return decided(found, holds_if=test.holds, fails_if=test.fails)


def _together(effects: tuple[Effect, ...], *, void: bool) -> Decision:
    each = {one.verdict for one in effects}
    if void:
        return Decision.CANT_TELL
    if Decision.FAILS.value in each:
        return Decision.FAILS
    return Decision.HOLDS if each == {Decision.HOLDS.value} else Decision.CANT_TELL


def _reason(
    value: Decision,
    effects: tuple[Effect, ...],
    missed: Sequence[Control],
    short: Sequence[Effect],
    claim: Claim,
) -> str:
    if missed:
        return "control missed: " + "; ".join(
            f"{one.name} had to be {one.wanted}, was {_with_interval(one.measured)}" for one in missed
        )
    if short:
        return (
            f"{short[0].words} rests on n = {short[0].n:g}; with fewer than {claim.least_n} nothing is said"
        )
    deciding = next((one for one in effects if one.verdict == value.value), effects[0])
    side = {
        Decision.HOLDS: deciding.holds_if,
        Decision.FAILS: deciding.fails_if,
        Decision.CANT_TELL: f"neither {deciding.holds_if} nor {deciding.fails_if}",
    }[value]
    return f"{deciding.words} is {side}"


def _with_interval(found: Measurement) -> str:
    ends = f" [{found.low:.3g}, {found.high:.3g}]" if math.isfinite(found.low + found.high) else ""
    return f"{found.value:.3g}{ends}"


def _wanted(effect: Effect, test: Test) -> float:
    """By which factor n must grow for the interval to lie on the value's side of a bar; inf between bars.

    An interval shrinks towards the value as one over the square root of n.
    """
    value, low, high = (float(one) for one in (effect.value, effect.low, effect.high) if one is not None)
    side = next((bar for bar in (test.holds, test.fails) if bar.holds(value, value)), None)
    if side is None:
        return math.inf
    return max((reach / room) ** 2 for reach, room in _rooms(side, value, low, high))


def _rooms(bar: Bar, value: float, low: float, high: float) -> list[tuple[float, float]]:
    """Return how far the interval reaches towards each end that it must not pass, and how far it may."""
    below, above = (value - low, value - bar.ends[0]), (high - value, bar.ends[-1] - value)
    if bar.kind == "within":
        return [below, above]
    if bar.kind == "outside":  # beyond one end: the other is farther
        return [
            (value - low, value - bar.ends[1]) if value > bar.ends[1] else (high - value, bar.ends[0] - value)
        ]
    return [below if bar.kind == "above" else above]


def options_of(trial: Trial) -> str:
    """Return the options that name the user's system, as they are typed; "" for our own."""
    named = {"model": trial.model, "map": trial.map, "logs": str(trial.logs or "")}
    return "".join(f" --{name} {shlex.quote(value)}" for name, value in named.items() if value)


def _apart(effects: tuple[Effect, ...], run: Run, system: str, *, own: bool) -> str:
    """Return what tells a verdict from those of every other shelf: a digest of what came; u for a user's."""
    parts = [one.model_dump(mode="json") for one in effects], run.model_dump(mode="json"), system
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:6]
    return digest if own else f"u{digest}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _curve(evidence: Evidence) -> tuple[Mapping[str, Any], ...]:
    if evidence.curve is None or len(evidence.curve) > MOST_POINTS:
        return ()
    return tuple(plain(row) for row in evidence.curve.records())


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
