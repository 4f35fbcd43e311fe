"""How much faster is the jackknife of similarity from one matrix than leaving out one design at a time?

Run: OMP_NUM_THREADS=1 python benchmarks/stack_similarity.py [designs]...
"""

import sys
import time

import numpy as np

from limitset.instruments.ecosystem import stack_similarity


def plain(codes):
    """Mean over pairs one by one, and again without each design: what the formula says."""

    def mean(rows):
        return np.mean([(rows[i] == rows[j]).mean() for i in range(len(rows)) for j in range(i)])

    left = np.array([mean(np.delete(codes, i, 0)) for i in range(len(codes))])
    n = len(codes)
    return mean(codes), np.sqrt((n - 1) / n * np.square(left - left.mean()).sum())


def timed(measure, *data):
    start = time.process_time()
    value = measure(*data)
    return value, time.process_time() - start


def main(sizes):
    print("designs | similarity  plain s   ours s    ratio")
    for n in sizes:
        codes = np.random.default_rng(0).integers(0, 3, (n, 9))
        (value, error), slow = timed(plain, codes)
        found, fast = timed(stack_similarity, codes, ["now"] * n)
        half = (found.high[0] - found.low[0]) / 2
        if abs(found.value[0] - value) > 1e-9 or not 1.9 < half / error < 2.3:
            raise SystemExit(f"values differ: {value} and {found.value[0]}, {error} and {half}")
        print(f"{n:7d} | {value:10.4f} {slow:8.3f} {fast:8.4f} {slow / fast:8.0f}")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [31, 62, 124])
