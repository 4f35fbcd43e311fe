"""How much faster is Krawczyk's operator on arrays of intervals than number by number, at the same enclosure?

Peers: mpmath's `iv` (intervals of one number) and python-flint's `arb_mat` (balls, in C). The same box, the
same middle and the same approximate inverse for all three; times are medians of CPU seconds on one thread.

Run: OMP_NUM_THREADS=1 python benchmarks/certify.py [size]
"""

import resource
import statistics
import sys
import time

import mpmath
import numpy as np
import torch

from limitset.maps.known import gaussian_weights, tanh_net
from limitset.numerics.enclosing.enclosures import newton_kantorovich
from limitset.numerics.enclosing.interval_arithmetic import IntervalArray
from limitset.numerics.enclosing.krawczyk import krawczyk
from limitset.numerics.enclosing.map_bounds import tanh_net_bounds
from limitset.numerics.vector_map import VectorMap

try:
    import flint
except ImportError:
    flint = None


def seconds(action, *, repeats):
    action()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        value = action()
        times.append(time.process_time() - start)
    return value, statistics.median(times)


def cosine_by_mpmath(low, high, inverse):
    iv = mpmath.iv
    box, middle = iv.mpf([low, high]), iv.mpf((low + high) / 2)
    slopes = -iv.sin(box)
    image = middle - inverse * (middle - iv.cos(middle)) + (1 - inverse * (1 - slopes)) * (box - middle)
    return float(image.a), float(image.b)


def cosine_by_flint(low, high, inverse):
    middle = flint.arb((low + high) / 2)
    box = flint.arb((low + high) / 2, (high - low) / 2)
    image = middle - inverse * (middle - middle.cos()) + (1 - inverse * (1 + box.sin())) * (box - middle)
    return float(image.lower()), float(image.upper())


def net_by_mpmath(weights, point, half, inverse):
    iv, size = mpmath.iv, len(point)
    matrix, left = iv.matrix(weights.tolist()), iv.matrix(inverse.tolist())
    middle = iv.matrix(point.tolist())
    box = iv.matrix([iv.mpf([x - half, x + half]) for x in point])

    def tanh(x):
        return 1 - 2 / (iv.exp(2 * x) + 1)

    images = [tanh(x) for x in matrix * box]
    slopes = iv.matrix(size)
    for i in range(size):
        for j in range(size):
            slopes[i, j] = (1 if i == j else 0) - (1 - images[i] ** 2) * matrix[i, j]
    at_middle = iv.matrix([tanh(x) for x in matrix * middle])
    rest = iv.eye(size) - left * slopes
    image = middle - left * (middle - at_middle) + rest * (box - middle)
    return np.array([float(x.a) for x in image]), np.array([float(x.b) for x in image])


def net_by_flint(weights, point, half, inverse):
    size = len(point)
    matrix, left = flint.arb_mat(weights.tolist()), flint.arb_mat(inverse.tolist())
    middle = flint.arb_mat([[x] for x in point.tolist()])
    box = flint.arb_mat([[flint.arb(x, half)] for x in point.tolist()])
    images = [x.tanh() for x in (matrix * box).entries()]
    entries = matrix.entries()
    slopes = [
        (1 if i == j else 0) - (1 - images[i] ** 2) * entries[i * size + j]
        for i in range(size)
        for j in range(size)
    ]
    at_middle = flint.arb_mat([[x.tanh()] for x in (matrix * middle).entries()])
    identity = flint.arb_mat(np.eye(size).tolist())
    rest = identity - left * flint.arb_mat(size, size, slopes)
    image = (middle - left * (middle - at_middle) + rest * (box - middle)).entries()
    return np.array([float(x.lower()) for x in image]), np.array([float(x.upper()) for x in image])


