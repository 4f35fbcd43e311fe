"""Does a run bring both controls, and a protocol the tier that was asked for or the next?"""

from pathlib import Path

import pytest

from limitset.core.errors import InputError
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.levels import Level
from limitset.core.results import Measurement

NUMBER = Measurement(instrument="x", version=1, level=Level.HIDDEN, value=0.7, low=0.6, high=0.8, n=12)


def control(kind, *, passed=True):
    return Control(name=f"planted {kind}", kind=kind, passed=passed, measured=NUMBER, wanted="above 0.5")


def evidence(*controls):
    return Evidence(estimates={"share": NUMBER}, controls=controls, scope=Scope.TOY, system="planted")


def protocol(*tiers):
    return Protocol(
        id="p90", title="?", run=lambda trial: None, statistics={}, instruments=(), data=(),
        seconds=dict.fromkeys(tiers, 1.0), scope=Scope.TOY,
    )  # fmt: skip


@pytest.mark.parametrize("kinds", [(), ("positive",), ("negative",), ("negative", "negative")])
def test_a_run_without_both_controls_is_refused(kinds):
    with pytest.raises(InputError, match="a positive and a negative control"):
        evidence(*map(control, kinds))


def test_missed_controls_are_named():
    missed = control("negative", passed=False)
    assert evidence(control("positive"), missed).missed == (missed,)
    assert evidence(control("positive"), control("negative")).missed == ()


def test_estimates_cannot_be_changed_afterwards():
    estimates = {"share": NUMBER}
    found = Evidence(
        estimates=estimates, controls=(control("positive"), control("negative")), scope=Scope.TOY, system="x"
    )
    estimates["other"] = NUMBER
    assert list(found.estimates) == ["share"]
    with pytest.raises(TypeError):
        found.estimates["share"] = NUMBER


def test_a_control_keeps_its_number():
    assert control("positive").record() == {
        "name": "planted positive", "kind": "positive", "passed": True, "wanted": "above 0.5",
        "value": 0.7, "low": 0.6, "high": 0.8, "n": 12, "guards": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("there", "wanted", "given"),
    [
        ((Tier.QUICK, Tier.NORMAL, Tier.FULL), Tier.NORMAL, Tier.NORMAL),
        ((Tier.QUICK, Tier.FULL), Tier.NORMAL, Tier.QUICK),
        ((Tier.QUICK,), Tier.FULL, Tier.QUICK),
        ((Tier.NORMAL, Tier.FULL), Tier.QUICK, Tier.NORMAL),
    ],
)
def test_the_wanted_tier_or_the_next_there_is(there, wanted, given):
    assert protocol(*there).tier_or_next(wanted) is given


@pytest.mark.parametrize("named", [{"model": "m"}, {"map": "f.py:x"}, {"logs": Path("x.csv")}])
def test_a_trial_on_the_users_system_is_not_our_own(named):
    assert Trial(tier=Tier.QUICK, folder=Path()).own
    assert not Trial(tier=Tier.QUICK, folder=Path(), **named).own


def test_every_scope_has_words():
    assert len({scope.words for scope in Scope}) == len(Scope) == 4
