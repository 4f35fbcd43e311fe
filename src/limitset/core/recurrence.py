"""Has a run been in this state before, and what is the cycle it has entered?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """How an orbit that repeats is built: a tail, then a loop.

    Parameters
    ----------
    transient
        Steps before the first state of the cycle (mu), 0 or more.
    period
        Steps round the cycle (lambda), 1 or more; 1 is a fixed point.

    Examples
    --------
    >>> Cycle(transient=2, period=3)
    Cycle(transient=2, period=3)
    """

    transient: int
    period: int


@dataclass(frozen=True, kw_only=True)
class BrentSearch:
    """A search for the cycle of one orbit that holds three states, however long the orbit is.

    The search is a value: it says which images it needs next (`pending`) and `advanced` gives the search that
    knows them. So many searches can share one batch of a map, stop, and go on later.

    Parameters
    ----------
    start, slow, fast
        Where the orbit began and the two states that are compared.
    phase
        "period" until the period is known, "lead" while `fast` gets one period ahead of the start, "meet"
        while both walk to the entry of the cycle, "done" after.
    power, period, steps, lead, transient
        Counters: length of the current leg, steps since `slow` was set, steps of the first phase, steps
        ahead, steps walked together.

    References
    ----------
    Brent (1980), An improved Monte Carlo factorization algorithm, doi:10.1007/BF01933190.

    Examples
    --------
    >>> search = BrentSearch.of(0)
    >>> while search.found is None:
    ...     search = search.advanced([min(state + 1, 4) for state in search.pending])
    >>> search.found
    Cycle(transient=4, period=1)
    """

    start: Hashable
    slow: Hashable
    fast: Hashable
    phase: Literal["period", "lead", "meet", "done"] = "period"
    power: int = 1
    period: int = 0
    steps: int = 0
    lead: int = 0
    transient: int = 0

    @classmethod
    def of(cls, start: Hashable) -> BrentSearch:
        """Begin at a start."""
        return cls(start=start, slow=start, fast=start)

    @property
    def found(self) -> Cycle | None:
        """The cycle, once it is known."""
        return Cycle(transient=self.transient, period=self.period) if self.phase == "done" else None

    @property
    def pending(self) -> tuple[Hashable, ...]:
        """The states whose images come next: none when done."""
        if self.phase == "done":
            return ()
        return (self.slow, self.fast) if self.phase == "meet" else (self.fast,)

    def advanced(self, images: Sequence[Hashable]) -> BrentSearch:
        """Take the images of `pending` and return the search that knows them."""
        if self.phase == "period":
            return self._looking(images[0])
        if self.phase == "lead":
            return replace(self, fast=images[0], lead=self.lead + 1)._led()
        return replace(self, slow=images[0], fast=images[1], transient=self.transient + 1)._met()

    def _looking(self, fast: Hashable) -> BrentSearch:
        now = replace(self, fast=fast, period=self.period + 1, steps=self.steps + 1)
        if fast == self.slow:
            return replace(now, slow=self.start, fast=self.start, phase="lead")
        if now.period == self.power:
            return replace(now, slow=fast, power=2 * self.power, period=0)
        return now

    def _led(self) -> BrentSearch:
        return replace(self, phase="meet")._met() if self.lead == self.period else self

    def _met(self) -> BrentSearch:
        return replace(self, phase="done") if self.slow == self.fast else self


def first_phase_limit(steps: int) -> int:
    """Return the step by which `BrentSearch` knows each period with transient + period <= steps.

    `slow` rests at step 2^k - 1, with k the least such that 2^k > transient and 2^k >= period. For k >= 1
    that is 2^k <= 2 max(transient, period - 1), so the period is known at step 2^k - 1 + period <= 3 steps.

    Examples
    --------
    >>> first_phase_limit(10)
    30
    """
    return 3 * steps
