"""Does iterating many starts give each start the orbit it has by itself?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate, LimitKind
from limitset.core.streams import Streams
from limitset.core.undefined import NEVER
from limitset.instruments.dynamics import brent, find_cycle, iterate
from limitset.maps import FiniteMap, RingWalk, WordCycles

RNG = Streams(5)
TABLES = st.lists(st.integers(0, 24), min_size=25, max_size=25)


class HeldInput:
    """A map that differs from start to start: x -> x + input of the row, modulo 12."""

    level, deterministic = Level.HIDDEN, True

    def __init__(self, inputs):
        self.inputs = inputs
        self.batches = []

    def step(self, states, *, rows, rng):
        self.batches.append(tuple(rows))
        return [(state + self.inputs[row]) % 12 for row, state in zip(rows, states, strict=True)]


def test_worked_by_hand():
    # 0 -> 1 -> 2 -> 1; 3 -> 3
    got = iterate(FiniteMap(images=(1, 2, 1, 3)), [0, 1, 3], steps=9, rng=RNG)
    assert got.states == ((0, 1, 2, 1), (1, 2, 1), (3, 3))
    assert got.arrival.tolist() == [1, 0, 0]
    assert got.periods.tolist() == [2, 2, 1]
    assert got.lasts == (1, 1, 3)
    assert got.applications.tolist() == [3, 2, 1]
    assert [got.cycle_states(row) for row in range(3)] == [(1, 2), (1, 2), (3,)]


def test_finished_rows_leave_the_batch_and_the_held_input_follows_the_rest():
    # adding 6 has period 2, 4 has 3, 0 has 1, 3 has 4
    map = HeldInput([6, 4, 0, 3])
    got = iterate(map, [0, 0, 0, 0], steps=20, rng=RNG)
    assert got.periods.tolist() == [2, 3, 1, 4]
    assert map.batches == [(0, 1, 2, 3), (0, 1, 3), (1, 3), (3,)]


def test_never_is_infinite_and_keeps_every_state():
    got = iterate(FiniteMap(images=(1, 2, 3, 4, 0)), [0], steps=4, rng=RNG)
    assert got.arrival.tolist() == [NEVER]
    assert got.periods.tolist() == [0]
    assert got.states == ((0, 1, 2, 3, 4),)
    assert got.cycle_states(0) == ()
    assert iterate(FiniteMap(images=(1, 2, 3, 4, 0)), [0], steps=5, rng=RNG).periods.tolist() == [5]


@given(TABLES, st.integers(1, 40))
@settings(max_examples=60, deadline=None)  # a busy machine is no failure
def test_holding_three_states_gives_the_same_answer(images, steps):
    map, starts = FiniteMap(images=tuple(images)), list(range(25))
    held = iterate(map, starts, steps=steps, rng=RNG)
    light = iterate(map, starts, steps=steps, rng=RNG, hold=False)
    assert light.cycles() == held.cycles() == [find_cycle(states) for states in held.states]
    assert held.cycles() == [brent(images.__getitem__, start, max_steps=steps) for start in starts]
    assert light.lasts == held.lasts
    assert light.states == ()
    assert (light.applications >= held.applications).all()


@given(TABLES, st.integers(1, 30), st.integers(0, 30), st.booleans())
@settings(max_examples=60, deadline=None)  # a busy machine is no failure
def test_stopping_and_going_on_changes_nothing(images, first, more, hold):
    map, starts = FiniteMap(images=tuple(images)), list(range(25))
    whole = iterate(map, starts, steps=first + more, rng=RNG, hold=hold)
    part = iterate(map, starts, steps=first, rng=RNG, hold=hold)
    resumed = iterate(map, starts, steps=first + more, rng=RNG, hold=hold, resume_from=part)
    assert resumed.cycles() == whole.cycles()
    assert (resumed.states, resumed.lasts) == (whole.states, whole.lasts)
    if hold:
        assert resumed.applications.tolist() == whole.applications.tolist()


@pytest.mark.parametrize("hold", [True, False])
def test_a_map_that_draws_is_never_cyclic_and_resumes_with_the_same_draws(hold):
    map, starts = RingWalk(size=3), [0, 1, 2]
    whole = iterate(map, starts, steps=30, rng=RNG, hold=hold)
    assert not whole.settled.any()
    part = iterate(map, starts, steps=11, rng=RNG, hold=hold)
    resumed = iterate(map, starts, steps=30, rng=RNG, hold=hold, resume_from=part)
    assert resumed.lasts == whole.lasts
    assert resumed.states == whole.states
    assert whole.lasts == iterate(map, starts, steps=30, rng=RNG, hold=not hold).lasts
    assert iterate(map, starts * 9, steps=30, rng=Streams(6), hold=hold).lasts != whole.lasts * 9


def test_order_and_company_of_the_starts_do_not_matter():
    map = FiniteMap(images=(1, 2, 3, 1, 0, 4))
    forward = iterate(map, [0, 4, 5], steps=9, rng=RNG)
    backward = iterate(map, [5, 4, 0], steps=9, rng=RNG)
    assert forward.states == backward.states[::-1]
    assert iterate(map, [4], steps=9, rng=RNG).states == forward.states[1:2]


def test_on_step_sees_every_application():
    seen = []
    map = FiniteMap(images=(1, 2, 1, 3))
    iterate(map, [0, 3], steps=9, rng=RNG, on_step=lambda *what: seen.append(what))
    assert seen == [(1, (0, 1), (1, 3)), (2, (0,), (2,)), (3, (0,), (1,))]


def test_the_state_after_any_number_of_steps():
    map = FiniteMap(images=(1, 2, 3, 1))
    got = iterate(map, [0], steps=9, rng=RNG)
    by_hand = [0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1]
    assert [got.state_at(0, step) for step in range(11)] == by_hand
    undecided = iterate(map, [0], steps=2, rng=RNG)
    assert undecided.state_at(0, 2) == 2
    with pytest.raises(InputError, match="states up to step 2; got 3"):
        undecided.state_at(0, 3)


def test_limit_sets_collect_equal_cycles_whatever_their_entry():
    # texts: two starts on one 2-cycle at different phases, one fixed, one too long to settle
    map = WordCycles(cycles=(("a", "b"), ("c", "d", "e", "f", "g")))
    got = iterate(map, ["a", "b", "x", "c"], steps=4, rng=RNG).limit_sets()
    assert got.kinds == (LimitKind.CYCLE, LimitKind.FIXED)
    assert got.points == (("a", "b"), ("x",))
    assert got.periods.tolist() == [2, 1]
    assert got.shares.tolist() == [0.5, 0.25]
    assert got.labels.tolist() == [0, 0, 1, -1]
    assert got.arrival.tolist() == [0, 0, 0, NEVER]
    assert got.level is Level.TEXT
    assert got.certificates[0] == {"periodic": Certificate.PROVED}
    assert (got.share_low < got.shares).all()
    wide = iterate(map, ["a"], steps=4, rng=RNG).limit_sets(confidence=0.5)
    assert wide.share_low[0] > iterate(map, ["a"], steps=4, rng=RNG).limit_sets().share_low[0]


def test_no_starts_give_no_orbits():
    got = iterate(FiniteMap(images=(0,)), [], steps=3, rng=RNG)
    assert len(got) == 0
    assert len(got.limit_sets()) == 0


def test_results_cannot_be_changed():
    got = iterate(FiniteMap(images=(0,)), [0], steps=3, rng=RNG)
    with pytest.raises(ValueError, match="read-only"):
        got.arrival[0] = 7


def test_states_of_orbits_that_were_not_held_are_refused():
    got = iterate(FiniteMap(images=(0,)), [0], steps=3, rng=RNG, hold=False)
    with pytest.raises(InputError, match="cycle_states needs the whole orbit"):
        got.cycle_states(0)


class TestRefusals:
    map = FiniteMap(images=(1, 0))

    def test_arrays(self):
        with pytest.raises(InputError, match="starts must be a list of states; got ndarray"):
            iterate(self.map, np.array([0, 1]), steps=3, rng=RNG)

    def test_lists_of_arrays(self):
        with pytest.raises(InputError, match="states must be hashable and compared exactly; got ndarray"):
            iterate(self.map, [np.array([0.5])], steps=3, rng=RNG)

    def test_unhashable_states(self):
        with pytest.raises(InputError, match="states must be hashable and compared exactly; got list"):
            iterate(self.map, [[0]], steps=3, rng=RNG)

    def test_one_text_for_a_list_of_texts(self):
        with pytest.raises(InputError, match="starts must be a list of states; got str"):
            iterate(self.map, "ab", steps=3, rng=RNG)

    def test_no_steps(self):
        with pytest.raises(InputError, match="steps must be 1 or more; got 0"):
            iterate(self.map, [0], steps=0, rng=RNG)

    def test_a_map_that_loses_states(self):
        class Losing(HeldInput):
            def step(self, states, *, rows, rng):
                return states[1:]

        with pytest.raises(InputError, match="one image a state, 2 here; got 1"):
            iterate(Losing([0, 0]), [0, 1], steps=3, rng=RNG)

    def test_resuming_other_starts(self):
        earlier = iterate(self.map, [0], steps=3, rng=RNG)
        with pytest.raises(InputError, match="orbits of these starts"):
            iterate(self.map, [1], steps=5, rng=RNG, resume_from=earlier)

    def test_resuming_backwards(self):
        earlier = iterate(self.map, [0], steps=3, rng=RNG)
        with pytest.raises(InputError, match="of 2 steps or fewer"):
            iterate(self.map, [0], steps=2, rng=RNG, resume_from=earlier)

    def test_resuming_what_was_not_held(self):
        earlier = iterate(self.map, [0], steps=3, rng=RNG, hold=False)
        with pytest.raises(InputError, match="held as asked; got 1 orbits of 3 steps, not held"):
            iterate(self.map, [0], steps=5, rng=RNG, resume_from=earlier)
