"""Which server is asked for replies, under which name, and how hard may it be pushed?

An endpoint is one word, ``openai:NAME@http://host:port/v1``, or an entry of a TOML file, ``FILE.toml:NAME``.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from limitset.core.errors import DependencyError, InputError
from limitset.models.packaged import Style

PREFIX: Final = "openai:"
WIRES: Final = ("chat", "completion")
KEY: Final = "OPENAI_API_KEY"
OWN_KEY: Final = "LIMITSET_API_KEY_"

_ONE_WORD: Final = re.compile(r"(?P<model>.+)@(?P<url>https?://[^#]*)(?:#(?P<wire>.*))?")
_OF_FILE: Final = re.compile(r"(?P<file>.+\.toml):(?P<name>[^:]+)")
_OURS: Final = frozenset(
    (
        *("model", "messages", "prompt", "stream", "n", "best_of", "temperature", "top_p", "max_tokens"),
        *("max_completion_tokens", "stop", "seed", "logprobs", "top_logprobs", "echo"),
    )
)
"""What a study decides, or what would break the reading of a reply: not for `extra_body`."""
_SECRET: Final = re.compile(r"key|secret|password|authorization|bearer", re.IGNORECASE)

Wire = Literal["chat", "completion"]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model behind an OpenAI-compatible server.

    Parameters
    ----------
    name
        What a reader calls it.
    base_url
        Up to and with ``/v1``.
    model
        What the server calls the model.
    wire
        ``"chat"`` sends a conversation to ``/chat/completions``; ``"completion"`` sends worked examples to
        continue to ``/completions``, as base models need it.
    api_key_env
        Environment variable that holds the key; empty for the usual ones (see `key_of`).
    concurrency
        Requests at once, 1 or more.
    requests_per_minute, tokens_per_minute
        0 for no limit of ours.
    timeout
        Seconds that one try may take.
    tries
        How often a request is sent before it is given up, 1 or more.
    longest_wait
        Seconds between two tries at most, unless the server itself asks for more.
    extra_body
        Sent with every request, as it stands: ``{"min_p": 0.05}``.

    Examples
    --------
    >>> one = Endpoint(name="toy", base_url="http://127.0.0.1:8000/v1", model="smollm2")
    >>> one.identity
    'toy; weights unknown, asked as "smollm2" at http://127.0.0.1:8000/v1 (chat)'
    """

    name: str
    base_url: str
    model: str
    wire: Wire = "chat"
    api_key_env: str = ""
    concurrency: int = 4
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    timeout: float = 120
    tries: int = 6
    longest_wait: float = 60
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def style(self) -> Style:
        """How it is asked: by conversation, or by examples to continue."""
        return "chat" if self.wire == "chat" else "few_shot"

    @property
    def identity(self) -> str:
        """Everything known that decides its replies; how fast it is asked is not part of it."""
        extra = json.dumps(dict(self.extra_body), sort_keys=True, ensure_ascii=False)
        told = f" with {extra}" if self.extra_body else ""
        return f'{self.name}; weights unknown, asked as "{self.model}" at {self.base_url} ({self.wire}){told}'

    @property
    def here(self) -> bool:
        """Whether the server runs on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


class _Entry(BaseModel):
    """One ``[[endpoint]]`` of a file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, pattern=r"^[^:\s]+$")
    base_url: str
    model: str = Field(min_length=1)
    wire: Wire = "chat"
    api_key_env: str = Field(default="", pattern=r"^[A-Za-z_0-9]*$")
    concurrency: int = Field(default=4, ge=1, le=256)
    requests_per_minute: int = Field(default=0, ge=0)
    tokens_per_minute: int = Field(default=0, ge=0)
    timeout: float = Field(default=120, gt=0, le=3600)
    tries: int = Field(default=6, ge=1, le=50)
    longest_wait: float = Field(default=60, gt=0, le=3600)
    extra_body: dict[str, Any] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    endpoint: list[_Entry] = Field(min_length=1)


def is_endpoint(spec: str) -> bool:
    """Say whether a text names an endpoint rather than weights.

    Examples
    --------
    >>> is_endpoint("openai:m@http://127.0.0.1:8000/v1"), is_endpoint("panel.toml:m"), is_endpoint("org/m")
    (True, True, False)
    """
    return spec.startswith(PREFIX) or _OF_FILE.fullmatch(spec) is not None


def endpoint_of(spec: str) -> Endpoint:
    """Read one word, ``openai:NAME@URL`` or ``FILE.toml:NAME``.

    Parameters
    ----------
    spec
        NAME is what the server calls the model. The address may end in ``#completion`` for a server that
        continues text.

    Raises
    ------
    InputError
        For another form, an address with a password or a query in it, or a name that the file lacks.

    Examples
    --------
    >>> one = endpoint_of("openai:meta/llama@http://127.0.0.1:8000/v1/#completion")
    >>> one.name, one.base_url, one.style
    ('meta/llama', 'http://127.0.0.1:8000/v1', 'few_shot')
    """
    of_file = None if spec.startswith(PREFIX) else _OF_FILE.fullmatch(spec)
    if of_file is not None:
        return _named(Path(of_file["file"]), of_file["name"])
    found = _ONE_WORD.fullmatch(spec.removeprefix(PREFIX))
    if found is None:
        # never echoed: what follows openai: may be a key put in the wrong place
        raise InputError.of(
            expected="an endpoint is openai:NAME@http://host:port/v1",
            got="another form after openai:",
            fix="Name the model first, then @ and the address up to and with /v1.",
        )
    wire = found["wire"] or "chat"
    if wire not in WIRES:
        raise InputError.of(
            expected="an address ends in #chat or #completion, or in neither",
            got=f"#{wire}",
            fix="Use one of them.",
        )
    name = found["model"]
    return Endpoint(
        name=name,
        base_url=_address(found["url"]),
        model=name,
        wire="chat" if wire == "chat" else "completion",
    )


