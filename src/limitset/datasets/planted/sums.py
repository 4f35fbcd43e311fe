"""What is the last digit of this sum, read off two blurred seven-segment displays?

A task with an exact anchor: the answer is computed from the digits that were drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from limitset.core.columns import frozen
from limitset.core.errors import InputError

ANSWERS: Final = 10
"""Last digits of a sum."""

# one row a digit, segments a to g: top, upper right, lower right, bottom, lower left, upper left, middle
SEGMENTS: Final = frozen(
    np.array(
        [
            [1, 1, 1, 1, 1, 1, 0],
            [0, 1, 1, 0, 0, 0, 0],
            [1, 1, 0, 1, 1, 0, 1],
            [1, 1, 1, 1, 0, 0, 1],
            [0, 1, 1, 0, 0, 1, 1],
            [1, 0, 1, 1, 0, 1, 1],
            [1, 0, 1, 1, 1, 1, 1],
            [1, 1, 1, 0, 0, 0, 0],
            [1, 1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 0, 1, 1],
        ],
        dtype=np.float32,
    )
)
BLUR: Final = 0.17
"""Low enough that nearly every drawing can be read, high enough that some cannot."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawings:
    """Sums of two digits, drawn.

    Parameters
    ----------
    inputs : (n, 14) float32
        Brightness of the seven segments of both digits: 0 or 1, blurred.
    digits : (n, 2)
        What was drawn.
    answers : (n,)
        The anchor: last digit of their sum, computed.
    """

    inputs: Float[np.ndarray, "n 14"]
    digits: Int[np.ndarray, "n 2"]
    answers: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return int(self.answers.size)


def draw_sums(count: int, *, rng: np.random.Generator, blur: float = BLUR) -> Drawings:
    """Draw sums of two random digits and compute their answers.

    Parameters
    ----------
    count
        How many, 1 or more.
    rng
        Source of the digits and of the blur.
    blur
        Standard deviation of the Gaussian noise on each segment, 0 or more.

    Returns
    -------
    Drawings
        The drawings with the digits behind them and the anchor.

    Raises
    ------
    InputError
        When `count` is below 1 or `blur` below 0.

    References
    ----------
    Noisy seven-segment digits as a task with a known answer: Breiman, Friedman, Olshen, Stone (1984),
    Classification and Regression Trees, section 2.6.1; doi:10.1201/9781315139470.

    Examples
    --------
    >>> sums = draw_sums(1, rng=np.random.default_rng(0), blur=0.0)
    >>> sums.digits.tolist(), sums.answers.tolist()
    ([[8, 6]], [4])
    """
    if count < 1 or blur < 0:
        raise InputError.of(
            expected="count must be 1 or more and blur 0 or more",
            got=f"{count} and {blur}",
            fix="Change them.",
        )
    digits = rng.integers(0, 10, (count, 2))
    sharp = SEGMENTS[digits].reshape(count, -1)
    inputs = sharp + blur * rng.standard_normal(sharp.shape, dtype=np.float32)
    answers = digits.sum(axis=1) % ANSWERS
    return Drawings(inputs=frozen(inputs.astype(np.float32)), digits=frozen(digits), answers=frozen(answers))
