"""How does the fixed point of a map move when its parameters or inputs do?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from limitset.core.errors import InputError, UndefinedError
from limitset.core.levels import Level
from limitset.core.protocols import SelfMap
from limitset.core.streams import Streams
from limitset.numerics.solvers.choosing import SOLVERS, solver_named
from limitset.numerics.solvers.gmres import gmres
from limitset.numerics.solvers.solution import Outcome, Solution
from limitset.numerics.vector_map import Rows, VectorMap

ADJOINTS: Final = ("gmres", "picard", "anderson", "broyden")
KRYLOV: Final = 40
RESTARTS: Final = 5

Gradient = Callable[[Tensor], Tensor]


def implicit_fixed_point(
    map: SelfMap[Any] | VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    solver: str = "auto",
    tolerance: float | Tensor = 1e-6,
    adjoint: str = "gmres",
    adjoint_tolerance: float = 1e-5,
    **options: Any,
) -> Tensor:
    """Return the fixed points of a map as a tensor that torch can differentiate.

    Forward: x* = f(x*; θ), solved without a graph. Backward: (I − Jᵀ) u = ∂L/∂x*, ∂L/∂θ = (∂f/∂θ)ᵀ u.

    Parameters
    ----------
    map
        The map. Its parameters and held inputs need not be named: whatever torch sees it use gets a gradient.
    starts : (b, *shape)
        Where to begin; no gradient reaches them, since a fixed point does not depend on them.
    rows
        Which starts of the map the batch holds; all, in order, when None.
    solver
        auto, picard, anderson, broyden, newton or newton_gmres.
    tolerance
        Absolute residual ‖f(x) − x‖ at which a row has converged: one number or (b,).
    adjoint
        How the linear equation of the gradient is solved: gmres, picard (the Neumann series), anderson or
        broyden.
    adjoint_tolerance
        Residual of that equation relative to the gradient that came in.
    **options
        Further options of the solver, such as `max_steps`; a name that it does not know is a TypeError.

    Returns
    -------
    Tensor (b, *shape)
        The states that the solver found.

    Raises
    ------
    InputError
        When a name is not known, the map is not deterministic, or the input is not usable.
    UndefinedError
        Forward, when a row did not converge: its gradient would be that of no fixed point. Backward, when the
        linear equation was not solved: I − J is singular or close to it.

    Notes
    -----
    The memory is that of two applications of the map, whatever the number of steps. The gradient can be taken
    once; a second derivative raises an error of torch.

    References
    ----------
    Bai, Kolter, Koltun (2019), arXiv:1909.01377, theorem 1.

    Examples
    --------
    >>> from limitset.maps.latent import TensorMap
    >>> a = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    >>> x = implicit_fixed_point(TensorMap(step=lambda x: a * x + 1), torch.zeros(1, 1, dtype=torch.float64))
    >>> x.sum().backward()  # x = 1 / (1 - a), slope 1 / (1 - a)^2
    >>> round(x.item(), 5), round(a.grad.item(), 5)
    (2.0, 4.0)
    """
    solve = solver_named(solver)
    if adjoint not in ADJOINTS:
        raise InputError.of(
            expected=f"adjoint must be one of {', '.join(ADJOINTS)}", got=repr(adjoint), fix="Use 'gmres'."
        )
    if not 0 < adjoint_tolerance < 1:
        raise InputError.of(
            expected="adjoint_tolerance must be between 0 and 1", got=adjoint_tolerance, fix="Use 1e-5."
        )
    f = map if isinstance(map, VectorMap) else VectorMap.of(map, starts)
    if not f.map.deterministic:
        raise InputError.of(
            expected="an implicit gradient needs a deterministic map",
            got="one that draws random numbers",
            fix="Hold dropout and noise fixed over the steps.",
        )
    held = list(range(len(starts))) if rows is None else [int(row) for row in rows]
    with torch.no_grad():
        found = solve(f, f.flat(starts.detach()), rows=held, tolerance=tolerance, **options)
    refuse_unconverged(found)
    if not torch.is_grad_enabled():
        return f.shaped(found.states)
    images = f.map.step(f.shaped(found.states), rows=held, rng=f.rng)
    if not images.requires_grad:
        return f.shaped(found.states)
    transposed = _Transposed.at(f, found.states, held)

    def gradient(given: Tensor) -> Tensor:
        return f.shaped(_adjoint(transposed, f.flat(given), adjoint, adjoint_tolerance))

    attached: Tensor = _Attach.apply(images, f.shaped(found.states), gradient)  # type: ignore[no-untyped-call]
    return attached


class _Attach(torch.autograd.Function):
    """The states, whose gradient reaches the images after the linear equation has been solved."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, states: Tensor, gradient: Gradient) -> Tensor:  # noqa: ARG004
        ctx.gradient = gradient
        return states.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, None, None]:
        return ctx.gradient(given), None, None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Transposed:
    """u -> J(x*)ᵀ u, from one application of the map whose graph is kept."""

    states: Tensor
    images: Tensor

    @classmethod
    def at(cls, f: VectorMap, states: Tensor, rows: Sequence[int]) -> _Transposed:
        x = states.detach().requires_grad_(True)
        return cls(states=x, images=f.flat(f.map.step(f.shaped(x), rows=rows, rng=f.rng)))

    def product(self, vectors: Tensor, places: Sequence[int] | np.ndarray) -> Tensor:
        """Return Jᵀ u of the rows at those places."""
        index = torch.as_tensor(places, device=vectors.device)
        whole = torch.zeros_like(self.images).index_copy_(0, index, vectors)
        (pulled,) = torch.autograd.grad(self.images, self.states, whole, retain_graph=True, allow_unused=True)
        return torch.zeros_like(vectors) if pulled is None else pulled.index_select(0, index)


