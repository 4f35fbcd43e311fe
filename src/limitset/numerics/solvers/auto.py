"""Where does a search land that begins with plain iteration and hands on only the rows that stall?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch import Tensor

from limitset.numerics.solvers.anderson import Past, mix
from limitset.numerics.solvers.broyden import LEARNING, Inverse, learn, updates_that_fit
from limitset.numerics.solvers.broyden import MEMORY as UPDATES
from limitset.numerics.solvers.newton import MEMORY, STEP_CAP, checked_cap, descend, rows_that_fit
from limitset.numerics.solvers.picard import iterate
from limitset.numerics.solvers.search import (
    Outlook,
    Search,
    checked_count,
    checked_rows,
    checked_starts,
    checked_tolerance,
)
from limitset.numerics.solvers.solution import Outcome, Solution
from limitset.numerics.vector_map import Rows, VectorMap

DENSE: Final = 128
"""Largest dimension for dense Newton steps: one costs d + 1 evaluations. At d = 256 in the chaotic regime
they settled 25 of 87 rows that Broyden's method had left, at 24 to 31 times its evaluations a settled row."""
PLAIN: Final = Outlook(span=3, steps=12)
MIXED: Final = Outlook(span=6, steps=25)
NEWTON_STEPS: Final = 25


def auto(
    f: VectorMap,
    starts: Tensor,
    *,
    rows: Rows | None = None,
    tolerance: float | Tensor = 1e-6,
    max_steps: int = 400,
    step_cap: float = STEP_CAP,
    dense: int = DENSE,
) -> Solution:
    """Solve x = f(x) by the cheapest method that gets there, row by row.

    Plain iteration first; its first steps show how fast it is. Rows that would need more than 12 further
    steps go on to Anderson mixing, those that it would keep for more than 25 to Broyden's method with every
    update, and those that stall there to dense Newton steps where d <= `dense`.

    Parameters
    ----------
    f
        The map.
    starts : (b, d)
        Where to begin; never written to.
    rows
        Which starts of the map the batch holds; all, in order, when None.
    tolerance
        Absolute residual ‖f(x) − x‖ at which a row has converged: one number or (b,).
    max_steps
        Applications of f for a row at most. Rows that stall before that may take 25 Newton steps besides.
    step_cap
        Longest step of Newton's method, in the units of the states.
    dense
        Largest d for dense Newton steps, which cost d + 1 evaluations each; 0 for none.

    Returns
    -------
    Solution
        Evaluations of all methods together; `solvers` names those that had the row, joined by "+". A row that
        none of them settles carries the outcome of the last one.

    Raises
    ------
    InputError
        When the tolerance is below what the type of the states can tell from 0, or the input is not usable.

    Notes
    -----
    Broyden's and Newton's methods also land on fixed points that repel: a row that plain iteration would
    never have settled can come back as converged. Ask `picard` where iteration itself goes.

    References
    ----------
    Kelley (2003), doi:10.1137/1.9780898718898.

    Examples
    --------
    >>> from limitset.maps.known import cosine, logistic
    >>> starts = torch.full((1, 1), 0.3, dtype=torch.float64)
    >>> auto(VectorMap.of(cosine(), starts), starts, tolerance=1e-2).solvers
    ('picard',)
    >>> auto(VectorMap.of(cosine(), starts), starts).solvers
    ('picard+anderson',)
    >>> round(float(auto(VectorMap.of(logistic(4.0), starts), starts).states[0]), 6)
    0.75
    """
    checked_count("max_steps", max_steps)
    checked_count("dense", dense, least=0)
    checked_cap(step_cap)
    checked_starts(f, starts)
    book = _Book.open(starts, checked_rows(rows, len(starts)), checked_tolerance(tolerance, len(starts)))

    def plainly(search: Search, x: Tensor, steps: int) -> None:
        iterate(search, x, max_steps=steps)

    def mixed(search: Search, x: Tensor, steps: int) -> None:
        mix(search, x, Past(), max_steps=steps, plain=0.0)

    def learning(search: Search, x: Tensor, steps: int) -> None:
        learn(search, x, Inverse(x, updates_that_fit(x, steps, UPDATES)), max_steps=steps)

    def newtonian(search: Search, x: Tensor, steps: int) -> None:
        memory = max(MEMORY, 2 * f.dimension**2 * x.element_size())
        chunk = rows_that_fit(x, memory)
        descend(search, x, max_steps=steps, step_cap=step_cap, chunk=chunk)

    book.hand(f, "picard", plainly, max_steps, outlook=PLAIN)
    book.hand(f, "anderson", mixed, max_steps, outlook=MIXED, refuses=False)
    book.hand(f, "broyden", learning, max_steps, patience=LEARNING, refuses=False)
    if f.dimension <= dense:
        book.hand(f, "newton", newtonian, book.steps + NEWTON_STEPS, refuses=False)
    return book.solution()


