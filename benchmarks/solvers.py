"""How many evaluations and how much time does it take to settle an equilibrium layer, beside torchdeq?

Run: OMP_NUM_THREADS=1 python benchmarks/solvers.py [--repeats 5] [--large] [--only NAME]
"""

import argparse
import math
import resource
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from limitset.maps.latent import TensorMap
from limitset.numerics.solvers.anderson import anderson
from limitset.numerics.solvers.auto import auto
from limitset.numerics.solvers.broyden import broyden
from limitset.numerics.solvers.newton_gmres import newton_gmres
from limitset.numerics.solvers.picard import picard
from limitset.numerics.solvers.solution import Outcome
from limitset.numerics.vector_map import VectorMap

DIMENSION, BATCH, TOLERANCE, CAP = 256, 64, 1e-5, 200
CASES = {
    "norm 0.9": (None, 1.0),
    "g=0.95": (0.95, 1.0),
    "g=1.5": (1.5, 1.0),
    "g=.99 input .1": (0.99, 0.1),
    "g=2.5 input .5": (2.5, 0.5),
}
SINGLE_ROWS = 4
SLOW = 1.0
"""Seconds; what takes longer runs once."""
EASY = ("norm 0.9", "g=0.95")


def layer(case):
    """Weights, inputs and zero starts of tanh(W z + x)."""
    gain, scale = CASES[case]
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(DIMENSION, DIMENSION)) / DIMENSION**0.5
    weights *= 0.9 / np.linalg.norm(weights, 2) if gain is None else gain
    inputs = scale * rng.normal(size=(BATCH, DIMENSION))
    return torch.tensor(weights, dtype=torch.float32), torch.tensor(inputs, dtype=torch.float32)


def ours(case):
    weights, inputs = layer(case)
    turned = weights.T.contiguous()

    def step(z, rows):
        held = inputs if len(rows) == BATCH else inputs.index_select(0, rows)
        return torch.tanh(torch.addmm(held, z, turned))

    starts = torch.zeros_like(inputs)
    f = VectorMap.of(TensorMap(step=step), starts)

    def run(solve, **options):
        def call():
            found = solve(f, starts, tolerance=TOLERANCE, **options)
            good = np.array([one == Outcome.CONVERGED for one in found.outcomes])
            return found.states.numpy(), good, found.evaluations.numpy()

        return call

    return {
        "picard": run(picard, max_steps=CAP),
        "anderson": run(anderson, max_steps=CAP),
        "broyden": run(broyden, max_steps=CAP),
        "newton_gmres": run(newton_gmres),
        "auto": run(auto, max_steps=CAP),
    }


def torchdeq_methods(case):
    from torchdeq.solver import get_solver

    weights, inputs = layer(case)
    turned = weights.T.contiguous()
    calls = [0]

    def f(z):
        calls[0] += 1
        return torch.tanh(torch.addmm(inputs, z, turned))

    def run(name, **options):
        def call():
            calls[0] = 0
            with torch.no_grad():
                states, _, info = get_solver(name)(
                    f, torch.zeros_like(inputs), max_iter=CAP, tol=TOLERANCE, **options
                )
                count = calls[0]
                gap = (f(states) - states).norm(dim=1)
            good = (info["abs_lowest"].flatten() <= TOLERANCE).numpy() | (gap <= TOLERANCE).numpy()
            return states.numpy(), good, np.full(BATCH, count)

        return call

    return {
        "td fixed_point_iter": run("fixed_point_iter"),
        "td anderson": run("anderson"),
        "td anderson ridge 1e-10": run("anderson", lam=1e-10),
        "td broyden": run("broyden"),
    }


def scipy_methods(case):
    """One row at a time, the first few rows; times are scaled to the whole batch."""
    from scipy import optimize

    weights, inputs = (one.numpy().astype(np.float64) for one in layer(case))

    def run(method, **options):
        def call():
            states = np.zeros((SINGLE_ROWS, DIMENSION))
            good, counts = np.zeros(SINGLE_ROWS, bool), np.zeros(SINGLE_ROWS, int)
            for row in range(SINGLE_ROWS):

                def gap(z, row=row):
                    counts[row] += 1
                    return np.tanh(weights @ z + inputs[row]) - z

                try:
                    states[row] = method(
                        gap,
                        np.zeros(DIMENSION),
                        f_tol=TOLERANCE,
                        tol_norm=np.linalg.norm,
                        maxiter=CAP,
                        **options,
                    )
                    good[row] = True
                except (optimize.NoConvergence, ValueError, ZeroDivisionError):
                    pass
            return states, good, counts

        return call

    return {
        "scipy anderson": run(optimize.anderson, alpha=1.0),
        "scipy newton_krylov": run(optimize.newton_krylov),
    }


def optimistix_methods(case):
    """Solve the batch by vmap, compiled before it is timed; the evaluations shown are its steps."""
    import jax
    import jax.numpy as jnp
    import optimistix as optx

    weights, inputs = (jnp.asarray(one.numpy()) for one in layer(case))

    def image(z, x):
        return jnp.tanh(weights @ z + x)

    def run(solver, entry, steps):
        def one(x):
            found = entry(image, solver, jnp.zeros_like(x), args=x, max_steps=steps, throw=False)
            return found.value, found.stats["num_steps"]

        batch = jax.jit(jax.vmap(one))

        def call():
            states, count = (np.asarray(part) for part in jax.block_until_ready(batch(inputs)))
            gap = np.linalg.norm(np.asarray(jax.vmap(image)(states, inputs)) - states, axis=1)
            return states, gap <= TOLERANCE, count

        return call

    # its test is a root mean square: the same Euclidean residual over sqrt(d)
    limits = {"rtol": 0.0, "atol": TOLERANCE / DIMENSION**0.5}
    return {
        "optimistix fixed point": run(optx.FixedPointIteration(**limits), optx.fixed_point, CAP),
        "optimistix newton": run(optx.Newton(**limits), optx.fixed_point, 25),
    }


