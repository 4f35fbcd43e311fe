"""Which process holds a task, and does it still live?"""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from pathlib import Path

# a restarted container has the same pid as the process that died in it: the token tells them apart
_TOKEN = secrets.token_hex(4)


def this_process() -> str:
    """Name this process in the ledger: a hash of the machine, the process id, a random token."""
    return f"{_machine()}-{os.getpid()}-{_TOKEN}"


def is_dead(owner: str) -> bool:
    """Say whether the owner is known to be gone; False where that cannot be known (another machine)."""
    machine, _, rest = owner.partition("-")
    pid, _, token = rest.partition("-")
    if machine != _machine() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return token != _TOKEN
    return not pid_lives(int(pid))


def pid_lives(pid: int) -> bool:
    """Say whether a process of this machine lives; True where that cannot be asked."""
    if os.name != "posix":  # os.kill(pid, 0) ends the process on Windows
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    """Hash what makes a process id mean one process: the machine, its boot, the pid namespace."""
    parts = [platform.node()]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        parts.append(boot.read_text(encoding="ascii"))
    if namespace.is_symlink():
        parts.append(str(namespace.readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
