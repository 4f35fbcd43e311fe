"""How do the tasks of a study use all cores of one machine, even when a worker dies?"""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from limitset.core.tasks import Task
from limitset.engine.pools import Outcome, Work, outcome_of, timed

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class Loky:
    """Run tasks in worker processes of joblib's loky; `work` may be a closure.

    Parameters
    ----------
    work
        Does one task.
    workers
        How many processes; 0 for one a core.
    """

    def __init__(self, work: Work, *, workers: int) -> None:
        self.workers = workers or os.cpu_count() or 1
        # one task more a worker waits in its queue, so that none idles while the driver writes
        self.size = 2 * self.workers
        self._work = work
        self._running: dict[Future[Any], Task] = {}
        self._executor: Any = None

    def submit(self, task: Task) -> None:
        """Hand a task to a worker; workers are started on the first, and again after one died."""
        from joblib.externals.loky import get_reusable_executor
        from joblib.externals.loky.process_executor import BrokenProcessPool

        for last in (False, True):
            self._executor = get_reusable_executor(max_workers=self.workers, timeout=60, env=_ONE_THREAD)
            try:
                self._running[self._executor.submit(timed, self._work, task)] = task
            except BrokenProcessPool:  # it broke since the last look: the next one is whole
                if last:
                    raise
            else:
                return

    def finished(self) -> list[Outcome]:
        """Wait for the next tasks; after a worker died, every task in flight comes back as died."""
        done, _ = wait(self._running, timeout=1.0, return_when=FIRST_COMPLETED)
        return [self._outcome(future) for future in done]

    def close(self, *, hurry: bool) -> None:
        """Stop the workers."""
        if self._executor is not None and (hurry or self._running):
            self._executor.shutdown(wait=True, kill_workers=True)
        self._running.clear()

    def _outcome(self, future: Future[Any]) -> Outcome:
        from joblib.externals.loky.process_executor import BrokenProcessPool

        task = self._running.pop(future)
        try:
            return outcome_of(task, *future.result())
        except BrokenProcessPool:
            return Outcome(task=task)
        except Exception as error:  # noqa: BLE001 - rows that cannot be sent back are the task's fault
            return Outcome(task=task, error=error)
