"""Does every instrument that runs maps of tensors obey the laws that it is listed with?"""

import numpy as np
import pytest
import torch

from limitset.core.limit_sets import LimitKind
from limitset.core.streams import Streams
from limitset.instruments.dynamics import (
    continuation,
    find_fixed_points,
    limit_sets,
    lyapunov_spectrum,
    orbit_diagram,
    run_tensors,
)
from limitset.maps import known
from limitset.maps.latent import TensorMap
from limitset.testing import TENSOR_LAWS, TENSOR_LEDGER, LawBrokenError, TensorSummary, check_instrument

RNG = Streams(0)
CODES = {kind: float(code) for code, kind in enumerate(LimitKind)}


def weights():
    """A symmetric net of four with points and 2-cycles."""
    drawn = np.random.default_rng(3).normal(size=(4, 4))
    return (drawn + drawn.T) / 2


CASES = {
    "points": (known.tanh_net(known.three_bits(3)), 12),
    "cycles": (known.tanh_net(1.3 * weights()), 10),
}


def case(name):
    map, count = CASES[name]
    size = 3 if name == "points" else 4
    return map, torch.randn(count, size, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def tolerance_for(starts):
    return 1e-4 if starts.dtype == torch.float32 else 1e-6


def tensor_runs(map, starts):
    got = run_tensors(map, starts, steps=400, rng=RNG, tolerance=1e-5)
    return TensorSummary(arrival=got.arrival, each={"period": got.periods.astype(float)})


def sets(map, starts):
    got = limit_sets(map, starts, steps=400, rng=RNG, tolerance=1e-5, exponent_steps=40)
    return TensorSummary(
        arrival=got.arrival,
        each={
            "kind": np.array([CODES[got.kinds[label]] for label in got.labels]),
            "exponent": got.exponents[got.labels],
        },
        shares={f"share {rank}": share for rank, share in enumerate(got.shares)},
        numbers={"sets": float(len(got))},
    )


def continued(map, starts):
    def make(gain):
        return TensorMap(step=lambda x: map.step(gain * x, rows=[], rng=RNG))

    got = continuation(
        make, [1.0, 1.1], starts, steps=300, rng=RNG, tolerance=1e-5, exponent_steps=40, reach=np.inf
    )
    numbers = {f"sets {place}": float(len(one)) for place, one in enumerate(got.sets)}
    numbers |= {f"names {place}": float(ids.max()) for place, ids in enumerate(got.ids)}
    return TensorSummary(
        numbers=numbers, shares={f"share {rank}": share for rank, share in enumerate(got.sets[1].shares)}
    )


def exponents(map, starts):
    got = lyapunov_spectrum(map, starts, steps=200, burn_in=200, count=1, rng=np.random.default_rng(0))
    return TensorSummary(each={"largest": got.exponents.where(index=0).value})


def diagram(map, starts):
    got = orbit_diagram(lambda _: map, [0.0], starts, rng=RNG, steps=300, keep=2)
    # turned and scaled states are other numbers: how many distinct states there are stays
    apart = 1e-3 * np.abs(got.values).max()
    distinct = 1 + np.count_nonzero(np.diff(np.sort(got.values[0])) > apart)
    return TensorSummary(numbers={"distinct": float(distinct)})


def points(map, starts):
    got = find_fixed_points(map, starts, rng=RNG)
    return TensorSummary(numbers={"points": float(len(got))})


SUMMARIES = {
    "continuation": continued,
    "find_fixed_points": points,
    "limit_sets": sets,
    "lyapunov_spectrum": exponents,
    "orbit_diagram": diagram,
    "run_tensors": tensor_runs,
}


def test_every_listed_instrument_has_every_law_and_a_summary():
    assert set(TENSOR_LEDGER) == set(SUMMARIES)
    laws = {name: tabled.laws for name, tabled in TENSOR_LEDGER.items()}
    assert laws == dict.fromkeys(TENSOR_LEDGER, frozenset(TENSOR_LAWS))


@pytest.mark.parametrize("law", TENSOR_LAWS)
@pytest.mark.parametrize("name", TENSOR_LEDGER)
def test_instruments_of_tensors_obey_and_break_what_is_listed(name, law):
    broken = 0
    for which in CASES:
        map, starts = case(which)
        if law in TENSOR_LEDGER[name].obeys:
            TENSOR_LAWS[law](SUMMARIES[name], map, starts, TENSOR_LEDGER[name].noise)
            continue
        try:
            TENSOR_LAWS[law](SUMMARIES[name], map, starts, TENSOR_LEDGER[name].noise)
        except LawBrokenError:
            broken += 1
    assert (broken > 0) == (law in TENSOR_LEDGER[name].breaks)


def wrong(number):
    """A summary that depends on what it must not."""
    return lambda map, starts: TensorSummary(**number(map, starts))


@pytest.mark.parametrize(
    ("law", "number"),
    [
        ("start_order", lambda _, x: {"numbers": {"first": float(x[0, 0])}}),
        ("duplicates", lambda _, x: {"numbers": {"count": float(len(x))}}),
        ("rotation", lambda _, x: {"numbers": {"corner": float(x.max())}}),
        ("scale", lambda _, x: {"each": {"norm": x.norm(dim=1).numpy()}}),
        ("restart", lambda _, x: {"arrival": np.full(len(x), 9.0) + abs(99 * float(x[0, 0]))}),
        ("precision", lambda _, x: {"numbers": {"size": float(x.element_size())}}),
        ("bounds", lambda _, x: {"shares": {"one": 0.7, "other": 0.7}}),
        ("bounds", lambda _, x: {"arrival": np.full(len(x), -1.0)}),
    ],
)
def test_every_law_can_be_broken(law, number):
    map, starts = case("points")
    with pytest.raises(LawBrokenError, match="must"):
        TENSOR_LAWS[law](wrong(number), map, starts, 0.0)


def test_instruments_of_tensors_are_pure_and_their_results_safe():
    map, starts = case("points")
    check_instrument(run_tensors, map, starts, steps=50, rng=RNG)
    check_instrument(limit_sets, map, starts, steps=50, rng=RNG)
    check_instrument(orbit_diagram, known.logistic, [3.2], starts, rng=RNG, steps=5, keep=2)
