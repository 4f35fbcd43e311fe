"""Which solver of x = f(x) has which name?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from limitset.core.errors import InputError
from limitset.numerics.solvers.anderson import anderson
from limitset.numerics.solvers.auto import auto
from limitset.numerics.solvers.broyden import broyden
from limitset.numerics.solvers.newton import newton
from limitset.numerics.solvers.newton_gmres import newton_gmres
from limitset.numerics.solvers.picard import picard
from limitset.numerics.solvers.solution import Solution

Solver = Callable[..., Solution]

SOLVERS: Final[dict[str, Solver]] = {
    "auto": auto,
    "picard": picard,
    "anderson": anderson,
    "broyden": broyden,
    "newton": newton,
    "newton_gmres": newton_gmres,
}


def solver_named(name: str) -> Solver:
    """Return the solver of that name.

    Raises
    ------
    InputError
        When there is none; the sentence names those there are.

    Examples
    --------
    >>> solver_named("anderson").__name__
    'anderson'
    """
    if name not in SOLVERS:
        raise InputError.of(
            expected=f"solver must be one of {', '.join(SOLVERS)}", got=repr(name), fix="Use 'auto'."
        )
    return SOLVERS[name]
