"""Claims are exclusive, leases run out, and no history of events loses or repeats a task."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from limitset.core.errors import InputError
from limitset.core.tasks import Task
from limitset.store import owners
from limitset.store.ledger import RETRIES, Ledger

TASKS = [Task(kind="ab"[i % 2], chunk={"i": i}, identity="x") for i in range(6)]


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.enter(TASKS, {"lock": "{}"})
    yield ledger
    ledger.close()


def claim(ledger, owner="a", now=0.0, lease_s=60.0):
    return ledger.claim(owner=owner, now=now, lease_s=lease_s)


def test_tasks_are_claimed_once_and_in_order(ledger):
    claimed = [claim(ledger, owner) for owner in "abababa"]
    assert [task.chunk["i"] for task in claimed[:-1]] == [0, 1, 2, 3, 4, 5]
    assert claimed[-1] is None
    assert claimed[0] == TASKS[0]


def test_a_lease_runs_out_at_its_time_and_renewing_moves_it(ledger):
    first = claim(ledger, "a", now=0)
    assert claim(ledger, "b", now=59) == TASKS[1]
    ledger.renew([first.hash], owner="b", until=500)  # not b's to renew
    ledger.renew([first.hash], owner="a", until=100)
    assert claim(ledger, "b", now=99) == TASKS[2]
    assert claim(ledger, "b", now=101) == first
    ledger.renew([first.hash], owner="a", until=500)  # no longer a's
    assert claim(ledger, "c", now=200) == first
    assert claim(ledger, "d", now=0, lease_s=1) == TASKS[3]
    assert ledger.held(now=150) == 2
    assert ledger.held(now=0.5) == 4


def test_a_released_task_comes_first_again(ledger):
    first = claim(ledger, "a")
    claim(ledger, "a")
    ledger.release(first.hash, owner="b")
    assert claim(ledger, "b") == TASKS[2]
    ledger.release(first.hash, owner="a")
    assert claim(ledger, "b") == first


def test_a_task_that_raises_is_tried_twice_more(ledger):
    for tries in range(RETRIES + 1):
        assert not ledger.failures()
        assert claim(ledger) == TASKS[0], tries
        ledger.fail(TASKS[0].hash, f"try {tries}", final=False)
    (failure,) = ledger.failures()
    assert (failure.hash, failure.kind, failure.tries, failure.error) == (TASKS[0].hash, "a", 3, "try 2")
    assert claim(ledger) == TASKS[1]
    ledger.fail(TASKS[1].hash, "hopeless", final=True)
    assert [one.tries for one in ledger.failures()] == [3, 1]
    ledger.retry_failed()
    assert not ledger.failures()
    assert claim(ledger) == TASKS[0]


def test_progress_counts_by_kind_with_the_mean_time(ledger):
    for seconds in (1.0, 3.0, None):
        task = claim(ledger, now=10)
        ledger.finish(task.hash, parts={}, now=15, seconds=seconds)
    progress = ledger.progress()
    assert (progress.done, progress.total, progress.left) == (3, 6, 3)
    assert progress.kinds["a"].seconds == 3.0  # (1 + 5) / 2: without seconds, the time since the claim
    assert progress.kinds["b"].seconds == 3.0
    assert (progress.kinds["a"].left, progress.kinds["b"].left) == (1, 2)
    assert progress.seconds_left(workers=3) == 3.0


def test_finished_parts_come_in_the_order_of_the_list(ledger):
    for task in (TASKS[3], TASKS[0], TASKS[5]):
        ledger.finish(task.hash, parts={"ends": task.chunk["i"]}, now=0, seconds=0)
    assert [parts["ends"] for _, parts in ledger.finished_parts()] == [0, 3, 5]


def test_a_finished_task_stays_finished(ledger):
    ledger.finish(TASKS[0].hash, parts={"ends": 1}, now=0, seconds=0)
    ledger.finish(TASKS[0].hash, parts={}, now=0, seconds=0)
    ledger.fail(TASKS[0].hash, "late", final=True)
    ledger.release(TASKS[0].hash, owner="a")
    assert ledger.finished_parts() == [(TASKS[0].hash, {"ends": 1})]


def test_entering_again_changes_nothing(ledger):
    ledger.enter(TASKS[:2], {"lock": "other"})
    assert ledger.hashes() == [task.hash for task in TASKS]
    assert ledger.meta() == {"lock": "{}"}


def test_tasks_of_a_dead_process_come_back_at_once(ledger):
    child = subprocess.run(
        [sys.executable, "-c", "from limitset.store.owners import this_process; print(this_process())"],
        capture_output=True,
        text=True,
        check=True,
    )
    claim(ledger, child.stdout.strip(), lease_s=1e9)
    claim(ledger, owners.this_process(), lease_s=1e9)
    claim(ledger, "another-1-machine", lease_s=1e9)
    assert ledger.release_dead() == 1
    assert ledger.release_dead() == 0
    assert claim(ledger) == TASKS[0]


def test_who_is_dead():
    machine, pid, token = owners.this_process().split("-")
    assert not owners.is_dead(f"{machine}-{pid}-{token}")
    assert owners.is_dead(f"{machine}-{pid}-00000000")  # the same pid in a restarted container
    assert not owners.is_dead(f"{machine}-1-{token}")
    assert not owners.is_dead(f"0000000000-{2**22 + 1}-{token}")  # another machine: cannot be known
    assert owners.is_dead(f"{machine}-{2**22 + 1}-{token}")
    assert not owners.is_dead("written by hand")


def test_a_disk_without_write_ahead_log_is_refused(tmp_path, monkeypatch):
    import sqlite3

    class Delete:
        def execute(self, statement):
            assert statement == "PRAGMA journal_mode = WAL"
            return self

        def fetchone(self):
            return ("delete",)

        def close(self):
            self.closed = True

    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: Delete())
    with pytest.raises(InputError, match=r"write-ahead log; got journal mode delete\. Network disks often"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_that_cannot_be_written_is_read(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.enter(TASKS, {"lock": "{}"})
    ledger.close()
    monkeypatch.setattr(os, "access", lambda *_: False)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert len(ledger.hashes()) == len(TASKS)
    with pytest.raises(InputError, match=r"claim a task; got attempt to write a readonly database\. Choose"):
        claim(ledger)
    ledger.close()


def test_a_ledger_held_by_another_process_says_so(tmp_path, monkeypatch):
    import sqlite3

    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.enter(TASKS, {})
    ledger._connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match=r"got database is locked\. Another process holds it"):
        claim(ledger)
    other.close()
    assert claim(ledger) == TASKS[0]
    ledger.close()


class Histories(RuleBasedStateMachine):
    """Two processes, a clock and any order of events, beside a plain dictionary."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = Ledger(self.folder / "ledger.sqlite")
        self.ledger.enter(TASKS, {})
        self.now = 0.0
        self.holds: dict[str, tuple[str, float]] = {}
        self.done: set[str] = set()
        self.tries: dict[str, int] = dict.fromkeys((task.hash for task in TASKS), 0)

    def teardown(self):
        while True:  # whatever happened: after every lease ran out, each task is done or was tried thrice
            task = self.ledger.claim(owner="last", now=self.now + 1e6, lease_s=1)
            if task is None:
                break
            self.ledger.finish(task.hash, parts={}, now=self.now, seconds=0)
            self.done.add(task.hash)
        given_up = {name for name, tries in self.tries.items() if tries > RETRIES}
        assert self.done | given_up == set(self.tries)
        assert not self.done & {failure.hash for failure in self.ledger.failures()}
        self.ledger.close()
        shutil.rmtree(self.folder)

    def free(self):
        live = {name for name, (_, until) in self.holds.items() if until >= self.now}
        ended = self.done | {name for name, tries in self.tries.items() if tries > RETRIES}
        return [task.hash for task in TASKS if task.hash not in live | ended]

    @rule(owner=st.sampled_from("ab"), lease=st.sampled_from([5.0, 50.0]))
    def claim(self, owner, lease):
        task = self.ledger.claim(owner=owner, now=self.now, lease_s=lease)
        free = self.free()
        assert (task.hash if task else None) == (free[0] if free else None)
        if task:
            self.holds[task.hash] = (owner, self.now + lease)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), how=st.sampled_from(["finish", "fail", "release", "renew"]))
    def end(self, data, how):
        name = data.draw(st.sampled_from(sorted(self.holds)))
        owner, _ = self.holds[name]
        if how == "renew":
            self.ledger.renew([name], owner=owner, until=self.now + 20)
            self.holds[name] = (owner, self.now + 20)
            return
        del self.holds[name]
        if how == "finish":
            self.ledger.finish(name, parts={"ends": 1}, now=self.now, seconds=1)
            self.done.add(name)
        elif how == "fail":
            self.ledger.fail(name, "raised", final=False)
            self.tries[name] += 1
        else:
            self.ledger.release(name, owner=owner)

    @rule(seconds=st.sampled_from([1.0, 10.0, 100.0]))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def counts_agree(self):
        progress = self.ledger.progress()
        assert progress.total == len(TASKS)
        assert progress.done == len(self.done)
        assert progress.running == len(self.holds)
        order = [task.hash for task in TASKS]
        listed = [name for name, _ in self.ledger.finished_parts()]
        assert listed == sorted(self.done, key=order.index)


Histories.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_any_history = Histories.TestCase
