"""Do the cells of looped nets decide their claims, and does a user's loop go the same way?"""

import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from limitset.core.bars import decided
from limitset.core.errors import InputError
from limitset.core.evidence import Tier, Trial
from limitset.core.verdicts import Verdict
from limitset.library.holdings.records import Claim
from limitset.library.protocols.p06 import PROTOCOL, evidence_of, run
from limitset.studies.loop_cells import (
    block_task,
    bounded,
    cells_of,
    found_in,
    held_loop,
    net_task,
    own_place,
    per_seed,
)
from limitset.studies.loop_numbers import over_seeds, residual_curve

LIBRARY = Path(__file__).parents[2] / "src" / "limitset" / "library"
EXAMPLE = Path(__file__).parents[2] / "examples" / "looped_net.py"
USERS = """
import torch
inputs = torch.linspace(-2, 2, 60).double()[:, None] + torch.eye(60).double()[:, :3]
class Pulled:
    steps = 20
    key = (inputs > {level}).numpy()
    def start(self, rows): return torch.zeros(len(rows), 3, dtype=torch.float64)
    def step(self, states, rows): return (states + inputs[rows]) / 2
    def readout(self, states): return states > 0
class Blind:
    start = torch.ones(5, 2, dtype=torch.float64)
    def step(self, states): return {blind}
"""


def claims():
    texts = [path.read_text() for path in sorted((LIBRARY / "claims").glob("06*.toml"))]
    return [Claim.model_validate(tomllib.loads(text)) for text in texts]


def verdicts_of(found, claim):
    return [
        decided(found.estimates[test.statistic], holds_if=test.holds, fails_if=test.fails)
        for test in claim.tests
    ]


def test_claims_ask_for_what_the_protocol_brings():
    assert [claim.id for claim in claims()] == [f"06{letter}" for letter in "abcdefgh"]
    assert {test.statistic for claim in claims() for test in claim.tests} <= set(PROTOCOL.statistics)
    for claim in claims():
        for atom in claim.atoms:
            note, _, number = atom.partition("#")
            assert f'id = "{number}"' in (LIBRARY / "notes" / f"{note}.md").read_text()


def known(step, *, far=60, count=16, key=None):
    rng = np.random.default_rng(0)
    inputs, starts = (torch.from_numpy(rng.standard_normal((count, 4))) for _ in range(2))
    readout = None if key is None else (lambda states, rows: states > 0)
    return found_in(
        held_loop(step, inputs, starts, readout=readout, key=key), far=far, usual=far // 10, seed=1
    )


def test_a_place_of_its_own_by_hand():
    # (x + e) / 2 has the one fixed point e
    assert own_place(known(lambda x, e: (x + e) / 2)).all()
    # one end for all is nobody's own, and a loop that stays has as many ends as starts
    assert not own_place(known(lambda x, e: (x + 1) / 2)).any()
    assert not own_place(known(lambda x, e: x.clone())).any()
    # a turn by a right angle never settles, and stays bounded
    turned = known(lambda x, e: torch.stack([-x[:, 1], x[:, 0], -x[:, 3], x[:, 2]], dim=1) * 1.0)
    assert not own_place(turned).any()
    assert bounded(turned).all()


def test_growth_is_not_bounded():
    assert bounded(known(lambda x, e: (x + e) / 2)).all()
    assert not bounded(known(lambda x, e: 2 * x)).any()  # diverges
    assert not bounded(known(lambda x, e: x + 100 * e)).any()  # six hundred e at step 6, sixty times at 60


def test_a_loop_that_is_not_told_its_input_is_refused():
    loop = known(lambda x, e: (x + e) / 2)
    loop.ways.pop("swapped start", None) if isinstance(loop.ways, dict) else None
    with pytest.raises(InputError, match="told its inputs"):
        own_place(loop)


def test_cells_are_kept_and_taken_up(tmp_path, monkeypatch):
    tasks = [
        block_task(norm=norm, injection="additive", gain=0.5, seed=seed, inputs=3, far=30)
        for norm in ("post", "none")
        for seed in (1, 2)
    ]
    first = cells_of(tasks, tmp_path / "cells")
    assert first["norm"].tolist() == ["post", "post", "none", "none"]
    assert first["own_place"][:2].tolist() == [1.0, 1.0]  # gain 1/2 contracts
    assert first["bounded"].tolist() == [1.0, 1.0, 0.0, 0.0]
    # a second call takes all from the folder
    monkeypatch.setattr("limitset.studies.loop_cells.row_of", lambda task: pytest.fail("run again"))
    again = cells_of(tasks, tmp_path / "cells")
    assert again["settled"].tolist() == first["settled"].tolist()
    curve = residual_curve(first, gain=0.5)
    assert set(curve.axes["loop"]) == {"injection", "norm + injection"}
    assert not len(residual_curve(first, gain=2.0))
    settling = curve.where(loop="norm + injection").value
    assert settling[0] > settling[-1]


