"""How is a study sent to somebody, and how do they know that it is whole?

A packed study is a zip with MANIFEST.json: the sha256 and size of every file. Packing the same study twice
gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.core.provenance import sha256_of
from limitset.store.disk import disk_errors
from limitset.store.study_folder import ITEMS, LEDGER, LOCK, MANIFEST, REPORT, TOML, StudyFolder

TEXT_COLUMNS = ("text", "start")
"""Columns that hold questions and replies in full: blank in a study packed without text."""

_PIECE = 1 << 20
_MANIFEST_LIMIT = 64 << 20
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold


@dataclass(frozen=True, kw_only=True)
class PackedFile:
    """One file of a packed study."""

    name: str
    sha256: str
    size: int


def pack(path: Path, out_zip: Path, *, with_text: bool = True) -> tuple[PackedFile, ...]:
    """Pack a study into one zip file.

    Parameters
    ----------
    path
        The study folder; nobody may be running it.
    out_zip
        The file to make; it must not exist.
    with_text
        Without it the columns `TEXT_COLUMNS` are blank, error messages are dropped and the page stays
        behind: questions and replies may be private. Classified ends and accepted answers always go along.

    Returns
    -------
    tuple
        What was packed; ``MANIFEST.json`` in the zip, and with the text also in the folder, says the same.

    Raises
    ------
    InputError
        When the study is being run, a part is missing, `out_zip` exists, or the disk refuses.
    """
    if out_zip.exists():
        raise InputError.of(
            expected=f"{out_zip} must not exist yet", got="a file", fix="Remove it, or choose another name."
        )
    with StudyFolder.open(path) as folder:
        files = _files(folder)
        folder.checkpoint()
    with disk_errors(out_zip, doing="pack the study"), TemporaryDirectory() as scratch:
        sources = files if with_text else _without_text(files, Path(scratch))
        packed = tuple(
            PackedFile(name=name, sha256=sha256_of(source), size=source.stat().st_size)
            for name, source in sorted(sources.items())
        )
        manifest = _manifest(packed)
        if with_text:
            parquet.write_text(path / MANIFEST, manifest)
        _write_zip(out_zip, sources, manifest)
    return packed


def verify(zip_path: Path) -> tuple[PackedFile, ...]:
    """Check a packed study against its manifest.

    Raises
    ------
    InputError
        When it is not a packed study, or a file is altered, missing, added, or badly named.
    """
    with _opened(zip_path) as archive:
        packed = _listed_files(archive, zip_path)
        for file in packed:
            for _ in _checked_pieces(archive, file, zip_path):
                pass
    return packed


def unpack(zip_path: Path, into: Path) -> Path:
    """Check a packed study and unpack it into a new folder; it appears whole or not at all.

    Raises
    ------
    InputError
        As `verify`, or when `into` exists.
    """
    if into.exists():
        raise InputError.of(expected=f"{into} must not exist yet", got="a path", fix="Name a new folder.")
    scratch = into.with_name(f".{into.name}.{os.getpid()}.tmp")
    try:
        with _opened(zip_path) as archive, disk_errors(into, doing="unpack the study"):
            for file in _listed_files(archive, zip_path):
                target = scratch / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as handle:
                    handle.writelines(_checked_pieces(archive, file, zip_path))
            (scratch / MANIFEST).write_bytes(archive.read(MANIFEST))
            scratch.rename(into)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return into


def _files(folder: StudyFolder) -> dict[str, Path]:
    """List what belongs to the study: no temporary files, no logs, no rows of unfinished tasks."""
    folder.release_dead()
    if folder.held():
        raise InputError.of(
            expected=f"{folder.path} must rest while it is packed",
            got=f"{folder.held()} tasks running",
            fix="Wait until it is done, or stop it.",
        )
    names = [TOML, LOCK, LEDGER, *(name for name in (ITEMS, REPORT) if (folder.path / name).exists())]
    files = {name: folder.path / name for name in names}
    for table in folder.tables():
        for part in folder.part_paths(table):
            files[part.relative_to(folder.path).as_posix()] = part
    for name, file in files.items():
        if not file.is_file():
            raise InputError.of(
                expected="a study must be whole to be packed", got=f"no {name}", fix="Restore it first."
            )
    return files


def _without_text(files: Mapping[str, Path], scratch: Path) -> dict[str, Path]:
    blanked = {}
    for name, source in files.items():
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".parquet"):
            _blank_text(source, target)
        elif name == LEDGER:
            _blank_errors(source, target)
        elif name == REPORT:
            continue
        else:
            target = source
        blanked[name] = target
    return blanked


def _blank_text(source: Path, target: Path) -> None:
    connection = parquet.connect()
    old, new = (str(path).replace("'", "''") for path in (source, target))
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{old}')").fetchall()
        blank = [f"NULL::{row[1]} AS {row[0]}" for row in described if row[0] in TEXT_COLUMNS]
        replaced = f" REPLACE ({', '.join(blank)})" if blank else ""
        connection.execute(
            f"COPY (SELECT *{replaced} FROM read_parquet('{old}')) TO '{new}'"
            " (FORMAT parquet, COMPRESSION zstd)"
        )
    finally:
        connection.close()


def _blank_errors(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    connection = sqlite3.connect(target)
    try:
        connection.execute("UPDATE task SET error = NULL")
        connection.commit()
        connection.execute("VACUUM")  # what was deleted is not to be read from free pages
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _manifest(packed: tuple[PackedFile, ...]) -> str:
    files = [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in packed]
    return json.dumps({"schema_version": 1, "files": files}, indent=2, ensure_ascii=False) + "\n"


def _write_zip(out_zip: Path, sources: Mapping[str, Path], manifest: str) -> None:
    temporary = out_zip.with_name(f".{out_zip.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w") as archive:
            archive.writestr(_entry(MANIFEST), manifest)
            for name in sorted(sources):
                with sources[name].open("rb") as source, archive.open(_entry(name), "w") as target:
                    shutil.copyfileobj(source, target, _PIECE)
        parquet.publish(temporary, out_zip)
    finally:
        temporary.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_DATE)
    # Parquet is compressed already
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
    entry.create_system = 3  # the same bytes on every system
    entry.external_attr = 0o644 << 16
    return entry


def _opened(zip_path: Path) -> zipfile.ZipFile:
    with disk_errors(zip_path, doing="read a packed study"):
        try:
            return zipfile.ZipFile(zip_path)
        except zipfile.BadZipFile as error:
            raise _refused(zip_path, str(error)) from error


def _listed_files(archive: zipfile.ZipFile, zip_path: Path) -> tuple[PackedFile, ...]:
    """Read the manifest; its names and those of the zip must be the same, each once, each inside."""
    names = archive.namelist()
    for name in names:
        _require_inside(name, zip_path)
    if MANIFEST not in names or archive.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
        raise _refused(zip_path, f"no {MANIFEST}")
    try:
        body: dict[str, Any] = json.loads(archive.read(MANIFEST))
        packed = tuple(
            PackedFile(name=str(file["name"]), sha256=str(file["sha256"]), size=int(file["size"]))
            for file in body["files"]
        )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _refused(zip_path, f"a {MANIFEST} that cannot be read ({error})") from error
    expected = sorted([MANIFEST, *(file.name for file in packed)])
    if sorted(names) != expected:
        odd = sorted({*names} ^ {*expected}) or ["a name twice"]
        raise _refused(zip_path, f"{odd[0]} only in the {'zip' if odd[0] in names else 'manifest'}")
    return packed


def _require_inside(name: str, zip_path: Path) -> None:
    path = PurePosixPath(name)
    bad = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name
    if bad or not path.parts or str(path) != name:
        raise _refused(zip_path, f"the file name {name!r}")


def _checked_pieces(archive: zipfile.ZipFile, file: PackedFile, zip_path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file; never more than the manifest says, and none unnoticed that differ."""
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(file.name) as handle:
            while piece := handle.read(_PIECE):
                size += len(piece)
                if size > file.size:
                    break
                digest.update(piece)
                yield piece
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refused(zip_path, f"{file.name} damaged ({error})") from error
    if size != file.size or digest.hexdigest() != file.sha256:
        raise _refused(zip_path, f"{file.name} altered")


def _refused(zip_path: Path, got: str) -> InputError:
    return InputError.of(
        expected=f"{zip_path} must be a study as `limitset pack` wrote it", got=got, fix="Ask for it again."
    )
