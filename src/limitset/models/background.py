"""How does code that waits run requests at once, in notebooks too, and stop at Ctrl-C?"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any


class Background:
    """An event loop in a thread: the caller's own loop, if there is one, is left alone."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="limitset-http", daemon=True)
        thread.start()
        self._end = weakref.finalize(self, _ended, self._loop, thread)

    def start(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Run a coroutine in the thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, client: Any) -> None:
        """Close a client, then end the thread."""
        if client is not None and self._end.alive:
            asyncio.run_coroutine_threadsafe(_closed(client), self._loop).result(timeout=5)
        self._end()


async def _closed(client: Any) -> None:
    await client.close()
    # transports close on the next turn of the loop
    await asyncio.sleep(0)


def _ended(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=5)
    if not thread.is_alive():
        loop.close()
