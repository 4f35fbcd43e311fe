"""Which maps have limit sets that are known exactly?"""

# a map takes rows and streams whether it needs them or not: that is the contract of SelfMap
# ruff: noqa: ARG002
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from limitset.core.errors import InputError, UndefinedError
from limitset.core.levels import Level
from limitset.core.recurrence import Cycle
from limitset.core.streams import Streams


@dataclass(frozen=True, kw_only=True)
class FiniteMap:
    """A map of {0, ..., n - 1} to itself, given by its table.

    Parameters
    ----------
    images : (n,) image of each state

    Raises
    ------
    InputError
        When an image is no state.

    Examples
    --------
    >>> FiniteMap.tail_and_loop(transient=2, period=3).images
    (1, 2, 3, 4, 2)
    """

    images: tuple[int, ...]
    level: Level = field(default=Level.HIDDEN, init=False)
    deterministic: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        odd = [image for image in self.images if not 0 <= image < len(self.images)]
        if odd:
            raise InputError.of(
                expected=f"images must be states 0 to {len(self.images) - 1}",
                got=odd[0],
                fix="Renumber them.",
            )

    @classmethod
    def tail_and_loop(cls, *, transient: int, period: int) -> FiniteMap:
        """Build the smallest map whose orbit from 0 has this transient and period."""
        return cls(images=(*range(1, transient + period), transient))

    def step(self, states: Sequence[int], *, rows: Sequence[int], rng: Streams) -> list[int]:
        """Look every state up."""
        return [self.images[state] for state in states]


@dataclass(frozen=True, kw_only=True)
class ModularSquare:
    """x -> x^2 modulo a prime p: orbits shaped like the letter rho, with known tail and loop.

    Notes
    -----
    A unit of multiplicative order 2^s m, m odd, has transient s and period ord_m(2); 0 is fixed.

    References
    ----------
    Rogers (1996), The graph of the square mapping on the prime fields, Discrete Mathematics 148,
    doi:10.1016/0012-365X(94)00250-M.

    Examples
    --------
    >>> ModularSquare(modulus=101).cycle_of(3)
    Cycle(transient=2, period=20)
    """

    modulus: int
    level: Level = field(default=Level.HIDDEN, init=False)
    deterministic: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if self.modulus < 2 or any(
            self.modulus % part == 0 for part in range(2, math.isqrt(self.modulus) + 1)
        ):
            raise InputError.of(expected="the modulus must be prime", got=self.modulus, fix="Use a prime.")

    def step(self, states: Sequence[int], *, rows: Sequence[int], rng: Streams) -> list[int]:
        """Square every state."""
        return [state * state % self.modulus for state in states]

    def cycle_of(self, start: int) -> Cycle:
        """Return the exact transient and period of a start, by the order of the group element."""
        if start % self.modulus == 0:
            return Cycle(transient=0, period=1)
        odd = _order(start, self.modulus)
        halvings = (odd & -odd).bit_length() - 1
        odd >>= halvings
        return Cycle(transient=halvings, period=1 if odd == 1 else _order(2, odd))


@dataclass(frozen=True, kw_only=True)
class LogisticMap:
    """x -> r x (1 - x) on [0, 1], in float64 (a finite set of states, so orbits repeat exactly).

    Parameters
    ----------
    rate
        r, in [0, 4].

    References
    ----------
    May (1976), Simple mathematical models with very complicated dynamics, eq. 3, doi:10.1038/261459a0.

    Examples
    --------
    >>> low, high = LogisticMap(rate=3.2).two_cycle()
    >>> round(low, 6), round(high, 6)
    (0.513045, 0.799455)
    """

    rate: float
    level: Level = field(default=Level.HIDDEN, init=False)
    deterministic: bool = field(default=True, init=False)

    def step(self, states: Sequence[float], *, rows: Sequence[int], rng: Streams) -> list[float]:
        """Apply the map to every state."""
        return [self.rate * state * (1 - state) for state in states]

    def two_cycle(self) -> tuple[float, float]:
        """Return the 2-cycle, the roots of r^2 x^2 - r (r + 1) x + r + 1 = 0.

        It attracts for 3 < r < 1 + sqrt 6.

        Raises
        ------
        UndefinedError
            When r is 3 or below: there is none.
        """
        r = self.rate
        if r <= 3:
            raise UndefinedError.of(expected="the rate must be above 3", got=r, fix="Raise it.")
        root = math.sqrt((r - 3) * (r + 1))
        return (r + 1 - root) / (2 * r), (r + 1 + root) / (2 * r)


@dataclass(frozen=True, kw_only=True)
class CircleRotation:
    """x -> x + turn mod 1: a continuous self-map of a compact set without a fixed point.

    Parameters
    ----------
    turn
        Part of a full turn: a `Fraction` p/q is computed exactly and every point has period q; a float stands
        for an irrational turn, whose orbits do not come back within any run of usual length.

    Notes
    -----
    Brouwer's theorem needs a convex set; the circle is none.

    Examples
    --------
    >>> CircleRotation(turn=Fraction(2, 5)).step([Fraction(0), Fraction(4, 5)], rows=[0, 1], rng=Streams(0))
    [Fraction(2, 5), Fraction(1, 5)]
    """

    turn: Fraction | float
    level: Level = field(default=Level.HIDDEN, init=False)
    deterministic: bool = field(default=True, init=False)

    def step(
        self, states: Sequence[Fraction | float], *, rows: Sequence[int], rng: Streams
    ) -> list[Fraction | float]:
        """Turn every state."""
        return [(state + self.turn) % 1 for state in states]


