"""Run a small study on a Ray of our own, with one worker killed on the way. Started by test_ray_pool.

python ray_run.py FOLDER ADDRESS
"""

from __future__ import annotations

import sys
from pathlib import Path

from limitset.core.columns import Kind
from limitset.core.tasks import Task
from limitset.engine import run_tasks
from limitset.store import StudyFolder, TablePart

TASKS = [Task(kind="a", chunk={"i": i}, identity="toy") for i in range(20)]


def run(folder: Path, marker: Path, *, address: str) -> None:
    def work(task: Task) -> dict[str, TablePart]:
        import os
        import signal

        if task.chunk["i"] == 5 and not marker.exists():
            marker.write_text("once")
            os.kill(os.getpid(), signal.SIGKILL)
        if task.chunk["i"] == 7:
            raise RuntimeError("seven")
        return {"rows": TablePart.of({"i": [task.chunk["i"]]}, {"i": Kind.NUMBER})}

    with StudyFolder.create_or_open(folder, toml_text="", lock={"spec": {}}, tasks=TASKS) as study:
        summary = run_tasks(study, work, backend="ray", workers=2, address=address)
        assert marker.exists()
        assert [one.error for one in summary.failed] == ["RuntimeError: seven"], summary.failed
        found = study.table("rows", {"i": Kind.NUMBER})["i"]
        assert [float(one) for one in found] == [i for i in range(20) if i != 7]


if __name__ == "__main__":
    run(Path(sys.argv[1]) / "s", Path(sys.argv[1]) / "marker", address=sys.argv[2])
    sys.stdout.write("all rows\n")
