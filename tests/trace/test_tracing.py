"""Does `limitset trace` say what is known of a loop, and keep what it has when it is stopped?"""

import json
import math
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from limitset.cli import main
from limitset.core.exits import ExitStatus
from limitset.core.streams import Streams
from limitset.core.traces import DAMPED, OWN
from limitset.maps.latent import TensorMap
from limitset.maps.user_loop import load_loop, loop_of
from limitset.store.study_folder import StudyFolder
from limitset.studies.trace_arms import damped
from limitset.studies.trace_rows import TraceOptions, traced
from limitset.studies.tracing import run_trace, spec_of


def traced_by_command(path, out, *more):
    return main.status_of(["trace", f"{path}:Loop", "--out", str(out), "--json", *more])


@pytest.fixture
def found(loop_file, tmp_path, capsys):
    """Trace the loop of the fixtures: 15 of 60 inputs turn for ever, 45 settle, 9 of those have a wrong key."""
    assert traced_by_command(loop_file(), tmp_path / "out") == ExitStatus.DONE
    return json.loads(capsys.readouterr().out)


def number(found, instrument, **axes):
    [one] = [
        one
        for one in found["numbers"]
        if one["instrument"] == instrument and all(one.get(name) == value for name, value in axes.items())
    ]
    return one


def test_the_known_shares_come_out(found):
    kinds = {
        (one["arm"], one["kind"]): one["value"] for one in found["numbers"] if one["instrument"] == "kinds"
    }
    assert kinds[OWN, "fixed"] == 45 / 60
    assert kinds[OWN, "cycle"] == 15 / 60  # a right angle: period 4
    assert number(found, "settled")["value"] == 1.0
    # right by hand: multiples of 5 have a turned key, and the turning ones answer by what they began with
    assert 0 < number(found, "wrong when settled")["value"] < 1
    assert found["headline"][0].startswith("Loop settles by step")


def test_the_wrong_share_is_that_of_the_answers(loop_file, tmp_path, capsys):
    path = loop_file(replace=[("(rows % 4 == 0)", "(rows < 0)")])
    assert traced_by_command(path, tmp_path / "still") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert number(found, "wrong when settled")["value"] == 12 / 60  # the keys that were turned
    assert number(found, "spectral radius (median; least and largest)")["value"] == pytest.approx(0.5)
    for arm in ("swapped start", DAMPED, "swapped solver"):
        assert number(found, "path_independence", arm=arm, share="same place")["value"] == 1.0
    # within .001 of the limit: |x_t - x| / |x| = 2^-t |1 - v| / |v|
    loop = load_loop(f"{path}:Loop")
    inputs = sys.modules[type(loop.map.step_function.__self__).__module__].inputs
    far = (1 - inputs).norm(dim=1) / inputs.norm(dim=1)
    steps = torch.ceil(torch.log2(far / 1e-3)).clamp(min=0).numpy()
    with StudyFolder.open(tmp_path / "still") as folder:
        ends = folder.ends().having(loop=OWN)
    assert np.abs(ends.numbers("steps") - steps).max() <= 1


def test_without_a_key_nothing_is_called_right(loop_file, tmp_path, capsys):
    assert traced_by_command(loop_file(without=["key"]), tmp_path / "out") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert "No anchor" in " ".join(found["headline"])
    assert "readout and key" in " ".join(found["decisions"])
    assert not [
        one
        for one in found["numbers"]
        if one.get("curve") == "right" or one.get("share") == "right by this way"
    ]
    assert number(found, "wrong when settled")["blank_reason"] == "no anchor"


def test_every_number_has_interval_or_reason(found):
    bare = [
        one["instrument"]
        for one in found["numbers"]
        if one["low"] is None and one["high"] is None and not one["blank_reason"]
    ]
    assert not bare


def test_a_drift_is_not_called_settled(loop_file, tmp_path, capsys):
    path = loop_file(replace=[("states / 2 + inputs[rows] / 2", "states + 0.01")])
    assert traced_by_command(path, tmp_path / "out", "--steps", "500") == ExitStatus.DONE
    found = json.loads(capsys.readouterr().out)
    assert number(found, "settled")["value"] == 15 / 60  # those that turn
    with StudyFolder.open(tmp_path / "out") as folder:
        assert set(folder.ends().having(loop=OWN).texts("status")) == {"settled", "undecided"}


