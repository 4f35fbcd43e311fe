"""How is "nothing" written down?

Undefined is not zero, unmatched is not class 0, and "never came" is not a large number.
"""

from __future__ import annotations

from typing import Final

UNDEFINED: Final = float("nan")
"""A value that does not exist. Survives the store."""

UNMATCHED: Final = -1
"""A code or label that belongs to no class."""

NEVER: Final = float("inf")
"""An arrival that did not happen."""
