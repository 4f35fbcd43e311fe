"""Which maps of vectors have limit sets, exponents or fixed points that are known exactly?

Every function returns a map of float64 tensors (other types follow the states) whose facts stand in its
docstring; the tests hold every instrument to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.maps.latent.tensor_map import TensorMap

DOTTIE: Final = 0.7390851332151607
"""The one fixed point of cos x."""
CAT: Final = ((2, 1), (1, 1))
"""Arnold's cat."""
THREE_BIT_LEVEL: Final = 0.957504024
"""The positive root of m = tanh(2 m)."""


def logistic(rate: float) -> TensorMap:
    """x -> r x (1 - x) on [0, 1].

    r = 4: exponent ln 2. r = 3.2: 2-cycle .513045, .799455, multiplier 4 + 2 r - r^2 = .16, exponent
    .5 ln .16 = -.916291. r = 3.83: 3-cycle, exponent -.36967; period 3 begins at 1 + sqrt 8.

    References
    ----------
    May (1976), doi:10.1038/261459a0.

    Examples
    --------
    >>> from limitset.core.streams import Streams
    >>> logistic(4.0).step(torch.tensor([[0.5]]), rows=[0], rng=Streams(0)).tolist()
    [[1.0]]
    """
    return TensorMap(step=lambda x: rate * x * (1 - x))


def henon(a: float = 1.4, b: float = 0.3) -> TensorMap:
    """(x, y) -> (1 - a x^2 + y, b x).

    a = 1.4, b = .3: exponents .4193 and -1.6233, whose sum is exactly ln .3.

    References
    ----------
    Henon (1976), doi:10.1007/BF01608556.
    """
    return TensorMap(step=lambda s: torch.stack([1 - a * s[:, 0] ** 2 + s[:, 1], b * s[:, 0]], dim=1))


def cat() -> TensorMap:
    """(x, y) -> (2 x + y, x + y) mod 1: exponents +-ln((3 + sqrt 5) / 2) = +-.962424.

    The p-th iterate has L_{2p} - 2 fixed points (L: Lucas numbers): 1, 5, 16, ... The square of the
    coordinates has edges, where a search may find one point twice: to count points take `cat_on_torus`.

    References
    ----------
    Arnold and Avez (1968), Ergodic Problems of Classical Mechanics, ISBN 0-8053-0250-6.
    """
    return linear(np.array(CAT, dtype=np.float64), modulus=1.0)


def cat_on_torus(power: int = 1) -> TensorMap:
    """Apply `cat` `power` times to points (cos 2 pi x, sin 2 pi x, cos 2 pi y, sin 2 pi y) of the torus.

    A point off the torus is first brought onto it along its radii, so nothing else is fixed: L_{2p} - 2
    points, the (i, j) / q with q = L_{2p} - 2 that `cat_points` lists. The Jacobian there has the eigenvalues
    ((3 +- sqrt 5) / 2)^p and 0, 0.
    """
    matrix = torch.as_tensor(np.linalg.matrix_power(np.array(CAT), power), dtype=torch.float64)

    def step(states: Tensor) -> Tensor:
        angles = torch.atan2(states[:, 1::2], states[:, ::2]) @ matrix.to(states).T
        return torch.stack([torch.cos(angles), torch.sin(angles)], dim=2).flatten(1)

    return TensorMap(step=step)


def cat_points(power: int) -> np.ndarray:
    """List the points (x, y) that the cat map brings back after `power` steps, exactly, in [0, 1).

    A^p x - x is whole just for x = (i, j) / q, q = |det(A^p - I)| = L_{2p} - 2: all q^2 are tried in whole
    numbers.
    """
    matrix = np.linalg.matrix_power(np.array(CAT), power) - np.eye(2, dtype=np.int64)
    size = abs(round(float(np.linalg.det(matrix))))
    places = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), axis=-1).reshape(-1, 2)
    back = (places @ matrix.T % size == 0).all(axis=1)
    return np.asarray(places[back] / size)


