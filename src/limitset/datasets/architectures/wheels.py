"""What does one wheel of a package hold, and when was it built?

A wheel is a zip of text: nothing of it is unpacked, imported or run.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from limitset.core.errors import InputError

_NAME: Final = re.compile(r"^(?P<package>[A-Za-z0-9_.]+)-(?P<version>[^-]+)-.*\.whl$")


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel on disk.

    Parameters
    ----------
    path
        The file.
    package, version
        As its name says.
    """

    path: Path
    package: str
    version: str

    @classmethod
    def at(cls, path: Path) -> Wheel:
        """Name a wheel by its file.

        Raises
        ------
        InputError
            When the file is not named as a wheel.
        """
        found = _NAME.match(path.name)
        if found is None:
            raise InputError.of(
                expected="a wheel is named PACKAGE-VERSION-....whl",
                got=path.name,
                fix="Download it with pip download --no-deps.",
            )
        return cls(path=path, package=found["package"], version=found["version"])

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """Return what versions are ordered by; a release candidate stands before its release."""
        return order_of(self.version)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the paths of all files."""
        return tuple(self._zip.namelist())

    @cached_property
    def built(self) -> str:
        """Return the newest date of a file, YYYY-MM-DD: the day the wheel was built."""
        year, month, day, *_ = max(entry.date_time for entry in self._zip.infolist())
        return f"{year:04d}-{month:02d}-{day:02d}"

    @cached_property
    def sha256(self) -> str:
        """Return the digest of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def text(self, name: str) -> str:
        """Return the text of one file."""
        return self._zip.read(name).decode("utf-8", errors="replace")


def order_of(version: str) -> tuple[int, int, int, int, int]:
    """Return what versions are ordered by.

    Examples
    --------
    >>> order_of("5.0.0rc1") < order_of("5.0.0") < order_of("5.0.1"), order_of("4.9.2") < order_of("4.10.0")
    (True, True)
    """
    plain, _, candidate = version.partition("rc")
    numbers = [int(re.sub(r"\D.*$", "", part) or 0) for part in plain.split(".")[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return (major, minor, patch, 0 if candidate else 1, int(candidate or 0))


def wheels_in(folder: Path, package: str) -> list[Wheel]:
    """Return the wheels of a package in a folder, oldest version first.

    Raises
    ------
    InputError
        When there is none.
    """
    found = sorted(_all_in(folder.glob("*.whl"), package), key=lambda wheel: wheel.order)
    if not found:
        raise InputError.of(
            expected=f"{folder} must hold wheels of {package}",
            got="none",
            fix=f"Run pip download --no-deps -d {folder} {package}==VERSION.",
        )
    return found


def _all_in(paths: Iterable[Path], package: str) -> list[Wheel]:
    wheels = [Wheel.at(path) for path in paths]
    return [wheel for wheel in wheels if wheel.package == package]
