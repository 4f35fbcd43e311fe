"""A study that takes a second: run as a script it is killed by tests, loaded as a module it is their data.

python toy_study.py FOLDER [--log FILE]
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

from limitset.core.columns import Kind
from limitset.core.ends import Ends
from limitset.core.tasks import Task
from limitset.engine import RunSummary, run_tasks
from limitset.store import StudyFolder, TablePart

TASKS = 30
LOCK = {"schema_version": 1, "spec": {"kind": "toy", "seed": 7, "models": ["a"]}}
ORBIT_KINDS = {"item": Kind.TEXT, "step": Kind.NUMBER, "text": Kind.TEXT}


def tasks(count: int = TASKS) -> list[Task]:
    return [
        Task(kind="loop" if i % 3 == 0 else "sample", chunk={"i": i}, identity="toy@1", versions={"toy": 1})
        for i in range(count)
    ]


def rows_of(task: Task) -> dict[str, TablePart]:
    """Depend on the task alone; hold NaN, inf, nothing, quotes and lists."""
    i = task.chunk["i"]
    ends = Ends.of(
        item=[f"q{i}"] * 2,
        system=["a", "b"],
        end=[f"it's {i}", None],
        steps=[math.inf, i],
        right=[math.nan, i % 2],
        score=[-math.inf, 0.1 * i],
        choice_probabilities=[(0.25, math.nan, 0.5), None],
        text=['say "hi" ü\n', None],
    )
    orbits = [{"item": f"q{i}", "step": step, "text": f"{i}:{step}"} for step in range(i % 4 + 1)]
    tables = {"ends": TablePart.of_ends(ends)}
    if task.kind == "loop":
        tables["orbits"] = TablePart.of_rows(orbits, ORBIT_KINDS)
    return tables


def bytes_of_results(path: Path) -> dict[str, bytes]:
    results = path / "results"
    files = (file for file in sorted(results.rglob("*")) if file.is_file())
    return {str(file.relative_to(results)): file.read_bytes() for file in files}


def open_toy(path: Path, count: int = TASKS) -> StudyFolder:
    return StudyFolder.create_or_open(path, toml_text="kind = 'toy'\n", lock=LOCK, tasks=tasks(count))


def run_toy(path: Path, *, log: Path | None = None, sleep_s: float = 0.0) -> RunSummary:
    def work(task: Task) -> dict[str, TablePart]:
        if log is not None:
            with log.open("a") as handle:
                handle.write(f"{task.chunk['i']}\n")
        time.sleep(sleep_s)
        return rows_of(task)

    with open_toy(path) as folder:
        return run_tasks(folder, work, poll_s=0.05)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--log", type=Path)
    arguments = parser.parse_args()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    run_toy(arguments.folder, log=arguments.log, sleep_s=0.003)
