"""In one process: order, errors, stopping, leases, and waiting for others."""

import itertools
import subprocess
import sys
import threading
import time

import pytest

from limitset.core.errors import DependencyError, InputError, UndefinedError
from limitset.engine import run_tasks
from limitset.engine.leases import Leases
from limitset.store.owners import this_process


def test_every_task_is_done_in_order_and_reported(open_study, work, numbers_of):
    seen = []
    with open_study() as folder:
        summary = run_tasks(folder, work, on_progress=seen.append)
        assert numbers_of(folder) == list(range(12))
        assert (summary.finished, summary.stopped, summary.failed) == (12, False, ())
        assert [progress.done for progress in seen] == list(range(13))
        again = run_tasks(folder, work)
        assert (again.finished, again.progress.done) == (0, 12)


def test_a_task_that_raises_twice_is_done_the_third_time(open_study, work, numbers_of):
    tries = itertools.count()

    def flaky(task):
        if task.chunk["i"] == 5 and next(tries) < 2:
            raise RuntimeError("not yet")
        return work(task)

    with open_study() as folder:
        assert run_tasks(folder, flaky).failed == ()
        assert numbers_of(folder) == list(range(12))
    assert next(tries) == 3


def test_a_task_that_always_raises_is_reported_and_the_rest_is_done(open_study, work, numbers_of):
    calls = []

    def broken(task):
        calls.append(task.chunk["i"])
        if task.chunk["i"] == 0:
            raise RuntimeError("x" * 5000)
        if task.chunk["i"] == 1:
            raise UndefinedError("no spread; got one value. Add items.")
        return work(task)

    with open_study() as folder:
        summary = run_tasks(folder, broken)
        assert numbers_of(folder) == list(range(2, 12))
        assert not summary.stopped
        assert [one.error[:16] for one in summary.failed] == ["RuntimeError: xx", "no spread; got o"]
        assert len(summary.failed[0].error) == 2000
    # an error of limitset comes back whatever is done: once is enough
    assert (calls.count(0), calls.count(1)) == (3, 1)
    with open_study() as folder:
        assert run_tasks(folder, work).finished == 2
        assert numbers_of(folder) == list(range(12))


def test_a_missing_package_stops_the_run(open_study, work):
    def needy(task):
        if task.chunk["i"] == 3:
            raise DependencyError("torch must be installed; got none. Run: pip install 'limitset[models]'.")
        return work(task)

    with open_study() as folder:
        with pytest.raises(DependencyError, match=r"torch must be installed"):
            run_tasks(folder, needy)
        progress = folder.progress()
        assert (progress.done, progress.running, progress.failed) == (3, 0, 0)


def test_rows_that_are_refused_stop_the_run_and_give_the_task_back(open_study, work):
    def misnamed(task):
        return {"A Table": next(iter(work(task).values()))}

    with open_study() as folder:
        with pytest.raises(InputError, match=r"name of a table"):
            run_tasks(folder, misnamed)
        assert folder.progress().running == 0


def test_control_c_keeps_what_is_done_and_gives_back_the_rest(open_study, work, numbers_of):
    def interrupted(task):
        if task.chunk["i"] == 4:
            raise KeyboardInterrupt
        return work(task)

    with open_study() as folder:
        with pytest.raises(KeyboardInterrupt):
            run_tasks(folder, interrupted)
        progress = folder.progress()
        assert (progress.done, progress.running, progress.failed) == (4, 0, 0)
        assert run_tasks(folder, work).finished == 8
        assert numbers_of(folder) == list(range(12))


def test_the_stop_event_ends_after_the_task_in_hand(open_study, work):
    stop = threading.Event()

    def stopping(task):
        if task.chunk["i"] == 2:
            stop.set()
        return work(task)

    with open_study() as folder:
        summary = run_tasks(folder, stopping, stop=stop)
        assert summary.stopped
        assert (summary.finished, summary.progress.done, summary.progress.running) == (3, 3, 0)
        assert run_tasks(folder, work, stop=threading.Event()).stopped is False


def test_a_long_task_keeps_its_lease(open_study, work, tasks):
    with open_study() as folder, open_study() as other:
        stolen = []

        def slow(task):
            if task.chunk["i"] == 0:
                time.sleep(1.2)  # longer than the lease
                stolen.append(other.claim("thief", 60))
                other.release(stolen[0], owner="thief")
            return work(task)

        run_tasks(folder, slow, lease_s=0.8)
        assert stolen == [tasks[1]]


def test_without_renewal_the_task_is_taken(open_study, work, tasks, monkeypatch):
    """The test above can fail."""
    monkeypatch.setattr(Leases, "_run", lambda _: None)
    with open_study() as folder, open_study() as other:
        stolen = []

        def slow(task):
            if task.chunk["i"] == 0:
                time.sleep(0.5)
                stolen.append(other.claim("thief", 60))
                other.release(stolen[0], owner="thief")
            return work(task)

        run_tasks(folder, slow, lease_s=0.3)
        assert stolen == [tasks[0]]


def test_a_run_waits_for_the_tasks_of_others_and_takes_over_from_the_dead(open_study, work, numbers_of):
    gone = subprocess.run(
        [sys.executable, "-c", "from limitset.store.owners import this_process; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with open_study() as folder, open_study() as other:
        held = other.claim("another-1-machine", 60)
        folder.claim(gone, 1e9)
        finishing = threading.Timer(0.4, lambda: other.finish(held, work(held)))
        finishing.start()
        summary = run_tasks(folder, work, poll_s=0.05)
        finishing.join()
        assert summary.finished == 11
        assert summary.progress.done == 12
        assert numbers_of(folder) == list(range(12))


def test_a_lease_of_another_machine_runs_out(open_study, work):
    with open_study() as folder:
        folder.claim("another-1-machine", 0.3)
        assert run_tasks(folder, work, poll_s=0.05).finished == 12


def test_odd_arguments_are_refused(open_study, work):
    with open_study() as folder, pytest.raises(InputError, match=r"workers must be 0 or more; got -1"):
        run_tasks(folder, work, workers=-1)
    assert this_process() == folder.owner
