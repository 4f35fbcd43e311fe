"""When may the next request go out, so that no minute holds more than was allowed?"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

MINUTE: Final = 60.0


class Turn:
    """One request that went out: when, and how many tokens it is counted with."""

    def __init__(self, at: float, tokens: float) -> None:
        self.at = at
        self.tokens = tokens


class RateLimit:
    """Let requests out one after the other, at most so many, and so many tokens, in any 60 seconds.

    Parameters
    ----------
    requests, tokens
        Per minute; 0 for no limit.
    clock, sleep
        For tests.

    Notes
    -----
    Any 60 seconds, not a mean rate: a bucket that is full at the start would let twice as many out in the
    first minute. Tokens are estimated before a request and corrected after it, so a minute may hold more
    than allowed by what the estimates missed. A single request above the limit goes out alone.

    Examples
    --------
    >>> async def three() -> list[float]:
    ...     now = [0.0]
    ...     async def sleep(seconds: float) -> None:
    ...         now[0] += seconds
    ...     limit, times = RateLimit(requests=2, tokens=0, clock=lambda: now[0], sleep=sleep), []
    ...     for _ in range(3):
    ...         times.append((await limit.turn(1)).at)
    ...     return times
    >>> asyncio.run(three())
    [0.0, 0.0, 60.0]
    """

    def __init__(
        self,
        *,
        requests: int,
        tokens: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._sleep = sleep
        self._gone: deque[Turn] = deque()
        self._closed_until = float("-inf")
        self._door = asyncio.Lock()

    async def turn(self, tokens: float) -> Turn:
        """Wait until a request with so many tokens may go out; those who came first go first."""
        async with self._door:
            while (wait := self._wait(tokens)) > 0:
                await self._sleep(wait)
            turn = Turn(self._clock(), tokens)
            if self._requests or self._tokens:
                self._gone.append(turn)
            return turn

    def hold(self, seconds: float) -> None:
        """Let nobody out for so long: the server asked for it."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def _wait(self, tokens: float) -> float:
        now = self._clock()
        while self._gone and self._gone[0].at + MINUTE <= now:
            self._gone.popleft()
        free = self._closed_until
        if self._requests and len(self._gone) >= self._requests:
            free = max(free, self._gone[len(self._gone) - self._requests].at + MINUTE)
        if self._tokens:
            free = max(free, self._room_for(tokens))
        return free - now

    def _room_for(self, tokens: float) -> float:
        """Return when so many tokens fit: after enough of the last minute's requests are a minute old."""
        held = sum(turn.tokens for turn in self._gone)
        free = float("-inf")
        for turn in self._gone:
            if held + tokens <= self._tokens:
                break
            held, free = held - turn.tokens, turn.at + MINUTE
        return free
