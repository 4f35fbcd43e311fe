"""Is a panel's vote counted as it should be, on planted panels, on the sample panel, on files of a user?"""

import csv
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.tallies import tallied
from limitset.core.verdicts import Verdict
from limitset.datasets.planted.panels import clones_world, independent_world, mixture_world, planted_tallies
from limitset.datasets.sample_panel import PANEL
from limitset.instruments.truth.best_subset import best_subset
from limitset.instruments.truth.unanimity import wrong_when_unanimous
from limitset.instruments.truth.votes import effective_number
from limitset.library.holdings.reading import read_claim
from limitset.library.protocols.p41 import PROTOCOL, false_twin
from limitset.studies.panel_votes import one_vote_each, panel_votes

ROOT = Path(__file__).parents[2]
CLAIMS = {
    claim.id: claim
    for claim in map(read_claim, sorted((ROOT / "src/limitset/library/claims").glob("41*.toml")))
}


def trial(tmp_path, **given):
    return Trial(**{"tier": Tier.QUICK, "folder": tmp_path, **given})


def verdict(estimates, claim):
    (test,) = CLAIMS[claim].tests
    return decided(estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)


def planted(world, *, questions=1000, seeds=1, seed=0):
    rng = np.random.default_rng(seed)
    return planted_tallies(world, questions=questions, seeds=seeds, rng=rng)


def found(tallies, **given):
    return panel_votes(tallies, rng=np.random.default_rng(0), **given).estimates


def logs(path, rows, *, names=("question", "model", "answer", "key")):
    with path.open("w", newline="", encoding="utf-8") as file:
        written = csv.writer(file)
        written.writerow(names)
        written.writerows(rows)
    return path


def test_claims_name_what_is_measured():
    assert set(CLAIMS) == {"41a", "41b", "41c"}
    for claim in CLAIMS.values():
        assert claim.protocol == PROTOCOL.id
        assert {test.statistic for test in claim.tests} <= set(PROTOCOL.statistics)


def test_worth_by_hand():
    # three members on four questions (effective_number): a = b = 1100, c = 1010 right; correlations of errors
    # are 1, 0 and 0, their mean 1/3: 3 / (1 + 2/3) = 1.8 votes; (1.8 - 1) / (3 - 1) = .4
    right = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0]}
    rows = [
        {"item": f"q{q}", "system": m, "end": "yx"[r], "right": r}
        for m in right
        for q, r in enumerate(right[m])
    ]
    got = found(tallied(Ends.of_rows(rows)))
    assert got["worth"].value == pytest.approx(0.4)
    # all agree on q0 (right), q3 (wrong): the other two are split
    assert got["wrong_when_all_agree"].n == 2
    assert got["vote_gain"].blank_reason.startswith("too few questions")


def test_members_that_are_never_wrong_are_no_voters():
    # d is always right: it counts on neither side
    right = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [1, 0, 1, 0], "d": [1, 1, 1, 1]}
    rows = [
        {"item": f"q{q}", "system": m, "end": "yx"[r], "right": r}
        for m in right
        for q, r in enumerate(right[m])
    ]
    assert found(tallied(Ends.of_rows(rows)))["worth"].value == pytest.approx(0.4)


@pytest.mark.parametrize("members", [2, 5, 9])
def test_independent_members_hold_and_copies_fail(members):
    alone = found(planted(independent_world(accuracy=0.7, wrong_classes=3, models=members), questions=2000))
    copies = found(planted(clones_world(accuracy=0.7, models=members)))
    assert verdict(alone, "41a") is Verdict.HOLDS
    assert verdict(copies, "41a") is Verdict.FAILS
    assert copies["worth"].value == 0


def test_agreement_is_that_of_the_instrument():
    tallies = planted(mixture_world(models=4), questions=400, seeds=6)
    mine = found(tallies)["wrong_when_all_agree"]
    theirs = wrong_when_unanimous(tallies, k_max=4).curve.one(source="model", k=4)
    assert (mine.value, mine.low, mine.high) == pytest.approx((theirs.value, theirs.low, theirs.high))


def test_gain_is_that_of_the_instrument_turned_round():
    tallies = planted(mixture_world(models=3), questions=300)
    mine = found(tallies)["vote_gain"]
    rng = np.random.default_rng(0)
    one_vote_each(tallies, rng=rng)  # takes its draws first
    theirs = best_subset(tallies, rng=rng, sizes=[1]).gains.one(size=1, against="all")
    assert (mine.value, mine.low, mine.high) == pytest.approx((-theirs.value, -theirs.high, -theirs.low))


