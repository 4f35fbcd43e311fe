"""Does `limitset trace` run on every file of `examples/` that it is meant for, and say what is known of each?"""

import json
from pathlib import Path

import pytest

from limitset.cli import main
from limitset.core.exits import ExitStatus
from limitset.core.traces import DAMPED, OWN

EXAMPLES = Path(__file__).parents[2] / "examples"


def shares(found, arm=OWN):
    """What share of the inputs ends as which kind."""
    return {
        one["kind"]: one["value"]
        for one in found["numbers"]
        if one["instrument"] == "kinds" and one["arm"] == arm
    }


def number(found, name):
    [one] = [one for one in found["numbers"] if one["instrument"].partition(" (")[0] == name]
    return one


def looped_net(found):
    # every cell goes half of the way and hears only cells before it: all eigenvalues are 1/2 where it rests,
    # but for the 7 of 64 rings looked at, whose cells go round
    assert number(found, "spectral radius")["value"] == pytest.approx(0.5, abs=1e-6)
    # 11 bits in 1,000 are flipped by the blur, one string in nine or so: settled and wrong
    wrong = number(found, "wrong when settled")
    assert wrong["low"] < 0.12 < wrong["high"]


def without_key(found):
    # symmetric weights: fixed points and cycles of two alone, and half steps leave only fixed points
    kinds = shares(found)
    assert kinds["fixed"] + kinds["cycle"] == 1
    assert min(kinds.values()) > 0.1
    assert shares(found, DAMPED) == {"fixed": 1.0}


def recurrent_depth(found):
    assert number(found, "settled")["value"] == 0
    assert found["headline"][0].startswith("core does not settle within 100 steps on any of 48 inputs")


def trained_layer(found):
    assert 0.3 < number(found, "settled")["value"] < 1
    assert number(found, "wrong when settled")["high"] < 0.1
    assert shares(found, "swapped solver") == {"fixed": 1.0}


@pytest.mark.parametrize(
    ("target", "anchored", "holds"),
    [
        pytest.param("looped_net.py:LoopedNet", True, looped_net, marks=pytest.mark.slow),
        ("looped_net_no_key.py:RandomNet", False, without_key),
        pytest.param("recurrent_depth.py:core", False, recurrent_depth, marks=pytest.mark.slow),
        pytest.param("equilibrium_layer.py:Layer", True, trained_layer, marks=pytest.mark.slow),
    ],
)
def test_the_command_traces_the_examples(target, anchored, holds, tmp_path, capsys):
    if "equilibrium" in target:
        pytest.importorskip("torchdeq")
    status = main.status_of(["trace", f"{EXAMPLES}/{target}", "--out", str(tmp_path / "out"), "--json"])
    assert status == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert ("No anchor" not in " ".join(found["headline"])) == anchored
    assert (number(found, "wrong when settled")["blank_reason"] == "") == anchored
    holds(found)
    assert list((tmp_path / "out").glob("**/*.html"))
