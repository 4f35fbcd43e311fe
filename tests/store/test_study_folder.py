"""A study folder starts, resumes, refuses what is not its own, and never shows half a task."""

import errno
import json
import math
import os
import shutil
import sqlite3

import duckdb
import numpy as np
import pytest

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.core.tasks import Task
from limitset.store import StudyFolder, TablePart
from limitset.store.owners import this_process


def test_a_new_study_holds_what_the_user_wrote_and_what_it_means(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        assert folder.toml_text == "kind = 'toy'\n"
        assert folder.lock["spec"] == toy.LOCK["spec"]
        assert folder.progress().total == toy.TASKS
        assert len(folder.ends()) == 0
        assert folder.tables() == {}
    assert (tmp_path / "s" / "study.toml").read_text() == "kind = 'toy'\n"


def test_rows_come_in_the_order_of_the_task_list(toy, finished, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        claimed = [folder.claim(folder.owner, 60) for _ in range(toy.TASKS)]
        for task in reversed(claimed):
            folder.finish(task, toy.rows_of(task))
        backwards = folder.ends()
        assert backwards.texts("item")[::2].tolist() == [f"q{i}" for i in range(toy.TASKS)]
        orbits = folder.table("orbits", toy.ORBIT_KINDS)
    with StudyFolder.open(finished) as other:
        np.testing.assert_equal(backwards.rows(), other.ends().rows())
        assert orbits["step"].tolist() == other.table("orbits", toy.ORBIT_KINDS)["step"].tolist()
    assert toy.bytes_of_results(tmp_path / "s") == toy.bytes_of_results(finished)


def test_nothing_infinity_and_lists_survive(finished):
    with StudyFolder.open(finished) as folder:
        ends = folder.ends()
    assert ends.numbers("steps")[:4].tolist() == [math.inf, 0.0, math.inf, 1.0]
    assert np.isnan(ends.numbers("right")[0])
    assert ends.numbers("score")[0] == -math.inf
    assert ends.texts("end")[:2].tolist() == ["it's 0", None]
    assert ends.texts("text")[:2].tolist() == ['say "hi" ü\n', None]
    first, second = ends.numbers("choice_probabilities")[:2]
    assert (first[0], first[2]) == (0.25, 0.5)
    assert math.isnan(first[1])
    assert second is None


def test_a_column_that_only_some_parts_have_is_empty_elsewhere(toy, tmp_path):
    kinds = {"item": toy.Kind.TEXT, "extra": toy.Kind.NUMBER, "absent": toy.Kind.TEXT}
    with toy.open_toy(tmp_path / "s") as folder:
        first, second = folder.claim("o", 9), folder.claim("o", 9)
        folder.finish(first, {"more": TablePart.of({"item": ["x"]}, {"item": toy.Kind.TEXT})})
        folder.finish(
            second, {"more": TablePart.of({"item": ["y"], "extra": [2]}, dict(list(kinds.items())[:2]))}
        )
        table = folder.table("more", kinds)
        assert table["item"].decoded().tolist() == ["x", "y"]
        assert np.isnan(table["extra"][0])
        assert table["extra"][1] == 2
        assert table["absent"].decoded().tolist() == [None, None]
        with pytest.raises(
            InputError, match=r"more must have one of the columns other; got columns extra, item"
        ):
            folder.table("more", {"other": toy.Kind.TEXT})


def test_resuming_keeps_what_is_done(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        folder.finish(task, toy.rows_of(task))
        folder.claim(folder.owner, 60)
    with toy.open_toy(tmp_path / "s") as folder:
        progress = folder.progress()
        assert (progress.done, progress.running, progress.total) == (1, 1, toy.TASKS)
    assert toy_summary(toy, tmp_path / "s", free="dead").finished == toy.TASKS - 1


def toy_summary(toy, path, *, free):
    """Run the rest; the task that this process claimed and forgot is given to a process that is gone."""
    with sqlite3.connect(path / "ledger.sqlite") as sql:
        machine = this_process().split("-")[0]
        sql.execute("UPDATE task SET owner = ? WHERE state = 'running'", (f"{machine}-{2**22 + 1}-{free}",))
    sql.close()
    return toy.run_toy(path)


def test_another_specification_is_refused_and_named(toy, finished):
    changed = {**toy.LOCK, "spec": {**toy.LOCK["spec"], "seed": 8, "models": ["a", "b"]}}
    with pytest.raises(
        InputError,
        match=r'the same study.*got spec\.models \["a"\] -> \["a", "b"\]; spec\.seed 7 -> 8\. Undo',
    ):
        StudyFolder.create_or_open(finished, toml_text="", lock=changed, tasks=toy.tasks())


def test_only_the_environment_may_differ(toy, finished):
    for key in ("packages", "machine", "created", "command"):
        lock = {**toy.LOCK, key: {"numpy": "0"}}
        StudyFolder.create_or_open(finished, toml_text="", lock=lock, tasks=toy.tasks()).close()
    with pytest.raises(InputError, match=r"got environment nothing -> 1"):
        StudyFolder.create_or_open(
            finished, toml_text="", lock={**toy.LOCK, "environment": 1}, tasks=toy.tasks()
        )


def test_the_same_specification_with_other_tasks_is_refused(toy, finished):
    tasks = toy.tasks()
    newer = Task(kind=tasks[3].kind, chunk=tasks[3].chunk, identity=tasks[3].identity, versions={"toy": 2})
    with pytest.raises(InputError, match=r"got 1 of 30 tasks differ"):
        StudyFolder.create_or_open(
            finished, toml_text="", lock=toy.LOCK, tasks=[*tasks[:3], newer, *tasks[4:]]
        )
    with pytest.raises(InputError, match=r"got 30 tasks in place of 29"):
        StudyFolder.create_or_open(finished, toml_text="", lock=toy.LOCK, tasks=tasks[:-1])
    with pytest.raises(InputError, match=r"in another order"):
        StudyFolder.create_or_open(finished, toml_text="", lock=toy.LOCK, tasks=tasks[::-1])


@pytest.mark.parametrize("count", [0, 2])
def test_no_tasks_and_a_task_twice_are_refused_before_anything_is_written(toy, tmp_path, count):
    with pytest.raises(InputError, match=r"got none" if not count else r"got twice"):
        StudyFolder.create_or_open(tmp_path / "s", toml_text="", lock={}, tasks=[toy.tasks()[0]] * count)
    assert not (tmp_path / "s").exists()


def test_a_lock_that_is_not_json_is_refused(toy, tmp_path):
    for value in (math.nan, {1, 2}, np.zeros(2)):
        with pytest.raises(InputError, match=r"plain JSON values without NaN"):
            StudyFolder.create_or_open(tmp_path / "s", toml_text="", lock={"spec": value}, tasks=toy.tasks())


def test_a_folder_with_other_things_is_refused_and_left_alone(toy, tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"must be empty or a study folder; got thesis\.docx\. Name a new"):
        toy.open_toy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_path_that_is_a_file_is_refused(toy, tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(InputError, match=r"usable to make a study folder; got Not a directory"):
        toy.open_toy(tmp_path / "s")
    with pytest.raises(InputError, match=r"usable to make a study folder; got Not a directory"):
        toy.open_toy(tmp_path / "s" / "below")
    with pytest.raises(InputError, match=r"must be a study folder; got no study\.lock\.json"):
        StudyFolder.open(tmp_path)
    (tmp_path / "own" / "results").mkdir(parents=True)
    with pytest.raises(InputError, match=r"must be empty or a study folder; got results\. Name a new"):
        toy.open_toy(tmp_path / "own")


def test_a_folder_left_half_made_is_taken_up(toy, tmp_path):
    toy.open_toy(tmp_path / "s").close()
    (tmp_path / "s" / "study.lock.json").unlink()
    (tmp_path / "s" / ".study.lock.json.4194305.tmp").write_text("half")
    with toy.open_toy(tmp_path / "s") as folder:
        assert folder.progress().total == toy.TASKS
    assert not list((tmp_path / "s").glob(".*.tmp"))


def test_damaged_files_are_named(toy, tmp_path):
    toy.open_toy(tmp_path / "s").close()
    shutil.copytree(tmp_path / "s", tmp_path / "t")
    (tmp_path / "s" / "study.lock.json").write_text("{")
    with pytest.raises(
        InputError, match=r"study\.lock\.json must be what limitset wrote; got JSONDecodeError"
    ):
        StudyFolder.open(tmp_path / "s")
    (tmp_path / "t" / "ledger.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(InputError, match=r"ledger\.sqlite must be usable.*got file is not a database"):
        StudyFolder.open(tmp_path / "t")


def test_a_truncated_part_is_refused_by_name(toy, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "s")
    with StudyFolder.open(tmp_path / "s") as folder:
        part = folder.part_paths("ends")[4]
        part.write_bytes(part.read_bytes()[:-20])
        with pytest.raises(InputError, match=rf"{part.name} must be a whole Parquet file"):
            folder.ends()
        part.unlink()
        with pytest.raises(InputError, match=rf"got no file .*{part.name}"):
            folder.ends()


def test_a_part_without_its_mark_is_not_seen(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        folder.finish(task, toy.rows_of(task))
        orphan = folder.part_paths("ends")[0].with_name("part-" + "0" * 32 + ".parquet")
        shutil.copy(folder.part_paths("ends")[0], orphan)
        assert len(folder.ends()) == 2


def test_a_full_disk_gives_one_sentence_and_no_part(toy, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(
                InputError, match=r"rows of a task; got No space left on device\. Free some space\."
            ):
                folder.finish(task, toy.rows_of(task))
        assert not [path for path in (tmp_path / "s" / "results").rglob("*") if path.is_file()]
        assert folder.progress().done == 0
        folder.finish(task, toy.rows_of(task))
        assert folder.progress().done == 1


def test_a_full_disk_that_duckdb_meets_reads_the_same(toy, tmp_path, monkeypatch):
    def full(*_):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        monkeypatch.setattr(parquet, "write", full)
        with pytest.raises(InputError, match=r"No space left on device\. Free some space\."):
            folder.finish(task, toy.rows_of(task))


def test_a_full_disk_that_the_ledger_meets_reads_the_same(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        folder._ledger._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(InputError, match=r"got database or disk is full\. Free some space\."):
            folder.fail(task, "x" * 100_000)
        assert folder.progress().running == 1


@pytest.mark.parametrize("there", [False, True])
def test_a_study_that_cannot_be_made_leaves_nothing(toy, tmp_path, monkeypatch, there):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if there:
        (tmp_path / "s").mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"write the study file; got No space left on device"):
        toy.open_toy(tmp_path / "s")
    assert (tmp_path / "s").exists() is there
    assert not there or not list((tmp_path / "s").iterdir())


def test_a_task_of_another_study_is_refused(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        stranger = Task(kind="toy", chunk={}, identity="?")
        with pytest.raises(InputError, match=r"must be of this study"):
            folder.finish(stranger, {})


def test_finishing_twice_keeps_the_first(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        folder.finish(task, toy.rows_of(task), seconds=2.5)
        before = toy.bytes_of_results(tmp_path / "s")
        folder.finish(task, toy.rows_of(toy.tasks()[1]))
        assert toy.bytes_of_results(tmp_path / "s") == before
        assert folder.progress().kinds[task.kind].seconds == 2.5


def test_sweep_takes_only_what_the_dead_left(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        ends = tmp_path / "s" / "results" / "ends"
        ends.mkdir(parents=True)
        dead = ends / f".part-1.parquet.{2**22 + 1}.tmp"
        own = ends / f".part-1.parquet.{os.getpid()}.tmp"
        other = ends / ".note.tmp"
        for path in (dead, own, other):
            path.write_text("half")
        assert folder.sweep() == 1
        assert sorted(ends.iterdir()) == sorted([own, other])


def test_items_are_kept_beside_the_results(toy, tmp_path):
    from limitset.core.items import Items

    with toy.open_toy(tmp_path / "s") as folder:
        with pytest.raises(InputError, match=r"must hold its items"):
            folder.items()
        folder.write_items(Items.of(item=["au"], text=["Capital?"], accepted=[["Canberra", "canberra"]]))
        assert folder.items().accepted("au") == ("Canberra", "canberra")


def test_a_table_with_an_odd_name_is_refused(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        task = folder.claim(folder.owner, 60)
        for name in ("../ends", "Ends", "", 'a"b'):
            with pytest.raises(InputError, match=r"name of a table"):
                folder.finish(task, {name: toy.rows_of(task)["ends"]})
        with pytest.raises(InputError, match=r"name of a column"):
            TablePart.of({'a"b': [1]}, {'a"b': toy.Kind.NUMBER})
        with pytest.raises(InputError, match=r"unknown column b"):
            TablePart.of({"b": [1]}, {"a": toy.Kind.NUMBER})
        with pytest.raises(InputError, match=r"columns none of lengths"):
            TablePart({}, {})


def test_runs_are_noted_with_their_packages(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        assert [sorted(one)[:1] for one in folder.packages()] == [["altair"]]
    with sqlite3.connect(tmp_path / "s" / "ledger.sqlite") as sql:
        sql.execute("UPDATE run SET packages = ?", (json.dumps({"numpy": "1"}),))
    sql.close()
    with toy.open_toy(tmp_path / "s") as folder:
        assert len(folder.packages()) == 2
        assert folder.packages()[0] == {"numpy": "1"}
