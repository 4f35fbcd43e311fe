"""Which cycle does an orbit enter, and after how many steps?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

from limitset.core.errors import InputError
from limitset.core.recurrence import BrentSearch, Cycle, first_phase_limit

INSTRUMENT: Final = "cycles"
VERSION: Final = 1

State = TypeVar("State", bound=Hashable)


def find_cycle(states: Sequence[Hashable]) -> Cycle | None:
    """Find the cycle of a recorded orbit of a deterministic map by its first repeated state.

    mu = min {i : x_i = x_j for some j > i}, lambda = min {j - mu : j > mu, x_j = x_mu}.

    Parameters
    ----------
    states : (length,)
        x_0, x_1 = f(x_0), ...; equal states must have equal images. What comes after the first repetition is
        not read.

    Returns
    -------
    Cycle or None
        `transient` and `period` in steps; None when no state came twice.

    Notes
    -----
    One look-up a state, and transient + period applications of the map: the fewest possible. It holds the
    whole orbit; where that does not fit, use `brent`. Of a map that draws random numbers a repeated state is
    no cycle: do not ask.

    References
    ----------
    Knuth (1997), The Art of Computer Programming 2, ISBN 0-201-89684-2, section 3.1, exercise 6.

    Examples
    --------
    >>> find_cycle(["a", "b", "c", "b", "c"])
    Cycle(transient=1, period=2)
    >>> find_cycle(["a", "b", "c"]) is None
    True
    """
    seen: dict[Hashable, int] = {}
    for step, state in enumerate(states):
        if state in seen:
            return Cycle(transient=seen[state], period=step - seen[state])
        seen[state] = step
    return None


def brent(step: Callable[[State], State], start: State, *, max_steps: int) -> Cycle | None:
    """Find the cycle of a deterministic map from one start, holding three states.

    Parameters
    ----------
    step
        The map.
    start
        Where the orbit begins.
    max_steps
        Find every cycle with transient + period <= `max_steps`, 1 or more, and no other.

    Returns
    -------
    Cycle or None
        The same as `find_cycle` on the first `max_steps` + 1 states.

    Raises
    ------
    InputError
        When `max_steps` is below 1.

    Notes
    -----
    The map is applied 3 `max_steps` times before giving up, and 2 to 4 times as often as the held orbit of
    `find_cycle` needs when there is a cycle: use it where the orbit cannot be held, not where the map is
    dear.

    References
    ----------
    Brent (1980), An improved Monte Carlo factorization algorithm, doi:10.1007/BF01933190.

    Examples
    --------
    >>> brent(lambda x: x * x % 101, 3, max_steps=200)  # 3 has order 100 = 4 * 25, and 2 has order 20 mod 25
    Cycle(transient=2, period=20)
    """
    if max_steps < 1:
        raise InputError.of(expected="max_steps must be 1 or more", got=max_steps, fix="Allow one step.")
    search = BrentSearch.of(start)
    while search.found is None:
        if search.phase == "period" and search.steps >= first_phase_limit(max_steps):
            return None
        search = search.advanced([step(state) for state in search.pending])  # type: ignore[arg-type]
    found = search.found
    return found if found.transient + found.period <= max_steps else None
