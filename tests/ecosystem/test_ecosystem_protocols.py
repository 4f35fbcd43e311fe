"""Do the protocols of published stacks find what is planted, and void the run where they do not?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limitset.charts import chart_of
from limitset.charts.stack import stack_chart, stack_rows
from limitset.core.bars import decided
from limitset.core.evidence import Tier, Trial
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.core.verdicts import Verdict
from limitset.library.holdings.records import Claim
from limitset.library.protocols import p31, p32, p33

CLAIMS = Path(p31.__file__).parent.parent / "claims"
TRIAL = Trial(tier=Tier.QUICK, folder=Path("runs"))


@pytest.fixture(scope="module")
def evidence():
    return {
        "p31": p31.run(replace(TRIAL, confidence=0.975)),
        "p32": p32.run(TRIAL),
        "p33": p33.run(TRIAL),
    }


def claims():
    import tomllib

    for path in sorted(CLAIMS.glob("3[123]*.toml")):
        claim = Claim.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        if not claim.plan:
            yield pytest.param(claim, id=claim.id)


EXPECTED = {
    "31a": "holds",
    "31b": "can't tell",
    "31c": "fails",
    "31d": "fails",
    "31e": "can't tell",
    "31f": "holds",
    "31g": "holds",
    "32": "fails",
    "33a": "can't tell",
    "33b": "fails",
    "33c": "fails",
}


@pytest.mark.parametrize("claim", list(claims()))
def test_claims_are_decided_as_published(claim, evidence):
    run = evidence[claim.protocol]
    assert not run.missed
    told = [
        decided(run.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
        for test in claim.tests
    ]
    value = (
        Verdict.FAILS
        if Verdict.FAILS in told
        else Verdict.HOLDS
        if set(told) == {Verdict.HOLDS}
        else Verdict.CANT_TELL
    )
    assert value.value == EXPECTED[claim.id]


@pytest.mark.parametrize("claim", list(claims()))
def test_every_claim_has_controls_of_its_own(claim, evidence):
    guarding = evidence[claim.protocol].guarding([test.statistic for test in claim.tests])
    assert {one.kind for one in guarding} == {"positive", "negative"}


def test_every_statistic_is_named_and_measured(evidence):
    for module in (p31, p32, p33):
        protocol = module.PROTOCOL
        assert set(protocol.statistics) == set(evidence[protocol.id].estimates)


def test_files_of_one_release_are_counted_not_sampled(evidence):
    got = evidence["p32"].estimates["flax_files"]
    assert (got.value, got.low, got.high, got.n, got.interval_method) == (0, 0, 0, 1, "counted")
    last = [row for row in evidence["p32"].rows if row["JAX (Flax)"]][-1]
    assert last["JAX (Flax)"] == evidence["p32"].controls[0].measured.value == 39
    curve = evidence["p32"].curve
    assert curve.interval_method == "counted"
    assert (curve.low == curve.value).all()


def test_departures_are_named(evidence):
    named = {row["departure"] for row in evidence["p31"].rows}
    assert {"minimax", "kimi_linear"} <= named


def test_a_run_is_the_same_under_one_seed_and_controls_move_with_the_seed():
    one, two, other = (p31.run(replace(TRIAL, seed=seed)) for seed in (0, 0, 1))
    values = [[control.measured.value for control in run.controls] for run in (one, two, other)]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("seed", range(4))
def test_controls_pass_at_other_seeds(seed):
    for module in (p31, p32, p33):
        assert not module.run(replace(TRIAL, seed=seed)).missed


def test_a_planted_null_voids_the_run(monkeypatch):
    # designs that do not converge: the positive control is missed
    monkeypatch.setattr(p31, "PLANTED_LATE", 0.5)
    assert any(control.kind == "positive" for control in p31.run(TRIAL).missed)


def test_curves_are_drawn(evidence):
    for run in evidence.values():
        spec = chart_of(run.curve).to_dict()
        assert len(spec["layer"]) == 4
    rows = stack_rows(evidence["p31"].curve)
    assert {row["measure"] for row in rows} == {
        "have the default stack",
        "core features in common",
        "frontier features in common",
    }
    assert len(rows) == 18
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows if row["low"] is not None)


def test_an_empty_curve_says_so():
    blank = MeasurementTable(
        instrument="stack",
        version=1,
        level=Level.ECOSYSTEM,
        axes={"period": np.array(["x"], dtype=object), "measure": np.array(["y"], dtype=object)},
        value=np.array([np.nan]),
        blank_reason=["one design"],
    )
    assert "Too few designs" in str(stack_chart(blank).to_dict())
