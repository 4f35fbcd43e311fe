"""Which tasks of a study are done, who works on which, and until when?

One SQLite file in WAL mode. A task is claimed in an immediate transaction with a lease, so two processes
never hold the same one and the task of a dead process comes back by itself.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limitset.core.errors import InputError
from limitset.core.progress import FailedTask, KindProgress, Progress
from limitset.core.tasks import Task
from limitset.core.undefined import UNDEFINED
from limitset.store.disk import disk_errors
from limitset.store.owners import is_dead

RETRIES = 2
"""How often a task that raised is tried again before it is given up."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS run (
  id INTEGER PRIMARY KEY, started REAL NOT NULL, owner TEXT NOT NULL, packages TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS task (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, json TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed')),
  owner TEXT, claimed REAL, lease_until REAL, tries INTEGER NOT NULL DEFAULT 0,
  error TEXT, seconds REAL, parts TEXT);
CREATE INDEX IF NOT EXISTS task_by_state ON task (state, position);
"""

_NEXT = """
SELECT id, json FROM (
  SELECT * FROM (SELECT id, json, position FROM task WHERE state = 'pending' ORDER BY position LIMIT 1)
  UNION ALL
  SELECT id, json, position FROM task WHERE state = 'running' AND lease_until < :now
) ORDER BY position LIMIT 1
"""


class Ledger:
    """The task list of one study, shared by every process that works on it.

    One connection, guarded by a lock: threads may share a `Ledger`, processes must each open their own.

    Parameters
    ----------
    path
        The SQLite file; made when absent, unless `path` lies on a medium that cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.RLock()
        with disk_errors(path, doing="open the ledger"):
            self._connection = _connected(path)

    def enter(self, tasks: Sequence[Task], meta: Mapping[str, str]) -> None:
        """Write the task list once; a ledger that already has one is left as it is."""
        rows = [(task.hash, place, task.kind, task.to_json()) for place, task in enumerate(tasks)]
        with self._writing("enter the tasks") as sql:
            for statement in _SCHEMA.split(";\n"):
                sql.execute(statement)
            if sql.execute("SELECT count(*) FROM meta").fetchone()[0]:
                return
            sql.executemany(
                "INSERT INTO task (id, position, kind, json, state) VALUES (?, ?, ?, ?, 'pending')", rows
            )
            sql.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))

    def enter_run(self, *, now: float, owner: str, packages: Mapping[str, str]) -> None:
        """Note that a process started to work, and with which packages."""
        with self._writing("note the start of a run") as sql:
            sql.execute(
                "INSERT INTO run (started, owner, packages) VALUES (?, ?, ?)",
                (now, owner, json.dumps(dict(packages), sort_keys=True)),
            )

    def claim(self, *, owner: str, now: float, lease_s: float) -> Task | None:
        """Take the first task that waits or whose lease ran out; None when there is none."""
        with self._writing("claim a task") as sql:
            row = sql.execute(_NEXT, {"now": now}).fetchone()
            if row is None:
                return None
            sql.execute(
                "UPDATE task SET state = 'running', owner = ?, claimed = ?, lease_until = ? WHERE id = ?",
                (owner, now, now + lease_s, row[0]),
            )
        return Task.from_json(row[1])

    def renew(self, hashes: Sequence[str], *, owner: str, until: float) -> None:
        """Lengthen the leases that the owner still holds."""
        with self._writing("renew leases") as sql:
            sql.executemany(
                "UPDATE task SET lease_until = ? WHERE id = ? AND owner = ? AND state = 'running'",
                [(until, name, owner) for name in hashes],
            )

    def release(self, name: str, *, owner: str) -> None:
        """Give a task back untried."""
        with self._writing("release a task") as sql:
            sql.execute(
                "UPDATE task SET state = 'pending', owner = NULL, lease_until = NULL"
                " WHERE id = ? AND owner = ? AND state = 'running'",
                (name, owner),
            )

    def release_dead(self) -> int:
        """Give back the tasks of processes of this machine that are gone; returns how many."""
        running = "SELECT DISTINCT owner FROM task WHERE state = 'running'"
        dead = [row for row in self._rows(running) if is_dead(str(row[0]))]
        if not dead:
            return 0
        with self._writing("release tasks of dead processes") as sql:
            return sql.executemany(
                "UPDATE task SET state = 'pending', owner = NULL, lease_until = NULL"
                " WHERE owner = ? AND state = 'running'",
                dead,
            ).rowcount

    def finish(self, name: str, *, parts: Mapping[str, int], now: float, seconds: float | None) -> None:
        """Mark a task done; its part files must be on disk already."""
        with self._writing("mark a task done") as sql:
            sql.execute(
                "UPDATE task SET state = 'done', seconds = coalesce(?, ? - claimed), parts = ?,"
                " owner = NULL, lease_until = NULL, error = NULL WHERE id = ? AND state != 'done'",
                (seconds, now, json.dumps(dict(parts), sort_keys=True), name),
            )

    def fail(self, name: str, error: str, *, final: bool) -> None:
        """Note that a task raised: it waits again, or is given up after `RETRIES` more tries."""
        with self._writing("note a failed task") as sql:
            sql.execute(
                "UPDATE task SET tries = tries + 1, error = ?, owner = NULL, lease_until = NULL,"
                " state = CASE WHEN ? OR tries >= ? THEN 'failed' ELSE 'pending' END"
                " WHERE id = ? AND state IN ('running', 'pending')",
                (error, final, RETRIES, name),
            )

    def retry_failed(self) -> None:
        """Let every task that was given up wait again."""
        with self._writing("retry failed tasks") as sql:
            sql.execute("UPDATE task SET state = 'pending', tries = 0 WHERE state = 'failed'")

    def state(self, name: str) -> str | None:
        """Return the state of one task; None when it is not in this study."""
        row = self._rows("SELECT state FROM task WHERE id = ?", (name,))
        return str(row[0][0]) if row else None

    def meta(self) -> dict[str, str]:
        """Return what was written with the task list."""
        return dict(self._rows("SELECT key, value FROM meta"))

    def hashes(self) -> list[str]:
        """Return the task hashes in the order of the task list."""
        return [row[0] for row in self._rows("SELECT id FROM task ORDER BY position")]

    def finished_parts(self) -> list[tuple[str, dict[str, int]]]:
        """Return (task hash, table to number of rows) of finished tasks, in the order of the task list."""
        rows = self._rows("SELECT id, parts FROM task WHERE state = 'done' ORDER BY position")
        return [(name, json.loads(parts)) for name, parts in rows]

    def failures(self) -> tuple[FailedTask, ...]:
        """Return the tasks that were given up."""
        rows = self._rows("SELECT id, kind, tries, error FROM task WHERE state = 'failed' ORDER BY position")
        return tuple(FailedTask(hash=r[0], kind=r[1], tries=r[2], error=r[3] or "") for r in rows)

    def held(self, *, now: float) -> int:
        """Count the tasks under a lease that has not run out."""
        count = "SELECT count(*) FROM task WHERE state = 'running' AND lease_until >= ?"
        return int(self._rows(count, (now,))[0][0])

    def packages(self) -> list[dict[str, str]]:
        """Return the distinct sets of package versions that worked on this study, oldest first."""
        found = [json.loads(row[0]) for row in self._rows("SELECT packages FROM run ORDER BY id")]
        return [one for place, one in enumerate(found) if one not in found[:place]]

    def progress(self) -> Progress:
        """Count tasks by kind and state."""
        rows = self._rows("SELECT kind, state, count(*), avg(seconds) FROM task GROUP BY kind, state")
        counts: dict[str, int] = {"done": 0, "running": 0, "failed": 0, "pending": 0}
        kinds: dict[str, dict[str, float]] = {}
        for kind, state, count, seconds in rows:
            counts[state] += count
            of_kind = kinds.setdefault(kind, {"done": 0, "left": 0, "seconds": UNDEFINED})
            if state == "done":
                of_kind.update(done=count, seconds=UNDEFINED if seconds is None else seconds)
            elif state != "failed":
                of_kind["left"] += count
        return Progress(
            done=counts["done"],
            running=counts["running"],
            failed=counts["failed"],
            total=sum(counts.values()),
            kinds={
                kind: KindProgress(done=int(one["done"]), left=int(one["left"]), seconds=one["seconds"])
                for kind, one in sorted(kinds.items())
            },
        )

    def checkpoint(self) -> None:
        """Move everything from the write-ahead log into the file itself."""
        with self._guard, disk_errors(self._path, doing="check the ledger in"):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            self._connection.close()

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._guard, disk_errors(self._path, doing="read the ledger"):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _writing(self, doing: str) -> Iterator[sqlite3.Connection]:
        """Hold the write lock of the file for the block; everything in it is kept or nothing."""
        with self._guard, disk_errors(self._path, doing=doing):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _connected(path: Path) -> sqlite3.Connection:
    readable_only = path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    if readable_only:
        uri = f"{path.absolute().as_uri()}?immutable=1"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        connection.close()
        raise InputError.of(
            expected=f"{path} must lie on a disk where SQLite can keep a write-ahead log",
            got=f"journal mode {mode}",
            fix="Network disks often cannot: put the study on a local disk.",
        )
    # NORMAL: a power cut may lose the last marks, never the file; a lost mark only repeats a task
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
