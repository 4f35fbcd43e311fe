"""Where does a study live, and what has it found so far?

::

    <study>/
      study.toml            what the user wrote, verbatim
      study.lock.json       what it means: resolved specification, seeds, versions, models
      ledger.sqlite         which tasks are done
      items.parquet         what was asked
      results/<table>/part-<task hash>.parquet
      report.html
      MANIFEST.json         written by `limitset pack`
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from limitset.core import ends as ends_columns
from limitset.core.columns import Column, Kind
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.parquet import write_text
from limitset.core.progress import FailedTask, Progress
from limitset.core.provenance import package_versions
from limitset.core.tasks import Task
from limitset.store.disk import disk_errors
from limitset.store.ledger import Ledger
from limitset.store.owners import pid_lives, this_process
from limitset.store.specification import (
    locked,
    read_lock,
    require_distinct,
    require_same,
    require_same_tasks,
)
from limitset.store.tables import TablePart, part_path, read_parts, write_part

TOML: Final = "study.toml"
LOCK: Final = "study.lock.json"
LEDGER: Final = "ledger.sqlite"
ITEMS: Final = "items.parquet"
RESULTS: Final = "results"
REPORT: Final = "report.html"
MANIFEST: Final = "MANIFEST.json"

# what a process killed while making a folder leaves: taken up again rather than refused
_HALF_MADE = re.compile(r"study\.toml|ledger\.sqlite(-wal|-shm|-journal)?|\..+\.tmp")
_TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp")


class StudyFolder:
    """A study on disk: its specification, its task list, its rows.

    Make one with `create_or_open` or `open`; close it, or use it in a ``with`` block. Several processes may
    work on one folder, each with its own `StudyFolder`.

    Parameters
    ----------
    path
        The folder.
    ledger
        Its open ledger.
    clock
        Returns the time in seconds; leases are measured with it.
    """

    def __init__(self, path: Path, ledger: Ledger, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.lock: Mapping[str, Any] = read_lock(path / LOCK)
        self.owner = this_process()
        self._ledger = ledger
        self._clock = clock
        self._at_hand: tuple[Ends, Items] | None = None

    @classmethod
    def create_or_open(
        cls,
        path: Path,
        *,
        toml_text: str,
        lock: Mapping[str, Any],
        tasks: Sequence[Task],
        clock: Callable[[], float] = time.time,
    ) -> StudyFolder:
        """Start a study, or take it up where it stopped.

        Parameters
        ----------
        path
            The folder; made when absent.
        toml_text
            What the user wrote; kept verbatim.
        lock
            What it means, as JSON values. The keys ``packages``, ``machine``, ``created`` and ``command``
            are recorded but may differ when a study is resumed; everything else must be the same.
        tasks
            The task list; its order is the order of the rows in every table.
        clock
            Returns the time in seconds.

        Returns
        -------
        StudyFolder
            With the tasks of dead processes and the failed ones waiting again.

        Raises
        ------
        InputError
            When the folder holds another study or something else, or cannot be written.
        """
        require_distinct(tasks)
        wanted = locked(lock)
        _make(path, toml_text=toml_text, lock=wanted, tasks=tasks)
        folder = cls.open(path, clock=clock)
        try:
            require_same(path, found=folder.lock, wanted=wanted)
            require_same_tasks(path, found=folder._ledger.hashes(), wanted=tasks)
            folder.sweep()
            folder._ledger.retry_failed()
            folder._ledger.enter_run(now=clock(), owner=folder.owner, packages=package_versions())
        except BaseException:
            folder.close()
            raise
        return folder

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> StudyFolder:
        """Open a study that exists, to look at it or to work on it.

        Raises
        ------
        InputError
            When `path` is not a study folder.
        """
        if not (path / LOCK).is_file() or not (path / LEDGER).is_file():
            raise InputError.of(
                expected=f"{path} must be a study folder",
                got=f"no {LOCK}" if not (path / LOCK).is_file() else f"no {LEDGER}",
                fix="Name the folder that `limitset run` wrote.",
            )
        return cls(path, Ledger(path / LEDGER), clock=clock)

    @property
    def toml_text(self) -> str:
        """What the user wrote."""
        with disk_errors(self.path / TOML, doing="read the study file"):
            return (self.path / TOML).read_text(encoding="utf-8")

    @property
    def report_path(self) -> Path:
        """Where the page goes."""
        return self.path / REPORT

    def claim(self, owner: str, lease_s: float) -> Task | None:
        """Take the next task for `lease_s` seconds; None when none waits."""
        return self._ledger.claim(owner=owner, now=self._clock(), lease_s=lease_s)

    def renew(self, tasks: Sequence[Task], *, owner: str, lease_s: float) -> None:
        """Hold claimed tasks for another `lease_s` seconds."""
        until = self._clock() + lease_s
        self._ledger.renew([task.hash for task in tasks], owner=owner, until=until)

    def release(self, task: Task, *, owner: str) -> None:
        """Give a claimed task back untried."""
        self._ledger.release(task.hash, owner=owner)

    def release_dead(self) -> int:
        """Give back the tasks of dead processes of this machine; returns how many."""
        return self._ledger.release_dead()

    def finish(self, task: Task, tables: Mapping[str, TablePart], *, seconds: float | None = None) -> None:
        """Keep the rows of a task: part files first, then the mark in the ledger.

        Parameters
        ----------
        task
            A task of this study.
        tables
            Table name to the rows that the task adds to it; may be empty.
        seconds
            How long the work took; the time since the claim when left out.

        Raises
        ------
        InputError
            When the disk refuses, or the task is not of this study. The task then stays unfinished.
        """
        state = self._ledger.state(task.hash)
        if state is None:
            raise InputError.of(
                expected="a finished task must be of this study", got=task.hash, fix="Open its own folder."
            )
        if state == "done":  # another process was faster; its rows are the same
            return
        for name, part in tables.items():
            write_part(part, part_path(self.path / RESULTS, name, task.hash))
        rows = {name: len(part) for name, part in tables.items()}
        self._ledger.finish(task.hash, parts=rows, now=self._clock(), seconds=seconds)

    def fail(self, task: Task, error: str, *, final: bool = False) -> None:
        """Note that a task raised; it is tried twice more, or not at all when `final`."""
        self._ledger.fail(task.hash, error, final=final)

    def progress(self) -> Progress:
        """Return how far the study is."""
        return self._ledger.progress()

    def failures(self) -> tuple[FailedTask, ...]:
        """Return the tasks that were given up."""
        return self._ledger.failures()

    def packages(self) -> list[dict[str, str]]:
        """Return the sets of package versions that worked on this study, oldest first."""
        return self._ledger.packages()

    def tables(self) -> dict[str, int]:
        """Return table name to number of rows."""
        rows: dict[str, int] = {}
        for _, parts in self._ledger.finished_parts():
            for table, count in parts.items():
                rows[table] = rows.get(table, 0) + count
        return dict(sorted(rows.items()))

    def part_paths(self, table: str) -> list[Path]:
        """Return the part files of finished tasks, in the order of the task list."""
        finished = self._ledger.finished_parts()
        results = self.path / RESULTS
        return [part_path(results, table, name) for name, parts in finished if table in parts]

    def table(self, name: str, kinds: Mapping[str, Kind]) -> dict[str, Column]:
        """Read one table; rows stand in the order of the task list, whoever did them and when.

        Columns named in `kinds` that the table lacks hold nothing; a table without rows is empty.
        """
        return read_parts(self.part_paths(name), kinds)

    def remember(self, ends: Ends, items: Items) -> None:
        """Take the runs and questions that were just written, so that they need not be read again."""
        self._at_hand = ends, items

    def ends(self) -> Ends:
        """Read the table ``ends``."""
        if self._at_hand is not None:
            return self._at_hand[0]
        columns: dict[str, Any] = dict(self.table("ends", ends_columns.KINDS))
        return Ends.of(**columns)

    def write_items(self, items: Items) -> None:
        """Keep what is asked."""
        write_part(TablePart.of_items(items), self.path / ITEMS)

    def items(self) -> Items:
        """Read what is asked."""
        if self._at_hand is not None:
            return self._at_hand[1]
        if not (self.path / ITEMS).exists():
            raise InputError.of(
                expected=f"{self.path} must hold its items", got=f"no {ITEMS}", fix="Run the study again."
            )
        return Items.read(self.path / ITEMS)

    def sweep(self) -> int:
        """Remove what dead processes left behind and give their tasks back; returns how many files went."""
        self.release_dead()
        removed = 0
        with disk_errors(self.path, doing="remove temporary files"):
            for path in [*self.path.glob(".*.tmp"), *self.path.glob(f"{RESULTS}/*/.*.tmp")]:
                match = _TEMPORARY.fullmatch(path.name)
                if match and not pid_lives(int(match[1])):
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def held(self) -> int:
        """Count the tasks that living processes hold."""
        return self._ledger.held(now=self._clock())

    def checkpoint(self) -> None:
        """Bring `ledger.sqlite` up to date, so that copying it copies everything."""
        self._ledger.checkpoint()

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def __enter__(self) -> StudyFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make(path: Path, *, toml_text: str, lock: Mapping[str, Any], tasks: Sequence[Task]) -> None:
    """Make the folder unless it is a study already; the lock comes last and marks it as one."""
    if (path / LOCK).is_file():
        return
    with disk_errors(path, doing="make a study folder"):
        new = _made(path)
        before = {entry.name for entry in path.iterdir()}
    strange = sorted(name for name in before if not _HALF_MADE.fullmatch(name))
    if strange:
        raise InputError.of(
            expected=f"{path} must be empty or a study folder",
            got=f"{strange[0]} and {len(strange) - 1} more" if len(strange) > 1 else strange[0],
            fix="Name a new folder.",
        )
    try:
        first = _entered(path, lock=lock, tasks=tasks)
        if first == lock:
            with disk_errors(path, doing="write the study file"):
                write_text(path / TOML, toml_text)
                write_text(path / LOCK, json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    except BaseException:
        _unmake(path, keep=None if new else before)
        raise
    require_same(path, found=first, wanted=lock)


def _made(path: Path) -> bool:
    """Make the folder; False when it was there."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def _entered(path: Path, *, lock: Mapping[str, Any], tasks: Sequence[Task]) -> dict[str, Any]:
    """Write the task list; of two processes that do so at once the first counts, and its lock comes back."""
    ledger = Ledger(path / LEDGER)
    try:
        ledger.enter(tasks, {"lock": json.dumps(lock, sort_keys=True)})
        first: dict[str, Any] = json.loads(ledger.meta()["lock"])
        return first
    finally:
        ledger.close()


def _unmake(path: Path, *, keep: set[str] | None) -> None:
    """Leave nothing half-written: the folder goes, or what was new in it."""
    if keep is None:
        shutil.rmtree(path, ignore_errors=True)
        return
    for entry in path.iterdir():
        if entry.name not in keep:
            entry.unlink(missing_ok=True)
