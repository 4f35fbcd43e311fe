"""How is every task of a study done once, whatever dies on the way?

One driver a process claims tasks, hands them to a pool, and alone writes what comes back. Several drivers may
work on one study; each waits at the end for the tasks that others hold, and takes them over when they die.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from limitset.core.errors import DependencyError, InputError, LimitsetError
from limitset.core.progress import FailedTask, Progress
from limitset.core.tasks import Task
from limitset.engine.leases import Leases
from limitset.engine.loky_pool import Loky
from limitset.engine.pools import Here, Outcome, Pool, Tables, Work
from limitset.engine.ray_pool import Ray

LEASE_S = 60.0
"""A task comes back so many seconds after its process on another machine died."""

_ERROR_LENGTH = 2000


@runtime_checkable
class TaskFolder(Protocol):
    """What the engine needs of a study folder (`limitset.store.StudyFolder` is one).

    Longer than other protocols of limitset: these are the moves of one state machine.
    """

    @property
    def owner(self) -> str: ...  # noqa: D102 - documented in StudyFolder, as the following
    def claim(self, owner: str, lease_s: float) -> Task | None: ...  # noqa: D102
    def renew(self, tasks: Sequence[Task], *, owner: str, lease_s: float) -> None: ...  # noqa: D102
    def release(self, task: Task, *, owner: str) -> None: ...  # noqa: D102
    def release_dead(self) -> int: ...  # noqa: D102
    def finish(self, task: Task, tables: Tables, *, seconds: float | None = None) -> None: ...  # noqa: D102
    def fail(self, task: Task, error: str, *, final: bool = False) -> None: ...  # noqa: D102
    def progress(self) -> Progress: ...  # noqa: D102
    def failures(self) -> Sequence[FailedTask]: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What came of a run.

    Parameters
    ----------
    finished
        How many tasks this process finished.
    progress
        How far the study is now.
    failed
        The tasks that were given up: hash, kind and error of each.
    stopped
        Whether the stop event ended the run before the study was done.
    seconds
        How long this run took.
    """

    finished: int
    progress: Progress
    failed: tuple[FailedTask, ...]
    stopped: bool
    seconds: float


def run_tasks(
    folder: TaskFolder,
    work: Work,
    *,
    workers: int = 0,
    backend: Literal["here", "loky", "ray"] = "here",
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    address: str = "local",
    lease_s: float = LEASE_S,
    poll_s: float = 0.5,
) -> RunSummary:
    """Do every task of a study that is not done.

    Parameters
    ----------
    folder
        The study.
    work
        Does one task: returns table name to rows. It must depend on the task alone, since a task may be
        done twice when a process dies.
    workers
        How many processes, 0 for one a core; the backend ``here`` works in this process alone.
    backend
        ``here``: one after the other; ``loky``: worker processes; ``ray``: a cluster.
    on_progress
        Called at the start and after every task.
    stop
        Set it from another thread to stop after the tasks in hand.
    address
        Of the Ray cluster; ``"local"`` starts one.
    lease_s
        How long another process waits before it takes over a task of a process that it cannot ask.
    poll_s
        How often to look for tasks that other processes give back, in seconds.

    Returns
    -------
    RunSummary
        A task that raises is tried twice more and then reported in ``failed``; a `LimitsetError` is not
        tried again, since the same input gives the same error.

    Raises
    ------
    DependencyError
        When `work` lacks a package or a model: the run stops at once.
    InputError
        When the disk refuses.
    KeyboardInterrupt
        On Ctrl-C. Finished tasks are kept and the running ones wait again.
    """
    began = time.monotonic()
    pool = _pool(backend, work, workers=workers, address=address)
    run = _Run(folder, pool, on_progress=on_progress, lease_s=lease_s)
    try:
        with run.leases:
            run.until_done(stop or threading.Event(), poll_s=poll_s)
    finally:
        run.let_go()
    progress = folder.progress()
    return RunSummary(
        finished=run.finished,
        progress=progress,
        failed=tuple(folder.failures()),
        stopped=progress.left > 0,
        seconds=time.monotonic() - began,
    )


class _Run:
    """The state of one driver: what is in flight, and what is suspected of killing workers."""

    def __init__(
        self,
        folder: TaskFolder,
        pool: Pool,
        *,
        on_progress: Callable[[Progress], None] | None,
        lease_s: float,
    ) -> None:
        self.folder = folder
        self.pool = pool
        self.on_progress = on_progress
        self.finished = 0
        self.lease_s = lease_s
        self.leases = Leases(
            lambda tasks: folder.renew(tasks, owner=folder.owner, lease_s=lease_s), lease_s=lease_s
        )
        self._in_flight: dict[str, Task] = {}
        # tasks in flight when a worker died run again one at a time: only then is it known who did it
        self._suspects: deque[Task] = deque()
        self._alone: Task | None = None

    def until_done(self, stop: threading.Event, *, poll_s: float) -> None:
        """Claim, wait, commit, until nothing is left or `stop` is set."""
        self._report()
        while True:
            if not stop.is_set():
                self._fill()
            if self._in_flight:
                for outcome in self.pool.finished():
                    self._settle(outcome)
            elif stop.is_set() or not self.folder.progress().left:
                return
            elif not self._suspects:
                # what is left belongs to other processes
                stop.wait(poll_s)
                self.folder.release_dead()

    def let_go(self) -> None:
        """Close the pool and give back what is not finished."""
        held = list(self.leases.held.values())
        self.pool.close(hurry=bool(held))
        for task in held:
            self.folder.release(task, owner=self.folder.owner)

    def _fill(self) -> None:
        if self._suspects:
            if not self._in_flight:
                self._alone = self._suspects.popleft()
                self._submit(self._alone)
            return
        while len(self._in_flight) < self.pool.size:
            task = self.folder.claim(self.folder.owner, self.lease_s)
            if task is None:
                return
            self.leases.held[task.hash] = task
            self._submit(task)

    def _submit(self, task: Task) -> None:
        self._in_flight[task.hash] = task
        self.pool.submit(task)

    def _settle(self, outcome: Outcome) -> None:
        task = self._in_flight.pop(outcome.task.hash)
        if outcome.died and task is not self._alone:
            self._suspects.append(task)
            return
        if isinstance(outcome.error, DependencyError):
            raise outcome.error
        if outcome.tables is not None:
            self.folder.finish(task, outcome.tables, seconds=outcome.seconds)
            self.finished += 1
        else:
            self.folder.fail(task, _message(outcome), final=isinstance(outcome.error, LimitsetError))
        del self.leases.held[task.hash]
        self._report()

    def _report(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.folder.progress())


def _pool(backend: str, work: Work, *, workers: int, address: str) -> Pool:
    if workers < 0:
        raise InputError.of(expected="workers must be 0 or more", got=workers, fix="Use 0 for one a core.")
    if backend == "here":
        return Here(work)
    if backend == "loky":
        return Loky(work, workers=workers)
    if backend == "ray":
        return Ray(work, workers=workers, address=address)
    raise InputError.of(expected="backend must be here, loky or ray", got=backend, fix="Use one of these.")


def _message(outcome: Outcome) -> str:
    if outcome.error is None:
        return "the process that ran it died (out of memory, or killed)"
    text = str(outcome.error)
    named = text if isinstance(outcome.error, LimitsetError) else f"{type(outcome.error).__name__}: {text}"
    return named[:_ERROR_LENGTH]