def test_a_trained_net_leaves_a_row_a_size(tmp_path, monkeypatch):
    sizes = [12.0, 32.0]

    class Part:
        columns = {
            "size": np.array(sizes),
            "inputs": np.array([8.0, 8.0]),
            "same_start": np.array([1.0, 1.0]),
            "across_inputs": np.array([0.2, 0.999]),
            "settled": np.array([1.0, 0.5]),
            "growth": np.array([1.0, 1.0]),
            "settled_wrong": np.array([0.0, 0.25]),
            "right_far": np.array([1.0, 0.5]),
        }

    monkeypatch.setattr("limitset.studies.loop_cells.net_tables", lambda chunk: {"nets": Part})
    task = net_task(
        task="prefix sums", norm="post", injection="start", net_seed=4, seed=0, problems=8, far=20
    )
    cells = cells_of([task], tmp_path / "nets")
    assert cells["size"].tolist() == sizes
    assert cells["seed"].tolist() == [4, 4]
    assert cells["own_place"].tolist() == [1.0, 0.0]  # ends that all point one way are nobody's own


def made_cells(**changed):
    """Blocks of ten seeds a cell, as the protocol's own run orders them; shares given by cell."""
    keys = [
        (norm, injection, gain, seed)
        for norm in ("post", "none", "pre")
        for seed in range(10)
        for injection in ("start", "additive")
        for gain in (0.5, 1.0, 2.0)
    ]
    columns = {
        name: np.array([key[place] for key in keys])
        for place, name in enumerate(("norm", "injection", "gain", "seed"))
    }
    columns["seed"] = columns["seed"] + 0.0
    post, added = columns["norm"] == "post", columns["injection"] == "additive"
    gentle = columns["gain"] < 2
    rows = len(keys)
    residuals = np.empty(rows, dtype=object)
    residuals[:] = [[1.0 / (step + 1) for step in range(400)]] * rows
    return {
        **columns,
        "size": np.ones(rows),
        "settled": np.where(post, 1.0, 0.0),
        "own_place": np.where(post & added & gentle, 1.0, 0.0),
        "bounded": np.where(post, 1.0, 0.0),
        "growth": np.where(columns["norm"] == "pre", 10.0, 1.0),
        "residuals": residuals,
        **changed,
    }


def made_nets():
    cells = [("post", "start", 6), ("post", "additive", 4), ("none", "additive", 4)]
    keys = [(norm, injection, float(seed)) for norm, injection, seeds in cells for seed in range(seeds)]
    columns = {
        name: np.array([key[place] for key in keys])
        for place, name in enumerate(("norm", "injection", "seed"))
    }
    alone = columns["injection"] == "start"
    both = (columns["norm"] == "post") & ~alone
    wobble = 0.01 * columns["seed"]
    return {
        **columns,
        "size": np.full(len(keys), 48.0),
        "inputs": np.full(len(keys), 128.0),
        "settled": np.where(alone, 0.2 + wobble, np.where(both, 1.0, 0.0)),
        "settled_wrong": np.where(alone, 0.15 + wobble, 0.0),
        "right_far": np.where(both, 1.0, 0.1),
        "own_place": np.where(both, 1.0, 0.0),
    }


@pytest.fixture(scope="module")
def controls(tmp_path_factory):
    from limitset.library.protocols import p06

    return p06._controls(Trial(tier=Tier.QUICK, folder=tmp_path_factory.mktemp("p06")))


def test_made_up_cells_decide_the_claims(controls):
    found = evidence_of(made_cells(), made_nets(), controls=controls, confidence=0.975)
    assert set(found.estimates) == set(PROTOCOL.statistics)
    # by hand: gains 1/2 and 1 of three have a place of their own, none at the start
    assert found.estimates["injection_effect"].value == pytest.approx(2 / 3)
    assert found.estimates["pre_growth"].value == pytest.approx(1.0)
    # (.2 - .15) over the settled shares .2 to .25
    assert found.estimates["right_when_settled"].value == pytest.approx(6 * 0.05 / (6 * 0.2 + 0.15))
    assert found.estimates["norm_effect"].value == pytest.approx(0.9)
    wanted = dict(
        zip("abcdefgh", ["holds"] * 2 + ["fails"] * 2 + ["holds"] + ["fails"] * 2 + ["holds"], strict=True)
    )
    for claim in claims():
        assert {str(one) for one in verdicts_of(found, claim)} == {wanted[claim.id[-1]]}, claim.id
    assert found.curve is not None
    assert found.curve.plot() is not None
    assert {row["loops"] for row in found.rows} == {"untrained blocks", "trained, 48 bits"}


