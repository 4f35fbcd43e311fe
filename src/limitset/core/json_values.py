"""How do measured values become JSON that every reader can parse?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return values that JSON can hold: NaN becomes null, infinity "inf", an array's number a number.

    Examples
    --------
    >>> plain({"a": (float("nan"), 1.0), "b": float("inf")})
    {'a': [None, 1.0], 'b': 'inf'}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
