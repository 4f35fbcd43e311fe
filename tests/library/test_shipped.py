"""Do the verdicts that ship still stand, and do they say what the pages say of them?"""

from pathlib import Path

import pytest

from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.holdings.shelf import Shelf
from limitset.library.judge.protocols import known, loaded
from limitset.library.judge.staleness import state, state_in_full

ROOT = Path(__file__).parents[2]
LIBRARY = Library((Shelf(BUILTIN, builtin=True),))
RUNNABLE = [claim for claim in LIBRARY.claims.values() if claim.runnable]


@pytest.mark.parametrize("claim", RUNNABLE, ids=lambda claim: claim.id)
def test_every_claim_that_can_be_run_has_a_verdict_that_stands(claim):
    verdict = LIBRARY.verdict(claim.id)
    assert verdict is not None, f"python runs/library/ship.py {claim.id}"
    files = known(LIBRARY)
    assert state(claim, verdict, today=verdict.date, protocols=files) == "current"
    protocol = loaded(claim.protocol, LIBRARY)
    assert (
        state_in_full(claim, verdict, today=verdict.date, protocol=protocol, file=files[claim.protocol])
        == "current"
    )


def test_ten_decide_with_their_controls_and_three_contradict_a_founding_text():
    newest = [LIBRARY.verdict(claim.id) for claim in RUNNABLE]
    decided = [one for one in newest if one.decisive and all(control["passed"] for control in one.controls)]
    assert len(decided) >= 10
    against = [
        one
        for one in decided
        if one.value == "fails"
        and LIBRARY.claims[one.claim].stated_by in FOUNDING
        and LIBRARY.claims[one.claim].contradicts_its_source
    ]
    assert len(against) >= 3


FOUNDING = ("f0", "f1", "f2", "f3")


@pytest.mark.parametrize("claim", RUNNABLE, ids=lambda claim: claim.id)
def test_a_verdict_tests_what_the_claim_tests(claim):
    verdict = LIBRARY.verdict(claim.id)
    assert [(one.statistic, one.holds_if, one.fails_if) for one in verdict.effects] == [
        (one.statistic, str(one.holds), str(one.fails)) for one in claim.tests
    ]
    assert {control["kind"] for control in verdict.controls} == {"positive", "negative"}
    assert verdict.run.command.startswith(f"limitset claims test {claim.id[:2]}")
    if not verdict.decisive:
        assert verdict.would_settle


def test_no_verdict_names_a_place_on_the_machine_that_ran_it():
    for history in LIBRARY.histories.values():
        for verdict in history:
            text = verdict.model_dump_json()
            assert "/home/" not in text
            assert "/root/" not in text
            assert "/tmp/" not in text


def test_the_readme_says_what_the_verdicts_on_the_stack_say():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    core = LIBRARY.verdict("31b").effects[0]
    frontier = LIBRARY.verdict("31c").effects[0]
    newest = [
        row["value"]
        for row in LIBRARY.verdict("31a").curve
        if row["measure"] == "have the default stack" and row["period"] in ("2019-22", "2026")
    ]
    assert [round(100 * one) for one in newest] == [0, 90]
    assert "from 0 % of those of 2019-22\nto 90 % of those of 2026" in readme
    assert (round(100 * core.value), round(100 * core.low), round(100 * core.high)) == (1, -10, 12)
    assert "(+1 point\n[-10, +12])" in readme
    assert (round(-100 * frontier.value), round(-100 * frontier.high), round(-100 * frontier.low)) == (
        35,
        23,
        48,
    )
    assert "35 points [23, 48] less in newer features" in readme
