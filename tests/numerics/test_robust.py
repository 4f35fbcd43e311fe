"""Do maps that break their word, and numbers of any size, get an answer or a clear refusal?"""

import math

import numpy as np
import pytest
import torch

from limitset.core.errors import InputError
from limitset.core.levels import Status
from limitset.core.limit_sets import Certificate
from limitset.core.streams import Streams
from limitset.instruments.dynamics import (
    growth,
    limit_sets,
    lyapunov_spectrum,
    run_tensors,
    spectrum,
    stretch_by_part,
)
from limitset.maps.latent import TensorMap
from limitset.numerics.running.row_norms import array_norms, row_norms, units_of
from limitset.numerics.solvers.picard import picard
from limitset.numerics.stability.arnoldi import leading_eigenvalues
from limitset.numerics.stability.shocks import homes_of
from limitset.numerics.stability.tangent import orthonormal
from limitset.numerics.vector_map import VectorMap

D = torch.float64
RNG = Streams(0)


def rng():
    return np.random.default_rng(0)


ASKED = {
    "run_tensors": lambda map, starts: run_tensors(map, starts, steps=20, rng=RNG),
    "limit_sets": lambda map, starts: limit_sets(map, starts, steps=20, rng=RNG),
    "spectrum": lambda map, starts: spectrum(map, starts, rng=rng()),
    "lyapunov_spectrum": lambda map, starts: lyapunov_spectrum(map, starts, steps=20, rng=rng()),
    "growth": lambda map, starts: growth(map, starts, rng=rng()),
    "stretch_by_part": lambda map, starts: stretch_by_part([("a", map)], starts, steps=20, rng=rng()),
}
CALLED = {
    "call": lambda f, x: f(x, range(len(x))),
    "jvp": lambda f, x: f.jvp(x, range(len(x)), torch.ones_like(x)),
    "vjp": lambda f, x: f.vjp(x, range(len(x)), torch.ones_like(x)),
    "jacobian": lambda f, x: f.jacobian(x, range(len(x))),
    "leading_eigenvalues": lambda f, x: leading_eigenvalues(f, x, rng=rng()),
    "picard": lambda f, x: picard(f, x),
}


def overwriting(states, rows):
    states[:, 0] = 1.0 + rows  # the held input, written into what was given
    return torch.stack([states[:, 0] / 2, states[:, 1] / 2 + states[:, 0]], dim=1)


IN_PLACE = {
    "mul_": lambda x: x.mul_(0.5).add_(1),
    "index": overwriting,
    "relu": torch.nn.Sequential(torch.nn.ReLU(inplace=True), torch.nn.Linear(2, 2).double()),
    "idempotent": lambda x: x.div_(x.norm(dim=1, keepdim=True)),
}


