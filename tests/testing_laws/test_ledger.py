"""Is every instrument listed with every law, and is the list true?"""

import inspect
import re

import numpy as np
import pytest

from limitset.core.ends import Ends
from limitset.core.items import Items
from limitset.core.streams import Streams
from limitset.core.tallies import tallied
from limitset.datasets.planted import planted_panel, stratified_world
from limitset.instruments import dynamics, truth
from limitset.instruments.dynamics import brent, find_cycle, iterate, loop_ends, text_limit_sets
from limitset.maps import FiniteMap
from limitset.testing import (
    DYNAMICS_LAWS,
    DYNAMICS_LEDGER,
    TENSOR_LEDGER,
    TRUTH_LAWS,
    TRUTH_LEDGER,
    LawBrokenError,
    OrbitSummary,
    check_instrument,
)
from limitset.testing.ledger import NOT_OF_ORBITS, NOT_OF_TALLIES

RNG = Streams(0)
KNOWN = {}
"""What an instrument said of tallies already (kept with them, so that no other gets their id)."""


def public_functions(package):
    return {name for name in package.__all__ if inspect.isfunction(getattr(package, name))}


@pytest.fixture(scope="module")
def tallies():
    rng = np.random.default_rng(0)
    ends, items = planted_panel(stratified_world(), questions=60, seeds=6, rng=rng)
    return tallied(ends, items)


WITH_ITEMS = ("find_traps", "stale_answers")


def linked(tallies):
    """Return the questions, each of 30 to 59 changed from one of the first thirty, whose key is wrong there."""
    names = [str(name) for name in tallies.items]
    parts = [re.fullmatch(r"q(\d+)(.*)", name) for name in names]
    numbers = [(int(part[1]), part[2]) for part in parts]
    twins = [f"q{number - 30}{rest}" if number >= 30 else None for number, rest in numbers]
    keys = [[f"q{number} right", f"q{number + 30} wrong 1"] for number, _ in numbers]
    return Items.of(item=names, text=names, twin=twins, accepted=keys)


def judgement(name):
    """Fill in everything but the tallies."""
    measure = getattr(truth, name)
    draws = "rng" in inspect.signature(measure).parameters

    def judge(tallies):
        if id(tallies) not in KNOWN.setdefault(name, {}):
            KNOWN[name] = {**KNOWN[name], id(tallies): (measured(tallies), tallies)}
        return KNOWN[name][id(tallies)][0]

    def measured(tallies):
        more = (linked(tallies),) if name in WITH_ITEMS else ()
        return measure(tallies, *more, **({"rng": np.random.default_rng(0)} if draws else {}))

    return judge


def test_every_truth_instrument_is_listed_with_every_law():
    assert set(TRUTH_LEDGER) | set(NOT_OF_TALLIES) == public_functions(truth)
    assert not set(TRUTH_LEDGER) & set(NOT_OF_TALLIES)
    assert {name: tabled.laws for name, tabled in TRUTH_LEDGER.items()} == dict.fromkeys(
        TRUTH_LEDGER, frozenset(TRUTH_LAWS)
    )


def test_every_dynamics_instrument_is_listed_with_every_law():
    ledgers = (set(DYNAMICS_LEDGER), set(TENSOR_LEDGER), set(NOT_OF_ORBITS))
    assert set.union(*ledgers) == public_functions(dynamics)
    assert sum(map(len, ledgers)) == len(set.union(*ledgers))
    assert {name: tabled.laws for name, tabled in DYNAMICS_LEDGER.items()} == dict.fromkeys(
        DYNAMICS_LEDGER, frozenset(DYNAMICS_LAWS)
    )


@pytest.mark.parametrize("ledger", [TRUTH_LEDGER, DYNAMICS_LEDGER, TENSOR_LEDGER])
def test_no_law_is_both_obeyed_and_broken_and_each_breach_has_its_reason(ledger):
    for tabled in ledger.values():
        assert not tabled.obeys & set(tabled.breaks)
        assert all(len(reason) > 20 for reason in tabled.breaks.values())


@pytest.mark.parametrize("law", TRUTH_LAWS)
@pytest.mark.parametrize("name", TRUTH_LEDGER)
def test_truth_instruments_obey_and_break_what_is_listed(name, law, tallies):
    tabled = TRUTH_LEDGER[name]
    if law in tabled.obeys:
        TRUTH_LAWS[law](judgement(name), tallies, tabled.noise)
        return
    with pytest.raises(LawBrokenError, match="must"):
        TRUTH_LAWS[law](judgement(name), tallies, tabled.noise)


