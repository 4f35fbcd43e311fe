"""Do the public checks pass what keeps the rules, and catch what breaks each of them?"""

from dataclasses import dataclass

import numpy as np
import pytest

from limitset.core.columns import frozen
from limitset.core.levels import Level
from limitset.core.results import MeasurementTable
from limitset.maps import CircleRotation, Collatz, FiniteMap, LogisticMap, ModularSquare, RingWalk, WordCycles
from limitset.testing import LawBrokenError, check_instrument, check_map


@pytest.mark.parametrize(
    ("map", "starts"),
    [
        (FiniteMap(images=(1, 2, 0)), [0, 1, 2]),
        (ModularSquare(modulus=17), [3, 5]),
        (LogisticMap(rate=3.9), [0.1, 0.7]),
        (CircleRotation(turn=0.3), [0.0, 0.5]),
        (Collatz(), [27, 3, 8]),
        (WordCycles(cycles=(("a", "b"),)), ["a x", "b"]),
        (RingWalk(size=7), [0, 1, 2, 3]),
    ],
)
def test_every_classic_map_conforms(map, starts):
    check_map(map, starts)


class Map:
    """A map of arrays that keeps the contract: x -> x + 1."""

    level, deterministic = Level.HIDDEN, True

    def step(self, states, *, rows, rng):
        return states + 1


class Levelless(Map):
    level = "hidden state"


class Coy(Map):
    deterministic = None


class Counting(Map):
    calls = 0

    def step(self, states, *, rows, rng):
        self.calls += 1
        return states + self.calls


class Neighbourly(Map):
    def step(self, states, *, rows, rng):
        return states + states.mean()


class Positional(Map):
    def step(self, states, *, rows, rng):
        return states + np.arange(len(states))


class Overwriting(Map):
    def step(self, states, *, rows, rng):
        states += 1
        return states


class Losing(Map):
    def step(self, states, *, rows, rng):
        return states[:-1]


class FalselyDeterministic(Map):
    def step(self, states, *, rows, rng):
        return states + np.array([rng.generator(row).random() for row in rows])


class Remembering(Map):
    """Goes on from what it remembers of a row, not from the state it is given."""

    def __init__(self):
        self.last = {}

    def step(self, states, *, rows, rng):
        first = rng.path[-1] == "1"
        out = np.array([s if first else self.last[r] for s, r in zip(states, rows, strict=True)]) + 1.0
        self.last = {**self.last, **dict(zip(rows, out, strict=True))}
        return out


@pytest.mark.parametrize(
    ("map", "complaint"),
    [
        (Levelless(), "must name its level; got hidden state"),
        (Coy(), "must say whether it is deterministic"),
        (Counting(), "equal seeds must give equal orbits"),
        (Neighbourly(), "must not heed the rest of the batch"),
        (Positional(), "must not heed the rest of the batch"),
        (Overwriting(), "must not change the states it is given"),
        (Losing(), "must give one image a state; got 2 for 3"),
        (FalselyDeterministic(), "deterministic map must not heed the seed"),
        (Remembering(), "going on from a saved state must change nothing"),
    ],
)
def test_each_breach_of_the_contract_of_maps_is_caught(map, complaint):
    starts = np.array([1.0, 2.0, 5.0])
    with pytest.raises(LawBrokenError, match=complaint):
        check_map(map, starts)


def test_the_map_that_all_breaches_are_made_from_conforms():
    check_map(Map(), np.array([1.0, 2.0, 5.0]), steps=2, seed=3)


@pytest.mark.parametrize(("starts", "steps"), [([1], 4), ([1, 2], 1)])
def test_too_little_to_check_is_refused(starts, steps):
    with pytest.raises(LawBrokenError, match="two starts and two steps at least"):
        check_map(Collatz(), starts, steps=steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    values: np.ndarray


@dataclass
class Loose:
    value: float


def table(*, low=0.1, n=(3.0,), rows=1):
    return MeasurementTable(
        instrument="t",
        version=1,
        level=Level.ANSWER,
        axes={"k": np.zeros(rows)},
        value=np.full(rows, 0.2),
        low=np.full(rows, low),
        high=np.full(rows, 0.5),
        n=np.resize(np.array(n), rows),
    )


def drawing(x, *, rng):
    return Result(values=frozen(x + rng.random(x.size)))


def test_a_pure_instrument_passes_and_its_result_comes_back():
    assert check_instrument(drawing, np.zeros(3)).values.shape == (3,)
    assert check_instrument(lambda: table()).value.tolist() == [0.2]


def changing(x):
    x[0] = 9.0


CALLS = []


def forgetful(x):
    CALLS.append(x)
    return len(CALLS)


@pytest.mark.parametrize(
    ("measure", "complaint"),
    [
        (changing, "must not change its input"),
        (forgetful, "equal input and seed must give equal answers"),
        (lambda x: np.random.random(), "must not use numpy's global random generator"),
        (
            lambda x: print("found"),  # noqa: T201 - the breach
            r"must not print; got 'found\\n'",
        ),
        (lambda x: Result(values=np.ones(2)), r"arrays of a result must be read-only; got result\.values"),
        (lambda x: Loose(value=1.0), "must be a frozen dataclass or a plain value; got Loose"),
        (lambda x: table(low=0.3), r"must enclose its value; got 0\.2 outside \[0\.3, 0\.5\]"),
        (lambda x: table(n=(np.nan,)), "every number of t must carry its n; got 1 without"),
        (lambda x: table(rows=2), "must name each row once"),
    ],
)
def test_each_breach_of_the_rules_of_instruments_is_caught(measure, complaint):
    with pytest.raises(LawBrokenError, match=complaint):
        check_instrument(measure, np.zeros(3))


def test_the_seed_reaches_the_instrument():
    first = check_instrument(drawing, np.zeros(3), seed=1).values
    assert first.tolist() != check_instrument(drawing, np.zeros(3), seed=2).values.tolist()
    given = check_instrument(lambda x, *, rng: float(rng), np.zeros(1), rng=4)
    assert given == 4
