"""What can a task be given to, and what comes back?

A pool takes tasks and gives back outcomes. It never touches the study: only the driver (`running`) commits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from limitset.core.tasks import Task

Tables = Mapping[str, Any]
"""Table name to the rows of one task (`limitset.store.TablePart`); the engine only passes them on."""

Work = Callable[[Task], Tables]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one task went.

    Parameters
    ----------
    task
        The task.
    tables
        Its rows; None when it raised or its process died.
    seconds
        How long the work took.
    error
        What it raised; None when it returned or its process died.
    """

    task: Task
    tables: Tables | None = None
    seconds: float = 0.0
    error: Exception | None = None

    @property
    def died(self) -> bool:
        """Whether the process of the task died (this task may or may not have been the cause)."""
        return self.tables is None and self.error is None


@runtime_checkable
class Pool(Protocol):
    """Something that runs tasks."""

    @property
    def size(self) -> int:
        """How many tasks it may hold at once."""
        ...

    @property
    def workers(self) -> int:
        """How many tasks it works on at once."""
        ...

    def submit(self, task: Task) -> None:
        """Take a task."""
        ...

    def finished(self) -> list[Outcome]:
        """Wait until something happened, or for about a second; return what is finished."""
        ...

    def close(self, *, hurry: bool) -> None:
        """Let go of everything; in a hurry, end the workers in the middle of their tasks."""
        ...


class Here:
    """Run tasks one after the other in this process."""

    size = 1
    workers = 1

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: deque[Task] = deque()

    def submit(self, task: Task) -> None:
        """Take a task; it runs when `finished` is called."""
        self._waiting.append(task)

    def finished(self) -> list[Outcome]:
        """Run the next task."""
        task = self._waiting.popleft()
        return [outcome_of(task, *timed(self._work, task))]

    def close(self, *, hurry: bool) -> None:
        """Do nothing: there are no workers."""


def timed(work: Work, task: Task) -> tuple[float, Tables | None, Exception | None]:
    """Do one task; return seconds, rows, and what it raised."""
    began = time.perf_counter()
    try:
        tables = work(task)
    except Exception as error:  # noqa: BLE001 - whatever a task raises is reported with the task
        return time.perf_counter() - began, None, error
    return time.perf_counter() - began, tables, None


def outcome_of(task: Task, seconds: float, tables: Tables | None, error: Exception | None) -> Outcome:
    """Name what `timed` returned."""
    return Outcome(task=task, seconds=seconds, tables=tables, error=error)
