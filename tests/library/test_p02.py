"""Does the protocol tell a property of the function from a property of how it is written?"""

import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from limitset.core.bars import decided
from limitset.core.errors import InputError, UndefinedError
from limitset.core.evidence import Tier, Trial
from limitset.core.streams import Streams
from limitset.core.verdicts import Verdict
from limitset.datasets.planted.sums import draw_sums
from limitset.datasets.planted.twins import twin_nets
from limitset.library.holdings.records import Claim
from limitset.library.protocols import p02
from limitset.library.protocols.p02 import PROTOCOL, evidence_of
from limitset.studies.rewritten_nets import (
    absolute_ratio,
    change_slopes,
    flatness_ratio,
    layer_ratios,
    reordered_units,
    rescaled_units,
    weights_of,
)

LIBRARY = Path(__file__).parents[2] / "src" / "limitset" / "library"
WANTED = {"02a": Verdict.FAILS, "02b": Verdict.HOLDS, "02c": Verdict.FAILS, "02d": Verdict.FAILS}


def claims():
    texts = [path.read_text() for path in sorted((LIBRARY / "claims").glob("02*.toml"))]
    return [Claim.model_validate(tomllib.loads(text)) for text in texts]


@pytest.fixture(scope="module")
def nets():
    return twin_nets(kind="true", seed=2, nets=3, steps=200)


@pytest.fixture(scope="module")
def drawings():
    return draw_sums(150, rng=np.random.default_rng(1))


def test_claims_ask_for_what_the_protocol_brings():
    assert [claim.id for claim in claims()] == list(WANTED)
    assert {test.statistic for claim in claims() for test in claim.tests} <= set(PROTOCOL.statistics)
    for claim in claims():
        for atom in claim.atoms:
            note, _, number = atom.partition("#")
            assert f'id = "{number}"' in (LIBRARY / "notes" / f"{note}.md").read_text()


def test_rewritten_nets_compute_the_same(nets, drawings):
    inputs = torch.from_numpy(np.array(drawings.inputs)).double()
    weights = weights_of(nets[0])
    rng = np.random.default_rng(0)
    order = rng.permutation(128)
    rewritten = [rescaled_units(weights, 10 ** rng.uniform(-1, 1, 128)), reordered_units(weights, order)]
    want = torch.func.functional_call(nets[0].model, weights, (inputs,))
    for other in rewritten:
        got = torch.func.functional_call(nets[0].model, other, (inputs,))
        assert torch.allclose(got, want, atol=1e-9)
        assert not torch.equal(other["0.weight"], weights["0.weight"])
    assert torch.equal(rewritten[1]["2.weight"], weights["2.weight"][:, order])
    with pytest.raises(InputError, match="128 factors above 0"):
        rescaled_units(weights, np.ones(3))
    with pytest.raises(InputError, match="one a unit"):
        rescaled_units(weights, np.zeros(128))


def test_ratios_by_what_must_come_out(nets, drawings):
    streams = Streams(3)
    net, weights = nets[0], weights_of(nets[0])
    absolute, relative = layer_ratios(
        net, drawings, factor=10.0, absolute=0.05, relative=0.1, draws=6, streams=streams
    )
    assert absolute > 5
    assert relative == pytest.approx(1.0, abs=1e-6)  # each tensor's noise is scaled as the tensor is
    less, _ = layer_ratios(net, drawings, factor=2.0, absolute=0.05, relative=0.1, draws=6, streams=streams)
    assert less < absolute
    # the net itself in the place of the rewritten one: nothing changes
    same = {"draws": 6, "streams": streams}
    assert flatness_ratio(net, drawings, weights, noise=0.1, other_noise=0.1, **same) == 1.0
    assert absolute_ratio(net, drawings, weights, noise=0.05, **same) == 1.0
    # twice the noise, about a minimum: about four times the rise
    assert 2.5 < flatness_ratio(net, drawings, weights, noise=0.02, other_noise=0.04, **same) < 5.5


def test_outputs_change_in_proportion_and_the_loss_by_the_square(nets, drawings):
    noises = (0.001, 0.002, 0.004)
    outputs, loss = change_slopes(nets[1], drawings, noises=noises, draws=4, streams=Streams(0))
    assert outputs == pytest.approx(1.0, abs=0.05)
    # of a net at a minimum of another loss than the held-out one: both ways together take the slope out
    assert loss == pytest.approx(2.0, abs=0.3)
    with pytest.raises(UndefinedError, match="must change at every noise"):
        change_slopes(nets[1], drawings, noises=(0.0, 0.1), draws=2, streams=Streams(0))


def test_evidence_decides_the_claims_and_its_controls_can_miss(nets, drawings, monkeypatch):
    monkeypatch.setattr(p02, "DRAWS", 6)
    found = evidence_of(nets, drawings, confidence=0.95, streams=Streams(1))
    assert set(found.estimates) == set(PROTOCOL.statistics)
    logs = np.log([row["absolute"] for row in found.rows])
    assert found.estimates["absolute_ratio"].value == pytest.approx(np.exp(logs.mean()))
    assert [control.kind for control in found.controls] == ["positive", "positive", "negative"]
    # twice the noise that is no more, an order that rescales: neither control may pass
    monkeypatch.setattr(p02, "_doubled", lambda net, drawings, streams: 1.0 + 0.01 * net.number)
    monkeypatch.setattr(p02, "_reordered", lambda net, drawings, streams: 3.0 + 0.01 * net.number)
    missed = evidence_of(nets, drawings, confidence=0.95, streams=Streams(1)).missed
    assert {control.kind for control in missed} == {"positive", "negative"}


@pytest.mark.slow
def test_quick_tier_decides_its_claims(tmp_path):
    found = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path))
    assert not found.missed
    for claim in claims():
        verdicts = {
            decided(found.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
            for test in claim.tests
        }
        assert verdicts == {WANTED[claim.id]}
