"""What does path independence with rest, length and intervals cost beside the cosine alone, at one value?

Run: OMP_NUM_THREADS=1 python benchmarks/path_independence.py [inputs features]...
"""

import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
from scipy.spatial.distance import cosine

from limitset.instruments.dynamics import path_independence

torch.set_num_threads(1)


def ends(inputs, features):
    rng = np.random.default_rng(0)
    own = rng.standard_normal((inputs, features))
    return own, own + 0.3 * rng.standard_normal((inputs, features))


def by_loop(own, other):
    """One cosine a pair, as scripts do it."""
    return float(np.mean([1 - cosine(x, y) for x, y in zip(own, other, strict=True)]))


def by_torch(own, other):
    sides = (torch.from_numpy(side) for side in (own, other))
    return float(torch.nn.functional.cosine_similarity(*sides, dim=1).mean())


def ours(own, other):
    still = np.zeros(len(own))
    found = path_independence(own, other, residual_own=still, residual_other=still, tolerance=1e-3)
    return found.alignment.value


WAYS = {"loop": by_loop, "torch": by_torch, "ours": ours}


def measured(name, inputs, features):
    """Value, median of five processor times and rise of the peak of memory, in a process of its own."""
    own, other = ends(inputs, features)
    measure = WAYS[name]
    measure(own[:50], other[:50])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    value, times = 0.0, []
    for _ in range(5):
        start = time.process_time()
        value = measure(own, other)
        times.append(time.process_time() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return value, statistics.median(times), (after - before) / 1024


def main(sizes):
    print(
        "inputs features | alignment |  loop s  torch s   ours s | ours/torch loop/ours | torch MB  ours MB"
    )
    for inputs, features in sizes:
        found = {}
        for name in WAYS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found[name] = pool.submit(measured, name, inputs, features).result()
        value, seconds, memory = zip(*found.values(), strict=True)
        if max(value) - min(value) > 1e-12:
            raise SystemExit(f"values differ: {value}")
        slow, fast, own = seconds
        print(
            f"{inputs:6d} {features:8d} | {value[2]:9.6f} | {slow:7.3f} {fast:8.4f} {own:8.4f} "
            f"| {own / fast:10.1f} {slow / own:9.1f} | {memory[1]:8.0f} {memory[2]:8.0f}"
        )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(list(zip(numbers[::2], numbers[1::2], strict=True)) or [(256, 1536), (10000, 256), (10000, 1536)])
