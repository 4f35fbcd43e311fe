"""How much do Lyapunov exponents cost, at the same values, and in how much memory?

Peers: dds-lib and clvlib (given the Jacobian as a formula in numpy; ours differentiates the map),
pynamicalsys (compiled; after its first call), nolds (from a series alone). One thread.

Run: OMP_NUM_THREADS=1 TQDM_DISABLE=1 python benchmarks/lyapunov.py [dimension of the large net]
"""

import math
import resource
import statistics
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from limitset.instruments.dynamics import lyapunov_spectrum
from limitset.maps.known import gaussian_weights, henon, logistic, tanh_net

SIZE, STEPS, REPEATS = 64, 1000, 5
WEIGHTS = gaussian_weights(SIZE, gain=2.0, seed=0)
START = np.random.default_rng(1).normal(size=SIZE)


def net(x, *_):
    return np.tanh(WEIGHTS @ x)


def slope(x, *_):
    return (1 - np.tanh(WEIGHTS @ x) ** 2)[:, None] * WEIGHTS


def by_dds(steps=STEPS):
    from dds.lyapunov import lyapunov_spectrum as theirs

    return theirs(START, net, jacobian=slope, iterations=steps, transient=0).exponents


def by_clvlib(steps=STEPS):
    from clvlib.numpy import lyap_exp_from_ic

    found = lyap_exp_from_ic(
        lambda _, x: net(x), lambda _, x: slope(x), START, np.arange(steps + 1.0), stepper="discrete"
    )
    return found[0]


def ours(steps=STEPS, **options):
    start = torch.from_numpy(START)[None]
    got = lyapunov_spectrum(tanh_net(WEIGHTS), start, steps=steps, rng=np.random.default_rng(0), **options)
    if not options and abs(got.determinant_gap[0]) > 1e-9:
        raise SystemExit("the exponents do not add up to log |det J|")
    return got.exponents.value


def by_pynamicalsys(model, start, parameters, steps):
    from pynamicalsys import DiscreteDynamicalSystem

    system = DiscreteDynamicalSystem(model=model)
    return lambda: np.atleast_1d(system.lyapunov(start, steps, parameters=parameters, transient_time=100))


def ours_known(system, starts, steps):
    states = torch.tensor(starts, dtype=torch.float64)

    def run():
        got = lyapunov_spectrum(system, states, steps=steps, burn_in=100, rng=np.random.default_rng(0))
        return got.over_starts.value

    return run


def by_nolds(steps):
    import nolds

    series = np.empty(steps)
    series[0] = 0.3
    for step in range(1, steps):
        series[step] = 4 * series[step - 1] * (1 - series[step - 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lambda: np.array(
            [nolds.lyap_r(series, emb_dim=2, lag=1, min_tsep=10, trajectory_len=4, fit="poly")]
        )


def timed(run):
    values, times = run(), []
    for _ in range(REPEATS):
        start = time.process_time()
        values = run()
        times.append(time.process_time() - start)
    return values, statistics.median(times)


def whole_spectrum():
    torch.set_num_threads(1)
    rows = {
        "ours": timed(ours),
        "dds-lib": timed(by_dds),
        "clvlib": timed(by_clvlib),
        "ours, 8 of 64": timed(lambda: ours(count=8)),
        "ours, every 10": timed(lambda: ours(every=10)),
    }
    # the same orbit lasts until rounding has grown: sums are compared over 100 steps, exponents over all
    sums = [found(steps=100).sum() for found in (ours, by_dds, by_clvlib)]
    if np.ptp(sums) > 1e-6:
        raise SystemExit(f"sums differ: {sums}")
    values, base = rows["ours"]
    print(f"tanh net, n = {SIZE}, {STEPS} steps, one start: CPU s, ratio to ours; sums over 100 steps equal")
    for name, (theirs, seconds) in rows.items():
        same = -np.sort(-theirs)  # blanks last
        off = np.abs(same[:8] - values[:8]).max()
        print(
            f"  {name:15s} {seconds:7.3f} {seconds / base:6.2f}  largest {same[0]:.4f}  sum "
            f"{np.sum(same):9.4f}  first 8 off by {off:.1e}  blank {np.isnan(same).sum()}"
        )
        if off > 0.02:
            raise SystemExit(f"values differ: {name}")
    starts = torch.from_numpy(np.random.default_rng(2).normal(size=(16, SIZE)))
    _, seconds = timed(
        lambda: lyapunov_spectrum(tanh_net(WEIGHTS), starts, steps=STEPS // 10, rng=np.random.default_rng(0))
    )
    name = f"ours, 16 x {STEPS // 10}"
    print(f"  {name:15s} {seconds:7.3f} {seconds / 1.6 / base:6.2f}  (the ratio a start and step)")


def known_maps():
    torch.set_num_threads(1)
    steps = 10_000
    cases = {
        "Henon, pynamicalsys": (by_pynamicalsys("henon map", [0.1, 0.1], [1.4, 0.3], steps), 0.4193),
        "Henon, ours x 100": (
            ours_known(henon(), np.random.default_rng(0).uniform(0, 0.1, (100, 2)), steps // 100),
            0.4193,
        ),
        "logistic 4, pynamicalsys": (by_pynamicalsys("logistic map", [0.3], [4.0], steps), math.log(2)),
        "logistic 4, ours x 100": (
            ours_known(logistic(4.0), np.random.default_rng(0).uniform(size=(100, 1)), steps // 100),
            math.log(2),
        ),
        "logistic 4, nolds lyap_r": (by_nolds(1000), math.log(2)),
    }
    print("known maps, 10,000 steps in all (nolds: a series of 1,000): CPU s, value, exact value")
    for name, (run, exact) in cases.items():
        value, seconds = timed(run)
        print(f"  {name:26s} {seconds:7.3f}  {np.ravel(value)[0]:.4f}  {exact:.4f}")


def large(dimension):
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    weights = torch.randn(dimension, dimension, generator=draw, dtype=torch.float64) * (2 / dimension**0.5)
    from limitset.maps.latent import TensorMap

    system = TensorMap(step=lambda x: torch.tanh(x @ weights.T))
    start = torch.randn(1, dimension, generator=draw, dtype=torch.float64)
    began = time.process_time()
    got = lyapunov_spectrum(system, start, count=8, steps=30, burn_in=20, rng=np.random.default_rng(0))
    seconds = time.process_time() - began
    return got.exponents.value, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(dimension):
    whole_spectrum()
    known_maps()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        values, seconds, peak = pool.submit(large, dimension).result()
    print(
        f"top 8 at d = {dimension}: 50 steps {seconds:.1f} s, peak of the process {peak:.0f} MB, "
        f"of which weights {dimension**2 * 8 / 2**20:.0f}; {np.round(values, 3).tolist()}"
    )
    if peak > 2048:
        raise SystemExit("more than 2 GB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4096)