def test_steps_tolerance_and_seed_move_the_answer(loop_file, tmp_path, capsys):
    path = loop_file(n=20)
    seen = {}
    for name, more in {
        "plain": (),
        "steps": ("--steps", "60"),
        "tolerance": ("--tolerance", "0.1"),
        "seed": ("--seed", "3"),
    }.items():
        assert traced_by_command(path, tmp_path / name, *more) == ExitStatus.DONE
        seen[name] = json.loads(capsys.readouterr().out)
    assert seen["steps"]["numbers"] != seen["plain"]["numbers"]
    before, after = (number(seen[name], "settled by step")["step"] for name in ("plain", "tolerance"))
    assert after < before
    assert seen["seed"]["numbers"] != seen["plain"]["numbers"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("turned, states / 2 + inputs[rows] / 2)", "turned, states)[:, :3]"), "shape"),
        (("states / 2 + inputs[rows] / 2", "torch.log(-states.abs() - 1)"), "NaN"),
        (("states / 2 + inputs[rows] / 2", "states * torch.rand(1).double()"), "deterministic"),
        (("states / 2 + inputs[rows] / 2", "states - (states + inputs[rows]).mean(dim=0)"), "batch"),
    ],
)
def test_a_bad_map_is_one_line_and_status_2(loop_file, tmp_path, capsys, change, word):
    status = traced_by_command(loop_file(replace=[change]), tmp_path / "out")
    said = capsys.readouterr().err
    assert status == ExitStatus.BAD_INPUT
    assert word in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--tolerance", "1e-18"), "tolerance"),
        (("--steps", "10"), "40 steps"),
        (("--quick",), "recurrence"),
    ],
)
def test_bad_options_are_one_line_and_status_2(loop_file, tmp_path, capsys, more, word):
    assert traced_by_command(loop_file(), tmp_path / "out", *more) == ExitStatus.BAD_INPUT
    assert word in capsys.readouterr().err


def test_another_loop_does_not_go_on_in_the_same_folder(loop_file, tmp_path, capsys):
    assert traced_by_command(loop_file(n=20), tmp_path / "out") == ExitStatus.DONE
    other = loop_file(n=20, replace=[("states / 2 +", "states / 4 +")])
    assert traced_by_command(other, tmp_path / "out") == ExitStatus.BAD_INPUT
    assert "new folder" in capsys.readouterr().err


