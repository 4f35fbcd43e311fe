"""How many fixed points of recurrent nets are found and proved, and how fast, beside scipy's solvers?

Run: OMP_NUM_THREADS=1 python benchmarks/fixed_points.py [name]...   (names: see PROBLEMS)

All runs go from the same starts in one process and one thread; CPU seconds, medians of 3 (128 and 256 units:
one run). `search` is the search alone, `all` the whole instrument (merging, mirror images, polishing,
eigenvalues, enclosures, slow points). `newton` is plain capped Newton on the same starts without sharing, in
their type and (`single`) in float32. scipy's solvers run from the first starts only; the ratio is CPU per
start, theirs over ours. `lacked`: points of scipy's that are not in our list.
"""

import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from scipy.optimize import root

from limitset.core.streams import Streams
from limitset.instruments.dynamics import find_fixed_points, union_of
from limitset.maps.known import gaussian_weights, tanh_net, three_bits
from limitset.numerics.enclosing.map_bounds import tanh_net_bounds
from limitset.numerics.points.merging import merge
from limitset.numerics.points.point_search import search_points, step_cap
from limitset.numerics.solvers.newton import newton
from limitset.numerics.vector_map import VectorMap

TOLERANCE = 1.41e-6
STARTS = 1024
PROBLEMS = {
    # name: size, gain (0: memory of three bits), scales of the starts, points that exist (0: not known)
    "bits-66": (66, 0, (3.0,), 27),
    "bits-255": (255, 0, (6.0,), 27),
    "64-1.5": (64, 1.5, (1.0,), 0),
    "64-2": (64, 2.0, (1.0,), 0),
    "64-2-small": (64, 2.0, (0.3,), 0),
    "64-3": (64, 3.0, (0.3,), 0),
    "128-1.5": (128, 1.5, (0.3,), 0),
    "256-1.5": (256, 1.5, (0.1,), 0),
}


def weights_of(size, gain):
    return gaussian_weights(size, gain=gain, seed=0) if gain else three_bits(size)


def timed(function):
    begun = time.process_time()
    value = function()
    return value, time.process_time() - begun


def merged(ends):
    ends = np.array(ends)
    return ends[np.unique(merge(ends, distance=1e-3), return_index=True)[1]] if len(ends) else ends


def continued(size, gain):
    """Follow the points of tanh(g W x) from g = 1 to the wanted gain, with probes at every pitchfork.

    Where an eigenvalue of J passes 1, a pair of points leaves: starts are put to both sides along its vector.
    """
    unit = gaussian_weights(size, gain=1.0, seed=0)
    points = np.zeros((1, size))
    for now in np.linspace(1.0, gain, 11):
        probes = [points]
        for point in points:
            values, vectors = np.linalg.eig((1 - point**2)[:, None] * (now * unit))
            real = (np.abs(values.imag) < 1e-9) & (values.real > 0.7) & (values.real < 1.4)
            sides = vectors.real[:, real].T
            probes += [point + step * sides for step in (-6.0, -3.0, -1.5, 1.5, 3.0, 6.0)]
        starts = torch.from_numpy(np.concatenate(probes))
        f, rows = VectorMap.of(tanh_net(now * unit), starts), np.zeros(len(starts), dtype=np.int64)
        ends = newton(f, starts, rows=rows, tolerance=TOLERANCE)
        kept = ends.states[torch.tensor([one == "converged" for one in ends.outcomes])].numpy()
        points = merged(np.concatenate([kept, -kept]))
    return torch.from_numpy(points)


def by_scipy(weights, starts, method, count):
    """Points, and CPU seconds per start."""

    def all_of_them():
        found = []
        for start in starts[:count].double().numpy():
            try:
                one = root(
                    lambda x: np.tanh(weights @ x) - x,
                    start,
                    method=method,
                    options={"fatol": TOLERANCE / 9} if method == "krylov" else {},
                )
            except (ValueError, ArithmeticError):  # its inner solver meets a singular matrix
                continue
            if np.linalg.norm(np.tanh(weights @ one.x) - one.x) <= TOLERANCE:
                found.append(one.x)
        return found

    found, seconds = timed(all_of_them)
    return found, seconds / count


