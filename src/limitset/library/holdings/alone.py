"""How does one process at a time write a library folder?"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from limitset.core.errors import InputError

PATIENCE: Final = 30.0
"""Seconds to wait for another process; writing takes a fraction of one."""
LOCK: Final = ".lock"


@contextmanager
def alone(root: Path, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a library folder for writing; the operating system lets go of it when the process dies.

    Parameters
    ----------
    root
        The library folder; it is made when it is not there.
    patience
        Seconds to wait for another process, 0 or more.

    Raises
    ------
    InputError
        When the folder cannot be written, or another process does not let go.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError.of(
            expected=f"{root} must be a folder that you can write",
            got=error.strerror or "an error",
            fix="Name another with --library, or set LIMITSET_LIBRARY.",
        ) from error
    try:
        deadline = time.monotonic() + patience
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise InputError.of(
                    expected=f"only one process may write {root}",
                    got=f"another one for {patience:.0f} s",
                    fix="Wait for it, or stop it.",
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
