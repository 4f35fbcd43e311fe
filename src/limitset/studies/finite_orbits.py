"""How often does an orbit on finitely many states end in a fixed point, and is there always a cycle?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from limitset.core.errors import InputError
from limitset.instruments.dynamics.cycles import find_cycle
from limitset.maps.classic import WindowedTable

STUDY: Final = "finite_orbits"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class Orbits:
    """How many orbits ended in a cycle, and how many of these in a fixed point.

    Parameters
    ----------
    orbits
        Pairs of a map and a start.
    cycles
        Those in which a state came back.
    fixed
        Those whose cycle has period 1.
    """

    orbits: int
    cycles: int
    fixed: int

    @property
    def fixed_share(self) -> Fraction:
        """Share that ends in a fixed point, exact."""
        return Fraction(self.fixed, self.orbits)

    @property
    def cycle_share(self) -> Fraction:
        """Share that ends in a cycle, exact."""
        return Fraction(self.cycles, self.orbits)


def fixed_share(states: int) -> Fraction:
    r"""Chance that the orbit of a random start under a random map ends in a fixed point.

    .. math:: P = \frac{1}{n} \sum_{k=1}^{n} \frac{n!}{(n-k)!\, n^k} \approx \sqrt{\pi / 2 n}

    Parameters
    ----------
    states
        n, 1 or more; every map of n states to themselves is as likely.

    Returns
    -------
    Fraction
        Exact, in (0, 1]; 1 for one state.

    Raises
    ------
    InputError
        When there is no state.

    Notes
    -----
    After k different states the next one is each of these k with chance 1 / n, and only one of them gives
    period 1.

    References
    ----------
    Knuth (1997), The Art of Computer Programming 2, ISBN 0-201-89684-2, section 3.1, exercises 11 to 13.

    Examples
    --------
    >>> fixed_share(1), fixed_share(2), round(float(fixed_share(1000)), 4)
    (Fraction(1, 1), Fraction(3, 4), 0.0393)
    """
    if states < 1:
        raise InputError.of(expected="a map needs one state or more", got=states, fix="Raise it.")
    total, apart = Fraction(0), Fraction(1)
    for k in range(states):
        apart *= Fraction(states - k, states)
        total += apart
    return total / states


def all_maps(states: int) -> Orbits:
    """Follow every start of every map of this many states: a proof by going through all cases.

    Parameters
    ----------
    states
        1 or more; states ** (states + 1) orbits are followed.

    Examples
    --------
    >>> got = all_maps(2)
    >>> got.orbits, got.cycles, got.fixed_share
    (8, 8, Fraction(3, 4))
    """
    maps = itertools.product(range(states), repeat=states)
    return _followed((images, start) for images in maps for start in range(states))


def all_writers(*, tokens: int, window: int) -> Orbits:
    """Follow every start of every greedy writer with a window of this length.

    Examples
    --------
    >>> got = all_writers(tokens=2, window=2)
    >>> got.orbits == got.cycles, got.orbits
    (True, 64)
    """
    places = list(itertools.product(range(tokens), repeat=window))

    def orbits() -> Iterable[tuple[Sequence[int], int]]:
        for following in itertools.product(range(tokens), repeat=len(places)):
            writer = WindowedTable(tokens=tokens, window=window, following=following)
            images = [writer.number((*place[1:], following[number])) for number, place in enumerate(places)]
            for start in range(len(places)):
                yield images, start

    return _followed(orbits())


def drawn_maps(states: int, *, maps: int, rng: np.random.Generator) -> Orbits:
    """Follow one start of each of some random maps.

    Examples
    --------
    >>> got = drawn_maps(50, maps=400, rng=np.random.default_rng(0))
    >>> abs(float(got.fixed_share) - float(fixed_share(50))) < 0.05
    True
    """
    return _followed((rng.integers(0, states, states).tolist(), 0) for _ in range(maps))


def _followed(orbits: Iterable[tuple[Sequence[int], int]]) -> Orbits:
    count = cycles = fixed = 0
    for images, start in orbits:
        count += 1
        states = [start]
        for _ in images:  # n steps pass n + 1 states: two must be the same
            states.append(images[states[-1]])
        found = find_cycle(states)
        cycles += found is not None
        fixed += found is not None and found.period == 1
    return Orbits(orbits=count, cycles=cycles, fixed=fixed)
