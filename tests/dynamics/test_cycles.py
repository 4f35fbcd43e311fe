"""Are transient and period exact, by both ways of finding them?"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.core.recurrence import BrentSearch, Cycle, first_phase_limit
from limitset.instruments.dynamics import brent, find_cycle


def orbit(images, start, steps):
    states = [start]
    for _ in range(steps):
        states.append(images[states[-1]])
    return states


def brute_force(images, start):
    """Least (mu, lambda) with x_mu = x_(mu + lambda), by trying them all."""
    n = len(images)
    states = orbit(images, start, 2 * n)
    for transient, period in itertools.product(range(n), range(1, n + 1)):
        if states[transient] == states[transient + period]:
            return Cycle(transient=transient, period=period)
    raise AssertionError("a finite map repeats")


def test_worked_by_hand():
    # 0 -> 1 -> 2 -> 3 -> 1: tail 0, loop 1, 2, 3
    states = [0, 1, 2, 3, 1]
    assert find_cycle(states) == Cycle(transient=1, period=3)
    assert brent([1, 2, 3, 1].__getitem__, 0, max_steps=4) == Cycle(transient=1, period=3)


def test_pollard_rho_example():
    # Wikipedia, "Cycle detection": x0 = 2 of the table (6, 6, 0, 1, 4, 3, 3, 4, 2): 2, 0, 6, 3, 1, 6, ...
    images = (6, 6, 0, 1, 4, 3, 3, 4, 2)
    assert (
        brent(images.__getitem__, 2, max_steps=9) == find_cycle(orbit(images, 2, 9)) == brute_force(images, 2)
    )
    assert brute_force(images, 2) == Cycle(transient=2, period=3)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_every_map_of_up_to_four_states(size):
    for images in itertools.product(range(size), repeat=size):
        for start in range(size):
            known = brute_force(images, start)
            assert find_cycle(orbit(images, start, size)) == known
            assert brent(images.__getitem__, start, max_steps=size) == known


@given(st.lists(st.integers(0, 39), min_size=40, max_size=40), st.integers(0, 39), st.integers(1, 60))
@settings(deadline=None)  # a busy machine is no failure
def test_brent_finds_what_the_held_orbit_shows_and_nothing_else(images, start, max_steps):
    held = find_cycle(orbit(images, start, max_steps))
    assert brent(images.__getitem__, start, max_steps=max_steps) == held
    known = brute_force(images, start)
    assert held == (known if known.transient + known.period <= max_steps else None)


@given(st.integers(0, 70), st.integers(1, 70))
@settings(deadline=None)  # a busy machine is no failure
def test_the_first_phase_is_as_short_as_it_says(transient, period):
    images = (*range(1, transient + period), transient)
    search = BrentSearch.of(0)
    while search.phase == "period":
        search = search.advanced([images[state] for state in search.pending])
    assert search.steps <= first_phase_limit(transient + period)
    assert search.steps >= transient + period


@given(st.integers(0, 70), st.integers(1, 70))
@settings(deadline=None)  # a busy machine is no failure
def test_brent_applies_the_map_two_to_four_times_as_often(transient, period):
    images, calls = (*range(1, transient + period), transient), []
    brent(lambda state: (calls.append(state), images[state])[1], 0, max_steps=transient + period)
    assert 2 * (transient + period) <= len(calls) <= 4 * (transient + period)


def test_brent_gives_up_in_bounded_time():
    calls = []
    assert brent(lambda state: (calls.append(state), state + 1)[1], 0, max_steps=25) is None
    assert len(calls) == first_phase_limit(25) == 75


def test_nothing_repeated_is_nothing_found():
    assert find_cycle([]) is None
    assert find_cycle(["a"]) is None
    assert find_cycle(["a", "b", "c"]) is None


def test_a_finished_search_asks_for_nothing():
    search = BrentSearch.of("x").advanced(["x"]).advanced(["x"])
    assert search.found == Cycle(transient=0, period=1)
    assert search.pending == ()


def test_no_steps_are_refused():
    with pytest.raises(InputError, match="max_steps must be 1 or more; got 0"):
        brent(lambda state: state, 0, max_steps=0)
