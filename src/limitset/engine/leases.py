"""How does a living process keep its tasks while one of them takes an hour?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from limitset.core.errors import LimitsetError
from limitset.core.tasks import Task


class Leases:
    """Renew the leases of the tasks in `held`, from a thread, three times a lease.

    Parameters
    ----------
    renew
        Lengthens the leases of the given tasks.
    lease_s
        How long a lease is, in seconds.
    """

    def __init__(self, renew: Callable[[Sequence[Task]], None], *, lease_s: float) -> None:
        self.held: dict[str, Task] = {}
        self._renew = renew
        self._every = lease_s / 3
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="limitset-leases", daemon=True)

    def __enter__(self) -> Leases:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            held = list(self.held.values())
            if not held:
                continue
            try:
                self._renew(held)
            except LimitsetError:  # the driver meets the same disk at its next step, and says so
                continue
