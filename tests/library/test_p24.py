"""Does the protocol tell a jump of forgetting from a slope?"""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from limitset.core.bars import decided
from limitset.core.errors import InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.streams import Streams
from limitset.core.verdicts import Verdict
from limitset.datasets.planted.twins import falsehood, twin_nets
from limitset.library.holdings.records import Claim
from limitset.library.protocols.p24 import PROTOCOL, evidence_of
from limitset.studies.forgetting_rates import Fading, fading, largest_steps, slopes

LIBRARY = Path(__file__).parents[2] / "src" / "limitset" / "library"


def claims():
    texts = [path.read_text() for path in sorted((LIBRARY / "claims").glob("24*.toml"))]
    return [Claim.model_validate(tomllib.loads(text)) for text in texts]


def made(rate, *, curve, nets=3, examples=8):
    """A run whose every example follows one curve, plus a little of its own."""
    steps = curve.size - 1
    rng = np.random.default_rng(round(1e6 * rate))
    losses = curve[None, None] + 0.001 * rng.random((nets, examples, 1)) * curve
    line = np.repeat(np.linspace(0, 3, steps + 1)[None], nets, axis=0)
    swapped = np.repeat(np.where(np.arange(steps + 1) > steps // 2, 3.0, 0.0)[None], nets, axis=0)
    return Fading(rate=rate, losses=losses, line=line, swapped=swapped)


def test_claims_ask_for_what_the_protocol_brings():
    assert [claim.id for claim in claims()] == ["24a", "24b"]
    assert {test.statistic for claim in claims() for test in claim.tests} <= set(PROTOCOL.statistics)
    for claim in claims():
        for atom in claim.atoms:
            note, _, number = atom.partition("#")
            assert f'id = "{number}"' in (LIBRARY / "notes" / f"{note}.md").read_text()


def test_largest_step_and_slope_by_hand():
    assert largest_steps(np.array([[0.0, 0.5, 2.0], [3.0, 3.5, 3.0]])).tolist() == [1.5, 0.5]
    # the largest step falls by four when the rate halves: slope 2
    assert slopes([0.2, 0.1], np.array([[4.0], [1.0]])) == pytest.approx([2.0])
    with pytest.raises(InputError, match="size above 0"):
        slopes([0.2, 0.1], np.array([[1.0], [0.0]]))
    with pytest.raises(InputError, match="two rates"):
        slopes([0.2], np.array([[1.0]]))


@pytest.mark.parametrize(
    ("jump", "wanted"),
    [
        (True, {"24a": Verdict.HOLDS, "24b": Verdict.FAILS}),
        (False, {"24a": Verdict.FAILS, "24b": Verdict.HOLDS}),
    ],
)
def test_made_up_curves_decide_the_claims(jump, wanted):
    def curve(rate):
        steps = round(0.3 / rate)
        place = np.arange(steps + 1) / steps
        return 3.0 * (place > 0.5) if jump else 3.0 * place

    runs = [made(rate, curve=curve(rate)) for rate in (0.01, 0.005, 0.0025)]
    found = evidence_of(runs, confidence=0.95, streams=Streams(0))
    assert set(found.estimates) == set(PROTOCOL.statistics)
    assert not found.missed
    for claim in claims():
        verdicts = [
            decided(found.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
            for test in claim.tests
        ]
        assert set(verdicts) == {wanted[claim.id]}
    # slope by hand: the largest of n equal steps is 3 / n, and n is as 1 / rate
    assert found.estimates["slope"].value == pytest.approx(0.0 if jump else 1.0, abs=1e-3)
    assert found.estimates["jump_share"].value == pytest.approx(1.0 if jump else 1 / 120, rel=1e-3)


def test_controls_can_miss():
    line = np.linspace(0, 3, 31)
    runs = [made(rate, curve=line[:: round(rate / 0.01)]) for rate in (0.02, 0.01)]
    # planted paths exchanged: neither is what it is called
    swapped = [Fading(rate=run.rate, losses=run.losses, line=run.swapped, swapped=run.line) for run in runs]
    assert not evidence_of(runs, confidence=0.95, streams=Streams(0)).missed
    assert len(evidence_of(swapped, confidence=0.95, streams=Streams(0)).missed) == 2


def test_fading_is_training_on_the_new_task():
    nets = twin_nets(kind="true", seed=1, nets=2, steps=60)
    world = falsehood(1)
    runs = {
        rate: fading(nets, world, rate=rate, length=0.04, examples=40, streams=Streams(5))
        for rate in (0.004, 0.002)
    }
    slow = runs[0.002]
    assert slow.losses.shape == (2, 40, 21)
    assert slow.steps == 20
    assert (slow.means[:, -1] > slow.means[:, 0]).all()
    # the line and the swap begin and end with the nets of the training
    for path in (slow.line, slow.swapped):
        assert path[:, [0, -1]] == pytest.approx(slow.means[:, [0, -1]], rel=1e-5)
    assert (slow.swapped[:, 10] == slow.swapped[:, 0]).all()
    assert (slow.swapped[:, 11] == slow.swapped[:, -1]).all()
    # both rates begin at the same nets, measured on the same examples
    assert runs[0.004].losses[:, :, 0] == pytest.approx(slow.losses[:, :, 0])
    other = fading(nets, world, rate=0.002, length=0.04, examples=40, streams=Streams(6))
    assert not np.array_equal(other.losses[:, :, 0], slow.losses[:, :, 0])
    with pytest.raises(InputError, match="two steps"):
        fading(nets, world, rate=0.1, length=0.1, examples=4, streams=Streams(5))


@pytest.mark.slow
def test_quick_tier_decides_its_claims(tmp_path):
    found = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, confidence=0.975))
    assert not found.missed
    wanted = {"24a": Verdict.FAILS, "24b": Verdict.HOLDS}
    for claim in claims():
        verdicts = {
            decided(found.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
            for test in claim.tests
        }
        assert verdicts == {wanted[claim.id]}
