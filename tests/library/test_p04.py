"""Are the counter-examples proved, and do the controls catch a proof that proves too much?"""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.errors import InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.verdicts import Verdict
from limitset.library.holdings.reading import read_claim
from limitset.library.protocols import p04
from limitset.library.protocols.p04 import PROTOCOL
from limitset.studies.finite_orbits import all_maps, all_writers, drawn_maps, fixed_share

FOLDER = Path(__file__).parents[2] / "src/limitset/library/claims"
CLAIMS = {claim.id: claim for claim in map(read_claim, sorted(FOLDER.glob("04*.toml")))}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    # fewer boxes and states than the protocol: the type checks of the tests make each of them slow
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(p04, "PIECES", 48)
        patch.setattr(p04, "STATES", 4)
        patch.setattr(p04, "MANY", 30)
        patch.setattr(p04, "DRAWN", 3000)
        yield PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path_factory.mktemp("p04")))


def verdicts(evidence, claim):
    return [
        decided(evidence.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
        for test in CLAIMS[claim].tests
    ]


def test_claims_are_decided(evidence):
    assert set(CLAIMS) == {"04a", "04b", "04c"}
    assert not evidence.missed
    assert set(evidence.estimates) == set(PROTOCOL.statistics)
    assert verdicts(evidence, "04a") == [Verdict.FAILS]
    assert verdicts(evidence, "04b") == [Verdict.FAILS]
    assert verdicts(evidence, "04c") == [Verdict.HOLDS, Verdict.HOLDS]
    assert all(one.low == one.value == one.high for one in evidence.estimates.values())


def test_moves_against_exact_ones(evidence):
    # a tenth of a turn moves by the chord 2 sin(pi / 10) = .618034; antipodes lie 2 apart
    chord = 2 * math.sin(math.pi / 10)
    assert 0.9 * chord < evidence.estimates["least_move"].value <= chord
    assert 0 < evidence.estimates["least_move_antipode"].value <= 2
    # the least of max(rate |w|, rate |w - 1|) is rate / 2 = .1, at w = 1 / 2
    assert 0.095 < evidence.estimates["least_update_single"].value <= 0.1


def test_training_step_against_a_grid(evidence):
    angles = np.linspace(0, 2 * np.pi, 100_001)
    w = np.stack([np.cos(angles), np.sin(angles)])
    # w - .75 (X^T X w - X^T y) with X^T X = [[7, 2], [2, 4]] and X^T y = (.6, -.3), by hand
    moved = w - 0.75 * (np.array([[7, 2], [2, 4]]) @ w - np.array([[0.6], [-0.3]]))
    moved /= np.linalg.norm(moved, axis=0)
    least = np.linalg.norm(moved - w, axis=0).min()
    assert 0.7 * least < evidence.estimates["least_update"].value <= least


def test_rows_name_the_hypothesis_that_fails(evidence):
    rows = {row["map"]: row for row in evidence.rows}
    assert rows["circle, turned"]["convex"] == "refuted"
    assert rows["circle, turned"]["compact"] == "yes"
    assert rows["disc, turned"]["fixed point"] == "proved"
    assert rows["weights on a circle, small step"]["moves at least"] == 0
    assert rows["weights in a box, projected"]["self_map"] == "proved"


@pytest.mark.slow
def test_the_protocol_as_it_stands(tmp_path):
    got = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path))
    assert not got.missed
    assert got.estimates["least_move"].value > 0.6
    assert got.estimates["fixed_share"].value == pytest.approx(899 / 1944)


def test_controls_can_miss(monkeypatch):
    monkeypatch.setattr(p04, "PIECES", 48)
    rng = np.random.default_rng(0)
    found = {
        case.name: p04._certified(case, rng)
        for case in p04._cases()
        if case.name in ("weights on a circle, large step", "weights on a circle, small step")
    }
    small, large = found["weights on a circle, small step"], found["weights on a circle, large step"]
    # nothing is proved against the point that a small step fixes; a large step called small would be caught
    assert float(small.gap.low) == 0
    assert p04._no_refutation("small", small).passed
    assert not p04._no_refutation("large", large).passed
    # the proof of a fixed point is not there where there is none, and a move of 1 is none of 2
    assert not p04._existence("large", large).passed
    assert p04._moved("about 1.9", large, 1.9).passed is (0.99 * 1.9 < large.gap.low <= 1.9)
    assert not p04._moved("5", large, 5.0).passed


def test_share_of_fixed_points_by_hand():
    # two states: of the four maps (00, 01, 10, 11) and two starts, only 10 (swap) has no fixed point: 6 / 8
    assert fixed_share(2) == Fraction(6, 8)
    # three states: (1 + 2/3 + 2/9) / 3 = 17 / 27
    assert fixed_share(3) == Fraction(17, 27)
    for states in (1, 2, 3, 4):
        got = all_maps(states)
        assert got.fixed_share == fixed_share(states)
        assert got.orbits == got.cycles == states ** (states + 1)
    assert float(fixed_share(1000)) == pytest.approx(math.sqrt(math.pi / 2000), rel=0.02)
    with pytest.raises(InputError, match="one state or more"):
        fixed_share(0)


def test_writers_and_drawn_maps():
    # one token: the only window is followed by itself
    assert all_writers(tokens=1, window=3).fixed_share == 1
    got = all_writers(tokens=2, window=1)
    # windows of one token are states: writers are all four maps of two states
    assert (got.orbits, got.fixed_share) == (8, Fraction(6, 8))
    drawn = drawn_maps(20, maps=500, rng=np.random.default_rng(0))
    assert drawn.orbits == drawn.cycles == 500
    assert abs(float(drawn.fixed_share - fixed_share(20))) < 0.07
