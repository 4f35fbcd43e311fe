"""Does the protocol tell nets that share their insides from nets that do not?"""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.errors import InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.streams import Streams
from limitset.core.verdicts import Verdict
from limitset.library.holdings.records import Claim
from limitset.library.protocols.p07 import PROTOCOL, evidence_of
from limitset.studies.generalisers import (
    ARMS,
    GENERAL,
    OTHER,
    SAME,
    Group,
    images,
    labels_of,
    mean_of,
    over_nets,
    similarities,
    trained_group,
)

LIBRARY = Path(__file__).parents[2] / "src" / "limitset" / "library"


def claims():
    texts = [path.read_text() for path in sorted((LIBRARY / "claims").glob("07*.toml"))]
    return [Claim.model_validate(tomllib.loads(text)) for text in texts]


def verdicts_of(found, claim):
    return {
        str(decided(found.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails))
        for test in claim.tests
    }


def made(arm, *, own, seed, nets=5, items=120, width=6):
    """Activations that share one pattern, with noise of their own: `own` 0 gives rotated copies."""
    shared = np.random.default_rng(0).standard_normal((items, width))
    rng = np.random.default_rng(seed)
    hidden = np.stack([shared + own * rng.standard_normal((items, width)) for _ in range(nets)])
    return Group(arm=arm, hidden=hidden, fitted=np.ones(nets), right=np.ones(nets))


def test_claims_ask_for_what_the_protocol_brings():
    assert [claim.id for claim in claims()] == ["07a", "07b"]
    assert {test.statistic for claim in claims() for test in claim.tests} <= set(PROTOCOL.statistics)
    for claim in claims():
        for atom in claim.atoms:
            note, _, number = atom.partition("#")
            assert f'id = "{number}"' in (LIBRARY / "notes" / f"{note}.md").read_text()


def test_labels_of_the_arms():
    answers = np.arange(30) % 10
    streams = Streams(4)
    told = {arm: labels_of(arm, answers, 3, streams) for arm in ARMS}
    assert (told[GENERAL] == answers).all()
    assert (told[SAME][0] == told[SAME][2]).all()
    assert not (told[SAME][0] == answers).all()
    assert not (told[OTHER][0] == told[OTHER][1]).all()
    # a shuffle keeps how often each label occurs
    assert all((np.bincount(row) == 3).all() for arm in ARMS for row in told[arm])
    with pytest.raises(InputError, match="an arm is one of"):
        labels_of("forget", answers, 2, streams)


def test_images_repeat_each_segment_with_its_own_blur():
    drawn = images(4, pixels=3, blur=0.0, rng=np.random.default_rng(1))
    assert drawn.inputs.shape == (4, 42)
    assert (drawn.inputs[:, 0::3] == drawn.inputs[:, 2::3]).all()
    blurred = images(4, pixels=3, blur=0.2, rng=np.random.default_rng(1))
    assert (blurred.answers == drawn.answers).all()
    assert 0.1 < (blurred.inputs - drawn.inputs).std() < 0.3


def test_similarity_of_a_group_leaves_out_the_net_itself():
    table = similarities(group := made(GENERAL, own=0.0, seed=1, nets=3), group)
    assert np.isnan(np.diag(table)).all()
    assert table[0, 1] == table[1, 0] == pytest.approx(1.0)
    across = similarities(group, made(SAME, own=0.0, seed=1, nets=2))
    assert across.shape == (3, 2)
    assert not np.isnan(across).any()
    # without net 0: the pairs of 1 and 2 alone
    assert mean_of(table, np.array([1, 2]), np.array([1, 2])) == table[1, 2]


def test_interval_over_nets_by_hand():
    x = np.array([1.0, 2.0, 3.0, 6.0])
    got = over_nets(lambda stay: float(x[stay["x"]].mean()), {"x": 4}, confidence=0.95)
    # the jackknife of a mean is its t interval: s = 2.1602, t of 3 degrees 3.1824
    assert got.high - got.value == pytest.approx(3.1824 * 2.1602 / 2, rel=1e-3)
    wide = over_nets(lambda stay: float(x[stay["x"]].mean()), {"x": 4}, confidence=0.99)
    assert wide.low < got.low


def test_made_up_groups_decide_the_claims():
    alike, loose = (
        made(GENERAL, own=0.1, seed=1),
        {SAME: made(SAME, own=1.0, seed=2), OTHER: made(OTHER, own=1.0, seed=3)},
    )
    found = evidence_of(
        {GENERAL: alike, **loose}, made(GENERAL, own=0.1, seed=4), confidence=0.975, streams=Streams(0)
    )
    assert set(found.estimates) == set(PROTOCOL.statistics)
    assert not found.missed
    assert verdicts_of(found, claims()[0]) == {"holds"}
    # by hand: half of the variance of a loose net is shared, so two of them align far less than one and a tight one
    assert found.estimates["as_far_same"].value < -0.05
    assert verdicts_of(found, claims()[1]) == {"fails"}
    even = {arm: made(arm, own=0.1, seed=seed) for seed, arm in enumerate(ARMS)}
    flat = evidence_of(even, made(GENERAL, own=0.1, seed=9), confidence=0.975, streams=Streams(0))
    assert verdicts_of(flat, claims()[0]) == {"fails"}
    assert verdicts_of(flat, claims()[1]) == {"holds"}


def test_controls_can_miss():
    groups = {arm: made(arm, own=0.1, seed=seed) for seed, arm in enumerate(ARMS)}
    # other nets of "the same kind" that are not, and insides that no exchange can make less alike
    found = evidence_of(groups, made(GENERAL, own=2.0, seed=5), confidence=0.95, streams=Streams(0))
    assert [control.kind for control in found.missed] == ["negative"]
    noise = {**groups, GENERAL: made(GENERAL, own=30.0, seed=6)}
    missed = evidence_of(noise, made(GENERAL, own=30.0, seed=7), confidence=0.95, streams=Streams(0)).missed
    assert "positive" in [control.kind for control in missed]


def test_training_fits_the_labels_of_its_arm():
    learned = images(60, pixels=4, blur=0.3, rng=np.random.default_rng(1))
    unseen = images(80, pixels=4, blur=0.3, rng=np.random.default_rng(2))
    steps = {"nets": 2, "steps": 80, "streams": Streams(1)}
    groups = {arm: trained_group(arm, learned, unseen, **steps) for arm in (GENERAL, OTHER)}
    assert all(group.fitted.min() > 0.9 for group in groups.values())
    assert groups[GENERAL].right.min() > groups[OTHER].right.max()
    assert groups[GENERAL].hidden.shape == (2, 80, 128)
    again = trained_group(GENERAL, learned, unseen, **steps)
    assert np.array_equal(again.hidden, groups[GENERAL].hidden)
    named = trained_group(GENERAL, learned, unseen, **steps, name="again")
    assert not np.array_equal(named.hidden, again.hidden)


@pytest.mark.slow
def test_quick_tier_decides_its_claims(tmp_path):
    found = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, confidence=0.975))
    assert not found.missed
    assert verdicts_of(found, claims()[0]) == {str(Verdict.HOLDS)}
    # the second claim lies at its band: eight nets need not decide it, and may not turn it round
    assert abs(found.estimates["as_far_same"].value) < 0.1
