"""How large can the norm or the spectral radius of a matrix of floats be, rounding counted?

Everything here is an upper bound for the real numbers that the floats stand for. A computed product of
(m, n) and (n, p) matrices differs from the true one by at most gamma_n |A||B| entry by entry, in any order of
summation, with or without fused operations (Higham 2002, eq. 3.13); so by at most gamma_n ||A||_F ||B||_F in
the Frobenius norm, and hence in the spectral one. Fast multiplication of Strassen's kind and reduced
precision (TF32) break that bound: run in float64, on the processor, or with `highest` matmul precision.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

FLOOR: Final = 1e-290
"""Added to every bound: more than all underflows of the products here can lose, less than any result."""


def unit_roundoff(dtype: torch.dtype) -> float:
    """Largest relative error of one rounded operation: 2^-53 for float64."""
    return torch.finfo(dtype).eps / 2


def gamma(terms: int, dtype: torch.dtype = torch.float64) -> float:
    """Largest relative error of a sum of `terms` products: n u / (1 - n u).

    Parameters
    ----------
    terms
        Number n of rounded operations, n u < 1.
    dtype
        Type that u belongs to.

    References
    ----------
    Higham (2002), doi:10.1137/1.9780898718027, lemma 3.1.

    Examples
    --------
    >>> gamma(2) > 2**-52, gamma(2) < 1.001 * 2**-52
    (True, True)
    """
    share = terms * unit_roundoff(dtype)
    return share / (1 - share) * (1 + 1e-12) if share < 1 else math.inf


def raised(bound: Tensor, operations: int) -> Tensor:
    """Raise a bound that took `operations` rounded operations of numbers of one sign."""
    return bound * (1 + 4 * gamma(operations + 4, bound.dtype)) + FLOOR


def frobenius_above(matrices: Tensor) -> Tensor:
    """Bound the Frobenius norm of matrices `(..., m, n)` from above."""
    entries = matrices.shape[-1] * matrices.shape[-2]
    norm = torch.linalg.matrix_norm(matrices)
    if bool(((norm > 1e-100) & (norm < 1e100)).all()):
        return raised(norm, entries)
    exponent, scaled = _near_one(matrices)  # or else squares of small entries vanish
    norm = raised(torch.linalg.matrix_norm(scaled), entries)
    return _or_inf(torch.ldexp(norm, exponent) + FLOOR, matrices)


def length_above(vectors: Tensor) -> Tensor:
    """Bound the Euclidean norm of vectors `(..., n)` from above."""
    return frobenius_above(vectors[..., None, :])


def product_error(left: Tensor, right: Tensor) -> Tensor:
    """Bound ||fl(A B) - A B||_F by gamma_n ||A||_F ||B||_F."""
    return _product_error(frobenius_above(left), frobenius_above(right), left.shape[-1])


def _product_error(left: Tensor, right: Tensor, terms: int) -> Tensor:
    return raised(gamma(terms + 4, left.dtype) * left * right, 4)


def spectral_norm_above(matrices: Tensor, *, squarings: int = 5) -> Tensor:
    r"""Bound the spectral norm of real matrices from above, within a factor d^(1 / 2^(squarings + 2)).

    .. math:: \|A\|_2 = \|(A A^T)^{2^s}\|_2^{1 / 2^{s + 1}} \le \|(A A^T)^{2^s}\|_F^{1 / 2^{s + 1}}

    Parameters
    ----------
    matrices : (..., m, n)
        Real matrices.
    squarings
        Number s of squarings; 5 costs six products and overstates by at most 3.3 % for 64 rows.

    Returns
    -------
    Tensor
        `(...)` upper bounds; rounding of every product is added.

    References
    ----------
    Rump (2010), doi:10.1017/S096249291000005X, section 10 (verified norms; there by one product).

    Examples
    --------
    >>> a = torch.tensor([[3.0, 0.0], [0.0, 4.0]], dtype=torch.float64)
    >>> 4.0 <= float(spectral_norm_above(a)) < 4.02
    True
    """
    if matrices.shape[-2] > matrices.shape[-1]:
        matrices = matrices.mT
    exponent, scaled = _near_one(matrices)
    power = scaled @ scaled.mT
    power = (power + power.mT) / 2
    norm = frobenius_above(scaled)
    errors = [_product_error(norm, norm, scaled.shape[-1])]
    for _ in range(squarings):
        norm = frobenius_above(power)
        errors.append(_product_error(norm, norm, power.shape[-1]))
        power = power @ power
        power = (power + power.mT) / 2
    bound = frobenius_above(power)
    for error in reversed(errors):
        bound = raised(torch.sqrt(bound + error), 4)
    # a zero matrix, whose roots of FLOOR are large, is bounded by its Frobenius norm
    least = torch.fmin(torch.ldexp(bound, exponent) + FLOOR, frobenius_above(matrices))
    return _or_inf(least, matrices)


def spectral_radius_above(matrices: Tensor, *, error: Tensor | float = 0.0, squarings: int = 12) -> Tensor:
    r"""Bound the spectral radius of every matrix within `error` of the given ones from above.

    .. math:: \rho(A) \le \|A^{2^s}\|^{1 / 2^s}

    The least of the bounds over 0..s squarings is returned, so a non-normal matrix, whose norm says little,
    is bounded too.

    Parameters
    ----------
    matrices : (..., d, d)
        Real matrices.
    error : (...)
        Bound on the spectral norm of what may be added to each.
    squarings
        Largest s; each doubles the error of the power as well.

    Returns
    -------
    Tensor
        `(...)` upper bounds.

    References
    ----------
    Horn and Johnson (1985), doi:10.1017/CBO9780511810817, corollary 5.6.14.

    Examples
    --------
    >>> a = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)
    >>> 0.5 <= float(spectral_radius_above(a)) < 0.54
    True
    """
    radius = torch.as_tensor(error, dtype=matrices.dtype, device=matrices.device).expand(matrices.shape[:-2])
    power, logarithm = matrices, torch.zeros_like(radius)
    best = torch.full_like(radius, math.inf)
    for step in range(squarings + 1):
        # the Frobenius norm costs no product, and its excess is lost in the root after a few steps
        norm = frobenius_above(power)
        size = raised((norm if step else spectral_norm_above(power)) + radius, 2)
        # 2^x with |x| small: the error of log2 and exp2 is far below the 1e-12 added
        root = torch.exp2((logarithm + torch.log2(size)) / 2**step) * (1 + 1e-12)
        best = torch.minimum(best, torch.nan_to_num(root, nan=math.inf))
        exponent, power = _near_one(power)
        radius, norm = torch.ldexp(radius, -exponent), torch.ldexp(norm, -exponent) + FLOOR
        logarithm = 2 * (logarithm + exponent)
        rounding = _product_error(norm, norm, power.shape[-1])
        radius = raised(2 * norm * radius + radius**2 + rounding, 8)
        power = power @ power
    return _or_inf(best, matrices)


def _or_inf(bound: Tensor, matrices: Tensor) -> Tensor:
    # a matrix that overflowed has no bound
    finite = torch.isfinite(matrices).all(dim=-1).all(dim=-1)
    return torch.where(finite, torch.nan_to_num(bound, nan=math.inf), math.inf)


def _near_one(matrices: Tensor) -> tuple[Tensor, Tensor]:
    # scaled by an exact power of two to a largest entry in [1/2, 1)
    exponent = torch.frexp(matrices.abs().amax(dim=(-2, -1))).exponent
    return exponent, torch.ldexp(matrices, -exponent[..., None, None])
