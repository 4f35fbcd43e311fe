"""How far is a study, and how long will the rest take?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from limitset.core.undefined import UNDEFINED


@dataclass(frozen=True, kw_only=True)
class FailedTask:
    """A task that was given up after `tries` tries, and what it raised."""

    hash: str
    kind: str
    tries: int
    error: str


@dataclass(frozen=True, kw_only=True)
class KindProgress:
    """How far the tasks of one kind are; `seconds` is the mean time of one, NaN before the first."""

    done: int
    left: int
    seconds: float = UNDEFINED


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a study is.

    Parameters
    ----------
    done, running, failed, total
        Numbers of tasks; those not named here wait.
    kinds
        The same for each kind of task.

    Examples
    --------
    >>> kinds = {"sample": KindProgress(done=4, left=6, seconds=2.0), "loop": KindProgress(done=0, left=5)}
    >>> progress = Progress(done=4, running=1, failed=0, total=15, kinds=kinds)
    >>> progress.left, progress.seconds_left(workers=2)
    (11, 11.0)
    """

    done: int
    running: int
    failed: int
    total: int
    kinds: Mapping[str, KindProgress]

    @property
    def left(self) -> int:
        """How many tasks are neither done nor given up."""
        return self.total - self.done - self.failed

    def seconds_left(self, *, workers: int = 1) -> float:
        """Return the time left in seconds; NaN while nothing is finished.

        A kind of which none is finished is taken to cost as much as the mean task so far.
        """
        timed = [kind for kind in self.kinds.values() if kind.done and not math.isnan(kind.seconds)]
        count = sum(kind.done for kind in timed)
        if not count:
            return 0.0 if not self.left else UNDEFINED
        mean = sum(kind.done * kind.seconds for kind in timed) / count
        known = (kind.left * (kind.seconds if kind in timed else mean) for kind in self.kinds.values())
        return sum(known) / max(1, min(workers, self.left or 1))