@pytest.mark.parametrize("name", TRUTH_LEDGER)
def test_truth_instruments_are_pure_and_their_results_safe(name, tallies):
    more = (linked(tallies),) if name in WITH_ITEMS else ()
    check_instrument(getattr(truth, name), tallies, *more)


def text_tables(map, starts):
    """Run the map as if its states were texts; every state below 8 is right."""
    orbits = iterate(map, list(starts), steps=100, rng=RNG)
    ends = Ends.of(
        item=[f"q{row}" for row in range(len(starts))],
        system="m",
        loop="l",
        level="text",
        start=[str(start) for start in starts],
        end=[str(last) for last in orbits.lasts],
        status="settled",
        steps=orbits.arrival,
        right=[float(last < 8) for last in orbits.lasts],
    )
    rows = [
        (f"q{row}", "m", "l", step, orbits.periods[row], str(state), float(state < 8))
        for row, states in enumerate(orbits.states)
        for step, state in enumerate(states)
    ]
    names = ("item", "system", "loop", "step", "period", "text", "right")
    return ends, dict(zip(names, map_columns(rows), strict=True))


def map_columns(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def each_start(cycle_of):
    def summarise(map, starts):
        cycles = [cycle_of(map, start) for start in starts]
        return OrbitSummary(
            arrival=np.array([cycle.transient for cycle in cycles], dtype=float),
            periods=np.array([cycle.period for cycle in cycles], dtype=float),
        )

    return summarise


def held_cycle(map, start):
    states = [start]
    for _ in map.images:
        states.append(map.images[states[-1]])
    return find_cycle(states)


def iterated(map, starts):
    got = iterate(map, list(starts), steps=100, rng=RNG)
    shares = got.limit_sets().shares
    return OrbitSummary(
        arrival=got.arrival,
        periods=got.periods.astype(float),
        shares={f"share {rank}": share for rank, share in enumerate(shares)},
    )


def loops_summed(map, starts):
    got = loop_ends(*text_tables(map, starts)).values
    numbers = {row.parameters["quantity"]: row.value for row in got.rows()}
    # which states count as right is not renamed with them
    free = ("settled", "period_1", "period_2", "period_3_up", "largest_share")
    return OrbitSummary(
        shares={name: numbers[name] for name in free},
        numbers={name: numbers[name] for name in ("median_arrival", "distinct_ends")},
    )


def sets_summed(map, starts):
    got = text_limit_sets(*text_tables(map, starts), system="m", loop="l")
    return OrbitSummary(
        shares={f"share {rank}": share for rank, share in enumerate(got.shares)},
        numbers={"sets": len(got), "periods": float(got.periods.sum())},
    )


SUMMARIES = {
    "brent": each_start(lambda map, start: brent(map.images.__getitem__, start, max_steps=len(map.images))),
    "find_cycle": each_start(held_cycle),
    "iterate": iterated,
    "loop_ends": loops_summed,
    "text_limit_sets": sets_summed,
}


@pytest.mark.parametrize("law", DYNAMICS_LAWS)
@pytest.mark.parametrize("name", DYNAMICS_LEDGER)
def test_dynamics_instruments_obey_and_break_what_is_listed(name, law):
    broken = 0
    for seed in range(8):
        images = np.random.default_rng(seed).integers(0, 30, 30)
        map, starts = FiniteMap(images=tuple(int(image) for image in images)), list(range(0, 30, 2))
        if law in DYNAMICS_LEDGER[name].obeys:
            DYNAMICS_LAWS[law](SUMMARIES[name], map, starts)
            continue
        try:
            DYNAMICS_LAWS[law](SUMMARIES[name], map, starts)
        except LawBrokenError:
            broken += 1
    assert (broken > 0) == (law in DYNAMICS_LEDGER[name].breaks)


def test_dynamics_instruments_are_pure_and_their_results_safe():
    map = FiniteMap(images=(1, 2, 0, 1, 3))
    ends, orbits = text_tables(map, [0, 3, 4])
    check_instrument(loop_ends, ends, orbits)
    check_instrument(text_limit_sets, ends, orbits, system="m", loop="l")
    check_instrument(iterate, map, [0, 3, 4], steps=9, rng=RNG)
    check_instrument(find_cycle, [0, 1, 0])
    check_instrument(brent, map.images.__getitem__, 4, max_steps=9)
