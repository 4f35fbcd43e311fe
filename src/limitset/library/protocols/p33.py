"""Do chat providers come to speak one interface, and in one format?"""

from __future__ import annotations

from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import columns_of, wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.datasets.architectures.table import digest, interfaces, templates
from limitset.instruments.ecosystem.stack_diversity import share_change, stack_share

SEED: Final = 3300
RISES, NEARLY_ALL, NOT_ALL = Bar("above", (0.0,)), Bar("above", (0.9,)), Bar("below", (0.9,))


def run(trial: Trial) -> Evidence:
    """Count compatible providers of a router, and formats of a runtime's templates."""
    served, written = interfaces(), templates()
    counts = [
        (int(k), int(n))
        for k, n in zip(served["compatible_providers"], served["chat_providers"], strict=True)
    ]
    chatml = written["tokens"] != "other"
    estimates = {
        "compatible_rise": _change(counts[0], counts[-1], trial),
        "compatible_now": _share(_flags(*counts[-1]), trial),
        "chatml_share": _share(chatml, trial),
    }
    return Evidence(
        estimates=estimates,
        controls=_controls(counts[0], counts[-1], chatml.size, trial),
        scope=Scope.ECOSYSTEM,
        system=f"one router, {len(counts)} releases; {chatml.size} chat templates of one runtime",
        curve=_curve(counts, served["release"], trial.confidence),
        rows=tuple(
            {"template": str(name), "tokens": str(kind)}
            for name, kind in zip(written["template"], written["tokens"], strict=True)
            if kind != "other"
        ),
        notes=(
            "providers that stand under several names in the router count once",
            "templates are counted, not the models that use them",
        ),
    )


def _controls(
    first: tuple[int, int], last: tuple[int, int], formats: int, trial: Trial
) -> tuple[Control, ...]:
    """Tables of the same size: all alike, formats drawn from ten, and a share that doubles or stays."""
    rng = np.random.default_rng([SEED, trial.seed])
    old = (int(rng.binomial(first[1], 0.4)), first[1])
    share = first[0] / first[1]
    rising = _change(old, (int(rng.binomial(last[1], 0.8)), last[1]), trial)
    flat = _change(first, (round(share * last[1]), last[1]), trial)
    cloned = _share(np.ones(formats, dtype=bool), trial)
    varied = _share(rng.integers(0, 10, formats) == 0, trial)
    conforming = _share(np.ones(last[1], dtype=bool), trial)
    return (
        _control("a share that doubles", "positive", rising, RISES),
        _control("the first share among the last providers", "negative", flat, RISES, holds=False),
        _control("one format in all templates", "positive", cloned, NEARLY_ALL),
        _control("formats drawn from ten", "negative", varied, NOT_ALL),
        _control("every provider on one interface", "positive", conforming, NEARLY_ALL),
    )


def _control(name: str, kind: str, measured: Measurement, wanted: Bar, *, holds: bool = True) -> Control:
    return Control(
        name=name,
        kind=kind,
        passed=wanted.holds(measured.low, measured.high) is holds,
        measured=measured,
        wanted=f"{wanted}" if holds else f"not wholly {wanted}",
    )


def _flags(k: int, n: int) -> np.ndarray:
    return np.repeat([True, False], [k, n - k])


def _change(before: tuple[int, int], after: tuple[int, int], trial: Trial) -> Measurement:
    return share_change(_flags(*before), _flags(*after), confidence=trial.confidence)


def _share(which: np.ndarray, trial: Trial) -> Measurement:
    return stack_share(which, ["now"] * which.size, confidence=trial.confidence).one(period="now")


def _curve(counts: list[tuple[int, int]], releases: np.ndarray, confidence: float) -> MeasurementTable:
    found = [wilson(float(k), float(n), confidence=confidence) for k, n in counts]
    return MeasurementTable(
        instrument="compatible_share",
        version=1,
        level=Level.ECOSYSTEM,
        axes={
            "period": np.array([str(one) for one in releases], dtype=object),
            "measure": np.array(["compatible chat providers"] * len(counts), dtype=object),
        },
        interval_method="Wilson",
        confidence=confidence,
        notes=("n counts providers; releases of one router",),
        **columns_of(found),
    )


PROTOCOL: Final = Protocol(
    id="p33",
    title="Do chat providers come to speak one interface, and in one format?",
    run=run,
    statistics={
        "compatible_rise": "share of compatible chat providers, last release less first",
        "compatible_now": "share of chat providers reached through one interface",
        "chatml_share": "share of named chat templates that write ChatML tokens or a variant",
    },
    instruments=("stack_diversity@1",),
    data=(f"interfaces sha256 {digest('interfaces')}", f"templates sha256 {digest('templates')}"),
    seconds={Tier.QUICK: 1},
    scope=Scope.ECOSYSTEM,
    confounds=("one router and one runtime; both decide what they list",),
)
