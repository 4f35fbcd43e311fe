"""Do the intervals hold the truth as often as they say? The same simulation as runs/coverage/intervals.py."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "runs" / "coverage" / "intervals.py"


def _load():
    spec = importlib.util.spec_from_file_location("coverage_intervals", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


coverage = _load()


def test_the_script_prints_every_statistic(capsys, monkeypatch):
    monkeypatch.setattr(coverage, "DESIGNS", coverage.DESIGNS[2:])
    coverage.main(["--simulations", "3", "--seed", "1"])
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in coverage.truths(coverage.DESIGNS[0]))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("design", coverage.DESIGNS[:2], ids=lambda design: design.name)
def test_intervals_cover(design):
    rows = list(coverage.covered(design, simulations=1000, rng=np.random.default_rng(20261122)))
    named = [row for row in rows if row.blank < 0.05]
    assert len(named) >= 15
    for row in named:
        # 95 % aimed at; two standard errors of 1,000 simulations are 1.4 points. Close to their floor
        # (fewer than some fifteen carriers) the t quantile makes intervals too long: up to 99 % is known.
        carried_by_few = row.statistic in ("FCR(0.75)", "phi_4 seed")
        # The closure gap is biased upward and its interval reaches down for that: 99.0 and 99.2 % in two runs.
        upper = 0.995 if row.statistic == "closure gap" else 0.99 if carried_by_few else 0.972
        assert 0.93 <= row.held <= upper, row
    for row in rows:
        if not np.isnan(row.all_held):
            assert row.all_held >= 0.93, row
        if row.statistic not in ("closure gap",) and row.blank < 0.05:
            assert row.mean == pytest.approx(row.truth, abs=0.004), row
