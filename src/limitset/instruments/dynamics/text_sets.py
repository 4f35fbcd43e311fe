"""Which distinct ends do text loops have, and how many starts share one?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.limit_sets import Certificate, LimitSets
from limitset.core.loops import loops_of
from limitset.core.orbits import limit_sets_of

INSTRUMENT: Final = "text_limit_sets"
VERSION: Final = 1


def text_limit_sets(
    ends: Ends, orbits: Mapping[str, Any], *, system: str, loop: str, confidence: float = 0.95
) -> LimitSets:
    """Collect the distinct ends of the text loops of one system and instruction.

    Parameters
    ----------
    ends, orbits
        As in `loop_ends`.
    system, loop
        Which loops.
    confidence
        Coverage of the Wilson interval of each share.

    Returns
    -------
    LimitSets
        Shares of all starts, largest first; labels and arrival in the order of the ends, -1 and inf for
        never.

    Raises
    ------
    InputError
        When there is no such loop, or the tables do not fit each other.

    Notes
    -----
    Equal texts are one set; see `loop_ends` for what that means where the question is shown at each step.

    References
    ----------
    Datseris and Wagemakers (2022), doi:10.1063/5.0076568 (shares of starts, inf for never).

    Examples
    --------
    >>> ends = Ends.of(item=["q"], system="m", loop="again", level="text", end=["b"], status="settled",
    ...                steps=[1])
    >>> table = dict(item=["q"] * 3, system=["m"] * 3, loop=["again"] * 3, step=[0, 1, 2], period=[1] * 3,
    ...              text=["a", "b", "b"])
    >>> text_limit_sets(ends, table, system="m", loop="again").points
    (('b',),)
    """
    loops = [one for one in loops_of(ends, orbits) if (one.system, one.name) == (system, loop)]
    if not loops:
        raise InputError.of(
            expected=f"there must be loops {loop} of {system}", got="none", fix="Name others."
        )
    return limit_sets_of(
        [one.cycle for one in loops],
        np.array([one.arrival for one in loops]),
        level=Level.TEXT,
        certificates={"periodic": Certificate.EMPIRICAL},  # a greedy model repeats itself up to ties only
        confidence=confidence,
    )
