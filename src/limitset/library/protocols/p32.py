"""Did the library that publishes models keep its support of a second and a third framework?"""

from __future__ import annotations

from typing import Final

import numpy as np

from limitset.core.bars import Bar
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.intervals import Interval, columns_of
from limitset.core.levels import Level
from limitset.core.results import Measurement, MeasurementTable
from limitset.datasets.architectures.table import digest, frameworks

SOME, NONE = Bar("above", (0.5,)), Bar("below", (0.5,))
COUNTED: Final = "counted"
"""One release is no sample: what is counted has no interval."""
NAMES: Final = {"pytorch": "PyTorch", "tensorflow": "TensorFlow", "flax": "JAX (Flax)"}


def run(trial: Trial) -> Evidence:
    """Count the files of models by framework in the latest release, and show the releases before it."""
    trial.say("counting the model files of each release")
    files = frameworks()
    flax = files["flax"]
    had = int(np.flatnonzero(flax > 0)[-1])
    latest = _count(int(flax[-1]))
    before = _count(int(flax[had]))
    earlier = _count(int(flax[0]))
    return Evidence(
        estimates={"flax_files": latest},
        controls=(
            Control(
                name=f"the last release that had such files, {files['release'][had]}, is seen to have them",
                kind="positive",
                passed=SOME.holds(before.low, before.high),
                measured=before,
                wanted=f"{SOME}",
                guards=("flax_files",),
            ),
            Control(
                name=f"the first release, {files['release'][0]}, older than they, is seen to have none",
                kind="negative",
                passed=NONE.holds(earlier.low, earlier.high),
                measured=earlier,
                wanted=f"{NONE}",
                guards=("flax_files",),
            ),
        ),
        scope=Scope.ECOSYSTEM,
        system=f"{len(flax)} releases of one model library, {files['built'][0]} to {files['built'][-1]}",
        curve=_curve(),
        rows=tuple(
            {
                "release": str(files["release"][row]),
                "built": str(files["built"][row]),
                **{said: int(files[name][row]) for name, said in NAMES.items()},
            }
            for row in _told(files["built"], had)
        ),
        notes=(
            f"of one library: release {files['release'][had + 1]} removed two frameworks at once",
            "a package index shows JAX rising outside of it; that count is not run again here",
        ),
    )


def _count(found: int) -> Measurement:
    return Measurement(
        instrument="model_files",
        version=1,
        level=Level.ECOSYSTEM,
        value=float(found),
        low=float(found),
        high=float(found),
        n=1.0,
        interval_method=COUNTED,
    )


def _told(built: np.ndarray, shown: int) -> list[int]:
    """Return the last release of each year, one to be shown, and the last."""
    years = {str(day)[:4]: row for row, day in enumerate(built)}
    return sorted({*years.values(), shown, len(built) - 1})


def _curve() -> MeasurementTable:
    files = frameworks()
    total = np.sum([files[name] for name in NAMES], axis=0)
    rows = _told(files["built"], 0)
    cells = [(row, name) for name in NAMES for row in rows]
    shares = [(files[name][row] / total[row], float(total[row])) for row, name in cells]
    found = [Interval(value=value, low=value, high=value, n=n) for value, n in shares]
    return MeasurementTable(
        instrument="framework_share",
        version=1,
        level=Level.ECOSYSTEM,
        axes={
            "period": np.array([str(files["built"][row])[:7] for row, _ in cells], dtype=object),
            "measure": np.array([NAMES[name] for _, name in cells], dtype=object),
        },
        interval_method=COUNTED,
        notes=("n counts files of models",),
        **columns_of(found),
    )


PROTOCOL: Final = Protocol(
    id="p32",
    title="Did the library that publishes models keep its support of a second and a third framework?",
    run=run,
    statistics={"flax_files": "model files in JAX (Flax) in the latest release"},
    instruments=("model_files@1",),
    data=(f"frameworks sha256 {digest('frameworks')}",),
    seconds={Tier.QUICK: 1},
    scope=Scope.ECOSYSTEM,
    confounds=(
        "one library; files are counted, not their use",
        "one decision of one project",
    ),
)
