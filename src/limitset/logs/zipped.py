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
from typing import Any, BinaryIO, Final

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
    """Members of one archive, read with a limit; its directory is read once.

    The file is open from the first reading to `close`, which may come several times; members may be
    compressed with Zstandard.

    Raises
    ------
    InputError
        When it is no zip, is cut off, or a member is broken, encrypted or too large.
    """

    def __init__(self, path: Path) -> None:
        module, faults = _zip_module()
        self._path, self._handle = path, _Handle(path)
        try:
            archive = self._archive = module.ZipFile(self._handle)
        except faults as error:
            self.close()
            raise _broken(path, "", error) from error
        self.names = [str(one.filename) for one in archive.infolist()]
        self._known = frozenset(self.names)

    def close(self) -> None:
        """Close the file; it is opened again where a member is read."""
        self._handle.close()

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


class _Handle:
    """A file that is opened when it is read, so that its directory outlives one reading."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self._path.open("rb")
        return self._file

    def read(self, size: int = -1) -> Any:
        return self._opened().read(size)

    def seek(self, offset: int, whence: int = 0) -> Any:
        return self._opened().seek(offset, whence)

    def tell(self) -> Any:
        return self._opened().tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


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
