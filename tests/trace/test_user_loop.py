"""Does an object become a loop, and is a wrong one refused in one sentence?"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.maps.user_loop import load_loop, loop_of


def made(**parts):
    return SimpleNamespace(**{"start": torch.zeros(3, 2), "step": lambda states: states / 2, **parts})


def test_the_parts_of_a_loop():
    given = made(
        key=[1, 0, 1],
        readout=lambda states, rows: rows % 2,
        items=["a", "b", "c"],
        steps=7,
        name="mine",
    )
    loop = loop_of(given, name="object")
    assert (loop.name, loop.items, loop.usual_steps, len(loop)) == ("mine", ("a", "b", "c"), 7, 3)
    # rows 2, 0, 1 read 0, 0, 1 against the key 1, 1, 0
    assert loop.right(torch.zeros(3, 2), [2, 0, 1]).tolist() == [False, False, False]
    assert loop.right(torch.zeros(1, 2), [1]).tolist() == [False]
    assert not loop.holds_inputs


def test_right_needs_every_place():
    loop = loop_of(
        made(key=np.array([[1, 1], [1, 0], [0, 0]]), readout=lambda s: torch.ones(len(s), 2)), name="x"
    )
    assert loop.right(torch.zeros(3, 2), [0, 1, 2]).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "count", [{"key": [0, 1, 0, 1], "readout": lambda s: s[:, 0]}, {"items": list("abcd")}, {"count": 4}]
)
def test_starts_may_be_made_for_rows(count):
    loop = loop_of(made(start=lambda rows: rows[:, None].double(), **count), name="x")
    assert loop.starts.tolist() == [[0.0], [1.0], [2.0], [3.0]]


def test_the_step_is_told_its_rows():
    inputs = torch.tensor([[1.0], [2.0], [4.0]])
    loop = loop_of(made(start=torch.zeros(3, 1), step=lambda s, rows: s + inputs[rows]), name="x")
    assert loop.holds_inputs
    assert loop.map.step(torch.zeros(2, 1), rows=[2, 0], rng=Streams(0)).tolist() == [[4.0], [1.0]]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"start": None}, "tensor of real numbers"),
        ({"start": torch.zeros(3, 2, dtype=torch.long)}, "tensor of real numbers"),
        ({"start": torch.zeros(0, 2)}, "one start at least"),
        ({"start": torch.full((3, 2), torch.nan)}, "finite"),
        ({"key": [1, 2, 3]}, "needs a readout"),
        ({"key": [1, 2], "readout": lambda s: s[:, 0]}, "one answer an input"),
        ({"items": ["a", "a", "b"]}, "3 different names"),
        ({"steps": -1}, "usually runs"),
        ({"steps": 2.5}, "usually runs"),
        ({"start": lambda rows: rows}, "for how many inputs"),
        ({"step": lambda: None}, "step must take"),
        ({"step": lambda a, b, c, d: a}, "step must take"),
    ],
)
def test_a_part_that_does_not_fit_is_named(parts, words):
    with pytest.raises(InputError, match=words):
        loop_of(made(**parts), name="Loop")


def test_a_readout_in_another_shape_than_the_key_is_refused():
    with pytest.raises(InputError, match="not scores"):
        loop_of(made(key=[0, 1, 1], readout=lambda s: s), name="x")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"key": [0.5, 1.0, 2.0]}, "must be comparable"),
        ({"key": [0, 1, np.nan]}, "must be comparable"),
        ({"key": ["a", "b", "c"]}, "both give texts"),
        ({"readout": lambda s: s[:, 0] + 0.5}, "must be comparable"),
        ({"readout": lambda s: None}, "one answer a state"),
        ({"readout": lambda s: s.mul_(0).add_(1)[:, 0]}, "readout of Loop must not write"),
    ],
)
def test_answers_that_equality_could_never_call_right_are_refused(parts, words):
    given = {"key": [0, 1, 1], "readout": lambda s: s[:, 0], **parts}
    with pytest.raises(InputError, match=words):
        loop_of(made(**given), name="Loop")


def test_a_step_that_fits_only_the_whole_batch_is_named():
    inputs = torch.ones(20, 2)
    with pytest.raises(InputError, match=r"any part of the starts, here 8 of 20.*Write step\(states, rows\)"):
        loop_of(made(start=torch.zeros(20, 2), step=lambda s: s / 2 + inputs), name="Loop")


def test_a_step_that_writes_into_its_states_is_refused():
    with pytest.raises(InputError, match="must not write into the states"):
        loop_of(made(start=torch.ones(3, 2), step=lambda s: s.mul_(0.5)), name="Loop")


def test_half_precision_is_refused_by_name():
    with pytest.raises(InputError, match="float32 or float64; got bfloat16"):
        loop_of(made(start=torch.zeros(3, 2, dtype=torch.bfloat16)), name="Loop")


def test_a_module_is_taken_out_of_training_mode():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5))
    loop = loop_of(made(step=net), name="Loop")
    assert not net.training
    assert loop.map.deterministic
    assert not loop_of(made(deterministic=False), name="Loop").map.deterministic


def test_files_and_their_faults(loop_file, tmp_path):
    path = loop_file()
    loop = load_loop(f"{path}:Loop")
    assert len(loop) == 60
    with pytest.raises(InputError, match=r"no such name; with a step: Loop"):
        load_loop(f"{path}:Lop")
    assert load_loop(str(path)).name == "Loop"
    with pytest.raises(InputError, match="MODULE:OBJECT"):
        load_loop("Loop")
    with pytest.raises(InputError, match="can be imported"):
        load_loop("no_such_module_here:Loop")
    with pytest.raises(InputError, match="start and step"):
        load_loop(f"{loop_file(without=['start'])}:Loop")
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\ny = x / 0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"must run \(line 2\); got ZeroDivisionError"):
        load_loop(f"{broken}:Loop")
    broken.write_text("class Loop:\n    def __init__(self, size): ...\n", encoding="utf-8")
    with pytest.raises(InputError, match="needs size"):
        load_loop(f"{broken}:Loop")


def test_the_fingerprint_follows_behaviour(loop_file):
    before = load_loop(f"{loop_file()}:Loop").identity
    assert load_loop(f"{loop_file()}:Loop").identity == before
    assert load_loop(f"{loop_file(replace=[('states / 2 +', 'states / 3 +')])}:Loop").identity != before
    one, other = (loop_of(made(step=lambda s, w=w: s * w + w), name="x").identity for w in (0.5, 0.25))
    assert one != other
