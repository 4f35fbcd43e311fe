"""How often does an answer stay the same when its input is shaken a little?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from limitset.core.columns import frozen
from limitset.core.errors import InputError, UndefinedError
from limitset.core.intervals import logit_jackknife, upper_bound
from limitset.core.levels import Level
from limitset.core.results import Measurement

INSTRUMENT: Final = "perturbation_stability"
VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class PerturbationStability:
    """How firmly answers stand against noise on their inputs.

    Parameters
    ----------
    share
        Mean share of shaken copies of an input that keep its answer, in [0, 1]; 1 is firm. Inputs are the
        units of the interval.
    kept : (n,)
        The share for each input.
    """

    share: Measurement
    kept: Float[np.ndarray, " n"]


def perturbation_stability(
    predict: Callable[[np.ndarray], np.ndarray],
    inputs: Float[np.ndarray, "n ..."],
    *,
    size: float = 0.1,
    draws: int = 4,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> PerturbationStability:
    r"""Measure the share of answers that Gaussian noise on the input leaves as they were.

    .. math:: S = \frac{1}{n} \sum_i P_\epsilon\left( g(x_i + s \, d \, \epsilon) = g(x_i) \right)

    Parameters
    ----------
    predict
        The answers to a batch of inputs, (n, ...) to (n,), compared by equality.
    inputs : (n, ...)
        Two or more.
    size
        Standard deviation of the noise relative to d, the root mean square deviation of the inputs from
        their mean input; 0 or more.
    draws
        Shaken copies of each input, 1 or more.
    confidence
        Coverage of the interval, in (0, 1).
    rng
        Source of the noise.

    Returns
    -------
    PerturbationStability
        The share with its interval over inputs. Where every copy kept its answer the interval is one-sided,
        from 1 less the upper bound for no event.

    Raises
    ------
    InputError
        For fewer than two inputs, a negative `size`, no draws, or answers that are not one an input.
    UndefinedError
        When all inputs are the same: then noise has nothing to be small against.

    Notes
    -----
    It says that an answer is held, not that it is right: a net that always answers "7" scores 1.

    References
    ----------
    Novak, Bahri, Abolafia, Pennington, Sohl-Dickstein (2018), arXiv:1802.08760 (sensitivity of
    trained nets to their input); Cohen, Rosenfeld, Kolter (2019), arXiv:1902.02918, eq. 1 (the share of noisy
    copies with one answer).

    Examples
    --------
    >>> points = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> got = perturbation_stability(lambda x: x[:, 0] > 0, points, size=1.0, draws=4000,
    ...     rng=np.random.default_rng(0))
    >>> got.kept.round(2).tolist()  # d = 1.58: P(N(0, 1) < 1 / 1.58) = .74, P(N(0, 1) < 2 / 1.58) = .90
    [0.9, 0.73, 0.74, 0.9]
    """
    if len(inputs) < 2 or size < 0 or draws < 1:
        raise InputError.of(
            expected="stability needs 2 inputs or more, a size of 0 or more and a draw or more",
            got=f"{len(inputs)} inputs, size {size}, {draws} draws",
            fix="Change these.",
        )
    deviation = float(np.sqrt(np.square(inputs - inputs.mean(axis=0)).mean()))
    if deviation <= 4 * np.finfo(np.asarray(inputs).dtype).eps * float(np.abs(inputs).max()):
        raise UndefinedError.of(
            expected="the inputs must differ", got="the same input every time", fix="Give other inputs."
        )
    kept = _kept(predict, inputs, size * deviation, draws, rng)
    share = logit_jackknife(kept, 1 - kept, confidence=confidence)
    low, high = share.low, share.high
    if kept.min() == 1:
        low, high = 1 - upper_bound(len(inputs), confidence=confidence), 1.0
    measured = Measurement(
        instrument=INSTRUMENT,
        version=VERSION,
        level=Level.ANSWER,
        value=float(kept.mean()),
        low=low,
        high=high,
        interval_method="logit jackknife over inputs",
        confidence=confidence,
        n=len(inputs),
        parameters={"size": size, "draws": draws},
    )
    return PerturbationStability(share=measured, kept=frozen(kept))


def _kept(
    predict: Callable[[np.ndarray], np.ndarray],
    inputs: np.ndarray,
    deviation: float,
    draws: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, " n"]:
    before = _answers(predict, inputs)
    kept = np.zeros(len(inputs))
    for _ in range(draws):
        noise = deviation * rng.standard_normal(inputs.shape)
        kept += _answers(predict, (inputs + noise).astype(inputs.dtype)) == before
    return kept / draws


def _answers(predict: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray) -> Any:
    answers = np.asarray(predict(inputs))
    if answers.shape != (len(inputs),):
        raise InputError.of(
            expected=f"predict must give one answer for each of {len(inputs)} inputs",
            got=f"an array of shape {answers.shape}",
            fix="Take the preferred class of each input.",
        )
    return answers