def linear(matrix: np.ndarray, *, modulus: float = math.inf) -> TensorMap:
    """x -> A x (mod `modulus`): the exponents are ln |eigenvalues of A|.

    [[.5, 10], [0, .5]] has radius .5 and stretches a vector about tenfold before it shrinks.
    """
    weights = torch.as_tensor(np.array(matrix, dtype=np.float64))

    def step(states: Tensor) -> Tensor:
        images = states @ weights.to(states).T
        return images if math.isinf(modulus) else torch.remainder(images, modulus)

    return TensorMap(step=step)


def rotation(turn: float) -> TensorMap:
    """Turn points of the plane about the origin by `turn` of a full circle.

    On the circle no point is fixed, though the map is a continuous self-map of a compact set: Brouwer's
    theorem needs convexity. On the disc the centre is fixed. p/q: every point of the circle has period q;
    an irrational turn is quasi-periodic, both exponents 0.
    """
    cosine, sine = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    return linear(np.array([[cosine, -sine], [sine, cosine]]))


def rms_norm_turn(turn: float, *, epsilon: float) -> TensorMap:
    """h -> R h / sqrt(mean (R h)^2 + epsilon) in the plane, R a turn by `turn` of a circle, 0 < epsilon < 1.

    Only 0 is fixed, and it repels (radius 1 / sqrt epsilon): |h|^2 = 2 (1 - epsilon) is an invariant circle
    that attracts everything else and is turned. The map brings the disc |h| <= sqrt 2 into itself.
    """
    turned = rotation(turn).step_function

    def step(states: Tensor) -> Tensor:
        images = turned(states)
        return images / (images.square().mean(dim=1, keepdim=True) + epsilon).sqrt()

    return TensorMap(step=step)


def tanh_net(weights: np.ndarray) -> TensorMap:
    """x -> tanh(W x): maps the cube into itself, so the index sum over all fixed points is +1.

    It is odd: 0 is fixed and the others come in pairs, an odd number in all. A symmetric W allows only fixed
    points and 2-cycles (a positive semi-definite one only fixed points).

    References
    ----------
    Marcus and Westervelt (1989), doi:10.1103/PhysRevA.40.501.
    """
    matrix = torch.as_tensor(np.array(weights, dtype=np.float64))
    return TensorMap(step=lambda states: torch.tanh(states @ matrix.to(states).T))


def three_bits(size: int, *, gain: float = 2.0) -> np.ndarray:
    """Weights of a memory of three bits: three blocks of gain / (size / 3) ones.

    With gain 2: exactly 27 fixed points, every block mean in {0, +-.957504}; 8 are stable, 12, 6 and 1 have
    1, 2 and 3 unstable directions; each stable one has an eighth of the starts; index sum +1.
    """
    block, left = divmod(size, 3)
    if left or not size:
        raise InputError.of(expected="the size must be three equal blocks", got=size, fix="Use 66 or 255.")
    return np.kron(np.eye(3), np.full((block, block), gain / block))


def gaussian_weights(size: int, *, gain: float, seed: int, radius: float = math.nan) -> np.ndarray:
    """Weights with independent normal entries of deviation gain / sqrt(size).

    A `radius` rescales them to that exact spectral radius. For tanh(W x) and size -> infinity the largest
    exponent is ln g below g = 1, and .06522, .15472, .31025, .53243 at g = 1.5, 2, 3, 5.

    References
    ----------
    Sompolinsky, Crisanti, Sommers (1988), doi:10.1103/PhysRevLett.61.259.
    """
    weights = np.random.default_rng(seed).normal(size=(size, size)) * gain / math.sqrt(size)
    if not math.isnan(radius):
        weights *= radius / np.abs(np.linalg.eigvals(weights)).max()
    return weights


def line_attractor() -> TensorMap:
    """(x, y) -> (x, y / 2): every point (x, 0) is fixed, eigenvalues 1 and 1/2: a continuum."""
    return linear(np.diag([1.0, 0.5]))


