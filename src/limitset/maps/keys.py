"""Which answers are right, when both answers and key may be any array?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from jaxtyping import Bool
from torch import Tensor

from limitset.core.errors import InputError

_ANSWERS: Final = "Give answers as whole numbers, truth values or texts (argmax of logits, rounded numbers)."


def rights(answers: np.ndarray, key: np.ndarray) -> Bool[np.ndarray, " b"]:
    """Say which answers equal the key in every place.

    Parameters
    ----------
    answers, key : (b, ...)
        Whole numbers, truth values or texts, in the same shape.

    Raises
    ------
    InputError
        When they could never be equal: scores, NaN, texts against numbers, another shape.

    Examples
    --------
    >>> rights(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 1]])).tolist()
    [True, False]
    """
    require_comparable(answers, "answers of readout")
    if (answers.dtype.kind in "US") != (key.dtype.kind in "US"):
        raise InputError.of(
            expected="readout and key must both give texts, or both whole numbers",
            got=f"{answers.dtype} and {key.dtype}",
            fix=_ANSWERS,
        )
    if answers.shape != key.shape:
        raise InputError.of(
            expected=f"readout must give answers in the shape of the key, {key.shape[1:]} for each input",
            got=f"{answers.shape[1:]}",
            fix="Return the answers themselves (argmax of logits), not scores.",
        )
    return np.asarray((answers == key).reshape(len(answers), -1).all(axis=1))


def require_comparable(values: np.ndarray, what: str) -> None:
    """Refuse answers that equality would always call wrong: scores, NaN, objects."""
    fine = values.dtype.kind in "biuUS" or (
        values.dtype.kind == "f"
        and bool(np.isfinite(values).all())
        and bool((values == values.round()).all())
    )
    if not fine:
        raise InputError.of(expected=f"{what} must be comparable", got=f"{values.dtype} values", fix=_ANSWERS)


def plain_array(values: Any) -> np.ndarray:
    """Return a tensor, list or array as a numpy array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
