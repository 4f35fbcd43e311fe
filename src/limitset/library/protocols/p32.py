"""Does one framework give way to another in the library that publishes models?"""

from __future__ import annotations

from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import columns_of, wilson
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.datasets.architectures.table import digest, frameworks
from limitset.instruments.ecosystem.stack_diversity import share_change, stack_share

SEED: Final = 3200
BEFORE: Final = "2024"
"""The first release of this year stands for the past: the essay speaks of a succession under way since."""
RISES, FALLS, SELDOM = Bar("above", (0.0,)), Bar("below", (0.0,)), Bar("below", (0.1,))
DRAWS: Final = 400
NAMES: Final = {"pytorch": "PyTorch", "tensorflow": "TensorFlow", "flax": "JAX (Flax)"}


def run(trial: Trial) -> Evidence:
    """Compare the files of models by framework between two releases."""
    files = frameworks()
    total = np.sum([files[name] for name in NAMES], axis=0)
    first = int(np.flatnonzero([built[:4] >= BEFORE for built in files["built"]])[0])
    flax = files["flax"]

    def change(before: tuple[int, int], after: tuple[int, int]) -> Measurement:
        sides = (np.repeat([True, False], [k, n - k]) for k, n in (before, after))
        return share_change(*sides, confidence=trial.confidence)

    old, new = (int(flax[first]), int(total[first])), (int(flax[-1]), int(total[-1]))
    rng = np.random.default_rng([SEED, trial.seed])
    doubled = (int(rng.binomial(new[1], 2 * old[0] / old[1])), new[1])
    rising = change(old, doubled)
    drawn = rng.binomial([old[1], new[1]], old[0] / old[1], (DRAWS, 2))
    flat = [change((int(a), old[1]), (int(b), new[1])) for a, b in drawn]
    called = np.array([RISES.holds(one.low, one.high) or FALLS.holds(one.low, one.high) for one in flat])
    by_chance = stack_share(called, ["draws"] * DRAWS).one(period="draws")
    return Evidence(
        estimates={"flax_change": change(old, new)},
        controls=(
            Control(
                name="a share that doubles",
                kind="positive",
                passed=RISES.holds(rising.low, rising.high),
                measured=rising,
                wanted=f"{RISES}",
            ),
            Control(
                name=f"pairs of draws of one share, of {DRAWS}, that are called a change",
                kind="negative",
                passed=SELDOM.holds(by_chance.low, by_chance.high),
                measured=by_chance,
                wanted=f"{SELDOM}",
            ),
        ),
        scope=Scope.ECOSYSTEM,
        system=f"{len(total)} releases of one model library, {files['built'][0]} to {files['built'][-1]}",
        curve=_curve(trial.confidence),
        rows=tuple(
            {
                "release": str(files["release"][row]),
                "built": str(files["built"][row]),
                **{said: int(files[name][row]) for name, said in NAMES.items()},
            }
            for row in _told(files["built"], first)
        ),
        notes=(
            "of one library: support of two frameworks was removed from it in one release",
            "a package index shows JAX rising outside of it; that count is not run again here",
        ),
    )


def _told(built: np.ndarray, first: int) -> list[int]:
    """Return the last release of each year, the one compared with, and the last."""
    years = {str(day)[:4]: row for row, day in enumerate(built)}
    return sorted({*years.values(), first, len(built) - 1})


def _curve(confidence: float) -> MeasurementTable:
    files = frameworks()
    total = np.sum([files[name] for name in NAMES], axis=0)
    rows = _told(files["built"], 0)
    cells = [(row, name) for name in NAMES for row in rows]
    found = [wilson(float(files[name][row]), float(total[row]), confidence=confidence) for row, name in cells]
    return MeasurementTable(
        instrument="framework_share",
        version=1,
        level=Level.ECOSYSTEM,
        axes={
            "period": np.array([str(files["built"][row])[:7] for row, _ in cells], dtype=object),
            "measure": np.array([NAMES[name] for _, name in cells], dtype=object),
        },
        interval_method="Wilson",
        confidence=confidence,
        notes=("n counts files of models",),
        **columns_of(found),
    )


PROTOCOL: Final = Protocol(
    id="p32",
    title="Does one framework give way to another in the library that publishes models?",
    run=run,
    statistics={"flax_change": "share of model files in JAX (Flax), latest release less January 2024"},
    instruments=("stack_diversity@1",),
    data=(f"frameworks sha256 {digest('frameworks')}",),
    seconds={Tier.QUICK: 1},
    scope=Scope.ECOSYSTEM,
    confounds=("one library; files are counted, not their use",),
)
