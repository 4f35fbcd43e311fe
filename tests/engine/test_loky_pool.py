"""On all cores: the same tables, whatever happens to workers."""

import os
import signal
import threading
import time

import pytest

from limitset.core.errors import DependencyError
from limitset.engine import run_tasks

pytestmark = pytest.mark.filterwarnings("default::UserWarning")  # loky says that a worker was killed


def test_the_tables_are_those_of_one_process(open_study, work, numbers_of):
    seen = []
    with open_study() as folder:
        summary = run_tasks(folder, work, backend="loky", workers=2, on_progress=seen.append)
        assert numbers_of(folder) == list(range(12))
        assert summary.finished == 12
        assert [progress.done for progress in seen] == list(range(13))
        assert not any(progress.running > 4 for progress in seen)


def test_work_is_done_in_other_processes_with_one_thread_each(open_study, numbers_of):
    def where(task):
        import os

        from limitset.core.columns import Kind
        from limitset.store import TablePart

        row = {"i": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}
        return {"rows": TablePart.of_rows([row], {"i": Kind.NUMBER, "threads": Kind.TEXT})}

    with open_study() as folder:
        run_tasks(folder, where, backend="loky", workers=2)
        workers = set(numbers_of(folder))
    assert os.getpid() not in workers
    assert 1 <= len(workers) <= 2


def test_a_worker_killed_once_loses_nothing(open_study, work, numbers_of, tmp_path):
    marker = tmp_path / "killed"

    def suicidal(task):
        import os
        import signal

        if task.chunk["i"] == 5 and not marker.exists():
            marker.write_text("once")
            os.kill(os.getpid(), signal.SIGKILL)
        return work(task)

    with open_study() as folder:
        summary = run_tasks(folder, suicidal, backend="loky", workers=2)
        assert marker.exists()
        assert (summary.finished, summary.failed) == (12, ())
        assert numbers_of(folder) == list(range(12))


def test_a_task_that_always_kills_its_worker_is_the_only_one_given_up(open_study, work, numbers_of):
    def deadly(task):
        import os
        import signal

        if task.chunk["i"] == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(task)

    with open_study() as folder:
        summary = run_tasks(folder, deadly, backend="loky", workers=2)
        assert [one.error for one in summary.failed] == [
            "the process that ran it died (out of memory, or killed)"
        ]
        assert numbers_of(folder) == [i for i in range(12) if i != 5]


def test_a_worker_killed_from_outside_loses_nothing(open_study, work, numbers_of):
    def slow(task):
        import time

        time.sleep(0.1)
        return work(task)

    def killer():
        from joblib.externals.loky import get_reusable_executor

        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            executor = get_reusable_executor(reuse=True, max_workers=2) if started.is_set() else None
            workers = list(executor._processes) if executor is not None else []
            if workers:
                os.kill(workers[0], signal.SIGKILL)
                killed.append(workers[0])
                return
            time.sleep(0.05)

    started, killed = threading.Event(), []

    def note(progress):
        if progress.done == 3:
            started.set()

    thread = threading.Thread(target=killer)
    thread.start()
    with open_study() as folder:
        summary = run_tasks(folder, slow, backend="loky", workers=2, on_progress=note)
        thread.join()
        assert killed
        assert (summary.finished, summary.failed) == (12, ())
        assert numbers_of(folder) == list(range(12))


def test_errors_of_work_and_rows_that_cannot_travel_are_reported(open_study, work):
    def broken(task):
        if task.chunk["i"] == 0:
            raise RuntimeError("no")
        if task.chunk["i"] == 1:
            return {"rows": (n for n in range(3))}
        return work(task)

    with open_study() as folder:
        summary = run_tasks(folder, broken, backend="loky", workers=2)
        assert summary.progress.done == 10
        assert summary.failed[0].error == "RuntimeError: no"
        assert "pickle" in summary.failed[1].error


def test_a_missing_package_stops_the_run_and_gives_the_rest_back(open_study, work):
    def needy(task):
        from limitset.core.errors import DependencyError

        if task.chunk["i"] == 3:
            raise DependencyError("torch must be installed")
        return work(task)

    with open_study() as folder:
        with pytest.raises(DependencyError, match=r"torch must be installed"):
            run_tasks(folder, needy, backend="loky", workers=2)
        progress = folder.progress()
        assert (progress.running, progress.failed) == (0, 0)
        assert progress.done >= 1


def test_the_stop_event_ends_after_the_tasks_in_hand(open_study, work):
    stop = threading.Event()
    with open_study() as folder:
        summary = run_tasks(
            folder,
            work,
            backend="loky",
            workers=2,
            stop=stop,
            on_progress=lambda p: p.done >= 2 and stop.set(),
        )
        assert summary.stopped
        assert 2 <= summary.finished <= 6
        assert folder.progress().running == 0
