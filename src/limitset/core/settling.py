"""When may a run of numeric states be called settled, and since when was it?

All formulas read scalars a step: lengths of steps, norms of states, and distances between sketches of states.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from limitset.core.undefined import NEVER

LEAST_HALF: Final = 4
"""Fewest steps in each of the two windows that a ratio of decay is read from."""
MOST_HALF: Final = 16
SAME_STATE: Final = 4.0
"""Phases of a cycle nearer than this many tolerances are one state."""
GEOMETRIC: Final = 256.0
"""A norm that grew this much while the number of steps doubled grows faster than t^8: geometrically."""

GROWTH: Final = 0.2
"""Least growth of the logarithm of the norm in the second half of a run that goes on; sqrt(t) has .35."""

DRIFT: Final = "drift"
"""Goes on in one direction, or grows ever more slowly: no limit in sight."""
SLOW: Final = "slow"
"""Falls geometrically towards a limit that it has not reached."""
GROWING: Final = "growing"
"""Grows geometrically and is not yet beyond the bound."""
MOVES: Final = "moves"
"""Stays bounded and has not come back."""
NOISY: Final = "noisy map"
"""The map draws random numbers: a state that comes back is no cycle."""


def half_window(step: int) -> int:
    """Return how many steps each window has at this step."""
    return int(min(MOST_HALF, max(LEAST_HALF, step // 8)))


def distance_left(lengths: Float[np.ndarray, "w b"]) -> Float[np.ndarray, " b"]:
    """Estimate how far each run still is from its limit, inf where its steps do not shrink.

    D = a q / (1 - q), q = (a / a')^(1/h): a and a' are the longest steps of the last h and of the h before.
    A step that falls as c / t gives q = 1 - 1/t and D = c for ever: a drift never comes near.

    Parameters
    ----------
    lengths : (2 h, b)
        Lengths of the last steps, 0 or more.

    Examples
    --------
    >>> halving = 0.5 ** np.arange(8.0)[:, None]  # from 2 to 0: the last state is 1/128 away
    >>> distance_left(halving).tolist()  # the longest of the last four steps stands for the last
    [0.0625]
    >>> round(float(distance_left(1 / np.arange(993.0, 1001.0)[:, None])[0]), 1)
    1.0
    """
    half = lengths.shape[0] // 2
    before, now = lengths[:half].max(axis=0), lengths[half:].max(axis=0)
    shrinks = now < before
    ratio = np.where(shrinks, now, 0.0) / np.where(shrinks, before, 1.0)
    decay = ratio ** (1.0 / half)
    shrinks &= decay < 1  # rounding
    left = now * decay / np.where(shrinks, 1.0 - decay, 1.0)
    return np.asarray(np.where(shrinks, left, np.where(now == 0, 0.0, NEVER)))


def grows_geometrically(norms: Float[np.ndarray, "t b"]) -> Bool[np.ndarray, " b"]:
    """Say whether norms grew 256-fold while the number of steps doubled (a linear growth: twofold)."""
    step = norms.shape[0] - 1
    if step < 8:
        return np.zeros(norms.shape[1], dtype=bool)
    return np.asarray(norms[-1] >= GEOMETRIC * np.maximum(norms[step // 2], np.finfo(np.float64).tiny))


def arrival_of(
    sketches: Float[np.ndarray, "t k"],
    lengths: Float[np.ndarray, " t"],
    *,
    period: int,
    left: float,
    within: float,
) -> float:
    """Return the first step from which a run stays near the cycle that it ended in.

    Parameters
    ----------
    sketches : (t, k)
        Sketches of the states 0 ... t - 1.
    lengths : (t,)
        True lengths of the steps that led to them; the first is not read. Their sum over the steps since the
        run was last far away puts distances of sketches to scale.
    period
        Period of the cycle; each state is compared with the state of its phase in the last period.
    left
        Estimated distance of the last states from the limit.
    within
        How near is near, in the unit of the states.

    Examples
    --------
    >>> arrival_of(np.array([[4.0], [2.0], [1.0], [1.0]]), np.array([0, 2.0, 1, 0]), period=1, left=0.0,
    ...            within=0.5)
    2.0
    """
    last = sketches.shape[0] - 1
    phases = last - (last - np.arange(last + 1)) % period
    distance = np.linalg.norm(sketches - sketches[phases], axis=1)
    steps = np.linalg.norm(np.diff(sketches, axis=0), axis=1)
    scale = 1.0
    for _ in range(2):  # the scale of the tail decides where the tail begins
        first = _first_of_tail(distance * scale + left <= within)
        tail = slice(max(first - 8, 0), last)
        seen = float(steps[tail].sum())
        scale = float(lengths[1:][tail].sum()) / seen if seen > 0 else 1.0
    return float(_first_of_tail(distance * scale + left <= within))


def _first_of_tail(near: np.ndarray) -> int:
    far = np.flatnonzero(~near)
    return min(int(far[-1]) + 1, near.size - 1) if far.size else 0


def settled_lag(
    sketches: Float[np.ndarray, "t k"], *, period: int, within: float, floor: float
) -> tuple[int, float] | None:
    """Say whether a run has settled on a cycle, and give its least period and the distance left.

    The distance of states one period apart must shrink geometrically to a limit nearer than `within`, or be
    no more than rounding (`floor`), or go to and fro within `within` without getting anywhere.

    Parameters
    ----------
    sketches : (t, k)
        Sketches of all states so far, true to scale.
    period
        Candidate for the period; 2 periods and more must have been run.
    within, floor
        Tolerance and rounding, in the unit of the states.

    Returns
    -------
    (period, left) or None
        None also where the candidate cannot be told yet.

    Examples
    --------
    >>> flip = np.tile([[0.0], [1.0]], (4, 1))
    >>> settled_lag(flip, period=2, within=1e-9, floor=1e-15)
    (2, 0.0)
    """
    lag = _lags(sketches, period, 2 * period)
    before, now = float(lag[:period].max()), float(lag[period:].max())
    if now > within:
        return None
    left = now * (now / before) / (1 - now / before) if now < before else NEVER
    if now <= floor or (left > within and _to_and_fro(sketches, period, within)):
        left = 0.0
    if left > within:
        return None
    if now > 0:  # the longest decides, to be on the safe side; the last says how far the last state is
        left *= float(lag[-1]) / now
    for divisor in range(1, period):
        if period % divisor == 0 and float(_lags(sketches, divisor, period).max()) <= SAME_STATE * within:
            return divisor, left
    return period, left


def _lags(sketches: np.ndarray, period: int, count: int) -> np.ndarray:
    end = sketches.shape[0]
    now = sketches[end - count :]
    return np.asarray(np.linalg.norm(now - sketches[end - count - period : end - period], axis=1))


def _to_and_fro(sketches: np.ndarray, period: int, within: float, rounds: int = 8) -> bool:
    if sketches.shape[0] <= (rounds + 1) * period:
        return False
    phases = sketches[-1::-period][: rounds + 1]
    path = np.linalg.norm(np.diff(phases, axis=0), axis=1)
    net = np.linalg.norm(phases - phases[0], axis=1)
    return bool(net.max() <= within and 4 * net[-1] <= path.sum() and path[0] <= 2 * path[-1])


def note_of(
    lengths: Float[np.ndarray, " t"], norms: Float[np.ndarray, " t"], sketches: Float[np.ndarray, "t k"]
) -> str:
    """Say how a run that has not settled moves: drift, slow, growing or moves.

    Parameters
    ----------
    lengths, norms, sketches
        Of the states 0 ... t - 1; the first length is not read.

    Examples
    --------
    >>> t = np.arange(101.0)
    >>> note_of(np.ones(101), t, t[:, None]), note_of(0.5 / np.sqrt(t + 1), np.sqrt(t), np.sqrt(t)[:, None])
    ('drift', 'drift')
    >>> note_of(0.01 * 0.99**t, 5 - 0.99**t, 5 - 0.99 ** t[:, None])
    'slow'
    """
    last = lengths.shape[0] - 1
    if last < 16:
        return MOVES
    middle, late = last // 2, last - last // 4
    steps = np.linalg.norm(np.diff(sketches[middle:], axis=0), axis=1).sum()
    net = float(np.linalg.norm(sketches[-1] - sketches[middle]))
    marks = norms[np.linspace(middle, last, 9).astype(int)]
    growth = _log_ratio(norms[-1], norms[middle]) if (np.diff(marks) > 0).all() else 0.0
    if growth > GROWTH and growth > 1.5 * _log_ratio(norms[middle], norms[last // 4]):
        return GROWING
    # a power of t falls 1.41 times as much in the third quarter as in the last, a geometric decay as much
    forth, back = _log_ratio(lengths[late], lengths[middle]), _log_ratio(lengths[-1], lengths[late])
    longest = [part.max() for part in np.array_split(lengths[middle:], 8)]
    if (np.diff(longest) < 0).all() and back < -0.01 and forth > 1.2 * back and net <= norms[middle:].max():
        return SLOW
    if growth > GROWTH or (steps > 0 and net >= 0.5 * steps):
        return DRIFT
    return MOVES


def _log_ratio(now: float, before: float) -> float:
    return float(np.log(now / before)) if now > 0 and before > 0 else 0.0
