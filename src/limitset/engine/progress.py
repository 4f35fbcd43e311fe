"""How long will this still take, said where the user looks and nowhere else?"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from io import TextIOBase
from typing import IO, TYPE_CHECKING, cast

from limitset.core.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

PLAIN_EVERY_S = 30.0
"""Where there is no terminal, one line so often."""


class ProgressDisplay:
    """A bar with the time left on a terminal; elsewhere a plain line now and then.

    Use it in a ``with`` block and give it to `run_tasks` as ``on_progress``.

    Parameters
    ----------
    title
        What is being done.
    workers
        How many tasks run at once: the time left is divided by it.
    stream
        Where to write; stderr when left out.
    clock
        Returns the time in seconds.

    Examples
    --------
    >>> import io
    >>> from limitset.core.progress import KindProgress
    >>> stream = io.StringIO()
    >>> with ProgressDisplay("first look", stream=stream, clock=lambda: 0.0) as display:
    ...     kinds = {"sample": KindProgress(done=2, left=4, seconds=45.0)}
    ...     display(Progress(done=2, running=1, failed=0, total=6, kinds=kinds))
    >>> print(stream.getvalue(), end="")
    first look: 2 of 6 tasks, about 3 min left
    """

    def __init__(
        self,
        title: str,
        *,
        workers: int = 1,
        stream: TextIOBase | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._workers = workers
        self._stream = cast("IO[str]", stream or sys.stderr)
        self._clock = clock
        self._written = -PLAIN_EVERY_S
        self._last: Progress | None = None
        self._bar: Bar | None = None

    def __enter__(self) -> ProgressDisplay:
        if self._stream.isatty():
            from rich.console import Console

            self._bar = _bar(Console(file=self._stream))
            self._bar.start()
            self._bar.add_task(self._title, total=None, left="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how far the study is."""
        if progress == self._last:
            return
        self._last = progress
        ended = progress.done + progress.failed
        left = time_left(progress, workers=self._workers)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=ended, total=progress.total, left=left)
            return
        due = self._clock() - self._written >= PLAIN_EVERY_S
        if due or not progress.left:
            self._written = self._clock()
            failed = f", {progress.failed} failed" if progress.failed else ""
            told = f", {left}" if left else ""
            print(
                f"{self._title}: {progress.done} of {progress.total} tasks{failed}{told}",
                file=self._stream,
                flush=True,
            )


def time_left(progress: Progress, *, workers: int = 1) -> str:
    """Say the time left in words; empty while it is not known, and when nothing is left.

    Examples
    --------
    >>> from limitset.core.progress import KindProgress
    >>> kinds = {"sample": KindProgress(done=2, left=4, seconds=2000.0)}
    >>> time_left(Progress(done=2, running=0, failed=0, total=6, kinds=kinds), workers=2)
    'about 1.1 h left'
    """
    seconds = progress.seconds_left(workers=workers)
    if not progress.left or math.isnan(seconds):
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    if seconds < 3600:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


def _bar(console: Console) -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=console,
        transient=True,
    )
