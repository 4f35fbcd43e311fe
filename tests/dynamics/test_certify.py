"""Is every hypothesis told apart, and is no claim made that a hypothesis does not carry?"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.core.limit_sets import Certificate
from limitset.instruments.dynamics import Ball, Box, OpenBox, Sphere
from limitset.instruments.dynamics import certify as certify_at_full
from limitset.maps.known import DOTTIE, cosine, gaussian_weights, rotation, square_root, tanh_net
from limitset.maps.latent import TensorMap
from limitset.numerics.enclosing.norm_bounds import spectral_norm_above

PROVED, EMPIRICAL, REFUTED = Certificate.PROVED, Certificate.EMPIRICAL, Certificate.REFUTED
TURN = 0.1
COSINE, SINE = math.cos(2 * math.pi * TURN), math.sin(2 * math.pi * TURN)
TURNED = np.array([[COSINE, -SINE], [SINE, COSINE]])
UNIT = Box(np.zeros(1), np.ones(1))


def certify(map, *, samples=200, pieces=32, **options):
    """Fewer draws and boxes than the defaults: the type checks of the tests make each box slow."""
    return certify_at_full(map, samples=samples, pieces=pieces, **options)


def rng(seed=0):
    return np.random.default_rng(seed)


def rotated(x):
    return TURNED @ x


def root(x):
    return np.sqrt(1 + x**2)


def test_rotation_of_a_circle():
    # every point moves by the chord of a tenth of a turn, 2 sin(pi / 10) = .618034
    got = certify(rotation(TURN), region=Sphere(np.zeros(2), 1.0), interval_step=rotated, rng=rng())
    assert got.verdict.startswith("no fixed point; convexity fails")
    assert got.conclusions == {"existence": REFUTED}
    assert got.hypotheses["convex"] is REFUTED
    assert got.hypotheses["continuous"] is PROVED
    assert got.hypotheses["closed"] is got.hypotheses["bounded"] is PROVED
    assert got.hypotheses["self_map"] is EMPIRICAL
    assert 0.5 < got.gap.low < 2 * math.sin(math.pi / 10) < got.gap.value + 1e-12
    # the witness: two points of the circle whose midpoint is none
    middle = got.witnesses["convex"].mean(axis=0)
    assert np.linalg.norm(middle) < 0.1


def test_without_intervals_nothing_is_claimed_on_the_circle():
    got = certify(rotation(TURN), region=Sphere(np.zeros(2), 1.0), rng=rng())
    assert got.verdict.startswith("no claim of a fixed point; convexity fails")
    assert not got.conclusions
    assert "Brouwer's theorem does not apply: convex" in got.notes


def test_rotation_of_the_disc():
    got = certify(
        rotation(TURN), region=Ball(np.zeros(2), 1.0), interval_step=rotated, image_radius=1.0, rng=rng()
    )
    assert got.conclusions == {"existence": PROVED, "uniqueness": PROVED}
    assert got.hypotheses["self_map"] is PROVED
    assert got.hypotheses["contraction"] is REFUTED
    assert "slope_below_one" not in got.hypotheses
    assert got.enclosure == pytest.approx(0, abs=1e-12)
    # the witness: two points of the disc that stay as far apart
    first, second = got.witnesses["contraction"]
    assert np.linalg.norm(TURNED @ (first - second)) == pytest.approx(np.linalg.norm(first - second))
    assert max(np.linalg.norm(first), np.linalg.norm(second)) <= 1 + 1e-12
    # without the theorem that lengths stay, sampling is all there is for the self-map; existence is proved apart
    alone = certify(rotation(TURN), region=Ball(np.zeros(2), 1.0), interval_step=rotated, rng=rng())
    assert alone.hypotheses["self_map"] is EMPIRICAL
    assert alone.conclusions["existence"] is PROVED


def test_slope_below_one_and_yet_no_contraction():
    got = certify(square_root(), region=Box(np.zeros(1), np.full(1, np.inf)), interval_step=root, rng=rng())
    assert got.verdict == "no claim of a fixed point; the set is unbounded; slope below 1, no contraction"
    assert got.hypotheses["slope_below_one"] is EMPIRICAL
    assert got.hypotheses["self_map"] is PROVED
    x, y = got.witnesses["contraction"][:, 0]
    assert abs(math.hypot(1, x) - math.hypot(1, y)) > (1 - 1e-9) * abs(x - y)


def test_square_root_leaves_every_interval():
    # on [0, 10] the slope is at most 10 / sqrt 101 = .995037, and f(x) - x falls to sqrt 101 - 10 = .049876
    box = Box(np.zeros(1), np.full(1, 10.0))
    got = certify(square_root(), region=box, interval_step=root, pieces=256, rng=rng())
    assert got.verdict == "no fixed point; the map leaves the set"
    assert got.hypotheses["contraction"] is PROVED
    assert got.factor.value == pytest.approx(10 / math.sqrt(101))
    assert 10 / math.sqrt(101) <= got.factor.high < 1
    assert 0.04 < got.gap.low <= math.sqrt(101) - 10
    (witness,) = got.witnesses["self_map"]
    assert math.hypot(1, witness[0]) > 10
    # x > sqrt 99 is mapped outside: half a hundredth, and half of the draws are ends, half of these the top
    assert got.escape.low < 0.2525 < got.escape.high


def test_cosine_is_certified():
    got = certify(cosine(), region=UNIT, interval_step=np.cos, rng=rng())
    assert set(got.hypotheses.values()) == {PROVED}
    assert got.conclusions == dict.fromkeys(["existence", "uniqueness", "reach", "stability"], PROVED)
    assert got.verdict == "exactly one fixed point, reached from everywhere in the set"
    low, high = got.enclosure[:, 0]
    assert low <= DOTTIE <= high
    assert high - low < 1e-14
    assert math.sin(1) <= got.factor.high < math.sin(1) + 1e-12


def test_sampled_is_never_proved():
    got = certify(cosine(), region=UNIT, samples=300, rng=rng())
    assert set(got.conclusions.values()) == {EMPIRICAL}
    assert (
        got.hypotheses["self_map"]
        is got.hypotheses["contraction"]
        is got.hypotheses["continuous"]
        is EMPIRICAL
    )
    assert got.verdict.endswith("as far as sampled")
    assert math.isnan(got.factor.high)
    # rule of three: 1 - .05^(1/300) = .00994, near 3 / 300
    assert got.escape.value == 0
    assert got.escape.high == pytest.approx(1 - 0.05 ** (1 / 300))


@pytest.mark.parametrize(
    "region", [OpenBox(np.zeros(1), np.ones(1)), OpenBox(np.zeros(1), np.full(1, np.inf))]
)
def test_a_set_that_is_not_closed_carries_no_claim(region):
    got = certify(TensorMap(step=lambda x: x / 2), region=region, interval_step=lambda x: x / 2, rng=rng())
    assert got.hypotheses["closed"] is REFUTED
    assert got.hypotheses["contraction"] is PROVED
    assert not got.conclusions
    assert "the set is not closed" in got.verdict


def test_contracting_tanh_net_is_unique():
    weights = gaussian_weights(2, gain=0.5, seed=3)
    weights *= 0.6 / np.linalg.norm(weights, 2)
    bias = np.array([0.3, -0.2])
    net = TensorMap(step=lambda x: torch.tanh(x @ torch.from_numpy(weights).T + torch.from_numpy(bias)))
    cube = Box(-np.ones(2), np.ones(2))
    got = certify(net, region=cube, interval_step=lambda x: np.tanh(weights @ x + bias), rng=rng())
    assert got.conclusions == dict.fromkeys(["existence", "uniqueness", "reach", "stability"], PROVED)
    state = np.zeros(2)
    for _ in range(500):
        state = np.tanh(weights @ state + bias)
    assert (got.enclosure[0] <= state + 1e-15).all()
    assert (state - 1e-15 <= got.enclosure[1]).all()


def test_wide_tanh_net_is_unique_by_the_norm_of_its_weights():
    weights = gaussian_weights(64, gain=0.4, seed=0)
    bound = float(spectral_norm_above(torch.from_numpy(weights)))
    cube = Box(-np.ones(64), np.ones(64))
    given = {"region": cube, "interval_step": lambda x: np.tanh(weights @ x), "samples": 64}
    got = certify(tanh_net(weights), **given, factor=bound, rng=rng())
    assert got.conclusions["uniqueness"] is got.conclusions["reach"] is PROVED
    assert got.factor.high == bound
    # one box over 64 sides is too coarse for intervals alone
    assert certify(tanh_net(weights), **given, rng=rng()).hypotheses["contraction"] is EMPIRICAL


def outer_norm(size):
    weights = rng(1).normal(size=(size, size))
    bias = rng(2).normal(size=size)

    def step(x):
        y = torch.tanh(3 * x @ torch.from_numpy(weights).T) + torch.from_numpy(bias)
        return y / torch.sqrt((y**2).mean(1, keepdim=True) + 1e-3)

    def on_intervals(x):
        y = np.tanh(3.0 * (weights @ x)) + bias
        return y / np.sqrt((y**2).mean() + 1e-3)

    return TensorMap(step=step), on_intervals


def test_outer_norm_maps_a_ball_into_itself():
    # ||y / sqrt(mean y^2 + eps)|| <= sqrt d: a theorem, whatever y is
    map, on_intervals = outer_norm(6)
    ball = Ball(np.zeros(6), math.sqrt(6))
    given = {"interval_step": on_intervals, "image_radius": math.sqrt(6), "pieces": 1}
    got = certify(map, region=ball, **given, rng=rng())
    assert got.hypotheses["self_map"] is PROVED
    assert got.conclusions["existence"] is PROVED
    assert "reach" not in got.conclusions
    # a ball that is smaller than the images is left
    small = certify(map, region=Ball(np.zeros(6), 2.0), rng=rng())
    assert small.hypotheses["self_map"] is REFUTED
    assert "existence" not in small.conclusions
    with pytest.raises(InputError, match=r"image_radius 2\.0 must hold"):
        certify(map, region=ball, image_radius=2.0, rng=rng())


def test_jump_is_found():
    # -sign(x - .1) / 2 has no fixed point in [-1, 1] though it maps the interval into itself
    got = certify(
        TensorMap(step=lambda x: -torch.sign(x - 0.1) / 2), region=Box(-np.ones(1), np.ones(1)), rng=rng()
    )
    assert got.hypotheses["continuous"] is REFUTED
    assert not got.conclusions
    assert got.witnesses["continuous"] == pytest.approx(0.1)
    assert "the map jumps" in got.verdict
    assert "slope below 1" not in got.verdict


def test_a_pole_that_is_squashed_is_no_proof_of_continuity():
    # tanh(1 / x) jumps at 0 from -1 to 1, though every value lies in [-1, 1]
    map = TensorMap(step=lambda x: -0.9 * torch.tanh(1 / x))
    box = Box(-np.ones(1), np.full(1, 1.1))
    got = certify(map, region=box, interval_step=lambda x: -0.9 * np.tanh(1.0 / x), rng=rng())
    assert got.hypotheses["continuous"] is REFUTED
    assert got.hypotheses["self_map"] is EMPIRICAL
    assert "existence" not in got.conclusions


def test_a_root_at_its_end_is_no_error():
    # sqrt(x) / 2 + 1/4 on [0, 1]: fixed where y = sqrt x solves y^2 - y / 2 - 1/4 = 0, y = (1 + sqrt 5) / 4
    map = TensorMap(step=lambda x: torch.sqrt(x) / 2 + 0.25)
    got = certify(map, region=UNIT, interval_step=lambda x: np.sqrt(x) / 2.0 + 0.25, rng=rng())
    assert got.hypotheses["continuous"] is got.hypotheses["self_map"] is PROVED
    assert got.conclusions["existence"] is PROVED
    assert got.enclosure.mean() == pytest.approx(((1 + math.sqrt(5)) / 4) ** 2)


def test_steep_slope_is_refuted_by_a_point():
    got = certify(TensorMap(step=lambda x: torch.tanh(3 * x)), region=Box(-np.ones(1), np.ones(1)), rng=rng())
    assert got.hypotheses["slope_below_one"] is REFUTED
    (witness,) = got.witnesses["slope_below_one"]
    assert 3 * (1 - np.tanh(3 * witness[0]) ** 2) > 1
    assert got.conclusions == {"existence": EMPIRICAL}
    assert got.verdict == "a fixed point, as far as sampled; no contraction"


def test_stability_needs_no_contraction_of_the_whole_set():
    # 2.5 x (1 - x) on [.05, .95]: fixed at .6 with slope -.5; slope up to 2.25 elsewhere
    box = Box(np.full(1, 0.05), np.full(1, 0.95))
    got = certify(
        TensorMap(step=lambda x: 2.5 * x * (1 - x)),
        region=box,
        interval_step=lambda x: 2.5 * x * (1 - x),
        rng=rng(),
    )
    assert got.hypotheses["contraction"] is REFUTED
    assert got.conclusions["existence"] is got.conclusions["stability"] is PROVED
    assert got.enclosure[0, 0] <= 0.6 <= got.enclosure[1, 0]


def test_pieces_and_samples_move_the_answer():
    # x / sqrt(1 + x^2) on [0, 2]: one box gives 2 / 1, many come near 2 / sqrt 5 = .894
    map, box = square_root(), Box(np.zeros(1), np.full(1, 2.0))
    one, many = (certify(map, region=box, interval_step=root, pieces=n, rng=rng()) for n in (1, 32))
    assert one.factor.high == pytest.approx(2)
    assert one.hypotheses["contraction"] is EMPIRICAL
    assert 2 / math.sqrt(5) <= many.factor.high < 0.95
    assert many.hypotheses["contraction"] is PROVED
    assert certify(map, region=box, samples=20, rng=rng()).gap.n == 20


def test_row_and_shape_reach_the_map():
    inputs = torch.tensor([[0.0, 0.0], [5.0, 0.0]], dtype=torch.float64)
    held = TensorMap(step=lambda x, rows: x / 2 + inputs[rows].reshape(-1, 1, 2))
    box = Box(-np.ones(2), np.ones(2))
    inside, left = (certify(held, region=box, shape=(1, 2), row=row, rng=rng()) for row in (0, 1))
    assert inside.hypotheses["self_map"] is EMPIRICAL
    assert left.hypotheses["self_map"] is REFUTED


def test_another_map_on_intervals_is_refused():
    for wrong in (np.sin, lambda x: np.cos(x) + 1e-6, lambda x: np.stack([x[0], x[0]])):
        with pytest.raises(InputError, match=r"interval_step|self-map"):
            certify(cosine(), region=UNIT, interval_step=wrong, rng=rng())


def test_false_theorems_are_refused():
    with pytest.raises(InputError, match=r"factor 0\.5 must hold"):
        certify(cosine(), region=UNIT, factor=0.5, rng=rng())
    with pytest.raises(InputError, match="needs a ball"):
        certify(cosine(), region=UNIT, image_radius=1.0, rng=rng())
    with pytest.raises(InputError, match="8 samples"):
        certify(cosine(), region=UNIT, samples=2, rng=rng())
    with pytest.raises(InputError, match="low < high"):
        Box(np.ones(1), np.zeros(1))
    with pytest.raises(InputError, match="radius above 0"):
        Ball(np.zeros(2), 0.0)


@given(st.integers(0, 10**6))
@settings(max_examples=6, deadline=None)
def test_no_wrong_claim_for_maps_with_known_fixed_points(seed):
    # x -> p + A (x - p) + c sin(b (x - p)) - c b (x - p) keeps p fixed; its place may be in the box or not
    draw = rng(seed)
    size = int(draw.integers(1, 4))
    p = draw.uniform(-1.5, 1.5, size)
    matrix = draw.normal(size=(size, size)) * draw.uniform(0.1, 1.5)
    slope, wave = draw.uniform(0, 2, 2)
    weights = torch.from_numpy(matrix)

    def step(x):
        away = x - torch.from_numpy(p)
        return torch.from_numpy(p) + away @ weights.T + slope * torch.sin(wave * away)

    def on_intervals(x):
        away = x - p
        return p + matrix @ away + slope * np.sin(wave * away)

    box = Box(-np.ones(size), np.ones(size))
    got = certify(
        TensorMap(step=step), region=box, interval_step=on_intervals, samples=32, pieces=4, rng=rng(seed)
    )
    inside = bool((np.abs(p) <= 1).all())
    if inside:
        assert got.conclusions.get("existence") is not REFUTED
        assert got.gap.low == 0
        if got.conclusions.get("uniqueness") is PROVED and len(got.enclosure):
            assert (got.enclosure[0] <= p).all()
            assert (p <= got.enclosure[1]).all()
    elif got.conclusions.get("uniqueness") is got.conclusions.get("existence") is PROVED:
        # another one, then: the enclosed point must be nearly fixed
        middle = got.enclosure.mean(axis=0)
        assert np.abs(on_intervals(middle) - middle).max() < 1e-9
    if got.hypotheses["contraction"] is PROVED:
        jacobians = [
            matrix + np.diag(slope * wave * np.cos(wave * (x - p))) for x in draw.uniform(-1, 1, (20, size))
        ]
        assert max(np.linalg.norm(j, 2) for j in jacobians) <= got.factor.high
