"""Is the smallest shock that leaves a basin as small as the basin says?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.instruments.dynamics import smallest_shock
from limitset.maps import known
from limitset.maps.latent import TensorMap

RNG = Streams(0)
D = torch.float64
CUBIC = TensorMap(step=lambda x: x**3 / 2 + x / 2)


def test_worked_by_hand():
    # the basin of 0 under x^3 / 2 + x / 2 is (-1, 1)
    got = smallest_shock(CUBIC, torch.zeros(1, 1, dtype=D), rng=RNG)
    assert got.size.one(state=0).value == pytest.approx(1.0, abs=2e-3)
    assert abs(float(got.shocks[0, 0])) == got.size.one(state=0).value
    assert 0.9 <= got.returned_below[0] <= 1.0
    fine = smallest_shock(CUBIC, torch.zeros(1, 1, dtype=D), rng=RNG, precision=1e-5, directions=1)
    assert fine.size.one(state=0).value == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("rate", "exact"), [(2.5, 0.4), (1.6, 0.375)])
def test_exact_for_the_logistic_map(rate, exact):
    # fixed point 1 - 1/r, basin (0, 1): the nearer end
    point = torch.full((1, 1), 1 - 1 / rate, dtype=D)
    got = smallest_shock(known.logistic(rate), point, rng=RNG)
    assert got.size.one(state=0).value == pytest.approx(exact, abs=2e-3)
    assert "upper bound" in got.size.notes[0]


def test_cube_roots_against_a_dense_search():
    root = torch.tensor([[1.0, 0.0]], dtype=D)
    got = smallest_shock(known.cube_roots(), root, rng=RNG, steps=60)
    size = got.size.one(state=0).value
    # brute force: 720 directions, 200 lengths
    angle = torch.arange(720, dtype=D) * 2 * math.pi / 720
    length = torch.linspace(0.005, 1.0, 200, dtype=D)
    points = torch.stack([1 + length[:, None] * angle.cos(), length[:, None] * angle.sin()], dim=2)
    states = points.reshape(-1, 2)
    for _ in range(60):
        states = known.cube_roots().step(states, rows=[], rng=RNG)
    away = ((states - root).norm(dim=1) > 1e-3).reshape(200, 720).any(dim=1)
    dense = float(length[int(away.int().argmax())])
    assert dense - 0.005 - 2e-3 <= size <= dense + 0.02
    # and it does escape
    here = root + torch.tensor(got.shocks)
    for _ in range(60):
        here = known.cube_roots().step(here, rows=[0], rng=RNG)
    assert float((here - root).norm()) > 0.5


def test_the_way_to_another_set_is_found_in_many_dimensions():
    # tanh along one direction of 200, contraction in the others: +-m are 2 m apart, the saddle 0 between them
    direction = torch.zeros(200, dtype=D)
    direction[:] = 1 / math.sqrt(200)

    def step(x):
        along = x @ direction
        return torch.tanh(2 * along)[:, None] * direction + 0.1 * (x - along[:, None] * direction)

    point = known.THREE_BIT_LEVEL * direction[None]
    exact = known.THREE_BIT_LEVEL  # to the saddle
    led = smallest_shock(TensorMap(step=step), point, rng=RNG, directions=4, others=-point)
    assert led.size.one(state=0).value == pytest.approx(exact, rel=5e-3)
    # the slowest direction is found without being told
    alone = smallest_shock(TensorMap(step=step), point, rng=RNG, directions=4)
    assert alone.size.one(state=0).value == pytest.approx(exact, rel=5e-3)
    blind = smallest_shock(
        TensorMap(step=lambda x: torch.from_numpy(step(x).numpy())), point, rng=RNG, directions=4
    )
    assert blind.size.blank_reason[0] or blind.size.value[0] > 1.5 * exact


def test_none_up_to_the_largest_is_blank_with_its_reason():
    half = TensorMap(step=lambda x: x / 2)
    got = smallest_shock(half, torch.zeros(2, 3, dtype=D), rng=RNG, largest=7.0)
    assert np.isnan(got.size.value).all()
    assert got.size.blank_reason[0] == "no shock up to 7 stayed away"
    assert np.isnan(got.shocks).all()
    assert got.returned_below.tolist() == [7.0, 7.0]


def test_every_option_moves_the_answer():
    zero = torch.zeros(1, 1, dtype=D)
    assert np.isnan(smallest_shock(CUBIC, zero, rng=RNG, largest=0.5).size.value[0])
    assert smallest_shock(CUBIC, zero, rng=RNG, steps=3).size.value[0] < 0.2  # not yet back
    assert smallest_shock(CUBIC, zero, rng=RNG, steps=3, tolerance=0.2).size.value[0] > 0.5
    rough = smallest_shock(CUBIC, zero, rng=RNG, largest=2.9, sizes=2, precision=0.49)
    # 1.45 escapes and .725 does not; then between them 1.0875
    assert rough.size.value[0] == pytest.approx(1.0875)
    scale = torch.tensor([[1.0], [3.0]], dtype=D)
    map = TensorMap(step=lambda x, rows: x * ((x / scale[rows]) ** 2 + 1) / 2)
    both = smallest_shock(map, torch.zeros(2, 1, dtype=D), rng=RNG, largest=4.0)
    assert both.size.value.tolist() == pytest.approx([1.0, 3.0], abs=0.01)
    second = smallest_shock(map, zero, rng=RNG, largest=4.0, rows=[1])
    assert second.size.value[0] == pytest.approx(3.0, abs=0.01)
    root = torch.tensor([[1.0, 0.0]], dtype=D)
    few = smallest_shock(known.cube_roots(), root, rng=RNG, directions=1, steps=40)
    many = smallest_shock(known.cube_roots(), root, rng=RNG, directions=200, steps=40)
    assert many.size.value[0] <= few.size.value[0]
    other = smallest_shock(known.cube_roots(), root, rng=Streams(1), directions=1, steps=40)
    assert other.size.value[0] != few.size.value[0]


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        (0.5, {}, "fixed point or on a cycle"),
        (0.0, {"largest": 0.0}, "largest above 0"),
        (0.0, {"directions": 0}, "directions of 1"),
        (0.0, {"sizes": 1}, "sizes of 2"),
        (0.0, {"precision": 0.0}, "precision"),
        (0.0, {"steps": 0}, "steps of 1"),
        (0.0, {"tolerance": 0.0}, "tolerance"),
    ],
)
def test_what_cannot_be_used_is_refused(state, more, words):
    with pytest.raises(InputError, match=words):
        smallest_shock(CUBIC, torch.full((1, 1), state, dtype=D), **{"rng": RNG, **more})
