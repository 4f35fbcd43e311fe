"""How can a study be run and tested in seconds, with known answer probabilities and no weights?"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from limitset.core.errors import InputError
from limitset.core.replies import Draw, Prompt, Reply
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.models.packaged import Style
from limitset.models.requests import check_request

Outcomes = tuple[tuple[str, float], ...]


class ScriptedModel:
    """A language model whose replies and their probabilities are written down.

    Parameters
    ----------
    name
        What a reader calls it.
    replies
        Question to replies: one text, or pairs (text, probability) that sum to 1. The entry that equals the
        prompt's last message is used; else the longest one that occurs in it.
    default
        Reply where no entry fits.
    style
        How it says it wants to be asked.

    Examples
    --------
    >>> model = ScriptedModel("toy", {"Australia": [["Sydney", 0.75], ["Canberra", 0.25]]}, default="?")
    >>> draws = [Draw(seed, 1.0) for seed in range(4)] + [Draw(0, 0.0)]
    >>> replies = model.generate(["Capital of Australia?"], rows=["q"], draws=draws, max_tokens=8, top_p=1.0,
    ...                          stop=(), rng=Streams(0))
    >>> replies[0][-1].text, round(replies[0][-1].logprob, 3)
    ('Sydney', -0.288)
    """

    def __init__(
        self,
        name: str,
        replies: Mapping[str, Any],
        *,
        default: Any = "",
        style: Style = "chat",
    ) -> None:
        self._name = name
        self._replies = {question: _outcomes(value, question) for question, value in replies.items()}
        self._default = _outcomes(default, "default")
        self._style: Style = style
        body = json.dumps([name, self._replies, self._default, style], sort_keys=True)
        self._identity = f"{name}@scripted:{hashlib.sha256(body.encode()).hexdigest()}"

    @classmethod
    def read(cls, path: Path) -> ScriptedModel:
        """Read a script: JSON with name, style, replies and default.

        Raises
        ------
        InputError
            For a file that is absent, not JSON, or holds other keys or probabilities that do not sum to 1.
        """
        try:
            body = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError.of(
                expected=f"{path} must be a JSON file", got=error, fix="Check the path after scripted:."
            ) from error
        if not isinstance(body, dict) or not isinstance(body.get("replies", {}), dict):
            raise InputError.of(
                expected=f"{path} must hold an object with an object `replies`",
                got="something else",
                fix='Write {"name": ..., "replies": {...}}.',
            )
        unknown = sorted(set(body) - {"name", "style", "replies", "default"})
        if unknown:
            raise InputError.of(
                expected=f"the keys of {path} are name, style, replies and default",
                got=unknown[0],
                fix="Drop it.",
            )
        style = body.get("style", "chat")
        if style not in ("chat", "few_shot"):
            raise InputError.of(
                expected="style must be chat or few_shot", got=repr(style), fix="Use one of these."
            )
        return cls(
            str(body.get("name", path.stem)),
            body.get("replies", {}),
            default=body.get("default", ""),
            style=style,
        )

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return self._name

    @property
    def identity(self) -> str:
        """Name and sha256 of the script."""
        return self._identity

    @property
    def style(self) -> Style:
        """How it says it wants to be asked."""
        return self._style

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

        A token is a word here. Temperature sharpens or flattens the written probabilities; greedy takes the
        first of the most probable.
        """
        check_request(prompts, rows=rows, draws=draws, max_tokens=max_tokens, top_p=top_p, stop=stop)
        return [
            [
                _cut(
                    _picked(self._outcomes(prompt), draw, top_p, rng.child(row, draw.seed)), max_tokens, stop
                )
                for draw in draws
            ]
            for prompt, row in zip(prompts, rows, strict=True)
        ]

    def _outcomes(self, prompt: Prompt) -> Outcomes:
        text = prompt if isinstance(prompt, str) else prompt[-1].content
        if text in self._replies:
            return self._replies[text]
        # in a few-shot prompt the examples come first: what is asked stands last
        found = [
            (text.rfind(question) + len(question), len(question), question)
            for question in self._replies
            if question in text
        ]
        return self._replies[max(found)[2]] if found else self._default


def _outcomes(value: Any, question: str) -> Outcomes:
    if isinstance(value, str):
        return ((value, 1.0),)
    try:
        outcomes = tuple((str(text), float(share)) for text, share in value)
    except (TypeError, ValueError) as error:
        raise InputError.of(
            expected="replies must be a text or pairs [text, probability]",
            got=f"{value!r} for {question!r}",
            fix="Write [[text, probability], ...].",
        ) from error
    total = math.fsum(share for _, share in outcomes)
    if not outcomes or min(share for _, share in outcomes) < 0 or abs(total - 1) > 1e-6:
        raise InputError.of(
            expected="probabilities must be 0 or above and sum to 1",
            got=f"{total:g} for {question!r}",
            fix="Correct them.",
        )
    return outcomes


def _picked(outcomes: Outcomes, draw: Draw, top_p: float, rng: Streams) -> tuple[str, float, float]:
    shares = np.array([share for _, share in outcomes])
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
    if draw.greedy:
        best = int(shares.argmax())
        others = np.delete(logs, best)
        return outcomes[best][0], float(logs[best]), float(logs[best] - others.max(initial=-np.inf))
    warm = np.exp((logs - logs.max()) / draw.temperature)
    warm /= warm.sum()
    order = np.argsort(-warm, kind="stable")
    before = warm[order].cumsum() - warm[order]
    kept = np.where(before < top_p, warm[order], 0.0).cumsum()
    place = int(np.searchsorted(kept, rng.uniforms([""], step=0)[0] * kept[-1], side="right"))
    chosen = int(order[min(place, order.size - 1)])
    return outcomes[chosen][0], float(logs[chosen]), UNDEFINED


def _cut(picked: tuple[str, float, float], max_tokens: int, stop: tuple[str, ...]) -> Reply:
    text, logprob, margin = picked
    places = [text.find(one) for one in stop if one in text]
    text = text[: min(places)] if places else text
    words = text.split()
    if len(words) > max_tokens:
        text = " ".join(words[:max_tokens])
        return Reply(text=text, tokens=max_tokens, logprob=logprob, margin=margin, finish="length")
    return Reply(text=text, tokens=max(1, len(words)), logprob=logprob, margin=margin)
