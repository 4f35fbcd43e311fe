"""Does an input end in the same place, and as right, whichever way it was led there?"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from limitset.core.columns import frozen
from limitset.core.errors import InputError
from limitset.core.intervals import Interval, jackknife_interval, upper_bound, wilson
from limitset.core.levels import Level
from limitset.core.other_ways import SWAPPED_START, PathIndependence
from limitset.core.paired import change_between
from limitset.core.results import Measurement
from limitset.core.undefined import UNDEFINED

INSTRUMENT: Final = "path_independence"
VERSION: Final = 1
SURELY_APART: Final = 0.1
"""A tenth of its own length away is another place, unless the map draws in very slowly."""


def path_independence(
    own: Float[np.ndarray, "n d"],
    other: Float[np.ndarray, "m k"],
    *,
    residual_own: Float[np.ndarray, " n1"],
    residual_other: Float[np.ndarray, " n2"],
    tolerance: float,
    residual_tolerance: float | None = None,
    apart: float | None = None,
    least_norm: float = 0.0,
    right_own: Bool[np.ndarray, " n3"] | None = None,
    right_other: Bool[np.ndarray, " n4"] | None = None,
    arm: str = SWAPPED_START,
    confidence: float = 0.95,
    level: Level = Level.HIDDEN,
) -> PathIndependence:
    r"""Compare where each input ends from its own start with where it ends another way.

    .. math:: \text{same}_i = \|y_i - x_i\| \le \tau \|x_i\|, \quad
        \|f(x_i) - x_i\| \le \rho \|x_i\|, \quad \|f(y_i) - y_i\| \le \rho \|y_i\|; \qquad
        \text{AA} = \frac{1}{n} \sum_i \cos(x_i, y_i)

    Parameters
    ----------
    own, other : (n, d)
        End of each input from its own start, and another way: from the end of another input, by another
        solver, by damped steps, from a random start. Same inputs, same order; overflow may stand as inf or
        NaN.
    residual_own, residual_other : (n,)
        ‖f(x) - x‖ at the two ends, not scaled, 0 or more; NaN counts as not settled.
    tolerance
        Distance at which two ends are the same, relative to the norm of the own end, above 0.
    residual_tolerance
        Residual up to which an end is settled, relative to its norm; default: `tolerance`.
    apart
        Distance from which on two ends at rest are surely two places, relative to the norm of the own end;
        not below `tolerance`. Default: .1, or `tolerance` where that is larger.
    least_norm
        Ends shorter than this are measured against it, in units of the state: for limits at the origin,
        which have no length of their own.
    right_own, right_other : (n,)
        Whether the answer read from each end is right; give both or neither.
    arm
        Name of the other way.
    confidence
        Coverage of the intervals, in (0, 1).
    level
        Which map was iterated.

    Returns
    -------
    PathIndependence
        Inputs that did not settle either way count as not the same, and their number stands in the notes.

    Raises
    ------
    InputError
        When the arrays are not of the same inputs, a residual is negative, a tolerance is not above 0, or
        only one of the right arrays is given.

    Notes
    -----
    The alignment alone misleads: a net whose states grew to 1e7 had .866 while no answer survived the swap.
    Its interval is a t interval over inputs; its lower end is never above what inputs of a kind that was not
    seen allow (cosine -1 with the share that goes unseen in n draws), so that n equal cosines do not make it
    certain. A state that drifts for ever has a falling relative residual; a small `residual_tolerance` and
    the classes of limit sets tell it from a settled one. One pairing of inputs is one draw: the interval is
    over inputs, not over pairings.

    References
    ----------
    Anil et al. (2022), Path independent equilibrium models can better exploit test-time computation,
    arXiv:2211.09961 (asymptotic alignment; there over all pairs of inputs, and alone).
    Wilson (1927), doi:10.1080/01621459.1927.10502953; Newcombe (1998),
    doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C, method 10 (paired difference);
    Conover (1999), ISBN 0-471-16068-7, section 3.2 (interval of a median).

    Examples
    --------
    >>> own = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 4.0], [1.0, 1.0]])
    >>> other = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0], [1.0, 1.0]])
    >>> got = path_independence(own, other, residual_own=np.zeros(4), tolerance=1e-3,
    ...     residual_other=np.array([0.0, 0.0, 0.0, 0.5]))
    >>> got.same_rows.tolist(), got.same.value, round(got.alignment.value, 9)
    ([True, False, True, False], 0.5, 1.0)
    """
    apart = max(SURELY_APART, tolerance) if apart is None else apart
    limit = tolerance if residual_tolerance is None else residual_tolerance
    _check(
        (own, other),
        (residual_own, residual_other),
        (right_own, right_other),
        (tolerance, limit, apart, least_norm),
    )
    x, y = (np.asarray(ends, dtype=np.float64) for ends in (own, other))
    lengths = _norms(x), _norms(y)
    sizes = [np.maximum(length, least_norm) for length in lengths]  # a NaN stays one
    finite = np.isfinite(sizes[0]) & np.isfinite(sizes[1])
    at_rest = [
        np.less_equal(residual, limit * size)
        for residual, size in zip((residual_own, residual_other), sizes, strict=True)
    ]
    settled = np.asarray(finite & at_rest[0] & at_rest[1])
    with np.errstate(invalid="ignore", over="ignore"):
        gap = _norms(y - x)
    same = np.asarray(settled & (gap <= tolerance * sizes[0]))
    cosine = _cosines(x, y, lengths)
    relative = np.maximum(_over(residual_own, sizes[0]), _over(residual_other, sizes[1]))
    distance = _over(gap, sizes[0])
    n, count, stable = len(x), int(same.sum()), int(settled.sum())
    parameters: dict[str, str | float] = {
        "arm": arm,
        "tolerance": tolerance,
        "residual_tolerance": limit,
        "apart": apart,
        "least_norm": least_norm,
    }
    unsettled = (f"{n - stable} of {n} inputs did not settle both ways",) if stable < n else ()
    lost = int(np.isnan(cosine).sum())
    undirected = (f"{lost} of {n} inputs have an end without a direction",) if lost else ()

    def measured(name: str, interval: Interval, method: str, notes: tuple[str, ...] = ()) -> Measurement:
        return Measurement(
            instrument=f"{INSTRUMENT}.{name}" if name else INSTRUMENT,
            version=VERSION,
            level=level,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            n=interval.n,
            blank_reason=interval.blank_reason,
            interval_method=method,
            confidence=confidence,
            parameters=parameters,
            notes=notes,
        )

    def share(hits: int, of: int, reason: str) -> Interval:
        return wilson(hits, of, confidence=confidence) if of else Interval.blank(reason)

    before, after, change = _rightness(right_own, right_other, confidence)
    far = int((settled & (distance > apart)).sum())
    ratio = np.where((lengths[0] == 0) & (lengths[1] == 0), 1.0, _over(lengths[1], lengths[0]))
    none = "no input settled both ways"
    by_rank = "order statistics over inputs"
    return PathIndependence(
        arm=arm,
        same=measured("", share(count, n, ""), "Wilson over inputs", unsettled),
        same_of_settled=measured("same_of_settled", share(count, stable, none), "Wilson over inputs"),
        elsewhere=measured("elsewhere", share(far, stable, none), "Wilson over inputs"),
        settled=measured("settled", share(stable, n, ""), "Wilson over inputs"),
        alignment=measured(
            "alignment", _mean_cosine(cosine, confidence), "t over inputs, unseen inputs allowed", undirected
        ),
        residual=measured("residual", _median(relative, confidence), by_rank, unsettled),
        norm_ratio=measured("norm_ratio", _median(ratio, confidence), by_rank),
        right_before=measured("right_before", before, "Wilson over inputs"),
        right_after=measured("right_after", after, "Wilson over inputs"),
        right_change=measured("right_change", change, "Newcombe, paired, over inputs"),
        same_rows=frozen(same),
        settled_rows=frozen(settled),
        cosine=frozen(cosine),
        distance=frozen(distance),
    )


def _norms(ends: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", ends, ends)
    norms, odd = np.sqrt(squares), ~_ordinary(squares)
    # scaled first where squares overflow or vanish, as those of 1e200 do
    largest = np.abs(ends[odd]).max(axis=1)
    scale = np.where(np.isfinite(largest) & (largest > 0), largest, 1.0)[:, None]
    norms[odd] = scale[:, 0] * np.sqrt(np.square(ends[odd] / scale).sum(axis=1))
    return np.asarray(norms)


def _ordinary(numbers: np.ndarray) -> Bool[np.ndarray, " n"]:
    return np.asarray((numbers > 1e-280) & (numbers < 1e280))


def _over(part: np.ndarray, whole: np.ndarray) -> Float[np.ndarray, " n"]:
    # 0 of 0 is no distance at all; a number over 0 is endless; NaN (overflow) is endless too
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(part, dtype=np.float64) / whole
    return np.where(np.asarray(part) == 0, 0.0, np.where(np.isnan(ratio), np.inf, ratio))


def _cosines(x: np.ndarray, y: np.ndarray, lengths: tuple[np.ndarray, np.ndarray]) -> Float[np.ndarray, " n"]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        product = lengths[0] * lengths[1]
        cosines = np.einsum("ij,ij->i", x, y) / product
        odd = ~(_ordinary(product) & _ordinary(lengths[0]) & _ordinary(lengths[1]))
        units = [ends[odd] / norms[odd, None] for ends, norms in zip((x, y), lengths, strict=True)]
    cosines[odd] = (units[0] * units[1]).sum(axis=1)
    return np.asarray(np.clip(cosines, -1.0, 1.0))


def _mean_cosine(cosine: Float[np.ndarray, " n"], confidence: float) -> Interval:
    known = cosine[~np.isnan(cosine)]
    if not known.size:
        return Interval.blank("no input has two ends with a direction")
    mean = float(known.mean())
    if known.size < 2:
        return Interval(value=mean, low=UNDEFINED, high=UNDEFINED, n=1.0)
    t = jackknife_interval(mean, (known.sum() - known) / (known.size - 1), confidence=confidence)
    unseen = upper_bound(known.size, confidence=(1 + confidence) / 2)
    return Interval(
        value=mean,
        low=max(min(t.low, mean - unseen * (mean + 1)), -1.0),
        high=min(t.high, 1.0),
        n=float(known.size),
    )


def _median(values: Float[np.ndarray, " n"], confidence: float) -> Interval:
    ordered = np.sort(values)
    n = ordered.size
    value = float(ordered[[(n - 1) // 2, n // 2]].mean())
    rank = int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))
    if rank < 1:
        return Interval(value=value, low=UNDEFINED, high=UNDEFINED, n=float(n))
    return Interval(value=value, low=float(ordered[rank - 1]), high=float(ordered[n - rank]), n=float(n))


def _rightness(
    own: np.ndarray | None, other: np.ndarray | None, confidence: float
) -> tuple[Interval, Interval, Interval]:
    if own is None or other is None:
        blank = Interval.blank("no anchor")
        return blank, blank, blank
    before, after = (wilson(int(right.sum()), right.size, confidence=confidence) for right in (own, other))
    return before, after, change_between(own, other, confidence=confidence)


def _check(
    ends: tuple[np.ndarray, np.ndarray],
    residuals: tuple[np.ndarray, np.ndarray],
    rights: tuple[np.ndarray | None, np.ndarray | None],
    numbers: tuple[float, float, float, float],
) -> None:
    own, other = ends
    columns = [*residuals, *(right for right in rights if right is not None)]
    if own.ndim != 2 or own.shape != other.shape or not own.size or {len(c) for c in columns} != {len(own)}:
        raise InputError.of(
            expected="ends (n, d) both ways, with a residual and a right for each of the same inputs",
            got=", ".join(str(array.shape) for array in (own, other, *columns)),
            fix="Select the common inputs first.",
        )
    if len(columns) == 3:
        raise InputError.of(
            expected="right_own and right_other, or neither", got="one of them", fix="Read both."
        )
    if any((residual < 0).any() for residual in residuals):
        raise InputError.of(
            expected="residuals must be 0 or more", got="one below 0", fix="Give norms, not differences."
        )
    tolerance, limit, apart, least_norm = numbers
    if not (0 < tolerance <= apart and limit > 0 and least_norm >= 0 and math.isfinite(least_norm)):
        raise InputError.of(
            expected="tolerances must be above 0, apart not below tolerance, and least_norm 0 or more",
            got=", ".join(map(str, numbers)),
            fix="Change these.",
        )
