"""What is sent to a language model, and what comes back?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompt = str | tuple[Message, ...]
"""Plain text to continue (base models), or a conversation (instruct models)."""


@dataclass(frozen=True)
class Draw:
    """One way to sample a reply: which seed, and how warm. Temperature 0 is greedy."""

    seed: int
    temperature: float

    @property
    def greedy(self) -> bool:
        """Whether the most likely token is taken every time."""
        return self.temperature == 0


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a server said about a reply that it gave, beside the text.

    Parameters
    ----------
    model
        What the server calls the model that answered; empty where it does not say.
    fingerprint
        Its name for the configuration behind it (``system_fingerprint``); empty where it does not say.
    seed
        The seed that was sent; None where none was.
    prompt_tokens, reply_tokens
        What it counted; None where it does not say.
    reason
        Why it ended the reply, in its own word: ``"stop"``, ``"content_filter"``.
    """

    model: str = ""
    fingerprint: str = ""
    seed: int | None = None
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One reply of a model.

    Parameters
    ----------
    text
        What was generated, cut before the stop text.
    tokens
        How many tokens were generated, the stop included; -1 where the model does not say.
    logprob
        Sum of the natural log-probabilities of the generated tokens at temperature 1; NaN where the model
        does not say.
    margin
        Smallest gap in log-probability between the best and the second-best token along the reply: near 0
        a greedy reply hangs on a tie. NaN for sampled replies.
    finish
        Why it ended: "stop", "length" (clipped), "refused" (by the model or a filter of its server), or
        "error".
    served
        What a server said about it; None for a model that runs here.
    """

    text: str
    tokens: int
    logprob: float = UNDEFINED
    margin: float = UNDEFINED
    finish: Literal["stop", "length", "refused", "error"] = "stop"
    served: Served | None = None


@runtime_checkable
class LanguageModel(Protocol):
    """Anything that replies to prompts."""

    @property
    def name(self) -> str:
        """What a reader calls it: ``smollm2-135m-instruct``."""
        ...

    @property
    def identity(self) -> str:
        """What decides its replies: name, sha256 of the weights, runtime, dtype."""
        ...

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
        """Reply to every prompt once a draw.

        Parameters
        ----------
        prompts
            What is asked.
        rows
            A name for each prompt: the random numbers of a reply depend on (rng, row, seed, step) alone.
        draws
            One reply of each prompt for each of these.
        max_tokens
            At most so many tokens a reply, 1 or more.
        top_p
            Sample from the smallest set of tokens that holds this much probability, in (0, 1].
        stop
            Texts at which a reply ends; they are not part of it.
        rng
            Where random numbers come from.

        Returns
        -------
        list
            One list a prompt, one reply a draw.
        """
        ...
