"""Are runs counted once, in the right cell, with silence in the denominator?"""

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tallies import tallied


def example():
    # two systems, two questions; system b abstains once and greets greedily once
    rows = [
        {"item": "q", "system": "a", "seed": 0, "end": "x", "right": 1},
        {"item": "q", "system": "a", "seed": 1, "end": "y", "right": 0},
        {"item": "q", "system": "b", "seed": 0, "end": "y", "right": 0},
        {"item": "q", "system": "b", "seed": 1, "end": None, "status": "abstained"},
        {"item": "r", "system": "b", "seed": 0, "end": "x", "right": 0},
        {"item": "r", "system": "b", "seed": 1, "end": None, "status": "unparsed"},
        {"item": "r", "system": "b", "seed": 2, "end": None, "status": "error"},
        {"item": "r", "system": "b", "seed": 0, "temperature": 0, "end": "z", "right": 1, "greedy": 1},
    ]
    return Ends.of_rows(rows)


def test_counts_by_hand():
    tallies = tallied(example())
    assert tallies.systems.tolist() == ["a", "b"]
    assert tallies.runs.tolist() == [[2, 0], [2, 2]]  # greedy and failed runs are not counted
    assert tallies.abstained.tolist() == [[0, 0], [1, 0]]
    assert tallies.unparsed.tolist() == [[0, 0], [0, 1]]
    classes = list(zip(tallies.items[tallies.class_item], tallies.class_name, strict=True))
    counts = dict(zip(classes, tallies.counts.T.tolist(), strict=True))
    assert counts == {("q", "x"): [1, 0], ("q", "y"): [1, 1], ("r", "x"): [0, 1]}


def test_the_same_name_in_two_questions_is_two_classes():
    tallies = tallied(example())
    right = dict(
        zip(zip(tallies.class_item, tallies.class_name, strict=True), tallies.class_right, strict=True)
    )
    assert right[(0, "x")] == 1
    assert right[(1, "x")] == 0


def test_pooling_and_selecting_keep_totals():
    tallies = tallied(example(), Items.of(item=["q", "r"], text=["?", "!"], stratum=["lure", "recall"]))
    assert tallies.pooled().runs.tolist() == [[4, 2]]
    assert tallies.of_stratum("recall").items.tolist() == ["r"]
    assert tallies.of_stratum("recall").counts.sum() == 1
    assert tallies.of_system("b").counts.sum() == 2
    assert tallies.stratum_names() == ["lure", "recall"]
    assert tallies.by_question(np.ones(3)).tolist() == [2, 1]


def test_one_answer_cannot_be_both_right_and_wrong():
    ends = Ends.of(item=["q", "q"], system=["a", "b"], end=["x", "x"], right=[1, 0])
    with pytest.raises(InputError, match="'x' of q both ways"):
        tallied(ends)


def test_runs_of_unknown_items_are_refused():
    with pytest.raises(InputError, match="every run must be of a known item; got r"):
        tallied(example(), Items.of(item=["q"], text=["?"]))


def test_nothing_to_count_is_refused():
    ends = Ends.of(item=["q"], system="a", end=["x"], greedy=[1])
    with pytest.raises(InputError, match="at least one sampled run"):
        tallied(ends)


def test_no_model_may_bear_the_name_of_all():
    with pytest.raises(InputError, match="no model may be called 'all'"):
        tallied(Ends.of(item=["q"], system="all", end=["x"]))
