"""What share of all questions is it, when only some of each level were looked at?

A finite list of questions is cut into levels, some questions of each are drawn and looked at, and the share
in the whole list is wanted: weighted, and with an interval that holds for few questions and for no event.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import signal, special

from limitset.core.errors import InputError
from limitset.core.intervals import Interval
from limitset.core.undefined import UNDEFINED


def stratified_share(
    sizes: Int[np.ndarray, " h"],
    drawn: Int[np.ndarray, " h"],
    events: Float[np.ndarray, " h"],
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Share of a finite population that counts, from a random draw of each level.

    .. math:: \hat p = \frac{1}{N} \sum_h \frac{N_h}{n_h} x_h, \qquad
        K = \sum_h K_h, \quad K_h - x_h \sim \tfrac12 \mathrm{BB}(N_h - n_h; x_h, n_h - x_h + 1) +
        \tfrac12 \mathrm{BB}(N_h - n_h; x_h + 1, n_h - x_h)

    with BB the beta-binomial law: the interval of K / N holds the middle of the law of K.

    Parameters
    ----------
    sizes : (h,)
        Questions of each level (N_h), 0 or more.
    drawn : (h,)
        Questions of each level that were drawn at random and looked at (n_h), at most `sizes`.
    events : (h,)
        How many of those count (x_h), in [0, n_h]; a question may count in part.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    Interval
        In [0, 1], n the questions looked at; no width once all were. NaN value, with its bounds and the
        reason, where a level was not looked at.

    Raises
    ------
    InputError
        When counts do not fit into each other.

    Notes
    -----
    With one level this is the mid-p interval of the hypergeometric law, never narrower and at most one
    question wider at either end (beta-binomial laws are its confidence distributions); with several levels
    the laws are convolved ("melded"). A mixture of two laws spreads more than either, so several levels of
    few draws each give intervals a little too wide (docs/coverage.md). Questions that count in part spread
    less than those that count whole or not at all: there the interval is wider than it need be.

    References
    ----------
    Horvitz and Thompson (1952), doi:10.1080/01621459.1952.10483446 (the estimate);
    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404 (the ends of one level);
    Lancaster (1961), doi:10.1080/01621459.1961.10482105 (mid-p);
    Fay, Proschan and Brittain (2015), doi:10.1111/biom.12231 (melding).

    Examples
    --------
    >>> got = stratified_share(np.array([300, 100]), np.array([60, 20]), np.array([3.0, 5.0]))
    >>> round(got.value, 4), got.low < 0.1 < got.high  # (300 * 3/60 + 100 * 5/20) / 400
    (0.1, True)
    >>> none = stratified_share(np.array([10_000]), np.array([100]), np.zeros(1))
    >>> none.low, round(none.high, 3)  # about 3 / 100
    (0.0, 0.029)
    """
    _check(sizes, drawn, events)
    total = int(sizes.sum())
    if not total:
        return Interval(
            value=UNDEFINED, low=UNDEFINED, high=UNDEFINED, n=0.0, blank_reason="no such question"
        )
    tail = (1 - confidence) / 2
    law = np.ones(1)
    for size, n, x in zip(sizes.tolist(), drawn.tolist(), events.tolist(), strict=True):
        if size > n:
            law = _joined(law, _unseen(size - n, n, x))
    below = np.cumsum(law)
    least = int(np.searchsorted(below, tail, side="right"))
    most = law.size - 1 - int(np.searchsorted(np.cumsum(law[::-1]), tail, side="right"))
    seen = float(events.sum())
    low, high = (min(max((seen + k) / total, 0.0), 1.0) for k in (least, most))
    missing = (drawn == 0) & (sizes > 0)
    if missing.any():
        reason = (
            "a level was not looked at"
            if missing.sum() == 1
            else f"{missing.sum()} levels were not looked at"
        )
        return Interval(value=UNDEFINED, low=low, high=high, n=float(drawn.sum()), blank_reason=reason)
    value = float((sizes * events / np.maximum(drawn, 1)).sum()) / total
    return Interval(value=value, low=min(low, value), high=max(high, value), n=float(drawn.sum()))


def _unseen(rest: int, n: int, x: float) -> Float[np.ndarray, " k"]:
    """Return the law of how many of the questions not looked at count."""
    return np.asarray((_beta_binomial(rest, x, n - x + 1) + _beta_binomial(rest, x + 1, n - x)) / 2)


def _beta_binomial(rest: int, a: float, b: float) -> Float[np.ndarray, " k"]:
    """Return the beta-binomial law on 0 ... rest; all at one end where a or b is 0."""
    k = np.arange(rest + 1)
    if a <= 0 or b <= 0:
        return np.asarray(k == (0 if a <= 0 else rest), dtype=np.float64)
    ways = special.gammaln(rest + 1) - special.gammaln(k + 1) - special.gammaln(rest - k + 1)
    law = np.exp(ways + special.betaln(k + a, rest - k + b) - special.betaln(a, b))
    return np.asarray(law / law.sum())


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the law of the sum of two independent counts."""
    return np.asarray(np.clip(signal.oaconvolve(first, second), 0.0, None))


def _check(sizes: np.ndarray, drawn: np.ndarray, events: np.ndarray) -> None:
    alike = sizes.shape == drawn.shape == events.shape
    if not alike or (drawn > sizes).any() or (events > drawn).any() or (np.r_[drawn, events] < 0).any():
        raise InputError.of(
            expected="each level needs 0 <= events <= drawn <= size",
            got=f"events {events.tolist()}, drawn {drawn.tolist()}, sizes {sizes.tolist()}",
            fix="Align the levels.",
        )