def fixed_points(weights, starts):
    found = []
    size = len(weights)
    for start in starts:
        x = start
        for _ in range(60):
            image = np.tanh(weights @ x)
            step = np.linalg.solve(np.eye(size) - (1 - image**2)[:, None] * weights, image - x)
            x = x + step * min(1.0, 2 / max(np.linalg.norm(step), 1e-300))
            if np.linalg.norm(step) < 1e-13:
                break
        if np.linalg.norm(np.tanh(weights @ x) - x) < 1e-12 and all(
            np.linalg.norm(x - y) > 1e-3 for y in found
        ):
            found.append(x)
    return np.array(found)


def row(name, ours, width, theirs):
    print(f"{name:28s} {ours * 1e3:10.3f} ms, width {width:.2e}", end="")
    for peer, (spent, wide) in theirs.items():
        print(f" | {peer} {spent * 1e3:10.3f} ms ({spent / ours:8.2f}x), width {wide:.2e}", end="")
    print()


def compared(low, high, peers):
    """Widths of the peers, after a look at whether all enclosures share a point and are alike in width."""
    widths = {}
    for name, ends in peers.items():
        bottom, top = (np.atleast_1d(end) for end in ends)
        widths[name] = float((top - bottom).max())
        apart = not (np.all(bottom <= high) and np.all(low <= top))
        if apart or not 0.2 < widths[name] / float((high - low).max()) < 5:
            raise SystemExit(f"the enclosures of {name} and ours differ")
    return widths


def cosine():
    low, high, inverse = 0.7, 0.78, 1 / (1 + np.sin(0.74))
    found, ours = seconds(
        lambda: krawczyk(np.cos, IntervalArray(np.array([low]), np.array([high]))), repeats=50
    )
    peers = {"mpmath": cosine_by_mpmath} | ({"flint": cosine_by_flint} if flint else {})
    got = {name: seconds(lambda run=run: run(low, high, inverse), repeats=50) for name, run in peers.items()}
    widths = compared(found.image.low, found.image.high, {name: ends for name, (ends, _) in got.items()})
    theirs = {name: (spent, widths[name]) for name, (_, spent) in got.items()}
    row("cos on [.7, .78]", ours, float((found.image.high - found.image.low).max()), theirs)


def net(size):
    weights = gaussian_weights(size, gain=2.0, seed=0)
    rng = np.random.default_rng(0)
    points = fixed_points(weights, rng.normal(size=(60, size)) * rng.choice([0.1, 0.5, 1.0], (60, 1)))
    point, half = points[np.argmax(np.linalg.norm(points, axis=1))], 1e-8
    inverse = np.linalg.pinv(np.eye(size) - (1 - np.tanh(weights @ point) ** 2)[:, None] * weights)
    box = IntervalArray(point - half, point + half)
    found, ours = seconds(lambda: krawczyk(lambda x: np.tanh(weights @ x), box), repeats=5)
    if not found.unique:
        raise SystemExit("the box was not certified")
    got = {"mpmath": seconds(lambda: net_by_mpmath(weights, point, half, inverse), repeats=1)}
    if flint:
        got["flint"] = seconds(lambda: net_by_flint(weights, point, half, inverse), repeats=5)
    widths = compared(found.image.low, found.image.high, {name: ends for name, (ends, _) in got.items()})
    theirs = {name: (spent, widths[name]) for name, (_, spent) in got.items()}
    row(f"tanh net, {size} units, a point", ours, float((found.image.high - found.image.low).max()), theirs)

    states = torch.from_numpy(points)
    f, bounds = VectorMap.of(tanh_net(weights), states), tanh_net_bounds(weights, states)
    matrix = torch.from_numpy(weights)
    jacobians = (1 - torch.tanh(states @ matrix.T) ** 2)[:, :, None] * matrix
    shown, spent = seconds(
        lambda: newton_kantorovich(f, states, bounds=bounds, jacobians=jacobians), repeats=10
    )
    print(
        f"Newton-Kantorovich, {int(shown.exists.sum())} of {len(points)} points: {spent * 1e3:.1f} ms in all "
        f"({spent * 1e3 / len(points):.2f} a point); r- <= {float(shown.error.max()):.1e}, "
        f"r+ >= {float(shown.reach.min()):.1e}"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    cosine()
    net(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB, all peers in one process")
