"""A packed study is the same twice, whole or refused, and tells no more than it should."""

import json
import shutil
import sqlite3
import zipfile

import pytest

from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.store import StudyFolder, pack, query, unpack, verify


@pytest.fixture
def study(toy, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "s")
    with StudyFolder.open(tmp_path / "s") as folder:
        folder.write_items(Items.of(item=["q0"], text=["A private question?"], accepted=[["yes"]]))
        folder.report_path.write_text("<p>private</p>")
    return tmp_path / "s"


def test_packing_twice_gives_the_same_bytes(study, tmp_path):
    pack(study, tmp_path / "a.zip")
    (study / "results" / "ends" / ".part-x.parquet.1.tmp").write_text("left over")
    (study / "notes.txt").write_text("mine")
    pack(study, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_what_is_packed_comes_back(toy, study, tmp_path):
    packed = pack(study, tmp_path / "a.zip")
    assert verify(tmp_path / "a.zip") == packed
    copy = unpack(tmp_path / "a.zip", tmp_path / "copy")
    assert toy.bytes_of_results(copy) == toy.bytes_of_results(study)
    assert (copy / "report.html").read_text() == "<p>private</p>"
    manifest = json.loads((copy / "MANIFEST.json").read_text())
    assert manifest == json.loads((study / "MANIFEST.json").read_text())
    assert {file["name"] for file in manifest["files"]} >= {"study.toml", "study.lock.json", "ledger.sqlite"}
    assert not any("wal" in file["name"] or "tmp" in file["name"] for file in manifest["files"])
    with StudyFolder.open(copy) as folder:
        assert folder.progress().done == toy.TASKS
        assert folder.items().accepted("q0") == ("yes",)
    assert toy.run_toy(copy).finished == 0


def test_without_text_questions_and_replies_stay_behind(toy, study, tmp_path):
    with sqlite3.connect(study / "ledger.sqlite") as sql:
        sql.execute("UPDATE task SET error = 'could not read: a private reply' WHERE position = 0")
    sql.close()
    pack(study, tmp_path / "with.zip")
    pack(study, tmp_path / "a.zip", with_text=False)
    pack(study, tmp_path / "b.zip", with_text=False)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    copy = unpack(tmp_path / "a.zip", tmp_path / "copy")
    assert not (copy / "report.html").exists()
    for sql in ("select count(text) + count(start) n from ends", "select count(text) n from items"):
        assert query(copy, sql)["n"].tolist() == [0]
        assert query(study, sql)["n"][0] > 0
    assert query(copy, 'select count("end") n from ends')["n"].tolist() == [toy.TASKS]
    with StudyFolder.open(copy) as folder:
        assert len(folder.ends()) == 2 * toy.TASKS
        assert folder.items().accepted("q0") == ("yes",)
    for file in copy.rglob("*"):
        assert file.is_dir() or b"private" not in file.read_bytes(), file
    assert b"private" in (unpack(tmp_path / "with.zip", tmp_path / "all") / "ledger.sqlite").read_bytes()


def test_a_study_that_runs_is_not_packed(toy, tmp_path):
    with toy.open_toy(tmp_path / "s") as folder:
        folder.claim(folder.owner, 60)
        with pytest.raises(InputError, match=r"must rest while it is packed; got 1 tasks running"):
            pack(tmp_path / "s", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_an_existing_file_and_a_lost_part_are_refused(study, tmp_path):
    (tmp_path / "a.zip").write_text("mine")
    with pytest.raises(InputError, match=r"must not exist yet"):
        pack(study, tmp_path / "a.zip")
    with StudyFolder.open(study) as folder:
        folder.part_paths("ends")[0].unlink()
    with pytest.raises(InputError, match=r"must be whole to be packed; got no results/ends/part-"):
        pack(study, tmp_path / "b.zip")
    with pytest.raises(InputError, match=r"pack the study; got No such file"):
        pack(study.parent / "copy", tmp_path / "no" / "b.zip") if (study.parent / "copy").exists() else pack(
            shutil.copytree(_whole(study), study.parent / "copy"), tmp_path / "no" / "b.zip"
        )


def _whole(study):
    with StudyFolder.open(study) as folder:
        names = folder._ledger.finished_parts()
    with sqlite3.connect(study / "ledger.sqlite") as sql:
        sql.execute("UPDATE task SET parts = '{}' WHERE id = ?", (names[0][0],))
    sql.close()
    return study


def changed(source, target, *, drop=(), replace=None, add=None):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            if info.filename not in drop:
                new.writestr(info, (replace or {}).get(info.filename, old.read(info)))
        for name, body in (add or {}).items():
            new.writestr(name, body)
    return target


def test_altered_missing_and_added_files_are_refused(study, tmp_path):
    pack(study, tmp_path / "a.zip")
    cases = {
        r"study\.toml altered": {"replace": {"study.toml": b"kind = 'tox'\n"}},
        r"report\.html altered": {"replace": {"report.html": b"x" * 10_000_000}},
        r"study\.toml only in the manifest": {"drop": ["study.toml"]},
        r"no MANIFEST\.json": {"drop": ["MANIFEST.json"]},
        r"virus\.exe only in the zip": {"add": {"virus.exe": b"x"}},
        r"MANIFEST\.json that cannot be read": {"replace": {"MANIFEST.json": b"[]"}},
    }
    for number, (told, change) in enumerate(cases.items()):
        bad = changed(tmp_path / "a.zip", tmp_path / f"{number}.zip", **change)
        with pytest.raises(InputError, match=told):
            verify(bad)
        with pytest.raises(InputError, match=told):
            unpack(bad, tmp_path / "out")
        assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "c:/evil", "a\\evil", "./evil", "results/"]
)
def test_names_that_leave_the_folder_are_refused(study, tmp_path, name):
    pack(study, tmp_path / "a.zip")
    bad = changed(tmp_path / "a.zip", tmp_path / "b.zip", add={name: b"x"})
    with pytest.raises(InputError, match=r"got the file name"):
        unpack(bad, tmp_path / "out")


def test_no_zip_a_damaged_zip_and_an_existing_folder_are_refused(study, tmp_path):
    pack(study, tmp_path / "a.zip")
    with pytest.raises(InputError, match=r"read a packed study; got No such file"):
        verify(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(InputError, match=r"got File is not a zip file"):
        verify(tmp_path / "text.zip")
    body = bytearray((tmp_path / "a.zip").read_bytes())
    body[len(body) // 2] ^= 0xFF
    (tmp_path / "bit.zip").write_bytes(body)
    with pytest.raises(InputError, match=r"damaged|altered|name"):
        verify(tmp_path / "bit.zip")
    with pytest.raises(InputError, match=r"must not exist yet; got a path"):
        unpack(tmp_path / "a.zip", study)