def read_endpoints(path: Path) -> tuple[Endpoint, ...]:
    r"""Read a file of endpoints.

    Parameters
    ----------
    path
        TOML with one ``[[endpoint]]`` a server: ``name``, ``base_url`` and ``model``; every other field of
        `Endpoint` may be left out.

    Raises
    ------
    InputError
        For a file that cannot be read, unknown fields, values out of range, or two endpoints of one name;
        all mistakes at once.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "panel.toml"
    ...     _ = file.write_text('[[endpoint]]\nname = "a"\nmodel = "m"\nbase_url = "http://[::1]:80/v1"\n')
    ...     [one] = read_endpoints(file)
    >>> one.name, one.concurrency, one.here
    ('a', 4, True)
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.of(
            expected=f"{path} must be a TOML file of endpoints", got=error, fix="Mend that place."
        ) from error
    try:
        entries = _File.model_validate(values).endpoint
    except ValidationError as error:
        raise InputError("\n".join(_mistakes(error, path))) from error
    names = [entry.name for entry in entries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError.of(
            expected=f"the endpoints of {path} must have different names", got=f"{twice} twice", fix="Rename."
        )
    for entry in entries:
        _check_extra(entry)
    return tuple(
        Endpoint(**{**entry.model_dump(), "base_url": _address(entry.base_url)}) for entry in entries
    )


def key_of(endpoint: Endpoint, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the key of an endpoint, or None where it needs none.

    Looked for in this order: the variable named by ``api_key_env``; ``LIMITSET_API_KEY_`` and the name in
    capitals; ``OPENAI_API_KEY``, which is not sent in the clear to another machine.

    Raises
    ------
    DependencyError
        When the variable that the endpoint names is not set.
    InputError
        When the key is more than one line of ASCII; it is not shown.

    Examples
    --------
    >>> toy = Endpoint(name="my-toy", base_url="http://gpu.example/v1", model="m")
    >>> key_of(toy, {"OPENAI_API_KEY": "k"}), key_of(toy, {"LIMITSET_API_KEY_MY_TOY": "k"})
    (None, 'k')
    """
    variables = os.environ if environment is None else environment
    name = key_variable(endpoint, variables)
    if endpoint.api_key_env and not variables.get(name, "").strip():
        raise DependencyError.of(
            expected=f"the key of {endpoint.name} must be in the variable {name}",
            got="nothing there",
            fix=f"Set {name}, or take api_key_env out of the file.",
        )
    key = variables.get(name, "").strip()
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise InputError.of(
            expected=f"the key in {name} must be one word of ASCII", got="something else", fix="Set it again."
        )
    return key or None


def key_variable(endpoint: Endpoint, environment: Mapping[str, str]) -> str:
    """Return the name of the variable that the key of an endpoint is read from."""
    if endpoint.api_key_env:
        return endpoint.api_key_env
    own = own_variable(endpoint.name)
    in_clear = endpoint.base_url.startswith("http://") and not endpoint.here
    return own if own in environment or in_clear else KEY


def own_variable(name: str) -> str:
    """Return the variable for an endpoint of this name: capitals, everything else an underscore."""
    return OWN_KEY + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _named(path: Path, name: str) -> Endpoint:
    endpoints = {one.name: one for one in read_endpoints(path)}
    if name not in endpoints:
        close = difflib.get_close_matches(name, endpoints, n=1, cutoff=0.3)
        raise InputError.of(
            expected=f"the endpoints of {path} are {', '.join(endpoints)}",
            got=repr(name),
            fix=f"Did you mean {close[0]}?" if close else "Use one of these.",
        )
    return endpoints[name]


def _address(url: str) -> str:
    """Check an address; what it must not hold is never echoed, since it may be a key."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        whole = False
    if not whole or re.search(r"\s", url):
        raise InputError.of(
            expected="an address is http://host:port/v1 or https://host/v1",
            got="another form",
            fix="Check host and port.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError.of(
            expected="an address holds no password, query or fragment, because it is written into the study",
            got=f"one for {parts.hostname}",
            fix="Put the key into an environment variable and name it in api_key_env.",
        )
    cut = re.sub(r"/+(chat/completions|completions)?/*$", "", parts.path)
    if cut != parts.path.rstrip("/"):
        raise InputError.of(
            expected="an address ends before /chat/completions",
            got=parts.path,
            fix=f"Write {parts.scheme}://{parts.netloc}{cut}.",
        )
    return f"{parts.scheme}://{parts.netloc}{cut}"


def _check_extra(entry: _Entry) -> None:
    ours = sorted(_OURS & entry.extra_body.keys())
    if ours:
        raise InputError.of(
            expected=f"extra_body of {entry.name} must leave to the study what the study decides",
            got=ours[0],
            fix="Take it out.",
        )
    secret = next((name for name in entry.extra_body if _SECRET.search(name)), None)
    if secret is not None:
        raise InputError.of(
            expected=f"extra_body of {entry.name} is written into the study and must hold no key",
            got=secret,
            fix="Put the key into an environment variable and name it in api_key_env.",
        )


def _mistakes(error: ValidationError, path: Path) -> list[str]:
    lines = []
    for mistake in error.errors():
        place = ".".join(str(part) for part in mistake["loc"])
        # the value is not shown: a key written into the file would end in a log
        told = mistake["msg"][0].lower() + mistake["msg"][1:]
        named = " (name the variable instead: api_key_env)" if place.endswith("api_key") else ""
        lines.append(f"{path}: {place}: {told}{named}")
    return lines