def peers(case):
    found = torchdeq_methods(case) | scipy_methods(case)
    try:
        import optimistix  # noqa: F401
    except ImportError:
        return found
    return found | optimistix_methods(case)


def timed(call, repeats):
    answer = call()
    start = time.process_time()
    call()
    times = [time.process_time() - start]
    if times[0] > SLOW:
        return times[0] * 1e3, answer
    times.clear()
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return float(np.median(times)) * 1e3, answer


def ratio(first, second, repeats):
    """Time two calls in turn, so that whatever else the machine does meets both."""
    times = {first: [], second: []}
    for _ in range(3 * repeats):
        for call, taken in times.items():
            start = time.process_time()
            call()
            taken.append(time.process_time() - start)
    return np.median(times[first]) / np.median(times[second])


def compared(case, repeats):
    weights, inputs = (one.numpy().astype(np.float64) for one in layer(case))
    print(f"\n{case}\n{'':26s}   CPU ms | evaluations: most, mean | converged | largest residual of these")
    seen, calls = {}, ours(case) | peers(case)
    for name, call in calls.items():
        milliseconds, (states, good, counts) = timed(call, repeats)
        rows = len(states)
        milliseconds *= BATCH / rows
        gap = np.linalg.norm(np.tanh(states @ weights.T + inputs[:rows]) - states, axis=1)
        worst = gap[good].max(initial=0.0)
        note = "" if rows == BATCH else f"  ({rows} rows, time scaled)"
        print(
            f"{name:26s} {milliseconds:8.1f} | {counts.max():6d} {counts.mean():9.1f} | "
            f"{good.mean():6.2f} | {worst:.1e}{note}"
        )
        if worst > 2 * TOLERANCE:
            print(f"  {name} calls rows converged that are not: residual {worst:.1e}")
        seen[name] = (milliseconds, states, good, counts)
    report(case, seen)
    for name in ("td anderson", "td anderson ridge 1e-10", "td broyden"):
        own = "broyden" if "broyden" in name else "anderson"
        times = seen[name][0] / seen[own][0]
        if seen[name][0] < SLOW * 1e3:
            times = ratio(calls[name], calls[own], repeats)
        print(f"{name} / {own}: {times:.1f} times the CPU time")


def report(case, seen):
    reference = seen["auto"]
    for name, (_, states, good, _) in seen.items():
        both = good & reference[2][: len(good)]
        apart = np.abs(states - reference[1][: len(good)])[both].max(initial=0.0)
        # two states of residual r lie at most 2 r / (1 - slope) apart when they belong to one point
        if case in EASY and apart > 1e-3:
            sys.exit(f"{name} and auto end apart by {apart}")
    settled = {name: seen[name] for name in ("picard", "anderson", "broyden", "newton_gmres")}
    best = min(settled, key=lambda name: (-settled[name][2].sum(), settled[name][3].sum()))
    most, mean = (
        seen["auto"][3].max() / settled[best][3].max(),
        seen["auto"][3].mean() / settled[best][3].mean(),
    )
    print(f"auto / best single method ({best}): evaluations {most:.2f} (most), {mean:.2f} (mean)")


def wide(count):
    """Convolve over `count` places: tanh(k * z + x) with |k|_1 = .9, a contraction."""
    kernel = torch.tensor([0.2, -0.3, 0.1, 0.2, -0.1]).reshape(1, 1, -1)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(BATCH, count, generator=generator)

    def step(z, rows):
        mixed = torch.nn.functional.conv1d(z.unsqueeze(1), kernel, padding=2).squeeze(1)
        return torch.tanh(mixed + inputs[rows])

    starts = torch.zeros(BATCH, count)
    return VectorMap.of(TensorMap(step=step), starts), starts


def large(name, count=100_000):
    """Peak memory of a process of its own that settles 64 rows of d = 100,000."""
    torch.set_num_threads(1)
    solve, options = {
        "anderson": (anderson, {"window": 3, "plain": 0.0}),
        "broyden": (broyden, {}),
        "newton_gmres": (newton_gmres, {"step_cap": math.inf}),
        "auto": (auto, {}),
    }[name]
    f, starts = wide(count)
    f(starts, list(range(BATCH)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    found = solve(f, starts, tolerance=1e-3, **options)
    seconds = time.process_time() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    good = sum(one == Outcome.CONVERGED for one in found.outcomes)
    return seconds, before / 1024, after / 1024, good, int(found.evaluations.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="only the memory of d = 100,000")
    parser.add_argument("--only", choices=list(CASES))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if not chosen.large:
        for case in [chosen.only] if chosen.only else CASES:
            compared(case, chosen.repeats)
    if not chosen.only:
        print("\nd = 100,000, 64 rows, float32 (a batch of states: 24 MiB)")
        for name in ("anderson", "broyden", "newton_gmres", "auto"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                seconds, before, after, good, count = pool.submit(large, name).result()
            print(
                f"{name:12s} {seconds:5.1f} s CPU, peak {after:5.0f} MiB, {after - before:5.0f} of it new, "
                f"{good} of {BATCH} rows, {count} evaluations each"
            )
            if after > 4096:
                sys.exit(f"{name} needs more than 4 GiB")


if __name__ == "__main__":
    main()