@dataclass(frozen=True, kw_only=True)
class Collatz:
    """N -> n / 2 for even n, 3 n + 1 for odd n; every start ever tried ends in the cycle 1, 4, 2.

    References
    ----------
    Lagarias (1985), The 3x + 1 problem and its generalizations, doi:10.2307/2322189.

    Examples
    --------
    >>> Collatz().step([27, 82], rows=[0, 1], rng=Streams(0))
    [82, 41]
    """

    level: Level = field(default=Level.HIDDEN, init=False)
    deterministic: bool = field(default=True, init=False)

    def step(self, states: Sequence[int], *, rows: Sequence[int], rng: Streams) -> list[int]:
        """Halve, or triple and add one."""
        return [state // 2 if state % 2 == 0 else 3 * state + 1 for state in states]


@dataclass(frozen=True, kw_only=True)
class WordCycles:
    """A map of texts: every word that stands in a cycle becomes the next word of that cycle.

    A sentence has transient 0 and a period that is the least common multiple of the cycle lengths of its
    words: a stand-in for a model that paraphrases to and fro.

    Parameters
    ----------
    cycles
        Cycles of words; no word may stand in two.

    Examples
    --------
    >>> swap = WordCycles(cycles=(("big", "large"), ("one", "two", "three")))
    >>> swap.step(["one big dog"], rows=[0], rng=Streams(0)), swap.period("one big dog")
    (['two large dog'], 6)
    """

    cycles: tuple[tuple[str, ...], ...]
    level: Level = field(default=Level.TEXT, init=False)
    deterministic: bool = field(default=True, init=False)

    def step(self, states: Sequence[str], *, rows: Sequence[int], rng: Streams) -> list[str]:
        """Replace the words of every text."""
        after = {word: cycle[(i + 1) % len(cycle)] for cycle in self.cycles for i, word in enumerate(cycle)}
        return [" ".join(after.get(word, word) for word in state.split()) for state in states]

    def period(self, text: str) -> int:
        """Return the exact period of a text."""
        length = {word: len(cycle) for cycle in self.cycles for word in cycle}
        return math.lcm(*(length.get(word, 1) for word in text.split()))


@dataclass(frozen=True, kw_only=True)
class WindowedTable:
    """Greedy writing with a window: the next token is a function of the last `window` tokens alone.

    A state is the tuple of the tokens in the window. There are V^k of them for V tokens and a window of k, so
    every orbit enters a cycle, and transient + period <= V^k.

    Parameters
    ----------
    tokens
        V, 1 or more.
    window
        k, 1 or more.
    following : (V^k,)
        The token that follows each window, windows numbered with the oldest token as the highest digit.

    Raises
    ------
    InputError
        When the table has another length, or names a token that does not exist.

    Notes
    -----
    A language model that picks its likeliest token and reads no more than its window is such a map,
    whatever is inside it; V^k is then too large to be met, and typical cycles are far shorter.

    Examples
    --------
    >>> writer = WindowedTable(tokens=2, window=2, following=(1, 1, 0, 0))
    >>> writer.step([(0, 0), (1, 1)], rows=[0, 1], rng=Streams(0)), writer.text((0, 0), length=8)
    ([(0, 1), (1, 0)], (0, 0, 1, 1, 0, 0, 1, 1))
    """

    tokens: int
    window: int
    following: tuple[int, ...]
    level: Level = field(default=Level.TEXT, init=False)
    deterministic: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.window < 1 or len(self.following) != self.tokens**self.window:
            raise InputError.of(
                expected="the table must name one token for each of tokens ** window windows",
                got=f"{len(self.following)} for {self.tokens} ** {self.window}",
                fix="Number the windows with the oldest token first.",
            )
        odd = [token for token in self.following if not 0 <= token < self.tokens]
        if odd:
            raise InputError.of(
                expected=f"tokens must be 0 to {self.tokens - 1}", got=odd[0], fix="Renumber them."
            )

    def step(
        self, states: Sequence[tuple[int, ...]], *, rows: Sequence[int], rng: Streams
    ) -> list[tuple[int, ...]]:
        """Write one token after every window and forget the oldest."""
        return [(*state[1:], self.following[self.number(state)]) for state in states]

    def number(self, state: Sequence[int]) -> int:
        """Return the place of a window in the table."""
        place = 0
        for token in state:
            place = place * self.tokens + token
        return place

    def text(self, start: tuple[int, ...], *, length: int) -> tuple[int, ...]:
        """Return the first `length` tokens of the text that begins with a window."""
        written = list(start)
        while len(written) < length:
            written.append(self.following[self.number(written[-self.window :])])
        return tuple(written[:length])


@dataclass(frozen=True, kw_only=True)
class RingWalk:
    """A walk on {0, ..., size - 1} by -1, 0 or 1 at random: states repeat, and yet there is no cycle.

    Examples
    --------
    >>> RingWalk(size=10).step([0, 5], rows=[0, 1], rng=Streams(1)) == RingWalk(size=10).step(
    ...     [0, 5], rows=[0, 1], rng=Streams(1))
    True
    """

    size: int
    level: Level = field(default=Level.HIDDEN, init=False)
    deterministic: bool = field(default=False, init=False)

    def step(self, states: Sequence[int], *, rows: Sequence[int], rng: Streams) -> list[int]:
        """Move every state by its own draw."""
        moves = [int(rng.generator(row).integers(-1, 2)) for row in rows]
        return [(state + move) % self.size for state, move in zip(states, moves, strict=True)]


def _order(element: int, modulus: int) -> int:
    power, order = element % modulus, 1
    while power != 1:
        power, order = power * element % modulus, order + 1
    return order
