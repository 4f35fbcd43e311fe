"""How is a request written for an OpenAI-compatible server, and what does its reply say?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from limitset.core.errors import InputError
from limitset.core.replies import Draw, Prompt, Reply, Served
from limitset.core.undefined import UNDEFINED, UNMATCHED
from limitset.models.endpoints import Endpoint, Wire

CHARACTERS_A_TOKEN: Final = 4
"""For counting a request against a limit of tokens, before the server has counted it."""


class UnreadableReplyError(Exception):
    """What came with status 200 is no reply."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Which options a server takes; one that it refuses is not sent again.

    Parameters
    ----------
    seed, logprobs, stop
        Whether it is sent.
    limit
        What it calls the limit of tokens.
    """

    seed: bool = True
    logprobs: bool = True
    stop: bool = True
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    def without(self, message: str) -> Taken | None:
        """Return what is left when a server refuses a request in these words; None where that is no option.

        Examples
        --------
        >>> Taken().without("Unsupported parameter: 'seed'").seed
        False
        >>> Taken().without("Use 'max_completion_tokens' instead of 'max_tokens'").limit
        'max_completion_tokens'
        >>> Taken().without("temperature must be 1") is None
        True
        """
        if "max_completion_tokens" in message and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "logprobs" in message and self.logprobs:
            return replace(self, logprobs=False)
        if "seed" in message and self.seed:
            return replace(self, seed=False)
        if "stop" in message and self.stop:
            return replace(self, stop=False)
        return None


def request_body(
    endpoint: Endpoint,
    prompt: Prompt,
    draw: Draw,
    *,
    max_tokens: int,
    top_p: float,
    stop: tuple[str, ...],
    seed: int,
    taken: Taken,
) -> dict[str, Any]:
    """Write the request for one reply.

    Parameters
    ----------
    endpoint
        Who is asked.
    prompt, draw, max_tokens, top_p, stop
        As in `limitset.core.replies.LanguageModel.generate`.
    seed
        What the server may draw its random numbers from.
    taken
        Which options are sent.

    Raises
    ------
    InputError
        For a conversation to an endpoint that continues text.

    Examples
    --------
    >>> how = {"wire": "completion", "extra_body": {"min_p": 0.1}}
    >>> one = Endpoint(name="a", base_url="http://h/v1", model="m", **how)
    >>> request_body(one, "Q:", Draw(0, 0.0), max_tokens=4, top_p=1.0, stop=(), seed=5,
    ...              taken=Taken(logprobs=False))
    {'min_p': 0.1, 'model': 'm', 'prompt': 'Q:', 'temperature': 0.0, 'max_tokens': 4, 'seed': 5}
    """
    body: dict[str, Any] = {**endpoint.extra_body, "model": endpoint.model}
    if endpoint.wire == "completion":
        if not isinstance(prompt, str):
            raise InputError.of(
                expected=f"{endpoint.name} continues plain text (completion)",
                got="a conversation",
                fix="Give the prompt as one text, in the style few_shot.",
            )
        body["prompt"] = prompt
    elif isinstance(prompt, str):
        body["messages"] = [{"role": "user", "content": prompt}]
    else:
        body["messages"] = [asdict(message) for message in prompt]
    body |= {"temperature": draw.temperature, taken.limit: max_tokens}
    if top_p != 1:
        body["top_p"] = top_p
    if stop and taken.stop:
        body["stop"] = list(stop)
    if taken.seed:
        body["seed"] = seed
    if taken.logprobs:
        body |= {"logprobs": 2} if endpoint.wire == "completion" else {"logprobs": True, "top_logprobs": 2}
    return body


def tokens_of(body: Mapping[str, Any]) -> int:
    """Return about how many tokens a request will be counted with: its text and the longest reply."""
    text = body.get("prompt") or "".join(message["content"] for message in body.get("messages", ()))
    limit = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return len(text) // CHARACTERS_A_TOKEN + int(limit)


def read_reply(raw: bytes, *, wire: Wire, stop: tuple[str, ...], greedy: bool, seed: int | None) -> Reply:
    """Read what a server sent with status 200.

    Parameters
    ----------
    raw
        The body.
    wire
        Which kind of reply it should be.
    stop
        Texts at which a reply ends: cut here too, because some servers keep the stop text or ignore it.
    greedy
        Whether the margin means something.
    seed
        The seed that was sent, None where none was.

    Returns
    -------
    Reply
        Empty where the server sent no text; ``finish`` is "refused" for a refusal and for a filter, "length"
        for a reply that the limit cut.

    Raises
    ------
    UnreadableReplyError
        For a body that is no JSON, an error in place of a reply, or one without a choice.

    Notes
    -----
    The log-probability is the sum over the tokens up to the stop, as the server gives them; most leave out
    the token that ends a reply.

    Examples
    --------
    >>> raw = b'{"choices": [{"message": {"content": "Paris."}, "finish_reason": "length"}]}'
    >>> got = read_reply(raw, wire="chat", stop=(), greedy=True, seed=None)
    >>> got.text, got.finish, got.tokens
    ('Paris.', 'length', -1)
    """
    body = _parsed(raw)
    choice = _choice(body)
    content, refusal = _content(choice, wire)
    reason = str(choice.get("finish_reason") or "")
    whole = content or refusal
    places = [whole.find(one) for one in stop if one in whole]
    text = whole[: min(places)] if places else whole
    steps = _steps(choice.get("logprobs"))
    kept = _up_to(steps, len(text)) if places else steps
    usage = body.get("usage")
    counted = usage if isinstance(usage, dict) else {}
    reply_tokens = _count(counted.get("completion_tokens"))
    finish: Literal["stop", "length", "refused"] = "stop"
    if reason == "content_filter" or (refusal and not content):
        finish = "refused"
    elif reason == "length" and not places:
        finish = "length"
    return Reply(
        text=text,
        tokens=len(kept) or (UNMATCHED if reply_tokens is None else reply_tokens),
        logprob=sum(step.logprob for step in kept) if kept else UNDEFINED,
        margin=_smallest([step.margin for step in kept]) if greedy else UNDEFINED,
        finish=finish,
        served=Served(
            model=_told(body.get("model")),
            fingerprint=_told(body.get("system_fingerprint")),
            seed=seed,
            prompt_tokens=_count(counted.get("prompt_tokens")),
            reply_tokens=reply_tokens,
            reason=reason[:40],
        ),
    )


def said_in(raw: bytes) -> str:
    """Return the words of an error that a server sent, one line of at most 200 characters.

    Examples
    --------
    >>> said_in(b'{"error": {"message": "model not found", "code": 404}}'), said_in(b"<html><p>Bad  gateway")
    ('model not found', '<html><p>Bad gateway')
    """
    text = raw[:4000].decode("utf-8", "replace")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return _line(text)
    for name in ("error", "detail", "message"):
        if isinstance(body, dict) and body.get(name):
            inner = body[name]
            return _line(str(inner.get("message", inner)) if isinstance(inner, dict) else str(inner))
    return _line(text)


@dataclass(frozen=True)
class _Step:
    text: str
    logprob: float
    margin: float


def _parsed(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnreadableReplyError(
            f'no JSON but "{_line(raw[:200].decode("utf-8", "replace"))[:60]}"'
        ) from error
    if not isinstance(body, dict):
        raise UnreadableReplyError("JSON that is no object")
    return body


def _choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    told = f': "{said_in(json.dumps(body).encode())}"' if body.get("error") else ""
    raise UnreadableReplyError(f"no choices in a reply{told}")


def _content(choice: Mapping[str, Any], wire: Wire) -> tuple[str, str]:
    """Return what was said and the refusal, each empty where there is none."""
    if wire == "completion":
        found, refusal = choice.get("text"), None
    else:
        message = choice.get("message")
        if not isinstance(message, dict):
            raise UnreadableReplyError("a choice without a message")
        found, refusal = message.get("content"), message.get("refusal")
    if isinstance(found, list):  # parts, as some servers send them
        found = "".join(str(part.get("text") or "") for part in found if isinstance(part, dict))
    if not isinstance(found, str | None) or not isinstance(refusal, str | None):
        raise UnreadableReplyError("a content that is no text")
    return _storable(found), _storable(refusal)


def _storable(text: str | None) -> str:
    # half a surrogate pair is valid JSON and no valid text: it could not be stored
    return (text or "").encode("utf-8", "replace").decode()


def _steps(logprobs: Any) -> list[_Step]:
    """Return the tokens of a reply with their log-probabilities; none where one of them is unreadable."""
    if not isinstance(logprobs, dict):
        return []
    try:
        if isinstance(logprobs.get("content"), list):
            return [
                _step(one["token"], one["logprob"], [top["logprob"] for top in one.get("top_logprobs") or ()])
                for one in logprobs["content"]
            ]
        tops = logprobs.get("top_logprobs") or [None] * len(logprobs["tokens"])
        return [
            _step(token, logprob, list((top or {}).values()))
            for token, logprob, top in zip(logprobs["tokens"], logprobs["token_logprobs"], tops, strict=True)
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _step(token: Any, logprob: Any, tops: Sequence[Any]) -> _Step:
    best = sorted((float(one) for one in tops), reverse=True)
    return _Step(str(token), float(logprob), best[0] - best[1] if len(best) > 1 else UNDEFINED)


def _up_to(steps: Sequence[_Step], length: int) -> list[_Step]:
    """Return the tokens up to the one in which the stop stands."""
    kept, reached = [], 0
    for step in steps:
        kept.append(step)
        reached += len(step.text)
        if reached > length:
            break
    return kept


def _smallest(margins: Sequence[float]) -> float:
    return UNDEFINED if not margins or any(map(math.isnan, margins)) else min(margins)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _told(value: Any) -> str:
    return _line(value)[:100] if isinstance(value, str) else ""


def _line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:200]
