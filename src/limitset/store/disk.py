"""What should a user read when the disk refuses?"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limitset.core.errors import InputError

_RESUME = "Run the same command again afterwards: finished tasks are kept."
_FIXES = {
    errno.ENOSPC: f"Free some space. {_RESUME}",
    errno.EDQUOT: f"Free some of your quota. {_RESUME}",
    errno.EACCES: "Choose a folder you may write to.",
    errno.EPERM: "Choose a folder you may write to.",
    errno.EROFS: "Choose a folder you may write to.",
    errno.ENOTDIR: "Choose a path below a folder.",
}


@contextmanager
def disk_errors(path: Path, *, doing: str) -> Iterator[None]:
    """Turn what the disk or SQLite raises into one sentence about `path`.

    Parameters
    ----------
    path
        What was being read or written.
    doing
        What for, as a clause that follows "to": ``"write the rows of a task"``.

    Raises
    ------
    InputError
        In place of `OSError` and `sqlite3.DatabaseError`.
    """
    try:
        yield
    except OSError as error:
        raise InputError.of(
            expected=f"{path} must be usable to {doing}",
            got=error.strerror or str(error),
            fix=_FIXES.get(error.errno or 0, f"Check the disk and the folder. {_RESUME}"),
        ) from error
    except sqlite3.DatabaseError as error:
        raise InputError.of(
            expected=f"{path} must be usable to {doing}", got=error, fix=_sqlite_fix(str(error))
        ) from error


def _sqlite_fix(message: str) -> str:
    if "full" in message or "disk I/O" in message:
        return _FIXES[errno.ENOSPC]
    if "readonly" in message or "unable to open" in message:
        return _FIXES[errno.EACCES]
    if "locked" in message or "busy" in message or "locking protocol" in message:
        return (
            f"Another process holds it, or it lies on a network disk: keep studies on a local disk. {_RESUME}"
        )
    return "The file is damaged or is not a ledger: restore it from a packed copy, or start in a new folder."