def ring_attractor() -> TensorMap:
    """x -> x / |x| in the plane: every point of the unit circle is fixed, eigenvalues 1 and 0."""
    return TensorMap(step=lambda states: states / states.norm(dim=1, keepdim=True))


def circle_map(omega: float, *, coupling: float) -> TensorMap:
    """x -> x + omega - K / (2 pi) sin(2 pi x) mod 1, as points (cos, sin) of the unit circle.

    For K < 1 it is locked to a fixed point exactly when |omega| <= K / (2 pi).

    References
    ----------
    Arnold (1965), Small denominators I, doi:10.1090/trans2/046/11.
    """

    def step(states: Tensor) -> Tensor:
        angle = torch.atan2(states[:, 1], states[:, 0])
        angle = angle + 2 * math.pi * omega - coupling * torch.sin(angle)
        return torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)

    return TensorMap(step=step)


def cube_roots() -> TensorMap:
    """Newton's iteration for z^3 = 1 in the plane: three basins of exactly a third of any centred disc.

    References
    ----------
    Peitgen and Richter (1986), doi:10.1007/978-3-642-61717-1.
    """

    def step(states: Tensor) -> Tensor:
        z = torch.view_as_complex(states.contiguous())
        return torch.view_as_real(z - (z**3 - 1) / (3 * z**2))

    return TensorMap(step=step)


def hopfield_weights(patterns: np.ndarray) -> np.ndarray:
    """W = P^T P / d without its diagonal, for the patterns P (n, d) of signs."""
    patterns = np.asarray(patterns, dtype=np.float64)
    weights: np.ndarray = patterns.T @ patterns / patterns.shape[1]
    np.fill_diagonal(weights, 0.0)
    return weights


def hopfield(patterns: np.ndarray) -> TensorMap:
    """x -> sign(W x), W = `hopfield_weights`: orthogonal patterns +-p are fixed.

    References
    ----------
    Hopfield (1982), doi:10.1073/pnas.79.8.2554.
    """
    return sign_net(hopfield_weights(patterns))


def sign_net(weights: np.ndarray) -> TensorMap:
    """x -> sign(W x), all units at once: a symmetric W allows only fixed points and 2-cycles.

    [[0, -1], [-1, 0]] has the 2-cycle (1, 1), (-1, -1).
    """
    matrix = torch.as_tensor(np.array(weights, dtype=np.float64))
    return TensorMap(step=lambda states: torch.sign(states @ matrix.to(states).T))


def sign_net_by_turns(weights: np.ndarray, *, units: Sequence[int] | None = None) -> TensorMap:
    """x_i -> sign((W x)_i) for one unit after another, `units` or all in order; a field of 0 changes nothing.

    For a symmetric W with a diagonal of 0 or above no update raises `sign_net_energy`, and one that changes
    the state lowers it by 2 |(W x)_i| at least: nothing but fixed points.

    References
    ----------
    Hopfield (1982), doi:10.1073/pnas.79.8.2554.
    """
    matrix = torch.as_tensor(np.array(weights, dtype=np.float64))
    order = range(len(matrix)) if units is None else units

    def step(states: Tensor) -> Tensor:
        images = states.clone()
        for unit in order:
            field = images @ matrix[unit].to(states)
            images[:, unit] = torch.where(field == 0, images[:, unit], torch.sign(field))
        return images

    return TensorMap(step=step)


def sign_net_energy(weights: np.ndarray, states: Tensor) -> Tensor:
    """-x^T W x / 2 of each state, (b,)."""
    return -((states @ torch.as_tensor(np.asarray(weights)).to(states)) * states).sum(dim=1) / 2


def cosine() -> TensorMap:
    """x -> cos x: one fixed point, .7390851332151607, which attracts every real start."""
    return TensorMap(step=torch.cos)


def square_root() -> TensorMap:
    """x -> sqrt(1 + x^2): slope below 1 everywhere, distances shrink, and yet nothing is fixed.

    The slope is not bounded away from 1, so it is no contraction: orbits grow as sqrt(t).
    """
    return TensorMap(step=lambda x: torch.sqrt(1 + x**2))
