"""Do the true and false twins decide what their claims say, and can their controls miss?"""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from limitset.core.bars import decided
from limitset.core.errors import InputError, UndefinedError
from limitset.core.evidence import Tier, Trial
from limitset.core.streams import Streams
from limitset.core.verdicts import Verdict
from limitset.datasets.planted.twins import TwinNet, twin_nets, twin_panel
from limitset.library.holdings.records import Claim
from limitset.library.protocols.p01 import PROTOCOL, evidence_of, posing
from limitset.studies.beside_the_path import also_beside, beside_ratios, loss_of, pushed_to

LIBRARY = Path(__file__).parents[2] / "src" / "limitset" / "library"


def claims():
    texts = [path.read_text() for path in sorted((LIBRARY / "claims").glob("01*.toml"))]
    return [Claim.model_validate(tomllib.loads(text)) for text in texts]


@pytest.fixture(scope="module")
def nets():
    panel = twin_panel(seed=3, nets=3, steps=120, held_out=200)
    made = {steps: twin_nets(kind="true", seed=3, nets=3, steps=steps) for steps in (4, 40)}
    others = twin_nets(kind="true", seed=4, nets=3, steps=120)
    return panel, made[40], others, made[4]


def test_claims_ask_for_what_the_protocol_brings():
    assert [claim.id for claim in claims()] == ["01a", "01b", "01c", "01d", "01e"]
    assert {test.statistic for claim in claims() for test in claim.tests} <= set(PROTOCOL.statistics)
    for claim in claims():
        for atom in claim.atoms:
            note, _, number = atom.partition("#")
            assert f'id = "{number}"' in (LIBRARY / "notes" / f"{note}.md").read_text()


def test_evidence_brings_every_statistic(nets):
    panel, early, others, barely = nets
    found = evidence_of(panel, early, others=others, barely=barely, confidence=0.9)
    assert set(found.estimates) == set(PROTOCOL.statistics)
    # by hand: the mean accuracy of the false nets less that of the true ones
    means = {
        kind: np.mean([net.accuracy(panel.held_out) for net in panel.of(kind)]) for kind in ("true", "false")
    }
    gap = found.estimates["accuracy_gap"]
    assert gap.value == pytest.approx(means["false"] - means["true"])
    assert gap.confidence == 0.9
    wide = evidence_of(panel, early, others=others, barely=barely, confidence=0.99).estimates["accuracy_gap"]
    assert wide.low < gap.low


def test_controls_can_miss(nets):
    panel, early, _, _ = nets
    # false nets where true ones of other draws should stand, and true nets where unstable ones should
    found = evidence_of(panel, early, others=panel.of("false"), barely=panel.of("true"), confidence=0.95)
    missed = {control.name for control in found.missed}
    assert any("equal accuracy" in name for name in missed)
    assert any("differ in stability" in name for name in missed)
    assert any("barely trained nets, flatter" in name for name in missed)


def test_posing_puts_nets_in_the_place_of_the_false_ones(nets):
    panel = nets[0]
    posed = posing(panel, panel.of("untrained"))
    assert [net.kind for net in posed.nets] == ["true"] * 3 + ["false"] * 3 + ["untrained"] * 3
    assert posed.of("false")[1].model is panel.of("untrained")[1].model


def test_a_net_beside_the_path_compared_with_itself(nets):
    panel = nets[0]
    net = panel.of("true")[0]
    streams = Streams(7)
    loss = loss_of(net, panel.held_out)
    weights = dict(net.model.named_parameters())
    level = float(loss(weights)) + 0.5
    moved, length = pushed_to(weights, loss, level=level, rng=streams.child("push").generator(0))
    assert float(loss(moved)) == pytest.approx(level, abs=1e-3)
    assert 0 < length < 3
    model = torch.nn.Sequential(
        *[
            type(part)()
            if not list(part.parameters())
            else torch.nn.Linear(part.in_features, part.out_features)
            for part in net.model
        ]
    )
    model.load_state_dict({name: tensor.detach() for name, tensor in moved.items()})
    beside = TwinNet(kind="true", number=0, model=model.requires_grad_(False), world=net.world)
    # the reached net is the very one that the push finds: both are equally flat
    ratios = beside_ratios([beside], [net], panel.held_out, noise=0.1, streams=streams)
    assert ratios == pytest.approx([1.0], rel=1e-2)
    other = beside_ratios([nets[1][0]], [net], panel.held_out, noise=0.1, streams=streams)
    assert other[0] != pytest.approx(
        beside_ratios([nets[1][0]], [net], panel.held_out, noise=0.2, streams=streams)[0]
    )


def test_a_net_pushed_beside_has_the_loss_but_not_the_weights(nets):
    panel, early = nets[0], nets[1]
    later = panel.of("true")[0]
    made = also_beside(early[0], later, panel.held_out, rng=np.random.default_rng(1))
    loss = loss_of(early[0], panel.held_out)
    losses = [float(loss(dict(net.model.named_parameters()))) for net in (made, early[0])]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    weights = [torch.cat([one.flatten() for one in net.model.parameters()]) for net in (made, early[0])]
    assert float((weights[0] - weights[1]).norm()) > 1
    # two nets pushed by other draws are as flat as each other on average; the controls say so
    found = evidence_of(panel, early, others=nets[2], barely=nets[3], confidence=0.95)
    kinds = {one.kind: one.measured.value for one in found.controls if one.guards == ("beside_ratio",)}
    assert 0.5 < kinds["negative"] < 2
    assert kinds["positive"] < kinds["negative"]


def test_what_cannot_be_paired_or_pushed_is_refused(nets):
    panel = nets[0]
    with pytest.raises(InputError, match="the one it became"):
        beside_ratios([], [], panel.held_out, noise=0.1, streams=Streams(0))
    net = panel.of("true")[0]
    with pytest.raises(UndefinedError, match="level must lie"):
        pushed_to(
            dict(net.model.named_parameters()),
            loss_of(net, panel.held_out),
            level=0.0,
            rng=np.random.default_rng(0),
        )


def test_a_loss_is_that_of_the_net_s_own_world(nets):
    panel = nets[0]
    false = panel.of("false")[0]
    told = replace(false, world=np.arange(10))
    weights = dict(false.model.named_parameters())
    assert float(loss_of(false, panel.held_out)(weights)) < float(loss_of(told, panel.held_out)(weights))


@pytest.mark.slow
def test_quick_tier_decides_its_claims(tmp_path):
    wanted = {
        "01a": Verdict.HOLDS,
        "01b": Verdict.FAILS,
        "01c": Verdict.FAILS,
        "01d": Verdict.FAILS,
        "01e": Verdict.HOLDS,
    }
    confidence = max(claim.confidence for claim in claims())
    found = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, confidence=confidence))
    assert not found.missed
    for claim in claims():
        verdicts = {
            decided(found.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
            for test in claim.tests
        }
        assert verdicts == {wanted[claim.id]}