@dataclass(kw_only=True, eq=False)
class _Book:
    """What every row has come to so far."""

    states: Tensor
    rows: np.ndarray
    tolerance: np.ndarray
    residual: Tensor
    evaluations: Tensor
    outcomes: list[Outcome]
    solvers: list[str]
    steps: int = field(default=0)

    @classmethod
    def open(cls, starts: Tensor, rows: np.ndarray, tolerance: np.ndarray) -> _Book:
        size = len(starts)
        return cls(
            states=starts.detach().clone(),
            rows=rows,
            tolerance=tolerance,
            residual=starts.new_full((size,), torch.inf),
            evaluations=torch.zeros(size, dtype=torch.int64),
            outcomes=[Outcome.OUT_OF_STEPS] * size,
            solvers=[""] * size,
        )

    def open_places(self, done: tuple[Outcome, ...]) -> np.ndarray:
        return np.array([p for p, one in enumerate(self.outcomes) if one not in done], dtype=np.int64)

    def given(self, places: np.ndarray) -> tuple[Tensor, list[int], Tensor]:
        index = torch.as_tensor(places, device=self.states.device)
        limits = torch.as_tensor(self.tolerance[places])
        return self.states.index_select(0, index), self.rows[places].tolist(), limits

    def hand(
        self,
        f: VectorMap,
        name: str,
        method: Callable[[Search, Tensor, int], None],
        max_steps: int,
        **rules: Outlook | int,
    ) -> None:
        """Let a method have the rows that have stalled or diverged (at first: all)."""
        done = (Outcome.CONVERGED, Outcome.OUT_OF_STEPS) if self.steps else ()
        places, steps = self.open_places(done), max_steps - self.steps
        if places.size and steps > 0:
            x, given, limits = self.given(places)
            search = Search(f, x, rows=given, tolerance=limits, solver=name, **rules)  # type: ignore[arg-type]
            method(search, x, steps)
            self.steps += search.steps
            self.write(places, search.solution())

    def write(self, places: np.ndarray, found: Solution) -> None:
        """Take over what a method found, where it is better than what was known."""
        index = torch.as_tensor(places)
        self.evaluations[index] += found.evaluations
        index = index.to(self.states.device)
        settled = torch.tensor([one == Outcome.CONVERGED for one in found.outcomes], device=index.device)
        better = settled | (found.residual < self.residual[index])
        self.states[index[better]] = found.states[better]
        self.residual[index[better]] = found.residual[better]
        for place, outcome, name in zip(places.tolist(), found.outcomes, found.solvers, strict=True):
            self.outcomes[place] = outcome
            self.solvers[place] = f"{self.solvers[place]}+{name}" if self.solvers[place] else name

    def solution(self) -> Solution:
        return Solution(
            states=self.states,
            residual=self.residual,
            outcomes=tuple(self.outcomes),
            evaluations=self.evaluations,
            solvers=tuple(self.solvers),
        )
