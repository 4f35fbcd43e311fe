"""Do limit sets keep their names along a parameter, and do bifurcations stand where they must?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.continued import matched, set_distance
from limitset.core.errors import InputError
from limitset.core.limit_sets import LimitKind
from limitset.core.streams import Streams
from limitset.instruments.dynamics import continuation, orbit_diagram
from limitset.maps import known
from limitset.maps.latent import TensorMap

RNG = Streams(0)
D = torch.float64
UNIT = torch.linspace(0.05, 0.95, 12, dtype=D)[:, None]


def drawn(chart):
    (rows,) = chart["datasets"].values()
    return rows


def test_the_logistic_map_doubles_its_period_at_3_and_at_1_plus_sqrt_6():
    values = [2.95, 2.98, 3.02, 3.2, 3.4, 1 + math.sqrt(6) - 0.02, 1 + math.sqrt(6) + 0.02, 3.5]
    got = continuation(known.logistic, values, UNIT[::4], rng=RNG, steps=2000, tolerance=1e-6)
    assert [sets.periods.tolist() for sets in got.sets] == [[1], [1], [2], [2], [2], [2], [4], [4]]
    assert [ids.tolist() for ids in got.ids] == [[1]] * 8
    assert got.shares.where(id=1).value.tolist() == [1.0] * 8
    assert got.shares.axes["period"].tolist() == [1, 1, 2, 2, 2, 2, 4, 4]
    assert (np.asarray(got.shares.low) < 1).all()
    assert len(got) == 8


def test_a_pitchfork_keeps_one_name_and_gives_a_new_one():
    # tanh(g x): one fixed point up to g = 1, then two, +-m with m = tanh(g m)
    starts = torch.linspace(-1, 1, 10, dtype=D)[:, None]
    got = continuation(
        lambda g: TensorMap(step=lambda x: torch.tanh(g * x)), [0.8, 1.2, 2.0], starts, rng=RNG, reach=0.7
    )
    assert [sorted(ids.tolist()) for ids in got.ids] == [[1], [1, 2], [1, 2]]
    place = {int(name): sets for name, sets in zip(got.ids[2], got.sets[2].points, strict=True)}
    earlier = {int(name): sets for name, sets in zip(got.ids[1], got.sets[1].points, strict=True)}
    for name in (1, 2):  # names do not change sides
        assert np.sign(place[name][0]) == np.sign(earlier[name][0])
    assert got.shares.one(parameter=2.0, id=1).value == 0.5
    assert abs(abs(float(place[1][0][0])) - 0.957504) < 1e-6


def test_a_set_without_starts_is_carried_on_until_it_is_gone():
    # x -> x + .1 (a + x - x^3): between -.385 and .385 there are two attracting points
    def make(a):
        return TensorMap(step=lambda x: x + 0.1 * (a + x - x**3))

    starts = torch.full((6, 1), -2.0, dtype=D)
    up = continuation(make, [0.0, 0.2, 0.3, 0.5], starts, rng=RNG)
    assert [len(sets) for sets in up.sets] == [1, 1, 1, 1]
    assert np.sign([float(sets.points[0][0][0]) for sets in up.sets]).tolist() == [-1, -1, -1, 1]
    assert up.ids[3].tolist() == [2]  # too far for the old name
    down = continuation(make, [0.5, 0.2, -0.2, -0.5], starts, rng=RNG)
    assert [len(sets) for sets in down.sets] == [1, 2, 2, 1]
    assert [sorted(ids.tolist()) for ids in down.ids] == [[1], [1, 2], [1, 2], [2]]
    upper = down.shares.where(id=1)
    assert upper.value.tolist() == [1.0, 0.0, 0.0]  # only seeds find it
    assert down.sets[1].labels.shape == (6,)


def test_diverged_and_undecided_starts_have_no_name():
    got = continuation(
        lambda a: TensorMap(step=lambda x: a * x), [0.5, 2.0], torch.ones(3, 1, dtype=D), rng=RNG
    )
    assert [ids.tolist() for ids in got.ids] == [[1], [-1]]
    assert got.shares.one(id=-1, kind="diverged").value == 1.0
    assert got.sets[1].kinds == (LimitKind.DIVERGED,)


def test_reach_decides_what_is_one_set():
    make = lambda a: TensorMap(step=lambda x: a + (x - a) / 2)  # noqa: E731
    starts = torch.zeros(2, 1, dtype=D)
    assert [i.tolist() for i in continuation(make, [0.0, 1.0, 2.0], starts, rng=RNG).ids] == [[1], [2], [3]]
    wide = continuation(make, [0.0, 1.0, 2.0], starts, rng=RNG, reach=math.inf)
    assert [ids.tolist() for ids in wide.ids] == [[1], [1], [1]]


def test_matching_by_hand():
    # from {0} to {1, -1}: 1 away; from {1, -1} to {0}: 1
    assert set_distance([np.zeros(1)], [np.ones(1), -np.ones(1)]) == 1.0
    # {0} to {0, 3}: 0 there, 1.5 back: the larger counts
    assert set_distance([np.zeros(1)], [np.zeros(1), np.full(1, 3.0)]) == 1.5
    points = lambda *xs: [[np.full(1, x)] for x in xs]  # noqa: E731
    # both are nearest to 1.0; the sum is least when 1.0 goes to 1.2 and 2.0 to 1.9
    assert matched(points(1.0, 2.0), points(1.9, 1.2), names=[4, 7], reach=5, next_name=8) == [7, 4]
    assert matched([], points(1.0, 2.0), names=[], reach=5, next_name=1) == [1, 2]
    assert matched(points(1.0), [], names=[1], reach=5, next_name=2) == []


def test_orbit_diagram_of_the_logistic_map():
    got = orbit_diagram(known.logistic, [2.0, 3.2, 3.83], UNIT[:2], rng=RNG, keep=12)
    assert got.values.shape == (3, 24)
    # 1 - 1/r; the 2-cycle; three values of the 3-cycle
    assert np.unique(got.values[0].round(6)).tolist() == [0.5]
    assert np.unique(got.values[1].round(6)).tolist() == [0.513045, 0.799455]
    assert len(np.unique(got.values[2].round(6))) == 3
    early = orbit_diagram(known.logistic, [2.0], UNIT[:2], rng=RNG, keep=1, steps=0)
    assert early.values[0].tolist() == pytest.approx((2 * UNIT[:2] * (1 - UNIT[:2])).flatten().tolist())
    henon = orbit_diagram(
        lambda a: known.henon(a), [1.4], torch.zeros(1, 2, dtype=D), rng=RNG, coordinate=1, keep=5
    )
    first = orbit_diagram(lambda a: known.henon(a), [1.4], torch.zeros(1, 2, dtype=D), rng=RNG, keep=5)
    assert henon.values[0, 1:] == pytest.approx(0.3 * first.values[0, :-1])  # y = b x of the step before
    frame = got.to_frame()
    assert len(frame) == 72


def test_orbit_diagram_chart_samples_and_says_so():
    got = orbit_diagram(known.logistic, np.linspace(3, 4, 20), UNIT, rng=RNG, keep=10)
    small = got.plot(most=100).to_dict()
    assert len(drawn(small)) == 100
    assert "100 of 2400 points" in small["encoding"]["y"]["title"]
    whole = got.plot().to_dict()
    assert len(drawn(whole)) == 2400
    blown = orbit_diagram(lambda a: TensorMap(step=lambda x: x**3), [1.0], 3 + UNIT, rng=RNG)
    assert "No orbit stayed finite" in str(blown.plot().to_dict())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: continuation(known.logistic, [], UNIT, rng=RNG), "one value"),
        (lambda: continuation(known.logistic, [3.0], UNIT, rng=RNG, reach=0.0), "reach above 0"),
        (lambda: continuation(known.logistic, [3.0], UNIT, rng=RNG, memory=1), "must fit"),
        (lambda: continuation(known.logistic, [3.0], UNIT, rng=RNG, exponent_steps=1), "exponent_steps"),
        (lambda: orbit_diagram(known.logistic, [3.0], UNIT, rng=RNG, coordinate=1), "coordinate below 1"),
        (lambda: orbit_diagram(known.logistic, [3.0], UNIT, rng=RNG, keep=0), "keep of 1"),
        (lambda: orbit_diagram(known.logistic, [3.0], UNIT, rng=RNG, steps=-1), "steps of 0"),
    ],
)
def test_what_cannot_be_used_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
