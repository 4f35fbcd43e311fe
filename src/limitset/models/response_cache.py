"""Which replies have been paid for already?

The key holds the sample index: a cache without it would give one reply n times and every agreement would be
1 by construction.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from limitset.core.errors import InputError
from limitset.core.replies import Draw, LanguageModel, Prompt, Reply, Served
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.models.packaged import cache_folder

SCHEMA: Final = 1
WAIT_SECONDS: Final = 30.0
"""How long one process waits for another that is writing."""


@runtime_checkable
class Arriving(Protocol):
    """A model whose replies come one by one, so that each can be kept before the next one fails."""

    def arriving(self, prompts: Sequence[Prompt], **how: Any) -> Iterator[Any]:
        """Yield replies with their places; see `limitset.models.http_model.HttpModel.arriving`."""
        ...


class ResponseCache:
    """Replies by model, request and sample index, in one SQLite file that processes may share.

    Parameters
    ----------
    path
        The file; the user's by default. It is made when it is not there.

    Raises
    ------
    InputError
        For a file that is not such a cache, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, ResponseCache(Path(folder) / "r.sqlite") as cache:
    ...     cache.put("m", "{}", 3, Reply(text="Paris", tokens=1))
    ...     cache.get("m", "{}", 3).text, cache.get("m", "{}", 4)
    ('Paris', None)
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or cache_folder() / "replies.sqlite"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error
        try:
            with self._checked():
                self._prepare()
        except InputError:
            self._connection.close()
            raise

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        with self._checked():
            return int(self._connection.execute("SELECT count(*) FROM reply").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def get(self, model: str, request: str, sample: int) -> Reply | None:
        """Return a reply, or None where it has not been drawn."""
        with self._checked():
            row = self._connection.execute(
                "SELECT body FROM reply WHERE key = ? AND sample = ?", (_key(model, request), sample)
            ).fetchone()
        return None if row is None else _read(row[0])

    def put(self, model: str, request: str, sample: int, reply: Reply) -> None:
        """Keep a reply; the first one stays."""
        self.put_many(model, [(request, sample, reply)])

    def put_many(self, model: str, replies: Sequence[tuple[str, int, Reply]]) -> None:
        """Keep replies (request, sample index, reply) in one transaction; failed ones are left out."""
        rows = [
            (_key(model, request), sample, _written(reply))
            for request, sample, reply in replies
            if reply.finish != "error"
        ]
        with self._checked():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT OR IGNORE INTO reply VALUES (?, ?, ?)", rows)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA):
            raise self._unusable(f"version {version}")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS reply"
            " (key BLOB, sample INTEGER, body TEXT, PRIMARY KEY (key, sample))"
        )
        self._connection.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, reason: object) -> InputError:
        return InputError.of(
            expected=f"{self.path} must be a reply cache of limitset that can be written",
            got=reason,
            fix="Delete the file or choose another.",
        )


class CachedModel:
    """A language model that draws nothing twice.

    Parameters
    ----------
    model
        Any `LanguageModel`.
    cache
        Where replies are kept.

    Notes
    -----
    The key is the model's identity, the request (prompt, row, limits, temperature, random stream) and the
    seed of the draw as sample index, so that draws of one prompt stay distinct.
    """

    def __init__(self, model: LanguageModel, cache: ResponseCache) -> None:
        self._model = model
        self._cache = cache

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._model.name

    @property
    def identity(self) -> str:
        """Identity of the model."""
        return self._model.identity

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

        Replies that arrive one by one (a server's) are kept one by one; else prompts that lack the same draws
        are passed on together, in one call.
        """
        options: dict[str, Any] = {"max_tokens": max_tokens, "top_p": top_p, "stop": stop, "rng": rng}
        requests = [
            [_request(prompt, row, draw, **options) for draw in draws]
            for prompt, row in zip(prompts, rows, strict=True)
        ]
        found = [
            [
                self._cache.get(self.identity, request, draw.seed)
                for request, draw in zip(line, draws, strict=True)
            ]
            for line in requests
        ]
        lacking = [
            (prompt, draw)
            for prompt, line in enumerate(found)
            for draw, reply in enumerate(line)
            if not reply
        ]
        if lacking and isinstance(self._model, Arriving):
            come = self._model.arriving(prompts, wanted=lacking, rows=rows, draws=draws, **options)
            with contextlib.closing(come):  # type: ignore[type-var]
                for one in come:
                    found[one.prompt][one.draw] = one.reply
                    self._cache.put(
                        self.identity, requests[one.prompt][one.draw], draws[one.draw].seed, one.reply
                    )
        else:
            self._draw(lacking, found, prompts, requests, rows=rows, draws=draws, options=options)
        return [[reply for reply in line if reply is not None] for line in found]

    def close(self) -> None:
        """Close the model's connections, if it has any; the cache stays open."""
        close = getattr(self._model, "close", None)
        if close is not None:
            close()

    def _draw(
        self,
        lacking: Sequence[tuple[int, int]],
        found: list[list[Reply | None]],
        prompts: Sequence[Prompt],
        requests: Sequence[Sequence[str]],
        *,
        rows: Sequence[str],
        draws: Sequence[Draw],
        options: dict[str, Any],
    ) -> None:
        """Fill in what is lacking; prompts that lack the same draws share a call."""
        missing_of: dict[int, tuple[int, ...]] = {}
        for prompt, draw in lacking:
            missing_of[prompt] = (*missing_of.get(prompt, ()), draw)
        members_of: dict[tuple[int, ...], list[int]] = {}
        for prompt, missing in missing_of.items():
            members_of.setdefault(missing, []).append(prompt)
        for missing, members in members_of.items():
            fresh = self._model.generate(
                [prompts[prompt] for prompt in members],
                rows=[rows[prompt] for prompt in members],
                draws=[draws[draw] for draw in missing],
                **options,
            )
            kept = []
            for prompt, replies in zip(members, fresh, strict=True):
                for draw, reply in zip(missing, replies, strict=True):
                    found[prompt][draw] = reply
                    kept.append((requests[prompt][draw], draws[draw].seed, reply))
            self._cache.put_many(self.identity, kept)


def _request(
    prompt: Prompt,
    row: str,
    draw: Draw,
    *,
    max_tokens: int,
    top_p: float,
    stop: tuple[str, ...],
    rng: Streams,
) -> str:
    body = {
        "prompt": prompt if isinstance(prompt, str) else [asdict(message) for message in prompt],
        "row": row,
        "temperature": draw.temperature,
        "max_tokens": max_tokens,
        "top_p": top_p,
        "stop": list(stop),
        "rng": [rng.seed, *rng.path],
    }
    return json.dumps(body, sort_keys=True, ensure_ascii=False)


def _key(model: str, request: str) -> bytes:
    return hashlib.sha256(f"{model}\0{request}".encode()).digest()


def _written(reply: Reply) -> str:
    # JSON has no NaN: nothing is written as null
    body = asdict(reply)
    for name in ("logprob", "margin"):
        body[name] = None if math.isnan(body[name]) else repr(body[name])  # repr: infinity has no JSON either
    return json.dumps(body)


def _read(body: str) -> Reply:
    values = json.loads(body)
    for name in ("logprob", "margin"):
        values[name] = UNDEFINED if values[name] is None else float(values[name])
    served = values.pop("served", None)  # absent in what older versions wrote
    return Reply(**values, served=Served(**served) if served else None)