def test_the_other_way_round_the_claims_turn(controls):
    cells = made_cells()
    cells["own_place"] = np.where(cells["norm"] == "none", cells["injection"] == "additive", 0.0) * 1.0
    cells["growth"] = np.ones_like(cells["growth"])
    cells["settled"] = 1 - cells["settled"]
    found = evidence_of(cells, None, controls=controls, confidence=0.975)
    # the map of a claim to its verdict: what held fails; trained nets were not looked at
    told = {claim.id[-1]: {str(one) for one in verdicts_of(found, claim)} for claim in claims()}
    assert told["a"] == {"fails"}
    assert told["b"] == {"holds", "fails"}  # bounded still, not anchored
    assert told["c"] == {"holds"}
    assert told["d"] == told["e"] == {"can't tell"}
    assert told["f"] == {"holds"}
    assert told["h"] == {"fails"}
    assert "normal tier" in found.estimates["recall_effect"].blank_reason


def test_controls_pass_and_can_miss(controls, monkeypatch, tmp_path):
    from limitset.library.protocols import p06

    assert [control.kind for control in controls] == [
        "positive",
        "negative",
        "negative",
        "positive",
        "negative",
    ]
    assert all(control.passed for control in controls)
    monkeypatch.setattr(p06, "own_place", lambda found: ~own_place(found))
    turned = p06._controls(Trial(tier=Tier.QUICK, folder=tmp_path))
    assert [control.passed for control in turned] == [False, False, False, True, True]


def test_seeds_that_all_agree_are_not_certain():
    # t of 3 degrees at 95 % is 3.182, the floor .1, four seeds
    got = over_seeds(np.full(4, 0.5), 0.95, least=0.1)
    assert (got.low, got.high) == pytest.approx((0.5 - 0.1591, 0.5 + 0.1591), abs=1e-4)
    # with a spread of their own above the floor it is the t interval: s = .5774 of 0, 1, 0, 1
    got = over_seeds(np.array([0.0, 1.0, 0.0, 1.0]), 0.95, least=0.1, ends=(0.0, 1.0))
    assert (got.low, got.high) == (0.0, 1.0)
    wide = over_seeds(np.array([0.0, 1.0, 0.0, 1.0]), 0.95)
    assert wide.high - 0.5 == pytest.approx(3.1824 * 0.57735 / 2, abs=1e-3)


def test_means_of_each_seed():
    cells = made_cells()
    assert per_seed(cells, "own_place", norm="post", injection="additive").tolist() == pytest.approx(
        [2 / 3] * 10
    )
    assert per_seed(cells, "own_place", norm="post", gain=2.0).tolist() == [0.0] * 10


def test_a_user_s_loop_is_measured_by_itself(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(USERS.format(level=0, blind="states / 2"))
    found = run(Trial(tier=Tier.QUICK, folder=tmp_path / "a", map=f"{file}:Pulled"))
    assert not found.missed
    assert found.estimates["own_place_share"].value == 1.0
    assert found.estimates["bounded_share"].value == 1.0
    assert found.estimates["right_when_settled"].value == 1.0
    assert "no other cell" in found.estimates["injection_effect"].blank_reason
    told = {claim.id: {str(one) for one in verdicts_of(found, claim)} for claim in claims()}
    assert told["06b"] == {"holds"}
    assert told["06a"] == {"can't tell"}
    assert "Pulled" in found.system

    wrong = tmp_path / "wrong.py"
    wrong.write_text(USERS.format(level=10, blind="2 * states"))  # the key says that no input is above 10
    found = run(Trial(tier=Tier.QUICK, folder=tmp_path / "b", map=f"{wrong}:Pulled"))
    assert found.estimates["right_when_settled"].value < 0.6
    assert verdicts_of(found, claims()[3]) == [Verdict.FAILS]
    assert found.estimates["own_place_share"].value == 1.0

    blind = run(Trial(tier=Tier.QUICK, folder=tmp_path / "c", map=f"{wrong}:Blind"))
    assert "cannot be swapped" in blind.estimates["own_place_share"].blank_reason
    assert "no key" in blind.estimates["right_when_settled"].blank_reason
    assert blind.estimates["bounded_share"].value == 0.0


@pytest.mark.slow
def test_the_example_settles_on_wrong_answers(tmp_path):
    found = run(Trial(tier=Tier.QUICK, folder=tmp_path, map=f"{EXAMPLE}:LoopedNet"))
    right = found.estimates["right_when_settled"]
    assert 0.5 < right.value < 1.0
    narrow = run(Trial(tier=Tier.QUICK, folder=tmp_path, map=f"{EXAMPLE}:LoopedNet", confidence=0.8))
    assert narrow.estimates["right_when_settled"].low > right.low


@pytest.mark.slow
def test_quick_tier_decides_its_claims(tmp_path):
    found = PROTOCOL.run(Trial(tier=Tier.QUICK, folder=tmp_path, confidence=0.975))
    assert not found.missed
    wanted = {"a": "holds", "b": "holds", "c": "fails", "f": "fails", "g": "fails", "h": "holds"}
    wanted |= {"d": "can't tell", "e": "can't tell"}  # trained nets need the normal tier
    for claim in claims():
        assert {str(one) for one in verdicts_of(found, claim)} == {wanted[claim.id[-1]]}, claim.id