def test_killed_and_resumed_gives_the_same_rows(loop_file, tmp_path):
    slow = loop_file(n=500, replace=[("turned = ", "__import__('time').sleep(0.0002); turned = ")])
    command = [sys.executable, "-m", "limitset", "trace", f"{slow}:Loop", "--out", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    results = tmp_path / "killed" / "results" / "traces"
    until = time.monotonic() + 60
    while time.monotonic() < until and len(list(results.glob("part-*"))) < 2:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with StudyFolder.open(tmp_path / "killed") as folder:
        progress = folder.progress()
    assert 0 < progress.done < progress.total
    subprocess.run(command, check=True, capture_output=True)
    whole = [*command[:-1], str(tmp_path / "whole")]
    subprocess.run(whole, check=True, capture_output=True)
    for one in sorted((tmp_path / "whole" / "results").rglob("*.parquet")):
        again = tmp_path / "killed" / one.relative_to(tmp_path / "whole")
        assert again.read_bytes() == one.read_bytes()


def test_half_steps_have_the_same_fixed_points():
    held = torch.tensor([[3.0], [5.0]], dtype=torch.float64)
    halved = damped(TensorMap(step=lambda x, rows: x / 2 + held[rows]), part=0.25)
    # x = x/2 + 3 at 6; one quarter step from 2: 2 + .25 (1 + 3 - 2) = 2.5
    assert halved.step(torch.tensor([[6.0], [2.0]]).double(), rows=[0, 0], rng=Streams(0)).tolist() == [
        [6.0],
        [2.5],
    ]


def test_chaos_is_told_from_drift_and_rest():
    rates = torch.tensor([4.0, 2.5], dtype=torch.float64)
    given = SimpleNamespace(
        start=torch.full((2, 1), 0.3, dtype=torch.float64),
        step=lambda x, rows: rates[rows, None] * x * (1 - x),
    )
    parts = traced(
        loop_of(given, name="logistic"),
        [0, 1],
        options=TraceOptions(steps=300, tolerance=1e-6, arms=(OWN,)),
        rng=Streams(0),
    )
    kinds = parts["traces"].columns["kind"].decoded().tolist()
    exponents = parts["traces"].columns["exponent"]
    assert kinds == ["chaos", "fixed"]
    assert exponents[0] == pytest.approx(math.log(2), abs=0.1)
    # r = 2.5: x* = .6 with slope 2 - r = -.5
    assert parts["traces"].columns["radius"][1] == pytest.approx(0.5, abs=1e-4)


def one_chunk(start, step, **parts):
    options = TraceOptions(**{"steps": 200, "tolerance": 1e-6, **parts.pop("options", {})})
    loop = loop_of(SimpleNamespace(start=start.double(), step=step, **parts), name="x")
    return traced(loop, range(len(start)), options=options, rng=Streams(0))["traces"].columns


def test_a_cycle_is_right_only_where_all_its_phases_are():
    flip = one_chunk(
        torch.ones(2, 1),
        lambda x: -x,
        readout=lambda x: (x[:, 0] > 0).long(),
        key=[1, 1],
        options={"steps": 9, "arms": (OWN,)},
    )
    assert flip["kind"].decoded().tolist() == ["cycle", "cycle"]
    assert flip["right"].tolist() == [0.0, 0.0]
    assert flip["rights"][0] == (1, 0, 1, 0, 1, 0, 1, 0, 1, 0)


def test_ends_at_the_origin_are_the_same_place(tmp_path):
    inputs = torch.zeros(30, 2).double()
    given = SimpleNamespace(
        start=torch.randn(30, 2, generator=torch.Generator().manual_seed(0)).double(),
        step=lambda x, rows: x / 2 + inputs[rows],
    )
    done = run_trace(spec_of("x:y"), tmp_path / "zero", date="today", loop=loop_of(given, name="zero"))
    same = [one for one in done.page.numbers if one.get("share") == "same place"]
    assert {one["value"] for one in same} == {1.0}


def test_a_saddle_that_is_passed_is_no_end():
    """1 + u -> 1 + 1.05 u - .05 u^3: from u = 1e-6 it stays near 1 for long, and ends at 2 or 0."""

    def step(x):
        u = x - 1
        return 1 + 1.05 * u - 0.05 * u**3

    start = torch.tensor([[1.0], [1 + 1e-6]], dtype=torch.float64)
    got = one_chunk(start, step, options={"tolerance": 1e-3, "steps": 40, "arms": (OWN,)})
    assert got["kind"].decoded().tolist() == ["undecided", "undecided"]
    assert got["note"].decoded()[0] == "unstable"  # on the point itself: its slope is 1.05
    long = one_chunk(start, step, options={"tolerance": 1e-3, "steps": 3000, "arms": (OWN,)})
    assert long["kind"].decoded().tolist() == ["undecided", "fixed"]


def test_every_chaotic_input_is_called_so():
    starts = torch.linspace(0.1, 0.4, 60)[:, None]
    got = one_chunk(starts, lambda x: 4 * x * (1 - x), options={"arms": (OWN,)})
    assert got["kind"].decoded().tolist().count("chaos") >= 55


def test_a_step_that_torch_cannot_follow_still_has_its_page(tmp_path):
    given = SimpleNamespace(start=torch.ones(20, 2), step=lambda x: torch.from_numpy(x.numpy() / 2 + 1))
    done = run_trace(spec_of("x:y"), tmp_path / "numpy", date="today", loop=loop_of(given, name="numpy"))
    [stable] = [one for one in done.page.numbers if one["instrument"] == "stable ends"]
    assert "cannot follow" in stable["blank_reason"]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda x: 2 * x + 1, "runs away on 40 of 40"),
        (lambda x: x + 1, "drifts on 40 of 40"),
        (lambda x: torch.remainder(2.7 * x + 0.1, 1.0), "chaotic on"),
    ],
)
def test_what_keeps_a_loop_from_settling_is_the_first_decision(tmp_path, step, says):
    given = SimpleNamespace(
        start=torch.rand(40, 1, generator=torch.Generator().manual_seed(0)).double(), step=step, steps=20
    )
    done = run_trace(spec_of("x:y"), tmp_path / "away", date="today", loop=loop_of(given, name="away"))
    assert says in done.page.decisions[0]
    assert "replays" not in " ".join(done.page.headline)
    assert "Stop at" not in " ".join(done.page.decisions)


def test_one_input_has_no_partner(loop_file, tmp_path):
    done = run_trace(spec_of(f"{loop_file(n=1)}:Loop"), tmp_path / "one", date="today")
    assert "swapped" not in " ".join(done.page.headline[:2])


def test_a_last_single_input_joins_the_chunk_before(loop_file, tmp_path):
    done = run_trace(spec_of(f"{loop_file(n=129)}:Loop"), tmp_path / "odd", date="today")
    with StudyFolder.open(done.folder) as folder:
        assert folder.progress().total == 1
