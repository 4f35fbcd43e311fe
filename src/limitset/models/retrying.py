"""Which failures of a server may pass, and how long is waited before it is asked again?"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

Got = TypeVar("Got")

FIRST_WAIT: Final = 0.5
"""Seconds before the second try, on average three quarters of it."""

NEVER_REACHED: Final = 3
"""A server that has never answered is tried so often: a wrong port should not cost minutes."""

MOST_ASKED: Final = 600.0
"""A server that asks for a longer wait than this is given up: a person should decide."""

PASSING: Final = frozenset({408, 409, 423, 425, 429, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524, 529})
"""Statuses after which the same request may succeed."""


class PassingError(Exception):
    """A failure that may pass.

    Parameters
    ----------
    reason
        What came instead of a reply, as a clause.
    wait
        Seconds that the server asked for; None where it did not ask.
    reached
        Whether there was a server at all.
    """

    def __init__(self, reason: str, *, wait: float | None = None, reached: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.reached = reached


class GaveUpError(Exception):
    """The last failure after all tries, and what was tried."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long.

    Parameters
    ----------
    tries
        Requests in all, 1 or more.
    longest_wait
        Seconds between two of them at most, where the server does not ask for more.
    """

    tries: int
    longest_wait: float


def retry_after(headers: Any, *, now: float) -> float | None:
    """Return the seconds that a server asks to wait: ``Retry-After`` in seconds or as an HTTP date.

    Parameters
    ----------
    headers
        A mapping with names in small letters, or of a kind that does not tell them apart.
    now
        Seconds since 1970.

    Returns
    -------
    float or None
        0 or above; None where nothing readable was asked.

    References
    ----------
    RFC 9110, section 10.2.3. ``retry-after-ms`` is what some servers add.

    Examples
    --------
    >>> retry_after({"retry-after": "7"}, now=0.0)
    7.0
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=20.0)
    40.0
    >>> retry_after({"retry-after-ms": "250"}, now=0.0), retry_after({"retry-after": "soon"}, now=0.0)
    (0.25, None)
    """
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            seconds = float(text) * scale
        except ValueError:
            seconds = _until(text, now)
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def backoff(tried: int, *, longest: float, uniform: float) -> float:
    """Return the wait after so many tries: doubling, with jitter, up to a cap.

    min(longest, FIRST_WAIT 2^(tried - 1)) (1 - uniform / 2)

    Parameters
    ----------
    tried
        1 or more.
    longest
        The cap in seconds.
    uniform
        In [0, 1): clients that failed together do not come back together.

    Examples
    --------
    >>> [backoff(tried, longest=3, uniform=0.0) for tried in (1, 2, 3, 4)]
    [0.5, 1.0, 2.0, 3.0]
    >>> backoff(3, longest=60, uniform=0.5)
    1.5
    """
    return min(longest, FIRST_WAIT * 2.0 ** min(tried - 1, 30)) * (1 - uniform / 2)


async def patiently(
    once: Callable[[], Awaitable[Got]],
    *,
    patience: Patience,
    hold: Callable[[float], None],
    known: Callable[[], bool],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    uniform: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
) -> Got:
    """Try until it succeeds, fails for good, or patience is at an end.

    Parameters
    ----------
    once
        One try; raises `PassingError` where another one may succeed.
    patience
        How often and how long.
    hold
        Told the seconds that the server asked for: they bind every other request too.
    known
        Whether the server has answered anything so far; one that never did gets `NEVER_REACHED` tries.
    sleep, uniform, clock
        For tests.

    Raises
    ------
    GaveUpError
        With the last reason, the number of tries and the seconds.
    """
    began, tried = clock(), 0
    while True:
        tried += 1
        try:
            return await once()
        except PassingError as trouble:
            asked = trouble.wait
            most = patience.tries if trouble.reached or known() else min(patience.tries, NEVER_REACHED)
            if asked is not None and asked > MOST_ASKED:
                raise GaveUpError(f"{trouble.reason} and a wish to wait {asked:.0f} s") from trouble
            if tried >= most:
                times = f"{tried} tries" if tried > 1 else "1 try"
                raise GaveUpError(f"{trouble.reason} ({times} in {clock() - began:.0f} s)") from trouble
            if asked is not None:
                hold(asked)
        waiting = backoff(tried, longest=patience.longest_wait, uniform=uniform())
        # a little more than asked, apart from each other: the server counts by its own clock
        await sleep(waiting if asked is None else asked + min(waiting, 0.25 + 0.1 * asked))


def _until(text: str, now: float) -> float:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return float("nan")
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return (aware - datetime.fromtimestamp(now, UTC)).total_seconds()
