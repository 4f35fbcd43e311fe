"""Do the classic maps have the limit sets that are known of them?"""

import math
from fractions import Fraction

import numpy as np
import pytest

from limitset.core.errors import InputError, UndefinedError
from limitset.core.levels import Level
from limitset.core.recurrence import Cycle
from limitset.core.streams import Streams
from limitset.instruments.dynamics import iterate
from limitset.maps import (
    CircleRotation,
    Collatz,
    FiniteMap,
    LogisticMap,
    ModularSquare,
    RingWalk,
    WordCycles,
)

RNG = Streams(0)


def test_tail_and_loop_has_the_transient_and_period_it_was_built_with():
    for transient in range(4):
        for period in range(1, 5):
            map = FiniteMap.tail_and_loop(transient=transient, period=period)
            got = iterate(map, [0], steps=20, rng=RNG)
            assert (got.arrival[0], got.periods[0]) == (transient, period)


def test_a_table_with_an_image_outside_is_refused():
    with pytest.raises(InputError, match="images must be states 0 to 1; got 2"):
        FiniteMap(images=(0, 2))


@pytest.mark.parametrize("prime", [2, 3, 17, 101, 257])
def test_squares_modulo_a_prime_against_the_order_of_the_element(prime):
    map = ModularSquare(modulus=prime)
    got = iterate(map, list(range(prime)), steps=prime + 1, rng=RNG)
    assert got.cycles() == [map.cycle_of(start) for start in range(prime)]


def test_fermat_prime_squares_all_end_in_one_worked_by_hand():
    # 257 - 1 = 2^8, so every unit has order 2^s and reaches 1 after s <= 8 squarings; 3 is a generator: s = 8
    assert ModularSquare(modulus=257).cycle_of(3) == Cycle(transient=8, period=1)


@pytest.mark.parametrize("modulus", [1, 4, 91])
def test_a_modulus_that_is_not_prime_is_refused(modulus):
    with pytest.raises(InputError, match="the modulus must be prime"):
        ModularSquare(modulus=modulus)


def test_logistic_two_cycle_at_rate_3_2():
    # published: 0.513045 and 0.799455; float64 is a finite set, so the orbit repeats exactly
    got = iterate(LogisticMap(rate=3.2), [0.2, 0.7], steps=2000, rng=RNG)
    assert got.periods.tolist() == [2, 2]
    low, high = sorted(got.cycle_states(0))
    assert (low, high) == pytest.approx((0.513045, 0.799455), abs=1e-6)
    assert (low, high) == pytest.approx(LogisticMap(rate=3.2).two_cycle(), abs=1e-12)


@pytest.mark.parametrize(("rate", "period"), [(2.5, 1), (3.5, 4), (3.83, 3)])
def test_logistic_periods(rate, period):
    got = iterate(LogisticMap(rate=rate), [0.3], steps=5000, rng=RNG)
    points = got.cycle_states(0)
    # an attracting cycle may be resolved to a few neighbouring float64 numbers a phase
    assert len(points) % period == 0
    assert len({round(point, 9) for point in points}) == period


def test_logistic_has_no_two_cycle_at_rate_3():
    with pytest.raises(UndefinedError, match="the rate must be above 3; got 3"):
        LogisticMap(rate=3).two_cycle()


def test_a_rational_rotation_has_the_period_of_its_denominator_and_no_fixed_point():
    starts = [Fraction(0), Fraction(1, 3), Fraction(1, 2)]
    got = iterate(CircleRotation(turn=Fraction(3, 8)), starts, steps=20, rng=RNG)
    assert got.arrival.tolist() == [0, 0, 0]
    assert got.periods.tolist() == [8, 8, 8]


def test_an_irrational_rotation_does_not_come_back():
    got = iterate(CircleRotation(turn=(math.sqrt(5) - 1) / 2), [0.1], steps=3000, rng=RNG)
    assert not got.settled.any()


def test_collatz_27():
    # known: 27 reaches 1 in 111 steps, so it enters the cycle 4, 2, 1 at 4, two steps earlier
    got = iterate(Collatz(), [27, 1, 16], steps=200, rng=RNG)
    assert got.arrival.tolist() == [109, 0, 2]
    assert got.periods.tolist() == [3, 3, 3]
    assert len(got.limit_sets()) == 1


def test_word_cycles_have_the_least_common_multiple_as_period():
    map = WordCycles(cycles=(("big", "large"), ("one", "two", "three")))
    texts = ["a dog", "big dog", "one dog", "one big dog"]
    got = iterate(map, texts, steps=10, rng=RNG)
    assert map.level is Level.TEXT
    assert got.periods.tolist() == [1, 2, 3, 6] == [map.period(text) for text in texts]


def test_the_walk_moves_by_its_own_row_alone():
    map = RingWalk(size=50)
    together = map.step([3, 4, 5], rows=[7, 8, 9], rng=RNG)
    assert together[1:2] == map.step([4], rows=[8], rng=RNG)
    seen = {map.step([10], rows=[row], rng=RNG)[0] for row in range(50)}
    assert seen == {9, 10, 11}


def test_random_maps_repeat_after_the_known_number_of_steps():
    # null model of text loops: E(first repeat) ~ sqrt(pi N / 2) - 1/3 + O(N^-1/2), E(period) ~ sqrt(pi N / 8) + 1/3
    # (Flajolet and Odlyzko 1990, theorem 2); N = 400: 24.7 and 12.9. The mean of 600 maps has errors .53 and .40.
    rng = np.random.default_rng(0)
    found = []
    for _ in range(600):
        map = FiniteMap(images=tuple(int(image) for image in rng.integers(0, 400, 400)))
        got = iterate(map, [0], steps=400, rng=RNG)
        found.append((got.arrival[0] + got.periods[0], got.periods[0]))
    repeat, period = np.mean(found, axis=0)
    assert repeat == pytest.approx(math.sqrt(math.pi * 400 / 2) - 1 / 3, abs=1.6)
    assert period == pytest.approx(math.sqrt(math.pi * 400 / 8) + 1 / 3, abs=1.2)
