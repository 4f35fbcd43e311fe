"""How much memory will these files of replies need, and is there so much?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from limitset.core import parquet
from limitset.core.errors import InputError
from limitset.logs.records import READERS

ROW: Final = 160
"""Bytes at the peak for each row of Parquet: ten million rows without a text column took 1.6 GB."""
TEXT: Final = 3
"""Bytes at the peak for each byte of a file that is read line by line."""
BASE: Final = 300_000_000
WORTH_TELLING: Final = 1_000_000_000
"""From here on the plan is told before anything is read."""


def memory_plan(paths: Sequence[Path]) -> int:
    """Return the bytes that reading and judging these files will take at the peak, about.

    Only files of replies are counted; a broken one counts nothing here and is refused where it is read.
    """
    needed = 0
    for path in paths:
        kind = path.suffix.lower()
        if not path.is_file() or kind not in READERS:
            continue
        needed += parquet.rows_of(path) * ROW if kind == ".parquet" else path.stat().st_size * TEXT
    return needed + BASE if needed else 0


def require_memory(needed: int, *, free: int | None) -> str:
    """Refuse what does not fit; return what a reader should know beforehand, "" for small files.

    Examples
    --------
    >>> require_memory(2_100_000_000, free=None)
    'this needs about 2.1 GB of memory'
    >>> require_memory(2_100_000_000, free=1_000_000_000)
    Traceback (most recent call last):
    limitset.core.errors.InputError: the replies must fit in memory: they need about 2.1 GB; got \
1.0 GB free. Leave out models or columns of texts.
    """
    if free is not None and needed > free:
        raise InputError.of(
            expected=f"the replies must fit in memory: they need about {needed / 1e9:.1f} GB",
            got=f"{free / 1e9:.1f} GB free",
            fix="Leave out models or columns of texts.",
        )
    return f"this needs about {needed / 1e9:.1f} GB of memory" if needed >= WORTH_TELLING else ""


def free_memory() -> int | None:
    """Return the bytes that this process may still take; None where the system does not say."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        if limit.isdigit():
            used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii")
            found.append(int(limit) - int(used))
    except (OSError, ValueError):
        pass
    return max(min(found), 0) if found else None