def test_one_vote_each_casts_every_run_as_often():
    # of 4 runs 3 end in a and 1 has no answer: a is cast in three of four votes, and nothing else is
    ends = Ends.of(
        item=["q"] * 5, system=["m"] * 4 + ["n"], seed=range(5), end=["a", "a", "a", None, "b"], right=0
    )
    tallies = tallied(ends)
    cast = np.array([one_vote_each(tallies, rng=np.random.default_rng(seed)).counts for seed in range(2000)])
    assert cast[:, 0, 0].mean() == pytest.approx(0.75, abs=0.03)
    assert (cast[:, 0, 1] == 0).all()
    assert (cast[:, 1] == [0, 1]).all()


def test_several_runs_of_a_member_are_one_vote():
    # thirty runs of three members that share nothing are worth three votes, not ninety
    world = independent_world(accuracy=0.7, wrong_classes=3, models=3)
    many = planted(world, questions=1500, seeds=10)
    assert found(many)["worth"].value == pytest.approx(1, abs=0.1)
    assert effective_number(many).values.one(unit="votes").value > 20


def test_a_false_twin_agrees_alike_and_is_wrong():
    true = planted(independent_world(accuracy=0.97, wrong_classes=3, models=5))
    twin = false_twin(true)
    assert (twin.counts == true.counts).all()
    assert verdict(found(true), "41b") is Verdict.HOLDS
    assert verdict(found(twin), "41b") is Verdict.FAILS


def test_confidence_and_draws_move_the_answer():
    tallies = planted(mixture_world(models=3), questions=300, seeds=4)
    wide, narrow = found(tallies, confidence=0.99), found(tallies, confidence=0.8)
    for name in ("worth", "wrong_when_all_agree", "vote_gain"):
        assert wide[name].high - wide[name].low > narrow[name].high - narrow[name].low, name
    other = panel_votes(tallies, rng=np.random.default_rng(1)).estimates
    assert other["worth"].value != found(tallies)["worth"].value


def test_sample_panel(tmp_path):
    got = PROTOCOL.run(trial(tmp_path))
    assert not got.missed
    assert {claim: verdict(got.estimates, claim) for claim in CLAIMS} == dict.fromkeys(CLAIMS, Verdict.FAILS)
    # runs/sample-panel/README.md: worth 1.15 independent ones of five, wrong 14 % [8, 22] where all agree
    assert 1 + 4 * got.estimates["worth_of_members"].value == pytest.approx(1.15, abs=0.005)
    assert got.estimates["wrong_when_all_agree"].value == pytest.approx(0.14, abs=0.005)
    assert got.system.startswith("five prompts of two small models")
    assert got.curve.plot().to_dict()["layer"]
    assert any("Gemma Terms of Use" in note for note in got.notes)


def test_every_claim_has_controls_of_its_own(tmp_path):
    got = PROTOCOL.run(trial(tmp_path))
    for claim in CLAIMS.values():
        kinds = {one.kind for one in got.guarding([test.statistic for test in claim.tests])}
        assert kinds == {"positive", "negative"}


def test_the_file_of_a_user_is_measured(tmp_path):
    rng = np.random.default_rng(5)
    rows = [
        [f"Ask {q}?", f"judge {m}", "yes" if rng.random() < 0.8 else "no", "yes"]
        for q in range(600)
        for m in range(3)
    ]
    got = PROTOCOL.run(trial(tmp_path, logs=logs(tmp_path / "r.csv", rows)))
    assert not got.missed
    assert verdict(got.estimates, "41a") is Verdict.HOLDS
    assert "r.csv" in got.system
    assert "Gemma" not in "".join(got.notes)


def test_two_members_cannot_gain_by_voting(tmp_path):
    rows = [
        [f"Ask {q}?", f"judge {m}", "yes" if (q * (m + 3)) % 5 else "no", "yes"]
        for q in range(100)
        for m in range(2)
    ]
    got = PROTOCOL.run(trial(tmp_path, logs=logs(tmp_path / "r.csv", rows)))
    assert [one.guards for one in got.missed] == [("vote_gain",)]


def test_files_that_cannot_tell_are_refused(tmp_path):
    alone = [[f"Ask {q}?", "judge", "yes", "yes"] for q in range(5)]
    with pytest.raises(InputError, match="two members or more"):
        PROTOCOL.run(trial(tmp_path, logs=logs(tmp_path / "a.csv", alone)))
    apart = [[f"Ask {q}?", f"judge {q % 2}", "yes", "yes"] for q in range(6)]
    with pytest.raises(InputError, match="replies of every member"):
        PROTOCOL.run(trial(tmp_path, logs=logs(tmp_path / "b.csv", apart)))
    bare = [["Ask?", f"judge {m}", "yes"] for m in range(2)]
    with pytest.raises(InputError, match="agreement alone cannot tell"):
        PROTOCOL.run(
            trial(tmp_path, logs=logs(tmp_path / "c.csv", bare, names=("question", "model", "answer")))
        )


def test_seed_moves_the_planted_panels(tmp_path):
    first, other = (PROTOCOL.run(trial(tmp_path, logs=PANEL, seed=seed)) for seed in (0, 1))
    assert first.controls[0].measured.value != other.controls[0].measured.value
