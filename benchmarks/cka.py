"""How much faster and leaner is CKA in feature space than with n x n Gram matrices, at the same value?

Run: OMP_NUM_THREADS=1 python benchmarks/cka.py [items features]...
"""

import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from limitset.instruments.alignment import linear_cka


def activations(items, features):
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((items, 64))
    sides = (shared @ rng.standard_normal((64, features)) for _ in range(2))
    return [side + rng.standard_normal((items, features)) for side in sides]


def gram_cka(x, y):
    """Song et al. 2012, eq. 5, with whole n x n matrices: what most packages do."""
    n = len(x)
    k, m = (side @ side.T for side in (x, y))
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)

    def inner(a, b):
        whole = a.sum() * b.sum() / ((n - 1) * (n - 2))
        return (a * b).sum() + whole - 2 / (n - 2) * (a.sum(axis=0) @ b.sum(axis=0))

    return inner(k, m) / np.sqrt(inner(k, k) * inner(m, m))


def ours(x, y):
    return linear_cka(x, y).similarity.value


def measured(name, items, features):
    """Value, best of three times, and how much the peak of memory rose, in a process of its own."""
    x, y = activations(items, features)
    measure = {"gram": gram_cka, "ours": ours}[name]
    measure(x[:50], y[:50])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    value, times = 0.0, []
    for _ in range(3):
        start = time.process_time()
        value = measure(x, y)
        times.append(time.process_time() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value, min(times), (after - before) / 1024


def main(sizes):
    print("items features |   value   gram s   ours s  ratio | gram MB  ours MB  (ours with interval)")
    for items, features in sizes:
        found = {}
        for name in ("gram", "ours"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found[name] = pool.submit(measured, name, items, features).result()
        (value, slow, much), (same, fast, little) = found["gram"], found["ours"]
        if abs(value - same) > 1e-9:
            raise SystemExit(f"values differ: {value} and {same}")
        print(
            f"{items:5d} {features:8d} | {value:.5f} {slow:8.3f} {fast:8.3f} {slow / fast:6.1f} "
            f"| {much:7.0f} {little:8.0f}"
        )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(list(zip(numbers[::2], numbers[1::2], strict=True)) or [(2000, 128), (5000, 256), (5000, 768)])
