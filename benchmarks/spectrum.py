"""How much does a spectral radius cost, and is it one?

Peers: torchdeq's power iteration with a Rayleigh quotient (100 products) and scipy's ARPACK, row by row on
the matrix itself. The radius found is compared with the true one. One thread.

Run: OMP_NUM_THREADS=1 python benchmarks/spectrum.py
"""

import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import scipy.sparse.linalg
import torch

from limitset.instruments.dynamics import spectrum
from limitset.maps.latent import TensorMap

SIZE, ROWS, REPEATS = 256, 16, 7


def matrices():
    draw = np.random.default_rng(3)
    rest = draw.normal(size=(SIZE - 2, SIZE - 2))
    pair = np.zeros((SIZE, SIZE))
    turn = np.array([[np.cos(1.2), -np.sin(1.2)], [np.sin(1.2), np.cos(1.2)]])
    stretch = np.diag([1.0, 4.0])
    pair[:2, :2] = 0.9 * stretch @ turn @ np.linalg.inv(stretch)
    pair[2:, 2:] = rest * 0.45 / np.abs(np.linalg.eigvals(rest)).max()
    basis = np.linalg.qr(draw.normal(size=(SIZE, SIZE)))[0]
    gauss = np.random.default_rng(0).normal(size=(SIZE, SIZE)) * 0.95 / SIZE**0.5
    other = draw.normal(size=(SIZE, SIZE)) / SIZE**0.5
    return {"leading pair": basis @ pair @ basis.T, "Gaussian": gauss, "symmetric": (other + other.T) * 0.45}


def torchdeq_radius(matrix):
    from torchdeq.loss import power_method

    weights = torch.as_tensor(matrix)
    states = torch.zeros(ROWS, SIZE, dtype=torch.float64, requires_grad=True)
    return power_method(states @ weights.T, states, n_iters=100)[1].detach().numpy()


def scipy_radius(matrix):
    found = [
        scipy.sparse.linalg.eigs(matrix, k=2, ncv=40, v0=np.random.default_rng(row).normal(size=SIZE))[0]
        for row in range(ROWS)
    ]
    return np.abs(found).max(axis=1)


def ours(krylov):
    def radius(matrix):
        weights = torch.as_tensor(matrix)
        net = TensorMap(step=lambda x: x @ weights.T)
        states = torch.zeros(ROWS, SIZE, dtype=torch.float64)
        return spectrum(
            net, states, count=2, krylov=krylov, most=krylov, rng=np.random.default_rng(0)
        ).radius.value

    return radius


METHODS = {
    "torchdeq power x100": torchdeq_radius,
    "scipy eigs": scipy_radius,
    "ours, 40": ours(40),
    "ours, 80": ours(80),
}


def measured(name, matrix):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    radius = METHODS[name]
    radius(matrix)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        values = radius(matrix)
        times.append(time.process_time() - start)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return values, statistics.median(times), (after - before) / 1024


def main():
    print(f"d = {SIZE}, {ROWS} rows; CPU ms, ratio to ours with 40 products")
    print("matrix       method               |   true  found (least to most) off by |     ms  ratio  MB more")
    for title, matrix in matrices().items():
        true = np.abs(np.linalg.eigvals(matrix)).max()
        found = {}
        for name in METHODS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found[name] = pool.submit(measured, name, matrix).result()
        base = found["ours, 40"][1]
        for name, (values, seconds, more) in found.items():
            off = np.abs(values - true).max()
            print(
                f"{title:12s} {name:20s} | {true:.4f} {values.mean():.4f} ({values.min():.4f} to "
                f"{values.max():.4f}) {off:9.1e} | {1e3 * seconds:6.1f} {seconds / base:6.2f} {more:8.0f}"
            )
        if np.abs(found["ours, 80"][0] - true).max() > 1e-3:
            raise SystemExit(f"ours is off: {title}")
        if np.abs(found["scipy eigs"][0] - found["ours, 80"][0]).max() > 1e-3:
            raise SystemExit(f"values differ: {title}")


if __name__ == "__main__":
    main()
