"""Killed at any moment, and with two processes at once, a study ends with the same bytes."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limitset.store import StudyFolder

TOY = Path(__file__).with_name("toy_study.py")


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(TOY), str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Kill -9 unless it was done before."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    process.stdout.close()
    return process.returncode == -signal.SIGKILL


def require_equal(toy, folder: Path, reference: Path) -> None:
    results = toy.bytes_of_results(folder)
    parts = {name: body for name, body in results.items() if not Path(name).name.startswith(".")}
    assert parts == toy.bytes_of_results(reference)
    with sqlite3.connect(folder / "ledger.sqlite") as sql:
        assert sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert sql.execute("SELECT DISTINCT state FROM task").fetchall() == [("done",)]
    sql.close()
    with StudyFolder.open(folder) as one, StudyFolder.open(reference) as other:
        assert [repr(row) for row in one.ends().rows()] == [repr(row) for row in other.ends().rows()]


def kill_and_resume(toy, reference: Path, folder: Path, *, kills: int, seed: int) -> int:
    rng = random.Random(seed)
    killed = sum(killed_after(started(folder), rng.uniform(0.0, 0.15)) for _ in range(kills))
    toy.run_toy(folder)
    require_equal(toy, folder, reference)
    assert not list(folder.rglob(".*.tmp"))
    return killed


def test_five_kills(toy, finished, tmp_path):
    assert kill_and_resume(toy, finished, tmp_path / "s", kills=5, seed=1) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_twenty_kills(toy, finished, tmp_path, seed):
    assert kill_and_resume(toy, finished, tmp_path / "s", kills=20, seed=seed) >= 3


def test_two_processes_do_each_task_once(toy, finished, tmp_path):
    log = tmp_path / "log"
    both = [started(tmp_path / "s", "--log", str(log)) for _ in range(2)]
    for process in both:
        process.stdout.close()
        assert process.wait(60) == 0
    done = log.read_text().split()
    assert sorted(done, key=int) == [str(i) for i in range(toy.TASKS)]
    require_equal(toy, tmp_path / "s", finished)


def test_a_process_takes_over_from_one_that_is_killed(toy, finished, tmp_path):
    first, second = started(tmp_path / "s"), started(tmp_path / "s")
    killed_after(first, 0.3)
    second.stdout.close()
    assert second.wait(60) == 0
    require_equal(toy, tmp_path / "s", finished)


@pytest.mark.slow
def test_two_processes_killed_again_and_again(toy, finished, tmp_path):
    rng = random.Random(9)
    for _ in range(10):
        both = [started(tmp_path / "s") for _ in range(2)]
        for process in both:
            killed_after(process, rng.uniform(0.0, 0.3))
    toy.run_toy(tmp_path / "s")
    require_equal(toy, tmp_path / "s", finished)


def test_control_c_gives_the_running_task_back(toy, tmp_path):
    process = started(tmp_path / "s")
    ledger = tmp_path / "s" / "study.lock.json"
    while not ledger.exists():
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.stdout.close()
    process.wait(30)
    with StudyFolder.open(tmp_path / "s") as folder:
        progress = folder.progress()
    assert progress.running == 0
    assert progress.total == toy.TASKS
