"""Where does a looped net normalise, and how does its input enter?

Two choices, each made at every step. The norm stands around the residual branches, the injection before them.
Nothing else differs between the cells of the laboratory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from limitset.core.errors import InputError

NORMS: Final = ("none", "pre", "post", "sandwich")
"""none: x + F(x). pre: x + F(N x). post: N(x + F(x)). sandwich: N(x + N F(N x))."""
INJECTIONS: Final = ("start", "additive", "concatenated", "gated")
"""start: x. additive: x + e. concatenated: A[x, e]. gated: x + sigmoid(G[x, e]) tanh(A[x, e])."""
EPSILON: Final = 1e-5
"""Under the root of the mean square: it keeps the norm continuous at 0, which Brouwer's theorem needs."""


def normalised(states: Tensor) -> Tensor:
    """Divide the vector at every position by its root mean square.

    N(x) = x / sqrt(mean(x^2) + epsilon), over the last axis.

    Parameters
    ----------
    states : (b, *positions, width)
        Any states.

    Returns
    -------
    Tensor
        Same shape; every vector has a mean square below 1.

    References
    ----------
    Zhang and Sennrich (2019), arXiv:1910.07467, eq. 4 (without a learned gain).

    Examples
    --------
    >>> normalised(torch.tensor([[3.0, 4.0]])).square().mean().round(decimals=4).item()
    1.0
    """
    return states * torch.rsqrt(states.square().mean(-1, keepdim=True) + EPSILON)


def residual(states: Tensor, branch: Callable[[Tensor], Tensor], *, norm: str) -> Tensor:
    """Add a branch to the states, with the norm where `norm` says.

    Parameters
    ----------
    states : (b, *positions, width)
        What the branch sees and is added to.
    branch
        F.
    norm
        One of `NORMS`.

    Returns
    -------
    Tensor
        Same shape.

    References
    ----------
    Xiong et al. (2020), arXiv:2002.04745, table 1 (post and pre); Ding et al. (2021), arXiv:2105.13290
    (sandwich; here with a third norm around the sum).

    Examples
    --------
    >>> x = torch.tensor([[1.0, 1.0]])
    >>> residual(x, torch.neg, norm="none").tolist()
    [[0.0, 0.0]]
    """
    added = branch(normalised(states) if norm in ("pre", "sandwich") else states)
    if norm == "sandwich":
        added = normalised(added)
    total = states + added
    return normalised(total) if norm in ("post", "sandwich") else total


def injected(
    states: Tensor,
    held: Tensor,
    *,
    injection: str,
    adapter: Callable[[Tensor], Tensor],
    gate: Callable[[Tensor], Tensor],
) -> Tensor:
    """Let the held input into the states.

    Parameters
    ----------
    states, held : (b, *positions, width)
        The states and the embedded input.
    injection
        One of `INJECTIONS`.
    adapter, gate
        Linear maps from 2 width to width: A (concatenated, gated) and G (gated).

    Returns
    -------
    Tensor
        Same shape.

    References
    ----------
    Bansal et al. (2022), arXiv:2202.05826 (recall: the input concatenated at every step);
    Geiping et al. (2025), arXiv:2502.05171 (the adapter).

    Examples
    --------
    >>> one, unused = torch.ones(1, 2), torch.nn.Identity()
    >>> injected(one, 2 * one, injection="additive", adapter=unused, gate=unused).tolist()
    [[3.0, 3.0]]
    """
    if injection == "start":
        return states
    if injection == "additive":
        return states + held
    both = torch.cat([states, held], dim=-1)
    if injection == "concatenated":
        return adapter(both)
    return states + torch.sigmoid(gate(both)) * torch.tanh(adapter(both))


def require_design(norm: str, injection: str) -> None:
    """Refuse a norm or an injection that the laboratory does not have.

    Raises
    ------
    InputError
        With the names that it has.
    """
    for name, given, known in (("norm", norm, NORMS), ("injection", injection, INJECTIONS)):
        if given not in known:
            raise InputError.of(
                expected=f"{name} must be one of {', '.join(known)}", got=repr(given), fix="Use one of these."
            )
