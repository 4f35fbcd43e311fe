"""Does what is about to be allocated fit into memory?"""

from __future__ import annotations

from pathlib import Path

import torch

from limitset.core.errors import InputError


def available_memory(device: torch.device | str = "cpu") -> int | None:
    """Return how many bytes a device has free, None where the system does not say.

    Examples
    --------
    >>> free = available_memory()
    >>> free is None or free > 0
    True
    """
    device = torch.device(device)
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def require_room(needed: int, *, limit: int | None, what: str, device: torch.device | str = "cpu") -> None:
    """Refuse a plan that needs more memory than `limit` bytes, or than is free, before any is taken.

    Raises
    ------
    InputError
        When it does not fit.

    Examples
    --------
    >>> require_room(2_000_000_000, limit=4_000_000_000, what="64 runs of 1,000 numbers")
    """
    room = available_memory(device) if limit is None else limit
    if room is not None and needed > room:
        raise InputError.of(
            expected=f"{what} must fit into {room / 1e9:.2f} GB",
            got=f"{needed / 1e9:.2f} GB",
            fix="Run fewer starts at a time, hold fewer rows, or take fewer steps.",
        )
