"""Do published decoders become alike, in what, and who departs?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Int

from limitset.core.bars import Bar
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.datasets.architectures.features import CORE, FEATURES, FRONTIER
from limitset.datasets.architectures.table import PERIODS, Architectures, architectures, digest
from limitset.instruments.ecosystem.group_departure import group_departure
from limitset.instruments.ecosystem.layer_dependence import layer_dependence
from limitset.instruments.ecosystem.stack_diversity import share_change, stack_share
from limitset.instruments.ecosystem.stack_similarity import similarity_change, stack_similarity

SEED: Final = 3100
OLD, NEW, LATE = PERIODS[0], PERIODS[-1], PERIODS[3:]
CHANGE_BAR, FRONTIER_BAR = Bar("above", (0.1,)), Bar("above", (0.0,))
DEPENDENCE_BAR, GAP_BAR = Bar("above", (0.02,)), Bar("above", (0.05,))
RISE_BAR, HALF_BAR, DEPART_BAR = Bar("above", (0.3,)), Bar("above", (0.5,)), Bar("above", (0.005,))
PERMUTATIONS: Final = 999
"""Of similarity and groups; a quarter of them for dependence, which takes longer."""
PLANTED_LATE: Final = 0.95
"""Share of planted late designs that have the common value of a feature."""


def run(trial: Trial) -> Evidence:
    """Measure the shipped table of decoders, and tables of the same size with an effect planted or broken."""
    table = architectures().text
    draws = PERMUTATIONS
    trial.say("shares, similarity and dependence of features of published decoders")
    estimates = _estimates(table, trial, draws)
    trial.say("planted and shuffled tables of the same size")
    departed = table.where(_chinese(table) & (table.feature("recurrent") == "yes"))
    return Evidence(
        estimates=estimates,
        controls=_controls(table, trial, draws),
        scope=Scope.ECOSYSTEM,
        system=f"{len(table)} open decoders of one library, {table.first_seen[0]} to {table.first_seen[-1]}",
        curve=_curve(table, trial.confidence),
        rows=tuple(
            {
                "departure": str(departed.name[row]),
                "lab": str(departed.lab[row]),
                "first seen": str(departed.first_seen[row]),
            }
            for row in range(len(departed))
        ),
        notes=(
            "architectures are counted, not their use; features as in the first release that holds a model",
            f"each line of descent counted once: {_by_lineage(table, trial.confidence)}",
        ),
    )


def _estimates(table: Architectures, trial: Trial, draws: int) -> dict[str, Measurement]:
    rng, sure = _rng(trial, 0), trial.confidence
    old, new = table.period == OLD, table.period == NEW
    late, since = np.isin(table.period, LATE), table.period != OLD
    core, frontier = table.codes(CORE), table.codes(FRONTIER)
    known = table.where(table.country != "")
    departures = (known.feature("recurrent") == "yes")[_chinese(known)]

    default = table.default_stack

    def change(codes: Int[np.ndarray, "n f"]) -> Measurement:
        got = similarity_change(codes[old], codes[new], permutations=draws, confidence=sure, rng=rng)
        return got.change

    return {
        "default_rise": share_change(default[old], default[late], confidence=sure),
        "default_now": _share(default[new], sure),
        "core_change": change(core),
        "frontier_change": change(frontier),
        "chinese_departures": _share(departures, sure),
        "dependence": layer_dependence(
            table.codes(),
            features=FEATURES,
            strata=table.period,
            permutations=draws // 4,
            confidence=sure,
            rng=rng,
        ).mean,
        "country_gap": group_departure(
            known.codes(),
            np.where(_chinese(known), "China", "elsewhere"),
            strata=known.period,
            permutations=draws,
            confidence=sure,
            rng=rng,
        ).gap,
        "llama_descent": _share(table.descends_from("llama")[since], sure),
    }


def _controls(table: Architectures, trial: Trial, draws: int) -> tuple[Control, ...]:
    """Tables as large as the measured one, with effects planted, and with periods or labels shuffled."""
    sure, old, new = trial.confidence, table.period == OLD, table.period == NEW
    codes, core = table.codes(), table.codes(CORE)
    early, later = int(old.sum()), int(new.sum())

    def drawn(number: int, share: float, designs: int) -> Int[np.ndarray, "n 4"]:
        rng = _rng(trial, number)
        return (rng.random((designs, len(CORE))) > share).astype(np.int64)

    def change(before: np.ndarray, after: np.ndarray, number: int) -> Measurement:
        rng = _rng(trial, number)
        return similarity_change(before, after, permutations=draws, confidence=sure, rng=rng).change

    both = _rng(trial, 3).permutation(np.flatnonzero(old | new))
    coin = _rng(trial, 5).integers(0, 2, len(table))
    apart = _rng(trial, 6)
    shuffled = _within(codes, table.period, lambda rows: apart.permuted(rows, axis=0))
    sides = np.where(_chinese(table), "China", "elsewhere")
    mixed = _within(sides, table.period, apart.permutation)
    planted = codes.copy()
    planted[:, :4] = np.where(_chinese(table), 0, 1)[:, None]

    def dependence(features: np.ndarray, number: int) -> Measurement:
        return layer_dependence(
            features,
            features=[str(one) for one in range(features.shape[1])],
            strata=table.period,
            permutations=draws // 4,
            confidence=sure,
            rng=_rng(trial, number),
        ).mean

    def gap(features: np.ndarray, groups: np.ndarray, number: int) -> Measurement:
        rng = _rng(trial, number)
        return group_departure(
            features, groups, strata=table.period, permutations=draws, confidence=sure, rng=rng
        ).gap

    converging = change(drawn(1, 0.5, early), drawn(2, PLANTED_LATE, later), 2)
    diverging = change(drawn(1, PLANTED_LATE, early), drawn(2, 0.5, later), 4)
    periods = change(core[both[:early]], core[both[early:]], 3)
    groups: dict[tuple[str, ...], tuple[Control, ...]] = {
        ("core_change", "frontier_change"): (
            _control("designs that converge", "positive", converging, CHANGE_BAR),
            _control("designs that part", "positive", diverging, Bar("below", (0.0,))),
            _control("periods exchanged", "negative", periods, CHANGE_BAR, holds=False),
        ),
        ("dependence",): (
            _control(
                "two features that copy a coin, two of chance",
                "positive",
                dependence(np.stack([coin, coin, *apart.integers(0, 2, (2, len(table)))], axis=1), 7),
                DEPENDENCE_BAR,
            ),
            _control(
                "features shuffled within periods",
                "negative",
                dependence(shuffled, 8),
                DEPENDENCE_BAR,
                holds=False,
            ),
        ),
        ("country_gap",): (
            _control("four features that follow the country", "positive", gap(planted, sides, 9), GAP_BAR),
            _control(
                "countries exchanged within periods", "negative", gap(codes, mixed, 10), GAP_BAR, holds=False
            ),
        ),
        **_planted_shares(table, trial),
    }
    return tuple(replace(one, guards=guarded) for guarded, group in groups.items() for one in group)


def _planted_shares(table: Architectures, trial: Trial) -> dict[tuple[str, ...], tuple[Control, ...]]:
    """Shares among as many designs as were measured: planted ones, and periods exchanged."""
    sure, old, late = trial.confidence, table.period == OLD, np.isin(table.period, LATE)
    before, after, now = int(old.sum()), int(late.sum()), int((table.period == NEW).sum())
    since = len(table) - before
    chinese = int((_chinese(table) & (table.country != "")).sum())
    mixed = _rng(trial, 11).permutation(table.default_stack[old | late])

    def of(share: float, n: int) -> np.ndarray:
        return np.arange(n) < round(share * n)

    def told(name: str, n: int, bar: Bar, *, planted: float, null: float) -> tuple[Control, ...]:
        return (
            _control(f"{planted:.0%} of as many {name}", "positive", _share(of(planted, n), sure), bar),
            _control(
                f"{null:.0%} of as many {name}", "negative", _share(of(null, n), sure), bar, holds=False
            ),
        )

    rising = share_change(of(0.1, before), of(0.9, after), confidence=sure)
    exchanged = share_change(mixed[:before], mixed[before:], confidence=sure)
    return {
        ("default_rise", "default_now"): (
            _control("a share that rises from 10% to 90%", "positive", rising, RISE_BAR),
            _control("periods exchanged: the default stack", "negative", exchanged, RISE_BAR, holds=False),
            *told("designs of 2026 with the default stack", now, HALF_BAR, planted=0.9, null=0.3),
        ),
        ("chinese_departures",): told(
            "decoders of Chinese labs that depart", chinese, DEPART_BAR, planted=0.1, null=0.0
        ),
        ("llama_descent",): told(
            "decoders since 2023 of one descent", since, HALF_BAR, planted=0.9, null=0.3
        ),
    }


def _control(name: str, kind: str, measured: Measurement, wanted: Bar, *, holds: bool = True) -> Control:
    return Control(
        name=name,
        kind=kind,
        passed=wanted.holds(measured.low, measured.high) is holds,
        measured=measured,
        wanted=f"{wanted}" if holds else f"not wholly {wanted}",
    )


def _curve(table: Architectures, confidence: float) -> MeasurementTable:
    """Default share and similarity of core and frontier, period by period."""
    found = {
        "have the default stack": stack_share(table.default_stack, table.period, confidence=confidence),
        "core features in common": stack_similarity(table.codes(CORE), table.period, confidence=confidence),
        "frontier features in common": stack_similarity(
            table.codes(FRONTIER), table.period, confidence=confidence
        ),
    }
    rows = [(measure, row) for measure, part in found.items() for row in part.rows()]
    return MeasurementTable(
        instrument="stack",
        version=1,
        level=Level.ECOSYSTEM,
        axes={
            "period": np.array([row.parameters["period"] for _, row in rows], dtype=object),
            "measure": np.array([measure for measure, _ in rows], dtype=object),
        },
        value=np.array([row.value for _, row in rows]),
        low=np.array([row.low for _, row in rows]),
        high=np.array([row.high for _, row in rows]),
        n=np.array([row.n for _, row in rows]),
        blank_reason=[row.blank_reason for _, row in rows],
        interval_method="Wilson for the default stack, jackknife over designs for what is in common",
        confidence=confidence,
        notes=("n counts designs",),
    )


def _by_lineage(table: Architectures, confidence: float) -> str:
    """Say what similarity of the core comes to when each line of descent counts once."""
    got = stack_similarity(table.codes(CORE), table.period, lineages=table.root, confidence=confidence)
    said = [f"{row.parameters['period']} {row.value:.2f}" for row in got.rows() if not row.blank]
    return f"core features in common {', '.join(said)}"


def _chinese(table: Architectures) -> np.ndarray:
    return np.asarray(table.country == "China")


def _within(
    values: np.ndarray, strata: np.ndarray, shuffle: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    out = values.copy()
    for stratum in dict.fromkeys(strata.tolist()):
        out[strata == stratum] = shuffle(values[strata == stratum])
    return out


def _share(which: np.ndarray, confidence: float) -> Measurement:
    found = wilson(float(which.sum()), float(which.size), confidence=confidence)
    return Measurement(
        instrument="share_of_designs",
        version=1,
        level=Level.ECOSYSTEM,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        interval_method="Wilson",
        confidence=confidence,
        notes=(f"{int(which.sum())} of {which.size}",),
    )


def _rng(trial: Trial, number: int) -> np.random.Generator:
    return np.random.default_rng([SEED, trial.seed, number])


PROTOCOL: Final = Protocol(
    id="p31",
    title="Do published decoders become alike, in what, and who departs?",
    run=run,
    statistics={
        "default_rise": "share with the default stack, 2025-26 less 2019-22",
        "default_now": "share with the default stack in 2026",
        "core_change": "core features two decoders have in common, 2026 less 2019-22",
        "frontier_change": "frontier features two decoders have in common, 2026 less 2019-22",
        "chinese_departures": "share of decoders by Chinese labs that mix tokens otherwise than by attention",
        "dependence": "bits that one feature tells of another, beyond chance, within periods",
        "country_gap": "share of features that differ, between Chinese and other labs less within a side",
        "llama_descent": "share of decoders since 2023 that inherit code from Llama",
    },
    instruments=(
        "stack_diversity@1",
        "stack_similarity@1",
        "layer_dependence@1",
        "group_departure@1",
    ),
    data=(f"architectures sha256 {digest('architectures')}",),
    seconds={Tier.QUICK: 3},
    scope=Scope.ECOSYSTEM,
    confounds=(
        "one library of published open models: architectures are counted, not their use",
        "features are read by an extractor whose errors are measured against labels made by hand",
        "few designs before 2023, and many that inherit code after it",
    ),
)
