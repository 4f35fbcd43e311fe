"""How do the tasks of a study use a Ray cluster?

Needs the extra `ray`. Every node needs the same Python minor version, Ray version and limitset.
"""

from __future__ import annotations

import os
from typing import Any

from limitset.core.errors import DependencyError
from limitset.core.tasks import Task
from limitset.engine.pools import Outcome, Work, outcome_of, timed

_STORE_BYTES = 256 << 20


class Ray:
    """Run tasks on Ray.

    Parameters
    ----------
    work
        Does one task.
    workers
        How many tasks at once; 0 for one a core of the cluster.
    address
        ``"local"`` starts a Ray of our own; else the address of a cluster. Never left to Ray, which would
        silently join whatever it finds.
    """

    def __init__(self, work: Work, *, workers: int, address: str) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError as error:
            raise DependencyError.of(
                expected="Ray must be installed for the backend ray",
                got=error,
                fix="Run: pip install 'limitset[ray]'.",
            ) from error
        self._ray: Any = ray
        self._own = not ray.is_initialized()
        if self._own:
            # a cluster has its sizes already; only a Ray of our own may be given any
            own = {"object_store_memory": _STORE_BYTES, "num_cpus": workers or os.cpu_count()}
            sizes = own if address == "local" else {}
            self._ray.init(address=address, include_dashboard=False, log_to_driver=False, **sizes)
        self.workers = workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        self.size = 2 * self.workers
        self._task = ray.remote(max_retries=3, num_cpus=1)(timed)
        self._work = ray.put(work)
        self._running: dict[Any, Task] = {}

    def submit(self, task: Task) -> None:
        """Hand a task to the cluster; Ray repeats it elsewhere when its worker dies."""
        self._running[self._task.remote(self._work, task)] = task

    def finished(self) -> list[Outcome]:
        """Wait for the next task."""
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=1.0)
        return [self._outcome(handle) for handle in done]

    def close(self, *, hurry: bool) -> None:
        """Cancel what runs, and stop a Ray of our own."""
        for handle in self._running:
            self._ray.cancel(handle, force=hurry)
        self._running.clear()
        if self._own:
            self._ray.shutdown()

    def _outcome(self, handle: Any) -> Outcome:
        task = self._running.pop(handle)
        try:
            return outcome_of(task, *self._ray.get(handle))
        except (self._ray.exceptions.WorkerCrashedError, self._ray.exceptions.NodeDiedError):
            return Outcome(task=task)
        except Exception as error:  # noqa: BLE001 - rows that cannot be sent back are the task's fault
            return Outcome(task=task, error=error)