def measured(name, dtype):
    torch.set_num_threads(1)
    size, gain, scales, exact = PROBLEMS[name]
    weights = weights_of(size, gain)
    map = tanh_net(weights)
    count = STARTS if size < 256 else 256
    lists, seconds, search_seconds, plain = [], [], [], 0
    plain_seconds, single_seconds = [], []
    for place, scale in enumerate(scales):
        drawn = np.random.default_rng(place).standard_normal((count, size))
        starts = (scale * torch.from_numpy(drawn)).to(dtype)
        f, rows = VectorMap.of(map, starts), np.zeros(count, dtype=np.int64)

        def instrument(starts=starts):
            return find_fixed_points(
                map,
                starts,
                tolerance=TOLERANCE,
                bounds=lambda states: tanh_net_bounds(weights, states),
                required_index_sum=1,
                rng=Streams(0),
            )

        def search(f=f, starts=starts, rows=rows):
            cap = step_cap(f, starts, rows=rows)
            return search_points(f, starts, rows=rows, tolerance=TOLERANCE, max_steps=25, cap=cap)

        search()  # the first call compiles rules of differentiation
        repeats = 1 if size in {128, 256} else 3
        runs = [timed(instrument) for _ in range(repeats)]
        lists.append(runs[0][0])
        seconds.append(statistics.median(one[1] for one in runs))
        search_seconds.append(statistics.median(timed(search)[1] for _ in range(repeats)))
        if size <= 128:
            for kind, spent in ((dtype, plain_seconds), (torch.float32, single_seconds)):
                begun = starts.to(kind)
                runs = [
                    timed(
                        lambda f=f, begun=begun, rows=rows: newton(f, begun, rows=rows, tolerance=TOLERANCE)
                    )
                    for _ in range(repeats)
                ]
                spent.append(statistics.median(one[1] for one in runs))
                if kind is dtype:
                    other = runs[0][0]
            ends = other.states[torch.tensor([one == "converged" for one in other.outcomes])]
            plain = len(merged(ends.double().numpy()))
    if size >= 256:
        traced, spent = timed(lambda: continued(size, gain))
        lists.append(instrument(traced))
        print(
            f"{name:11s} continuation of the gain: {lists[-1].fixed_count} points, {spent:.1f} s", flush=True
        )
    found = lists[0]
    for more in lists[1:]:
        found = union_of(found, more)
    points = found.states[found.fixed]
    if exact and len(points) != exact:
        raise SystemExit(f"{name}: {len(points)} points, {exact} exist")
    print(
        f"{name:11s} {str(dtype)[6:]:8s} all {sum(seconds):6.2f} s  search {sum(search_seconds):6.2f} s  "
        f"newton {sum(plain_seconds):6.2f} s ({plain:3d} points), "
        f"single {sum(single_seconds):6.2f} s | points {len(points):3d} "
        f"({' + '.join(str(one.fixed_count) for one in lists)}) certified {int(found.certified.sum()):3d} "
        f"index sum {found.index_sum:+.0f} {found.completeness}",
        flush=True,
    )
    per_start = sum(seconds) / (count * len(scales))
    for method, few in (("hybr", 32), ("krylov", 8)) if dtype is torch.float64 else ():
        ends, spent = by_scipy(weights, starts, method, few)
        theirs = merged(ends)
        near = np.array([np.linalg.norm(points - one, axis=1).min() for one in theirs])
        if exact and (near > 1e-4).any():
            raise SystemExit(f"{name}: scipy's points are none of ours")
        equal = near[near <= 1e-3]
        print(
            f"{'':11s} scipy {method:6s} {len(ends):2d} of {few:2d} starts converged, {len(theirs):2d} "
            f"points, {(near > 1e-3).sum()} lacked, equal ones within {equal.max(initial=0):.0e} | "
            f"{spent * 1e3:6.1f} ms a start, ours {per_start * 1e3:5.2f}: {spent / per_start:5.1f}x",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'':11s} peak memory of the process {peak:.0f} MB", flush=True)


def main(names):
    for name, dtype in ((name, dtype) for name in names for dtype in (torch.float64, torch.float32)):
        if dtype is torch.float32 and PROBLEMS[name][0] > 128:
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(measured, name, dtype).result()


if __name__ == "__main__":
    main(sys.argv[1:] or list(PROBLEMS))
