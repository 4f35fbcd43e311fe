"""How does a table become the data frame that the user already works with?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from limitset.core.errors import DependencyError


def to_frame(columns: Mapping[str, np.ndarray]) -> Any:
    """Return a polars frame, or a pandas one where only pandas is installed.

    Parameters
    ----------
    columns
        Column name to array; object arrays hold texts or lists, None for nothing.

    Raises
    ------
    DependencyError
        When neither polars nor pandas is installed.
    """
    plain = {name: array.tolist() if array.dtype == object else array for name, array in columns.items()}
    if find_spec("polars"):
        import polars

        return polars.DataFrame(plain, strict=False)
    if find_spec("pandas"):
        import pandas

        return pandas.DataFrame(plain)
    raise DependencyError.of(
        expected="a data frame library must be installed",
        got="neither polars nor pandas",
        fix="Run: pip install 'limitset[frames]'.",
    )
