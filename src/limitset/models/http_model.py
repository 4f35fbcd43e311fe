"""How does a model behind an OpenAI-compatible server reply, many requests at once, without losing any?"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final

from limitset.core.errors import DependencyError, InputError
from limitset.core.replies import Draw, Prompt, Reply, Served
from limitset.core.streams import Streams
from limitset.core.undefined import UNMATCHED
from limitset.models.background import Background
from limitset.models.endpoints import Endpoint, key_of
from limitset.models.packaged import Style
from limitset.models.rate_limits import RateLimit
from limitset.models.requests import check_request
from limitset.models.retrying import PASSING, GaveUpError, PassingError, Patience, patiently, retry_after
from limitset.models.server_errors import FILTERED, KEPT, NO_MONEY, OF_THE_REQUEST, refused, unreached
from limitset.models.wire import Taken, UnreadableReplyError, read_reply, request_body, said_in, tokens_of

LARGEST_REPLY: Final = 8 << 20
"""Bytes: a reply of 1,024 tokens with log-probabilities is 0.2 MB."""

SEEDS: Final = 2**31 - 1
"""Servers keep seeds in 32 bits with a sign."""


@dataclass(frozen=True)
class Arrival:
    """A reply, and which prompt and draw it is of."""

    prompt: int
    draw: int
    reply: Reply


class HttpModel:
    """A language model behind an OpenAI-compatible server.

    Parameters
    ----------
    endpoint
        Who is asked, and how hard it may be pushed.

    Raises
    ------
    DependencyError
        Without the package openai, or when the variable that should hold the key is not set.

    Notes
    -----
    What the weights are, nobody here knows: the identity is the address and the name asked for. A seed is
    sent with every request, another one for each row and draw, because one seed for all questions would let
    them share their random numbers; a server may ignore it. Greedy means temperature 0, which some servers
    do not answer with the same text twice.

    Examples
    --------
    >>> model = HttpModel(Endpoint(name="toy", base_url="http://127.0.0.1:8000/v1", model="m"))
    >>> model.name, model.style
    ('toy', 'chat')
    >>> model.close()
    """

    def __init__(self, endpoint: Endpoint) -> None:
        if importlib.util.find_spec("openai") is None:
            raise DependencyError.of(
                expected="models behind a server need openai", got="no openai", fix="Install limitset[http]."
            )
        self._endpoint = endpoint
        self._key = key_of(endpoint)
        self._taken = Taken()
        self._answered = False
        self._background = Background()
        self._client: Any = None
        self._limit: RateLimit | None = None

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self._endpoint.name

    @property
    def identity(self) -> str:
        """Address and name asked for; the weights are unknown."""
        return self._endpoint.identity

    @property
    def style(self) -> Style:
        """How it is asked: by conversation, or by examples to continue."""
        return self._endpoint.style

    @property
    def taken(self) -> Taken:
        """Which options the server has taken so far."""
        return self._taken

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        rows: Sequence[str],
        draws: Sequence[Draw],
        max_tokens: int,
        top_p: float,
        stop: tuple[str, ...],
        rng: Streams,
    ) -> list[list[Reply]]:
        """Reply to every prompt once a draw; see `limitset.core.replies.LanguageModel`.

        Raises
        ------
        DependencyError
            When the server cannot be reached, refuses the key or the model, or fails for longer than the
            patience of the endpoint.
        InputError
            When the server refuses one request as it is.
        """
        wanted = [(prompt, draw) for prompt in range(len(prompts)) for draw in range(len(draws))]
        found = {
            (one.prompt, one.draw): one.reply
            for one in self.arriving(
                prompts,
                wanted=wanted,
                rows=rows,
                draws=draws,
                max_tokens=max_tokens,
                top_p=top_p,
                stop=stop,
                rng=rng,
            )
        }
        return [[found[prompt, draw] for draw in range(len(draws))] for prompt in range(len(prompts))]

    def arriving(
        self,
        prompts: Sequence[Prompt],
        *,
        wanted: Sequence[tuple[int, int]],
        rows: Sequence[str],
        draws: Sequence[Draw],
        max_tokens: int,
        top_p: float,
        stop: tuple[str, ...],
        rng: Streams,
    ) -> Iterator[Arrival]:
        """Yield replies as they come, so that none is lost when a later one fails.

        Parameters
        ----------
        wanted
            Pairs (place in `prompts`, place in `draws`).
        prompts, rows, draws, max_tokens, top_p, stop, rng
            As in `generate`, which also says what is raised.
        """
        check_request(prompts, rows=rows, draws=draws, max_tokens=max_tokens, top_p=top_p, stop=stop)
        arrived: SimpleQueue[Arrival | Future[None]] = SimpleQueue()

        failed = asyncio.Event()

        async def ask(prompt: int, draw: int, places: asyncio.Semaphore) -> None:
            seed = int(rng.child(rows[prompt], draws[draw].seed).generator("http").integers(SEEDS))
            how: dict[str, Any] = {"max_tokens": max_tokens, "top_p": top_p, "stop": stop, "seed": seed}
            async with places:
                if failed.is_set():  # its turn came before it was cancelled
                    return
                try:
                    reply = await self._reply(prompts[prompt], draws[draw], how)
                except BaseException:
                    failed.set()
                    raise
            arrived.put(Arrival(prompt, draw, reply))

        async def ask_all() -> None:
            places = asyncio.Semaphore(self._endpoint.concurrency)
            asking = [asyncio.ensure_future(ask(prompt, draw, places)) for prompt, draw in wanted]
            try:
                await asyncio.gather(*asking)
            finally:
                for one in asking:
                    one.cancel()
                await asyncio.gather(*asking, return_exceptions=True)

        whole = self._background.start(ask_all())
        whole.add_done_callback(arrived.put)
        try:
            while isinstance(one := arrived.get(), Arrival):
                yield one
            whole.result()
        finally:
            whole.cancel()

    def close(self) -> None:
        """Close the connections; the model cannot be used afterwards."""
        client, self._client = self._client, None
        self._background.close(client)

    async def _reply(self, prompt: Prompt, draw: Draw, how: dict[str, Any]) -> Reply:
        """Ask until there is a reply, leaving out what the server does not take."""
        taken = self._taken
        while True:
            body = request_body(self._endpoint, prompt, draw, taken=taken, **how)
            got = await self._sent(body, draw, how)
            if isinstance(got, Reply):
                self._taken = taken
                return got
            left = taken.without(got)
            if left is None:
                raise InputError.of(
                    expected=f"{self._endpoint.base_url} must take the request for {self.name}",
                    got=f'"{got}"',
                    fix="Change the study or extra_body accordingly.",
                )
            taken = left

    async def _sent(self, body: dict[str, Any], draw: Draw, how: dict[str, Any]) -> Reply | str:
        """Return the reply, or the words in which the server refused this very request."""
        if self._limit is None:
            self._limit = RateLimit(
                requests=self._endpoint.requests_per_minute, tokens=self._endpoint.tokens_per_minute
            )
        limit, cost = self._limit, tokens_of(body)

        async def once() -> Reply | str:
            turn = await limit.turn(cost)
            found = await self._try(body, draw, how)
            if isinstance(found, Reply) and found.served and found.served.reply_tokens is not None:
                turn.tokens = (found.served.prompt_tokens or 0) + found.served.reply_tokens
            return found

        try:
            return await patiently(
                once,
                patience=Patience(tries=self._endpoint.tries, longest_wait=self._endpoint.longest_wait),
                hold=limit.hold,
                known=lambda: self._answered,
            )
        except GaveUpError as error:
            raise DependencyError.of(
                expected=f"{self._endpoint.base_url} must answer for {self.name}",
                got=self._hidden(str(error)),
                fix=KEPT if self._answered else "Check the address, and that the server runs. " + KEPT,
            ) from None

    async def _try(self, body: dict[str, Any], draw: Draw, how: dict[str, Any]) -> Reply | str:
        """Send once."""
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self._endpoint.timeout):
                raw = await self._received(body)
            reply = read_reply(
                raw,
                wire=self._endpoint.wire,
                stop=how["stop"],
                greedy=draw.greedy,
                seed=body.get("seed"),
            )
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
            raise PassingError(f"no reply within {self._endpoint.timeout:g} s") from None
        except openai.APIStatusError as error:
            return self._status(error)
        except (openai.APIConnectionError, httpx2.HTTPError, OSError) as error:
            raise unreached(self._endpoint, error, known=self._answered) from None
        except UnreadableReplyError as error:
            raise PassingError(str(error)) from None
        self._answered = True
        return reply

    async def _received(self, body: dict[str, Any]) -> bytes:
        client, how = self._connected(), self._headers()
        kind = client.completions if self._endpoint.wire == "completion" else client.chat.completions
        needed = {name: body[name] for name in ("model", "messages", "prompt") if name in body}
        async with kind.with_streaming_response.create(**needed, extra_body=body, **how) as response:
            pieces, size = [], 0
            async for piece in response.iter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST_REPLY:
                    raise UnreadableReplyError(f"more than {LARGEST_REPLY >> 20} MB in one reply")
        return b"".join(pieces)

    def _status(self, error: Any) -> Reply | str:
        """Say what a status other than 200 means: it may pass, concerns this request, or is the end."""
        status = error.status_code
        said = self._hidden(said_in(error.response.content))
        code = str(getattr(error, "code", "") or "")
        told = f'status {status} "{said}"' if said else f"status {status}"
        if status in PASSING and code not in NO_MONEY:
            self._answered |= status == 429  # a server that counts requests is the right one
            raise PassingError(told, wait=retry_after(error.response.headers, now=time.time()))
        if code in FILTERED:
            self._answered = True
            return Reply(text="", tokens=UNMATCHED, finish="refused", served=Served(reason=code))
        if status in OF_THE_REQUEST:
            return said or told
        raise refused(self._endpoint, status, told, keyed=self._key is not None) from None

    def _connected(self) -> Any:
        """Return the client, made in the loop that uses it."""
        if self._client is None:
            import openai

            try:
                self._client = openai.AsyncOpenAI(
                    api_key=self._key or "none",
                    base_url=self._endpoint.base_url,
                    max_retries=0,
                    timeout=self._endpoint.timeout,
                    http_client=openai.DefaultAsyncHttpxClient(**self._ways()),
                )
            except (ValueError, ImportError, OSError) as error:
                raise DependencyError.of(
                    expected=f"a connection to {self._endpoint.base_url} must be possible",
                    got=self._hidden(str(error).splitlines()[0]),
                    fix="Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE.",
                ) from None
        return self._client

    def _ways(self) -> dict[str, Any]:
        """Say which proxies and certificates are used: a proxy cannot reach this machine."""
        file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        if not self._endpoint.here:
            return {"trust_env": True}
        if not (file or folder) or self._endpoint.base_url.startswith("http://"):
            return {"trust_env": False}
        return {"trust_env": False, "verify": ssl.create_default_context(cafile=file, capath=folder)}

    def _headers(self) -> dict[str, Any]:
        """Leave out what the environment would add for another server."""
        import openai

        left_out = ["OpenAI-Organization", "OpenAI-Project", *([] if self._key else ["Authorization"])]
        return {"extra_headers": {name: openai.Omit() for name in left_out}}

    def _hidden(self, text: str) -> str:
        """Take the key out of a text: some servers repeat it."""
        return text.replace(self._key, "***") if self._key else text
