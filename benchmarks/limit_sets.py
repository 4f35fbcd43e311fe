"""What do limit sets cost beside compiled loops in one dimension, in a thousand, and in a hundred thousand?

Run: OMP_NUM_THREADS=1 python benchmarks/limit_sets.py

The peer is pynamicalsys (numba): its `period` and `lyapunov` are called for every start; ours takes all
starts at once, and also arrival, divergence, merging and shares. Compilation of the peer is left out.
"""

import resource
import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from limitset.core.streams import Streams
from limitset.instruments.dynamics import limit_sets, run_tensors
from limitset.maps import known
from limitset.maps.latent import TensorMap

REPEATS = 5
RNG = Streams(0)


def timed(call):
    times, value = [], None
    for _ in range(REPEATS):
        start = time.process_time()
        value = call()
        times.append(time.process_time() - start)
    return value, statistics.median(times)


def peer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pynamicalsys import DiscreteDynamicalSystem
    return DiscreteDynamicalSystem


def periods(rate, count):
    starts = np.linspace(0.05, 0.95, count)
    system = peer()(model="logistic map")

    def theirs():
        return [
            system.period(u=[u], parameters=[rate], transient_time=1000, max_time=2000, tolerance=1e-9)
            for u in starts
        ]

    theirs()
    tensor = torch.as_tensor(starts)[:, None]
    found, slow = timed(theirs)
    runs, fast = timed(lambda: run_tensors(known.logistic(rate), tensor, steps=2000, rng=RNG, tolerance=1e-9))
    same = np.asarray(found) == runs.periods
    print(
        f"logistic {rate:<5} {count:5d} starts: period {runs.periods[0]}, {same.mean():.0%} equal"
        f", peer {slow * 1e3:8.1f} ms, ours {fast * 1e3:8.1f} ms, peer / ours {slow / fast:.2f}"
    )
    if not same.all():
        raise SystemExit(f"periods differ: {sorted(set(found))} and {sorted(set(runs.periods.tolist()))}")


def chaos(count):
    starts = np.random.default_rng(0).uniform(0, 0.1, (count, 2))
    system = peer()(model="henon map")

    def theirs():
        return [
            system.lyapunov(u=u, total_time=1500, transient_time=500, parameters=[1.4, 0.3])[0]
            for u in starts
        ]

    theirs()
    found, slow = timed(theirs)
    sets, fast = timed(
        lambda: limit_sets(known.henon(), torch.as_tensor(starts), rng=RNG, steps=500, exponent_steps=1000)
    )
    if [str(kind) for kind in sets.kinds] != ["chaos"] or abs(np.median(found) - sets.exponents[0]) > 0.02:
        raise SystemExit(f"they differ: {np.median(found)} and {sets.kinds} {sets.exponents}")
    print(
        f"henon          {count:5d} starts: chaos, {sets.exponents[0]:.4f} and {np.median(found):.4f}, "
        f"peer {slow * 1e3:8.1f} ms, ours {fast * 1e3:8.1f} ms, peer / ours {slow / fast:.2f}"
    )


def thousand():
    weights = torch.as_tensor(known.gaussian_weights(1000, gain=0.9, seed=0), dtype=torch.float32)
    starts = torch.randn(64, 1000, generator=torch.Generator().manual_seed(0))
    map = TensorMap(step=lambda x: torch.tanh(x @ weights.T + 0.1))
    bare = timed(lambda: _bare(map, starts, 200))[1] / 200
    start = time.process_time()
    runs = run_tensors(map, starts, steps=400, rng=RNG)
    cost = time.process_time() - start
    sets = limit_sets(map, starts, rng=RNG, steps=400)
    print(
        f"tanh net, 1,000 numbers, 64 starts: {sets.kinds[0]} {sets.shares[0]:.0%}, exponent "
        f"{sets.exponents[0]:.3f}; {runs.ran.max()} steps in {cost:.2f} s, of them the map "
        f"{bare * runs.ran.max():.2f} s"
    )


def _bare(map, states, steps):
    for _ in range(steps):
        states = map.step_function(states)
    return states


def huge():
    """Peak of memory of a process that does nothing else."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    starts = torch.randn(64, 100_000, generator=torch.Generator().manual_seed(0))
    held = torch.randn(64, 100_000, generator=torch.Generator().manual_seed(1))
    map = TensorMap(step=lambda x, rows: 0.7 * torch.tanh(x.roll(1, 1)) + held[rows])
    start = time.process_time()
    runs = run_tensors(map, starts, steps=300, rng=RNG)
    spent = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return runs.settled.mean(), int(runs.ran.max()), spent, after / 2**20, (after - before) / 2**20


def main():
    torch.set_num_threads(1)
    for rate in (3.2, 3.5, 3.83):
        for count in (16, 1024):
            periods(rate, count)
    for count in (16, 256):
        chaos(count)
    thousand()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        settled, steps, spent, peak, rise = pool.submit(huge).result()
    print(
        f"100,000 numbers, 64 starts: {settled:.0%} settled within {steps} steps, {spent:.1f} s, "
        f"peak {peak:.2f} GiB (rise {rise:.2f})"
    )
    if peak > 4:
        raise SystemExit("more than 4 GiB")


if __name__ == "__main__":
    main()
