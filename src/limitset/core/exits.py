"""With which status does a command end?"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of every limitset command."""

    DONE = 0
    """Done, or a gate that passed."""
    FAIL = 1
    """A gate that failed."""
    BAD_INPUT = 2
    """The input cannot be used; one line says why."""
    INCONCLUSIVE = 3
    """A gate that the data cannot decide; the page says what would."""
    INTERNAL = 70
    """A fault of limitset itself; the traceback is kept."""