@pytest.mark.parametrize("step", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_map_that_writes_into_its_states_is_refused_and_the_caller_keeps_them(asked, step):
    starts = torch.tensor([[3.0, 4.0], [6.0, -8.0]], dtype=D)
    kept = starts.clone()
    with pytest.raises(InputError, match="must not write into the states it is given"):
        asked(TensorMap(step=step), starts)
    assert torch.equal(starts, kept)


@pytest.mark.parametrize("step", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
def test_the_map_of_vectors_refuses_writes_in_every_product(called, step):
    starts = torch.tensor([[3.0, 4.0], [6.0, -8.0]], dtype=D)
    kept = starts.clone()
    with pytest.raises(InputError, match="must not write into the states it is given"):
        called(VectorMap.of(TensorMap(step=step), starts), starts)
    assert torch.equal(starts, kept)


def test_writes_are_seen_in_inference_mode_too():
    with torch.inference_mode():
        starts = torch.ones(2, 2, dtype=D)
        with pytest.raises(InputError, match="must not write"):
            run_tensors(TensorMap(step=IN_PLACE["mul_"]), starts, steps=20, rng=RNG)
        got = run_tensors(TensorMap(step=lambda x: x / 2 + 1), starts, steps=60, rng=RNG)
    assert got.settled.all()


def test_a_map_may_hand_out_one_buffer_again_and_again():
    buffer = torch.zeros(1, 1, dtype=D)

    def step(x):
        return buffer.copy_(x / 2 + 1)  # the states of the next step, if nobody copies them

    starts = torch.zeros(1, 1, dtype=D)
    own, fresh = (
        run_tensors(TensorMap(step=one), starts, steps=60, rng=RNG, tolerance=1e-3)
        for one in (step, lambda x: x / 2 + 1)
    )
    assert own.arrival.tolist() == fresh.arrival.tolist() == [10]
    f = VectorMap.of(TensorMap(step=step), starts)
    first = f(starts, [0])
    assert f(first, [0]).tolist() == [[1.5]]
    assert first.tolist() == [[1.0]]
    assert picard(f, starts, tolerance=1e-9).states.tolist() == [[pytest.approx(2, abs=4e-9)]]


def test_a_readout_that_writes_does_not_touch_the_run():
    halves, starts = TensorMap(step=lambda x: x / 2 + 1), torch.zeros(2, 3, dtype=D)
    plain, read = (
        run_tensors(halves, starts, steps=80, rng=RNG, on_step=one)
        for one in (None, lambda t, rows, states: states.mul_(0))
    )
    assert np.array_equal(plain.lasts, read.lasts)
    assert np.array_equal(plain.arrival, read.arrival)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_map_that_says_deterministic_and_is_not_is_refused(asked):
    noisy = TensorMap(step=lambda x: x / 2 + 0.01 * torch.randn(x.shape, dtype=x.dtype))
    with pytest.raises(InputError, match="deterministic must give one image a state"):
        asked(noisy, torch.ones(4, 3, dtype=D))


def test_large_noise_is_seen_in_sixteen_bits():
    noisy = TensorMap(step=lambda x: x / 2 + torch.randn(x.shape).to(x))
    with pytest.raises(InputError, match="deterministic must give one image a state"):
        run_tensors(noisy, torch.ones(4, 3, dtype=torch.bfloat16), steps=9, rng=RNG)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_map_that_ignores_rows_is_refused(asked):
    held = torch.arange(24.0, dtype=D).reshape(8, 3)
    with pytest.raises(InputError, match=r"write step\(states, rows\) and take inputs\[rows\]"):
        asked(TensorMap(step=lambda x: x / 2 + held), torch.ones(8, 3, dtype=D))


def test_a_step_that_fails_says_on_which_batch_and_keeps_the_cause():
    held = torch.ones(20, 3, dtype=D)
    f = VectorMap(map=TensorMap(step=lambda x: x / 2 + held), shape=(3,))
    starts = torch.ones(8, 3, dtype=D)
    for called in CALLED.values():
        with pytest.raises(
            InputError, match=r"here a batch of (8|24).* got RuntimeError: The size of"
        ) as caught:
            called(f, starts)
        assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(InputError, match="torch can follow; got RuntimeError: Can't call numpy"):
        VectorMap.of(TensorMap(step=lambda x: torch.from_numpy(x.numpy() / 2)), starts).vjp(
            starts, range(8), starts
        )
    with pytest.raises(InputError, match="AttributeError"):
        VectorMap.of(TensorMap(step=lambda x: x.nothing), starts)(starts, range(8))

    def refused(x):
        raise InputError("its own words")

    with pytest.raises(InputError, match=r"^its own words$"):
        VectorMap.of(TensorMap(step=refused), starts).jvp(starts, range(8), starts)


class Squared(torch.autograd.Function):
    """x^2 without a forward derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, upper):
        (x,) = ctx.saved_tensors
        return 2 * x * upper


def test_products_without_forward_derivatives_still_come_from_two_backward_ones():
    # J = diag(2 x): at (1, 3) times (1, 1) that is (2, 6)
    squared = TensorMap(step=lambda x: Squared.apply(x))  # apply hides what it takes
    f = VectorMap.of(squared, torch.zeros(1, 2, dtype=D))
    x, ones = torch.tensor([[1.0, 3.0]], dtype=D), torch.ones(1, 2, dtype=D)
    assert f.jvp(x, [0], ones).tolist() == [[2, 6]]
    assert f.jacobian(x, [0]).tolist() == [[[2, 0], [0, 6]]]

    def only_backward(x):
        if torch._C._functorch.peek_interpreter_stack() is not None:
            raise NotImplementedError("no forward derivative")
        return x**2

    f = VectorMap.of(TensorMap(step=only_backward), x)
    assert f.jvp(x, [0], ones).tolist() == [[2, 6]]


def test_norms_by_hand():
    # 3, 4, 5 at sizes whose squares are no float32, or no float64
    for size in (1.0, 2.0**100, 2.0**-100):
        got = row_norms(torch.tensor([[3.0, 4.0], [0.0, 0.0]]) * size)
        assert got.dtype is D
        assert got.tolist() == [5 * size, 0]
    for size in (2.0**1000, 2.0**-1000):
        rows = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1 / size, 0.0], [math.inf, 0.0]], dtype=D)
        rows[0] *= size
        assert row_norms(rows).tolist() == [pytest.approx(5 * size), 0, 1 / size, math.inf]
        assert array_norms(np.array([[3.0, 4.0]]) * size).tolist() == [5 * size]
    assert math.isnan(float(row_norms(torch.tensor([[math.nan, 1e300]], dtype=D))))
    assert units_of(np.array([1e99, 3 * 2.0**900, 1.7e308, 0.0])).tolist() == [1, 2.0**901, 2.0**1023, 1]


MAPS = {
    "halving": lambda x, s: x / 2,
    "flip": lambda x, s: -x,
    "to a point": lambda x, s: x / 2 + s,
    "drift": lambda x, s: x + s,
    "doubling": lambda x, s: 2 * x,
    "turn": lambda x, s: torch.stack([0.6 * x[:, 0] - 0.8 * x[:, 1], 0.8 * x[:, 0] + 0.6 * x[:, 1]], dim=1),
}


@pytest.mark.parametrize("step", MAPS.values(), ids=MAPS)
@pytest.mark.parametrize(("dtype", "power"), [(torch.float32, 64), (torch.float32, -64), (D, 900), (D, -600)])
def test_homogeneous_maps_end_alike_at_every_size(step, dtype, power):
    # a power of two changes no bit of the fractions, so nothing that is relative may change; squares of
    # 2^64 overflow in float32, those of 2^900 in float64
    starts, size = torch.tensor([[3.0, 4.0], [-5.0, 12.0]], dtype=dtype), 2.0**power
    ordinary, far = (
        run_tensors(
            TensorMap(step=lambda x, unit=unit: step(x, unit)),
            starts * unit,
            steps=40 if step is MAPS["doubling"] else 60,
            rng=RNG,
            bound=1e30,
        )
        for unit in (1.0, size)
    )
    assert far.status == ordinary.status
    assert far.notes == ordinary.notes
    assert far.periods.tolist() == ordinary.periods.tolist()
    assert far.arrival.tolist() == pytest.approx(ordinary.arrival.tolist())
    assert far.norms[:, :5] / size == pytest.approx(ordinary.norms[:, :5])
    if power > 0 and step is MAPS["halving"]:
        assert far.status == (Status.SETTLED,) * 2


@pytest.mark.parametrize(("start", "dtype"), [(1e20, torch.float32), (1e300, D)])
def test_halving_from_afar_settles_at_zero(start, dtype):
    got = run_tensors(
        TensorMap(step=lambda x: x / 2), torch.full((2, 3), start, dtype=dtype), steps=200, rng=RNG
    )
    assert got.status == (Status.SETTLED,) * 2
    assert np.isfinite(got.norms[:, :10]).all()
    sets = limit_sets(
        TensorMap(step=lambda x: x / 2), torch.full((2, 3), start, dtype=dtype), steps=200, rng=RNG
    )
    assert [str(kind) for kind in sets.kinds] == ["fixed"]


def test_a_step_whose_difference_overflows_is_no_small_step():
    starts = torch.tensor([[3e38]])
    got = run_tensors(TensorMap(step=lambda x: -x), starts, steps=60, rng=RNG)
    assert got.periods.tolist() == [2]
    assert (got.residuals[0, : got.ran[0]] == 2).all()  # |x - (-x)| / |x|, where x - (-x) is no float32


def test_other_norms_of_large_numbers_in_single_precision():
    units, lengths = orthonormal(torch.tensor([[[3e25], [4e25]]]))
    assert lengths.tolist() == [[pytest.approx(5e25)]]
    assert units[0, :, 0].tolist() == pytest.approx([0.6, 0.8])
    f = VectorMap(map=TensorMap(step=lambda x: 1e25 * x), shape=(50,))
    got = leading_eigenvalues(f, torch.zeros(1, 50), count=1, krylov=10, rng=rng())
    assert got.values.abs().tolist() == [[pytest.approx(1e25, rel=1e-5)]]
    assert math.isfinite(float(got.residuals))
    homes = homes_of(
        VectorMap(map=TensorMap(step=lambda x: x), shape=(1,)),
        torch.tensor([[1e25]]),
        rows=np.array([0]),
        tolerance=1e-5,
    )
    assert homes.scale.tolist() == [pytest.approx(1e25)]
    assert homes.distance(torch.tensor([[3e25]]), np.array([0])).tolist() == [pytest.approx(2e25)]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sixteen_bits_are_widened_or_refused_by_name(dtype):
    halves, name = TensorMap(step=lambda x: x / 2), str(dtype).removeprefix("torch.")
    exponents = lyapunov_spectrum(halves, torch.ones(2, 3).to(dtype), steps=30, rng=rng()).exponents
    assert exponents.value == pytest.approx(math.log(0.5), abs=0.01)
    many = lyapunov_spectrum(halves, torch.ones(1, 200).to(dtype), steps=30, count=1, rng=rng()).exponents
    assert many.value == pytest.approx(math.log(0.5), abs=0.01)  # and not -inf: rounding is below 1
    assert spectrum(halves, torch.ones(1, 3).to(dtype), rng=rng()).radius.one(start=0).value == 0.5
    with pytest.raises(InputError, match=f"beyond 40 dimensions needs? .*float32 or float64; got {name}"):
        spectrum(halves, torch.ones(1, 50).to(dtype), rng=rng())
    with pytest.raises(InputError, match=f"growth needs states of float32 or float64; got {name}"):
        growth(halves, torch.ones(1, 3).to(dtype), rng=rng())
    assert run_tensors(halves, torch.ones(1, 3).to(dtype), steps=60, rng=RNG).settled.all()


def test_a_passage_of_a_saddle_is_settled_for_runs_and_refuted_by_limit_sets():
    # u -> 1.05 u - .05 u^3: 0 is unstable with multiplier 1.05, 1 and -1 are stable
    saddle = TensorMap(
        step=lambda x: torch.stack(
            [1 + 1.05 * (x[:, 0] - 1) - 0.05 * (x[:, 0] - 1) ** 3, 0.3 * x[:, 1]], dim=1
        )
    )
    starts = torch.tensor([[1 + 1e-6, 1.0], [1.5, 1.0]], dtype=D)
    runs = run_tensors(saddle, starts, steps=2000, tolerance=1e-3, rng=RNG)
    assert runs.status[0] is Status.SETTLED
    assert runs.lasts[0, 0] == pytest.approx(1, abs=1e-4)
    finer = run_tensors(saddle, starts, steps=2000, tolerance=1e-9, rng=RNG)
    assert finer.lasts[0] == pytest.approx([2, 0], abs=1e-8)
    sets = limit_sets(saddle, starts, tolerance=1e-3, rng=RNG)
    wrong, right = (sets.certificates[int(label)]["attracting"] for label in sets.labels)
    assert wrong is Certificate.REFUTED
    assert right is Certificate.EMPIRICAL
    assert sets.notes[int(sets.labels[0])] == "unstable: reached, not attracting"
    assert sets.exponents[int(sets.labels[0])] == pytest.approx(math.log(1.05), abs=1e-3)