@dataclass(frozen=True, kw_only=True, eq=False)
class _AdjointMap:
    """u -> Jᵀ u + g, whose fixed point is the gradient that is sought."""

    transposed: _Transposed
    given: Tensor
    level: Level = Level.HIDDEN
    deterministic: bool = True

    def step(self, states: Tensor, *, rows: Sequence[int], rng: Streams) -> Tensor:  # noqa: ARG002
        index = torch.as_tensor(rows, device=states.device)
        return self.transposed.product(states, rows) + self.given.index_select(0, index)


def _adjoint(transposed: _Transposed, given: Tensor, method: str, tolerance: float) -> Tensor:
    if method == "gmres":
        linear = gmres(
            lambda v, places: v - transposed.product(v, places),
            given,
            tolerance=tolerance,
            krylov=KRYLOV,
            restarts=RESTARTS,
        )
        _refuse_gradient(linear.residual, tolerance, method)
        return linear.states
    f = VectorMap(map=_AdjointMap(transposed=transposed, given=given), shape=tuple(given.shape[1:]))
    size = torch.linalg.vector_norm(given, dim=1)
    limits = tolerance * torch.where(size > 0, size, 1.0).double()
    found = SOLVERS[method](f, given, tolerance=limits, max_steps=1000)
    if any(outcome != Outcome.CONVERGED for outcome in found.outcomes):
        relative = found.residual.double() / (limits / tolerance)
        _refuse_gradient(relative.cpu().numpy(), tolerance, method)
    return found.states


def refuse_unconverged(found: Solution) -> None:
    """Raise unless every row has converged."""
    open_rows = [place for place, one in enumerate(found.outcomes) if one != Outcome.CONVERGED]
    if open_rows:
        kinds = Counter(str(found.outcomes[place]) for place in open_rows)
        counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        worst = float(found.residual[open_rows].max())
        raise UndefinedError.of(
            expected="every row must have converged before it can be differentiated",
            got=f"{counted} of {len(found)}, largest residual {worst:.2g}, first row {open_rows[0]}",
            fix="Raise tolerance or max_steps, use solver='auto', or make the map contract (smaller gain).",
        )


def _refuse_gradient(residual: np.ndarray, tolerance: float, method: str) -> None:
    bad = np.flatnonzero(~(residual <= tolerance))
    if bad.size:
        raise UndefinedError.of(
            expected="the equation of the gradient, (I - J^T) u = g, must be solved",
            got=f"relative residual {residual[bad].max():.2g} by {method} in {bad.size} rows",
            fix="J has an eigenvalue close to 1: use adjoint='gmres', float64 or a larger adjoint_tolerance.",
        )
