"""How is a zip from anywhere read without trusting what it says of itself?

Nothing is unpacked to disk, so a member named `../../x` is only a name. A member is refused when it says that
it is larger than `LARGEST_MEMBER`, and reading stops there whatever it says.
"""

from __future__ import annotations

import struct
import sys
import zipfile as stdlib_zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from limitset.core.errors import InputError

LARGEST_MEMBER: Final = 1 << 28
"""Bytes of one member once unpacked: summaries of about 300,000 samples."""

_FAULTS: Final = (
    stdlib_zipfile.BadZipFile,
    OSError,
    EOFError,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
)
"""What the standard library raises for broken, encrypted and unknown archives."""


class Zipped:
    """Members of one open archive, read with a limit."""

    def __init__(self, archive: Any, path: Path) -> None:
        self._archive, self._path = archive, path
        self.names = [str(one.filename) for one in archive.infolist()]
        self._known = frozenset(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def read(self, name: str) -> bytes:
        """Return a member, or refuse it by name."""
        with _named(self._path, name):
            declared = int(self._archive.getinfo(name).file_size)
            if declared <= LARGEST_MEMBER:
                with self._archive.open(name) as member:
                    found = bytes(member.read(LARGEST_MEMBER + 1))
                if len(found) <= LARGEST_MEMBER:
                    return found
        raise InputError.of(
            expected=f"{name} in {self._path} must have at most {LARGEST_MEMBER:,} bytes",
            got=f"{declared:,} declared",
            fix="Split the log.",
        )


@contextmanager
def opened(path: Path) -> Iterator[Zipped]:
    """Open an archive whose members may be compressed with Zstandard.

    Raises
    ------
    InputError
        When it is no zip, is cut off, or a member is broken, encrypted or too large.
    """
    module, faults = _zip_module()
    try:
        archive = module.ZipFile(path)
    except faults as error:
        raise _broken(path, "", error) from error
    with archive:
        yield Zipped(archive, path)


@contextmanager
def _named(path: Path, member: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except _zip_module()[1] as error:
        raise _broken(path, f"{member} of ", error) from error


def _broken(path: Path, member: str, error: Exception) -> InputError:
    return InputError.of(
        expected=f"{member}{path} must be a whole zip",
        got=f"{type(error).__name__}: {str(error)[:120]}",
        fix="Copy it again; a log that is still being written or was cut off looks like this.",
    )


def _zip_module() -> tuple[Any, tuple[type[Exception], ...]]:
    """Return a zip reader that knows Zstandard, and all that it raises."""
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdError

        return stdlib_zipfile, (*_FAULTS, ZstdError)
    from backports import zstd
    from backports.zstd import zipfile

    return zipfile, (*_FAULTS, zipfile.BadZipFile, zstd.ZstdError)
