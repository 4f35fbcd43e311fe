"""What does the store cost a task, and how fast do the tables come back?

Run: python benchmarks/store.py [--tasks 400] [--rows 200]
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from limitset.core.ends import Ends
from limitset.core.tasks import Task
from limitset.engine import run_tasks
from limitset.store import StudyFolder, TablePart, pack, query, verify


def rows_of(task: Task) -> dict[str, TablePart]:
    i, rows = task.chunk["i"], task.chunk["rows"]
    ends = Ends.of(
        item=[f"q{i}-{row % 20}" for row in range(rows)],
        system=["a"] * rows,
        seed=list(range(rows)),
        end=[f"answer {row % 7}" for row in range(rows)],
        right=[row % 2 for row in range(rows)],
        text=[f"A reply of some forty characters, number {row}." for row in range(rows)],
    )
    return {"ends": TablePart.of_ends(ends)}


def timed(name: str, call: Callable[[], object], *, per: int = 1) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    unit = f" ({wall / per * 1e3:.1f} ms wall, {cpu / per * 1e3:.1f} ms CPU each)" if per > 1 else ""
    print(f"{name:<34} {wall:8.3f} s{unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--rows", type=int, default=200)
    options = parser.parse_args()
    tasks = [
        Task(kind="sample", chunk={"i": i, "rows": options.rows}, identity="benchmark")
        for i in range(options.tasks)
    ]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{options.tasks} tasks of {options.rows} rows")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        path = Path(scratch) / "study"
        with StudyFolder.create_or_open(path, toml_text="", lock={"spec": {}}, tasks=tasks) as folder:
            timed("make the rows alone", lambda: [rows_of(task) for task in tasks], per=len(tasks))
            timed("run in this process", lambda: run_tasks(folder, rows_of), per=len(tasks))
            timed("run again: nothing to do", lambda: run_tasks(folder, rows_of))
            timed("read ends", folder.ends)
        timed("query: group by", lambda: query(path, 'select item, avg("right") from ends group by all'))
        timed("pack", lambda: pack(path, Path(scratch) / "study.zip"))
        timed("verify", lambda: verify(Path(scratch) / "study.zip"))
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        print(f"{'folder':<34} {size / 1e6:8.1f} MB")


if __name__ == "__main__":
    main()
