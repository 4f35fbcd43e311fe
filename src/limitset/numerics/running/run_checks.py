"""Can many runs of a map of tensors begin with what was given?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from limitset.core.errors import InputError
from limitset.core.tensor_runs import TensorRuns

LEAST_TOLERANCE: Final = 4.0
"""Lowest tolerance, in rounding units of the dtype."""
TOLERANCES: Final = {torch.float32: 1e-5, torch.float64: 1e-9}


def check_starts(starts: Any) -> None:
    """Refuse starts that are no batch of finite real tensors."""
    if not isinstance(starts, Tensor) or not starts.is_floating_point() or starts.ndim < 1:
        raise InputError.of(
            expected="starts must be a torch tensor of real numbers (b, *shape)",
            got=f"{type(starts).__name__} {getattr(starts, 'dtype', '')}".strip(),
            fix="Stack the starting states, e.g. torch.zeros(64, 32).",
        )
    if starts.numel() == 0:
        raise InputError.of(
            expected="starts must hold one state of one number at least",
            got=f"shape {tuple(starts.shape)}",
            fix="Give some starts.",
        )
    if starts.ndim == 1:
        raise InputError.of(
            expected="starts must be a batch of states (b, *shape)",
            got=f"shape {tuple(starts.shape)}",
            fix="For states of one number use starts[:, None].",
        )
    finite = torch.isfinite(starts.reshape(starts.shape[0], -1)).all(dim=1)
    if not bool(finite.all()):
        raise InputError.of(
            expected="starts must be finite",
            got=f"start {int(torch.nonzero(~finite)[0])} with NaN or inf",
            fix="Take it out.",
        )


def checked_tolerance(tolerance: float | None, dtype: torch.dtype) -> float:
    """Return the tolerance, or the default of a dtype; refuse one that the dtype cannot show.

    Examples
    --------
    >>> checked_tolerance(None, torch.float32)
    1e-05
    """
    least = LEAST_TOLERANCE * float(torch.finfo(dtype).eps)
    if tolerance is None:
        return TOLERANCES.get(dtype, least)
    if not least <= tolerance < 1:
        raise InputError.of(
            expected=f"tolerance for {str(dtype).removeprefix('torch.')} must lie in [{least:.2g}, 1)",
            got=tolerance,
            fix="Raise it, or use starts of a longer type." if tolerance < least else "Lower it.",
        )
    return tolerance


def checked_rows(rows: Sequence[int] | np.ndarray | None, starts: int) -> np.ndarray:
    """Return the row of every start, 0 ... b - 1 by default."""
    labels = np.arange(starts) if rows is None else np.asarray(rows, dtype=np.int64)
    if labels.shape != (starts,):
        raise InputError.of(
            expected=f"rows must name one row for each of {starts} starts",
            got=f"shape {labels.shape}",
            fix="Repeat a row for every start that uses its input.",
        )
    return labels


def check_hold(hold: Sequence[int], rows: np.ndarray) -> None:
    """Refuse rows to hold that are not run, or that several starts share."""
    wrong = [row for row in hold if np.count_nonzero(rows == row) != 1]
    if wrong:
        raise InputError.of(
            expected="hold must name rows of one start each", got=wrong[0], fix="Name other rows."
        )


def check_resume(
    earlier: TensorRuns,
    *,
    rows: np.ndarray,
    sketch: np.ndarray,
    steps: int,
    tolerance: float,
    hold: Sequence[int],
) -> None:
    """Refuse to go on from runs of other starts, another tolerance, or more steps."""
    same = (
        np.array_equal(earlier.rows, rows)
        and np.array_equal(earlier.sketches[:, 0], sketch)
        and earlier.tolerance == tolerance
        and earlier.steps <= steps
        and set(hold) <= set(earlier.held)
    )
    if not same:
        raise InputError.of(
            expected=f"resume_from must be runs of these starts and rows, tolerance {tolerance:g}, {steps} "
            "steps or fewer, held as asked",
            got=f"{len(earlier)} runs of {earlier.steps} steps, tolerance {earlier.tolerance:g}, "
            f"{len(earlier.held)} held",
            fix="Run from the starts instead.",
        )
